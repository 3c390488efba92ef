/*
 * test_private_mixture.c
 *	  From noisy counts to distributions: projection, merging, and mixtures of
 *	  products fitted to pairs.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/privacy/merge.h"
#include "../../src/privacy/mixture.h"
#include "../../src/privacy/simplex.h"
#include "test.h"

#define COLUMNS		3
#define ROWS		100000
#define COMPONENTS	32

static const int ncells[COLUMNS] = {4, 3, 6};
static const bool ordered[COLUMNS] = {false, false, true};
static const bool nullable[COLUMNS] = {false, false, true};

/* a joint distribution in which all columns depend on each other */
static double joint[4][3][6];

static double
sum_of(const double *x, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += x[i];
	return sum;
}

static void
test_simplex(void)
{
	const int64_t count[6] = {50, -7, 30, 1, -20, 24};
	const int64_t nothing[3] = {-5, -5, -9};
	double		share[6];

	/* of 50, 30 and 24, 4 too many are taken off, which leaves 1 nothing */
	CHECK(gs_simplex(count, 6, 100, share), "counts become shares");
	CHECK_NEAR(share[0], (50 - 4 / 3.0) / 100, 1e-12, "less what is too much");
	CHECK_NEAR(share[2], (30 - 4 / 3.0) / 100, 1e-12, "of each alike");
	CHECK_NEAR(share[1] + share[3] + share[4], 0, 0, "none is negative");
	CHECK_NEAR(sum_of(share, 6), 1, 1e-12, "they sum to 1");
	CHECK(gs_simplex(nothing, 3, 1, share) && share[2] == 0,
		  "counts below zero");
	CHECK_NEAR(share[0], 0.5, 1e-12, "the largest share what there is");
}

/* Noise of a deterministic kind, up to 30 either way. */
static int
noise_at(int i)
{
	return (i * 7919) % 61 - 30;
}

/*
 * A spike at 0, some rows far off, and much noise between: the empty range
 * gets nothing, and either side what was counted.
 */
static void
test_nested(void)
{
	const int64_t nothing[3] = {-5, -5, -9};
	int64_t		count[1024];
	double		share[1024];
	double		least = 0;

	for (int i = 0; i < 1024; i++)
		count[i] = noise_at(i) + (i == 0 ? 20000 : 0) +
			(i >= 64 && i < 128 ? 50 : 0);
	CHECK(gs_nested(count, 1024, 18, 23200, share), "counts in an order");
	for (int i = 0; i < 1024; i++)
		least = share[i] < least ? share[i] : least;
	CHECK_NEAR(least, 0, 0, "none is negative");
	CHECK_NEAR(sum_of(share, 1024), 1, 1e-9, "they sum to 1");
	CHECK_NEAR(share[0], 20000 / 23200.0, 0.005, "a spike");
	CHECK_NEAR(sum_of(share + 64, 64), 3200 / 23200.0, 0.005, "a range");
	CHECK_NEAR(sum_of(share + 512, 512), 0, 0, "half of it empty");
	CHECK(gs_nested(nothing, 3, 1, 1, share), "counts below zero");
	CHECK_NEAR(sum_of(share, 3), 1, 1e-12, "are shares all the same");
}

static void
test_merge(void)
{
	double		share[1000];
	int32_t		cell[1000];
	int32_t		bin[1000];
	int			n;
	int			wrong = 0;

	for (int i = 0; i < 1000; i++)
		share[i] = i == 500 ? 0.5 : 0.5 / 999;
	n = gs_merge(share, 1000, 0.02, bin);
	CHECK(bin[0] == 0 && bin[999] == n - 1, "bins are in order");
	CHECK(bin[499] < bin[500] && bin[500] < bin[501],
		  "what is heavy stays alone");
	CHECK(n > 20 && n < 35, "bins hold about the mass");
	CHECK(gs_merge(share, 1, 0.02, bin) == 1 && bin[0] == 0, "one value");
	CHECK(gs_merge(share, 1000, 9, bin) == 1, "too little for two bins");

	n = gs_merge_cells(share, 1000, true, true, 0.001, cell);
	CHECK(cell[999] == n - 1 && cell[998] < n - 1, "NULL has its own cell");
	for (int i = 1; i < 1000; i++)
		wrong += cell[i] < cell[i - 1] || cell[i] > cell[i - 1] + 1;
	n = gs_merge_bins(share, 1000, true, true, cell, 1e-9, bin);
	for (int i = 1; i < 1000; i++)
		wrong += bin[i] < bin[i - 1] || bin[i] > bin[i - 1] + 1 ||
			(cell[i] == cell[i - 1] && bin[i] != bin[i - 1]);
	CHECK(wrong == 0, "cells are not torn apart");
	CHECK(n <= GS_MERGE_BINS + 1 && bin[999] == n - 1, "no more than 32 bins");
	CHECK(gs_merge_cells(share, 1000, false, false, 0.1, cell) == 1000,
		  "values without order are no neighbours");
	n = gs_merge_bins(share, 1000, false, false, cell, 1e-9, bin);
	CHECK(n > GS_MERGE_LEVELS / 3 && n <= GS_MERGE_LEVELS,
		  "their bins are not too many for pairs");
	CHECK(bin[499] < bin[500] && bin[500] < bin[501] && bin[999] == n - 1,
		  "and what is heavy stays alone");
	CHECK(gs_merge_cells(share, 1, true, true, 0.1, cell) == 1 &&
		  gs_merge_bins(share, 1, true, true, cell, 0.1, bin) == 1,
		  "nothing but NULL");
}

