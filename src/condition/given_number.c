/*
 * given_number.c
 *	  Conditions on number features: which normal scores decode to the values
 *	  asked for, and a quantile table that gives nothing else.
 *
 * Where the values asked for are a part of a segment, so are the scores.  The
 * table that the decoder gets holds just these parts, each with the values
 * asked for: whatever the rounding of a score, what comes out meets the
 * condition, and a single value comes out as it was given.
 */
#include "postgres.h"

#include <math.h>

#include "codec/notation.h"
#include "encode/encode.h"
#include "condition/given.h"
#include "learn/endings.h"
#include "learn/quantile.h"

/* Beyond this many values a segment is as good as continuous. */
#define MANY_VALUES			4096
/* A single value of a continuous number stands for this share of the range. */
#define POINT_WIDTH			1e-9
#define MIN_WIDTH			1e-11	/* in normal score */
/* A range narrower than this has too few floats for its values. */
#define RANGE_WIDTH			1e-3
/* Half of a step between decimals, but never as far as the next one. */
#define HALF_STEP			0.4999

static inline double
as_type(const GsColumn *column, double value)
{
	return column->codec.kind->narrow ? (float) value : value;
}

/*
 * gs_scalars_all: every value there is.
 */
GsScalarRange
gs_scalars_all(const GsFeature *feature)
{
	GsScalarRange range;

	if (feature->lane == GS_LANE_FLOAT)
	{
		range.low.f = -INFINITY;
		range.high.f = NAN;		/* sorts last */
	}
	else
	{
		range.low.i = PG_INT64_MIN;
		range.high.i = PG_INT64_MAX;
	}
	return range;
}

/*
 * The scalars next to a value: see gs_part_scalars.
 */
static void
scalars_around(const GsColumn *column, const GsFeature *feature, Datum value,
			   GsScalar *below, GsScalar *above)
{
	GsCodec		codec = column->codec;
	GsPart		parts[GS_MAX_PARTS];

	if (codec.kind->scaled)
	{
		gs_float_around(&codec, value, &below->i, &above->i);
		return;
	}
	gs_codec_split(&codec, value, parts);
	if (parts[0].absent)
	{
		/* no date: no scalar is next to it */
		below->i = PG_INT64_MIN;
		above->i = PG_INT64_MAX;
		return;
	}
	gs_part_scalars(feature, &parts[0], below, above);
	if (feature->lane == GS_LANE_FLOAT && below->f == 0)
	{
		/* both zeros are equal to each other */
		above->f = -0.0;
		below->f = 0.0;
	}
}

static double
next_float(const GsColumn *column, double value, double toward)
{
	if (column->codec.kind->narrow)
		return nextafterf((float) value, (float) toward);
	return nextafter(value, toward);
}

/*
 * Narrows a range of floats; false if that leaves nothing for sure.
 */
static bool
bound_float(const GsColumn *column, const GsFeature *feature, GsBound bound,
			double value, GsScalarRange *range)
{
	bool		lower = bound == GS_BOUND_GTE || bound == GS_BOUND_GT;

	/*
	 * a numeric that is kept as a double is rounded on its way out: what is
	 * next to the bound could come out beyond it
	 */
	if (column->codec.part[0].lane == GS_LANE_NUMERIC && feature->decimals < 0 &&
		isfinite(value))
		value += (lower ? 1 : -1) *
			(fabs(value) * 1e-14 + 0.5 * pow(10, -feature->scale));
	if (bound == GS_BOUND_GT)
	{
		if (isnan(value))
			return false;
		value = value == INFINITY ? NAN :
			next_float(column, value, INFINITY);
	}
	else if (bound == GS_BOUND_LT)
	{
		if (value == -INFINITY)
			return false;
		value = isnan(value) ? INFINITY :
			next_float(column, value, -INFINITY);
	}
	if (lower)
		range->low.f = value;
	else
		range->high.f = value;
	return true;
}

/*
 * gs_scalars_bound: sets an end of a range, which had none there.
 *
 * value: of the column's base type.  Returns false if no value is left.
 */
