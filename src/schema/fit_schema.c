/*
 * fit_schema.c
 *	  synth_fit_schema: models of all tables of schemas, that fit each other.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "catalog/access.h"
#include "catalog/datasets.h"
#include "constraint/links.h"
#include "fit/fit.h"
#include "model/model.h"
#include "schema/invent.h"
#include "schema/plan.h"
#include "schema/together.h"

/* What a call asks for. */
typedef struct SchemaFit
{
	const char *name;			/* of the dataset */
	const char *method;
	Jsonb	   *options;		/* of each fit; or NULL */
	int64		seed;
	const GsSchemaPlan *plan;
	ReturnSetInfo *result;
} SchemaFit;

static void
put_result(const SchemaFit *fit, const char *relation, const char *model,
		   const GsVersionEntry *version)
{
	Datum		values[8];
	bool		nulls[8] = {0};

	values[0] = CStringGetTextDatum(relation);
	values[1] = CStringGetTextDatum(model);
	values[2] = Int32GetDatum(version->version);
	values[3] = CStringGetTextDatum(version->method);
	values[4] = Int64GetDatum(version->rows);
	values[5] = Int32GetDatum(version->schema->ncolumns);
	values[6] = Float8GetDatum(version->seconds);
	values[7] = gs_text_array(version->notes);
	tuplestore_putvalues(fit->result->setResult, fit->result->setDesc, values,
						 nulls);
}

/*
 * Columns that have values of another table's, but for those that lead to the
 * owner: links, and tensors that say in which share of the rows.
 */
static void
find_links(const GsSchemaPlan *plan, const GsPlanTable *table, List **links,
		   List **tensors)
{
	ListCell   *cell;

	foreach(cell, table->keys)
	{
		const GsPlanKey *key = lfirst(cell);
		const char *column = linitial(key->columns);
		const GsPlanTable *parent;

		if (!key->link || key->use == GS_KEY_OWNER)
			continue;
		parent = &plan->table[key->parent];
		*links = lappend(*links, gs_link_make(column, parent->name,
											  get_rel_name(parent->relid),
											  linitial(key->parent_columns)));
		gs_tensor_add(tensors, gs_link_tensor(column), GS_F8, 1, 1, 0,
					  &key->share);
	}
}

/*
 * One table: a model of its rows, and if they belong to owners, one of how
 * many rows each has.
 */
static void
fit_table(const SchemaFit *fit, int t, const char *model)
{
	const GsPlanTable *table = &fit->plan->table[t];
	GsFitOrder	order = {.model = model,.method = fit->method,
		.options = fit->options,.seed = fit->seed
	};
	GsVersionEntry *rows;
	GsVersionEntry *counts;
	GsOwners   *owners = gs_owners_find(fit->plan, t);
	List	   *shares = NIL;

	find_links(fit->plan, table, &order.links, &shares);
	if (owners->steps == NIL || owners->ngenerations > 0)
	{
		/* rows that belong to others of their table are a part */
		List	   *together = owners->ngenerations > 0 ?
			gs_together_part(&order, owners, table->relid) : NIL;

		put_result(fit, table->name, model,
				   gs_fit_source(&order,
								 gs_source_open(table->name, NIL, NIL), NIL,
								 NIL, NULL, list_concat(together, shares)));
		return;
	}
	rows = gs_fit_owned(&order, owners, table->relid, shares, &counts);
	if (counts != NULL)
		put_result(fit, table->name, gs_owners_counts_model(model), counts);
	put_result(fit, table->name, model, rows);
}

/*
 * A table that has too few rows to learn from, and is not taken over: what
 * becomes of it.
 */
