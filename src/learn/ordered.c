/*
 * ordered.c
 *	  Columns that are never above others of their row, without being declared.
 *
 * A lowest price and the first one, what was paid and what was asked, the times
 * at which a shift begins and ends.  Where the one is not told from the other as
 * a difference (layout.h), which holds by construction, the order becomes a
 * condition that rows are made again for, as a CHECK of the source would be.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "codec/domain.h"
#include "learn/difference.h"
#include "learn/formula.h"
#include "learn/learn_internal.h"
#include "learn/quantile.h"

#define FIRST_ROWS		256		/* of a pair, before all are looked at */
#define MIN_ROWS		200		/* that have both */
#define MIN_CHANCE		15		/* that chance would have in another order ... */
#define MIN_SHARE		0.001	/* ... and their share of all */
#define MAX_ORDERS		32

/* A column whose values can be compared. */
typedef struct Ranked
{
	const GsColumn *column;
	const GsLane *lane;
	double		unit;			/* of its scalars; 0: it is none */
} Ranked;

/* What rows say of a pair. */
typedef struct Pair
{
	int64		n;				/* that have both */
	int64		below;			/* the first is below the second */
	int64		above;
	int64		chance_below;	/* ... the second of some other row */
	int64		chance_above;
	int64		chance_equal;
} Pair;

static void
init_ranked(const GsSample *sample, int c, Ranked *ranked)
{
	const GsColumn *column = &sample->columns[c];
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	const GsCodecKind *kind = column->codec.kind;

	*ranked = (Ranked) {.column = column,.lane = lane};
	if (column->unique || column->equated || column->computed ||
		column->meant == GS_MEANT_CODE || column->is_key ||
		column->codec.nparts != 1 || gs_domain_is_picky(column->declared) ||
		(kind->axis == GS_AXIS_NONE && column->type != TIMEOID) ||
		(lane->type != GS_LANE_INT && lane->type != GS_LANE_FLOAT))
		return;
	ranked->unit = kind->unit > 0 ? kind->unit : pow(10, lane->scale);
}

/*
 * Whether PostgreSQL compares two columns alike, whatever the settings.
 */
static bool
are_comparable(const Ranked *a, const Ranked *b)
{
	Oid			x = a->column->type;
	Oid			y = b->column->type;

	if (a->unit == 0 || b->unit == 0)
		return false;
	return x == y || (a->column->codec.kind->axis == GS_AXIS_NUMBER &&
					  b->column->codec.kind->axis == GS_AXIS_NUMBER) ||
		(x == DATEOID && y == TIMESTAMPOID) ||
		(x == TIMESTAMPOID && y == DATEOID);
}

static bool
has_rank(const Ranked *ranked, int64 row)
{
	return (ranked->lane->absent == NULL || !ranked->lane->absent[row]) &&
		!gs_scalar_is_special(&ranked->column->codec.part[0],
							  ranked->lane->type, ranked->lane->scalar[row]);
}

static double
value_of(const Ranked *ranked, GsScalar scalar)
{
	if (ranked->lane->type == GS_LANE_FLOAT)
		return scalar.f;
	return ranked->column->codec.kind->axis == GS_AXIS_TIME ?
		(double) scalar.i * ranked->unit : (double) scalar.i / ranked->unit;
}

static int
compare(const Ranked *a, int64 row, const Ranked *b, int64 other)
{
	GsScalar	x = a->lane->scalar[row];
	GsScalar	y = b->lane->scalar[other];
	double		p;
	double		q;

	if (a->lane->type == b->lane->type && a->unit == b->unit)
		return gs_scalar_compare(x, y, a->lane->type);
	p = value_of(a, x);
	q = value_of(b, y);
	return (p > q) - (p < q);
}

/*
 * Looks at every so many rows, until both orders have been seen.
 */
static void
look_at_pair(const Ranked *a, const Ranked *b, int64 nrows, int64 stride,
			 Pair *pair)
{
	memset(pair, 0, sizeof(Pair));
	for (int64 row = 0; row < nrows && (pair->below == 0 || pair->above == 0);
		 row += stride)
	{
		int64		other = other_row(row, nrows);
		int			order;

		if (!has_rank(a, row) || !has_rank(b, row))
			continue;
		order = compare(a, row, b, row);
		pair->below += order < 0;
		pair->above += order > 0;
		if (has_rank(b, other))
		{
			order = compare(a, row, b, other);
			pair->chance_below += order < 0;
			pair->chance_above += order > 0;
			pair->chance_equal += order == 0;
		}
		pair->n++;
	}
}

/*
 * An order as a condition; strict: the two are never equal, and not by chance.
 */
