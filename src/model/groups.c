/*
 * groups.c
 *	  Many values in few groups, so that a byte tells them apart.
 */
#include "postgres.h"

#include "model/groups.h"

/*
 * gs_group_values: groups neighbouring values into at most so many groups of
 * about as many rows; one that has as many rows alone is a group of its own.
 *
 * count: [n] rows of each value; group: [n], filled, in order.  Returns how
 * many there are.
 */
int
gs_group_values(const int64 *count, int n, int max, uint8 *group)
{
	int64		all = 0;

	for (int v = 0; v < n; v++)
		all += count[v];
	for (int aim = max;; aim -= 1 + aim / 8)
	{
		int64		depth = all / aim + 1;
		int64		open = 0;	/* rows of the open group */
		int			last = 0;

		for (int v = 0; v < n; v++)
		{
			if (open > 0 && (open + count[v] / 2 >= depth ||
							 count[v] >= depth))
			{
				last++;
				open = 0;
			}
			open += count[v];
			group[v] = (uint8) Min(last, max - 1);
		}
		if (last < max)
			return last + 1;
	}
}

static int
by_count(const void *a, const void *b, void *arg)
{
	const int64 *count = arg;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	if (count[x] != count[y])
		return count[x] > count[y] ? -1 : 1;
	return x - y;
}

/*
 * gs_group_levels: the same for levels.  rank: [n] their order, if alike ones
 * are next to each other in it; without one, the most frequent ones are alone,
 * and all others together.
 */
int
gs_group_levels(const int64 *count, const uint16 *rank, int n, int max,
				uint8 *group)
{
	int		   *order = palloc(sizeof(int) * Max(n, 1));
	int64	   *ranked;
	uint8	   *group_of;
	int			ngroups;

	if (rank == NULL || n <= max)
	{
		for (int v = 0; v < n; v++)
			order[v] = v;
		qsort_arg(order, n, sizeof(int), by_count,
				  unconstify(int64 *, count));
		for (int i = 0; i < n; i++)
			group[order[i]] = (uint8) Min(i, max - 1);
		pfree(order);
		return Min(n, max);
	}
	ranked = palloc(sizeof(int64) * n);
	group_of = palloc(n);
	for (int v = 0; v < n; v++)
		ranked[rank[v]] = count[v];
	ngroups = gs_group_values(ranked, n, max, group_of);
	for (int v = 0; v < n; v++)
		group[v] = group_of[rank[v]];
	pfree(order);
	pfree(ranked);
	pfree(group_of);
	return ngroups;
}
