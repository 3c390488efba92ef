/*
 * invert.c
 *	  Equations turned around: the one column that is not known, by the others.
 *
 * equation.c solves what is linear, exactly.  Where columns of a row are known
 * (a gross price, a total), whatever stands around the only other one is
 * undone from the outside in: gross = round(net * 1.19, 2) gives net = gross /
 * 1.19, total = price * quantity gives quantity = total / price.  What was
 * rounded away cannot be had back: the value is rounded to the column's own
 * places, and rules_rows.c looks whether the equation then holds.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "column/store.h"
#include "constraint/equation_internal.h"

static bool
is_about(Node *node, int column)
{
	Bitmapset  *columns = NULL;
	bool		about;

	pull_varattnos(node, 1, &columns);
	about = bms_is_member(column + 1 - FirstLowInvalidHeapAttributeNumber,
						  columns);
	bms_free(columns);
	return about;
}

/*
 * An expression that is NULL where it is zero.
 */
static Node *
unless_zero(Node *node)
{
	Node	   *zero = gs_equation_number(0);
	NullIfExpr *result = (NullIfExpr *) gs_equation_operation("=", node,
															  zero);
	Oid			type = exprType(linitial(result->args));

	result->xpr.type = T_NullIfExpr;
	result->opresulttype = type;
	return (Node *) result;
}

/*
 * A whole number as a numeric: its quotients are to have places.
 */
static Node *
with_places(Node *node)
{
	Oid			type = exprType(node);

	if (type != INT2OID && type != INT4OID && type != INT8OID)
		return node;
	return coerce_to_target_type(NULL, node, type, NUMERICOID, -1,
								 COERCION_EXPLICIT, COERCE_IMPLICIT_CAST, -1);
}

static Node *
call(Oid function, List *args)
{
	return (Node *) makeFuncExpr(function, get_func_rettype(function), args,
								 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

/*
 * The argument of a function that is to have a value; *value becomes what the
 * argument has then.  NULL if the function cannot be undone.
 */
static Node *
undo_function(const FuncExpr *func, Node **value)
{
	Node	   *first = func->args == NIL ? NULL : linitial(func->args);
	bool		is_double = exprType(*value) == FLOAT8OID;

	if (list_length(func->args) == 1 && !is_double)
		*value = coerce_to_target_type(NULL, *value, exprType(*value),
									   NUMERICOID, -1, COERCION_EXPLICIT,
									   COERCE_IMPLICIT_CAST, -1);
	switch (func->funcid)
	{
		case F_ROUND_NUMERIC:
		case F_ROUND_NUMERIC_INT4:
		case F_ROUND_FLOAT8:
			return first;
		case F_LN_FLOAT8:
		case F_LN_NUMERIC:
			*value = call(is_double ? F_EXP_FLOAT8 : F_EXP_NUMERIC,
						  list_make1(*value));
			return first;
		case F_LOG_FLOAT8:
		case F_LOG_NUMERIC:
			*value = gs_equation_operation("^", gs_equation_number(10),
										   *value);
			return first;
		default:
			return NULL;
	}
}

/*
 * The same of an operator, whose other argument knows nothing of the column.
 */
static Node *
undo_operator(const OpExpr *op, int column, Node **value)
{
	const char *name = get_opname(op->opno);
	Node	   *left = linitial(op->args);
	Node	   *right = list_length(op->args) == 2 ? lsecond(op->args) : NULL;
	bool		in_left = is_about(left, column);
	Node	   *other = in_left ? right : left;

	if (right == NULL)
	{
		if (strcmp(name, "-") != 0)
			return NULL;
		*value = gs_equation_operation("-", gs_equation_number(0), *value);
		return left;
	}
	if (is_about(other, column))
		return NULL;
	if (strcmp(name, "+") == 0)
		*value = gs_equation_operation("-", *value, other);
	else if (strcmp(name, "-") == 0)
		*value = in_left ? gs_equation_operation("+", *value, other) :
			gs_equation_operation("-", other, *value);
	else if (strcmp(name, "*") == 0)
		*value = gs_equation_operation("/", *value, unless_zero(other));
	else if (strcmp(name, "/") == 0)
		*value = in_left ? gs_equation_operation("*", *value, other) :
			gs_equation_operation("/", with_places(other),
								  unless_zero(*value));
	else
		return NULL;
	return in_left ? left : right;
}

/*
 * The value of a column where an expression, which it is in once, has a value.
 */
static Node *
undo(Node *node, int column, Node *value)
{
	while (node != NULL && value != NULL && !IsA(node, Var))
	{
		Node	   *inner = gs_equation_uncast(node);

		if (inner != NULL)
			node = inner;
		else if (IsA(node, FuncExpr))
			node = undo_function((FuncExpr *) node, &value);
		else if (IsA(node, OpExpr))
			node = undo_operator((OpExpr *) node, column, &value);
		else
			return NULL;
	}
	return node == NULL ? NULL : value;
}

/*
 * A value with no more places than the model's values of a column have.
 */
static Node *
round_to_places(const GsSchema *schema, int c, Node *value)
{
	const GsFeature *feature = &schema->features[schema->columns[c].feature[0]];
	int			places = gs_equation_places(schema, c);

	if (places == PG_INT16_MAX)
		places = feature->decimals;
	if (places <= 0)
		return value;			/* the cast to a whole number rounds */
	value = coerce_to_target_type(NULL, value, exprType(value), NUMERICOID,
								  -1, COERCION_EXPLICIT, COERCE_IMPLICIT_CAST,
								  -1);
	return value == NULL ? NULL :
		call(F_ROUND_NUMERIC_INT4,
			 list_make2(value, gs_equation_number(places)));
}

/*
 * gs_equation_invert: what a condition says that a column (from 0) is equal to,
 * by whatever else it is about, converted to the column's type, in the current
 * context; NULL if it does not say so.
 *
 * expr: as gs_condition_load gave it.  The condition need not hold with the
 * value, where something is rounded, and the value may be NULL.
 */
Expr *
gs_equation_invert(const GsSchema *schema, Expr *expr, int column)
{
	Node	   *node = gs_equation_core(expr);
	Node	   *within = node == NULL ? NULL : gs_equation_room(node);
	const OpExpr *op = (const OpExpr *) node;
	Node	   *side[2];
	int			at;
	Node	   *value;

	if (node == NULL || schema->columns[column].key != NULL ||
		gs_column_has_base(&schema->columns[column]))
		return NULL;
	if (within != NULL)
	{
		side[0] = within;
		side[1] = gs_equation_number(0);
	}
	else if (IsA(node, OpExpr) && list_length(op->args) == 2 &&
			 strcmp(get_opname(op->opno), "=") == 0)
	{
		side[0] = linitial(op->args);
		side[1] = lsecond(op->args);
	}
	else
		return NULL;
	at = is_about(side[0], column) ? 0 : 1;
	if (!is_about(side[at], column) || is_about(side[1 - at], column))
		return NULL;
	value = undo(side[at], column, with_places(side[1 - at]));
	if (value != NULL)
		value = round_to_places(schema, column, value);
	return value == NULL ? NULL : gs_equation_convert(schema, column, value);
}
