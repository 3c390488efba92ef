/*
 * gemm.c
 *	  Products of float matrices: the same bits on every processor, and for
 *	  many threads at the same time.
 *
 * OpenBLAS chooses its kernels, and with them the order of sums, by the
 * processor; its serial build may not be entered by two threads (see blas.c),
 * its threaded builds start threads of their own; and the products of a
 * training step are small.  So products are computed here, as Goto and van de
 * Geijn do ("Anatomy of high-performance matrix multiplication", ACM TOMS 34,
 * 2008).  B is copied in panels of a tile's width, which stay in the
 * second-level cache; so are a tile's rows of A, or panels of its columns where
 * it is transposed, unless B is too narrow for that to pay; tiles of C are
 * summed in registers.  Matrices come from memory as a rule, as all layers of a
 * net follow each other: so they are read along their rows.
 *
 * An element of C is a sum of fused multiply-adds along k, in order, from zero
 * on, added to the base; one such sum after the other where k is deeper than
 * panels.  That depends on the sizes only: vectors go along rows of C, so it
 * doesn't matter how long they are.  Where a processor has no fused
 * multiply-adds (x86 before 2013, and virtual machines that hide them) they
 * are computed in double precision, to the same bits, many times as slowly.
 *
 * Plain C: no postgres.h.
 */
#include <float.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"
#include "gemm.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

/* functions that return vectors are always inlined: no ABI is concerned */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

#define MAX_ROWS	14			/* of a tile */
#define MAX_WIDTH	32			/* of a tile: two vectors */
#define DEPTH		384			/* of panels */
#define COLUMNS		256			/* of B's panels, all together ... */
#define ROWS		252			/* ... and rows of A's */
#define A_STRIDE	(DEPTH + 16)	/* of copied rows of A: not a power of two,
									 * so that they don't share sets of the
									 * cache */
#define COPY_MIN	64			/* smaller products don't copy A */
#define TURN_MAX	128			/* columns of products with A^T that are
								 * computed as their transpose */

/* how a tile reads A */
typedef enum Order
{
	IN_PLACE,					/* rows, lda apart */
	APART,						/* copies of rows, A_STRIDE apart */
	ACROSS						/* columns, lda apart */
} Order;

/* four floats as a value */
typedef float Four __attribute__((vector_size(4 * sizeof(float))));

/*
 * So many floats in memory, wherever they are.  Not for arguments and results:
 * gcc for aarch64 knows no way to pass them.
 */
#define UNALIGNED(n) __attribute__((vector_size((n) * sizeof(float)), \
									aligned(sizeof(float)), may_alias))
typedef float Unaligned4 UNALIGNED(4);
typedef float Unaligned8 UNALIGNED(8);
typedef float Unaligned16 UNALIGNED(16);

#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int FourInts __attribute__((vector_size(4 * sizeof(int))));
#define SHUFFLE(a, b, i, j, k, l) \
	__builtin_shuffle(a, b, (FourInts) {i, j, k, l})
#endif

#ifndef __FP_FAST_FMAF
typedef double Doubles __attribute__((vector_size(4 * sizeof(double))));
typedef int64_t Words __attribute__((vector_size(4 * sizeof(int64_t))));

/*
 * part[0] += part[1], rounded to odd: where the sum isn't exact, to the
 * neighbour whose last bit is set, which stands for all that is lost when it
 * is rounded to a float (Boldo and Melquiond, "Emulation of a FMA and correctly
 * rounded sums", IEEE Transactions on Computers 57, 2008).
 */
static GS_NEVER_INLINE void
add_to_odd(Doubles part[2])
{
	Doubles		sum = part[0] + part[1];
	Doubles		back = sum - part[0];
	Doubles		lost = (part[0] - (sum - back)) + (part[1] - back);
	Words		bits = (Words) sum;
	Words		inexact = (lost < 0) | (lost > 0);	/* a NaN isn't */
	Words		strata = (bits & 1) - 1;
	Words		towards = ((lost < 0) ^ (sum < 0)) | 1;

	part[0] = (Doubles) (bits + (towards & inexact & strata));
}
#endif

