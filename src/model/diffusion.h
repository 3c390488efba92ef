/*
 * diffusion.h
 *	  Masked diffusion, between its files.
 */
#ifndef GENSYNTH_MODEL_DIFFUSION_H
#define GENSYNTH_MODEL_DIFFUSION_H

#include "model/family.h"
#include "model/tokens.h"
#include "model/training.h"
#include "numeric/even.h"

/*
 * The network: from what is visible of a row, logits of all its tokens.
 * Shapes: B rows, P places, W wide.
 */
typedef struct DiffusionNet
{
	const GsTokens *tokens;
	GsParams   *params;
	int			width;
	int			nblocks;
	GsEmbedding embedding;		/* tokens of all places, and then a token for
								 * each place that is masked */
	GsDense		score;			/* from numbers' scores, where there are any */
	GsResidual *block;			/* [nblocks] */
	GsNorm		norm;
	GsDense    *head;			/* [P] to the place's logits */
	int		   *number;			/* [P] how many numbers come before */
} DiffusionNet;

typedef struct DiffusionGiven DiffusionGiven;

/* A loaded model. */
typedef struct DiffusionModel
{
	DiffusionNet net;
	int			evaluations;	/* of the network in a batch, at most */
	int			most_tokens;	/* of a place */
	GsMatrix	sum;			/* [GS_BATCH][W] of what is visible */
	GsMatrix	x;				/* [GS_BATCH][W] */
	GsResidualState state;		/* of GS_BATCH rows */
	GsMatrix	stats;			/* [GS_BATCH][2] */
	GsMatrix	logits;			/* [GS_BATCH][most_tokens] */
	int		   *order;			/* [P] places of the batch at hand */
	int32	   *token;			/* [GS_BATCH] */
	uint32	   *words;			/* [4][GS_BATCH] */
	int32	   *group;			/* [GS_BATCH] */
	GsEven		even;			/* of groups */
	DiffusionGiven *given;		/* NULL: no conditions */
} DiffusionModel;

/* diffusion_net.c */
extern void gs_diffusion_add(DiffusionNet *net, const GsTokens *tokens,
							 int width, int nblocks);

/* diffusion.c */
extern void gs_diffusion_mask_all(DiffusionModel *model);
extern void gs_diffusion_evaluate(DiffusionModel *model);
extern GsMatrix gs_diffusion_probabilities(DiffusionModel *model, int p);
extern void gs_diffusion_reveal(DiffusionModel *model, int p,
								const GsBatch *batch, const int32 *token);

/* diffusion_given.c */
extern void *gs_diffusion_condition(void *state, GsGiven *given);
extern int	gs_diffusion_confine(DiffusionModel *model, GsBatch *batch);

/* diffusion_fit.c */
extern void gs_diffusion_fit(const GsSchema *schema, const GsEncoded *encoded,
							 const GsOptions *options, List **tensors,
							 List **notes);

#endif
