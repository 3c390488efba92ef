/*
 * worker.h
 *	  Work in a background process, which commits by itself.
 */
#ifndef GENSYNTH_WORKER_H
#define GENSYNTH_WORKER_H

#include "postgres.h"

/* Kinds of work: see the table in worker.c. */
typedef enum GsWork
{
	GS_WORK_FIT,				/* of synth_fit_background */
	GS_WORK_DEBIT,				/* of the ledger, for a fit */
	GS_WORK_BUDGET				/* of synth_budget */
} GsWork;

/* A value and its type, for the way to the worker. */
typedef struct GsWorkArg
{
	Oid			type;
	NullableDatum value;
} GsWorkArg;

extern int	gs_max_jobs;

extern void gs_worker_init(void);
extern int64 gs_worker_run(GsWork kind, const GsWorkArg *args, int nargs);
extern int64 gs_worker_commit(int64 (*statement) (void *arg), void *arg);
extern void gs_worker_settle(void);

#endif
