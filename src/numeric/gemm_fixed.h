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
extern bool gs_gemm_fixed(const GsProduct *product);

#endif
