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
 * parts) sets the column; a row in which that is beyond the values that the
 * column has is made again, but kept if there is no better one soon.  Equations
 * that were found in the data do no more than that: no row is refused for
 * them.
 *
 * Expressions run as whoever samples: condition.c sees to it that there is
 * nothing in them that could do harm, or depend on who that is.  A condition
 * that raises an error is not met.
 */
#include "postgres.h"

#include <math.h>

#include "access/stratnum.h"
#include "access/sysattr.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "codec/datum.h"
#include "encode/decode.h"
#include "column/store.h"
#include "codec/styles.h"
#include "constraint/bounds.h"
#include "constraint/certain.h"
#include "constraint/condition.h"
#include "constraint/equation.h"
#include "constraint/rules.h"

/* Batches made for rows in which only what was set is unlike the column. */
#define BOUNDED_BATCHES	8

typedef struct Rule
{
	const GsConstraint *constraint;
	Expr	   *expr;
	ExprState  *state;
	int			sets;			/* place among the rules' columns; -1: none */
	ExprState  *value;			/* that it sets it to; NULL: none */
	Bitmapset  *from;			/* columns that this follows from in turn */
	GsBounds	bounds;			/* of the column */
	Bitmapset  *columns;		/* that it is about */
	bool		idle;			/* they are all known */
	int64		refused;
} Rule;

/* A column whose value is, in some rows, that of one which a rule sets. */
typedef struct Copy
{
	int			to;				/* places among the rules' columns */
	int			from;
	int			feature;		/* says in which rows, by code 1 */
	bool		idle;			/* no rule sets it, or the column is known */
	bool		flag[GS_BATCH]; /* of the decoded rows */
} Copy;

struct GsRules
{
	GsSampler  *sampler;
	const GsModel *model;
	int			nrules;
	Rule	   *rules;
	int			ncopies;
	Copy	   *copies;
	int			ncolumns;		/* that conditions are about, or copied to */
	int		   *column;			/* [ncolumns] */
	GsDecoder **decoder;		/* [ncolumns] */
	const GsRows *known;		/* [columns of the model]; NULL: none is known */
	int			n;				/* rows of a batch that count */
	Datum	   *values;			/* [GS_BATCH][ncolumns] */
	bool	   *nulls;
	TupleTableSlot *slot;		/* a row of the model's columns */
	ExprContext *econtext;
	int			passes;			/* over the rules, until all columns are set */
	GsBatch    *spare;			/* candidates */
	bool	   *refused;		/* [GS_BATCH] of the batch at hand */
	bool	   *beyond;			/* [GS_BATCH] refused for what was set alone */
	bool		bounded;		/* rows are refused for that */
	MemoryContext context;		/* decoded values */
	GsRuleStats stats;
	bool		thorough;		/* all rules are asked, also of refused rows */
	int			at;				/* the rule that is evaluated */
	StringInfoData error;		/* that one raised last ... */
	int			raised_by;		/* ... and which; -1: none yet */
};

/*
 * Adds a rule, unless it always holds.
 */
static void
add_rule(GsRules *rules, const GsConstraint *constraint, Expr *expr,
		 Bitmapset **used)
{
	Bitmapset  *columns = NULL;
	Bitmapset  *attributes = NULL;
	ExprState  *state = ExecInitExpr(expr, NULL);
	int			only = -1;
	Rule	   *rule;

	pull_varattnos((Node *) expr, 1, &attributes);
	while ((only = bms_next_member(attributes, only)) >= 0)
		columns = bms_add_member(columns, only - 1 +
								 FirstLowInvalidHeapAttributeNumber);
	ExecStoreAllNullTuple(rules->slot);
	if (bms_get_singleton_member(columns, &only) &&
		gs_condition_is_certain(rules->sampler->schema, expr, state,
								rules->econtext, only, &rules->error))
		return;
	rules->rules = rules->rules == NULL ? palloc(sizeof(Rule)) :
		repalloc(rules->rules, sizeof(Rule) * (rules->nrules + 1));
	rule = &rules->rules[rules->nrules++];
	memset(rule, 0, sizeof(Rule));
	rule->constraint = constraint;
	rule->expr = expr;
	rule->state = state;
	rule->sets = -1;
	rule->columns = columns;
	*used = bms_add_members(*used, columns);
}

