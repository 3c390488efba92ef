/*
 * difference.c
 *	  Columns that are learned as what they add to others, or by the
 *	  calendar.
 *
 * Where a date, a time stamp, a whole number or money is never before another
 * one of its row (a discharge after its admission), and told by it, the
 * difference is what follows a distribution: it takes the place of the
 * column's own values before features are learned, and is added up when rows
 * are decoded.  So the order holds by construction, whatever is NULL, and
 * stays are as long as they are.  The same is done for moments that are close
 * to each other in any order, and for aspects of a moment (aspect.c).
 *
 * Of several columns that a value is never below, the highest of those that are
 * not NULL counts: so it is above all of them, whichever of them is above which
 * (a day's highest price, the first and the last one).
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/calendar_learn.h"
#include "learn/pair.h"
#include "learn/quantile.h"

/* Share of the rows that may be huge in a column told from another one. */
#define MAX_HUGE		0.001
/* Of a number's values, those that make an end a bound. */
#define MIN_REACHED		0.01

/*
 * gs_column_may_differ: whether a column whose values are in a lane of whole
 * numbers can be told from others, or others from it: what conditions set has
 * its value later.
 */
bool
gs_column_may_differ(const GsColumn *c)
{
	/* a domain's conditions are not about a difference */
	return !c->unique && !c->equated && !c->computed && c->codec.nparts == 1 &&
		c->meant != GS_MEANT_CODE && c->moment == 0 &&
		c->codec.notation == NULL &&
		(c->codec.kind->integer || c->codec.kind->scaled ||
		 c->codec.kind->part[0].lane == GS_LANE_NUMERIC) &&
		c->declared == c->type;
}

bool
gs_may_differ(const GsSample *sample, int column)
{
	return gs_column_may_differ(&sample->columns[column]) &&
		sample->lanes[column * GS_MAX_PARTS].type == GS_LANE_INT;
}

/*
 * gs_difference_unit: what a column's whole numbers are multiples of, of a
 * numeric at a scale: comparable with those of other columns of its axis.
 */
int64
gs_difference_unit(const GsColumn *column, int scale)
{
	const GsCodecKind *kind = column->codec.kind;

	if (kind->axis == GS_AXIS_NUMBER)
		return (int64) rint(pow(10, 18 - scale));
	return kind->unit > 0 ? (int64) kind->unit : 1;
}

/*
 * gs_layout_create: a layout without bases, all of whose values may be sums.
 */
GsLayout *
gs_layout_create(void)
{
	GsLayout   *layout = palloc0(sizeof(GsLayout));

	layout->since = -1;
	layout->far_min = PG_INT64_MIN;
	layout->far_max = PG_INT64_MAX;
	return layout;
}

/*
 * gs_layout_add_base: adds a base of a layout, whose units are as
 * gs_difference_unit says.
 */
void
gs_layout_add_base(GsLayout *layout, int base, int64 own, int64 unit)
{
	int			at = layout->nbases++;

	layout->base[at] = base;
	layout->times[at] = layout->per[at] = 1;
	if (layout->aspect != GS_ASPECT_SAME)
		layout->times[at] = unit;
	else if (unit >= own)
		layout->times[at] = unit / own;
	else
		layout->per[at] = own / unit;
}

/*
 * Whether more than a few of a column's values are too large for sums, among
 * which such numbers stand for infinity and the like.
 */
static bool
is_huge(const GsSample *sample, int c)
{
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	int64		n = 0;

	for (int64 row = 0; row < sample->nrows; row++)
	{
		int64		value = lane->scalar[row].i;

		n += !(lane->absent != NULL && lane->absent[row]) &&
			!gs_layout_is_special(&sample->columns[c], value) &&
			(value < -GS_MAX_END || value > GS_MAX_END);
	}
	return n > MAX_HUGE * sample->nrows;
}

static void
init_number(Finder *finder, int c)
{
	const GsSample *sample = finder->sample;
	Number	   *number = &finder->number[c];
	const GsCodecKind *kind = sample->columns[c].codec.kind;

	number->column = &sample->columns[c];
	number->lane = &sample->lanes[c * GS_MAX_PARTS];
	if (!gs_may_differ(sample, c) || kind->axis == GS_AXIS_NONE ||
		is_huge(sample, c))
		return;
	number->unit = gs_difference_unit(number->column, number->lane->scale);
}

