/*
 * sequence_learn.c
 *	  Rows of an owner, one after the other: what is drawn, and where from.  See
 *	  sequence_fit.c.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/sequence_fit.h"

#define FEW_LEVELS		24		/* are told by a tree without copying */
#define MIN_SAME		0.05	/* share of rows with the last one's value ... */
#define MIN_LIFT		2.0		/* ... and times as many as by chance */
#define CLOSER			0.5		/* of the spread, that differences have */
#define RISING			0.995	/* share of differences that are no less than 0 */
#define MIN_RISES		50		/* rows, that show that all do */
#define LONG			50		/* rows of an owner, of many */

/* ------------------------------------------------------------- positions */

/*
 * Whether a feature is known for every row before any is drawn.
 */
static bool
is_known(const SequenceFit *fit, int f)
{
	const GsColumn *columns = fit->context->schema->columns;

	return fit->encoded->context[f] &&
		columns[fit->encoded->features[f].column].looked_up_by == NULL;
}

static void
add_position(SequenceFit *fit, int f)
{
	const GsEncoded *encoded = fit->encoded;
	const GsFeature *feature = &encoded->features[f];
	Drawn	   *drawn = &fit->drawn[fit->n];
	GsKept	   *kept = &fit->kept[fit->n];
	TreePosition  axis = {.feature = f};

	drawn->feature = f;
	drawn->owner = drawn->key = drawn->base = -1;
	drawn->number = axis.number = feature->kind == GS_FEATURE_NUMBER;
	axis.nvalues = drawn->number ? feature->quantile.nsegments :
		feature->nlevels;
	gs_tree_init_axis(&drawn->own, drawn->number ? encoded->segment[f] :
					  encoded->bin[f], encoded->nrows,
					  drawn->number ? feature : NULL, feature->nlevels);
	drawn->own.alike = encoded->rank[f];
	gs_tree_encode_axis(&drawn->own, encoded->nrows);
	drawn->source.feature = feature;
	drawn->source.segment = encoded->segment[f];
	drawn->source.within = encoded->within[f];
	(void) gs_value_scale(fit->context->schema, feature, &drawn->source.unit);
	kept->kept = !is_known(fit, f);
	kept->number = drawn->number;
	kept->nlevels = drawn->number ? 0 : feature->nlevels;
	kept->counted = kept->kept && !kept->number &&
		kept->nlevels <= GS_SEQUENCE_LEVELS;
	kept->code = drawn->own.code_of;
	kept->missing = (uint8) (drawn->own.ncodes - 1);
	drawn->measured = kept->kept && drawn->number &&
		gs_tree_load_axis(&axis, fit->context->schema);
	if (drawn->measured)
		drawn->value = gs_sequence_alloc(fit->nrows, sizeof(double));
	for (uint32 row = 0; row < fit->nrows && drawn->measured; row++)
		drawn->value[row] = drawn->own.value[row] == GS_MISSING ? NAN :
			gs_value_at(feature, drawn->source.unit, drawn->own.value[row],
						drawn->source.within[row] / 65535.0);
	fit->n++;
}

/*
 * The share of the changes from row to row of an owner that are no less than
 * 0; 0 where there are hardly any.
 */
static double
rising_share(const SequenceFit *fit, const Drawn *drawn)
{
	uint32		n = 0;
	uint32		rises = 0;

	for (uint32 row = 1; row < fit->nrows; row++)
		if (!fit->begins[row] && !isnan(drawn->value[row]) &&
			!isnan(drawn->value[row - 1]))
		{
			n++;
			rises += drawn->value[row] >= drawn->value[row - 1];
		}
	return n > fit->nrows / 4 ? (double) rises / n : 0;
}

/*
 * Whether a category's levels, which stand for numbers, never fall from row to
 * row of an owner.
 */
static GsRising
find_rising(const SequenceFit *fit, const Drawn *drawn)
{
	const GsFeature *feature = drawn->source.feature;
	const uint16 *value = drawn->own.value;
	uint32		n = 0;
	uint32		same = 0;

	if (drawn->number || feature->lane == GS_LANE_TEXT ||
		feature->part < 0 || feature->other_level >= 0 ||
		feature->null_level >= 0)
		return GS_RISING_NOT;
	for (uint32 row = 1; row < fit->nrows; row++)
	{
		int			order;

		if (fit->begins[row] || value[row] == GS_MISSING ||
			value[row - 1] == GS_MISSING)
			continue;
		order = gs_scalar_compare(feature->level[value[row]],
								  feature->level[value[row - 1]],
								  feature->lane);
		if (order < 0)
			return GS_RISING_NOT;
		n++;
		same += order == 0;
	}
	return n - same < MIN_RISES ? GS_RISING_NOT :
		same == 0 ? GS_RISING_ALWAYS : GS_RISING_NEVER_FALLS;
}

