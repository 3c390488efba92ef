/*
 * learn_number.c
 *	  What a fit finds out about numbers.
 *
 * Few values are a category, and so are those that are said to be codes.  All
 * others have a quantile table; where they are those of a list, as postcodes
 * are, nothing but what the list has comes out of it.
 */
#include "postgres.h"

#include <math.h>

#include "learn/endings.h"
#include "learn/learn_internal.h"
#include "learn/quantile.h"

/* A number of at most this many values is a category ... */
#define FEW_VALUES			20
/* A number whose single values matter is one too, if it has more than these. */
#define MANY_VALUES			20000
/* Numbers of a list have at most so many values, of what lies between them at
 * most this share; rare ones are at most so many of the rows, and are not
 * single ones, or hardly any. */
#define LISTED_VALUES		20000
#define LISTED_SPARSE		0.1
#define LISTED_RARE			0.3
#define LISTED_REPEAT		1.5
#define LISTED_FEW			0.002
/* A value that more rows hold says nothing about the others. */
#define LISTED_HEAVY		0.02
/* Of a number whose single values matter, so many of the other rows have such
 * as may be shown. */
#define EXACT_COVERAGE		0.8

static int
by_count(const void *a, const void *b)
{
	const ValueCount *x = a;
	const ValueCount *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return (x->scalar.i > y->scalar.i) - (x->scalar.i < y->scalar.i);
}

/*
 * A number of few values, or a boolean, as a category.  Returns false where
 * too many rows hold rare values.
 */
static bool
learn_few_numbers(LaneView *view)
{
	GsFeature  *feature = view->feature;
	bool		public = gs_codec_is_public(&view->column->codec);
	int64		covered = 0;
	int			n = 0;

	gs_count_values(view, FEW_VALUES, 0);
	if (view->nvalues > FEW_VALUES)
		return false;
	for (int i = 0; i < view->nvalues; i++)
		if (public || view->values[i].count >= view->threshold)
		{
			covered += view->values[i].count;
			view->values[n++] = view->values[i];
		}
	if (n == 0 || covered < FEW_COVERAGE * view->npresent)
		return false;
	gs_alloc_levels(feature, n);
	for (int i = 0; i < n; i++)
	{
		feature->level[i] = view->values[i].scalar;
		feature->share[i] = view->values[i].count;
	}
	return true;
}

/*
 * Numbers that are codes: those that enough rows hold are the levels.  Returns
 * false where most rows hold rare ones, which only a number can stand for.
 */
static bool
learn_codes(LaneView *view)
{
	GsFeature  *feature = view->feature;
	int64		covered = 0;
	int			n;

	gs_count_values(view, INT_MAX - 1, view->threshold);
	qsort(view->values, view->nvalues, sizeof(ValueCount), by_count);
	n = Min(view->nvalues, GS_MAX_LEVELS);
	for (int i = 0; i < n; i++)
		covered += view->values[i].count;
	if (n == 0 || covered < NEAR_UNIQUE * view->npresent)
		return false;
	gs_alloc_levels(feature, n);
	for (int i = 0; i < n; i++)
	{
		feature->level[i] = view->values[i].scalar;
		feature->share[i] = view->values[i].count;
	}
	return true;
}

/*
 * A number whose single values matter, but are too many for segments of a
 * table, as a category.  Returns false where they are not.
 */
static bool
learn_many_numbers(LaneView *view)
{
	gs_count_values(view, INT_MAX - 1, view->threshold);
	return view->nvalues > MANY_VALUES && learn_codes(view);
}

/*
 * Copies the values that enough rows hold.  Returns how many.
 */
