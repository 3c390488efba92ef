/*
 * calendar.h
 *	  Dates and time stamps by the calendar: which week or month, which day
 *	  of it, what time of day; and what else people write down of a moment.
 */
#ifndef GENSYNTH_CALENDAR_H
#define GENSYNTH_CALENDAR_H

#include "postgres.h"

/* What moments are counted in. */
typedef enum GsCalendar
{
	GS_CALENDAR_NONE,				/* not by the calendar */
	GS_CALENDAR_DAY,
	GS_CALENDAR_WEEK,
	GS_CALENDAR_MONTH,
	GS_CALENDARS
} GsCalendar;

/* A moment, or how far it is from another one. */
typedef struct GsCalendarDay
{
	int64		count;			/* units, since 2000 or the other */
	int64		day;			/* WEEK: 0 is Monday; MONTH: from 1, and
								 * GS_LAST_DAY is its last */
	int64		time;			/* of day, in the value's steps */
} GsCalendarDay;

#define GS_LAST_DAY		31

/* What another column may say of a moment, or of two. */
typedef enum GsAspect
{
	GS_ASPECT_SAME,				/* itself, in the other column's unit */
	GS_ASPECT_TIME,				/* of day */
	GS_ASPECT_YEAR,
	GS_ASPECT_QUARTER,
	GS_ASPECT_MONTH,
	GS_ASPECT_DAY,
	GS_ASPECT_HOUR,
	GS_ASPECT_MINUTE,
	GS_ASPECT_SECOND,
	GS_ASPECT_DOW,
	GS_ASPECT_ISODOW,
	GS_ASPECT_DOY,
	GS_ASPECT_WEEK,
	GS_ASPECT_YEAR_MONTH,			/* 202401 */
	GS_ASPECT_YEAR_MONTH_DAY,
	GS_ASPECT_HOUR_MINUTE,		/* 1730 */
	GS_ASPECT_EPOCH,				/* seconds since 1970 */
	GS_ASPECT_EPOCH_MS,
	GS_ASPECT_YEARS,				/* whole ones between two, as age() */
	GS_ASPECT_MONTHS,
	GS_ASPECT_DAYS,
	GS_ASPECT_HOURS,
	GS_ASPECT_MINUTES,
	GS_ASPECT_SECONDS,
	GS_ASPECT_YEARS_TO,			/* whole ones to a fixed moment */
	GS_ASPECT_MONTHS_TO,
	GS_ASPECTS
} GsAspect;

#define GS_ASPECT_FIRST_OF_TWO	GS_ASPECT_YEARS
#define GS_ASPECT_FIRST_TO		GS_ASPECT_YEARS_TO

extern const char *gs_calendar_name(GsCalendar unit);
extern GsCalendarDay gs_calendar_split(GsCalendar unit, int64 per_day,
									   int64 value);
extern int64 gs_calendar_join(GsCalendar unit, int64 per_day,
							  GsCalendarDay moment);
extern GsCalendarDay gs_calendar_since(GsCalendar unit, int64 per_day,
									   int64 value, int64 origin, bool up);
extern int64 gs_calendar_after(GsCalendar unit, int64 per_day,
							   GsCalendarDay since, int64 origin, bool up);
extern int64 gs_calendar_days(GsCalendar unit, int64 count, int64 *first);
extern int64 gs_calendar_months_after(int64 since, int64 months);
extern int64 gs_aspect_of(GsAspect aspect, int64 moment, int64 since);

#endif
