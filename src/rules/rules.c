/*
 * rules.c
 *	  Rows that meet conditions: the last step of a batch.
 *
 * What the family makes is confined to the rows that meet the conditions of a
 * model (CHECK constraints of its source, and its user's) by rejection, which
 * is exact: rows come out as likely as the model makes them, given that they
 * meet the conditions.  A batch's refused rows are replaced by accepted ones
 * of further batches, made with keys of their own, in order; so a row still
 * follows from model, seed and its number, and the cost is one over the
 * share that is accepted.
 *
 * A condition that no value of its only column can fail is not tried again
 * for each row.  One that says what a column is equal to (a total and its
 * parts) sets the column.
 *
 * Expressions run as the model's owner, as those of an index run as its
 * table's: whoever samples must not run somebody else's functions.
 */
#include "postgres.h"

#include <math.h>

#include "access/stratnum.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "column/decode.h"
#include "column/store.h"
#include "rules/condition.h"
#include "rules/rules.h"

/* Batches that are made for the refused rows of one. */
#define MAX_BATCHES		200

typedef struct Rule
{
	const GsConstraint *constraint;
	ExprState  *state;
	int			sets;			/* place among the rules' columns; -1: none */
	ExprState  *value;			/* that it sets it to */
	Bitmapset  *columns;		/* that it is about */
	int64		refused;
} Rule;

struct GsRules
{
	const GsModel *model;
	int			nrules;
	Rule	   *rules;
	int			ncolumns;		/* that conditions are about */
	int		   *column;			/* [ncolumns] */
	GsDecoder **decoder;		/* [ncolumns] */
	Datum	   *values;			/* [GS_BATCH][ncolumns] */
	bool	   *nulls;
	TupleTableSlot *slot;		/* a row of the model's columns */
	ExprContext *econtext;
	int			passes;			/* over the rules, until all columns are set */
	GsBatch    *spare;			/* candidates */
	bool	   *refused;		/* [GS_BATCH] of the batch at hand */
	bool	   *candidates;		/* [GS_BATCH] refused ones of spare */
	MemoryContext context;		/* decoded values */
	GsRuleStats stats;
};

/*
 * Whether a condition holds between any two values of a column for which it
 * holds: comparisons with constants, all of which must hold.
 */
static bool
is_interval(const Node *node)
{
	const OpExpr *op = (const OpExpr *) node;
	List	   *families;
	bool		found = false;
	ListCell   *cell;

	if (is_andclause(node))
	{
		foreach(cell, ((const BoolExpr *) node)->args)
			if (!is_interval(lfirst(cell)))
				return false;
		return true;
	}
	if (!IsA(node, OpExpr) || list_length(op->args) != 2 ||
		!((IsA(linitial(op->args), Var) && IsA(lsecond(op->args), Const)) ||
		  (IsA(linitial(op->args), Const) && IsA(lsecond(op->args), Var))))
		return false;
	families = gs_comparisons(op->opno);
	foreach(cell, families)
		found |= gs_comparison(cell) >= BTLessStrategyNumber &&
			gs_comparison(cell) <= BTGreaterStrategyNumber;
	return found;
}

static bool
meets(const GsRules *rules, ExprState *state, int c, Datum value, bool isnull)
{
	bool		met;

	rules->slot->tts_values[c] = value;
	rules->slot->tts_isnull[c] = isnull;
	met = ExecCheck(state, rules->econtext);
	ResetExprContext(rules->econtext);
	return met;
}

/*
 * Whether all values that a column can take meet a condition on it alone.
 */
static bool
is_certain(const GsRules *rules, ExprState *state, const Expr *expr, int c)
{
	const GsSchema *schema = rules->model->schema;
	GsDecoder  *decoder = gs_decoder_create(schema, c);
	Datum	   *values;
	int			n = gs_decoder_values(decoder, &values);
	bool		certain = n > 0;

	if (gs_decoder_is_number(decoder) && !is_interval((const Node *) expr))
		return false;
	for (int i = 0; i < n && certain; i++)
		certain = meets(rules, state, c, values[i], false);
	return certain && meets(rules, state, c, (Datum) 0, true);
}

