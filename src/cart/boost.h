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
#define GS_BOOST_LEAVES	(1 << GS_BOOST_DEPTH)

/*
 * One tree: every node of a level splits alike (oblivious trees, as in
 * Prokhorenkova et al., "CatBoost", NeurIPS 2018), so that rows go down it
 * side by side without a jump.  A row's leaf has bit d set where its code goes
 * right at level d.
 */
typedef struct GsBoostTree
{
	int32_t		predictor[GS_BOOST_DEPTH];
	int32_t		cut[GS_BOOST_DEPTH];	/* codes above go right; -1: by mask */
	uint32_t	mask[GS_BOOST_DEPTH][GS_TREE_WORDS];	/* bit set: right */
	float		value[GS_BOOST_LEAVES];
} GsBoostTree;

typedef struct GsForest
{
	int			ntrees;
	GsBoostTree *tree;			/* [ntrees] */
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
