/*
 * gan_net.c
 *	  The networks of the generative adversarial network: forward and backward.
 */
#include "nets/gan_net.h"

#include <math.h>
#include <string.h>

/* Streams of random numbers in a step. */
#define STREAM_LATENT	0
#define STREAM_GUMBEL	1
#define STREAM_BETWEEN	2

/*
 * gs_gan_net_init: adds both networks' parameters.  All of net but the layers
 * is set; fed and decoder.head have room for npositions.
 */
void
gs_gan_net_init(GsGanNet *net, GsParams *generator, GsParams *critic)
{
	const GsDecoderNet *d = &net->decoder;
	int			ntokens = gs_shape_tokens(d->shape);

	gs_decoder_net_init(&net->decoder, generator);
	gs_embedding_add(critic, "input", ntokens > 0 ? 2 * ntokens : 1,
					 net->vector, &net->input);
	gs_dense_add(critic, "first", net->pack * net->vector, net->width,
				 GS_LEAKY_RELU, &net->first);
	gs_dense_add(critic, "inner", net->width, net->width, GS_LEAKY_RELU,
				 &net->inner);
	gs_dense_add(critic, "outer", net->width, 1, GS_LINEAR, &net->outer);
	net->seen = (GsDense) {
		.in = ntokens,.out = net->vector,.weight = net->input.table
	};
	for (int p = 0; p < d->shape->npositions; p++)
		net->fed[p] = (GsDense) {
			.in = gs_shape_width(d->shape, p),.out = d->state,
			.weight = d->drawn.table +
			(size_t) gs_shape_vector(d->shape, p, 0) * (size_t) d->state
		};
}

/*
 * Rows that the generator makes: first some that are forced to be real ones,
 * then free ones.  A forced row begins with the latent vector and the
 * condition of the free row in its position; the vector has nothing to do with
 * its tokens.
 */
typedef struct Made
{
	int			n;
	int			forced;			/* of these, and so many are free: */
	int			free;
	int32_t	   *token;			/* [n][npositions]; -1: missing */
	int32_t	   *drawn;			/* [npositions][n] rows of the embedding */
	int32_t    *condition;		/* [free] */
	GsMatrix	z;				/* [free][latent] */
	GsMatrix	outer;			/* [free][width] */
	GsMatrix	outer_slope;
	GsMatrix	state;			/* [n][state] */
	GsMatrix	active;			/* [n][state] what the current position sees */
	GsMatrix	dstate;			/* [n][state] the gradients by both */
	GsMatrix	dactive;
	GsMatrix	logits;			/* [n][tokens], with the noise where free, and
								 * divided by the temperature */
	GsMatrix	noise;			/* [free][tokens] */
} Made;

static Made
make_layout(const GsGanNet *net, GsArena *arena, int forced, int free)
{
	const GsDecoderNet *d = &net->decoder;
	int			n = forced + free;
	size_t		ntokens = (size_t) n * (size_t) d->shape->npositions;

	return (Made) {
		.n = n,.forced = forced,.free = free,
		.token = gs_arena_take(arena, ntokens, sizeof(int32_t)),
		.drawn = gs_arena_take(arena, ntokens, sizeof(int32_t)),
		.condition = gs_arena_take(arena, (size_t) free, sizeof(int32_t)),
		.z = gs_arena_matrix(arena, free, d->latent),
		.outer = gs_arena_matrix(arena, free, d->width),
		.outer_slope = gs_arena_matrix(arena, free, d->width),
		.state = gs_arena_matrix(arena, n, d->state),
		.active = gs_arena_matrix(arena, n, d->state),
		.dstate = gs_arena_matrix(arena, n, d->state),
		.dactive = gs_arena_matrix(arena, n, d->state),
		.logits = gs_arena_matrix(arena, n, gs_shape_tokens(d->shape)),
		.noise = gs_arena_matrix(arena, free, gs_shape_tokens(d->shape))
	};
}

