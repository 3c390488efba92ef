/*
 * equation.c
 *	  What a condition says that a column is equal to.
 *
 * An equality that is linear in a column is solved for it, on whichever side
 * it stands: a + b + c = 100, total - net = tax, round(a + b) = c, and those
 * that leave a little room, abs(a + b - c) < 0.01.  What is not linear, such
 * as price * quantity, is a term like any other, but cannot be solved for.
 *
 * All errors of the other columns add up in the one that is computed.  So it
 * is the one that spreads most: a total rather than one of its parts, and of
 * parts of a constant the largest.
 */
#include "postgres.h"

#include <math.h>

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_oper.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "constraint/condition.h"
#include "constraint/equation_internal.h"
#include "numeric/normal.h"

#define MAX_TERMS	64
/* The room that an equality may leave, in the spread of what is solved for. */
#define MAX_ROOM	0.05

typedef struct Term
{
	Node	   *node;
	double		factor;
} Term;

/* The sum of terms and a constant is within room of zero. */
typedef struct Equation
{
	int			n;
	Term		term[MAX_TERMS];
	double		constant;
	double		room;
	bool		rounded;		/* some term was rounded */
} Equation;

static bool
is_number_type(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == NUMERICOID || type == FLOAT4OID || type == FLOAT8OID;
}

static bool
is_integer_type(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/*
 * A constant's number.  Returns false if it has none.
 */
static bool
constant_value(const Node *node, double *value)
{
	const Const *constant = (const Const *) node;

	if (!IsA(node, Const) || constant->constisnull)
		return false;
	switch (constant->consttype)
	{
		case INT2OID:
			*value = DatumGetInt16(constant->constvalue);
			break;
		case INT4OID:
			*value = DatumGetInt32(constant->constvalue);
			break;
		case INT8OID:
			*value = (double) DatumGetInt64(constant->constvalue);
			break;
		case FLOAT4OID:
			*value = DatumGetFloat4(constant->constvalue);
			break;
		case FLOAT8OID:
			*value = DatumGetFloat8(constant->constvalue);
			break;
		case NUMERICOID:
			*value = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
														constant->constvalue));
			break;
		default:
			return false;
	}
	return isfinite(*value);
}

/*
 * gs_equation_uncast: the argument of a cast that loses nothing that matters,
 * else NULL.
 */
Node *
gs_equation_uncast(const Node *node)
{
	const FuncExpr *func = (const FuncExpr *) node;
	Oid			from;

	if (IsA(node, RelabelType))
		return (Node *) ((const RelabelType *) node)->arg;
	if (!IsA(node, FuncExpr) || list_length(func->args) != 1 ||
		func->funcformat == COERCE_EXPLICIT_CALL)
		return NULL;
	from = exprType(linitial(func->args));
	if (!is_number_type(from) || !is_number_type(func->funcresulttype) ||
		(is_integer_type(func->funcresulttype) && !is_integer_type(from)))
		return NULL;
	return linitial(func->args);
}

static bool
is_function(const Node *node, const char *name)
{
	const FuncExpr *func = (const FuncExpr *) node;

	return IsA(node, FuncExpr) && func->args != NIL &&
		is_number_type(exprType(linitial(func->args))) &&
		strcmp(get_func_name(func->funcid), name) == 0;
}

static bool
add_term(Equation *equation, Node *node, double factor)
{
	for (int i = 0; i < equation->n; i++)
		if (equal(equation->term[i].node, node))
		{
			equation->term[i].factor += factor;
			return true;
		}
	if (equation->n == MAX_TERMS)
		return false;
	equation->term[equation->n++] = (Term) {node, factor};
	return true;
}

/*
 * Adds an expression to an equation.  Returns false if it is no number, or
 * has too many terms.
 */