/*
 * a b + c, rounded once.
 */
static GS_ALWAYS_INLINE Four
fused(Four a, Four b, Four c)
{
#ifdef __FP_FAST_FMAF
	for (int i = 0; i < 4; i++)
		c[i] = __builtin_fmaf(a[i], b[i], c[i]);
	return c;
#else
	/*
	 * The product is exact in double precision.  To round the sum to a double
	 * and then to a float is as good as once, unless the double is halfway
	 * between two floats, or below the normal ones.
	 */
	Doubles		part[2] = {__builtin_convertvector(a, Doubles) *
	__builtin_convertvector(b, Doubles), __builtin_convertvector(c, Doubles)};
	Doubles		sum = part[0] + part[1];
	Words		bits = (Words) sum & INT64_MAX;
	Words		hard = (((bits & 0x1FFFFFFF) ^ 0x10000000) - 1) |
		((Doubles) bits < (double) FLT_MIN);

	if (hard[0] < 0 || hard[1] < 0 || hard[2] < 0 || hard[3] < 0)
	{
		add_to_odd(part);
		sum = part[0];
	}
	return __builtin_convertvector(sum, Four);
#endif
}

#define TILE_NAME tile
#define TILE_TARGET
#define TILE_VECTOR 4
#define TILE_ROWS 6
#define TILE_FUSED fused
#include "gemm_tile.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define TILE_NAME tile_avx2
#define TILE_TARGET __attribute__((target("avx2,fma")))
#define TILE_VECTOR 8
#define TILE_ROWS 6
#define TILE_FUSED _mm256_fmadd_ps
#include "gemm_tile.h"

#define TILE_NAME tile_avx512
#define TILE_TARGET __attribute__((target("avx512f")))
#define TILE_VECTOR 16
#define TILE_ROWS 14
#define TILE_FUSED _mm512_fmadd_ps
#include "gemm_tile.h"
#endif

typedef struct Kernel
{
	void		(*tile) (Order order, int rows, int k, const float *a, int lda,
						 const float *b, const float *base, int ldbase,
						 float *c, int ldc, int width);
	int			rows;
	int			width;
} Kernel;

static Kernel
choose_kernel(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
	if (gs_lanes() == 16)
		return (Kernel) {tile_avx512, 14, 32};
	if (gs_lanes() == 8)
		return (Kernel) {tile_avx2, 6, 16};
#endif
	return (Kernel) {tile, 6, 8};
}

static int
min(int a, int b)
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
		COPY(Unaligned16, 16);
	else if (n >= 8)
		COPY(Unaligned8, 8);
	else if (n >= 4)
		COPY(Unaligned4, 4);
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

			copy_row(min(width, columns - j), from + j, at);
			for (int i = columns - j; i < width; i++)
				at[i] = 0;
		}
}

/*
 * to[p][0 .. 3] = from[0 .. 3][p] for p below k; to's rows hold "width".
 */
