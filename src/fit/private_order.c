/*
 * private_order.c
 *	  Columns that CHECK constraints say are never below others of their row:
 *	  what they add to these is counted in place of their values.
 *
 * CHECK (discharge >= admission) is public, and so is what follows from it: a
 * discharge is its admission and a stay, whose ends follow from those of the
 * two, wherever these come from.  Rows then meet the condition by construction.
 * No order is looked for in the rows.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/stratnum.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/rel.h"

#include "compat.h"
#include "fit/private.h"
#include "learn/difference.h"

typedef struct Orders
{
	const GsSource *source;
	GsColumn   *columns;
} Orders;

/*
 * The column that a node is; -1: it is none of those that are learned.
 */
static int
column_of(const Orders *orders, Node *node)
{
	node = gs_check_strip(node);
	if (node == NULL || !IsA(node, Var) || ((Var *) node)->varattno <= 0)
		return -1;
	for (int c = 0; c < orders->source->desc->natts; c++)
		if (gs_private_column_of(orders->source, c) == ((Var *) node)->varattno)
			return c;
	return -1;
}

/*
 * How many columns are below one.
 */
static int
depth_of(const GsColumn *columns, int c)
{
	const GsLayout *layout = columns[c].layout;
	int			deepest = 0;

	check_stack_depth();
	for (int b = 0; layout != NULL && b < layout->nbases; b++)
		deepest = Max(deepest, 1 + depth_of(columns, layout->base[b]));
	return deepest;
}

static bool
is_too_deep(const Orders *orders)
{
	for (int c = 0; c < orders->source->desc->natts; c++)
		if (depth_of(orders->columns, c) > GS_MAX_DEPTH)
			return true;
	return false;
}

/*
 * Lets a column be told from one that it is never below, if it can be.
 *
 * above: it is never equal to that either
 */
static void
add_order(const Orders *orders, int c, int lower, bool above)
{
	GsColumn   *column = &orders->columns[c];
	const GsColumn *base = &orders->columns[lower];
	GsLayout   *layout = column->layout;

	if (!gs_column_may_differ(column) || !gs_column_may_differ(base) ||
		column->codec.kind->axis == GS_AXIS_NONE ||
		column->codec.kind->axis != base->codec.kind->axis ||
	/* days of the session's time zone are no public order */
		(column->type == TIMESTAMPTZOID) != (base->type == TIMESTAMPTZOID) ||
		(layout != NULL && layout->nbases == GS_MAX_BASES) ||
		gs_layout_reaches(orders->columns, lower, c))
		return;
	for (int b = 0; layout != NULL && b < layout->nbases; b++)
		if (layout->base[b] == lower)
			return;
	if (layout == NULL)
	{
		column->layout = layout = gs_layout_create();
		layout->sum[0].min = 1;
		layout->sum[0].nparts = 1;
	}
	layout->base[layout->nbases++] = lower;
	if (!above)
		layout->sum[0].min = 0;
	if (!is_too_deep(orders))
		return;
	if (--layout->nbases == 0)
		column->layout = NULL;
}

/*
 * A comparison of two columns.
 *
 * nulls: columns that it need not hold of where they are NULL; it does not
 * hold of any if it is about others
 */
static void
read_comparison(const Orders *orders, OpExpr *op, const Bitmapset *nulls)
{
	int			strategy = gs_check_meaning(op->opno);
	int			a;
	int			b;

	if (strategy == 0 || list_length(op->args) != 2)
		return;
	a = column_of(orders, linitial(op->args));
	b = column_of(orders, lsecond(op->args));
	if (a < 0 || b < 0 || a == b ||
		bms_num_members(nulls) > bms_is_member(a, nulls) +
		bms_is_member(b, nulls))
		return;
	if (strategy >= BTGreaterEqualStrategyNumber)
		add_order(orders, a, b, strategy == BTGreaterStrategyNumber);
	else if (strategy <= BTLessEqualStrategyNumber)
		add_order(orders, b, a, strategy == BTLessStrategyNumber);
}

/*
 * What a condition that every row meets says of two columns.
 */
static void
read_condition(const Orders *orders, Node *node)
{
	Bitmapset  *nulls = NULL;
	Node	   *left = NULL;
	ListCell   *cell;

	check_stack_depth();
	node = gs_check_strip(node);
	if (is_andclause(node))
		foreach(cell, ((BoolExpr *) node)->args)
			read_condition(orders, lfirst(cell));
	else if (node != NULL && IsA(node, OpExpr))
		read_comparison(orders, (OpExpr *) node, NULL);
	if (!is_orclause(node))
		return;
	/* NULL passes anyhow */
	foreach(cell, ((BoolExpr *) node)->args)
	{
		NullTest   *test = lfirst(cell);
		int			c = !IsA(test, NullTest) || test->nulltesttype != IS_NULL ?
			-1 : column_of(orders, (Node *) test->arg);

		if (c >= 0)
			nulls = bms_add_member(nulls, c);
		else if (left != NULL)
			return;
		else
			left = (Node *) test;
	}
	left = gs_check_strip(left);
	if (left != NULL && IsA(left, OpExpr))
		read_comparison(orders, (OpExpr *) left, nulls);
}