bool
gs_scalars_bound(const GsColumn *column, const GsFeature *feature,
				 GsBound bound, Datum value, GsScalarRange *range)
{
	bool		lower = bound == GS_BOUND_GTE || bound == GS_BOUND_GT;
	GsScalar	below;
	GsScalar	above;

	scalars_around(column, feature, value, &below, &above);
	if (column->codec.notation != NULL)
	{
		/* what is no date has another order, and may be next to one */
		range->low.i = Max(range->low.i, column->codec.part[0].min);
		range->high.i = Min(range->high.i, column->codec.part[0].max);
		if (gs_scalar_is_special(&column->codec.part[0], GS_LANE_INT, below))
			gs_notation_around(column->codec.notation->format,
							   below.i - GS_NOTATION_OTHER, &below.i,
							   &above.i);
	}
	if (feature->lane == GS_LANE_FLOAT)
	{
		bool		low_zero = bound == GS_BOUND_GTE || bound == GS_BOUND_LT;

		if (!bound_float(column, feature, bound,
						 low_zero ? above.f : below.f, range))
			return false;
	}
	else if (bound == GS_BOUND_GT)
	{
		if (below.i == PG_INT64_MAX)
			return false;
		range->low.i = below.i + 1;
	}
	else if (bound == GS_BOUND_LT)
	{
		if (above.i == PG_INT64_MIN)
			return false;
		range->high.i = above.i - 1;
	}
	else if (lower)
		range->low = above;
	else
		range->high = below;
	return gs_scalar_compare(range->low, range->high, feature->lane) <= 0;
}

/*
 * gs_scalars_point: the range of a single value.
 *
 * value: of the column's base type.  Returns false if no scalar holds it.
 */
bool
gs_scalars_point(const GsColumn *column, const GsFeature *feature, Datum value,
				 GsScalarRange *range)
{
	scalars_around(column, feature, value, &range->high, &range->low);
	/* of a float with more digits than are kept, what it is kept as */
	if (column->codec.kind->scaled &&
		column->codec.scale > GS_MAX_DECIMALS)
		range->low = range->high;
	return gs_scalar_compare(range->low, range->high, feature->lane) <= 0;
}

/*
 * The part of a segment's normal scores between two fractions of its width.
 */
static void
position_piece(const GsFeature *feature, int segment, double first,
			   double last, GsPiece *piece)
{
	const GsQuantile *q = &feature->quantile;
	double		from = q->edge[segment];
	double		to = q->edge[segment + 1];
	double		width = to - from;
	float		base;
	float		span;
	double		end;

	/* the floats that families make do not reach a segment's very ends */
	gs_quantile_scores(feature, segment, &base, &span);
	end = (double) base + span;
	piece->from = first > 0 ? Min(from + first * width, to) : from;
	piece->to = last < 1 ? Max(from + last * width, from) : to;
	if (Min(piece->to, end) - Max(piece->from, base) < MIN_WIDTH)
	{
		/* too narrow to tell: give it something, within the segment */
		double		middle = (piece->from + piece->to) / 2;

		middle = Max(Min(middle, end), base);
		piece->from = Max(middle - MIN_WIDTH / 2, from);
		piece->to = Min(middle + MIN_WIDTH / 2, to);
	}
}

/*
 * Clips a segment of a number with endings to the values within a range that
 * have one.
 */
static bool
clip_endings(const GsColumn *column, const GsFeature *feature, int segment,
			 GsScalarRange range, GsPiece *piece)
{
	GsScalar	low = feature->quantile.low[segment];
	GsScalar	high = feature->quantile.high[segment];
	int64		first;
	int64		last;
	double		from;
	double		to;

	if (gs_scalar_compare(low, range.low, feature->lane) < 0)
		low = range.low;
	if (gs_scalar_compare(high, range.high, feature->lane) > 0)
		high = range.high;
	if (gs_scalar_compare(low, high, feature->lane) > 0)
		return false;
	first = gs_endings_number(feature, low);
	last = gs_endings_number(feature, high);
	if (feature->lane == GS_LANE_FLOAT)
	{
		first += as_type(column, gs_endings_scalar(feature, first).f) <
			as_type(column, low.f);
		last -= as_type(column, gs_endings_scalar(feature, last).f) >
			as_type(column, high.f);
	}
	if (first > last || !gs_endings_clip(feature->endings, &first, &last))
		return false;
	piece->low = gs_endings_scalar(feature, first);
	piece->high = gs_endings_scalar(feature, last);
	if (!gs_endings_position(feature, segment, piece->low, 0, &from) ||
		!gs_endings_position(feature, segment, piece->high, 1, &to))
		return false;
	position_piece(feature, segment, from, to, piece);
	return true;
}

