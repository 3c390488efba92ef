/*
 * gemm_narrow.c
 *	  Products of float matrices of which one dimension is at most 16.
 *
 * A vector of few columns of C would be empty for the most part, and to copy
 * the other matrix would take as long as the product.  So a dimension that is
 * long is the one that vectors go along, and what is copied is narrow:
 *
 *	dots	few columns of C: each element is a dot product
 *	spread	few columns of A, rows of op(B): rows of C are sums of B's
 *	gather	few columns of C, and A transposed: rows of C' are sums of A's
 *
 * Sums are added in an order that depends on the sizes only.  For AVX-512.
 *
 * Plain C: no postgres.h.
 */
#include <stddef.h>
#include <string.h>

#include "clones.h"
#include "gemm_narrow.h"
#include "gemm_pack.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "avx512.h"

#define MOST		16			/* of the narrow dimension ... */
#define SPREAD_MOST	12			/* ... of this kernel: gemm.c's tiles are faster
								 * beyond */
#define LONGEST		1024		/* of what is copied ... */
#define STRIDE		(LONGEST + 16)	/* ... to rows so far apart: known, and no
									 * power of two */

#define EACH_WIDTH(CASE) \
	CASE(1); CASE(2); CASE(3); CASE(4); CASE(5); CASE(6); CASE(7); CASE(8); \
	CASE(9); CASE(10); CASE(11); CASE(12); CASE(13); CASE(14); CASE(15); \
	CASE(16)

/* beta c; c is not read where beta is 0 */
static GS_AVX512 GS_ALWAYS_INLINE __m512
scaled(__mmask16 mask, const float *c, float beta)
{
	if (beta == 0)
		return _mm512_setzero_ps();
	return _mm512_maskz_loadu_ps(mask, c) * _mm512_set1_ps(beta);
}

/* the lanes of two vectors, added by fours: two sums each, alternating */
static GS_AVX512 GS_ALWAYS_INLINE __m512
add_halves(__m512 a, __m512 b)
{
	return _mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b);
}

/* the sums of the lanes of 16 vectors */
static GS_AVX512 GS_ALWAYS_INLINE __m512
add_lanes(const __m512 *x)
{
	__m512		quarter[4];		/* of each four vectors: by 128 bits */
	__m512		half[2];

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
	{
		__m512d		a = (__m512d) add_halves(x[4 * i], x[4 * i + 1]);
		__m512d		b = (__m512d) add_halves(x[4 * i + 2], x[4 * i + 3]);

		quarter[i] = (__m512) _mm512_unpacklo_pd(a, b) +
			(__m512) _mm512_unpackhi_pd(a, b);
	}
#pragma GCC unroll 2
	for (int i = 0; i < 2; i++)
		half[i] = _mm512_shuffle_f32x4(quarter[2 * i], quarter[2 * i + 1],
									   0x88) +
			_mm512_shuffle_f32x4(quarter[2 * i], quarter[2 * i + 1], 0xDD);
	return _mm512_shuffle_f32x4(half[0], half[1], 0x88) +
		_mm512_shuffle_f32x4(half[0], half[1], 0xDD);
}

/*
 * C [rows][n] = beta C + alpha A B', A [rows][k], B [n][STRIDE].  rows and n
 * are known where this is inlined, their product is at most 16.
 */
static GS_AVX512 GS_ALWAYS_INLINE void
dots(int n, int rows, int k, float alpha, const float *a, ptrdiff_t lda,
	 const float *b, float beta, float *c, ptrdiff_t ldc)
{
	__m512		sum[MOST];
	__m512		total;
	int			whole = k - k % GS_LANES;

#pragma GCC unroll 16
	for (int i = 0; i < MOST; i++)
		sum[i] = _mm512_setzero_ps();
#define ADD(load) \
	do { \
		__m512		x[MOST]; \
\
		_Pragma("GCC unroll 16") \
		for (int r = 0; r < rows; r++) \
			x[r] = load(a + r * lda); \
		_Pragma("GCC unroll 16") \
		for (int t = 0; t < n; t++) \
		{ \
			__m512		y = load(b + t * STRIDE); \
\
			_Pragma("GCC unroll 16") \
			for (int r = 0; r < rows; r++) \
				sum[r * n + t] = _mm512_fmadd_ps(x[r], y, sum[r * n + t]); \
		} \
	} while (0)
#define LOAD(from) _mm512_loadu_ps((from) + p)
#define LOAD_REST(from) _mm512_maskz_loadu_ps(rest, (from) + whole)

	for (int p = 0; p < whole; p += GS_LANES)
		ADD(LOAD);
	if (whole < k)
	{
		__mmask16	rest = gs_first_lanes(k - whole);

		ADD(LOAD_REST);
	}
#undef ADD
#undef LOAD
#undef LOAD_REST
	total = add_lanes(sum) * _mm512_set1_ps(alpha);
#pragma GCC unroll 16
	for (int r = 0; r < rows; r++, c += ldc)
	{
		__mmask16	mask = gs_first_lanes(n);
		__m512		row = _mm512_maskz_compress_ps(
			(__mmask16) (mask << r * n), total);

		_mm512_mask_storeu_ps(c, mask, scaled(mask, c, beta) + row);
	}
}

