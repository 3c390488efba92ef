/*
 * codec_range.c
 *	  Ranges to parts, and back.
 *
 * A range is its flags, its lower bound, and the span to the upper one; with
 * only an upper bound, that stands in the lower bound's place.  An infinite
 * value as a bound, which is not the same as no bound, is a flag too.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "codec/codec_internal.h"

/* A range's first part: which bounds there are. */
#define RANGE_IS_EMPTY		0x01
#define RANGE_NO_LOWER		0x02
#define RANGE_NO_UPPER		0x04
#define RANGE_LOWER_INC		0x08
#define RANGE_UPPER_INC		0x10
#define RANGE_LOWER_SPECIAL	0x20	/* of value -infinity */
#define RANGE_UPPER_SPECIAL	0x40	/* of value infinity */
#define RANGE_LOWER_TOP		0x80	/* of value infinity */
#define RANGE_UPPER_BOTTOM	0x100	/* of value -infinity */

#define RANGE_LOWER_VALUE	(RANGE_LOWER_SPECIAL | RANGE_LOWER_TOP)
#define RANGE_UPPER_VALUE	(RANGE_UPPER_SPECIAL | RANGE_UPPER_BOTTOM)

/*
 * gs_range_set_parts: sets what a range has of its bounds.
 */
void
gs_range_set_parts(GsCodec *codec)
{
	codec->part[1] = codec->part[2] = codec->bound->part[0];
	if (codec->part[2].lane != GS_LANE_INT)
		return;
	/* the span of two int64 is a uint64 */
	codec->part[2].min = PG_INT64_MIN;
	codec->part[2].max = PG_INT64_MAX;
	codec->part[2].ordered = true;
	codec->part[2].special = false;
}

/*
 * Whether a bound's value is infinite: 1, -1, or 0 if it is not.
 */
static int
infinite_sign(const GsCodec *codec, Datum value)
{
	const GsPartKind *part = &codec->part[1];
	GsScalar	scalar;

	if (part->lane == GS_LANE_NUMERIC)
	{
		Numeric		number = DatumGetNumeric(value);

		if (!numeric_is_inf(number))
			return 0;
		value = DirectFunctionCall1(numeric_sign, value);
		return DatumGetInt32(DirectFunctionCall1(numeric_int4, value));
	}
	scalar = codec->bound->scalar(value);
	if (part->lane == GS_LANE_FLOAT)
		return isinf(scalar.f) ? (scalar.f > 0 ? 1 : -1) : 0;
	if (!gs_scalar_is_special(part, part->lane, scalar))
		return 0;
	return scalar.i > 0 ? 1 : -1;
}

static void
split_bounds(GsCodec *codec, bool low, Datum lower, bool high, Datum upper,
			 GsPart *parts)
{
	GsScalar	top;

	if (!low && !high)
		return;
	if (codec->part[1].lane == GS_LANE_NUMERIC)
	{
		gs_part_from_numeric(low ? lower : upper, &parts[1]);
		if (low && high)
			gs_part_from_numeric(DirectFunctionCall2(numeric_sub, upper,
													 lower), &parts[2]);
		return;
	}
	parts[1].scalar = codec->bound->scalar(low ? lower : upper);
	if (!low || !high)
		return;
	top = codec->bound->scalar(upper);
	if (codec->part[1].lane == GS_LANE_FLOAT)
		parts[2].scalar.f = top.f - parts[1].scalar.f;
	else
		parts[2].scalar.i = gs_ordered((uint64) top.i -
									   (uint64) parts[1].scalar.i);
}

