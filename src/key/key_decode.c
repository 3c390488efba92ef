/*
 * key_decode.c
 *	  From row numbers to keys.
 *
 * Each kind maps different ordinals to different values, and a row's ordinal
 * is its number, so that no two rows of a stream can collide:
 *
 *	 SEQUENCE		least + ordinal * step
 *	 others			x, the ordinal's place in a permutation of the key space:
 *	 RANGE			least + x * step
 *	 UUID, BITS		x in 64 bits of it (or as many as there are), others random
 *	 PATTERN		the digits of x in mixed radix, each in its place
 *	 LIST			the x-th label
 *	 COPY			what the source has in the row of that number
 *	 GROUPED		least + x * step, where x is an ordinal within the row's group
 *					(key_order.c), or its place in a permutation
 *	 TEXT			a drawn text with the "width" digits of x in base 36 (of
 *					e-mail addresses and user names, which are made by their
 *					kind, 10) before
 *					its last '@', or at its end if it has none.  A digit is no
 *					'@'.  So two equal texts have their last '@' in the same
 *					place, or none; the digits before it, or at the end, are
 *					the same then, and so are x and the row.
 *
 * Where a domain may refuse a value, each row has several ordinals of its own
 * to try: its number, and that much further by the room for rows.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"
#include "utils/varbit.h"

#include "codec/codec_internal.h"
#include "codec/domain.h"
#include "encode/decode_person.h"
#include "key/key.h"
#include "numeric/permute.h"

/* How often a text that a domain refuses, or that copies one, is redrawn. */
#define TEXT_TRIES		100

struct GsKeyDecoder
{
	const GsSchema *schema;
	const GsColumn *column;
	const GsKey *key;
	int			index;			/* of the column: its random stream */
	GsCodec		codec;			/* own copy: its fmgr state is this scan's */
	GsDomain   *domain;			/* NULL: none */
	bool		direct;			/* a text is its own Datum */
	double		unit;			/* of a float with decimals, 10^decimals */
	GsPersonDecoder *person;	/* TEXT of a kind; or NULL */
	Datum	   *label;			/* [space] LIST, [width] COPY */
	bool	   *label_null;		/* [width] COPY */
	int			max_chars;		/* TEXT; 0: no limit */
	MemoryContext scratch;		/* of one drawn text */
	StringInfoData drawn;
	StringInfoData text;

	/* of the batch that was decoded last, where the key carries order */
	int64		ordered;		/* its first row */
	uint64		ordered_key;
	int64		ordinal[GS_BATCH];
	uint64		group[GS_BATCH];	/* GROUPED */

	/* of the stream that was decoded last */
	uint64		stream;
	bool		ready;
	GsPermutation permutation;
};

/*
 * gs_key_decoder_create: a decoder of a column that is a key, in the current
 * context.
 *
 * type: see gs_decoder_create.
 */
GsKeyDecoder *
gs_key_decoder_create(const GsSchema *schema, int index, Oid type)
{
	GsKeyDecoder *decoder = palloc0(sizeof(GsKeyDecoder));
	const GsColumn *column = &schema->columns[index];
	const GsKey *key = column->key;

	decoder->schema = schema;
	decoder->column = column;
	decoder->key = key;
	decoder->index = index;
	decoder->ordered = -1;
	decoder->codec = column->codec;
	decoder->domain = gs_domain_open(type);
	decoder->direct = column->codec.type == TEXTOID ||
		column->codec.type == VARCHAROID;
	decoder->unit = pow(10, Max(key->decimals, 0));
	decoder->max_chars = gs_codec_max_chars(&column->codec);
	decoder->scratch = AllocSetContextCreate(CurrentMemoryContext,
											 "gensynth drawn key",
											 ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&decoder->drawn);
	initStringInfo(&decoder->text);
	if (key->kind == GS_KEY_LIST)
	{
		const char *label = key->text;

		decoder->label = palloc(sizeof(Datum) * key->space);
		for (uint64 i = 0; i < key->space; i++)
		{
			GsPart		part = {.lane = GS_LANE_TEXT,.text = label};

			decoder->label[i] = gs_codec_join(&decoder->codec, &part);
			label += strlen(label) + 1;
		}
	}
	if (key->kind == GS_KEY_COPY)
	{
		decoder->label = palloc(sizeof(Datum) * key->width);
		decoder->label_null = palloc(key->width);
		gs_copy_values(column, decoder->label, decoder->label_null);
	}
	return decoder;
}

/*
 * gs_key_decoder_needs: marks the features that a key's values follow from.
 */
void
gs_key_decoder_needs(const GsKeyDecoder *decoder, bool *needed)
{
	const GsColumn *column = decoder->column;

	if (decoder->key->order > 0)
		needed[decoder->key->order - 1] = true;
	for (int m = 0; m < column->nmembers; m++)
		needed[decoder->schema->columns[column->member + m].feature[0]] = true;
	if (decoder->key->repeats != NULL)
		gs_entity_needs(decoder->schema, needed);
}

