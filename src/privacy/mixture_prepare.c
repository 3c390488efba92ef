/*
 * mixture_prepare.c
 *	  Noisy counts as something to fit a mixture of products to.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "privacy/merge.h"
#include "privacy/mixture_internal.h"
#include "privacy/simplex.h"

#define MIN_WEIGHT	1e-9		/* of a cell in its bin's centre */

typedef const GsMarginal *Pair;

/* A column's marginal, and what is needed to see cells in it. */
typedef struct Column
{
	const GsMarginal *marginal;
	int			n;				/* values */
	bool		ordered;
	bool		nullable;
	double		rows;
	double	   *share;			/* [n] of each value */
} Column;

/*
 * Where each column begins among so many of all.
 */
static int *
places(int n)
{
	return calloc((size_t) n + 1, sizeof(int));
}

static double
rows_of(const GsNoisyTable *table)
{
	return table->rows > 1 ? table->rows : 1;
}

/*
 * The cells of a column, from its first.  Returns how many there are; 0 if
 * memory is out.
 */
static int
find_cells(Column *column, int32_t *cell)
{
	const GsMarginal *marginal = column->marginal;
	int			n = column->n;
	double		rows = column->rows;

	column->share = malloc(sizeof(double) * (size_t) n);
	if (column->share == NULL ||
		!(column->ordered ?
		  gs_nested(marginal->count, n, marginal->sigma, rows,
					column->share) :
		  gs_simplex(marginal->count, n, rows, column->share)))
		return 0;
	return gs_merge_cells(column->share, n, column->ordered,
						  column->nullable, marginal->sigma / rows, cell);
}

/*
 * What the counts of a column say of its cells.
 */
static void
prepare_cells(GsProducts *products, const Column *column, int c)
{
	int			first = products->cell[c];
	const int32_t *cell = products->cell_of + products->value[c];
	double		ratio = column->rows / column->marginal->sigma;

	for (int v = 0; v < column->n; v++)
	{
		int			x = first + cell[v];

		products->alone[x] += (float) column->share[v];
		products->count[x] += (float) ((double) column->marginal->count[v] /
									   column->rows);
		products->weight[x] += 1;
	}
	for (int x = first; x < products->cell[c + 1]; x++)
		products->weight[x] = (float) (ratio * ratio / products->weight[x]);
}

/*
 * The sums of cells that begin in the same block of values.
 */
static void
prepare_groups(GsProducts *products, const Column *column, int c)
{
	const GsMarginal *marginal = column->marginal;
	int			first = products->cell[c];
	const int32_t *cell = products->cell_of + products->value[c];
	int			n = column->n - column->nullable;
	double		ratio = column->rows / marginal->block_sigma;
	int			last = -1;		/* block */
	int			from = products->ngroups;

	for (int x = first; x < products->cell[c + 1]; x++)
		products->group[x] = -1;
	for (int v = 0; v < n && marginal->block > 0; v++)
	{
		int			x = first + cell[v];

		if (v == 0 || cell[v] != cell[v - 1])
		{
			products->ngroups += v / marginal->block != last;
			last = v / marginal->block;
			products->group[x] = products->ngroups - 1;
			products->group_count[products->group[x]] += products->count[x];
		}
		products->group_weight[products->group[x]] += 1;
	}
	for (int g = from; g < products->ngroups; g++)
		products->group_weight[g] = (float)
			(ratio * ratio * marginal->block / products->group_weight[g]);
}

/*
 * The bin of each cell.
 */
static void
prepare_bins(GsProducts *products, const GsNoisyTable *table, int c)
{
	for (int v = 0; v < table->ncells[c]; v++)
		products->bin_of[products->cell[c] +
						 products->cell_of[products->value[c] + v]] =
			products->bin[c] + table->bin[c][v];
}

/*
 * Where the log odds of an ordered column's cell x are between those of bins b
 * - 1 and b, whose centres are on either side.  A bin of a single cell is a
 * value that many rows hold, such as a 0 that means "none", and says nothing of
 * its neighbours: nothing lies between it and them.
 */
static void
place_cell(GsProducts *products, int c, int x, int b, const double *centre,
		   const int *width)
{
	int			at = products->cell[c] + x;

	if (width[b - 1] == 1 || width[b] == 1)
		return;
	products->low[at] = products->bin[c] + b - 1;
	products->high[at] = products->bin[c] + b;
	products->part[at] = (float)
		((x - centre[b - 1]) / (centre[b] - centre[b - 1]));
}

/*
 * Between which bins' centres the cells of a column are.  NULL has a bin of its
 * own, as has each cell of a column without order.
 */
