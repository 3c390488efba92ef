/*
 * budget.h
 *	  Fits that are not private, of tables that have a privacy budget.
 */
#ifndef GENSYNTH_FIT_BUDGET_H
#define GENSYNTH_FIT_BUDGET_H

#include "postgres.h"

#include "table/source.h"

extern List *gs_budget_check(const GsSource *source, bool unprotected);

#endif
