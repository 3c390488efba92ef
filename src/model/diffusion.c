/*
 * diffusion.c
 *	  Masked diffusion: loading and sampling.  diffusion_fit.c fits it.
 *
 * A row begins with all its positions masked, and they are unmasked one after
 * the other: a network that sees what is visible gives the distribution of the
 * next one (Austin et al., "Structured denoising diffusion models in discrete
 * state-spaces", NeurIPS 2021; see diffusion_fit.c for the continuous time).
 * The order is random, another one in each batch.  Where a table has more
 * positions than evaluations of the network are wanted, some are unmasked
 * together, more and more of them as the row fills (Chang et al., "MaskGIT",
 * CVPR 2022), as if they were independent of each other given the ones before.
 *
 * Tensors, beside those of tokens.c and training.c:
 *	 diffusion/net	int4 [3]	width; residual blocks; evaluations in a batch
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/diffusion.h"
#include "model/model.h"
#include "nn/pool.h"
#include "numeric/philox.h"

#define MAX_WIDTH	4096
#define MAX_BLOCKS	64
#define GROUPS		256

static GsMatrix
batch_matrix(GsArena *arena, int cols)
{
	return gs_arena_matrix(arena, GS_BATCH, cols);
}

/*
 * Takes a batch's matrices from the arena, or counts them.
 */
static void
lay_out(DiffusionSampler *sampler, GsArena *arena)
{
	const GsDiffusionNet *net = sampler->net;

	sampler->sum = batch_matrix(arena, net->width);
	sampler->x = batch_matrix(arena, net->width);
	sampler->state = gs_residual_layout(&net->block[0], arena, GS_BATCH);
	sampler->state.slope = GS_NO_MATRIX;
	sampler->stats = batch_matrix(arena, 2);
	sampler->logits = batch_matrix(arena, sampler->model->max_tokens);
}

/*
 * gs_diffusion_net: a network for a table's tokens, all but its layers.
 * Allocates in the current context.
 */
void
gs_diffusion_net(GsDiffusionNet *net, const GsTokens *tokens, int width,
				 int nblocks)
{
	*net = (GsDiffusionNet)
	{
		.shape = gs_tokens_shape(tokens),.width = width,.nblocks = nblocks,
			.block = palloc(sizeof(GsResidual) * nblocks),
			.head = palloc(sizeof(GsDense) * Max(tokens->npositions, 1))
	};
}

static const GsTokens *
diffusion_adjust(void *state, const float *bias)
{
	DiffusionSampler *sampler = state;

	if (bias != NULL && sampler->tokens->npositions > 0)
		sampler->params = gs_tokens_adjust(sampler->tokens, sampler->net->head,
										   bias, sampler->params,
										   &sampler->own,
										   sampler->model->params->size);
	return sampler->tokens;
}

static const void *
diffusion_load(const GsSchema *schema, const List *tensors)
{
	DiffusionModel *model = palloc0(sizeof(DiffusionModel));
	const int32 *shape = gs_tensor_data(tensors, "diffusion/net", GS_I4, 3);
	const GsTokens *tokens = gs_tokens_load(schema, tensors);

	if (shape[0] < 1 || shape[0] > MAX_WIDTH || shape[1] < 1 ||
		shape[1] > MAX_BLOCKS || shape[2] < 1)
		gs_corrupted("The network has an impossible shape.");
	model->schema = schema;
	model->tokens = tokens;
	model->params = gs_training_params();
	gs_diffusion_net(&model->net, tokens, shape[0], shape[1]);
	gs_diffusion_net_init(&model->net, model->params);
	if (tokens->npositions > 0)
	{
		gs_training_load("diffusion", tensors, model->params);
		gs_tokens_load_bias(tokens, tensors, model->net.head,
							model->params->value);
	}
	model->evaluations = Min(shape[2], tokens->npositions);
	for (int p = 0; p < tokens->npositions; p++)
		model->max_tokens = Max(model->max_tokens,
								tokens->position[p].ntokens);
	return model;
}

/*
 * context: [nfeatures] what is known of every row
 */