static int64
keep_frequent(const LaneView *view, GsScalar *to, const GsScalar *from,
			  int64 n)
{
	int64		kept = 0;
	int64		next;

	for (int64 i = 0; i < n; i = next)
	{
		for (next = i + 1; next < n; next++)
			if (gs_scalar_compare(from[i], from[next], view->lane->type) != 0)
				break;
		if (next - i < view->threshold)
			continue;
		memmove(to + kept, from + i, sizeof(GsScalar) * (next - i));
		kept += next - i;
	}
	return kept;
}

/*
 * How many numbers there could be between the values of most rows.
 */
static double
count_possible(const GsFeature *feature, const GsScalar *sorted, int64 n)
{
	GsScalar	low = sorted[n / 100];
	GsScalar	high = sorted[n - 1 - n / 100];

	if (feature->lane == GS_LANE_INT)
		return (double) ((uint64) high.i - (uint64) low.i) / feature->step + 1;
	return feature->decimals < 0 ? INFINITY :
		(high.f - low.f) * pow(10, feature->decimals) + 1;
}

/*
 * Whether sorted numbers, of which none is special, are those of a list: codes,
 * say, which repeat, and which are few of those that could be between them.
 */
static bool
is_listed(const LaneView *view, const GsScalar *sorted, int64 n)
{
	int64		heavy = (int64) (LISTED_HEAVY * n);
	int64		values = 0;
	int64		frequent = 0;
	int64		light = 0;		/* rows of values that are not heavy */
	int64		rare = 0;		/* rows ... */
	int64		nrare = 0;		/* ... and values */
	int64		lead = 0;		/* rare rows before the first frequent value */
	int64		trail = 0;		/* and behind the last */
	int64		next;

	for (int64 i = 0; i < n; i = next)
	{
		for (next = i + 1; next < n; next++)
			if (gs_scalar_compare(sorted[i], sorted[next],
								  view->lane->type) != 0)
				break;
		values++;
		light += next - i <= heavy ? next - i : 0;
		if (next - i >= view->threshold)
		{
			frequent++;
			trail = 0;
			continue;
		}
		nrare++;
		rare += next - i;
		trail += next - i;
		lead += frequent == 0 ? next - i : 0;
	}
	if (frequent == 0 || frequent > LISTED_VALUES ||
		values > LISTED_SPARSE * count_possible(view->feature, sorted, n))
		return false;

	/* a tail is not to be lost */
	return Max(lead, trail) < 4 * view->threshold &&
		rare <= LISTED_RARE * light &&
		(rare <= LISTED_FEW * light || rare >= LISTED_REPEAT * nrare);
}

/*
 * Copies sorted numbers without the threshold - 1 outermost ones at either end,
 * where these are rare.  Returns how many are left.
 */
static int64
keep_inner(const LaneView *view, GsScalar *to, const GsScalar *from, int64 n)
{
	int			outer = view->threshold - 1;
	GsLaneType	lane = view->lane->type;
	int64		first = 0;
	int64		last = n;

	if (n < view->threshold)
		return 0;
	if (gs_scalar_compare(from[0], from[outer], lane) != 0)
		first = outer;
	if (gs_scalar_compare(from[n - 1 - outer], from[n - 1], lane) != 0)
		last = n - outer;
	if (last <= first)
	{
		/* both ends cross: all that may be told is the mean */
		*to = gs_find_mean(view->feature, from, n);
		return 1;
	}
	memmove(to, from + first, sizeof(GsScalar) * (last - first));
	return last - first;
}

/*
 * Where the rows of the value at i end.
 */
static int64
end_of_value(const LaneView *view, const GsScalar *sorted, int64 n, int64 i)
{
	int64		next = i + 1;

	while (next < n && gs_scalar_compare(sorted[i], sorted[next],
										 view->lane->type) == 0)
		next++;
	return next;
}

/*
 * Whether nearly all rows hold values that enough others hold, or most of those
 * whose values are not held by many.
 */
