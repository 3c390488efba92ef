/*
 * rules_rows.c
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
 * Where a condition sets a column (see rules.c) to what is beyond the values
 * that the column has, the row is made again, but kept if there is no better
 * one soon.  So it is with orders of columns that were found in the data;
 * for equations that were, no row is refused.  Rows that are known in part
 * have few drafts to choose from: rules_settle.c moves their values.
 *
 * Expressions run as whoever samples: condition.c sees to it that there is
 * nothing in them that could do harm, or depend on who that is.  A condition
 * that raises an error is not met.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "codec/datum.h"
#include "codec/styles.h"
#include "constraint/condition.h"
#include "constraint/rules_internal.h"

/* Batches made for rows in which only what was set is unlike the column. */
#define BOUNDED_BATCHES	8
/* ... and for rows that are known in part, before values are moved. */
#define KNOWN_BATCHES	64

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
 * gs_rules_decode: decodes the columns that conditions are about: the rows from
 * to to - 1 of a batch, into the first places of values.
 */
void
gs_rules_decode(GsRules *rules, const GsBatch *batch, int from, int to)
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
		const GsRuleCopy *copy = &rules->copies[i];
		int			to = rules->column[copy->to];
		int			from = rules->column[copy->from];

		if (!copy->idle && copy->flag[row] && !slot->tts_isnull[to] &&
			!slot->tts_isnull[from])
			slot->tts_values[to] = slot->tts_values[from];
	}
}

/*
 * Sets what a rule sets in the row at hand.  Returns false where it is unlike
 * what the column has, or does not do.
 */
static bool
set_value(GsRules *rules, const GsRule *rule)
{
	TupleTableSlot *slot = rules->slot;
	int			c = rules->column[rule->sets];
	bool		isnull;
	Datum		value;

	if (slot->tts_isnull[c] ||
		(rule->inverted && ExecCheck(rule->state, rules->econtext)))
		return true;
	value = ExecEvalExprSwitchContext(rule->value, rules->econtext, &isnull);
	if (isnull || (gs_rule_is_found(rule) &&
				   !gs_bounds_finite(&rule->bounds, slot->tts_values[c])))
		return true;
	slot->tts_values[c] = value;
	return !rule->loose || (!gs_bounds_exceeded(&rule->bounds, value) &&
							 (!rule->inverted ||
							  ExecCheck(rule->state, rules->econtext)));
}

/*
 * gs_rules_show_row: shows a decoded row to the conditions, with the columns
 * that they set.  A value that comes out NULL is not set.  Returns false where
 * one is unlike those that its column has.
 */
bool
gs_rules_show_row(GsRules *rules, int row)
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
		const GsRule *rule = &rules->rules[i % rules->nrules];
		bool		fits;

		rules->at = i % rules->nrules;
		if (rules->at == 0 && i > 0)
			copy_values(rules, row);
		fits = rule->value == NULL || set_value(rules, rule);
		if (i >= rules->nrules * (rules->passes - 1))
			within &= fits;
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
		bool		unordered = false;

		*refused = false;
		rules->beyond[work->row] = !gs_rules_show_row(rules, work->row);
		for (int r = 0; r < rules->nrules && (!*refused || rules->thorough);
			 r++)
		{
			const GsRule *rule = &rules->rules[r];

			rules->at = r;
			if (rule->idle || (gs_rule_is_found(rule) && !gs_rule_is_order(rule)) ||
				ExecCheck(rule->state, rules->econtext))
				continue;
			rules->rules[r].refused++;
			if (!gs_rule_is_found(rule))
				*refused = true;
			else if (rules->strict)
				unordered = true;
			else
				rules->beyond[work->row] = true;
		}
		*refused |= unordered;
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
		/* known columns may be an exception from what was found */
		work->refused[work->row++] = rules->known == NULL ||
			!gs_rule_is_found(&rules->rules[rules->at]);
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

	gs_rules_decode(rules, batch, 0, rules->n);
	memset(refused + rules->n, false, GS_BATCH - rules->n);
	find_refused_rows(&work);
	for (int row = 0; row < rules->n; row++)
		count += refused[row];
	rules->stats.tries += rules->n;
	return count;
}

/*
 * gs_rules_look: which rows of a filled batch fail a condition, or an order
 * that was found.
 *
 * refused: [GS_BATCH], filled.  Returns how many do.
 */
int
gs_rules_look(GsRules *rules, const GsBatch *batch, bool *refused)
{
	rules->strict = true;
	return find_refused(rules, batch, refused);
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
		(void) gs_rules_show_row(work->rules, work->row);
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
	gs_rules_decode(rules, batch, from, to);
	if (rules->moved != NULL)
		gs_rules_show_settled(rules, from, to);
	set_all_rows(&work);
}

static void
report_unmet(const GsRules *rules)
{
	const GsRule *worst = NULL;

	/* for what was found, no row is left out */
	for (int r = 0; r < rules->nrules; r++)
		if (!gs_rule_is_order(&rules->rules[r]) &&
			(worst == NULL || rules->rules[r].refused > worst->refused))
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
 * Where the rows of a batch that are left find no draft that meets all, values
 * are moved.  A row that fails nothing but an order that was found may be an
 * exception.  Returns how many are left.
 */
static int
settle(GsRules *rules, GsBatch *batch, int left)
{
	bool		refused[GS_BATCH];

	left = gs_batch_retry(batch, rules->spare, rules->refused, left,
						  batch->key, BOUNDED_BATCHES, KNOWN_BATCHES,
						  make_rows, rules);
	left = gs_rules_settle_rows(rules, batch, left);
	rules->strict = false;
	if (left == 0)
		return 0;
	(void) find_refused(rules, batch, refused);
	left = 0;
	for (int row = 0; row < GS_BATCH; row++)
	{
		rules->refused[row] &= refused[row];
		left += rules->refused[row];
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
	bool		settles = rules->moved != NULL;
	bool		beyond[GS_BATCH];
	int			left;

	/* the rows are their own until they are replaced */
	for (int row = 0; row < GS_BATCH; row++)
		batch->origin[row] = (GsOrigin) {batch->key, gs_batch_row(batch, row)};
	rules->bounded = true;
	rules->strict = settles;
	left = find_refused(rules, batch, rules->refused);
	memcpy(beyond, rules->beyond, sizeof(beyond));
	rules->stats.rows += GS_BATCH;
	left = gs_batch_retry(batch, rules->spare, rules->refused, left,
						  batch->key, 1, BOUNDED_BATCHES - 1, make_rows,
						  rules);
	rules->bounded = false;
	left = keep_beyond(rules, left, beyond);
	if (settles)
		left = settle(rules, batch, left);
	left = gs_batch_retry(batch, rules->spare, rules->refused, left,
						  batch->key, settles ? KNOWN_BATCHES + 1 :
						  BOUNDED_BATCHES, GS_MAX_RETRIES, make_rows, rules);
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
