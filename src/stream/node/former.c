/*
 * former.c
 *	  Heap tuples, many at a time.
 *
 * What heap_form_tuple makes of one row in two passes, the first of which
 * measures, is here made in one, into memory that is sure to suffice; what
 * there is to know of a column is found out beforehand.  This knows the layout
 * of tuples, so it is for the majors that it was tested on: see GS_OWN_TUPLES.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/pg_type.h"

#include "encode/decode.h"
#include "compat.h"
#include "numeric/clones.h"
#include "stream/node/former.h"

#if GS_OWN_TUPLES

typedef enum FormKind
{
	FORM_PACKED,				/* see gs_decoder_is_packed */
	FORM_VARLENA,
	FORM_BYVAL,
	FORM_FIXED
} FormKind;

typedef struct FormColumn
{
	FormKind	kind;
	int16		len;
	bool		may_pack;		/* a short header is welcome */
	bool		aligned;		/* without nulls, where the one before ends */
	int			align;			/* bytes */
} FormColumn;

struct GsFormer
{
	int			natts;
	FormColumn *columns;
	Size		fixed;			/* bytes of a tuple, at most, but for ... */
	bool		varies;			/* ... FORM_VARLENA */
	bool		plain;			/* see append_plain */
	HeapTupleHeaderData header; /* of a tuple without nulls */
};

static int
align_bytes(char align)
{
	switch (align)
	{
		case TYPALIGN_CHAR:
			return 1;
		case TYPALIGN_SHORT:
			return ALIGNOF_SHORT;
		case TYPALIGN_INT:
			return ALIGNOF_INT;
		default:
			return ALIGNOF_DOUBLE;
	}
}

static FormKind
find_kind(Form_pg_attribute attribute, bool packed)
{
	if (attribute->attlen < 0)
	{
		Assert(attribute->attlen == -1);	/* cstring is no column's type */
		return packed && attribute->attstorage != TYPSTORAGE_PLAIN ?
			FORM_PACKED : FORM_VARLENA;
	}
	return attribute->attbyval ? FORM_BYVAL : FORM_FIXED;
}

/*
 * gs_former_create: prepares for rows of a descriptor, which outlives the
 * former, in the current context.
 *
 * packed: [natts] what gs_decoder_is_packed says of each column
 */
GsFormer *
gs_former_create(TupleDesc desc, const bool *packed)
{
	int			natts = desc->natts;
	GsFormer   *former = palloc0(sizeof(GsFormer));

	former->natts = natts;
#ifndef WORDS_BIGENDIAN
	former->plain = true;
#endif
	former->columns = palloc0(sizeof(FormColumn) * Max(natts, 1));
	former->fixed = MAXALIGN(SizeofHeapTupleHeader + BITMAPLEN(natts)) +
		2 * MAXIMUM_ALIGNOF + GS_PACKED_BYTES;
	HeapTupleHeaderSetTypeId(&former->header, desc->tdtypeid);
	HeapTupleHeaderSetTypMod(&former->header, desc->tdtypmod);
	ItemPointerSetInvalid(&former->header.t_ctid);
	HeapTupleHeaderSetNatts(&former->header, natts);
	former->header.t_hoff = MAXALIGN(SizeofHeapTupleHeader);
	for (int i = 0; i < natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		FormColumn *column = &former->columns[i];

		column->kind = find_kind(attribute, packed[i]);
		column->len = attribute->attlen;
		column->align = align_bytes(attribute->attalign);
		column->aligned = i > 0 && column->kind == FORM_BYVAL &&
			column[-1].kind == FORM_BYVAL &&
			column[-1].align % column->align == 0 &&
			column[-1].len % column->align == 0;
		column->may_pack = attribute->attstorage != TYPSTORAGE_PLAIN;
		former->varies |= column->kind == FORM_VARLENA;
		former->plain &= column->kind == FORM_PACKED ||
			column->kind == FORM_BYVAL;
		former->fixed += column->align + Max(column->len, 0) +
			(column->kind == FORM_PACKED ? GS_PACKED_BYTES : 0);
		/* where all of them are NULL the flag is one too many: no harm */
		if (column->len < 0)
			former->header.t_infomask |= HEAP_HASVARWIDTH;
	}
	return former;
}