/* What the critic makes of packs of rows. */
typedef struct Seen
{
	GsMatrix	sums;			/* [packs][pack vector] */
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
		.sums = gs_arena_matrix(arena, packs, net->first.in),
		.first = gs_arena_matrix(arena, packs, net->width),
		.first_slope = gs_arena_matrix(arena, packs, net->width),
		.inner = gs_arena_matrix(arena, packs, net->width),
		.inner_slope = gs_arena_matrix(arena, packs, net->width),
		.value = gs_arena_matrix(arena, packs, 1)
	};
}

/* The critic's gradient by its input, and what that is made of. */
typedef struct Slope
{
	GsMatrix	value;			/* [packs][1] what it is multiplied with */
	GsMatrix	inner;			/* [packs][width] by the layer's sums */
	GsMatrix	first;			/* [packs][width] by the layer's sums */
	GsMatrix	sums;			/* [packs][pack vector] */
} Slope;

static Slope
slope_layout(const GsGanNet *net, GsArena *arena, int packs)
{
	return (Slope) {
		.value = gs_arena_matrix(arena, packs, 1),
		.inner = gs_arena_matrix(arena, packs, net->width),
		.first = gs_arena_matrix(arena, packs, net->width),
		.sums = gs_arena_matrix(arena, packs, net->first.in)
	};
}

/*
 * What the penalty takes to tell a slope's length: by rows' one-hots it is
 * s E', s a row of slope->sums and E the tokens' vectors, so that its square
 * is s (E' E) s'.  That is as many columns as a vector has, not as there are
 * tokens.
 */
typedef struct Gram
{
	GsMatrix	vectors;		/* [vector][vector] E' E */
	GsMatrix	grad;			/* [vector][vector], see penalise */
	GsMatrix	sums;			/* [packs][pack vector] s (E' E); then s times
								 * twice the gradient by that square */
} Gram;

static Gram
gram_layout(const GsGanNet *net, GsArena *arena, int packs)
{
	return (Gram) {
		.vectors = gs_arena_matrix(arena, net->vector, net->vector),
		.grad = gs_arena_matrix(arena, net->vector, net->vector),
		.sums = gs_arena_matrix(arena, packs, net->first.in)
	};
}

/* The tokens of rows as the critic's: [n][npositions + 1]. */
static int32_t *
seen_layout(const GsGanNet *net, GsArena *arena, int n)
{
	const GsNetShape *shape = net->decoder.shape;

	return gs_arena_take(arena, (size_t) n *
						 ((size_t) shape->npositions + 1), sizeof(int32_t));
}

/* The same matrix as rows of packs, and the other way round. */
static GsMatrix
rows_of(const GsGanNet *net, GsMatrix packs)
{
	return gs_matrix(packs.data, packs.rows * net->pack,
					 packs.cols / net->pack);
}

static size_t
critic_workspace(const GsGanNet *net, int n)
{
	GsArena		arena = {0};
	int			packs = n / net->pack;

	seen_layout(net, &arena, 2 * packs * net->pack);
	see_layout(net, &arena, 2 * packs);
	see_layout(net, &arena, packs);
	slope_layout(net, &arena, packs);
	slope_layout(net, &arena, packs);
	gram_layout(net, &arena, packs);
	gs_arena_matrix(&arena, packs, 1);
	return arena.used;
}

/*
 * gs_gan_workspace: the bytes that either loss takes for n rows, or
 * gs_gan_sample for as many.  Real rows and their conditions may be taken
 * before.
 */
size_t
gs_gan_workspace(const GsGanNet *net, int n)
{
	const GsNetShape *shape = net->decoder.shape;
	GsArena		arena = {0};
	size_t		critic = critic_workspace(net, n);
	int			packs = n / net->pack;

	make_layout(net, &arena, n, n);
	seen_layout(net, &arena, packs * net->pack);
	see_layout(net, &arena, packs);
	gs_arena_matrix(&arena, n, gs_shape_tokens(net->decoder.shape));
	slope_layout(net, &arena, packs);
	if (arena.used < critic)
		arena.used = critic;
	gs_arena_take(&arena, (size_t) n * ((size_t) shape->npositions + 1),
				  sizeof(int32_t));
	return arena.used;
}

static GsMatrix
free_rows(const Made *made, GsMatrix m)
{
	return gs_matrix_rows(m, made->forced, made->free);
}

