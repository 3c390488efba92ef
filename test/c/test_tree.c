/*
 * test_tree.c
 *	  Splits against brute force, growing, pruning, and leaves.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/numeric/philox.h"
#include "../../src/cart/tree.h"
#include "test.h"

#define ROWS	400
#define CODES	9

static uint8_t code[3][ROWS];
static uint8_t class[ROWS];
static uint32_t row[ROWS];
static const uint8_t *const columns[3] = {code[0], code[1], code[2]};
static const int ncodes[3] = {CODES, CODES, CODES};
static bool ordered[3];

/* rows by side, and their classes: the gain of a split, from the definition */
static double
gain_of(const uint32_t *mask, const uint8_t *by, int k, uint32_t min_leaf,
		GsTreeGain kind)
{
	double		count[2][GS_TREE_CLASSES] = {{0}};
	double		n[2] = {0};
	double		gain = 0;

	for (int i = 0; i < ROWS; i++)
	{
		int			side = mask[by[i] / 32] >> (by[i] % 32) & 1;

		count[side][class[i]]++;
		n[side]++;
	}
	if (n[0] < min_leaf || n[1] < min_leaf)
		return -INFINITY;
	if (kind == GS_TREE_ENTROPY)
	{
		for (int j = 0; j < k; j++)
		{
			double		all = count[0][j] + count[1][j];

			for (int side = 0; side < 2; side++)
				if (count[side][j] > 0)
					gain += count[side][j] *
						log(count[side][j] / n[side] / (all / ROWS));
		}
		return gain;
	}
	for (int cut = 0; cut < k - 1; cut++)
	{
		double		below[2] = {0};
		double		share;
		double		explained = 0;

		for (int j = 0; j <= cut; j++)
			for (int side = 0; side < 2; side++)
				below[side] += count[side][j];
		share = (below[0] + below[1]) / ROWS;
		for (int side = 0; side < 2; side++)
			explained += n[side] * (below[side] / n[side] - share) *
				(below[side] / n[side] - share);
		if (share > 0 && share < 1)
			gain += 0.5 * explained / (share * (1 - share)) / (k - 1);
	}
	return gain;
}

/* the best gain over all cuts of the ordered and all subsets of the others */
static double
best_gain(int k, uint32_t min_leaf, GsTreeGain kind, bool subsets)
{
	double		best = -INFINITY;

	for (int p = 0; p < 3; p++)
		for (uint32_t set = 1; set < (1u << CODES) - 1; set++)
		{
			uint32_t	mask[GS_TREE_WORDS] = {set};
			uint32_t	top = ~set & ((1u << CODES) - 1);
			double		gain;

			/* a cut: all ones above all zeros */
			if ((ordered[p] || !subsets) && (top & (top + 1)) != 0)
				continue;
			gain = gain_of(mask, code[p], k, min_leaf, kind);
			best = gain > best ? gain : best;
		}
	return best;
}

static void
make_rows(int seed, int k)
{
	GsRandom	random;

	gs_random_start(&random, 11, seed, 0);
	for (int i = 0; i < ROWS; i++)
	{
		int			shift = 0;

		for (int p = 0; p < 3; p++)
			code[p][i] = (uint8_t) gs_random_below(&random, CODES);
		shift = (code[0][i] * 7 % CODES > 4) + (code[1][i] > 5);
		class[i] = (uint8_t) ((gs_random_below(&random, k) + shift *
							   gs_random_below(&random, 2)) % k);
		row[i] = (uint32_t) i;
	}
}

/* how often the split found is not the best, or its gain not what it says */
static int
worse_splits(int k, GsTreeGain kind, bool nominal)
{
	int			wrong = 0;

	for (int seed = 0; seed < 40; seed++)
	{
		GsTreeTable table = {3, columns, ncodes, ordered};
		GsTreeResponse response = {.gain = kind,.nclasses = k,.class = class};
		uint32_t	min_leaf = seed % 2 ? 1 : 60;
		GsTreeSearch *search;
		GsTreeSplit split;
		double		expected;

		for (int p = 0; p < 3; p++)
			ordered[p] = !nominal;
		make_rows(seed, k);
		expected = best_gain(k, min_leaf, kind, true);
		search = gs_tree_search_create(&table, &response, min_leaf, ROWS);
		gs_tree_search(search, row, ROWS, &split);
		gs_tree_search_free(search);
		if (split.predictor < 0 ||
			fabs(gain_of(split.mask, code[split.predictor], k, min_leaf,
						 kind) - split.gain) > 1e-3 ||
			split.gain > expected + 1e-3)
			wrong += 1000;
		else
			wrong += split.gain < expected - 1e-3;
	}
	return wrong;
}

