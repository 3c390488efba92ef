/*
 * view.c
 *	  synth_view: an ordinary view that streams a model's rows.
 *
 * PostgreSQL fixes a query's columns when it is parsed, so synth_rows needs a
 * column definition list.  A view holds one, written from the model, for
 * tools that know nothing but tables.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "stream/call.h"

/* Arguments of synth_view. */
enum
{
	ARG_MODEL,
	ARG_VIEW,
	ARG_ROWS,
	ARG_SEED
};

static void
check_arguments(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(ARG_MODEL))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("model must not be null"),
				 errhint("SELECT * FROM synth_models lists the models.")));
	if (PG_ARGISNULL(ARG_VIEW))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("view must not be null"),
				 errhint("Pass the name of the view to be: synth_view('patients', 'dev.patients').")));
}

/*
 * Opens the model as synth_rows would: the same checks of the same arguments,
 * and a seed drawn if none was passed.
 */
static GsCall *
open_call(FunctionCallInfo fcinfo)
{
	const GsFormArgs *at = gs_form_args(GS_FORM_RECORD);
	NullableDatum args[GS_FORM_MAX_ARGS] = {{0}};

	args[at->model] = fcinfo->args[ARG_MODEL];
	args[at->n] = fcinfo->args[ARG_ROWS];
	args[at->seed] = fcinfo->args[ARG_SEED];
	args[at->given].isnull = true;
	args[at->start].isnull = true;
	return gs_call_open(GS_FORM_RECORD, args, InvalidOid, NULL);
}

/*
 * Finds out where a view of this name would be made, and that there is
 * nothing of the kind yet.  Returns its name, and the schema's.
 */
static char *
new_view(text *name, Oid *schema)
{
	RangeVar   *view = makeRangeVarFromNameList(textToQualifiedNameList(name));

	*schema = RangeVarGetCreationNamespace(view);
	if (OidIsValid(get_relname_relid(view->relname, *schema)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" already exists", view->relname),
				 errhint("Drop it first, or choose another name for the view.")));
	return view->relname;
}

/*
 * The model's columns as a column definition list.
 */
static char *
column_definitions(const GsSchema *schema)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsColumn *column = &schema->columns[c];

		appendStringInfo(&list, "%s%s %s", c > 0 ? ", " : "",
						 quote_identifier(column->name),
						 format_type_extended(column->type, column->typmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN |
											  FORMAT_TYPE_FORCE_QUALIFY));
	}
	return list.data;
}

/*
 * synth_view(model text, view text, rows float8 = NULL, seed bigint = NULL):
 * makes a view of the model's rows, owned by the caller, and returns it.
 *
 * A view without rows has as many as the source of the model's current
 * version.  Errors: those of gs_call_open and of CREATE VIEW;
 * duplicate_table.
 */
GS_FUNCTION(synth_view);

Datum
synth_view(PG_FUNCTION_ARGS)
{
	GsCall	   *call;
	char	   *functions;
	char	   *view;
	Oid			schema;
	const char *rows = "NULL";
	int			result;

	check_arguments(fcinfo);
	call = open_call(fcinfo);
	functions = get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid));
	view = new_view(PG_GETARG_TEXT_PP(ARG_VIEW), &schema);
	if (!PG_ARGISNULL(ARG_ROWS))
		rows = psprintf(INT64_FORMAT, call->n);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	result = SPI_execute(psprintf("CREATE VIEW %s AS SELECT * FROM"
								  " %s.synth_rows(%s::pg_catalog.text,"
								  " %s::pg_catalog.float8,"
								  " '" INT64_FORMAT "'::pg_catalog.int8)"
								  " AS t(%s)",
								  quote_qualified_identifier(get_namespace_name(schema),
															 view),
								  quote_identifier(functions),
								  quote_literal_cstr(call->model->name),
								  rows, call->seed,
								  column_definitions(call->model->schema)),
						 false, 0);
	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
	SPI_finish();
	PG_RETURN_OID(get_relname_relid(view, schema));
}