static bool
interpolate(GsProducts *products, const Column *column, int c)
{
	int			first = products->cell[c];
	int			n = products->cell[c + 1] - first;
	int			bin = products->bin[c];
	int			nbins = products->bin[c + 1] - bin;
	double	   *sum = calloc((size_t) nbins * 2, sizeof(double));
	int		   *width = calloc((size_t) nbins, sizeof(int));
	double	   *centre = sum + nbins;
	bool		done = sum != NULL && width != NULL;

	for (int x = 0; x < n && done; x++)
	{
		int			b = products->bin_of[first + x];
		double		weight = products->alone[first + x] + MIN_WEIGHT;

		products->low[first + x] = products->high[first + x] = b;
		sum[b - bin] += weight;
		centre[b - bin] += weight * x;
		width[b - bin]++;
	}
	n -= column->nullable;
	nbins -= column->nullable;
	for (int b = 0; b < nbins && done; b++)
		centre[b] /= sum[b];
	for (int x = 0, b = 0; x < n && column->ordered && done; x++)
	{
		while (b < nbins && centre[b] < x)
			b++;
		if (b > 0 && b < nbins)
			place_cell(products, c, x, b, centre, width);
	}
	free(sum);
	free(width);
	return done;
}

static bool
allocate_cells(GsProducts *products)
{
	size_t		n = (size_t) products->ncells + 1;

	products->bin_of = calloc(n, sizeof(int32_t));
	products->low = calloc(n, sizeof(int32_t));
	products->high = calloc(n, sizeof(int32_t));
	products->part = calloc(n, sizeof(float));
	products->alone = calloc(n, sizeof(float));
	products->count = calloc(n, sizeof(float));
	products->weight = calloc(n, sizeof(float));
	products->group = calloc(n, sizeof(int32_t));
	products->group_count = calloc(n, sizeof(float));
	products->group_weight = calloc(n, sizeof(float));
	return products->bin_of != NULL && products->low != NULL &&
		products->high != NULL && products->part != NULL &&
		products->alone != NULL && products->count != NULL &&
		products->weight != NULL && products->group != NULL &&
		products->group_count != NULL && products->group_weight != NULL;
}

/*
 * All that single columns say.  column: [ncolumns]
 */
static bool
prepare_columns(GsProducts *products, const GsNoisyTable *table,
				Column *column)
{
	int			n = table->ncolumns;

	products->ncolumns = n;
	products->value = places(n);
	products->cell = places(n);
	products->bin = places(n);
	if (products->value == NULL || products->cell == NULL ||
		products->bin == NULL)
		return false;
	for (int c = 0; c < n; c++)
	{
		products->value[c + 1] = products->value[c] + table->ncells[c];
		products->bin[c + 1] = products->bin[c] +
			(table->nbins != NULL ? table->nbins[c] : 0);
	}
	products->nbins = products->bin[n];
	products->cell_of = calloc((size_t) products->value[n] + 1,
							   sizeof(int32_t));
	for (int c = 0; c < n && products->cell_of != NULL; c++)
	{
		int			ncells = find_cells(&column[c], products->cell_of +
										products->value[c]);

		if (ncells == 0)
			return false;
		products->cell[c + 1] = products->cell[c] + ncells;
		if (ncells > products->max_cells)
			products->max_cells = ncells;
	}
	products->ncells = products->cell[n];
	if (products->cell_of == NULL || !allocate_cells(products))
		return false;
	for (int c = 0; c < n; c++)
	{
		prepare_cells(products, &column[c], c);
		prepare_groups(products, &column[c], c);
		if (table->nbins == NULL)
			continue;
		prepare_bins(products, table, c);
		if (!interpolate(products, &column[c], c))
			return false;
	}
	return true;
}

static int
by_columns(const void *a, const void *b)
{
	const GsMarginal *x = *(const Pair *) a;
	const GsMarginal *y = *(const Pair *) b;

	return x->first != y->first ? (x->first > y->first) - (x->first < y->first) :
		(x->second > y->second) - (x->second < y->second);
}

/*
 * A block of n pairs, in order, of one column with neighbours.
 */
