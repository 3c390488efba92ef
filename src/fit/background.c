/*
 * background.c
 *	  synth_fit_background: a fit in a process of its own.
 *
 * The caller's session checks all that can be checked before a row is read;
 * the process does what synth_fit does with the same arguments.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "parser/parse_relation.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/plancache.h"

#include "compat.h"
#include "fit/background.h"
#include "fit/fit.h"
#include "worker/jobs.h"
#include "worker/worker.h"

/* Those of synth_fit. */
#define FIT_ARGS	9

static const Oid fit_types[FIT_ARGS] = {
	TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, INT8OID,
	FLOAT8OID, FLOAT8OID, JSONBOID
};

/*
 * Whether a source reads temporary relations, which only their session can.
 */
static bool
reads_temporary(const GsSource *source)
{
	ListCell   *plan;

	foreach(plan, SPI_plan_get_plan_sources(source->plan))
	{
		const CachedPlanSource *cached = lfirst(plan);
		ListCell   *query;

		foreach(query, cached->query_list)
			if (isQueryUsingTempRelation(lfirst_node(Query, query)))
				return true;
	}
	return false;
}

static void
check_call(const GsFitCall *call)
{
	const GsModelEntry *existing = gs_catalog_find(call->model);

	if (existing != NULL)
		gs_check_refit(existing);
	gs_fit_check(call);
	if (call->temporary || reads_temporary(call->source))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot learn from temporary relations in the background"),
				 errdetail("No other process can read them."),
				 errhint("Use synth_fit, or another table.")));
}

/*
 * synth_fit_background: see fit.sql.
 */
GS_FUNCTION(synth_fit_background);

Datum
synth_fit_background(PG_FUNCTION_ARGS)
{
	GsFitCall  *call;
	GsWorkArg	args[GS_JOB_ARGS + FIT_ARGS] = {
		[GS_JOB_ARG_MODEL] = {TEXTOID},
		[GS_JOB_ARG_SOURCE] = {TEXTOID},
		[GS_JOB_ARG_METHOD] = {TEXTOID},
		[GS_JOB_ARG_OPTIONS] = {JSONBOID}
	};
	int64		number;

	PreventCommandIfReadOnly("synth_fit_background()");
	PreventCommandDuringRecovery("synth_fit_background()");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	call = gs_fit_open(fcinfo);
	check_call(call);
	args[GS_JOB_ARG_MODEL].value.value = CStringGetTextDatum(call->model);
	args[GS_JOB_ARG_SOURCE].value.value = CStringGetTextDatum(call->source->text);
	args[GS_JOB_ARG_METHOD].value.value = CStringGetTextDatum(call->method);
	args[GS_JOB_ARG_OPTIONS].value.value = gs_fit_options(call);
	for (int i = 0; i < FIT_ARGS; i++)
		args[GS_JOB_ARGS + i] = (GsWorkArg)
	{
		fit_types[i], fcinfo->args[i]
	};
	number = gs_worker_run(GS_WORK_FIT, args, lengthof(args));
	SPI_finish();
	PG_RETURN_INT32((int32) number);
}

/*
 * gs_background_fit: the work of a job's process, within an SPI connection.
 * See worker.c.
 */
void
gs_background_fit(int64 job, const NullableDatum *args)
{
	LOCAL_FCINFO(fcinfo, FIT_ARGS);
	GsFitCall  *call;

	InitFunctionCallInfoData(*fcinfo, NULL, FIT_ARGS, InvalidOid, NULL, NULL);
	for (int i = 0; i < FIT_ARGS; i++)
		fcinfo->args[i] = args[GS_JOB_ARGS + i];
	call = gs_fit_open(fcinfo);
	gs_fit_run(call);
	gs_job_done(job, call->version.version);
}
