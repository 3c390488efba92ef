/*
 * siphash.c
 *	  SipHash-2-4 with 128 bits of result.  See siphash.h.
 *
 * Words are read as little-endian, so that a hash is the same on all
 * machines.
 *
 * Plain C: no postgres.h.
 */
#include "mask/siphash.h"

static inline uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
round_once(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* no loops: the compiler keeps v in registers then */
static inline void
take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	round_once(v);
	round_once(v);
	v[0] ^= word;
}

static inline void
mix(uint64_t v[4])
{
	round_once(v);
	round_once(v);
	round_once(v);
	round_once(v);
}

static inline void
begin(uint64_t v[4], const uint64_t key[2])
{
	v[0] = key[0] ^ UINT64_C(0x736f6d6570736575);
	v[1] = key[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee;
	v[2] = key[0] ^ UINT64_C(0x6c7967656e657261);
	v[3] = key[1] ^ UINT64_C(0x7465646279746573);
}

static inline uint64_t
finish(uint64_t v[4], uint64_t last)
{
	take(v, last);
	v[2] ^= 0xee;
	mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline uint64_t
finish_second(uint64_t v[4])
{
	v[1] ^= 0xdd;
	mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/*
 * gs_siphash_begin: begins a hash under a key, its first eight bytes, as a
 * little-endian number, first.  Cannot fail.
 */
void
gs_siphash_begin(GsSipHash *hash, const uint64_t key[2])
{
	begin(hash->v, key);
	hash->tail = hash->length = 0;
}

/*
 * gs_siphash_add: takes len bytes more.  Cannot fail.
 */
void
gs_siphash_add(GsSipHash *hash, const void *data, size_t len)
{
	const unsigned char *byte = data;
	size_t		i = 0;

	if (hash->length % 8 == 0)
	{
		uint64_t	v[4] = {hash->v[0], hash->v[1], hash->v[2], hash->v[3]};

		for (; i + 8 <= len; i += 8)
		{
			uint64_t	word = 0;

			for (int k = 0; k < 8; k++)
				word |= (uint64_t) byte[i + k] << 8 * k;
			take(v, word);
		}
		for (int k = 0; k < 4; k++)
			hash->v[k] = v[k];
		hash->length += i;
	}
	for (; i < len; i++)
	{
		hash->tail |= (uint64_t) byte[i] << 8 * (hash->length % 8);
		if (++hash->length % 8 == 0)
		{
			take(hash->v, hash->tail);
			hash->tail = 0;
		}
	}
}

/*
 * gs_siphash_end: the hash of all that was added: the first eight bytes of the
 * reference implementation's, as a little-endian number, and the others.
 * Cannot fail.
 */
void
gs_siphash_end(GsSipHash *hash, uint64_t result[2])
{
	uint64_t	v[4] = {hash->v[0], hash->v[1], hash->v[2], hash->v[3]};

	result[0] = finish(v, hash->tail | hash->length << 56);
	result[1] = finish_second(v);
}

/*
 * gs_siphash_word: the first half of the hash of one word of eight bytes.
 * Cannot fail.
 */
uint64_t
gs_siphash_word(const uint64_t key[2], uint64_t word)
{
	uint64_t	v[4];

	begin(v, key);
	take(v, word);
	return finish(v, UINT64_C(8) << 56);
}

/*
 * gs_siphash_words: the first half of the hash of two words of eight bytes.
 * Cannot fail.
 */
uint64_t
gs_siphash_words(const uint64_t key[2], uint64_t first, uint64_t second)
{
	uint64_t	v[4];

	begin(v, key);
	take(v, first);
	take(v, second);
	return finish(v, UINT64_C(16) << 56);
}

/*
 * gs_siphash_pair: the hash of two words of eight bytes.  Cannot fail.
 */
void
gs_siphash_pair(const uint64_t key[2], uint64_t first, uint64_t second,
				uint64_t result[2])
{
	uint64_t	v[4];

	begin(v, key);
	take(v, first);
	take(v, second);
	result[0] = finish(v, UINT64_C(16) << 56);
	result[1] = finish_second(v);
}

/*
 * gs_siphash_series: the hashes of words of eight bytes with one more, which is
 * last, last + 1, ...: as many as make so many numbers of 64 bits.
 *
 * result: [numbers], in the order of the hashes' bytes.  Two hashes at a time,
 * for neither waits for the other.  Cannot fail.
 */
void
gs_siphash_series(const uint64_t key[2], const uint64_t *words, int n,
				  uint64_t last, int numbers, uint64_t *result)
{
	uint64_t	length = (uint64_t) (n + 1) * 8 << 56;
	uint64_t	v[4];

	begin(v, key);
	for (int i = 0; i < n; i++)
		take(v, words[i]);
	for (; numbers > 2; numbers -= 4, last += 2, result += 4)
	{
		uint64_t	a[4] = {v[0], v[1], v[2], v[3]};
		uint64_t	b[4] = {v[0], v[1], v[2], v[3]};

		take(a, last);
		take(b, last + 1);
		result[0] = finish(a, length);
		result[2] = finish(b, length);
		result[1] = finish_second(a);
		if (numbers > 3)
			result[3] = finish_second(b);
	}
	if (numbers <= 0)
		return;
	take(v, last);
	result[0] = finish(v, length);
	if (numbers > 1)
		result[1] = finish_second(v);
}
