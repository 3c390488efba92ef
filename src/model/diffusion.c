/*
 * diffusion.c
 *	  Masked diffusion: loading and sampling.  diffusion_fit.c fits it.
 *
 * A row begins with all its places masked, and they are unmasked one after the
 * other: a network that sees what is visible gives the distribution of the next
 * one (Austin et al., "Structured denoising diffusion models in discrete
 * state-spaces", NeurIPS 2021; see diffusion_fit.c for the continuous time).
 * The order is random, another one in each batch.  Where a table has more places
 * than evaluations of the network are wanted, some are unmasked together, more
 * and more of them as the row fills (Chang et al., "MaskGIT", CVPR 2022), as if
 * they were independent of each other given the ones before.
 *
 * Tensors, beside those of tokens.c and training.c:
 *	 diffusion/net	int4 [3]	width; residual blocks; evaluations in a batch
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/diffusion.h"
#include "nn/pool.h"
#include "numeric/philox.h"

#define MOST_WIDTH	4096
#define MOST_BLOCKS	64
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
lay_out(DiffusionModel *model, GsArena *arena)
{
	const DiffusionNet *net = &model->net;

	model->sum = batch_matrix(arena, net->width);
	model->x = batch_matrix(arena, net->width);
	model->state = gs_residual_layout(&net->block[0], arena, GS_BATCH);
	model->state.slope = GS_NO_MATRIX;
	model->stats = batch_matrix(arena, 2);
	model->logits = batch_matrix(arena, model->most_tokens);
}

static const GsTokens *
diffusion_adjust(void *state, const float *bias)
{
	const DiffusionNet *net = &((DiffusionModel *) state)->net;
	const GsTokens *tokens = net->tokens;

	for (int p = 0; p < tokens->nplaces && bias != NULL; p++)
		for (int t = 0; t < tokens->place[p].ntokens; t++)
			net->params->value[net->head[p].bias + t] +=
				bias[tokens->place[p].first + t];
	return tokens;
}

static void *
diffusion_load(const GsSchema *schema, const List *tensors)
{
	DiffusionModel *model = palloc0(sizeof(DiffusionModel));
	const int32 *shape = gs_tensor_data(tensors, "diffusion/net", GS_I4, 3);
	GsTokens   *tokens = gs_tokens_load(schema, tensors);
	GsArena		arena = {0};

	if (shape[0] < 1 || shape[0] > MOST_WIDTH || shape[1] < 1 ||
		shape[1] > MOST_BLOCKS || shape[2] < 1)
		gs_corrupted("The network has an impossible shape.");
	gs_diffusion_add(&model->net, tokens, shape[0], shape[1]);
	if (tokens->nplaces > 0)
	{
		gs_training_load("diffusion", tensors, model->net.params);
		diffusion_adjust(model, gs_tokens_bias(tokens, tensors));
	}
	model->evaluations = Min(shape[2], tokens->nplaces);
	for (int p = 0; p < tokens->nplaces; p++)
		model->most_tokens = Max(model->most_tokens,
								 tokens->place[p].ntokens);
	lay_out(model, &arena);
	arena.base = palloc_extended(arena.used + 64, MCXT_ALLOC_HUGE);
	arena.base = (char *) TYPEALIGN(64, arena.base);
	arena.size = arena.used;
	arena.used = 0;
	lay_out(model, &arena);
	model->order = palloc(sizeof(int) * Max(tokens->nplaces, 1));
	model->token = palloc(sizeof(int32) * GS_BATCH);
	model->words = palloc(sizeof(uint32) * 4 * GS_BATCH);
	model->group = palloc(sizeof(int32) * GS_BATCH);
	model->even.shuffled = palloc(sizeof(uint16) * GS_BATCH);
	model->even.counter = palloc(sizeof(uint16) * (GROUPS + 1));
	model->even.row = palloc(sizeof(uint16) * GS_BATCH);
	return model;
}

/*
 * The order of a batch's places: random, but a number comes after what says
 * whether it is NULL.
 */
