/*
 * foreign_keys.h
 *	  Foreign keys of rows that fill a table.
 */
#ifndef GENSYNTH_FOREIGN_KEYS_H
#define GENSYNTH_FOREIGN_KEYS_H

#include "postgres.h"

#include "owner/owners.h"
#include "stream/parents.h"
#include "stream/target.h"

typedef struct GsForeignKeys GsForeignKeys;

extern int64 gs_foreign_keys_rows(Oid target, const GsSampler *sampler,
								  int64 rows);
extern GsForeignKeys *gs_foreign_keys_open(const GsTarget *target,
										   const GsSampler *sampler,
										   int64 seed, int64 rows,
										   bool may_defer);
extern List *gs_foreign_keys_deferred(const GsForeignKeys *fks);
extern int64 gs_foreign_keys_first(const GsForeignKeys *fks, int64 row);
extern int64 gs_foreign_keys_room(const GsForeignKeys *fks);
extern void gs_foreign_keys_refresh(GsForeignKeys *fks, int64 rows);
extern int	gs_foreign_keys_known(const GsOwners *owners,
								  const GsOwnerStep *step);
extern bool gs_foreign_keys_before(const GsForeignKeys *fks, int at);
extern void gs_foreign_keys_restart(GsForeignKeys *fks);
extern const char *gs_foreign_keys_like(const GsForeignKeys *fks);
extern bool gs_foreign_keys_pick(GsForeignKeys *fks, int64 row, int64 skip,
								 uint64 *like, Datum *values, bool *nulls,
								 Datum *known, bool *known_nulls);
extern void gs_foreign_keys_keep(const GsForeignKeys *fks, Datum *values,
								 const bool *nulls, Datum *known,
								 const bool *known_nulls);
extern const char *gs_foreign_keys_fill(GsForeignKeys *fks, int64 row,
										Datum *values, bool *nulls);
extern GsParents *gs_foreign_keys_parents(const GsForeignKeys *fks, int at,
										  bool *refers);

#endif