/*
 * gs_private_orders_read: gives columns that a table's CHECK constraints say are never
 * below others a layout, whose units and ends are not known yet.
 *
 * columns: of the source, keys and what conditions set being marked
 */
void
gs_private_orders_read(const GsSource *source, Oid table, GsColumn *columns)
{
	Orders		orders = {source, columns};
	Relation	relation = relation_open(table, NoLock);
	const TupleConstr *constr = RelationGetDescr(relation)->constr;

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
		read_condition(&orders, stringToNode(constr->check[i].ccbin));
	relation_close(relation, NoLock);
}

/* The ends of a column's own values. */
typedef struct Ends
{
	bool		whole;			/* in a lane of whole numbers */
	bool		found;			/* else they are not known yet */
	int64		low;
	int64		high;
} Ends;

static Ends
ends_of(const GsPublic *public)
{
	Ends		ends = {.found = public->kind != GS_PUBLIC_NUMBER};
	int			n = public->kind == GS_PUBLIC_BOUNDS ? 2 : public->nlevels;

	ends.whole = !ends.found ||
		(public->lane == GS_LANE_INT && n > 0 &&
		 (public->kind == GS_PUBLIC_BOUNDS ||
		  public->kind == GS_PUBLIC_LEVELS));
	for (int i = 0; ends.found && ends.whole && i < n; i++)
	{
		ends.low = i == 0 ? public->level[i].i : Min(ends.low,
													 public->level[i].i);
		ends.high = i == 0 ? public->level[i].i : Max(ends.high,
													  public->level[i].i);
	}
	return ends;
}

static bool
is_beyond(int64 end)
{
	return end < -GS_MAX_END / 4 || end > GS_MAX_END / 4;
}

/*
 * Sets the units and ends of a layout.  Where no base has a value, the column
 * adds to the least that one may be.  Returns false if the numbers are too
 * large to be taken off each other.
 */
static bool
set_sums(GsColumn *column, const Ends *ends, const Ends *own,
		 const GsPublic *bases, const GsColumn *columns, int scale)
{
	GsLayout   *layout = column->layout;
	bool		above = layout->sum[0].min > 0;
	bool		always = false;
	int64		unit = gs_difference_unit(column, scale);
	int64		low = PG_INT64_MAX;
	int64		high = PG_INT64_MIN;
	int			n = layout->nbases;

	layout->nbases = 0;
	for (int i = 0; i < n; i++)
	{
		int			b = layout->base[i];

		gs_layout_add_base(layout, b, unit,
						   gs_difference_unit(&columns[b], bases[b].scale));
		low = Min(low, gs_layout_origin(layout, i, ends[b].low, 0));
		high = Max(high, gs_layout_origin(layout, i, ends[b].high, 0));
		always |= !bases[b].nullable;
	}
	if (!always)
		low = Min(low, own->low - above);
	if (is_beyond(low) || is_beyond(high) || is_beyond(own->low) ||
		is_beyond(own->high))
		return false;
	layout->sign = 1;
	layout->highest = n > 1;
	layout->from_least = true;
	layout->sum[0].max = Max(own->high - low, above);
	layout->sum[0].min = Max(always ? own->low - high : 0, above);
	layout->sum[0].min = Min(layout->sum[0].min, layout->sum[0].max);
	layout->sum[1].min = own->low;
	layout->sum[1].max = own->high;
	gs_layout_limit(column, scale, layout);
	return true;
}

/*
 * gs_private_orders_settle: puts the ends of what columns add to others in place of
 * those of their values.  A column whose ends, or those of another that it adds
 * to, are not known yet is a NUMBER; one that cannot be told from others loses
 * its layout.
 */
void
gs_private_orders_settle(GsColumn *columns, int n, GsPublic *public)
{
	Ends	   *ends = palloc(sizeof(Ends) * n);

	for (int c = 0; c < n; c++)
		ends[c] = ends_of(&public[c]);
	for (int c = 0; c < n; c++)
	{
		GsLayout   *layout = columns[c].layout;
		bool		whole = ends[c].whole && public[c].kind != GS_PUBLIC_LEVELS;
		bool		found = ends[c].found;

		if (layout == NULL)
			continue;
		for (int b = 0; b < layout->nbases; b++)
		{
			whole &= ends[layout->base[b]].whole;
			found &= ends[layout->base[b]].found;
		}
		if (whole && !found)
		{
			public[c].kind = GS_PUBLIC_NUMBER;
			continue;
		}
		if (!whole || !set_sums(&columns[c], ends, &ends[c], public, columns,
								public[c].scale))
		{
			columns[c].layout = NULL;
			continue;
		}
		public[c].level = palloc(sizeof(GsScalar) * 2);
		public[c].level[0].i = layout->sum[0].min;
		public[c].level[1].i = layout->sum[0].max;
	}
	pfree(ends);
}
