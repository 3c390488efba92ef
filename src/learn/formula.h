/*
 * formula.h
 *	  Equations that hold between numbers, without being declared.
 */
#ifndef GENSYNTH_FORMULA_H
#define GENSYNTH_FORMULA_H

#include "learn/learn.h"

/* An equation, or an order, that was found. */
typedef struct GsFormula
{
	bool		order;			/* column low is never above high */
	int			low;
	int			high;
	char	   *condition;		/* as SQL, whatever the settings */
	char	   *definition;		/* for people */
} GsFormula;

extern List *gs_formulas_find(const GsSample *sample, uint64 seed);

/* duration.c */
extern List *gs_durations_find(GsSample *sample);

/* ordered.c */
extern List *gs_orders_between(const GsSample *sample);
extern List *gs_orders_left(const GsSample *sample, List *orders);

#endif
