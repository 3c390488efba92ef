/*
 * given_calendar.c
 *	  Conditions on columns by the calendar: moments as weeks or months, days
 *	  within these, and times of day.
 *
 * From one moment to another are at most seven boxes: the rest of the first
 * day, the rest of its week, whole weeks, and days and hours of the last one.
 * A feature's quantile table gets the values that boxes begin and end with as
 * ends of its segments.  What rounding would take beyond the moments asked
 * for is held within them by the layout of the sampler's column.
 */
#include "postgres.h"

#include "condition/given.h"
#include "learn/quantile.h"

#define MAX_PARTS		3		/* units, days, time */
#define MAX_RANGE_BOXES	12		/* seven, and what stands for something else */

/* Moments of which each part lies in a range of its own. */
typedef struct PartBox
{
	GsMoments	part[MAX_PARTS];
} PartBox;

typedef struct Calendar
{
	GsGiven    *given;
	int			column;
	const GsLayout *layout;
	int			nparts;
	int			n;
	PartBox    *box;			/* [n] */
} Calendar;

static inline const GsColumn *
column_of(const Calendar *calendar)
{
	return &calendar->given->source->columns[calendar->column];
}

static const GsMoments any = {PG_INT64_MIN, PG_INT64_MAX};

static void
add_box(Calendar *calendar, const PartBox *box)
{
	calendar->box[calendar->n++] = *box;
}

/*
 * The parts of a moment, as those of the column are.
 */
static void
split(const Calendar *calendar, int64 value, int64 *part)
{
	const GsColumn *column = column_of(calendar);
	GsLayoutParts parts;

	(void) gs_layout_split(column, value, NULL, &parts);
	for (int p = 0; p < calendar->nparts; p++)
		part[p] = parts.value[p].i;
}

/*
 * The boxes of what lies between two moments whose parts before part p are
 * those of box: [nparts] each, at part p and beyond.
 */
static void
add_between(Calendar *calendar, PartBox box, int p, const int64 *low,
			const int64 *high)
{
	PartBox		begin = box;
	PartBox		end = box;

	if (p == calendar->nparts - 1 || low[p] == high[p])
	{
		box.part[p] = (GsMoments)
		{
			low[p], high[p]
		};
		if (p < calendar->nparts - 1)
			add_between(calendar, box, p + 1, low, high);
		else
			add_box(calendar, &box);
		return;
	}
	begin.part[p] = (GsMoments)
	{
		low[p], low[p]
	};
	end.part[p] = (GsMoments)
	{
		high[p], high[p]
	};
	add_between(calendar, begin, p + 1, low,
				(int64[]) {PG_INT64_MAX, PG_INT64_MAX, PG_INT64_MAX});
	if (high[p] > low[p] + 1)
	{
		box.part[p] = (GsMoments)
		{
			low[p] + 1, high[p] - 1
		};
		add_box(calendar, &box);
	}
	add_between(calendar, end, p + 1,
				(int64[]) {PG_INT64_MIN, PG_INT64_MIN, PG_INT64_MIN}, high);
}

/*
 * Adds the boxes of values that stand for something else: one by one.
 */
static void
add_special(Calendar *calendar, int64 low, int64 high)
{
	PartBox		box = {{any, any, any}};
	int64		part[MAX_PARTS];

	split(calendar, low, part);
	box.part[0].low = part[0];
	split(calendar, high, part);
	box.part[0].high = part[0];
	add_box(calendar, &box);
}

static void
add_moments(Calendar *calendar, GsMoments moments)
{
	const GsLayout *layout = calendar->layout;
	const GsPartKind *kind = &column_of(calendar)->codec.kind->part[0];
	int64		low[MAX_PARTS];
	int64		high[MAX_PARTS];
	GsMoments	inner = {Max(moments.low, layout->sum[1].min),
	Min(moments.high, layout->sum[1].max)};

	if (inner.low <= inner.high)
	{
		split(calendar, inner.low, low);
		split(calendar, inner.high, high);
		add_between(calendar, (PartBox) {{any, any, any}}, 0, low, high);
	}
	if (moments.low <= kind->minus)
		add_special(calendar, kind->minus, kind->minus);
	if (moments.high >= kind->plus)
		add_special(calendar, kind->plus, kind->plus);
	if (moments.low < layout->far_min && layout->far_min != PG_INT64_MIN)
		add_special(calendar, Max(moments.low, kind->minus + 1),
					Min(moments.high, layout->far_min - 1));
	if (moments.high > layout->far_max)
		add_special(calendar, Max(moments.low, layout->far_max + 1),
					Min(moments.high, kind->plus - 1));
}

