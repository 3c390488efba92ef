/*
 * mixture_internal.h
 *	  What the files of the mixture share.
 */
#ifndef GENSYNTH_MIXTURE_INTERNAL_H
#define GENSYNTH_MIXTURE_INTERNAL_H

#include "privacy/mixture.h"

/* Pairs of a column with columns that follow each other. */
typedef struct GsBlock
{
	int			first;			/* the column's first bin ... */
	int			n;				/* ... and how many it has */
	int			run;			/* the same of the columns */
	int			nrun;
	float	   *count;			/* [levels of the target][n][nrun] noisy, of 1 */
	float	   *weight;			/* [nrun] 1 / the variance of their noise */
} GsBlock;

struct GsProducts
{
	int			ncolumns;
	int		   *value;			/* [ncolumns + 1] the first of a column */
	int32_t    *cell_of;		/* [values of all] from the column's first */
	int			ncells;			/* of all columns */
	int			nbins;
	int		   *cell;			/* [ncolumns + 1] as value */
	int		   *bin;			/* the same */
	int32_t    *bin_of;			/* [ncells] among the bins of all columns */

	/*
	 * The log odds of a cell are interpolated between those of two bins, whose
	 * centres are on either side.
	 */
	int32_t    *low;			/* [ncells] */
	int32_t    *high;
	float	   *part;			/* of high */

	float	   *alone;			/* [ncells] shares of the column by itself */
	float	   *count;			/* [ncells] noisy, of 1 */
	float	   *weight;			/* [ncells] 1 / the variance of their noise */

	/* neighbouring cells whose sums have less noise */
	int			ngroups;
	int32_t    *group;			/* [ncells]; -1: none */
	float	   *group_count;	/* [ngroups] as count */
	float	   *group_weight;
	int			nblocks;
	GsBlock    *block;
	int			levels;			/* of the target; 1: there is none */
	int			target;			/* its first bin; -1 */
	double		pair_cells;
	int			max_cells;		/* of a column */
	int			max_block;		/* elements of a block, for one level */
};

#endif
