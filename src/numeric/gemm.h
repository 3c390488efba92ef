/*
 * gemm.h
 *	  Products of float matrices that threads may compute at the same time.
 *	  For blas.c, through which everybody else goes.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_GEMM_H
#define GENSYNTH_GEMM_H

#include <stdbool.h>
#include <stddef.h>

extern int	gs_gemm_vector;
extern void gs_gemm(bool transpose_a, bool transpose_b, int m, int n, int k,
					float alpha, const float *a, int lda, const float *b,
					int ldb, float beta, float *c, int ldc);

#endif
