/*
 * decide.h
 *	  How each constraint of a source is met.
 */
#ifndef GENSYNTH_DECIDE_H
#define GENSYNTH_DECIDE_H

#include "column/column.h"
#include "constraint/constraints.h"
#include "learn/formula.h"

extern List *gs_constraints_decide(List *constraints, List *conditions,
								   List *formulas, const GsSchema *schema);
extern void gs_constraints_mark(List *constraints, List *conditions,
								List *formulas, const GsSchema *schema);

#endif
