/*
 * calendar_learn.h
 *	  Which moments follow the calendar.
 */
#ifndef GENSYNTH_CALENDAR_LEARN_H
#define GENSYNTH_CALENDAR_LEARN_H

#include "learn/learn.h"

/* Values of a column of a sample, some of its rows. */
typedef struct GsValues
{
	int			n;
	int64	   *value;			/* [n] sorted, neither special nor far */
} GsValues;

extern void gs_far_find(const GsSample *sample, int column, int64 *min,
						int64 *max);
extern GsCalendar gs_calendar_find(const GsSample *sample, int column);

#endif