/*
 * Draws a position's tokens where rows are free, adding the noise to logits
 * and sharpening them by the temperature.
 */
static void
draw_position(const GsGanNet *net, Made *made, int p)
{
	const GsNetShape *shape = net->decoder.shape;
	const GsDecoderNet *d = &net->decoder;
	int32_t    *drawn = made->drawn + (size_t) p * made->n + made->forced;

	gs_gumbel_max(free_rows(made, gs_shape_part(d->shape, made->logits, p)),
				  gs_shape_part(d->shape, made->noise, p),
				  (gs_real) (1 / net->temperature), drawn);
	for (int i = 0; i < made->free; i++)
	{
		int32_t    *token = made->token +
			(size_t) (made->forced + i) * d->shape->npositions;

		token[p] = shape->null[p] >= 0 &&
			token[shape->null[p]] == shape->null_token[p] ? -1 : drawn[i];
	}
}

/*
 * Makes rows under their conditions; those forced have their tokens.
 */
static void
make_rows(const GsGanNet *net, const gs_real *params, GsDraw draw, Made *made)
{
	const GsDecoderNet *d = &net->decoder;

	draw.stream = STREAM_LATENT;
	gs_draw_normal(draw, made->z);
	draw.stream = STREAM_GUMBEL;
	gs_draw_gumbel(draw, made->noise);
	gs_decoder_net_start(d, params, made->z, made->condition, made->outer,
						made->outer_slope, free_rows(made, made->state));
	memcpy(made->state.data, free_rows(made, made->state).data,
		   sizeof(gs_real) * (size_t) made->forced * (size_t) d->state);
	gs_activate(GS_LEAKY_RELU, NULL, made->state, made->active, GS_NO_MATRIX);
	for (int p = 0; p < d->shape->npositions; p++)
	{
		int32_t    *drawn = made->drawn + (size_t) p * made->n;

		gs_dense_forward(&d->head[p], params, made->active,
						 gs_shape_part(d->shape, made->logits, p),
						 GS_NO_MATRIX);
		draw_position(net, made, p);
		for (int i = 0; i < made->n; i++)
			drawn[i] = gs_shape_vector(d->shape, p,
									   made->token[(size_t) i *
												   d->shape->npositions + p]);
		if (p + 1 < d->shape->npositions)
			gs_embedding_step(&d->drawn, params, drawn, made->state,
							  made->active);
	}
}

/*
 * The gradient by a position's logits, in position of their softmax, where
 * rows are free.
 *
 * dy: the critic's gradient by the rows' one-hots, which that of the positions
 * after it is added to.
 */
static void
draw_backward(const GsGanNet *net, const gs_real *params, Made *made, int p,
			  GsMatrix dstate, GsMatrix dy)
{
	const GsDecoderNet *d = &net->decoder;
	GsMatrix	logits = free_rows(made, gs_shape_part(d->shape, made->logits,
													   p));

	gs_dense_transpose_add(&net->fed[p], params, free_rows(made, dstate), dy);
	gs_softmax_backward(logits, dy, (gs_real) (1 / net->temperature));
	for (int i = 0; i < dy.rows; i++)
		if (made->token[(size_t) (made->forced + i) * d->shape->npositions +
						p] < 0)
			memset(gs_row(logits, i), 0,
				   sizeof(gs_real) * (size_t) logits.cols);
}

/*
 * Backward through all.  The logits of forced rows are gradients already.
 * States are made again on the way, by taking the tokens' vectors off: that is
 * faster than to keep all of them.
 *
 * dy: [free][tokens] the critic's gradient by the rows' one-hots; used up.
 */
