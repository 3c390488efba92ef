/*
 * private_check.c
 *	  What CHECK constraints say of a column's values: ends, or all there are.
 *
 * They are read as expressions: comparisons of the column with constants.  No
 * function of a CHECK is run: somebody else may have written it.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/stratnum.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "codec/domain.h"
#include "compat.h"
#include "fit/private.h"

/* What expressions about one column are read for. */
typedef struct Reading
{
	const GsColumn *column;
	AttrNumber	attnum;			/* in the relation; 0: a domain's value */
	GsPublic   *public;
} Reading;

/*
 * gs_check_strip: a node without what makes another type of it, where that
 * keeps the value.
 */
Node *
gs_check_strip(Node *node)
{
	for (;;)
	{
		if (node != NULL && IsA(node, RelabelType))
			node = (Node *) ((RelabelType *) node)->arg;
		else if (node != NULL && IsA(node, FuncExpr) &&
				 ((FuncExpr *) node)->funcformat == COERCE_IMPLICIT_CAST)
			node = linitial(((FuncExpr *) node)->args);
		else
			return node;
	}
}

static bool
is_column(const Reading *reading, Node *node)
{
	node = gs_check_strip(node);
	if (node == NULL)
		return false;
	if (reading->attnum == 0)
		return IsA(node, CoerceToDomainValue);
	return IsA(node, Var) && ((Var *) node)->varattno == reading->attnum;
}

static bool
is_number_type(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == NUMERICOID || type == FLOAT4OID || type == FLOAT8OID;
}

static bool
is_string_type(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == BPCHAROID ||
		type == NAMEOID;
}

/*
 * gs_public_number: a number, as it is written, as a value of a column of numbers; *between: it
 * is none, and the nearest below is given.  False if it is beyond the type.
 */
bool
gs_public_number(const GsColumn *column, char *text, Datum *value, bool *between)
{
	double		number = strtod(text, NULL);
	const GsPartKind *part = &column->codec.part[0];

	*between = false;
	switch (column->codec.type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			if (!(floor(number) >= (double) part->min) ||
				!(floor(number) < (double) part->max))
				return false;
			*between = floor(number) != number;
			*value = column->codec.kind->datum((GsScalar)
											   {.i = (int64) floor(number)});
			return true;
		case FLOAT4OID:
			if (!(fabs(number) <= FLT_MAX))
				return false;
			*value = Float4GetDatum((float4) number);
			return true;
		case FLOAT8OID:
			if (!isfinite(number))
				return false;
			*value = Float8GetDatum(number);
			return true;
		case NUMERICOID:
			if (!isfinite(number))
				return false;
			*value = DirectFunctionCall3(numeric_in, CStringGetDatum(text),
										 ObjectIdGetDatum(InvalidOid),
										 Int32GetDatum(-1));
			return true;
		default:
			return false;
	}
}

/*
 * A constant as a value of a column.  False if it is not of its kind.
 */
static bool
constant_value(const GsColumn *column, Node *node, Datum *value,
			   bool *between)
{
	const Const *constant = (const Const *) gs_check_strip(node);
	Oid			output;
	bool		varlena;
	char	   *text;

	*between = false;
	if (constant == NULL || !IsA(constant, Const) || constant->constisnull)
		return false;
	if (constant->consttype == column->codec.type)
	{
		*value = constant->constvalue;
		return true;
	}
	if (!is_number_type(constant->consttype) &&
		!is_string_type(constant->consttype))
		return false;
	getTypeOutputInfo(constant->consttype, &output, &varlena);
	text = OidOutputFunctionCall(output, constant->constvalue);
	if (is_number_type(constant->consttype))
		return gs_public_number(column, text, value, between);
	if (!is_string_type(column->codec.type))
		return false;
	*value = InputFunctionCall((FmgrInfo *) &column->codec.input, text,
							   column->codec.ioparam, -1);
	return true;
}

/*
 * gs_check_meaning: what an operator means to the order of its arguments'
 * type: a strategy of B-trees; 0: nothing.
 */
int
gs_check_meaning(Oid operator)
{
	ListCell   *cell;

	foreach(cell, gs_comparisons(operator))
		if (gs_comparison(cell) >= BTLessStrategyNumber &&
			gs_comparison(cell) <= BTGreaterStrategyNumber)
			return gs_comparison(cell);
	return 0;
}

/*
 * Adds a value to a list of those that a column may have.
 */
static bool
add_value(const GsColumn *column, Node *node, List **values)
{
	Datum	   *value = palloc(sizeof(Datum));
	bool		between;

	if (!constant_value(column, node, value, &between) || between)
		return false;
	*values = lappend(*values, value);
	return true;
}

/*
 * The values that a condition says are all there are: x = a, x IN (a, b), or
 * several of them joined by OR.  False if it says something else.
 */
