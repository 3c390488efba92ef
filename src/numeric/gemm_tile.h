/*
 * gemm_tile.h
 *	  The inner kernel of gemm.c, for one instruction set.  Included once for
 *	  each, with
 *
 *	TILE_NAME	name of the function
 *	TILE_TARGET attribute of the functions
 *	TILE_VECTOR floats of a vector
 *	TILE_ROWS	rows of a tile, at most; a tile is two vectors wide
 *	TILE_FUSED(a, b, c)	the vector a b + c, rounded once
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
#define put_part TILE_GLUE(TILE_NAME, _put_part)

typedef float Vector
			__attribute__((vector_size(TILE_VECTOR * sizeof(float))));

/*
 * C [rows][width] = base + the sums, [rows][vector], for rows of less than a
 * vector.  A call of its own: those of memcpy would have the sums leave their
 * registers.
 */
TILE_TARGET static GS_NEVER_INLINE void
put_part(int rows, const float *sum, const float *base, int ldbase, float *c,
		 int ldc, int width)
{
	for (int i = 0; i < rows; i++, c += ldc, sum += TILE_VECTOR)
	{
		for (int j = 0; j < width; j++)
			c[j] = (base != NULL ? base[j] : 0) + sum[j];
		if (base != NULL)
			base += ldbase;
	}
}

/*
 * The same for rows of a vector or less.
 */
TILE_TARGET static GS_ALWAYS_INLINE void
put(int rows, const Vector *sum, const float *base, int ldbase, float *c,
	int ldc, int width)
{
	if (width < TILE_VECTOR)
	{
		Vector		part[TILE_ROWS];

#pragma GCC unroll 16
		for (int i = 0; i < rows; i++)
			part[i] = sum[i];
		put_part(rows, (float *) part, base, ldbase, c, ldc, width);
		return;
	}
#pragma GCC unroll 16
	for (int i = 0; i < rows; i++, c += ldc)
	{
		Vector		old = {0};

		if (base != NULL)
		{
			memcpy(&old, base, sizeof(old));
			base += ldbase;
		}
		old += sum[i];
		memcpy(c, &old, sizeof(old));
	}
}

/*
 * C [rows][width] = base + A B for packed B [k][two vectors], of which the
 * first may suffice.  "vectors", "order" and "rows" are known where this is
 * inlined.
 *
 * An element of A is broadcast once for both vectors, or else for each in the
 * instruction that multiplies and adds: that is one instruction less, but one
 * more load.  Half of the rows each way was fastest where another thread of
 * the same core has half of the instructions.  The compiler does so if it
 * can't know that "same" is a.
 *
 * Rows that are read in place share a pointer by threes, for there are not as
 * many registers as rows.
 */
TILE_TARGET static GS_ALWAYS_INLINE void
sums(int vectors, Order order, int rows, int k, const float *a,
	 ptrdiff_t lda, const float *b, const float *base, int ldbase, float *c,
	 int ldc, int width)
{
	Vector		sum0[TILE_ROWS] = {{0}};
	Vector		sum1[TILE_ROWS] = {{0}};
	const float *third[(TILE_ROWS + 2) / 3];
	const float *same = a;

	__asm__("" : "+r"(same));
#pragma GCC unroll 16
	for (int i = 0; i < rows; i++)
	{
		__builtin_prefetch(c + (ptrdiff_t) i * ldc, 1);
		if (vectors > 1)
			__builtin_prefetch(c + (ptrdiff_t) i * ldc + TILE_VECTOR, 1);
		if (i % 3 == 0)
			third[i / 3] = a + i * lda;
	}
#pragma GCC unroll 4
	for (int p = 0; p < k; p++)
	{
		Vector		b0;
		Vector		b1;

		memcpy(&b0, b, sizeof(b0));
		memcpy(&b1, b + TILE_VECTOR, sizeof(b1));
#pragma GCC unroll 16
		for (int i = 0; i < rows; i++)
		{
			int			at = order == ACROSS ? i : i * A_STRIDE;
			float		first = order == IN_PLACE ?
				third[i / 3][i % 3 * lda] : a[at];
			float		second = order == IN_PLACE || i < TILE_ROWS / 2 ?
				first : same[at];

			sum0[i] = TILE_FUSED(first - (Vector) {0}, b0, sum0[i]);
			if (vectors > 1)
				sum1[i] = TILE_FUSED(second - (Vector) {0}, b1, sum1[i]);
		}
		b += 2 * TILE_VECTOR;
		a += order == ACROSS ? lda : 1;
		same += order == ACROSS ? lda : 1;
		if (order == IN_PLACE)
#pragma GCC unroll 16
			for (int i = 0; i < rows; i += 3)
				third[i / 3]++;
	}
	put(rows, sum0, base, ldbase, c, ldc, width);
	if (vectors > 1)
		put(rows, sum1, base != NULL ? base + TILE_VECTOR : NULL, ldbase,
			c + TILE_VECTOR, ldc, width - TILE_VECTOR);
}

TILE_TARGET static void
TILE_NAME(Order order, int rows, int k, const float *a, int lda,
		  const float *b, const float *base, int ldbase, float *c, int ldc,
		  int width)
{
#define SUMS(vectors, order, n) \
	sums(vectors, order, n <= TILE_ROWS ? n : 1, k, a, lda, b, base, ldbase, \
		 c, ldc, width)
#define CASE(n) \
		case n: \
			if (n > TILE_ROWS) \
				break; \
			if (width <= TILE_VECTOR) \
			{ \
				if (order == ACROSS) \
					SUMS(1, ACROSS, n); \
				else if (order == IN_PLACE) \
					SUMS(1, IN_PLACE, n); \
				else \
					SUMS(1, APART, n); \
			} \
			else if (order == ACROSS) \
				SUMS(2, ACROSS, n); \
			else if (order == IN_PLACE) \
				SUMS(2, IN_PLACE, n); \
			else \
				SUMS(2, APART, n); \
			break

	switch (rows)
	{
		CASE(1); CASE(2); CASE(3); CASE(4); CASE(5); CASE(6); CASE(7);
		CASE(8); CASE(9); CASE(10); CASE(11); CASE(12); CASE(13); CASE(14);
	}
#undef CASE
#undef SUMS
}

#undef Vector
#undef sums
#undef put
#undef put_part
#undef TILE_GLUE
#undef TILE_GLUE_
#undef TILE_NAME
#undef TILE_TARGET
#undef TILE_VECTOR
#undef TILE_ROWS
#undef TILE_FUSED
