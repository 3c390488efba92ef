/*
 * vae_net.c
 *	  The network of the variational autoencoder: forward and backward.
 */
#include "nets/vae_net.h"

#include <math.h>
#include <string.h>

/*
 * gs_vae_net_init
 *
 * Adds the layers' parameters.  All of net->decoder but the layers is set; its
 * head has room for npositions.
 */
void
gs_vae_net_init(GsVaeNet *net, GsParams *params)
{
	const GsDecoderNet *d = &net->decoder;

	gs_embedding_add(params, "input", gs_shape_vectors(d->shape), d->width,
					 &net->input);
	if (d->shape->nnumbers > 0)
		gs_dense_add(params, "number", d->shape->nnumbers, d->width,
					 GS_LINEAR, &net->number);
	gs_dense_add(params, "inner", d->width, d->width, GS_SILU, &net->inner);
	gs_dense_add(params, "posterior", d->width, 2 * d->latent, GS_LINEAR,
				 &net->posterior);
	gs_decoder_net_init(&net->decoder, params);
}

/* What forward keeps for backward. */
typedef struct State
{
	int32_t	   *input;			/* [n][npositions] rows of the embedding */
	int32_t	   *drawn;			/* [npositions][n] the same, by position */
	GsMatrix	first;			/* [n][width] */
	GsMatrix	first_slope;
	GsMatrix	inner;			/* [n][width] */
	GsMatrix	inner_slope;
	GsMatrix	posterior;		/* [n][2 latent] */
	GsMatrix	deviation;		/* [n][latent] */
	GsMatrix	noise;			/* [n][latent] */
	GsMatrix	z;				/* [n][latent] */
	GsMatrix	outer;			/* [n][width] */
	GsMatrix	outer_slope;
	GsMatrix	state;			/* [n][state] */
	GsMatrix	active;			/* [npositions][n][state] */
	GsMatrix	active_slope;
	GsMatrix	logits;			/* [n][tokens] */
} State;

static State
layout(const GsDecoderNet *d, GsArena *arena, int n)
{
	size_t		ntokens = (size_t) n * (size_t) d->shape->npositions;

	return (State) {
		.input = gs_arena_take(arena, ntokens, sizeof(int32_t)),
		.drawn = gs_arena_take(arena, ntokens, sizeof(int32_t)),
		.first = gs_arena_matrix(arena, n, d->width),
		.first_slope = gs_arena_matrix(arena, n, d->width),
		.inner = gs_arena_matrix(arena, n, d->width),
		.inner_slope = gs_arena_matrix(arena, n, d->width),
		.posterior = gs_arena_matrix(arena, n, 2 * d->latent),
		.deviation = gs_arena_matrix(arena, n, d->latent),
		.noise = gs_arena_matrix(arena, n, d->latent),
		.z = gs_arena_matrix(arena, n, d->latent),
		.outer = gs_arena_matrix(arena, n, d->width),
		.outer_slope = gs_arena_matrix(arena, n, d->width),
		.state = gs_arena_matrix(arena, n, d->state),
		.active = gs_arena_matrix(arena, n, d->shape->npositions * d->state),
		.active_slope = gs_arena_matrix(arena, n, d->shape->npositions *
										d->state),
		.logits = gs_arena_matrix(arena, n, gs_shape_tokens(d->shape))
	};
}

/*
 * gs_vae_workspace: the bytes that gs_net_rows and then gs_vae_loss take.
 */
size_t
gs_vae_workspace(const GsVaeNet *net, int n)
{
	GsArena		arena = {0};

	gs_net_rows(net->decoder.shape, &arena, n);
	layout(&net->decoder, &arena, n);
	return arena.used;
}