static bool
add_block(GsProducts *products, const GsNoisyTable *table, const Pair *pair,
		  int n)
{
	GsBlock    *block = &products->block[products->nblocks++];
	double		rows = rows_of(table);
	size_t		elements;
	int			at = 0;

	block->first = products->bin[pair[0]->first];
	block->n = products->bin[pair[0]->first + 1] - block->first;
	block->run = products->bin[pair[0]->second];
	block->nrun = products->bin[pair[n - 1]->second + 1] - block->run;
	elements = (size_t) block->n * block->nrun;
	block->count = malloc(sizeof(float) * elements * products->levels);
	block->weight = malloc(sizeof(float) * block->nrun);
	if (block->count == NULL || block->weight == NULL)
		return false;
	products->pair_cells += (double) elements * products->levels;
	if (elements > (size_t) products->max_block)
		products->max_block = (int) elements;
	for (int p = 0; p < n; p++)
	{
		int			nsecond = products->bin[pair[p]->second + 1] -
			products->bin[pair[p]->second];
		const int64_t *count = pair[p]->count;
		double		ratio = rows / pair[p]->sigma;

		for (int row = 0; row < products->levels * block->n; row++)
			for (int y = 0; y < nsecond; y++)
				block->count[(size_t) row * block->nrun + at + y] =
					(float) ((double) *count++ / rows);
		for (int y = 0; y < nsecond; y++)
			block->weight[at + y] = (float) (ratio * ratio);
		at += nsecond;
	}
	return true;
}

static bool
prepare_pairs(GsProducts *products, const GsNoisyTable *table)
{
	Pair	   *pair = malloc(sizeof(Pair) * ((size_t) table->nmarginals + 1));
	int			n = 0;
	bool		done = true;

	products->levels = 1;
	products->target = -1;
	if (table->target > 0)
	{
		products->target = products->bin[table->target - 1];
		products->levels = table->nbins[table->target - 1];
	}
	products->block = calloc((size_t) table->nmarginals + 1, sizeof(GsBlock));
	if (pair == NULL || products->block == NULL)
	{
		free(pair);
		return false;
	}
	for (int m = 0; m < table->nmarginals; m++)
		if (table->marginals[m].second >= 0)
			pair[n++] = &table->marginals[m];
	qsort(pair, (size_t) n, sizeof(Pair), by_columns);
	for (int from = 0, to; from < n && done; from = to)
	{
		for (to = from + 1; to < n && pair[to]->first == pair[from]->first &&
			 pair[to]->second == pair[to - 1]->second + 1; to++)
			;
		done = add_block(products, table, pair + from, to - from);
	}
	free(pair);
	return done;
}

/*
 * gs_products_create: prepares to fit noisy counts, which are not needed any
 * more then.
 *
 * Every column has its marginal; pairs have first < second, and neither is the
 * target.  Returns NULL if memory is out.
 */
GsProducts *
gs_products_create(const GsNoisyTable *table)
{
	GsProducts *products = calloc(1, sizeof(GsProducts));
	Column	   *column = calloc((size_t) table->ncolumns + 1, sizeof(Column));
	bool		done = products != NULL && column != NULL;

	for (int m = 0; m < table->nmarginals && done; m++)
	{
		const GsMarginal *marginal = &table->marginals[m];
		int			c = marginal->first;

		if (marginal->second < 0)
			column[c] = (Column) {
				marginal, table->ncells[c], table->ordered[c],
				table->nullable[c], rows_of(table), NULL
			};
	}
	done = done && prepare_columns(products, table, column) &&
		prepare_pairs(products, table);
	for (int c = 0; c < table->ncolumns && column != NULL; c++)
		free(column[c].share);
	free(column);
	if (done)
		return products;
	gs_products_free(products);
	return NULL;
}

/*
 * gs_products_free: products may be NULL.
 */
void
gs_products_free(GsProducts *products)
{
	if (products == NULL)
		return;
	for (int b = 0; b < products->nblocks; b++)
	{
		free(products->block[b].count);
		free(products->block[b].weight);
	}
	free(products->block);
	free(products->value);
	free(products->cell_of);
	free(products->cell);
	free(products->bin);
	free(products->bin_of);
	free(products->low);
	free(products->high);
	free(products->part);
	free(products->alone);
	free(products->count);
	free(products->weight);
	free(products->group);
	free(products->group_count);
	free(products->group_weight);
	free(products);
}

/*
 * gs_products_cells: how many cells all columns have.
 */
int
gs_products_cells(const GsProducts *products)
{
	return products->ncells;
}

/*
 * gs_products_cell_of: the cell of each value of a column, from 0.
 */
const int32_t *
gs_products_cell_of(const GsProducts *products, int c)
{
	return products->cell_of + products->value[c];
}

/*
 * gs_products_alone: [cells of all columns] shares of columns by themselves.
 */
const float *
gs_products_alone(const GsProducts *products)
{
	return products->alone;
}

/*
 * gs_products_pairs: whether there are any pairs to fit.
 */
bool
gs_products_pairs(const GsProducts *products)
{
	return products->nblocks > 0;
}
