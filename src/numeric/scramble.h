/*
 * scramble.h
 *	  Points that fill [0, 1) evenly, in an order that looks random.
 *
 * The first 2^m points of a van der Corput sequence have one point in each
 * 2^-m of [0, 1), and so has each block of 2^m points from a multiple of it on.
 * That stays so if each block's points are exchanged with each other: a hash in
 * which a bit depends on lower ones only does that to the reversed bits of a
 * number (Laine and Karras, "Stratified sampling for stochastic transparency",
 * Computer Graphics Forum 30, 2011; Burley, "Practical hash-based Owen
 * scrambling", J. Computer Graphics Techniques 9, 2020).  Sequences of
 * different seeds are independent of each other.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_SCRAMBLE_H
#define GENSYNTH_SCRAMBLE_H

#include <stdint.h>

static inline uint32_t
gs_bits_reversed(uint32_t x)
{
	x = (x << 16) | (x >> 16);
	x = ((x & 0x00FF00FF) << 8) | ((x >> 8) & 0x00FF00FF);
	x = ((x & 0x0F0F0F0F) << 4) | ((x >> 4) & 0x0F0F0F0F);
	x = ((x & 0x33333333) << 2) | ((x >> 2) & 0x33333333);
	return ((x & 0x55555555) << 1) | ((x >> 1) & 0x55555555);
}

/*
 * The point of a sequence, of 2^32, whose number has these bits reversed.
 */
static inline uint32_t
gs_scrambled(uint32_t reversed, uint32_t seed)
{
	uint32_t	x = reversed + seed;

	x ^= x * 0x6C50B47C;
	x ^= x * 0xB82F1E52;
	x ^= x * 0xC7AFE638;
	x ^= x * 0x8D22F6E6;
	return x;
}

/*
 * A seed from a key and a number (the finaliser of MurmurHash3).
 */
static inline uint32_t
gs_scramble_seed(uint32_t key, uint32_t number)
{
	uint32_t	x = key + number * 0x9E3779B9;

	x = (x ^ (x >> 16)) * 0x85EBCA6B;
	x = (x ^ (x >> 13)) * 0xC2B2AE35;
	return x ^ (x >> 16);
}

#endif
