/*
 * dependency_internal.h
 *	  Rules of determined features, once loaded, for dependency*.c.
 */
#ifndef GENSYNTH_DEPENDENCY_INTERNAL_H
#define GENSYNTH_DEPENDENCY_INTERNAL_H

#include "model/dependency.h"
#include "numeric/guide.h"

/* What a feature is looked up by. */
typedef struct GsPredictor
{
	int			feature;
	int			nvalues;		/* levels or segments */
	int			nbins;			/* these, and perhaps NULL */
	int			null;			/* a number's NULL indicator; -1: none */
	const double *edge;			/* a number's segments; NULL for a category */
	GsGuide		guide;			/* into them */
} GsPredictor;

typedef struct GsLookup
{
	int			feature;
	bool		known;			/* a feature that is context, which the family
								 * knows: it is never looked up */
	int			nvalues;
	float	   *score;			/* [nvalues] of a number's segments, or NULL */
	double	   *share;			/* [nvalues] of the rows */
	int			npredictors;
	GsPredictor	predictor[2];
	int			exception;		/* feature, or -1 */
	const int32 *code;			/* [bins of the first][of the second] */
	int			likeliest;		/* value, where nothing is told */
	int			nrest;
	const GsDependencyRest *rest;	/* [nrest] */
	int64	   *before;			/* [nrest + 1] rows of the entries before */
} GsLookup;

struct GsDependency
{
	int			nrules;
	GsLookup	   *rules;
};

extern void gs_lookup_bins(const GsLookup *rule, const GsBatch *batch,
						   int32 *bin);
extern int	gs_lookup_rest(const GsLookup *rule, int bin);

#endif