static bool
clip_integer(const GsFeature *feature, int segment, GsScalarRange range,
			 GsPiece *piece)
{
	const GsQuantile *q = &feature->quantile;
	int64		low = q->low[segment].i;
	uint64		step = (uint64) feature->step;
	uint64		steps = ((uint64) q->high[segment].i - (uint64) low) / step;
	uint64		last_value = (uint64) low + steps * step;
	uint64		first = 0;
	uint64		last = steps;

	if (range.high.i < low || range.low.i > (int64) last_value)
		return false;
	if (range.low.i > low)
		first = ((uint64) range.low.i - (uint64) low - 1) / step + 1;
	if (range.high.i < (int64) last_value)
		last = ((uint64) range.high.i - (uint64) low) / step;
	if (first > last)
		return false;
	piece->low.i = (int64) ((uint64) low + first * step);
	piece->high.i = (int64) ((uint64) low + last * step);
	position_piece(feature, segment, first / (steps + 1.0),
				   last == steps ? 1 : (last + 1.0) / (steps + 1.0), piece);
	return true;
}

/*
 * Clips a segment of decimals: of the values between low and high that the
 * decoder can round to, those within the range.  low < high.
 */
static bool
clip_decimals(const GsColumn *column, const GsFeature *feature, int segment,
			  double low, double high, GsPiece *piece)
{
	double		unit = pow(10, feature->decimals);
	double		from = feature->quantile.low[segment].f;
	double		to = feature->quantile.high[segment].f;
	double		first = rint(from * unit) / unit;
	double		last = rint(to * unit) / unit;
	double		min = rint(Max(from, low) * unit) / unit;
	double		max = rint(Min(to, high) * unit) / unit;
	bool		whole = as_type(column, last) <= as_type(column, to);

	if (!whole)
		last = (rint(to * unit) - 1) / unit;
	if (as_type(column, min) < as_type(column, low))
		min = (rint(Max(from, low) * unit) + 1) / unit;
	if (as_type(column, max) > as_type(column, high))
		max = (rint(Min(to, high) * unit) - 1) / unit;
	min = Max(min, first);
	max = Min(max, last);
	if (min > max)
		return false;
	piece->low.f = min == max || min > first ?
		min - (min < max ? HALF_STEP / unit : 0) : from;
	piece->high.f = min == max || max < last || !whole ?
		max + (min < max ? HALF_STEP / unit : 0) : to;
	position_piece(feature, segment,
				   min > first ? gs_fraction(min - 0.5 / unit, from, to) : 0,
				   max < last ? gs_fraction(max + 0.5 / unit, from, to) : 1,
				   piece);
	return true;
}

/*
 * The scores of a single value of a continuous segment.  Values of one set
 * are weighed by their densities, so each stands for the same width of
 * values.
 */
static void
position_point(const GsFeature *feature, int segment, double value,
			   GsPiece *piece)
{
	const GsQuantile *q = &feature->quantile;
	double		low = q->low[segment].f;
	double		high = q->high[segment].f;
	double		at = gs_fraction(value, low, high);
	double		min = INFINITY;
	double		max = -INFINITY;
	double		half;

	for (int s = 0; s < q->nsegments; s++)
	{
		if (!isfinite(q->low[s].f))
			continue;
		min = Min(min, q->low[s].f);
		max = Max(max, q->high[s].f);
	}
	half = Min((max / 2 - min / 2) * POINT_WIDTH / (high / 2 - low / 2),
			   1) / 2;
	position_piece(feature, segment, at - half, at + half, piece);
}

static bool
clip_float(const GsColumn *column, const GsFeature *feature, int segment,
		   GsScalarRange range, bool point, GsPiece *piece)
{
	const GsQuantile *q = &feature->quantile;
	double		from = q->low[segment].f;
	double		to = q->high[segment].f;
	double		low = range.low.f;
	double		high = isnan(range.high.f) ? INFINITY : range.high.f;

	piece->low = q->low[segment];
	piece->high = q->high[segment];
	piece->from = q->edge[segment];
	piece->to = q->edge[segment + 1];
	if (isnan(from))
		return isnan(range.high.f);
	if (isnan(low))
		return false;
	if (from == to)
		return low <= from && from <= high;
	if (high < from || low > to)
		return false;
	if (feature->decimals >= 0)
		return clip_decimals(column, feature, segment, low, high, piece);
	piece->low.f = Max(from, low);
	piece->high.f = Min(to, high);
	if (point)
	{
		piece->low.f = piece->high.f;	/* of the zeros the positive one */
		position_point(feature, segment, piece->low.f, piece);
	}
	else
		position_piece(feature, segment, gs_fraction(piece->low.f, from, to),
					   gs_fraction(piece->high.f, from, to), piece);
	return true;
}