static bool
add_expression(Equation *equation, Node *node, double factor)
{
	const OpExpr *op = (const OpExpr *) node;
	Node	   *inner = gs_equation_uncast(node);
	Node	   *left;
	Node	   *right;
	const char *name;
	double		value;

	if (inner != NULL)
		return add_expression(equation, inner, factor);
	if (!is_number_type(exprType(node)))
		return false;
	if (constant_value(node, &value))
	{
		equation->constant += factor * value;
		return true;
	}
	if (is_function(node, "round"))
	{
		equation->rounded = true;
		return add_expression(equation,
							  linitial(((FuncExpr *) node)->args), factor);
	}
	if (!IsA(node, OpExpr) || !is_number_type(exprType(linitial(op->args))))
		return add_term(equation, node, factor);
	name = get_opname(op->opno);
	left = linitial(op->args);
	if (list_length(op->args) == 1)
		return strcmp(name, "-") != 0 ? add_term(equation, node, factor) :
			add_expression(equation, left, -factor);
	right = lsecond(op->args);
	if (strcmp(name, "+") == 0 || strcmp(name, "-") == 0)
		return add_expression(equation, left, factor) &&
			add_expression(equation, right,
						   name[0] == '-' ? -factor : factor);
	if (strcmp(name, "*") == 0 && constant_value(right, &value))
		return add_expression(equation, left, factor * value);
	if (strcmp(name, "*") == 0 && constant_value(left, &value))
		return add_expression(equation, right, factor * value);
	/* whole numbers are divided without a rest */
	if (strcmp(name, "/") == 0 && !is_integer_type(op->opresulttype) &&
		constant_value(right, &value) && value != 0)
		return add_expression(equation, left, factor / value);
	return add_term(equation, node, factor);
}

/*
 * A comparison of an expression with a constant, on either side.  Returns -1
 * for one from above, 1 from below, 0 if it is none.
 */
static int
read_bound(const Node *node, Node **inner, double *bound)
{
	const OpExpr *op = (const OpExpr *) node;
	const char *name;
	int			side;

	if (!IsA(node, OpExpr) || list_length(op->args) != 2)
		return 0;
	name = get_opname(op->opno);
	if (strcmp(name, "<") != 0 && strcmp(name, "<=") != 0 &&
		strcmp(name, ">") != 0 && strcmp(name, ">=") != 0)
		return 0;
	side = name[0] == '<' ? -1 : 1;
	*inner = linitial(op->args);
	if (constant_value(lsecond(op->args), bound))
		return side;
	*inner = lsecond(op->args);
	return constant_value(linitial(op->args), bound) ? -side : 0;
}

/*
 * An expression that lies between two bounds.
 */
static bool
read_room(const List *args, Equation *equation)
{
	Node	   *inner[2];
	double		bound[2];

	if (read_bound(linitial(args), &inner[0], &bound[0]) *
		read_bound(lsecond(args), &inner[1], &bound[1]) != -1 ||
		!equal(inner[0], inner[1]))
		return false;
	equation->constant = -(bound[0] + bound[1]) / 2;
	equation->room = fabs(bound[0] - bound[1]) / 2;
	return add_expression(equation, inner[0], 1);
}

/*
 * The only part of an OR that is not a test for NULL of a column that it is
 * about: where it is NULL nothing is computed anyway.
 */
static Node *
skip_null_tests(const BoolExpr *either)
{
	Node	   *rest = NULL;
	Bitmapset  *tested = NULL;
	Bitmapset  *about = NULL;
	ListCell   *cell;

	foreach(cell, either->args)
	{
		const NullTest *test = lfirst(cell);

		if (IsA(test, NullTest) && test->nulltesttype == IS_NULL &&
			IsA(test->arg, Var))
			pull_varattnos((Node *) test, 1, &tested);
		else if (rest != NULL)
			return NULL;
		else
			rest = lfirst(cell);
	}
	pull_varattnos(rest, 1, &about);
	return bms_is_subset(tested, about) ? rest : NULL;
}

/*
 * gs_equation_core: a condition without its tests for NULL; NULL if it is more
 * than that.
 */
