/*
 * test_normal.c
 *	  The normal distribution against known values and against itself.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/numeric/normal.h"
#include "../../src/numeric/philox.h"
#include "test.h"

#define DRAWS	1000000

/* What a word should become, up to the table's error. */
static double
exact(uint32_t word)
{
	double		z = -gs_normal_quantile(((word & 0x7FFFFFFF) + 0.5) *
										0x1.0p-32);

	return word >> 31 ? -z : z;
}

static double
lane_of_one(uint32_t word)
{
	float		z;

	gs_normal_lane(&word, &z, 1);
	return z;
}

static void
check_quantile(void)
{
	/* from mpmath at 40 digits */
	static const double known[][2] = {
		{0.975, 1.959963984540054},
		{0.9, 1.2815515655446004},
		{0.925, 1.4395314709384563},
		{0.51, 0.025068908258711057},
		{0.001, -3.090232306167813},
		{1e-10, -6.361340902404056},
		{1e-12, -7.034483825301132},
		{1e-20, -9.262340089798408},
		{1e-300, -37.04709629936120},
	};
	int			wrong = 0;
	double		worst = 0;
	size_t		i;
	int			k;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
	{
		char		name[64];

		snprintf(name, sizeof(name), "quantile of %g", known[i][0]);
		CHECK_NEAR(gs_normal_quantile(known[i][0]), known[i][1],
				   2e-15 * fabs(known[i][1]), name);
	}

	CHECK(gs_normal_quantile(0.5) == 0, "quantile of 0.5");
	CHECK(gs_normal_quantile(0) == -INFINITY &&
		  gs_normal_quantile(-1) == -INFINITY, "quantile of 0 and less");
	CHECK(gs_normal_quantile(1) == INFINITY &&
		  gs_normal_quantile(2) == INFINITY, "quantile of 1 and more");
	CHECK(isnan(gs_normal_quantile(NAN)), "quantile of NaN");
	CHECK(isfinite(gs_normal_quantile(5e-324)) &&
		  gs_normal_quantile(5e-324) < -38, "quantile of the least number");
	for (k = 1; k < 512; k++)
		wrong += gs_normal_quantile(k / 1024.0) !=
			-gs_normal_quantile(1 - k / 1024.0);
	CHECK(wrong == 0, "quantiles are symmetric");

	for (k = 1; k < 20000; k++)
	{
		double		p = k / 20000.0;

		worst = fmax(worst, fabs(gs_normal_cdf(gs_normal_quantile(p)) - p) /
					 p);
	}
	for (k = 5; k < 300; k++)
	{
		double		p = pow(10, -k);

		/* the tail is as steep as z^2, which scales z's rounding */
		worst = fmax(worst, fabs(gs_normal_cdf(gs_normal_quantile(p)) - p) /
					 p / (k * 5));
	}
	CHECK_NEAR(worst, 0, 1e-14, "cdf undoes quantile");
}

static void
check_lane(void)
{
	uint32_t   *words[4];
	float	   *z = malloc(DRAWS * sizeof(float));
	double		moment[5] = {0};
	double		worst = 0;
	int			wrong = 0;
	int			beyond = 0;
	uint32_t	tail;
	int			i;
	int			n;

	for (i = 0; i < 4; i++)
		words[i] = malloc(DRAWS * sizeof(uint32_t));
	gs_philox_lanes(UINT64_C(0xfeedbeef), 0, 3, 0, DRAWS, words[0], words[1],
					words[2], words[3]);
	gs_normal_lane(words[0], z, DRAWS);
	for (i = 0; i < DRAWS; i++)
	{
		double		v = z[i];

		worst = fmax(worst, fabs(v - exact(words[0][i])));
		moment[1] += v / DRAWS;
		moment[2] += v * v / DRAWS;
		moment[3] += v * v * v / DRAWS;
		moment[4] += v * v * v * v / DRAWS;
		beyond += fabs(v) > 3;
	}
	CHECK_NEAR(worst, 0, 1e-4, "draws are within 1e-4 of the quantile");
	CHECK_NEAR(moment[1], 0, 0.004, "mean of draws");
	CHECK_NEAR(moment[2], 1, 0.006, "variance of draws");
	CHECK_NEAR(moment[3], 0, 0.016, "third moment of draws");
	CHECK_NEAR(moment[4], 3, 0.04, "fourth moment of draws");
	CHECK_NEAR(beyond, 2699.8, 210, "share of draws beyond 3");

	/* every cell of the table, ten words each, and its ends */
	worst = 0;
	for (tail = 1; tail < UINT32_C(0x40000000); tail *= 2)
	{
		for (i = 0; i <= 640; i++)
		{
			uint32_t	word = tail + (uint32_t) ((uint64_t) tail * i / 640);

			worst = fmax(worst, fabs(lane_of_one(word) - exact(word)));
		}
	}
	worst = fmax(worst, fabs(lane_of_one(0) - exact(0)));
	worst = fmax(worst, fabs(lane_of_one(0x7FFFFFFF) - exact(0x7FFFFFFF)));
	worst = fmax(worst, fabs(lane_of_one(0x7FFFFF80) - exact(0x7FFFFF80)));
	CHECK_NEAR(worst, 0, 1e-4, "all octaves are within 1e-4 of the quantile");
	CHECK(lane_of_one(0) == -lane_of_one(0x80000000) && lane_of_one(0) > 6.2,
		  "the ends of the range are each other's mirror");
	CHECK(lane_of_one(0x7FFFFFFF) >= 0 && lane_of_one(0xFFFFFFFF) <= 0,
		  "the middle of the range keeps its sign");

	wrong = 0;
	for (n = 0; n < 200; n++)
	{
		float		some[201];

		some[n] = 99;
		gs_normal_lane(words[0] + 7, some, n);
		wrong += memcmp(some, z + 7, (size_t) n * sizeof(float)) != 0;
		wrong += some[n] != 99;
	}
	CHECK(wrong == 0, "draws don't depend on the batch");

	/*
	 * The sum of all bits: the same on every processor and whatever the
	 * compiler's flags.
	 */
	{
		uint64_t	hash = UINT64_C(14695981039346656037);

		for (i = 0; i < DRAWS; i++)
		{
			uint32_t	bits;

			memcpy(&bits, &z[i], sizeof(bits));
			hash = (hash ^ bits) * UINT64_C(1099511628211);
		}
		if (!CHECK(hash == UINT64_C(0x97b5f81648af4718),
				   "draws have the bits that they always had"))
			printf("# hash %016llx\n", (unsigned long long) hash);
	}

	for (i = 0; i < 4; i++)
		free(words[i]);
	free(z);
}

int
main(void)
{
	check_quantile();

	CHECK_NEAR(gs_normal_cdf(0), 0.5, 0, "cdf of 0");
	CHECK_NEAR(gs_normal_cdf(1.96), 0.9750021048517795, 3e-16, "cdf of 1.96");
	CHECK_NEAR(gs_normal_cdf(-10) / 7.619853024160527e-24, 1, 1e-13,
			   "cdf of -10");
	CHECK(gs_normal_cdf(-INFINITY) == 0 && gs_normal_cdf(INFINITY) == 1,
		  "cdf of infinities");
	CHECK_NEAR(gs_normal_pdf(0), 0.3989422804014327, 1e-16, "pdf of 0");
	CHECK_NEAR(gs_normal_pdf(-2), 0.05399096651318806, 2e-17, "pdf of -2");
	CHECK(gs_normal_pdf(INFINITY) == 0 && gs_normal_pdf(-INFINITY) == 0,
		  "pdf of infinities");

	check_lane();

	return test_done();
}