/*
 * Moves on to where a value of an alignment goes.  Tuples begin aligned, so
 * the address tells; what is skipped is zero.
 */
static inline char *
align_end(char *end, int align)
{
	char	   *aligned = (char *) TYPEALIGN(align, (uintptr_t) end);

	memset(end, 0, MAXIMUM_ALIGNOF);
	return aligned;
}

/*
 * One varlena of any kind, with a short header if it can have one.
 */
static char *
append_varlena(const FormColumn *column, char *end, struct varlena *value)
{
	Size		size = VARSIZE_ANY(value);

	if (column->may_pack && VARATT_CAN_MAKE_SHORT(value))
	{
		size = VARATT_CONVERTED_SHORT_SIZE(value);
		SET_VARSIZE_SHORT(end, size);
		memcpy(end + VARHDRSZ_SHORT, VARDATA(value), size - VARHDRSZ_SHORT);
		return end + size;
	}
	if (!VARATT_IS_SHORT(value))
		end = align_end(end, column->align);
	memcpy(end, value, size);
	return end + size;
}

/*
 * A tuple's header, to which its data is to be appended.  nulls: NULL if there
 * are none.
 */
static char *
begin_tuple(const GsFormer *former, HeapTuple tuple, char *at,
			const bool *nulls)
{
	HeapTupleHeader header = (HeapTupleHeader) at;

	ItemPointerSetInvalid(&tuple->t_self);
	tuple->t_tableOid = InvalidOid;
	tuple->t_data = header;
	memcpy(header, &former->header, MAXALIGN(SizeofHeapTupleHeader));
	if (nulls != NULL)
	{
		int			length = BITMAPLEN(former->natts);

		header->t_hoff = MAXALIGN(SizeofHeapTupleHeader + length);
		header->t_infomask |= HEAP_HASNULL;
		memset(header->t_bits, 0, header->t_hoff - SizeofHeapTupleHeader);
		for (int i = 0; i < length; i++)
		{
			int			n = Min(former->natts - 8 * i, 8);
			bits8		bits = 0;

			for (int k = 0; k < n; k++)
				bits |= !nulls[8 * i + k] << k;
			header->t_bits[i] = bits;
		}
	}
	return at + header->t_hoff;
}

/*
 * A row's values after its header.  Returns the tuple's end.
 */
static char *
append_values(const GsFormer *former, const Datum *values, const bool *nulls,
			  char *end)
{
	for (int c = 0; c < former->natts; c++)
	{
		const FormColumn *column = &former->columns[c];
		Datum		value = values[c];

		if (nulls[c])
			continue;
		switch (column->kind)
		{
			case FORM_PACKED:
				/* what is copied beyond the value is overwritten */
				memcpy(end, DatumGetPointer(value), GS_PACKED_BYTES);
				end += VARSIZE_SHORT(DatumGetPointer(value));
				break;
			case FORM_VARLENA:
				end = append_varlena(column, end,
									 (struct varlena *) DatumGetPointer(value));
				break;
			case FORM_BYVAL:
				end = align_end(end, column->align);
				store_att_byval(end, value, column->len);
				end += column->len;
				break;
			case FORM_FIXED:
				end = align_end(end, column->align);
				memcpy(end, DatumGetPointer(value), column->len);
				end += column->len;
				break;
		}
	}
	return end;
}

/*
 * The same for a row all of whose values are packed or begin their Datums.
 * nulls: NULL if there are none.  Inlined for either.
 */
