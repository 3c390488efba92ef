/*
 * rules_settle.c
 *	  Rows that are known in part, and of which no draft meets the conditions.
 *
 * A day between two that are known may have one chance in a thousand, or none
 * where the days that are known are beyond what the model has learned.  In such
 * a row, a number or moment that is drawn and that a condition fails on is
 * moved: next to, or between, the values of its row at which all conditions
 * hold that it takes part in.  Conditions are asked, and not understood, so
 * any will do in which values are compared.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "codec/datum.h"
#include "codec/styles.h"
#include "constraint/condition.h"
#include "constraint/rules_internal.h"
#include "encode/encode.h"
#include "numeric/philox.h"

#define MAX_PASSES		4		/* over columns that wait for each other */
#define MAX_DRAWS		8		/* between two values */

/* A row that is being settled. */
typedef struct Settling
{
	GsRules    *rules;
	GsRandom	random;
	bool		met;
} Settling;

/*
 * The size of a column's unit on its axis (microseconds, or 1); 0 if its values
 * cannot be moved.
 */
static double
unit_of(const GsSchema *schema, const GsColumn *column)
{
	const GsCodecKind *kind = column->codec.kind;
	const GsFeature *feature;

	if (kind->nparts != 1 || column->feature[0] < 0 ||
		(kind->axis == GS_AXIS_NONE && column->type != TIMEOID))
		return 0;
	feature = &schema->features[column->feature[0]];
	if (kind->unit > 0)
		return kind->unit;
	return feature->lane == GS_LANE_INT ?
		pow(10, -(kind->scaled ? column->codec.scale : feature->scale)) : 1;
}

/*
 * Where the value at a place of the row is on the axis of a column.  Returns
 * false if it is nowhere.
 */
static bool
position_of(const GsRules *rules, int place, const GsColumn *axis, double *at)
{
	const GsSchema *schema = rules->sampler->schema;
	const GsColumn *column = &schema->columns[rules->column[place]];
	double		unit = unit_of(schema, column);
	GsCodec		codec = column->codec;
	const GsFeature *feature;
	GsPart		parts[GS_MAX_PARTS];
	GsScalar	below;
	GsScalar	above;

	if (rules->nulls[place] || unit == 0 ||
		codec.kind->axis != axis->codec.kind->axis ||
		(codec.kind->axis == GS_AXIS_NONE && column->type != axis->type))
		return false;
	feature = &schema->features[column->feature[0]];
	gs_codec_split(&codec, rules->values[place], parts);
	gs_part_scalars(feature, &parts[0], &below, &above);
	if (gs_scalar_is_special(&codec.part[0], feature->lane, below))
		return false;
	*at = feature->lane == GS_LANE_FLOAT ? below.f : below.i * unit;
	return isfinite(*at);
}

/*
 * Puts the value of a column at a place of the row, as near to a position as its
 * units allow, or in the next one up or down.  Returns its position; NAN if the
 * type does not hold it.
 */
static double
put(GsRules *rules, int place, double at, int up)
{
	const GsSchema *schema = rules->sampler->schema;
	const GsColumn *column = &schema->columns[rules->column[place]];
	const GsFeature *feature = &schema->features[column->feature[0]];
	double		unit = unit_of(schema, column);
	GsCodec		codec = column->codec;
	GsPart		part = {.lane = feature->lane,.scale = feature->scale,
	.min_scale = feature->min_scale};

	if (feature->lane == GS_LANE_FLOAT)
		part.scalar.f = up == 0 ? at : nextafter(at, up * INFINITY);
	else
	{
		double		count = rint(at / unit) + up;

		if (!(count >= (double) codec.part[0].min &&
			  count <= (double) codec.part[0].max) || fabs(count) > 0x1.0p62)
			return NAN;
		part.scalar.i = (int64) count;
		at = count * unit;
	}
	rules->values[place] = gs_codec_join(&codec, &part);
	return at;
}

/*
 * How many conditions the row fails: of all, or of those about a column, if
 * that is not -1.
 */
static int
count_failed(GsRules *rules, int column)
{
	int			failed = 0;

	(void) gs_rules_show_row(rules, 0);
	for (int r = 0; r < rules->nrules; r++)
	{
		const GsRule *rule = &rules->rules[r];

		if (rule->idle ||
			(gs_rule_is_found(rule) && !gs_rule_is_order(rule)) ||
			(column >= 0 && !bms_is_member(column, rule->columns)))
			continue;
		failed += !ExecCheck(rule->state, rules->econtext);
	}
	ResetExprContext(rules->econtext);
	return failed;
}

/*
 * Moves the value at a place to where all conditions of its column hold, or
 * leaves it.
 */
