/*
 * pack.c
 *	  Levels that are ready to be copied into a heap tuple.
 */
#include "postgres.h"

#include "encode/decode.h"

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
