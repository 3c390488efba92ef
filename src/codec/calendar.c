/*
 * calendar.c
 *	  Dates and time stamps by the calendar.
 *
 * A moment is a number of units, a place within a unit (the day of the week
 * or month, the time of day), and back.  How far a moment is from another one
 * is told likewise: by its own place within a unit, and by the number of whole
 * units that lie between.  That number is negative if and only if the moment
 * is before the other (or positive, counted the other way round, if it is
 * after it), so what is always later stays so, and keeps its own Mondays and
 * office hours.
 */
#include "postgres.h"

#include "common/int.h"
#include "datatype/timestamp.h"
#include "utils/datetime.h"

#include "codec/calendar.h"

#define MONDAY			5		/* days from one to 2000-01-01 */
#define FIRST_DAY		(DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE)
#define END_DAY			(TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
#define MOST_UNITS		INT64CONST(1000000000)
#define MOST_MONTHS		INT64CONST(120000)
#define MAX_DAYS		(INT64CONST(1) << 32)	/* beyond those of any type */

/*
 * a / b, rounded down; b > 0.
 */
static inline int64
divide(int64 a, int64 b)
{
	return a / b - (a % b < 0);
}

static inline int64
limit(int64 value, int64 min, int64 max)
{
	return Min(Max(value, min), max);
}

/*
 * gs_calendar_name: as synth_columns has it.
 */
const char *
gs_calendar_name(GsCalendar unit)
{
	static const char *const names[] = {
		[GS_CALENDAR_NONE] = "none",[GS_CALENDAR_DAY] = "day",
		[GS_CALENDAR_WEEK] = "week",[GS_CALENDAR_MONTH] = "month"
	};

	return names[unit];
}

/*
 * gs_calendar_days: the first day of a unit, since 2000-01-01.  Returns how
 * many days the unit has.
 */
int64
gs_calendar_days(GsCalendar unit, int64 count, int64 *first)
{
	int64		year;
	int64		month;

	count = limit(count, -MOST_UNITS, MOST_UNITS);
	if (unit != GS_CALENDAR_MONTH)
	{
		*first = unit == GS_CALENDAR_WEEK ? count * 7 - MONDAY : count;
		return unit == GS_CALENDAR_WEEK ? 7 : 1;
	}
	year = limit(2000 + divide(count, 12), -4713, 294277);
	month = count - divide(count, 12) * 12;
	*first = date2j((int) year, (int) month + 1, 1) - POSTGRES_EPOCH_JDATE;
	return day_tab[isleap(year)][month];
}

/*
 * gs_calendar_split: which unit a moment lies in, and where.
 *
 * value: since 2000-01-01, per_day of them a day; of a month or a week, days
 * from year -4713 to 294276
 */
GsCalendarDay
gs_calendar_split(GsCalendar unit, int64 per_day, int64 value)
{
	int64		day = limit(divide(value, per_day), -MAX_DAYS, MAX_DAYS);
	GsCalendarDay moment = {.count = day,.time = value - day * per_day};
	int			year;
	int			month;
	int			of_month;

	if (unit == GS_CALENDAR_WEEK)
	{
		moment.count = divide(day + MONDAY, 7);
		moment.day = day + MONDAY - moment.count * 7;
	}
	else if (unit == GS_CALENDAR_MONTH)
	{
		j2date((int) limit(day, FIRST_DAY, END_DAY) + POSTGRES_EPOCH_JDATE,
			   &year, &month, &of_month);
		moment.count = (int64) (year - 2000) * 12 + month - 1;
		moment.day = of_month == day_tab[isleap(year)][month - 1] ?
			GS_LAST_DAY : of_month;
	}
	return moment;
}

/*
 * gs_calendar_join: the moment at a place of a unit, within what a time stamp
 * can be.  A day that the month does not have is its last.
 */