static void
shuffle_places(DiffusionModel *model, const GsBatch *batch)
{
	const GsTokens *tokens = model->net.tokens;
	int			n = tokens->nplaces;
	int		   *order = model->order;
	int		   *at = palloc(sizeof(int) * n);	/* where a place is */
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
		int			null = tokens->place[p].null;
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
 * gs_diffusion_mask_all: nothing is visible yet.
 */
void
gs_diffusion_mask_all(DiffusionModel *model)
{
	const DiffusionNet *net = &model->net;
	const float *params = net->params->value;
	float	   *first = gs_row(model->sum, 0);
	size_t		bytes = sizeof(float) * net->width;

	memset(first, 0, bytes);
	if (net->tokens->nnumbers > 0)
		memcpy(first, params + net->score.bias, bytes);
	for (int p = 0; p < net->tokens->nplaces; p++)
	{
		const float *masked = params + net->embedding.table +
			(Size) (net->tokens->ntokens + p) * net->width;

		for (int j = 0; j < net->width; j++)
			first[j] += masked[j];
	}
	for (int i = 1; i < GS_BATCH; i++)
		memcpy(gs_row(model->sum, i), first, bytes);
}

/*
 * gs_diffusion_evaluate: one evaluation of the network, up to its heads, which
 * take model->x then.  Can be cancelled.
 */
void
gs_diffusion_evaluate(DiffusionModel *model)
{
	const DiffusionNet *net = &model->net;
	const float *params = net->params->value;
	uint64		before;

	CHECK_FOR_INTERRUPTS();
	before = gs_flush_subnormals(true, 0);
	for (int b = 0; b < net->nblocks; b++)
		gs_residual_forward(&net->block[b], params,
							b == 0 ? model->sum : model->x, &model->state,
							model->x);
	gs_norm_forward(&net->norm, params, model->x, model->x, model->stats);
	gs_flush_subnormals(false, before);
}

/*
 * gs_diffusion_probabilities: those of a place's tokens, [GS_BATCH][ntokens],
 * after an evaluation.  Overwritten by the next ones.
 */
GsMatrix
gs_diffusion_probabilities(DiffusionModel *model, int p)
{
	const GsDense *head = &model->net.head[p];
	GsMatrix	prob = gs_matrix(model->logits.data, GS_BATCH, head->out);
	int			offset[2] = {0, head->out};
	uint64		before = gs_flush_subnormals(true, 0);

	gs_dense_forward(head, model->net.params->value, model->x, prob,
					 GS_NO_MATRIX);
	gs_softmax(1, offset, prob);
	gs_flush_subnormals(false, before);
	return prob;
}

/*
 * Groups rows that expect about the same token: model->group.  prob: of
 * tokens.
 */
static void
group_rows(DiffusionModel *model, GsMatrix prob)
{
	float		expected[GS_BATCH];
	float		least = INFINITY;
	float		most = -INFINITY;

	for (int i = 0; i < GS_BATCH; i++)
	{
		const float *q = gs_row(prob, i);
		float		sum = 0;

		for (int t = 0; t < prob.cols; t++)
			sum += q[t] * t;
		expected[i] = sum;
		least = Min(least, sum);
		most = Max(most, sum);
	}
	for (int i = 0; i < GS_BATCH; i++)
	{
		float		at = (expected[i] - least) / (most - least);

		model->group[i] = at > 0 ? (int32) (at * (GROUPS - 1)) : 0;
	}
}

/*
 * gs_diffusion_reveal: makes a place, which is in the batch already, visible.
 *
 * token: [GS_BATCH]
 */
void
gs_diffusion_reveal(DiffusionModel *model, int p, const GsBatch *batch,
					const int32 *token)
{
	const DiffusionNet *net = &model->net;
	const GsTokenPlace *place = &net->tokens->place[p];
	const float *table = net->params->value + net->embedding.table;
	const float *from = table +
		(Size) (net->tokens->ntokens + p) * net->width;
	const float *weight = net->params->value + net->score.weight +
		(Size) net->number[p] * net->width;
	const int32 *null = place->null < 0 ? NULL :
		batch->code[net->tokens->place[place->null].feature];

	for (int i = 0; i < GS_BATCH; i++)
	{
		const float *to = table +
			(Size) (place->first + token[i]) * net->width;
		float		score = place->number ?
			batch->score[place->feature][i] : 0;
		float	   *sum = gs_row(model->sum, i);

		/* a number that is NULL tells nothing */
		if (null != NULL && null[i] == 1)
			continue;
		for (int j = 0; j < net->width; j++)
			sum[j] += to[j] - from[j];
		if (place->number)
			for (int j = 0; j < net->width; j++)
				sum[j] += score * weight[j];
	}
}

/*
 * Draws a place for the rows of a batch, of which what comes before is
 * visible, and shows it.
 */
static void
draw_place(DiffusionModel *model, int p, GsBatch *batch, GsMatrix prob)
{
	const GsTokens *tokens = model->net.tokens;
	uint32	   *words = model->words;
	uint32		word;

	gs_philox_lanes(batch->key, batch->first, GS_STREAM_LATENT + p, 0,
					GS_BATCH, words, words + GS_BATCH, words + 2 * GS_BATCH,
					words + 3 * GS_BATCH);
	group_rows(model, prob);
	gs_even_order(&model->even, GS_BATCH, model->group, GROUPS, words);
	word = words[2 * GS_BATCH];
	for (int k = 0; k < GS_BATCH; k++, word += GS_GOLDEN)
		words[model->even.row[k]] = word;
	gs_tokens_draw(&tokens->place[p], prob.data, words, model->token);
	gs_tokens_put(tokens, p, batch, model->token, words + GS_BATCH);
	gs_diffusion_reveal(model, p, batch, model->token);
}

/*
 * How many of n places are visible after so many evaluations of the network:
 * one more each time, or else the share that MaskGIT's cosine schedule has.
 */
static int
visible_after(const DiffusionModel *model, int n, int evaluations)
{
	double		done = Min((double) evaluations / model->evaluations, 1);

	return Max(Min(evaluations, n), (int) (n * (1 - cos(M_PI_2 * done))));
}

static void
diffusion_generate(void *state, GsBatch *batch)
{
	DiffusionModel *model = state;
	const GsTokens *tokens = model->net.tokens;
	int			n = tokens->nplaces;
	int			first = 0;
	int			at;

	gs_tokens_fill_rest(tokens, batch);
	shuffle_places(model, batch);
	if (model->given != NULL)
		first = gs_diffusion_confine(model, batch);
	else
		gs_diffusion_mask_all(model);

	/* what comes after the last one that is needed tells it nothing */
	while (n > first &&
		   !batch->needed[tokens->place[model->order[n - 1]].feature])
		n--;
	at = first;
	for (int e = 1; at < n; e++)
	{
		int			end = first +
			visible_after(model, tokens->nplaces - first, e);

		gs_diffusion_evaluate(model);
		for (; at < Min(end, n); at++)
		{
			int			p = model->order[at];

			draw_place(model, p, batch, gs_diffusion_probabilities(model, p));
		}
	}
}

const GsFamily gs_diffusion = {
	.name = "diffusion",
	.fit = gs_diffusion_fit,
	.load = diffusion_load,
	.generate = diffusion_generate,
	.condition = gs_diffusion_condition,
	.adjust = diffusion_adjust,
	.adjust_batches = 4,
	.adjust_features = 32,
	/* larger ones play places that go together off against each other */
	.adjust_step = 0.3
};
