/*
 * mixture_order.c
 *	  Components of a mixture in an order in which neighbours are alike, for
 *	  rows of a stream that share distributions out evenly.
 *
 * The components are halved by weight at the bin whose share spreads most
 * among them, again and again (as a k-d tree does: Bentley, CACM 18, 1975).
 */
#include <stdlib.h>

#include "privacy/mixture_internal.h"

#define MIN_HALVED	4			/* components */

/* A component by the share that it is sorted by. */
typedef struct Place
{
	double		share;
	int32_t		component;
} Place;

typedef struct Ordering
{
	const GsProducts *products;
	const float *weight;
	const double *bins;			/* [n][nbins] */
	Place	   *place;
} Ordering;

static int
by_share(const void *a, const void *b)
{
	const Place *x = a;
	const Place *y = b;

	if (x->share != y->share)
		return x->share < y->share ? -1 : 1;
	return (x->component > y->component) - (x->component < y->component);
}

/*
 * The bin whose share varies most among n components.
 */
static int
widest_bin(const Ordering *o, const int32_t *order, int n)
{
	int			nbins = o->products->nbins;
	double		most = -1;
	int			widest = 0;

	for (int b = 0; b < nbins; b++)
	{
		double		sum = 0;
		double		mean = 0;
		double		square = 0;

		for (int i = 0; i < n; i++)
		{
			double		w = o->weight[order[i]];
			double		share = o->bins[(size_t) order[i] * nbins + b];

			sum += w;
			mean += w * share;
			square += w * share * share;
		}
		if (sum > 0 && square - mean * mean / sum > most)
		{
			most = square - mean * mean / sum;
			widest = b;
		}
	}
	return widest;
}

static void
halve(const Ordering *o, int32_t *order, int n)
{
	int			bin;
	double		half = 0;
	double		sum = 0;
	int			first = 1;

	if (n < MIN_HALVED)
		return;
	bin = widest_bin(o, order, n);
	for (int i = 0; i < n; i++)
	{
		o->place[i].share =
			o->bins[(size_t) order[i] * o->products->nbins + bin];
		o->place[i].component = order[i];
		half += o->weight[order[i]] / 2;
	}
	qsort(o->place, (size_t) n, sizeof(Place), by_share);
	for (int i = 0; i < n; i++)
	{
		order[i] = o->place[i].component;
		sum += o->weight[order[i]];
		if (sum < half && i + 2 < n)
			first = i + 2;
	}
	halve(o, order, first);
	halve(o, order + first, n - first);
}

/*
 * gs_products_order: an order of components in which neighbours are alike.
 *
 * weight: [n], share: [n][cells of all columns]; order: [n], filled.  Returns
 * false if memory is out.
 */
bool
gs_products_order(const GsProducts *products, int n, const float *weight,
				  const float *share, int32_t *order)
{
	double	   *bins = calloc((size_t) n * products->nbins + 1,
							  sizeof(double));
	Ordering	o = {products, weight, bins,
	malloc(sizeof(Place) * ((size_t) n + 1))};

	if (bins != NULL && o.place != NULL)
	{
		for (int r = 0; r < n; r++)
			for (int x = 0; x < products->ncells; x++)
				bins[(size_t) r * products->nbins + products->bin_of[x]] +=
					*share++;
		for (int r = 0; r < n; r++)
			order[r] = r;
		halve(&o, order, n);
	}
	free(bins);
	free(o.place);
	return bins != NULL && o.place != NULL;
}
