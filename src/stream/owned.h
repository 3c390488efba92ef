/*
 * owned.h
 *	  Rows of a child table, made owner by owner.
 */
#ifndef GENSYNTH_OWNED_H
#define GENSYNTH_OWNED_H

#include "postgres.h"

#include "access/tupdesc.h"

#include "model/model.h"
#include "stream/foreign_keys.h"

/* The tensor of a model that says which version of its part belongs to it. */
#define GS_TOGETHER	"together"

typedef struct GsOwned GsOwned;

extern GsOwned *gs_owned_open(const GsModel *rows, const GsModel *counts,
							  Oid relid, TupleDesc desc, List *constraints,
							  GsForeignKeys *fks, int64 seed, int64 n,
							  bool after, Jsonb *given);
extern bool gs_owned_next(GsOwned *owned, Datum **values, bool **nulls);
extern void gs_owned_refuse(GsOwned *owned);
extern void gs_owned_skip(GsOwned *owned, int64 n);
extern int64 gs_owned_count(GsOwned *owned, double *others);
extern void gs_owned_stand_out(GsOwned *owned, const GsModel *plain,
							   List *constraints, double others);
extern void gs_owned_keep_all(GsOwned *owned);
extern void gs_owned_scale(GsOwned *owned, int64 total, int64 n);

#endif
