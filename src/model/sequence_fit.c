/*
 * sequence_fit.c
 *	  Rows of an owner, one after the other: fitting.  See sequence.c.
 *
 *	1. Features become positions: those that are known, then those to be drawn,
 *	   time before all else.
 *	2. The rows are gone through in order, owner by owner, and what a row may
 *	   ask of those before becomes codes.
 *	3. Each position gets its trees.  They depend on the data alone: threads
 *	   take them one by one, and touch nothing of PostgreSQL's.
 */
#include "postgres.h"

#include <math.h>
#include <pthread.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/ipc.h"

#include "learn/quantile.h"
#include "model/model.h"
#include "model/sequence.h"
#include "model/tree_fit.h"
#include "nn/pool.h"

#define MAX_DEPTH		40
#define MAX_LEAVES		4096
#define MIN_LEAF		10
#define ENOUGH_LEAF		50		/* rows of a leaf, where there are many */
#define LEAVES			500		/* of few rows, so many */
#define PRIOR			0.25	/* rows that pull a leaf to its parent: what is
								 * wrong in one row is so in those after it */
#define MAX_EDGES		250		/* codes of what is measured */
#define EDGE_ROWS		20000	/* that edges are taken from */
#define MAX_PREDICTORS	128		/* that a tree may ask for */
#define POLL_MICROSECONDS 2000

#define FEW_LEVELS		24		/* are told by a tree without copying */
#define MIN_SAME		0.05	/* share of rows with the last one's value ... */
#define MIN_LIFT		2.0		/* ... and times as many as by chance */
#define CLOSER			0.5		/* of the spread, that differences have */
#define RISING			0.995	/* share of differences that are no less than 0 */
#define MIN_RISES		50		/* rows, that show that all do */
#define MIN_CHANGES		0.1		/* share of rows in another group than the last */

/* A feature while its trees are fitted. */
typedef struct Drawn
{
	int			feature;
	bool		number;
	bool		measured;		/* its values can be subtracted */
	Axis		own;
	GsShiftSource source;
	double	   *value;			/* [nrows] NaN: none; of what is measured */
	uint16	   *taken;			/* [nrows] where a value comes from; NULL: there
								 * is one source */
	int			sources;		/* bits */
	GsRising	rising;
	Axis		from;			/* the same as levels */
	GsFeature	shift_feature;
	Axis		shift;			/* from the last row; nvalues 0: none */
} Drawn;

/* A tree to be fitted. */
typedef struct Job
{
	int			position;
	Axis	   *axis;
	bool		number;
	uint32	   *row;			/* [n], those to learn from */
	uint32		n;
	uint32		nowners;		/* whose rows these are */
	int			nasks;
	int		   *ask;			/* [nasks] that it may ask for */
	GsTree		tree;
} Job;

typedef struct SequenceFit
{
	GsFitContext *context;
	const GsEncoded *encoded;
	uint32		nrows;
	const bool *begins;			/* [nrows] an owner's first row */
	int			n;
	int			nknown;
	Drawn	   *drawn;			/* [n] */
	GsKept	   *kept;			/* [n] */
	int			group;			/* position that rows are grouped by; -1: none */
	int			nasks;
	int			room;
	GsAsk	   *ask;			/* [room] */
	uint8	  **code;			/* [room][nrows] */
	int		   *ncodes;			/* [room] */
	bool	   *ordered;		/* [room] */
	int			nkeys;
	GsNaturalKey key[GS_SEQUENCE_MAX_KEYS];
	Job		   *job;			/* [n][GS_SEQUENCE_TREES], n 0: none */
	atomic_int	next;			/* jobs before are not taken yet */
	atomic_int	running;		/* threads */
	atomic_bool cancel;
	atomic_bool failed;			/* for want of memory */
} SequenceFit;

static void *
huge(Size n, Size element)
{
	return palloc_extended(Max(n, 1) * element, MCXT_ALLOC_HUGE);
}

/* ------------------------------------------------------------- positions */

