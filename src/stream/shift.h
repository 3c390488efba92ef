/*
 * shift.h
 *	  Ranges that must not overlap: where to put those that do.
 */
#ifndef GENSYNTH_SHIFT_H
#define GENSYNTH_SHIFT_H

#include "postgres.h"

#include "stream/target.h"

typedef struct GsShift GsShift;

extern GsShift *gs_shift_open(const GsTarget *target);
extern void gs_shift_apply(GsShift *shift, int epoch, Datum *values,
						   const bool *nulls);

#endif
