/*
 * blas.h
 *	  The only door to OpenBLAS and LAPACK.
 *
 * All matrices are row-major.  Dimensions are checked here, since xerbla
 * prints and returns.  Every function that can fail returns false and leaves
 * reporting to its caller.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_BLAS_H
#define GENSYNTH_BLAS_H

#include <stdbool.h>

extern void gs_blas_init(void);
extern bool gs_blas_prepare(void);
extern bool gs_sgemm(int m, int n, int k, const float *a, int lda,
					 const float *b, int ldb, float *c, int ldc);
extern bool gs_sgemm_add(bool transpose_a, bool transpose_b, int m, int n,
						 int k, float alpha, const float *a, int lda,
						 const float *b, int ldb, float beta, float *c,
						 int ldc);
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
 * C = op(A) op(B) + base, with shapes and leading dimensions as for
 * gs_sgemm_add.
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
	const float *rounded;		/* op(B) by gs_gemm_round, or NULL */
	const float *base;			/* [m][n]; NULL: zeros; may be C */
	int			ldbase;			/* 0: every row is the same */
	float	   *c;
	int			ldc;
	const GsRowWork *work;		/* or NULL; A isn't transposed then */
} GsProduct;

extern bool gs_sgemm_fixed(const GsProduct *product);
extern size_t gs_gemm_rounded_size(int n, int k);
extern void gs_gemm_round(bool transpose_b, int n, int k, const float *b,
						  int ldb, float *to);
extern bool gs_dgemm_add(bool transpose_a, bool transpose_b, int m, int n,
						 int k, double alpha, const double *a, int lda,
						 const double *b, int ldb, double beta, double *c,
						 int ldc);
extern bool gs_ssyrk(int n, int k, const float *a, int lda, float *c, int ldc);
extern bool gs_cholesky(int n, double *a);
extern bool gs_correlation_repair(int n, double *a, double floor);

#endif
