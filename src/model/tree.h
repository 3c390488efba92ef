/*
 * tree.h
 *	  Sequential trees, between their files.
 */
#ifndef GENSYNTH_MODEL_TREE_H
#define GENSYNTH_MODEL_TREE_H

#include "model/family.h"
#include "numeric/stratify.h"
#include "numeric/guide.h"
#include "cart/tree.h"

#define GS_TREE_MISSING	255		/* a number that is NULL, in a stream */

/* A node of a loaded tree; a child comes after its parent. */
typedef struct TreeNode
{
	int32		position;		/* of what is asked, or n + that of the
								 * difference asked for; -1: a leaf */
	int32		left;			/* + 1: right; a leaf's first entry */
	int32		n;				/* a leaf's entries ... */
	int32		nshift;			/* ... and those of its difference after them */
	int32		turn;			/* leaves to the left of it */
} TreeNode;

/* The difference of a number from its base, see tree_shift.c. */
typedef struct TreeShift
{
	int			base;			/* position; -1: none */
	int			n;				/* segments of its table */
	double	   *low;			/* [n] by rank */
	double	   *high;			/* [n] by rank */
	uint16	   *rank;			/* [n] in order */
	uint8	   *code;			/* [n] by rank */
} TreeShift;

/* A number's segments as values, where some difference takes them. */
typedef struct TreeValues
{
	double		unit;
	double		step;			/* of integers, in units; 0: not integers */
	double		decimal;		/* of others: 10^decimals, or 0 */
	double	   *low;			/* [nvalues] by rank */
	double	   *high;			/* [nvalues] by rank */
	uint16	   *rank;			/* [nvalues] in order */
	uint16	   *segment;		/* [nvalues] by rank: the reverse */
	const GsFeature *feature;
} TreeValues;

/* One feature of a loaded model, in the order that they are drawn in. */
typedef struct TreePosition
{
	int			feature;
	bool		number;
	int			null;			/* position that makes it missing; -1: none */
	int			nbases;			/* whose NULLs may do so, too */
	int			base_null[GS_MAX_BASES + 1];	/* positions, -1: never NULL */
	int			base_code[GS_MAX_BASES + 1];	/* level of NULL there */
	int			nnodes;
	TreeNode   *node;
	const uint32 *mask;			/* [nnodes][GS_TREE_WORDS] */
	int			nleaves;
	int			npredictors;	/* positions that the tree asks */
	int		   *predictor;
	int			nvalues;		/* levels or segments */
	uint8	   *code;			/* [nvalues] of a level, or by rank */
	uint8		missing;		/* that of a level that is not known */
	float	   *base;			/* [nvalues] least score, by rank ... */
	float	   *span;			/* ... and what the fraction adds */
	TreeValues *values;			/* NULL: nothing asks for them */
	TreeShift	shift;
} TreePosition;

typedef struct TreeOptions
{
	int64		min_leaf;		/* rows of a leaf */
	List	   *order;			/* names of the columns to come first */
	List	   *condition_first;	/* the same of a second chain, for conditions */
} TreeOptions;

#define GS_TREE_OPTIONS	3

typedef struct TreeGiven TreeGiven;
typedef struct TreeDrafts TreeDrafts;

/* A loaded model. */
typedef struct TreeModel
{
	const struct TreeModel *second;	/* for conditions; or NULL */
	const GsSchema *schema;
	int			nfeatures;
	int			n;
	TreePosition  *position;
	const GsLeafEntry *entry;
	int		   *position_of;	/* [nfeatures]; -1: none */
	int			max_leaves;		/* of a tree */
} TreeModel;

/* A number that is known: from its score to a position on its axis. */
typedef struct KnownPosition
{
	GsGuide		guide;			/* its segments */
	uint16	   *rank;			/* [segments] */
} KnownPosition;

