/*
 * kernel.h
 *	  What the vector kernels of this room share.
 *
 * The Makefile compiles this room so that loops are vectorised, and nothing
 * is contracted to fused operations or reordered: every clone of a kernel
 * gives the same bits (see clones.h).  Sums that are to be vectorised are
 * written out in lanes.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_NN_KERNEL_H
#define GENSYNTH_NN_KERNEL_H

#include <math.h>
#include <string.h>

#include "../numeric/clones.h"

/* functions that return vectors are always inlined: no ABI is concerned */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

/* before a loop whose vectors may be the same, but don't overlap otherwise */
#if defined(__GNUC__) && !defined(__clang__)
#define IVDEP _Pragma("GCC ivdep")
#else
#define IVDEP
#endif

/*
 * Sums in lanes: element j of a row goes to lane j % 16.  The
 * compiler has vectors of that size, whatever the instruction set has.
 */
#define LANES	16
typedef gs_real Lanes __attribute__((vector_size(LANES * sizeof(gs_real))));

static GS_ALWAYS_INLINE Lanes
lanes_load(const gs_real *x)
{
	Lanes		lanes;

	memcpy(&lanes, x, sizeof(lanes));
	return lanes;
}

/* n values, below LANES; zeros in the rest */
static GS_ALWAYS_INLINE Lanes
lanes_load_part(const gs_real *x, int n)
{
	Lanes		lanes = {0};

	memcpy(&lanes, x, n * sizeof(gs_real));
	return lanes;
}

/* the sum of the lanes, in a fixed order */
static GS_ALWAYS_INLINE gs_real
lanes_sum(const Lanes *lanes)
{
	gs_real		lane[LANES];

	memcpy(lane, lanes, sizeof(lane));
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int l = 0; l < half; l++)
			lane[l] += lane[l + half];
	return lane[0];
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

/* of leaky ReLU */
#define LEAK	((gs_real) 0.2)

#endif
