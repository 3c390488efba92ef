/*
 * quantile.c
 *	  Quantile tables: normal scores to values and back, for number features.
 *
 * The table is the inverse of the distribution function, in segments.  A
 * value that holds many rows is an atom: a segment that gives just that value.
 * The rows between atoms are cut into segments of about 1/1000 of the rows,
 * finer towards both ends, where a heavy tail bends most.  A segment never
 * spans a gap: a stretch without rows that is far wider than what lies next to
 * it.  The random part of the distributional transform (Rueschendorf 2009) is
 * the position within a segment.
 */
#include "postgres.h"

#include <math.h>

#include "learn/endings.h"
#include "learn/quantile.h"
#include "numeric/normal.h"

/* A segment holds about this share of the rows ... */
#define QUANTILE_DEPTH		1000
/* ... or this share of the rows beyond it, if that is less. */
#define QUANTILE_TAIL		8

/* Of a number whose single values matter, what is between them has as many. */
#define QUANTILE_EXACT		20000

/* Times the mean distance of values within a segment that is no gap. */
#define MAX_GAP				4.0
/* So many rows on either side of a gap, or a segment's, are close together. */
#define GAP_ROWS			8

/* A value stands out where it has so many times the rows of its neighbours ... */
#define SPIKE				4.0
/* ... and this share of a segment's. */
#define SPIKE_DEPTH			16

/* What a table is made from. */
typedef struct Values
{
	GsFeature  *feature;
	const GsPartKind *kind;
	const GsScalar *sorted;		/* [n] */
	int64		n;
	int64		first;			/* of those that are not special ... */
	int64		last;			/* ... and the one behind them */
	int			threshold;
	bool		listed;			/* see gs_quantile_build */
	bool		exact;
	bool		begun;			/* a segment of them is there */
} Values;

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
 * gs_find_decimals: the digits after the point that every value has, at most
 * GS_MAX_DECIMALS; -1 if they have more.  narrow: values are floats of 4 bytes.
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

			/* a huge whole number stands for something else */
			if (fabs(value) * unit > GS_MAX_ROUNDED && value == rint(value))
				break;
			if (decimals > GS_MAX_DECIMALS || fabs(value) * unit > GS_MAX_ROUNDED)
				return -1;
			if (narrow ? (float) round == (float) value :
				round == value)
				break;
		}
	}
	return decimals;
}

