/*
 * diffusion_fit.c
 *	  Masked diffusion: fitting.
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
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/diffusion.h"
#include "numeric/philox.h"

#define WIDTH			256
#define BLOCKS			3
#define BATCH			1024
#define RATE			2e-3
#define WEIGHT_DECAY	0.1
#define DROPOUT			0.4
#define AVERAGE			0.999
#define CLIP			1.0
#define SLACK			0.01
#define MAX_EPOCHS		60.0
#define MAX_STEPS		1500.0

/*
 * Heads for so many tokens are trained in a step, in turns where a table has
 * more.
 */
#define HEAD_TOKENS		2048

#define EMBEDDED		0.7		/* deviation of the embeddings' first sum */
#define INNER			0.4		/* of blocks' first weights: see begin() */
#define OUTER			0.3
#define STREAM_MASK		0
#define STREAM_DROPOUT	1		/* and on, of each block */

typedef struct Fit
{
	const GsEncoded *encoded;
	DiffusionNet net;
	int			nheads;			/* that are trained in a step */
	int			nlogits;		/* of theirs, at most */
	uint32	   *row;			/* [batch], see GsTrainable */
} Fit;

/* The memory of a shard of n rows. */
typedef struct Shard
{
	int32_t    *token;			/* [n][P] of the source; -1: it tells nothing */
	int32_t    *input;			/* [n][P] what is embedded */
	GsMatrix	score;			/* [n][numbers], 0 where masked */
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
lay_out(const Fit *fit, GsArena *arena, int n, Shard *s)
{
	const DiffusionNet *net = &fit->net;
	size_t		npositions = net->tokens->npositions;

	s->token = gs_arena_take(arena, n * npositions, sizeof(int32_t));
	s->input = gs_arena_take(arena, n * npositions, sizeof(int32_t));
	s->score = gs_arena_matrix(arena, n, net->tokens->nnumbers);
	s->offset = gs_arena_take(arena, fit->nheads + 1, sizeof(int));
	s->target = gs_arena_take(arena, (size_t) n * fit->nheads,
							  sizeof(int32_t));
	s->weight = gs_arena_matrix(arena, n, fit->nheads);
	s->logits = gs_arena_matrix(arena, n, fit->nlogits);
	s->x = gs_arena_take(arena, net->nblocks + 1, sizeof(GsMatrix));
	s->state = gs_arena_take(arena, net->nblocks, sizeof(GsResidualState));
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
 * Which positions of a row are visible: of P positions 0 to P - 1, evenly over
 * the rows of a batch.
 */
static void
choose_visible(const DiffusionNet *net, const GsShard *shard, int i,
			   Shard *s)
{
	uint64		key = gs_mix64(shard->key, shard->step);
	uint32		at = (uint32) key + (uint32) (shard->first + i) * GS_GOLDEN;
	int			npositions = net->tokens->npositions;
	int			nvisible = (int) (((uint64) at * npositions) >> 32);
	GsRandom	random;

	gs_random_start(&random, key, shard->first + i, STREAM_MASK);
	for (int p = 0; p < npositions; p++)
	{
		s->visible[p] = false;
		s->positions[p] = p;
	}
	for (int v = 0; v < nvisible; v++)
	{
		int			other = v + gs_random_below(&random, npositions - v);
		int			p = s->positions[other];

		s->positions[other] = s->positions[v];
		s->visible[p] = true;
	}
	for (int p = 0; p < npositions; p++)
	{
		int			null = net->tokens->position[p].null;

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
mask_row(const Fit *fit, const GsShard *shard, int i, Shard *s)
{
	const GsTokens *tokens = fit->net.tokens;
	const int32_t *token = s->token + (size_t) i * tokens->npositions;
	int32_t    *input = s->input + (size_t) i * tokens->npositions;
	float	   *score = s->score.cols > 0 ? gs_row(s->score, i) : NULL;
	int			masked = 0;

	choose_visible(&fit->net, shard, i, s);
	for (int p = 0; p < tokens->npositions; p++)
	{
		bool		visible = s->visible[p] && token[p] >= 0;

		input[p] = visible ? tokens->position[p].first + token[p] :
			tokens->ntokens + p;
		masked += !s->visible[p] && token[p] >= 0;
		if (tokens->position[p].number)
		{
			if (!visible)
				*score = 0;
			score++;
		}
	}
	for (int h = 0; h < fit->nheads; h++)
	{
		int			p = (s->first_head + h) % tokens->npositions;

		s->target[(size_t) i * fit->nheads + h] =
			s->visible[p] ? -1 : token[p];
		gs_row(s->weight, i)[h] = (float) tokens->npositions /
			((float) fit->nheads * Max(masked, 1));
	}
}

/*
 * The h-th head of a step, and its logits.
 */
static const GsDense *
head_of(const Fit *fit, const Shard *s, int h)
{
	return &fit->net.head[(s->first_head + h) % fit->net.tokens->npositions];
}

static GsMatrix
head_logits(const Shard *s, int h)
{
	return gs_matrix_columns(s->logits, s->offset[h],
							 s->offset[h + 1] - s->offset[h]);
}

/*
 * Drops some of what is within a block, or of its gradient.  In validation all
 * of it stays.
 */
static void
drop(const GsShard *shard, const GsResidualState *state, int b)
{
	GsDraw		draw = {shard->key, shard->step, STREAM_DROPOUT + b,
	shard->first};

	if (shard->grad != NULL)
		gs_dropout(draw, DROPOUT, state->hidden);
}

/*
 * A residual block, see gs_residual_forward, with dropout within.
 */
static void
block_forward(const Fit *fit, const GsShard *shard, Shard *s, int b)
{
	const GsResidual *block = &fit->net.block[b];
	const GsResidualState *state = &s->state[b];
	const float *params = shard->params;

	gs_norm_forward(&block->norm, params, s->x[b], state->normed,
					state->stats);
	gs_dense_forward(&block->inner, params, state->normed, state->hidden,
					 state->slope);
	drop(shard, state, b);
	gs_dense_forward_add(&block->outer, params, state->hidden, s->x[b],
						 s->x[b + 1]);
}

static void
block_backward(const Fit *fit, const GsShard *shard, Shard *s, int b)
{
	const GsResidual *block = &fit->net.block[b];
	const GsResidualState *state = &s->state[b];
	const float *params = shard->params;

	gs_dense_backward(&block->outer, params, shard->grad, state->hidden,
					  GS_NO_MATRIX, s->dx, state->hidden);
	drop(shard, state, b);
	gs_dense_backward(&block->inner, params, shard->grad, state->normed,
					  state->slope, state->hidden, state->normed);
	gs_norm_backward_add(&block->norm, params, shard->grad, s->x[b],
						 state->stats, state->normed, s->dx);
}

static void
forward(const Fit *fit, const GsShard *shard, Shard *s)
{
	const DiffusionNet *net = &fit->net;
	const float *params = shard->params;

	if (s->score.cols > 0)
		gs_dense_forward(&net->score, params, s->score, s->x[0],
						 GS_NO_MATRIX);
	else
		memset(s->x[0].data, 0, sizeof(float) * shard->n * net->width);
	gs_embedding_forward_add(&net->embedding, params, s->input,
							 net->tokens->npositions, s->x[0]);
	for (int b = 0; b < net->nblocks; b++)
		block_forward(fit, shard, s, b);
	gs_norm_forward(&net->norm, params, s->x[net->nblocks], s->normed,
					s->stats);
	for (int h = 0; h < fit->nheads; h++)
		gs_dense_forward(head_of(fit, s, h), params, s->normed,
						 head_logits(s, h), GS_NO_MATRIX);
}

static void
backward(const Fit *fit, const GsShard *shard, Shard *s)
{
	const DiffusionNet *net = &fit->net;
	const float *params = shard->params;
	float	   *grad = shard->grad;

	memset(s->dnormed.data, 0, sizeof(float) * shard->n * net->width);
	for (int h = 0; h < fit->nheads; h++)
		gs_dense_backward_add(head_of(fit, s, h), params, grad, s->normed,
							  GS_NO_MATRIX, head_logits(s, h), s->dnormed);
	memset(s->dx.data, 0, sizeof(float) * shard->n * net->width);
	gs_norm_backward_add(&net->norm, params, grad, s->x[net->nblocks],
						 s->stats, s->dnormed, s->dx);
	for (int b = net->nblocks - 1; b >= 0; b--)
		block_backward(fit, shard, s, b);
	gs_embedding_backward(&net->embedding, grad, s->input,
						  net->tokens->npositions, s->dx);
	if (s->score.cols > 0)
		gs_dense_backward(&net->score, params, grad, s->score, GS_NO_MATRIX,
						  s->dx, GS_NO_MATRIX);
}

/*
 * The loss of a shard, see GsLoss.
 */
static double
shard_loss(const void *arg, GsShard *shard)
{
	const Fit  *fit = arg;
	const GsTokens *tokens = fit->net.tokens;
	const uint32 *row = fit->row + shard->first;
	double		loss;
	Shard		s;

	lay_out(fit, &shard->arena, shard->n, &s);
	gs_tokens_read(tokens, fit->encoded, row, shard->n, s.token);
	gs_tokens_read_scores(tokens, fit->encoded, row, shard->n, s.score.data);
	s.first_head = fit->nheads == tokens->npositions ? 0 :
		(int) (gs_mix64(shard->key, shard->step + shard->first) %
			   tokens->npositions);
	s.offset[0] = 0;
	for (int h = 0; h < fit->nheads; h++)
		s.offset[h + 1] = s.offset[h] + head_of(fit, &s, h)->out;
	for (int i = 0; i < shard->n; i++)
		mask_row(fit, shard, i, &s);
	forward(fit, shard, &s);
	loss = gs_softmax_loss(fit->nheads, s.offset, s.logits, s.target,
						   s.weight);
	if (shard->grad != NULL)
		backward(fit, shard, &s);
	return loss;
}

/*
 * The most logits that heads next to each other have, in turns.
 */
static int
max_logits(const GsTokens *tokens, int nheads)
{
	int			max = 0;

	for (int p = 0; p < tokens->npositions; p++)
	{
		int			n = 0;

		for (int h = 0; h < nheads; h++)
			n += tokens->position[(p + h) % tokens->npositions].ntokens;
		max = Max(max, n);
	}
	return max;
}

static void
scale(float *value, size_t n, double factor)
{
	for (size_t i = 0; i < n; i++)
		value[i] *= factor;
}

/*
 * How the network begins: it guesses the shares of the source, and its blocks
 * add little to what is embedded.
 */
static void
begin(const DiffusionNet *net)
{
	const GsTokens *tokens = net->tokens;
	float	   *value = net->params->value;

	scale(value + net->embedding.table,
		  (size_t) net->embedding.ntokens * net->width,
		  EMBEDDED * sqrt((double) net->width / tokens->npositions));
	for (int b = 0; b < net->nblocks; b++)
	{
		size_t		n = (size_t) net->width * net->width;

		scale(value + net->block[b].inner.weight, n, INNER);
		scale(value + net->block[b].outer.weight, n, OUTER);
	}
	for (int p = 0; p < tokens->npositions; p++)
	{
		const GsTokenPosition *position = &tokens->position[p];
		const GsDense *head = &net->head[p];

		memset(value + head->weight, 0,
			   sizeof(float) * head->in * head->out);
		for (int t = 0; t < position->ntokens; t++)
			value[head->bias + t] = logf(Max(position->share[t], 1e-7f));
	}
}

/*
 * gs_diffusion_fit: see family.h and diffusion.c.
 */
void
gs_diffusion_fit(GsFitContext *context)
{
	const DiffusionOptions *options = context->options;
	const GsEncoded *encoded = context->encoded;
	GsTokens   *tokens = gs_tokens_learn(context->schema, encoded);
	int32		shape[3] = {WIDTH, BLOCKS, (int32) options->sampling_steps};
	Fit			fit = {.encoded = encoded};
	GsTraining	training = {.name = "diffusion",.nrows = encoded->nrows,
		.batch = gs_training_batch(&options->training, encoded->nrows, BATCH),
		.epochs = MAX_EPOCHS,.steps = MAX_STEPS,.rate = RATE,
	.adam = {0.9, 0.99, 1e-8, WEIGHT_DECAY, CLIP, AVERAGE},.slack = SLACK};
	GsTrainable what = {.loss = shard_loss,.model = &fit};
	GsArena		arena = {0};
	Shard		shard;

	gs_tokens_save(tokens, &context->tensors);
	gs_tensor_add(&context->tensors, "diffusion/net", GS_I4, 1, 3, 0, shape);
	if (tokens->npositions == 0)
		return;
	gs_diffusion_add(&fit.net, tokens, WIDTH, BLOCKS);
	gs_training_create(fit.net.params, context->key);
	begin(&fit.net);
	fit.nheads = (int) Max(1, Min(tokens->npositions, (int64) HEAD_TOKENS *
								  tokens->npositions / tokens->ntokens));
	fit.nlogits = max_logits(tokens, fit.nheads);
	fit.row = palloc(sizeof(uint32) * training.batch);
	lay_out(&fit, &arena, gs_shard_rows(training.batch), &shard);
	what.params = fit.net.params;
	what.row = fit.row;
	what.workspace = arena.used;
	gs_training_run(&training, &what, &options->training, context);
}
