/*
 * decide.c
 *	  How each constraint of a source is met.
 *
 *	 construction	every row that is made meets it, or is changed so that it does
 *	 rejection		rows that do not are made again: rules.c, or the domain's
 *					decoder, or what fills a table
 *	 database		left to the table that takes the rows: what a model cannot
 *					carry (condition.c), and the CHECKs of domains
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "nodes/primnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"

#include "constraint/condition.h"
#include "constraint/decide.h"
#include "constraint/equation.h"

static bool
has_columns(const GsSchema *schema, List *names)
{
	ListCell   *cell;

	foreach(cell, names)
		if (gs_schema_column(schema, lfirst(cell)) < 0)
			return false;
	return true;
}

/*
 * How a condition that a model can carry is met.
 */
static GsMet
decide_condition(const GsConstraint *constraint, const GsSchema *schema)
{
	Expr	   *expr;
	int			column;
	ListCell   *cell;

	/* a row that is made again has the same keys */
	foreach(cell, constraint->columns)
		if (schema->columns[gs_schema_column(schema, lfirst(cell))].key != NULL)
			return GS_MET_DATABASE;
	expr = gs_condition_load(constraint->expression, schema, NULL);
	foreach(cell, gs_equation_parts(schema, expr))
		if (gs_equation_solve(schema, lfirst(cell), NULL, &column) == NULL)
			return GS_MET_REJECTION;
	return GS_MET_CONSTRUCTION;
}

/*
 * The same of one of the source: sets its expression to what is stored, NULL
 * if a model cannot carry it.
 */
static GsMet
decide_check(GsConstraint *constraint, const GsSchema *schema)
{
	constraint->expression = gs_condition_store_safely(constraint->expression,
													   schema);
	return constraint->expression == NULL ? GS_MET_DATABASE :
		decide_condition(constraint, schema);
}

/*
 * A generated column is computed by the table that takes the rows; rows that
 * are sampled have what it would be, if that can be told from what was
 * learned.  The definition does not show that its result is cast to the
 * column's type.
 */
static void
give_value(GsConstraint *constraint, const GsSchema *schema)
{
	if (constraint->kind == GS_CONSTRAINT_GENERATED &&
		has_columns(schema, constraint->columns))
	{
		const GsColumn *column =
			&schema->columns[gs_schema_column(schema, linitial(constraint->columns))];

		constraint->expression = psprintf("%s = (%s)::%s",
										  quote_identifier(column->name),
										  constraint->definition,
										  column->base_name);
	}
}

static GsMet
decide(GsConstraint *constraint, const GsSchema *schema)
{
	if (!has_columns(schema, constraint->columns))
		constraint->expression = NULL;
	if (!has_columns(schema, constraint->columns) ||
		constraint->kind == GS_CONSTRAINT_IDENTITY || constraint->kind == GS_CONSTRAINT_SERIAL ||
		constraint->kind == GS_CONSTRAINT_DOMAIN)
		return GS_MET_DATABASE;
	if (constraint->expression != NULL)
		return decide_check(constraint, schema);
	if ((constraint->kind == GS_CONSTRAINT_PRIMARY_KEY ||
		 constraint->kind == GS_CONSTRAINT_UNIQUE) && list_length(constraint->columns) == 1 &&
		schema->columns[gs_schema_column(schema, linitial(constraint->columns))].key != NULL)
		return GS_MET_CONSTRUCTION;
	if (constraint->kind == GS_CONSTRAINT_PRIMARY_KEY || constraint->kind == GS_CONSTRAINT_UNIQUE ||
		constraint->kind == GS_CONSTRAINT_EXCLUSION)
		return GS_MET_REJECTION;
	return GS_MET_CONSTRUCTION;
}

static List *
column_names(const GsSchema *schema, const Bitmapset *columns)
{
	List	   *names = NIL;
	int			c = -1;

	while ((c = bms_next_member(columns, c)) >= 0)
		names = lappend(names, schema->columns[c].name);
	return names;
}

/*
 * Whether a condition of the source's, or the user's, that is met by
 * construction is about all of some columns.
 */
static bool
is_covered(List *constraints, const Bitmapset *columns,
		   const GsSchema *schema)
{
	ListCell   *cell;

	foreach(cell, constraints)
	{
		const GsConstraint *constraint = lfirst(cell);
		Bitmapset  *own;

		if (constraint->expression == NULL ||
			constraint->met != GS_MET_CONSTRUCTION ||
			constraint->kind == GS_CONSTRAINT_FOUND)
			continue;
		(void) gs_condition_load(constraint->expression, schema, &own);
		if (bms_is_subset(columns, own))
			return true;
	}
	return false;
}

/*
 * Whether a condition of the source's, or the user's, that rows are made again
 * for is about two columns alone, as their order is.
 */
