/*
 * gemm_fixed.c
 *	  Products of float matrices in fixed-point arithmetic.
 *
 * AVX-512 VNNI multiplies pairs of 16-bit integers and adds them up in 32
 * bits: twice as many products an instruction as floats have, and sums are
 * exact.  So each row of op(A) and each column of op(B) is scaled to a norm of
 * 2^15 - 1 and rounded to integers.  No sum overflows (Cauchy and Schwarz),
 * and an element's error is about 1.3e-5 times the norms of its row and its
 * column, if their elements' errors are independent; at most sqrt(k) / 32767
 * times.  Of normal operands that is 7e-5 of a typical element at a depth of
 * 32, and 2.4e-4 at 384; TF32, the format in which graphics processors
 * multiply floats (a mantissa of 10 bits), has 3e-4.  What is lost are elements
 * below 2^-16 of their vector's norm, and vectors whose norm is below 1e-15,
 * since their squares have few bits or none.
 *
 * Blocks are cut as in gemm.c.  An element of C depends on its row and column
 * only, not on what is computed with it.
 *
 * Plain C: no postgres.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"
#include "gemm_fixed.h"
#include "gemm_pack.h"

/* whether to use what the processor has: for tests */
bool		gs_gemm_fixed_point = true;

#if defined(__x86_64__) && defined(__GNUC__)
#include "avx512.h"
#include <math.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vnni")))

/* or gcc 12 has sums of an unrolled loop leave their registers */
#ifdef __clang__
#define TILE_TARGET TARGET
#else
#define TILE_TARGET TARGET __attribute__((optimize("no-tree-pre")))
#endif

#define NORM		32767.0f
#define LEAST_NORM	1e-15f		/* shorter vectors are zero */
#define TILE_ROWS	14
#define TILE_COLUMNS 32			/* two vectors */
#define DEPTH		384			/* of panels: even */
#define COLUMNS		512			/* of B's panels, all together ... */
#define ROWS		252			/* ... and of A's, where it is transposed */
#define A_ROW		(DEPTH / 2 + 16)	/* words of a rounded row: not a power
										 * of two */
#define A_COLUMNS	(ROWS + 20) /* words of a row of rounded columns; a
								 * multiple of GS_LANES */
#define LEAST		32			/* columns and depth for which this pays */

/* Panels of op(B), up to DEPTH rows and COLUMNS columns of it. */
typedef struct Panels
{
	int32_t    *pair;			/* [panels][(depth + 1) / 2][TILE_COLUMNS] */
	float	   *unit;			/* [panels][TILE_COLUMNS] what one is worth */
} Panels;

typedef struct Buffers
{
	int32_t		left[A_COLUMNS * DEPTH / 2] __attribute__((aligned(64)));
	int32_t		right[COLUMNS * DEPTH / 2] __attribute__((aligned(64)));
	float		left_unit[A_COLUMNS];
	float		right_unit[COLUMNS];
} Buffers;

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* columns of panels that hold n */
static int
padded(int n)
{
	return (n + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
}

/* whether fixed point is there, and pays */
static bool
is_possible(int n, int k)
{
	return gs_gemm_fixed_point && n >= LEAST && k >= LEAST &&
		__builtin_cpu_supports("avx512vnni") &&
		__builtin_cpu_supports("avx512bw");
}

/*
 * What to multiply vectors with, and in unit[] what an integer is worth then,
 * from the vectors' squared norms.
 */
static TARGET GS_ALWAYS_INLINE __m512
choose_scale(__m512 square, float *unit)
{
	const __m512 most = _mm512_set1_ps(NORM);
	__m512		norm = _mm512_sqrt_ps(square);
	__mmask16	some = _mm512_cmp_ps_mask(norm, _mm512_set1_ps(LEAST_NORM),
										  _CMP_NLT_UQ);

	_mm512_storeu_ps(unit, norm / most);
	return _mm512_maskz_div_ps(some, most, norm);
}

/* the squares of n elements of a row, up to 32, are added to sum[2] */
static TARGET GS_ALWAYS_INLINE void
add_squares(const float *x, int n, __m512 *sum)
{
	for (int half = 0; half < 2; half++)
	{
		__m512		part = _mm512_maskz_loadu_ps(
			gs_first_lanes(n - half * GS_LANES), x + half * GS_LANES);

		sum[half] = _mm512_fmadd_ps(part, part, sum[half]);
	}
}

/* n elements of a row, up to 32, as 16 pairs of 16-bit integers */
static TARGET GS_ALWAYS_INLINE void
round_part(const float *x, int n, __m512 scale, int32_t *to)
{
	const __m512i order = _mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0);
	__m512		low = _mm512_maskz_loadu_ps(gs_first_lanes(n), x);
	__m512		high = _mm512_maskz_loadu_ps(gs_first_lanes(n - GS_LANES),
											 x + GS_LANES);
	__m512i		packed = _mm512_packs_epi32(_mm512_cvtps_epi32(low * scale),
											_mm512_cvtps_epi32(high * scale));

	_mm512_storeu_si512(to, _mm512_permutexvar_epi64(order, packed));
}

