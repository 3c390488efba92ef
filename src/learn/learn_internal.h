/*
 * learn_internal.h
 *	  Learning a lane, between its files.
 */
#ifndef GENSYNTH_LEARN_INTERNAL_H
#define GENSYNTH_LEARN_INTERNAL_H

#include "learn/learn.h"

/* A value with its rows, while levels are chosen. */
typedef struct ValueCount
{
	GsScalar	scalar;
	int64		count;
	GsText	   *text;			/* TEXT lanes */
} ValueCount;

/* What learning one lane needs to hand around. */
typedef struct LaneView
{
	GsColumn   *column;
	GsLane	   *lane;
	GsFeature  *feature;
	int64		nrows;
	int64		npresent;
	int			threshold;
	GsScalar   *sorted;		/* [npresent] */
	ValueCount *values;			/* [nvalues], distinct, while few */
	int			nvalues;
} LaneView;

static inline bool
is_absent(const GsLane *lane, int64 row)
{
	return lane->absent != NULL && lane->absent[row];
}

/* learn_format.c */
extern void gs_learn_lengths(LaneView *view);
extern void gs_learn_format(LaneView *view, uint64 salt);

#endif