static GS_AVX512 void
dots_all(int m, int n, int k, float alpha, const float *a, ptrdiff_t lda,
		 const float *b, float beta, float *c, ptrdiff_t ldc)
{
	int			i = 0;

#define CASE(n) \
	case n: \
		for (; i + MOST / n <= m; i += MOST / n) \
			dots(n, MOST / n, k, alpha, a + i * lda, lda, b, beta, \
				 c + i * ldc, ldc); \
		for (; i < m; i++) \
			dots(n, 1, k, alpha, a + i * lda, lda, b, beta, c + i * ldc, \
				 ldc); \
		break

	switch (n)
	{
			EACH_WIDTH(CASE);
	}
#undef CASE
}

/*
 * C [m][n] = beta C + alpha A B, A [m][k], B [k][STRIDE].  k is known where
 * this is inlined, up to 16.
 */
static GS_AVX512 GS_ALWAYS_INLINE void
spread(int k, int m, int n, float alpha, const float *a, ptrdiff_t lda,
	   const float *b, float beta, float *c, ptrdiff_t ldc)
{
	for (int i = 0; i < m; i++, a += lda, c += ldc)
	{
		__m512		x[MOST];
		int			j = 0;

#pragma GCC unroll 16
		for (int p = 0; p < k; p++)
			x[p] = _mm512_set1_ps(alpha * a[p]);
#define ADD(mask) \
	do { \
		__m512		sum = scaled(mask, c + j, beta); \
\
		_Pragma("GCC unroll 16") \
		for (int p = 0; p < k; p++) \
			sum = _mm512_fmadd_ps( \
				x[p], _mm512_maskz_loadu_ps(mask, b + p * STRIDE + j), sum); \
		_mm512_mask_storeu_ps(c + j, mask, sum); \
	} while (0)

		for (; j + GS_LANES <= n; j += GS_LANES)
			ADD(0xFFFF);
		if (j < n)
			ADD(gs_first_lanes(n - j));
#undef ADD
	}
}

static GS_AVX512 void
spread_all(int m, int n, int k, float alpha, const float *a, ptrdiff_t lda,
		   const float *b, float beta, float *c, ptrdiff_t ldc)
{
#define CASE(k) \
	case k: \
		spread(k, m, n, alpha, a, lda, b, beta, c, ldc); \
		break

	switch (k)
	{
			EACH_WIDTH(CASE);
	}
#undef CASE
}

/*
 * To [n][16 vectors] = B' A for columns of A [k][..], as many as vectors hold,
 * the last up to "mask"; B [k][n].  n and vectors are known where this is
 * inlined.
 */
