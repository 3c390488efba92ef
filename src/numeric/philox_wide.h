/*
 * philox_wide.h
 *	  PHILOX_BLOCK rows of gs_philox_lanes, for one instruction set.  Included
 *	  once for each, with
 *
 *	WIDE_NAME	name of the function
 *	WIDE_TARGET attribute of the function
 *	WIDE_LANES	64-bit lanes of a vector
 *	WIDE_MULTIPLY	the products of the lanes' lower halves
 *
 * A lane holds one row's word in its lower half; the upper half is whatever
 * is left over, and only multiplied or shifted away: a round is six
 * instructions.
 *
 * Plain C: no postgres.h.
 */
#define WIDE_GLUE_(a, b) a##b
#define WIDE_GLUE(a, b) WIDE_GLUE_(a, b)
#define Wide WIDE_GLUE(WIDE_NAME, _vector)
#define Half WIDE_GLUE(WIDE_NAME, _half)

typedef uint64_t Wide __attribute__((vector_size(WIDE_LANES * 8)));
typedef uint32_t Half __attribute__((vector_size(WIDE_LANES * 4)));

/*
 * As philox_rows, of which k0[], k1[] and the outputs are the same.
 */
WIDE_TARGET static void
WIDE_NAME(const uint32_t *k0, const uint32_t *k1, uint64_t first,
		  uint32_t column, uint32_t draw, uint32_t *const out[4])
{
	const Wide	m0 = PHILOX_M0 - (Wide) {0};
	const Wide	m1 = PHILOX_M1 - (Wide) {0};
	Wide		row;

	for (int i = 0; i < WIDE_LANES; i++)
		row[i] = first + (uint64_t) i;
	for (int i = 0; i < PHILOX_BLOCK; i += WIDE_LANES, row += WIDE_LANES)
	{
		Wide		c[4] = {row, row >> 32, column - (Wide) {0},
		draw - (Wide) {0}};

#pragma GCC unroll 10
		for (int r = 0; r < PHILOX_ROUNDS; r++)
		{
			Wide		p0 = WIDE_MULTIPLY(m0, c[0]);
			Wide		p1 = WIDE_MULTIPLY(m1, c[2]);

			c[0] = (p1 >> 32) ^ c[1] ^ (uint64_t) k0[r];
			c[2] = (p0 >> 32) ^ c[3] ^ (uint64_t) k1[r];
			c[1] = p1;
			c[3] = p0;
		}
		for (int w = 0; w < 4; w++)
		{
			Half		word = __builtin_convertvector(c[w], Half);

			memcpy(out[w] + i, &word, sizeof(word));
		}
	}
}

#undef Wide
#undef Half
#undef WIDE_GLUE
#undef WIDE_GLUE_
#undef WIDE_NAME
#undef WIDE_TARGET
#undef WIDE_LANES
#undef WIDE_MULTIPLY
