/*
 * tree.h
 *	  Decision trees over binned columns: growing, pruning, and the smoothed
 *	  distributions of their leaves.
 *
 * A table is columns of codes, one byte a row.  A tree splits the codes of
 * one column in two at each node, so that a response falls into groups of
 * rows that differ as much as they can (CART: Breiman, Friedman, Olshen and
 * Stone, 1984).  Everything is a pure function of its arguments, and may run
 * in any thread.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_TREE_H
#define GENSYNTH_TREE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define GS_TREE_CODES	256		/* codes of one predictor */
#define GS_TREE_FEW		254		/* of them, that are not "missing" */
#define GS_TREE_CLASSES 32		/* classes of a response */
#define GS_TREE_WORDS	(GS_TREE_CODES / 32)

/* The columns that a tree may split by. */
typedef struct GsTreeTable
{
	int			npredictors;
	const uint8_t *const *code; /* [npredictors][rows] */
	const int  *ncodes;			/* [npredictors] 1 to GS_TREE_CODES */
	const bool *ordered;		/* [npredictors] cut between two codes only */
} GsTreeTable;

/* What makes a split good. */
typedef enum GsTreeGain
{
	/* the classes' entropy, in nats: for categories */
	GS_TREE_ENTROPY,

	/*
	 * the distance of the distributions of ordered classes: over all cuts
	 * between classes, the mean of the variance explained of being below
	 */
	GS_TREE_ORDINAL
} GsTreeGain;

/* What a tree tells. */
typedef struct GsTreeResponse
{
	GsTreeGain	gain;
	int			nclasses;		/* 1 to GS_TREE_CLASSES */
	const uint8_t *class;		/* [rows] */

	/*
	 * More levels than classes, for GS_TREE_ENTROPY: in each node its most
	 * frequent levels are classes of their own, the others one together.
	 * NULL: there are no more.
	 */
	const uint16_t *level;		/* [nrows] */
	int			nlevels;
	uint32_t	nrows;			/* of the table */
} GsTreeResponse;

typedef struct GsTreeLimits
{
	uint32_t	min_leaf;		/* rows of a leaf, at least 1 */
	int			max_depth;
	double		worth;			/* a gain that is hardly chance */
	const atomic_bool *cancel;	/* NULL: never */
} GsTreeLimits;

typedef struct GsTreeNode
{
	int32_t		predictor;		/* -1: a leaf */
	int32_t		left;			/* node of those that go left; + 1: right */
	int32_t		parent;			/* -1: the root */
	int32_t		depth;
	uint32_t	from;			/* its rows are tree->row[from .. to - 1] */
	uint32_t	to;
	bool		hopeless;		/* no use to look ahead */
	double		gain;			/* of its split */
	uint32_t	mask[GS_TREE_WORDS];	/* bit set: the code goes right */
} GsTreeNode;

static inline bool
gs_tree_goes_right(const GsTreeNode *node, int code)
{
	return node->mask[code / 32] >> (code % 32) & 1;
}

/* Node 0 is the root; a child comes after its parent. */
typedef struct GsTree
{
	int			nnodes;
	int			room;
	GsTreeNode *node;			/* [room] malloced */
	uint32_t   *row;			/* [rows] permuted, the caller's */
} GsTree;

/* grow.c */
extern bool gs_tree_grow(const GsTreeTable *table,
						 const GsTreeResponse *response,
						 const GsTreeLimits *limits, uint32_t nrows,
						 GsTree *tree);
extern void gs_tree_prune(GsTree *tree, double price);
extern void gs_tree_free(GsTree *tree);

/* split.c */
typedef struct GsTreeSearch GsTreeSearch;

typedef struct GsTreeSplit
{
	int			predictor;		/* -1: there is none */
	double		gain;
	uint32_t	mask[GS_TREE_WORDS];
} GsTreeSplit;

extern GsTreeSearch *gs_tree_search_create(const GsTreeTable *table,
										   const GsTreeResponse *response,
										   uint32_t min_leaf, uint32_t nrows);
extern void gs_tree_search_free(GsTreeSearch *search);
extern void gs_tree_search(GsTreeSearch *search, const uint32_t *row,
						   uint32_t n, GsTreeSplit *best);

/* leaf.c */

/*
 * A leaf's distribution: entries with probabilities.  What is drawn lies
 * from place to place + width, evenly.  A level or an atom is a whole number
 * with width 1 for atoms and 0 for levels.
 */
typedef struct GsLeafEntry
{
	float		below;			/* probability of this and the ones before */
	float		position;
	float		width;
} GsLeafEntry;

typedef struct GsLeafTable
{
	int			n;
	int			room;
	GsLeafEntry *entry;			/* [room] malloced */
} GsLeafTable;

/* What the leaves of one tree tell about. */
typedef struct GsLeafValues
{
	int			nvalues;
	int			ncontinuous;	/* values below are pieces of a continuum */
	const uint16_t *value;		/* [rows] */
	const uint16_t *rank;		/* [nvalues] to the order above, or NULL */
	double		prior;			/* rows that pull towards the parent */
	bool		pure;			/* but not where all rows have one value */
} GsLeafValues;

extern bool gs_leaf_fit(const GsLeafValues *values, const GsTree *tree,
						int leaf, double *scratch, GsLeafTable *table);

/* worth.c */
#define GS_TREE_WORTH	3.0		/* that is more than chance */
#define GS_TREE_WORTH_ROWS 10000	/* that it is measured on */

extern double gs_tree_worth(const uint8_t *code, int ncodes,
							const uint8_t *class, int nclasses,
							const uint32_t *row, uint32_t n, uint32_t stride,
							double most);

/* held.c */
extern double gs_tree_held(const GsTreeTable *table,
						   const GsTreeResponse *response, const GsTree *tree,
						   double prior, const uint32_t *row, uint32_t n);
extern double gs_tree_nearer(const GsTreeTable *table, const uint8_t *made,
							 uint32_t nmade, const uint8_t *const *own,
							 const uint8_t *const *other, uint32_t n,
							 uint8_t most);

#endif