static void
encode(const GsVaeNet *net, const gs_real *params, const GsNetRows *rows,
	   State *s)
{
	const GsDecoderNet *d = &net->decoder;

	for (int i = 0; i < rows->n; i++)
		for (int p = 0; p < d->shape->npositions; p++)
		{
			int			at = i * d->shape->npositions + p;

			s->input[at] = s->drawn[p * rows->n + i] =
				gs_shape_vector(d->shape, p, rows->token[at]);
		}
	if (d->shape->nnumbers > 0)
		gs_dense_forward(&net->number, params, rows->score, s->first,
						 GS_NO_MATRIX);
	else
		memset(s->first.data, 0, sizeof(gs_real) * (size_t) rows->n *
			   (size_t) d->width);
	gs_embedding_forward_add(&net->input, params, s->input,
							 d->shape->npositions,
							 s->first);
	gs_activate(GS_SILU, NULL, s->first, s->first, s->first_slope);
	gs_dense_forward(&net->inner, params, s->first, s->inner, s->inner_slope);
	gs_dense_forward(&net->posterior, params, s->inner, s->posterior,
					 GS_NO_MATRIX);
	for (int i = 0; i < rows->n; i++)
	{
		gs_real    *v = gs_row(s->posterior, i) + d->latent;

		for (int j = 0; j < d->latent; j++)
			v[j] = (gs_real) fmin(fmax(v[j], GS_VAE_LOG_VARIANCE_MIN),
								  GS_VAE_LOG_VARIANCE_MAX);
	}
}

/*
 * gs_vae_encode: the posteriors of rows, [n][2 latent]: means and log
 * variances.
 */
GsMatrix
gs_vae_encode(const GsVaeNet *net, const gs_real *params,
			  const GsNetRows *rows, GsArena *arena)
{
	State		s = layout(&net->decoder, arena, rows->n);

	encode(net, params, rows, &s);
	return s.posterior;
}

/*
 * Draws z from the posterior.  Returns the divergences from N(0, I).
 */
static double
draw_latent(const GsDecoderNet *d, State *s)
{
	double		sum = 0;

	for (int i = 0; i < s->z.rows; i++)
	{
		const gs_real *m = gs_row(s->posterior, i);
		const gs_real *v = m + d->latent;
		const gs_real *noise = gs_row(s->noise, i);
		gs_real    *deviation = gs_row(s->deviation, i);
		gs_real    *z = gs_row(s->z, i);

		for (int j = 0; j < d->latent; j++)
			deviation[j] = v[j] / 2;
		gs_exp((size_t) d->latent, deviation, deviation);
		for (int j = 0; j < d->latent; j++)
		{
			z[j] = m[j] + noise[j] * deviation[j];
			sum += (m[j] * m[j] + deviation[j] * deviation[j] - 1 - v[j]) / 2;
		}
	}
	return sum;
}

/*
 * A position's part of the active states, which are one position's after
 * another's.
 */
static GsMatrix
position_part(const GsDecoderNet *d, GsMatrix active, int p)
{
	return gs_matrix(active.data + (size_t) p * (size_t) active.rows *
					 (size_t) d->state, active.rows, d->state);
}

static void
decode(const GsDecoderNet *d, const gs_real *params, State *s)
{
	int			n = s->z.rows;

	gs_decoder_net_start(d, params, s->z, NULL, s->outer, s->outer_slope,
						s->state);
	for (int p = 0; p < d->shape->npositions; p++)
	{
		GsMatrix	active = position_part(d, s->active, p);

		gs_activate(d->activation, NULL, s->state, active,
					position_part(d, s->active_slope, p));
		gs_dense_forward(&d->head[p], params, active,
						 gs_shape_part(d->shape, s->logits, p), GS_NO_MATRIX);
		gs_embedding_forward_add(&d->drawn, params, s->drawn + (size_t) p * n,
								 1, s->state);
	}
}

/*
 * From the gradient by logits to that by z, in z's position.
 */
