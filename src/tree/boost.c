/*
 * boost.c
 *	  Boosted trees: growing them, and the sum of what they say.
 *
 * Each tree is grown on a random part of the rows, depth first, from
 * histograms of gradients: of two siblings only the smaller one's rows are
 * counted, and the other's histogram is what is left of their parent's.  Sums
 * are in double precision and fixed order.
 *
 * Plain C: no postgres.h.
 */
#include "boost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/philox.h"

#define RATE		0.1f		/* what a tree's step is shortened to */
#define LAMBDA		5.0			/* ridge of a leaf's value */
#define MIN_WEIGHT	20.0		/* second derivatives of a leaf, summed */
#define MIN_GAIN	2.0
#define SAMPLED		0.7			/* share of the rows that a tree sees */
#define MOST_NODES	(1 << (GS_BOOST_DEPTH + 1))

/* Sums over rows of a code. */
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
	uint32_t   *row;			/* [ntrain] of the tree at hand */
	uint32_t   *spare;			/* [ntrain] */
	float	   *gradient;		/* [ntrain] */
	float	   *weight;			/* [ntrain] */
	Sum		   *sums;			/* [depth + 2][npredictors][GS_TREE_CODES] */
	GsForest	forest;
	int			room;			/* of its nodes */
	int			room_trees;
};

