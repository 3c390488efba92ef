/*
 * gan_net.c
 *	  The networks of the generative adversarial network: forward and backward.
 */
#include "train/gan_net.h"

#include <math.h>
#include <string.h>

#ifdef GS_NN_DOUBLE
#define real_log log
#else
#define real_log logf
#endif

/* Streams of random numbers in a step. */
#define STREAM_LATENT	0
#define STREAM_GUMBEL	1
#define STREAM_BETWEEN	2

/*
 * gs_gan_net_init
 *
 * Adds the layers' parameters.  All of net but the layers is set.
 */
void
gs_gan_net_init(GsGanNet *net, GsParams *generator, GsParams *critic)
{
	int			ntokens = net->decoder.offset[net->decoder.nplaces];

	gs_vae_decoder_init(&net->decoder, generator);
	gs_embedding_add(critic, "input", net->pack * ntokens + 1, net->width,
					 &net->input);
	gs_dense_add(critic, "inner", net->width, net->width, GS_LEAKY_RELU,
				 &net->inner);
	gs_dense_add(critic, "outer", net->width, 1, GS_LINEAR, &net->outer);
}

/* Rows that the generator makes; the first may be forced to be real ones. */
typedef struct Made
{
	int			n;
	int			forced;
	int32_t    *token;			/* [n][nplaces]; -1: missing */
	int32_t    *drawn;			/* [nplaces][n] rows of the embedding */
	GsMatrix	z;				/* [n][latent] */
	GsMatrix	outer;			/* [n][width] */
	GsMatrix	outer_slope;
	GsMatrix	state;			/* [n][state] */
	GsMatrix	active;			/* [n][nplaces state] */
	GsMatrix	active_slope;
	GsMatrix	logits;			/* [n][tokens], with the noise where free */
	GsMatrix	noise;			/* [n - forced][tokens] */
} Made;

static Made
make_layout(const GsGanNet *net, GsArena *arena, int n, int forced)
{
	const GsVaeNet *d = &net->decoder;
	size_t		ntokens = (size_t) n * (size_t) d->nplaces;

	return (Made) {
		.n = n,.forced = forced,
		.token = gs_arena_take(arena, ntokens, sizeof(int32_t)),
		.drawn = gs_arena_take(arena, ntokens, sizeof(int32_t)),
		.z = gs_arena_matrix(arena, n, d->latent),
		.outer = gs_arena_matrix(arena, n, d->width),
		.outer_slope = gs_arena_matrix(arena, n, d->width),
		.state = gs_arena_matrix(arena, n, d->state),
		.active = gs_arena_matrix(arena, n, d->nplaces * d->state),
		.active_slope = gs_arena_matrix(arena, n, d->nplaces * d->state),
		.logits = gs_arena_matrix(arena, n, d->offset[d->nplaces]),
		.noise = gs_arena_matrix(arena, n - forced, d->offset[d->nplaces])
	};
}

/* What the critic makes of packs of rows. */
typedef struct Seen
{
	GsMatrix	first;			/* [packs][width] */
	GsMatrix	first_slope;
	GsMatrix	inner;			/* [packs][width] */
	GsMatrix	inner_slope;
	GsMatrix	value;			/* [packs][1] */
} Seen;

static Seen
see_layout(const GsGanNet *net, GsArena *arena, int packs)
{
	return (Seen) {
		.first = gs_arena_matrix(arena, packs, net->width),
		.first_slope = gs_arena_matrix(arena, packs, net->width),
		.inner = gs_arena_matrix(arena, packs, net->width),
		.inner_slope = gs_arena_matrix(arena, packs, net->width),
		.value = gs_arena_matrix(arena, packs, 1)
	};
}

/* The critic's gradient by its input, and what it is made of. */
typedef struct Slope
{
	GsMatrix	value;			/* [packs][1] ones */
	GsMatrix	inner;			/* [packs][width] by the layer's sums */
	GsMatrix	first;			/* [packs][width] by the layer's sums */
	GsMatrix	input;			/* [packs][pack tokens] */
} Slope;

static Slope
slope_layout(const GsGanNet *net, GsArena *arena, int packs)
{
	return (Slope) {
		.value = gs_arena_matrix(arena, packs, 1),
		.inner = gs_arena_matrix(arena, packs, net->width),
		.first = gs_arena_matrix(arena, packs, net->width),
		.input = gs_arena_matrix(arena, packs, net->input.ntokens - 1)
	};
}

