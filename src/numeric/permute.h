/*
 * permute.h
 *	  Keyed permutations of [0, n): the i-th of n things in an order that looks
 *	  random, computed from i alone.
 *
 * A Feistel network (Luby and Rackoff, "How to construct pseudorandom
 * permutations from pseudorandom functions", SIAM J. Comput. 17(2), 1988) over
 * the least power of two that is n or more, and cycle-walking to stay below n
 * (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002).
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_PERMUTE_H
#define GENSYNTH_PERMUTE_H

#include <stdint.h>

#define GS_PERMUTE_ROUNDS	8

typedef struct GsPermutation
{
	uint64_t	n;				/* of [0, n) */
	int			low_bits;		/* of the right half */
	uint64_t	low_mask;
	uint64_t	high_mask;		/* of the left half, shifted down */
	uint64_t	round[GS_PERMUTE_ROUNDS];	/* keys */
} GsPermutation;

extern void gs_permute_init(GsPermutation *permutation, uint64_t n,
							uint64_t key);
extern uint64_t gs_permute(const GsPermutation *permutation, uint64_t i);

#endif
