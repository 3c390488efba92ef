/*
 * quantile.c
 *	  Quantile tables: normal scores to values and back, for number features.
 *
 * The table is the inverse of the distribution function, in segments.  A
 * value that holds many rows is an atom: a segment that gives just that value.
 * The rows between atoms are cut into segments of about 1/1000 of the rows,
 * finer towards both ends, where a heavy tail bends most.  The random part of
 * the distributional transform (Rueschendorf 2009) is the position within a
 * segment.
 */
#include "postgres.h"

#include <math.h>

#include "learn/quantile.h"
#include "numeric/normal.h"

/* A segment holds about this share of the rows ... */
#define QUANTILE_DEPTH		1000
/* ... or this share of the rows beyond it, if that is less. */
#define QUANTILE_TAIL		8

/* Of a number whose single values matter, what is between them has as many. */
#define QUANTILE_EXACT		20000

#define MAX_DECIMALS		9

/* Times the mean distance of values within a segment that is no gap. */
#define MAX_GAP				4.0

/*
 * NaN sorts after everything, as PostgreSQL sorts it; -0 before 0, so that
 * both come back.
 */
static inline int
compare_floats(double a, double b)
{
	if (isnan(a) || isnan(b))
		return (int) isnan(a) - (int) isnan(b);
	if (a == b)
		return (signbit(b) != 0) - (signbit(a) != 0);
	return a > b ? 1 : -1;
}

#define ST_SORT sort_ints
#define ST_ELEMENT_TYPE GsScalar
#define ST_COMPARE(a, b) (((a)->i > (b)->i) - ((a)->i < (b)->i))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "miscadmin.h"
#include "lib/sort_template.h"

#define ST_SORT sort_floats
#define ST_ELEMENT_TYPE GsScalar
#define ST_COMPARE(a, b) compare_floats((a)->f, (b)->f)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_hashes
#define ST_ELEMENT_TYPE GsScalar
#define ST_COMPARE(a, b) (((a)->hash > (b)->hash) - ((a)->hash < (b)->hash))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * gs_scalars_sort: sorts the scalars of a lane, in place; can be cancelled.
 */
void
gs_scalars_sort(GsScalar *scalars, int64 n, GsLaneType lane)
{
	if (lane == GS_LANE_FLOAT)
		sort_floats(scalars, n);
	else if (lane == GS_LANE_TEXT)
		sort_hashes(scalars, n);
	else
		sort_ints(scalars, n);
}

/*
 * gs_scalar_compare: the order that gs_scalars_sort sorts by.
 */
int
gs_scalar_compare(GsScalar a, GsScalar b, GsLaneType lane)
{
	if (lane == GS_LANE_FLOAT)
		return compare_floats(a.f, b.f);
	if (lane == GS_LANE_TEXT)
		return (a.hash > b.hash) - (a.hash < b.hash);
	return (a.i > b.i) - (a.i < b.i);
}

/*
 * gs_find_decimals: the places after the point that every value has, at most
 * MAX_DECIMALS; -1 if they have more.  narrow: values are floats of 4 bytes.
 */
int
gs_find_decimals(bool narrow, const GsScalar *sorted, int64 n)
{
	int			decimals = 0;

	for (int64 i = 0; i < n; i++)
	{
		double		value = sorted[i].f;

		for (;; decimals++)
		{
			double		unit = pow(10, decimals);
			double		round = rint(value * unit) / unit;

			if (decimals > MAX_DECIMALS || fabs(value * unit) > 9e15)
				return -1;
			if (narrow ? (float) round == (float) value :
				round == value)
				break;
		}
	}
	return decimals;
}

/*
 * gs_find_step: the largest step that all values are multiples of, from the
 * first.
 */
int64
gs_find_step(const GsScalar *sorted, int64 n)
{
	uint64		step = 0;

	for (int64 i = 1; i < n && step != 1; i++)
	{
		uint64		a = (uint64) sorted[i].i - (uint64) sorted[i - 1].i;

		while (a != 0)
		{
			uint64		rest = step % a;

			step = a;
			a = rest;
			if (step == 0)
				break;
		}
	}
	return step == 0 || step > PG_INT64_MAX ? 1 : (int64) step;
}

/*
 * gs_find_mean: the mean of n values, as a value that the feature can have.
 */
GsScalar
gs_find_mean(const GsFeature *feature, const GsScalar *sorted, int64 n)
{
	GsScalar	mean = sorted[0];

	if (feature->lane == GS_LANE_FLOAT)
	{
		double		sum = 0;

		for (int64 i = 0; i < n; i++)
			sum += sorted[i].f / n;
		mean.f = sum;
		if (feature->decimals >= 0)
			mean.f = rint(mean.f * pow(10, feature->decimals)) /
				pow(10, feature->decimals);
	}
	else
	{
		uint128		sum = 0;

		for (int64 i = 0; i < n; i++)
			sum += (uint64) sorted[i].i - (uint64) sorted[0].i;
		mean.i = (int64) ((uint64) sorted[0].i +
						  (uint64) (sum / n / feature->step) * feature->step);
	}
	return mean;
}

