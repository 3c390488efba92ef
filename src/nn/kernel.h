/*
 * kernel.h
 *	  What the vector kernels of this room share.
 *
 * To be included after all other headers: it sets how the file's functions
 * are compiled.  Loops are vectorised, and nothing is contracted to fused
 * operations or reordered, so every clone of a kernel gives the same bits
 * (see clones.h).  Sums that are to be vectorised are written out in lanes.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_NN_KERNEL_H
#define GENSYNTH_NN_KERNEL_H

#include <math.h>
#include <string.h>

#include "../numeric/clones.h"

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize ("O3,fp-contract=off,no-math-errno,no-trapping-math")
#endif

/* before a loop whose vectors may be the same, but don't overlap otherwise */
#if defined(__GNUC__) && !defined(__clang__)
#define IVDEP _Pragma("GCC ivdep")
#else
#define IVDEP
#endif

#define LANES	16

/* the sum of the lanes, in a fixed order */
static GS_ALWAYS_INLINE gs_real
lanes_sum(const gs_real *lane)
{
	gs_real		sum = 0;

	for (int l = 0; l < LANES / 2; l++)
		sum += lane[l] + lane[l + LANES / 2];
	return sum;
}

static GS_ALWAYS_INLINE gs_real
real_sqrt(gs_real x)
{
#ifdef GS_NN_DOUBLE
	return sqrt(x);
#else
	return sqrtf(x);
#endif
}

/*
 * exp(x), to 2 units in the last place; x is clamped to [-87, 88], so that
 * results are normal numbers.  A NaN stays one.
 *
 * x = n log 2 + r with |r| <= log 2 / 2, and exp(x) = 2^n exp(r), exp(r) by
 * its Taylor series up to r^7; n is rounded by adding 1.5 2^23, which moves
 * it to the low bits.
 */
static GS_ALWAYS_INLINE gs_real
real_exp(gs_real x)
{
#ifdef GS_NN_DOUBLE
	return exp(x);
#else
	const float magic = 12582912.0f;
	float		n;
	float		r;
	float		y;
	float		scale;
	int32_t		bits;

	x = x < -87.0f ? -87.0f : x;
	x = x > 88.0f ? 88.0f : x;
	n = x * 1.44269504f + magic;
	memcpy(&bits, &n, sizeof(bits));
	bits = (int32_t) (((uint32_t) bits + 127u) << 23);
	memcpy(&scale, &bits, sizeof(scale));
	n -= magic;
	r = x - n * 0.693359375f;	/* exact: the constant has few bits */
	r = r - n * -2.12194440e-4f;
	y = 1.0f / 5040;
	y = y * r + 1.0f / 720;
	y = y * r + 1.0f / 120;
	y = y * r + 1.0f / 24;
	y = y * r + 1.0f / 6;
	y = y * r + 0.5f;
	y = y * r + 1.0f;
	y = y * r + 1.0f;
	return y * scale;
#endif
}

#endif