static void
move_value(Settling *settling, int place)
{
	GsRules    *rules = settling->rules;
	int			c = rules->column[place];
	const GsColumn *column = &rules->sampler->schema->columns[c];
	Datum		own = rules->values[place];
	double		low = INFINITY;
	double		high = -INFINITY;
	double		from;
	double		at;

	if (!position_of(rules, place, column, &from) ||
		count_failed(rules, c) == 0)
		return;
	for (int i = 0; i < rules->ncolumns; i++)
	{
		if (i == place || !position_of(rules, i, column, &at))
			continue;
		for (int up = -1; up <= 1; up++)
		{
			double		there = put(rules, place, at, up);

			if (isnan(there) || count_failed(rules, c) > 0)
				continue;
			low = Min(low, there);
			high = Max(high, there);
		}
	}
	for (int draw = 0; draw < MAX_DRAWS && low < high; draw++)
	{
		(void) put(rules, place, low + (high - low) *
				   gs_random_uniform(&settling->random), 0);
		if (count_failed(rules, c) == 0)
			return;
	}
	rules->values[place] = own;
	if (low <= high)
		(void) put(rules, place, from < low ? low : high, 0);
}

static void
settle_row(void *arg)
{
	Settling   *settling = arg;
	GsRules    *rules = settling->rules;

	for (int pass = 0; pass < MAX_PASSES && !settling->met; pass++)
	{
		for (int i = 0; i < rules->ncolumns; i++)
			if (rules->known[rules->column[i]].values == NULL)
				move_value(settling, i);
		settling->met = count_failed(rules, -1) == 0;
	}
}

/* Keeps the values of the row that was settled. */
static void
keep_row(GsRules *rules, int row)
{
	MemoryContext old = MemoryContextSwitchTo(rules->moved_context);

	for (int i = 0; i < rules->ncolumns; i++)
	{
		Size		cell = (Size) row * rules->ncolumns + i;
		int16		length;
		bool		byval;

		get_typlenbyval(rules->sampler->schema->columns[rules->column[i]].type,
						&length, &byval);
		rules->moved_nulls[cell] = rules->nulls[i];
		rules->moved[cell] = rules->nulls[i] ? (Datum) 0 :
			gs_datum_copy(rules->values[i], byval, length);
	}
	rules->settled[row] = true;
	MemoryContextSwitchTo(old);
}

/*
 * gs_rules_settle: lets rows that are known in part be settled.  To be called
 * after gs_rules_know; whoever decodes rows then calls gs_rules_take_settled.
 */
void
gs_rules_settle(GsRules *rules)
{
	Size		cells = (Size) GS_BATCH * rules->ncolumns;

	rules->moved = palloc(sizeof(Datum) * cells);
	rules->moved_nulls = palloc(cells);
	rules->settled = palloc0(GS_BATCH);
	rules->moved_context = AllocSetContextCreate(CurrentMemoryContext,
												 "gensynth settled rows",
												 ALLOCSET_SMALL_SIZES);
}

/*
 * gs_rules_settle_rows: settles the rows of a batch that are refused, as far as
 * that goes.  Returns how many of so many are left.
 */
int
gs_rules_settle_rows(GsRules *rules, const GsBatch *batch, int left)
{
	int			level;

	MemoryContextReset(rules->moved_context);
	memset(rules->settled, false, GS_BATCH);
	if (left == 0)
		return 0;
	level = gs_fix_styles();
	for (int row = 0; row < rules->n; row++)
	{
		Settling	settling = {.rules = rules};
		MemoryContext old;

		if (!rules->refused[row])
			continue;
		gs_random_start(&settling.random, batch->key, gs_batch_row(batch, row),
						GS_STREAM_SETTLE);
		gs_rules_decode(rules, batch, row, row + 1);
		old = MemoryContextSwitchTo(rules->context);
		if (gs_condition_try(settle_row, &settling, &rules->error) &&
			settling.met)
		{
			keep_row(rules, row);
			rules->refused[row] = false;
			left--;
		}
		MemoryContextSwitchTo(old);
		ResetExprContext(rules->econtext);
	}
	gs_end_settings(level);
	return left;
}

/*
 * gs_rules_show_settled: puts the values of the rows that were settled, from to
 * to - 1, in the place of those that were decoded.
 */
void
gs_rules_show_settled(GsRules *rules, int from, int to)
{
	Size		n = rules->ncolumns;

	for (int row = from; row < to; row++)
	{
		if (!rules->settled[row])
			continue;
		memcpy(rules->values + (row - from) * n, rules->moved + row * n,
			   sizeof(Datum) * n);
		memcpy(rules->nulls + (row - from) * n, rules->moved_nulls + row * n, n);
	}
}

/*
 * gs_rules_take_settled: puts a column's values in rows that were settled in
 * the place of those that were decoded: the first n of the batch.  They live
 * until the next one.
 *
 * column: one that no condition sets.
 */
void
gs_rules_take_settled(const GsRules *rules, int column, int n, GsRows rows)
{
	for (int i = 0; i < rules->ncolumns; i++)
	{
		if (rules->column[i] != column)
			continue;
		for (int row = 0; row < n; row++)
		{
			Size		cell = (Size) row * rules->ncolumns + i;

			if (!rules->settled[row])
				continue;
			rows.values[row * rows.stride] = rules->moved[cell];
			rows.nulls[row * rows.stride] = rules->moved_nulls[cell];
		}
	}
}
