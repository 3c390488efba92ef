/*
 * simplex.c
 *	  Noisy counts as a distribution: the nearest there is, or of cells in an
 *	  order, the one that keeps sums over neighbours.
 *
 * Counts with noise may be negative, and sum to anything.  Of all vectors
 * without negative elements and with a given sum, the nearest (Euclidean) has
 * the same taken off each count, and zero where that is more than the count
 * (Duchi, Shalev-Shwartz, Singer and Chandra, "Efficient projections onto the
 * l1-ball", ICML 2008).  It is nearer to the truth than the counts themselves,
 * and most of all where many cells are empty.
 */
#include "privacy/simplex.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* So many neighbours hold nothing ... */
#define EMPTY_RUN	32
/* ... if they hold less, in sigma: all of them, and each. */
#define EMPTY_SUM	0.2
#define EMPTY_ONE	3.5

static int
falling(const void *a, const void *b)
{
	int64_t		x = *(const int64_t *) a;
	int64_t		y = *(const int64_t *) b;

	return (x < y) - (x > y);
}

/*
 * gs_simplex: the distribution that counts of a total stand for.
 *
 * count: [n], n > 0; total: over 0; share: [n], filled, sum 1.  Returns false
 * if memory is out.
 */
bool
gs_simplex(const int64_t *count, int n, double total, double *share)
{
	int64_t    *sorted = malloc(sizeof(int64_t) * (size_t) n);
	double		sum = 0;
	double		off = 0;
	double		all = 0;

	if (sorted == NULL)
		return false;
	memcpy(sorted, count, sizeof(int64_t) * (size_t) n);
	qsort(sorted, (size_t) n, sizeof(int64_t), falling);
	for (int i = 0; i < n; i++)
	{
		sum += (double) sorted[i];
		/* as long as what is taken off leaves this one something */
		if ((double) sorted[i] > (sum - total) / (i + 1))
			off = (sum - total) / (i + 1);
	}
	free(sorted);
	for (int i = 0; i < n; i++)
	{
		share[i] = (double) count[i] > off ? (double) count[i] - off : 0;
		all += share[i];
	}
	for (int i = 0; i < n; i++)
		share[i] /= all;
	return true;
}

/*
 * Whether neighbours seem to hold nothing: neither their sum nor any of them
 * stands out of the noise.
 */
static bool
is_empty(const double *sum, int n, double sigma)
{
	if (n < EMPTY_RUN || sum[n] - sum[0] > EMPTY_SUM * sigma * sqrt(n))
		return false;
	for (int i = 0; i < n; i++)
		if (sum[i + 1] - sum[i] > EMPTY_ONE * sigma)
			return false;
	return true;
}

/*
 * Splits what n elements hold between halves and theirs; sum: [n + 1] of the
 * counts before each.
 */
static void
split_mass(const double *sum, int n, double sigma, double mass,
		   double *share)
{
	int			half = n / 2;
	double		left;
	bool		none[2];

	if (n == 1)
	{
		share[0] = mass;
		return;
	}
	none[0] = is_empty(sum, half, sigma);
	none[1] = is_empty(sum + half, n - half, sigma);
	/* what both are off by goes to each by the variance of its noise */
	left = sum[half] - sum[0];
	left += (mass - (sum[n] - sum[0])) * half / n;
	if (none[0] != none[1])
		left = none[0] ? 0 : mass;
	left = left < 0 ? 0 : left > mass ? mass : left;
	split_mass(sum, half, sigma, left, share);
	split_mass(sum + half, n - half, sigma, mass - left, share + half);
}

/*
 * gs_nested: the distribution that counts in an order stand for: the whole is
 * split between halves as their counts say, and each half between its own,
 * none less than nothing; where noise explains what one holds, the other has
 * all.
 *
 * Sums over many neighbours, in which most of the noise cancels out, come out
 * as they were counted, where gs_simplex moves what noise makes of empty cells
 * to wherever these are (Hay, Rastogi, Miklau and Suciu, "Boosting the
 * accuracy of differentially private histograms through consistency", VLDB
 * 2010).
 * sigma: of a count; others and result: as those of gs_simplex.
 */
bool
gs_nested(const int64_t *count, int n, double sigma, double total,
		  double *share)
{
	double	   *sum = malloc(sizeof(double) * ((size_t) n + 1));

	if (sum == NULL)
		return false;
	sum[0] = 0;
	for (int i = 0; i < n; i++)
		sum[i + 1] = sum[i] + (double) count[i];
	split_mass(sum, n, sigma, total, share);
	for (int i = 0; i < n; i++)
		share[i] /= total;
	free(sum);
	return true;
}