static bool
is_declared(List *constraints, const Bitmapset *columns,
			const GsSchema *schema)
{
	ListCell   *cell;

	foreach(cell, constraints)
	{
		const GsConstraint *constraint = lfirst(cell);
		ListCell   *part;

		if (constraint->expression == NULL ||
			constraint->met != GS_MET_REJECTION ||
			constraint->kind == GS_CONSTRAINT_FOUND)
			continue;
		foreach(part, gs_equation_parts(schema,
										gs_condition_load(constraint->expression,
														  schema, NULL)))
		{
			Node	   *expr = lfirst(part);
			Bitmapset  *own = NULL;
			int			c = -1;
			int			n = 0;

			if (!IsA(expr, OpExpr))
				continue;
			pull_varattnos(expr, 1, &own);
			while ((c = bms_next_member(own, c)) >= 0)
				n += bms_is_member(c - 1 + FirstLowInvalidHeapAttributeNumber,
								   columns);
			if (n == 2 && bms_num_members(own) == 2)
				return true;
		}
	}
	return false;
}

/*
 * Adds an equation, or an order, that was found in the data, unless the source declares it,
 * or nothing can be computed from it.
 */
static List *
add_formula(List *constraints, const GsFormula *formula,
			const GsSchema *schema)
{
	GsConstraint *constraint = palloc0(sizeof(GsConstraint));
	Bitmapset  *columns;

	constraint->kind = GS_CONSTRAINT_FOUND;
	constraint->definition = formula->definition;
	constraint->expression = gs_condition_store_safely(formula->condition,
													   schema);
	if (constraint->expression == NULL)
		return constraints;
	(void) gs_condition_load(constraint->expression, schema, &columns);
	constraint->columns = column_names(schema, columns);
	constraint->met = decide_condition(constraint, schema);
	if (formula->order ? constraint->met != GS_MET_REJECTION ||
		is_declared(constraints, columns, schema) :
		constraint->met != GS_MET_CONSTRUCTION ||
		is_covered(constraints, columns, schema))
		return constraints;
	return lappend(constraints, constraint);
}

/*
 * Marks the columns that a condition, if there is one, says the values of.
 */
static void
mark_equated(const char *condition, const GsSchema *schema)
{
	char	   *stored = condition == NULL ? NULL :
		gs_condition_store_safely(condition, schema);
	Bitmapset  *columns;
	Expr	   *expr;
	int			column;
	ListCell   *cell;

	if (stored == NULL)
		return;
	expr = gs_condition_load(stored, schema, &columns);
	foreach(cell, gs_equation_parts(schema, expr))
	{
		int			c = -1;

		if (gs_equation_solve(schema, lfirst(cell), NULL, &column) == NULL)
			continue;
		schema->columns[column].equated = true;
		/* what it is computed from is not equal to it by accident */
		while ((c = bms_next_member(columns, c)) >= 0)
			if (schema->columns[c].equal == column + 1)
				schema->columns[c].equal = 0;
	}
}

/*
 * gs_constraints_mark: marks the columns that conditions set, before they are
 * learned.
 *
 * constraints, conditions, formulas: as gs_constraints_decide; schema: its
 * columns, which have no features yet
 */
void
gs_constraints_mark(List *constraints, List *conditions,
					List *formulas, const GsSchema *schema)
{
	ListCell   *cell;

	foreach(cell, constraints)
	{
		GsConstraint constraint = *(GsConstraint *) lfirst(cell);

		give_value(&constraint, schema);
		if (!has_columns(schema, constraint.columns))
			continue;
		mark_equated(constraint.expression, schema);
		/* its numbers say nothing of other columns */
		if (constraint.kind == GS_CONSTRAINT_SERIAL)
			schema->columns[gs_schema_column(schema, linitial(constraint.columns))].equated = true;
	}
	foreach(cell, conditions)
		mark_equated(lfirst(cell), schema);
	foreach(cell, formulas)
		mark_equated(((const GsFormula *) lfirst(cell))->condition, schema);
}

/*
 * gs_constraints_decide: sets how each constraint is met, and adds the
 * conditions (C strings) that the user has asked for, and the formulas
 * (GsFormula) that were found, all in the current context.
 *
 * schema: its columns are known.  Errors: those of gs_condition_store for the
 * user's conditions.
 */
List *
gs_constraints_decide(List *constraints, List *conditions,
					  List *formulas, const GsSchema *schema)
{
	ListCell   *cell;

	foreach(cell, constraints)
	{
		GsConstraint *constraint = lfirst(cell);

		give_value(constraint, schema);
		constraint->met = decide(constraint, schema);
	}
	foreach(cell, conditions)
	{
		GsConstraint *constraint = palloc0(sizeof(GsConstraint));
		Bitmapset  *columns;
		int			c = -1;

		constraint->kind = GS_CONSTRAINT_USER;
		constraint->definition = lfirst(cell);
		constraint->expression = gs_condition_store(lfirst(cell), schema,
													&columns);
		while ((c = bms_next_member(columns, c)) >= 0)
			if (schema->columns[c].key != NULL)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("a condition cannot be about column \"%s\", which is a key",
								schema->columns[c].name),
						 errhint("Keys follow from the rows' numbers: choose rows by start and n.")));
		constraint->columns = column_names(schema, columns);
		constraint->met = decide_condition(constraint, schema);
		constraints = lappend(constraints, constraint);
	}
	foreach(cell, formulas)
		constraints = add_formula(constraints, lfirst(cell), schema);
	return constraints;
}
