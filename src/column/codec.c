/*
 * codec.c
 *	  One codec per kind of column: a Datum to its parts, and back.
 *
 * Codecs are exact: what gs_codec_split takes apart, gs_codec_join puts
 * together again as an equal value.  Values that have no order to interpolate
 * in (a date's infinity, a float's NaN) are "special": they are only ever
 * emitted as they are.
 */
#include "postgres.h"

#include <math.h>
#include <sys/socket.h>

#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/cash.h"
#include "utils/catcache.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/geo_decls.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "column/codec_internal.h"
#include "column/whole.h"

/* An inet's first part: bits, and this if it is of family 6. */
#define INET6_FLAG			1000

static const char *const codec_names[GS_CODEC_COUNT] = {
	"boolean", "smallint", "integer", "bigint", "money", "date", "time",
	"timestamp", "timestamptz", "macaddr", "macaddr8", "real",
	"double precision", "numeric", "timetz", "interval", "point", "inet",
	"range", "text", "enum", "uuid", "bytea", "bit", "json", "array"
};

/*
 * gs_codec_name: how synth_columns calls the kind.
 */
const char *
gs_codec_name(GsCodecKind kind)
{
	return codec_names[kind];
}

/*
 * Which kind serves a base type, apart from those found by their category.
 */
static bool
kind_of_builtin(Oid type, GsCodecKind *kind)
{
	static const struct
	{
		Oid			type;
		GsCodecKind kind;
	}			table[] = {
		{BOOLOID, GS_CODEC_BOOL}, {INT2OID, GS_CODEC_INT2},
		{INT4OID, GS_CODEC_INT4}, {INT8OID, GS_CODEC_INT8},
		{MONEYOID, GS_CODEC_MONEY}, {DATEOID, GS_CODEC_DATE},
		{TIMEOID, GS_CODEC_TIME}, {TIMESTAMPOID, GS_CODEC_TIMESTAMP},
		{TIMESTAMPTZOID, GS_CODEC_TIMESTAMPTZ},
		{MACADDROID, GS_CODEC_MACADDR}, {MACADDR8OID, GS_CODEC_MACADDR8},
		{FLOAT4OID, GS_CODEC_FLOAT4}, {FLOAT8OID, GS_CODEC_FLOAT8},
		{NUMERICOID, GS_CODEC_NUMERIC}, {TIMETZOID, GS_CODEC_TIMETZ},
		{INTERVALOID, GS_CODEC_INTERVAL}, {POINTOID, GS_CODEC_POINT},
		{INETOID, GS_CODEC_INET}, {CIDROID, GS_CODEC_INET},
		{UUIDOID, GS_CODEC_UUID}, {BYTEAOID, GS_CODEC_BYTEA},
		{BITOID, GS_CODEC_BIT}, {VARBITOID, GS_CODEC_BIT},
		{JSONOID, GS_CODEC_JSON}, {JSONBOID, GS_CODEC_JSON},
		{CHAROID, GS_CODEC_TEXT}
	};

	for (int i = 0; i < lengthof(table); i++)
	{
		if (table[i].type == type)
		{
			*kind = table[i].kind;
			return true;
		}
	}
	return false;
}

/*
 * gs_codec_set_parts: sets the lanes of a kind's parts; of a range, once its
 * bounds are known.
 */
