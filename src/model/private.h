/*
 * private.h
 *	  A mixture of products of categorical distributions: private.c.
 */
#ifndef GENSYNTH_PRIVATE_H
#define GENSYNTH_PRIVATE_H

#include "model/family.h"

/*
 * Rows of a stream by component: each has so many of 2^14, which is its
 * weight.
 */
#define GS_PRIVATE_BITS		14
#define GS_PRIVATE_ROWS		(1 << GS_PRIVATE_BITS)

/* A feature, or one and its NULLs, as cells. */
typedef struct PrivatePosition
{
	GsTokenPosition values;		/* of the feature: its tokens are cells */
	int			null;			/* its indicator, which the last cell stands for;
								 * -1: it has none, or is none */
	int			ncells;			/* tokens, and NULL */
	int			first;			/* its first cell among those of all */
} PrivatePosition;

typedef struct PrivateModel
{
	const GsSchema *schema;
	int			npositions;
	PrivatePosition *position;
	int		   *position_of;	/* [nfeatures] also of indicators; -1: none */
	int			ncells;			/* of all positions */
	int			ncomponents;
	const int32 *weight;		/* [ncomponents] sum GS_PRIVATE_ROWS */
	uint16	   *component;		/* [GS_PRIVATE_ROWS] in order */
	const float *share;			/* [ncomponents][ncells] */
	uint32	   *below;			/* [npositions][ncomponents][its cells] their
								 * sums, of 2^32 */
} PrivateModel;

typedef struct PrivateSampler
{
	const PrivateModel *model;
	struct PrivateGiven *given; /* NULL: no conditions */
	struct PrivateKnown *known; /* NULL: no context */
	bool	   *drawn;			/* [npositions] by conditions or context */
	bool		dealt;			/* components, by this key: */
	uint64		key;
	uint16	   *component_of;	/* [GS_PRIVATE_ROWS] of a row ... */
	uint16	   *turn;			/* ... and how many of the component's rows come
								 * before it */
	int32	   *component;		/* [GS_BATCH] of each row of a batch */
	uint32	   *words;			/* [4][GS_BATCH] */
} PrivateSampler;

/*
 * Where the sums of a position's cells in component r begin among all: those
 * of a position are near each other, for rows are drawn position by position.
 */
static inline Size
gs_private_at(const PrivateModel *model, int p, int r)
{
	const PrivatePosition *position = &model->position[p];

	return (Size) position->first * model->ncomponents +
		(Size) r * position->ncells;
}

/*
 * The first cell that ends above a random word, by halving, without a branch
 * that could be guessed wrong.
 */
static inline int
gs_private_find(const uint32 *below, int n, uint32 word)
{
	int			low = 0;

	/* what ends at 1 ends above every word */
	word = Min(word, PG_UINT32_MAX - 1);
	while (n > 1)
	{
		int			half = n / 2;

		/* compilers make a branch of "? half : 0" */
		low += half & -(int) (below[low + half - 1] <= word);
		n -= half;
	}
	return low;
}

/* Philox streams after GS_STREAM_LATENT: components, and each position. */
#define GS_PRIVATE_COMPONENT	0
#define GS_PRIVATE_POSITION(p)	(1 + (uint32) (p))

/* private.c */
extern void gs_private_words(PrivateSampler *sampler, const GsBatch *batch,
							 uint32 stream);
extern void gs_private_put(const PrivateModel *model, int p, GsBatch *batch,
						   int row, int cell, float within);

/* private_given.c */
extern void gs_private_condition(PrivateSampler *sampler, GsGiven *given);
extern void gs_private_confine(PrivateSampler *sampler, GsBatch *batch);

/* private_known.c */
extern void gs_private_know(PrivateSampler *sampler, const bool *context);
extern void gs_private_follow(PrivateSampler *sampler, const GsBatch *batch);

/* private_fit.c */
extern void gs_private_fit_counts(GsFitContext *context,
								  const GsNoisyTable *table);

#endif