static void
add_position(SequenceFit *fit, int f)
{
	const GsEncoded *encoded = fit->encoded;
	const GsFeature *feature = &encoded->features[f];
	Drawn	   *drawn = &fit->drawn[fit->n];
	GsKept	   *kept = &fit->kept[fit->n];
	TreePosition  axis = {.feature = f};

	drawn->feature = f;
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
	kept->kept = !encoded->context[f];
	kept->number = drawn->number;
	kept->nlevels = drawn->number ? 0 : feature->nlevels;
	kept->counted = kept->kept && !kept->number &&
		kept->nlevels <= GS_SEQUENCE_LEVELS;
	kept->code = drawn->own.code_of;
	kept->missing = (uint8) (drawn->own.ncodes - 1);
	drawn->measured = kept->kept && drawn->number &&
		gs_tree_load_axis(&axis, fit->context->schema);
	if (drawn->measured)
		drawn->value = huge(fit->nrows, sizeof(double));
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
							encoded->context[f] != (known == 1) ||
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

/* ----------------------------------------------------------- differences */

/*
 * The mean distance from the mean, of groups of rows: group NULL: all are one.
 */
static double
spread(const SequenceFit *fit, const Drawn *drawn, bool change,
	   const uint8 *group)
{
	double		sum[GS_TREE_CODES] = {0};
	double		n[GS_TREE_CODES] = {0};
	double		off = 0;
	double		all = 0;

	for (int pass = 0; pass < 2; pass++)
		for (uint32 row = 1; row < fit->nrows; row++)
		{
			double		value = drawn->value[row];
			int			g = group == NULL ? 0 : group[row - 1];

			if (fit->begins[row] || isnan(value) ||
				isnan(drawn->value[row - 1]))
				continue;
			value -= change ? drawn->value[row - 1] : 0;
			if (pass == 0)
			{
				sum[g] += value;
				n[g]++;
				all++;
			}
			else
				off += fabs(value - sum[g] / n[g]);
		}
	return all > 0 ? off / all : 0;
}

/*
 * Finds out whether a number is told by what it adds to that of the last row:
 * where that lies closer than the last row's codes tell, or never falls.
 */
static void
find_shift(SequenceFit *fit, Drawn *drawn)
{
	GsShiftSource last = drawn->source;
	double		change = spread(fit, drawn, true, NULL);
	uint16	   *segment;
	uint16	   *within;
	uint16	   *shift;

	if (change >= CLOSER * spread(fit, drawn, false, drawn->own.code) &&
		(change >= CLOSER * spread(fit, drawn, false, NULL) ||
		 rising_share(fit, drawn) <= RISING))
		return;
	segment = huge(fit->nrows, sizeof(uint16));
	within = huge(fit->nrows, sizeof(uint16));
	shift = huge(fit->nrows, sizeof(uint16));
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

	if (own->nvalues <= FEW_LEVELS || drawn->shift.nvalues > 0 ||
		(drawn->number && !drawn->measured))
		return;
	drawn->taken = huge(fit->nrows, sizeof(uint16));
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
	if (count[GS_SOURCE_LAST] < least)
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

/* ------------------------------------------------------------- questions */

static void
add_ask(SequenceFit *fit, GsAskKind kind, int p, int level)
{
	int			a = fit->nasks++;

	if (a == fit->room)
	{
		fit->room = Max(2 * fit->room, 64);
		fit->ask = a == 0 ? palloc(sizeof(GsAsk) * fit->room) :
			repalloc(fit->ask, sizeof(GsAsk) * fit->room);
	}
	fit->ask[a] = (GsAsk) {kind, p, level, 0, NULL};
}

/*
 * The category of few levels that varies most among the rows of an owner, as
 * a rule: positions, kinds of payments.
 */
static int
find_group(const SequenceFit *fit)
{
	double		most = MIN_CHANGES * fit->nrows;
	int			best = -1;

	for (int p = fit->nknown; p < fit->n; p++)
	{
		const uint16 *value = fit->drawn[p].own.value;
		double		changes = 0;

		if (!fit->kept[p].counted || fit->kept[p].nlevels < 3 ||
			fit->kept[p].nlevels > GS_SEQUENCE_GROUPS)
			continue;
		for (uint32 row = 1; row < fit->nrows; row++)
			changes += !fit->begins[row] && value[row] != value[row - 1];
		if (changes > most)
		{
			most = changes;
			best = p;
		}
	}
	return best;
}

static void
collect_asks(SequenceFit *fit)
{
	add_ask(fit, GS_ASK_SIBLINGS, 0, 0);
	add_ask(fit, GS_ASK_PLACE, 0, 0);
	add_ask(fit, GS_ASK_REMAINING, 0, 0);
	for (int p = 0; p < fit->n; p++)
	{
		const GsKept *kept = &fit->kept[p];
		bool		many = kept->counted && kept->nlevels > 2;

		add_ask(fit, GS_ASK_OWN, p, 0);
		if (!kept->kept)
			continue;
		add_ask(fit, GS_ASK_LAG, p, 0);
		add_ask(fit, GS_ASK_FIRST, p, 0);
		if (fit->drawn[p].measured)
		{
			add_ask(fit, GS_ASK_MEAN, p, 0);
			add_ask(fit, GS_ASK_CHANGE, p, 0);
		}
		if (many)
		{
			add_ask(fit, GS_ASK_DISTINCT, p, 0);
			add_ask(fit, GS_ASK_SUCCESSOR, p, 0);
		}
		if (kept->number || kept->nlevels > 2)
			add_ask(fit, GS_ASK_RUN, p, 0);
		if (!kept->number && kept->nlevels > 2)
			add_ask(fit, GS_ASK_SAME, p, 0);
		if (fit->group >= 0 && p != fit->group)
			add_ask(fit, GS_ASK_BY, p, fit->group);
		for (int level = 0; kept->counted &&
			 kept->nlevels <= GS_SEQUENCE_SHARES &&
			 level < (many ? kept->nlevels : 1); level++)
			add_ask(fit, GS_ASK_SHARE, p, level);
	}
}

/*
 * What a row of the source shows.
 */
static void
show_row(const SequenceFit *fit, uint32 row, GsShown *shown)
{
	for (int p = fit->nknown; p < fit->n; p++)
	{
		const Drawn *drawn = &fit->drawn[p];
		uint16		value = drawn->own.value[row];

		shown[p] = (GsShown)
		{
			drawn->own.code[row],
				drawn->number || value == GS_MISSING ? -1 : value,
				drawn->measured ? drawn->value[row] : NAN
		};
	}
}

/*
 * Goes through the rows in order, and calls for each.
 */
static void
walk(const SequenceFit *fit, void (*visit) (const SequenceFit *fit,
											const GsMemory *memory, uint32 row,
											const GsShown *shown, void *arg),
	 void *arg)
{
	GsMemory   *memory = gs_memory_create(fit->kept, fit->n, fit->group, 1);
	GsShown    *shown = palloc0(sizeof(GsShown) * Max(fit->n, 1));

	for (uint32 row = 0; row < fit->nrows; row++)
	{
		if (fit->begins[row])
		{
			uint32		end = row + 1;

			CHECK_FOR_INTERRUPTS();
			while (end < fit->nrows && !fit->begins[end])
				end++;
			gs_memory_begin(memory, 0, end - row);
		}
		show_row(fit, row, shown);
		visit(fit, memory, row, shown, arg);
		gs_memory_add(memory, 0, shown);
	}
}

/* Samples of what asks are answered with. */
typedef struct Measures
{
	uint32		stride;
	int			n;
	float	  **value;			/* [nasks][EDGE_ROWS + 1] */
} Measures;

static void
measure(const SequenceFit *fit, const GsMemory *memory, uint32 row,
		const GsShown *shown, void *arg)
{
	Measures   *measures = arg;

	if (row % measures->stride != 0 || measures->n >= EDGE_ROWS)
		return;
	for (int a = 0; a < fit->nasks; a++)
		if (measures->value[a] != NULL)
			measures->value[a][measures->n] = (float)
				gs_memory_measure(memory, &fit->ask[a], 0,
								  &shown[gs_ask_subject(&fit->ask[a])]);
	measures->n++;
}

static int
by_value(const void *a, const void *b)
{
	float		x = *(const float *) a;
	float		y = *(const float *) b;

	return (x > y) - (x < y);
}

/*
 * Edges half way between the values of a sample, or their quantiles.
 */
static void
set_edges(GsAsk *ask, float *value, int n)
{
	double	   *edge = palloc(sizeof(double) * MAX_EDGES);
	int			kept = 0;
	int			distinct = 0;

	for (int i = 0; i < n; i++)
		if (!isnan(value[i]))
			value[kept++] = value[i];
	n = kept;
	qsort(value, n, sizeof(float), by_value);
	for (int i = 1; i < n; i++)
		distinct += value[i] > value[i - 1];
	kept = 0;
	for (int i = 1; i < n && kept < MAX_EDGES; i++)
		if (value[i] > value[i - 1] &&
			(distinct < MAX_EDGES ||
			 i >= (double) n * (kept + 1) / (MAX_EDGES + 1)))
		{
			double		middle = ((double) value[i] + value[i - 1]) / 2;

			if (kept == 0 || middle > edge[kept - 1])
				edge[kept++] = middle;
		}
	ask->edge = edge;
	ask->nedges = kept;
}

static void
answer(const SequenceFit *fit, const GsMemory *memory, uint32 row,
	   const GsShown *shown, void *arg)
{
	for (int a = 0; a < fit->nasks; a++)
		if (fit->ask[a].kind != GS_ASK_OWN)
			fit->code[a][row] = gs_memory_code(memory, &fit->ask[a], 0,
											   &shown[gs_ask_subject(&fit->ask[a])]);
}

/*
 * The codes of all that can be asked.
 */
static void
answer_asks(SequenceFit *fit)
{
	Measures	measures = {.stride = Max(1, fit->nrows / EDGE_ROWS)};

	measures.value = palloc0(sizeof(float *) * fit->nasks);
	for (int a = 0; a < fit->nasks; a++)
		if (gs_ask_is_measured(fit->ask[a].kind))
			measures.value[a] = palloc(sizeof(float) * EDGE_ROWS);
	walk(fit, measure, &measures);
	fit->code = palloc(sizeof(uint8 *) * fit->nasks);
	fit->ncodes = palloc(sizeof(int) * fit->nasks);
	fit->ordered = palloc(fit->nasks);
	for (int a = 0; a < fit->nasks; a++)
	{
		GsAsk	   *ask = &fit->ask[a];
		const Drawn *drawn = &fit->drawn[ask->position];

		if (measures.value[a] != NULL)
		{
			set_edges(ask, measures.value[a], measures.n);
			pfree(measures.value[a]);
		}
		fit->ordered[a] = measures.value[a] != NULL ||
			(drawn->number && ask->kind != GS_ASK_SAME);
		fit->ncodes[a] = ask->kind == GS_ASK_SAME ? 3 :
			gs_ask_is_measured(ask->kind) ? ask->nedges + 2 :
			drawn->own.ncodes;
		fit->code[a] = ask->kind == GS_ASK_OWN ? drawn->own.code :
			huge(fit->nrows, 1);
	}
	walk(fit, answer, NULL);
}

/* ----------------------------------------------------------- natural keys */

static uint64
value_hash(const void *arg, int p, int64 row)
{
	const Drawn *drawn = &((const SequenceFit *) arg)->drawn[p];
	uint64		bits = drawn->own.value[row];

	if (drawn->measured && bits != GS_MISSING)
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

		candidate[p] = feature->part >= 0 && feature->part < GS_MAX_PARTS &&
			(fit->kept[p].number ? fit->drawn[p].measured &&
			 feature->lane == GS_LANE_INT : fit->kept[p].nlevels > 2 &&
			 feature->other_level < 0);
	}
	fit->nkeys = gs_natural_keys_find(&rows, fit->key);
}

/* ----------------------------------------------------------------- trees */

/*
 * How much an ask tells by itself: see gs_tree_worth.  Rows of one owner are
 * not so many witnesses of what he is.
 */
static double
worth(const SequenceFit *fit, const Job *job, int a)
{
	return gs_tree_worth(fit->code[a], fit->ncodes[a], job->axis->class,
						 job->axis->nclasses, job->row, job->n,
						 job->n / GS_TREE_WORTH_ROWS + 1,
						 fit->ask[a].position < fit->nknown ?
						 job->nowners : INFINITY);
}

/*
 * Whether a tree must be able to ask for something, whatever that tells by
 * itself.
 */
static bool
must_ask(const GsAsk *ask, int p)
{
	return ask->kind < GS_ASK_LAG || ask->kind == GS_ASK_SAME ||
		ask->kind == GS_ASK_CHANGE ||
		(ask->position == p && ask->kind != GS_ASK_SHARE);
}

typedef struct Ranked
{
	int			ask;
	double		worth;
} Ranked;

static int
by_worth(const void *a, const void *b)
{
	double		x = ((const Ranked *) a)->worth;
	double		y = ((const Ranked *) b)->worth;

	return (x < y) - (x > y);
}

static int
by_number(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

/*
 * Chooses what a tree may ask for.
 */
static void
choose_asks(const SequenceFit *fit, Job *job)
{
	Ranked	   *ranked = palloc(sizeof(Ranked) * fit->nasks);
	int			n = 0;

	for (int a = 0; a < fit->nasks; a++)
	{
		const GsAsk *ask = &fit->ask[a];

		if (gs_ask_is_own(ask->kind) &&
			gs_ask_subject(ask) >= job->position)
			continue;
		ranked[n].ask = a;
		ranked[n].worth = must_ask(ask, job->position) ? INFINITY : 0;
		n++;
	}
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (ranked[i].worth == 0)
			ranked[i].worth = worth(fit, job, ranked[i].ask);
	}
	qsort(ranked, n, sizeof(Ranked), by_worth);
	job->nasks = Min(n, MAX_PREDICTORS);
	while (job->nasks > 0 && ranked[job->nasks - 1].worth < GS_TREE_WORTH)
		job->nasks--;
	job->ask = palloc(sizeof(int) * Max(job->nasks, 1));
	for (int i = 0; i < job->nasks; i++)
		job->ask[i] = ranked[i].ask;
	qsort(job->ask, job->nasks, sizeof(int), by_number);
	pfree(ranked);
}

/*
 * Where the value of a row's position comes from.
 */
static GsSequenceTree
tree_of(const SequenceFit *fit, const Drawn *drawn, uint32 row)
{
	if (drawn->from.nvalues > 0 &&
		drawn->taken[row] < drawn->from.nvalues - 1)
		return GS_TREE_SOURCE;
	return drawn->shift.nvalues > 0 &&
		drawn->shift.value[row] != GS_MISSING ? GS_TREE_SHIFT : GS_TREE_OWN;
}

/*
 * Rows of a leaf, of a tree that learns from n rows.
 */
static uint32
min_leaf(const SequenceFit *fit, uint32 n)
{
	const TreeOptions *options = fit->context->options;
	uint32		rows = options->min_leaf != GS_OPTION_IS_AUTO ?
		(uint32) options->min_leaf :
		Max(MIN_LEAF, Min(ENOUGH_LEAF, n / LEAVES));

	return Max(rows, n / MAX_LEAVES);
}

/*
 * The rows that a tree learns from; all that have a value, where there are too
 * few.
 */
static void
take_rows(const SequenceFit *fit, Job *job, GsSequenceTree tree)
{
	const Drawn *drawn = &fit->drawn[job->position];

	job->row = huge(fit->nrows, sizeof(uint32));
	for (int all = 0; all < 2 && job->n <= MIN_LEAF; all++)
	{
		bool		counted = false;

		job->n = job->nowners = 0;
		for (uint32 row = 0; row < fit->nrows; row++)
		{
			counted &= !fit->begins[row];
			if (job->axis->value[row] == GS_MISSING ||
				!(all || tree == GS_TREE_SOURCE ||
				  tree_of(fit, drawn, row) == tree))
				continue;
			job->row[job->n++] = row;
			job->nowners += !counted;
			counted = true;
		}
	}
}

static void
prepare_jobs(SequenceFit *fit)
{
	fit->job = palloc0(sizeof(Job) * GS_SEQUENCE_TREES * Max(fit->n, 1));
	for (int p = fit->nknown; p < fit->n; p++)
	{
		Drawn	   *drawn = &fit->drawn[p];
		Axis	   *axis[GS_SEQUENCE_TREES] = {
			drawn->from.nvalues > 0 ? &drawn->from : NULL,
			drawn->shift.nvalues > 0 ? &drawn->shift : NULL, &drawn->own
		};

		for (int t = 0; t < GS_SEQUENCE_TREES; t++)
		{
			Job		   *job = &fit->job[p * GS_SEQUENCE_TREES + t];

			job->position = p;
			job->axis = axis[t];
			job->number = t == GS_TREE_SHIFT ||
				(t == GS_TREE_OWN && drawn->number);
			if (job->axis == NULL)
				continue;
			take_rows(fit, job, t);
			choose_asks(fit, job);
		}
	}
}

/*
 * A tree of no rows: the first value, always.
 */
static bool
empty_tree(Job *job)
{
	Axis	   *axis = job->axis;

	job->tree.node = calloc(1, sizeof(GsTreeNode));
	axis->first = calloc(2, sizeof(int));
	axis->leaves.entry = calloc(1, sizeof(GsLeafEntry));
	if (job->tree.node == NULL || axis->first == NULL ||
		axis->leaves.entry == NULL)
		return false;
	job->tree.nnodes = 1;
	job->tree.node[0].predictor = -1;
	axis->first[1] = axis->leaves.n = 1;
	axis->leaves.entry[0].below = 1;
	return true;
}

/*
 * Fits one tree, in a thread.  Returns false if memory is out, or on cancel.
 */
static bool
fit_job(SequenceFit *fit, Job *job)
{
	const Axis *axis = job->axis;
	const uint8 *code[MAX_PREDICTORS];
	int			ncodes[MAX_PREDICTORS];
	bool		ordered[MAX_PREDICTORS];
	GsTreeTable table = {job->nasks, code, ncodes, ordered};
	GsTreeResponse response = {
		.gain = job->number ? GS_TREE_ORDINAL : GS_TREE_ENTROPY,
		.nclasses = axis->nclasses,.class = axis->class,
		.level = axis->nvalues > axis->nclasses && !job->number ?
		axis->value : NULL,
		.nlevels = axis->nvalues,.nrows = fit->nrows
	};
	GsTreeLimits limits = {
		/* what is equal to the last row's is asked for: no looking ahead */
		.min_leaf = min_leaf(fit, job->n),.max_depth = MAX_DEPTH,.worth = 0,
		.cancel = &fit->cancel
	};

	if (job->n == 0)
		return empty_tree(job);
	for (int i = 0; i < job->nasks; i++)
	{
		code[i] = fit->code[job->ask[i]];
		ncodes[i] = fit->ncodes[job->ask[i]];
		ordered[i] = fit->ordered[job->ask[i]];
	}
	job->tree.row = job->row;
	if (!gs_tree_grow(&table, &response, &limits, job->n, &job->tree))
		return false;
	gs_tree_prune(&job->tree, job->number ? GS_NUMBER_PRICE :
				  GS_CATEGORY_PRICE + GS_CLASS_PRICE * (axis->nclasses - 1));
	if (!gs_tree_fit_leaves(&job->tree, job->axis, PRIOR))
		return false;
	for (int at = 0; at < job->tree.nnodes; at++)
		if (job->tree.node[at].predictor >= 0)
			job->tree.node[at].predictor =
				job->ask[job->tree.node[at].predictor];
	return true;
}

/*
 * A thread: takes jobs, the last ones, which cost most, first.
 */
static void *
work(void *arg)
{
	SequenceFit *fit = arg;

	for (;;)
	{
		int			j = atomic_fetch_sub(&fit->next, 1) - 1;

		if (j < 0 || atomic_load(&fit->cancel))
			break;
		if (fit->job[j].axis != NULL && !fit_job(fit, &fit->job[j]))
		{
			atomic_store(&fit->failed, true);
			atomic_store(&fit->cancel, true);
		}
	}
	atomic_fetch_sub(&fit->running, 1);
	return NULL;
}

static void
free_jobs(SequenceFit *fit)
{
	for (int j = 0; j < fit->n * GS_SEQUENCE_TREES; j++)
	{
		Job		   *job = &fit->job[j];

		gs_tree_free(&job->tree);
		if (job->axis == NULL)
			continue;
		free(job->axis->first);
		free(job->axis->leaves.entry);
		job->axis->first = NULL;
		memset(&job->axis->leaves, 0, sizeof(GsLeafTable));
	}
}

/* Those that do the jobs. */
typedef struct Threads
{
	SequenceFit *fit;
	pthread_t  *thread;			/* [n] */
	int			n;
} Threads;

/*
 * On an error, or where the backend is told to exit: what they work on is let
 * go of next.
 */
static void
stop_threads(int code, Datum arg)
{
	Threads    *threads = (Threads *) DatumGetPointer(arg);

	atomic_store(&threads->fit->cancel, true);
	for (int i = 0; i < threads->n; i++)
		pthread_join(threads->thread[i], NULL);
	free_jobs(threads->fit);
}

static void
do_jobs(SequenceFit *fit)
{
	int			njobs = fit->n * GS_SEQUENCE_TREES;
	int			max = Min(Min(max_parallel_maintenance_workers + 1,
							  (int) sysconf(_SC_NPROCESSORS_ONLN)), njobs);
	Threads		threads = {.fit = fit};

	threads.thread = palloc(sizeof(pthread_t) * Max(max, 1));
	atomic_store(&fit->next, njobs);
	for (; threads.n < max; threads.n++)
	{
		atomic_fetch_add(&fit->running, 1);
		if (!gs_thread_start(&threads.thread[threads.n], work, fit))
		{
			atomic_fetch_sub(&fit->running, 1);
			break;
		}
	}
	PG_ENSURE_ERROR_CLEANUP(stop_threads, PointerGetDatum(&threads));
	{
		if (threads.n == 0 && njobs > 0)
			gs_model_no_thread();
		while (atomic_load(&fit->running) > 0)
		{
			gs_fit_progress(fit->context, "trees",
							njobs - Max(atomic_load(&fit->next), 0), njobs);
			pg_usleep(POLL_MICROSECONDS);
		}
	}
	PG_END_ENSURE_ERROR_CLEANUP(stop_threads, PointerGetDatum(&threads));
	for (int i = 0; i < threads.n; i++)
		pthread_join(threads.thread[i], NULL);
	if (atomic_load(&fit->failed))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed while trees were grown in threads."),
				 errhint("Learn from fewer rows, with the option \"max_rows\".")));
}