/* The tokens of rows as the critic's: [packs][pack nplaces + 1]. */
static int32_t *
pack_layout(const GsGanNet *net, GsArena *arena, int packs)
{
	return gs_arena_take(arena, (size_t) packs *
						 ((size_t) net->pack * net->decoder.nplaces + 1),
						 sizeof(int32_t));
}

/*
 * gs_gan_workspace: the bytes that either loss takes for n rows, or
 * gs_gan_sample for twice as many.  Rows of real tokens may be taken before.
 */
size_t
gs_gan_workspace(const GsGanNet *net, int n)
{
	GsArena		arena = {0};
	int			packs = n / net->pack;

	gs_arena_take(&arena, (size_t) n * (size_t) net->decoder.nplaces,
				  sizeof(int32_t));
	make_layout(net, &arena, 2 * n, 0);
	pack_layout(net, &arena, 2 * packs);
	see_layout(net, &arena, 2 * packs);
	see_layout(net, &arena, packs);
	slope_layout(net, &arena, packs);
	slope_layout(net, &arena, packs);
	gs_arena_matrix(&arena, packs, 1);
	return arena.used;
}

/*
 * Draws a place's tokens where rows are free, adding the noise to logits.
 */
static void
draw_place(const GsGanNet *net, Made *made, int p)
{
	const GsVaeNet *d = &net->decoder;
	GsMatrix	logits = gs_vae_head(d, made->logits, p);
	GsMatrix	noise = gs_vae_head(d, made->noise, p);

	for (int i = made->forced; i < made->n; i++)
	{
		gs_real    *logit = gs_row(logits, i);
		const gs_real *u = gs_row(noise, i - made->forced);
		int32_t    *token = made->token + (size_t) i * d->nplaces;
		int			best = 0;

		for (int t = 0; t < logits.cols; t++)
		{
			logit[t] -= real_log(-real_log(u[t]));
			if (logit[t] > logit[best])
				best = t;
		}
		token[p] = net->null[p] >= 0 &&
			token[net->null[p]] == net->null_token[p] ? -1 : best;
	}
}

/*
 * Makes rows; those forced have their tokens.
 */
static void
make_rows(const GsGanNet *net, const gs_real *params, GsDraw draw, Made *made)
{
	const GsVaeNet *d = &net->decoder;

	draw.stream = STREAM_LATENT;
	gs_draw_normal(draw, made->z);
	draw.stream = STREAM_GUMBEL;
	gs_draw_uniform(draw, made->noise);
	gs_dense_forward(&d->outer, params, made->z, made->outer,
					 made->outer_slope);
	gs_dense_forward(&d->start, params, made->outer, made->state,
					 GS_NO_MATRIX);
	for (int p = 0; p < d->nplaces; p++)
	{
		GsMatrix	active = gs_vae_place(d, made->active, p);
		int32_t    *drawn = made->drawn + (size_t) p * made->n;

		gs_activate(GS_SILU, NULL, made->state, active,
					gs_vae_place(d, made->active_slope, p));
		gs_dense_forward(&d->head[p], params, active,
						 gs_vae_head(d, made->logits, p), GS_NO_MATRIX);
		draw_place(net, made, p);
		for (int i = 0; i < made->n; i++)
			drawn[i] = gs_vae_token(d, p, made->token[(size_t) i *
													  d->nplaces + p]);
		gs_embedding_forward_add(&d->drawn, params, drawn, 1, made->state);
	}
}

/*
 * In a free row: from the gradient by a token's one-hot to that by logits, in
 * the logits' place.
 */
static void
straight_through(const gs_real *dy, gs_real temperature, int n,
				 gs_real *logit)
{
	gs_real		most = logit[0];
	gs_real		sum = 0;
	gs_real		mean = 0;

	for (int t = 1; t < n; t++)
		most = logit[t] > most ? logit[t] : most;
	for (int t = 0; t < n; t++)
		logit[t] = (logit[t] - most) / temperature;
	gs_exp((size_t) n, logit, logit);
	for (int t = 0; t < n; t++)
	{
		sum += logit[t];
		mean += logit[t] * dy[t];
	}
	mean /= sum;
	for (int t = 0; t < n; t++)
		logit[t] = logit[t] / sum * (dy[t] - mean) / temperature;
}

