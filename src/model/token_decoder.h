/*
 * token_decoder.h
 *	  What draws rows of the variational autoencoder and of the adversarial
 *	  network: a latent vector from a mixture of normal distributions, and by
 *	  the decoder (nets/decoder_net.h) the tokens of one position after the
 *	  other.
 */
#ifndef GENSYNTH_TOKEN_DECODER_H
#define GENSYNTH_TOKEN_DECODER_H

#include "model/family.h"
#include "model/tokens.h"
#include "nets/decoder_net.h"
#include "nets/mixture.h"
#include "numeric/stratify.h"

typedef struct DecoderGiven DecoderGiven;

/* A loaded model. */
typedef struct GsTokenDecoder
{
	const GsTokens *tokens;
	GsDecoderNet net;
	GsParams   *params;
	GsMixture	mixture;
} GsTokenDecoder;

/* What changes while a model is sampled. */
typedef struct DecoderSampler
{
	const GsTokens *tokens;
	const GsDecoderNet *net;
	const float *params;		/* of the model, or own ones */
	float	   *own;			/* adjusted; NULL until then */
	Size		nparams;
	GsMixture	mixture;

	/* of a batch */
	uint32	   *words;			/* [4][GS_BATCH] random */
	float	   *noise;			/* [GS_BATCH][latent] */
	float	   *z;				/* [GS_BATCH][latent] */
	float	   *outer;			/* [GS_BATCH][width] */
	float	   *state;			/* [GS_BATCH][state] */
	float	   *active;			/* [GS_BATCH][state] */
	float	   *logits;			/* [GS_BATCH][max tokens of a position] */
	int32	   *component;		/* [GS_BATCH] of the mixture */
	GsStrata	strata;			/* of components */
	int32	   *token;			/* [GS_BATCH] */
	DecoderGiven *given;		/* NULL: no conditions */
} DecoderSampler;

/* token_decoder.c */
extern GsDecoderNet gs_token_decoder_net(const GsTokens *tokens);
extern GsTokenDecoder *gs_token_decoder_open(const GsSchema *schema,
											 const List *tensors);
extern void gs_token_decoder_load(GsTokenDecoder *model, const char *name,
								  const List *tensors);
extern void *gs_token_decoder_begin(const void *model, GsGiven *given,
									const bool *context);
extern void gs_token_decoder_generate(void *sampler, GsBatch *batch);
extern const GsTokens *gs_token_decoder_adjust(void *sampler,
											   const float *bias);
extern void gs_decoder_noise(DecoderSampler *sampler, const uint32 *words,
							 int j);
extern void gs_decoder_start(DecoderSampler *sampler);
extern float *gs_decoder_probabilities(DecoderSampler *sampler, int p);
extern void gs_decoder_feed(DecoderSampler *sampler, int p, int32 *token);

/* token_decoder_given.c */
extern void gs_decoder_condition(DecoderSampler *sampler, GsGiven *given);
extern int	gs_decoder_confine(DecoderSampler *sampler, GsBatch *batch);

/* What a family that is such a decoder has of it. */
#define GS_TOKEN_DECODER_FAMILY \
	.begin = gs_token_decoder_begin, \
	.generate = gs_token_decoder_generate, \
	.conditions = true, \
	.adjust = gs_token_decoder_adjust, \
	.adjust_batches = 20, \
	.adjust_features = 2000, \
	.adjust_step = 1.5

#endif