/*
 * gs_key_decoder_person: has texts made by their column's kind.
 */
void
gs_key_decoder_person(GsKeyDecoder *decoder, GsPersonDecoder *person)
{
	decoder->person = person;
}

/*
 * A text as a value of the column's type.
 */
static Datum
text_datum(GsKeyDecoder *decoder, const char *text, int len)
{
	GsPart		part = {.lane = GS_LANE_TEXT,.text = text};

	if (decoder->direct)
		return PointerGetDatum(cstring_to_text_with_len(text, len));
	return gs_codec_join(&decoder->codec, &part);
}

static void refuse(const GsKeyDecoder *decoder);

/*
 * A number among what else the text says of its row.
 */
static Datum
slots_datum(GsKeyDecoder *decoder, const GsBatch *batch, int row,
			int64 number)
{
	char		digits[GS_KEY_MAX_PATTERN + 32];

	snprintf(digits, sizeof(digits), "%0*lld",
			 Min(decoder->key->width, GS_KEY_MAX_PATTERN),
			 (long long) number);
	resetStringInfo(&decoder->text);
	gs_key_slots_write(decoder->schema, decoder->column, batch, row, digits,
					   &decoder->text);
	if (decoder->max_chars > 0 &&
		pg_mbstrlen(decoder->text.data) > decoder->max_chars)
		refuse(decoder);
	return text_datum(decoder, decoder->text.data, decoder->text.len);
}

/*
 * A number of a SEQUENCE or RANGE, as the column has it.
 */
static Datum
number_datum(GsKeyDecoder *decoder, int64 number)
{
	const GsKey *key = decoder->key;
	GsLaneType	lane = decoder->codec.part[0].lane;
	GsPart		part = {.lane = GS_LANE_INT};
	char		digits[32];
	char		text[GS_KEY_MAX_PATTERN + sizeof(digits) +
					 GS_KEY_MAX_PATTERN];
	int			before;
	int			after;
	int			zeros;
	int			n;
	int			len;

	if (lane == GS_LANE_NUMERIC)
	{
		part.scalar.i = number;
		part.scale = key->scale;
		part.min_scale = key->min_scale;
		return gs_codec_join(&decoder->codec, &part);
	}
	if (lane == GS_LANE_FLOAT)
	{
		part.scalar.f = key->decimals >= 0 ? (double) number / decoder->unit :
			ldexp((double) number, key->exponent);
		return decoder->codec.kind->datum(part.scalar);
	}
	if (lane == GS_LANE_INT)
	{
		part.scalar.i = number;
		return decoder->codec.kind->datum(part.scalar);
	}
	before = strlen(key->text);
	after = key->text_bytes - before - 2;
	n = pg_ulltoa_n((uint64) number, digits);
	zeros = Max(Min(key->width, GS_KEY_MAX_PATTERN) - n, 0);
	len = 0;
	memcpy(text, key->text, before);
	len += before;
	memset(text + len, '0', zeros);
	len += zeros;
	memcpy(text + len, digits, n);
	len += n;
	memcpy(text + len, key->text + before + 1, after + 1);
	return text_datum(decoder, text, len + after);
}

/*
 * A version 4 uuid: 64 of its 122 free bits are x.
 */
static Datum
uuid_datum(uint64 x, uint64 y)
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));
	uint64		high = (x & ~UINT64CONST(0xFFFF)) | 0x4000 |
		((x >> 4) & 0xFFF);
	uint64		low = UINT64CONST(0x8000000000000000) | (x & 0xF) << 58 |
		(y & ((UINT64CONST(1) << 58) - 1));

	for (int i = 0; i < 8; i++)
	{
		uuid->data[i] = (unsigned char) (high >> (56 - 8 * i));
		uuid->data[8 + i] = (unsigned char) (low >> (56 - 8 * i));
	}
	return UUIDPGetDatum(uuid);
}

/*
 * So many bytes or bits: x in the first 64, others random.
 */
static Datum
bits_datum(const GsKeyDecoder *decoder, uint64 x, GsRandom *random)
{
	int			width = decoder->key->width;
	bool		bytes = decoder->codec.kind->bits == 8;
	int			n = bytes ? width : (width + 7) / 8;
	int			bits = bytes ? width * 8 : width;
	Size		size = bytes ? VARHDRSZ + n : VARBITTOTALLEN(width);
	struct varlena *value = palloc(size);
	unsigned char *data = bytes ? (unsigned char *) VARDATA(value) :
		VARBITS((VarBit *) value);

	SET_VARSIZE(value, size);
	if (!bytes)
		VARBITLEN((VarBit *) value) = width;
	if (bits < 64)
		x <<= 64 - bits;
	for (int i = 0; i < n; i++)
	{
		if (i == 8 || (i > 8 && i % 4 == 0))
			x = (uint64) gs_random_u32(random) << 32;
		data[i] = (unsigned char) (x >> 56);
		x <<= 8;
	}
	if (bits % 8 != 0)
		data[n - 1] &= BITMASK << (8 - bits % 8);
	return PointerGetDatum(value);
}

