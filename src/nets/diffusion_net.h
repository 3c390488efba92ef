/*
 * diffusion_net.h
 *	  The network of masked diffusion, over rows of tokens.
 *
 *	  tokens -> embeddings --+
 *	  scores -> dense -------+-- sum -> residual blocks -> norm -> heads
 *
 * A position that is masked has a vector of its own, so the sum says what is
 * not known, too.
 *
 * In training, a row loses some of its tokens: how many is uniform, and which
 * ones is random.  The network guesses them, and the loss is the mean cross
 * entropy of those that are masked.  That is the bound on the likelihood of
 * absorbing diffusion in continuous time, with its weight 1 / t (Sahoo et
 * al., "Simple and effective masked diffusion language models", NeurIPS 2024;
 * Shi et al., "Simplified and generalized masked diffusion for discrete data",
 * the same), and that of autoregressive models in any order (Uria, Murray and
 * Larochelle, "A deep and tractable density estimator", ICML 2014;
 * Hoogeboom et al., "Autoregressive diffusion models", ICLR 2022).
 *
 * A number that is NULL tells nothing: it is always masked, and never
 * guessed.  Numbers are masked where it is masked whether they are NULL,
 * since to see one would say so.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_DIFFUSION_NET_H
#define GENSYNTH_DIFFUSION_NET_H

#include "nets/shape.h"
#include "nn/train.h"

/* P positions, W wide. */
typedef struct GsDiffusionNet
{
	const GsNetShape *shape;
	int			width;
	int			nblocks;
	double		dropout;		/* within blocks, in training */
	int			nheads;			/* that are trained in a step ... */
	int			nlogits;		/* ... and their logits, at most */
	GsEmbedding embedding;		/* a position's tokens, or masked, to W */
	GsDense		score;			/* from numbers' scores, where there are any */
	GsResidual *block;			/* [nblocks] */
	GsNorm		norm;
	GsDense    *head;			/* [P] to the position's logits */
} GsDiffusionNet;

extern void gs_diffusion_net_init(GsDiffusionNet *net, GsParams *params);
extern void gs_diffusion_net_start(const GsDiffusionNet *net, gs_real *value);
extern size_t gs_diffusion_workspace(const GsDiffusionNet *net, int n);
extern double gs_diffusion_loss(const GsDiffusionNet *net,
								const GsNetRows *rows, GsShard *shard);

#endif
