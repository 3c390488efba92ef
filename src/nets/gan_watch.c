/*
 * gan_watch.c
 *	  How near rows of tokens come to those of a table, cheaply.
 */
#include "nets/gan_watch.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define START_ROWS		1024	/* that may be a cluster's centre at first */
#define CLUSTER_ROUNDS	4

/*
 * gs_watch_pairs: how many pairs of positions are watched.
 */
int
gs_watch_pairs(int npositions)
{
	int64_t		all = (int64_t) npositions * (npositions - 1) / 2;

	return (int) (all < GS_WATCH_PAIRS ? all : GS_WATCH_PAIRS);
}

/*
 * The positions of a pair: in a wide table the pairs are spread over all.
 */
static void
pair_positions(const GsWatch *watch, int pair, int *a, int *b)
{
	int64_t		all = (int64_t) watch->npositions * (watch->npositions -
													 1) / 2;
	int64_t		at = all * pair / watch->npairs;

	for (*a = 0; at >= watch->npositions - 1 - *a; (*a)++)
		at -= watch->npositions - 1 - *a;
	*b = *a + 1 + (int) at;
}

static int
group_of(const GsWatch *watch, int position, int32_t token)
{
	return token < 0 ? GS_WATCH_GROUPS :
		watch->group[watch->offset[position] + token];
}

/*
 * Shares of rows: of tokens, and of pairs of groups.
 */
static void
count(const GsWatch *watch, const int32_t *token, int n, double *share,
	  double *joint)
{
	int			k = watch->npositions;

	memset(share, 0, sizeof(double) * (size_t) watch->offset[k]);
	memset(joint, 0, sizeof(double) * GS_WATCH_CELLS *
		   (size_t) watch->npairs);
	for (int i = 0; i < n; i++)
		for (int p = 0; p < k; p++)
			if (token[(size_t) i * k + p] >= 0)
				share[watch->offset[p] + token[(size_t) i * k + p]] += 1.0 / n;
	for (int pair = 0; pair < watch->npairs; pair++)
	{
		double	   *cell = joint + (size_t) pair * GS_WATCH_CELLS;
		int			a;
		int			b;

		pair_positions(watch, pair, &a, &b);
		for (int i = 0; i < n; i++)
			cell[group_of(watch, a, token[(size_t) i * k + a]) *
				 (GS_WATCH_GROUPS + 1) +
				 group_of(watch, b, token[(size_t) i * k + b])] += 1.0 / n;
	}
}

/*
 * The centre that is nearest to a row, or -1 if there is none yet, and in how
 * many positions they differ.  Leaves the row's groups in watch->row.
 */
static int
nearest(const GsWatch *watch, const int32_t *token, int *distance)
{
	int			k = watch->npositions;
	int			best = -1;

	for (int p = 0; p < k; p++)
		watch->row[p] = (uint8_t) group_of(watch, p, token[p]);
	for (int c = 0; c < watch->nclusters; c++)
	{
		const uint8_t *centre = watch->centre + (size_t) c * k;
		int			d = 0;

		for (int p = 0; p < k; p++)
			d += watch->row[p] != centre[p];
		if (best < 0 || d < *distance)
		{
			best = c;
			*distance = d;
		}
	}
	return best;
}

/*
 * Shares of rows: of clusters.
 */
static void
count_clusters(const GsWatch *watch, const int32_t *token, int n,
			   double *share)
{
	memset(share, 0, sizeof(double) * GS_WATCH_CLUSTERS);
	for (int i = 0; i < n; i++)
	{
		int			distance;

		share[nearest(watch, token + (size_t) i * watch->npositions,
					  &distance)] += 1.0 / n;
	}
}

/*
 * The first centres: rows that differ, in as many positions as it takes to
 * find about as many as there is room for.
 */
static void
start_clusters(GsWatch *watch, const int32_t *token, int n)
{
	int			k = watch->npositions;

	for (int apart = k; apart > 0; apart = apart * 3 / 4)
	{
		watch->nclusters = 0;
		for (int i = 0; i < n && watch->nclusters < GS_WATCH_CLUSTERS; i++)
		{
			int			distance;

			if (nearest(watch, token + (size_t) i * k, &distance) < 0 ||
				distance >= apart)
				memcpy(watch->centre + (size_t) watch->nclusters++ * k,
					   watch->row, (size_t) k);
		}
		if (watch->nclusters >= GS_WATCH_CLUSTERS / 2)
			return;
	}
	if (watch->nclusters == 0)	/* no positions */
		watch->nclusters = 1;
}