/*
 * Whether a feature's NULLs, and those of what it is learned from, have
 * positions already.
 */
static bool
may_come(const SequenceFit *fit, int f, const bool *done)
{
	const GsSchema *schema = fit->context->schema;
	const GsFeature *feature = &schema->features[f];
	int			null = schema->columns[feature->column].null_feature;
	int			base_null[GS_MAX_BASES + 1];
	int			base_code[GS_MAX_BASES + 1];
	int			n;

	if (feature->part < 0)
		return true;
	if (null >= 0 && !done[null])
		return false;
	n = gs_layout_nulls(schema, feature->column, base_null, base_code);
	for (int b = 0; b < n; b++)
		if (base_null[b] >= 0 && !done[base_null[b]])
			return false;
	return true;
}

/*
 * Positions, what is known first, then columns in the order of the table.
 */
static void
collect_positions(SequenceFit *fit)
{
	const GsEncoded *encoded = fit->encoded;
	int			n = Max(encoded->nfeatures, 1);
	bool	   *done = palloc0(n);
	bool		more = true;

	fit->drawn = palloc0(sizeof(Drawn) * n);
	fit->kept = palloc0(sizeof(GsKept) * n);
	for (int f = 0; f < encoded->nfeatures; f++)
		done[f] = encoded->determined[f] &&
			encoded->features[f].part >= 0;
	/* of each column what its value depends on first: NULL, exceptions */
	for (int known = 1; known >= 0; known--)
		for (more = true; more;)
		{
			more = false;
			for (int c = 0; c < fit->context->schema->nall; c++)
				for (int value = 0; value < 2; value++)
					for (int f = 0; f < encoded->nfeatures; f++)
					{
						const GsFeature *feature = &encoded->features[f];

						if (done[f] || feature->column != c ||
							is_known(fit, f) != (known == 1) ||
							(feature->part >= 0 &&
							 feature->part < GS_MAX_PARTS) != (value == 1) ||
							!may_come(fit, f, done))
							continue;
						CHECK_FOR_INTERRUPTS();
						add_position(fit, f);
						done[f] = more = true;
						fit->nknown += known;
					}
		}
	pfree(done);
}

static int
column_of(const SequenceFit *fit, int p)
{
	return fit->encoded->features[fit->drawn[p].feature].column;
}

/*
 * What rises from row to row, as time does, is drawn before all else.
 */
static void
put_time_first(SequenceFit *fit)
{
	int			n = fit->n;
	Drawn	   *drawn = palloc(sizeof(Drawn) * Max(n, 1));
	GsKept	   *kept = palloc(sizeof(GsKept) * Max(n, 1));
	int			time = -1;
	int			to = fit->nknown;

	for (int p = fit->nknown; p < n && time < 0; p++)
		if (fit->drawn[p].measured && fit->encoded->features[fit->drawn[p].feature].part >= 0 &&
			fit->context->schema->columns[column_of(fit, p)].layout == NULL &&
			rising_share(fit, &fit->drawn[p]) > RISING)
			time = column_of(fit, p);
	memcpy(drawn, fit->drawn, sizeof(Drawn) * n);
	memcpy(kept, fit->kept, sizeof(GsKept) * n);
	for (int rest = 0; rest < 2; rest++)
		for (int p = fit->nknown; p < n; p++)
		{
			int			column = fit->encoded->features[drawn[p].feature].column;

			if ((column != time) != (rest == 1))
				continue;
			fit->drawn[to] = drawn[p];
			fit->kept[to++] = kept[p];
		}
	pfree(drawn);
	pfree(kept);
}

/* --------------------------------------------------------------- lookups */

/*
 * The position of the values that a column is looked up by; -1: there are none,
 * or what is drawn there may be no value of the source.
 */