/* --------------------------------------------------------------- tensors */

static void
add_asks(const SequenceFit *fit, List **tensors)
{
	int32	   *asks = palloc(sizeof(int32) * 4 * Max(fit->nasks, 1));
	StringInfoData edges;

	initStringInfo(&edges);
	for (int a = 0; a < fit->nasks; a++)
	{
		const GsAsk *ask = &fit->ask[a];

		asks[4 * a] = ask->kind;
		asks[4 * a + 1] = ask->position;
		asks[4 * a + 2] = ask->level;
		asks[4 * a + 3] = ask->nedges;
		appendBinaryStringInfo(&edges, (const char *) ask->edge,
							   sizeof(double) * ask->nedges);
	}
	gs_tensor_add(tensors, "sequence/ask", GS_I4, 2, fit->nasks, 4, asks);
	gs_tensor_add(tensors, "sequence/edge", GS_F8, 1,
				  edges.len / sizeof(double), 0, edges.data);
}

static void
add_keys(const SequenceFit *fit, List **tensors)
{
	int32		keys[4 * GS_SEQUENCE_MAX_KEYS];

	for (int k = 0; k < fit->nkeys; k++)
		for (int i = 0; i < 4; i++)
			keys[4 * k + i] = i < fit->key[k].n ? fit->key[k].position[i] : -1;
	gs_tensor_add(tensors, "sequence/key", GS_I4, 2, fit->nkeys, 4, keys);
}

