/*
 * calendar_learn.c
 *	  Which moments follow the calendar.
 *
 * A quantile table is linear between moments, and families see where in the
 * years a moment lies: they would spread Fridays over the weekend, and
 * mornings over the night.  So where the days of the week, those of the month
 * or the hours are far from evenly used, or go with another column, the parts
 * are learned each by itself: gs_layout_split.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/calendar_learn.h"
#include "learn/difference.h"
#include "learn/learn_internal.h"
#include "learn/quantile.h"

#define MAX_ROWS		20000	/* that are looked at */
#define MIN_ROWS		100
#define MIN_VALUES		20		/* fewer are a category: see FEW_VALUES */
#define MAX_FAR			5		/* values that stand far from all others */
#define MIN_WEEKS		4
#define MIN_MONTHS		6
#define MIN_DAYS		7
#define MAX_MOMENT		(INT64CONST(1) << 60)

/* A distance of two distributions, beyond chance, that counts. */
#define DISTANCE		0.03
/* Of a dependence, Pearson's chi-squared: a row's, and in deviations. */
#define MIN_DEPENDENCE	0.02
#define DEVIATIONS		6.0
#define CLASSES			8		/* of the other column */
#define HOURS			24

/*
 * Some values of a column, sorted.  Returns how many.
 */
static int
collect(const GsSample *sample, int column, GsScalar *value)
{
	const GsLane *lane = &sample->lanes[column * GS_MAX_PARTS];
	int64		stride = sample->nrows / MAX_ROWS + 1;
	int			n = 0;

	for (int64 row = 0; row < sample->nrows; row += stride)
		if (!is_absent(lane, row) &&
			!gs_layout_is_special(&sample->columns[column],
								  lane->scalar[row].i))
			value[n++] = lane->scalar[row];
	gs_scalars_sort(value, n, GS_LANE_INT);
	return n;
}

/*
 * The distance from one value to another, as a double.
 */
static inline double
distance(GsScalar from, GsScalar to)
{
	return (double) to.i - (double) from.i;
}

/*
 * gs_far_find: the ends beyond which a few values stand that are as far from
 * all others as these are from each other: 9999-12-31, say.
 */
void
gs_far_find(const GsSample *sample, int column, int64 *min, int64 *max)
{
	GsScalar   *value = palloc(sizeof(GsScalar) * MAX_ROWS);
	int			n = collect(sample, column, value);
	int			distinct = 0;

	*min = PG_INT64_MIN;
	*max = PG_INT64_MAX;
	for (int i = n - 1; i > 0 && distinct < MAX_FAR; i--)
	{
		if (value[i - 1].i == value[i].i)
			continue;
		distinct++;
		if (value[i - 1].i > value[0].i &&
			distance(value[i - 1], value[i]) >
			distance(value[0], value[i - 1]))
		{
			*max = value[i - 1].i;
			n = i;
			break;
		}
	}
	distinct = 0;
	for (int i = 0; i < n - 1 && distinct < MAX_FAR; i++)
	{
		if (value[i + 1].i == value[i].i)
			continue;
		distinct++;
		if (value[i + 1].i < value[n - 1].i &&
			distance(value[i], value[i + 1]) >
			distance(value[i + 1], value[n - 1]))
		{
			*min = value[i + 1].i;
			break;
		}
	}
	pfree(value);
}

/*
 * How far shares are from what is expected: half the sum of the differences,
 * beyond what chance makes of it.
 */
static double
excess(const int *count, const double *expected, int ncells, int n)
{
	double		sum = 0;
	double		chance = 0;

	for (int i = 0; i < ncells; i++)
	{
		sum += fabs((double) count[i] / n - expected[i]) / 2;
		chance += sqrt(expected[i] * (1 - expected[i]) / n) * M_2_SQRTPI *
			M_SQRT1_2 / 2;
	}
	return sum - 2 * chance;
}

static double
week_excess(const GsScalar *value, int n, int64 per_day)
{
	int			count[7] = {0};
	double		expected[7];

	if (distance(value[0], value[n - 1]) < 7.0 * MIN_WEEKS * per_day)
		return 0;
	for (int i = 0; i < 7; i++)
		expected[i] = 1.0 / 7;
	for (int i = 0; i < n; i++)
		count[gs_calendar_split(GS_CALENDAR_WEEK, per_day, value[i].i).day]++;
	return excess(count, expected, 7, n);
}

