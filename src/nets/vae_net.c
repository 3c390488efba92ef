/*
 * vae_net.c
 *	  The network of the variational autoencoder: forward and backward.
 */
#include "nets/vae_net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * The vectors of an embedding: of tokens, and of what is missing.
 */
static int
vector_count(const GsVaeNet *net)
{
	int			n = net->offset[net->npositions] + net->npositions;

	return n > 0 ? n : 1;		/* a table of nothing but keys */
}

/*
 * gs_vae_net_init
 *
 * Adds the layers' parameters.  All of net but the layers is set; head has
 * room for npositions.
 */
void
gs_vae_net_init(GsVaeNet *net, GsParams *params)
{
	gs_embedding_add(params, "input", vector_count(net), net->width, &net->input);
	if (net->nnumbers > 0)
		gs_dense_add(params, "number", net->nnumbers, net->width, GS_LINEAR,
					 &net->number);
	gs_dense_add(params, "inner", net->width, net->width, GS_SILU,
				 &net->inner);
	gs_dense_add(params, "posterior", net->width, 2 * net->latent, GS_LINEAR,
				 &net->posterior);
	gs_vae_decoder_init(net, params);
}

/*
 * gs_vae_decoder_init: the same without an encoder, which may be none.
 */
void
gs_vae_decoder_init(GsVaeNet *net, GsParams *params)
{
	gs_dense_add(params, "outer", net->latent, net->width, GS_SILU,
				 &net->outer);
	gs_dense_add(params, "start", net->width, net->state, GS_LINEAR,
				 &net->start);
	gs_embedding_add(params, "drawn", vector_count(net), net->state, &net->drawn);
	for (int p = 0; p < net->npositions; p++)
	{
		char		name[GS_VIEW_NAME];

		snprintf(name, sizeof(name), "head %d", p);
		gs_dense_add(params, name, net->state,
					 net->offset[p + 1] - net->offset[p], GS_LINEAR,
					 &net->head[p]);
	}
}

/*
 * gs_vae_rows: room for n rows, to be filled by the caller.
 */
