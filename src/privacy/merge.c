/*
 * merge.c
 *	  Values of a column merged into cells, and cells into bins for counts of
 *	  pairs.
 *
 * A count of less than its noise says nothing.  So values of an ordered column
 * share a cell until it holds some noise, and cells of any column share a bin
 * until a pair's counts can be expected to hold more than theirs.  What has
 * enough by itself stays alone.  Only noisy shares are read.
 */
#include "privacy/merge.h"

#include <stddef.h>

/* What is enough, in sigma of a count. */
#define CELL		4.0
#define CATEGORY	8.0			/* bin */
#define ORDERED		50.0		/* bin of an ordered column */

/* Parts of it: a bin that may be left so, and one that is too much. */
#define LEAST	0.3
#define MOST	1.5
#define FURTHER	1.1			/* times what is enough if there are too many bins */

/*
 * The share of the unit that begins at element i, and where the next begins.
 */
static double
unit_share(const double *share, int n, const int32_t *unit, int i, int *next)
{
	double		sum = share[i];

	*next = i + 1;
	while (unit != NULL && *next < n && unit[*next] == unit[i])
		sum += share[(*next)++];
	return sum;
}

/*
 * Merges neighbouring units; unit: [n] neighbours of the same number are one,
 * or NULL.
 */
static int
merge_units(const double *share, int n, const int32_t *unit, double mass,
			int32_t *bin)
{
	double		open = 0;		/* what the last bin holds */
	int			last = 0;		/* that bin */
	int			used = 0;

	for (int i = 0, next; i < n; i = next)
	{
		double		add = unit_share(share, n, unit, i, &next);

		if (open > 0 && open + add > MOST * mass && open >= LEAST * mass)
		{
			last++;
			open = 0;
		}
		for (int k = i; k < next; k++)
			bin[k] = last;
		used = last;
		open += add;
		if (open >= mass)
		{
			last++;
			open = 0;
		}
	}
	/* too little is left over, if anything: it joins the bin before */
	if (used == last && open < LEAST * mass && used > 0)
	{
		for (int i = n - 1; i >= 0 && bin[i] == used; i--)
			bin[i]--;
		used--;
	}
	return used + 1;
}

/*
 * The same, of a larger mass if bins would be more than so many.
 */
static int
merge_to(const double *share, int n, const int32_t *unit, double mass,
		 int most, int32_t *bin)
{
	int			nbins = merge_units(share, n, unit, mass, bin);

	while (nbins > most)
		nbins = merge_units(share, n, unit, mass *= FURTHER, bin);
	return nbins;
}

/*
 * gs_merge: neighbours merged to bins of about a mass.
 *
 * share: [n], n > 0; bin: [n], filled: of each, from 0, in order.  Returns the
 * number of bins.
 */
int
gs_merge(const double *share, int n, double mass, int32_t *bin)
{
	return merge_units(share, n, NULL, mass, bin);
}

/*
 * gs_merge_cells: values of a column merged into cells that hold more than
 * noise.  Values without order stay alone.
 *
 * share: [n] noisy, of values, the last of which is NULL if nullable: that is
 * a cell of its own; noise: sigma of a value's count, as a share of the rows;
 * cell: [n], filled.  Returns the number of cells.
 */
int
gs_merge_cells(const double *share, int n, bool ordered, bool nullable,
			   double noise, int32_t *cell)
{
	int			ncells = n - nullable;

	if (ordered && ncells > 0)
		ncells = gs_merge(share, ncells, CELL * noise, cell);
	else
		for (int i = 0; i < ncells; i++)
			cell[i] = i;
	if (nullable)
		cell[n - 1] = ncells++;
	return ncells;
}

/*
 * gs_merge_bins: cells of a column merged into bins; NULL has one of its own
 * where the others have an order.
 *
 * share to nullable: as above; cell: [n] as gs_merge_cells filled it; noise:
 * sigma of a pair's count, as a share of the rows; bin: [n], filled: of each
 * value.  Returns the number of bins.
 */
int
gs_merge_bins(const double *share, int n, bool ordered, bool nullable,
			  const int32_t *cell, double noise, int32_t *bin)
{
	double		mass = ORDERED * noise;
	int			nbins;

	if (!ordered)
	{
		nbins = merge_units(share, n, cell, CATEGORY * noise, bin);
		return nbins <= GS_MERGE_LEVELS ? nbins :
			merge_to(share, n, cell, 1.0 / GS_MERGE_LEVELS, GS_MERGE_LEVELS,
					 bin);
	}
	if (mass < 1.0 / GS_MERGE_BINS)
		mass = 1.0 / GS_MERGE_BINS;
	n -= nullable;
	nbins = n > 0 ? merge_to(share, n, cell, mass, GS_MERGE_BINS, bin) : 0;
	if (nullable)
		bin[n] = nbins++;
	return nbins;
}
