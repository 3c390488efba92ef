/*
 * tree_leaf.c
 *	  Sequential trees: how many rows a leaf holds at least.
 *
 * Small leaves are closer to the source, and remember it.  So trees with
 * leaves of several sizes are grown on one half of random rows and tried on
 * the other: each column takes the smallest size that makes its values there
 * hardly less likely than any other does, but none takes one so small that the
 * rows that the model makes lie nearer to the half that it has learned from
 * than to the other, beyond a bound.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "model/model.h"
#include "model/tree_fit.h"
#include "numeric/philox.h"

#define MAX_LEARNED	8000			/* rows of a half */
#define ENOUGH_VALUES 60000		/* tables of fewer are halved several times ... */
#define MAX_HALVINGS 8			/* ... but no more than so often */
#define MADE		3			/* batches of rows that are made */
#define MAX_NEARER	0.57		/* of them, to the half that was learned */
#define SIZE_NEARER	0.015		/* more than with the largest leaves, if these
								 * are beyond it: sizes are not to blame */
#define MIN_LEAVES	10			/* that a tree can have, whatever the bound */

/* Rows of a leaf, from the least that is remembered. */
static const uint32 sizes[] = {100, 50, 25, 15, 10};

/* The rows in halves, and what they are compared by. */
typedef struct Halves
{
	Fit		   *fit;
	int			n;
	uint32	   *row[MAX_HALVINGS];	/* [2 fit->nrows] */
	GsTreeTable table;
	uint8		most;			/* distance of two codes */
	uint8	  **scaled;			/* [fit->n][GS_TREE_CODES] codes as compared */
} Halves;

/*
 * Random rows, those to learn from first.
 */
static uint32 *
halve_rows(const Fit *fit, int halving)
{
	int64		n = fit->encoded->nrows;
	uint32	   *row = palloc_extended(sizeof(uint32) * Max(n, 1),
									  MCXT_ALLOC_HUGE);
	GsRandom	random;

	gs_random_start(&random, fit->context->key, halving, GS_STREAM_LATENT);
	for (int64 i = 0; i < n; i++)
		row[i] = (uint32) i;
	for (int64 i = 0; i < 2 * (int64) fit->nrows; i++)
	{
		int64		j = i + gs_random_below(&random, (uint32) (n - i));
		uint32		swap = row[i];

		row[i] = row[j];
		row[j] = swap;
	}
	return row;
}

static Halves
make_halves(Fit *fit)
{
	int64		n = fit->encoded->nrows;
	Halves		halves = {.fit = fit,
		.most = (uint8) Max(1, Min(255, UINT16_MAX / Max(fit->n, 1)))
	};
	bool	   *ordered = palloc(Max(fit->n, 1));

	fit->nrows = (uint32) Min(n / 2, MAX_LEARNED);
	halves.n = (int) Max(1, Min(MAX_HALVINGS,
								ENOUGH_VALUES / Max(n * fit->n, 1)));
	for (int h = 0; h < halves.n; h++)
		halves.row[h] = halve_rows(fit, h);
	halves.scaled = palloc(sizeof(uint8 *) * Max(fit->n, 1));
	for (int p = 0; p < fit->n; p++)
	{
		int			last = Max(fit->position[p].own.ncodes - 1, 1);

		ordered[p] = fit->position[p].number;
		halves.scaled[p] = palloc(GS_TREE_CODES);
		for (int c = 0; c < GS_TREE_CODES; c++)
			halves.scaled[p][c] = (uint8)
				(ordered[p] ? Min(c, last) * halves.most / last : c);
	}
	halves.table.npredictors = fit->n;
	halves.table.ordered = ordered;
	return halves;
}

/*
 * Sizes, as indexes, that make the rows held out likeliest, to
 * likeliest[fit->n], and to smallest[fit->n] those that are no worse than what
 * is told from chance: a standard error of a row's log-likelihood of 1 nat (as the rule of
 * one standard error prunes, Breiman et al. 1984, the other way round: smaller
 * leaves keep more of what goes together).
 */
static void
find_likely(const Halves *halves, int *likeliest, int *smallest)
{
	Fit		   *fit = halves->fit;
	double	   *best = palloc0(sizeof(double) * Max(fit->n, 1));
	double	   *held = palloc(sizeof(double) * Max(fit->n, 1));
	double		room = halves->n / sqrt(Max(fit->nrows, 1));

	for (int p = 0; p < fit->n; p++)
		fit->position[p].tried = true;
	for (int s = 0; s < lengthof(sizes); s++)
	{
		memset(held, 0, sizeof(double) * fit->n);
		for (int p = 0; p < fit->n; p++)
			fit->position[p].min_leaf = sizes[s];
		for (int h = 0; h < halves->n; h++)
		{
			fit->row = halves->row[h];
			gs_tree_try(fit);
			for (int p = 0; p < fit->n; p++)
				held[p] += fit->position[p].held;
		}
		for (int p = 0; p < fit->n; p++)
		{
			bool	   *tried = &fit->position[p].tried;

			*tried = *tried && (s == 0 || held[p] >= best[p] - room);
			if (!*tried)
				continue;
			smallest[p] = s;
			if (s == 0 || held[p] >= best[p])
			{
				best[p] = held[p];
				likeliest[p] = s;
			}
		}
	}
}

