/*
 * into_call.h
 *	  A call of synth_into, for those who begin and run it.
 */
#ifndef GENSYNTH_INTO_CALL_H
#define GENSYNTH_INTO_CALL_H

#include "nodes/bitmapset.h"

#include "catalog/fills.h"
#include "model/model.h"
#include "stream/foreign_keys.h"
#include "stream/grid.h"
#include "stream/insert.h"
#include "stream/owned.h"
#include "stream/repair.h"
#include "stream/shift.h"
#include "stream/sorted.h"
#include "stream/stream.h"
#include "stream/target.h"

/* A call of synth_into. */
typedef struct GsInto
{
	GsFill		fill;
	Oid			relid;
	GsSampler  *sampler;
	GsTarget   *target;
	GsStream   *stream;
	GsOwned    *owned;			/* instead of the stream, for rows of owners */
	const GsModel *counts;		/* how many each has; NULL: all are one's */
	GsSampler  *plain;			/* that makes rows where there are no owners */
	bool		after;			/* rows go on after those that the target has */
	bool		any_n;			/* there are to be as many as these have */
	int64		owned_total;	/* that they have */
	double		owned_others;	/* without those who stand out */
	int64		owned_rows;		/* that were given */
	GsForeignKeys *fks;
	GsShift    *shift;			/* NULL: no ranges that must not overlap */
	Bitmapset **ties;			/* [natts] columns that go together */
	GsGrid	   *grid;			/* NULL: no combinations to count through */
	GsSorting  *sorting;		/* NULL: rows go in as they come */
	GsRepair   *repair;			/* NULL: what collides is not made up for */
	int			epoch;			/* goes on when rows collide too often */
	const char *functions;		/* our own schema, quoted */
	int64		batch_size;
	bool		skip_conflicts;
	bool		commits;
	MemoryContext context;		/* of the call */
	MemoryContext batch_context;

	/* the batch at hand */
	int64		wanted;			/* rows */
	int64		drawn;			/* rows made for it so far */
	int64		refused;		/* of these, by a condition of the target */
	const char *refused_by;		/* the last one */
	GsInsert	insert;
} GsInto;

extern char *gs_into_forget_statement(const GsInto *call);
extern bool gs_into_lost_rows(const GsInto *call);
extern bool gs_into_next_row(GsInto *call, Datum **values, bool **nulls);
extern void gs_into_begin_rows(GsInto *call);

#endif