/*
 * Rounds up to 16 rows of x [rows][k]: to[row][(k + 1) / 2] gets pairs of
 * integers, A_ROW words a row, unit[] what one is worth.
 */
static TARGET void
round_rows(const float *x, int ld, int rows, int k, int32_t *to, float *unit)
{
	const int	part = 2 * GS_LANES;
	int			whole = k - k % part;
	float		square[GS_LANES] = {0};
	float		scale[GS_LANES];

	for (int i = 0; i < rows; i++)
	{
		const float *row = x + (ptrdiff_t) i * ld;
		__m512		sum[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};

		for (int j = 0; j < whole; j += part)
			add_squares(row + j, part, sum);
		if (whole < k)
			add_squares(row + whole, k - whole, sum);
		square[i] = _mm512_reduce_add_ps(sum[0] + sum[1]);
	}
	_mm512_storeu_ps(scale, choose_scale(_mm512_loadu_ps(square), unit));
	for (int i = 0; i < rows; i++, to += A_ROW)
	{
		const float *row = x + (ptrdiff_t) i * ld;
		__m512		factor = _mm512_set1_ps(scale[i]);

		for (int j = 0; j < whole; j += part)
			round_part(row + j, part, factor, to + j / 2);
		if (whole < k)
			round_part(row + whole, k - whole, factor, to + whole / 2);
	}
}

/* integers of two rows, interleaved */
static TARGET GS_ALWAYS_INLINE __m512i
round_pair(__m512 low, __m512 high, __m512 scale)
{
	return _mm512_mask_blend_epi16(
		0x55555555,
		_mm512_slli_epi32(_mm512_cvtps_epi32(high * scale), 16),
		_mm512_cvtps_epi32(low * scale));
}

/*
 * Adds the squares of four rows of x, or of as many as there are, to sum[].
 */
static TARGET GS_ALWAYS_INLINE void
add_row_squares(const float *x, ptrdiff_t ld, int rows, int columns,
				float *sum)
{
	for (int j = 0; j < columns; j += GS_LANES)
	{
		__mmask16	mask = gs_first_lanes(columns - j);
		__m512		square = _mm512_loadu_ps(sum + j);

		for (int i = 0; i < rows; i++)
		{
			__m512		part = _mm512_maskz_loadu_ps(mask, x + i * ld + j);

			square = _mm512_fmadd_ps(part, part, square);
		}
		_mm512_storeu_ps(sum + j, square);
	}
}

/*
 * Rounds columns of x [k][columns]: row p of "to" gets pairs of elements 2p
 * and 2p + 1, unit[] what an integer is worth.  Rows of "to" are "stride"
 * words apart, and columns 32, 64 and so on "step".
 */