static void
test_splits(void)
{
	CHECK(worse_splits(2, GS_TREE_ENTROPY, false) == 0,
		  "entropy, two classes: the best cut");
	CHECK(worse_splits(5, GS_TREE_ENTROPY, false) == 0,
		  "entropy, five classes: the best cut");
	CHECK(worse_splits(6, GS_TREE_ORDINAL, false) == 0,
		  "ordered classes: the best cut");
	CHECK(worse_splits(2, GS_TREE_ENTROPY, true) == 0,
		  "entropy, two classes: the best of all subsets");
	CHECK(worse_splits(2, GS_TREE_ORDINAL, true) == 0,
		  "two ordered classes: the best of all subsets");
	/* of more classes the principal direction is a heuristic */
	CHECK(worse_splits(3, GS_TREE_ENTROPY, true) < 1000,
		  "three classes: a subset with the gain that it says");
}

/* exclusive or of two codes, and a column of noise */
static void
make_xor(void)
{
	make_rows(3, 2);
	for (int i = 0; i < ROWS; i++)
		class[i] = (code[0][i] > 4) ^ (code[1][i] > 3);
	for (int p = 0; p < 3; p++)
		ordered[p] = true;
}

static bool
grow(GsTree *tree, uint32_t min_leaf, const atomic_bool *cancel)
{
	GsTreeTable table = {3, columns, ncodes, ordered};
	GsTreeResponse response = {.nclasses = 2,.class = class};
	GsTreeLimits limits = {min_leaf, 30, 12, cancel};

	for (int i = 0; i < ROWS; i++)
		row[i] = (uint32_t) i;
	tree->row = row;
	return gs_tree_grow(&table, &response, &limits, ROWS, tree);
}

/* nodes that are not as they should be */
static int
flaws(const GsTree *tree, uint32_t min_leaf)
{
	bool		seen[ROWS] = {false};
	int			wrong = 0;
	int			next = 1;

	for (int at = 0; at < tree->nnodes; at++)
	{
		const GsTreeNode *node = &tree->node[at];

		wrong += node->to - node->from < min_leaf;
		if (node->predictor < 0)
		{
			for (uint32_t i = node->from; i < node->to; i++)
			{
				wrong += seen[tree->row[i]];
				seen[tree->row[i]] = true;
			}
			continue;
		}
		wrong += node->left != next;
		next += 2;
		for (int side = 0; side < 2; side++)
		{
			const GsTreeNode *child = &tree->node[node->left + side];

			wrong += child->parent != at;
			for (uint32_t i = child->from; i < child->to; i++)
			{
				int			c = code[node->predictor][tree->row[i]];

				wrong += (int) (node->mask[c / 32] >> (c % 32) & 1) != side;
			}
		}
	}
	for (int i = 0; i < ROWS; i++)
		wrong += !seen[i];
	return wrong + (next != tree->nnodes);
}

static int
impure_leaves(const GsTree *tree)
{
	int			impure = 0;

	for (int at = 0; at < tree->nnodes; at++)
	{
		const GsTreeNode *node = &tree->node[at];

		for (uint32_t i = node->from; i < node->to && node->predictor < 0; i++)
			impure += class[tree->row[i]] != class[tree->row[node->from]];
	}
	return impure;
}

