/*
 * gemm.c
 *	  Products of float matrices that threads may compute at the same time.
 *
 * OpenBLAS's serial build may not be entered by two threads (see blas.c), its
 * threaded builds start threads of their own, and the products of a training
 * step are small: so they are computed here, as Goto and van de Geijn do
 * ("Anatomy of high-performance matrix multiplication", ACM TOMS 34, 2008).
 * B is copied in panels of a tile's width, which stay in the second-level
 * cache; so are a tile's rows of A, or panels of its columns where it is
 * transposed, unless B is too narrow for that to pay; tiles of C are summed in
 * registers.  Matrices come from memory as a rule, as all layers of a net
 * follow each other: so they are read along their rows.
 *
 * Sums are added in an order that depends on the sizes and the processor
 * only.
 *
 * Plain C: no postgres.h.
 */
#include <string.h>

#include "clones.h"
#include "gemm.h"
#include "gemm_narrow.h"
#include "gemm_pack.h"

#define MAX_ROWS	14			/* of a tile */
#define MAX_WIDTH	32			/* of a tile: two vectors */
#define DEPTH		384			/* of panels */
#define COLUMNS		256			/* of B's panels, all together ... */
#define ROWS		252			/* ... and rows of A's */
#define A_STRIDE	(DEPTH + 16)	/* of copied rows of A: not a power of two,
									 * so that they don't share sets of the
									 * cache */
#define COPY_LEAST	64			/* smaller products don't copy A */

/* how a tile reads A */
typedef enum Order
{
	IN_PLACE,					/* rows, lda apart */
	APART,						/* copies of rows, A_STRIDE apart */
	ACROSS						/* columns, lda apart */
} Order;

#define TILE_NAME tile
#define TILE_TARGET
#define TILE_VECTOR 4
#define TILE_ROWS 6
#include "gemm_tile.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define TILE_NAME tile_avx2
#define TILE_TARGET __attribute__((target("avx2,fma")))
#define TILE_VECTOR 8
#define TILE_ROWS 6
#include "gemm_tile.h"

#define TILE_NAME tile_avx512
#define TILE_TARGET __attribute__((target("avx512f")))
#define TILE_VECTOR 16
#define TILE_ROWS 14
#include "gemm_tile.h"
#endif

typedef struct Kernel
{
	void		(*tile) (Order order, int rows, int k, const float *a, int lda,
						 const float *b, float alpha, float beta, float *c,
						 int ldc, int width);
	int			rows;
	int			width;
} Kernel;

/* the widest vectors to use, in floats: for tests */
int			gs_gemm_vector = 16;

static Kernel
choose_kernel(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
	if (gs_gemm_vector >= 16 && __builtin_cpu_supports("avx512f"))
		return (Kernel) {tile_avx512, 14, 32};
	if (gs_gemm_vector >= 8 && __builtin_cpu_supports("avx2") &&
		__builtin_cpu_supports("fma"))
		return (Kernel) {tile_avx2, 6, 16};
#endif
	return (Kernel) {tile, 6, 8};
}

typedef float Eight FLOATS(8);
typedef float Sixteen FLOATS(16);

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/*
 * Copies n floats, up to MAX_WIDTH, without a call: by two vectors that may
 * overlap.
 */
static GS_ALWAYS_INLINE void
copy_row(int n, const float *from, float *to)
{
#define COPY(Vector, size) \
	do { \
		Vector		head = *(const Vector *) from; \
		Vector		tail = *(const Vector *) (from + n - (size)); \
\
		*(Vector *) to = head; \
		*(Vector *) (to + n - (size)) = tail; \
	} while (0)

	if (n >= 16)
		COPY(Sixteen, 16);
	else if (n >= 8)
		COPY(Eight, 8);
	else if (n >= 4)
		COPY(Four, 4);
	else
		for (int i = 0; i < n; i++)
			to[i] = from[i];
#undef COPY
}

/*
 * Panels of "width" columns of from [k][columns]: row p of the panel from
 * column j on is to[j k + p width], zeros beyond the columns.
 */
static GS_ALWAYS_INLINE void
pack_along(const float *from, int ld, int columns, int k, int width,
		   float *restrict to)
{
	for (int p = 0; p < k; p++, from += ld)
		for (int j = 0; j < columns; j += width)
		{
			float	   *at = to + (size_t) j * k + (size_t) p * width;

			copy_row(least(width, columns - j), from + j, at);
			for (int i = columns - j; i < width; i++)
				at[i] = 0;
		}
}

/* the size of parts when n is cut evenly into parts of at most "most" */
static int
even(int n, int most)
{
	int			parts = (n + most - 1) / most;

	return (n + parts - 1) / parts;
}

