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
#include "utils/tuplestore.h"

#include "catalog/access.h"
#include "column/store.h"
#include "constraint/condition.h"
#include "stream/call.h"
#include "stream/stream.h"
#include "stream/target.h"

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
 * The conditions of a model, on rows in a slot.  Returns an element for each
 * of its constraints, without a state where it is none.
 *
 * counts: [constraints], set to 0 for conditions
 */
static Condition *
open_conditions(const GsModel *model, TupleTableSlot *slot, int64 *counts)
{
	List	   *constraints = model->version->constraints;
	Condition  *condition = palloc0(sizeof(Condition) *
									Max(list_length(constraints), 1));
	int			i = 0;
	ListCell   *cell;

	foreach(cell, constraints)
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
	return condition;
}

/*
 * Makes rows into a tuplestore, and counts those that fail each condition.
 * Returns what made them; NULL if the model has no conditions.
 *
 * Rows that cannot be made to meet them are left out; after a whole batch of
 * these, no further ones are tried.
 */
static const GsRules *
make_rows(const GsCall *call, TupleDesc desc, Tuplestorestate *store,
		  int64 *counts)
{
	const GsModel *model = call->sampler->model;
	GsStream   *stream = gs_stream_open(call->sampler, desc, call->seed);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	Condition  *condition = open_conditions(model, slot, counts);
	int			n = list_length(model->version->constraints);
	StringInfoData message;
	int64		batch;

	initStringInfo(&message);
	for (int64 first = 0; first < call->n; first += GS_BATCH)
	{
		gs_stream_seek(stream, first, Min(first + GS_BATCH, call->n));
		for (batch = 0; gs_stream_next(stream, &slot->tts_values,
									   &slot->tts_isnull); batch++)
		{
			ExecStoreVirtualTuple(slot);
			for (int k = 0; k < n; k++)
			{
				if (condition[k].state == NULL)
					continue;
				counts[k] += !gs_condition_try(evaluate, &condition[k],
											   &message) || !condition[k].met;
				ResetExprContext(condition[k].econtext);
			}
			tuplestore_puttupleslot(store, slot);
			ExecClearTuple(slot);
		}
		if (batch == 0)
			break;
	}
	return gs_stream_rules(stream);
}

/*
 * Counts what rows violate but for conditions, all at once, in the plain types
 * of their columns, as the caller.
 *
 * counts: [constraints], set where rows alone can tell
 */
static void
count_violations(const GsModel *model, TupleDesc desc, Tuplestorestate *store,
				 int64 *counts)
{
	EphemeralNamedRelationData rows = {
		.md = {.name = GS_TARGET_ROWS,.tupdesc = desc,
			.enrtype = ENR_NAMED_TUPLESTORE,
			.enrtuples = tuplestore_tuple_count(store)},
		.reldata = store
	};
	StringInfoData query;
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
	appendStringInfoString(&query, " FROM " GS_TARGET_ROWS);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_register_relation(&rows) != SPI_OK_REL_REGISTER)
		elog(ERROR, "SPI_register_relation failed");
	gs_run(query.data, 0, NULL, NULL, NULL, true);
	foreach(cell, model->version->constraints)
	{
		bool		isnull;
		Datum		count = gs_result(0, i + 2, &isnull);

		if (!isnull)
			counts[i] = DatumGetInt64(count);
		i++;
	}
	SPI_finish();
}

/*
 * A model whose rows are left out where they cannot be made, and not an error.
 */
static const GsModel *
tolerant_model(const GsModel *model)
{
	GsModel    *copy = palloc(sizeof(GsModel));
	GsVersionEntry *version = palloc(sizeof(GsVersionEntry));

	*copy = *model;
	*version = *model->version;
	copy->version = version;
	if (version->on_violation == GS_VIOLATION_ERROR)
		version->on_violation = GS_VIOLATION_DROP;
	return copy;
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
	TupleDesc	desc;
	Tuplestorestate *store;
	int64	   *counts;
	int			n;
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
	model = call->sampler->model = tolerant_model(call->model);
	InitMaterializedSRF(fcinfo, 0);
	n = list_length(model->version->constraints);
	counts = palloc(sizeof(int64) * Max(n, 1));
	for (int k = 0; k < n; k++)
		counts[k] = -1;			/* rows alone cannot tell */
	desc = gs_schema_desc(call->sampler->schema);
	store = tuplestore_begin_heap(false, false, work_mem);
	rules = make_rows(call, desc, store, counts);
	count_violations(model, desc, store, counts);
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
		values[3] = Int64GetDatum(tuplestore_tuple_count(store));
		values[4] = Int64GetDatum(counts[i]);
		nulls[4] = counts[i++] < 0;
		nulls[5] = constraint->expression == NULL ||
			constraint->met != GS_MET_REJECTION;
		values[5] = Float8GetDatum(rules == NULL ? 1.0 :
								   1 - gs_rules_refused(rules, constraint) / tries);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	tuplestore_end(store);
	return (Datum) 0;
}
