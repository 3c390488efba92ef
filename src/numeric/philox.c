/*
 * philox.c
 *	  Counter-based random numbers: Philox4x32-10.
 *
 * Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", SC 2011.  The generator has no state: a block of four words is a keyed
 * bijection of a 128-bit counter, so any cell of a stream can be computed
 * alone and in any order.
 *
 * Plain C: no postgres.h.
 */
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

#include "clones.h"
#include "philox.h"

#define PHILOX_ROUNDS	10
#define PHILOX_M0		UINT32_C(0xD2511F53)
#define PHILOX_M1		UINT32_C(0xCD9E8D57)
#define PHILOX_W0		UINT32_C(0x9E3779B9)
#define PHILOX_W1		UINT32_C(0xBB67AE85)

/*
 * Rows computed together.  A trip count known at compile time is what lets
 * gcc's -O2 cost model vectorise the loop without a scalar remainder.
 */
#define PHILOX_BLOCK	64

/*
 * One round on the counter words c0..c3 with round key (k0, k1).
 *
 * A macro called ten times rather than a loop: at -O2 an inner loop isn't
 * unrolled, and the loop over rows around it then isn't vectorised well.
 */
#define PHILOX_ROUND(c0, c1, c2, c3, k0, k1) \
	do { \
		uint64_t	p0_ = (uint64_t) PHILOX_M0 * (c0); \
		uint64_t	p1_ = (uint64_t) PHILOX_M1 * (c2); \
		\
		(c0) = (uint32_t) (p1_ >> 32) ^ (c1) ^ (k0); \
		(c2) = (uint32_t) (p0_ >> 32) ^ (c3) ^ (k1); \
		(c1) = (uint32_t) p1_; \
		(c3) = (uint32_t) p0_; \
	} while (0)

/*
 * gs_philox4x32
 *
 * One block of Philox4x32-10: out[4] = bijection of counter[4] under key[2].
 * "out" may be "counter".  Cannot fail.  Salmon et al. 2011; matches the
 * known-answer vectors of the authors' Random123 library.
 */
