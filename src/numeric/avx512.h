/*
 * avx512.h
 *	  What kernels written for AVX-512 share.  To be included where that may be:
 *	  by gcc and clang, for x86-64.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_AVX512_H
#define GENSYNTH_AVX512_H

#include <immintrin.h>

#include "clones.h"

#define GS_AVX512 __attribute__((target("avx512f")))
#define GS_LANES	16			/* floats, or words, of a vector */

/* the mask of a vector's first n lanes; none below 1 */
static GS_AVX512 GS_ALWAYS_INLINE __mmask16
gs_first_lanes(int n)
{
	return n >= GS_LANES ? 0xFFFF : n <= 0 ? 0 : (__mmask16) ((1u << n) - 1);
}

#endif