static double
month_excess(const GsScalar *value, int n, int64 per_day)
{
	int			count[GS_LAST_DAY + 1] = {0};
	double		expected[GS_LAST_DAY + 1] = {0};
	GsCalendar	unit = GS_CALENDAR_DAY;
	int64		first = gs_calendar_split(unit, per_day, value[0].i).count;
	int64		last = gs_calendar_split(unit, per_day, value[n - 1].i).count;
	int64		ndays = Min(last - first + 1, INT64CONST(366) * 400);

	if (ndays < 31 * MIN_MONTHS)
		return 0;
	for (int64 day = first; day < first + ndays; day++)
		expected[gs_calendar_split(GS_CALENDAR_MONTH, 1, day).day] +=
			1.0 / ndays;
	for (int i = 0; i < n; i++)
		count[gs_calendar_split(GS_CALENDAR_MONTH, per_day, value[i].i).day]++;
	return excess(count, expected, GS_LAST_DAY + 1, n);
}

/*
 * The same of the hours, and of what falls on a quarter of an hour where not
 * all does.
 */
static double
day_excess(const GsScalar *value, int n, int64 per_day)
{
	int			count[HOURS] = {0};
	double		expected[HOURS];
	int			quarters = 0;

	if (per_day == 1 ||
		distance(value[0], value[n - 1]) < (double) MIN_DAYS * per_day)
		return 0;
	for (int i = 0; i < HOURS; i++)
		expected[i] = 1.0 / HOURS;
	for (int i = 0; i < n; i++)
	{
		int64		time = gs_calendar_split(GS_CALENDAR_DAY, per_day,
										   value[i].i).time;

		count[time / (per_day / HOURS)]++;
		quarters += time % (per_day / HOURS / 4) == 0;
	}
	return Max(excess(count, expected, HOURS, n),
			   quarters == n ? 0 : (double) quarters / n - 1.0 / 15);
}

/* Rows of another column, in classes. */
typedef struct Classes
{
	const GsLane *lane;
	GsScalar	end[CLASSES - 1];	/* of a number's, of as many rows */
} Classes;

static void
init_classes(Classes *classes, const GsSample *sample, int column)
{
	GsScalar   *value = palloc(sizeof(GsScalar) * MAX_ROWS);
	int64		stride = sample->nrows / MAX_ROWS + 1;
	int			n = 0;

	classes->lane = &sample->lanes[column * GS_MAX_PARTS];
	for (int64 row = 0; row < sample->nrows; row += stride)
		if (!is_absent(classes->lane, row))
			value[n++] = classes->lane->scalar[row];
	gs_scalars_sort(value, n, classes->lane->type);
	for (int i = 0; i < CLASSES - 1; i++)
		classes->end[i] = n > 0 ? value[(int64) (i + 1) * n / CLASSES] :
			(GsScalar) {.i = 0};
	pfree(value);
}

/*
 * A row's class: texts by their hash, of which those are even classes, too.
 */
static int
class_of(const Classes *classes, int64 row)
{
	int			class = 0;

	if (is_absent(classes->lane, row))
		return CLASSES;
	while (class < CLASSES - 1 &&
		   gs_scalar_compare(classes->lane->scalar[row], classes->end[class],
							 classes->lane->type) >= 0)
		class++;
	return class;
}

/*
 * Whether two classes of so many rows depend on each other: Pearson, Phil.
 * Mag. 50 (1900).
 */
static bool
depend(const int *count, int nx, int ny)
{
	double		x[HOURS] = {0};
	double		y[CLASSES + 1] = {0};
	double		n = 0;
	double		sum = 0;
	int			used_x = 0;
	int			used_y = 0;
	double		freedom;

	for (int i = 0; i < nx * ny; i++)
	{
		x[i / ny] += count[i];
		y[i % ny] += count[i];
		n += count[i];
	}
	for (int i = 0; i < nx; i++)
		used_x += x[i] > 0;
	for (int j = 0; j < ny; j++)
		used_y += y[j] > 0;
	for (int i = 0; i < nx * ny; i++)
		if (x[i / ny] > 0 && y[i % ny] > 0)
			sum += count[i] * (double) count[i] / (x[i / ny] * y[i % ny]);
	freedom = (used_x - 1.0) * (used_y - 1.0);
	sum = n * (sum - 1) - freedom;
	return freedom > 0 && sum > DEVIATIONS * sqrt(2 * freedom) &&
		sum > MIN_DEPENDENCE * n;
}

