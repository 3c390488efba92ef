/*
 * split.c
 *	  The best split of a node, over all columns and all cuts.
 *
 * Of each column the node's rows are counted by code and class.  A column
 * whose codes have an order is cut between two codes.  The codes of any other
 * are put in the order of the first principal direction of their classes'
 * shares (Coppersmith, Hong and Hosking, "Partitioning nominal attributes in
 * decision trees", Data Mining and Knowledge Discovery 3, 1999; for two
 * classes that is the share of one, and the cut is the best of all subsets:
 * Breiman et al. 1984, theorem 4.5), and then cut.
 *
 * Gains are sums of exact counts in a fixed order.
 *
 * Plain C: no postgres.h.
 */
#include "tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../numeric/philox.h"

#define DIRECTION_ROUNDS	6
#define ENTROPY_CHANCE		0.32	/* half of the likelihood ratio, of which a cut in
								 * two tells 2 / pi */
#define ORDINAL_CHANCE		0.2
#define ORDERED_CODES		8	/* without an order, that gain by chance what the
								 * best of many cuts of ordered ones does */

struct GsTreeSearch
{
	const GsTreeTable *table;
	const GsTreeResponse *response;
	uint32_t	min_leaf;
	int			k;				/* classes */
	uint8_t    *class;			/* [rows] of levels in the node; or NULL ... */
	uint32_t   *seen;			/* ... [nlevels] rows, else zeros ... */
	uint16_t   *there;			/* ... [nlevels] those that it has */
	double	   *entropy;		/* [nrows + 1] n log n */
	float	   *weight;			/* [k] of the cut after each class */
	uint32_t	total[GS_TREE_CLASSES];
	uint32_t	rows[GS_TREE_CODES];	/* of each code */
	uint32_t   *count;			/* [GS_TREE_CODES][k] */
	int			ncodes;			/* codes that there are ... */
	int			code[GS_TREE_CODES];	/* ... in the order to be cut in */
	double		key[GS_TREE_CODES];
};

/*
 * gs_tree_search_create
 *
 * Room to search splits of nodes of up to nrows rows; NULL if memory is out.
 * table and response must outlive it.
 */
GsTreeSearch *
gs_tree_search_create(const GsTreeTable *table,
					  const GsTreeResponse *response, uint32_t min_leaf,
					  uint32_t nrows)
{
	GsTreeSearch *search = calloc(1, sizeof(GsTreeSearch));
	int			k = response->nclasses;

	if (search == NULL)
		return NULL;
	search->table = table;
	search->response = response;
	search->min_leaf = min_leaf;
	search->k = k;
	search->count = malloc(sizeof(uint32_t) * GS_TREE_CODES * k);
	search->entropy = malloc(sizeof(double) * ((size_t) nrows + 1));
	search->weight = malloc(sizeof(float) * k);
	if (response->level != NULL)
	{
		search->class = malloc(response->nrows);
		search->seen = calloc(response->nlevels, sizeof(uint32_t));
		search->there = malloc(sizeof(uint16_t) * response->nlevels);
	}
	if (search->count == NULL || search->entropy == NULL ||
		search->weight == NULL ||
		(response->level != NULL &&
		 (search->class == NULL || search->seen == NULL ||
		  search->there == NULL)))
	{
		gs_tree_search_free(search);
		return NULL;
	}
	search->entropy[0] = 0;
	for (uint32_t i = 1; i <= nrows; i++)
		search->entropy[i] = i * log(i);
	return search;
}

/*
 * gs_tree_search_free: lets go of it; NULL is nothing.
 */
void
gs_tree_search_free(GsTreeSearch *search)
{
	if (search == NULL)
		return;
	free(search->count);
	free(search->entropy);
	free(search->weight);
	free(search->class);
	free(search->seen);
	free(search->there);
	free(search);
}

/*
 * The classes of a node's rows where there are more levels than classes: the
 * most frequent levels, in the order of the rows that they come in where they
 * are as frequent, and all others.
 */