static bool
may_be_base(const Finder *finder, int c, int b)
{
	const GsColumn *columns = finder->sample->columns;

	/*
	 * what is known for every row is told by itself, and so is what others are
	 * looked up by, but for the order of two such moments
	 */
	return b != c && gs_is_near(finder->sample, b, c) &&
		!columns[c].context && (!columns[c].exact || columns[b].exact) &&
		gs_may_follow(&columns[c], &columns[b]);
}

/*
 * Finds what each column is told from best.
 */
static void
find_links(Finder *finder)
{
	GsSample   *sample = finder->sample;
	int			n = sample->ncolumns;

	for (int c = 0; c < n; c++)
	{
		GsLink	   *best = &finder->link[c];

		*best = (GsLink)
		{
			.base = -1,.since = -1,.score = INFINITY
		};
		/* what two columns tell is looked up, and no sum */
		if (sample->columns[c].exact &&
			sample->columns[c].codec.kind->axis != GS_AXIS_TIME)
			continue;
		if (gs_may_differ(sample, c) && !sample->columns[c].exact)
			gs_aspect_find(sample, c, best);
		if (finder->number[c].unit == 0)
			continue;
		for (int b = 0; b < n; b++)
		{
			double		score;
			int			sign;

			CHECK_FOR_INTERRUPTS();
			if (!may_be_base(finder, c, b) || finder->number[b].unit == 0 ||
				sample->columns[b].codec.kind->axis !=
				sample->columns[c].codec.kind->axis)
				continue;
			score = gs_pair_score(finder, c, b, &sign);
			finder->sign[(Size) c * n + b] = (int8) sign;
			/* of two that say the same, the first is the base */
			score += b > c ? 0.01 : 0;
			if (score < best->score)
				*best = (GsLink)
			{
				.base = b,.since = -1,.sign = sign,.score = score
			};
		}
	}
}

static void
add_base(const Finder *finder, GsLayout *layout, int c, int b)
{
	gs_layout_add_base(layout, b, finder->number[c].unit,
					   finder->number[b].unit);
}

/* A column that another one is never below. */
typedef struct Lower
{
	int			column;
	int			rank;			/* of the others, those that it is never below */
} Lower;

static int
by_rank(const void *a, const void *b)
{
	const Lower *x = a;
	const Lower *y = b;

	return x->rank != y->rank ? y->rank - x->rank : x->column - y->column;
}

/*
 * Adds all that a column is never below, the last in the order first.
 */
static void
add_ordered(const Finder *finder, GsLayout *layout, int c)
{
	const GsColumn *columns = finder->sample->columns;
	int			n = finder->sample->ncolumns;
	const int8 *sign = finder->sign + (Size) c * n;
	Lower	   *lower = palloc(sizeof(Lower) * n);
	int			nlower = 0;

	for (int b = 0; b < n; b++)
		if (sign[b] > 0)
			lower[nlower++] = (Lower)
		{
			b, 0
		};
	for (int i = 0; i < nlower; i++)
		for (int j = 0; j < nlower; j++)
			lower[i].rank += i != j &&
				finder->sign[(Size) lower[i].column * n + lower[j].column] > 0;
	qsort(lower, nlower, sizeof(Lower), by_rank);
	for (int i = 0; i < nlower && layout->nbases < GS_MAX_BASES; i++)
		if ((layout->nbases == 0 || layout->base[0] != lower[i].column) &&
			!gs_layout_reaches(columns, lower[i].column, c))
			add_base(finder, layout, c, lower[i].column);
	pfree(lower);
}

static void
set_bases(Finder *finder, int c)
{
	GsColumn   *column = &finder->sample->columns[c];
	const GsLink *link = &finder->link[c];

	if (link->base < 0 || gs_layout_reaches(finder->sample->columns, link->base, c) ||
		(link->since >= 0 &&
		 gs_layout_reaches(finder->sample->columns, link->since, c)))
		return;
	if (column->layout == NULL)
		column->layout = gs_layout_create();
	column->layout->aspect = link->aspect;
	column->layout->since = link->since;
	column->layout->sign = link->sign;
	column->layout->since_times = link->fixed;
	if (link->since >= 0)
		column->layout->since_times = finder->number[link->since].unit;
	column->layout->exact = link->score < -BY_FAR / 2 || column->endless;
	column->layout->highest = link->sign > 0 && !column->layout->exact &&
		link->aspect == GS_ASPECT_SAME;
	if (link->sign <= 0 || link->score < -BY_FAR / 2)
		add_base(finder, column->layout, c, link->base);
	if (link->sign > 0)
		add_ordered(finder, column->layout, c);
}

