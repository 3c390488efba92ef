/*
 * siphash.h
 *	  SipHash-2-4 with 128 bits of result: a keyed pseudo-random function
 *	  (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT
 *	  2012; the longer result is of their reference implementation).
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_SIPHASH_H
#define GENSYNTH_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* A hash that is under way. */
typedef struct GsSipHash
{
	uint64_t	v[4];
	uint64_t	tail;			/* bytes that do not make a word yet */
	uint64_t	length;			/* bytes so far */
} GsSipHash;

extern void gs_siphash_begin(GsSipHash *hash, const uint64_t key[2]);
extern void gs_siphash_add(GsSipHash *hash, const void *data, size_t len);
extern void gs_siphash_end(GsSipHash *hash, uint64_t result[2]);
extern uint64_t gs_siphash_word(const uint64_t key[2], uint64_t word);
extern uint64_t gs_siphash_words(const uint64_t key[2], uint64_t first,
								 uint64_t second);
extern void gs_siphash_pair(const uint64_t key[2], uint64_t first,
							uint64_t second, uint64_t result[2]);
extern void gs_siphash_series(const uint64_t key[2], const uint64_t *words,
							  int n, uint64_t last, int numbers,
							  uint64_t *result);

#endif
