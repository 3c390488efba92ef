/*
 * diffusion.h
 *	  Masked diffusion, between its files.
 */
#ifndef GENSYNTH_MODEL_DIFFUSION_H
#define GENSYNTH_MODEL_DIFFUSION_H

#include "model/family.h"
#include "model/tokens.h"
#include "model/training.h"
#include "nets/diffusion_net.h"
#include "numeric/stratify.h"
#include "numeric/guide.h"

typedef struct DiffusionOptions
{
	GsTrainingOptions training;
	int64		sampling_steps; /* of a batch, at most */
} DiffusionOptions;

typedef struct DiffusionGiven DiffusionGiven;

/* A loaded model. */
typedef struct DiffusionModel
{
	const GsSchema *schema;
	const GsTokens *tokens;
	GsDiffusionNet net;
	GsParams   *params;
	int			evaluations;	/* of the network in a batch, at most */
	int			max_tokens;		/* of a position */
} DiffusionModel;

/* What changes while a model is sampled. */
typedef struct DiffusionSampler
{
	const DiffusionModel *model;
	const GsTokens *tokens;		/* the model's */
	const GsDiffusionNet *net;	/* the model's */
	const float *params;		/* of the model, or own ones */
	float	   *own;			/* adjusted; NULL until then */
	GsMatrix	sum;			/* [GS_BATCH][W] of what is visible */
	GsMatrix	x;				/* [GS_BATCH][W] */
	GsResidualState state;		/* of GS_BATCH rows */
	GsMatrix	stats;			/* [GS_BATCH][2] */
	GsMatrix	logits;			/* [GS_BATCH][max_tokens] */
	int		   *order;			/* [P] positions of the batch at hand */
	int32	   *token;			/* [GS_BATCH] */
	uint32	   *words;			/* [4][GS_BATCH] */
	int32	   *group;			/* [GS_BATCH] */
	GsStrata	strata;		/* of groups */
	DiffusionGiven *given;		/* NULL: no conditions */
	bool	   *known;			/* [P] of every row; NULL: nothing is */
	GsGuide    *guide;			/* [P] segments of known numbers */
} DiffusionSampler;

/* diffusion.c */
extern void gs_diffusion_net(GsDiffusionNet *net, const GsTokens *tokens,
							 int width, int nblocks);
extern void gs_diffusion_mask_all(DiffusionSampler *sampler);
extern void gs_diffusion_evaluate(DiffusionSampler *sampler);
extern GsMatrix gs_diffusion_probabilities(DiffusionSampler *sampler, int p);
extern void gs_diffusion_reveal(DiffusionSampler *sampler, int p,
								const int32 *token, const float *score);
extern int	gs_diffusion_put_first(DiffusionSampler *sampler,
								   const bool *first);

/* diffusion_given.c */
extern void gs_diffusion_condition(DiffusionSampler *sampler, GsGiven *given);
extern int	gs_diffusion_confine(DiffusionSampler *sampler, GsBatch *batch);

/* diffusion_fit.c */
extern void gs_diffusion_fit(GsFitContext *context);

#endif
