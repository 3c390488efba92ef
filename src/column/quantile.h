/*
 * quantile.h
 *	  Quantile tables: normal scores to values and back, for number features.
 */
#ifndef GENSYNTH_QUANTILE_H
#define GENSYNTH_QUANTILE_H

#include "column/column.h"

extern void gs_slots_sort(GsSlot *slots, int64 n, GsLaneType lane);
extern int	gs_slot_compare(GsSlot a, GsSlot b, GsLaneType lane);
extern void gs_quantile_build(GsFeature *feature, GsCodecKind kind,
							  const GsSlot *sorted, int64 n, int threshold);
extern int	gs_quantile_find(const GsFeature *feature, GsSlot value);
extern GsSlot gs_quantile_value(const GsFeature *feature, int segment,
								double fraction);

#endif
