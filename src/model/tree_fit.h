/*
 * tree_fit.h
 *	  Sequential trees while they are fitted, between the files that do.
 */
#ifndef GENSYNTH_TREE_FIT_H
#define GENSYNTH_TREE_FIT_H

#include "model/jobs.h"
#include "model/tree.h"
#include "model/tree_shift.h"

/* Values of the rows as trees see them: of a feature, or of a difference. */
typedef struct Axis
{
	const uint16 *value;		/* [nrows] GS_MISSING */
	int			nvalues;		/* levels or segments */
	int64	   *count;			/* [nvalues] rows */
	uint16	   *rank;			/* [nvalues] of a number, else NULL */
	int			ncontinuous;
	bool		pure;			/* leaves of one value have no other */
	const uint16 *alike;		/* [nvalues] see rank of GsEncoded, or NULL */
	uint8	   *code_of;		/* [nvalues] what others split by */
	int			ncodes;
	uint8	   *code;			/* [nrows] */
	uint8	   *class;			/* [nrows] what its own splits tell apart */
	int			nclasses;

	/* made by a thread, malloced */
	int		   *first;			/* [nnodes] entry of a leaf */
	GsLeafTable leaves;
} Axis;

/* Tensors while they are put together. */
typedef struct Flat
{
	StringInfoData node;
	StringInfoData mask;
	StringInfoData code;
	StringInfoData entry;
	StringInfoData shift;
	int			nnodes;
	int			nmasks;
	int			nentries;
} Flat;

/* Prices of a leaf, in units of the gains (see cart/tree.h): of more classes,
 * more is gained by chance. */
#define GS_NUMBER_PRICE		0.5
#define GS_CATEGORY_PRICE	3.0
#define GS_CLASS_PRICE		0.25

/* What the best of all splits may gain by chance, beside one a class. */
#define GS_CHANCE_GAIN		10.0

#define GS_TREE_PRIOR		2.0	/* rows that pull a leaf to its parent */

/* A feature while its tree is fitted. */
typedef struct Position
{
	int			feature;
	bool		number;
	Axis		own;
	GsShiftSource source;
	int			base;			/* position that it is told from; -1: none */
	GsFeature	shift_feature;
	Axis		shift;			/* from there */
	uint32		min_leaf;		/* rows of a leaf */
	bool		tried;			/* with this min_leaf, on held rows */
	double		held;			/* their mean log-likelihood */
	GsTree		tree;			/* made by a thread */
} Position;

/* A chain while it is fitted. */
typedef struct Fit
{
	const GsSchema *schema;
	const GsEncoded *encoded;
	GsFitContext *context;
	const char *chain;			/* name of its tensors */
	int			n;
	Position   *position;		/* [n] in order */
	const float *dependence;	/* [n][n] of positions by original[] */
	const int  *original;		/* [n] */

	/* where leaves are chosen, random rows, half to learn from; else NULL */
	const uint32 *row;			/* [2 nrows] */
	uint32		nrows;
	bool		trying;			/* just the trees that are tried, on the rest */
	GsJobs		jobs;			/* a position each */
} Fit;

/* tree_order.c */
extern int *gs_tree_order(const GsSchema *schema, const GsEncoded *encoded,
						  const List *first, const char *option,
						  const Position *position, int n, float **dependence);

/* tree_fit.c */
extern void gs_tree_init_axis(Axis *axis, const uint16 *value, int64 nrows,
							  const GsFeature *number, int nlevels);
extern void gs_tree_encode_axis(Axis *axis, int64 nrows);
extern bool gs_tree_fit_leaves(const GsTree *tree, Axis *axis, double prior);
extern void gs_tree_init_flat(Flat *flat);
extern void gs_tree_flatten(const GsTree *tree, const Axis *axis,
							const Axis *shift, Flat *flat);
extern void gs_tree_flatten_shift(const Axis *shift, const GsFeature *feature,
								  Flat *flat);
extern void gs_tree_flat_tensors(const Flat *flat, const char *chain,
								 List **tensors);
extern void gs_tree_try(Fit *fit);
extern List *gs_tree_fit_chain(Fit *fit);

/* tree_leaf.c */
extern void gs_tree_choose_leaves(Fit *fit);

#endif