static void
split_range(GsCodec *codec, Datum value, GsPart *parts)
{
	RangeBound	lower;
	RangeBound	upper;
	bool		empty;
	bool		low;
	bool		high;
	int64		flags = 0;
	int			sign;

	range_deserialize(codec->range, DatumGetRangeTypeP(value), &lower, &upper,
					  &empty);
	low = !empty && !lower.infinite;
	high = !empty && !upper.infinite;
	if (empty)
		flags = RANGE_IS_EMPTY;
	else
		flags = (lower.infinite ? RANGE_NO_LOWER : 0) |
			(upper.infinite ? RANGE_NO_UPPER : 0) |
			(lower.inclusive ? RANGE_LOWER_INC : 0) |
			(upper.inclusive ? RANGE_UPPER_INC : 0);
	if (low && (sign = infinite_sign(codec, lower.val)) != 0)
	{
		flags |= sign > 0 ? RANGE_LOWER_TOP : RANGE_LOWER_SPECIAL;
		low = false;
	}
	if (high && (sign = infinite_sign(codec, upper.val)) != 0)
	{
		flags |= sign > 0 ? RANGE_UPPER_SPECIAL : RANGE_UPPER_BOTTOM;
		high = false;
	}
	parts[0].scalar.i = flags;
	parts[1].absent = !low && !high;
	parts[2].absent = !low || !high;
	split_bounds(codec, low, lower.val, high, upper.val, parts);
}

static Datum
bound_datum(const GsCodec *codec, const GsPart *part)
{
	return codec->part[1].lane == GS_LANE_NUMERIC ?
		gs_numeric_from_part(part, -1) : codec->bound->datum(part->scalar);
}

static Datum
infinite_bound(const GsCodec *codec, bool plus)
{
	const GsPartKind *kind = &codec->part[1];
	GsPart		part = {.lane = GS_LANE_INT};

	if (kind->lane == GS_LANE_FLOAT)
		part.scalar.f = plus ? get_float8_infinity() : -get_float8_infinity();
	else
		part.scalar.i = plus ? kind->plus : kind->minus;
	return bound_datum(codec, &part);
}

/*
 * lower + span, kept within the bound's type; a bound that is inclusive needs
 * one value above it, its canonical form being the exclusive one.
 */
static Datum
upper_bound(const GsCodec *codec, const GsPart *parts, bool inclusive)
{
	GsScalar	scalar = parts[1].scalar;
	uint64		span = gs_unordered(parts[2].scalar.i);
	int64		max;

	if (codec->part[1].lane == GS_LANE_NUMERIC)
		return DirectFunctionCall2(numeric_add,
								   gs_numeric_from_part(&parts[1], -1),
								   gs_numeric_from_part(&parts[2], -1));
	if (codec->part[1].lane == GS_LANE_FLOAT)
		scalar.f += Max(parts[2].scalar.f, 0.0);
	else
	{
		max = Max(codec->part[1].max - inclusive, scalar.i);
		if (span > (uint64) max - (uint64) scalar.i)
			scalar.i = max;
		else
			scalar.i = (int64) ((uint64) scalar.i + span);
	}
	return codec->bound->datum(scalar);
}

static Datum
join_range(GsCodec *codec, const GsPart *parts)
{
	int64		flags = parts[0].scalar.i;
	RangeBound	lower = {0};
	RangeBound	upper = {0};
	Datum		base;

	lower.lower = true;
	lower.infinite = (flags & RANGE_NO_LOWER) != 0;
	upper.infinite = (flags & RANGE_NO_UPPER) != 0;
	lower.inclusive = (flags & RANGE_LOWER_INC) != 0;
	upper.inclusive = (flags & RANGE_UPPER_INC) != 0;
	if (!(flags & RANGE_IS_EMPTY))
	{
		base = bound_datum(codec, &parts[1]);
		lower.val = base;
		upper.val = base;
		if (flags & RANGE_LOWER_VALUE)
			lower.val = infinite_bound(codec,
									   (flags & RANGE_LOWER_TOP) != 0);
		if (flags & RANGE_UPPER_VALUE)
			upper.val = infinite_bound(codec,
									   (flags & RANGE_UPPER_BOTTOM) == 0);
		else if (!(flags & (RANGE_NO_LOWER | RANGE_LOWER_VALUE |
							RANGE_NO_UPPER)))
			upper.val = upper_bound(codec, parts, upper.inclusive);
	}
	return RangeTypePGetDatum(gs_make_range(codec->range, &lower, &upper,
											(flags & RANGE_IS_EMPTY) != 0));
}

const GsCodecKind gs_range_kinds[] = {
	{
		/* the others are those of its bounds: see gs_range_set_parts */
		.name = "range", .nparts = 3,
		.part = {{.min = 0, .max = 2 * RANGE_UPPER_BOTTOM - 1}},
		.split = split_range, .join = join_range
	},
	{0}
};
