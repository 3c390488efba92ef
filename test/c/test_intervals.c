/*
 * test_intervals.c
 *	  Intervals are found as a plain search finds them.
 */
#include <math.h>
#include <stdio.h>

#include "../../src/numeric/intervals.h"
#include "../../src/numeric/philox.h"
#include "test.h"

#define SCORES	1003

static float edge[GS_INTERVALS_FEW + 1];
static float score[SCORES];
static int32_t interval[SCORES];

int
main(void)
{
	GsRandom	random;
	char		name[64];

	gs_random_start(&random, 3, 1, 0);
	for (int n = 1; n <= GS_INTERVALS_FEW; n++)
	{
		int			wrong = 0;

		edge[0] = -INFINITY;
		edge[n] = INFINITY;
		for (int k = 1; k < n; k++)
			edge[k] = (float) (k - n / 2.0) / 4;
		for (int i = 0; i < SCORES; i++)
			score[i] = (float) (gs_random_uniform(&random) * 12 - 6);
		/* on edges, and what is no number */
		for (int k = 0; k <= n; k++)
			score[k] = edge[k];
		score[SCORES - 1] = NAN;
		gs_intervals_find(edge, n, score, interval, SCORES);
		for (int i = 0; i < SCORES; i++)
		{
			int			expected = 0;

			while (expected < n - 1 && edge[expected + 1] <= score[i])
				expected++;
			wrong += interval[i] != expected;
		}
		snprintf(name, sizeof(name), "%d intervals", n);
		CHECK(wrong == 0, name);
	}
	return test_done();
}
