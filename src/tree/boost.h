/*
 * boost.h
 *	  Boosted trees that tell two kinds of rows apart.
 *
 * Gradient boosting of the logistic loss with second-order steps (Friedman,
 * "Greedy function approximation", Annals of Statistics 29, 2001; Chen and
 * Guestrin, "XGBoost", KDD 2016) on byte codes.  The sum of the trees is the
 * logarithm of the ratio of the two densities, where both kinds are as many.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_BOOST_H
#define GENSYNTH_BOOST_H

#include "tree.h"

#define GS_BOOST_DEPTH	6

/*
 * A node of a tree.  A row goes on to left + goes_right as often as a tree is
 * deep; a leaf goes on to itself.
 */
typedef struct GsBoostNode
{
	int32_t		predictor;
	int32_t		left;			/* counted from the tree's first node */
	float		value;			/* a leaf's */
	bool		leaf;
	uint32_t	mask[GS_TREE_WORDS];	/* bit set: the code goes right */
} GsBoostNode;

/* Trees, one after the other. */
typedef struct GsForest
{
	int			ntrees;
	int			nnodes;
	int		   *first;			/* [ntrees] node of each tree's root */
	GsBoostNode *node;			/* [nnodes] */
} GsForest;

typedef struct GsBoost GsBoost;

extern GsBoost *gs_boost_create(const GsTreeTable *table,
								const uint8_t *label, uint32_t nrows,
								uint32_t ntrain, uint64_t seed);
extern bool gs_boost_grow(GsBoost *boost);
extern const float *gs_boost_margins(const GsBoost *boost);
extern const GsForest *gs_boost_forest(const GsBoost *boost);
extern void gs_boost_free(GsBoost *boost);
extern void gs_forest_add(const GsForest *forest, int from, int to,
						  const uint8_t *const *code, uint32_t n,
						  float *margin);

#endif
