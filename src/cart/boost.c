/*
 * boost.c
 *	  Boosted trees: growing them, and the sum of what they say.
 *
 * Each tree is grown on a random part of the rows, level by level, from
 * histograms of gradients by node and code.  Sums are in double precision and
 * fixed order.
 *
 * Plain C: no postgres.h.
 */
#include "boost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../numeric/philox.h"

#define RATE		0.2f		/* what a tree's step is shortened to */
#define LAMBDA		1.0			/* ridge of a leaf's value */
#define MIN_WEIGHT	2.0			/* second derivatives of a leaf, summed */
#define SAMPLED		0.7			/* share of the rows that a tree sees */
#define BLOCK		256			/* rows that go down a tree side by side */

/* Sums over rows. */
typedef struct Sum
{
	double		gradient;
	double		weight;
} Sum;

struct GsBoost
{
	const GsTreeTable *table;
	const uint8_t *label;
	uint32_t	nrows;
	uint32_t	ntrain;
	uint64_t	seed;
	float	   *margin;			/* [nrows] */

	/* the tree at hand: the rows that it sees */
	uint32_t	n;
	uint32_t   *row;			/* [ntrain] */
	float	   *gradient;		/* [ntrain] */
	float	   *weight;			/* [ntrain] */
	uint8_t    *node;			/* [ntrain] */
	Sum		   *sums;			/* [GS_BOOST_LEAVES][GS_TREE_CODES] */
	GsForest	forest;
	int			room;			/* of its trees */
};

/* A split of a level that is looked for. */
typedef struct Best
{
	double		gain;
	int			predictor;		/* -1: none */
	int			cut;
	uint32_t	mask[GS_TREE_WORDS];
} Best;

/*
 * gs_boost_create: nothing learned yet.
 *
 * label: [nrows] 1 or 0; rows 0 to ntrain - 1 are learned from, margins are
 * kept of all.  table and label must outlive it.  NULL if memory is out.
 */
GsBoost *
gs_boost_create(const GsTreeTable *table, const uint8_t *label,
				uint32_t nrows, uint32_t ntrain, uint64_t seed)
{
	GsBoost    *boost = calloc(1, sizeof(GsBoost));
	size_t		n = (size_t) ntrain + 1;

	if (boost == NULL)
		return NULL;
	boost->table = table;
	boost->label = label;
	boost->nrows = nrows;
	boost->ntrain = ntrain;
	boost->seed = seed;
	boost->margin = calloc((size_t) nrows + 1, sizeof(float));
	boost->row = malloc(sizeof(uint32_t) * n);
	boost->gradient = malloc(sizeof(float) * n);
	boost->weight = malloc(sizeof(float) * n);
	boost->node = malloc(n);
	boost->sums = malloc(sizeof(Sum) * GS_BOOST_LEAVES * GS_TREE_CODES);
	if (boost->margin == NULL || boost->row == NULL ||
		boost->gradient == NULL || boost->weight == NULL ||
		boost->node == NULL || boost->sums == NULL)
	{
		gs_boost_free(boost);
		return NULL;
	}
	return boost;
}

/*
 * gs_boost_free: lets go of it; NULL is nothing.
 */
void
gs_boost_free(GsBoost *boost)
{
	if (boost == NULL)
		return;
	free(boost->margin);
	free(boost->row);
	free(boost->gradient);
	free(boost->weight);
	free(boost->node);
	free(boost->sums);
	free(boost->forest.tree);
	free(boost);
}

/*
 * gs_boost_margins: [nrows] what the trees say of each row, summed.
 */
const float *
gs_boost_margins(const GsBoost *boost)
{
	return boost->margin;
}

/*
 * gs_boost_forest: the trees so far; valid until the next one is grown.
 */
const GsForest *
gs_boost_forest(const GsBoost *boost)
{
	return &boost->forest;
}

/*
 * The rows of the next tree, with their derivatives.
 */