/*
 * Adds the rules of a condition.
 */
static void
add_rules(GsRules *rules, const GsConstraint *constraint, Bitmapset **used)
{
	const GsSchema *schema = rules->sampler->schema;
	Bitmapset  *columns;
	Expr	   *expr = gs_condition_load(constraint->expression, schema,
										 &columns);
	ListCell   *cell;
	int			c = -1;

	/* a row that is made again has the same keys */
	while ((c = bms_next_member(columns, c)) >= 0)
		if (schema->columns[c].key != NULL)
			return;
	foreach(cell, gs_equation_parts(schema, expr))
		add_rule(rules, constraint, lfirst(cell), used);
}

/*
 * The columns that a sampler's rows were asked to have values of.
 */
static Bitmapset *
given_columns(const GsSampler *sampler)
{
	const GsGiven *given = sampler->given;
	const GsSchema *schema = sampler->schema;
	Bitmapset  *columns = NULL;

	for (int f = 0; f < schema->nfeatures && given != NULL; f++)
	{
		bool		asked = given->wanted[f] != NULL;

		for (int b = 0; b < given->nboxes; b++)
			asked |= given->box[b][f].given;
		if (asked)
			columns = bms_add_member(columns, schema->features[f].column);
	}
	return columns;
}

static bool
is_found(const Rule *rule)
{
	return rule->constraint->kind == GS_CONSTRAINT_FOUND;
}

/*
 * Whether two rules are the same equation, found in the data, for one column
 * first and then for another.
 */
static bool
follows(const Rule *before, const Rule *rule)
{
	return is_found(before) && is_found(rule) &&
		bms_equal(before->columns, rule->columns);
}

/*
 * What must not be set by a rule: what is so already, and what sets its
 * columns: they would wait for each other.
 */
static Bitmapset *
barred_columns(const GsRules *rules, int r, const Bitmapset *known)
{
	Bitmapset  *barred = bms_copy(known);

	for (int q = 0; q < r; q++)
	{
		const Rule *before = &rules->rules[q];

		if (before->value == NULL)
			continue;
		barred = bms_add_member(barred, rules->column[before->sets]);
		/* one that is told exactly follows the one that it was told from */
		if (follows(before, &rules->rules[r]))
			continue;
		if (bms_is_member(rules->column[before->sets],
						  rules->rules[r].columns))
			barred = bms_add_members(barred, before->from);
	}
	return barred;
}

static int
place_of(const GsRules *rules, int column)
{
	for (int i = 0; i < rules->ncolumns; i++)
		if (rules->column[i] == column)
			return i;
	return -1;
}

static bool
sets_by_value(const GsRules *rules, int place)
{
	for (int r = 0; r < rules->nrules; r++)
		if (rules->rules[r].value != NULL && rules->rules[r].sets == place)
			return true;
	return false;
}

/*
 * Decides what is copied after it is set, where columns are known.
 */
static void
choose_copies(GsRules *rules, const Bitmapset *known)
{
	for (int i = 0; i < rules->ncopies; i++)
	{
		Copy	   *copy = &rules->copies[i];

		copy->idle = bms_is_member(rules->column[copy->to], known) ||
			!sets_by_value(rules, copy->from);
		/* other equations may ask for it */
		rules->passes += !copy->idle;
	}
}

/*
 * Decides what rules set, where columns are known as they are.
 */
static void
choose_columns(GsRules *rules, const Bitmapset *known)
{
	rules->passes = 1;
	for (int r = 0; r < rules->nrules; r++)
	{
		Rule	   *rule = &rules->rules[r];
		Bitmapset  *barred = barred_columns(rules, r, known);
		int			column;
		Expr	   *value = gs_equation_solve(rules->sampler->schema,
											  rule->expr, barred, &column);

		rule->value = NULL;
		if (value == NULL)
			continue;
		rule->sets = place_of(rules, column);
		rule->value = ExecInitExpr(expression_planner(value), NULL);
		rule->from = bms_del_member(bms_copy(rule->columns), column);
		for (int q = 0; q < r; q++)
		{
			const Rule *before = &rules->rules[q];

			if (before->value == NULL)
				continue;
			if (bms_is_member(rules->column[before->sets], rule->from))
				rule->from = bms_add_members(rule->from, before->from);
			/* it sets what one before it asks for */
			rules->passes += bms_is_member(column, before->columns) &&
				!follows(before, rule);
		}
		gs_bounds_init(&rule->bounds,
					   &rules->sampler->schema->columns[column],
					   rules->decoder[rule->sets]);
	}
	choose_copies(rules, known);
}

