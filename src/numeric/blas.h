/*
 * blas.h
 *	  The only door to OpenBLAS and LAPACK, and Cholesky's factors.  Products of
 *	  floats are gemm.h's.
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
extern bool gs_dgemm_add(bool transpose_a, bool transpose_b, int m, int n,
						 int k, double alpha, const double *a, int lda,
						 const double *b, int ldb, double beta, double *c,
						 int ldc);
extern bool gs_cholesky(int n, double *a);
extern bool gs_correlation_repair(int n, double *a, double floor);

#endif
