/*
 * check.c
 *	  synth_check: rows of a model against what its source says about rows.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "column/store.h"
#include "constraint/condition.h"
#include "stream/call.h"
#include "stream/stream.h"

#define DEFAULT_ROWS	10000.0

static char *
column_list(List *names, const char *separator, const char *suffix)
{
	StringInfoData list;
	ListCell   *cell;

	initStringInfo(&list);
	foreach(cell, names)
		appendStringInfo(&list, "%s%s%s", list.len > 0 ? separator : "",
						 quote_identifier(lfirst(cell)), suffix);
	return list.data;
}

/*
 * Counts the rows that violate a constraint other than a condition, as an
 * expression over them; NULL where rows alone cannot tell.
 */
static char *
violations(const GsConstraint *constraint)
{
	const char *present;

	if (constraint->met == GS_MET_DATABASE ||
		constraint->columns == NIL || constraint->expression != NULL)
		return NULL;
	if (constraint->kind == GS_CONSTRAINT_NOT_NULL)
		return psprintf("pg_catalog.count(*) FILTER (WHERE %s)",
						column_list(constraint->columns, " OR ", " IS NULL"));
	if (constraint->kind != GS_CONSTRAINT_PRIMARY_KEY &&
		(constraint->kind != GS_CONSTRAINT_UNIQUE ||
		 strstr(constraint->definition, " WHERE ") != NULL))
		return NULL;
	present = column_list(constraint->columns, " AND ", " IS NOT NULL");
	return psprintf("pg_catalog.count(*) FILTER (WHERE %s)"
					" OPERATOR(pg_catalog.-) pg_catalog.count(DISTINCT (%s))"
					" FILTER (WHERE %s)",
					present, column_list(constraint->columns, ", ", ""),
					present);
}

/*
 * Counts violations in n rows, all at once, in the plain types of their
 * columns, as the caller.  Returns the number of rows, which is less than n
 * where some were dropped.
 *
 * counts: [constraints], -1 where rows alone cannot tell
 */
static int64
count_violations(const GsModel *model, FunctionCallInfo fcinfo, int64 seed,
				 double n, int64 *counts)
{
	char	   *schema = get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid));
	StringInfoData query;
	Oid			types[] = {TEXTOID, FLOAT8OID, INT8OID};
	Datum		values[3];
	int64		rows;
	int			i = 0;
	ListCell   *cell;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT pg_catalog.count(*)");
	foreach(cell, model->version->constraints)
	{
		const char *count = violations(lfirst(cell));

		appendStringInfo(&query, ", %s",
						 count ? count : "NULL::pg_catalog.int8");
	}
	appendStringInfo(&query, " FROM %s.synth_rows($1, $2, $3) AS synthetic(",
					 quote_identifier(schema));
	for (int c = 0; c < model->schema->ncolumns; c++)
		appendStringInfo(&query, "%s%s %s", c > 0 ? ", " : "",
						 quote_identifier(model->schema->columns[c].name),
						 format_type_extended(model->schema->columns[c].type,
											  model->schema->columns[c].typmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN |
											  FORMAT_TYPE_FORCE_QUALIFY));
	appendStringInfoChar(&query, ')');
	values[0] = CStringGetTextDatum(model->name);
	values[1] = Float8GetDatum(n);
	values[2] = Int64GetDatum(seed);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	gs_run(query.data, 3, types, values, NULL, true);
	rows = DatumGetInt64(gs_result(0, 1, NULL));
	foreach(cell, model->version->constraints)
	{
		bool		isnull;
		Datum		count = gs_result(0, i + 2, &isnull);

		counts[i++] = isnull ? -1 : DatumGetInt64(count);
	}
	SPI_finish();
	return rows;
}

/* A condition that rows are held against. */
typedef struct Condition
{
	ExprState  *state;
	ExprContext *econtext;
	bool		met;
} Condition;

static void
evaluate(void *arg)
{
	Condition  *condition = arg;

	condition->met = ExecCheck(condition->state, condition->econtext);
}

