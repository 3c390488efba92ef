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

/* A vector of noisy counts over the cells of one column or of a pair. */
typedef struct GsMarginal
{
	int			first;
	int			second;			/* -1: of one column */
	double		sigma;
	const int64_t *count;		/* [cells of first][cells of second], may be
								 * negative */
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
} GsNoisyTable;

#endif