void
gs_codec_set_parts(GsCodec *codec)
{
	GsLaneType	bound;

	codec->nparts = 1;
	codec->lane[0] = GS_LANE_INT;
	switch (codec->kind)
	{
		case GS_CODEC_FLOAT4:
		case GS_CODEC_FLOAT8:
			codec->lane[0] = GS_LANE_FLOAT;
			break;
		case GS_CODEC_NUMERIC:
			codec->lane[0] = GS_LANE_NUMERIC;
			break;
		case GS_CODEC_POINT:
			codec->nparts = 2;
			codec->lane[0] = codec->lane[1] = GS_LANE_FLOAT;
			break;
		case GS_CODEC_TIMETZ:
			codec->nparts = 2;
			codec->lane[1] = GS_LANE_INT;
			break;
		case GS_CODEC_INTERVAL:
			codec->nparts = 3;
			codec->lane[1] = codec->lane[2] = GS_LANE_INT;
			break;
		case GS_CODEC_INET:
			codec->nparts = 4;
			codec->lane[1] = codec->lane[2] = codec->lane[3] = GS_LANE_INT;
			break;
		case GS_CODEC_RANGE:
			codec->nparts = 3;
			bound = GS_LANE_INT;
			if (codec->bound == GS_CODEC_NUMERIC)
				bound = GS_LANE_NUMERIC;
			else if (codec->bound == GS_CODEC_FLOAT8 ||
					 codec->bound == GS_CODEC_FLOAT4)
				bound = GS_LANE_FLOAT;
			codec->lane[1] = codec->lane[2] = bound;
			break;
		case GS_CODEC_TEXT:
		case GS_CODEC_ENUM:
		case GS_CODEC_UUID:
		case GS_CODEC_BYTEA:
		case GS_CODEC_BIT:
		case GS_CODEC_JSON:
		case GS_CODEC_ARRAY:
			codec->lane[0] = GS_LANE_TEXT;
			break;
		default:
			break;
	}
}

/* A label of an enum. */
typedef struct Label
{
	float4		order;
	char	   *text;
} Label;

static int
compare_labels(const void *a, const void *b)
{
	float4		x = ((const Label *) a)->order;
	float4		y = ((const Label *) b)->order;

	return (x > y) - (x < y);
}

/*
 * The labels in the enum's order, which a label that is added at the end, and
 * dump and restore, leave as it is.
 */
static void
read_labels(GsCodec *codec)
{
	CatCList   *list = SearchSysCacheList1(ENUMTYPOIDNAME,
										   ObjectIdGetDatum(codec->type));
	int			n = list->n_members;
	Label	   *label = palloc(sizeof(Label) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		Form_pg_enum form = (Form_pg_enum) GETSTRUCT(&list->members[i]->tuple);

		label[i] = (Label) {form->enumsortorder,
			pstrdup(NameStr(form->enumlabel))};
	}
	ReleaseCatCacheList(list);
	qsort(label, n, sizeof(Label), compare_labels);
	codec->nlabels = n;
	codec->label = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		codec->label[i] = label[i].text;
	pfree(label);
}

/*
 * Finds the kind of a base type that kind_of_builtin does not know; for a
 * range also its bounds, which must be of a one-part gs_ordered kind.
 */
static bool
kind_by_category(GsCodec *codec)
{
	char		category;
	bool		preferred;
	Oid			element;

	if (type_is_enum(codec->type))
	{
		codec->kind = GS_CODEC_ENUM;
		read_labels(codec);
		return true;
	}
	if (type_is_range(codec->type))
	{
		codec->kind = GS_CODEC_RANGE;
		codec->range = lookup_type_cache(codec->type, TYPECACHE_RANGE_INFO);
		codec->boundtype = getBaseType(codec->range->rngelemtype->type_id);
		return kind_of_builtin(codec->boundtype, &codec->bound) &&
			codec->bound != GS_CODEC_BOOL &&
			codec->bound <= GS_CODEC_NUMERIC;
	}
	element = get_element_type(codec->type);
	if (OidIsValid(element))
	{
		codec->kind = GS_CODEC_ARRAY;
		codec->element = palloc(sizeof(GsCodec));
		codec->elementtype = element;

		/* an array of a domain over arrays is not an array of more dimensions */
		return gs_codec_for_type(codec->element, element, codec->typmod) &&
			codec->element->kind != GS_CODEC_ARRAY;
	}
	get_type_category_preferred(codec->type, &category, &preferred);
	if (category == TYPCATEGORY_STRING &&
		get_typtype(codec->type) == TYPTYPE_BASE)
	{
		codec->kind = GS_CODEC_TEXT;
		return true;
	}
	return false;
}

/*
 * gs_plain_type: the type that values of a type are made of, without domains:
 * those of arrays' elements are looked through, too.  To make a value of it
 * runs nobody's CHECK.
 *
 * typmod: of the type; set to that of what is returned
 */
