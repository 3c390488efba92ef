/*
 * diffusion.h
 *	  Masked diffusion, between its files.
 */
#ifndef GENSYNTH_MODEL_DIFFUSION_H
#define GENSYNTH_MODEL_DIFFUSION_H

#include "model/family.h"
#include "model/tokens.h"
#include "model/training.h"
#include "numeric/stratify.h"
#include "numeric/guide.h"

/*
 * The network: from what is visible of a row, logits of all its tokens.
 * Shapes: B rows, P positions, W wide.
 */
typedef struct DiffusionNet
{
	const GsTokens *tokens;
	GsParams   *params;
	int			width;
	int			nblocks;
	GsEmbedding	embedding;		/* tokens of all positions, and then a token for
								 * each position that is masked */
	GsDense		score;			/* from numbers' scores, where there are any */
	GsResidual *block;			/* [nblocks] */
	GsNorm		norm;
	GsDense	   *head;			/* [P] to the position's logits */
	int		   *number;			/* [P] how many numbers come before */
} DiffusionNet;

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
	DiffusionNet net;
	int			evaluations;	/* of the network in a batch, at most */
	int			max_tokens;		/* of a position */
} DiffusionModel;

/* What changes while a model is sampled. */
typedef struct DiffusionSampler
{
	const DiffusionModel *model;
	const DiffusionNet *net;	/* the model's */
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

/* diffusion_net.c */
extern void gs_diffusion_add(DiffusionNet *net, const GsTokens *tokens,
							 int width, int nblocks);

/* diffusion.c */
extern void gs_diffusion_mask_all(DiffusionSampler *sampler);
extern void gs_diffusion_evaluate(DiffusionSampler *sampler);
extern GsMatrix gs_diffusion_probabilities(DiffusionSampler *sampler, int p);
extern void gs_diffusion_reveal(DiffusionSampler *sampler, int p,
								const GsBatch *batch, const int32 *token);

/* diffusion_given.c */
extern void gs_diffusion_condition(DiffusionSampler *sampler, GsGiven *given);
extern int	gs_diffusion_confine(DiffusionSampler *sampler, GsBatch *batch);

/* diffusion_fit.c */
extern void gs_diffusion_fit(GsFitContext *context);

#endif
