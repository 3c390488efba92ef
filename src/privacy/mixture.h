/*
 * mixture.h
 *	  Mixtures of products of categorical distributions, fitted to noisy
 *	  counts.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_PRIVACY_MIXTURE_H
#define GENSYNTH_PRIVACY_MIXTURE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "privacy/counts.h"

#define GS_PRODUCTS_MULTIPLE	16	/* components are as many, or so many times more */

/* What is to be fitted: nothing changes it while it is. */
typedef struct GsProducts GsProducts;

typedef struct GsProductsFit
{
	int			components;		/* a multiple of GS_PRODUCTS_MULTIPLE */
	int			steps;			/* of a cycle */
	int			cycles;			/* at most */
	uint64_t	key;			/* of where it begins */
	const atomic_bool *cancel;	/* NULL: never */

	/* filled */
	int			done;			/* steps */
	double		residual;		/* chi-square of a cell of the pairs, in the end:
								 * 1 is what noise explains */
} GsProductsFit;

/* NULL: no memory */
extern GsProducts *gs_products_create(const GsNoisyTable *table);
extern void gs_products_free(GsProducts *products);
extern int	gs_products_cells(const GsProducts *products);
extern const int32_t *gs_products_cell_of(const GsProducts *products, int c);
extern const float *gs_products_alone(const GsProducts *products);
extern bool gs_products_pairs(const GsProducts *products);
extern bool gs_products_fit(const GsProducts *products, GsProductsFit *fit,
							float *weight, float *share);
extern bool gs_products_order(const GsProducts *products, int n,
							  const float *weight, const float *share,
							  int32_t *order);

#endif
