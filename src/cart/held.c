/*
 * held.c
 *	  What a tree says of rows that it was not grown on: how likely they are
 *	  to it, and how near its rows come to those that it was.
 *
 * Plain C: no postgres.h.
 */
#include "tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../numeric/clones.h"

#define ROOT_ROWS	0.5			/* rows that pull every leaf to the whole */

/* Rows of a node by class; of ordered classes, in this one and those below. */
typedef struct Counts
{
	float		of[GS_TREE_CLASSES];
} Counts;

static void
count_classes(const GsTreeResponse *response, const GsTree *tree, int at,
			  Counts *counts)
{
	const GsTreeNode *node = &tree->node[at];

	memset(counts, 0, sizeof(Counts));
	for (uint32_t i = node->from; i < node->to; i++)
		counts->of[response->class[tree->row[i]]]++;
	for (int c = 1; c < response->nclasses &&
		 response->gain == GS_TREE_ORDINAL; c++)
		counts->of[c] += counts->of[c - 1];
}

/*
 * The log probability of a class; of ordered classes, the mean over the cuts
 * between them of that of the side that it lies on.
 */
static double
log_probability(const GsTreeResponse *response, const float *share, int class)
{
	double		sum = 0;

	if (response->gain == GS_TREE_ENTROPY)
		return log(share[class]);
	for (int c = 0; c < response->nclasses - 1; c++)
		sum += log(class <= c ? share[c] : 1 - share[c]);
	return sum / (response->nclasses - 1);
}

/*
 * The shares of a leaf's classes, as gs_leaf_fit draws them towards those of
 * its parent, and a little towards the whole's, since nothing is impossible.
 */
static void
find_shares(const GsTreeResponse *response, const GsTree *tree, int leaf,
			double prior, const Counts *whole, float *share)
{
	const GsTreeNode *node = &tree->node[leaf];
	int			parent = node->parent >= 0 ? node->parent : leaf;
	double		n = node->to - node->from;
	double		above = tree->node[parent].to - tree->node[parent].from;
	double		all = tree->node[0].to - tree->node[0].from;
	int			k = response->nclasses;
	Counts		own;
	Counts		mixed;

	count_classes(response, tree, leaf, &own);
	count_classes(response, tree, parent, &mixed);
	for (int c = 0; c < k; c++)
	{
		double		root = response->gain == GS_TREE_ENTROPY ?
			(whole->of[c] + 1) / (all + k) :
			(whole->of[c] + c + 1) / (all + k);

		share[c] = (float) ((own.of[c] + prior * mixed.of[c] / above +
							 ROOT_ROWS * root) / (n + prior + ROOT_ROWS));
	}
}

/*
 * The leaf that a row comes to.
 */
static int
find_leaf(const GsTreeTable *table, const GsTree *tree, uint32_t row)
{
	int			at = 0;

	while (tree->node[at].predictor >= 0)
		at = tree->node[at].left +
			gs_tree_goes_right(&tree->node[at],
							   table->code[tree->node[at].predictor][row]);
	return at;
}

/*
 * The same for levels, of which there are many: leaf by leaf.  next[n] chains
 * the rows of a leaf, from first[nnodes] on, to -1; share[nlevels] is zeros,
 * and zeros again afterwards.
 */
static double
sum_levels(const GsTreeResponse *response, const GsTree *tree, double prior,
		   const uint32_t *row, const int32_t *first, const int32_t *next,
		   double *share)
{
	double		sum = 0;

	for (int at = 0; at < tree->nnodes; at++)
	{
		const GsTreeNode *leaf = &tree->node[at];
		const GsTreeNode *parent = leaf->parent >= 0 ?
			&tree->node[leaf->parent] : leaf;
		double		all = leaf->to - leaf->from + prior + ROOT_ROWS;
		double		each = prior / (parent->to - parent->from);

		if (first[at] < 0)
			continue;
		for (uint32_t i = parent->from; i < parent->to; i++)
			share[response->level[tree->row[i]]] += each;
		for (uint32_t i = leaf->from; i < leaf->to; i++)
			share[response->level[tree->row[i]]] += 1;
		for (int32_t i = first[at]; i >= 0; i = next[i])
			sum += log((share[response->level[row[i]]] +
						ROOT_ROWS / response->nlevels) / all);
		for (uint32_t i = parent->from; i < parent->to; i++)
			share[response->level[tree->row[i]]] = 0;
	}
	return sum;
}

