/*
 * vae.h
 *	  The variational autoencoder, between its files, and what the family
 *	  "gan" has of it: the decoder.
 */
#ifndef GENSYNTH_VAE_H
#define GENSYNTH_VAE_H

#include "model/family.h"
#include "model/tokens.h"
#include "numeric/stratify.h"
#include "nets/mixture.h"
#include "nets/vae_net.h"

#define GS_VAE_LATENT	24		/* width of the latent vector */

typedef struct VaeGiven VaeGiven;

/* A loaded model. */
typedef struct VaeModel
{
	const GsTokens *tokens;
	GsVaeNet	net;
	GsParams   *params;
	GsMixture	mixture;
} VaeModel;

/* What changes while a model is sampled. */
typedef struct Vae
{
	const GsTokens *tokens;
	const GsVaeNet *net;
	const float *params;		/* of the model, or own ones */
	float	   *own;			/* adjusted; NULL until then */
	Size		nparams;
	GsMixture	mixture;

	/* of a batch */
	uint32	   *words;			/* [4][GS_BATCH] random */
	float	   *normal;			/* [latent + 3][GS_BATCH] */
	float	   *noise;			/* [GS_BATCH][latent] */
	float	   *z;				/* [GS_BATCH][latent] */
	float	   *outer;			/* [GS_BATCH][width] */
	float	   *state;			/* [GS_BATCH][state] */
	float	   *active;			/* [GS_BATCH][state] */
	float	   *logits;			/* [GS_BATCH][most tokens of a position] */
	int32	   *component;		/* [GS_BATCH] of the mixture */
	GsStrata	strata;		/* of components */
	int32	   *token;			/* [GS_BATCH] */
	int32	   *drawn;			/* [GS_BATCH] */
	VaeGiven   *given;			/* NULL: no conditions */
} Vae;

/*
 * Philox streams of a batch after GS_STREAM_LATENT, or of a try after
 * GS_STREAM_GIVEN: the noise of the latent vector, its component, and each
 * position.
 */
#define GS_VAE_STREAM_COMPONENT(vae)	((uint32) ((vae)->net->latent + 3) / 4)
#define GS_VAE_STREAM_POSITION(vae, p) \
	(GS_VAE_STREAM_COMPONENT(vae) + 1 + (uint32) (p))

/* vae.c */
extern void gs_vae_shape(GsVaeNet *net, const GsTokens *tokens);
extern VaeModel *gs_vae_open(const GsSchema *schema, const List *tensors,
							 const char *name,
							 void (*init) (GsVaeNet *net, GsParams *params));
extern void *gs_vae_begin(const void *model, GsGiven *given,
						  const bool *context);
extern void gs_vae_generate(void *sampler, GsBatch *batch);
extern const GsTokens *gs_vae_adjust(void *sampler, const float *bias);
extern void gs_vae_random(const Vae *vae, const GsBatch *batch,
						  uint32 stream, uint32 draw);
extern void gs_vae_noise(Vae *vae, const GsBatch *batch, uint32 stream,
						 uint32 draw);
extern void gs_vae_start(Vae *vae, const GsMixture *mixture);
extern const float *gs_vae_probabilities(Vae *vae, int p);
extern void gs_vae_feed(Vae *vae, int p, const int32 *token,
						const int32 *is_null);

/* vae_given.c */
extern void gs_vae_condition(Vae *vae, GsGiven *given);
extern int	gs_vae_confine(Vae *vae, GsBatch *batch);

/* vae_fit.c */
extern void gs_vae_start_heads(const GsVaeNet *net, const GsTokens *tokens,
							   GsParams *params);
extern void gs_vae_fit(GsFitContext *context);

#endif
