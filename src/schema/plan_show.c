/*
 * plan_show.c
 *	  The plan for the tables of a schema, as people read it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "compat.h"
#include "catalog/access.h"
#include "fit/fit.h"
#include "schema/plan.h"
#include "table/source.h"

static const char *const role_names[GS_TABLE_ROLES] = {
	"root", "kept", "empty", "invented", "child", "sequence"
};

static const char *const use_names[GS_KEY_USES] = {
	"reference", "owner", "kept", "self", "late", "outside"
};

/*
 * gs_table_role_name, gs_key_use_name: for people.
 */
const char *
gs_table_role_name(GsTableRole role)
{
	return role_names[role];
}

const char *
gs_key_use_name(GsKeyUse use)
{
	return use_names[use];
}

/*
 * gs_relations_argument: an array of relations; NIL for NULL.
 */
List *
gs_relations_argument(FunctionCallInfo fcinfo, int arg)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	List	   *list = NIL;

	if (PG_ARGISNULL(arg))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), REGCLASSOID, sizeof(Oid),
					  true, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			list = lappend_oid(list, DatumGetObjectId(elements[i]));
	return list;
}

static char *
names_text(List *names)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, names)
		appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "",
						 quote_identifier(lfirst(cell)));
	return text.data;
}

/*
 * A table's foreign keys, as people read them.
 */
static List *
describe_keys(const GsPlanTable *table)
{
	List	   *texts = NIL;
	ListCell   *cell;

	foreach(cell, table->keys)
	{
		const GsPlanKey *key = lfirst(cell);

		texts = lappend(texts, psprintf("(%s) -> %s: %s",
										names_text(key->columns),
										gs_relation_name(key->parent_relid, NULL),
										use_names[key->use]));
	}
	return texts;
}

static void
tell_notes(const GsSchemaPlan *plan)
{
	ListCell   *cell;

	foreach(cell, plan->notes)
		ereport(NOTICE, (errmsg_internal("%s", (char *) lfirst(cell))));
}

/*
 * synth_schema_plan(schemas text[], exclude regclass[] = NULL,
 *	options jsonb = '{}'): see schema.sql.
 */
GS_FUNCTION(synth_schema_plan);

Datum
synth_schema_plan(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	GsSchemaPlan *plan;

	InitMaterializedSRF(fcinfo, 0);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(caller);
	plan = gs_schema_plan(gs_names_argument(fcinfo, 0, "schemas"),
						  gs_relations_argument(fcinfo, 1), "auto",
						  PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2));
	SPI_finish();
	MemoryContextSwitchTo(caller);
	for (int t = 0; t < plan->n; t++)
	{
		const GsPlanTable *table = &plan->table[t];
		Datum		values[7];
		bool		nulls[7] = {0};

		values[0] = Int32GetDatum(t + 1);
		values[1] = CStringGetTextDatum(table->name);
		values[2] = CStringGetTextDatum(role_names[table->role]);
		nulls[3] = table->owner == NULL;
		if (!nulls[3])
			values[3] = CStringGetTextDatum(plan->table[table->owner->parent].name);
		nulls[4] = table->order_by == NULL;
		if (!nulls[4])
			values[4] = CStringGetTextDatum(table->order_by);
		values[5] = gs_text_array(table->owner != NULL ? table->owner->columns :
								table->sequence_key);
		values[6] = gs_text_array(describe_keys(table));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	tell_notes(plan);
	return (Datum) 0;
}