Node *
gs_equation_core(Expr *expr)
{
	return is_orclause(expr) ? skip_null_tests((BoolExpr *) expr) :
		(Node *) expr;
}

/*
 * gs_equation_room: what is within some room of zero, by its absolute value;
 * NULL if a condition does not say so.
 */
Node *
gs_equation_room(const Node *node)
{
	Node	   *inner;
	double		bound;

	if (read_bound(node, &inner, &bound) != -1 || bound < 0 ||
		!is_function(inner, "abs"))
		return NULL;
	return linitial(((FuncExpr *) inner)->args);
}

/*
 * Reads a condition as an equation.  Returns false if it is none.
 */
static bool
read_equation(Node *node, Equation *equation)
{
	const OpExpr *op = (const OpExpr *) node;
	Node	   *inner;
	double		bound;

	if (is_andclause(node) && list_length(((BoolExpr *) node)->args) == 2)
		return read_room(((BoolExpr *) node)->args, equation);
	if (!IsA(node, OpExpr) || list_length(op->args) != 2)
		return false;
	if (strcmp(get_opname(op->opno), "=") == 0)
		return add_expression(equation, linitial(op->args), 1) &&
			add_expression(equation, lsecond(op->args), -1);
	if (read_bound(node, &inner, &bound) != -1 || bound < 0)
		return false;
	if (!is_function(inner, "abs"))
		return false;
	equation->room = bound;
	return add_expression(equation, linitial(((FuncExpr *) inner)->args), 1);
}

/*
 * gs_equation_places: a column's places after the point; those of a float are
 * many.
 */
int
gs_equation_places(const GsSchema *schema, int c)
{
	const GsColumn *column = &schema->columns[c];

	if (is_integer_type(column->type))
		return 0;
	if (column->type != NUMERICOID || schema->features == NULL ||
		column->feature[0] < 0)
		return PG_INT16_MAX;
	return schema->features[column->feature[0]].scale;
}

static double
scalar_value(const GsFeature *feature, GsScalar slot)
{
	return feature->lane == GS_LANE_FLOAT ? slot.f :
		(double) slot.i * pow(10, -feature->scale);
}

/*
 * A column's standard deviation in the model; 0 if there is no telling, as
 * before it is learned.
 */
static double
spread(const GsSchema *schema, int c)
{
	const GsFeature *feature;
	const GsQuantile *q;
	bool		number;
	int			n;
	double		all = 0;
	double		sum = 0;
	double		square = 0;

	if (schema->features == NULL)
		return 0;
	feature = &schema->features[schema->columns[c].feature[0]];
	if (feature->lane == GS_LANE_TEXT)
		return 0;
	q = &feature->quantile;
	number = feature->kind == GS_FEATURE_NUMBER;
	n = number ? q->nsegments : feature->nlevels;
	for (int i = 0; i < n; i++)
	{
		double		share = number ? gs_normal_cdf(q->edge[i + 1]) -
			gs_normal_cdf(q->edge[i]) : feature->share[i];
		double		value = number ?
			scalar_value(feature, q->low[i]) / 2 +
			scalar_value(feature, q->high[i]) / 2 :
			scalar_value(feature, feature->level[i]);

		if ((!number && i == feature->null_level) || !isfinite(value))
			continue;
		all += share;
		sum += share * value;
		square += share * value * value;
	}
	if (all <= 0)
		return 0;
	return sqrt(Max(square / all - (sum / all) * (sum / all), 0));
}

/*
 * The column (from 0) that a term is, if it may be computed: -1 if not.
 */
static int
term_column(const GsSchema *schema, const Equation *equation, int t,
			const Bitmapset *barred)
{
	const Var  *var = (const Var *) equation->term[t].node;
	Bitmapset  *others = NULL;
	int			c;

	if (!IsA(var, Var) || equation->term[t].factor == 0)
		return -1;
	c = var->varattno - 1;
	for (int i = 0; i < equation->n; i++)
		if (i != t)
			pull_varattnos(equation->term[i].node, 1, &others);
	/* a difference is always at or after what it is taken from */
	if (bms_is_member(c, barred) || gs_column_has_base(&schema->columns[c]) ||
		schema->columns[c].key != NULL ||
		bms_is_member(var->varattno - FirstLowInvalidHeapAttributeNumber,
					  others))
		return -1;
	return c;
}

