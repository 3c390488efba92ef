/*
 * sample.c
 *	  The set-returning functions: three forms of one stream.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "column/store.h"
#include "stream/jsonrow.h"
#include "stream/call.h"
#include "stream/drift.h"

/* The state of one call of a set-returning function. */
typedef struct SampleCall
{
	GsStream   *stream;
	TupleDesc	desc;
	GsJsonRow  *json;			/* NULL: rows, not documents */
} SampleCall;

static TupleDesc
record_desc(FunctionCallInfo fcinfo)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("synth_rows needs a column definition list"),
				 errhint("For example SELECT * FROM synth_rows('model', 10) AS t(age int, sex text).")));
	return CreateTupleDescCopy(desc);
}

static SampleCall *
begin_call(FunctionCallInfo fcinfo, GsForm form)
{
	SampleCall *call = palloc0(sizeof(SampleCall));
	bool		json = form == GS_FORM_JSON || form == GS_FORM_RELATION;
	Oid			relid = InvalidOid;
	GsCall	   *args;

	if (form == GS_FORM_TYPED)
		call->desc = gs_shape_desc(fcinfo, &relid);
	else if (form == GS_FORM_RECORD)
		call->desc = record_desc(fcinfo);
	args = gs_call_open(form, fcinfo->args, relid, NULL);
	if (json)
		call->desc = gs_schema_desc(args->sampler->schema);
	else
		gs_drift_tell(args->model, call->desc, call->desc, relid,
					  args->own);
	call->desc = BlessTupleDesc(call->desc);
	call->stream = gs_stream_open(args->sampler, call->desc, args->seed);
	gs_stream_seek(call->stream, args->start - 1,
				   args->start - 1 + args->n);
	if (json)
		call->json = gs_jsonrow_create(call->desc);
	return call;
}

/*
 * What all forms do at each call: begin at the first one, then a row.
 */
static Datum
sample(FunctionCallInfo fcinfo, GsForm form)
{
	FuncCallContext *funcctx;
	SampleCall *call;
	Datum	   *values;
	bool	   *nulls;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		funcctx = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		funcctx->user_fctx = begin_call(fcinfo, form);
		MemoryContextSwitchTo(old);
	}
	funcctx = SRF_PERCALL_SETUP();
	call = funcctx->user_fctx;
	if (!gs_stream_next(call->stream, &values, &nulls))
		SRF_RETURN_DONE(funcctx);
	if (call->json != NULL)
		SRF_RETURN_NEXT(funcctx, gs_jsonrow_form(call->json, values, nulls));
	SRF_RETURN_NEXT(funcctx,
					heap_copy_tuple_as_datum(gs_stream_tuple(call->stream),
											 call->desc));
}

/*
 * synth_sample(model text, ...), synth_sample(relation regclass, ...),
 * synth_sample(shape anyelement, ...), synth_rows(model text, ...): see
 * stream.sql.
 */
GS_FUNCTION(synth_sample_json);
GS_FUNCTION(synth_sample_relation);
GS_FUNCTION(synth_sample_typed);
GS_FUNCTION(synth_rows);

Datum
synth_sample_json(PG_FUNCTION_ARGS)
{
	return sample(fcinfo, GS_FORM_JSON);
}

Datum
synth_sample_relation(PG_FUNCTION_ARGS)
{
	return sample(fcinfo, GS_FORM_RELATION);
}

Datum
synth_sample_typed(PG_FUNCTION_ARGS)
{
	return sample(fcinfo, GS_FORM_TYPED);
}

Datum
synth_rows(PG_FUNCTION_ARGS)
{
	return sample(fcinfo, GS_FORM_RECORD);
}