Oid
gs_plain_type(Oid type, int32 *typmod)
{
	Oid			base = getBaseTypeAndTypmod(type, typmod);
	Oid			element = get_element_type(base);
	Oid			array;

	if (!OidIsValid(element) || get_typtype(element) != TYPTYPE_DOMAIN)
		return base;
	array = get_array_type(getBaseTypeAndTypmod(element, typmod));
	return OidIsValid(array) ? array : base;
}

/*
 * gs_is_column_of: whether a decoder of a column can make values of a type:
 * the column's own, or a domain over it.
 */
bool
gs_is_column_of(const GsColumn *column, Oid type)
{
	int32		typmod = -1;

	return gs_plain_type(type, &typmod) == column->type;
}

/*
 * gs_codec_for_type: finds the codec of a type.
 *
 * type, typmod: of the column; domains are looked through.  The codec's
 * function lookups live in the current memory context.  Returns false for a
 * type that has no codec.
 */
bool
gs_codec_for_type(GsCodec *codec, Oid type, int32 typmod)
{
	Oid			function;
	Oid			ioparam;
	bool		varlena;

	memset(codec, 0, sizeof(GsCodec));
	codec->typmod = typmod;
	codec->type = getBaseTypeAndTypmod(type, &codec->typmod);
	if (!kind_of_builtin(codec->type, &codec->kind) &&
		!kind_by_category(codec))
		return false;
	gs_codec_set_parts(codec);

	getTypeOutputInfo(codec->type, &function, &varlena);
	fmgr_info(function, &codec->output);
	getTypeInputInfo(codec->type, &function, &ioparam);
	fmgr_info(function, &codec->input);
	codec->ioparam = ioparam;
	return true;
}

/*
 * gs_codec_limits: the least and most slot of a kind in an INT lane, specials
 * left out.
 */
void
gs_codec_limits(GsCodecKind kind, int64 *least, int64 *most)
{
	*least = PG_INT64_MIN;
	*most = PG_INT64_MAX;
	switch (kind)
	{
		case GS_CODEC_BOOL:
			*least = 0;
			*most = 1;
			break;
		case GS_CODEC_INT2:
			*least = PG_INT16_MIN;
			*most = PG_INT16_MAX;
			break;
		case GS_CODEC_INT4:
			*least = PG_INT32_MIN;
			*most = PG_INT32_MAX;
			break;
		case GS_CODEC_DATE:
			*least = DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE;
			*most = DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1;
			break;
		case GS_CODEC_TIME:
			*least = 0;
			*most = USECS_PER_DAY;
			break;
		case GS_CODEC_TIMESTAMP:
		case GS_CODEC_TIMESTAMPTZ:
			*least = MIN_TIMESTAMP;
			*most = END_TIMESTAMP - 1;
			break;
		case GS_CODEC_MACADDR:
			*least = 0;
			*most = (INT64CONST(1) << 48) - 1;
			break;
		default:
			break;
	}
}

/*
 * gs_slot_is_special: whether a slot of a lane holds a value that must not be
 * interpolated.
 */
bool
gs_slot_is_special(GsCodecKind kind, GsLaneType lane, GsSlot slot)
{
	if (lane == GS_LANE_FLOAT)
		return !isfinite(slot.f);
	if (lane != GS_LANE_INT)
		return false;
	switch (kind)
	{
		case GS_CODEC_DATE:
			return slot.i == DATEVAL_NOBEGIN || slot.i == DATEVAL_NOEND;
		case GS_CODEC_TIMESTAMP:
		case GS_CODEC_TIMESTAMPTZ:
			return slot.i == DT_NOBEGIN || slot.i == DT_NOEND;
		case GS_CODEC_INTERVAL:
			return slot.i == PG_INT64_MIN || slot.i == PG_INT64_MAX ||
				slot.i == PG_INT32_MIN || slot.i == PG_INT32_MAX;
		case GS_CODEC_NUMERIC:
			return slot.i == GS_NUMERIC_NAN || slot.i == GS_NUMERIC_PLUS ||
				slot.i == GS_NUMERIC_MINUS;
		default:
			return false;
	}
}

