/*
 * order.c
 *	  Keys that carry order: which columns rise or fall with them.
 *
 * Rows are numbered as they come, so a key may tell when: an id that rises with
 * a time stamp.  Such a key has a leader, the column that never falls (or never
 * rises) along it, or is learned as a number besides, if other columns depend
 * on it less strictly; see key_order.c for what becomes of it.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "codec/domain.h"
#include "key/key.h"
#include "learn/learn_internal.h"
#include "learn/order.h"
#include "learn/quantile.h"

#define MIN_ROWS		100
#define MAX_INVERSIONS	0.005	/* share of the steps that may go the other way */
#define MIN_STEPS		50		/* between different values */
#define MIN_RATIO		0.02	/* of variance explained, beyond chance */
#define CHANCE_TIMES	4

/* A row of the sample, where it stands in a key's order. */
typedef struct OrderedRow
{
	GsKeyNumber key;			/* group 0, but of texts */
	int64		row;
} OrderedRow;

static int
by_value(const void *a, const void *b)
{
	const GsKeyNumber *x = &((const OrderedRow *) a)->key;
	const GsKeyNumber *y = &((const OrderedRow *) b)->key;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static bool
is_number(const GsSample *sample, int c, bool whole)
{
	const GsColumn *column = &sample->columns[c];
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];

	return column->codec.nparts == 1 && column->layout == NULL &&
		column->key == NULL &&
		column->codec.kind->content == GS_CONTENT_NUMBERS &&
		(lane->type == GS_LANE_INT || (!whole && lane->type == GS_LANE_FLOAT));
}

static bool
is_text(const GsColumn *column)
{
	return column->codec.kind->content == GS_CONTENT_TEXT &&
		column->key == NULL && column->kind == NULL && column->layout == NULL;
}

/*
 * The rows of the sample in the order of a key, without its NULLs; of texts, in
 * that of their numbers, in each group of those that differ in nothing else.
 */
static OrderedRow *
order_rows(const GsSample *sample, int key, int threshold, int64 *n)
{
	GsLane	   *lane = &sample->lanes[key * GS_MAX_PARTS];
	bool		texts = lane->type == GS_LANE_TEXT;
	GsKeyForm	form;
	OrderedRow *rows = palloc_extended(sizeof(OrderedRow) *
									   Max(sample->nrows, 1), MCXT_ALLOC_HUGE);

	*n = 0;
	if (texts && !gs_key_form_find(lane, threshold, &form))
		return rows;
	for (int64 row = 0; row < sample->nrows; row++)
	{
		OrderedRow *at = &rows[*n];
		const GsText *text;

		if (is_absent(lane, row))
			continue;
		at->row = row;
		at->key = (GsKeyNumber) {0, lane->scalar[row].i};
		text = texts ? gs_lane_text(lane, lane->scalar[row].hash) : NULL;
		if (!texts || (text != NULL &&
					   gs_key_form_number(&form, text->text, text->len,
										  &at->key)))
			(*n)++;
	}
	/* most often it is sorted already, which qsort sees */
	qsort(rows, *n, sizeof(OrderedRow), by_value);
	return rows;
}

/*
 * How many steps a column takes along a key in the direction that it keeps to;
 * below 0 where it falls; 0 if it keeps to none.
 */
static int64
count_steps(const GsSample *sample, int c, const OrderedRow *rows, int64 n)
{
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	int64		limit = (int64) (n * MAX_INVERSIONS);
	int64		up = 0;
	int64		down = 0;
	int64		before = -1;
	uint64		group = 0;

	for (int64 i = 0; i < n && Min(up, down) <= limit; i++)
	{
		int64		row = rows[i].row;
		int			compared;

		if (is_absent(lane, row))
			continue;
		if (before >= 0 && rows[i].key.group == group)
		{
			compared = gs_scalar_compare(lane->scalar[before],
										 lane->scalar[row], lane->type);
			up += compared < 0;
			down += compared > 0;
		}
		before = row;
		group = rows[i].key.group;
	}
	if (Min(up, down) > limit || Max(up, down) < MIN_STEPS ||
		Min(up, down) > Max(up, down) * MAX_INVERSIONS)
		return 0;
	return up > down ? up : -down;
}

/*
 * Looks for what one key leads, or is led by.
 */
static void
find_leader(GsSample *sample, int key, int threshold)
{
	GsColumn   *column = &sample->columns[key];
	int64		n;
	OrderedRow *rows = order_rows(sample, key, threshold, &n);
	bool		text = column->codec.kind->content == GS_CONTENT_TEXT;
	int64		best = 0;

	for (int c = 0; c < sample->ncolumns && n >= MIN_ROWS; c++)
	{
		GsColumn   *other = &sample->columns[c];
		int64		steps;

		CHECK_FOR_INTERRUPTS();
		if (c == key || !is_number(sample, c, other->unique) ||
			(other->unique && (text || c < key || other->follows > 0)))
			continue;
		steps = count_steps(sample, c, rows, n);
		if (steps == 0)
			continue;
		if (other->unique)
		{
			other->follows = key + 1;
			other->follows_down = steps < 0;
		}
		else if (Max(steps, -steps) > best)
		{
			best = Max(steps, -steps);
			column->leader = c + 1;
			column->leader_down = steps < 0;
		}
	}
	pfree(rows);
}

/*
 * gs_orders_find: for each column of a sample that is unique, and a whole
 * number or a text with one, a column that it rises or falls with.  Can be
 * cancelled.
 */
