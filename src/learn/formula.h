/*
 * formula.h
 *	  Equations that hold between numbers, without being declared.
 */
#ifndef GENSYNTH_FORMULA_H
#define GENSYNTH_FORMULA_H

#include "learn/learn.h"

/* An equation that was found. */
typedef struct GsFormula
{
	char	   *condition;		/* as SQL, whatever the settings */
	char	   *definition;		/* for people */
} GsFormula;

extern List *gs_formulas_find(const GsSample *sample, uint64 seed);

#endif