/*
 * gs_codec_is_integer: whether a Datum of the type is its slot, sign-extended
 * (where 8 bytes are passed by value).
 */
bool
gs_codec_is_integer(const GsCodec *codec)
{
	switch (codec->kind)
	{
		case GS_CODEC_INT2:
		case GS_CODEC_INT4:
		case GS_CODEC_INT8:
		case GS_CODEC_MONEY:
		case GS_CODEC_DATE:
		case GS_CODEC_TIME:
		case GS_CODEC_TIMESTAMP:
		case GS_CODEC_TIMESTAMPTZ:
			return true;
		default:
			return false;
	}
}

/*
 * gs_codec_is_styled: whether the texts that values are taken apart as follow
 * the session's settings: see gs_with_fixed_styles.
 */
bool
gs_codec_is_styled(const GsCodec *codec)
{
	return codec->kind == GS_CODEC_ARRAY || codec->kind == GS_CODEC_BYTEA;
}

/*
 * gs_codec_max_chars: the characters that a text of the type may have; 0: no
 * limit.
 */
int
gs_codec_max_chars(const GsCodec *codec)
{
	if (codec->typmod > VARHDRSZ &&
		(codec->type == VARCHAROID || codec->type == BPCHAROID))
		return codec->typmod - VARHDRSZ;
	if (codec->type == NAMEOID)
		return (NAMEDATALEN - 1) / pg_database_encoding_max_length();
	return codec->type == CHAROID ? 1 : 0;
}

static inline uint64
bytes_to_uint64(const unsigned char *bytes, int n)
{
	uint64		value = 0;

	for (int i = 0; i < n; i++)
		value = (value << 8) | bytes[i];
	return value;
}

static inline void
uint64_to_bytes(uint64 value, unsigned char *bytes, int n)
{
	for (int i = n - 1; i >= 0; i--)
	{
		bytes[i] = (unsigned char) (value & 0xFF);
		value >>= 8;
	}
}

/*
 * gs_slot_from_datum: the slot of a one-part kind in an INT or FLOAT lane.
 */
GsSlot
gs_slot_from_datum(GsCodecKind kind, Datum value)
{
	GsSlot		slot;

	slot.i = 0;
	switch (kind)
	{
		case GS_CODEC_BOOL:
			slot.i = DatumGetBool(value) ? 1 : 0;
			break;
		case GS_CODEC_INT2:
			slot.i = DatumGetInt16(value);
			break;
		case GS_CODEC_INT4:
			slot.i = DatumGetInt32(value);
			break;
		case GS_CODEC_DATE:
			slot.i = DatumGetDateADT(value);
			break;
		case GS_CODEC_MACADDR:
			slot.i = (int64) bytes_to_uint64((unsigned char *)
											 DatumGetMacaddrP(value), 6);
			break;
		case GS_CODEC_MACADDR8:
			slot.i = gs_ordered(bytes_to_uint64((unsigned char *)
											 DatumGetMacaddr8P(value), 8));
			break;
		case GS_CODEC_FLOAT4:
			slot.f = DatumGetFloat4(value);
			break;
		case GS_CODEC_FLOAT8:
			slot.f = DatumGetFloat8(value);
			break;
		default:				/* int8, money, time, timestamps */
			slot.i = DatumGetInt64(value);
			break;
	}
	return slot;
}

/*
 * gs_datum_from_slot: the reverse.
 */
