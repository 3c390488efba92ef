/*
 * refine.h
 *	  Refinement of any family: rows are accepted with the ratio of the real
 *	  density to the model's own.
 */
#ifndef GENSYNTH_REFINE_H
#define GENSYNTH_REFINE_H

#include "model/family.h"
#include "model/model.h"
#include "numeric/guide.h"
#include "cart/boost.h"

#define GS_REFINE_ROUNDS	3
#define GS_REFINE_WORDS		6	/* that a round is stored in */

/* A feature as the trees see it. */
typedef struct GsRefinePredictor
{
	int			feature;
	int			null;			/* feature of its NULLs; -1: none */
	int			nbases;			/* whose NULLs decide whether it has a value */
	int			base_null[GS_MAX_BASES + 1];	/* features; -1: never NULL */
	int			base_code[GS_MAX_BASES + 1];	/* level of NULL there */
	const GsLayout *layout;		/* if nbases > 0, and which part of it */
	int			part;
	bool		number;
	int			nvalues;		/* levels or segments */
	const uint8 *code_of;		/* [nvalues] */
	int			missing;		/* code of a NULL: one beyond all others */
	GsGuide		guide;			/* number: intervals of a code */
} GsRefinePredictor;

/* One discriminator, and what it does. */
typedef struct GsRefineRound
{
	int			from;			/* its trees: from to to - 1 */
	int			to;
	double		slope[2];		/* of the margins below and above 0 */
	double		cap;			/* log ratio that is accepted always */
	float	   *shift;		/* [npredictors][GS_TREE_CODES] of the log ratio */
	double		before;			/* two-sample AUC, of rows not learned from */
	double		after;
} GsRefineRound;

struct GsRefine
{
	int			npredictors;
	GsRefinePredictor *predictor;	/* [npredictors] */
	int			nrounds;
	GsRefineRound round[GS_REFINE_ROUNDS];
	GsForest	forest;
};

/* What changes while rows are refined. */
struct GsRefining
{
	const GsRefine *refine;
	uint8	  **code;		/* [npredictors][GS_BATCH] of the batch at hand */
	float	   *margin;			/* [GS_BATCH] */
	float	   *probability;	/* [GS_BATCH] log of that of being accepted */
	int32	   *interval;		/* [GS_BATCH] */
	bool	   *refused;		/* [GS_BATCH] */
	GsBatch    *spare;			/* further candidates; NULL until needed */
	GsRefineStats stats;
};

/* refine.c */
extern GsRefine *gs_refine_load(const GsSchema *schema, const List *tensors);
extern void gs_refine_prepare(GsRefine *refine, const GsSchema *schema);
extern GsRefining *gs_refine_begin(const GsRefine *refine);
extern void gs_refine_encode(GsRefining *refining, const GsBatch *batch);
extern void gs_refine_need(const GsRefine *refine, bool *needed);
extern void gs_refine_apply(GsSampler *sampler, GsBatch *batch);

/* refine_fit.c */
extern void gs_refine_fit(GsFitContext *context, const GsFamily *family,
						  int rounds);

#endif
