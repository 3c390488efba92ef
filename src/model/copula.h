/*
 * copula.h
 *	  The Gaussian copula, between its files.
 */
#ifndef GENSYNTH_COPULA_H
#define GENSYNTH_COPULA_H

#include "model/family.h"
#include "numeric/guide.h"

/* A latent variate of a loaded model. */
typedef struct CopulaLatent
{
	int			feature;
	bool		number;
	int			nlevels;
	int32	   *order;			/* [nlevels] levels by position */
	double	   *edge;			/* [nlevels + 1] in normal score */
	float	   *few;			/* the same, of few levels; else NULL */
	GsGuide		guide;
} CopulaLatent;

typedef struct CopulaGiven CopulaGiven;
typedef struct CopulaContext CopulaContext;

/* A loaded model. */
typedef struct Copula
{
	int			n;
	CopulaLatent *latent;
	float	   *cholesky;		/* [n][n] */
	int32	  **constant;		/* [nfeatures] codes of constant categories */
} Copula;

/* What changes while a model is sampled. */
typedef struct CopulaSampler
{
	const Copula *model;
	float	   *z;				/* [n][GS_BATCH] independent */
	float	   *y;				/* [n][GS_BATCH] correlated */
	uint32_t   *words;			/* [4][GS_BATCH] */
	CopulaGiven *given;			/* NULL: no conditions */
	CopulaContext *context;		/* NULL: nothing is known */
} CopulaSampler;

/* copula.c */
extern double gs_copula_covariance(const Copula *copula, int i, int j);

/* copula_fit.c */
extern void gs_copula_fit(GsFitContext *context);

/* copula_context.c */
extern CopulaContext *gs_copula_context(const Copula *copula,
										const bool *known);
extern void gs_copula_know(CopulaContext *context, const GsBatch *batch,
						   const float *z, float *y);

/* copula_given.c */
extern CopulaGiven *gs_copula_condition(const Copula *copula, GsGiven *given);
extern void gs_copula_confine(CopulaGiven *given, const GsBatch *batch,
							  float *y);

#endif