static int
key_position(const SequenceFit *fit, const char *name)
{
	const GsSchema *schema = fit->context->schema;

	for (int p = fit->nknown; p < fit->n; p++)
	{
		const Drawn *drawn = &fit->drawn[p];
		const GsFeature *feature = drawn->source.feature;
		const GsColumn *column = &schema->columns[feature->column];
		const GsQuantile *q = &feature->quantile;

		if (strcmp(column->name, name) != 0 || feature->part != 0 ||
			column->codec.nparts > 1 || column->layout != NULL ||
			feature->other_level >= 0)
			continue;
		for (int s = 0; drawn->number && s < q->nsegments; s++)
			if (gs_scalar_compare(q->low[s], q->high[s], feature->lane) != 0)
				return -1;
		return drawn->number && !drawn->measured ? -1 : p;
	}
	return -1;
}

/*
 * What is looked up by the value of another position, and what it is then.
 */
static void
find_lookups(SequenceFit *fit)
{
	for (int p = fit->nknown; p < fit->n; p++)
	{
		Drawn	   *drawn = &fit->drawn[p];
		const char *key = fit->context->schema->columns[column_of(fit, p)].looked_up_by;
		int			q = key == NULL ? -1 : key_position(fit, key);
		int			nvalues = q < 0 ? 0 : fit->drawn[q].own.nvalues;
		bool	   *seen = palloc0(nvalues + 1);

		if (q < 0 || q >= p)
			continue;
		drawn->key = q;
		fit->kept[p].kept = fit->kept[p].counted = false;
		drawn->lookup = palloc(sizeof(double) * (nvalues + 1));
		for (int v = 0; v <= nvalues; v++)
			drawn->lookup[v] = NAN;
		for (uint32 row = 0; row < fit->nrows; row++)
		{
			uint16		by = fit->drawn[q].own.value[row];
			uint16		value = drawn->own.value[row];
			int			at = by == GS_MISSING ? nvalues : by;

			if (seen[at])
				continue;
			seen[at] = true;
			if (value != GS_MISSING)
				drawn->lookup[at] = drawn->measured ? drawn->value[row] :
					drawn->number ? value + drawn->source.within[row] / 65536.0 :
					value;
		}
		pfree(seen);
	}
}

/* ----------------------------------------------------------- differences */

/*
 * gs_sequence_spread: the mean distance of numbers from their mean, in groups
 * by code.
 *
 * value: [n] NaN: does not count; group: [n] codes; NULL: all are one
 */
double
gs_sequence_spread(const double *value, const uint8 *group, uint32 n)
{
	double		sum[GS_TREE_CODES] = {0};
	double		count[GS_TREE_CODES] = {0};
	double		off = 0;
	double		all = 0;

	for (uint32 row = 0; row < n; row++)
		if (!isnan(value[row]))
		{
			sum[group == NULL ? 0 : group[row]] += value[row];
			count[group == NULL ? 0 : group[row]]++;
			all++;
		}
	for (uint32 row = 0; row < n; row++)
		if (!isnan(value[row]))
		{
			int			g = group == NULL ? 0 : group[row];

			off += fabs(value[row] - sum[g] / count[g]);
		}
	return all > 0 ? off / all : 0;
}

/*
 * Numbers of rows that are not their owner's first, by the rows before them:
 * values, or changes.
 *
 * next: [nrows] NaN where there is none
 */
static void
gather_next(const SequenceFit *fit, const Drawn *drawn, bool change,
			double *next)
{
	for (uint32 row = 1; row < fit->nrows; row++)
	{
		double		last = drawn->value[row - 1];

		next[row - 1] = fit->begins[row] || isnan(last) ? NAN :
			drawn->value[row] - (change ? last : 0);
	}
	next[fit->nrows - 1] = NAN;
}

/*
 * Whether owners have many rows: then one that went astray must not jump back.
 */
static bool
is_long(const SequenceFit *fit)
{
	uint32		nowners = 0;

	for (uint32 row = 0; row < fit->nrows; row++)
		nowners += fit->begins[row];
	return fit->nrows > LONG * nowners;
}

/*
 * Finds out whether a number is told by what it adds to that of the last row:
 * where that lies closer than the last row's codes tell, never falls, or goes on
 * smoothly for long.
 */