static void
choose_rows(GsBoost *boost)
{
	const uint32_t limit = (uint32_t) (SAMPLED * UINT32_MAX);
	const uint32_t key[2] = {(uint32_t) boost->seed,
		(uint32_t) (boost->seed >> 32)
	};
	uint32_t	words[4];

	boost->n = 0;
	for (uint32_t i = 0; i < boost->ntrain; i++)
	{
		const uint32_t counter[4] = {i / 4, 0,
			(uint32_t) boost->forest.ntrees, 0
		};
		float		share;

		if (i % 4 == 0)
			gs_philox4x32(counter, key, words);
		if (words[i % 4] > limit)
			continue;
		share = 1 / (1 + expf(-boost->margin[i]));
		boost->gradient[boost->n] = share - boost->label[i];
		boost->weight[boost->n] = share * (1 - share);
		boost->row[boost->n++] = i;
	}
	memset(boost->node, 0, boost->n);
}

/*
 * Sums of the rows by node and code of predictor p: sums[nnodes][ncodes].
 */
static void
sum_rows(GsBoost *boost, int p, int nnodes)
{
	const uint8_t *code = boost->table->code[p];
	size_t		ncodes = boost->table->ncodes[p];

	memset(boost->sums, 0, sizeof(Sum) * nnodes * ncodes);
	for (uint32_t i = 0; i < boost->n; i++)
	{
		Sum		   *sum = &boost->sums[boost->node[i] * ncodes +
									   code[boost->row[i]]];

		sum->gradient += boost->gradient[i];
		sum->weight += boost->weight[i];
	}
}

/*
 * The codes in the order to be cut in.  Those without one of their own are put
 * in that of the steps that they ask for, of which the best cut is the best of
 * all subsets for one node (Fisher, "On grouping for maximum homogeneity",
 * JASA 53, 1958).
 */
static void
order_codes(const GsBoost *boost, int p, int nnodes, int *order)
{
	int			n = boost->table->ncodes[p];
	double		key[GS_TREE_CODES];

	for (int c = 0; c < n; c++)
	{
		Sum			all = {0};
		int			at = c;

		for (int k = 0; k < nnodes && !boost->table->ordered[p]; k++)
		{
			all.gradient += boost->sums[(size_t) k * n + c].gradient;
			all.weight += boost->sums[(size_t) k * n + c].weight;
		}
		key[c] = all.gradient / (all.weight + LAMBDA);
		while (at > 0 && key[order[at - 1]] > key[c])
		{
			order[at] = order[at - 1];
			at--;
		}
		order[at] = c;
	}
}

static inline double
worth(double gradient, double weight)
{
	return gradient * gradient / (weight + LAMBDA);
}

/*
 * Adds to gain[ncodes - 1] what each cut gains in one node.
 */
static void
add_gains(const Sum *sums, const int *order, int ncodes, double *gain)
{
	Sum			all = {0};
	Sum			left = {0};
	double		whole;

	for (int c = 0; c < ncodes; c++)
	{
		all.gradient += sums[c].gradient;
		all.weight += sums[c].weight;
	}
	whole = worth(all.gradient, all.weight);
	for (int i = 0; i < ncodes - 1; i++)
	{
		double		right;

		left.gradient += sums[order[i]].gradient;
		left.weight += sums[order[i]].weight;
		right = all.weight - left.weight;
		if (left.weight < MIN_WEIGHT)
			continue;
		if (right < MIN_WEIGHT)
			break;
		gain[i] += worth(left.gradient, left.weight) +
			worth(all.gradient - left.gradient, right) - whole;
	}
}

/*
 * The best cut of one predictor for all nodes, if it is better than *best.
 */
static void
cut_codes(GsBoost *boost, int p, int nnodes, Best *best)
{
	int			ncodes = boost->table->ncodes[p];
	int			order[GS_TREE_CODES];
	double		gain[GS_TREE_CODES] = {0};
	int			cut = -1;

	sum_rows(boost, p, nnodes);
	order_codes(boost, p, nnodes, order);
	for (int k = 0; k < nnodes; k++)
		add_gains(boost->sums + (size_t) k * ncodes, order, ncodes, gain);
	for (int i = 0; i < ncodes - 1; i++)
		if (gain[i] > best->gain)
		{
			best->gain = gain[i];
			cut = i;
		}
	if (cut < 0)
		return;
	best->predictor = p;
	best->cut = boost->table->ordered[p] ? cut : -1;
	memset(best->mask, 0, sizeof(best->mask));
	for (int i = cut + 1; i < ncodes; i++)
		best->mask[order[i] / 32] |= UINT32_C(1) << (order[i] % 32);
}

