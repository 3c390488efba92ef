/*
 * gemm_pack.h
 *	  What gemm*.c share: the heights of tiles, and copying the transpose of a
 *	  matrix of 32-bit words.
 *
 * Words are moved as floats, whatever they are: no bit changes, and no
 * compiler may take it for granted that they are.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_GEMM_PACK_H
#define GENSYNTH_GEMM_PACK_H

#include <stddef.h>

#include "clones.h"

/* the cases of a switch over a tile's rows */
#define EACH_HEIGHT(CASE) \
	CASE(1); CASE(2); CASE(3); CASE(4); CASE(5); CASE(6); CASE(7); \
	CASE(8); CASE(9); CASE(10); CASE(11); CASE(12); CASE(13); CASE(14)

/* so many floats, wherever they are */
#define FLOATS(n) __attribute__((vector_size((n) * sizeof(float)), \
								 aligned(sizeof(float)), may_alias))
typedef float Four FLOATS(4);
typedef float Word __attribute__((may_alias));

#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int FourInts __attribute__((vector_size(4 * sizeof(int))));
#define SHUFFLE(a, b, i, j, k, l) \
	__builtin_shuffle(a, b, (FourInts) {i, j, k, l})
#endif

/*
 * to[p][0 .. 3] = from[0 .. 3][p] for p below k; to's rows hold "width".
 */
static GS_ALWAYS_INLINE void
pack_four(const Word *from, ptrdiff_t ld, int k, ptrdiff_t width,
		  Word *restrict to)
{
	int			p = 0;

	for (; p + 4 <= k; p += 4, from += 4, to += 4 * width)
	{
		Four		row[4];
		Four		half[4];

		for (int i = 0; i < 4; i++)
			row[i] = *(const Four *) (from + i * ld);
		for (int i = 0; i < 4; i += 2)
		{
			half[i] = SHUFFLE(row[i], row[i + 1], 0, 4, 1, 5);
			half[i + 1] = SHUFFLE(row[i], row[i + 1], 2, 6, 3, 7);
		}
		for (int i = 0; i < 2; i++)
		{
			*(Four *) (to + 2 * i * width) =
				SHUFFLE(half[i], half[i + 2], 0, 1, 4, 5);
			*(Four *) (to + (2 * i + 1) * width) =
				SHUFFLE(half[i], half[i + 2], 2, 3, 6, 7);
		}
	}
	for (; p < k; p++, from++, to += width)
		for (int i = 0; i < 4; i++)
			to[i] = from[i * ld];
}

/*
 * to[p][i] = from[i][p] for i below "rows" and p below k; to's rows hold
 * "width" elements, zeros beyond "rows".
 */
static GS_ALWAYS_INLINE void
pack_across(const Word *from, int ld, int rows, int k, int width,
			Word *restrict to)
{
	int			i = 0;

	for (; i + 4 <= rows; i += 4)
		pack_four(from + (size_t) i * ld, ld, k, width, to + i);
	for (; i < width; i++)
		for (int p = 0; p < k; p++)
			to[(size_t) p * width + i] = i < rows ?
				from[(size_t) i * ld + p] : 0;
}

/* columns of products with A^T that are computed as their transpose */
#define TURN_MOST	128

/*
 * C [m][n] = beta C + alpha the transpose of turned [n][m]; n is at most
 * TURN_MOST.
 */
static GS_ALWAYS_INLINE void
put_turned(int m, int n, float alpha, const float *turned, float beta,
		   float *c, ptrdiff_t ldc)
{
	float		rows[16 * TURN_MOST];

	for (int i = 0; i < m; i += 16)
	{
		int			ni = m - i < 16 ? m - i : 16;

		pack_across(turned + i, m, n, ni, n, rows);
		for (int r = 0; r < ni; r++, c += ldc)
			for (int j = 0; j < n; j++)
				c[j] = (beta != 0 ? beta * c[j] : 0) + alpha * rows[r * n + j];
	}
}

#endif
