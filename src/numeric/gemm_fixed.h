/*
 * gemm_fixed.h
 *	  Products of float matrices in fixed-point arithmetic.  For blas.c, through
 *	  which everybody else goes.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_GEMM_FIXED_H
#define GENSYNTH_GEMM_FIXED_H

#include "blas.h"

extern bool gs_gemm_fixed_point;
extern bool gs_gemm_fixed(bool transpose_a, bool transpose_b, int m, int n,
						  int k, const float *a, int lda, const float *b,
						  int ldb, float beta, float *c, int ldc,
						  const GsRowWork *work);

#endif
