/*
 * private_choice.c
 *	  Which pairs of many columns are counted: those that are farthest from
 *	  independence.
 *
 * The distance of a pair is the sum over its cells of |count - expected|, where
 * what independence makes one expect is computed from noisy counts of columns
 * and rounded to a whole number first.  So it is a whole number, and a row,
 * which adds 1 to one of its counts, changes it by 1 at most: that would be 2
 * if it were the sum that is rounded.  All distances together are one vector of
 * counts, each of which a row may change.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "fit/private.h"
#include "privacy/account.h"

/*
 * What noise makes of the error of all pairs that are counted, for each of
 * their cells^(2/3) to the power of 3/2: what it takes to be worth it.
 */
#define PRICE		0.15

typedef struct Scored
{
	int			pair;
	double		gain;			/* distance, of all rows, less that of chance */
	double		cost;
} Scored;

/*
 * The rows that are expected in each bin of a column, of so many; those whose
 * value is not known are in none.
 */
static double *
expected_shares(const GsPrivateTable *table, int column)
{
	const GsPrivateCells *cells = &table->column[column];
	double	   *share = gs_private_bin_shares(table, column);
	double		known = 0;

	if (cells->whole)
		return share;
	for (int k = 0; k < cells->vector.ncells; k++)
		known += cells->vector.count[k];
	for (int b = 0; b < cells->nbins; b++)
		share[b] *= Max(Min(known / Max(table->rows, 1), 1), 0);
	return share;
}

/*
 * The exact distance of a pair; chance: that of rows which are drawn
 * independently, about.
 */
static int64
distance_of(const GsPrivateTable *table, const GsPrivatePair *pair,
			double *const *share, double *chance)
{
	int			levels = table->target < 0 ? 1 :
		table->column[table->target].nbins;
	int			nfirst = table->column[pair->first].nbins;
	int			nsecond = table->column[pair->second].nbins;
	const int64 *count = pair->vector.count;
	int64		sum = 0;

	*chance = 0;
	for (int l = 0; l < levels; l++)
		for (int x = 0; x < nfirst; x++)
		{
			double		rows = table->rows * share[pair->first][x] *
				(table->target < 0 ? 1 : share[table->target][l]);

			for (int y = 0; y < nsecond; y++)
			{
				double		expected = rows * share[pair->second][y];
				int64		off = *count++ - (int64) rint(expected);

				sum += off < 0 ? -off : off;
				*chance += Min(sqrt(M_2_PI * expected), 2 * expected);
			}
		}
	return sum;
}

static int
compare_scored(const void *a, const void *b)
{
	const Scored *x = a;
	const Scored *y = b;
	double		first = x->gain / x->cost;
	double		second = y->gain / y->cost;

	if (first != second)
		return first > second ? -1 : 1;
	return x->pair - y->pair;
}

static int
compare_pairs(const void *a, const void *b)
{
	return ((const Scored *) a)->pair - ((const Scored *) b)->pair;
}

/*
 * Takes of the gains what is likely to be noise: what is left of how they
 * differ if they are normal, as is their noise.
 */
static void
shrink_gains(Scored *scored, int n, double noise)
{
	double		mean = 0;
	double		variance = 0;
	double		part;

	for (int i = 0; i < n; i++)
		mean += scored[i].gain / n;
	for (int i = 0; i < n; i++)
		variance += (scored[i].gain - mean) * (scored[i].gain - mean) / n;
	part = variance > noise * noise ? 1 - noise * noise / variance : 0;
	for (int i = 0; i < n; i++)
		scored[i].gain = mean + part * (scored[i].gain - mean);
}

/*
 * How many of the pairs that gain most for their cells are worth their noise.
 * least: at least; sigma: a count's, of all rows, if there were one pair
 */
static int
count_worth(const Scored *scored, int n, int least, double sigma)
{
	double		gain = 0;
	double		cost = 0;
	double		best = 0;
	int			worth = 0;

	for (int i = 0; i < n; i++)
	{
		double		net;

		gain += scored[i].gain;
		cost += scored[i].cost;
		net = gain - PRICE * sigma * pow(cost, 1.5);
		if (net > best)
		{
			best = net;
			worth = i + 1;
		}
	}
	return Min(Max(worth, least), Min(n, GS_PRIVATE_PAIRS));
}

/*
 * The noisy distances of all pairs, as gains; false: no noise can be drawn for
 * so many.
 */
static bool
score_pairs(GsPrivateTable *table, double choice, int unit_rows,
			Scored *scored)
{
	uint64		square = (uint64) unit_rows * unit_rows;
	int			n = table->npairs;
	GsPrivateVector vector = {.ncells = n};
	double	  **share = palloc0(sizeof(double *) * table->ncolumns);
	double	   *chance = palloc_extended(sizeof(double) * n,
										 MCXT_ALLOC_HUGE);
	double		rows = Max(table->rows, 1);

	if (!gs_privacy_sigma(choice / n * (1 - 1e-9), square, &vector.num,
						  &vector.den))
		return false;
	vector.count = palloc_extended(sizeof(int64) * n, MCXT_ALLOC_HUGE);
	for (int i = 0; i < table->ncolumns; i++)
		share[i] = expected_shares(table, i);
	for (int p = 0; p < n; p++)
	{
		CHECK_FOR_INTERRUPTS();
		vector.count[p] = distance_of(table, &table->pair[p], share,
									  &chance[p]);
	}
	gs_release(&vector);
	for (int p = 0; p < n; p++)
		scored[p] = (Scored)
		{
			p, (vector.count[p] - chance[p]) / (2 * rows),
				pow(table->pair[p].vector.ncells, 2.0 / 3)
		};
	shrink_gains(scored, n, sqrt((double) vector.num / vector.den) /
				 (2 * rows));
	pfree(vector.count);
	pfree(chance);
	return true;
}

/*
 * gs_private_choose: leaves of a table's pairs those that are to be counted,
 * with finer bins.
 *
 * choice: rho of choosing; rho: of counting them; others: as those of
 * gs_private_bins
 */
void
gs_private_choose(GsPrivateTable *table, GsSource *source, double choice,
				  double rho, int unit_rows, List **notes)
{
	int			n = table->npairs;
	Scored	   *scored = palloc_extended(sizeof(Scored) * (n + 1),
										 MCXT_ALLOC_HUGE);
	double		sigma = unit_rows / sqrt(2 * rho) / Max(table->rows, 1);
	int			columns = (int) ceil(sqrt(2.0 * n));	/* n(n-1)/2 pairs */
	int			kept;

	if (n < GS_PRIVATE_FEW * (GS_PRIVATE_FEW - 1) / 2)
		return;
	gs_private_count_pairs(table, source);
	if (score_pairs(table, choice, unit_rows, scored))
	{
		qsort(scored, n, sizeof(Scored), compare_scored);
		kept = count_worth(scored, n, columns - 1, sigma);
		qsort(scored, kept, sizeof(Scored), compare_pairs);
		for (int i = 0; i < kept; i++)
			table->pair[i] = table->pair[scored[i].pair];
		*notes = lappend(*notes,
						 psprintf("pairs counted are %d of %d, those whose distance from independence, with noise, is worth it",
								  kept, n));
	}
	else
		kept = Min(n, GS_PRIVATE_PAIRS);
	table->npairs = kept;
	pfree(scored);
	gs_private_rebin(table, rho, unit_rows);
}