static void
find_shift(SequenceFit *fit, Drawn *drawn)
{
	GsShiftSource last = drawn->source;
	double	   *next = gs_sequence_alloc(fit->nrows, sizeof(double));
	double		change;
	double		by_code;
	double		plain;
	uint16	   *segment;
	uint16	   *within;
	uint16	   *shift;

	gather_next(fit, drawn, true, next);
	change = gs_sequence_spread(next, NULL, fit->nrows);
	gather_next(fit, drawn, false, next);
	by_code = gs_sequence_spread(next, drawn->own.code, fit->nrows);
	plain = gs_sequence_spread(next, NULL, fit->nrows);
	pfree(next);
	if (change >= CLOSER * by_code &&
		(change >= CLOSER * plain ||
		 (rising_share(fit, drawn) <= RISING && !is_long(fit))))
		return;
	segment = gs_sequence_alloc(fit->nrows, sizeof(uint16));
	within = gs_sequence_alloc(fit->nrows, sizeof(uint16));
	shift = gs_sequence_alloc(fit->nrows, sizeof(uint16));
	for (uint32 row = 0; row < fit->nrows; row++)
	{
		segment[row] = fit->begins[row] ? GS_MISSING :
			drawn->source.segment[row - 1];
		within[row] = fit->begins[row] ? 0 : drawn->source.within[row - 1];
	}
	last.segment = segment;
	last.within = within;
	if (gs_shift_learn(&drawn->source, &last, fit->nrows,
					   fit->context->rare_threshold, &drawn->shift_feature,
					   shift))
	{
		gs_tree_init_axis(&drawn->shift, shift, fit->nrows,
						  &drawn->shift_feature, 0);
		gs_tree_encode_axis(&drawn->shift, fit->nrows);
	}
	pfree(segment);
	pfree(within);
}

/*
 * The chance that two rows have the same value.
 */
static double
chance_same(const Axis *axis)
{
	double		n = 0;
	double		sum = 0;

	for (int v = 0; v < axis->nvalues; v++)
		n += axis->count[v];
	for (int v = 0; v < axis->nvalues; v++)
		sum += axis->count[v] / n * (axis->count[v] / n);
	return n > 0 ? sum : 1;
}

/*
 * The level that the owner's column stands for in a row; -1: none.
 */
static int
owner_level(const Drawn *known, const int16 *match, uint32 row)
{
	return known->own.value[row] == GS_MISSING ? -1 :
		match[known->own.value[row]];
}

/*
 * The owner's column that has the same text in most rows.
 *
 * least: rows; match: set to its levels' levels of the position's own
 */
static int
find_owner(const SequenceFit *fit, int p, double least, int16 **match)
{
	const Drawn *drawn = &fit->drawn[p];
	int			best = -1;

	if (drawn->number || drawn->source.feature->text == NULL)
		return -1;
	for (int q = 0; q < p; q++)
	{
		const Drawn *known = &fit->drawn[q];
		int16	   *levels;
		uint32		n = 0;

		if (fit->kept[q].kept || known->number || known->source.feature->text == NULL)
			continue;
		CHECK_FOR_INTERRUPTS();
		levels = gs_sequence_match(drawn->source.feature,
								   known->source.feature);
		for (uint32 row = 0; row < fit->nrows; row++)
			n += drawn->own.value[row] != GS_MISSING &&
				owner_level(known, levels, row) == drawn->own.value[row];
		if (n > least)
		{
			least = n;
			best = q;
			*match = levels;
		}
	}
	return best;
}

/*
 * Finds the sources of a position's values, besides its trees: the last row's
 * value, and what came after that one before.
 */