static void
find_classes(GsTreeSearch *search, const uint32_t *row, uint32_t n)
{
	const uint16_t *level = search->response->level;
	int			top[GS_TREE_CLASSES];
	int			ntop = 0;
	int			nthere = 0;

	for (uint32_t i = 0; i < n; i++)
		if (search->seen[level[row[i]]]++ == 0)
			search->there[nthere++] = level[row[i]];
	for (int i = 0; i < nthere; i++)
	{
		int			l = search->there[i];
		int			at = ntop;

		if (ntop == search->k - 1 &&
			search->seen[top[ntop - 1]] >= search->seen[l])
			continue;
		if (ntop < search->k - 1)
			ntop++;
		else
			at--;
		for (; at > 0 && search->seen[top[at - 1]] < search->seen[l]; at--)
			top[at] = top[at - 1];
		top[at] = l;
	}

	/* from here on seen is the class */
	for (int i = 0; i < nthere; i++)
		search->seen[search->there[i]] = search->k - 1;
	for (int i = 0; i < ntop; i++)
		search->seen[top[i]] = i;
	for (uint32_t i = 0; i < n; i++)
		search->class[row[i]] = (uint8_t) search->seen[level[row[i]]];
	for (int i = 0; i < nthere; i++)
		search->seen[search->there[i]] = 0;
}

/*
 * The class of each row of the node at hand.
 */
static const uint8_t *
classes_of(const GsTreeSearch *search)
{
	return search->class != NULL ? search->class : search->response->class;
}

/*
 * Counts a node's rows by code and class.
 */
static void
count_codes(GsTreeSearch *search, int predictor, const uint32_t *row,
			uint32_t n)
{
	const uint8_t *code = search->table->code[predictor];
	const uint8_t *class = classes_of(search);
	int			all = search->table->ncodes[predictor];
	int			k = search->k;

	memset(search->rows, 0, sizeof(uint32_t) * all);
	if (n >= (uint32_t) all)
		memset(search->count, 0, sizeof(uint32_t) * all * k);
	for (uint32_t i = 0; i < n; i++)
	{
		int			c = code[row[i]];

		/* of few rows most codes stay untouched */
		if (search->rows[c]++ == 0 && n < (uint32_t) all)
			memset(search->count + (size_t) c * k, 0, sizeof(uint32_t) * k);
		search->count[(size_t) c * k + class[row[i]]]++;
	}
	search->ncodes = 0;
	for (int c = 0; c < all; c++)
		if (search->rows[c] > 0)
			search->code[search->ncodes++] = c;
}

/*
 * Keys of the codes: along the first principal direction of the classes'
 * shares, by power iteration.
 */
static void
direct_codes(GsTreeSearch *search, uint32_t n)
{
	int			k = search->k;
	double		direction[GS_TREE_CLASSES];
	double		next[GS_TREE_CLASSES];
	bool		done = k <= 2;

	/* a start that is not orthogonal to anything likely */
	for (int j = 0; j < k; j++)
		direction[j] = search->response->gain == GS_TREE_ORDINAL ? j :
			1.0 / (1 + j);
	if (k == 2)
		direction[0] = 0;
	if (search->response->gain == GS_TREE_ORDINAL)
		done = true;
	for (int round = 0;; round++)
	{
		double		mean = 0;
		double		largest = 0;

		for (int j = 0; j < k; j++)
			mean += direction[j] * search->total[j] / n;
		memset(next, 0, sizeof(next));
		for (int i = 0; i < search->ncodes; i++)
		{
			int			c = search->code[i];
			const uint32_t *count = search->count + (size_t) c * k;
			double		along = 0;

			for (int j = 0; j < k; j++)
				along += direction[j] * count[j];
			search->key[c] = along / search->rows[c];
			along = search->key[c] - mean;
			for (int j = 0; j < k; j++)
				next[j] += along * count[j];
		}
		if (done || round == DIRECTION_ROUNDS)
			return;

		/* less the share that goes with the rows alone */
		for (int j = 0; j < k; j++)
			if (fabs(next[j]) > largest)
				largest = fabs(next[j]);
		if (!(largest > 0))
			return;
		for (int j = 0; j < k; j++)
			direction[j] = next[j] / largest;
	}
}