/*
 * Each centre becomes its rows' most frequent groups.
 */
static void
move_centres(GsWatch *watch, const int32_t *token, int n)
{
	int			k = watch->npositions;
	size_t		groups = GS_WATCH_GROUPS + 1;

	memset(watch->votes, 0, sizeof(uint32_t) * GS_WATCH_CLUSTERS *
		   (size_t) k * groups);
	for (int i = 0; i < n; i++)
	{
		int			distance;
		int			c = nearest(watch, token + (size_t) i * k, &distance);

		for (int p = 0; p < k; p++)
			watch->votes[((size_t) c * k + p) * groups + watch->row[p]]++;
	}
	for (size_t at = 0; at < (size_t) watch->nclusters * k; at++)
	{
		const uint32_t *votes = watch->votes + at * groups;
		int			best = watch->centre[at];

		for (int g = 0; g <= GS_WATCH_GROUPS; g++)
			if (votes[g] > votes[best])
				best = g;
		watch->centre[at] = (uint8_t) best;
	}
}

/*
 * gs_watch_learn: what the table is like.
 *
 * Clusters are those of k-modes (Huang, "Extensions to the k-means algorithm
 * for clustering large data sets with categorical values", Data Mining and
 * Knowledge Discovery 2, 1998), of groups of tokens.
 *
 * watch: all is set but nclusters, the rest from share on to memory that is
 * filled or used; token: [n][npositions], -1 where missing, in random order;
 * n: at least 1.
 */
void
gs_watch_learn(GsWatch *watch, const int32_t *token, int n)
{
	count(watch, token, n, watch->share, watch->joint);
	start_clusters(watch, token, n < START_ROWS ? n : START_ROWS);
	for (int round = 0; round < CLUSTER_ROUNDS; round++)
		move_centres(watch, token, n);
	count_clusters(watch, token, n, watch->cluster);
}

/* half the sum of what the shares differ by: the total variation */
static double
distance(const double *a, const double *b, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += fabs(a[i] - b[i]) / 2;
	return sum;
}

/* the chance that two rows have different tokens in a position */
static double
variety(const double *share, int n)
{
	double		all = 0;
	double		same = 0;

	for (int i = 0; i < n; i++)
	{
		all += share[i];
		same += share[i] * share[i];
	}
	return all * all - same;
}

/*
 * The share of the table's clusters that appear.
 */
static double
clusters_covered(const GsWatch *watch, const int32_t *token, int n)
{
	double		share[GS_WATCH_CLUSTERS];
	int			real = 0;
	int			covered = 0;

	count_clusters(watch, token, n, share);
	for (int c = 0; c < watch->nclusters; c++)
		if (watch->cluster[c] >= GS_WATCH_PART)
		{
			real++;
			covered += share[c] >= GS_WATCH_MIN * watch->cluster[c];
		}
	return real > 0 ? (double) covered / real : 1;
}

/*
 * gs_watch_measure: how near rows come to the table.  token: as above.
 */
GsWatchFigures
gs_watch_measure(const GsWatch *watch, const int32_t *token, int n)
{
	int			k = watch->npositions;
	int			ntokens = watch->offset[k];
	double	   *share = watch->scratch;
	double	   *joint = watch->scratch + ntokens;
	GsWatchFigures figures = {0};
	double		real = 0;
	double		made = 0;
	int			frequent = 0;
	int			covered = 0;

	count(watch, token, n, share, joint);
	for (int p = 0; p < k; p++)
	{
		int			from = watch->offset[p];
		int			m = watch->offset[p + 1] - from;

		figures.positions += distance(watch->share + from, share + from,
									  m) / k;
		real += variety(watch->share + from, m);
		made += variety(share + from, m);
	}
	for (int pair = 0; pair < watch->npairs; pair++)
		figures.pairs += distance(watch->joint + (size_t) pair * GS_WATCH_CELLS,
								  joint + (size_t) pair * GS_WATCH_CELLS,
								  GS_WATCH_CELLS) / watch->npairs;
	for (int t = 0; t < ntokens; t++)
		if (watch->share[t] >= GS_WATCH_SHARE)
		{
			frequent++;
			covered += share[t] > 0;
		}
	figures.coverage = frequent > 0 ? (double) covered / frequent : 1;
	figures.variety = made < real ? made / real : 1;
	figures.clusters = clusters_covered(watch, token, n);
	return figures;
}