static void
test_trees(void)
{
	GsTree		tree;
	atomic_bool cancel = true;
	int			grown;

	make_xor();
	CHECK(grow(&tree, 10, NULL), "a tree grows");
	CHECK(flaws(&tree, 10) == 0, "its nodes hold the rows that go there");
	grown = tree.nnodes;
	gs_tree_prune(&tree, 3);
	CHECK(flaws(&tree, 10) == 0, "pruned, they still do");
	CHECK(tree.nnodes > 1 && impure_leaves(&tree) < 40,
		  "exclusive or: pruning keeps what pays later");
	CHECK(tree.nnodes <= grown, "pruning does not grow");
	gs_tree_prune(&tree, 1e9);
	CHECK(tree.nnodes == 1 && flaws(&tree, 10) == 0,
		  "nothing pays any price");
	gs_tree_free(&tree);

	/* neither tells anything alone: only looking ahead finds the first cut */
	make_xor();
	for (int i = 0; i < ROWS; i++)
	{
		code[0][i] = (uint8_t) (i % 4 / 2);
		code[1][i] = (uint8_t) (i % 2);
		class[i] = code[0][i] ^ code[1][i];
	}
	grow(&tree, 10, NULL);
	gs_tree_prune(&tree, 3);
	CHECK(tree.nnodes == 7 && impure_leaves(&tree) == 0,
		  "a balanced exclusive or takes four leaves");
	gs_tree_free(&tree);

	make_rows(5, 2);
	for (int i = 0; i < ROWS; i++)
		class[i] = (uint8_t) (i % 2);
	grow(&tree, 10, NULL);
	gs_tree_prune(&tree, 8);
	CHECK(tree.nnodes == 1, "noise is pruned away");
	gs_tree_free(&tree);
	CHECK(!grow(&tree, 10, &cancel) && tree.node == NULL,
		  "a cancelled tree leaves nothing");
}

static double
share_of(const GsLeafTable *table, int at)
{
	return table->entry[at].below - (at > 0 ? table->entry[at - 1].below : 0);
}

static void
test_levels(void)
{
	/* a parent of 8 rows, and the leaf of its first 4 */
	static const uint16_t value[8] = {0, 0, 0, 1, 1, 2, 2, 2};
	static uint32_t all[8] = {0, 1, 2, 3, 4, 5, 6, 7};
	GsTreeNode	node[3] = {
		{.predictor = 0,.left = 1,.parent = -1,.to = 8},
		{.predictor = -1,.parent = 0,.to = 4},
		{.predictor = -1,.parent = 0,.from = 4,.to = 8}
	};
	GsTree		tree = {3, 3, node, all};
	GsLeafValues values = {4, 0, value, NULL, 0, false};
	GsLeafTable table = {0};
	double		scratch[8] = {0};

	CHECK(gs_leaf_fit(&values, &tree, 1, scratch, &table) && table.n == 2 &&
		  table.entry[0].position == 0 && table.entry[1].position == 1 &&
		  share_of(&table, 0) == 0.75f && table.entry[1].below == 1,
		  "levels have the leaf's shares");
	table.n = 0;
	values.prior = 4;
	gs_leaf_fit(&values, &tree, 1, scratch, &table);
	CHECK(table.n == 3, "those of the parent's are there too");
	CHECK_NEAR(share_of(&table, 2), 4 * 3.0 / 8 / 8, 1e-6,
			   "with the prior's share of the parent's");
	CHECK_NEAR(share_of(&table, 0), (3 + 4 * 3.0 / 8) / 8, 1e-6,
			   "and the leaf's own give way");
	for (int i = 0; i < 8; i++)
		scratch[0] += scratch[i];
	CHECK(scratch[0] == 0, "the scratch is left clean");
	free(table.entry);
}

