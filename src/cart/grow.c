/*
 * grow.c
 *	  Growing a tree, and pruning it.
 *
 * A tree is grown as far as min_leaf allows, since the first of two splits
 * that are good together may look useless (exclusive or); what did not pay is
 * then taken back from below: minimal cost-complexity pruning (Breiman,
 * Friedman, Olshen and Stone, 1984, chapter 3) at a fixed price of a leaf.
 *
 * Plain C: no postgres.h.
 */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#define AHEAD_ROWS	4096		/* of a node, to look ahead by */
#define AHEAD_WORTH	4			/* rows for each unit of what is to be found */

/*
 * Room for two more nodes.
 */
static bool
make_room(GsTree *tree)
{
	GsTreeNode *node;
	int			room = tree->room > 0 ? tree->room * 2 : 64;

	if (tree->nnodes + 2 <= tree->room)
		return true;
	node = realloc(tree->node, sizeof(GsTreeNode) * room);
	if (node == NULL)
		return false;
	tree->node = node;
	tree->room = room;
	return true;
}

/*
 * Puts the rows of a node that go left before those that go right, both in
 * the order that they were in.  Returns where the latter begin.
 */
static uint32_t
part_rows(const GsTreeNode *node, const uint8_t *code, uint32_t *row,
		  uint32_t *spare)
{
	uint32_t	left = node->from;
	uint32_t	right = 0;

	for (uint32_t i = node->from; i < node->to; i++)
	{
		uint32_t	r = row[i];
		bool		goes = gs_tree_goes_right(node, code[r]);

		row[left] = r;
		spare[right] = r;
		left += !goes;
		right += goes;
	}
	memcpy(row + left, spare, sizeof(uint32_t) * right);
	return left;
}

static void
init_node(GsTreeNode *node, int parent, int depth, uint32_t from, uint32_t to)
{
	memset(node, 0, sizeof(GsTreeNode));
	node->predictor = -1;
	node->left = -1;
	node->parent = parent;
	node->depth = depth;
	node->from = from;
	node->to = to;
}

/*
 * The cut of a column that parts a node's rows evenly.  Returns how many go
 * left.
 */
static uint32_t
cut_evenly(const uint8_t *code, const uint32_t *row, uint32_t n,
		   uint32_t *mask)
{
	uint32_t	count[GS_TREE_CODES] = {0};
	uint32_t	left = 0;
	int			cut = 0;

	for (uint32_t i = 0; i < n; i++)
		count[code[row[i]]]++;
	while (cut < GS_TREE_CODES - 1 && left + count[cut] / 2 < n / 2)
		left += count[cut++];
	if (left == 0)
		left = count[cut++];
	memset(mask, 0, sizeof(uint32_t) * GS_TREE_WORDS);
	for (int c = cut; c < GS_TREE_CODES; c++)
		mask[c / 32] |= UINT32_C(1) << (c % 32);
	return left;
}

/*
 * Where no split of a node gains more than chance does: the even cut of a column
 * below which the best splits gain most together, as in an exclusive or,
 * where neither column alone tells anything.  Changes *split if it finds more
 * than chance.  Returns whether it does.
 */
static bool
look_ahead(GsTreeSearch *search, const GsTreeTable *table,
		   const GsTreeLimits *limits, const GsTree *tree,
		   const GsTreeNode *node, uint32_t *spare, GsTreeSplit *split)
{
	uint32_t	stride = (node->to - node->from - 1) / AHEAD_ROWS + 1;
	uint32_t	min_leaf = limits->min_leaf;
	uint32_t	n = 0;
	uint32_t   *row = spare + (node->to - node->from);
	double		max = 2 * (split->predictor < 0 ? 0 : split->gain) / stride +
		limits->worth;
	bool		found = false;

	/* a part of the rows, in the second half of the spare ones */
	for (uint32_t i = node->from; i < node->to; i += stride)
		row[n++] = tree->row[i];
	for (int p = 0; p < table->npredictors; p++)
	{
		const uint8_t *code = table->code[p];
		GsTreeSplit below[2];
		uint32_t	mask[GS_TREE_WORDS];
		uint32_t	left;
		uint32_t	at[2];
		double		gain = 0;

		if (limits->cancel != NULL && atomic_load(limits->cancel))
			return false;
		left = cut_evenly(code, row, n, mask);
		if (left < 2 * min_leaf || n - left < 2 * min_leaf)
			continue;
		at[0] = 0;
		at[1] = left;
		for (uint32_t i = 0; i < n; i++)
		{
			int			c = code[row[i]];

			spare[at[mask[c / 32] >> (c % 32) & 1]++] = row[i];
		}
		gs_tree_search(search, spare, left, &below[0]);
		gs_tree_search(search, spare + left, n - left, &below[1]);
		for (int side = 0; side < 2; side++)
			gain += below[side].predictor < 0 ? 0 : below[side].gain;
		if (gain <= max)
			continue;
		max = gain;
		split->predictor = p;
		split->gain = 0;
		memcpy(split->mask, mask, sizeof(mask));
		found = true;
	}
	return found;
}