static void
prepare_context(DiffusionSampler *sampler, const bool *context)
{
	const GsTokens *tokens = sampler->tokens;

	sampler->known = palloc(Max(tokens->npositions, 1));
	sampler->guide = palloc0(sizeof(GsGuide) * Max(tokens->npositions, 1));
	for (int p = 0; p < tokens->npositions; p++)
	{
		const GsQuantile *q =
			&sampler->model->schema->features[tokens->position[p].feature].quantile;

		sampler->known[p] = context[tokens->position[p].feature];
		if (sampler->known[p] && tokens->position[p].number)
			gs_guide_init(&sampler->guide[p], q->edge, q->nsegments, palloc);
	}
}

static void *
diffusion_begin(const void *state, GsGiven *given, const bool *context)
{
	const DiffusionModel *model = state;
	DiffusionSampler *sampler = palloc0(sizeof(DiffusionSampler));
	int			npositions = model->tokens->npositions;
	GsArena		arena = {0};

	sampler->model = model;
	sampler->tokens = model->tokens;
	sampler->net = &model->net;
	sampler->params = model->params->value;
	lay_out(sampler, &arena);
	arena.base = palloc_extended(arena.used + 64, MCXT_ALLOC_HUGE);
	arena.base = (char *) TYPEALIGN(64, arena.base);
	arena.size = arena.used;
	arena.used = 0;
	lay_out(sampler, &arena);
	sampler->order = palloc(sizeof(int) * Max(npositions, 1));
	sampler->token = palloc(sizeof(int32) * GS_BATCH);
	sampler->words = palloc(sizeof(uint32) * 4 * GS_BATCH);
	sampler->group = palloc(sizeof(int32) * GS_BATCH);
	sampler->strata.shuffled = palloc(sizeof(uint16) * GS_BATCH);
	sampler->strata.counter = palloc(sizeof(uint16) * (GROUPS + 1));
	sampler->strata.row = palloc(sizeof(uint16) * GS_BATCH);
	if (given != NULL)
		gs_diffusion_condition(sampler, given);
	if (context != NULL)
		prepare_context(sampler, context);
	return sampler;
}

/*
 * The order of a batch's positions: random, but a number comes after what says
 * whether it is NULL.
 */
static void
shuffle_positions(DiffusionSampler *sampler, const GsBatch *batch)
{
	const GsTokens *tokens = sampler->tokens;
	int			n = tokens->npositions;
	int		   *order = sampler->order;
	int		   *at = palloc(sizeof(int) * n);	/* where a position is */
	GsRandom	random;

	gs_random_start(&random, batch->key, batch->first / GS_BATCH,
					GS_STREAM_LATENT + n);
	for (int p = 0; p < n; p++)
	{
		int			other = (int) gs_random_below(&random, p + 1);

		order[p] = order[other];
		order[other] = p;
	}
	for (int i = 0; i < n; i++)
		at[order[i]] = i;
	for (int p = 0; p < n; p++)
	{
		int			null = tokens->position[p].null;
		int			before = at[p];

		if (null < 0 || at[null] < before)
			continue;
		order[at[null]] = p;
		order[before] = null;
		at[p] = at[null];
		at[null] = before;
	}
	pfree(at);
}

/*
 * The vector of a position's token, or of its being masked (-1).
 */
static const float *
vector_of(const DiffusionSampler *sampler, int p, int32 token)
{
	const GsDiffusionNet *net = sampler->net;

	return sampler->params + net->embedding.table +
		(Size) gs_shape_vector(net->shape, p, token) * net->width;
}

/*
 * gs_diffusion_mask_all: nothing is visible yet.
 */
void
gs_diffusion_mask_all(DiffusionSampler *sampler)
{
	const GsDiffusionNet *net = sampler->net;
	float	   *first = gs_row(sampler->sum, 0);
	size_t		bytes = sizeof(float) * net->width;

	memset(first, 0, bytes);
	if (net->shape->nnumbers > 0)
		memcpy(first, sampler->params + net->score.bias, bytes);
	for (int p = 0; p < net->shape->npositions; p++)
	{
		const float *masked = vector_of(sampler, p, -1);

		for (int j = 0; j < net->width; j++)
			first[j] += masked[j];
	}
	for (int i = 1; i < GS_BATCH; i++)
		memcpy(gs_row(sampler->sum, i), first, bytes);
}