/*
 * The gradient by a place's logits, in their place, where rows are free.
 *
 * dy: the critic's gradient by the rows' one-hots, which that of the places
 * after it is added to.
 */
static void
draw_backward(const GsGanNet *net, const gs_real *params, Made *made, int p,
			  GsMatrix dstate, GsMatrix dy)
{
	const GsVaeNet *d = &net->decoder;
	int			n = dy.cols;
	GsMatrix	free = gs_matrix_rows(dstate, made->forced, dy.rows);
	GsDense		fed = {.in = n,.out = d->state,
		.weight = d->drawn.table +
		(size_t) gs_vae_token(d, p, 0) * (size_t) d->state
	};

	gs_dense_transpose_add(&fed, params, free, dy);
	for (int i = 0; i < dy.rows; i++)
	{
		int			row = made->forced + i;
		gs_real    *logit = gs_row(gs_vae_head(d, made->logits, p), row);

		if (made->token[(size_t) row * d->nplaces + p] < 0)
			memset(logit, 0, sizeof(gs_real) * (size_t) n);
		else
			straight_through(gs_row(dy, i), (gs_real) net->temperature, n,
							 logit);
	}
}

/*
 * Backward through all.  The logits of forced rows are gradients already.
 *
 * dy: [free][tokens] the critic's gradient by the rows' one-hots; used up.
 */
static void
make_backward(const GsGanNet *net, const gs_real *params, gs_real *grad,
			  Made *made, GsMatrix dy)
{
	const GsVaeNet *d = &net->decoder;
	GsMatrix	dstate = made->state;	/* what it was is not needed any more */

	memset(dstate.data, 0, sizeof(gs_real) * (size_t) made->n *
		   (size_t) d->state);
	for (int p = d->nplaces - 1; p >= 0; p--)
	{
		GsMatrix	active = gs_vae_place(d, made->active, p);

		draw_backward(net, params, made, p, dstate, gs_vae_head(d, dy, p));
		gs_embedding_backward(&d->drawn, grad, made->drawn +
							  (size_t) p * made->n, 1, dstate);
		gs_dense_backward(&d->head[p], params, grad, active, GS_NO_MATRIX,
						  gs_vae_head(d, made->logits, p), active);
		gs_multiply(active, gs_vae_place(d, made->active_slope, p));
		gs_add(dstate, active);
	}
	gs_dense_backward(&d->start, params, grad, made->outer, GS_NO_MATRIX,
					  dstate, made->outer);
	gs_dense_backward(&d->outer, params, grad, made->z, made->outer_slope,
					  made->outer, GS_NO_MATRIX);
}

/*
 * Rows as the critic's packs.
 */
static void
pack_rows(const GsGanNet *net, const int32_t *token, int packs,
		  int32_t *packed)
{
	const GsVaeNet *d = &net->decoder;
	int			ntokens = d->offset[d->nplaces];

	for (int i = 0; i < packs; i++)
	{
		for (int r = 0; r < net->pack; r++)
			for (int p = 0; p < d->nplaces; p++, token++)
				*packed++ = *token < 0 ? -1 :
					r * ntokens + d->offset[p] + *token;
		*packed++ = net->pack * ntokens;	/* the bias */
	}
}

static void
clear(GsMatrix m)
{
	memset(m.data, 0, sizeof(gs_real) * (size_t) m.rows * (size_t) m.cols);
}

/*
 * The first layer's sums of packs.
 */
static void
see_tokens(const GsGanNet *net, const gs_real *params,
		   const int32_t *packed, GsMatrix sums)
{
	clear(sums);
	gs_embedding_forward_add(&net->input, params, packed, net->pack *
							 net->decoder.nplaces + 1, sums);
}

/*
 * The rest of the critic, from the first layer's sums in seen->first.
 */
static void
see(const GsGanNet *net, const gs_real *params, Seen *seen)
{
	gs_activate(GS_LEAKY_RELU, NULL, seen->first, seen->first,
				seen->first_slope);
	gs_dense_forward(&net->inner, params, seen->first, seen->inner,
					 seen->inner_slope);
	gs_dense_forward(&net->outer, params, seen->inner, seen->value,
					 GS_NO_MATRIX);
}