static void
make_backward(const GsGanNet *net, const gs_real *params, gs_real *grad,
			  Made *made, GsMatrix dy)
{
	const GsDecoderNet *d = &net->decoder;
	GsMatrix	dstate = made->dstate;

	memset(dstate.data, 0, sizeof(gs_real) * (size_t) made->n *
		   (size_t) d->state);
	gs_softmax(d->shape->npositions, d->shape->offset,
			   free_rows(made, made->logits));
	for (int p = d->shape->npositions - 1; p >= 0; p--)
	{
		/* what the last position draws is seen by no other */
		if (p + 1 < d->shape->npositions)
			gs_embedding_step_backward(&d->drawn, params, grad,
									   made->drawn + (size_t) p * made->n,
									   made->state, made->active,
									   made->dactive, dstate);
		draw_backward(net, params, made, p, dstate,
					  gs_shape_part(d->shape, dy, p));
		gs_dense_backward(&d->head[p], params, grad, made->active,
						  GS_NO_MATRIX,
						  gs_shape_part(d->shape, made->logits, p),
						  made->dactive);
	}
	if (d->shape->npositions > 0)
		gs_leaky_backward_add(made->active, made->dactive, dstate);
	gs_add(gs_matrix_rows(dstate, made->forced, made->forced),
		   gs_matrix_rows(dstate, 0, made->forced));
	gs_decoder_net_start_backward(d, params, grad, made->z, made->condition,
								 made->outer, made->outer_slope,
								 free_rows(made, dstate), GS_NO_MATRIX);
}

/*
 * Rows and their conditions as the critic's tokens.
 */
static void
pack_rows(const GsGanNet *net, const int32_t *token,
		  const int32_t *condition, int n, int32_t *seen)
{
	const GsDecoderNet *d = &net->decoder;

	for (int i = 0; i < n; i++)
	{
		for (int p = 0; p < d->shape->npositions; p++, token++)
			*seen++ = *token < 0 ? -1 : d->shape->offset[p] + *token;
		*seen++ = condition[i] < 0 ? -1 :
			gs_shape_tokens(d->shape) + condition[i];
	}
}

/*
 * The sums of rows' vectors.
 */
static void
see_tokens(const GsGanNet *net, const gs_real *params, const int32_t *seen,
		   GsMatrix sums)
{
	const GsNetShape *shape = net->decoder.shape;

	memset(sums.data, 0, sizeof(gs_real) * (size_t) sums.rows *
		   (size_t) sums.cols);
	gs_embedding_forward_add(&net->input, params, seen,
							 shape->npositions + 1, rows_of(net, sums));
}

/*
 * The rest of the critic, from seen->sums.
 */
static void
see(const GsGanNet *net, const gs_real *params, Seen *seen)
{
	gs_dense_forward(&net->first, params, seen->sums, seen->first,
					 seen->first_slope);
	gs_dense_forward(&net->inner, params, seen->first, seen->inner,
					 seen->inner_slope);
	gs_dense_forward(&net->outer, params, seen->inner, seen->value,
					 GS_NO_MATRIX);
}

/* the vectors of rows' tokens */
static GsMatrix
token_vectors(const GsGanNet *net, gs_real *params)
{
	return gs_matrix(params + net->input.table,
					 gs_shape_tokens(net->decoder.shape),
					 net->vector);
}

/*
 * The critic's gradient by the sums of rows' vectors, times "factor".
 */
static void
take_slope(const GsGanNet *net, const gs_real *params, const Seen *seen,
		   gs_real factor, Slope *slope)
{
	for (int i = 0; i < slope->value.rows; i++)
		slope->value.data[i] = factor;
	gs_dense_transpose(&net->outer, params, slope->value, slope->inner);
	gs_multiply(slope->inner, seen->inner_slope);
	gs_dense_transpose(&net->inner, params, slope->inner, slope->first);
	gs_multiply(slope->first, seen->first_slope);
	gs_dense_transpose(&net->first, params, slope->first, slope->sums);
}

/*
 * The penalty's sum over packs, (length of the slope by rows' one-hots - 1)^2;
 * its gradient by slope->sums goes to back->sums.  gram->grad is what the
 * vectors E have to be multiplied with for theirs: twice the gradient by the
 * gram matrix, as E is in it twice.
 */