/*
 * The columns that are equal to one that conditions are about, in some rows.
 */
static void
add_copies(GsRules *rules, const Bitmapset *equal)
{
	const GsSchema *schema = rules->sampler->schema;
	int			c = -1;

	rules->copies = palloc(sizeof(Copy) * Max(bms_num_members(equal), 1));
	while ((c = bms_next_member(equal, c)) >= 0)
		rules->copies[rules->ncopies++] = (Copy)
	{
		.to = place_of(rules, c),
			.from = place_of(rules, schema->columns[c].equal - 1),
			.feature = schema->columns[c].equal_feature
	};
}

static void
condition_errcontext(void *arg)
{
	const GsRules *rules = arg;

	errcontext("conditions of model \"%s\"", rules->model->name);
}

/*
 * gs_rules_open: the conditions of a sampler's model that its rows may fail, in the
 * current context; NULL if there are none.
 */
GsRules *
gs_rules_open(GsSampler *sampler)
{
	const GsModel *model = sampler->model;
	GsRules    *rules;
	List	   *constraints = model->version->constraints;
	Bitmapset  *used = NULL;
	Bitmapset  *equal = NULL;
	ErrorContextCallback callback;
	ListCell   *cell;
	int			c = -1;

	if (constraints == NIL)
		return NULL;
	rules = palloc0(sizeof(GsRules));
	rules->sampler = sampler;
	rules->model = model;
	rules->slot = MakeSingleTupleTableSlot(gs_schema_desc(sampler->schema),
										   &TTSOpsVirtual);
	rules->n = GS_BATCH;
	rules->econtext = CreateStandaloneExprContext();
	rules->econtext->ecxt_scantuple = rules->slot;
	initStringInfo(&rules->error);
	rules->raised_by = -1;
	callback = (ErrorContextCallback) {error_context_stack,
		condition_errcontext, rules
	};
	error_context_stack = &callback;
	foreach(cell, constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->expression != NULL &&
			constraint->met != GS_MET_DATABASE)
			add_rules(rules, constraint, &used);
	}
	error_context_stack = callback.previous;
	if (rules->nrules == 0)
		return NULL;
	for (int e = 0; e < sampler->schema->ncolumns; e++)
		if (sampler->schema->columns[e].equal > 0 &&
			bms_is_member(sampler->schema->columns[e].equal - 1, used))
			equal = bms_add_member(equal, e);
	used = bms_add_members(used, equal);
	rules->ncolumns = bms_num_members(used);
	rules->column = palloc(sizeof(int) * rules->ncolumns);
	rules->decoder = palloc(sizeof(GsDecoder *) * rules->ncolumns);
	for (int i = 0; (c = bms_next_member(used, c)) >= 0; i++)
	{
		rules->column[i] = c;
		rules->decoder[i] = gs_decoder_create(sampler->schema, c, InvalidOid);
	}
	add_copies(rules, equal);
	choose_columns(rules, given_columns(sampler));
	rules->values = palloc(sizeof(Datum) * GS_BATCH * rules->ncolumns);
	rules->nulls = palloc(GS_BATCH * rules->ncolumns);
	rules->refused = palloc(GS_BATCH);
	rules->beyond = palloc(GS_BATCH);
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
	for (int i = 0; i < rules->ncopies; i++)
		needed[rules->copies[i].feature] = true;
}

/*
 * gs_rules_mark: marks the columns that rows may be refused for.
 *
 * columns: [ncolumns of the model]
 */
void
gs_rules_mark(const GsRules *rules, bool *columns)
{
	for (int r = 0; r < rules->nrules; r++)
	{
		int			c = -1;

		while (rules->rules[r].value == NULL &&
			   (c = bms_next_member(rules->rules[r].columns, c)) >= 0)
			columns[c] = true;
	}
}