static void
add_tensors(const SequenceFit *fit, List **tensors)
{
	int32	   *positions = palloc(sizeof(int32) * 8 * Max(fit->n, 1));
	Flat		flat;

	gs_tree_init_flat(&flat);
	for (int p = 0; p < fit->n; p++)
	{
		const Drawn *drawn = &fit->drawn[p];
		const Job  *job = &fit->job[p * GS_SEQUENCE_TREES];
		int32	   *out = positions + 8 * (Size) p;

		CHECK_FOR_INTERRUPTS();
		out[0] = drawn->feature;
		out[1] = p < fit->nknown;
		for (int t = 0; t < GS_SEQUENCE_TREES; t++)
		{
			out[2 + t] = job[t].tree.nnodes;
			if (job[t].axis != NULL)
				gs_tree_flatten(&job[t].tree, job[t].axis, NULL, &flat);
		}
		out[5] = drawn->sources;
		out[6] = drawn->shift.nvalues;
		out[7] = drawn->rising;
		appendBinaryStringInfo(&flat.code, (char *) drawn->own.code_of,
							   drawn->own.nvalues);
		if (drawn->shift.nvalues > 0)
			gs_tree_flatten_shift(&drawn->shift, &drawn->shift_feature, &flat);
	}
	gs_tensor_add(tensors, "sequence/position", GS_I4, 2, fit->n, 8,
				  positions);
	gs_tree_flat_tensors(&flat, "sequence", tensors);
	add_asks(fit, tensors);
	add_keys(fit, tensors);
}

