/*
 * test_boost.c
 *	  Boosted trees: the first split against brute force, what they say against
 *	  its definition, and what they can tell apart.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/numeric/philox.h"
#include "../../src/cart/boost.h"
#include "test.h"

#define ROWS	4000
#define TRAIN	3000
#define CODES	12

static uint8_t code[3][ROWS];
static uint8_t label[ROWS];
static const uint8_t *const columns[3] = {code[0], code[1], code[2]};
static const int ncodes[3] = {CODES, CODES, CODES};
static const bool ordered[3] = {true, false, true};
static const GsTreeTable table = {3, columns, ncodes, ordered};

static void
make_rows(bool exclusive)
{
	GsRandom	random;

	for (int i = 0; i < ROWS; i++)
	{
		bool		high;

		gs_random_start(&random, 11, i, exclusive);
		for (int p = 0; p < 3; p++)
			code[p][i] = (uint8_t) gs_random_below(&random, CODES);
		/* some codes without any order in column 1; or an exclusive or */
		high = exclusive ? (code[0][i] > 4) != (code[2][i] > 7) :
			code[1][i] % 5 == 2;
		label[i] = gs_random_uniform(&random) < (high ? 0.8 : 0.2);
	}
}

/* the share of pairs of a real row and another, not learned from, in order */
static double
area(const float *margin)
{
	double		above = 0;
	double		pairs = 0;

	for (int i = TRAIN; i < ROWS; i++)
		for (int j = TRAIN; j < ROWS; j++)
		{
			if (label[i] != 1 || label[j] != 0)
				continue;
			pairs++;
			above += margin[i] > margin[j] ? 1 :
				margin[i] == margin[j] ? 0.5 : 0;
		}
	return above / pairs;
}

/* what the trees say of a row, from their definition */
static double
said(const GsForest *forest, int row)
{
	double		sum = 0;

	for (int t = 0; t < forest->ntrees; t++)
	{
		const GsBoostTree *tree = &forest->tree[t];
		int			leaf = 0;

		for (int d = 0; d < GS_BOOST_DEPTH; d++)
		{
			int			c = columns[tree->predictor[d]][row];
			bool		right = tree->cut[d] >= 0 ? c > tree->cut[d] :
				tree->mask[d][c / 32] >> (c % 32) & 1;

			leaf |= right << d;
		}
		sum += tree->value[leaf];
	}
	return sum;
}

static void
test_subsets(void)
{
	GsBoost    *boost;
	const GsBoostTree *tree;
	bool		right = true;

	make_rows(false);
	boost = gs_boost_create(&table, label, ROWS, TRAIN, 5);
	CHECK(gs_boost_grow(boost), "a tree grows");
	tree = &gs_boost_forest(boost)->tree[0];
	CHECK(tree->predictor[0] == 1 && tree->cut[0] == -1,
		  "the column that tells is split by, its codes as a set");
	for (int c = 0; c < CODES; c++)
		right &= (tree->mask[0][0] >> c & 1) ==
			(tree->mask[0][0] >> 2 & 1 ? c % 5 == 2 : c % 5 != 2);
	CHECK(right, "the set is the one that was put in");
	gs_boost_free(boost);
}

static void
test_exclusive(void)
{
	GsBoost    *boost;
	const float *margin;
	float		again[ROWS] = {0};
	double		best;
	double		apart = 0;
	bool		grown = true;

	make_rows(true);
	boost = gs_boost_create(&table, label, ROWS, TRAIN, 5);
	CHECK(area(gs_boost_margins(boost)) == 0.5, "no trees say nothing");
	for (int t = 0; t < 30; t++)
		grown &= gs_boost_grow(boost);
	CHECK(grown, "trees grow");
	margin = gs_boost_margins(boost);

	/* the best that can be told is 0.8 of the pairs, and ties */
	best = area(margin);
	CHECK(best > 0.75 && best < 0.85, "an exclusive or is told");
	for (int i = 0; i < ROWS; i += 7)
		apart = fmax(apart, fabs(said(gs_boost_forest(boost), i) - margin[i]));
	CHECK_NEAR(apart, 0, 1e-4, "margins are what the trees say");
	apart = 0;
	gs_forest_add(gs_boost_forest(boost), 0, 10, columns, ROWS, again);
	gs_forest_add(gs_boost_forest(boost), 10, 30, columns, ROWS, again);
	for (int i = 0; i < ROWS; i++)
		apart = fmax(apart, fabsf(again[i] - margin[i]));
	CHECK_NEAR(apart, 0, 1e-4, "in parts, too");
	gs_boost_free(boost);
}

/* the first cut of an ordered column gains most, over all there are */
static void
test_first_cut(void)
{
	GsTreeTable one = {1, columns, ncodes, ordered};
	GsBoost    *boost;
	double		max = 0;
	int			cut = -1;

	make_rows(false);
	for (int i = 0; i < ROWS; i++)
		label[i] = (code[0][i] * 7 + i) % 16 > 9;
	boost = gs_boost_create(&one, label, ROWS, TRAIN, 5);
	CHECK(gs_boost_grow(boost), "a tree grows on one column");
	for (int c = 0; c < CODES - 1; c++)
	{
		double		rows[2] = {0};
		double		real[2] = {0};
		double		gain;

		/* of all rows: the tree has seen 0.7 of them, drawn at random */
		for (int i = 0; i < TRAIN; i++)
		{
			rows[code[0][i] > c]++;
			real[code[0][i] > c] += label[i] - 0.5;
		}
		gain = real[0] * real[0] / rows[0] + real[1] * real[1] / rows[1];
		if (gain > max)
		{
			max = gain;
			cut = c;
		}
	}
	CHECK(gs_boost_forest(boost)->tree[0].cut[0] == cut,
		  "the first cut is the best of all");
	gs_boost_free(boost);
}

/* labels that nothing tells: no tree says much */
static void
test_probability(void)
{
	GsBoost    *boost;
	double		told;
	bool		grown = true;

	make_rows(false);
	for (int i = 0; i < ROWS; i++)
		label[i] = (uint8_t) (i % 2);
	boost = gs_boost_create(&table, label, ROWS, TRAIN, 5);
	for (int t = 0; t < 5; t++)
		grown &= gs_boost_grow(boost);
	CHECK(grown, "trees grow where nothing is told");
	told = area(gs_boost_margins(boost));
	CHECK(told > 0.45 && told < 0.55, "nothing is told");
	gs_boost_free(boost);
	gs_boost_free(NULL);
}

int
main(void)
{
	test_subsets();
	test_exclusive();
	test_first_cut();
	test_probability();
	return test_done();
}