/*
 * Sorts the codes by key; equal keys stay in the order of the codes.
 */
static void
sort_codes(GsTreeSearch *search)
{
	for (int i = 1; i < search->ncodes; i++)
	{
		int			c = search->code[i];
		int			at = i;

		while (at > 0 && search->key[search->code[at - 1]] > search->key[c])
		{
			search->code[at] = search->code[at - 1];
			at--;
		}
		search->code[at] = c;
	}
}

/*
 * The best cut of the ordered codes by entropy: twice over, the gain is
 * the sum of n log n over the sides' classes, less that of the whole.  Returns the
 * place of the last code that goes left, or -1.
 */
static int
cut_entropy(const GsTreeSearch *search, uint32_t n, double *best)
{
	const double *e = search->entropy;
	int			k = search->k;
	uint32_t	left[GS_TREE_CLASSES] = {0};
	uint32_t	nleft = 0;
	double		inside = 0;		/* sum over the classes of both sides */
	double		whole;
	int			cut = -1;

	for (int j = 0; j < k; j++)
		inside += e[search->total[j]];
	whole = inside - e[n];
	for (int i = 0; i < search->ncodes - 1; i++)
	{
		const uint32_t *count = search->count +
			(size_t) search->code[i] * k;
		double		gain;

		for (int j = 0; j < k; j++)
		{
			uint32_t	right = search->total[j] - left[j];

			if (count[j] == 0)
				continue;
			inside -= e[left[j]] + e[right];
			left[j] += count[j];
			inside += e[left[j]] + e[right - count[j]];
		}
		nleft += search->rows[search->code[i]];
		if (nleft < search->min_leaf)
			continue;
		if (n - nleft < search->min_leaf)
			break;
		gain = inside - e[nleft] - e[n - nleft] - whole;
		if (gain > *best)
		{
			*best = gain;
			cut = i;
		}
	}
	return cut;
}

/*
 * The same by the ordered classes: the squared distance of the two sides'
 * distribution functions, weighted so that each cut between classes counts
 * alike.
 */
static int
cut_ordinal(const GsTreeSearch *search, uint32_t n, double *best)
{
	int			k = search->k;
	float		left[GS_TREE_CLASSES] = {0};
	float		below[GS_TREE_CLASSES];
	uint32_t	nleft = 0;
	float		sum = 0;
	int			cut = -1;

	for (int j = 0; j < k; j++)
		below[j] = sum += search->total[j];
	for (int i = 0; i < search->ncodes - 1; i++)
	{
		const uint32_t *count = search->count +
			(size_t) search->code[i] * k;
		uint32_t	upto = 0;
		double		gain = 0;
		float		share;

		for (int j = 0; j < k; j++)
		{
			upto += count[j];
			left[j] += upto;
		}
		nleft += search->rows[search->code[i]];
		if (nleft < search->min_leaf)
			continue;
		if (n - nleft < search->min_leaf)
			break;
		share = (float) nleft / n;
		for (int j = 0; j < k - 1; j++)
		{
			float		apart = left[j] - share * below[j];

			gain += search->weight[j] * (apart * apart);
		}
		gain *= (double) n / ((double) nleft * (n - nleft));
		if (gain > *best)
		{
			*best = gain;
			cut = i;
		}
	}
	return cut;
}

/*
 * Weights of the cuts between ordered classes: one over the variance of
 * being below.
 */
static void
weigh_cuts(GsTreeSearch *search, uint32_t n)
{
	double		below = 0;

	for (int j = 0; j < search->k; j++)
	{
		double		share;

		below += search->total[j];
		share = below / n;
		search->weight[j] = share > 0 && share < 1 ?
			(float) (0.5 / (share * (1 - share)) / (search->k - 1)) : 0;
	}
}