/*
 * Cuts a text to so many characters.
 */
static int
clip(const char *text, int len, int chars)
{
	return pg_mbcharcliplen(text, len, Max(chars, 0));
}

/*
 * Puts a number into the drawn text, which makes room for it if it must: what
 * comes before an address's last '@' first, then the whole.
 */
static void
number_text(GsKeyDecoder *decoder, uint64 x)
{
	const GsKey *key = decoder->key;
	const char *drawn = decoder->drawn.data;
	int			len = decoder->drawn.len;
	const char *at = strrchr(drawn, '@');
	int			head = at != NULL ? at - drawn : len;
	char		digits[GS_KEY_MAX_DIGITS];
	int			base = gs_key_base(decoder->column);
	StringInfo	text = &decoder->text;

	for (int i = key->width - 1; i >= 0; i--, x /= base)
		digits[i] = (key->upper ? "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" :
					 "0123456789abcdefghijklmnopqrstuvwxyz")[x % base];
	if (decoder->max_chars > 0)
	{
		int			room = decoder->max_chars - key->width;

		if (at != NULL)
		{
			int			tail = pg_mbstrlen_with_len(at, len - head);

			if (tail > room)
				at = NULL;
			else
				room -= tail;
		}
		/* a text that loses its '@' must not keep another */
		if (at == NULL)
			head = strcspn(drawn, "@");
		head = clip(drawn, head, room);
	}
	resetStringInfo(text);
	appendBinaryStringInfo(text, drawn, head);
	appendBinaryStringInfo(text, digits, key->width);
	if (at != NULL)
		appendStringInfoString(text, at);
}

static void
refuse(const GsKeyDecoder *decoder)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("could not make a key of domain %s for column \"%s\"",
					decoder->column->type_name, decoder->column->name),
			 errhint("Leave the column out with the exclude argument of synth_fit.")));
}

/*
 * A drawn text that is no source value and that the domain accepts, numbered.
 */