static void
add_rule(GsRules *rules, const GsConstraint *constraint, Bitmapset **used)
{
	Rule	   *rule = &rules->rules[rules->nrules];
	Bitmapset  *columns;
	Expr	   *expr = gs_condition_parse(constraint->expression,
										  rules->model->schema,
										  rules->model->entry->owner,
										  &columns);
	ExprState  *state = ExecInitExpr(expr, NULL);
	int			only;

	/* a row that is made again has the same keys */
	for (only = bms_next_member(columns, -1); only >= 0;
		 only = bms_next_member(columns, only))
		if (rules->model->schema->columns[only].key != NULL)
			return;
	ExecStoreAllNullTuple(rules->slot);
	if (bms_get_singleton_member(columns, &only) &&
		is_certain(rules, state, expr, only))
		return;
	rule->constraint = constraint;
	rule->state = state;
	rule->sets = -1;
	rule->columns = columns;
	*used = bms_add_members(*used, columns);
	rules->nrules++;
	expr = gs_condition_value(rules->model->schema, expr, &only);
	/* what a column was set to counts for those after it */
	for (int r = 0; r < rules->nrules - 1 && expr != NULL; r++)
		if (rules->rules[r].value != NULL && rules->rules[r].sets == only)
			expr = NULL;
	if (expr == NULL)
		return;
	rule->sets = only;
	rule->value = ExecInitExpr(expression_planner(expr), NULL);
}

/*
 * Lets the rules name columns by their places among those that are used; and
 * finds out whether some set what ones before them ask for.
 */
static void
place_columns(GsRules *rules)
{
	rules->passes = 1;
	for (int r = 0; r < rules->nrules; r++)
		for (int later = r + 1; later < rules->nrules; later++)
			if (rules->rules[r].value != NULL &&
				rules->rules[later].value != NULL &&
				bms_is_member(rules->rules[later].sets,
							  rules->rules[r].columns))
				rules->passes++;
	for (int r = 0; r < rules->nrules; r++)
		for (int i = 0; i < rules->ncolumns && rules->rules[r].value != NULL; i++)
			if (rules->column[i] == rules->rules[r].sets)
			{
				rules->rules[r].sets = i;
				break;
			}
}

/* Who the caller was, while conditions are looked at. */
typedef struct Caller
{
	Oid			user;
	int			context;
	int			guc_level;
	ErrorContextCallback callback;
} Caller;

static void
condition_errcontext(void *arg)
{
	const GsRules *rules = arg;

	errcontext("conditions of model \"%s\"", rules->model->entry->name);
}

/*
 * Becomes the model's owner, with a search_path that the caller has not
 * chosen.
 */
static void
become_owner(GsRules *rules, Caller *caller)
{
	GetUserIdAndSecContext(&caller->user, &caller->context);
	SetUserIdAndSecContext(rules->model->entry->runs_as, caller->context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	caller->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	caller->callback = (ErrorContextCallback) {error_context_stack,
		condition_errcontext, rules
	};
	error_context_stack = &caller->callback;
}

static void
become_caller(const Caller *caller)
{
	error_context_stack = caller->callback.previous;
	AtEOXact_GUC(true, caller->guc_level);
	SetUserIdAndSecContext(caller->user, caller->context);
}

/*
 * gs_rules_open: the conditions of a model that its rows may fail, in the
 * current context; NULL if there are none.
 */
GsRules *
gs_rules_open(const GsModel *model)
{
	GsRules    *rules;
	List	   *constraints = model->version->constraints;
	Bitmapset  *used = NULL;
	Caller		caller;
	ListCell   *cell;
	int			c = -1;

	if (constraints == NIL)
		return NULL;
	rules = palloc0(sizeof(GsRules));
	rules->model = model;
	rules->rules = palloc0(sizeof(Rule) * list_length(constraints));
	rules->slot = MakeSingleTupleTableSlot(gs_schema_desc(model->schema),
										   &TTSOpsVirtual);
	rules->econtext = CreateStandaloneExprContext();
	rules->econtext->ecxt_scantuple = rules->slot;
	become_owner(rules, &caller);
	foreach(cell, constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->expression != NULL &&
			strcmp(constraint->met, "database") != 0)
			add_rule(rules, constraint, &used);
	}
	become_caller(&caller);
	if (rules->nrules == 0)
		return NULL;
	rules->ncolumns = bms_num_members(used);
	rules->column = palloc(sizeof(int) * rules->ncolumns);
	rules->decoder = palloc(sizeof(GsDecoder *) * rules->ncolumns);
	for (int i = 0; (c = bms_next_member(used, c)) >= 0; i++)
	{
		rules->column[i] = c;
		rules->decoder[i] = gs_decoder_create(model->schema, c);
	}
	place_columns(rules);
	rules->values = palloc(sizeof(Datum) * GS_BATCH * rules->ncolumns);
	rules->nulls = palloc(GS_BATCH * rules->ncolumns);
	rules->refused = palloc(GS_BATCH);
	rules->candidates = palloc(GS_BATCH);
	rules->context = AllocSetContextCreate(CurrentMemoryContext,
										   "gensynth rules",
										   ALLOCSET_DEFAULT_SIZES);
	ExecStoreAllNullTuple(rules->slot);
	return rules;
}