/*
 * Whether hours, or days of the week, go with another column.
 */
static void
find_dependence(const GsSample *sample, int column, int other, int64 per_day,
				bool *hours, bool *days)
{
	const GsLane *lane = &sample->lanes[column * GS_MAX_PARTS];
	int64		stride = sample->nrows / MAX_ROWS + 1;
	int			by_hour[HOURS * (CLASSES + 1)] = {0};
	int			by_day[7 * (CLASSES + 1)] = {0};
	Classes		classes;

	init_classes(&classes, sample, other);
	for (int64 row = 0; row < sample->nrows; row += stride)
	{
		GsCalendarDay	moment;
		int			class;

		if (is_absent(lane, row) ||
			gs_layout_is_special(&sample->columns[column],
								 lane->scalar[row].i))
			continue;
		moment = gs_calendar_split(GS_CALENDAR_WEEK, per_day,
								   lane->scalar[row].i);
		class = class_of(&classes, row);
		by_day[moment.day * (CLASSES + 1) + class]++;
		by_hour[moment.time / Max(per_day / HOURS, 1) * (CLASSES + 1) +
				class]++;
	}
	*hours |= per_day > 1 && depend(by_hour, HOURS, CLASSES + 1);
	*days |= depend(by_day, 7, CLASSES + 1);
}

/*
 * Whether a column may be asked what goes with another one: one that is told
 * from it says the same again.
 */
static bool
may_go_with(const GsSample *sample, int column, int other)
{
	const GsColumn *c = &sample->columns[other];

	return other != column && gs_is_near(sample, column, other) &&
		!c->unique && c->layout == NULL &&
		c->codec.kind->axis != GS_AXIS_TIME;
}

/*
 * Whether some values stand for something else: infinity, 9999-12-31.
 */
static bool
has_special(const GsSample *sample, int column)
{
	const GsLane *lane = &sample->lanes[column * GS_MAX_PARTS];

	for (int64 row = 0; row < sample->nrows; row++)
		if (!is_absent(lane, row) &&
			gs_layout_is_special(&sample->columns[column],
								 lane->scalar[row].i))
			return true;
	return false;
}

/*
 * gs_calendar_find: the unit that a column of moments is to be learned in.
 *
 * Far values are known: see gs_far_find.  Can be cancelled.
 */
GsCalendar
gs_calendar_find(const GsSample *sample, int column)
{
	const GsCodecKind *kind = sample->columns[column].codec.kind;
	int64		per_day = (int64) (USECS_PER_DAY /
								   (kind->unit > 0 ? kind->unit : 1));
	GsScalar   *value = palloc(sizeof(GsScalar) * MAX_ROWS);
	int			n = collect(sample, column, value);
	int			distinct = n > 0;
	bool		hours = false;
	bool		days = false;
	double		week;
	double		month;

	for (int i = 1; i < n; i++)
		distinct += value[i].i != value[i - 1].i;
	/*
	 * Of values that are not counted, trees would have to know before they
	 * draw a day; weeks apart, all are of the same one.
	 */
	if (has_special(sample, column) || n < MIN_ROWS || distinct <= MIN_VALUES ||
		gs_find_step(value, n) >= 7 * per_day ||
		value[0].i < -MAX_MOMENT || value[n - 1].i > MAX_MOMENT)
		return GS_CALENDAR_NONE;
	week = week_excess(value, n, per_day);
	month = month_excess(value, n, per_day);
	hours = day_excess(value, n, per_day) > DISTANCE;
	if (distance(value[0], value[n - 1]) < 7.0 * MIN_WEEKS * per_day)
		return hours ? GS_CALENDAR_DAY : GS_CALENDAR_NONE;
	for (int c = 0; c < sample->ncolumns && !days; c++)
	{
		CHECK_FOR_INTERRUPTS();
		if (may_go_with(sample, column, c))
			find_dependence(sample, column, c, per_day, &hours, &days);
	}
	pfree(value);
	if (month > week && month > DISTANCE)
		return GS_CALENDAR_MONTH;
	if (week > DISTANCE || days)
		return GS_CALENDAR_WEEK;
	return hours ? GS_CALENDAR_DAY : GS_CALENDAR_NONE;
}
