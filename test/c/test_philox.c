/*
 * test_philox.c
 *	  Philox against published vectors, lanes against the scalar function.
 */
#include <stdint.h>
#include <string.h>

#include "../../src/numeric/clones.h"
#include "../../src/numeric/philox.h"
#include "test.h"

static void
check_known_answer(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
				   uint32_t k0, uint32_t k1, const uint32_t expected[4],
				   const char *name)
{
	uint32_t	counter[4];
	uint32_t	key[2];
	uint32_t	out[4];

	counter[0] = c0;
	counter[1] = c1;
	counter[2] = c2;
	counter[3] = c3;
	key[0] = k0;
	key[1] = k1;
	gs_philox4x32(counter, key, out);
	CHECK(memcmp(out, expected, sizeof(out)) == 0, name);
	gs_philox4x32(counter, key, counter);
	CHECK(memcmp(counter, expected, sizeof(out)) == 0, "same in place");
}

/*
 * Lanes of n rows from first_row on hold the scalar function's words, and
 * nothing is written past them.
 */
static bool
lanes_agree(uint64_t key, uint64_t first_row, uint32_t column, uint32_t draw,
			int n)
{
	static uint32_t lane[4][400];
	uint32_t	halves[2];
	int			i;
	int			w;

	memset(lane, 0xA5, sizeof(lane));
	halves[0] = (uint32_t) key;
	halves[1] = (uint32_t) (key >> 32);
	gs_philox_lanes(key, first_row, column, draw, n, lane[0], lane[1],
					lane[2], lane[3]);
	for (i = 0; i < n; i++)
	{
		uint64_t	row = first_row + (uint64_t) i;
		uint32_t	counter[4];
		uint32_t	out[4];

		counter[0] = (uint32_t) row;
		counter[1] = (uint32_t) (row >> 32);
		counter[2] = column;
		counter[3] = draw;
		gs_philox4x32(counter, halves, out);
		for (w = 0; w < 4; w++)
			if (lane[w][i] != out[w])
				return false;
	}
	for (w = 0; w < 4; w++)
		if (lane[w][n < 0 ? 0 : n] != UINT32_C(0xA5A5A5A5))
			return false;
	return true;
}

/*
 * Whether gs_philox_rows has the words of gs_philox_lanes, whatever the order of
 * the rows.
 */
static bool
rows_agree(uint64_t key, uint64_t first_row, uint32_t column)
{
	enum { N = 70 };
	uint32_t	lane[4][N];
	uint32_t	out[4 * N];
	uint64_t	rows[N];

	gs_philox_lanes(key, first_row, column, 0, N, lane[0], lane[1], lane[2],
					lane[3]);
	for (int i = 0; i < N; i++)
		rows[i] = first_row + (uint64_t) (N - 1 - i);
	gs_philox_rows(key, rows, column, N, out);
	for (int i = 0; i < N; i++)
		for (int w = 0; w < 4; w++)
			if (out[w * N + i] != lane[w][N - 1 - i])
				return false;
	return true;
}