static bool
is_continuous(const GsFeature *feature, int segment)
{
	GsScalar	low = feature->quantile.low[segment];
	GsScalar	high = feature->quantile.high[segment];

	if (feature->lane == GS_LANE_INT)
		return ((uint64) high.i - (uint64) low.i) /
			(uint64) feature->step > MANY_VALUES;
	return low.f < high.f && isfinite(low.f) &&
		(feature->decimals < 0 ||
		 (high.f - low.f) * pow(10, feature->decimals) > MANY_VALUES);
}

/*
 * Of the values of a range those on the feature's grid, as scalars.  Returns
 * false if there are none.
 */
static bool
on_grid(const GsColumn *column, const GsFeature *feature, int segment,
		GsScalarRange *range)
{
	if (feature->lane == GS_LANE_INT)
	{
		uint64		base = (uint64) feature->quantile.low[segment].i;
		uint64		step = (uint64) feature->step;
		uint64		first = ((uint64) range->low.i - base + step - 1) / step;
		uint64		last = ((uint64) range->high.i - base) / step;

		range->low.i = (int64) (base + first * step);
		range->high.i = (int64) (base + last * step);
		return first <= last;
	}
	if (feature->decimals >= 0)
	{
		double		unit = pow(10, feature->decimals);
		double		min = rint(range->low.f * unit) / unit;
		double		max = rint(range->high.f * unit) / unit;

		if (as_type(column, min) < range->low.f)
			min = (rint(range->low.f * unit) + 1) / unit;
		if (as_type(column, max) > range->high.f)
			max = (rint(range->high.f * unit) - 1) / unit;
		range->low.f = min;
		range->high.f = max;
	}
	return range->low.f <= range->high.f;
}

/*
 * A range between two segments, in which no row of the source was.  Where the
 * numbers are as good as continuous that says nothing: it takes the score
 * between them.  Returns its segment, or -1.
 */
static int
between_segments(const GsColumn *column, const GsFeature *feature,
				 GsScalarRange range, GsPiece *piece)
{
	const GsQuantile *q = &feature->quantile;
	const GsPartKind *kind = &column->codec.part[0];
	int			s = gs_quantile_find(feature, range.high);

	if (s >= q->nsegments - 1 ||
		gs_scalar_compare(range.low, q->low[s], feature->lane) <= 0 ||
		gs_scalar_is_special(kind, feature->lane, q->low[s]) ||
		gs_scalar_is_special(kind, feature->lane, q->low[s + 1]) ||
		!(is_continuous(feature, s) || is_continuous(feature, s + 1)) ||
		!on_grid(column, feature, s, &range))
		return -1;
	piece->low = range.low;
	piece->high = range.high;
	position_piece(feature, s, 1, 1, piece);
	return s;
}

/*
 * Gives a narrow range, which lies in one or two segments, the scores of a
 * wider one: else its few floats would reach few of its values.  What other
 * variates make of the score does not change by that.
 */
static void
widen_range(const GsQuantile *q, int segment, GsPiece *pieces, int n)
{
	double		more = (RANGE_WIDTH - (pieces[n - 1].to - pieces[0].from)) / 2;
	double		from = pieces[0].from;
	double		to = pieces[n - 1].to;

	if (more <= 0)
		return;
	pieces[0].from = Max(from - more, q->edge[segment]);
	pieces[n - 1].to = Min(to + more, q->edge[segment + n]);
}

/*
 * gs_number_pieces: the parts of the segments within a range of values.
 *
 * point: the range is a single value; pieces: room for nsegments of them.
 * Returns how many there are.
 */
