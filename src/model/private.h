/*
 * private.h
 *	  A mixture of products of categorical distributions: private.c.
 */
#ifndef GENSYNTH_PRIVATE_H
#define GENSYNTH_PRIVATE_H

#include "model/family.h"
#include "numeric/stratify.h"

/* A feature, or one and its NULLs, as cells. */
typedef struct PrivatePosition
{
	int			feature;
	int			null;			/* its indicator, which the last cell stands for;
								 * -1: it has none, or is none */
	bool		number;
	int			nvalues;		/* levels or segments */
	int			ncells;			/* these, and NULL */
	int			first;			/* its first cell among those of all */
	float	   *base;			/* [nvalues] number: least score of a segment ... */
	float	   *span;			/* ... and what a fraction of 1 adds */
} PrivatePosition;

typedef struct PrivateModel
{
	const GsSchema *schema;
	int			npositions;
	PrivatePosition *position;
	int		   *position_of;	/* [nfeatures] also of indicators; -1: none */
	int			ncells;			/* of all positions */
	int			ncomponents;
	const float *weight;		/* [ncomponents] sum 1 */
	uint32	   *until;			/* [ncomponents] sums of weights, of 2^32 */
	int32	   *group;			/* [ncomponents] of components like each other */
	const float *share;			/* [ncomponents][ncells] */
	uint32	   *below;			/* the same: their sums, of 2^32 */
} PrivateModel;

struct PrivateGiven;
struct PrivateKnown;

typedef struct PrivateSampler
{
	const PrivateModel *model;
	struct PrivateGiven *given; /* NULL: no conditions */
	struct PrivateKnown *known; /* NULL: no context */
	uint32	   *words;			/* [4][GS_BATCH] */
	GsStrata	strata;
	int32	   *component;		/* [GS_BATCH] of each row ... */
	int32	   *group;			/* [GS_BATCH] ... and its group */
} PrivateSampler;

/*
 * The first cell, or component, that ends above a random word.
 */
static inline int
gs_private_find(const uint32 *below, int n, uint32 word)
{
	int			low = 0;
	int			high = n - 1;

	/* what ends at 1 ends above every word */
	word = Min(word, PG_UINT32_MAX - 1);
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (below[middle] > word)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* private.c */
extern void gs_private_put(const PrivateModel *model, int p, GsBatch *batch,
						   int row, int cell, float within);

/* private_fit.c */
extern void gs_private_fit_counts(GsFitContext *context,
								  const GsNoisyTable *table);

#endif