/* Exact counts of the joint distribution, as if with noise of sigma 1. */
typedef struct Table
{
	GsNoisyTable table;
	GsMarginal	marginal[6];
	int64_t		count[6][4 * 6 * 4];
	int			nbins[COLUMNS];
	int32_t		bins[COLUMNS][6];
	const int32_t *bin[COLUMNS];
} Table;

static void
make_table(Table *t, int target)
{
	static const int pairs[3][2] = {{0, 1}, {0, 2}, {1, 2}};
	int			n = COLUMNS;

	memset(t, 0, sizeof(Table));
	for (int c = 0; c < COLUMNS; c++)
	{
		t->marginal[c] = (GsMarginal) {.first = c,.second = -1,.sigma = 1,
		.count = t->count[c]};
		t->nbins[c] = ncells[c];
		t->bin[c] = t->bins[c];
		for (int x = 0; x < ncells[c]; x++)
			t->bins[c][x] = x;
	}
	for (int p = 0; p < 3; p++)
		if (target != pairs[p][0] + 1 && target != pairs[p][1] + 1)
		{
			t->marginal[n] = (GsMarginal) {.first = pairs[p][0],
			.second = pairs[p][1],.sigma = 1,.count = t->count[n]};
			n++;
		}
	for (int x = 0; x < 4; x++)
		for (int y = 0; y < 3; y++)
			for (int z = 0; z < 6; z++)
			{
				int			at[COLUMNS] = {x, y, z};
				int64_t		rows = (int64_t) rint(joint[x][y][z] * ROWS);

				for (int m = 0; m < n; m++)
				{
					int			a = t->marginal[m].first;
					int			b = t->marginal[m].second;
					int			level = target > 0 ? at[target - 1] : 0;

					if (b < 0)
						t->count[m][at[a]] += rows;
					else
						t->count[m][(level * ncells[a] + at[a]) * ncells[b] +
									at[b]] += rows;
				}
			}
	t->table = (GsNoisyTable) {
		.ncolumns = COLUMNS,.ncells = ncells,.ordered = ordered,
		.nullable = nullable,.rows = ROWS,.nmarginals = n,
		.marginals = t->marginal,.nbins = t->nbins,.bin = t->bin,
		.target = target
	};
}

/*
 * How far a mixture's joint distribution, summed over the columns that are not
 * asked for, is from the real one: total variation.
 */
static double
distance(const float *weight, const float *share, const bool *asked)
{
	static double sum[4][3][6];
	double		all = 0;

	memset(sum, 0, sizeof(sum));
	for (int x = 0; x < 4; x++)
		for (int y = 0; y < 3; y++)
			for (int z = 0; z < 6; z++)
			{
				double		p = 0;

				for (int r = 0; r < COMPONENTS; r++)
				{
					const float *s = share + r * 13;

					p += (double) weight[r] * s[x] * s[4 + y] * s[7 + z];
				}
				sum[asked[0] ? x : 0][asked[1] ? y : 0][asked[2] ? z : 0] +=
					p - joint[x][y][z];
			}
	for (int i = 0; i < 4 * 3 * 6; i++)
		all += fabs((&sum[0][0][0])[i]);
	return all / 2;
}