static bool
read_list(const Reading *reading, Node *node, List **values)
{
	ListCell   *cell;

	node = gs_check_strip(node);
	if (is_orclause(node))
	{
		foreach(cell, ((BoolExpr *) node)->args)
			if (!read_list(reading, lfirst(cell), values))
				return false;
		return true;
	}
	if (node != NULL && IsA(node, NullTest))
		return ((NullTest *) node)->nulltesttype == IS_NULL &&
			is_column(reading, (Node *) ((NullTest *) node)->arg);
	if (node != NULL && IsA(node, OpExpr))
	{
		List	   *args = ((OpExpr *) node)->args;

		return list_length(args) == 2 &&
			gs_check_meaning(((OpExpr *) node)->opno) == BTEqualStrategyNumber &&
			((is_column(reading, linitial(args)) &&
			  add_value(reading->column, lsecond(args), values)) ||
			 (is_column(reading, lsecond(args)) &&
			  add_value(reading->column, linitial(args), values)));
	}
	if (node != NULL && IsA(node, ScalarArrayOpExpr))
	{
		ScalarArrayOpExpr *any = (ScalarArrayOpExpr *) node;
		Node	   *array = gs_check_strip(lsecond(any->args));

		if (array != NULL && IsA(array, ArrayCoerceExpr))
			array = gs_check_strip((Node *) ((ArrayCoerceExpr *) array)->arg);
		if (!any->useOr || !is_column(reading, linitial(any->args)) ||
			gs_check_meaning(any->opno) != BTEqualStrategyNumber ||
			array == NULL || !IsA(array, ArrayExpr))
			return false;
		foreach(cell, ((ArrayExpr *) array)->elements)
			if (!add_value(reading->column, lfirst(cell), values))
				return false;
		return true;
	}
	return false;
}

/*
 * A comparison of the column with a constant as an end.
 */
static void
read_end(const Reading *reading, OpExpr *op)
{
	int			strategy = gs_check_meaning(op->opno);
	bool		turned;
	Datum		value;
	bool		between;
	int			which;

	if (strategy == 0 || list_length(op->args) != 2 ||
		!gs_public_is_number(reading->column))
		return;
	turned = is_column(reading, lsecond(op->args));
	if (!is_column(reading, turned ? lsecond(op->args) : linitial(op->args)) ||
		!constant_value(reading->column, turned ? linitial(op->args) :
						lsecond(op->args), &value, &between))
		return;
	if (turned)
		strategy = BTGreaterStrategyNumber + 1 - strategy;
	for (which = 0; which < 2; which++)
	{
		bool		open = strategy == (which == 0 ? BTGreaterStrategyNumber :
										BTLessStrategyNumber);

		if (strategy == BTEqualStrategyNumber ? between :
			(strategy > BTEqualStrategyNumber) != (which == 0))
			continue;
		/* what is between two values is beyond the one below */
		if (between)
			open = which == 0;
		gs_public_move(reading->column, reading->public, which, value, open);
	}
}

/*
 * What a condition that every row meets says of the column.
 */
static void
read_condition(const Reading *reading, Node *node)
{
	List	   *values = NIL;
	ListCell   *cell;

	node = gs_check_strip(node);
	if (is_andclause(node))
	{
		foreach(cell, ((BoolExpr *) node)->args)
			read_condition(reading, lfirst(cell));
		return;
	}
	/* NULL passes anyhow */
	if (is_orclause(node) && list_length(((BoolExpr *) node)->args) == 2)
	{
		for (int i = 0; i < 2; i++)
		{
			NullTest   *test = list_nth(((BoolExpr *) node)->args, i);

			if (IsA(test, NullTest) && test->nulltesttype == IS_NULL &&
				is_column(reading, (Node *) test->arg))
			{
				read_condition(reading,
							   list_nth(((BoolExpr *) node)->args, 1 - i));
				return;
			}
		}
	}
	if (reading->public->kind == GS_PUBLIC_NOTHING &&
		reading->column->codec.nparts == 1 &&
		read_list(reading, node, &values) && values != NIL)
	{
		gs_public_levels(reading->column, reading->public, values, NULL);
		reading->public->whole = true;
	}
	else if (node != NULL && IsA(node, OpExpr))
		read_end(reading, (OpExpr *) node);
}

/*
 * gs_public_checks: what the CHECK constraints of a relation, which is open,
 * and of its column's domain say.
 */
void
gs_public_checks(Relation relation, const GsColumn *column,
				 AttrNumber attnum, GsPublic *public)
{
	Reading		reading = {column, attnum, public};
	const TupleConstr *constr = RelationGetDescr(relation)->constr;

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
		read_condition(&reading, stringToNode(constr->check[i].ccbin));
	if (gs_domain_has_checks(column->declared))
	{
		DomainConstraintRef *ref = palloc(sizeof(DomainConstraintRef));
		ListCell   *cell;

		/* the context's end lets go of it */
		InitDomainConstraintRef(column->declared, ref,
								CurrentMemoryContext, false);
		reading.attnum = 0;
		foreach(cell, ref->constraints)
		{
			const DomainConstraintState *state = lfirst(cell);

			if (state->constrainttype == DOM_CONSTRAINT_CHECK)
				read_condition(&reading, (Node *) state->check_expr);
			else
				public->nullable = false;
		}
	}
}