static GS_ALWAYS_INLINE void
pack_four(const float *from, ptrdiff_t ld, int k, ptrdiff_t width,
		  float *restrict to)
{
	int			p = 0;

	for (; p + 4 <= k; p += 4, from += 4, to += 4 * width)
	{
		Four		row[4];
		Four		half[4];

		for (int i = 0; i < 4; i++)
			row[i] = *(const Unaligned4 *) (from + i * ld);
		for (int i = 0; i < 4; i += 2)
		{
			half[i] = SHUFFLE(row[i], row[i + 1], 0, 4, 1, 5);
			half[i + 1] = SHUFFLE(row[i], row[i + 1], 2, 6, 3, 7);
		}
		for (int i = 0; i < 2; i++)
		{
			*(Unaligned4 *) (to + 2 * i * width) =
				SHUFFLE(half[i], half[i + 2], 0, 1, 4, 5);
			*(Unaligned4 *) (to + (2 * i + 1) * width) =
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
pack_across(const float *from, int ld, int rows, int k, int width,
			float *restrict to)
{
	int			i = 0;

	for (; i + 4 <= rows; i += 4)
		pack_four(from + (size_t) i * ld, ld, k, width, to + i);
	for (; i < width; i++)
		for (int p = 0; p < k; p++)
			to[(size_t) p * width + i] = i < rows ?
				from[(size_t) i * ld + p] : 0;
}

/* the size of parts when n is cut evenly into parts of at most "most" */
static int
strata(int n, int max)
{
	int			parts = (n + max - 1) / max;

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
						min(width, nj - i), np, width,
						to + (size_t) i * np);
}

/* A panel of op(B): np rows from p on, nj columns from j on. */
typedef struct Panel
{
	int			p;
	int			np;
	int			j;
	int			nj;
} Panel;

/* Rows of op(A) as a tile reads them. */
typedef struct Left
{
	Order		order;
	const float *from;
	int			ld;
} Left;

/*
 * Rows from i on, of a tile or as many as there are, and of the panel's depth.
 * They are copied to "copy", [ROWS * DEPTH], if that pays.
 */
static Left
take_rows(const GsProduct *x, const Panel *panel, int rows, int i,
		  float *copy)
{
	const float *from = x->transpose_a ?
		x->a + (size_t) panel->p * x->lda + i :
		x->a + (size_t) i * x->lda + panel->p;
	int			block = ROWS / rows * rows;

	if (x->n < COPY_MIN || x->k < COPY_MIN)
		return (Left) {x->transpose_a ? ACROSS : IN_PLACE, from, x->lda};
	if (x->transpose_a)
	{
		if (i % block == 0)
			pack_a(from, x->lda, min(block, x->m - i), panel->np, rows,
				   copy);
		return (Left) {ACROSS, copy + (size_t) (i % block) * panel->np, rows};
	}
	for (int r = 0; r < min(rows, x->m - i); r++)
		memcpy(copy + r * A_STRIDE, from + (size_t) r * x->lda,
			   panel->np * sizeof(float));
	return (Left) {APART, copy, A_STRIDE};
}

/*
 * All rows of C, as far as they come from a panel; right: as pack_b makes it.
 */
static void
multiply_panel(const GsProduct *x, const Panel *panel, Kernel kernel,
			   const float *right, float *left)
{
	bool		first = panel->p == 0;	/* or else C has the parts before */
	const float *base = first ? x->base : x->c;
	int			ldbase = first ? x->ldbase : x->ldc;
	int			rows = strata(min(x->m, ROWS), kernel.rows);
	GsRowWork	work = {0};

	if (x->work != NULL)
		work = *x->work;
	if (!first || panel->j > 0)
		work.before = NULL;
	if (panel->p + panel->np < x->k || panel->j + panel->nj < x->n)
		work.after = NULL;
	for (int i = 0; i < x->m; i += rows)
	{
		int			ni = min(rows, x->m - i);
		ptrdiff_t	at = (ptrdiff_t) i * ldbase + panel->j;
		Left		a;

		if (work.before != NULL)
			work.before(work.arg, i, ni);
		a = take_rows(x, panel, rows, i, left);
		for (int j = 0; j < panel->nj; j += kernel.width)
			kernel.tile(a.order, ni, panel->np, a.from, a.ld,
						right + (size_t) j * panel->np,
						base != NULL ? base + at + j : NULL, ldbase,
						x->c + (size_t) i * x->ldc + panel->j + j, x->ldc,
						min(kernel.width, panel->nj - j));
		if (work.after != NULL)
			work.after(work.arg, i, ni);
	}
}

/*
 * As gs_sgemm, which has checked the arguments.
 */
static void
multiply(const GsProduct *x)
{
	float		left[ROWS * DEPTH] __attribute__((aligned(64)));
	float		right[COLUMNS * DEPTH] __attribute__((aligned(64)));
	Kernel		kernel = choose_kernel();
	int			depth = strata(x->k, DEPTH);
	int			columns = strata(x->n, COLUMNS);

	columns = (columns + kernel.width - 1) / kernel.width * kernel.width;
	for (int j = 0; j < x->n; j += columns)
		for (int p = 0; p < x->k; p += depth)
		{
			Panel		panel = {p, min(depth, x->k - p),
			j, min(columns, x->n - j)};

			pack_b(x->transpose_b, x->b, x->ldb, p, j, panel.np, panel.nj,
				   kernel.width, right);
			multiply_panel(x, &panel, kernel, right, left);
		}
}

/*
 * C [m][n] = base + the transpose of turned [n][m], from row i of C on; n is
 * at most TURN_MAX.
 */
GS_CLONES static void
put_turned(const GsProduct *x, int i, int m, const float *turned)
{
	float		rows[16 * TURN_MAX];

	for (int end = i + m; i < end; i += 16, turned += 16)
	{
		int			ni = min(16, end - i);

		pack_across(turned, m, x->n, ni, x->n, rows);
		for (int r = 0; r < ni; r++)
		{
			float	   *c = x->c + (size_t) (i + r) * x->ldc;
			const float *base = x->base == NULL ? NULL :
				x->base + (ptrdiff_t) (i + r) * x->ldbase;

			for (int j = 0; j < x->n; j++)
				c[j] = (base != NULL ? base[j] : 0) + rows[r * x->n + j];
		}
	}
}

/*
 * The same for A that is transposed, and wider than B: by way of C's
 * transpose, B^T A, for A's rows are long, and stay where they are.
 */
static void
multiply_turned(const GsProduct *x)
{
	float		turned[TURN_MAX * COLUMNS];
	int			columns = strata(x->m, COLUMNS);

	for (int i = 0; i < x->m; i += columns)
	{
		int			ni = min(columns, x->m - i);

		multiply(&(GsProduct) {
				 .transpose_a = true,.m = x->n,.n = ni,.k = x->k,
				 .a = x->b,.lda = x->ldb,.b = x->a + i,.ldb = x->lda,
				 .c = turned,.ldc = ni});
		put_turned(x, i, ni, turned);
	}
}

/*
 * gs_matrix_valid
 *
 * True if a row-major matrix of these dimensions is well-formed, and its
 * elements can be counted in an int.
 */
bool
gs_matrix_valid(const void *a, int rows, int columns, int ld)
{
	return a != NULL && rows >= 1 && columns >= 1 && ld >= columns &&
		ld <= INT_MAX / rows;
}

/*
 * gs_sgemm
 *
 * C = op(A) op(B) + base, as GsProduct says.  Without a base, C's former
 * contents are not read.  C must not overlap A or B.  An element of C is a
 * function of its row of op(A), its column of op(B), its base, and of k: the
 * same bits on every processor, and whatever other rows and columns are
 * computed with it; those of a product with a transposed A depend on m and n,
 * too.
 *
 * Returns false, with C untouched, if a pointer is NULL, a dimension below 1,
 * a leading dimension below its number of columns, or a matrix larger than
 * INT_MAX elements; or if there is work on rows, but A is transposed.
 */
bool
gs_sgemm(const GsProduct *product)
{
	const GsProduct *x = product;

	if (!gs_matrix_valid(x->a, x->transpose_a ? x->k : x->m,
						 x->transpose_a ? x->m : x->k, x->lda) ||
		!gs_matrix_valid(x->b, x->transpose_b ? x->n : x->k,
						 x->transpose_b ? x->k : x->n, x->ldb) ||
		!gs_matrix_valid(x->c, x->m, x->n, x->ldc) ||
		(x->base != NULL && x->ldbase != 0 &&
		 !gs_matrix_valid(x->base, x->m, x->n, x->ldbase)) ||
		(x->transpose_a && x->work != NULL))
		return false;

	if (x->transpose_a && !x->transpose_b && x->n < x->m &&
		x->n <= TURN_MAX)
		multiply_turned(x);
	else
		multiply(x);
	return true;
}