static void
test_fit(void)
{
	static const bool pairs[3][3] = {
		{true, true, false}, {true, false, true}, {false, true, true}
	};
	static const bool all[3] = {true, true, true};
	Table	   *t = malloc(sizeof(Table));
	GsProductsFit fit = {
		.components = COMPONENTS,.steps = 200,.cycles = 4,.key = 7
	};
	GsProductsFit again = fit;
	float		weight[2][COMPONENTS];
	float		share[2][COMPONENTS * 13];
	int32_t		order[COMPONENTS];
	int			seen[COMPONENTS] = {0};
	int			wrong = 0;
	atomic_bool cancel = true;
	double		sum = 0;
	GsProducts *products;

	for (int x = 0; x < 4; x++)
		for (int y = 0; y < 3; y++)
			for (int z = 0; z < 6; z++)
				sum += joint[x][y][z] = 1 + 8 * (x % 3 == y) +
					6 * (z == 2 * y) + 5 * (x == 3 && z > 3);
	for (int i = 0; i < 4 * 3 * 6; i++)
		(&joint[0][0][0])[i] /= sum;

	make_table(t, 0);
	products = gs_products_create(&t->table);
	CHECK(products != NULL && gs_products_pairs(products) &&
		  gs_products_cells(products) == 13, "counts are prepared");
	CHECK(gs_products_fit(products, &fit, weight[0], share[0]),
		  "a mixture is fitted");
	CHECK(fit.residual < 1.5, "to what the noise would be");
	for (int p = 0; p < 3; p++)
		CHECK_NEAR(distance(weight[0], share[0], pairs[p]), 0, 0.001,
				   "no noise gives back the pairs");
	CHECK(gs_products_fit(products, &again, weight[1], share[1]) &&
		  memcmp(weight[0], weight[1], sizeof(weight[0])) == 0 &&
		  memcmp(share[0], share[1], sizeof(share[0])) == 0,
		  "the same key, the same bits");
	again.key++;
	CHECK(gs_products_fit(products, &again, weight[1], share[1]) &&
		  memcmp(share[0], share[1], sizeof(share[0])) != 0,
		  "another key, another beginning");
	again.cancel = &cancel;
	CHECK(!gs_products_fit(products, &again, weight[1], share[1]),
		  "it can be cancelled");
	CHECK(gs_products_order(products, COMPONENTS, weight[0], share[0], order),
		  "components are put in order");
	for (int r = 0; r < COMPONENTS; r++)
		wrong += order[r] < 0 || order[r] >= COMPONENTS ||
			seen[order[r]]++ > 0;
	CHECK(wrong == 0, "each once");
	gs_products_free(products);

	/* within each level of a target, that is the joint distribution */
	make_table(t, 2);
	products = gs_products_create(&t->table);
	CHECK(products != NULL &&
		  gs_products_fit(products, &fit, weight[0], share[0]),
		  "pairs are counted by levels of a target");
	CHECK_NEAR(distance(weight[0], share[0], all), 0, 0.002,
			   "no noise gives back all three");
	gs_products_free(products);
	free(t);
}

/* Values that were merged, and columns without pairs. */
static void
test_alone(void)
{
	int64_t		count[200];
	int			n = 200;
	const bool	yes = true;
	const bool	no = false;
	GsMarginal	marginal = {.second = -1,.sigma = 10,.count = count};
	GsNoisyTable table = {
		.ncolumns = 1,.ncells = &n,.ordered = &yes,.nullable = &no,
		.nmarginals = 1,.marginals = &marginal
	};
	GsProducts *products;
	double		sum = 0;

	for (int i = 0; i < n; i++)
	{
		count[i] = i == 77 ? 1000 : (i * 37) % 21 - 10;
		table.rows += (double) count[i];
	}
	products = gs_products_create(&table);
	CHECK(products != NULL && !gs_products_pairs(products) &&
		  gs_products_cells(products) < 60, "noise is merged");
	for (int x = 0; x < gs_products_cells(products); x++)
		sum += gs_products_alone(products)[x];
	CHECK_NEAR(sum, 1, 1e-6, "shares sum to 1");
	CHECK(gs_products_alone(products)[gs_products_cell_of(products, 0)[77]] >
		  0.8, "a value of many rows keeps them");
	gs_products_free(products);
	gs_products_free(NULL);
}

/*
 * A value that many rows hold, and a bin of all others beside it: what is next
 * to the value is not half like it.
 */
static void
test_spike(void)
{
	static const int n[2] = {41, 2};
	static const bool in_order[2] = {true, false};
	static const bool no[2] = {false, false};
	static const int nbins[2] = {2, 2};
	int32_t		first[41];
	const int32_t second[2] = {0, 1};
	const int32_t *const bin[2] = {first, second};
	int64_t		count[41];
	const int64_t other[2] = {67500, 32500};
	const int64_t pair[4] = {47500, 2500, 20000, 30000};
	const GsMarginal marginal[3] = {
		{.first = 0,.second = -1,.sigma = 1,.count = count},
		{.first = 1,.second = -1,.sigma = 1,.count = other},
		{.first = 0,.second = 1,.sigma = 1,.count = pair}
	};
	const GsNoisyTable table = {
		.ncolumns = 2,.ncells = n,.ordered = in_order,.nullable = no,
		.rows = ROWS,.nmarginals = 3,.marginals = marginal,.nbins = nbins,
		.bin = bin
	};
	GsProductsFit fit = {
		.components = COMPONENTS,.steps = 200,.cycles = 4,.key = 7
	};
	float		weight[COMPONENTS];
	float		share[COMPONENTS * 43];
	GsProducts *products;

	for (int x = 0; x < 41; x++)
	{
		count[x] = x == 0 ? 50000 : 1250;
		first[x] = x > 0;
	}
	products = gs_products_create(&table);
	CHECK(products != NULL && gs_products_cells(products) == 43 &&
		  gs_products_fit(products, &fit, weight, share), "a spike is fitted");
	for (int x = 0; x < 41; x += 5)
	{
		double		both = 0;
		double		all = 0;

		for (int r = 0; r < COMPONENTS; r++)
		{
			double		p = (double) weight[r] * share[r * 43 + x];

			both += p * share[r * 43 + 42];
			all += p;
		}
		CHECK_NEAR(both / all, x == 0 ? 0.05 : 0.6, 0.02,
				   "values beside a spike are like others");
	}
	gs_products_free(products);
}

int
main(void)
{
	test_simplex();
	test_nested();
	test_merge();
	test_fit();
	test_alone();
	test_spike();
	return test_done();
}