static double
penalise(const GsGanNet *net, const gs_real *params, const Slope *slope,
		 Gram *gram, Slope *back)
{
	GsMatrix	vectors = token_vectors(net, (gs_real *) params);
	GsMatrix	rows = rows_of(net, slope->sums);
	double		sum = 0;
	int			n = slope->sums.cols;

	gs_product(true, vectors, vectors, false, gram->vectors);
	gs_product(false, rows, gram->vectors, false, rows_of(net, gram->sums));
	for (int i = 0; i < slope->value.rows; i++)
	{
		const gs_real *s = gs_row(slope->sums, i);
		gs_real    *g = gs_row(gram->sums, i);
		gs_real    *ds = gs_row(back->sums, i);
		gs_real		square = 0;
		double		length;
		gs_real		factor;

		for (int j = 0; j < n; j++)
			square += s[j] * g[j];
		length = sqrt((square > 0 ? square : 0) + 1e-12);
		sum += (length - 1) * (length - 1);
		factor = (gs_real) (2 * net->penalty * (length - 1) / length *
							net->pack);
		for (int j = 0; j < n; j++)
		{
			ds[j] = factor * g[j];
			g[j] = factor * s[j];
		}
	}
	gs_product(true, rows_of(net, gram->sums), rows, false, gram->grad);
	return net->penalty * sum;
}

/*
 * Double backpropagation: the gradient of the penalty goes the way back that
 * the slope came.  The activations' second derivatives are zero.
 */
static void
penalise_backward(const GsGanNet *net, const gs_real *params, gs_real *grad,
				  const Seen *seen, const Slope *slope, const Gram *gram,
				  Slope *back)
{
	gs_product(false, token_vectors(net, (gs_real *) params), gram->grad, true,
			   token_vectors(net, grad));
	gs_dense_transpose_backward(&net->first, params, grad, slope->first,
								back->sums, back->first);
	gs_multiply(back->first, seen->first_slope);
	gs_dense_transpose_backward(&net->inner, params, grad, slope->inner,
								back->first, back->inner);
	gs_multiply(back->inner, seen->inner_slope);
	gs_dense_transpose_backward(&net->outer, params, grad, slope->value,
								back->inner, back->value);
}

/*
 * A point between a made and a real pack each, in their sums.
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
 * rows: shard->n of them; those that make no pack are left out, here as
 * there.
 */
double
gs_gan_critic_loss(const GsGanNet *net, const GsGanRows *rows,
				   GsShard *shard)
{
	const GsNetShape *shape = net->decoder.shape;
	GsArena    *arena = &shard->arena;
	int			packs = shard->n / net->pack;
	int			n = packs * net->pack;
	int			columns = shape->npositions + 1;
	GsDraw		draw = {.key = shard->key,.step = shard->step,
	.stream = STREAM_BETWEEN,.first_row = shard->first};
	int32_t    *token = seen_layout(net, arena, 2 * n);
	Seen		seen = see_layout(net, arena, 2 * packs);
	Seen		between = see_layout(net, arena, packs);
	Slope		slope = slope_layout(net, arena, packs);
	Slope		back = slope_layout(net, arena, packs);
	Gram		gram = gram_layout(net, arena, packs);
	GsMatrix	share = gs_arena_matrix(arena, packs, 1);
	double		loss = 0;

	pack_rows(net, rows->made, rows->condition, n, token);
	pack_rows(net, rows->real, rows->condition, n,
			  token + (size_t) n * columns);
	see_tokens(net, shard->params, token, seen.sums);
	gs_draw_uniform(draw, share);
	look_between(seen.sums, gs_matrix_rows(seen.sums, packs, packs), share,
				 between.sums);
	see(net, shard->params, &seen);
	see(net, shard->params, &between);
	take_slope(net, shard->params, &between, 1, &slope);
	for (int i = 0; i < 2 * packs; i++)
	{
		gs_real		sign = i < packs ? 1 : -1;

		loss += sign * seen.value.data[i];
		seen.value.data[i] = sign * net->pack;
	}
	loss += penalise(net, shard->params, &slope, &gram, &back);
	if (shard->grad != NULL)
	{
		penalise_backward(net, shard->params, shard->grad, &between, &slope,
						  &gram, &back);
		gs_dense_backward(&net->outer, shard->params, shard->grad, seen.inner,
						  GS_NO_MATRIX, seen.value, seen.inner);
		gs_dense_backward(&net->inner, shard->params, shard->grad, seen.first,
						  seen.inner_slope, seen.inner, seen.first);
		gs_dense_backward(&net->first, shard->params, shard->grad, seen.sums,
						  seen.first_slope, seen.first, seen.sums);
		gs_embedding_backward(&net->input, shard->grad, token, columns,
							  rows_of(net, seen.sums));
	}
	return loss * net->pack;
}

