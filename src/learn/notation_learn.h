/*
 * notation_learn.h
 *	  Columns that hold dates and times as numbers or texts, and columns that
 *	  follow from another one of the same moment.
 */
#ifndef GENSYNTH_NOTATION_LEARN_H
#define GENSYNTH_NOTATION_LEARN_H

#include "column/tensor.h"
#include "learn/learn.h"

extern void gs_notations_find(GsSample *sample, int threshold);
extern bool gs_holds_dates(const GsSample *sample, int c);
extern void gs_leaders_find(GsSample *sample);
extern void gs_notations_save(const GsSchema *schema, List **tensors);
extern void gs_notations_load(GsSchema *schema, const List *tensors);
extern void gs_leaders_nulls(GsSchema *schema);
extern void gs_leaders_load(GsSchema *schema);

/* zone.c */
extern int64 gs_ahead_in_row(const GsSample *sample, int c, int leader,
							 int64 row);
extern int	gs_rows_of_both(const GsSample *sample, int c, int leader,
							int64 *rows, int most);
extern struct pg_tz *gs_zone_find(const GsSample *sample, int c, int leader);

#endif
