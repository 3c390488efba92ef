/*
 * grid.h
 *	  Combinations that must not repeat, and are known one by one.
 */
#ifndef GENSYNTH_GRID_H
#define GENSYNTH_GRID_H

#include "postgres.h"

#include "stream/foreign_keys.h"

typedef struct GsGrid GsGrid;

extern GsGrid *gs_grid_open(const GsTarget *target, const GsSampler *sampler,
							const GsForeignKeys *fks, Bitmapset **ties,
							int64 seed);
extern const bool *gs_grid_covered(const GsGrid *grid);
extern void gs_grid_refresh(GsGrid *grid);
extern bool gs_grid_apply(GsGrid *grid, Datum *values, bool *nulls);
extern void gs_grid_take(GsGrid *grid, const Datum *values,
						 const bool *nulls);

#endif
