/*
 * gan_net.h
 *	  The networks of the generative adversarial network, over rows of tokens.
 *
 * Generator: the decoder of decoder_net.h, from noise and a condition, a token
 * that the row is to have, or none (the condition vector of CTGAN: Xu et al.,
 * NeurIPS 2019).  A position's token is drawn by Gumbel noise on its logits, and
 * goes on as it is, but backward as the softmax at a temperature: the
 * straight-through Gumbel softmax (Jang, Gu and Poole, ICLR 2017).
 *
 * Critic: a row is the sum of its tokens' vectors, and of its condition's.
 * "pack" rows of one vector each are seen at once (PacGAN: Lin et al., NeurIPS
 * 2018), by two hidden layers of leaky ReLU; what comes out is a number.  Its
 * loss is Wasserstein's with a penalty of the gradient by the rows' one-hots
 * (Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017).
 * Rows become sums, so that a point between real and made rows is between
 * their sums.
 *
 * The generator's loss is the critic's with the cross entropy of real rows
 * that meet the condition, each position after the real ones before it: at the
 * conditioned position that is CTGAN's.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_GAN_NET_H
#define GENSYNTH_GAN_NET_H

#include "nets/decoder_net.h"
#include "nn/train.h"

typedef struct GsGanNet
{
	GsDecoderNet decoder;		/* conditioned; GS_LEAKY_RELU, whose slope is
								 * told by what comes out, and not kept */
	double		temperature;	/* of the Gumbel softmax */
	double		anchor;			/* weight of the cross entropy */
	double		penalty;		/* weight of the gradient penalty */
	int			pack;			/* rows that the critic sees at once */
	int			vector;			/* width of a row's vector */
	int			width;			/* of the critic's hidden layers */
	GsEmbedding input;			/* tokens, and tokens as conditions */
	GsDense		seen;			/* a row's one-hots to its vector: input */
	GsDense	   *fed;		/* [npositions] one-hots to state: decoder.drawn */
	GsDense		first;			/* pack vector to width */
	GsDense		inner;			/* width to width */
	GsDense		outer;			/* width to 1 */
} GsGanNet;

/* Rows of a step, each with its condition and what was made of that. */
typedef struct GsGanRows
{
	const int32_t *real;		/* [n][npositions] tokens; -1: missing */
	const int32_t *condition;	/* [n] token among all, or -1: none */
	int32_t	   *made;			/* [n][npositions] */
} GsGanRows;

extern void gs_gan_net_init(GsGanNet *net, GsParams *generator,
							GsParams *critic);
extern size_t gs_gan_workspace(const GsGanNet *net, int n);
extern double gs_gan_critic_loss(const GsGanNet *net, const GsGanRows *rows,
								 GsShard *shard);
extern double gs_gan_generator_loss(const GsGanNet *net,
									const gs_real *critic,
									const GsGanRows *rows, GsShard *shard);
extern void gs_gan_sample(const GsGanNet *net, const gs_real *generator,
						  GsDraw draw, int n, GsArena *arena, int32_t *token);

#endif