/*
 * gs_tree_grow
 *
 * Grows a tree over the rows tree->row[nrows], which are permuted.
 * tree->node is malloced.  Returns false, with nothing allocated, when memory
 * is out or limits->cancel was set.
 */
bool
gs_tree_grow(const GsTreeTable *table, const GsTreeResponse *response,
			 const GsTreeLimits *limits, uint32_t nrows, GsTree *tree)
{
	GsTreeSearch *search = gs_tree_search_create(table, response,
												 limits->min_leaf, nrows);
	uint32_t   *spare = malloc(sizeof(uint32_t) * (2 * (size_t) nrows + 1));
	bool		done = false;

	tree->node = NULL;
	tree->nnodes = tree->room = 0;
	if (search == NULL || spare == NULL || !make_room(tree))
		goto out;
	init_node(&tree->node[tree->nnodes++], -1, 0, 0, nrows);
	for (int at = 0; at < tree->nnodes; at++)
	{
		GsTreeNode *node = &tree->node[at];
		uint32_t	n = node->to - node->from;
		GsTreeSplit split;
		uint32_t	middle;
		bool		hopeless;

		if (limits->cancel != NULL && atomic_load(limits->cancel))
			goto out;
		if (n < 2 * limits->min_leaf || node->depth >= limits->max_depth)
			continue;
		gs_tree_search(search, tree->row + node->from, n, &split);

		/* children of what looked ahead in vain need not do so again */
		hopeless = node->hopeless && split.gain < limits->worth;
		if (split.gain < limits->worth && !hopeless &&
			n >= 4 * limits->min_leaf && n >= AHEAD_WORTH * limits->worth)
			hopeless = !look_ahead(search, table, limits, tree, node, spare,
								   &split);
		if (split.predictor < 0)
			continue;
		if (!make_room(tree))
			goto out;
		node = &tree->node[at];
		node->predictor = split.predictor;
		node->gain = split.gain;
		memcpy(node->mask, split.mask, sizeof(node->mask));
		node->left = tree->nnodes;
		middle = part_rows(node, table->code[split.predictor], tree->row,
						   spare);
		init_node(&tree->node[tree->nnodes++], at, node->depth + 1,
				  node->from, middle);
		init_node(&tree->node[tree->nnodes++], at, node->depth + 1, middle,
				  node->to);
		tree->node[tree->nnodes - 2].hopeless = hopeless;
		tree->node[tree->nnodes - 1].hopeless = hopeless;
	}
	done = true;
out:
	gs_tree_search_free(search);
	free(spare);
	if (!done)
		gs_tree_free(tree);
	return done;
}

/*
 * gs_tree_prune
 *
 * Makes leaves of the nodes below which the splits gain less than price for
 * each leaf that they add.  Nodes are renumbered; a leaf's rows stay together
 * in tree->row.  Does nothing, and says nothing, if memory is out.
 */
void
gs_tree_prune(GsTree *tree, double price)
{
	double	   *gain = calloc(tree->nnodes, sizeof(double));
	int		   *leaves = calloc(tree->nnodes, sizeof(int));
	int		   *to = malloc(sizeof(int) * tree->nnodes);
	int			n = 0;

	if (gain == NULL || leaves == NULL || to == NULL)
		goto out;
	for (int at = tree->nnodes - 1; at >= 0; at--)
	{
		GsTreeNode *node = &tree->node[at];

		leaves[at] = 1;
		if (node->predictor < 0)
			continue;
		gain[at] = node->gain + gain[node->left] + gain[node->left + 1];
		leaves[at] = leaves[node->left] + leaves[node->left + 1];
		if (gain[at] > price * (leaves[at] - 1))
			continue;
		node->predictor = node->left = -1;
		gain[at] = 0;
		leaves[at] = 1;
	}

	/* what is still reached from the root moves up, in the same order */
	for (int at = 0; at < tree->nnodes; at++)
	{
		GsTreeNode *node = &tree->node[at];

		to[at] = -1;
		if (node->parent >= 0 && (to[node->parent] < 0 ||
								  tree->node[to[node->parent]].predictor < 0))
			continue;
		to[at] = n++;
		if (node->parent >= 0)
		{
			node->parent = to[node->parent];
			if (tree->node[node->parent].left == at)
				tree->node[node->parent].left = to[at];
		}
		tree->node[to[at]] = *node;
	}
	tree->nnodes = n;
out:
	free(gain);
	free(leaves);
	free(to);
}

/*
 * gs_tree_free: lets go of the nodes; the rows are the caller's.
 */
void
gs_tree_free(GsTree *tree)
{
	free(tree->node);
	tree->node = NULL;
	tree->nnodes = tree->room = 0;
}