/*
 * The codes of rows as they are compared: [fit->n][fit->nrows].
 */
static const uint8 **
scale_rows(const Halves *halves, const uint32 *row)
{
	const Fit  *fit = halves->fit;
	const uint8 **scaled = palloc(sizeof(uint8 *) * Max(fit->n, 1));

	for (int p = 0; p < fit->n; p++)
	{
		const uint8 *own = fit->position[p].own.code;
		uint8	   *to = palloc(fit->nrows);

		for (uint32 i = 0; i < fit->nrows; i++)
			to[i] = halves->scaled[p][own[row[i]]];
		scaled[p] = to;
	}
	return scaled;
}

/*
 * The share of the rows made by a model, learned from the first half of
 * fit->row, that are nearer to that than to the other half.
 */
static double
nearer_share(const Halves *halves, const List *tensors)
{
	const Fit  *fit = halves->fit;
	GsVersionEntry version = {0};
	GsModel		model = {.schema = fit->schema,.family = &gs_tree,
		.version = &version,.state = gs_tree.load(fit->schema, tensors)
	};
	GsSampler	sampler = {.model = &model};
	TreeSampler *trees = gs_tree.begin(model.state, NULL, NULL);
	GsBatch    *batch = gs_batch_create(&sampler, 0, NULL);
	uint8	   *made = palloc((Size) GS_BATCH * Max(fit->n, 1));
	const uint8 **learned = scale_rows(halves, fit->row);
	const uint8 **held = scale_rows(halves, fit->row + fit->nrows);
	double		nearer = 0;

	batch->key = gs_mix64(fit->context->key, 2);
	for (int b = 0; b < MADE; b++)
	{
		double		some;

		CHECK_FOR_INTERRUPTS();
		batch->first = (int64) b * GS_BATCH;
		gs_tree.generate(trees, batch);
		for (int p = 0; p < fit->n; p++)
			for (int i = 0; i < GS_BATCH; i++)
				made[(Size) i * fit->n + p] =
					halves->scaled[p][trees->code[(Size) p * GS_BATCH + i]];
		some = gs_tree_nearer(&halves->table, made, GS_BATCH, learned, held,
							  fit->nrows, halves->most);
		if (some < 0)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
					 errdetail("Failed while sizes of leaves were compared."),
					 errhint("Fit with the option \"min_leaf\".")));
		nearer += some;
	}
	return nearer / (MADE * GS_BATCH);
}

/*
 * nearer_share of a model with the sizes that are set.
 */
static double
nearer_with_sizes(const Halves *halves)
{
	Fit		   *fit = halves->fit;
	MemoryContext own = AllocSetContextCreate(CurrentMemoryContext,
											  "gensynth leaves tried",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(own);
	const char *chain = fit->chain;
	double		sum = 0;

	fit->chain = gs_tree.name;	/* what can be loaded by itself */
	for (int h = 0; h < halves->n; h++)
	{
		fit->row = halves->row[h];
		sum += nearer_share(halves, gs_tree_fit_chain(fit));
		MemoryContextReset(own);
	}
	fit->chain = chain;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(own);
	return sum / halves->n;
}

/*
 * Sets the sizes of a step: the smallest first, then larger ones as far as the
 * likeliest, and then larger ones for all, which are the largest last.
 */
static void
set_sizes(Fit *fit, const int *likeliest, const int *smallest, int step)
{
	int			last = lengthof(sizes) - 1;

	for (int p = 0; p < fit->n; p++)
		fit->position[p].min_leaf = sizes[step <= last ?
										  Max(likeliest[p],
											  Min(smallest[p], last - step)) :
										  Min(likeliest[p], 2 * last - step)];
}

/*
 * gs_tree_choose_leaves: sets min_leaf of all positions.
 *
 * Errors: out_of_memory.  Can be cancelled.
 */
void
gs_tree_choose_leaves(Fit *fit)
{
	MemoryContext own = AllocSetContextCreate(CurrentMemoryContext,
											  "gensynth leaves",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(own);
	int		   *likeliest = palloc0(sizeof(int) * Max(fit->n, 1));
	int		   *smallest = palloc0(sizeof(int) * Max(fit->n, 1));
	int			last = lengthof(sizes) - 1;
	Halves		halves = make_halves(fit);
	double		most = MAX_NEARER;

	find_likely(&halves, likeliest, smallest);
	for (int step = 0; step <= 2 * last; step++)
	{
		double		nearer;

		/* what has few rows would not depend on anything */
		if (step > last && sizes[2 * last - step] >
			Max(fit->encoded->nrows / MIN_LEAVES, sizes[last]))
			break;
		set_sizes(fit, likeliest, smallest, step);
		nearer = nearer_with_sizes(&halves);
		if (nearer <= most)
			break;
		if (step > 0)
			continue;
		set_sizes(fit, likeliest, smallest, 2 * last);
		most = Max(most, nearer_with_sizes(&halves) + SIZE_NEARER);
		set_sizes(fit, likeliest, smallest, 0);
		if (nearer <= most)
			break;
	}
	fit->row = NULL;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(own);
}