static GsFormula *
new_order(const GsSample *sample, int low, int high, bool strict)
{
	GsFormula  *order = palloc0(sizeof(GsFormula));

	order->order = true;
	order->low = low;
	order->high = high;
	order->condition =
		psprintf("%s OPERATOR(pg_catalog.%s) %s",
				 quote_identifier(sample->columns[low].name),
				 strict ? "<" : "<=",
				 quote_identifier(sample->columns[high].name));
	order->definition = psprintf("%s %s %s",
								 quote_identifier(sample->columns[low].name),
								 strict ? "<" : "<=",
								 quote_identifier(sample->columns[high].name));
	return order;
}

/*
 * The order of two columns, if all rows are in it, and not by chance; else
 * NULL.
 */
static GsFormula *
find_order(const GsSample *sample, const Ranked *ranked, int a, int b)
{
	int64		nrows = sample->nrows;
	int64		chance;
	bool		below;
	Pair		pair;

	look_at_pair(&ranked[a], &ranked[b], nrows, nrows / FIRST_ROWS + 1, &pair);
	if (pair.below > 0 && pair.above > 0)
		return NULL;
	look_at_pair(&ranked[a], &ranked[b], nrows, 1, &pair);
	if ((pair.below > 0 && pair.above > 0) || pair.n < MIN_ROWS ||
		pair.below + pair.above == 0)
		return NULL;
	below = pair.above == 0;
	chance = below ? pair.chance_above : pair.chance_below;
	if (chance < MIN_CHANCE || chance < MIN_SHARE * pair.n)
		return NULL;
	return new_order(sample, below ? a : b, below ? b : a,
					 pair.below + pair.above == pair.n &&
					 pair.chance_equal >= MIN_CHANCE);
}

/*
 * Whether an order follows from two others, by a column that is never NULL.
 *
 * ordered: [ncolumns][ncolumns] the first is never above the second
 */
static bool
is_implied(const GsSample *sample, const bool *ordered, const GsFormula *order)
{
	Size		n = sample->ncolumns;

	for (int c = 0; c < sample->ncolumns; c++)
		if (sample->lanes[c * GS_MAX_PARTS].absent == NULL &&
			ordered[order->low * n + c] && ordered[c * n + order->high])
			return true;
	return false;
}

/*
 * gs_orders_between: the orders of a sample's columns, whose lanes hold their
 * own values.  Can be cancelled.
 *
 * Returns GsFormulas, in the current context.
 */
List *
gs_orders_between(const GsSample *sample)
{
	int			n = sample->ncolumns;
	Ranked	   *ranked = palloc(sizeof(Ranked) * Max(n, 1));
	bool	   *ordered = palloc_extended(Max((Size) n * n, 1),
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	List	   *orders = NIL;
	List	   *result = NIL;
	ListCell   *cell;

	for (int c = 0; c < n; c++)
		init_ranked(sample, c, &ranked[c]);
	for (int a = 0; a < n; a++)
		for (int b = a + 1; b < n; b++)
		{
			GsFormula  *order;

			CHECK_FOR_INTERRUPTS();
			if (!gs_is_near(sample, a, b) ||
				!are_comparable(&ranked[a], &ranked[b]) ||
				(order = find_order(sample, ranked, a, b)) == NULL)
				continue;
			orders = lappend(orders, order);
			ordered[(Size) order->low * n + order->high] = true;
		}
	foreach(cell, orders)
	{
		CHECK_FOR_INTERRUPTS();
		if (!is_implied(sample, ordered, lfirst(cell)))
			result = lappend(result, lfirst(cell));
	}
	pfree(ordered);
	pfree(ranked);
	return result;
}

/*
 * Whether a column is told from another one so that their order holds: see
 * GsLayout.
 */
static bool
is_told_from(const GsColumn *column, int base, int sign)
{
	const GsLayout *layout = column->layout;

	if (layout == NULL || layout->sign != sign ||
		layout->aspect != GS_ASPECT_SAME)
		return false;
	for (int b = 0; b < layout->nbases; b++)
		if (layout->base[b] == base && (b == 0 || layout->highest))
			return true;
	return false;
}

/*
 * gs_orders_left: those orders that do not hold by how columns are learned, at
 * most MAX_ORDERS.
 */
List *
gs_orders_left(const GsSample *sample, List *orders)
{
	List	   *left = NIL;
	ListCell   *cell;

	foreach(cell, orders)
	{
		const GsFormula *order = lfirst(cell);

		if (list_length(left) < MAX_ORDERS &&
			!is_told_from(&sample->columns[order->high], order->low, 1) &&
			!is_told_from(&sample->columns[order->low], order->high, -1))
			left = lappend(left, lfirst(cell));
	}
	return left;
}
