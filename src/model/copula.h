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
	int32	   *order;			/* [nlevels] levels by place */
	double	   *edge;			/* [nlevels + 1] in normal score */
	float	   *few;			/* the same, of few levels; else NULL */
	GsGuide		guide;
} CopulaLatent;

typedef struct CopulaGiven CopulaGiven;

/* A loaded model. */
typedef struct Copula
{
	int			n;
	CopulaLatent *latent;
	float	   *cholesky;		/* [n][n] */
	float	   *z;				/* [n][GS_BATCH] independent */
	float	   *y;				/* [n][GS_BATCH] correlated */
	uint32_t   *words;			/* [4][GS_BATCH] */
	int32	  **constant;		/* [nfeatures] codes of constant categories */
	CopulaGiven *given;			/* NULL: no conditions */
} Copula;

/* copula_fit.c */
extern void gs_copula_fit(const GsSchema *schema, const GsEncoded *encoded,
						  const GsOptions *options, List **tensors,
						  List **notes);

/* copula_given.c */
extern void *gs_copula_condition(void *model, GsGiven *given);
extern void gs_copula_confine(CopulaGiven *given, const GsBatch *batch,
							  float *y);

#endif
