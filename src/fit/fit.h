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

/* A model to be learned of what a source gives. */
typedef struct GsFitOrder
{
	const char *model;			/* its name */
	const char *method;			/* the family's name */
	Jsonb	   *options;		/* as synth_fit takes them; or NULL */
	int64		seed;
	bool		part;			/* of another model: nobody names it */
	bool		independent;	/* no column is looked up from others */
	List	   *links;			/* of GsConstraint: see links.h */
} GsFitOrder;

extern GsFitCall *gs_fit_open(FunctionCallInfo fcinfo);
extern void gs_fit_check(const GsFitCall *call);
extern Datum gs_fit_options(const GsFitCall *call);
extern void gs_fit_run(GsFitCall *call);
extern List *gs_names_argument(FunctionCallInfo fcinfo, int arg,
							   const char *name);
extern int64 gs_fit_least(const char *method, Jsonb *json);
extern GsVersionEntry *gs_fit_source(const GsFitOrder *order,
									 GsSource *source, List *context,
									 List *conditions, Jsonb *owners,
									 List *tensors);
extern const GsModel *gs_fit_completion(const char *source, List *learned,
										List *targets, int64 seed);

#endif
