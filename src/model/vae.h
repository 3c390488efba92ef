/*
 * vae.h
 *	  The variational autoencoder, between its files.
 */
#ifndef GENSYNTH_VAE_H
#define GENSYNTH_VAE_H

#include "model/family.h"
#include "model/tokens.h"
#include "numeric/even.h"
#include "train/mixture.h"
#include "train/vae_net.h"

typedef struct VaeGiven VaeGiven;

/* A loaded model. */
typedef struct Vae
{
	const GsTokens *tokens;
	GsVaeNet	net;
	GsParams   *params;
	GsMixture	mixture;

	/* of a batch */
	uint32	   *words;			/* [4][GS_BATCH] */
	float	   *normal;			/* [latent + 3][GS_BATCH] */
	float	   *noise;			/* [GS_BATCH][latent] */
	float	   *z;				/* [GS_BATCH][latent] */
	float	   *outer;			/* [GS_BATCH][width] */
	float	   *state;			/* [GS_BATCH][state] */
	float	   *active;			/* [GS_BATCH][state] */
	float	   *logits;			/* [GS_BATCH][most tokens of a place] */
	int32	   *component;		/* [GS_BATCH] of the mixture */
	GsEven		even;			/* of components */
	int32	   *token;			/* [GS_BATCH] */
	int32	   *drawn;			/* [GS_BATCH] */
	VaeGiven   *given;			/* NULL: no conditions */
} Vae;

/* vae.c */
extern void gs_vae_shape(GsVaeNet *net, const GsTokens *tokens,
						 GsParams *params);

/* vae_fit.c */
extern void gs_vae_fit(const GsSchema *schema, const GsEncoded *encoded,
					   const GsOptions *options, List **tensors,
					   List **notes);

#endif