static int
by_number(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/*
 * Gives a number's table the ends of all boxes, and keeps what lies in some.
 * Returns the pieces, in order, and *n, how many.
 */
static GsPiece *
cut_number(const Calendar *calendar, int p, int *n)
{
	const GsColumn *column = column_of(calendar);
	int			index = column->feature[p];
	const GsFeature *feature = &calendar->given->source->features[index];
	int64	   *cut = palloc(sizeof(int64) * 2 * calendar->n);
	int			ncuts = 2 * calendar->n;
	GsPiece    *pieces;

	/* where a range begins; one ends before another one could begin */
	for (int b = 0; b < calendar->n; b++)
	{
		int64		high = calendar->box[b].part[p].high;

		cut[2 * b] = calendar->box[b].part[p].low;
		cut[2 * b + 1] = high < PG_INT64_MAX ? high + 1 : high;
	}
	qsort(cut, ncuts, sizeof(int64), by_number);
	pieces = palloc(sizeof(GsPiece) * ((Size) feature->quantile.nsegments +
									   2) * ncuts);
	*n = 0;
	for (int i = 0; i < ncuts - 1; i++)
	{
		GsScalarRange range = {{.i = cut[i]}, {.i = cut[i + 1] - 1}};
		bool		inside = false;

		if (cut[i] == cut[i + 1])
			continue;
		for (int b = 0; b < calendar->n; b++)
			inside |= calendar->box[b].part[p].low <= range.low.i &&
				calendar->box[b].part[p].high >= range.high.i;
		if (inside)
			*n += gs_number_pieces(column, feature, range,
								   range.low.i == range.high.i, pieces + *n);
	}
	*n = gs_pieces_order(feature, pieces, *n);
	if (*n > 0)
		gs_number_table(pieces, *n,
						&calendar->given->schema->features[index].quantile);
	return pieces;
}

/*
 * The region of a part in a box.  Returns false if it is empty.
 */
static bool
region_of(const GsFeature *feature, GsMoments range, GsPiece *pieces, int n,
		  GsRegion *region)
{
	GsPiece    *within = palloc(sizeof(GsPiece) * Max(n, 1));
	int			nwithin = 0;

	memset(region, 0, sizeof(GsRegion));
	if (range.low == PG_INT64_MIN && range.high == PG_INT64_MAX)
		return true;
	if (feature->kind == GS_FEATURE_CATEGORY)
	{
		region->given = true;
		region->allowed = palloc0(sizeof(bool) * feature->nlevels);
		for (int i = 0; i < feature->nlevels; i++)
			if (feature->level[i].i >= range.low &&
				feature->level[i].i <= range.high)
				region->allowed[i] = ++nwithin > 0;
		return nwithin > 0;
	}
	for (int i = 0; i < n; i++)
		if (pieces[i].low.i >= range.low && pieces[i].high.i <= range.high)
			within[nwithin++] = pieces[i];
	gs_number_region(feature, within, nwithin, region);
	return nwithin > 0;
}

/*
 * gs_given_moments: adds a condition on a column by the calendar: that it is
 * within one of n ranges, or NULL.
 *
 * Returns false if no box is left.  Errors: program_limit_exceeded.
 */
bool
gs_given_moments(GsGiven *given, int column, const GsMoments *moments, int n,
				 bool null)
{
	const GsColumn *c = &given->source->columns[column];
	Calendar	calendar = {.given = given,.column = column,
		.layout = c->layout,.nparts = c->codec.nparts
	};
	GsPiece    *pieces[MAX_PARTS];
	int			npieces[MAX_PARTS] = {0};
	GsRegion  (*region)[MAX_PARTS];
	int			nboxes = 0;
	int			before = given->nboxes;

	calendar.box = palloc(sizeof(PartBox) * MAX_RANGE_BOXES * Max(n, 1));
	for (int i = 0; i < n; i++)
		add_moments(&calendar, moments[i]);
	for (int p = 0; p < calendar.nparts; p++)
		if (calendar.n > 0 && given->source->features[c->feature[p]].kind ==
			GS_FEATURE_NUMBER)
			pieces[p] = cut_number(&calendar, p, &npieces[p]);
	region = palloc(sizeof(GsRegion) * MAX_PARTS * Max(calendar.n, 1));
	for (int b = 0; b < calendar.n; b++)
	{
		bool		holds = true;

		for (int p = 0; p < calendar.nparts; p++)
			holds &= region_of(&given->source->features[c->feature[p]],
							   calendar.box[b].part[p], pieces[p],
							   npieces[p], &region[nboxes][p]);
		nboxes += holds;
	}
	if (nboxes + (null && c->null_feature >= 0) == 0)
		return false;
	null &= c->null_feature >= 0;
	gs_given_multiply(given, nboxes + null);
	for (int b = 0; b < given->nboxes; b++)
	{
		GsRegion   *box = given->box[b];
		bool		is_null = b / before == nboxes;

		if (c->null_feature >= 0)
			box[c->null_feature] =
				gs_region_of_levels(2, (bool[]) {!is_null, is_null});
		for (int p = 0; p < calendar.nparts && !is_null; p++)
			box[c->feature[p]] = region[b / before][p];
	}
	if (n == 1)
	{
		GsLayout   *layout = palloc(sizeof(GsLayout));

		*layout = *c->layout;
		layout->sum[1].min = Max(layout->sum[1].min, moments[0].low);
		layout->sum[1].max = Min(layout->sum[1].max, moments[0].high);
		given->schema->columns[column].layout = layout;
	}
	return true;
}
