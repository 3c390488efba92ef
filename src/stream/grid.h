/*
 * grid.h
 *	  Combinations that must not repeat: the last ones.
 */
#ifndef GENSYNTH_GRID_H
#define GENSYNTH_GRID_H

#include "postgres.h"

#include "stream/foreign_keys.h"

typedef struct GsGrid GsGrid;

extern GsGrid *gs_grid_open(const GsTarget *target, const GsSampler *sampler,
							const GsForeignKeys *fks, int64 seed);
extern void gs_grid_apply(GsGrid *grid, Datum *values, bool *nulls);

#endif
