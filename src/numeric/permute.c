/*
 * permute.c
 *	  Keyed permutations of [0, n).
 *
 * The network's two halves differ by at most one bit, so that its domain is
 * less than twice n and a walk takes less than two steps on average.  Rounds
 * alternate: the left half is changed by a function of the right one, then the
 * right by one of the left; each is its own inverse, so their product is a
 * bijection whatever the function is.  Four rounds of random functions are
 * indistinguishable from a random permutation on large domains (Luby and
 * Rackoff 1988); eight, as small ones need more.
 *
 * Plain C: no postgres.h.
 */
#include "permute.h"
#include "philox.h"

/*
 * gs_permute_init
 *
 * Sets up the permutation of [0, n) under a key; n >= 1 (0 is taken as 1).
 * Cannot fail.
 */
void
gs_permute_init(GsPermutation *permutation, uint64_t n, uint64_t key)
{
	int			bits = 0;
	int			high_bits;
	int			i;

	permutation->n = n > 0 ? n : 1;
	while (bits < 64 && ((permutation->n - 1) >> bits) != 0)
		bits++;
	high_bits = bits / 2;
	permutation->low_bits = bits - high_bits;
	permutation->low_mask = (UINT64_C(1) << permutation->low_bits) - 1;
	permutation->high_mask = (UINT64_C(1) << high_bits) - 1;
	for (i = 0; i < GS_PERMUTE_ROUNDS; i++)
		permutation->round[i] = gs_mix64(key, (uint64_t) i);
}

/*
 * A round's function: 32 bits of a half under a round key, each of which
 * depends on all bits of both.
 */
static inline uint64_t
mix_half(uint64_t key, uint64_t half)
{
	uint64_t	x = (key ^ half) * UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ (x >> 32)) * UINT64_C(0xD6E8FEB86659FD93);
	return x >> 32;
}

/*
 * gs_permute
 *
 * The element at place i, for i < n; all places have different ones.  An i
 * that is not below n gives some element.  Takes less than two passes
 * through the network on average; a walk that began below n comes back there.  Cannot fail.
 */
uint64_t
gs_permute(const GsPermutation *permutation, uint64_t i)
{
	uint64_t	low_mask = permutation->low_mask;
	uint64_t	high_mask = permutation->high_mask;
	const uint64_t *round = permutation->round;

	if (i >= permutation->n)
		i %= permutation->n;
	do
	{
		uint64_t	low = i & low_mask;
		uint64_t	high = i >> permutation->low_bits;
		int			r;

		for (r = 0; r < GS_PERMUTE_ROUNDS; r += 2)
		{
			high ^= mix_half(round[r], low) & high_mask;
			low ^= mix_half(round[r + 1], high) & low_mask;
		}
		i = high << permutation->low_bits | low;
	} while (i >= permutation->n);
	return i;
}
