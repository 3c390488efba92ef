/*
 * learn_internal.h
 *	  Learning a lane, between its files.
 */
#ifndef GENSYNTH_LEARN_INTERNAL_H
#define GENSYNTH_LEARN_INTERNAL_H

#include "learn/learn.h"
#include "numeric/philox.h"

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
	const bool *counted;		/* [nrows] as one that holds a value; NULL: all */
	bool	   *unknown;		/* [nrows] nothing is known of the value; or NULL */
	int64		nknown;			/* all other rows */
	struct GsDocuments *documents;	/* members of what the lane holds, or NULL */
} LaneView;

/* Members of a column of documents or texts, to be learned as columns. */
typedef struct GsDocuments
{
	int			nmembers;
	GsColumn   *member;			/* [nmembers] */
	GsLane	   *lane;			/* [nmembers] */
	bool	   *unknown;		/* [nrows] of which they tell nothing; NULL: of
								 * those of which the column tells nothing */
	HTAB	   *documents;		/* while they are learned */
	HTAB	   *layouts;
} GsDocuments;

static inline bool
is_absent(const GsLane *lane, int64 row)
{
	return lane->absent != NULL && lane->absent[row];
}

/*
 * Some other row of so many, any of them: rows that are close to each other are
 * often alike, as those in the order of time are.  It may be the same one.
 */
static inline int64
other_row(int64 row, int64 nrows)
{
	return (int64) (gs_mix64((uint64) row, 1) % (uint64) nrows);
}

/* A number of few values is a category if those that may be shown cover this
 * share of the rows. */
#define FEW_COVERAGE		0.99
/* Most rows of a near unique column hold values that are not shown. */
#define NEAR_UNIQUE			0.50

static inline bool
is_unknown(const LaneView *view, int64 row)
{
	return view->unknown != NULL && view->unknown[row];
}

/*
 * Whether a row is a witness of its value: of what all rows of an owner share,
 * one is.
 */
static inline bool
is_counted(const LaneView *view, int64 row)
{
	return view->counted == NULL || view->counted[row];
}

/* learn.c */
extern void gs_count_values(LaneView *view, int limit, int64 min);
extern void gs_alloc_levels(GsFeature *feature, int nlevels);

/* learn_text.c */
extern void gs_learn_text(LaneView *view, uint64 salt);

/* learn_number.c */
extern void gs_learn_number(LaneView *view);

/* learn_document.c */
extern GsDocuments *gs_learn_documents(LaneView *view, uint64 salt);

/* learn_slots.c */
extern GsDocuments *gs_learn_slots(LaneView *view);

/* learn_format.c */
extern void gs_learn_lengths(LaneView *view);
extern void gs_learn_format(LaneView *view, uint64 salt);

#endif