/*
 * gs_rules_need: marks the features that conditions are about.
 *
 * needed: [nfeatures]
 */
void
gs_rules_need(const GsRules *rules, bool *needed)
{
	for (int i = 0; i < rules->ncolumns; i++)
		gs_decoder_needs(rules->decoder[i], needed);
}

/*
 * gs_rules_attach: prepares a stream's batch for gs_rules_apply.
 */
void
gs_rules_attach(GsRules *rules, GsBatch *batch)
{
	batch->origin = palloc(sizeof(GsOrigin) * GS_BATCH);
	rules->spare = gs_batch_create(rules->model, 0, batch->needed);
}

/*
 * Decodes the columns that conditions are about: the rows from to to - 1 of a
 * batch, into the first places of values.
 */
static void
decode_columns(GsRules *rules, const GsBatch *batch, int from, int to)
{
	int			n = rules->ncolumns;
	MemoryContext old;

	MemoryContextReset(rules->context);
	old = MemoryContextSwitchTo(rules->context);
	memset(rules->nulls, false, (to - from) * n);
	for (int i = 0; i < n; i++)
		gs_decode(rules->decoder[i], batch, from, to,
				  (GsRows) {rules->values + i, rules->nulls + i, n});
	MemoryContextSwitchTo(old);
}

/*
 * Shows a decoded row to the conditions, with the columns that they set.  A
 * value that comes out NULL is not set.
 */
static void
show_row(GsRules *rules, int row)
{
	TupleTableSlot *slot = rules->slot;
	Datum	   *values = rules->values + row * rules->ncolumns;
	bool	   *nulls = rules->nulls + row * rules->ncolumns;

	for (int i = 0; i < rules->ncolumns; i++)
	{
		slot->tts_values[rules->column[i]] = values[i];
		slot->tts_isnull[rules->column[i]] = nulls[i];
	}
	for (int i = 0; i < rules->nrules * rules->passes; i++)
	{
		const Rule *rule = &rules->rules[i % rules->nrules];
		int			c;
		bool		isnull;
		Datum		value;

		if (rule->value == NULL)
			continue;
		c = rules->column[rule->sets];
		value = ExecEvalExprSwitchContext(rule->value, rules->econtext,
										  &isnull);
		if (isnull || slot->tts_isnull[c])
			continue;
		slot->tts_values[c] = value;
	}
}

/*
 * Which rows of a batch fail a condition.  Returns how many.
 */
static int
find_refused(GsRules *rules, const GsBatch *batch, bool *refused)
{
	int			count = 0;
	Caller		caller;

	decode_columns(rules, batch, 0, GS_BATCH);
	become_owner(rules, &caller);
	for (int row = 0; row < GS_BATCH; row++)
	{
		refused[row] = false;
		show_row(rules, row);
		for (int r = 0; r < rules->nrules && !refused[row]; r++)
		{
			if (ExecCheck(rules->rules[r].state, rules->econtext))
				continue;
			refused[row] = true;
			rules->rules[r].refused++;
			count++;
		}
		ResetExprContext(rules->econtext);
	}
	become_caller(&caller);
	return count;
}

/*
 * gs_rules_sets: whether conditions set a column (from 0) of the model.
 */