/*
 * Panels of "rows" columns of A [k][m].
 */
GS_CLONES static void
pack_a(const float *a, int lda, int m, int k, int rows, float *to)
{
	pack_along(a, lda, m, k, rows, to);
}

/*
 * Panels of np rows and nj columns of op(B), from its element at (p, j) on.
 */
GS_CLONES static void
pack_b(bool transpose, const float *b, int ldb, int p, int j, int np, int nj,
	   int width, float *to)
{
	if (!transpose)
		pack_along(b + (size_t) p * ldb + j, ldb, nj, np, width, to);
	else
		for (int i = 0; i < nj; i += width)
			pack_across(b + (size_t) (j + i) * ldb + p, ldb,
						least(width, nj - i), np, width,
						to + (size_t) i * np);
}

/*
 * As gs_gemm.
 */
static void
multiply(bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
		 const float *a, int lda, const float *b, int ldb, float beta,
		 float *c, int ldc)
{
	float		left[ROWS * DEPTH] __attribute__((aligned(64)));
	float		right[COLUMNS * DEPTH] __attribute__((aligned(64)));
	Kernel		kernel = choose_kernel();
	bool		copy = n >= COPY_LEAST && k >= COPY_LEAST;
	int			rows = even(least(m, ROWS), kernel.rows);
	int			depth = even(k, DEPTH);
	int			columns = even(n, COLUMNS);
	int			block = ROWS / rows * rows;

	columns = (columns + kernel.width - 1) / kernel.width * kernel.width;
	for (int j0 = 0; j0 < n; j0 += columns)
		for (int p0 = 0; p0 < k; p0 += depth)
		{
			int			nj = least(columns, n - j0);
			int			np = least(depth, k - p0);

			pack_b(transpose_b, b, ldb, p0, j0, np, nj, kernel.width, right);
			for (int i = 0; i < m; i += rows)
			{
				Order		order = transpose_a ? ACROSS : IN_PLACE;
				const float *from = transpose_a ? a + (size_t) p0 * lda + i :
					a + (size_t) i * lda + p0;
				int			ld = lda;
				int			ni = least(rows, m - i);

				if (copy && transpose_a)
				{
					if (i % block == 0)
						pack_a(from, lda, least(block, m - i), np, rows, left);
					from = left + (size_t) (i % block) * np;
					ld = rows;
				}
				else if (copy)
				{
					for (int r = 0; r < ni; r++)
						memcpy(left + r * A_STRIDE, from + (size_t) r * lda,
							   np * sizeof(float));
					from = left;
					order = APART;
				}
				for (int j = 0; j < nj; j += kernel.width)
					kernel.tile(order, ni, np, from, ld,
								right + (size_t) j * np, alpha,
								p0 == 0 ? beta : 1,
								c + (size_t) i * ldc + j0 + j, ldc,
								least(kernel.width, nj - j));
			}
		}
}

/*
 * put_turned for whatever vectors there are.
 */
GS_CLONES static void
put_transpose(int m, int n, const float *turned, float beta, float *c, int ldc)
{
	put_turned(m, n, 1, turned, beta, c, ldc);
}

/*
 * C [m][n] = beta C + alpha A^T B, by way of its transpose, B^T A, for A
 * [k][m] that is wider than B: rows of A are long then, and stay where they
 * are.  n: up to TURN_MOST.
 */
static void
multiply_turned(int m, int n, int k, float alpha, const float *a, int lda,
				const float *b, int ldb, float beta, float *c, int ldc)
{
	float		turned[TURN_MOST * COLUMNS];
	int			columns = even(m, COLUMNS);

	for (int i0 = 0; i0 < m; i0 += columns, c += (size_t) columns * ldc)
	{
		int			ni = least(columns, m - i0);

		multiply(true, false, n, ni, k, alpha, b, ldb, a + i0, lda, 0,
				 turned, ni);
		put_transpose(ni, n, turned, beta, c, ldc);
	}
}

/*
 * gs_gemm
 *
 * C = alpha op(A) op(B) + beta C; see gs_sgemm_add, which has checked the
 * arguments.
 */
void
gs_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, float alpha,
		const float *a, int lda, const float *b, int ldb, float beta,
		float *c, int ldc)
{
	if (gs_gemm_vector >= 16 &&
		gs_gemm_narrow(transpose_a, transpose_b, m, n, k, alpha, a, lda, b,
					   ldb, beta, c, ldc))
		return;
	if (transpose_a && !transpose_b && n < m && n <= TURN_MOST)
		multiply_turned(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
	else
		multiply(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb,
				 beta, c, ldc);
}
