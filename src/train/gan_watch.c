/*
 * gan_watch.c
 *	  How near rows of tokens come to those of a table, cheaply.
 */
#include "train/gan_watch.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/*
 * gs_watch_pairs: how many pairs of places are watched.
 */
int
gs_watch_pairs(int nplaces)
{
	int64_t		all = (int64_t) nplaces * (nplaces - 1) / 2;

	return (int) (all < GS_WATCH_PAIRS ? all : GS_WATCH_PAIRS);
}

/*
 * The places of a pair: in a wide table the pairs are spread over all.
 */
static void
pair_places(const GsWatch *watch, int pair, int *a, int *b)
{
	int64_t		all = (int64_t) watch->nplaces * (watch->nplaces - 1) / 2;
	int64_t		at = all * pair / watch->npairs;

	for (*a = 0; at >= watch->nplaces - 1 - *a; (*a)++)
		at -= watch->nplaces - 1 - *a;
	*b = *a + 1 + (int) at;
}

static int
group_of(const GsWatch *watch, int place, int32_t token)
{
	return token < 0 ? GS_WATCH_GROUPS :
		watch->group[watch->offset[place] + token];
}

/*
 * Shares of rows: of tokens, and of pairs of groups.
 */
static void
count(const GsWatch *watch, const int32_t *token, int n, double *share,
	  double *joint)
{
	int			k = watch->nplaces;

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

		pair_places(watch, pair, &a, &b);
		for (int i = 0; i < n; i++)
			cell[group_of(watch, a, token[(size_t) i * k + a]) *
				 (GS_WATCH_GROUPS + 1) +
				 group_of(watch, b, token[(size_t) i * k + b])] += 1.0 / n;
	}
}

/*
 * gs_watch_learn: what the table is like.
 *
 * watch: all is set, the last three to memory that is filled or used; token:
 * [n][nplaces], -1 where missing; n: at least 1.
 */
void
gs_watch_learn(GsWatch *watch, const int32_t *token, int n)
{
	count(watch, token, n, watch->share, watch->joint);
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

/* the chance that two rows have different tokens in a place */
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
 * gs_watch_measure: how near rows come to the table.  token: as above.
 */
GsWatchFigures
gs_watch_measure(const GsWatch *watch, const int32_t *token, int n)
{
	int			k = watch->nplaces;
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

		figures.places += distance(watch->share + from, share + from, m) / k;
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
	return figures;
}
