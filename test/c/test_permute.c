/*
 * test_permute.c
 *	  Keyed permutations: bijective, different under each key, and even.
 */
#include <stdlib.h>
#include <string.h>

#include "numeric/permute.h"
#include "numeric/philox.h"
#include "test.h"

/* Whether every element comes once, from the places below n. */
static int
is_bijection(uint64_t n, uint64_t key)
{
	GsPermutation p;
	unsigned char *seen = calloc(n, 1);
	int			ok = 1;

	gs_permute_init(&p, n, key);
	for (uint64_t i = 0; i < n && ok; i++)
	{
		uint64_t	x = gs_permute(&p, i);

		ok = x < n && !seen[x];
		if (ok)
			seen[x] = 1;
	}
	free(seen);
	return ok;
}

static void
test_bijection(void)
{
	int			ok = 1;

	for (uint64_t n = 1; n <= 5000 && ok; n++)
		ok = is_bijection(n, n * 31);
	CHECK(ok, "a bijection of every n from 1 to 5000");
	for (int bits = 13; bits <= 21 && ok; bits++)
		for (int d = -1; d <= 1 && ok; d++)
			ok = is_bijection((UINT64_C(1) << bits) + d, 7);
	CHECK(ok, "and around powers of two, to 2^21");
	ok = is_bijection(1000000, 1) && is_bijection(1000000, 2) &&
		is_bijection(999983, UINT64_MAX);
	CHECK(ok, "and of a million, under several keys");
}

/*
 * Place 3 holds each of n elements equally often over the keys, and so do the
 * pairs of neighbours: chi-square, with a limit that chance passes once in
 * 10^6 or more seldom (the keys are fixed, so it passes or not for good).
 */
static void
test_stratify(uint64_t n, const char *name, const char *pairs_name)
{
	enum
	{
		KEYS = 40000
	};
	double	   *count = calloc(n, sizeof(double));
	double	   *step = calloc(n, sizeof(double));
	double		chi = 0;
	double		pairs = 0;
	double		freedom = n - 1;

	for (int key = 0; key < KEYS; key++)
	{
		GsPermutation p;
		uint64_t	x;
		uint64_t	y;

		gs_permute_init(&p, n, key);
		x = gs_permute(&p, 3);
		y = gs_permute(&p, 4);
		count[x]++;
		step[(y + n - x) % n]++;
	}
	for (uint64_t i = 0; i < n; i++)
	{
		double		expected = (double) KEYS / n;

		chi += (count[i] - expected) * (count[i] - expected) / expected;
		if (i == 0)
			continue;
		expected = (double) KEYS / (n - 1);
		pairs += (step[i] - expected) * (step[i] - expected) / expected;
	}
	CHECK(chi < freedom + 5 * sqrt(2 * freedom) + 12, name);
	CHECK(step[0] == 0 && pairs < freedom + 5 * sqrt(2 * freedom) + 12,
		  pairs_name);
	free(count);
	free(step);
}

static int
by_value(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

/* A sample of a large n: no collision, all below n, the mean in the middle. */
static void
test_large(uint64_t n, const char *name)
{
	enum
	{
		POSITIONS = 200000
	};
	uint64_t   *x = malloc(sizeof(uint64_t) * POSITIONS);
	GsPermutation p;
	double		mean = 0;
	int			ok = 1;

	gs_permute_init(&p, n, 42);
	for (int i = 0; i < POSITIONS; i++)
	{
		/* half of them from the other end */
		x[i] = gs_permute(&p, i % 2 == 0 ? (uint64_t) i : n - 1 - i);
		mean += (double) x[i] / (double) n / POSITIONS;
		ok = ok && x[i] < n;
	}
	qsort(x, POSITIONS, sizeof(uint64_t), by_value);
	for (int i = 1; i < POSITIONS; i++)
		ok = ok && x[i] != x[i - 1];
	CHECK(ok && mean > 0.495 && mean < 0.505, name);
	free(x);
}

static void
test_keys(void)
{
	GsPermutation a;
	GsPermutation b;
	GsPermutation again;
	int			same = 0;
	int			fixed = 0;
	int			repeats = 1;

	gs_permute_init(&a, 100000, 1);
	gs_permute_init(&b, 100000, 2);
	gs_permute_init(&again, 100000, 1);
	for (int i = 0; i < 100000; i++)
	{
		same += gs_permute(&a, i) == gs_permute(&b, i);
		fixed += gs_permute(&a, i) == (uint64_t) i;
		repeats = repeats && gs_permute(&a, i) == gs_permute(&again, i);
	}
	CHECK(same < 12, "two keys agree in hardly any place");
	CHECK(fixed < 12, "hardly any element stays in its place");
	CHECK(repeats, "a key gives one order");
}

int
main(void)
{
	test_bijection();
	test_stratify(10, "places of 10 are even", "differences of 10 are even");
	test_stratify(100, "places of 100 are even",
				  "differences of 100 are even");
	test_stratify(1000, "places of 1000 are even",
				  "differences of 1000 are even");
	test_large(UINT64_C(1) << 40, "2^40");
	test_large(UINT64_C(999999999999989), "a prime below 10^15");
	test_large((UINT64_C(1) << 62) + 1, "2^62 + 1");
	test_large(UINT64_MAX, "2^64 - 1");
	test_keys();
	return test_done();
}
