/*
 * progress.h
 *	  How far a fit or a fill is, for every session to see: the view
 *	  synth_progress.
 *
 * Whoever works begins with gs_progress_begin(), tells each phase by
 * gs_progress_phase(), how much of it is done by gs_progress_done(), once for
 * some thousand rows, and ends with gs_progress_end(), on errors too.  Where
 * nothing was begun, nothing is told.
 */
#ifndef GENSYNTH_PROGRESS_H
#define GENSYNTH_PROGRESS_H

#include "postgres.h"

#include "utils/backend_progress.h"

/* Rows from one call of gs_progress_done() to the next: a power of 2. */
#define GS_PROGRESS_ROWS	4096

typedef enum GsPhase
{
	GS_PHASE_NONE,
	GS_PHASE_READING,			/* rows */
	GS_PHASE_COLUMNS,			/* columns */
	GS_PHASE_ORDER,				/* columns */
	GS_PHASE_TREES,				/* trees */
	GS_PHASE_NETWORK,			/* steps */
	GS_PHASE_CALIBRATING,		/* rounds or batches */
	GS_PHASE_REFINING,			/* rounds */
	GS_PHASE_STORING,
	GS_PHASE_FILLING			/* rows */
} GsPhase;

/* What is told: a command of PostgreSQL's progress reports. */
typedef struct GsProgress
{
	int			command;
	Oid			target;
	int64		param[PGSTAT_NUM_PROGRESS_PARAM];
} GsProgress;

extern void gs_progress_job(int job);
extern void gs_progress_begin(const char *model, Oid relid,
							  GsProgress *outer);
extern void gs_progress_phase(GsPhase phase, int64 done, int64 total);
extern void gs_progress_done(int64 done);
extern void gs_progress_network(int64 step, int64 steps, double epoch,
								double loss);
extern void gs_progress_end(const GsProgress *outer);
extern const char *gs_phase_name(GsPhase phase);

#endif
