/*
 * codec_number.c
 *	  Values that are one number of fixed size.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/cash.h"
#include "utils/date.h"
#include "utils/inet.h"
#include "utils/timestamp.h"

#include "codec/codec_internal.h"

/* The functions of a type whose Datum is read and made by macros. */
#define SLOT_FUNCTIONS(name, member, from_datum, to_datum, ctype) \
static GsSlot \
name##_slot(Datum value) \
{ \
	return (GsSlot) {.member = from_datum(value)}; \
} \
\
static Datum \
name##_datum(GsSlot slot) \
{ \
	return to_datum((ctype) slot.member); \
}

SLOT_FUNCTIONS(bool, i, DatumGetBool, BoolGetDatum, bool)
SLOT_FUNCTIONS(int2, i, DatumGetInt16, Int16GetDatum, int16)
SLOT_FUNCTIONS(int4, i, DatumGetInt32, Int32GetDatum, int32)
SLOT_FUNCTIONS(int8, i, DatumGetInt64, Int64GetDatum, int64)
SLOT_FUNCTIONS(float4, f, DatumGetFloat4, Float4GetDatum, float4)
SLOT_FUNCTIONS(float8, f, DatumGetFloat8, Float8GetDatum, float8)

static GsSlot
macaddr_slot(Datum value)
{
	return (GsSlot) {.i = (int64)
		gs_bytes_to_uint64((unsigned char *) DatumGetMacaddrP(value), 6)};
}

static Datum
macaddr_datum(GsSlot slot)
{
	unsigned char *bytes = palloc(sizeof(macaddr));

	gs_uint64_to_bytes((uint64) slot.i, bytes, 6);
	return PointerGetDatum(bytes);
}

static GsSlot
macaddr8_slot(Datum value)
{
	return (GsSlot) {.i = gs_ordered(gs_bytes_to_uint64((unsigned char *)
														DatumGetMacaddr8P(value), 8))};
}

static Datum
macaddr8_datum(GsSlot slot)
{
	unsigned char *bytes = palloc(sizeof(macaddr8));

	gs_uint64_to_bytes(gs_unordered(slot.i), bytes, 8);
	return PointerGetDatum(bytes);
}

#define ANY_INT		.least = PG_INT64_MIN, .most = PG_INT64_MAX
#define TIMES		.least = MIN_TIMESTAMP, .most = END_TIMESTAMP - 1, \
					.decimals = 6, .special = true, .minus = DT_NOBEGIN, \
					.plus = DT_NOEND

const GsCodecKind gs_number_kinds[] = {
	{
		.name = "boolean", .types = {BOOLOID}, .nparts = 1,
		.content = GS_CONTENT_TRUTH,
		.part = {{.least = 0, .most = 1}},
		.slot = bool_slot, .datum = bool_datum
	},
	{
		.name = "smallint", .types = {INT2OID}, .nparts = 1,
		.part = {{.least = PG_INT16_MIN, .most = PG_INT16_MAX}},
		.axis = GS_AXIS_NUMBER, .integer = true,
		.slot = int2_slot, .datum = int2_datum
	},
	{
		.name = "integer", .types = {INT4OID}, .nparts = 1,
		.part = {{.least = PG_INT32_MIN, .most = PG_INT32_MAX}},
		.axis = GS_AXIS_NUMBER, .integer = true,
		.slot = int4_slot, .datum = int4_datum
	},
	{
		.name = "bigint", .types = {INT8OID}, .nparts = 1,
		.part = {{ANY_INT}},
		.axis = GS_AXIS_NUMBER, .integer = true,
		.slot = int8_slot, .datum = int8_datum
	},
	{
		.name = "money", .types = {MONEYOID}, .nparts = 1,
		.part = {{ANY_INT, .decimals = 2}},
		.axis = GS_AXIS_MONEY, .integer = true,
		.slot = int8_slot, .datum = int8_datum
	},
	{
		.name = "date", .types = {DATEOID}, .nparts = 1,
		.part = {{.least = DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE,
				.most = DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1,
				.special = true, .minus = DATEVAL_NOBEGIN,
				.plus = DATEVAL_NOEND}},
		.axis = GS_AXIS_TIME, .unit = USECS_PER_DAY, .integer = true,
		.slot = int4_slot, .datum = int4_datum
	},
	{
		.name = "time", .types = {TIMEOID}, .nparts = 1,
		.part = {{.least = 0, .most = USECS_PER_DAY, .decimals = 6}},
		.integer = true,
		.slot = int8_slot, .datum = int8_datum
	},
	{
		.name = "timestamp", .types = {TIMESTAMPOID}, .nparts = 1,
		.part = {{TIMES}},
		.axis = GS_AXIS_TIME, .integer = true,
		.slot = int8_slot, .datum = int8_datum
	},
	{
		.name = "timestamptz", .types = {TIMESTAMPTZOID}, .nparts = 1,
		.part = {{TIMES}},
		.axis = GS_AXIS_TIME, .integer = true,
		.slot = int8_slot, .datum = int8_datum
	},
	{
		.name = "macaddr", .types = {MACADDROID}, .nparts = 1,
		.part = {{.least = 0, .most = (INT64CONST(1) << 48) - 1}},
		.slot = macaddr_slot, .datum = macaddr_datum
	},
	{
		.name = "macaddr8", .types = {MACADDR8OID}, .nparts = 1,
		.part = {{ANY_INT, .ordered = true}},
		.slot = macaddr8_slot, .datum = macaddr8_datum
	},
	{
		.name = "real", .types = {FLOAT4OID}, .nparts = 1,
		.part = {{.lane = GS_LANE_FLOAT}},
		.axis = GS_AXIS_NUMBER, .narrow = true,
		.slot = float4_slot, .datum = float4_datum
	},
	{
		.name = "double precision", .types = {FLOAT8OID}, .nparts = 1,
		.part = {{.lane = GS_LANE_FLOAT}},
		.axis = GS_AXIS_NUMBER,
		.slot = float8_slot, .datum = float8_datum
	},
	{0}
};
