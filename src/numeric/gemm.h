/*
 * gemm.h
 *	  Products of float matrices: the same bits on every processor, and for
 *	  many threads at the same time.
 *
 * All matrices are row-major.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_GEMM_H
#define GENSYNTH_GEMM_H

#include <stdbool.h>

/*
 * What is done with rows of a product A op(B) next to it, while the cache has
 * them: "before" A's or C's are looked at, and "after" C's are there.  Each row
 * once, in order; either may be NULL.
 */
typedef struct GsRowWork
{
	void		(*before) (void *arg, int first, int rows);
	void		(*after) (void *arg, int first, int rows);
	void	   *arg;
} GsRowWork;

/*
 * C = op(A) op(B) + base, where op(A) is A [m][k], or the transpose of A
 * [k][m], and op(B) is B [k][n], or the transpose of B [n][k].  Leading
 * dimensions are those of matrices as stored.
 */
typedef struct GsProduct
{
	bool		transpose_a;
	bool		transpose_b;
	int			m;				/* rows of C and op(A) */
	int			n;				/* columns of C and op(B) */
	int			k;				/* columns of op(A), rows of op(B) */
	const float *a;
	int			lda;
	const float *b;
	int			ldb;
	const float *base;			/* [m][n]; NULL: zeros; may be C */
	int			ldbase;			/* 0: every row is the same */
	float	   *c;
	int			ldc;
	const GsRowWork *work;		/* or NULL; A isn't transposed then */
} GsProduct;

extern bool gs_sgemm(const GsProduct *product);
/* a matrix is well-formed, and its elements can be counted in an int */
extern bool gs_matrix_valid(const void *a, int rows, int columns, int ld);

#endif