static GS_AVX512 GS_ALWAYS_INLINE void
gather(int n, int vectors, __mmask16 mask, int k, const float *a,
	   ptrdiff_t lda, const float *b, ptrdiff_t ldb, float *to, ptrdiff_t ldto)
{
	__m512		sum0[MOST];
	__m512		sum1[MOST];

#pragma GCC unroll 16
	for (int t = 0; t < n; t++)
		sum0[t] = sum1[t] = _mm512_setzero_ps();
	for (int p = 0; p < k; p++, a += lda, b += ldb)
	{
		__m512		x0 = vectors > 1 ? _mm512_loadu_ps(a) :
			_mm512_maskz_loadu_ps(mask, a);
		__m512		x1 = vectors > 1 ? _mm512_maskz_loadu_ps(mask, a + GS_LANES) :
			x0;

#pragma GCC unroll 16
		for (int t = 0; t < n; t++)
		{
			__m512		y = _mm512_set1_ps(b[t]);

			sum0[t] = _mm512_fmadd_ps(x0, y, sum0[t]);
			if (vectors > 1)
				sum1[t] = _mm512_fmadd_ps(x1, y, sum1[t]);
		}
	}
#pragma GCC unroll 16
	for (int t = 0; t < n; t++, to += ldto)
	{
		if (vectors > 1)
		{
			_mm512_storeu_ps(to, sum0[t]);
			_mm512_mask_storeu_ps(to + GS_LANES, mask, sum1[t]);
		}
		else
			_mm512_mask_storeu_ps(to, mask, sum0[t]);
	}
}

static GS_AVX512 void
gather_all(int m, int n, int k, const float *a, ptrdiff_t lda, const float *b,
		   ptrdiff_t ldb, float *to, ptrdiff_t ldto)
{
	int			i = 0;

	/* two vectors as long as there are registers for their sums */
#define CASE(n) \
	case n: \
		for (; n <= 13 && i + GS_LANES < m; i += 2 * GS_LANES) \
			gather(n, 2, gs_first_lanes(m - i - GS_LANES), k, a + i, lda, b, ldb, \
				   to + i, ldto); \
		for (; i < m; i += GS_LANES) \
			gather(n, 1, gs_first_lanes(m - i), k, a + i, lda, b, ldb, to + i, \
				   ldto); \
		break

	switch (n)
	{
			EACH_WIDTH(CASE);
	}
#undef CASE
}

/*
 * to [n][STRIDE] = b [n][k], or the transpose of b [k][n].
 */
static GS_AVX512 void
copy_right(bool transpose, const float *b, int ldb, int n, int k, float *to)
{
	int			p = 0;

	if (!transpose)
	{
		for (int i = 0; i < n; i++, b += ldb, to += STRIDE)
			memcpy(to, b, sizeof(float) * (size_t) k);
		return;
	}
	for (; p + 4 <= k; p += 4)
		pack_four(b + (size_t) p * ldb, ldb, n, STRIDE, to + p);
	for (; p < k; p++)
		for (int i = 0; i < n; i++)
			to[i * STRIDE + p] = b[(size_t) p * ldb + i];
}

/*
 * As gs_gemm_narrow; a function of its own for its frame.
 */
static GS_AVX512 GS_NEVER_INLINE bool
multiply(bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
		 const float *a, int lda, const float *b, int ldb, float beta,
		 float *c, int ldc)
{
	float		copy[MOST * STRIDE] __attribute__((aligned(64)));

	if (transpose_a)
	{
		if (n > MOST || m > LONGEST || m < GS_LANES || transpose_b)
			return false;
		gather_all(m, n, k, a, lda, b, ldb, copy, m);
		put_turned(m, n, alpha, copy, beta, c, ldc);
	}
	else if (k <= MOST)
	{
		if (k > SPREAD_MOST || n > LONGEST || n < GS_LANES)
			return false;
		copy_right(transpose_b, b, ldb, k, n, copy);
		spread_all(m, n, k, alpha, a, lda, copy, beta, c, ldc);
	}
	else
	{
		if (n > MOST || k > LONGEST)
			return false;
		copy_right(!transpose_b, b, ldb, n, k, copy);
		dots_all(m, n, k, alpha, a, lda, copy, beta, c, ldc);
	}
	return true;
}

/*
 * gs_gemm_narrow
 *
 * gs_gemm where one of the kernels here is the better one.  Returns false,
 * with C untouched, where none is, or there is no AVX-512.
 */
bool
gs_gemm_narrow(bool transpose_a, bool transpose_b, int m, int n, int k,
			   float alpha, const float *a, int lda, const float *b, int ldb,
			   float beta, float *c, int ldc)
{
	return __builtin_cpu_supports("avx512f") &&
		multiply(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb,
				 beta, c, ldc);
}

#else

bool
gs_gemm_narrow(bool transpose_a, bool transpose_b, int m, int n, int k,
			   float alpha, const float *a, int lda, const float *b, int ldb,
			   float beta, float *c, int ldc)
{
	return false;
}

#endif