static Datum
drawn_datum(GsKeyDecoder *decoder, const GsBatch *batch, int row, uint64 x,
			GsRandom *random)
{
	const GsFormat *format = decoder->column->format;
	Datum		value;

	for (int try = 0; try < TEXT_TRIES; try++)
	{
		MemoryContext old = MemoryContextSwitchTo(decoder->scratch);

		resetStringInfo(&decoder->text);
		if (decoder->person == NULL ||
			!gs_person_number(decoder->person, batch, row, try, x,
							  decoder->key->width, &decoder->text))
		{
			resetStringInfo(&decoder->drawn);
			gs_format_draw(format, random, &decoder->drawn);
			number_text(decoder, x);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(decoder->scratch);
		if (gs_format_knows(format, decoder->text.data, decoder->text.len) &&
			try < TEXT_TRIES / 2)
			continue;
		value = text_datum(decoder, decoder->text.data, decoder->text.len);
		if (gs_domain_accepts(decoder->domain, value))
			return value;
		CHECK_FOR_INTERRUPTS();
	}
	refuse(decoder);
	return (Datum) 0;
}

/*
 * The key of one ordinal.
 */
static Datum
key_datum(GsKeyDecoder *decoder, const GsBatch *batch, int row,
		  uint64 ordinal)
{
	const GsKey *key = decoder->key;
	char		text[GS_KEY_MAX_PATTERN + 1];
	GsRandom	random;
	uint64		x = ordinal;
	int			len;

	if (key->kind == GS_KEY_RANGE && key->order != 0)
		x = gs_key_spread(key, decoder->stream, ordinal);
	else if (key->kind == GS_KEY_GROUPED ?
			 key->scattered && ordinal < key->space :
			 key->kind != GS_KEY_SEQUENCE)
		x = gs_permute(&decoder->permutation, ordinal);
	gs_random_start(&random, batch->key, batch->row + row, decoder->index);
	switch (key->kind)
	{
		case GS_KEY_UUID:
			return uuid_datum(x, gs_mix64(decoder->stream, ordinal));
		case GS_KEY_BITS:
			return bits_datum(decoder, x, &random);
		case GS_KEY_LIST:
			return decoder->label[x];
		case GS_KEY_PATTERN:
			len = gs_key_pattern_write(key, x, &random, text);
			text[len] = '\0';
			return text_datum(decoder, text, len);
		case GS_KEY_TEXT:
			return drawn_datum(decoder, batch, row, x, &random);
		default:
			x = (uint64) key->min + x * (uint64) key->step;
			return key->place > 0 ?
				slots_datum(decoder, batch, row, (int64) x) :
				number_datum(decoder, (int64) x);
	}
}

/*
 * The first of a row's keys that the domain accepts.
 */
static Datum
accepted_datum(GsKeyDecoder *decoder, const GsBatch *batch, int row,
			   uint64 ordinal)
{
	uint64		room = gs_key_room(decoder->key);

	for (int try = 0; try < decoder->key->attempts; try++)
	{
		Datum		value = key_datum(decoder, batch, row,
									  ordinal + try * room);

		if (gs_domain_accepts(decoder->domain, value))
			return value;
	}
	refuse(decoder);
	return (Datum) 0;
}

/*
 * The copies of a column in n rows from first on.
 */
static void
decode_copies(const GsKeyDecoder *decoder, int64 first, int n, GsRows rows)
{
	for (int i = 0; i < n; i++)
	{
		int			copy = (first + i) % decoder->key->width;

		rows.values[i * rows.stride] = decoder->label[copy];
		rows.nulls[i * rows.stride] = decoder->label_null[copy];
		if (!decoder->label_null[copy] &&
			!gs_domain_accepts(decoder->domain, decoder->label[copy]))
			refuse(decoder);
	}
}

/*
 * The ordinals of a batch's rows within their groups, which a row that was
 * replaced may have left.
 */
static void
order_groups(GsKeyDecoder *decoder, const GsBatch *batch)
{
	uint64		group[GS_BATCH];

	gs_key_groups(decoder->schema, decoder->column, batch, group);
	if (decoder->ordered == batch->row &&
		decoder->ordered_key == batch->key &&
		memcmp(group, decoder->group, sizeof(group)) == 0)
		return;
	memcpy(decoder->group, group, sizeof(group));
	gs_key_order_groups(decoder->key, batch, group, decoder->ordinal);
	decoder->ordered = batch->row;
	decoder->ordered_key = batch->key;
}

/*
 * gs_key_decode: the keys of the rows from to to - 1 of a batch; see
 * gs_decode.
 *
 * Errors: those of gs_keys_check, and check_violation where a domain refuses
 * what there is.
 */
void
gs_key_decode(GsKeyDecoder *decoder, const GsBatch *batch, int from, int to,
			  GsRows rows)
{
	const GsKey *key = decoder->key;
	const GsColumn *column = decoder->column;
	const int32 *null = column->null_feature >= 0 ?
		batch->code[column->null_feature] : NULL;
	uint64		stream = gs_mix64(batch->key,
								  (uint64) GS_STREAM_KEY + decoder->index);
	uint64		ordinal = (uint64) batch->row + from - (uint64) key->first;
	/* a text has been tested as it was drawn */
	bool		plain = decoder->domain == NULL || key->kind == GS_KEY_TEXT;

	if (!decoder->ready || decoder->stream != stream)
	{
		gs_permute_init(&decoder->permutation, key->space, stream);
		decoder->stream = stream;
		decoder->ready = true;
	}
	if (!key->wraps)
		gs_key_check(column, batch->row + from, to - from);
	if (key->kind == GS_KEY_COPY)
	{
		decode_copies(decoder, batch->row + from, to - from, rows);
		return;
	}
	if (key->repeats != NULL)
		gs_key_order_entities(key, batch, decoder->ordinal);
	else if (key->kind == GS_KEY_GROUPED)
		order_groups(decoder, batch);
	else if (key->order > 0 && (decoder->ordered != batch->first ||
						   decoder->ordered_key != batch->key))
	{
		(void) gs_key_order_batch(key, batch, decoder->ordinal);
		decoder->ordered = batch->first;
		decoder->ordered_key = batch->key;
	}
	for (int row = from; row < to; row++, ordinal++)
	{
		int			i = (row - from) * rows.stride;
		int			from_row;

		if (key->order > 0 || key->kind == GS_KEY_GROUPED ||
			key->repeats != NULL)
			ordinal = (uint64) decoder->ordinal[row];
		if ((key->wraps || key->repeats != NULL) && ordinal >= gs_key_room(key))
			ordinal %= gs_key_room(key);
		rows.values[i] = (Datum) 0;
		rows.nulls[i] = null != NULL && null[row] == 1;
		if (rows.nulls[i])
			continue;
		/* what is random in it follows from the row that it is of one with */
		if (batch->entity != NULL && key->repeats != NULL)
			from_row = batch->entity[row] % GS_BATCH;
		else
			from_row = row;
		rows.values[i] = plain ? key_datum(decoder, batch, from_row, ordinal) :
			accepted_datum(decoder, batch, from_row, ordinal);
	}
}