Datum
gs_datum_from_slot(GsCodecKind kind, GsSlot slot)
{
	unsigned char *bytes;

	switch (kind)
	{
		case GS_CODEC_BOOL:
			return BoolGetDatum(slot.i != 0);
		case GS_CODEC_INT2:
			return Int16GetDatum((int16) slot.i);
		case GS_CODEC_INT4:
			return Int32GetDatum((int32) slot.i);
		case GS_CODEC_DATE:
			return DateADTGetDatum((DateADT) slot.i);
		case GS_CODEC_MACADDR:
			bytes = palloc(sizeof(macaddr));
			uint64_to_bytes((uint64) slot.i, bytes, 6);
			return PointerGetDatum(bytes);
		case GS_CODEC_MACADDR8:
			bytes = palloc(sizeof(macaddr8));
			uint64_to_bytes(gs_unordered(slot.i), bytes, 8);
			return PointerGetDatum(bytes);
		case GS_CODEC_FLOAT4:
			return Float4GetDatum((float4) slot.f);
		case GS_CODEC_FLOAT8:
			return Float8GetDatum(slot.f);
		default:
			return Int64GetDatum(slot.i);
	}
}

static void
split_inet(Datum value, GsPart *parts)
{
	inet	   *address = DatumGetInetPP(value);
	bool		six = ip_family(address) == PGSQL_AF_INET6;

	parts[0].slot.i = ip_bits(address) + (six ? INET6_FLAG : 0);
	parts[1].absent = six;
	parts[2].absent = parts[3].absent = !six;
	if (six)
	{
		parts[2].slot.i = gs_ordered(bytes_to_uint64(ip_addr(address), 8));
		parts[3].slot.i = gs_ordered(bytes_to_uint64(ip_addr(address) + 8, 8));
	}
	else
		parts[1].slot.i = (int64) bytes_to_uint64(ip_addr(address), 4);
}

static Datum
join_inet(const GsCodec *codec, const GsPart *parts)
{
	inet	   *address = palloc0(sizeof(inet));
	bool		six = parts[0].slot.i >= INET6_FLAG;
	int			bits = (int) (parts[0].slot.i - (six ? INET6_FLAG : 0));
	int			size = six ? 16 : 4;

	ip_family(address) = six ? PGSQL_AF_INET6 : PGSQL_AF_INET;
	ip_bits(address) = (unsigned char) Max(0, Min(bits, size * 8));
	if (six)
	{
		uint64_to_bytes(gs_unordered(parts[2].slot.i), ip_addr(address), 8);
		uint64_to_bytes(gs_unordered(parts[3].slot.i), ip_addr(address) + 8, 8);
	}
	else
		uint64_to_bytes((uint64) parts[1].slot.i, ip_addr(address), 4);

	/* a cidr has no bits to the right of its mask */
	if (codec->type == CIDROID)
	{
		for (int bit = ip_bits(address); bit < size * 8; bit++)
			ip_addr(address)[bit / 8] &= ~(0x80 >> (bit % 8));
	}
	SET_INET_VARSIZE(address);
	return InetPGetDatum(address);
}

static void
split_text(GsCodec *codec, Datum value, GsPart *part)
{
	part->unbreakable = codec->kind == GS_CODEC_JSON ||
		codec->kind == GS_CODEC_ARRAY;
	if (codec->type == TEXTOID || codec->type == VARCHAROID ||
		codec->type == BPCHAROID)
	{
		text	   *t = DatumGetTextPP(value);

		part->text = VARDATA_ANY(t);
		part->len = VARSIZE_ANY_EXHDR(t);
	}
	else if (codec->type == CHAROID && IS_HIGHBIT_SET(DatumGetChar(value)))
	{
		/* not a text in every encoding; written as PostgreSQL 16 does */
		part->text = psprintf("\\%03o", (unsigned char) DatumGetChar(value));
		part->len = strlen(part->text);
	}
	else
	{
		part->text = OutputFunctionCall(&codec->output, value);
		part->len = strlen(part->text);
	}
	/* char(n) is padded by its input function */
	if (codec->type == BPCHAROID)
	{
		while (part->len > 0 && part->text[part->len - 1] == ' ')
			part->len--;
	}
}

static Datum
join_text(GsCodec *codec, const char *text)
{
	if (codec->type == CHAROID && text[0] == '\\' && strlen(text) == 4)
		return CharGetDatum((char) strtol(text + 1, NULL, 8));
	return InputFunctionCall(&codec->input, unconstify(char *, text),
							 codec->ioparam, codec->typmod);
}