static TARGET void
round_columns(const float *x, ptrdiff_t ld, int k, int columns,
			  ptrdiff_t stride, ptrdiff_t step, int32_t *to, float *unit)
{
	float		scale[COLUMNS] = {0};
	int			p = 0;

	for (; p + 4 <= k; p += 4)
		add_row_squares(x + p * ld, ld, 4, columns, scale);
	for (; p < k; p++)
		add_row_squares(x + p * ld, ld, 1, columns, scale);
	for (int j = 0; j < columns; j += GS_LANES)
		_mm512_storeu_ps(scale + j, choose_scale(_mm512_loadu_ps(scale + j),
												 unit + j));
	for (p = 0; p < k; p += 2, to += stride, x += 2 * ld)
		for (int j = 0; j < columns; j += GS_LANES)
		{
			__mmask16	mask = gs_first_lanes(columns - j);
			__mmask16	odd = p + 1 < k ? mask : 0;

			_mm512_storeu_si512(
				to + j / TILE_COLUMNS * step + j % TILE_COLUMNS,
				round_pair(_mm512_maskz_loadu_ps(mask, x + j),
						   _mm512_maskz_loadu_ps(odd, x + ld + j),
						   _mm512_loadu_ps(scale + j)));
		}
}

/*
 * sum += the products of a pair of A's with pairs of B's.  The pair is in all
 * lanes of a vector, or in memory: an instruction less, and a load more.  The
 * compiler's own function for it has sums leave their registers (gcc 12).
 */
#define ADD_PRODUCTS(sum, a, b) \
	__asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(b), "v"(a))
#define ADD_PRODUCTS_OF(sum, a, b) \
	__asm__("vpdpwssd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(b), "m"(a))

/* c[0 .. n - 1] = base + sum unit; base may be NULL */
static TARGET GS_ALWAYS_INLINE void
put(__m512i sum, __m512 unit, const float *base, float *c, int n)
{
	__mmask16	mask = gs_first_lanes(n);
	__m512		part = _mm512_setzero_ps();

	if (base != NULL)
		part = _mm512_maskz_loadu_ps(mask, base);
	part = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), unit, part);
	_mm512_mask_storeu_ps(c, mask, part);
}

/*
 * A tile of C [rows][n], n up to TILE_COLUMNS, from pairs of A, step words
 * apart along k and lda from row to row, and a panel of B's.
 */
static TILE_TARGET GS_ALWAYS_INLINE void
sums(int vectors, int rows, int pairs, const int32_t *a, ptrdiff_t lda,
	 ptrdiff_t step, const float *a_unit, const int32_t *b,
	 const float *b_unit, const float *base, int ldbase, float *c, int ldc,
	 int n)
{
	__m512i		sum0[TILE_ROWS];
	__m512i		sum1[TILE_ROWS];

#pragma GCC unroll 16
	for (int i = 0; i < rows; i++)
	{
		sum0[i] = sum1[i] = _mm512_setzero_si512();
		__builtin_prefetch(c + (ptrdiff_t) i * ldc, 1);
		if (vectors > 1)
			__builtin_prefetch(c + (ptrdiff_t) i * ldc + GS_LANES, 1);
	}
#pragma GCC unroll 2
	for (int p = 0; p < pairs; p++, a += step, b += TILE_COLUMNS)
	{
		__m512i		b0 = _mm512_loadu_si512(b);
		__m512i		b1 = _mm512_loadu_si512(b + GS_LANES);

#pragma GCC unroll 16
		for (int i = 0; i < rows; i++)
		{
			/* half of the rows each way: the fastest mixture */
			if (vectors > 1 && i >= TILE_ROWS / 2)
			{
				__m512i		pair = _mm512_set1_epi32(a[i * lda]);

				ADD_PRODUCTS(sum0[i], pair, b0);
				ADD_PRODUCTS(sum1[i], pair, b1);
			}
			else
			{
				ADD_PRODUCTS_OF(sum0[i], a[i * lda], b0);
				if (vectors > 1)
					ADD_PRODUCTS_OF(sum1[i], a[i * lda], b1);
			}
		}
	}
#pragma GCC unroll 16
	for (int i = 0; i < rows; i++, c += ldc)
	{
		__m512		unit = _mm512_set1_ps(a_unit[i]);

		put(sum0[i], unit * _mm512_loadu_ps(b_unit), base, c, n);
		if (vectors > 1)
			put(sum1[i], unit * _mm512_loadu_ps(b_unit + GS_LANES),
				base != NULL ? base + GS_LANES : NULL, c + GS_LANES, n - GS_LANES);
		if (base != NULL)
			base += ldbase;
	}
}