/*
 * The same for classes.
 */
static double
sum_classes(const GsTreeResponse *response, const GsTree *tree, double prior,
			const uint32_t *row, const int32_t *first, const int32_t *next)
{
	Counts		whole;
	double		sum = 0;

	count_classes(response, tree, 0, &whole);
	for (int at = 0; at < tree->nnodes; at++)
	{
		float		share[GS_TREE_CLASSES];

		if (first[at] < 0)
			continue;
		find_shares(response, tree, at, prior, &whole, share);
		for (int32_t i = first[at]; i >= 0; i = next[i])
			sum += log_probability(response, share, response->class[row[i]]);
	}
	return sum;
}

/*
 * gs_tree_held
 *
 * The mean log-likelihood of the classes, or levels, of rows, row[n], that a
 * tree was not grown on: table and response as it was grown with, prior as in
 * GsLeafValues, tree->row the rows that it was grown on.  0 without any rows;
 * NaN if memory is out.
 */
double
gs_tree_held(const GsTreeTable *table, const GsTreeResponse *response,
			 const GsTree *tree, double prior, const uint32_t *row,
			 uint32_t n)
{
	int32_t    *first = malloc(sizeof(int32_t) * tree->nnodes);
	int32_t    *next = malloc(sizeof(int32_t) * ((size_t) n + 1));
	double	   *share = calloc((size_t) response->nlevels + 1,
							   sizeof(double));
	double		sum = NAN;

	if (first != NULL && next != NULL && share != NULL)
	{
		for (int at = 0; at < tree->nnodes; at++)
			first[at] = -1;
		for (uint32_t i = 0; i < n; i++)
		{
			int			leaf = find_leaf(table, tree, row[i]);

			next[i] = first[leaf];
			first[leaf] = (int32_t) i;
		}
		if (n == 0 || response->nclasses < 2)
			sum = 0;
		else if (response->level != NULL)
			sum = sum_levels(response, tree, prior, row, first, next,
							 share) / n;
		else
			sum = sum_classes(response, tree, prior, row, first, next) / n;
	}
	free(first);
	free(next);
	free(share);
	return sum;
}

/*
 * Adds to distance[n] how far values are from one, 0 to most.
 */
GS_CLONES static void
add_distances(const uint8_t *value, uint8_t from, bool ordered, uint8_t most,
			  uint32_t n, uint16_t *distance)
{
	if (ordered)
		for (uint32_t i = 0; i < n; i++)
			distance[i] += value[i] > from ? value[i] - from : from - value[i];
	else
		for (uint32_t i = 0; i < n; i++)
			distance[i] += value[i] != from ? most : 0;
}

/*
 * The least distance of a row to n others, code[npredictors].
 */
static uint16_t
find_nearest(const GsTreeTable *table, const uint8_t *row,
			 const uint8_t *const *code, uint8_t most, uint32_t n,
			 uint16_t *distance)
{
	uint16_t	least = UINT16_MAX;

	memset(distance, 0, sizeof(uint16_t) * n);
	for (int p = 0; p < table->npredictors; p++)
		add_distances(code[p], row[p], table->ordered[p], most, n, distance);
	for (uint32_t i = 0; i < n; i++)
		least = distance[i] < least ? distance[i] : least;
	return least;
}

/*
 * gs_tree_nearer
 *
 * How many of the rows made[nmade][npredictors] have their nearest neighbour
 * among own rather than other, both code[npredictors][n]; ties count half.
 * Distances are sums over columns: of ordered codes their difference, of
 * others most where they differ; most times npredictors is at most 65535, and
 * codes of ordered columns are at most most.  Returns -1 if memory is out.
 */
double
gs_tree_nearer(const GsTreeTable *table, const uint8_t *made, uint32_t nmade,
			   const uint8_t *const *own, const uint8_t *const *other,
			   uint32_t n, uint8_t most)
{
	uint16_t   *distance = malloc(sizeof(uint16_t) * ((size_t) n + 1));
	double		nearer = 0;

	if (distance == NULL)
		return -1;
	for (uint32_t i = 0; i < nmade; i++)
	{
		const uint8_t *row = made + (size_t) i * table->npredictors;
		uint16_t	a = find_nearest(table, row, own, most, n, distance);
		uint16_t	b = find_nearest(table, row, other, most, n, distance);

		nearer += a < b ? 1 : a == b ? 0.5 : 0;
	}
	free(distance);
	return nearer;
}
