/*
 * diffusion_net.c
 *	  The network of masked diffusion: forward and backward.
 */
#include "nets/diffusion_net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "numeric/philox.h"
#include "numeric/stratify.h"

/*
 * Heads for so many tokens are trained in a step, in turns where a table has
 * more.
 */
#define HEAD_TOKENS		2048

#define EMBEDDED		0.7		/* deviation of the embeddings' first sum */
#define INNER			0.4		/* of blocks' first weights */
#define OUTER			0.3
#define STREAM_MASK		0
#define STREAM_DROPOUT	1		/* and on, of each block */

static int
min_int(int a, int b)
{
	return a < b ? a : b;
}

static int
max_int(int a, int b)
{
	return a > b ? a : b;
}

/*
 * The most logits that heads next to each other have, in turns.
 */
static int
max_logits(const GsNetShape *shape, int nheads)
{
	int			n = shape->offset[nheads];
	int			max = n;

	for (int p = 0; p < shape->npositions; p++)
	{
		n += gs_shape_width(shape, (p + nheads) % shape->npositions) -
			gs_shape_width(shape, p);
		max = max_int(max, n);
	}
	return max;
}

/*
 * gs_diffusion_net_init
 *
 * Adds the layers' parameters.  shape, width, nblocks and dropout are set;
 * block and head have room for nblocks and npositions.
 */
void
gs_diffusion_net_init(GsDiffusionNet *net, GsParams *params)
{
	const GsNetShape *shape = net->shape;
	int			n = shape->npositions;
	char		name[GS_VIEW_NAME];

	net->nheads = n == 0 ? 0 :
		max_int(1, (int) ((int64_t) n *
						  min_int(HEAD_TOKENS, gs_shape_tokens(shape)) /
						  gs_shape_tokens(shape)));
	net->nlogits = max_logits(shape, net->nheads);
	gs_embedding_add(params, "tokens", gs_shape_vectors(shape), net->width,
					 &net->embedding);
	if (shape->nnumbers > 0)
		gs_dense_add(params, "scores", shape->nnumbers, net->width, GS_LINEAR,
					 &net->score);
	for (int b = 0; b < net->nblocks; b++)
	{
		snprintf(name, sizeof(name), "block%d", b);
		gs_residual_add(params, name, net->width, net->width, GS_SILU,
						&net->block[b]);
	}
	gs_norm_add(params, "norm", net->width, &net->norm);
	for (int p = 0; p < n; p++)
	{
		snprintf(name, sizeof(name), "head%d", p);
		gs_dense_add(params, name, net->width, gs_shape_width(shape, p),
					 GS_LINEAR, &net->head[p]);
	}
}

static void
scale(gs_real *value, size_t n, double factor)
{
	for (size_t i = 0; i < n; i++)
		value[i] = (gs_real) (value[i] * factor);
}

/*
 * gs_diffusion_net_start: how created parameters begin to be trained: heads
 * see nothing yet, and blocks add little to what is embedded.
 */
void
gs_diffusion_net_start(const GsDiffusionNet *net, gs_real *value)
{
	size_t		width = (size_t) net->width;

	scale(value + net->embedding.table,
		  (size_t) net->embedding.ntokens * width, EMBEDDED *
		  sqrt((double) net->width / max_int(net->shape->npositions, 1)));
	for (int b = 0; b < net->nblocks; b++)
	{
		scale(value + net->block[b].inner.weight, width * width, INNER);
		scale(value + net->block[b].outer.weight, width * width, OUTER);
	}
	for (int p = 0; p < net->shape->npositions; p++)
		memset(value + net->head[p].weight, 0, sizeof(gs_real) * width *
			   (size_t) net->head[p].out);
}

/* The memory of a shard of n rows. */
typedef struct Shard
{
	const GsNetRows *rows;		/* scores: 0 where masked */
	int32_t    *input;			/* [n][P] what is embedded */
	int			first_head;
	int		   *offset;			/* [nheads + 1] */
	int32_t    *target;			/* [n][nheads] */
	GsMatrix	weight;			/* [n][nheads] */
	GsMatrix	logits;			/* [n][nlogits] */
	GsMatrix   *x;				/* [blocks + 1] of [n][W] */
	GsResidualState *state;		/* [blocks] */
	GsMatrix	stats;			/* [n][2] */
	GsMatrix	normed;			/* [n][W] */
	GsMatrix	dnormed;		/* [n][W] */
	GsMatrix	dx;				/* [n][W] */
	bool	   *visible;		/* [P] of a row */
	int		   *positions;		/* [P] */
} Shard;