/* A split that is looked for. */
typedef struct Best
{
	double		gain;
	int			predictor;		/* -1: none */
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
	size_t		level = (size_t) table->npredictors * GS_TREE_CODES;

	if (boost == NULL)
		return NULL;
	boost->table = table;
	boost->label = label;
	boost->nrows = nrows;
	boost->ntrain = ntrain;
	boost->seed = seed;
	boost->margin = calloc((size_t) nrows + 1, sizeof(float));
	boost->row = malloc(sizeof(uint32_t) * ((size_t) ntrain + 1));
	boost->spare = malloc(sizeof(uint32_t) * ((size_t) ntrain + 1));
	boost->gradient = malloc(sizeof(float) * ((size_t) ntrain + 1));
	boost->weight = malloc(sizeof(float) * ((size_t) ntrain + 1));
	boost->sums = malloc(sizeof(Sum) * (level + 1) * (GS_BOOST_DEPTH + 2));
	if (boost->margin == NULL || boost->row == NULL || boost->spare == NULL ||
		boost->gradient == NULL || boost->weight == NULL ||
		boost->sums == NULL)
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
	free(boost->spare);
	free(boost->gradient);
	free(boost->weight);
	free(boost->sums);
	free(boost->forest.first);
	free(boost->forest.node);
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
 * The rows of the next tree, with their derivatives.  Returns how many.
 */
static uint32_t
choose_rows(GsBoost *boost)
{
	uint32_t	limit = (uint32_t) (SAMPLED * UINT32_MAX);
	uint32_t	n = 0;
	uint32_t	words[4];

	for (uint32_t i = 0; i < boost->ntrain; i++)
	{
		float		share;

		if (i % 4 == 0)
		{
			uint32_t	counter[4] = {i / 4, 0, (uint32_t) boost->forest.ntrees, 0};
			uint32_t	key[2] = {(uint32_t) boost->seed,
				(uint32_t) (boost->seed >> 32)
			};

			gs_philox4x32(counter, key, words);
		}
		if (words[i % 4] > limit)
			continue;
		share = 1 / (1 + expf(-boost->margin[i]));
		boost->gradient[i] = share - boost->label[i];
		boost->weight[i] = share * (1 - share);
		boost->row[n++] = i;
	}
	return n;
}

/*
 * Sums of a node's rows by code: sums[npredictors][GS_TREE_CODES].
 */
static void
sum_rows(const GsBoost *boost, uint32_t from, uint32_t to, Sum *sums)
{
	const GsTreeTable *table = boost->table;

	for (int p = 0; p < table->npredictors; p++, sums += GS_TREE_CODES)
	{
		const uint8_t *code = table->code[p];

		memset(sums, 0, sizeof(Sum) * table->ncodes[p]);
		for (uint32_t i = from; i < to; i++)
		{
			uint32_t	r = boost->row[i];
			Sum		   *sum = &sums[code[r]];

			sum->gradient += boost->gradient[r];
			sum->weight += boost->weight[r];
		}
	}
}

/*
 * What is left of a node's sums, in place, without those of one child.
 */
static void
take_away(const GsBoost *boost, Sum *sums, const Sum *child)
{
	const GsTreeTable *table = boost->table;

	for (int p = 0; p < table->npredictors; p++)
		for (int c = 0; c < table->ncodes[p]; c++)
		{
			Sum		   *sum = &sums[(size_t) p * GS_TREE_CODES + c];
			const Sum  *less = &child[(size_t) p * GS_TREE_CODES + c];

			sum->gradient -= less->gradient;
			sum->weight -= less->weight;
		}
}

/*
 * Puts the codes without an order in that of the steps that they ask for:
 * their best cut is then the best of all subsets (Fisher, "On grouping for
 * maximum homogeneity", JASA 53, 1958).
 */
static void
sort_codes(const Sum *sums, int n, int *order)
{
	double		key[GS_TREE_CODES];

	for (int c = 0; c < n; c++)
	{
		int			at = c;

		key[c] = sums[c].gradient / (sums[c].weight + 1);
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
 * The best cut of one predictor's codes, if it is better than *best.
 */
static void
cut_codes(const GsTreeTable *table, int p, const Sum *sums, Best *best)
{
	int			order[GS_TREE_CODES];
	int			n = 0;
	int			cut = -1;
	Sum			all = {0};
	Sum			left = {0};
	Sum			present[GS_TREE_CODES];
	int			code[GS_TREE_CODES];

	for (int c = 0; c < table->ncodes[p]; c++)
	{
		/* subtraction leaves crumbs */
		if (sums[c].weight < 1e-6)
			continue;
		present[n] = sums[c];
		code[n++] = c;
		all.gradient += sums[c].gradient;
		all.weight += sums[c].weight;
	}
	if (n < 2)
		return;
	if (table->ordered[p])
		for (int i = 0; i < n; i++)
			order[i] = i;
	else
		sort_codes(present, n, order);
	for (int i = 0; i < n - 1; i++)
	{
		double		gain;

		left.gradient += present[order[i]].gradient;
		left.weight += present[order[i]].weight;
		if (left.weight < MIN_WEIGHT)
			continue;
		if (all.weight - left.weight < MIN_WEIGHT)
			break;
		gain = worth(left.gradient, left.weight) +
			worth(all.gradient - left.gradient, all.weight - left.weight) -
			worth(all.gradient, all.weight);
		if (gain > best->gain)
		{
			best->gain = gain;
			cut = i;
		}
	}
	if (cut < 0)
		return;
	best->predictor = p;
	memset(best->mask, 0, sizeof(best->mask));
	if (table->ordered[p])
		for (int c = code[cut] + 1; c < GS_TREE_CODES; c++)
			best->mask[c / 32] |= UINT32_C(1) << (c % 32);
	else
		for (int i = cut + 1; i < n; i++)
		{
			int			c = code[order[i]];

			best->mask[c / 32] |= UINT32_C(1) << (c % 32);
		}
}

/*
 * Puts a node's rows that go left before those that go right.  Returns where
 * the latter begin.
 */
static uint32_t
part_rows(GsBoost *boost, const Best *best, uint32_t from, uint32_t to)
{
	const uint8_t *code = boost->table->code[best->predictor];
	uint32_t	left = from;
	uint32_t	right = 0;

	for (uint32_t i = from; i < to; i++)
	{
		uint32_t	r = boost->row[i];
		bool		goes = best->mask[code[r] / 32] >> (code[r] % 32) & 1;

		boost->row[left] = r;
		boost->spare[right] = r;
		left += !goes;
		right += goes;
	}
	memcpy(boost->row + left, boost->spare, sizeof(uint32_t) * right);
	return left;
}

/*
 * Grows a node, the rows from to to - 1, and what is below it.  sums: its own,
 * with room for one more level after them; they are changed.
 */
static void
grow_node(GsBoost *boost, GsBoostNode *tree, int at, int *nnodes, int depth,
		  uint32_t from, uint32_t to, Sum *sums)
{
	const GsTreeTable *table = boost->table;
	GsBoostNode *node = &tree[at];
	Sum		   *below = sums + (size_t) table->npredictors * GS_TREE_CODES;
	Sum			all = {0};
	Best		best = {.gain = MIN_GAIN,.predictor = -1};
	uint32_t	middle;
	bool		left_first;

	for (uint32_t i = from; i < to; i++)
	{
		all.gradient += boost->gradient[boost->row[i]];
		all.weight += boost->weight[boost->row[i]];
	}
	memset(node, 0, sizeof(GsBoostNode));
	node->leaf = true;
	node->left = at;
	node->value = (float) (-RATE * all.gradient / (all.weight + LAMBDA));
	if (depth == GS_BOOST_DEPTH || all.weight < 2 * MIN_WEIGHT)
		return;
	for (int p = 0; p < table->npredictors; p++)
		cut_codes(table, p, sums + (size_t) p * GS_TREE_CODES, &best);
	if (best.predictor < 0)
		return;
	node->leaf = false;
	node->predictor = best.predictor;
	node->left = *nnodes;
	memcpy(node->mask, best.mask, sizeof(node->mask));
	*nnodes += 2;
	middle = part_rows(boost, &best, from, to);
	left_first = middle - from < to - middle;
	if (left_first)
	{
		sum_rows(boost, from, middle, below);
		take_away(boost, sums, below);
		grow_node(boost, tree, node->left, nnodes, depth + 1, from, middle,
				  below);
		grow_node(boost, tree, node->left + 1, nnodes, depth + 1, middle, to,
				  sums);
		return;
	}
	sum_rows(boost, middle, to, below);
	take_away(boost, sums, below);
	grow_node(boost, tree, node->left + 1, nnodes, depth + 1, middle, to,
			  below);
	grow_node(boost, tree, node->left, nnodes, depth + 1, from, middle, sums);
}

static bool
make_room(GsBoost *boost)
{
	GsForest   *forest = &boost->forest;

	if (forest->ntrees == boost->room_trees)
	{
		int			room = boost->room_trees * 2 + 16;
		int		   *first = realloc(forest->first, sizeof(int) * room);

		if (first == NULL)
			return false;
		forest->first = first;
		boost->room_trees = room;
	}
	if (forest->nnodes + MOST_NODES > boost->room)
	{
		int			room = boost->room * 2 + 16 * MOST_NODES;
		GsBoostNode *node = realloc(forest->node, sizeof(GsBoostNode) * room);

		if (node == NULL)
			return false;
		forest->node = node;
		boost->room = room;
	}
	return true;
}

/*
 * gs_boost_grow: one more tree.  Returns false if memory is out.
 */
bool
gs_boost_grow(GsBoost *boost)
{
	GsForest   *forest = &boost->forest;
	uint32_t	n;
	int			nnodes = 1;

	if (!make_room(boost))
		return false;
	n = choose_rows(boost);
	sum_rows(boost, 0, n, boost->sums);
	grow_node(boost, forest->node + forest->nnodes, 0, &nnodes, 0, 0, n,
			  boost->sums);
	forest->first[forest->ntrees++] = forest->nnodes;
	forest->nnodes += nnodes;
	gs_forest_add(forest, forest->ntrees - 1, forest->ntrees,
				  boost->table->code, boost->nrows, boost->margin);
	return true;
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
	for (int t = from; t < to; t++)
	{
		const GsBoostNode *tree = forest->node + forest->first[t];

		for (uint32_t i = 0; i < n; i++)
		{
			int			at = 0;

			for (int d = 0; d < GS_BOOST_DEPTH; d++)
			{
				int			c = code[tree[at].predictor][i];

				at = tree[at].left +
					(tree[at].mask[c / 32] >> (c % 32) & 1);
			}
			margin[i] += tree[at].value;
		}
	}
}