static void
decode_backward(const GsDecoderNet *d, const gs_real *params, gs_real *grad,
				State *s)
{
	int			n = s->z.rows;
	GsMatrix	dstate = s->state;	/* what it was is not needed any more */

	for (int i = 0; i < n; i++)
		memset(gs_row(dstate, i), 0, sizeof(gs_real) * (size_t) d->state);
	for (int p = d->shape->npositions - 1; p >= 0; p--)
	{
		GsMatrix	active = position_part(d, s->active, p);

		gs_embedding_backward(&d->drawn, grad, s->drawn + (size_t) p * n, 1,
							  dstate);
		gs_dense_backward(&d->head[p], params, grad, active, GS_NO_MATRIX,
						  gs_shape_part(d->shape, s->logits, p), active);
		gs_multiply_add(dstate, active,
						position_part(d, s->active_slope, p));
	}
	gs_decoder_net_start_backward(d, params, grad, s->z, NULL, s->outer,
								 s->outer_slope, dstate, s->z);
}

/*
 * From the gradient by z to that by the posterior, with that of beta times
 * the divergence, in the posterior's position.  None goes beyond the clamp.
 */
static void
latent_backward(const GsDecoderNet *d, gs_real beta, State *s)
{
	for (int i = 0; i < s->z.rows; i++)
	{
		gs_real    *m = gs_row(s->posterior, i);
		gs_real    *v = m + d->latent;
		const gs_real *noise = gs_row(s->noise, i);
		const gs_real *deviation = gs_row(s->deviation, i);
		const gs_real *dz = gs_row(s->z, i);

		for (int j = 0; j < d->latent; j++)
		{
			bool		clamped = v[j] <= GS_VAE_LOG_VARIANCE_MIN ||
				v[j] >= GS_VAE_LOG_VARIANCE_MAX;

			m[j] = dz[j] + beta * m[j];
			v[j] = clamped ? 0 :
				(dz[j] * noise[j] * deviation[j] +
				 beta * (deviation[j] * deviation[j] - 1)) / 2;
		}
	}
}

static void
encode_backward(const GsVaeNet *net, const gs_real *params, gs_real *grad,
				const GsNetRows *rows, State *s)
{
	const GsDecoderNet *d = &net->decoder;

	gs_dense_backward(&net->posterior, params, grad, s->inner, GS_NO_MATRIX,
					  s->posterior, s->inner);
	gs_dense_backward(&net->inner, params, grad, s->first, s->inner_slope,
					  s->inner, s->first);
	gs_multiply(s->first, s->first_slope);
	gs_embedding_backward(&net->input, grad, s->input, d->shape->npositions,
						  s->first);
	if (d->shape->nnumbers > 0)
		gs_dense_backward(&net->number, params, grad, rows->score,
						  GS_NO_MATRIX, s->first, GS_NO_MATRIX);
}

/*
 * gs_vae_loss
 *
 * The sum over rows of the cross entropy of all positions and beta times the
 * divergence of the posterior from N(0, I); with shard->grad, adds its
 * gradient.  rows are in shard->arena.
 */
double
gs_vae_loss(const GsVaeNet *net, const GsNetRows *rows, GsShard *shard,
			double beta)
{
	const GsNetShape *shape = net->decoder.shape;
	State		s = layout(&net->decoder, &shard->arena, rows->n);
	GsDraw		draw = {.key = shard->key,.step = shard->step,
	.first_row = shard->first};
	double		loss;

	encode(net, shard->params, rows, &s);
	gs_draw_normal(draw, s.noise);
	loss = beta * draw_latent(&net->decoder, &s);
	decode(&net->decoder, shard->params, &s);
	loss += gs_softmax_loss(shape->npositions, shape->offset, s.logits,
							rows->token,
							GS_NO_MATRIX);
	if (shard->grad != NULL)
	{
		decode_backward(&net->decoder, shard->params, shard->grad, &s);
		latent_backward(&net->decoder, (gs_real) beta, &s);
		encode_backward(net, shard->params, shard->grad, rows, &s);
	}
	return loss;
}
