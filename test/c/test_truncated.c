/*
 * test_truncated.c
 *	  Truncated normal variates against the distribution function.
 */
#include <math.h>

#include "../../src/numeric/normal.h"
#include "../../src/numeric/philox.h"
#include "../../src/numeric/truncated.h"
#include "test.h"

#define DRAWS	200000

/*
 * The share of draws below a place in the middle, against its probability;
 * and every draw within its limits.
 */
static void
check_truncated(double low, double high, double middle, const char *name)
{
	double		expected = gs_normal_between(low, middle) /
		gs_normal_between(low, high);
	int			below = 0;
	int			outside = 0;
	GsRandom	random;

	gs_random_start(&random, 5, 0, 0);
	for (int i = 0; i < DRAWS; i++)
	{
		double		z = gs_normal_truncated(low, high,
											gs_random_uniform(&random));

		below += z < middle;
		outside += !(z >= low && z <= high);
	}
	CHECK(outside == 0, name);
	CHECK_NEAR((double) below / DRAWS, expected, 0.005, name);
}

static void
check_union(void)
{
	static const GsInterval part[] = {
		{-INFINITY, -1.5}, {-0.2, 0.1}, {2, 2.5}, {30, 31}
	};
	const double mean = 0.4;
	const double sd = 0.7;
	double		probability[4];
	double		total = gs_union_probability(part, 4, mean, sd, probability);
	int			count[4] = {0};
	int			outside = 0;
	GsRandom	random;

	gs_random_start(&random, 6, 0, 0);
	for (int i = 0; i < DRAWS; i++)
	{
		int			chosen;
		double		y = gs_union_draw(part, 4, mean, sd, probability,
									  gs_random_uniform(&random), &chosen);

		count[chosen]++;
		outside += !(y >= part[chosen].low && y <= part[chosen].high);
	}
	CHECK(outside == 0, "a draw lies in the interval chosen");
	CHECK(count[3] == 0, "an interval of no probability is not chosen");
	for (int k = 0; k < 3; k++)
		CHECK_NEAR((double) count[k] / DRAWS, probability[k] / total, 0.005,
				   "an interval's share");
}

int
main(void)
{
	double		far = gs_normal_between(20, 21);

	check_truncated(-INFINITY, INFINITY, 0.3, "no limits");
	check_truncated(-1, 2, 0.5, "across zero");
	check_truncated(0.5, INFINITY, 1, "above");
	check_truncated(-INFINITY, -2, -2.3, "below");
	check_truncated(8, INFINITY, 8.1, "the far upper tail");
	check_truncated(-21, -20, -20.03, "the far lower tail");
	check_truncated(1, 1 + 1e-7, 1 + 5e-8, "a narrow interval");
	check_union();

	CHECK_NEAR(far / gs_normal_between(-21, -20), 1, 1e-14, "mirror images");
	CHECK_NEAR(gs_normal_between(20, INFINITY) / 2.753624118606234e-89, 1,
			   1e-12, "a known far tail");
	CHECK(gs_normal_between(1, 1) == 0 && gs_normal_between(2, 1) == 0,
		  "nothing between");
	CHECK_NEAR(gs_normal_between(-INFINITY, INFINITY), 1, 0, "everything");
	CHECK(gs_normal_truncated(-60, -50, 0.5) == -50 &&
		  gs_normal_truncated(50, 60, 0.5) == 50,
		  "where all underflows, the nearer end");
	CHECK(gs_normal_truncated(-1, 1, 0) == -1 &&
		  gs_normal_truncated(-1, 1, 1) == 1, "the ends");
	return test_done();
}
