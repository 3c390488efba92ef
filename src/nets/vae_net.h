/*
 * vae_net.h
 *	  The network of the variational autoencoder, over rows of tokens.
 *
 * Encoder: the tokens' vectors and the numbers' scores, one hidden layer, the
 * posterior of the latent vector z: mean and log variance (Kingma and
 * Welling, "Auto-encoding variational Bayes", ICLR 2014).
 *
 * Decoder: see decoder_net.h.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_VAE_NET_H
#define GENSYNTH_VAE_NET_H

#include "nets/decoder_net.h"
#include "nn/train.h"

#define GS_VAE_LOG_VARIANCE_MIN	-8
#define GS_VAE_LOG_VARIANCE_MAX	4

typedef struct GsVaeNet
{
	GsDecoderNet decoder;		/* not conditioned */
	GsEmbedding input;			/* as decoder.drawn, to width */
	GsDense		number;			/* nnumbers to width */
	GsDense		inner;			/* width to width */
	GsDense		posterior;		/* width to 2 latent */
} GsVaeNet;

extern void gs_vae_net_init(GsVaeNet *net, GsParams *params);
extern double gs_vae_loss(const GsVaeNet *net, const GsNetRows *rows,
						  GsShard *shard, double beta);
extern size_t gs_vae_workspace(const GsVaeNet *net, int n);
extern GsMatrix gs_vae_encode(const GsVaeNet *net, const gs_real *params,
							  const GsNetRows *rows, GsArena *arena);

#endif