bool
gs_rules_sets(const GsRules *rules, int column)
{
	for (int r = 0; r < rules->nrules; r++)
		if (rules->rules[r].value != NULL &&
			rules->column[rules->rules[r].sets] == column)
			return true;
	return false;
}

/*
 * gs_rules_set: a column as conditions set it, of the rows from to to - 1 of
 * a batch; see gs_decode.
 */
void
gs_rules_set(GsRules *rules, const GsBatch *batch, int column, int from,
			 int to, GsRows rows)
{
	const GsColumn *set = &rules->model->schema->columns[column];
	MemoryContext context = CurrentMemoryContext;
	int16		len;
	bool		byval;
	Caller		caller;

	get_typlenbyval(set->type, &len, &byval);
	decode_columns(rules, batch, from, to);
	become_owner(rules, &caller);
	for (int row = 0; row < to - from; row++)
	{
		int			i = row * rows.stride;

		show_row(rules, row);
		MemoryContextSwitchTo(context);
		rows.nulls[i] = rules->slot->tts_isnull[column];
		rows.values[i] = rows.nulls[i] ? (Datum) 0 :
			datumCopy(rules->slot->tts_values[column], byval, len);
		ResetExprContext(rules->econtext);
	}
	become_caller(&caller);
}

static void
report_unmet(const GsRules *rules)
{
	const Rule *worst = &rules->rules[0];

	for (int r = 1; r < rules->nrules; r++)
		if (rules->rules[r].refused > worst->refused)
			worst = &rules->rules[r];
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("could not make rows that meet %s \"%s\"",
					worst->constraint->kind,
					worst->constraint->name ? worst->constraint->name :
					worst->constraint->expression),
			 errdetail("Of " INT64_FORMAT " rows, " INT64_FORMAT " were refused by it.",
					   rules->stats.tries, worst->refused),
			 errhint("Fit again with option \"on_violation\" set to \"drop\" or \"ignore\", or leave out the columns that it is about.")));
}

/*
 * gs_rules_apply: replaces the rows of a filled batch that fail a condition.
 *
 * batch: one that gs_rules_attach prepared.  Returns NULL, or, where not all
 * could be replaced and the model says to drop them, [GS_BATCH] those that
 * are to be dropped.  Errors: check_violation; whatever a condition raises.
 */
const bool *
gs_rules_apply(GsRules *rules, GsBatch *batch)
{
	int			left;

	/* the rows are their own until they are replaced */
	for (int row = 0; row < GS_BATCH; row++)
		batch->origin[row] = (GsOrigin) {batch->key, batch->first + row};
	left = find_refused(rules, batch, rules->refused);
	rules->stats.rows += GS_BATCH;
	rules->stats.tries += GS_BATCH;
	for (int try = 1; left > 0 && try <= MAX_BATCHES; try++)
	{
		int			row = 0;

		CHECK_FOR_INTERRUPTS();
		rules->spare->key = gs_mix64(batch->key, try);
		gs_batch_fill(rules->model, rules->spare, batch->first / GS_BATCH);
		find_refused(rules, rules->spare, rules->candidates);
		rules->stats.tries += GS_BATCH;
		for (int i = 0; i < GS_BATCH && left > 0; i++)
		{
			if (rules->candidates[i])
				continue;
			while (!rules->refused[row])
				row++;
			gs_batch_copy(batch, row, rules->spare, i);
			batch->origin[row] = (GsOrigin) {rules->spare->key,
				rules->spare->first + i
			};
			rules->refused[row] = false;
			left--;
		}
	}
	if (left == 0 || rules->model->version->on_violation == GS_VIOLATION_IGNORE)
		return NULL;
	if (rules->model->version->on_violation == GS_VIOLATION_ERROR)
		report_unmet(rules);
	return rules->refused;
}

/*
 * gs_rules_refused: how many rows a condition of the model has refused.
 */
int64
gs_rules_refused(const GsRules *rules, const GsConstraint *constraint)
{
	for (int r = 0; r < rules->nrules; r++)
		if (rules->rules[r].constraint == constraint)
			return rules->rules[r].refused;
	return 0;
}

/*
 * gs_rules_stats: what became of the rows so far.
 */
GsRuleStats
gs_rules_stats(const GsRules *rules)
{
	return rules->stats;
}
