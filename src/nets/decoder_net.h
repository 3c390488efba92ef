/*
 * decoder_net.h
 *	  The decoder of the variational autoencoder, which is the generator of
 *	  the adversarial network, too.
 *
 * From a latent vector z, one hidden layer, a state, to which each position's
 * token adds a vector once it is drawn; each position has a softmax head on
 * the state as the positions before it left it (as in PixelVAE: Gulrajani et
 * al., ICLR 2017; with the sums of NADE: Larochelle and Murray, AISTATS 2011).
 * So z has to tell what rows are like as a whole, and not how one column
 * follows from another.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_DECODER_NET_H
#define GENSYNTH_DECODER_NET_H

#include "nets/shape.h"

typedef struct GsDecoderNet
{
	const GsNetShape *shape;
	int			latent;
	int			width;			/* of the hidden layer */
	int			state;			/* width of the state ... */
	GsActivation activation;	/* ... and what heads see of it */
	bool		conditioned;	/* has vectors of conditions */
	GsDense		outer;			/* latent to width */
	GsEmbedding condition;		/* tokens to width */
	GsDense		start;			/* width to state */
	GsEmbedding drawn;			/* a position's tokens, or none, to state */
	GsDense    *head;			/* [npositions] state to tokens */
} GsDecoderNet;

extern void gs_decoder_net_init(GsDecoderNet *net, GsParams *params);
extern void gs_decoder_net_start(const GsDecoderNet *net,
								 const gs_real *params, GsMatrix z,
								 const int32_t *condition, GsMatrix outer,
								 GsMatrix slope, GsMatrix state);
extern void gs_decoder_net_start_backward(const GsDecoderNet *net,
										  const gs_real *params,
										  gs_real *grad, GsMatrix z,
										  const int32_t *condition,
										  GsMatrix outer, GsMatrix slope,
										  GsMatrix dstate, GsMatrix dz);

#endif