/* What changes while a model is sampled. */
typedef struct TreeSampler
{
	const TreeModel *model;
	uint8	   *code;			/* [2 n][GS_BATCH] of positions, and of their
								 * differences */
	double	  **value;		/* [n][GS_BATCH] of positions that have values */
	bool	   *wanted;			/* [n] */
	uint32	   *words;			/* [4][GS_BATCH] */
	int32	   *leaf;			/* [GS_BATCH] */
	int32	   *turn;			/* [GS_BATCH] leaves to the left of it */
	GsStrata	strata;		/* of leaves */
	TreeGiven  *given;			/* NULL: no conditions */
	bool	   *first;			/* [n] drawn by gs_tree_confine */
	int			nknown;			/* positions, the first, known of every row */
	KnownPosition *known;		/* [nknown] */
	TreeDrafts *drafts;			/* NULL: what is known comes first */
} TreeSampler;

/*
 * The leaf of a row whose code at position p is code[p * stride].
 */
static inline int
gs_tree_leaf(const TreePosition *position, const uint8 *code, Size stride)
{
	int			at = 0;

	while (position->node[at].position >= 0)
	{
		int			c = code[position->node[at].position * stride];

		at = position->node[at].left +
			(position->mask[(Size) at * GS_TREE_WORDS + c / 32] >>
			 (c % 32) & 1);
	}
	return at;
}

/*
 * The entry of a leaf that a random word falls on: the first that ends above
 * it.
 */
static inline const GsLeafEntry *
gs_tree_entry(const GsLeafEntry *entry, int n, uint32 word)
{
	float		u = (word >> 8) * 0x1.0p-24f;

	while (n > 1)
	{
		int			half = n / 2;

		entry += entry[half - 1].below <= u ? half : 0;
		n -= half;
	}
	return entry;
}

/* tree.c */
extern const GsOptionDef gs_tree_options[GS_TREE_OPTIONS];
extern void gs_tree_check_entries(const GsTensor *entries, int64 first, int n,
								  int nvalues, bool number);
/* The tensors of a model that is being loaded, and how far it has got. */
typedef struct GsTreeLoading
{
	const GsTensor *positions;
	const GsTensor *nodes;
	const GsTensor *masks;
	const GsTensor *codes;
	const GsTensor *entries;
	const GsTensor *shifts;
	int			node;
	int			code;
	int			shift;
} GsTreeLoading;

extern void gs_tree_load_position(TreeModel *model, const GsSchema *schema,
								  int p, int f, const uint8 *code, int ncodes);
extern TreeSampler *gs_tree_open(const TreeModel *model, int nknown);
extern void gs_tree_see(TreeSampler *sampler, int p, const GsBatch *batch,
						int n);
extern void gs_tree_load_nodes(TreePosition *position, const int32 *nodes,
							   const GsTensor *masks, const GsTensor *entries,
							   bool (*may_ask) (const void *arg, int what),
							   const void *arg);
extern int	gs_tree_ranks(const GsFeature *feature, uint16 *rank);
extern void gs_tree_wanted(const TreeModel *model, const bool *needed,
						   bool *wanted);
extern void gs_tree_show(TreeSampler *sampler, int p, int row, uint8 code,
						 float at);
extern void gs_tree_put(TreeSampler *sampler, int p, GsBatch *batch, int row,
						float at);

extern void gs_tree_draw(TreeSampler *sampler, int p, GsBatch *batch);

/* tree_known.c */
extern void gs_tree_heed(void *state, GsInverse *inverse);
extern void gs_tree_draft(TreeSampler *sampler, const bool *known);
extern void gs_tree_fill_drafts(TreeSampler *sampler, GsBatch *batch);

/* tree_value.c */
extern bool gs_tree_load_axis(TreePosition *position, const GsSchema *schema);
extern void gs_tree_load_values(TreeModel *model, const GsSchema *schema,
								int p, int base, const double *ends,
								const uint8 *code);
extern void gs_tree_load_shift(TreeShift *shift, int n, const double *ends,
							   const uint8 *code);
extern double gs_tree_value(const TreePosition *position, float at);
extern float gs_tree_find(const TreePosition *position, double value);
extern uint8 gs_tree_shift_code(const TreePosition *position, double shift);

/* tree_given.c */
extern const TreeModel *gs_tree_chain(const TreeModel *chain,
									  const GsGiven *given, bool **first);
extern void gs_tree_condition(TreeSampler *sampler, GsGiven *given);
extern void gs_tree_confine(TreeSampler *sampler, GsBatch *batch);

/* tree_fit.c */
extern void gs_tree_fit(GsFitContext *context);

#endif