/*
 * Takes a shard's memory from the arena, or counts it.
 */
static void
lay_out(const GsDiffusionNet *net, GsArena *arena, int n, Shard *s)
{
	size_t		npositions = (size_t) net->shape->npositions;
	size_t		nheads = (size_t) net->nheads;
	size_t		nblocks = (size_t) net->nblocks;

	s->input = gs_arena_take(arena, (size_t) n * npositions, sizeof(int32_t));
	s->offset = gs_arena_take(arena, nheads + 1, sizeof(int));
	s->target = gs_arena_take(arena, (size_t) n * nheads, sizeof(int32_t));
	s->weight = gs_arena_matrix(arena, n, net->nheads);
	s->logits = gs_arena_matrix(arena, n, net->nlogits);
	s->x = gs_arena_take(arena, nblocks + 1, sizeof(GsMatrix));
	s->state = gs_arena_take(arena, nblocks, sizeof(GsResidualState));
	for (int b = 0; b <= net->nblocks; b++)
	{
		GsMatrix	x = gs_arena_matrix(arena, n, net->width);

		if (s->x != NULL)
			s->x[b] = x;
	}
	for (int b = 0; b < net->nblocks; b++)
	{
		GsResidualState state = gs_residual_layout(&net->block[b], arena, n);

		if (s->state != NULL)
			s->state[b] = state;
	}
	s->stats = gs_arena_matrix(arena, n, 2);
	s->normed = gs_arena_matrix(arena, n, net->width);
	s->dnormed = gs_arena_matrix(arena, n, net->width);
	s->dx = gs_arena_matrix(arena, n, net->width);
	s->visible = gs_arena_take(arena, npositions, sizeof(bool));
	s->positions = gs_arena_take(arena, npositions, sizeof(int));
}

/*
 * gs_diffusion_workspace: the bytes that gs_net_rows and then
 * gs_diffusion_loss take.
 */
size_t
gs_diffusion_workspace(const GsDiffusionNet *net, int n)
{
	GsArena		arena = {0};
	Shard		s;

	gs_net_rows(net->shape, &arena, n);
	lay_out(net, &arena, n, &s);
	return arena.used;
}

/*
 * Which positions of a row are visible: of P positions 0 to P - 1, evenly over
 * the rows of a batch.
 */
static void
choose_visible(const GsNetShape *shape, const GsShard *shard, int i, Shard *s)
{
	uint64_t	key = gs_mix64(shard->key, shard->step);
	uint32_t	row = (uint32_t) shard->first + (uint32_t) i;
	uint32_t	at = (uint32_t) key + row * GS_GOLDEN;
	int			n = shape->npositions;
	int			nvisible = (int) (((uint64_t) at * (uint32_t) n) >> 32);
	GsRandom	random;

	gs_random_start(&random, key, row, STREAM_MASK);
	for (int p = 0; p < n; p++)
	{
		s->visible[p] = false;
		s->positions[p] = p;
	}
	for (int v = 0; v < nvisible; v++)
	{
		int			other = v + (int) gs_random_below(&random,
													  (uint32_t) (n - v));
		int			p = s->positions[other];

		s->positions[other] = s->positions[v];
		s->visible[p] = true;
	}
	for (int p = 0; p < n; p++)
	{
		int			null = shape->null[p];

		if (null >= 0 && s->visible[p] && !s->visible[null])
		{
			s->visible[null] = true;
			s->visible[p] = false;
		}
	}
}

/*
 * Masks a row: what goes into the network, and what it has to guess.
 */
static void
mask_row(const GsDiffusionNet *net, const GsShard *shard, int i, Shard *s)
{
	const GsNetShape *shape = net->shape;
	size_t		first = (size_t) i * (size_t) shape->npositions;
	const int32_t *token = s->rows->token + first;
	int32_t    *input = s->input + first;
	int			masked = 0;

	choose_visible(shape, shard, i, s);
	for (int p = 0; p < shape->npositions; p++)
	{
		bool		visible = s->visible[p] && token[p] >= 0;

		input[p] = gs_shape_vector(shape, p, visible ? token[p] : -1);
		masked += !s->visible[p] && token[p] >= 0;
		if (shape->number[p] >= 0 && !visible)
			gs_row(s->rows->score, i)[shape->number[p]] = 0;
	}
	for (int h = 0; h < net->nheads; h++)
	{
		int			p = (s->first_head + h) % shape->npositions;

		s->target[i * net->nheads + h] = s->visible[p] ? -1 : token[p];
		gs_row(s->weight, i)[h] = (gs_real) shape->npositions /
			((gs_real) net->nheads * (gs_real) max_int(masked, 1));
	}
}