/*
 * Real rows and their conditions, which free ones have, too.
 */
static void
put_rows(const GsGanNet *net, const GsGanRows *rows, Made *made)
{
	const GsNetShape *shape = net->decoder.shape;

	memcpy(made->token, rows->real, sizeof(int32_t) * (size_t) made->forced *
		   (size_t) shape->npositions);
	memcpy(made->condition, rows->condition,
		   sizeof(int32_t) * (size_t) made->free);
}

/*
 * gs_gan_generator_loss
 *
 * The sum over rows of the anchored cross entropy of real ones, less the
 * critic's values of packs of made ones times the rows of a pack; with
 * shard->grad, adds its gradient by the generator's parameters, straight
 * through the tokens that were drawn.
 *
 * rows: as above, and what is made is put there.
 */
double
gs_gan_generator_loss(const GsGanNet *net, const gs_real *critic,
					  const GsGanRows *rows, GsShard *shard)
{
	const GsDecoderNet *d = &net->decoder;
	GsArena    *arena = &shard->arena;
	int			n = shard->n;
	int			packs = n / net->pack;
	size_t		ntokens = (size_t) gs_shape_tokens(d->shape);
	GsDraw		draw = {.key = shard->key,.step = shard->step,
	.first_row = shard->first};
	Made		made = make_layout(net, arena, n, n);
	int32_t    *token = seen_layout(net, arena, packs * net->pack);
	Seen		seen = see_layout(net, arena, packs);
	GsMatrix	dy = gs_arena_matrix(arena, n, (int) ntokens);
	Slope		slope = slope_layout(net, arena, packs);
	GsMatrix	forced = gs_matrix_rows(made.logits, 0, n);
	double		loss;

	put_rows(net, rows, &made);
	make_rows(net, shard->params, draw, &made);
	memcpy(rows->made, made.token + (size_t) n * d->shape->npositions,
		   sizeof(int32_t) * (size_t) n * (size_t) d->shape->npositions);
	pack_rows(net, rows->made, rows->condition, packs * net->pack, token);
	see_tokens(net, critic, token, seen.sums);
	see(net, critic, &seen);
	loss = net->anchor * gs_softmax_loss(d->shape->npositions,
										 d->shape->offset, forced,
										 rows->real, GS_NO_MATRIX);
	for (int i = 0; i < packs; i++)
		loss -= seen.value.data[i] * net->pack;
	if (shard->grad == NULL)
		return loss;
	for (size_t i = 0; net->anchor != 1 && i < (size_t) n * ntokens; i++)
		forced.data[i] *= (gs_real) net->anchor;
	take_slope(net, critic, &seen, (gs_real) -net->pack, &slope);
	gs_dense_transpose(&net->seen, critic, rows_of(net, slope.sums),
					   gs_matrix_rows(dy, 0, packs * net->pack));
	/* the critic says nothing of rows that make no pack */
	memset(dy.data + (size_t) packs * net->pack * ntokens, 0,
		   sizeof(gs_real) * (size_t) (n - packs * net->pack) * ntokens);
	make_backward(net, shard->params, shard->grad, &made, dy);
	return loss;
}

/*
 * gs_gan_sample: rows of the generator under no condition.  token:
 * [n][npositions], filled.
 */
void
gs_gan_sample(const GsGanNet *net, const gs_real *generator, GsDraw draw,
			  int n, GsArena *arena, int32_t *token)
{
	const GsNetShape *shape = net->decoder.shape;
	Made		made = make_layout(net, arena, 0, n);

	for (int i = 0; i < n; i++)
		made.condition[i] = -1;
	make_rows(net, generator, draw, &made);
	memcpy(token, made.token, sizeof(int32_t) * (size_t) n *
		   (size_t) shape->npositions);
}
