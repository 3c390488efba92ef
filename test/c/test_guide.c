/*
 * test_guide.c
 *	  The guide finds what a plain search finds.
 */
#include <math.h>
#include <stdio.h>

#include "../../src/numeric/guide.h"
#include "../../src/numeric/normal.h"
#include "../../src/numeric/philox.h"
#include "test.h"

#define MAX_INTERVALS	3000

static double edge[MAX_INTERVALS + 1];
static uint16_t cell[GS_GUIDE_CELLS];

/* the last interval that does not begin after the score */
static int
search(int n, double score)
{
	int			at = 0;

	while (at < n - 1 && edge[at + 1] <= score)
		at++;
	return at;
}

static int
differences(int n)
{
	int			wrong = 0;
	GsRandom	random;

	gs_guide_build(cell, edge, n);
	gs_random_start(&random, 7, n, 0);
	for (int i = 0; i < 20000; i++)
	{
		double		score = gs_normal_quantile(gs_random_uniform(&random));

		wrong += gs_guide_find(cell, edge, n, score) != search(n, score);
	}
	/* the edges themselves, and what lies far out */
	for (int i = 0; i <= n; i++)
		wrong += gs_guide_find(cell, edge, n, edge[i]) != search(n, edge[i]);
	wrong += gs_guide_find(cell, edge, n, -INFINITY) != 0;
	wrong += gs_guide_find(cell, edge, n, INFINITY) != search(n, INFINITY);
	wrong += gs_guide_find(cell, edge, n, 1e300) != search(n, 1e300);
	wrong += gs_guide_find(cell, edge, n, NAN) != 0;
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
	}
	return test_done();
}
