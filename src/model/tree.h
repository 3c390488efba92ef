/*
 * tree.h
 *	  Sequential trees, between their files.
 */
#ifndef GENSYNTH_MODEL_TREE_H
#define GENSYNTH_MODEL_TREE_H

#include "model/family.h"
#include "tree/tree.h"

#define GS_TREE_FEW		254		/* codes of a feature that are not missing */
#define GS_TREE_MISSING	255		/* a number that is NULL, in a stream */

/* A node of a loaded tree; a child comes after its parent. */
typedef struct TreeNode
{
	int32		place;			/* of what is asked; -1: a leaf */
	int32		left;			/* + 1: right; a leaf's first entry */
	int32		n;				/* a leaf's entries */
	int32		turn;			/* leaves to the left of it */
} TreeNode;

/* One feature of a loaded model, in the order that they are drawn in. */
typedef struct TreePlace
{
	int			feature;
	bool		number;
	int			null;			/* place that makes it missing; -1: none */
	int			nnodes;
	TreeNode   *node;
	const uint32 *mask;			/* [nnodes][GS_TREE_WORDS] */
	int			nleaves;
	int			nasked;			/* places that the tree asks */
	int		   *asked;
	int			nvalues;		/* levels or segments */
	uint8	   *code;			/* [nvalues] of a level, or by rank */
	float	   *base;			/* [nvalues] least score, by rank ... */
	float	   *span;			/* ... and what the fraction adds */
} TreePlace;

typedef struct TreeGiven TreeGiven;

/* A loaded model. */
typedef struct TreeModel
{
	int			nfeatures;
	int			n;
	TreePlace  *place;
	const GsLeafEntry *entry;
	int		   *place_of;		/* [nfeatures]; -1: none */
	uint8	   *code;			/* [n][GS_BATCH] */
	bool	   *wanted;			/* [n] */
	uint32	   *words;			/* [4][GS_BATCH] */
	int32	   *leaf;			/* [GS_BATCH] */
	uint16	   *shuffled;		/* [GS_BATCH] rows in random order */
	uint16	   *counter;		/* [leaves of a tree + 1] */
	uint16	   *row;			/* [GS_BATCH] rows in the order of leaves */
	TreeGiven  *given;			/* NULL: no conditions */
	bool	   *first;			/* [n] drawn by gs_tree_confine */
} TreeModel;

/*
 * The leaf of a row whose code at place p is code[p * stride].
 */
static inline int
gs_tree_leaf(const TreePlace *place, const uint8 *code, Size stride)
{
	int			at = 0;

	while (place->node[at].place >= 0)
	{
		int			c = code[place->node[at].place * stride];

		at = place->node[at].left +
			(place->mask[(Size) at * GS_TREE_WORDS + c / 32] >> (c % 32) & 1);
	}
	return at;
}

/*
 * Hands a level, or a place among a number's segments by rank, to a batch.
 */
static inline void
gs_tree_put(const TreePlace *place, GsBatch *batch, int row, float at)
{
	int			rank = (int) Min(at, place->nvalues - 1);

	if (place->number)
		batch->score[place->feature][row] = place->base[rank] +
			place->span[rank] * Min(at - rank, 1);
	else
		batch->code[place->feature][row] = rank;
}

/* tree.c */
extern int	gs_tree_ranks(const GsFeature *feature, uint16 *rank);
extern void gs_tree_wanted(const TreeModel *model, const bool *needed,
						   bool *wanted);

/* tree_given.c */
extern void *gs_tree_condition(void *state, GsGiven *given);
extern void gs_tree_confine(TreeModel *model, GsBatch *batch);

/* tree_fit.c */
extern void gs_tree_fit(const GsSchema *schema, const GsEncoded *encoded,
						const GsOptions *options, List **tensors,
						List **notes);

#endif