/*
 * Counts the rows of a stream that fail each condition.  Returns what made
 * them; NULL if the model has none.
 *
 * counts: [constraints], set for conditions
 */
static const GsRules *
count_failures(GsSampler *sampler, int64 seed, int64 n, int64 *counts)
{
	const GsModel *model = sampler->model;
	TupleDesc	desc = gs_schema_desc(sampler->schema);
	GsStream   *stream = gs_stream_open(sampler, desc, seed);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	Condition  *condition = palloc0(sizeof(Condition) *
									Max(list_length(model->version->constraints), 1));
	StringInfoData message;
	int			i = 0;
	ListCell   *cell;

	initStringInfo(&message);
	foreach(cell, model->version->constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->expression != NULL &&
			constraint->met != GS_MET_DATABASE)
		{
			condition[i].econtext = CreateStandaloneExprContext();
			condition[i].econtext->ecxt_scantuple = slot;
			condition[i].state = ExecInitExpr(gs_condition_load(constraint->expression,
																model->schema,
																NULL), NULL);
			counts[i] = 0;
		}
		i++;
	}
	gs_stream_seek(stream, 0, n);
	while (gs_stream_next(stream, &slot->tts_values, &slot->tts_isnull))
	{
		ExecStoreVirtualTuple(slot);
		for (int k = 0; k < i; k++)
		{
			if (condition[k].state == NULL)
				continue;
			counts[k] += !gs_condition_try(evaluate, &condition[k],
										   &message) || !condition[k].met;
			ResetExprContext(condition[k].econtext);
		}
		ExecClearTuple(slot);
	}
	return gs_stream_rules(stream);
}

/*
 * synth_check(model text, n float8 = 10000, seed bigint = 1): for each
 * constraint of the model the rows looked at, those that violate it, and the
 * share of the rows made that met it.
 */
GS_FUNCTION(synth_check);

Datum
synth_check(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	NullableDatum args[GS_FORM_MAX_ARGS] = {{0}};
	const GsFormArgs *at = gs_form_args(GS_FORM_RECORD);
	GsCall	   *call;
	const GsModel *model;
	const GsRules *rules;
	int64	   *counts;
	int64		looked_at;
	int			i = 0;
	ListCell   *cell;

	for (int a = 0; a < GS_FORM_MAX_ARGS; a++)
		args[a].isnull = true;
	args[at->model] = fcinfo->args[0];
	args[at->n] = fcinfo->args[1];
	if (args[at->n].isnull)
		args[at->n] = (NullableDatum) {Float8GetDatum(DEFAULT_ROWS), false};
	args[at->seed] = fcinfo->args[2];
	call = gs_call_open(GS_FORM_RECORD, args, InvalidOid, NULL);
	model = call->model;
	InitMaterializedSRF(fcinfo, 0);
	counts = palloc(sizeof(int64) *
					Max(list_length(model->version->constraints), 1));
	looked_at = count_violations(model, fcinfo, call->seed, call->n,
								 counts);
	rules = count_failures(call->sampler, call->seed, call->n, counts);
	foreach(cell, model->version->constraints)
	{
		const GsConstraint *constraint = lfirst(cell);
		Datum		values[6] = {0};
		bool		nulls[6] = {false};
		double		tries = rules != NULL ?
			Max(gs_rules_stats(rules).tries, 1) : 1;

		values[0] = CStringGetTextDatum(gs_constraint_kind_name(constraint->kind));
		nulls[1] = constraint->name == NULL;
		if (!nulls[1])
			values[1] = CStringGetTextDatum(constraint->name);
		values[2] = gs_text_array(constraint->columns);
		values[3] = Int64GetDatum(looked_at);
		values[4] = Int64GetDatum(counts[i]);
		nulls[4] = counts[i++] < 0;
		nulls[5] = constraint->expression == NULL ||
			constraint->met != GS_MET_REJECTION;
		values[5] = Float8GetDatum(rules == NULL ? 1.0 :
								   1 - gs_rules_refused(rules, constraint) / tries);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