static void
find_sources(SequenceFit *fit, int p)
{
	Drawn	   *drawn = &fit->drawn[p];
	const Axis *own = &drawn->own;
	GsMemory   *memory = gs_memory_create(&fit->kept[p], 1, -1, 1);
	double		least = Max(MIN_SAME, MIN_LIFT * chance_same(own)) * fit->nrows;
	uint32		count[GS_SOURCES] = {0};
	int			nsources = 0;
	int16	   *match = NULL;

	drawn->owner = find_owner(fit, p, least, &match);
	if ((own->nvalues <= FEW_LEVELS && drawn->owner < 0) ||
		drawn->shift.nvalues > 0 ||
		(drawn->number && !drawn->measured))
		return;
	drawn->taken = gs_sequence_alloc(fit->nrows, sizeof(uint16));
	for (uint32 row = 0; row < fit->nrows; row++)
	{
		int			value = own->value[row];
		GsShown		shown = {own->code[row], drawn->number ||
		value == GS_MISSING ? -1 : value, drawn->number ? drawn->value[row] : NAN};
		GsShown		last;

		drawn->taken[row] = GS_SOURCES;
		if (fit->begins[row])
			gs_memory_begin(memory, 0, 0);
		if (value == GS_MISSING)
			drawn->taken[row] = GS_MISSING;
		else if (drawn->owner >= 0 && value ==
				 owner_level(&fit->drawn[drawn->owner], match, row))
			drawn->taken[row] = GS_SOURCE_OWNER;
		else if (gs_memory_last(memory, 0, 0, &last) &&
				 (drawn->number ? last.value == shown.value :
				  last.level == shown.level))
			drawn->taken[row] = GS_SOURCE_LAST;
		else if (!drawn->number &&
				 gs_memory_successor(memory, 0, 0) == value)
			drawn->taken[row] = GS_SOURCE_SUCCESSOR;
		if (drawn->taken[row] < GS_SOURCES)
			count[drawn->taken[row]]++;
		gs_memory_add(memory, 0, &shown);
	}
	if (count[GS_SOURCE_LAST] < least && drawn->owner < 0)
		return;
	for (int s = 0; s < GS_SOURCES; s++)
		if (count[s] >= MIN_SAME / 4 * fit->nrows)
			drawn->sources |= 1 << s;
	for (int s = 0; s <= GS_SOURCES; s++)
	{
		bool		is_source = s < GS_SOURCES && (drawn->sources >> s & 1);

		for (uint32 row = 0; row < fit->nrows; row++)
			if (drawn->taken[row] == s)
				drawn->taken[row] = (uint16) (is_source ? nsources :
											  UINT16_MAX - 1);
		nsources += is_source;
	}
	for (uint32 row = 0; row < fit->nrows; row++)
		if (drawn->taken[row] == UINT16_MAX - 1)
			drawn->taken[row] = (uint16) nsources;
	gs_tree_init_axis(&drawn->from, drawn->taken, fit->nrows, NULL,
					  nsources + 1);
	gs_tree_encode_axis(&drawn->from, fit->nrows);
}

/* ----------------------------------------------------------- natural keys */

static uint64
value_hash(const void *arg, int p, int64 row)
{
	const Drawn *drawn = &((const SequenceFit *) arg)->drawn[p];
	uint64		bits = drawn->own.value[row];

	if (bits == GS_MISSING || (!drawn->number &&
							   (int) bits == drawn->source.feature->null_level))
		return GS_HASH_NULL;
	if (drawn->measured)
		memcpy(&bits, &drawn->value[row], sizeof(bits));
	return bits;
}

static void
find_keys(SequenceFit *fit)
{
	bool	   *candidate = palloc0(Max(fit->n, 1));
	GsShownRows rows = {fit->n, fit->nrows, fit->begins, candidate, value_hash,
	fit};

	for (int p = fit->nknown; p < fit->n; p++)
	{
		const GsFeature *feature =
			&fit->encoded->features[fit->drawn[p].feature];

		/* what conditions set, or a key tells, is what it is */
		if (fit->context->schema->columns[feature->column].equated ||
			fit->drawn[p].key >= 0)
			continue;
		candidate[p] = feature->part >= 0 && feature->part < GS_MAX_PARTS &&
			(fit->kept[p].number ? fit->drawn[p].measured &&
			 feature->lane == GS_LANE_INT : fit->kept[p].nlevels > 2 &&
			 feature->other_level < 0);
	}
	fit->nkeys = gs_natural_keys_find(&rows, fit->key);
}

/*
 * gs_sequence_learn: positions, sources, questions and their answers, natural
 * keys.  Can be cancelled.
 */
void
gs_sequence_learn(SequenceFit *fit)
{
	collect_positions(fit);
	put_time_first(fit);
	find_lookups(fit);
	for (int p = fit->nknown; p < fit->n; p++)
	{
		if (fit->drawn[p].key >= 0)
			continue;
		if (fit->drawn[p].measured)
			find_shift(fit, &fit->drawn[p]);
		fit->drawn[p].rising = find_rising(fit, &fit->drawn[p]);
		if (fit->drawn[p].rising == GS_RISING_NOT)
			find_sources(fit, p);
	}
	gs_sequence_find_first(fit);
	gs_sequence_ask(fit);
	find_keys(fit);
}
