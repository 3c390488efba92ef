/*
 * vae_net.h
 *	  The network of the variational autoencoder, over rows of tokens.
 *
 * Encoder: the tokens' vectors and the numbers' scores, one hidden layer, the
 * posterior of the latent vector z: mean and log variance (Kingma and
 * Welling, "Auto-encoding variational Bayes", ICLR 2014).
 *
 * Decoder: z, one hidden layer, a state, to which each place's token adds a
 * vector once it is drawn; each place has a softmax head on the state as the
 * places before it left it (as in PixelVAE: Gulrajani et al., ICLR 2017; with the
 * sums of NADE: Larochelle and Murray, AISTATS 2011).  So z has to tell what
 * rows are like as a whole, and not how one column follows from another.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_VAE_NET_H
#define GENSYNTH_VAE_NET_H

#include "nn/nn.h"
#include "nn/train.h"

#define GS_VAE_LOG_VARIANCE_LEAST	-8
#define GS_VAE_LOG_VARIANCE_MOST	4

typedef struct GsVaeNet
{
	int			nplaces;
	const int  *offset;			/* [nplaces + 1] of tokens among all */
	int			nnumbers;
	int			latent;
	int			width;			/* of the hidden layers */
	int			state;			/* width of the decoder's state ... */
	GsActivation activation;	/* ... and what heads see of it */
	GsEmbedding input;			/* a place's tokens, and then: missing */
	GsDense		number;			/* nnumbers to width */
	GsDense		inner;			/* width to width */
	GsDense		posterior;		/* width to 2 latent */
	GsDense		outer;			/* latent to width */
	GsEmbedding condition;		/* tokens to width; none of them: ntokens 0 */
	GsDense		start;			/* width to state */
	GsEmbedding drawn;			/* as input, of width state */
	GsDense    *head;			/* [nplaces] state to tokens */
} GsVaeNet;

/* Some rows, in an arena. */
typedef struct GsVaeRows
{
	int			n;
	int32_t    *token;			/* [n][nplaces]; -1: missing */
	GsMatrix	score;			/* [n][nnumbers] */
} GsVaeRows;

extern void gs_vae_net_init(GsVaeNet *net, GsParams *params);
extern void gs_vae_decoder_init(GsVaeNet *net, GsParams *params);
extern void gs_vae_decode_start(const GsVaeNet *net, const gs_real *params,
								GsMatrix z, const int32_t *condition,
								GsMatrix outer, GsMatrix slope,
								GsMatrix state);
extern void gs_vae_decode_start_backward(const GsVaeNet *net,
										 const gs_real *params,
										 gs_real *grad, GsMatrix z,
										 const int32_t *condition,
										 GsMatrix outer, GsMatrix slope,
										 GsMatrix dstate, GsMatrix dz);
extern GsVaeRows gs_vae_rows(const GsVaeNet *net, GsArena *arena, int n);
extern double gs_vae_loss(const GsVaeNet *net, const GsVaeRows *rows,
						  GsShard *shard, double beta);
extern size_t gs_vae_workspace(const GsVaeNet *net, int n);
extern GsMatrix gs_vae_encode(const GsVaeNet *net, const gs_real *params,
							  const GsVaeRows *rows, GsArena *arena);

/* the row of an embedding that a place's token has */
static inline int32_t
gs_vae_token(const GsVaeNet *net, int place, int32_t token)
{
	return net->offset[place] + place + (token >= 0 ? token :
										 net->offset[place + 1] -
										 net->offset[place]);
}

/* a place's part of the active states, which are one place's after another's */
static inline GsMatrix
gs_vae_place(const GsVaeNet *net, GsMatrix active, int place)
{
	return gs_matrix(active.data + (size_t) place * active.rows * net->state,
					 active.rows, net->state);
}

/* a place's part of the logits, or what else tokens have */
static inline GsMatrix
gs_vae_head(const GsVaeNet *net, GsMatrix logits, int place)
{
	return gs_matrix_columns(logits, net->offset[place],
							 net->offset[place + 1] - net->offset[place]);
}

#endif
