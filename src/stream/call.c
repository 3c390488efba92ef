/*
 * call.c
 *	  A call of a sampling function: from arguments to rows.
 *
 * The plain functions (sample.c) and the custom scan (scan.c) both come
 * through here, so that they give the same rows and the same errors.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "key/key.h"
#include "stream/call.h"
#include "table/source.h"

#define MAX_ROWS	9e18

static const GsFormArgs form_args[] = {
	[GS_FORM_JSON] = {5, 0, 1, 2, 3, 4},
	[GS_FORM_RELATION] = {5, 0, 1, 2, 3, 4},
	[GS_FORM_TYPED] = {6, 2, 1, 3, 4, 5},
	[GS_FORM_RECORD] = {5, 0, 1, 2, 3, 4}
};

/*
 * gs_form_args: where a form has its arguments.
 */
const GsFormArgs *
gs_form_args(GsForm form)
{
	return &form_args[form];
}

/*
 * gs_shape_desc: the row type of the first argument, shape, whose type alone
 * counts, and the relation that it is of.  Errors: datatype_mismatch.
 */
TupleDesc
gs_shape_desc(FunctionCallInfo fcinfo, Oid *relid)
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

static const GsModel *
open_by_name(const NullableDatum *name)
{
	if (name->isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("model must not be null"),
				 errhint("SELECT * FROM synth_models lists the models.")));
	return gs_model_load(gs_catalog_open(TextDatumGetCString(name->value)), 0);
}

static const GsModel *
open_by_relation(Oid relid)
{
	char	   *relation = gs_relation_name(relid, NULL);

	return gs_model_load(gs_catalog_open_relation(relation), 0);
}

static const GsModel *
open_model(GsForm form, const NullableDatum *model, Oid relid)
{
	if (form == GS_FORM_TYPED && model->isnull)
		return open_by_relation(relid);
	if (form == GS_FORM_RELATION && !model->isnull)
		return open_by_relation(DatumGetObjectId(model->value));
	return open_by_name(model);
}

/*
 * n as a number of rows: by default as many as the source had.
 */
static int64
row_count(const NullableDatum *arg, const GsModel *model)
{
	double		n;

	if (arg->isnull)
		return model->version->rows;
	n = DatumGetFloat8(arg->value);
	if (n > MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of rows must be at most %g", MAX_ROWS),
				 errhint("Rows are made as they are read: ask for as many as you need.")));
	if (!isfinite(n) || n < 0 || n != floor(n))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of rows must be a whole number, 0 or more"),
				 errhint("For example synth_sample('patients', 1e6).")));
	return (int64) n;
}

/*
 * gs_call_open: reads the arguments of a call and begins a sampler of its model, in the
 * current context.
 *
 * args: as many as the form has; relid: the relation whose row type is asked
 * for, of the typed form; shared_seed: NULL, or the seed that stands for a
 * NULL one.  Errors: those of gs_catalog_open and gs_keys_check, and
 * invalid_parameter_value.
 */
GsCall *
gs_call_open(GsForm form, const NullableDatum *args, Oid relid,
			 const int64 *shared_seed)
{
	const GsFormArgs *at = &form_args[form];
	GsCall	   *call = palloc0(sizeof(GsCall));
	Jsonb	   *given = NULL;

	call->model = open_model(form, &args[at->model], relid);
	call->own = form == GS_FORM_TYPED && args[at->model].isnull;
	call->n = row_count(&args[at->n], call->model);
	call->start = args[at->start].isnull ? 1 :
		DatumGetInt64(args[at->start].value);
	if (call->start < 1 ||
		call->n > PG_INT64_MAX - GS_BATCH - call->start)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("start must be 1 or more, and start + n below 2^63"),
				 errhint("Rows are numbered from 1.")));
	gs_keys_check(call->model->schema, call->start - 1, call->n);
	if (!args[at->given].isnull)
	{
		given = DatumGetJsonbP(args[at->given].value);
		call->given = JsonbToCString(NULL, &given->root, VARSIZE(given));
	}
	call->sampler = gs_sampler_begin(call->model, given, NULL);
	if (!args[at->seed].isnull)
		call->seed = DatumGetInt64(args[at->seed].value);
	else
		call->seed = shared_seed != NULL ? *shared_seed : gs_random_seed();
	return call;
}

/*
 * gs_may_commit: whether a procedure can commit: it was called at top level,
 * and not in a transaction block.
 */
bool
gs_may_commit(FunctionCallInfo fcinfo)
{
	return fcinfo->context != NULL && IsA(fcinfo->context, CallContext) &&
		!castNode(CallContext, fcinfo->context)->atomic &&
		!IsSubTransaction();
}
