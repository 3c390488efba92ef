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

/* A call of synth_fit: what its arguments ask for, and what came of it. */
typedef struct GsFitCall
{
	const struct FitRequest *request;
	GsSource   *source;
	bool		temporary;		/* the source is a temporary relation */
	const char *model;
	const char *method;
	GsVersionEntry version;
} GsFitCall;

extern GsFitCall *gs_fit_open(FunctionCallInfo fcinfo);
extern void gs_fit_check(const GsFitCall *call);
extern Datum gs_fit_options(const GsFitCall *call);
extern void gs_fit_run(GsFitCall *call);
extern List *gs_names_argument(FunctionCallInfo fcinfo, int arg,
							   const char *name);
extern GsVersionEntry *gs_fit_source(const char *model, GsSource *source,
									 const char *method, Jsonb *options,
									 List *context, Jsonb *owners,
									 int64 seed);
extern const GsModel *gs_fit_completion(const char *source, List *learned,
										List *targets, int64 seed);

#endif
