/*
 * decoder_net.c
 *	  The decoder of the variational autoencoder and the adversarial network.
 */
#include "nets/decoder_net.h"

#include <stdio.h>

/*
 * gs_decoder_net_init
 *
 * Adds the layers' parameters.  All of net but the layers is set; head has
 * room for npositions.
 */
void
gs_decoder_net_init(GsDecoderNet *net, GsParams *params)
{
	const GsNetShape *shape = net->shape;
	int			ntokens = gs_shape_tokens(shape);

	gs_dense_add(params, "outer", net->latent, net->width, GS_SILU,
				 &net->outer);
	gs_dense_add(params, "start", net->width, net->state, GS_LINEAR,
				 &net->start);
	gs_embedding_add(params, "drawn", gs_shape_vectors(shape), net->state,
					 &net->drawn);
	for (int p = 0; p < shape->npositions; p++)
	{
		char		name[GS_VIEW_NAME];

		snprintf(name, sizeof(name), "head %d", p);
		gs_dense_add(params, name, net->state, gs_shape_width(shape, p),
					 GS_LINEAR, &net->head[p]);
	}
	if (net->conditioned)
		gs_embedding_add(params, "condition", ntokens > 0 ? ntokens : 1,
						 net->width, &net->condition);
}

/*
 * gs_decoder_net_start: from z to the state that the first head sees.
 *
 * condition: [rows] tokens, -1: none, of a conditioned net, or NULL;
 * outer, slope: [rows][width] for backward, slope also GS_NO_MATRIX.
 */
void
gs_decoder_net_start(const GsDecoderNet *net, const gs_real *params,
					 GsMatrix z, const int32_t *condition, GsMatrix outer,
					 GsMatrix slope, GsMatrix state)
{
	GsDense		sums = net->outer;

	if (condition == NULL)
		gs_dense_forward(&net->outer, params, z, outer, slope);
	else
	{
		sums.activation = GS_LINEAR;
		gs_dense_forward(&sums, params, z, outer, GS_NO_MATRIX);
		gs_embedding_forward_add(&net->condition, params, condition, 1,
								 outer);
		gs_activate(GS_SILU, NULL, outer, outer, slope);
	}
	gs_dense_forward(&net->start, params, outer, state, GS_NO_MATRIX);
}

/*
 * gs_decoder_net_start_backward: from the gradient by the state to that by z,
 * in dz, which may be z or GS_NO_MATRIX.  outer and dstate are used up.
 */
void
gs_decoder_net_start_backward(const GsDecoderNet *net,
							  const gs_real *params, gs_real *grad,
							  GsMatrix z, const int32_t *condition,
							  GsMatrix outer, GsMatrix slope,
							  GsMatrix dstate, GsMatrix dz)
{
	gs_dense_backward(&net->start, params, grad, outer, GS_NO_MATRIX, dstate,
					  outer);
	gs_dense_backward(&net->outer, params, grad, z, slope, outer, dz);
	/* outer is the gradient by the layer's sums now */
	if (condition != NULL)
		gs_embedding_backward(&net->condition, grad, condition, 1, outer);
}
