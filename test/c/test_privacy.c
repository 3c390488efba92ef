/*
 * test_privacy.c
 *	  Exact noise by chi-square, and the account against known values.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/privacy/account.h"
#include "../../src/privacy/noise.h"
#include "test.h"

#define DRAWS	400000
#define CELLS	401				/* from -200 to 200; the ends hold the rest */

/* A stream of words that is the same each time (splitmix64). */
static uint64_t
next_word(void *arg)
{
	uint64_t	z = *(uint64_t *) arg += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/*
 * Whether counts are as the weights say: chi-square within five deviations of
 * what is expected.  Cells of fewer than ten go together.
 */
static bool
fits(const double *weight, const int *count)
{
	double		sum = 0;
	double		square = 0;
	double		expected = 0;
	double		seen = 0;
	int			cells = 0;

	for (int c = 0; c < CELLS; c++)
		sum += weight[c];
	for (int c = 0; c < CELLS; c++)
	{
		expected += weight[c] / sum * DRAWS;
		seen += count[c];
		if (expected < 10 && c < CELLS - 1)
			continue;
		if (expected > 0)
			square += (seen - expected) * (seen - expected) / expected;
		cells++;
		expected = seen = 0;
	}
	if (fabs(square - cells) > 5 * sqrt(2.0 * cells))
		printf("# chi-square %g of %d cells\n", square, cells);
	return fabs(square - cells) <= 5 * sqrt(2.0 * cells);
}

static void
tally(int *count, int64_t x)
{
	int64_t		half = CELLS / 2;

	count[x < -half ? 0 : x > half ? CELLS - 1 : x + half]++;
}

static void
check_gaussian(uint64_t num, uint64_t den)
{
	double		weight[CELLS] = {0};
	int			count[CELLS] = {0};
	uint64_t	state = num ^ den << 32;
	GsWords		words = {next_word, &state};
	GsNoise		noise;
	char		name[80];

	snprintf(name, sizeof(name), "discrete Gaussian, sigma^2 = %llu/%llu",
			 (unsigned long long) num, (unsigned long long) den);
	if (!CHECK(gs_noise_init(&noise, num, den), "it can be drawn"))
		return;
	for (int x = -20000; x <= 20000; x++)
	{
		double		w = exp(-(double) x * x * den / (2.0 * num));
		int			at = x + CELLS / 2;

		weight[at < 0 ? 0 : at >= CELLS ? CELLS - 1 : at] += w;
	}
	for (int i = 0; i < DRAWS; i++)
		tally(count, gs_noise_draw(&noise, &words));
	CHECK(fits(weight, count), name);
}

static void
check_laplace(uint64_t scale)
{
	double		weight[CELLS] = {0};
	int			count[CELLS] = {0};
	uint64_t	state = scale;
	GsWords		words = {next_word, &state};
	char		name[80];

	snprintf(name, sizeof(name), "discrete Laplace, scale %llu",
			 (unsigned long long) scale);
	for (int x = -20000; x <= 20000; x++)
	{
		int			at = x + CELLS / 2;

		weight[at < 0 ? 0 : at >= CELLS ? CELLS - 1 : at] +=
			exp(-fabs((double) x) / scale);
	}
	for (int i = 0; i < DRAWS; i++)
		tally(count, gs_laplace_draw(scale, &words));
	CHECK(fits(weight, count), name);
}

static void
check_coins(void)
{
	static const uint64_t odds[][2] = {{0, 1}, {1, 1000000}, {1, 3}, {1, 1},
	{5, 2}, {UINT64_C(1) << 62, UINT64_C(1) << 61}};
	uint64_t	state = 1;
	GsWords		words = {next_word, &state};

	for (int i = 0; i < (int) (sizeof(odds) / sizeof(odds[0])); i++)
	{
		double		p = exp(-(double) odds[i][0] / odds[i][1]);
		/* the same odds in 128 bits */
		int			shift = 60 - (i == 5) * 55;
		int			heads[2] = {0, 0};
		char		name[80];

		for (int k = 0; k < DRAWS; k++)
		{
			heads[0] += gs_coin_exp(odds[i][0], odds[i][1], &words);
			heads[1] += gs_coin_exp((__uint128_t) odds[i][0] << shift,
									(__uint128_t) odds[i][1] << shift, &words);
		}
		for (int k = 0; k < 2; k++)
		{
			snprintf(name, sizeof(name), "a coin of exp(-%llu/%llu)%s",
					 (unsigned long long) odds[i][0],
					 (unsigned long long) odds[i][1], k ? ", wide" : "");
			CHECK_NEAR(heads[k], p * DRAWS,
					   5 * sqrt(DRAWS * p * (1 - p)) + 1e-9, name);
		}
	}
}

/*
 * What a chi-square of few draws would not see: the mean of squares of wide
 * noise, and that it is symmetric.
 */
static void
check_moments(void)
{
	uint64_t	num = (UINT64_C(1) << 38) + 12345;
	uint64_t	state = 7;
	GsWords		words = {next_word, &state};
	GsNoise		noise;
	double		sum = 0;
	double		squares = 0;
	int			n = 100000;

	CHECK(gs_noise_init(&noise, num, 3), "wide noise can be drawn");
	for (int i = 0; i < n; i++)
	{
		double		x = (double) gs_noise_draw(&noise, &words);

		sum += x;
		squares += x * x;
	}
	CHECK_NEAR(sum / sqrt(num / 3.0 * n), 0, 5, "its mean");
	CHECK_NEAR(squares / n / (num / 3.0), 1, 5 * sqrt(2.0 / n), "its variance");
}

static void
check_limits(void)
{
	GsNoise		noise;

	CHECK(!gs_noise_init(&noise, 0, 1), "no noise is refused");
	CHECK(!gs_noise_init(&noise, 1, 0), "and what is no number");
	CHECK(!gs_noise_init(&noise, UINT64_C(1) << 42, 1), "too much");
	CHECK(!gs_noise_init(&noise, 1, UINT64_C(1) << 30), "too little");
	CHECK(!gs_noise_init(&noise, UINT64_MAX, UINT64_MAX / 2),
		  "and what 128 bits do not hold");
	CHECK(gs_noise_init(&noise, UINT64_C(1) << 55, UINT64_C(1) << 15),
		  "the most noise of the finest den");
	CHECK(gs_noise_init(&noise, 1, UINT64_C(1) << 15), "the least");
}

static void
check_account(void)
{
	static const double known[][3] = {
		{0.3, 1e-9, 0.0014767}, {1, 1e-9, 0.014973}, {3, 1e-9, 0.12058},
		{1, 1e-6, 0.024356}
	};
	double		rho = gs_privacy_rho(1, 1e-6);
	bool		sane = true;

	for (int i = 0; i < (int) (sizeof(known) / sizeof(known[0])); i++)
	{
		char		name[80];
		double		found = gs_privacy_rho(known[i][0], known[i][1]);

		snprintf(name, sizeof(name), "rho of epsilon %g, delta %g",
				 known[i][0], known[i][1]);
		CHECK_NEAR(found / known[i][2], 1, 5e-5, name);
		snprintf(name, sizeof(name), "and back");
		CHECK_NEAR(gs_privacy_epsilon(found, known[i][1]), known[i][0], 1e-9,
				   name);
	}
	CHECK_NEAR(gs_privacy_epsilon(2 * rho, 1e-5), 1.2896, 5e-5, "twice");
	CHECK_NEAR(gs_privacy_epsilon(3 * rho, 1e-5), 1.6104, 5e-5, "three times");
	CHECK(gs_privacy_delta(0, 1) == 0 && gs_privacy_epsilon(0, 1e-6) == 0,
		  "nothing costs nothing");

	/* what is claimed holds, and more is spent by more */
	for (double epsilon = 1e-3; epsilon < 1e3; epsilon *= 3)
		for (double delta = 1e-15; delta < 0.02; delta *= 10)
		{
			rho = gs_privacy_rho(epsilon, delta);
			sane &= rho > 0 && gs_privacy_delta(rho, epsilon) <= delta &&
				gs_privacy_delta(rho * 1.001, epsilon) > delta &&
				gs_privacy_epsilon(rho, delta) <= epsilon * (1 + 1e-9);
		}
	CHECK(sane, "the most rho that an epsilon and delta allow");
}

static void
check_sigma(void)
{
	bool		enough = true;
	bool		least = true;
	bool		drawn = true;

	for (double rho = 1e-9; rho < 1000; rho *= 1.37)
		for (uint64_t sensitivity = 1; sensitivity < 1000; sensitivity *= 3)
		{
			uint64_t	num;
			uint64_t	den;
			GsNoise		noise;

			if (!gs_privacy_sigma(rho, sensitivity, &num, &den))
				continue;
			enough &= gs_privacy_cost(sensitivity, num, den) <= rho;
			least &= num < 10 ||
				gs_privacy_cost(sensitivity, num - 2, den) > rho;
			drawn &= gs_noise_init(&noise, num, den);
		}
	CHECK(enough, "noise costs no more than it may");
	CHECK(least, "and hardly less");
	CHECK(drawn, "and can be drawn");
	CHECK(gs_privacy_cost(1, 1, 2) >= 1, "a cost is rounded up");
}

int
main(void)
{
	check_coins();
	check_laplace(1);
	check_laplace(7);
	check_laplace(50);
	check_gaussian(1, 1);
	check_gaussian(1, 4);
	check_gaussian(1, 100);
	check_gaussian(7, 3);
	check_gaussian(100, 1);
	check_gaussian(123456789, 54321);
	check_moments();
	check_limits();
	check_account();
	check_sigma();
	return test_done();
}