void
gs_philox4x32(const uint32_t counter[4], const uint32_t key[2],
			  uint32_t out[4])
{
	uint32_t	c0 = counter[0];
	uint32_t	c1 = counter[1];
	uint32_t	c2 = counter[2];
	uint32_t	c3 = counter[3];
	uint32_t	k0 = key[0];
	uint32_t	k1 = key[1];
	int			round;

	for (round = 0; round < PHILOX_ROUNDS; round++)
	{
		PHILOX_ROUND(c0, c1, c2, c3, k0, k1);
		k0 += PHILOX_W0;
		k1 += PHILOX_W1;
	}

	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

/*
 * splitmix64's finaliser: a bijection of 64-bit words in which every input
 * bit moves about half of the output bits.
 */
static uint64_t
finalise64(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

/*
 * gs_mix64
 *
 * A 64-bit word made of two, for deriving keys: seed with purpose, seed with
 * partition.  For a fixed first word a bijection of the second and the other
 * way round, so children of one seed never share a key; gs_mix64(a, b) and
 * gs_mix64(b, a) are unrelated.  Not cryptographic.  Cannot fail.
 *
 * Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014, with Stafford's variant 13 of the finaliser.
 */
uint64_t
gs_mix64(uint64_t a, uint64_t b)
{
	const uint64_t golden = UINT64_C(0x9E3779B97F4A7C15);

	return finalise64((finalise64(a + golden) ^ b) + golden);
}

/*
 * PHILOX_BLOCK rows' blocks, from row "first" on, with the ten round keys
 * k0[], k1[], to out[0..3][PHILOX_BLOCK].
 */
typedef void (*PhiloxRows) (const uint32_t *k0, const uint32_t *k1,
							uint64_t first, uint32_t column, uint32_t draw,
							uint32_t *const out[4]);

static void
philox_rows(const uint32_t *k0, const uint32_t *k1, uint64_t first,
			uint32_t column, uint32_t draw, uint32_t *const out[4])
{
	uint32_t	word[4][PHILOX_BLOCK];
	uint32_t	low = (uint32_t) first;
	uint32_t	high = (uint32_t) (first >> 32);

	for (int i = 0; i < PHILOX_BLOCK; i++)
	{
		uint32_t	c0 = low + (uint32_t) i;
		uint32_t	c1 = high + (c0 < low ? 1u : 0u);
		uint32_t	c2 = column;
		uint32_t	c3 = draw;

		PHILOX_ROUND(c0, c1, c2, c3, k0[0], k1[0]);
		PHILOX_ROUND(c0, c1, c2, c3, k0[1], k1[1]);
		PHILOX_ROUND(c0, c1, c2, c3, k0[2], k1[2]);
		PHILOX_ROUND(c0, c1, c2, c3, k0[3], k1[3]);
		PHILOX_ROUND(c0, c1, c2, c3, k0[4], k1[4]);
		PHILOX_ROUND(c0, c1, c2, c3, k0[5], k1[5]);
		PHILOX_ROUND(c0, c1, c2, c3, k0[6], k1[6]);
		PHILOX_ROUND(c0, c1, c2, c3, k0[7], k1[7]);
		PHILOX_ROUND(c0, c1, c2, c3, k0[8], k1[8]);
		PHILOX_ROUND(c0, c1, c2, c3, k0[9], k1[9]);

		word[0][i] = c0;
		word[1][i] = c1;
		word[2][i] = c2;
		word[3][i] = c3;
	}
	for (int w = 0; w < 4; w++)
		memcpy(out[w], word[w], sizeof(word[w]));
}

#if defined(__x86_64__) && defined(__GNUC__)
#define WIDE_NAME philox_rows_avx2
#define WIDE_TARGET __attribute__((target("avx2")))
#define WIDE_LANES 4
#define WIDE_MULTIPLY(a, b) \
	(Wide) _mm256_mul_epu32((__m256i) (a), (__m256i) (b))
#include "philox_wide.h"

#define WIDE_NAME philox_rows_avx512
#define WIDE_TARGET __attribute__((target("avx512f")))
#define WIDE_LANES 8
#define WIDE_MULTIPLY(a, b) \
	(Wide) _mm512_mul_epu32((__m512i) (a), (__m512i) (b))
#include "philox_wide.h"
#endif

static PhiloxRows
choose_rows(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
	if (gs_lanes() == 16)
		return philox_rows_avx512;
	if (gs_lanes() == 8)
		return philox_rows_avx2;
#endif
	return philox_rows;
}

/*
 * gs_philox_lanes
 *
 * The blocks of "n" consecutive rows: for i in [0, n), the four words of
 * counter { row low, row high, column, draw } with row = first_row + i
 * (modulo 2^64) go to out0[i], out1[i], out2[i] and out3[i], each uint32[n].
 * One block thus serves four columns.  None of the outputs may be NULL, nor
 * may two of them overlap.  n <= 0 does nothing.  Cannot fail.
 *
 * Same words as gs_philox4x32 (Salmon et al. 2011), whatever the batch and
 * the instruction set.
 */
void
gs_philox_lanes(uint64_t key, uint64_t first_row, uint32_t column,
				uint32_t draw, int n, uint32_t *out0, uint32_t *out1,
				uint32_t *out2, uint32_t *out3)
{
	PhiloxRows	rows = choose_rows();
	uint32_t	k0[PHILOX_ROUNDS];
	uint32_t	k1[PHILOX_ROUNDS];
	uint32_t   *out[4] = {out0, out1, out2, out3};
	uint64_t	row = first_row;
	int			done;

	k0[0] = (uint32_t) key;
	k1[0] = (uint32_t) (key >> 32);
	for (int i = 1; i < PHILOX_ROUNDS; i++)
	{
		k0[i] = k0[i - 1] + PHILOX_W0;
		k1[i] = k1[i - 1] + PHILOX_W1;
	}

	for (done = 0; n - done >= PHILOX_BLOCK; done += PHILOX_BLOCK)
	{
		rows(k0, k1, row, column, draw, out);
		row += PHILOX_BLOCK;
		for (int w = 0; w < 4; w++)
			out[w] += PHILOX_BLOCK;
	}

	if (done < n)
	{
		/* a whole block all the same, of which the beginning is kept */
		uint32_t	rest[4][PHILOX_BLOCK];
		uint32_t   *const kept[4] = {rest[0], rest[1], rest[2], rest[3]};

		rows(k0, k1, row, column, draw, kept);
		for (int w = 0; w < 4; w++)
			memcpy(out[w], rest[w], (size_t) (n - done) * sizeof(uint32_t));
	}
}

/*
 * gs_philox_rows
 *
 * The blocks of rows[n], as gs_philox_lanes has them with draw 0: word w of row
 * i goes to out[w * n + i].  Cannot fail.
 */
void
gs_philox_rows(uint64_t key, const uint64_t *rows, uint32_t column, int n,
			   uint32_t *out)
{
	const uint32_t keys[2] = {(uint32_t) key, (uint32_t) (key >> 32)};

	for (int i = 0; i < n; i++)
	{
		const uint32_t counter[4] = {(uint32_t) rows[i],
		(uint32_t) (rows[i] >> 32), column, 0};
		uint32_t	words[4];

		gs_philox4x32(counter, keys, words);
		for (int w = 0; w < 4; w++)
			out[w * n + i] = words[w];
	}
}

/*
 * gs_random_start
 *
 * Sets "random" to the beginning of the words of cell (row, column) under
 * "key".  Computes nothing yet, as many cells turn out to need no number.
 * Cannot fail.
 */
void
gs_random_start(GsRandom *random, uint64_t key, uint64_t row, uint32_t column)
{
	memset(random, 0, sizeof(*random));
	random->key = key;
	random->row = row;
	random->column = column;
}

/*
 * gs_random_u32
 *
 * The cell's next word, uniform over [0, 2^32).  Words come block by block:
 * word i is word i mod 4 of the Philox block with draw = i div 4, so the
 * first four are those of gs_philox_lanes with draw 0.  The words repeat after
 * 2^34.  Cannot fail.
 */
uint32_t
gs_random_u32(GsRandom *random)
{
	if (random->left == 0)
	{
		uint32_t	counter[4];
		uint32_t	key[2];

		counter[0] = (uint32_t) random->row;
		counter[1] = (uint32_t) (random->row >> 32);
		counter[2] = random->column;
		counter[3] = random->draw;
		key[0] = (uint32_t) random->key;
		key[1] = (uint32_t) (random->key >> 32);
		gs_philox4x32(counter, key, random->words);
		random->draw++;
		random->left = 4;
	}
	return random->words[4 - random->left--];
}

/*
 * gs_random_below
 *
 * A whole number in [0, bound), from one word; bound 0 gives 0.
 *
 * Lemire's multiply-shift ("Fast random integer generation in an interval",
 * ACM TOMACS 2019) without its rejection step: a value's probability is off
 * by less than 2^-32, and every call takes exactly one word, which keeps
 * streams aligned.  Cannot fail.
 */
uint32_t
gs_random_below(GsRandom *random, uint32_t bound)
{
	return (uint32_t) (((uint64_t) gs_random_u32(random) * bound) >> 32);
}

/*
 * gs_random_uniform
 *
 * A multiple of 2^-53 in [0, 1), from two words (high word first).  Cannot
 * fail.
 */
double
gs_random_uniform(GsRandom *random)
{
	uint64_t	high = gs_random_u32(random);
	uint64_t	low = gs_random_u32(random);

	return (double) (((high << 32) | low) >> 11) * 0x1.0p-53;
}
