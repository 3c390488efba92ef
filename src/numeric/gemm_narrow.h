/*
 * gemm_narrow.h
 *	  Products of float matrices of which one dimension is at most 16.  For
 *	  gemm.c.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_GEMM_NARROW_H
#define GENSYNTH_GEMM_NARROW_H

#include <stdbool.h>

extern bool gs_gemm_narrow(bool transpose_a, bool transpose_b, int m, int n,
						   int k, float alpha, const float *a, int lda,
						   const float *b, int ldb, float beta, float *c,
						   int ldc);

#endif