/*
 * gs_sequence_fit: see family.h and sequence.c.  context->begins says where
 * owners begin.  Errors: out_of_memory.
 */
void
gs_sequence_fit(GsFitContext *context)
{
	SequenceFit fit = {.context = context,.encoded = context->encoded,
		.nrows = (uint32) context->encoded->nrows,.begins = context->begins
	};
	List	   *volatile tensors = NIL;

	collect_positions(&fit);
	put_time_first(&fit);
	for (int p = fit.nknown; p < fit.n; p++)
	{
		if (fit.drawn[p].measured)
			find_shift(&fit, &fit.drawn[p]);
		fit.drawn[p].rising = find_rising(&fit, &fit.drawn[p]);
		if (fit.drawn[p].rising == GS_RISING_NOT)
			find_sources(&fit, p);
	}
	fit.group = find_group(&fit);
	collect_asks(&fit);
	answer_asks(&fit);
	find_keys(&fit);
	prepare_jobs(&fit);
	do_jobs(&fit);
	PG_TRY();
	{
		List	   *made = NIL;

		add_tensors(&fit, &made);
		tensors = made;
	}
	PG_FINALLY();
	{
		free_jobs(&fit);
	}
	PG_END_TRY();
	context->tensors = list_concat(context->tensors, tensors);
}