/* the first layer, of a pack's one-hots */
static GsDense
input_layer(const GsGanNet *net)
{
	return (GsDense) {
		.in = net->input.ntokens - 1,.out = net->width,
		.weight = net->input.table
	};
}

/*
 * The critic's gradient by its input.
 */
static void
take_slope(const GsGanNet *net, const gs_real *params, const Seen *seen,
		   Slope *slope)
{
	GsDense		input = input_layer(net);

	for (int i = 0; i < slope->value.rows; i++)
		slope->value.data[i] = 1;
	gs_dense_transpose(&net->outer, params, slope->value, slope->inner);
	gs_multiply(slope->inner, seen->inner_slope);
	gs_dense_transpose(&net->inner, params, slope->inner, slope->first);
	gs_multiply(slope->first, seen->first_slope);
	gs_dense_transpose(&input, params, slope->first, slope->input);
}

/*
 * The penalty's sum over packs, (length of the slope - 1)^2, and in "back" its
 * gradient by the slope.
 */
static double
penalise(const GsGanNet *net, const Slope *slope, Slope *back)
{
	double		sum = 0;

	for (int i = 0; i < slope->input.rows; i++)
	{
		const gs_real *g = gs_row(slope->input, i);
		gs_real    *dg = gs_row(back->input, i);
		double		square = 1e-12;
		double		length;
		gs_real		factor;

		for (int j = 0; j < slope->input.cols; j++)
			square += g[j] * g[j];
		length = sqrt(square);
		sum += (length - 1) * (length - 1);
		factor = (gs_real) (2 * net->penalty * (length - 1) / length *
							net->pack);
		for (int j = 0; j < slope->input.cols; j++)
			dg[j] = factor * g[j];
	}
	return net->penalty * sum;
}

/*
 * Double backpropagation: the gradient of the penalty goes the way back that
 * the slope came.  The activations' second derivatives are zero.
 */
static void
penalise_backward(const GsGanNet *net, const gs_real *params, gs_real *grad,
				  const Seen *seen, const Slope *slope, Slope *back)
{
	GsDense		input = input_layer(net);

	gs_dense_transpose_backward(&input, params, grad, slope->first,
								back->input, back->first);
	gs_multiply(back->first, seen->first_slope);
	gs_dense_transpose_backward(&net->inner, params, grad, slope->inner,
								back->first, back->inner);
	gs_multiply(back->inner, seen->inner_slope);
	gs_dense_transpose_backward(&net->outer, params, grad, slope->value,
								back->inner, back->value);
}

/*
 * A point between a made and a real pack each, in the first layer.
 */
static void
look_between(GsMatrix made, GsMatrix real, GsMatrix share, GsMatrix between)
{
	for (int i = 0; i < between.rows; i++)
	{
		const gs_real *a = gs_row(made, i);
		const gs_real *b = gs_row(real, i);
		gs_real    *y = gs_row(between, i);
		gs_real		u = share.data[i];

		for (int j = 0; j < between.cols; j++)
			y[j] = a[j] + u * (b[j] - a[j]);
	}
}

/*
 * gs_gan_critic_loss
 *
 * The sum over packs of the critic's value of made rows less that of real
 * ones and the penalty, times the rows of a pack; with shard->grad, adds its
 * gradient by the critic's parameters.
 *
 * real: [shard->n][nplaces] in shard->arena; rows that make no pack are left
 * out, here as there.
 */