/*
 * What a row's value adds to.  Returns false if it stands for itself.
 */
static bool
row_origin(const Finder *finder, int c, int64 row, int64 *origin)
{
	const GsLayout *layout = finder->number[c].column->layout;
	int64		since = 0;
	bool		found = false;

	if (layout->since >= 0 &&
		!has_value(&finder->number[layout->since], row, &since))
		return false;
	for (int b = 0; b < layout->nbases; b++)
	{
		int64		value;
		int64		other;

		if (!has_value(&finder->number[layout->base[b]], row, &value))
			continue;
		other = gs_layout_origin(layout, b, value, since);
		if (gs_layout_takes(layout, found, *origin, other))
			*origin = other;
		found = true;
	}
	return found;
}

/*
 * How many rows of a column have a value that stands for itself.
 */
static int64
count_alone(const Finder *finder, int c)
{
	const GsLane *lane = finder->number[c].lane;
	int64		alone = 0;
	int64		origin = 0;

	for (int64 row = 0; row < finder->sample->nrows; row++)
		alone += !is_absent(lane, row) && !row_origin(finder, c, row, &origin);
	return alone;
}

/*
 * Whether no row can stand for itself: some of the bases has always a value.
 */
static bool
always_sum(const Finder *finder, const GsLayout *layout)
{
	for (int b = 0; b < layout->nbases; b++)
	{
		bool		always = true;
		int64		value;

		for (int64 row = 0; row < finder->sample->nrows && always; row++)
			always = has_value(&finder->number[layout->base[b]], row,
							   &value) &&
				(layout->since < 0 ||
				 has_value(&finder->number[layout->since], row, &value));
		if (always)
			return true;
	}
	return false;
}

/*
 * Collects what values add to their bases, or, by themselves, values: [n]
 * sorted.  Returns n.
 */
static int64
collect(const Finder *finder, int c, bool sums, GsScalar *to)
{
	const GsSample *sample = finder->sample;
	int64		n = 0;

	for (int64 row = 0; row < sample->nrows; row++)
	{
		int64		value;
		int64		origin = 0;

		if (!has_value(&finder->number[c], row, &value) ||
			(sums && !row_origin(finder, c, row, &origin)))
			continue;
		to[n++].i = value - origin;
	}
	gs_scalars_sort(to, n, GS_LANE_INT);
	return n;
}

/*
 * How many different sums there are by the calendar, up to one more than few.
 */
static int
count_places(const Finder *finder, int c, GsCalendar unit)
{
	int64		per_day = USECS_PER_DAY / finder->number[c].unit;
	int64		stride = finder->sample->nrows / PAIR_ROWS + 1;
	Distinct	distinct = {0};

	for (int64 row = 0; row < finder->sample->nrows; row += stride)
	{
		int64		value;
		int64		origin = 0;
		GsCalendarDay place;

		if (!has_value(&finder->number[c], row, &value) ||
			!row_origin(finder, c, row, &origin))
			continue;
		place = gs_calendar_since(unit, per_day, value, origin,
								  finder->number[c].column->layout->sign < 0);
		count_distinct(&distinct, (int64)
					   gs_mix64(gs_mix64(place.count, place.day), place.time));
	}
	return distinct.n;
}

/*
 * The unit of what a column of moments adds to its base: its own, where that
 * is as fine as the differences are.
 */
static GsCalendar
unit_of_sum(const Finder *finder, int c, GsCalendar own,
			const GsScalar *sorted, int64 n)
{
	const GsColumn *columns = finder->sample->columns;
	const GsColumn *column = &columns[c];
	int64		per_day;
	int64		distinct = 1;
	int64		middle;

	for (int64 i = 1; i < n; i++)
		distinct += sorted[i].i != sorted[i - 1].i;
	if (own == GS_CALENDAR_NONE || column->layout->aspect != GS_ASPECT_SAME ||
		(distinct <= FEW_DISTINCT &&
		 distinct <= count_places(finder, c, own)))
		return GS_CALENDAR_NONE;
	per_day = USECS_PER_DAY / finder->number[c].unit;
	middle = sorted[n / 2].i;
	if (Max(middle, -middle) >= per_day)
		return own;
	/* from a day on, the time of day tells as much */
	return per_day > 1 &&
		finder->number[column->layout->base[0]].unit == USECS_PER_DAY ?
		GS_CALENDAR_DAY : GS_CALENDAR_NONE;
}

