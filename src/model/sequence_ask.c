/*
 * sequence_ask.c
 *	  Rows of an owner, one after the other: what trees may ask for, and the
 *	  answers for the rows that are learned from.  See sequence_fit.c.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/sequence_fit.h"

#define MAX_EDGES		250		/* codes of what is measured */
#define EDGE_ROWS		20000	/* that edges are taken from */
#define MIN_CHANGES		0.1		/* share of rows in another group than the last */

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
		if (fit->drawn[p].base >= 0)
		{
			add_ask(fit, GS_ASK_ABOVE, p, 0);
			add_ask(fit, GS_ASK_LAST_ABOVE, p, 0);
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
		for (int p = fit->nknown; p < fit->n; p++)
			if (fit->drawn[p].base >= 0)
				gs_memory_base(memory, 0, p,
							   gs_sequence_base_at(fit, p, row));
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
			gs_sequence_alloc(fit->nrows, 1);
	}
	walk(fit, answer, NULL);
}

/*
 * gs_sequence_ask: all that can be asked, and its codes.  Can be cancelled.
 */
void
gs_sequence_ask(SequenceFit *fit)
{
	fit->group = find_group(fit);
	collect_asks(fit);
	answer_asks(fit);
}
