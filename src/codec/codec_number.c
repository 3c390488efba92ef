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
#define SCALAR_FUNCTIONS(name, member, from_datum, to_datum, ctype) \
static GsScalar \
name##_scalar(Datum value) \
{ \
	return (GsScalar) {.member = from_datum(value)}; \
} \
\
static Datum \
name##_datum(GsScalar scalar) \
{ \
	return to_datum((ctype) scalar.member); \
}

SCALAR_FUNCTIONS(bool, i, DatumGetBool, BoolGetDatum, bool)
SCALAR_FUNCTIONS(int2, i, DatumGetInt16, Int16GetDatum, int16)
SCALAR_FUNCTIONS(int4, i, DatumGetInt32, Int32GetDatum, int32)
SCALAR_FUNCTIONS(int8, i, DatumGetInt64, Int64GetDatum, int64)
SCALAR_FUNCTIONS(float4, f, DatumGetFloat4, Float4GetDatum, float4)
SCALAR_FUNCTIONS(float8, f, DatumGetFloat8, Float8GetDatum, float8)

static GsScalar
macaddr_scalar(Datum value)
{
	return (GsScalar) {.i = (int64)
		gs_bytes_to_uint64((unsigned char *) DatumGetMacaddrP(value), 6)};
}

static Datum
macaddr_datum(GsScalar scalar)
{
	unsigned char *bytes = palloc(sizeof(macaddr));

	gs_uint64_to_bytes((uint64) scalar.i, bytes, 6);
	return PointerGetDatum(bytes);
}

static GsScalar
macaddr8_scalar(Datum value)
{
	return (GsScalar) {.i = gs_ordered(gs_bytes_to_uint64((unsigned char *)
														  DatumGetMacaddr8P(value), 8))};
}

static Datum
macaddr8_datum(GsScalar scalar)
{
	unsigned char *bytes = palloc(sizeof(macaddr8));

	gs_uint64_to_bytes(gs_unordered(scalar.i), bytes, 8);
	return PointerGetDatum(bytes);
}

#define ANY_INT		.min = PG_INT64_MIN, .max = PG_INT64_MAX
#define TIMES		.min = MIN_TIMESTAMP, .max = END_TIMESTAMP - 1, \
					.decimals = 6, .special = true, .minus = DT_NOBEGIN, \
					.plus = DT_NOEND

const GsCodecKind gs_number_kinds[] = {
	{
		.name = "boolean", .types = {BOOLOID}, .nparts = 1,
		.content = GS_CONTENT_TRUTH,
		.part = {{.min = 0, .max = 1}},
		.scalar = bool_scalar, .datum = bool_datum
	},
	{
		.name = "smallint", .types = {INT2OID}, .nparts = 1,
		.part = {{.min = PG_INT16_MIN, .max = PG_INT16_MAX}},
		.axis = GS_AXIS_NUMBER, .integer = true,
		.scalar = int2_scalar, .datum = int2_datum
	},
	{
		.name = "integer", .types = {INT4OID}, .nparts = 1,
		.part = {{.min = PG_INT32_MIN, .max = PG_INT32_MAX}},
		.axis = GS_AXIS_NUMBER, .integer = true,
		.scalar = int4_scalar, .datum = int4_datum
	},
	{
		.name = "bigint", .types = {INT8OID}, .nparts = 1,
		.part = {{ANY_INT}},
		.axis = GS_AXIS_NUMBER, .integer = true,
		.scalar = int8_scalar, .datum = int8_datum
	},
	{
		.name = "money", .types = {MONEYOID}, .nparts = 1,
		.part = {{ANY_INT, .decimals = 2}},
		.axis = GS_AXIS_MONEY, .integer = true,
		.scalar = int8_scalar, .datum = int8_datum
	},
	{
		.name = "date", .types = {DATEOID}, .nparts = 1,
		.part = {{.min = DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE,
				.max = DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1,
				.special = true, .minus = DATEVAL_NOBEGIN,
				.plus = DATEVAL_NOEND}},
		.axis = GS_AXIS_TIME, .unit = USECS_PER_DAY, .integer = true,
		.scalar = int4_scalar, .datum = int4_datum
	},
	{
		.name = "time", .types = {TIMEOID}, .nparts = 1,
		.part = {{.min = 0, .max = USECS_PER_DAY, .decimals = 6}},
		.integer = true,
		.scalar = int8_scalar, .datum = int8_datum
	},
	{
		.name = "timestamp", .types = {TIMESTAMPOID}, .nparts = 1,
		.part = {{TIMES}},
		.axis = GS_AXIS_TIME, .integer = true,
		.scalar = int8_scalar, .datum = int8_datum
	},
	{
		.name = "timestamptz", .types = {TIMESTAMPTZOID}, .nparts = 1,
		.part = {{TIMES}},
		.axis = GS_AXIS_TIME, .integer = true,
		.scalar = int8_scalar, .datum = int8_datum
	},
	{
		.name = "macaddr", .types = {MACADDROID}, .nparts = 1,
		.part = {{.min = 0, .max = (INT64CONST(1) << 48) - 1}},
		.scalar = macaddr_scalar, .datum = macaddr_datum
	},
	{
		.name = "macaddr8", .types = {MACADDR8OID}, .nparts = 1,
		.part = {{ANY_INT, .ordered = true}},
		.scalar = macaddr8_scalar, .datum = macaddr8_datum
	},
	{
		.name = "real", .types = {FLOAT4OID}, .nparts = 1,
		.part = {{.lane = GS_LANE_FLOAT}},
		.axis = GS_AXIS_NUMBER, .narrow = true,
		.scalar = float4_scalar, .datum = float4_datum
	},
	{
		.name = "double precision", .types = {FLOAT8OID}, .nparts = 1,
		.part = {{.lane = GS_LANE_FLOAT}},
		.axis = GS_AXIS_NUMBER,
		.scalar = float8_scalar, .datum = float8_datum
	},
	{0}
};
