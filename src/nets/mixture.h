/*
 * mixture.h
 *	  Mixtures of normal distributions with full covariances.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_MIXTURE_H
#define GENSYNTH_MIXTURE_H

#include <stdatomic.h>
#include <stdint.h>

#include "nn/pool.h"

typedef struct GsMixture
{
	int			k;				/* components */
	int			d;				/* dimensions */
	float	   *weight;			/* [k] sum 1 */
	float	   *mean;			/* [k][d]; NULL: all components are N(0, I) */
	float	   *cholesky;		/* [k][d][d] lower factor of the covariance */
} GsMixture;

/* What fitting takes beside the points. */
typedef struct GsMixtureFit
{
	int			rounds;			/* of expectation and maximisation */
	float		floor;			/* added to each variance */
	uint64_t	seed;
	const atomic_bool *cancel;
	_Atomic double likelihood;	/* mean log density of a point, in the end */
} GsMixtureFit;

extern bool gs_mixture_fit(GsMixture *mixture, const float *point, int n,
						   GsPool *pool, GsMixtureFit *fit);
extern void gs_mixture_draw(const GsMixture *mixture, int n,
							const uint32_t *word, const float *normal,
							int32_t *component, float *point);

#endif
