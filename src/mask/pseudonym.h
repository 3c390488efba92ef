/*
 * pseudonym.h
 *	  Pseudonyms: a keyed bijection of each format of texts, and of numbers,
 *	  onto itself, so that equal stays equal and unique stays unique.
 *
 * The format of a text is its length and, place by place, a digit, a lower or
 * an upper letter, another letter of its block, or the character itself.  The
 * places that vary are one number in mixed radix, which goes through a Feistel
 * network of ten rounds with cycle-walking, as FF1 of NIST SP 800-38G has it,
 * with SipHash-2-4 as the rounds' function.
 *
 * It hides values from those who do not have the key.  It is no encryption to
 * be relied on against those who can have pseudonyms made at will, and it
 * hides neither a value's format nor how often it comes.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_PSEUDONYM_H
#define GENSYNTH_PSEUDONYM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A format of fewer values is refused: a table of all is soon made. */
#define GS_PSEUDONYM_LEAST	1000

typedef struct GsPseudonymKey
{
	uint64_t	word[2];
} GsPseudonymKey;

extern bool gs_pseudonym_text(const GsPseudonymKey *key, char *text,
							  size_t len, bool utf8);
extern int64_t gs_pseudonym_integer(const GsPseudonymKey *key, int64_t value,
									int64_t most);

#endif
