/*
 * draw.c
 *	  Values of random bits, and levels ready to be stored.
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

/*
 * gs_pack_levels: gives levels the short header with which a heap tuple stores them, and
 * GS_PACKED_BYTES to be read, if none is longer.  Returns whether it did.
 */
bool
gs_pack_levels(Datum *level, int nlevels)
{
	char	   *packed;

	for (int i = 0; i < nlevels; i++)
	{
		struct varlena *value = (struct varlena *) DatumGetPointer(level[i]);

		if (value != NULL &&
			(!VARATT_CAN_MAKE_SHORT(value) ||
			 VARATT_CONVERTED_SHORT_SIZE(value) > GS_PACKED_BYTES))
			return false;
	}
	/* aligned, so that a value is in one line of the cache */
	packed = palloc0((Size) GS_PACKED_BYTES * (nlevels + 1));
	packed = (char *) TYPEALIGN(GS_PACKED_BYTES, packed);
	for (int i = 0; i < nlevels; i++, packed += GS_PACKED_BYTES)
	{
		struct varlena *value = (struct varlena *) DatumGetPointer(level[i]);
		Size		size;

		if (value == NULL)
			continue;
		size = VARATT_CONVERTED_SHORT_SIZE(value);
		SET_VARSIZE_SHORT(packed, size);
		memcpy(packed + VARHDRSZ_SHORT, VARDATA(value),
			   size - VARHDRSZ_SHORT);
		level[i] = PointerGetDatum(packed);
	}
	return true;
}