void
gs_orders_find(GsSample *sample, int threshold)
{
	for (int c = 0; c < sample->ncolumns; c++)
		if (sample->columns[c].unique && sample->columns[c].follows == 0 &&
			(is_number(sample, c, true) || is_text(&sample->columns[c])))
			find_leader(sample, c, threshold);
}

static bool
may_order(const GsColumn *column)
{
	return column->key != NULL && column->key->repeats == NULL &&
		(column->key->kind == GS_KEY_SEQUENCE ||
		 column->key->kind == GS_KEY_RANGE ||
		 column->key->kind == GS_KEY_GROUPED) &&
		!gs_domain_has_checks(column->declared);
}

/*
 * Makes a lane of a key's texts one of the numbers in them.  Returns whether
 * they are enough to tell an order.
 */
static bool
number_texts(const GsKey *key, GsLane *lane, int64 nrows)
{
	int64		n = 0;

	if (lane->absent == NULL)
		lane->absent = MemoryContextAllocExtended(lane->context,
												  lane->allocated,
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 row = 0; row < nrows; row++)
	{
		const GsText *text = is_absent(lane, row) ? NULL :
			gs_lane_text(lane, lane->scalar[row].hash);

		CHECK_FOR_INTERRUPTS();
		lane->absent[row] = text == NULL ||
			!gs_key_number(key, text->text, text->len, &lane->scalar[row].i);
		n += !lane->absent[row];
	}
	lane->type = GS_LANE_INT;
	return n >= MIN_ROWS;
}

/*
 * gs_order_is_possible: whether a key that was learned may carry order: a
 * whole number, or a text with one, of which a row has no choice.  The lane
 * then holds the numbers.
 */
bool
gs_order_is_possible(const GsColumn *column, GsLane *lane, int64 nrows)
{
	if (!may_order(column))
		return false;
	if (lane->type == GS_LANE_TEXT)
		return column->key->kind == GS_KEY_SEQUENCE &&
			number_texts(column->key, lane, nrows);
	return lane->type == GS_LANE_INT;
}

/*
 * Two keys that rise or fall together: both in the order of what leads the
 * first, or else in that of the rows.
 */
static void
follow(GsColumn *first, GsColumn *second)
{
	if (first->key->order == 0)
	{
		if (second->follows_down && first->key->kind == GS_KEY_SEQUENCE &&
			second->key->kind == GS_KEY_SEQUENCE)
			return;				/* a sequence counts up */
		gs_key_set_order(first->key, GS_KEY_BY_ROWS, false, false);
		if (first->key->kind == GS_KEY_SEQUENCE || first->key->order != 0)
			gs_key_set_order(second->key, GS_KEY_BY_ROWS,
							 second->follows_down, false);
		return;
	}
	gs_key_set_order(second->key, first->key->order,
					 first->key->down != second->follows_down,
					 first->key->exact);
}

/*
 * gs_orders_settle: gives keys that were learned the order of their leaders,
 * where these have become numbers that are always there.
 */
void
gs_orders_settle(GsSchema *schema)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];
		const GsColumn *leader = &schema->columns[Max(column->leader - 1, 0)];

		if (may_order(column) && column->leader > 0 &&
			leader->key == NULL && leader->null_feature < 0 &&
			schema->features[leader->feature[0]].kind == GS_FEATURE_NUMBER)
			gs_key_set_order(column->key, leader->feature[0] + 1,
							 column->leader_down,
							 column->key->kind != GS_KEY_GROUPED);
	}
	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];
		GsColumn   *first = &schema->columns[Max(column->follows - 1, 0)];

		if (column->follows > 0 && may_order(column) && may_order(first))
			follow(first, column);
	}
}

/*
 * gs_order_matters: whether features depend on the order of a key: the mean of
 * its bins differs between theirs (the correlation ratio: Fisher, "Statistical
 * Methods for Research Workers", 1925).
 *
 * nfeatures: of those in encoded; bin: [nrows] of the key, of nbins
 */
bool
gs_order_matters(const GsEncoded *encoded, int nfeatures, const uint16 *bin,
				 int nbins)
{
	for (int f = 0; f < nfeatures; f++)
	{
		int			n = Max(encoded->nbins[f], 1);
		double	   *sum = palloc0(sizeof(double) * n);
		double	   *count = palloc0(sizeof(double) * n);
		double		rows = 0;
		double		mean = 0;
		double		square = 0;
		double		between = 0;
		int			used = 0;

		CHECK_FOR_INTERRUPTS();
		for (int64 row = 0; row < encoded->nrows; row++)
		{
			int			b = encoded->bin[f][row];

			if (b == GS_MISSING || bin[row] == GS_MISSING)
				continue;
			sum[b] += bin[row];
			count[b]++;
			rows++;
			mean += bin[row];
			square += (double) bin[row] * bin[row];
		}
		mean /= Max(rows, 1);
		square -= rows * mean * mean;
		for (int b = 0; b < n; b++)
		{
			if (count[b] == 0)
				continue;
			between += count[b] * (sum[b] / count[b] - mean) *
				(sum[b] / count[b] - mean);
			used++;
		}
		pfree(sum);
		pfree(count);
		if (rows >= MIN_ROWS && square > 0 && between / square >
			MIN_RATIO + CHANCE_TIMES * (used - 1) / rows)
			return true;
	}
	return false;
}
