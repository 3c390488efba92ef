/*
 * repair.h
 *	  Rows that collided: what of them is made anew.
 */
#ifndef GENSYNTH_REPAIR_H
#define GENSYNTH_REPAIR_H

#include "postgres.h"

#include "stream/stream.h"
#include "stream/target.h"
#include "utils/tuplestore.h"

typedef struct GsRepair GsRepair;

extern Bitmapset **gs_repair_ties(const GsTarget *target,
								  const GsSampler *sampler);
extern Bitmapset *gs_repair_tied(Bitmapset *columns, Bitmapset *const *ties);
extern GsRepair *gs_repair_open(const GsTarget *target,
								const GsSampler *sampler, Bitmapset **ties,
								int64 seed);
extern void gs_repair_begin(GsRepair *repair);
extern void gs_repair_keep(GsRepair *repair, Tuplestorestate *rows,
						   const int64 *inserted, int64 n);
extern void gs_repair_count(GsRepair *repair, const bool *covered);
extern bool gs_repair_merge(GsRepair *repair, int64 row, Datum *values,
							bool *nulls);
extern void gs_repair_done(GsRepair *repair);

#endif