static void
test_numbers(void)
{
	/* ranks 0 to 5 are a continuum, 6 is an atom */
	static const uint16_t rank[7] = {0, 1, 6, 2, 3, 4, 5};
	static uint16_t value[ROWS];
	GsTreeNode	node = {.predictor = -1,.parent = -1,.to = 8};
	GsTree		tree = {1, 1, &node, row};
	GsLeafValues values = {7, 6, value, rank, 0, false};
	GsLeafTable table = {0};
	double		scratch[14] = {0};
	int			wrong = 0;
	int			gaps = 0;

	/* rows in the pieces 1, 1, 2 and 4, and 4 at the atom */
	value[0] = value[1] = 1;
	value[2] = 3;
	value[3] = 5;
	for (int i = 4; i < 8; i++)
		value[i] = 2;
	for (int i = 0; i < ROWS; i++)
		row[i] = (uint32_t) i;
	CHECK(gs_leaf_fit(&values, &tree, 0, scratch, &table) && table.n == 5,
		  "a cell for each row, and the atom");
	CHECK(table.entry[0].position == 1 && table.entry[3].position +
		  table.entry[3].width == 5, "cells reach from the first piece to the last");
	for (int i = 0; i < 4; i++)
	{
		wrong += fabs(share_of(&table, i) - 0.125) > 1e-6;
		gaps += i > 0 && table.entry[i].position != table.entry[i -
																1].position +
			table.entry[i - 1].width;
	}
	CHECK(wrong == 0, "each with a row's share");
	CHECK(gaps == 0, "without gaps");
	CHECK(table.entry[0].width == 0.5 && table.entry[1].width == 0.625,
		  "that end half way between rows");
	CHECK(table.entry[4].position == 6 && table.entry[4].width == 1 &&
		  fabs(share_of(&table, 4) - 0.5) < 1e-6, "the atom has its own");

	/* many rows: fewer cells, finest at the ends */
	table.n = 0;
	node.to = ROWS;
	for (int i = 0; i < ROWS; i++)
		value[i] = (uint16_t) (i % 7 == 2 ? 3 : i % 7);
	gs_leaf_fit(&values, &tree, 0, scratch, &table);
	CHECK(table.n < 200 && table.n > 100, "many rows share cells");
	CHECK(share_of(&table, 0) < 1.5 / ROWS &&
		  share_of(&table, table.n - 1) < 1.5 / ROWS,
		  "but not at the ends");
	CHECK(table.entry[table.n - 1].below == 1, "they sum to one");

	/* the parent's continuum alone has no place in a leaf of atoms */
	table.n = 0;
	value[0] = 2;
	{
		GsTreeNode	family[2] = {
			{.predictor = 0,.left = 1,.parent = -1,.to = 8},
			{.predictor = -1,.parent = 0,.to = 1}
		};

		tree.node = family;
		values.prior = 5;
		gs_leaf_fit(&values, &tree, 1, scratch, &table);
		CHECK(table.n == 1 && table.entry[0].below == 1 &&
			  table.entry[0].position == 6,
			  "a leaf of an atom gives the atom");
	}
	free(table.entry);
}

/* codes that no row of a node has go to either side, as rows do */
static void
test_unseen(void)
{
	static const int many[3] = {240, CODES, CODES};
	GsTreeTable table = {1, columns, many, ordered};
	GsTreeResponse response = {.nclasses = 2,.class = class};
	GsTreeSearch *search;
	GsTreeSplit split;
	int			right = 0;

	/* of codes 0 to 39, every fourth is of the class that goes its own way */
	make_rows(7, 2);
	ordered[0] = false;
	for (int i = 0; i < ROWS; i++)
	{
		code[0][i] = (uint8_t) (i % 40);
		class[i] = i % 4 == 0;
	}
	search = gs_tree_search_create(&table, &response, 1, ROWS);
	gs_tree_search(search, row, ROWS, &split);
	gs_tree_search_free(search);
	for (int c = 40; c < 240; c++)
		right += split.mask[c / 32] >> (c % 32) & 1;
	if (split.mask[0] & 1)
		CHECK(right > 20 && right < 80, "a quarter of the unseen codes right");
	else
		CHECK(right > 120 && right < 180,
			  "three quarters of the unseen codes right");
}

/* which predictor is split by: names that tell nothing, or what tells a little */
static void
test_fair(void)
{
	static const int many[3] = {40, CODES, CODES};
	GsTreeTable table = {2, columns, many, ordered};
	GsTreeResponse response = {.nclasses = 4,.class = class};
	GsRandom	random;
	int			names = 0;

	for (int seed = 0; seed < 20; seed++)
	{
		GsTreeSearch *search;
		GsTreeSplit split;

		make_rows(seed, 4);
		gs_random_start(&random, 12, seed, 0);
		ordered[0] = false;
		ordered[1] = true;
		for (int i = 0; i < ROWS; i++)
		{
			code[0][i] = (uint8_t) gs_random_below(&random, 40);
			class[i] = (uint8_t) gs_random_below(&random, 4);
			if (code[1][i] > CODES / 2 && gs_random_below(&random, 3) == 0)
				class[i] = 0;
		}
		search = gs_tree_search_create(&table, &response, 1, ROWS);
		gs_tree_search(search, row, ROWS, &split);
		gs_tree_search_free(search);
		names += split.predictor == 0;
	}
	CHECK(names <= 2, "names do not tell most by chance");
}