static bool
is_frequent(const LaneView *view, const GsScalar *sorted, int64 n)
{
	int64		heavy = 0;
	int64		rare = 0;
	int64		next;

	for (int64 i = 0; i < n; i = next)
	{
		next = end_of_value(view, sorted, n, i);
		if (next - i > LISTED_HEAVY * n)
			heavy += next - i;
		else if (next - i < view->threshold)
			rare += next - i;
	}
	return rare <= (1 - FEW_COVERAGE) * n ||
		rare <= (1 - EXACT_COVERAGE) * (n - heavy);
}

/*
 * Gives rows of rare values, in place, the nearest frequent one in the order of
 * the rows, so that each part of a price list keeps its share.
 */
static void
fold_rare(const LaneView *view, GsScalar *sorted, int64 n)
{
	int64		first = 0;		/* row of those not yet given a value */
	const GsScalar *before = NULL;
	int64		next;

	for (int64 i = 0; i < n; i = next)
	{
		next = end_of_value(view, sorted, n, i);
		if (next - i < view->threshold)
			continue;
		for (int64 row = first; row < i; row++)
			sorted[row] = before != NULL && row - first < (i - first) / 2 ?
				*before : sorted[i];
		before = &sorted[i];
		first = next;
	}
	for (int64 row = first; row < n && before != NULL; row++)
		sorted[row] = *before;
}

/*
 * A number's quantile table, its ends protected: rare specials and what is
 * outermost are left out; of a list, all that is rare.
 */
static void
learn_table(LaneView *view)
{
	GsFeature  *feature = view->feature;
	const GsCodec *codec = &view->column->codec;
	const GsPartKind *kind = &codec->part[feature->part];
	GsScalar   *sorted = view->sorted;
	int64		first = 0;
	int64		last = view->npresent;
	/* of more values than segments have numbers, none matters by itself */
	bool		exact = view->column->exact && view->nvalues <= MANY_VALUES;
	bool		listed;
	int64		n;

	while (first < last &&
		   gs_scalar_is_special(kind, feature->lane, sorted[first]))
		first++;
	while (last > first &&
		   gs_scalar_is_special(kind, feature->lane, sorted[last - 1]))
		last--;

	feature->kind = GS_FEATURE_NUMBER;
	feature->step = 1;
	feature->decimals = -1;
	if (feature->lane == GS_LANE_INT)
		feature->step = gs_find_step(sorted + first, last - first);
	else
		feature->decimals = gs_find_decimals(codec->kind->narrow,
											 sorted + first, last - first);
	listed = view->column->meant != GS_MEANT_NUMBER && last > first &&
		is_listed(view, sorted + first, last - first);
	if (view->column->meant != GS_MEANT_NUMBER && last > first &&
		exact &&
		is_frequent(view, sorted + first, last - first))
	{
		fold_rare(view, sorted + first, last - first);
		listed = true;
	}

	/* in place: the sorted values aren't needed again */
	n = keep_frequent(view, sorted, sorted, first);
	n += listed ?
		keep_frequent(view, sorted + n, sorted + first, last - first) :
		keep_inner(view, sorted + n, sorted + first, last - first);
	n += keep_frequent(view, sorted + n, sorted + last,
					   view->npresent - last);
	if (n == 0)
	{
		/* nothing may be shown; the caller makes the column NULL */
		gs_alloc_levels(feature, 0);
		return;
	}
	gs_quantile_build(feature, kind, sorted, n, view->threshold, listed,
					  exact);
	if (!listed && (codec->kind->axis == GS_AXIS_NUMBER ||
					codec->kind->axis == GS_AXIS_MONEY))
		gs_endings_learn(feature, sorted, n, view->threshold);
}

/*
 * gs_learn_number: learns a lane of numbers, which is sorted, into its feature.
 */
void
gs_learn_number(LaneView *view)
{
	if (learn_few_numbers(view) ||
		(view->column->exact && learn_many_numbers(view)))
		return;
	if (view->column->meant != GS_MEANT_CODE || !learn_codes(view))
		learn_table(view);
}