int64
gs_calendar_join(GsCalendar unit, int64 per_day, GsCalendarDay moment)
{
	int64		first;
	int64		days = gs_calendar_days(unit, moment.count, &first);
	int64		day = unit == GS_CALENDAR_MONTH ? moment.day - 1 : moment.day;

	if (unit != GS_CALENDAR_DAY)
		first += limit(day, 0, days - 1);
	return limit(first, FIRST_DAY, END_DAY - 1) * per_day +
		limit(moment.time, 0, per_day - 1);
}

/*
 * The order of two moments within their units.
 */
static int
compare_places(GsCalendarDay a, GsCalendarDay b)
{
	if (a.day != b.day)
		return a.day < b.day ? -1 : 1;
	return (a.time > b.time) - (a.time < b.time);
}

/*
 * gs_calendar_since: how far a moment is from another one.
 *
 * up: the count is rounded up: it is positive if and only if the moment is
 * after the other; else it is negative if and only if it is before
 */
GsCalendarDay
gs_calendar_since(GsCalendar unit, int64 per_day, int64 value, int64 origin,
				  bool up)
{
	GsCalendarDay	moment = gs_calendar_split(unit, per_day, value);
	GsCalendarDay	from = gs_calendar_split(unit, per_day, origin);
	int			order = compare_places(moment, from);

	moment.count -= from.count;
	if (up ? order > 0 : order < 0)
		moment.count += up ? 1 : -1;
	return moment;
}

/*
 * gs_calendar_after: the moment that is so far from another one.
 */
int64
gs_calendar_after(GsCalendar unit, int64 per_day, GsCalendarDay since, int64 origin,
				bool up)
{
	GsCalendarDay	from = gs_calendar_split(unit, per_day, origin);
	int			order = compare_places(since, from);

	since.count = limit(since.count, -MOST_UNITS, MOST_UNITS) + from.count;
	if (up ? order > 0 : order < 0)
		since.count -= up ? 1 : -1;
	return gs_calendar_join(unit, per_day, since);
}

/*
 * Whole months from one moment to a later one, as age() counts them.
 */
static int64
months_between(int64 since, int64 moment)
{
	int64		day[2] = {divide(since, USECS_PER_DAY),
		divide(moment, USECS_PER_DAY)};
	int			year[2];
	int			month[2];
	int			of_month[2];
	int64		months;

	if (since > moment)
		return -months_between(moment, since);
	for (int i = 0; i < 2; i++)
		j2date((int) limit(day[i], FIRST_DAY, END_DAY) + POSTGRES_EPOCH_JDATE,
			   &year[i], &month[i], &of_month[i]);
	months = (int64) (year[1] - year[0]) * 12 + month[1] - month[0];
	if (of_month[1] < of_month[0] ||
		(of_month[1] == of_month[0] &&
		 moment - day[1] * USECS_PER_DAY < since - day[0] * USECS_PER_DAY))
		months--;
	return months;
}

/*
 * gs_calendar_months_after: the first moment that is so many whole months
 * after another one, as age() counts them.
 */
int64
gs_calendar_months_after(int64 since, int64 months)
{
	int64		day = limit(divide(since, USECS_PER_DAY), FIRST_DAY, END_DAY);
	int64		month;
	int			y;
	int			m;
	int			d;
	int64		first;
	int64		next;

	j2date((int) day + POSTGRES_EPOCH_JDATE, &y, &m, &d);
	month = (int64) y * 12 + m - 1 + limit(months, -MOST_MONTHS, MOST_MONTHS);
	y = (int) divide(month, 12);
	m = (int) (month - (int64) y * 12) + 1;
	first = date2j(y, m, d) - POSTGRES_EPOCH_JDATE;
	next = date2j(y + m / 12, m % 12 + 1, 1) - POSTGRES_EPOCH_JDATE;
	/* a month without such a day is over by then */
	if (next <= first)
		return limit(next, FIRST_DAY, END_DAY - 1) * USECS_PER_DAY;
	return limit(first, FIRST_DAY, END_DAY - 1) * USECS_PER_DAY +
		since - divide(since, USECS_PER_DAY) * USECS_PER_DAY;
}