/*
 * gs_codec_copy: a codec whose functions keep what they keep in the current
 * context.
 */
void
gs_codec_copy(GsCodec *to, const GsCodec *from)
{
	*to = *from;
	if (OidIsValid(from->output.fn_oid))
		fmgr_info_copy(&to->output, (FmgrInfo *) &from->output,
					   CurrentMemoryContext);
	if (OidIsValid(from->input.fn_oid))
		fmgr_info_copy(&to->input, (FmgrInfo *) &from->input,
					   CurrentMemoryContext);
	if (from->element != NULL)
	{
		to->element = palloc(sizeof(GsCodec));
		gs_codec_copy(to->element, from->element);
	}
	to->domain = NULL;
}

/*
 * gs_codec_split: takes a value apart.
 *
 * value: not NULL, of the codec's base type; parts: [codec->nparts], filled.
 * Texts are allocated in the current context, or point into the value.
 */
void
gs_codec_split(GsCodec *codec, Datum value, GsPart *parts)
{
	memset(parts, 0, sizeof(GsPart) * codec->nparts);
	for (int i = 0; i < codec->nparts; i++)
		parts[i].lane = codec->lane[i];
	switch (codec->kind)
	{
		case GS_CODEC_NUMERIC:
			gs_part_from_numeric(value, &parts[0]);
			break;
		case GS_CODEC_TIMETZ:
			parts[0].slot.i = DatumGetTimeTzADTP(value)->time;
			parts[1].slot.i = DatumGetTimeTzADTP(value)->zone;
			break;
		case GS_CODEC_INTERVAL:
			parts[0].slot.i = DatumGetIntervalP(value)->month;
			parts[1].slot.i = DatumGetIntervalP(value)->day;
			parts[2].slot.i = DatumGetIntervalP(value)->time;
			break;
		case GS_CODEC_POINT:
			parts[0].slot.f = DatumGetPointP(value)->x;
			parts[1].slot.f = DatumGetPointP(value)->y;
			break;
		case GS_CODEC_INET:
			split_inet(value, parts);
			break;
		case GS_CODEC_RANGE:
			gs_range_split(codec, value, parts);
			break;
		default:
			if (codec->lane[0] == GS_LANE_TEXT)
				split_text(codec, value, &parts[0]);
			else
				parts[0].slot = gs_slot_from_datum(codec->kind, value);
			break;
	}
}

/*
 * gs_codec_join: puts a value together, allocated in the current context.
 *
 * parts: [codec->nparts], texts terminated.  Returns a Datum of the codec's
 * base type.  Errors are those of the type's input function.
 */
Datum
gs_codec_join(GsCodec *codec, const GsPart *parts)
{
	if (codec->whole)
		return gs_whole_join(codec, parts[0].text);
	switch (codec->kind)
	{
		case GS_CODEC_NUMERIC:
			return gs_numeric_from_part(&parts[0], codec->typmod);
		case GS_CODEC_TIMETZ:
			{
				TimeTzADT  *value = palloc(sizeof(TimeTzADT));

				value->time = parts[0].slot.i;
				value->zone = (int32) parts[1].slot.i;
				return TimeTzADTPGetDatum(value);
			}
		case GS_CODEC_INTERVAL:
			{
				Interval   *value = palloc(sizeof(Interval));

				value->month = (int32) parts[0].slot.i;
				value->day = (int32) parts[1].slot.i;
				value->time = parts[2].slot.i;
				return IntervalPGetDatum(value);
			}
		case GS_CODEC_POINT:
			{
				Point	   *value = palloc(sizeof(Point));

				value->x = parts[0].slot.f;
				value->y = parts[1].slot.f;
				return PointPGetDatum(value);
			}
		case GS_CODEC_INET:
			return join_inet(codec, parts);
		case GS_CODEC_RANGE:
			return gs_range_join(codec, parts);
		default:
			if (codec->lane[0] == GS_LANE_TEXT)
				return join_text(codec, parts[0].text);
			return gs_datum_from_slot(codec->kind, parts[0].slot);
	}
}
