/*
 * codec_parts.c
 *	  Values of several numbers.
 */
#include "postgres.h"

#include <sys/socket.h>

#include "catalog/pg_type.h"
#include "utils/date.h"
#include "utils/geo_decls.h"
#include "utils/inet.h"
#include "utils/timestamp.h"

#include "codec/codec_internal.h"

/* An inet's first part: bits, and this if it is of family 6. */
#define INET6_FLAG			1000

static void
split_timetz(GsCodec *codec, Datum value, GsPart *parts)
{
	parts[0].scalar.i = DatumGetTimeTzADTP(value)->time;
	parts[1].scalar.i = DatumGetTimeTzADTP(value)->zone;
}

static Datum
join_timetz(GsCodec *codec, const GsPart *parts)
{
	TimeTzADT  *value = palloc(sizeof(TimeTzADT));

	value->time = parts[0].scalar.i;
	value->zone = (int32) parts[1].scalar.i;
	return TimeTzADTPGetDatum(value);
}

static void
split_interval(GsCodec *codec, Datum value, GsPart *parts)
{
	parts[0].scalar.i = DatumGetIntervalP(value)->month;
	parts[1].scalar.i = DatumGetIntervalP(value)->day;
	parts[2].scalar.i = DatumGetIntervalP(value)->time;
}

static Datum
join_interval(GsCodec *codec, const GsPart *parts)
{
	Interval   *value = palloc(sizeof(Interval));

	value->month = (int32) parts[0].scalar.i;
	value->day = (int32) parts[1].scalar.i;
	value->time = parts[2].scalar.i;
	return IntervalPGetDatum(value);
}

static void
split_point(GsCodec *codec, Datum value, GsPart *parts)
{
	parts[0].scalar.f = DatumGetPointP(value)->x;
	parts[1].scalar.f = DatumGetPointP(value)->y;
}

static Datum
join_point(GsCodec *codec, const GsPart *parts)
{
	Point	   *value = palloc(sizeof(Point));

	value->x = parts[0].scalar.f;
	value->y = parts[1].scalar.f;
	return PointPGetDatum(value);
}

static void
split_inet(GsCodec *codec, Datum value, GsPart *parts)
{
	inet	   *address = DatumGetInetPP(value);
	bool		six = ip_family(address) == PGSQL_AF_INET6;

	parts[0].scalar.i = ip_bits(address) + (six ? INET6_FLAG : 0);
	parts[1].absent = six;
	parts[2].absent = parts[3].absent = !six;
	if (six)
	{
		parts[2].scalar.i = gs_ordered(gs_bytes_to_uint64(ip_addr(address), 8));
		parts[3].scalar.i = gs_ordered(gs_bytes_to_uint64(ip_addr(address) + 8, 8));
	}
	else
		parts[1].scalar.i = (int64) gs_bytes_to_uint64(ip_addr(address), 4);
}

static Datum
join_inet(GsCodec *codec, const GsPart *parts)
{
	inet	   *address = palloc0(sizeof(inet));
	bool		six = parts[0].scalar.i >= INET6_FLAG;
	int			bits = (int) (parts[0].scalar.i - (six ? INET6_FLAG : 0));
	int			size = six ? 16 : 4;

	ip_family(address) = six ? PGSQL_AF_INET6 : PGSQL_AF_INET;
	ip_bits(address) = (unsigned char) Max(0, Min(bits, size * 8));
	if (six)
	{
		gs_uint64_to_bytes(gs_unordered(parts[2].scalar.i), ip_addr(address), 8);
		gs_uint64_to_bytes(gs_unordered(parts[3].scalar.i), ip_addr(address) + 8, 8);
	}
	else
		gs_uint64_to_bytes((uint64) parts[1].scalar.i, ip_addr(address), 4);

	/* a cidr has no bits to the right of its mask */
	if (codec->type == CIDROID)
	{
		for (int bit = ip_bits(address); bit < size * 8; bit++)
			ip_addr(address)[bit / 8] &= ~(0x80 >> (bit % 8));
	}
	SET_INET_VARSIZE(address);
	return InetPGetDatum(address);
}

/* Months or days; 17 has infinite intervals. */
#define INTERVAL_INT	.min = PG_INT32_MIN, .max = PG_INT32_MAX, \
						.special = true, .minus = PG_INT32_MIN, \
						.plus = PG_INT32_MAX
#define ANY_INT			.min = PG_INT64_MIN, .max = PG_INT64_MAX

const GsCodecKind gs_parts_kinds[] = {
	{
		/* zones beyond 16 hours do not come back from their text */
		.name = "timetz", .types = {TIMETZOID}, .nparts = 2,
		.part = {{.min = 0, .max = USECS_PER_DAY, .decimals = 6},
		{.min = -16 * SECS_PER_HOUR + 1, .max = 16 * SECS_PER_HOUR - 1}},
		.split = split_timetz, .join = join_timetz
	},
	{
		.name = "interval", .types = {INTERVALOID}, .nparts = 3,
		.part = {{INTERVAL_INT}, {INTERVAL_INT},
		{ANY_INT, .decimals = 6, .special = true, .minus = PG_INT64_MIN,
			.plus = PG_INT64_MAX}},
		.split = split_interval, .join = join_interval
	},
	{
		.name = "point", .types = {POINTOID}, .nparts = 2,
		.part = {{.lane = GS_LANE_FLOAT}, {.lane = GS_LANE_FLOAT}},
		.split = split_point, .join = join_point
	},
	{
		/* bits and family, family 4, and the halves of family 6 */
		.name = "inet", .types = {INETOID, CIDROID}, .nparts = 4,
		.part = {{.min = 0, .max = INET6_FLAG + 128},
		{.min = 0, .max = PG_UINT32_MAX},
		{ANY_INT, .ordered = true}, {ANY_INT, .ordered = true}},
		.split = split_inet, .join = join_inet
	},
	{0}
};