/*
 * The term that an equation is solved for; -1: none can be.
 */
static int
choose_term(const GsSchema *schema, const Equation *equation,
			const Bitmapset *barred)
{
	int			best = -1;
	double		most = 0;
	bool		most_base = true;

	for (int t = 0; t < equation->n; t++)
	{
		int			c = term_column(schema, equation, t, barred);
		double		factor = fabs(equation->term[t].factor);
		bool		exact = true;
		double		weight;
		bool		base;
		int			own;

		if (c < 0)
			continue;
		own = gs_equation_places(schema, c);
		base = gs_column_is_base(schema, c);
		/* what it is computed from must not have more places than it has */
		for (int i = 0; i < equation->n && exact; i++)
		{
			const Var  *var = (const Var *) equation->term[i].node;
			double		other = equation->term[i].factor / factor;

			if (i != t && (fabs(other - rint(other)) > 1e-9 || !IsA(var, Var) ||
						   gs_equation_places(schema, var->varattno - 1) > own))
				exact = own == PG_INT16_MAX;
		}
		weight = factor * spread(schema, c);
		if (equation->room > 0 && equation->room > MAX_ROOM * weight)
			continue;
		if (!exact && equation->room == 0)
			continue;
		/* what others were added to does not change, if that can be helped */
		if (best < 0 || (base == most_base ? weight > most : most_base))
		{
			most_base = base;
			most = weight;
			best = t;
		}
	}
	return best;
}

/*
 * gs_equation_number: a number as PostgreSQL would read it.
 */
Node *
gs_equation_number(double value)
{
	Datum		numeric;

	if (value == rint(value) && fabs(value) < PG_INT32_MAX)
		return (Node *) makeConst(INT4OID, -1, InvalidOid, sizeof(int32),
								  Int32GetDatum((int32) value), false, true);
	numeric = DirectFunctionCall3(numeric_in,
								  CStringGetDatum(psprintf("%.15g", value)),
								  ObjectIdGetDatum(InvalidOid),
								  Int32GetDatum(-1));
	return (Node *) makeConst(NUMERICOID, -1, InvalidOid, -1, numeric, false,
							  false);
}

/*
 * gs_equation_operation: an operator of pg_catalog on two expressions.
 */
Node *
gs_equation_operation(const char *name, Node *left, Node *right)
{
	List	   *qualified = list_make2(makeString("pg_catalog"),
									   makeString(pstrdup(name)));

	return (Node *) make_op(NULL, qualified, left, right, NULL, -1);
}

/*
 * Adds a multiple of an expression to a sum, or the first one.
 */
static Node *
add_multiple(Node *sum, Node *node, double factor)
{
	if (fabs(factor) != 1)
		node = gs_equation_operation("*", gs_equation_number(fabs(factor)),
									 node);
	if (sum == NULL)
		return factor > 0 ? node :
			gs_equation_operation("-", gs_equation_number(0), node);
	return gs_equation_operation(factor > 0 ? "+" : "-", sum, node);
}

/*
 * A quotient of two factors, which as decimals had no more than 12 digits.
 */
static double
round_off(double value)
{
	return strtod(psprintf("%.12g", value), NULL);
}

/*
 * The value of a term by all others.
 */
static Node *
solve(const Equation *equation, int t)
{
	double		by = -equation->term[t].factor;
	double		rest = round_off(equation->constant / by);
	Node	   *sum = NULL;

	for (int sign = 1; sign >= -1; sign -= 2)
	{
		for (int i = 0; i < equation->n; i++)
		{
			double		factor = round_off(equation->term[i].factor / by);

			if (i != t && factor * sign > 0)
				sum = add_multiple(sum, equation->term[i].node, factor);
		}
		if (rest * sign > 0)
			sum = sum == NULL ? gs_equation_number(rest) :
				gs_equation_operation(sign > 0 ? "+" : "-", sum,
							   gs_equation_number(fabs(rest)));
	}
	return sum == NULL ? gs_equation_number(0) : sum;
}