/*
 * Lets the last segment but one go on to where the last begins, if both are
 * about as far apart as values within the last are: there is no gap in
 * the source, only none of its rows.
 *
 * n: rows of the last segment.
 */
static void
close_gap(const GsFeature *feature, int64 n)
{
	const GsQuantile *q = &feature->quantile;
	GsScalar   *end = &q->high[q->nsegments - 2];
	GsScalar	begin = q->low[q->nsegments - 2];
	GsScalar	next = q->low[q->nsegments - 1];
	GsScalar	last = q->high[q->nsegments - 1];

	if (n < 2)
		return;
	if (feature->lane == GS_LANE_FLOAT)
	{
		if (begin.f < end->f && next.f < last.f && isfinite(last.f) &&
			next.f - end->f <= MAX_GAP * ((last.f - next.f) / (n - 1)))
			end->f = nextafter(next.f, end->f);
		return;
	}
	/* as doubles, whose rounding only moves the limit */
	if (begin.i < end->i && next.i < last.i && end->i < next.i &&
		(double) next.i - (double) end->i <=
		MAX_GAP * (((double) last.i - (double) next.i) / (n - 1)))
		end->i = next.i - feature->step;
}

/*
 * The segment of rows first to last of the sorted values.  Where it holds
 * fewer rows than the threshold, it is widened up to its neighbours, so that
 * no rare value is pinned down.
 */
static void
add_segment(GsFeature *feature, const GsPartKind *kind, const GsScalar *sorted,
			int64 n, int64 first, int64 last, int threshold)
{
	GsQuantile *q = &feature->quantile;
	GsLaneType	lane = feature->lane;
	GsScalar	low = sorted[first];
	GsScalar	high = sorted[last];

	if (last - first + 1 < threshold && !gs_scalar_is_special(kind, lane, low))
	{
		if (first > 0 && !gs_scalar_is_special(kind, lane, sorted[first - 1]))
		{
			if (lane == GS_LANE_FLOAT)
				low.f = nextafter(sorted[first - 1].f, low.f);
			else
				low.i = sorted[first - 1].i + feature->step;
		}
		if (last < n - 1 &&
			!gs_scalar_is_special(kind, lane, sorted[last + 1]))
		{
			if (lane == GS_LANE_FLOAT)
				high.f = nextafter(sorted[last + 1].f, high.f);
			else
				high.i = sorted[last + 1].i - feature->step;
		}
	}
	if ((q->nsegments & (q->nsegments - 1)) == 0)	/* room is a power of 2 */
	{
		int			room = Max(q->nsegments, 1) * 2;

		q->edge = repalloc(q->edge, sizeof(double) * (room + 1));
		q->low = repalloc(q->low, sizeof(GsScalar) * room);
		q->high = repalloc(q->high, sizeof(GsScalar) * room);
	}
	q->low[q->nsegments] = low;
	q->high[q->nsegments] = high;
	q->nsegments++;
	if (first > 0)
		close_gap(feature, last - first + 1);
	if (last < n - 1)
		q->edge[q->nsegments] = gs_normal_quantile((last + 1.0) / n);
}

/*
 * gs_quantile_build: makes a number feature's table.
 *
 * kind: of the part, NULL for floats; sorted: [n] values, protected already, n >
 * 0; the feature's lane and step are set; exact: each value that may be shown
 * is to be a segment of its own.  The table is allocated in the current context.
 */
void
gs_quantile_build(GsFeature *feature, const GsPartKind *kind,
				  const GsScalar *sorted, int64 n, int threshold, bool exact)
{
	GsQuantile *q = &feature->quantile;
	double		end = Max(gs_normal_quantile(1 - 0.5 / n), 1.0);
	int64		open = -1;
	int64		next;

	q->nsegments = 0;
	q->edge = palloc(sizeof(double) * 2);
	q->low = palloc(sizeof(GsScalar));
	q->high = palloc(sizeof(GsScalar));
	for (int64 i = 0; i < n; i = next)
	{
		bool		special = gs_scalar_is_special(kind, feature->lane,
												   sorted[i]);
		int64		tail;
		int64		depth;

		for (next = i + 1; next < n; next++)
			if (gs_scalar_compare(sorted[i], sorted[next], feature->lane) != 0)
				break;
		tail = Min(i, n - next);
		depth = Max(exact ? n / QUANTILE_EXACT :
					Min(n / QUANTILE_DEPTH, tail / QUANTILE_TAIL), threshold);
		if (special || next - i >= Max(exact ? 0 : depth / 2, threshold))
		{
			if (open >= 0)
				add_segment(feature, kind, sorted, n, open, i - 1,
							threshold);
			add_segment(feature, kind, sorted, n, i, next - 1, threshold);
			open = -1;
			continue;
		}
		if (open < 0)
			open = i;
		if (next - open >= depth)
		{
			add_segment(feature, kind, sorted, n, open, next - 1,
						threshold);
			open = -1;
		}
	}
	if (open >= 0)
		add_segment(feature, kind, sorted, n, open, n - 1, threshold);
	q->edge[0] = -end;
	q->edge[q->nsegments] = end;
}