static TILE_TARGET void
tile(bool across, int rows, int pairs, const int32_t *a, const float *a_unit,
	 const int32_t *b, const float *b_unit, const float *base, int ldbase,
	 float *c, int ldc, int n)
{
#define SUMS(vectors, rows) \
	do { \
		if (across) \
			sums(vectors, rows, pairs, a, 1, A_COLUMNS, a_unit, b, b_unit, \
				 base, ldbase, c, ldc, n); \
		else \
			sums(vectors, rows, pairs, a, A_ROW, 1, a_unit, b, b_unit, base, \
				 ldbase, c, ldc, n); \
	} while (0)
#define CASE(rows) \
		case rows: \
			if (n > GS_LANES) \
				SUMS(2, rows); \
			else \
				SUMS(1, rows); \
			break

	switch (rows)
	{
		EACH_HEIGHT(CASE);
	}
#undef CASE
#undef SUMS
}

/*
 * Panels of k rows and n columns of op(B), from b on.
 */
static TARGET void
round_b(bool transpose, const float *b, int ldb, int k, int n, Panels to)
{
	int32_t		rows[TILE_COLUMNS * A_ROW] __attribute__((aligned(64)));
	int			pairs = (k + 1) / 2;

	if (!transpose)
	{
		round_columns(b, ldb, k, n, TILE_COLUMNS, TILE_COLUMNS * pairs,
					  to.pair, to.unit);
		return;
	}
	for (int j = 0; j < n; j += TILE_COLUMNS)
	{
		int			nj = least(TILE_COLUMNS, n - j);

		for (int i = 0; i < nj; i += GS_LANES)
			round_rows(b + (size_t) (j + i) * ldb, ldb, least(GS_LANES, nj - i),
					   k, rows + i * A_ROW, to.unit + j + i);
		pack_across((const Word *) rows, A_ROW, nj, pairs, TILE_COLUMNS,
					(Word *) to.pair + j * pairs);
	}
}

/*
 * The product of panels of op(B), of a depth of k, and as many columns of
 * op(A), from a on.
 */
static TARGET void
multiply(const GsProduct *x, int n, int k, const float *a, Panels b,
		 const float *base, int ldbase, float *c, Buffers *buffers,
		 GsRowWork work)
{
	int			pairs = (k + 1) / 2;
	bool		across = x->transpose_a;

	for (int i = 0; i < x->m; i += TILE_ROWS)
	{
		int			ni = least(TILE_ROWS, x->m - i);
		int			at = across ? i % ROWS : 0;

		if (work.before != NULL)
			work.before(work.arg, i, ni);
		if (!across)
			round_rows(a + (size_t) i * x->lda, x->lda, ni, k, buffers->left,
					   buffers->left_unit);
		else if (at == 0)
			round_columns(a + i, x->lda, k, least(ROWS, x->m - i), A_COLUMNS,
						  TILE_COLUMNS, buffers->left, buffers->left_unit);
		for (int j = 0; j < n; j += TILE_COLUMNS)
			tile(across, ni, pairs, buffers->left + at,
				 buffers->left_unit + at, b.pair + j * pairs, b.unit + j,
				 base == NULL ? NULL : base + (ptrdiff_t) i * ldbase + j,
				 ldbase, c + (size_t) i * x->ldc + j, x->ldc,
				 least(TILE_COLUMNS, n - j));
		if (work.after != NULL)
			work.after(work.arg, i, ni);
	}
}

/* words of rounded panels for each column */
static size_t
column_words(int k)
{
	return (size_t) ((k + 1) / 2) + (size_t) ((k + DEPTH - 1) / DEPTH);
}

