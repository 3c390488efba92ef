/*
 * noise.c
 *	  Exact discrete noise for differentially private counts.
 *
 * The discrete Gaussian N_Z(0, sigma^2) takes the integer x with a probability
 * proportional to exp(-x^2 / (2 sigma^2)).  It is drawn as Canonne, Kamath and
 * Steinke do it (The Discrete Gaussian for Differential Privacy, NeurIPS 2020,
 * arXiv 2004.00010, algorithms 1 to 3): by coins whose probabilities are
 * rational, or exp of a rational, tossed with integers alone.  So no rounding
 * of floating-point numbers tells of a count what its noise was to hide
 * (Mironov, CCS 2012).
 *
 * Exact with one exception: a Laplace variate of GS_FAR scales or more is
 * drawn again, where it would be accepted with a probability below
 * exp(-32,000), so that all integers fit in 128 bits.
 */
#include "privacy/noise.h"

#include <math.h>

#define GS_FAR	256				/* scales that a variate is less than */

/*
 * All bits from the highest one of n > 0 down.
 */
static uint64_t
bits_below(uint64_t n)
{
	return UINT64_MAX >> __builtin_clzll(n);
}

/*
 * A uniform integer from 0 to n - 1, n > 0.
 */
static __uint128_t
uniform(__uint128_t n, const GsWords *words)
{
	uint64_t	high = (uint64_t) ((n - 1) >> 64);
	uint64_t	low = (uint64_t) (n - 1);
	__uint128_t value;

	if (n == 1)
		return 0;
	/* one word does but for the last of coins, and is much faster */
	if (high == 0)
	{
		uint64_t	word;

		do
			word = words->next(words->arg) & bits_below(low);
		while (word > low);
		return word;
	}
	do
	{
		value = words->next(words->arg) & bits_below(high);
		value = value << 64 | words->next(words->arg);
	} while (value >= n);
	return value;
}

/*
 * True with probability num / den.
 */
static bool
coin(__uint128_t num, __uint128_t den, const GsWords *words)
{
	return num >= den || uniform(den, words) < num;
}

/*
 * True with probability exp(-num / den), num <= den: algorithm 1.  The coin
 * of num / (den k) is one of num / den and one of 1 / k.
 */
static bool
coin_exp_small(__uint128_t num, __uint128_t den, const GsWords *words)
{
	uint64_t	k = 1;

	while (coin(num, den, words) && coin(1, k, words))
		k++;
	return k % 2 == 1;
}

/*
 * gs_coin_exp: true with probability exp(-num / den), den > 0.
 */
bool
gs_coin_exp(__uint128_t num, __uint128_t den, const GsWords *words)
{
	for (; num > den; num -= den)
		if (!coin_exp_small(1, 1, words))
			return false;
	return coin_exp_small(num, den, words);
}

/*
 * gs_laplace_draw: an integer x with a probability proportional to
 * exp(-|x| / scale), of less than GS_FAR scales: algorithm 2.  scale: from 1
 * to 2^48.
 */
int64_t
gs_laplace_draw(uint64_t scale, const GsWords *words)
{
	for (;;)
	{
		uint64_t	rest = (uint64_t) uniform(scale, words);
		uint64_t	scales = 0;
		uint64_t	size;
		bool		negative;

		if (!coin_exp_small(rest, scale, words))
			continue;
		while (coin_exp_small(1, 1, words))
			scales++;
		if (scales >= GS_FAR)
			continue;
		size = rest + scale * scales;
		negative = words->next(words->arg) & 1;
		/* 0 has one sign */
		if (negative && size == 0)
			continue;
		return negative ? -(int64_t) size : (int64_t) size;
	}
}

/*
 * The largest integer whose square is at most n.
 */
static uint64_t
root(uint64_t n)
{
	uint64_t	r = (uint64_t) sqrt((double) n);

	while ((__uint128_t) r * r > n)
		r--;
	while ((__uint128_t) (r + 1) * (r + 1) <= n)
		r++;
	return r;
}

/*
 * gs_noise_init: noise with sigma^2 = num / den.
 *
 * False unless sigma^2 is from 2^-20 to 2^40, and den small enough for all
 * that is computed to fit in 128 bits: below 2^16 always is.
 */
bool
gs_noise_init(GsNoise *noise, uint64_t num, uint64_t den)
{
	__uint128_t far;
	__uint128_t wide;

	if (num == 0 || den == 0 || num / den > UINT64_C(1) << 40 ||
		den / num > UINT64_C(1) << 20)
		return false;
	noise->num = num;
	noise->den = den;
	/* the floor of sigma, which is that of the root of sigma^2's floor */
	noise->scale = root(num / den) + 1;
	/* |x| scale den - num, whose square is divided by 2 scale^2 den num */
	far = (__uint128_t) noise->scale * noise->scale * GS_FAR;
	wide = 2 * (__uint128_t) noise->scale * noise->scale;
	return far <= (UINT64_MAX - num) / den &&
		wide <= ~(__uint128_t) 0 / den / num;
}

/*
 * gs_noise_draw: a variate of the discrete Gaussian: algorithm 3.
 */
int64_t
gs_noise_draw(const GsNoise *noise, const GsWords *words)
{
	__uint128_t den = 2 * (__uint128_t) noise->scale * noise->scale *
		noise->den * noise->num;

	for (;;)
	{
		int64_t		x = gs_laplace_draw(noise->scale, words);
		uint64_t	size = (uint64_t) (x < 0 ? -x : x) * noise->scale *
			noise->den;
		__uint128_t off = size > noise->num ? size - noise->num :
			noise->num - size;

		if (gs_coin_exp(off * off, den, words))
			return x;
	}
}