static pg_attribute_always_inline char *
append_plain(const GsFormer *former, const Datum *values, const bool *nulls,
			 char *end)
{
	const FormColumn *column = former->columns;
	const FormColumn *last = column + former->natts;

	for (; column < last; column++, values++)
	{
		Datum		value = *values;

		if (nulls != NULL && *nulls++)
			continue;
		/* what is copied beyond a value is overwritten */
		if (column->kind == FORM_PACKED)
		{
			Size		size = VARSIZE_SHORT(DatumGetPointer(value));

			memcpy(end, DatumGetPointer(value), GS_PACKED_BYTES);
			end += size;
		}
		else
		{
			int			len = column->len;

			if (nulls != NULL || !column->aligned)
				end = align_end(end, column->align);
			memcpy(end, &value, sizeof(Datum));
			end += len;
		}
	}
	return end;
}

/*
 * Whether a row has nulls, eight columns at a time.
 */
static inline bool
has_null(const bool *nulls, int natts)
{
	uint64		any = 0;
	uint64		some;

	if (natts < (int) sizeof(some))
		return memchr(nulls, true, natts) != NULL;
	for (int i = 0; i < natts; i += sizeof(some))
	{
		memcpy(&some, nulls + Min(i, natts - (int) sizeof(some)),
			   sizeof(some));
		any |= some;
	}
	return any != 0;
}

/*
 * The most bytes that tuples of these rows can take.
 */
static Size
max_bytes(const GsFormer *former, int nrows, const Datum *values,
		  const bool *nulls)
{
	Size		bytes = former->fixed * nrows;

	if (!former->varies)
		return bytes;
	for (int c = 0; c < former->natts; c++)
	{
		if (former->columns[c].kind != FORM_VARLENA)
			continue;
		for (Size i = c; i < (Size) nrows * former->natts; i += former->natts)
			if (!nulls[i])
				bytes += VARSIZE_ANY(DatumGetPointer(values[i]));
	}
	return bytes;
}

/*
 * gs_form_rows: nrows rows as tuples, in the current context.
 *
 * values, nulls: [nrows][natts].  The values are flat: neither toasted nor
 * expanded.
 */
GS_CLONES HeapTupleData *
gs_form_rows(const GsFormer *former, int nrows, const Datum *values,
			 const bool *nulls)
{
	int			natts = former->natts;
	HeapTupleData *tuples = palloc(sizeof(HeapTupleData) * nrows);
	bool		hasnull = memchr(nulls, true, (Size) nrows * natts) != NULL;
	char	   *at = palloc_extended(max_bytes(former, nrows, values, nulls),
									 MCXT_ALLOC_HUGE);

	for (int i = 0; i < nrows; i++, values += natts, nulls += natts)
	{
		HeapTuple	tuple = &tuples[i];
		bool		whole = !(hasnull && has_null(nulls, natts));
		char	   *end = begin_tuple(former, tuple, at,
									  whole ? NULL : nulls);

		if (!former->plain)
			end = append_values(former, values, nulls, end);
		else if (whole)
			end = append_plain(former, values, NULL, end);
		else
			end = append_plain(former, values, nulls, end);
		tuple->t_len = end - at;
		HeapTupleHeaderSetDatumLength(tuple->t_data, tuple->t_len);
		at = (char *) MAXALIGN((uintptr_t) end);
	}
	return tuples;
}

#else							/* !GS_OWN_TUPLES */

struct GsFormer
{
	TupleDesc	desc;
};

GsFormer *
gs_former_create(TupleDesc desc, const bool *packed)
{
	GsFormer   *former = palloc(sizeof(GsFormer));

	former->desc = desc;
	return former;
}

HeapTupleData *
gs_form_rows(const GsFormer *former, int nrows, const Datum *values,
			 const bool *nulls)
{
	int			natts = former->desc->natts;
	HeapTupleData *tuples = palloc(sizeof(HeapTupleData) * nrows);

	for (int i = 0; i < nrows; i++, values += natts, nulls += natts)
		tuples[i] = *heap_form_tuple(former->desc,
									 unconstify(Datum *, values),
									 unconstify(bool *, nulls));
	return tuples;
}

#endif