int
main(void)
{
	/* Random123's kat_vectors, philox4x32 with 10 rounds */
	static const uint32_t zeros[4] =
	{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
	static const uint32_t ones[4] =
	{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
	static const uint32_t pi[4] =
	{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
	const uint64_t key = UINT64_C(0x123456789abcdef0);
	GsRandom	random;
	uint32_t	lane[4][2];
	int			wrong;
	int			counts[6] = {0};
	double		sum = 0;
	double		sum_squares = 0;
	double		flips = 0;
	int			i;
	int			n;

	check_known_answer(0, 0, 0, 0, 0, 0, zeros, "known answer: zeros");
	check_known_answer(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
					   UINT32_MAX, UINT32_MAX, ones, "known answer: ones");
	check_known_answer(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344,
					   0xa4093822, 0x299f31d0, pi, "known answer: pi");

	for (gs_max_lanes = 4; gs_max_lanes <= 16; gs_max_lanes *= 2)
	{
		wrong = 0;
		for (n = 0; n < 300; n++)
			wrong += !lanes_agree(key, 1000, 7, 3, n);
		CHECK(wrong == 0, "lanes of any length equal the scalar function");
		CHECK(lanes_agree(key, 0, 0, 0, -1),
			  "a negative length writes nothing");
		CHECK(lanes_agree(key, UINT64_C(0xFFFFFFFF) - 70, 7, 3, 300),
			  "lanes carry into the high word of the row");
		CHECK(lanes_agree(key, UINT64_MAX - 70, UINT32_MAX, UINT32_MAX, 300),
			  "lanes wrap at the last row");
	}
	gs_max_lanes = 16;

	wrong = 0;
	for (i = 0; i < 12; i++)
	{
		int			w;
		GsRandom	cell;

		gs_philox_lanes(key, 5, 9, (uint32_t) (i / 4), 2, lane[0], lane[1],
						lane[2], lane[3]);
		gs_random_start(&cell, key, 6, 9);
		for (w = 0; w < i; w++)
			gs_random_u32(&cell);
		wrong += gs_random_u32(&cell) != lane[i % 4][1];
	}
	CHECK(wrong == 0, "a cell's words are its blocks in order");

	gs_random_start(&random, key, UINT64_C(0x500000000), 1);
	gs_philox_lanes(key, UINT64_C(0x500000000), 1, 0, 1, lane[0], lane[1],
					lane[2], lane[3]);
	CHECK(gs_random_below(&random, 1000) ==
		  (uint32_t) (((uint64_t) lane[0][0] * 1000) >> 32),
		  "below takes one word");
	CHECK_NEAR(gs_random_uniform(&random),
			   ((double) lane[1][0] + lane[2][0] * 0x1.0p-32) * 0x1.0p-32,
			   0x1.0p-53, "uniform takes two words, high word first");
	CHECK(gs_random_u32(&random) == lane[3][0], "and the fourth is next");

	CHECK(gs_random_below(&random, 0) == 0 && gs_random_below(&random, 1) == 0,
		  "below 0 and below 1 is 0");
	for (i = 0; i < 60000; i++)
		counts[gs_random_below(&random, 6)]++;
	wrong = 0;
	for (i = 0; i < 6; i++)
		wrong += counts[i] < 9600 || counts[i] > 10400;
	CHECK(wrong == 0, "below 6 is even");

	wrong = 0;
	for (i = 0; i < 100000; i++)
	{
		double		u = gs_random_uniform(&random);

		wrong += !(u >= 0 && u < 1);
		sum += u;
		sum_squares += u * u;
	}
	CHECK(wrong == 0, "uniforms are in [0, 1)");
	CHECK_NEAR(sum / 100000, 0.5, 0.004, "mean of uniforms");
	CHECK_NEAR(sum_squares / 100000, 1.0 / 3.0, 0.004,
			   "second moment of uniforms");

	CHECK(rows_agree(UINT64_C(0xfeedbeef), UINT64_MAX - 30, 7),
		  "words of rows by their numbers");

	/* fixed for good: keys of stored models hang on it */
	CHECK(gs_mix64(0, 0) == UINT64_C(0xa706dd2f4d197e6f) &&
		  gs_mix64(1, 2) == UINT64_C(0xbcd9dbb49673066b),
		  "mix64 gives the words that it always gave");
	CHECK(gs_mix64(1, 2) != gs_mix64(2, 1), "mix64 minds the order");
	for (i = 0; i < 6400; i++)
	{
		uint64_t	a = (uint64_t) (i / 64);
		uint64_t	b = (uint64_t) (i / 64) * 3;
		uint64_t	bit = UINT64_C(1) << (i % 64);

		flips += __builtin_popcountll(gs_mix64(a, b) ^ gs_mix64(a ^ bit, b));
		flips += __builtin_popcountll(gs_mix64(a, b) ^ gs_mix64(a, b ^ bit));
	}
	CHECK_NEAR(flips / 12800, 32, 0.2, "mix64 flips half of the bits");

	return test_done();
}