/*
 * gs_diffusion_evaluate: one evaluation of the network, up to its heads, which
 * take sampler->x then.  Can be cancelled.
 */
void
gs_diffusion_evaluate(DiffusionSampler *sampler)
{
	const GsDiffusionNet *net = sampler->net;
	const float *params = sampler->params;
	uint64		before;

	CHECK_FOR_INTERRUPTS();
	before = gs_flush_subnormals(true, 0);
	for (int b = 0; b < net->nblocks; b++)
		gs_residual_forward(&net->block[b], params,
							b == 0 ? sampler->sum : sampler->x, &sampler->state,
							sampler->x);
	gs_norm_forward(&net->norm, params, sampler->x, sampler->x, sampler->stats);
	gs_flush_subnormals(false, before);
}

/*
 * gs_diffusion_probabilities: those of a position's tokens,
 * [GS_BATCH][ntokens], after an evaluation.  Overwritten by the next ones.
 */
GsMatrix
gs_diffusion_probabilities(DiffusionSampler *sampler, int p)
{
	const GsDense *head = &sampler->net->head[p];
	GsMatrix	prob = gs_matrix(sampler->logits.data, GS_BATCH, head->out);
	int			offset[2] = {0, head->out};
	uint64		before = gs_flush_subnormals(true, 0);

	gs_dense_forward(head, sampler->params, sampler->x, prob,
					 GS_NO_MATRIX);
	gs_softmax(1, offset, prob);
	gs_flush_subnormals(false, before);
	return prob;
}

/*
 * Groups rows that expect about the same token: sampler->group.  prob: of
 * tokens.
 */
static void
group_rows(DiffusionSampler *sampler, GsMatrix prob)
{
	float		expected[GS_BATCH];
	float		min = INFINITY;
	float		max = -INFINITY;

	for (int i = 0; i < GS_BATCH; i++)
	{
		const float *q = gs_row(prob, i);
		float		sum = 0;

		for (int t = 0; t < prob.cols; t++)
			sum += q[t] * t;
		expected[i] = sum;
		min = Min(min, sum);
		max = Max(max, sum);
	}
	for (int i = 0; i < GS_BATCH; i++)
	{
		float		at = (expected[i] - min) / (max - min);

		sampler->group[i] = at > 0 ? (int32) (at * (GROUPS - 1)) : 0;
	}
}

/*
 * gs_diffusion_reveal: makes a position visible.
 *
 * token: [GS_BATCH], -1 where it tells nothing; score: [GS_BATCH], of numbers
 */
void
gs_diffusion_reveal(DiffusionSampler *sampler, int p, const int32 *token,
					const float *score)
{
	const GsDiffusionNet *net = sampler->net;
	int			number = net->shape->number[p];
	const float *from = vector_of(sampler, p, -1);

	for (int i = 0; i < GS_BATCH; i++)
	{
		const float *to = vector_of(sampler, p, token[i]);
		float	   *sum = gs_row(sampler->sum, i);

		if (token[i] < 0)
			continue;
		for (int j = 0; j < net->width; j++)
			sum[j] += to[j] - from[j];
		if (number >= 0)
		{
			const float *weight = sampler->params + net->score.weight +
				(Size) number * net->width;

			for (int j = 0; j < net->width; j++)
				sum[j] += score[i] * weight[j];
		}
	}
}

/*
 * Makes a position, which is in the batch already, visible.
 */
static void
show_position(DiffusionSampler *sampler, int p, const GsBatch *batch)
{
	gs_tokens_hide(sampler->tokens, p, batch, sampler->token);
	gs_diffusion_reveal(sampler, p, sampler->token,
						batch->score[sampler->tokens->position[p].feature]);
}

/*
 * Draws a position for the rows of a batch, of which what comes before is
 * visible, and shows it.
 */
static void
draw_position(DiffusionSampler *sampler, int p, GsBatch *batch, GsMatrix prob)
{
	const GsTokens *tokens = sampler->tokens;
	uint32	   *words = sampler->words;

	gs_batch_words(batch, GS_STREAM_LATENT + p, words);
	if (batch->rows == NULL)
	{
		uint32		word = words[2 * GS_BATCH];

		group_rows(sampler, prob);
		gs_stratify(&sampler->strata, GS_BATCH, sampler->group, GROUPS, words);
		for (int k = 0; k < GS_BATCH; k++, word += GS_GOLDEN)
			words[sampler->strata.row[k]] = word;
	}
	gs_tokens_draw(&tokens->position[p], prob.data, words, sampler->token);
	gs_tokens_put(tokens, p, batch, sampler->token, words + GS_BATCH);
	show_position(sampler, p, batch);
}