static uint64
common_divisor(uint64 a, uint64 b)
{
	while (b != 0)
	{
		uint64		rest = a % b;

		a = b;
		b = rest;
	}
	return a;
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
		step = common_divisor(step, (uint64) sorted[i].i -
							  (uint64) sorted[i - 1].i);
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
 * How far apart two values are that are not special; of floats half of it,
 * which is always a number.
 */
static double
distance(const GsFeature *feature, GsScalar low, GsScalar high)
{
	if (feature->lane == GS_LANE_FLOAT)
		return high.f / 2 - low.f / 2;
	return (double) ((uint64) high.i - (uint64) low.i);
}

/*
 * The rows that a segment at row i is to hold.
 */
static int64
depth_at(const Values *v, int64 i, int64 next)
{
	int64		tail = Min(i, v->n - next);

	return Max(Min(v->n / QUANTILE_DEPTH, tail / QUANTILE_TAIL),
			   v->threshold);
}

/*
 * Whether there is a gap between row i and the row before.
 */
static bool
is_gap(const Values *v, int64 i)
{
	int64		rows;
	double		width;

	if (i <= v->first || i >= v->last)
		return true;
	rows = Max(depth_at(v, i, i), GAP_ROWS);
	width = distance(v->feature, v->sorted[i - 1], v->sorted[i]);
	return width > MAX_GAP *
		distance(v->feature, v->sorted[Max(i - 1 - rows, v->first)],
				 v->sorted[i - 1]) &&
		width > MAX_GAP *
		distance(v->feature, v->sorted[i],
				 v->sorted[Min(i + rows, v->last - 1)]);
}

/*
 * The step that values are multiples of between gaps: what lies beyond one may
 * be no multiple.
 */
static int64
find_inner_step(const Values *v)
{
	uint64		step = 0;

	for (int64 i = v->first + 1; i < v->last && step != 1; i++)
		if (v->sorted[i].i != v->sorted[i - 1].i && !is_gap(v, i))
			step = common_divisor(step, (uint64) v->sorted[i].i -
								  (uint64) v->sorted[i - 1].i);
	return step == 0 || step > PG_INT64_MAX ? v->feature->step :
		(int64) step;
}

/*
 * The float next to another one, in the direction of a third, that the feature
 * can have.
 */
static double
next_float(const GsFeature *feature, double value, double toward)
{
	double		unit = pow(10, feature->decimals);
	double		step = toward > value ? 1 : -1;

	if (feature->decimals < 0 || fabs(value) * unit > GS_MAX_ROUNDED)
		return nextafter(value, toward);
	value = (rint(value * unit) + step) / unit;
	return step > 0 ? Min(value, toward) : Max(value, toward);
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

	if (n < 2 || q->nsegments < 2)
		return;
	if (feature->lane == GS_LANE_FLOAT)
	{
		if (begin.f < end->f && next.f < last.f && isfinite(last.f) &&
			next.f - end->f <= MAX_GAP * ((last.f - next.f) / (n - 1)))
			end->f = next_float(feature, next.f, end->f);
		return;
	}
	/* as doubles, whose rounding only moves the limit */
	if (begin.i < end->i && next.i < last.i && end->i < next.i &&
		(double) next.i - (double) end->i <=
		MAX_GAP * (((double) last.i - (double) next.i) / (n - 1)))
		end->i = next.i - feature->step;
}

/*
 * Widens a segment from first to last up to the rows next to it, if there is
 * no gap before them.
 */
static void
widen_segment(const Values *v, int64 first, int64 last, GsScalar *low,
			  GsScalar *high)
{
	uint64		step = (uint64) v->feature->step;
	bool		below = !is_gap(v, first);
	bool		above = !is_gap(v, last + 1);

	if (v->feature->lane == GS_LANE_FLOAT)
	{
		if (below)
			low->f = next_float(v->feature, v->sorted[first - 1].f, low->f);
		if (above)
			high->f = next_float(v->feature, v->sorted[last + 1].f, high->f);
		return;
	}
	if (below)
		low->i -= ((uint64) low->i - (uint64) v->sorted[first - 1].i - 1) /
			step * step;
	if (above)
		high->i += ((uint64) v->sorted[last + 1].i - (uint64) high->i - 1) /
			step * step;
}

/*
 * Whether rows first to last are few and stand alone, so that a segment would
 * pin them down: they go to the nearer neighbour.  *before: that is the
 * segment before.
 */
static bool
is_alone(const Values *v, int64 first, int64 last, bool *before)
{
	bool		below = first > v->first;
	bool		above = last < v->last - 1;
	GsScalar	low = v->sorted[first];
	GsScalar	high = v->sorted[last];

	if (last - first + 1 >= v->threshold || (!below && !above) ||
		!(is_gap(v, first) || is_gap(v, last + 1)))
		return false;
	*before = below &&
		(!above || distance(v->feature, v->sorted[first - 1], low) <=
		 distance(v->feature, high, v->sorted[last + 1]));
	if (is_gap(v, first) && is_gap(v, last + 1))
		return true;
	widen_segment(v, first, last, &low, &high);
	return gs_scalar_compare(low, high, v->feature->lane) == 0;
}

/*
 * The segment of rows first to last of the sorted values.  Where it holds
 * fewer rows than the threshold, it is widened up to its neighbours, so that
 * no rare value is pinned down.
 */
static void
add_segment(Values *v, int64 first, int64 last)
{
	GsQuantile *q = &v->feature->quantile;
	GsScalar	low = v->sorted[first];
	GsScalar	high = v->sorted[last];
	bool		before;

	if (first >= v->first && last < v->last)
	{
		if (is_alone(v, first, last, &before))
		{
			before &= v->begun;
			if (before && last < v->n - 1)
				q->edge[q->nsegments] = gs_normal_quantile((last + 1.0) / v->n);
			if (before || last < v->last - 1)
				return;
			/* all are alone */
			low = v->sorted[v->first];
		}
		else if (last - first + 1 < v->threshold)
			widen_segment(v, first, last, &low, &high);
		v->begun = true;
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
	close_gap(v->feature, last - first + 1);
	if (last < v->n - 1)
		q->edge[q->nsegments] = gs_normal_quantile((last + 1.0) / v->n);
}

/*
 * Rows from one to another, and how many values they have between them, added
 * up.
 */
static void
count_between(const Values *v, int64 from, int64 to, int64 *rows,
			  int64 *values)
{
	for (int64 i = from; i < to; i++)
	{
		++*rows;
		*values += i == from ||
			gs_scalar_compare(v->sorted[i - 1], v->sorted[i],
							  v->feature->lane) != 0;
	}
}

/*
 * Whether the value of rows i to next - 1 stands alone: many rows hold it, or
 * far more than its neighbours, as a round number or a placeholder.
 */
static bool
is_atom(const Values *v, int64 i, int64 next)
{
	int64		depth = depth_at(v, i, next);
	int64		count = next - i;
	int64		rows = 0;
	int64		values = 0;

	if (v->listed || count >= Max(v->exact ? 0 : depth / 2, v->threshold))
		return true;
	if (count < Max(depth / SPIKE_DEPTH, v->threshold))
		return false;
	count_between(v, Max(i - depth, v->first), i, &rows, &values);
	count_between(v, next, Min(next + depth, v->last), &rows, &values);
	return count * values >= SPIKE * rows;
}

/*
 * gs_quantile_build: makes a number feature's table.
 *
 * kind: of the part, NULL for floats; sorted: [n] values, protected already, n >
 * 0; listed: these are all the values there are, each an atom; the feature's
 * lane and step are set, and the step may grow; exact: single values matter.  The table is allocated in the
 * current context.
 */
void
gs_quantile_build(GsFeature *feature, const GsPartKind *kind,
				  const GsScalar *sorted, int64 n, int threshold, bool listed,
				  bool exact)
{
	Values		v = {feature, kind, sorted, n, 0, n, threshold, listed, exact,
		false};
	GsQuantile *q = &feature->quantile;
	double		end = Max(gs_normal_quantile(1 - 0.5 / n), 1.0);
	int64		open = -1;
	int64		next;

	while (v.first < v.last &&
		   gs_scalar_is_special(kind, feature->lane, sorted[v.first]))
		v.first++;
	while (v.last > v.first &&
		   gs_scalar_is_special(kind, feature->lane, sorted[v.last - 1]))
		v.last--;
	if (feature->lane == GS_LANE_INT)
		feature->step = find_inner_step(&v);
	q->nsegments = 0;
	q->edge = palloc(sizeof(double) * 2);
	q->low = palloc(sizeof(GsScalar));
	q->high = palloc(sizeof(GsScalar));
	for (int64 i = 0; i < n; i = next)
	{
		bool		special = i < v.first || i >= v.last;
		bool		atom;

		for (next = i + 1; next < n; next++)
			if (gs_scalar_compare(sorted[i], sorted[next], feature->lane) != 0)
				break;
		atom = special || is_atom(&v, i, next);
		if (open >= 0 && (atom || is_gap(&v, i)))
		{
			add_segment(&v, open, i - 1);
			open = -1;
		}
		if (atom)
			add_segment(&v, i, next - 1);
		else if (open < 0)
			open = i;
		if (open >= 0 && next - open >= depth_at(&v, i, next))
		{
			add_segment(&v, open, next - 1);
			open = -1;
		}
	}
	if (open >= 0)
		add_segment(&v, open, n - 1);
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

	if (feature->endings != NULL &&
		gs_scalar_compare(low, high, feature->lane) < 0)
	{
		if (gs_scalar_compare(value, low, feature->lane) < 0)
			value = low;
		if (gs_scalar_compare(value, high, feature->lane) > 0)
			value = high;
		if (gs_endings_position(feature, segment, value, share, &position))
			return position;
	}
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
	GsScalar	value;

	if (feature->endings != NULL &&
		gs_scalar_compare(low, high, feature->lane) < 0 &&
		gs_endings_value(feature, segment, fraction, &value))
		return value;
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
	if (feature->decimals >= 0 &&
		fabs(low.f) * pow(10, feature->decimals) <= GS_MAX_ROUNDED)
	{
		double		unit = pow(10, feature->decimals);

		low.f = rint(low.f * unit) / unit;
	}
	if (low.f > high.f)
		low.f = high.f;
	return low;
}