/*
 * gs_quantile_find: the segment of a source value: the last that doesn't
 * begin after it.
 */
int
gs_quantile_find(const GsFeature *feature, GsScalar value)
{
	const GsQuantile *q = &feature->quantile;
	int			low = 0;
	int			high = q->nsegments - 1;

	while (low < high)
	{
		int			middle = (low + high + 1) / 2;

		if (gs_scalar_compare(q->low[middle], value, feature->lane) <= 0)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/*
 * gs_quantile_nearest: the segment of a value: of those that a value between
 * two of them, which the source had none of, lies next to, the nearer one.
 */
int
gs_quantile_nearest(const GsFeature *feature, GsScalar value)
{
	const GsQuantile *q = &feature->quantile;
	int			s = gs_quantile_find(feature, value);
	GsScalar	end = q->high[s];
	GsScalar	next = q->low[Min(s + 1, q->nsegments - 1)];
	bool		nearer;

	if (s == q->nsegments - 1 ||
		gs_scalar_compare(value, end, feature->lane) <= 0)
		return s;
	if (feature->lane == GS_LANE_FLOAT)
		nearer = next.f - value.f < value.f - end.f;
	else
		nearer = (uint64) next.i - (uint64) value.i <
			(uint64) value.i - (uint64) end.i;
	return nearer ? s + 1 : s;
}

/*
 * gs_quantile_position: where in a segment a value is, from 0 to 1: of all
 * that gives the value, the part at share, from 0 to 1.  What is protected
 * lies beyond the segments' ends, and is there.
 */
double
gs_quantile_position(const GsFeature *feature, int segment, GsScalar value,
					 double share)
{
	GsScalar	low = feature->quantile.low[segment];
	GsScalar	high = feature->quantile.high[segment];
	double		half;
	double		position;

	if (feature->lane == GS_LANE_INT)
	{
		uint64		step = (uint64) feature->step;
		uint64		steps = ((uint64) high.i - (uint64) low.i) / step;
		uint64		at = value.i <= low.i ? 0 :
			Min(((uint64) value.i - (uint64) low.i) / step, steps);

		return ((double) at + share) / ((double) steps + 1);
	}
	if (!(low.f < high.f) || !isfinite(low.f))
		return share;
	position = gs_fraction(value.f, low.f, high.f);
	/* NaN is above everything */
	position = position < 1 ? Max(position, 0) : 1;
	if (feature->decimals < 0)
		return position;
	half = 0.5 / pow(10, feature->decimals) / (high.f - low.f);
	return Max(position - half, 0) * (1 - share) + Min(position + half,
													   1) * share;
}

/*
 * gs_quantile_bins: cuts the normal score into at most GS_BINS bins of about
 * equal share, each a group of neighbouring segments.
 *
 * bin_of: [nsegments], filled.  Returns the number of bins.
 */
int
gs_quantile_bins(const GsFeature *feature, uint16 *bin_of)
{
	const GsQuantile *q = &feature->quantile;
	int			nbins = 0;
	int			last = -1;

	for (int s = 0; s < q->nsegments; s++)
	{
		double		from = s == 0 ? 0 : gs_normal_cdf(q->edge[s]);
		double		to = s == q->nsegments - 1 ? 1 :
			gs_normal_cdf(q->edge[s + 1]);
		int			group = Min((int) ((from + to) / 2 * GS_BINS),
								GS_BINS - 1);

		if (group != last)
			nbins++;
		last = group;
		bin_of[s] = nbins - 1;
	}
	return nbins;
}

/*
 * gs_quantile_scores: the scores of a segment, as floats: any sum of base and
 * a part of span, rounded as floats are, lies in it.
 */
void
gs_quantile_scores(const GsFeature *feature, int segment, float *base,
				   float *span)
{
	const double *edge = &feature->quantile.edge[segment];
	float		low = (float) edge[0];
	float		high = nextafterf((float) edge[1], -INFINITY);

	if (low < edge[0])
		low = nextafterf(low, INFINITY);
	if (high >= edge[1])
		high = nextafterf(high, -INFINITY);
	*base = low;
	*span = high > low ? nextafterf(high - low, -INFINITY) : 0;
}

/*
 * gs_quantile_value: the value at a place of a segment.
 *
 * fraction: 0 to 1, how far the normal score is within the segment.
 */
GsScalar
gs_quantile_value(const GsFeature *feature, int segment, double fraction)
{
	GsScalar	low = feature->quantile.low[segment];
	GsScalar	high = feature->quantile.high[segment];

	if (feature->lane == GS_LANE_INT)
		return gs_quantile_integer(feature, low,
								   ((uint64) high.i - (uint64) low.i) /
								   (uint64) feature->step, fraction);
	if (low.f == high.f || !isfinite(low.f))
		return low;
	if (isfinite(high.f - low.f))
		low.f = low.f + fraction * (high.f - low.f);
	else
		low.f = low.f * (1 - fraction) + high.f * fraction;
	if (feature->decimals >= 0)
	{
		double		unit = pow(10, feature->decimals);

		low.f = rint(low.f * unit) / unit;
	}
	if (low.f > high.f)
		low.f = high.f;
	return low;
}
