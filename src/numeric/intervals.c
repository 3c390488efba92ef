/*
 * intervals.c
 *	  Which of few intervals each of many scores falls into.
 *
 * Plain C: no postgres.h.
 */
#include "intervals.h"

#include "clones.h"

/*
 * gs_intervals_find
 *
 * For each of score[count], the number of inner edges that it has reached:
 * interval[i] is the last k with edge[k] <= score[i], and 0 if there is none.
 * edge[n + 1] does not decrease; the first and last of it are not looked at.
 * NaN gives 0.  Comparisons alone, so the same on every processor.
 */
GS_CLONES void
gs_intervals_find(const float *edge, int n, const float *score,
				  int32_t *interval, int count)
{
	for (int i = 0; i < count; i++)
		interval[i] = 0;
	for (int k = 1; k < n; k++)
	{
		float		at = edge[k];

		for (int i = 0; i < count; i++)
			interval[i] += score[i] >= at;
	}
}