GsVaeRows
gs_vae_rows(const GsVaeNet *net, GsArena *arena, int n)
{
	return (GsVaeRows) {
		.n = n,
		.token = gs_arena_take(arena, (size_t) n * (size_t) net->npositions,
							   sizeof(int32_t)),
		.score = gs_arena_matrix(arena, n, net->nnumbers)
	};
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
layout(const GsVaeNet *net, GsArena *arena, int n)
{
	size_t		ntokens = (size_t) n * (size_t) net->npositions;

	return (State) {
		.input = gs_arena_take(arena, ntokens, sizeof(int32_t)),
		.drawn = gs_arena_take(arena, ntokens, sizeof(int32_t)),
		.first = gs_arena_matrix(arena, n, net->width),
		.first_slope = gs_arena_matrix(arena, n, net->width),
		.inner = gs_arena_matrix(arena, n, net->width),
		.inner_slope = gs_arena_matrix(arena, n, net->width),
		.posterior = gs_arena_matrix(arena, n, 2 * net->latent),
		.deviation = gs_arena_matrix(arena, n, net->latent),
		.noise = gs_arena_matrix(arena, n, net->latent),
		.z = gs_arena_matrix(arena, n, net->latent),
		.outer = gs_arena_matrix(arena, n, net->width),
		.outer_slope = gs_arena_matrix(arena, n, net->width),
		.state = gs_arena_matrix(arena, n, net->state),
		.active = gs_arena_matrix(arena, n, net->npositions * net->state),
		.active_slope = gs_arena_matrix(arena, n, net->npositions *
										net->state),
		.logits = gs_arena_matrix(arena, n, net->offset[net->npositions])
	};
}

/*
 * gs_vae_workspace: the bytes that gs_vae_rows and then gs_vae_loss take.
 */
size_t
gs_vae_workspace(const GsVaeNet *net, int n)
{
	GsArena		arena = {0};

	gs_vae_rows(net, &arena, n);
	layout(net, &arena, n);
	return arena.used;
}

static void
encode(const GsVaeNet *net, const gs_real *params, const GsVaeRows *rows,
	   State *s)
{
	for (int i = 0; i < rows->n; i++)
		for (int p = 0; p < net->npositions; p++)
		{
			int			at = i * net->npositions + p;

			s->input[at] = s->drawn[p * rows->n + i] =
				gs_vae_token(net, p, rows->token[at]);
		}
	if (net->nnumbers > 0)
		gs_dense_forward(&net->number, params, rows->score, s->first,
						 GS_NO_MATRIX);
	else
		memset(s->first.data, 0, sizeof(gs_real) * (size_t) rows->n *
			   (size_t) net->width);
	gs_embedding_forward_add(&net->input, params, s->input, net->npositions,
							 s->first);
	gs_activate(GS_SILU, NULL, s->first, s->first, s->first_slope);
	gs_dense_forward(&net->inner, params, s->first, s->inner, s->inner_slope);
	gs_dense_forward(&net->posterior, params, s->inner, s->posterior,
					 GS_NO_MATRIX);
	for (int i = 0; i < rows->n; i++)
	{
		gs_real    *v = gs_row(s->posterior, i) + net->latent;

		for (int j = 0; j < net->latent; j++)
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
			  const GsVaeRows *rows, GsArena *arena)
{
	State		s = layout(net, arena, rows->n);

	encode(net, params, rows, &s);
	return s.posterior;
}

/*
 * Draws z from the posterior.  Returns the divergences from N(0, I).
 */
static double
draw_latent(const GsVaeNet *net, State *s)
{
	double		sum = 0;

	for (int i = 0; i < s->z.rows; i++)
	{
		const gs_real *m = gs_row(s->posterior, i);
		const gs_real *v = m + net->latent;
		const gs_real *noise = gs_row(s->noise, i);
		gs_real    *deviation = gs_row(s->deviation, i);
		gs_real    *z = gs_row(s->z, i);

		for (int j = 0; j < net->latent; j++)
			deviation[j] = v[j] / 2;
		gs_exp((size_t) net->latent, deviation, deviation);
		for (int j = 0; j < net->latent; j++)
		{
			z[j] = m[j] + noise[j] * deviation[j];
			sum += (m[j] * m[j] + deviation[j] * deviation[j] - 1 - v[j]) / 2;
		}
	}
	return sum;
}

/*
 * gs_vae_decode_start: from z to the state that the first head sees.
 *
 * condition: [rows] tokens, -1: none, of a net with such vectors, or NULL;
 * outer, slope: [rows][width] for backward, slope also GS_NO_MATRIX.
 */
void
gs_vae_decode_start(const GsVaeNet *net, const gs_real *params, GsMatrix z,
					const int32_t *condition, GsMatrix outer, GsMatrix slope,
					GsMatrix state)
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
 * gs_vae_decode_start_backward: from the gradient by the state to that by z,
 * in dz, which may be z or GS_NO_MATRIX.  outer and dstate are used up.
 */
void
gs_vae_decode_start_backward(const GsVaeNet *net, const gs_real *params,
							 gs_real *grad, GsMatrix z,
							 const int32_t *condition, GsMatrix outer,
							 GsMatrix slope, GsMatrix dstate, GsMatrix dz)
{
	gs_dense_backward(&net->start, params, grad, outer, GS_NO_MATRIX, dstate,
					  outer);
	gs_dense_backward(&net->outer, params, grad, z, slope, outer, dz);
	/* outer is the gradient by the layer's sums now */
	if (condition != NULL)
		gs_embedding_backward(&net->condition, grad, condition, 1, outer);
}

static void
decode(const GsVaeNet *net, const gs_real *params, State *s)
{
	int			n = s->z.rows;

	gs_vae_decode_start(net, params, s->z, NULL, s->outer, s->outer_slope,
						s->state);
	for (int p = 0; p < net->npositions; p++)
	{
		GsMatrix	active = gs_vae_position(net, s->active, p);

		gs_activate(net->activation, NULL, s->state, active,
					gs_vae_position(net, s->active_slope, p));
		gs_dense_forward(&net->head[p], params, active,
						 gs_vae_head(net, s->logits, p), GS_NO_MATRIX);
		gs_embedding_forward_add(&net->drawn, params, s->drawn + (size_t) p * n,
								 1, s->state);
	}
}

/*
 * From the gradient by logits to that by z, in z's position.
 */
static void
decode_backward(const GsVaeNet *net, const gs_real *params, gs_real *grad,
				State *s)
{
	int			n = s->z.rows;
	GsMatrix	dstate = s->state;	/* what it was is not needed any more */

	for (int i = 0; i < n; i++)
		memset(gs_row(dstate, i), 0, sizeof(gs_real) * (size_t) net->state);
	for (int p = net->npositions - 1; p >= 0; p--)
	{
		GsMatrix	active = gs_vae_position(net, s->active, p);

		gs_embedding_backward(&net->drawn, grad, s->drawn + (size_t) p * n, 1,
							  dstate);
		gs_dense_backward(&net->head[p], params, grad, active, GS_NO_MATRIX,
						  gs_vae_head(net, s->logits, p), active);
		gs_multiply_add(dstate, active,
						gs_vae_position(net, s->active_slope, p));
	}
	gs_vae_decode_start_backward(net, params, grad, s->z, NULL, s->outer,
								 s->outer_slope, dstate, s->z);
}

/*
 * From the gradient by z to that by the posterior, with that of beta times
 * the divergence, in the posterior's position.  None goes beyond the clamp.
 */
static void
latent_backward(const GsVaeNet *net, gs_real beta, State *s)
{
	for (int i = 0; i < s->z.rows; i++)
	{
		gs_real    *m = gs_row(s->posterior, i);
		gs_real    *v = m + net->latent;
		const gs_real *noise = gs_row(s->noise, i);
		const gs_real *deviation = gs_row(s->deviation, i);
		const gs_real *dz = gs_row(s->z, i);

		for (int j = 0; j < net->latent; j++)
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
				const GsVaeRows *rows, State *s)
{
	gs_dense_backward(&net->posterior, params, grad, s->inner, GS_NO_MATRIX,
					  s->posterior, s->inner);
	gs_dense_backward(&net->inner, params, grad, s->first, s->inner_slope,
					  s->inner, s->first);
	gs_multiply(s->first, s->first_slope);
	gs_embedding_backward(&net->input, grad, s->input, net->npositions,
						  s->first);
	if (net->nnumbers > 0)
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
gs_vae_loss(const GsVaeNet *net, const GsVaeRows *rows, GsShard *shard,
			double beta)
{
	State		s = layout(net, &shard->arena, rows->n);
	GsDraw		draw = {.key = shard->key,.step = shard->step,
	.first_row = shard->first};
	double		loss;

	encode(net, shard->params, rows, &s);
	gs_draw_normal(draw, s.noise);
	loss = beta * draw_latent(net, &s);
	decode(net, shard->params, &s);
	loss += gs_softmax_loss(net->npositions, net->offset, s.logits,
							rows->token,
							GS_NO_MATRIX);
	if (shard->grad != NULL)
	{
		decode_backward(net, shard->params, shard->grad, &s);
		latent_backward(net, (gs_real) beta, &s);
		encode_backward(net, shard->params, shard->grad, rows, &s);
	}
	return loss;
}