/*
 * The ends of what is learned, protected as a number's are.
 */
static void
set_ends(GsSum *sum, const GsScalar *sorted, int64 n, int threshold)
{
	int64		last = Min(threshold, (n + 1) / 2) - 1;

	sum->min = Max(sorted[last].i, -GS_MAX_END);
	sum->max = Min(sorted[n - 1 - last].i, GS_MAX_END);
	if (sum->min > sum->max)
		sum->min = sum->max = 0;
}

/*
 * Whether many of a number's values are its ends.
 */
static void
set_reached(const Finder *finder, int c, const GsScalar *sorted, int64 n)
{
	GsLayout   *layout = finder->number[c].column->layout;
	int64		many = Max(finder->threshold, (int64) (MIN_REACHED * n));

	if (finder->number[c].column->codec.kind->axis == GS_AXIS_TIME ||
		n <= many)
		return;
	layout->min_reached = sorted[0].i == sorted[many].i;
	layout->max_reached = sorted[n - 1].i == sorted[n - 1 - many].i;
}

/*
 * Settles the layout of a column that may have one: what its sums are, in
 * which units.  Without any it has none.  A moment by which others are looked
 * up has none by itself: a week and a day of it are two predictors.
 */
static void
settle(const Finder *finder, int c, GsScalar *scratch)
{
	GsColumn   *column = &finder->sample->columns[c];
	GsLayout   *layout = column->layout;
	GsCalendar		own = GS_CALENDAR_NONE;
	int64		n;

	n = layout->nbases > 0 ? collect(finder, c, true, scratch) : 0;
	if (n < Max(column->endless ? ENDLESS_MIN_ROWS : PAIR_MIN_ROWS,
				finder->threshold))
		layout->nbases = 0;
	if (layout->nbases > 0)
		column->exact = false;
	if (column->codec.kind->axis == GS_AXIS_TIME &&
		finder->number[c].unit > 0 && !column->exact)
		own = gs_calendar_find(finder->sample, c);
	if (layout->nbases == 0 && own == GS_CALENDAR_NONE)
	{
		column->layout = NULL;
		return;
	}
	gs_layout_limit(column, finder->number[c].lane->scale, layout);
	if (layout->nbases > 0)
	{
		layout->sum[0].nparts = 1;
		layout->sum[0].unit = unit_of_sum(finder, c, own, scratch, n);
		set_ends(&layout->sum[0], scratch, n, finder->threshold);
	}
	n = collect(finder, c, false, scratch);
	set_ends(&layout->sum[1], scratch, n, finder->threshold);
	set_reached(finder, c, scratch, n);
	if (always_sum(finder, layout))
		return;
	layout->sum[1].nparts = 1;
	layout->sum[1].unit = own;
	layout->both = count_alone(finder, c) < finder->threshold;
}

/*
 * How many columns are below one; where they are too many, it stands alone.
 *
 * depth: [ncolumns], -1 where it is not known yet
 */
static int
depth_of(const GsColumn *columns, int c, int *depth)
{
	GsLayout   *layout = columns[c].layout;
	int			deepest = 0;

	check_stack_depth();
	if (depth[c] >= 0 || layout == NULL)
		return depth[c] = Max(depth[c], 0);
	for (int b = 0; b < layout->nbases; b++)
		deepest = Max(deepest, 1 + depth_of(columns, layout->base[b], depth));
	if (layout->since >= 0)
		deepest = Max(deepest, 1 + depth_of(columns, layout->since, depth));
	if (deepest > GS_MAX_DEPTH)
	{
		layout->nbases = deepest = 0;
		layout->since = -1;
	}
	return depth[c] = deepest;
}

/*
 * Sets the depth of all columns, [ncolumns].  Returns the largest.
 */
static int
cut_depth(const Finder *finder, int *depth)
{
	int			deepest = 0;

	for (int c = 0; c < finder->sample->ncolumns; c++)
		depth[c] = -1;
	for (int c = 0; c < finder->sample->ncolumns; c++)
		deepest = Max(deepest, depth_of(finder->sample->columns, c, depth));
	return deepest;
}

/*
 * Puts a column's parts in place of its values.
 */
