/*
 * rules.c
 *	  The conditions of a sampler: which may fail, and which columns they set.
 *
 * A condition that no value of its only column can fail is not tried again
 * for each row.  One that says what a column is equal to (a total and its
 * parts) sets the column.  rules_rows.c does what is decided here.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"

#include "compat.h"
#include "column/store.h"
#include "constraint/certain.h"
#include "constraint/condition.h"
#include "constraint/equation.h"
#include "constraint/rules_internal.h"

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
	GsRule	   *rule;

	pull_varattnos((Node *) expr, 1, &attributes);
	while ((only = bms_next_member(attributes, only)) >= 0)
		columns = bms_add_member(columns, only - 1 +
								 FirstLowInvalidHeapAttributeNumber);
	ExecStoreAllNullTuple(rules->slot);
	if (bms_get_singleton_member(columns, &only) &&
		gs_condition_is_certain(rules->sampler->schema, expr, state,
								rules->econtext, only, &rules->error))
		return;
	rules->rules = rules->rules == NULL ? palloc(sizeof(GsRule)) :
		repalloc(rules->rules, sizeof(GsRule) * (rules->nrules + 1));
	rule = &rules->rules[rules->nrules++];
	memset(rule, 0, sizeof(GsRule));
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

/*
 * Whether two rules are the same equation, found in the data, for one column
 * first and then for another.
 */
static bool
follows(const GsRule *before, const GsRule *rule)
{
	return gs_rule_is_found(before) && gs_rule_is_found(rule) &&
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
		const GsRule *before = &rules->rules[q];

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
		GsRuleCopy	   *copy = &rules->copies[i];

		copy->idle = bms_is_member(rules->column[copy->to], known) ||
			!sets_by_value(rules, copy->from);
		/* other equations may ask for it */
		rules->passes += !copy->idle;
	}
}

/*
 * The columns of a rule that are drawn, and that none before it sets.
 */
static Bitmapset *
free_columns(const GsRules *rules, int r, int nbefore, const Bitmapset *known)
{
	Bitmapset  *columns = bms_difference(rules->rules[r].columns, known);

	for (int q = 0; q < nbefore; q++)
		if (rules->rules[q].value != NULL)
			columns = bms_del_member(columns,
									 rules->column[rules->rules[q].sets]);
	return columns;
}

/*
 * Puts in place r the first of the rules from there on that leave one column
 * open: those of more may then be told by it.
 */
static void
bring_forward(GsRules *rules, int r, const Bitmapset *known)
{
	int			best = r;
	GsRule		rule;

	for (int q = r; q < rules->nrules; q++)
		if (bms_num_members(free_columns(rules, q, r, known)) == 1)
		{
			best = q;
			break;
		}
	rule = rules->rules[best];
	memmove(&rules->rules[r + 1], &rules->rules[r],
			sizeof(GsRule) * (best - r));
	rules->rules[r] = rule;
}

/*
 * What a rule sets where some of its columns are known: the one that has most
 * values, of those that what is around them can be undone of.
 */
static Expr *
invert_rule(const GsRules *rules, const GsRule *rule, const Bitmapset *barred,
			int *column)
{
	const GsSchema *schema = rules->sampler->schema;
	Expr	   *best = NULL;
	int			most = -1;
	int			c = -1;

	while ((c = bms_next_member(rule->columns, c)) >= 0)
	{
		const GsFeature *feature;
		int			n;
		Expr	   *value;

		if (bms_is_member(c, barred))
			continue;
		feature = &schema->features[schema->columns[c].feature[0]];
		n = feature->kind == GS_FEATURE_NUMBER ? feature->quantile.nsegments :
			feature->nlevels;
		if (n <= most ||
			(value = gs_equation_invert(schema, rule->expr, c)) == NULL)
			continue;
		best = value;
		most = n;
		*column = c;
	}
	return best;
}

/*
 * Decides what a rule sets, those before it having been decided.
 */
static void
choose_column(GsRules *rules, int r, const Bitmapset *known)
{
	GsRule	   *rule = &rules->rules[r];
	Bitmapset  *barred = barred_columns(rules, r, known);
	int			column;
	Expr	   *value = gs_equation_solve(rules->sampler->schema, rule->expr,
										  barred, &column);

	rule->value = NULL;
	rule->inverted = value == NULL && rules->known != NULL;
	rule->loose = rules->known == NULL ||
		bms_num_members(free_columns(rules, r, r, known)) > 1;
	if (rule->inverted)
		value = invert_rule(rules, rule, barred, &column);
	if (value == NULL)
		return;
	rule->sets = place_of(rules, column);
	rule->value = ExecInitExpr(expression_planner(value), NULL);
	rule->from = bms_del_member(bms_copy(rule->columns), column);
	for (int q = 0; q < r; q++)
	{
		const GsRule *before = &rules->rules[q];

		if (before->value == NULL)
			continue;
		if (bms_is_member(rules->column[before->sets], rule->from))
			rule->from = bms_add_members(rule->from, before->from);
		/* it sets what one before it asks for */
		rules->passes += bms_is_member(column, before->columns) &&
			!follows(before, rule);
	}
	gs_bounds_init(&rule->bounds, &rules->sampler->schema->columns[column],
				   rules->decoder[rule->sets]);
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
		if (rules->known != NULL)
			bring_forward(rules, r, known);
		choose_column(rules, r, known);
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

	rules->copies = palloc(sizeof(GsRuleCopy) * Max(bms_num_members(equal), 1));
	while ((c = bms_next_member(equal, c)) >= 0)
		rules->copies[rules->ncopies++] = (GsRuleCopy)
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
		GsRule	   *rule = &rules->rules[r];
		int			c = -1;

		rule->idle = true;
		while ((c = bms_next_member(rule->columns, c)) >= 0)
			rule->idle &= known[c].values != NULL;
	}
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
