/*
 * fit.h
 *	  Models that are learned, for others than synth_fit.
 */
#ifndef GENSYNTH_FIT_H
#define GENSYNTH_FIT_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"

#include "model/model.h"
#include "table/source.h"

extern List *gs_names_argument(FunctionCallInfo fcinfo, int arg,
							   const char *name);
extern GsVersionEntry *gs_fit_source(const char *model, GsSource *source,
									 const char *method, Jsonb *options,
									 List *context, Jsonb *owners,
									 int64 seed);
extern const GsModel *gs_fit_completion(const char *source, List *learned,
										List *targets, int64 seed);

#endif
