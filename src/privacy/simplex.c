/*
 * simplex.c
 *	  Noisy counts as a distribution: the nearest there is.
 *
 * Counts with noise may be negative, and sum to anything.  Of all vectors
 * without negative elements and with a given sum, the nearest (Euclidean) has
 * the same taken off each count, and zero where that is more than the count
 * (Duchi, Shalev-Shwartz, Singer and Chandra, "Efficient projections onto the
 * l1-ball", ICML 2008).  It is nearer to the truth than the counts themselves,
 * and most of all where many cells are empty.
 */
#include "privacy/simplex.h"

#include <stdlib.h>
#include <string.h>

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
