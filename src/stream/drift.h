/*
 * drift.h
 *	  Columns that are not what they were when a model was fitted.
 */
#ifndef GENSYNTH_DRIFT_H
#define GENSYNTH_DRIFT_H

#include "postgres.h"

#include "access/tupdesc.h"

#include "model/model.h"

extern bool gs_drift_lacks(const GsModel *model, const char *name);
extern void gs_drift_tell_missing(const GsModel *model, List *names,
								  List *present);
extern void gs_drift_tell_types(const GsModel *model, TupleDesc desc);
extern void gs_drift_tell(const GsModel *model, TupleDesc wanted,
						  TupleDesc row,
						  Oid relid, bool own);

#endif