/*
 * gs_equation_convert: a value as one of a column: converted as an INSERT
 * would do it; NULL if there is no such cast.
 */
Expr *
gs_equation_convert(const GsSchema *schema, int c, Node *value)
{
	value = coerce_to_target_type(NULL, value, exprType(value),
								  schema->columns[c].type,
								  schema->columns[c].typmod,
								  COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST,
								  -1);
	/* what was put together has to be of the same kind as all else */
	if (value != NULL)
		gs_condition_check(schema, value);
	return (Expr *) value;
}

/*
 * The column on one side of an equality, with what stands on the other.
 */
static Expr *
bare_side(const GsSchema *schema, const OpExpr *op, const Bitmapset *barred,
		  int *column)
{
	if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
		!op_mergejoinable(op->opno, exprType(linitial(op->args))))
		return NULL;
	for (int side = 0; side < 2; side++)
	{
		Node	   *var = strip_implicit_coercions(list_nth(op->args, side));
		Node	   *value = list_nth(op->args, 1 - side);
		Bitmapset  *others = NULL;

		/* the stored text shows that a varchar is compared as text */
		for (Node *inner = gs_equation_uncast(var); inner != NULL;)
		{
			var = inner;
			inner = gs_equation_uncast(var);
		}
		if (!IsA(var, Var) || IsA(value, Const))
			continue;
		*column = ((Var *) var)->varattno - 1;
		pull_varattnos(value, 1, &others);
		if (gs_column_has_base(&schema->columns[*column]) ||
			bms_is_member(*column, barred) ||
			bms_is_member(((Var *) var)->varattno -
						  FirstLowInvalidHeapAttributeNumber, others))
			continue;
		return gs_equation_convert(schema, *column, value);
	}
	return NULL;
}

/*
 * gs_equation_solve: what a condition says that a column is equal to,
 * converted to its type, in the current context; NULL if it does not say so
 * of any.
 *
 * expr: as gs_condition_load gave it; barred: columns (from 0) that must not
 * be computed; column: set, from 0
 */
Expr *
gs_equation_solve(const GsSchema *schema, Expr *expr, const Bitmapset *barred,
				  int *column)
{
	Equation	equation = {0};
	Node	   *node = gs_equation_core(expr);
	Expr	   *value;
	int			t;

	if (node == NULL)
		return NULL;
	if (read_equation(node, &equation) && equation.n > 1)
	{
		/* what is rounded on its way to a column holds for that one alone */
		value = equation.rounded ?
			bare_side(schema, (OpExpr *) node, barred, column) : NULL;
		if (value != NULL)
			return value;
		t = choose_term(schema, &equation, barred);
		if (t >= 0)
		{
			*column = ((Var *) equation.term[t].node)->varattno - 1;
			return gs_equation_convert(schema, *column, solve(&equation, t));
		}
	}
	return bare_side(schema, (OpExpr *) node, barred, column);
}

/*
 * gs_equation_parts: the conditions of which a condition is made, if some of
 * them say what a column is equal to and the whole does not; else the whole.
 */
List *
gs_equation_parts(const GsSchema *schema, Expr *expr)
{
	List	   *parts = is_andclause(expr) ? ((BoolExpr *) expr)->args : NIL;
	ListCell   *cell;
	int			column;

	if (parts == NIL || gs_equation_solve(schema, expr, NULL, &column) != NULL)
		return list_make1(expr);
	foreach(cell, parts)
		if (gs_equation_solve(schema, lfirst(cell), NULL, &column) != NULL)
			return parts;
	return list_make1(expr);
}