/*
 * Whole units from one moment to another.
 */
static int64
between(int64 moment, int64 since, int64 unit)
{
	int64		distance;

	if (pg_sub_s64_overflow(moment, since, &distance))
		distance = moment < 0 ? PG_INT64_MIN : PG_INT64_MAX;
	return distance / unit;
}

/*
 * Seconds since 1970, of so many a second.
 */
static int64
epoch(int64 moment, int64 per_second)
{
	return divide(moment, USECS_PER_SEC / per_second) + per_second *
		((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY);
}

/*
 * What the calendar says of a day, since 2000-01-01.
 */
static int64
aspect_of_day(GsAspect aspect, int64 day)
{
	int			julian = (int) limit(day, FIRST_DAY, END_DAY) +
		POSTGRES_EPOCH_JDATE;
	int			year;
	int			month;
	int			of_month;

	j2date(julian, &year, &month, &of_month);
	switch (aspect)
	{
		case GS_ASPECT_YEAR:
			return year;
		case GS_ASPECT_QUARTER:
			return (month - 1) / 3 + 1;
		case GS_ASPECT_MONTH:
			return month;
		case GS_ASPECT_DAY:
			return of_month;
		case GS_ASPECT_DOW:
			return j2day(julian);
		case GS_ASPECT_ISODOW:
			return j2day(julian) == 0 ? 7 : j2day(julian);
		case GS_ASPECT_DOY:
			return julian - date2j(year, 1, 1) + 1;
		case GS_ASPECT_WEEK:
			return date2isoweek(year, month, of_month);
		case GS_ASPECT_YEAR_MONTH:
			return (int64) year * 100 + month;
		default:
			return (int64) year * 10000 + month * 100 + of_month;
	}
}

/*
 * gs_aspect_of: what an aspect shows of a moment, in microseconds since 2000.
 *
 * since: of an aspect of two, the earlier one; of one to a fixed moment, that
 */
int64
gs_aspect_of(GsAspect aspect, int64 moment, int64 since)
{
	int64		day = divide(moment, USECS_PER_DAY);
	int64		time = moment - day * USECS_PER_DAY;

	switch (aspect)
	{
		case GS_ASPECT_SAME:
			return moment;
		case GS_ASPECT_TIME:
			return time;
		case GS_ASPECT_HOUR:
			return time / USECS_PER_HOUR;
		case GS_ASPECT_MINUTE:
			return time / USECS_PER_MINUTE % 60;
		case GS_ASPECT_SECOND:
			return time / USECS_PER_SEC % 60;
		case GS_ASPECT_HOUR_MINUTE:
			return time / USECS_PER_HOUR * 100 + time / USECS_PER_MINUTE % 60;
		case GS_ASPECT_EPOCH:
			return epoch(moment, 1);
		case GS_ASPECT_EPOCH_MS:
			return epoch(moment, 1000);
		case GS_ASPECT_YEARS:
			return months_between(since, moment) / 12;
		case GS_ASPECT_MONTHS:
			return months_between(since, moment);
		case GS_ASPECT_DAYS:
			return between(moment, since, USECS_PER_DAY);
		case GS_ASPECT_HOURS:
			return between(moment, since, USECS_PER_HOUR);
		case GS_ASPECT_MINUTES:
			return between(moment, since, USECS_PER_MINUTE);
		case GS_ASPECT_SECONDS:
			return between(moment, since, USECS_PER_SEC);
		case GS_ASPECT_YEARS_TO:
			return months_between(moment, since) / 12;
		case GS_ASPECT_MONTHS_TO:
			return months_between(moment, since);
		default:
			return aspect_of_day(aspect, day);
	}
}