int
gs_number_pieces(const GsColumn *column, const GsFeature *feature,
				 GsScalarRange range, bool point, GsPiece *pieces)
{
	int			n = 0;
	int			segment = -1;

	for (int s = 0; s < feature->quantile.nsegments; s++)
	{
		bool		is_part;

		if (feature->endings != NULL &&
			gs_scalar_compare(feature->quantile.low[s],
							  feature->quantile.high[s], feature->lane) < 0)
			is_part = clip_endings(column, feature, s, range, &pieces[n]);
		else if (feature->lane == GS_LANE_INT)
			is_part = clip_integer(feature, s, range, &pieces[n]);
		else
			is_part = clip_float(column, feature, s, range, point, &pieces[n]);
		if (is_part && n == 0)
			segment = s;
		n += is_part;
	}
	if (n == 0)
	{
		segment = between_segments(column, feature, range, &pieces[0]);
		n += segment >= 0;
	}
	if (!point && (n == 1 || (n == 2 && pieces[0].to == pieces[1].from)) &&
		gs_scalar_compare(pieces[0].low, pieces[n - 1].high,
						  feature->lane) < 0)
		widen_range(&feature->quantile, segment, pieces, n);
	return n;
}

static int
by_value(const void *a, const void *b, void *arg)
{
	const GsFeature *feature = arg;
	const GsPiece *x = a;
	const GsPiece *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return gs_scalar_compare(x->low, y->low, feature->lane);
}

/*
 * gs_pieces_order: sorts pieces, drops repeated ones and parts those that
 * overlap.  Returns how many are left.
 */
int
gs_pieces_order(const GsFeature *feature, GsPiece *pieces, int n)
{
	int			kept = 0;

	qsort_arg(pieces, n, sizeof(GsPiece), by_value,
			  unconstify(GsFeature *, feature));
	for (int i = 0; i < n; i++)
	{
		GsPiece    *last = kept > 0 ? &pieces[kept - 1] : NULL;

		if (last && gs_scalar_compare(last->low, pieces[i].low,
									  feature->lane) == 0)
			continue;
		if (last && pieces[i].from < last->to)
		{
			double		middle = (pieces[i].from + last->to) / 2;

			middle = Max(Min(middle, pieces[i].to), last->from);
			last->to = pieces[i].from = middle;
		}
		pieces[kept++] = pieces[i];
	}
	return kept;
}

/*
 * gs_number_region: the scores of pieces in order; the outer segments reach
 * to infinity.
 */
void
gs_number_region(const GsFeature *feature, const GsPiece *pieces, int n,
				 GsRegion *region)
{
	const GsQuantile *q = &feature->quantile;

	region->given = true;
	region->allowed = NULL;
	region->n = 0;
	region->interval = palloc(sizeof(GsInterval) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		double		from = pieces[i].from;
		double		to = pieces[i].to;

		from = from <= q->edge[0] ? -INFINITY : from;
		to = to >= q->edge[q->nsegments] ? INFINITY : to;
		if (region->n > 0 && region->interval[region->n - 1].high == from)
			region->interval[region->n - 1].high = to;
		else
			region->interval[region->n++] = (GsInterval) {from, to};
	}
}

static void
add_segment(GsQuantile *q, GsScalar low, GsScalar high, double from, double to)
{
	q->low[q->nsegments] = low;
	q->high[q->nsegments] = high;
	q->edge[q->nsegments] = from;
	q->edge[++q->nsegments] = to;
}

/*
 * gs_number_table: the quantile table of pieces in order, n > 0.
 *
 * A score that rounding took out of a piece gives the value at the piece's
 * end: half of what lies between two pieces goes to either.  Errors:
 * program_limit_exceeded.
 */
void
gs_number_table(const GsPiece *pieces, int n, GsQuantile *q)
{
	if (n > PG_UINT16_MAX / 3)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many values are given for one column"),
				 errhint("Give a range, or at most %d values.",
						 PG_UINT16_MAX / 3)));
	q->nsegments = 0;
	q->edge = palloc(sizeof(double) * (3 * n + 1));
	q->low = palloc(sizeof(GsScalar) * 3 * n);
	q->high = palloc(sizeof(GsScalar) * 3 * n);
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && pieces[i].from > pieces[i - 1].to)
		{
			double		middle = (pieces[i].from + pieces[i - 1].to) / 2;

			add_segment(q, pieces[i - 1].high, pieces[i - 1].high,
						pieces[i - 1].to, middle);
			add_segment(q, pieces[i].low, pieces[i].low, middle,
						pieces[i].from);
		}
		add_segment(q, pieces[i].low, pieces[i].high, pieces[i].from,
					pieces[i].to);
	}
}
