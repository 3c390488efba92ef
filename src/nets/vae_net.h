/*
 * vae_net.h
 *	  The network of the variational autoencoder, over rows of tokens.
 *
 * Encoder: the tokens' vectors and the numbers' scores, one hidden layer, the
 * posterior of the latent vector z: mean and log variance (Kingma and
 * Welling, "Auto-encoding variational Bayes", ICLR 2014).
 *
 * Decoder: z, one hidden layer, a state, to which each position's token adds a
 * vector once it is drawn; each position has a softmax head on the state as
 * the positions before it left it (as in PixelVAE: Gulrajani et al., ICLR
 * 2017; with the sums of NADE: Larochelle and Murray, AISTATS 2011).  So z has
 * to tell what rows are like as a whole, and not how one column follows from
 * another.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_VAE_NET_H
#define GENSYNTH_VAE_NET_H

#include "nn/nn.h"
#include "nn/train.h"

#define GS_VAE_LOG_VARIANCE_MIN	-8
#define GS_VAE_LOG_VARIANCE_MAX	4

typedef struct GsVaeNet
{
	int			npositions;
	const int  *offset;			/* [npositions + 1] of tokens among all */
	int			nnumbers;
	int			latent;
	int			width;			/* of the hidden layers */
	int			state;			/* width of the decoder's state ... */
	GsActivation activation;	/* ... and what heads see of it */
	GsEmbedding	input;			/* a position's tokens, and then: missing */
	GsDense		number;			/* nnumbers to width */
	GsDense		inner;			/* width to width */
	GsDense		posterior;		/* width to 2 latent */
	GsDense		outer;			/* latent to width */
	GsEmbedding condition;		/* tokens to width; none of them: ntokens 0 */
	GsDense		start;			/* width to state */
	GsEmbedding drawn;			/* as input, of width state */
	GsDense	   *head;			/* [npositions] state to tokens */
} GsVaeNet;

/* Some rows, in an arena. */
typedef struct GsVaeRows
{
	int			n;
	int32_t	   *token;			/* [n][npositions]; -1: missing */
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

/* the row of an embedding that a position's token has */
static inline int32_t
gs_vae_token(const GsVaeNet *net, int position, int32_t token)
{
	return net->offset[position] + position + (token >= 0 ? token :
											   net->offset[position + 1] -
											   net->offset[position]);
}

/* a position's part of the active states, which are one position's after another's */
static inline GsMatrix
gs_vae_position(const GsVaeNet *net, GsMatrix active, int position)
{
	return gs_matrix(active.data + (size_t) position * active.rows *
					 net->state,
					 active.rows, net->state);
}

/* a position's part of the logits, or what else tokens have */
static inline GsMatrix
gs_vae_head(const GsVaeNet *net, GsMatrix logits, int position)
{
	return gs_matrix_columns(logits, net->offset[position],
							 net->offset[position + 1] -
							 net->offset[position]);
}

#endif