/*
 * How many of n positions are visible after so many evaluations of the
 * network: one more each time, or else the share that MaskGIT's cosine
 * schedule has.
 */
static int
visible_after(const DiffusionSampler *sampler, int n, int evaluations)
{
	double		done = Min((double) evaluations / sampler->model->evaluations, 1);

	return Max(Min(evaluations, n), (int) (n * (1 - cos(M_PI_2 * done))));
}

/*
 * gs_diffusion_put_first: puts positions first in a batch's order; the others
 * stay in order behind them.  first: [P].  Returns how many they are.
 */
int
gs_diffusion_put_first(DiffusionSampler *sampler, const bool *first)
{
	int			n = sampler->tokens->npositions;
	int			at = n;

	for (int i = n - 1; i >= 0; i--)
		if (!first[sampler->order[i]])
			sampler->order[--at] = sampler->order[i];
	for (int p = 0, i = 0; p < n; p++)
		if (first[p])
			sampler->order[i++] = p;
	return at;
}

/*
 * Makes the known positions of a batch visible.
 */
static void
show_context(DiffusionSampler *sampler, const GsBatch *batch)
{
	for (int p = 0; p < sampler->tokens->npositions; p++)
	{
		const GsTokenPosition *position = &sampler->tokens->position[p];
		const float *score = batch->score[position->feature];
		const int32 *value = batch->code[position->feature];

		if (!sampler->known[p])
			continue;
		if (position->number)
		{
			gs_guide_find(&sampler->guide[p], score, sampler->group, GS_BATCH);
			value = sampler->group;
		}
		for (int i = 0; i < GS_BATCH; i++)
			sampler->token[i] = value[i] == GS_NO_CODE ||
				(position->number && isnan(score[i])) ? -1 :
				position->token[value[i]];
		show_position(sampler, p, batch);
	}
}

static void
diffusion_generate(void *state, GsBatch *batch)
{
	DiffusionSampler *sampler = state;
	const GsTokens *tokens = sampler->tokens;
	int			n = tokens->npositions;
	int			first = 0;
	int			at;

	gs_batch_fill_rest(batch, tokens->position_of);
	shuffle_positions(sampler, batch);
	if (sampler->given != NULL)
		first = gs_diffusion_confine(sampler, batch);
	else
		gs_diffusion_mask_all(sampler);
	if (sampler->known != NULL)
	{
		show_context(sampler, batch);
		first = gs_diffusion_put_first(sampler, sampler->known);
	}

	/* what comes after the last one that is needed tells it nothing */
	while (n > first &&
		   !batch->needed[tokens->position[sampler->order[n - 1]].feature])
		n--;
	at = first;
	for (int e = 1; at < n; e++)
	{
		int			end = first +
			visible_after(sampler, tokens->npositions - first, e);

		gs_diffusion_evaluate(sampler);
		for (; at < Min(end, n); at++)
		{
			int			p = sampler->order[at];

			draw_position(sampler, p, batch,
						  gs_diffusion_probabilities(sampler, p));
		}
	}
}

static const GsOptionDef options[] = {
	/* its training options come first in the struct */
	GS_TRAINING_OPTIONS,
	GS_OPTION_NUMBER(sampling_steps, DiffusionOptions, 1, 10000, 50)
};

const GsFamily gs_diffusion = {
	.name = "diffusion",
	.options = options,
	.noptions = lengthof(options),
	.options_size = sizeof(DiffusionOptions),
	.fit = gs_diffusion_fit,
	.load = diffusion_load,
	.begin = diffusion_begin,
	.generate = diffusion_generate,
	.conditions = true,
	.contexts = true,
	.adjust = diffusion_adjust,
	.adjust_batches = 4,
	.adjust_features = 32,
	/* larger ones play positions that go together off against each other */
	.adjust_step = 0.3
};
