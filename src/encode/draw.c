/*
 * draw.c
 *	  Values that are made of random bits.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "encode/decode.h"

/*
 * gs_draw_uuid: appends a random uuid (version 4).
 */
void
gs_draw_uuid(StringInfo out, GsRandom *random)
{
	uint32		word[4];

	for (int i = 0; i < 4; i++)
		word[i] = gs_random_u32(random);
	appendStringInfo(out, "%08x-%04x-4%03x-%04x-%04x%08x",
					 word[0], word[1] >> 16, word[1] & 0xFFF,
					 0x8000 | (word[2] >> 18), word[2] & 0xFFFF, word[3]);
}

/*
 * gs_draw_bits: appends random bytes in hex, or random bits.
 */
void
gs_draw_bits(StringInfo out, GsRandom *random, int length, bool bytes)
{
	static const char digits[] = "0123456789abcdef";
	int			n = bytes ? length * 2 : length;

	if (bytes)
		appendStringInfoString(out, "\\x");
	enlargeStringInfo(out, n);
	for (int i = 0; i < n; i += 8)
	{
		uint32		word = gs_random_u32(random);

		for (int k = i; k < Min(n, i + 8); k++, word >>= 4)
			out->data[out->len++] = digits[word & (bytes ? 0xF : 1)];
	}
	out->data[out->len] = '\0';
}