/*
 * The leaves that rows come to: leaf[n], n up to BLOCK.
 */
static void
find_leaves(const GsBoostTree *tree, const uint8_t *const *code,
			uint32_t first, uint32_t n, uint8_t *leaf)
{
	memset(leaf, 0, n);
	for (int d = 0; d < GS_BOOST_DEPTH; d++)
	{
		const uint8_t *own = code[tree->predictor[d]] + first;
		uint8_t		cut = (uint8_t) tree->cut[d];
		uint8_t		bit = (uint8_t) (1 << d);
		uint8_t		goes[GS_TREE_CODES];

		if (tree->cut[d] >= 0)
		{
			for (uint32_t i = 0; i < n; i++)
				leaf[i] |= own[i] > cut ? bit : 0;
			continue;
		}
		for (int c = 0; c < GS_TREE_CODES; c++)
			goes[c] = tree->mask[d][c / 32] >> (c % 32) & 1 ? bit : 0;
		for (uint32_t i = 0; i < n; i++)
			leaf[i] |= goes[own[i]];
	}
}

/*
 * gs_forest_add: adds what the trees from to to - 1 say of rows to their
 * margins.
 *
 * code: [npredictors][n]; margin: [n]
 */
void
gs_forest_add(const GsForest *forest, int from, int to,
			  const uint8_t *const *code, uint32_t n, float *margin)
{
	uint8_t		leaf[BLOCK];

	for (uint32_t first = 0; first < n; first += BLOCK)
	{
		uint32_t	rows = n - first < BLOCK ? n - first : BLOCK;

		for (int t = from; t < to; t++)
		{
			const GsBoostTree *tree = &forest->tree[t];

			find_leaves(tree, code, first, rows, leaf);
			for (uint32_t i = 0; i < rows; i++)
				margin[first + i] += tree->value[leaf[i]];
		}
	}
}

/*
 * Sends the rows of all nodes down one level.
 */
static void
send_rows(GsBoost *boost, const Best *best, int level)
{
	const uint8_t *code = boost->table->code[best->predictor];

	for (uint32_t i = 0; i < boost->n; i++)
	{
		int			c = code[boost->row[i]];

		boost->node[i] |= (best->mask[c / 32] >> (c % 32) & 1) << level;
	}
}

/*
 * What the leaves say, from the rows in them.
 */
static void
set_values(GsBoost *boost, GsBoostTree *tree)
{
	Sum			sums[GS_BOOST_LEAVES] = {0};

	for (uint32_t i = 0; i < boost->n; i++)
	{
		sums[boost->node[i]].gradient += boost->gradient[i];
		sums[boost->node[i]].weight += boost->weight[i];
	}
	for (int l = 0; l < GS_BOOST_LEAVES; l++)
		tree->value[l] = (float) (-RATE * sums[l].gradient /
								  (sums[l].weight + LAMBDA));
}

/*
 * gs_boost_grow: one more tree.  Returns false if memory is out.
 */
bool
gs_boost_grow(GsBoost *boost)
{
	GsForest   *forest = &boost->forest;
	GsBoostTree *tree;

	if (forest->ntrees == boost->room)
	{
		int			room = boost->room * 2 + 16;

		tree = realloc(forest->tree, sizeof(GsBoostTree) * room);
		if (tree == NULL)
			return false;
		forest->tree = tree;
		boost->room = room;
	}
	tree = &forest->tree[forest->ntrees];
	memset(tree, 0, sizeof(GsBoostTree));
	choose_rows(boost);
	for (int d = 0; d < GS_BOOST_DEPTH; d++)
	{
		Best		best = {.predictor = -1};

		for (int p = 0; p < boost->table->npredictors; p++)
			cut_codes(boost, p, 1 << d, &best);

		/* where nothing is gained, all go left from here on */
		tree->cut[d] = GS_TREE_CODES - 1;
		if (best.predictor < 0)
			continue;
		tree->predictor[d] = best.predictor;
		tree->cut[d] = best.cut;
		memcpy(tree->mask[d], best.mask, sizeof(best.mask));
		send_rows(boost, &best, d);
	}
	set_values(boost, tree);
	forest->ntrees++;
	gs_forest_add(forest, forest->ntrees - 1, forest->ntrees,
				  boost->table->code, boost->nrows, boost->margin);
	return true;
}
