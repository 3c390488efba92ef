/*
 * tree.h
 *	  Sequential trees, between their files.
 */
#ifndef GENSYNTH_MODEL_TREE_H
#define GENSYNTH_MODEL_TREE_H

#include "model/family.h"
#include "tree/tree.h"

#define GS_TREE_FEW		254		/* codes of a feature that are not missing */

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
	int			null_feature;	/* that makes the number missing; -1: none */
	int			nnodes;
	TreeNode   *node;
	const uint32 *mask;			/* [nnodes][GS_TREE_WORDS] */
	int			nleaves;
	int			nasked;			/* places that the tree asks */
	int		   *asked;
	int			nvalues;		/* levels or segments */
	const uint8 *code;			/* [nvalues] */
	uint16	   *segment;		/* [nvalues] by rank */
	float	   *base;			/* [nvalues] least score, by rank ... */
	float	   *span;			/* ... and what the fraction adds */
} TreePlace;

/* A loaded model. */
typedef struct TreeModel
{
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
} TreeModel;

/* tree.c */
extern int	gs_tree_ranks(const GsFeature *feature, uint16 *rank);

/* tree_fit.c */
extern void gs_tree_fit(const GsEncoded *encoded, List **tensors,
						List **notes);

#endif
