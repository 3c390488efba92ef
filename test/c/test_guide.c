/*
 * test_guide.c
 *	  The guide finds what a plain search finds.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../src/numeric/guide.h"
#include "../../src/numeric/normal.h"
#include "../../src/numeric/philox.h"
#include "test.h"

#define MAX_INTERVALS	3000

static double edge[MAX_INTERVALS + 1];
#define SCORES			20000

static float score[SCORES];
static int32_t found[SCORES];

/* the last interval that does not begin after the score */
static int
search(int n, float at)
{
	int			interval = 0;

	while (interval < n - 1 && edge[interval + 1] <= at)
		interval++;
	return interval;
}

static int
differences(int n)
{
	int			wrong = 0;
	int			count = SCORES;
	GsRandom	random;
	GsGuide		guide;

	gs_guide_init(&guide, edge, n, malloc);
	gs_random_start(&random, 7, n, 0);
	for (int i = 0; i < SCORES; i++)
		score[i] = (float) gs_normal_quantile(gs_random_uniform(&random));
	/* the edges themselves and their neighbours, and what lies far out */
	for (int i = 0; i <= n; i++)
		score[i] = (float) edge[i];
	for (int i = 0; i <= n; i++)
		score[n + 1 + i] = nextafterf((float) edge[i], -INFINITY);
	score[--count] = -INFINITY;
	score[--count] = INFINITY;
	score[--count] = 1e30f;
	score[--count] = NAN;
	gs_guide_find(&guide, score, found, SCORES);
	for (int i = 0; i < SCORES; i++)
		wrong += found[i] != search(n, score[i]) ||
			gs_guide_find_one(&guide, score[i]) != found[i];
	/* any number of them */
	gs_guide_find(&guide, score, found, 0);
	gs_guide_find(&guide, score + 1, found, 65);
	for (int i = 0; i < 65; i++)
		wrong += found[i] != search(n, score[1 + i]);
	free(guide.edge);
	free(guide.cell);
	return wrong;
}

int
main(void)
{
	static const int sizes[] = {1, 2, 3, 17, 1000, MAX_INTERVALS};

	for (int s = 0; s < (int) (sizeof(sizes) / sizeof(sizes[0])); s++)
	{
		int			n = sizes[s];
		char		name[64];

		/* equal shares of a normal, with open ends */
		for (int i = 0; i <= n; i++)
			edge[i] = gs_normal_quantile((double) i / n);
		snprintf(name, sizeof(name), "equal shares, %d intervals", n);
		CHECK(differences(n) == 0, name);

		/* one interval that holds nearly all, the others crowded in a tail */
		for (int i = 0; i <= n; i++)
			edge[i] = i == 0 ? -INFINITY : 4 + i * 1e-3;
		snprintf(name, sizeof(name), "a crowded tail, %d intervals", n);
		CHECK(differences(n) == 0, name);

		/* the same amid the others, which crowd both tails */
		for (int i = 0; i <= n; i++)
			edge[i] = i <= n / 2 ? -4 + (i - n / 2) * 1e-3 :
				3 + (i - n / 2) * 1e-3;
		snprintf(name, sizeof(name), "crowded tails, %d intervals", n);
		CHECK(differences(n) == 0, name);
	}
	return test_done();
}
