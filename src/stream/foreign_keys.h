/*
 * foreign_keys.h
 *	  Foreign keys of rows that fill a table.
 */
#ifndef GENSYNTH_FOREIGN_KEYS_H
#define GENSYNTH_FOREIGN_KEYS_H

#include "postgres.h"

#include "stream/target.h"

typedef struct GsForeignKeys GsForeignKeys;

extern GsForeignKeys *gs_foreign_keys_open(const GsTarget *target,
										   const GsSampler *sampler,
										   int64 seed, int64 rows);
extern void gs_foreign_keys_refresh(GsForeignKeys *fks);
extern const char *gs_foreign_keys_fill(GsForeignKeys *fks, int64 row,
										Datum *values,
										bool *nulls);
extern int64 gs_foreign_keys_of(const GsForeignKeys *fks, int at,
								const Datum **keys,
								int *stride);
extern int64 gs_foreign_keys_room(const GsForeignKeys *fks);

#endif
