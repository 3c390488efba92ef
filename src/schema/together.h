/*
 * together.h
 *	  Models of rows that are made owner by owner.
 */
#ifndef GENSYNTH_TOGETHER_H
#define GENSYNTH_TOGETHER_H

#include "fit/fit.h"
#include "owner/owners.h"

extern GsVersionEntry *gs_fit_owned(const GsFitOrder *order, GsOwners *owners,
									Oid relid, List *tensors,
									GsVersionEntry **counts);
extern List *gs_together_part(const GsFitOrder *whole, GsOwners *owners,
							  Oid relid);
extern void gs_together_learn(Oid relid, const char *model, Datum options,
							  int64 seed, GsVersionEntry *version);

#endif
