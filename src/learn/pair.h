/*
 * pair.h
 *	  Pairs of columns, of which one may be told from the other: between the
 *	  files that find differences.
 */
#ifndef GENSYNTH_PAIR_H
#define GENSYNTH_PAIR_H

#include "learn/difference.h"
#include "learn/learn_internal.h"

#define PAIR_ROWS		4000	/* that are looked at */
#define PAIR_MIN_ROWS	50
#define ENDLESS_MIN_ROWS	12	/* of a column that goes on by regular steps */

/* Differences are few: at most so many. */
#define FEW_DISTINCT	20

/* Few differences are better by so much than any that are not few. */
#define BY_FAR			100.0

/* A column, as a number on its axis. */
typedef struct Number
{
	const GsColumn *column;
	const GsLane *lane;
	int64		unit;			/* of its axis; 0: it cannot differ */
} Number;

/* Different values, until they are too many. */
typedef struct Distinct
{
	int			n;
	int64		value[FEW_DISTINCT];
	int64		count[FEW_DISTINCT];
} Distinct;

typedef struct Finder
{
	GsSample   *sample;
	int			threshold;
	Number	   *number;			/* [ncolumns] */
	GsLink	   *link;			/* [ncolumns] the best */
	int8	   *sign;			/* [ncolumns][ncolumns] column to base */
	int8	   *code;			/* [ncolumns] whether others are looked up by
								 * it: 1, -1 not, 0 not known yet */
} Finder;

/*
 * A row's value, if it can be told from another one's, or another one from it.
 */
static inline bool
has_value(const Number *number, int64 row, int64 *value)
{
	*value = number->lane->scalar[row].i;
	return !is_absent(number->lane, row) &&
		!gs_layout_is_special(number->column, *value);
}

static inline void
count_distinct(Distinct *distinct, int64 value)
{
	int			i = 0;

	if (distinct->n > FEW_DISTINCT)
		return;
	while (i < distinct->n && distinct->value[i] != value)
		i++;
	if (i == distinct->n && distinct->n++ < FEW_DISTINCT)
	{
		distinct->value[i] = value;
		distinct->count[i] = 0;
	}
	if (i < FEW_DISTINCT)
		distinct->count[i]++;
}

/* pair.c */
extern double gs_pair_score(const Finder *finder, int c, int b, int *sign);

#endif