/*
 * Sends each code that no row of the node has to either side, by a hash, as
 * likely as a row goes there.  All to one side would draw rows that are made
 * of values not seen together to that side's values, and shares would drift.
 */
static void
send_unseen(const GsTreeSearch *search, int predictor, int cut,
			const uint32_t *row, uint32_t n, uint32_t *mask)
{
	uint32_t	nright = n;

	for (int i = 0; i <= cut; i++)
		nright -= search->rows[search->code[i]];
	for (int c = 0; c < search->table->ncodes[predictor]; c++)
	{
		uint64_t	hash;

		if (search->rows[c] > 0)
			continue;
		hash = gs_mix64(gs_mix64(row[0], n),
						(uint64_t) predictor * GS_TREE_CODES + c);
		if ((hash >> 32) * n < (uint64_t) nright << 32)
			mask[c / 32] |= UINT32_C(1) << (c % 32);
	}
}

/*
 * What the best cut of codes without an order gains by chance, beyond that of
 * ordered ones: a part of the largest of the chi-squared of as many directions as there
 * are classes, over as many codes (the edge of Marchenko and Pastur, 1967); of
 * ordered classes there is hardly more than one direction.
 */
static double
chance_gain(const GsTreeSearch *search, bool entropy)
{
	double		codes = sqrt(search->ncodes - 1);
	double		ordered = sqrt(ORDERED_CODES - 1);
	int			classes = 0;

	if (codes <= ordered)
		return 0;
	if (!entropy)
		return ORDINAL_CHANCE * (codes - ordered) * (codes + ordered + 2);
	for (int j = 0; j < search->k; j++)
		classes += search->total[j] > 0;
	classes = classes > 1 ? classes - 1 : 0;
	return ENTROPY_CHANCE * (codes - ordered) *
		(codes + ordered + 2 * sqrt(classes));
}

/*
 * gs_tree_search
 *
 * The best split of the rows row[n], each side with at least min_leaf of
 * them, and none where no split gains anything.  Columns are compared by what
 * they gain beyond chance: else names would be asked for before what tells
 * something.  Of equal gains the first column and the first cut win.
 */
void
gs_tree_search(GsTreeSearch *search, const uint32_t *row, uint32_t n,
			   GsTreeSplit *best)
{
	const GsTreeTable *table = search->table;
	bool		entropy = search->response->gain == GS_TREE_ENTROPY;
	double		most = -INFINITY;	/* gain above chance */

	best->predictor = -1;
	best->gain = 1e-9 * n;
	if (search->class != NULL)
		find_classes(search, row, n);
	memset(search->total, 0, sizeof(search->total));
	for (uint32_t i = 0; i < n; i++)
		search->total[classes_of(search)[row[i]]]++;
	weigh_cuts(search, n);
	for (int p = 0; p < table->npredictors; p++)
	{
		double		chance = 0;
		double		gain;
		int			cut;

		count_codes(search, p, row, n);
		if (search->ncodes < 2)
			continue;
		if (!table->ordered[p])
		{
			direct_codes(search, n);
			sort_codes(search);
			chance = chance_gain(search, entropy);
		}
		gain = fmax(most + chance, 1e-9 * n);
		cut = entropy ? cut_entropy(search, n, &gain) :
			cut_ordinal(search, n, &gain);
		if (cut < 0)
			continue;
		most = gain - chance;
		best->gain = gain;
		best->predictor = p;
		memset(best->mask, 0, sizeof(best->mask));
		if (table->ordered[p])
		{
			/* a code that no row has here goes with its neighbours */
			for (int c = search->code[cut] + 1; c < GS_TREE_CODES; c++)
				best->mask[c / 32] |= UINT32_C(1) << (c % 32);
			continue;
		}
		for (int i = cut + 1; i < search->ncodes; i++)
			best->mask[search->code[i] / 32] |=
				UINT32_C(1) << (search->code[i] % 32);
		send_unseen(search, p, cut, row, n, best->mask);
	}
}
