/*
 * sample.c
 *	  The set-returning functions: three forms of one stream.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "stream/jsonrow.h"
#include "stream/stream.h"
#include "table/source.h"

/* Where each form has its arguments; -1: it has none of the kind. */
typedef struct ArgumentPlaces
{
	int			n;
	int			seed;
	int			given;
	int			start;
} ArgumentPlaces;

static const ArgumentPlaces text_form = {1, 2, 3, 4};
static const ArgumentPlaces typed_form = {1, 3, 4, 5};

/* The state of one call of a set-returning function. */
typedef struct SampleCall
{
	GsStream   *stream;
	TupleDesc	desc;
	GsJsonRow  *json;			/* NULL: rows, not documents */
	Datum	   *values;
	bool	   *nulls;
} SampleCall;

/*
 * n as a number of rows: by default as many as the source had.
 */
static int64
row_count(FunctionCallInfo fcinfo, int arg, const GsModel *model)
{
	double		n;

	if (PG_ARGISNULL(arg))
		return model->version->rows;
	n = PG_GETARG_FLOAT8(arg);
	if (!isfinite(n) || n < 0 || n != floor(n) || n > 9e18)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of rows must be a whole number, 0 or more"),
				 errhint("For example synth_sample('patients', 1e6).")));
	return (int64) n;
}

static GsStream *
open_stream(FunctionCallInfo fcinfo, const ArgumentPlaces *at,
			const GsModel *model, TupleDesc desc)
{
	int64		n = row_count(fcinfo, at->n, model);
	int64		start;
	int64		seed;

	if (!PG_ARGISNULL(at->given))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("sampling with given values is not supported yet"),
				 errhint("Leave out the argument given, and filter with WHERE.")));
	start = PG_ARGISNULL(at->start) ? 1 : PG_GETARG_INT64(at->start);
	if (start < 1 || n > PG_INT64_MAX - GS_BATCH - start)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("start must be 1 or more, and start + n below 2^63"),
				 errhint("Rows are numbered from 1.")));
	if (!PG_ARGISNULL(at->seed))
		seed = PG_GETARG_INT64(at->seed);
	else if (!pg_strong_random(&seed, sizeof(seed)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not draw a random seed"),
				 errhint("Pass one with the seed argument.")));
	return gs_stream_open(model, desc, seed, start, n);
}

static GsModel *
open_model(FunctionCallInfo fcinfo, int arg)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("model must not be null"),
				 errhint("SELECT * FROM synth_models lists the models.")));
	return gs_model_load(gs_catalog_open(text_to_cstring(PG_GETARG_TEXT_PP(arg))),
						 0);
}

static GsModel *
open_model_of(Oid relid)
{
	char	   *relation = gs_relation_name(relid, NULL);
	char	   *name = gs_catalog_model_of(relation);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no model was learned from %s", relation),
				 errhint("Learn one with synth_fit(%s), or name a model.",
						 quote_literal_cstr(relation))));
	return gs_model_load(gs_catalog_open(name), 0);
}

/*
 * The call's state, once its model and descriptor are known.
 */
static void
begin_call(FuncCallContext *funcctx, FunctionCallInfo fcinfo,
		   const ArgumentPlaces *at, const GsModel *model, TupleDesc desc,
		   bool json)
{
	SampleCall *call = palloc0(sizeof(SampleCall));

	call->desc = BlessTupleDesc(desc);
	call->stream = open_stream(fcinfo, at, model, desc);
	if (json)
		call->json = gs_jsonrow_create(desc);
	call->values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	call->nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
	funcctx->user_fctx = call;
}

static Datum
next_row(FuncCallContext *funcctx, FunctionCallInfo fcinfo)
{
	SampleCall *call = funcctx->user_fctx;

	if (!gs_stream_next(call->stream, call->values, call->nulls))
		SRF_RETURN_DONE(funcctx);
	if (call->json != NULL)
		SRF_RETURN_NEXT(funcctx, gs_jsonrow_form(call->json, call->values,
												 call->nulls));
	SRF_RETURN_NEXT(funcctx,
					HeapTupleGetDatum(heap_form_tuple(call->desc, call->values,
													  call->nulls)));
}

/*
 * synth_sample(model text, ...): see stream.sql.
 */
GS_FUNCTION(synth_sample_json);

Datum
synth_sample_json(PG_FUNCTION_ARGS)
{
	if (SRF_IS_FIRSTCALL())
	{
		FuncCallContext *funcctx = SRF_FIRSTCALL_INIT();
		MemoryContext old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		GsModel    *model = open_model(fcinfo, 0);

		begin_call(funcctx, fcinfo, &text_form, model, gs_stream_desc(model),
				   true);
		MemoryContextSwitchTo(old);
	}
	return next_row(SRF_PERCALL_SETUP(), fcinfo);
}

/*
 * synth_sample(relation regclass, ...): see stream.sql.
 */
GS_FUNCTION(synth_sample_relation);

Datum
synth_sample_relation(PG_FUNCTION_ARGS)
{
	if (SRF_IS_FIRSTCALL())
	{
		FuncCallContext *funcctx = SRF_FIRSTCALL_INIT();
		MemoryContext old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		GsModel    *model;

		if (PG_ARGISNULL(0))
			model = open_model(fcinfo, 0);
		else
			model = open_model_of(PG_GETARG_OID(0));
		begin_call(funcctx, fcinfo, &text_form, model, gs_stream_desc(model),
				   true);
		MemoryContextSwitchTo(old);
	}
	return next_row(SRF_PERCALL_SETUP(), fcinfo);
}

/*
 * The row type of the argument shape; only its type counts.
 */
static TupleDesc
shape_desc(FunctionCallInfo fcinfo, Oid *relid)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);

	if (!OidIsValid(type) || get_typtype(type) != TYPTYPE_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s is not a row type",
						OidIsValid(type) ? format_type_be(type) : "unknown"),
				 errhint("Pass NULL::table_name for typed rows, or a model's name as text for jsonb.")));
	*relid = get_typ_typrelid(type);
	return lookup_rowtype_tupdesc_copy(type, -1);
}

/*
 * synth_sample(shape anyelement, ...): see stream.sql.
 */
GS_FUNCTION(synth_sample_typed);

Datum
synth_sample_typed(PG_FUNCTION_ARGS)
{
	if (SRF_IS_FIRSTCALL())
	{
		FuncCallContext *funcctx = SRF_FIRSTCALL_INIT();
		MemoryContext old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		Oid			relid;
		TupleDesc	desc = shape_desc(fcinfo, &relid);
		GsModel    *model = PG_ARGISNULL(2) ? open_model_of(relid) :
			open_model(fcinfo, 2);

		begin_call(funcctx, fcinfo, &typed_form, model, desc, false);
		MemoryContextSwitchTo(old);
	}
	return next_row(SRF_PERCALL_SETUP(), fcinfo);
}

/*
 * synth_rows(model text, ...): see stream.sql.
 */
GS_FUNCTION(synth_rows);

Datum
synth_rows(PG_FUNCTION_ARGS)
{
	if (SRF_IS_FIRSTCALL())
	{
		FuncCallContext *funcctx = SRF_FIRSTCALL_INIT();
		MemoryContext old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		TupleDesc	desc;

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("synth_rows needs a column definition list"),
					 errhint("For example SELECT * FROM synth_rows('model', 10) AS t(age int, sex text).")));
		begin_call(funcctx, fcinfo, &text_form, open_model(fcinfo, 0),
				   CreateTupleDescCopy(desc), false);
		MemoryContextSwitchTo(old);
	}
	return next_row(SRF_PERCALL_SETUP(), fcinfo);
}