/*
 * gs_rules_rows: batches have n rows from now on that count, the first ones.
 */
void
gs_rules_rows(GsRules *rules, int n)
{
	rules->n = n;
}

/*
 * gs_rules_know: lets conditions see columns that are known, as they are.
 * What is about these alone is not asked, and none of them is set.
 *
 * known: [ncolumns of the model], of GS_BATCH rows, without values where a
 * column is not known; what it points to may change from batch to batch
 */
void
gs_rules_know(GsRules *rules, const GsRows *known)
{
	Bitmapset  *columns = NULL;

	rules->known = known;
	for (int i = 0; i < rules->ncolumns; i++)
		if (known[rules->column[i]].values != NULL)
			columns = bms_add_member(columns, rules->column[i]);
	choose_columns(rules, columns);
	for (int r = 0; r < rules->nrules; r++)
	{
		Rule	   *rule = &rules->rules[r];
		int			c = -1;

		rule->idle = true;
		while ((c = bms_next_member(rule->columns, c)) >= 0)
			rule->idle &= known[c].values != NULL;
	}
}

/*
 * gs_rules_attach: prepares a stream's batch for gs_rules_apply.
 */
void
gs_rules_attach(GsRules *rules, GsBatch *batch)
{
	batch->origin = palloc(sizeof(GsOrigin) * GS_BATCH);
	rules->spare = gs_batch_spare(rules->sampler, batch);
}

static void
show_known(const GsRows *known, int from, int to, GsRows rows)
{
	for (int row = from; row < to; row++)
	{
		rows.values[(row - from) * rows.stride] =
			known->values[row * known->stride];
		rows.nulls[(row - from) * rows.stride] =
			known->nulls[row * known->stride];
	}
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
	for (int i = 0; i < n; i++)
	{
		GsRows		rows = {rules->values + i, rules->nulls + i, n};

		if (rules->known != NULL &&
			rules->known[rules->column[i]].values != NULL)
			show_known(&rules->known[rules->column[i]], from, to, rows);
		else
			gs_decode(rules->decoder[i], batch, from, to, rows);
	}
	for (int i = 0; i < rules->ncopies; i++)
		for (int row = from; row < to; row++)
			rules->copies[i].flag[row - from] =
				batch->code[rules->copies[i].feature][row] == 1;
	MemoryContextSwitchTo(old);
}

static void
copy_values(GsRules *rules, int row)
{
	TupleTableSlot *slot = rules->slot;

	for (int i = 0; i < rules->ncopies; i++)
	{
		const Copy *copy = &rules->copies[i];
		int			to = rules->column[copy->to];
		int			from = rules->column[copy->from];

		if (!copy->idle && copy->flag[row] && !slot->tts_isnull[to] &&
			!slot->tts_isnull[from])
			slot->tts_values[to] = slot->tts_values[from];
	}
}

/*
 * Shows a decoded row to the conditions, with the columns that they set.  A
 * value that comes out NULL is not set.  Returns false where one is unlike
 * those that its column has.
 */
static bool
show_row(GsRules *rules, int row)
{
	TupleTableSlot *slot = rules->slot;
	Datum	   *values = rules->values + row * rules->ncolumns;
	bool	   *nulls = rules->nulls + row * rules->ncolumns;
	bool		within = true;

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

		rules->at = i % rules->nrules;
		if (rules->at == 0 && i > 0)
			copy_values(rules, row);
		if (rule->value == NULL)
			continue;
		c = rules->column[rule->sets];
		value = ExecEvalExprSwitchContext(rule->value, rules->econtext,
										  &isnull);
		if (isnull || slot->tts_isnull[c] ||
			(is_found(rule) && !gs_bounds_finite(&rule->bounds,
												 slot->tts_values[c])))
			continue;
		slot->tts_values[c] = value;
		if (i >= rules->nrules * (rules->passes - 1))
			within &= !gs_bounds_exceeded(&rule->bounds, value);
	}
	copy_values(rules, row);
	return within;
}

/* What is done to the rows of a batch, from one error to the next. */
typedef struct RowWork
{
	GsRules    *rules;
	int			row;			/* the next, or the one that raised an error */
	int			end;
	bool	   *refused;		/* of find_refused */
	int			column;			/* of gs_rules_set: what it sets, and where */
	int16		len;
	bool		byval;
	GsRows		to;
	MemoryContext context;
} RowWork;