static void
replace_lanes(const Finder *finder, int c)
{
	GsSample   *sample = finder->sample;
	GsColumn   *column = &sample->columns[c];
	GsLane	   *old = &sample->lanes[c * GS_MAX_PARTS];
	GsLane		lanes[GS_MAX_PARTS];

	for (int p = 0; p < column->codec.nparts; p++)
	{
		gs_lane_init(&lanes[p], GS_LANE_INT, old->salt, 0);
		lanes[p].scale = old->scale;
		lanes[p].min_scale = old->min_scale;
	}
	for (int64 row = 0; row < sample->nrows; row++)
	{
		int64		value = old->scalar[row].i;
		int64		origin = 0;
		bool		sum = !is_absent(old, row) &&
			row_origin(finder, c, row, &origin);
		GsLayoutParts parts;

		memset(parts.absent, true, sizeof(parts.absent));
		if (!is_absent(old, row))
			(void) gs_layout_split(column, value, sum ? &origin : NULL,
								   &parts);
		for (int p = 0; p < column->codec.nparts; p++)
		{
			GsPart		part = {.lane = GS_LANE_INT,
			.absent = parts.absent[p],.scalar = parts.value[p]};

			gs_lane_put(&lanes[p], row, row, &part);
		}
	}
	gs_lane_free(old);
	memcpy(old, lanes, sizeof(GsLane) * column->codec.nparts);
}

static int
by_score(const void *a, const void *b, void *arg)
{
	const GsLink *link = arg;
	double		x = link[*(const int *) a].score;
	double		y = link[*(const int *) b].score;

	if (x != y)
		return x < y ? -1 : 1;
	return *(const int *) a - *(const int *) b;
}

/*
 * gs_layouts_find: finds the columns of a sample that are learned otherwise
 * than as their values, sets their layouts, and leaves the parts in their
 * lanes.  Can be cancelled.
 *
 * threshold: rows that a value needs to be shown; differences: whether columns
 * may be told from others; orders: of gs_orders_between
 */
void
gs_layouts_find(GsSample *sample, int threshold, bool differences,
				List *orders)
{
	int			n = sample->ncolumns;
	Finder		finder = {.sample = sample,.threshold = threshold};
	int		   *order = palloc(sizeof(int) * Max(n, 1));
	GsScalar   *scratch = palloc_extended(sizeof(GsScalar) *
										  Max(sample->nrows, 1),
										  MCXT_ALLOC_HUGE);
	GsFloats   *floats = NULL;

	finder.number = palloc0(sizeof(Number) * Max(n, 1));
	finder.link = palloc0(sizeof(GsLink) * Max(n, 1));
	finder.sign = palloc_extended(Max((Size) n * n, 1),
								  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	finder.code = palloc0(Max(n, 1));
	if (differences)
		floats = gs_floats_to_whole(sample, orders);
	for (int c = 0; c < n; c++)
	{
		order[c] = c;
		init_number(&finder, c);
		if (floats != NULL && floats[c].changed && !floats[c].grouped)
			finder.number[c].unit = 0;
		if (finder.number[c].unit == 0 ||
			sample->columns[c].codec.kind->axis != GS_AXIS_TIME)
			continue;
		sample->columns[c].layout = gs_layout_create();
		gs_far_find(sample, c, &sample->columns[c].layout->far_min,
					&sample->columns[c].layout->far_max);
	}
	if (differences)
	{
		find_links(&finder);
		qsort_arg(order, n, sizeof(int), by_score, finder.link);
		for (int i = 0; i < n; i++)
			set_bases(&finder, order[i]);
		cut_depth(&finder, order);
	}
	for (int c = 0; c < n; c++)
		if (sample->columns[c].layout != NULL)
			settle(&finder, c, scratch);
	if (floats != NULL)
		gs_floats_settle(sample, floats);

	/* a base must be what it is until all has been taken off that it is of */
	for (int c = 0; c < n; c++)
		if (sample->columns[c].layout != NULL)
			gs_layout_set(&sample->columns[c], sample->columns[c].layout);
	for (int deepest = cut_depth(&finder, order); deepest >= 0; deepest--)
		for (int c = 0; c < n; c++)
			if (sample->columns[c].layout != NULL && order[c] == deepest)
				replace_lanes(&finder, c);
	pfree(scratch);
	pfree(order);
	pfree(finder.number);
	pfree(finder.link);
	pfree(finder.sign);
	pfree(finder.code);
}
