/*
 * counts.h
 *	  What a private fit hands to a family: noisy counts, and nothing else.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_COUNTS_H
#define GENSYNTH_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How its columns are the features of a schema, in their order: cell k of a
 * category is its level k, NULL the last level; cell k of a number is segment k
 * of its quantile table, in order, and where the number has NULLs, one cell
 * more stands for them.  So the indicator of a number's NULLs is a feature that
 * is no column of the table; that of a key's NULLs, which has no other feature,
 * is one, with the cells "present" and "NULL".
 *
 * Segments of a number are as fine as they were counted: most hold less than
 * their noise, and are to be merged (ordered).  The table's edges in the normal
 * score are where merged noisy shares put them: a family that draws segments
 * places its scores within them, whatever it thinks of their shares.
 */

/* A vector of noisy counts over the cells of one column or of a pair. */
typedef struct GsMarginal
{
	int			first;
	int			second;			/* -1: of one column */
	double		sigma;
	const int64_t *count;		/* [cells of first]; of a pair [levels of the
								 * target][bins of first][bins of second]; may
								 * be negative */
	int			block;			/* so many neighbours have noise that is less ... */
	double		block_sigma;	/* ... in sum; 0: none have */
} GsMarginal;

typedef struct GsNoisyTable
{
	int			ncolumns;
	const int  *ncells;			/* [ncolumns] levels of each feature, a level
								 * of NULL included as the last where there is
								 * one */
	const bool *ordered;		/* [ncolumns] neighbours may be merged */
	const bool *nullable;
	double		rows;			/* noisy number of rows */
	int			nmarginals;
	const GsMarginal *marginals;
	const int  *nbins;			/* [ncolumns] that pairs are counted over; NULL:
								 * there are no pairs */
	const int32_t *const *bin;	/* [ncolumns][ncells] bin of a cell */
	int			target;			/* 1 + the column for each level of which pairs
								 * are counted; 0: none */
} GsNoisyTable;

#endif