double
gs_gan_critic_loss(const GsGanNet *net, const gs_real *generator,
				   const int32_t *real, GsShard *shard)
{
	GsArena    *arena = &shard->arena;
	int			packs = shard->n / net->pack;
	size_t		columns = (size_t) net->pack * net->decoder.nplaces + 1;
	GsDraw		draw = {.key = shard->key,.step = shard->step,
	.first_row = shard->first};
	Made		made = make_layout(net, arena, packs * net->pack, 0);
	int32_t    *packed = pack_layout(net, arena, 2 * packs);
	Seen		seen = see_layout(net, arena, 2 * packs);
	Seen		between = see_layout(net, arena, packs);
	Slope		slope = slope_layout(net, arena, packs);
	Slope		back = slope_layout(net, arena, packs);
	GsMatrix	share = gs_arena_matrix(arena, packs, 1);
	double		loss = 0;

	make_rows(net, generator, draw, &made);
	pack_rows(net, made.token, packs, packed);
	pack_rows(net, real, packs, packed + packs * columns);
	see_tokens(net, shard->params, packed, seen.first);
	draw.stream = STREAM_BETWEEN;
	gs_draw_uniform(draw, share);
	look_between(seen.first, gs_matrix_rows(seen.first, packs, packs), share,
				 between.first);
	see(net, shard->params, &seen);
	see(net, shard->params, &between);
	take_slope(net, shard->params, &between, &slope);
	for (int i = 0; i < 2 * packs; i++)
	{
		gs_real		sign = i < packs ? 1 : -1;

		loss += sign * seen.value.data[i];
		seen.value.data[i] = sign * net->pack;
	}
	loss += penalise(net, &slope, &back);
	if (shard->grad != NULL)
	{
		penalise_backward(net, shard->params, shard->grad, &between, &slope,
						  &back);
		gs_dense_backward(&net->outer, shard->params, shard->grad, seen.inner,
						  GS_NO_MATRIX, seen.value, seen.inner);
		gs_dense_backward(&net->inner, shard->params, shard->grad, seen.first,
						  seen.inner_slope, seen.inner, seen.first);
		gs_multiply(seen.first, seen.first_slope);
		gs_embedding_backward(&net->input, shard->grad, packed, (int) columns,
							  seen.first);
	}
	return loss * net->pack;
}

/*
 * gs_gan_generator_loss
 *
 * The sum over rows of the anchored cross entropy of real ones, less the
 * critic's values of packs of made ones times the rows of a pack; with
 * shard->grad, adds its gradient by the generator's parameters, straight
 * through the tokens that were drawn.
 *
 * real: as above.
 */
double
gs_gan_generator_loss(const GsGanNet *net, const gs_real *critic,
					  const int32_t *real, GsShard *shard)
{
	const GsVaeNet *d = &net->decoder;
	GsArena    *arena = &shard->arena;
	int			n = shard->n;
	int			packs = n / net->pack;
	int			ntokens = d->offset[d->nplaces];
	GsDraw		draw = {.key = shard->key,.step = shard->step,
	.first_row = 2 * shard->first};
	Made		made = make_layout(net, arena, n + packs * net->pack, n);
	int32_t    *packed = pack_layout(net, arena, packs);
	Seen		seen = see_layout(net, arena, packs);
	Slope		slope = slope_layout(net, arena, packs);
	GsMatrix	dy = gs_matrix(slope.input.data, packs * net->pack, ntokens);
	GsMatrix	forced = gs_matrix_rows(made.logits, 0, n);
	double		loss;

	memcpy(made.token, real, sizeof(int32_t) * (size_t) n *
		   (size_t) d->nplaces);
	make_rows(net, shard->params, draw, &made);
	pack_rows(net, made.token + (size_t) n * d->nplaces, packs, packed);
	see_tokens(net, critic, packed, seen.first);
	see(net, critic, &seen);
	loss = net->anchor * gs_softmax_loss(d->nplaces, d->offset, forced, real,
										 GS_NO_MATRIX);
	for (int i = 0; i < packs; i++)
		loss -= seen.value.data[i] * net->pack;
	if (shard->grad == NULL)
		return loss;
	for (size_t i = 0; i < (size_t) n * (size_t) ntokens; i++)
		forced.data[i] *= (gs_real) net->anchor;
	take_slope(net, critic, &seen, &slope);
	/* a pack's one-hots are those of its rows, one after the other */
	for (size_t i = 0; i < (size_t) dy.rows * (size_t) ntokens; i++)
		dy.data[i] *= (gs_real) -net->pack;
	make_backward(net, shard->params, shard->grad, &made, dy);
	return loss;
}

/*
 * gs_gan_sample: rows of the generator.  token: [n][nplaces], filled.
 */
void
gs_gan_sample(const GsGanNet *net, const gs_real *generator, GsDraw draw,
			  int n, GsArena *arena, int32_t *token)
{
	Made		made = make_layout(net, arena, n, 0);

	make_rows(net, generator, draw, &made);
	memcpy(token, made.token, sizeof(int32_t) * (size_t) n *
		   (size_t) net->decoder.nplaces);
}