/* each of 200 levels goes with one of four codes */
static int
mixed_rows(const uint16_t *level)
{
	GsTreeTable table = {1, columns, ncodes, ordered};
	GsTreeResponse response = {.nclasses = GS_TREE_CLASSES,.class = class,
		.level = level,.nlevels = 200,.nrows = ROWS
	};
	GsTreeLimits limits = {10, 30, 12 + GS_TREE_CLASSES, NULL};
	GsTree		tree = {.row = row};
	int			mixed = 0;

	for (int i = 0; i < ROWS; i++)
		row[i] = (uint32_t) i;
	gs_tree_grow(&table, &response, &limits, ROWS, &tree);
	gs_tree_prune(&tree, 10);
	for (int at = 0; at < tree.nnodes; at++)
		for (uint32_t i = tree.node[at].from; i < tree.node[at].to &&
			 tree.node[at].predictor < 0; i++)
			mixed += code[0][row[i]] != code[0][row[tree.node[at].from]];
	gs_tree_free(&tree);
	return mixed;
}

static void
test_many_levels(void)
{
	static uint16_t level[ROWS];

	ordered[0] = false;
	for (int i = 0; i < ROWS; i++)
	{
		level[i] = (uint16_t) (i % 200);
		code[0][i] = (uint8_t) (i % 4);
		class[i] = (uint8_t) (level[i] < 31 ? level[i] : 31);
	}
	CHECK(mixed_rows(level) == 0, "levels beyond the classes are told apart");
}

static void
test_held(void)
{
	GsTree		tree;
	GsTreeTable table = {3, columns, ncodes, ordered};
	GsTreeResponse response = {.nclasses = 2,.class = class};
	static uint16_t level[ROWS];
	static uint32_t held[ROWS];
	double		likely;

	make_xor();
	for (int i = 0; i < ROWS; i++)
	{
		held[i] = (uint32_t) i;
		code[0][i] = (uint8_t) (i % 2 * 8);
		class[i] = (uint8_t) (i % 2);
		level[i] = class[i];
	}
	grow(&tree, 10, NULL);
	likely = gs_tree_held(&table, &response, &tree, 2, held, ROWS);
	CHECK(likely < 0 && likely > -0.01, "rows that a tree tells are likely");
	response.level = level;
	response.nlevels = 2;
	CHECK_NEAR(gs_tree_held(&table, &response, &tree, 2, held, ROWS), likely,
			   1e-3, "and so are their levels");
	response.level = NULL;
	gs_tree_prune(&tree, 1e9);
	CHECK_NEAR(gs_tree_held(&table, &response, &tree, 2, held, ROWS),
			   log(0.5), 1e-3, "to one leaf they are as likely as its shares");
	response.gain = GS_TREE_ORDINAL;
	CHECK_NEAR(gs_tree_held(&table, &response, &tree, 2, held, ROWS),
			   log(0.5), 1e-3, "ordered classes too");
	CHECK(gs_tree_held(&table, &response, &tree, 2, held, 0) == 0,
		  "no rows say nothing");
	gs_tree_free(&tree);
}

static void
test_nearer(void)
{
	static const uint8_t own[2][3] = {{0, 100, 200}, {1, 2, 3}};
	static const uint8_t other[2][3] = {{20, 120, 200}, {1, 2, 3}};
	static const bool is_ordered[2] = {true, false};
	static const uint8_t *const owns[2] = {own[0], own[1]};
	static const uint8_t *const others[2] = {other[0], other[1]};
	static const uint8_t made[4][2] = {{0, 1}, {119, 2}, {200, 3}, {109, 2}};
	GsTreeTable table = {.npredictors = 2,.ordered = is_ordered};

	CHECK_NEAR(gs_tree_nearer(&table, made[0], 4, owns, others, 3, 255), 2.5,
			   1e-9, "two rows nearer to their own, one as near to the others");
}

int
main(void)
{
	test_splits();
	test_trees();
	test_levels();
	test_numbers();
	test_unseen();
	test_fair();
	test_many_levels();
	test_held();
	test_nearer();
	return test_done();
}