static void
tell_few(const GsPlanTable *table)
{
	const char *count = psprintf(INT64_FORMAT " %s", table->few,
								 table->few == 1 ? "row" : "rows");
	StringInfoData keep;

	initStringInfo(&keep);
	appendStringInfoString(&keep, "{\"keep\": [");
	escape_json(&keep, table->name);
	appendStringInfoString(&keep, "]}");
	if (table->few == 0)
		ereport(NOTICE,
				(errmsg("table %s has no rows: its copy is left empty",
						table->name)));
	else
		ereport(NOTICE,
				(table->role == GS_TABLE_EMPTY ?
				 errmsg("table %s has %s, too few to learn from: its copy is left empty",
						table->name, count) :
				 errmsg("table %s has %s, too few to learn from, and others must refer to them: those of its copy are made up, of what types, conditions and names of columns say",
						table->name, count),
				 errhint("If its rows may be shown as they are: options => %s.",
						 quote_literal_cstr(keep.data))));
}

/*
 * A model of made-up rows, all that these say.
 */
static void
fit_invented(const SchemaFit *fit, const GsPlanTable *table,
			 const char *model)
{
	GsFitOrder	order = {.model = model,.method = "auto",.seed = fit->seed};

	order.options = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
													   CStringGetDatum("{\"public\": true, \"rare_threshold\": 1}")));
	put_result(fit, table->name, model,
			   gs_fit_source(&order,
							 gs_invent_source(table->relid), NIL, NIL, NULL,
							 NIL));
}

/*
 * synth_fit_schema(schemas text[], exclude regclass[] = NULL,
 *	method text = 'auto', model text = NULL, options jsonb = '{}',
 *	seed bigint = NULL): see schema.sql.
 */
GS_FUNCTION(synth_fit_schema);

Datum
synth_fit_schema(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	SchemaFit	fit = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	List	   *schemas;
	List	   *tables = NIL;

	InitMaterializedSRF(fcinfo, 0);
	PreventCommandIfReadOnly("synth_fit_schema()");
	gs_model_need_stack();
	schemas = gs_names_argument(fcinfo, 0, "schemas");
	fit.method = PG_ARGISNULL(2) ? "auto" :
		text_to_cstring(PG_GETARG_TEXT_PP(2));
	fit.name = PG_ARGISNULL(3) ? linitial(schemas) :
		text_to_cstring(PG_GETARG_TEXT_PP(3));
	fit.seed = PG_ARGISNULL(5) ? gs_random_seed() : PG_GETARG_INT64(5);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(caller);
	fit.plan = gs_schema_plan(schemas, gs_relations_argument(fcinfo, 1),
							  fit.method, PG_ARGISNULL(4) ? NULL :
							  PG_GETARG_JSONB_P(4));
	fit.options = gs_plan_fit_options(PG_ARGISNULL(4) ? NULL :
									  PG_GETARG_JSONB_P(4));
	for (int t = 0; t < fit.plan->n; t++)
		if (fit.plan->table[t].role == GS_TABLE_EMPTY ||
			fit.plan->table[t].role == GS_TABLE_INVENTED)
			tell_few(&fit.plan->table[t]);
	context = AllocSetContextCreate(caller, "gensynth schema",
									ALLOCSET_DEFAULT_SIZES);
	for (int t = 0; t < fit.plan->n; t++)
	{
		const GsPlanTable *from = &fit.plan->table[t];
		GsDatasetTable *table;

		MemoryContextSwitchTo(caller);
		table = palloc0(sizeof(GsDatasetTable));
		table->relation = from->name;
		table->name = get_rel_name(from->relid);
		table->role = pstrdup(gs_table_role_name(from->role));
		tables = lappend(tables, table);
		if (from->role == GS_TABLE_KEPT || from->role == GS_TABLE_EMPTY)
			continue;
		table->model = psprintf("%s/%s", fit.name, table->name);
		MemoryContextSwitchTo(context);
		if (from->role == GS_TABLE_INVENTED)
			fit_invented(&fit, from, table->model);
		else
			fit_table(&fit, t, table->model);
		MemoryContextReset(context);
	}
	gs_dataset_store(fit.name, tables);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}