static void
look_at_rows(void *arg)
{
	RowWork    *work = arg;
	GsRules    *rules = work->rules;

	for (; work->row < work->end; work->row++)
	{
		bool	   *refused = &work->refused[work->row];

		*refused = false;
		rules->beyond[work->row] = !show_row(rules, work->row);
		for (int r = 0; r < rules->nrules && (!*refused || rules->thorough);
			 r++)
		{
			rules->at = r;
			if (rules->rules[r].idle || is_found(&rules->rules[r]) ||
				ExecCheck(rules->rules[r].state, rules->econtext))
				continue;
			*refused = true;
			rules->rules[r].refused++;
		}
		rules->beyond[work->row] &= !*refused && rules->bounded;
		*refused |= rules->beyond[work->row];
		ResetExprContext(rules->econtext);
	}
}

static void
find_refused_rows(RowWork *work)
{
	GsRules    *rules = work->rules;
	int			level = gs_fix_styles();

	while (!gs_condition_try(look_at_rows, work, &rules->error))
	{
		rules->beyond[work->row] = false;
		work->refused[work->row++] = true;
		rules->rules[rules->at].refused++;
		rules->raised_by = rules->at;
		ResetExprContext(rules->econtext);
	}
	gs_end_settings(level);
}

/*
 * Which rows of a batch fail a condition.  Returns how many.
 */
static int
find_refused(GsRules *rules, const GsBatch *batch, bool *refused)
{
	RowWork		work = {.rules = rules,.end = rules->n,.refused = refused};
	int			count = 0;

	decode_columns(rules, batch, 0, rules->n);
	memset(refused + rules->n, false, GS_BATCH - rules->n);
	find_refused_rows(&work);
	for (int row = 0; row < rules->n; row++)
		count += refused[row];
	rules->stats.tries += rules->n;
	return count;
}

/*
 * gs_rules_look: which rows of a filled batch fail a condition.
 *
 * refused: [GS_BATCH], filled.  Returns how many do.
 */
int
gs_rules_look(GsRules *rules, const GsBatch *batch, bool *refused)
{
	return find_refused(rules, batch, refused);
}

/*
 * gs_rules_sets: whether conditions set a column (from 0) of the model.
 */
bool
gs_rules_sets(const GsRules *rules, int column)
{
	int			place = place_of(rules, column);

	for (int i = 0; i < rules->ncopies; i++)
		if (!rules->copies[i].idle && rules->copies[i].to == place)
			return true;
	return place >= 0 && sets_by_value(rules, place);
}

static void
take_value(RowWork *work)
{
	const GsRules *rules = work->rules;
	int			i = work->row * work->to.stride;
	MemoryContext old = MemoryContextSwitchTo(work->context);

	work->to.nulls[i] = rules->slot->tts_isnull[work->column];
	work->to.values[i] = work->to.nulls[i] ? (Datum) 0 :
		gs_datum_copy(rules->slot->tts_values[work->column], work->byval,
					  work->len);
	MemoryContextSwitchTo(old);
	ResetExprContext(rules->econtext);
}

static void
set_rows(void *arg)
{
	RowWork    *work = arg;

	for (; work->row < work->end; work->row++)
	{
		(void) show_row(work->rules, work->row);
		take_value(work);
	}
}

static void
set_all_rows(RowWork *work)
{
	int			level = gs_fix_styles();

	/* where a value cannot be had, the row keeps its own */
	while (!gs_condition_try(set_rows, work, &work->rules->error))
	{
		take_value(work);
		work->row++;
	}
	gs_end_settings(level);
}

/*
 * gs_rules_set: a column as conditions set it, of the rows from to to - 1 of
 * a batch; see gs_decode.
 */