/*
 * The h-th head of a step, and its logits.
 */
static const GsDense *
head_of(const GsDiffusionNet *net, const Shard *s, int h)
{
	return &net->head[(s->first_head + h) % net->shape->npositions];
}

static GsMatrix
head_logits(const Shard *s, int h)
{
	return gs_matrix_columns(s->logits, s->offset[h],
							 s->offset[h + 1] - s->offset[h]);
}

static void
clear(GsMatrix x)
{
	memset(x.data, 0, sizeof(gs_real) * (size_t) x.rows * (size_t) x.cols);
}

static void
forward(const GsDiffusionNet *net, const GsShard *shard, Shard *s)
{
	const gs_real *params = shard->params;

	if (net->shape->nnumbers > 0)
		gs_dense_forward(&net->score, params, s->rows->score, s->x[0],
						 GS_NO_MATRIX);
	else
		clear(s->x[0]);
	gs_embedding_forward_add(&net->embedding, params, s->input,
							 net->shape->npositions, s->x[0]);
	for (int b = 0; b < net->nblocks; b++)
		gs_residual_forward(&net->block[b], params, s->x[b], &s->state[b],
							s->x[b + 1]);
	gs_norm_forward(&net->norm, params, s->x[net->nblocks], s->normed,
					s->stats);
	for (int h = 0; h < net->nheads; h++)
		gs_dense_forward(head_of(net, s, h), params, s->normed,
						 head_logits(s, h), GS_NO_MATRIX);
}

static void
backward(const GsDiffusionNet *net, const GsShard *shard, Shard *s)
{
	const gs_real *params = shard->params;
	gs_real    *grad = shard->grad;

	clear(s->dnormed);
	for (int h = 0; h < net->nheads; h++)
		gs_dense_backward_add(head_of(net, s, h), params, grad, s->normed,
							  GS_NO_MATRIX, head_logits(s, h), s->dnormed);
	clear(s->dx);
	gs_norm_backward_add(&net->norm, params, grad, s->x[net->nblocks],
						 s->stats, s->dnormed, s->dx);
	for (int b = net->nblocks - 1; b >= 0; b--)
		gs_residual_backward(&net->block[b], params, grad, s->x[b],
							 &s->state[b], s->dx);
	gs_embedding_backward(&net->embedding, grad, s->input,
						  net->shape->npositions, s->dx);
	if (net->shape->nnumbers > 0)
		gs_dense_backward(&net->score, params, grad, s->rows->score,
						  GS_NO_MATRIX, s->dx, GS_NO_MATRIX);
}

/*
 * gs_diffusion_loss
 *
 * The sum over rows of the mean cross entropy of what is masked; with
 * shard->grad, adds its gradient.  rows are in shard->arena; the scores of
 * what is masked are used up.
 */
double
gs_diffusion_loss(const GsDiffusionNet *net, const GsNetRows *rows,
				  GsShard *shard)
{
	int			n = net->shape->npositions;
	double		loss;
	Shard		s = {.rows = rows};

	lay_out(net, &shard->arena, rows->n, &s);
	s.first_head = net->nheads == n ? 0 :
		(int) (gs_mix64(shard->key, shard->step + (uint64_t) shard->first) %
			   (uint64_t) n);
	s.offset[0] = 0;
	for (int h = 0; h < net->nheads; h++)
		s.offset[h + 1] = s.offset[h] + head_of(net, &s, h)->out;
	for (int i = 0; i < rows->n; i++)
		mask_row(net, shard, i, &s);
	for (int b = 0; b < net->nblocks; b++)
	{
		/* in validation all stays */
		s.state[b].dropout = shard->grad == NULL ? 0 : net->dropout;
		s.state[b].draw = (GsDraw) {.key = shard->key,.step = shard->step,
			.stream = STREAM_DROPOUT + (uint32_t) b,
		.first_row = shard->first};
	}
	forward(net, shard, &s);
	loss = gs_softmax_loss(net->nheads, s.offset, s.logits, s.target,
						   s.weight);
	if (shard->grad != NULL)
		backward(net, shard, &s);
	return loss;
}
