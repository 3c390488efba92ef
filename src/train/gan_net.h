/*
 * gan_net.h
 *	  The networks of the generative adversarial network, over rows of tokens.
 *
 * Generator: the decoder of vae_net.h, from noise.  A place's token is drawn
 * by Gumbel noise on its logits, and goes on as it is, but backward as the
 * softmax at a temperature: the straight-through Gumbel softmax (Jang, Gu and
 * Poole, ICLR 2017).
 *
 * Critic: "pack" rows at once (PacGAN: Lin et al., NeurIPS 2018), one-hot, two
 * hidden layers of leaky ReLU, a number.  Its loss is Wasserstein's with a
 * gradient penalty (Gulrajani et al., "Improved training of Wasserstein GANs",
 * NeurIPS 2017).  The first layer is linear, so that of a point between real
 * and made rows is between theirs: all are sums of the tokens' vectors.
 *
 * The generator's loss is the critic's with the cross entropy of real rows,
 * each place after the real ones before it: what conditions are to CTGAN (Xu
 * et al., NeurIPS 2019), for all columns at once.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_GAN_NET_H
#define GENSYNTH_GAN_NET_H

#include "train/vae_net.h"

typedef struct GsGanNet
{
	GsVaeNet	decoder;		/* nnumbers: 0 */
	const int  *null;			/* [nplaces] place that tells NULL, or -1 ... */
	const int  *null_token;		/* [nplaces] ... and by which token */
	double		temperature;	/* of the Gumbel softmax */
	double		anchor;			/* weight of the cross entropy */
	double		penalty;		/* weight of the gradient penalty */
	int			pack;			/* rows that the critic sees at once */
	int			width;			/* of the critic's hidden layers */
	GsEmbedding input;			/* tokens by row of the pack, and one: bias */
	GsDense		inner;			/* width to width */
	GsDense		outer;			/* width to 1 */
} GsGanNet;

extern void gs_gan_net_init(GsGanNet *net, GsParams *generator,
							GsParams *critic);
extern size_t gs_gan_workspace(const GsGanNet *net, int n);
extern double gs_gan_critic_loss(const GsGanNet *net,
								 const gs_real *generator,
								 const int32_t *real, GsShard *shard);
extern double gs_gan_generator_loss(const GsGanNet *net,
									const gs_real *critic,
									const int32_t *real, GsShard *shard);
extern void gs_gan_sample(const GsGanNet *net, const gs_real *generator,
						  GsDraw draw, int n, GsArena *arena, int32_t *token);

#endif