void
gs_rules_set(GsRules *rules, const GsBatch *batch, int column, int from,
			 int to, GsRows rows)
{
	RowWork		work = {.rules = rules,.end = to - from,.column = column,
	.to = rows,.context = CurrentMemoryContext};

	get_typlenbyval(rules->sampler->schema->columns[column].type, &work.len,
					&work.byval);
	decode_columns(rules, batch, from, to);
	set_all_rows(&work);
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
			 errmsg("could not make rows that meet %s",
					gs_constraint_title(worst->constraint)),
			 rules->raised_by != worst - rules->rules ?
			 errdetail("Of " INT64_FORMAT " rows, " INT64_FORMAT " were refused by it.",
					   rules->stats.tries, worst->refused) :
			 errdetail("Of " INT64_FORMAT " rows, " INT64_FORMAT " were refused by it, for the last time with the error \"%s\".",
					   rules->stats.tries, worst->refused, rules->error.data),
			 errhint("Fit again with option \"on_violation\" set to \"drop\" or \"ignore\", or leave out the columns that it is about.")));
}

static void
make_rows(void *arg, GsBatch *spare, bool *refused)
{
	GsRules    *rules = arg;

	gs_batch_fill(rules->sampler, spare, spare->first / GS_BATCH);
	find_refused(rules, spare, refused);
}

/*
 * Keeps the rows of a batch that were refused for what was set alone.
 * Returns how many refused ones are left.
 */
static int
keep_beyond(GsRules *rules, int left, const bool *beyond)
{
	for (int row = 0; row < GS_BATCH; row++)
	{
		left -= rules->refused[row] && beyond[row];
		rules->refused[row] &= !beyond[row];
	}
	return left;
}

/*
 * gs_rules_apply: replaces the rows of a filled batch that fail a condition.
 *
 * batch: one that gs_rules_attach prepared.  Returns NULL, or, where not all
 * could be replaced and the model says to drop them, [GS_BATCH] those that
 * are to be dropped.  Errors: check_violation.
 */
const bool *
gs_rules_apply(GsRules *rules, GsBatch *batch)
{
	bool		beyond[GS_BATCH];
	int			left;

	/* the rows are their own until they are replaced */
	for (int row = 0; row < GS_BATCH; row++)
		batch->origin[row] = (GsOrigin) {batch->key, gs_batch_row(batch, row)};
	rules->bounded = true;
	left = find_refused(rules, batch, rules->refused);
	memcpy(beyond, rules->beyond, sizeof(beyond));
	rules->stats.rows += GS_BATCH;
	left = gs_batch_retry(batch, rules->spare, rules->refused, left,
						  batch->key, 1, BOUNDED_BATCHES - 1, make_rows,
						  rules);
	rules->bounded = false;
	left = keep_beyond(rules, left, beyond);
	left = gs_batch_retry(batch, rules->spare, rules->refused, left,
						  batch->key, BOUNDED_BATCHES, GS_MAX_RETRIES,
						  make_rows, rules);
	if (left == 0 || rules->model->version->on_violation == GS_VIOLATION_IGNORE)
		return NULL;
	if (rules->model->version->on_violation == GS_VIOLATION_ERROR)
		report_unmet(rules);
	return rules->refused;
}

/*
 * gs_rules_trial: makes batches of a model's rows, each as it comes, and asks
 * all conditions of every row, for gs_rules_refused to tell.  Returns how many
 * rows meet all of them.  To be called once, and no row made after it.
 */
int64
gs_rules_trial(GsRules *rules, int nbatches)
{
	GsSampler  *sampler = rules->sampler;
	bool	   *needed = palloc0(Max(sampler->schema->nfeatures, 1));
	int64		met = 0;
	GsBatch    *batch;

	gs_rules_need(rules, needed);
	batch = gs_batch_create(sampler, 0, needed);
	rules->thorough = true;
	for (int b = 0; b < nbatches; b++)
	{
		CHECK_FOR_INTERRUPTS();
		gs_batch_fill(sampler, batch, b);
		met += GS_BATCH - find_refused(rules, batch, rules->refused);
	}
	return met;
}

/*
 * gs_rules_refused: how many rows a condition of the model has refused.
 */
int64
gs_rules_refused(const GsRules *rules, const GsConstraint *constraint)
{
	int64		refused = 0;

	for (int r = 0; r < rules->nrules; r++)
		if (rules->rules[r].constraint == constraint)
			refused += rules->rules[r].refused;
	return refused;
}

/*
 * gs_rules_stats: what became of the rows so far.
 */
GsRuleStats
gs_rules_stats(const GsRules *rules)
{
	return rules->stats;
}
