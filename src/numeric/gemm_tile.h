/*
 * gemm_tile.h
 *	  The inner kernel of gemm.c, for one instruction set.  Included once for
 *	  each, with
 *
 *	TILE_NAME	name of the function
 *	TILE_TARGET attribute of the functions
 *	TILE_VECTOR floats of a vector
 *	TILE_ROWS	rows of a tile, at most; a tile is two vectors wide
 *
 * Sums of a tile stay in registers while all products are added to them.
 *
 * Plain C: no postgres.h.
 */
#define TILE_GLUE_(a, b) a##b
#define TILE_GLUE(a, b) TILE_GLUE_(a, b)
#define Vector TILE_GLUE(TILE_NAME, _vector)
#define sums TILE_GLUE(TILE_NAME, _sums)
#define put TILE_GLUE(TILE_NAME, _put)

typedef float Vector
			__attribute__((vector_size(TILE_VECTOR * sizeof(float))));

/*
 * C [rows][width] = beta C + alpha times the sums.
 */
TILE_TARGET static GS_ALWAYS_INLINE void
put(int vectors, int rows, Vector sum[][2], float alpha, float beta, float *c,
	int ldc, int width)
{
	const int	whole = vectors * TILE_VECTOR;

#pragma GCC unroll 16
	for (int i = 0; i < rows; i++, c += ldc)
	{
		float		row[2 * TILE_VECTOR];
		Vector		old[2] = {{0}};

		if (beta != 0)
		{
			if (width < whole)
				memcpy(row, c, width * sizeof(float));
			memcpy(old, width < whole ? row : c, whole * sizeof(float));
			old[0] *= beta;
			old[1] *= beta;
		}
		old[0] += alpha * sum[i][0];
		old[1] += alpha * sum[i][1];
		if (width < whole)
		{
			memcpy(row, old, whole * sizeof(float));
			memcpy(c, row, width * sizeof(float));
		}
		else
			memcpy(c, old, whole * sizeof(float));
	}
}

/*
 * C [rows][width] = beta C + alpha A B for packed B [k][two vectors], of which
 * the first may suffice.  "vectors", "packed" and "rows" are known where this
 * is inlined.
 *
 * A is packed, [k][rows], or else row i, of k, is at a + i lda: three rows
 * share a pointer, for there are not as many registers as rows.
 */
TILE_TARGET static GS_ALWAYS_INLINE void
sums(int vectors, bool packed, int rows, int k, const float *a,
	 ptrdiff_t lda, const float *b, float alpha, float beta, float *c, int ldc, int width)
{
	Vector		sum[TILE_ROWS][2] = {{{0}}};
	const float *third[(TILE_ROWS + 2) / 3];

#pragma GCC unroll 16
	for (int i = 0; i < rows; i++)
	{
		__builtin_prefetch(c + (ptrdiff_t) i * ldc, 1);
		if (vectors > 1)
			__builtin_prefetch(c + (ptrdiff_t) i * ldc + TILE_VECTOR, 1);
		if (!packed && i % 3 == 0)
			third[i / 3] = a + i * lda;
	}
	for (int p = 0; p < k; p++)
	{
		Vector		b0;
		Vector		b1;

		memcpy(&b0, b, sizeof(b0));
		memcpy(&b1, b + TILE_VECTOR, sizeof(b1));
#pragma GCC unroll 16
		for (int i = 0; i < rows; i++)
		{
			float		element = packed ? a[i] : third[i / 3][i % 3 * lda];

			sum[i][0] += element * b0;
			if (vectors > 1)
				sum[i][1] += element * b1;
		}
		b += 2 * TILE_VECTOR;
		if (packed)
			a += rows;
		else
#pragma GCC unroll 16
			for (int i = 0; i < rows; i += 3)
				third[i / 3]++;
	}
	put(vectors, rows, sum, alpha, beta, c, ldc, width);
}

TILE_TARGET static void
TILE_NAME(bool packed, int rows, int k, const float *a, int lda,
		  const float *b, float alpha, float beta, float *c, int ldc,
		  int width)
{
#define SUMS(vectors, packed, n) \
	sums(vectors, packed, n <= TILE_ROWS ? n : 1, k, a, lda, b, alpha, beta, \
		 c, ldc, width)
#define CASE(n) \
		case n: \
			if (n > TILE_ROWS) \
				break; \
			if (width > TILE_VECTOR) \
			{ \
				if (packed) \
					SUMS(2, true, n); \
				else \
					SUMS(2, false, n); \
			} \
			else if (packed) \
				SUMS(1, true, n); \
			else \
				SUMS(1, false, n); \
			break

	switch (rows)
	{
		CASE(1);
		CASE(2);
		CASE(3);
		CASE(4);
		CASE(5);
		CASE(6);
		CASE(7);
		CASE(8);
		CASE(9);
		CASE(10);
		CASE(11);
		CASE(12);
		CASE(13);
		CASE(14);
	}
#undef CASE
#undef SUMS
}

#undef Vector
#undef sums
#undef put
#undef TILE_GLUE
#undef TILE_GLUE_
#undef TILE_NAME
#undef TILE_TARGET
#undef TILE_VECTOR
#undef TILE_ROWS