/*
 * Where op(B)'s block of nj columns from j on, and of a depth of np from p on,
 * is in what gs_gemm_round made: blocks lie one after the other, each with its
 * units.
 */
static Panels
block_at(float *rounded, int k, int j, int nj, int p, int np)
{
	float	   *at = rounded + (size_t) j * column_words(k) +
		(size_t) padded(nj) * column_words(p);

	return (Panels) {(int32_t *) at,
		at + (size_t) padded(nj) * (size_t) ((np + 1) / 2)};
}

static const float *
block_of_b(bool transpose, const float *b, int ldb, int j, int p)
{
	return transpose ? b + (size_t) j * ldb + p : b + (size_t) p * ldb + j;
}

/*
 * As gs_gemm_fixed; a function of its own for its large frame.
 */
static GS_NEVER_INLINE void
multiply_all(const GsProduct *x)
{
	Buffers		buffers;

	for (int j = 0; j < x->n; j += COLUMNS)
		for (int p = 0; p < x->k; p += DEPTH)
		{
			int			nj = least(COLUMNS, x->n - j);
			int			np = least(DEPTH, x->k - p);
			bool		sum = p > 0;	/* of the parts before */
			Panels		b = {buffers.right, buffers.right_unit};
			GsRowWork	work = {0};

			if (x->work != NULL)
				work = *x->work;
			if (j > 0 || p > 0)
				work.before = NULL;
			if (j + nj < x->n || p + np < x->k)
				work.after = NULL;
			if (x->rounded != NULL)
				b = block_at((float *) x->rounded, x->k, j, nj, p, np);
			else
				round_b(x->transpose_b,
						block_of_b(x->transpose_b, x->b, x->ldb, j, p),
						x->ldb, np, nj, b);
			multiply(x, nj, np,
					 x->transpose_a ? x->a + (size_t) p * x->lda : x->a + p,
					 b, sum ? x->c + j : x->base != NULL ? x->base + j : NULL,
					 sum ? x->ldc : x->ldbase, x->c + j, &buffers, work);
		}
}

/*
 * gs_gemm_fixed
 *
 * gs_sgemm_fixed, with op(A)'s rows and op(B)'s columns, each DEPTH at a time,
 * rounded to 16 bits.  A vector that isn't finite, or whose squared norm
 * overflows, makes its part of C not finite.
 *
 * Returns false, with C untouched, where that is not possible or doesn't pay.
 * That must not depend on the rows of C, which could be different parts of a
 * larger product.
 */
bool
gs_gemm_fixed(const GsProduct *product)
{
	if (!is_possible(product->n, product->k))
		return false;
	multiply_all(product);
	return true;
}

/*
 * gs_gemm_rounded_size
 *
 * The floats that gs_gemm_round writes for op(B) [k][n]; 0 where products of
 * it aren't computed in fixed point.
 */
size_t
gs_gemm_rounded_size(int n, int k)
{
	return is_possible(n, k) ? (size_t) padded(n) * column_words(k) : 0;
}

/*
 * gs_gemm_round
 *
 * Rounds op(B) [k][n] for many products, whose results are the same bits as
 * without.  Not where the size is 0; "to" is 64-byte aligned.
 */
void
gs_gemm_round(bool transpose_b, int n, int k, const float *b, int ldb,
			  float *to)
{
	for (int j = 0; j < n; j += COLUMNS)
		for (int p = 0; p < k; p += DEPTH)
		{
			int			nj = least(COLUMNS, n - j);
			int			np = least(DEPTH, k - p);

			round_b(transpose_b, block_of_b(transpose_b, b, ldb, j, p), ldb,
					np, nj, block_at(to, k, j, nj, p, np));
		}
}

#else

bool
gs_gemm_fixed(const GsProduct *product)
{
	return false;
}

size_t
gs_gemm_rounded_size(int n, int k)
{
	return 0;
}

void
gs_gemm_round(bool transpose_b, int n, int k, const float *b, int ldb,
			  float *to)
{
}

#endif
