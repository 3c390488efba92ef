/*
 * token_decoder.c
 *	  What draws rows of the variational autoencoder and of the adversarial
 *	  network.  token_decoder_given.c confines it to conditions.
 */
#include "postgres.h"

#include "model/model.h"
#include "model/token_decoder.h"
#include "model/training.h"
#include "numeric/normal.h"
#include "numeric/philox.h"

#define LATENT			24
#define WIDTH			256
#define STATE			128
#define STATE_WIDE		64		/* of tables with more positions than */
#define WIDE			64

/*
 * Philox streams of a batch after GS_STREAM_LATENT: the noise of the latent
 * vector, four numbers in each, its component, and each position.
 */
#define STREAM_COMPONENT(sampler)	((uint32) ((sampler)->net->latent + 3) / 4)
#define STREAM_POSITION(sampler, p) \
	(STREAM_COMPONENT(sampler) + 1 + (uint32) (p))

/*
 * gs_token_decoder_net: the network for a table's tokens, all but its layers.
 * Allocates in the current context.
 */
GsDecoderNet
gs_token_decoder_net(const GsTokens *tokens)
{
	return (GsDecoderNet) {
		.shape = gs_tokens_shape(tokens),.latent = LATENT,.width = WIDTH,
		.state = tokens->npositions > WIDE ? STATE_WIDE : STATE,
		.activation = GS_SILU,
		.head = palloc(sizeof(GsDense) * Max(tokens->npositions, 1))
	};
}

/*
 * gs_token_decoder_open: begins to load a model: its tokens, and a network as
 * gs_token_decoder_net has it.  The family adds all layers to params, and sets
 * the mixture.  Errors: data_corrupted.
 */
GsTokenDecoder *
gs_token_decoder_open(const GsSchema *schema, const List *tensors)
{
	GsTokenDecoder *model = palloc0(sizeof(GsTokenDecoder));

	model->tokens = gs_tokens_load(schema, tensors);
	model->net = gs_token_decoder_net(model->tokens);
	model->params = gs_training_params();
	return model;
}

/*
 * gs_token_decoder_load: the weights of the network NAME, whose layers were
 * added.  Errors: data_corrupted, out_of_memory.
 */
void
gs_token_decoder_load(GsTokenDecoder *model, const char *name,
					  const List *tensors)
{
	gs_training_load(name, tensors, model->params);
	gs_tokens_load_bias(model->tokens, tensors, model->net.head,
						model->params->value);
}

/*
 * gs_token_decoder_adjust: see family.h.
 */
const GsTokens *
gs_token_decoder_adjust(void *state, const float *bias)
{
	DecoderSampler *sampler = state;

	if (bias != NULL)
		sampler->params = gs_tokens_adjust(sampler->tokens, sampler->net->head,
										   bias, sampler->params,
										   &sampler->own, sampler->nparams);
	return sampler->tokens;
}

static float *
lane_of(int columns)
{
	return palloc_extended(sizeof(float) * GS_BATCH * Max(columns, 1),
						   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/*
 * gs_token_decoder_begin: see family.h.
 */
void *
gs_token_decoder_begin(const void *state, GsGiven *given, const bool *context)
{
	const GsTokenDecoder *model = state;
	const GsDecoderNet *net = &model->net;
	DecoderSampler *sampler = palloc0(sizeof(DecoderSampler));
	int			max = 1;

	sampler->tokens = model->tokens;
	sampler->net = net;
	sampler->params = model->params->value;
	sampler->nparams = model->params->size;
	sampler->mixture = model->mixture;
	for (int p = 0; p < model->tokens->npositions; p++)
		max = Max(max, model->tokens->position[p].ntokens);
	sampler->words = palloc(sizeof(uint32) * 4 * GS_BATCH);
	sampler->noise = lane_of(net->latent);
	sampler->z = lane_of(net->latent);
	sampler->outer = lane_of(net->width);
	sampler->state = lane_of(net->state);
	sampler->active = lane_of(net->state);
	sampler->logits = lane_of(max);
	sampler->component = palloc0(sizeof(int32) * GS_BATCH);
	sampler->strata.shuffled = palloc(sizeof(uint16) * GS_BATCH);
	sampler->strata.row = palloc(sizeof(uint16) * GS_BATCH);
	sampler->strata.counter = palloc(sizeof(uint16) * (model->mixture.k + 1));
	sampler->token = palloc(sizeof(int32) * GS_BATCH);
	if (given != NULL)
		gs_decoder_condition(sampler, given);
	return sampler;
}

static GsMatrix
batch_matrix(float *data, int columns)
{
	return gs_matrix(data, GS_BATCH, columns);
}

static void
draw_words(const DecoderSampler *sampler, const GsBatch *batch, uint32 stream)
{
	gs_batch_words(batch, GS_STREAM_LATENT + stream, sampler->words);
}

/*
 * gs_decoder_noise: four columns of the latent noise, from column j on; words:
 * [4][GS_BATCH] random.
 */
void
gs_decoder_noise(DecoderSampler *sampler, const uint32 *words, int j)
{
	float		normal[4 * GS_BATCH];
	int			n = sampler->net->latent;

	gs_normal_lane(words, normal, 4 * GS_BATCH);
	for (int i = 0; i < GS_BATCH; i++)
		for (int c = 0; c < Min(4, n - j); c++)
			sampler->noise[i * n + j + c] = normal[c * GS_BATCH + i];
}

/*
 * gs_decoder_start: the state that the heads begin with, from latent vectors
 * and their components.
 */
void
gs_decoder_start(DecoderSampler *sampler)
{
	const GsDecoderNet *net = sampler->net;

	/* components after the first are conditions, where there are such */
	for (int i = 0; i < GS_BATCH; i++)
		sampler->token[i] = sampler->component[i] - 1;
	gs_decoder_net_start(net, sampler->params,
						 batch_matrix(sampler->z, net->latent),
						 net->conditioned ? sampler->token : NULL,
						 batch_matrix(sampler->outer, net->width),
						 GS_NO_MATRIX,
						 batch_matrix(sampler->state, net->state));
}

/*
 * gs_decoder_probabilities: how likely each token of a position is as the
 * state is.  [GS_BATCH][ntokens], until the next call.
 */
float *
gs_decoder_probabilities(DecoderSampler *sampler, int p)
{
	const GsDecoderNet *net = sampler->net;
	int			n = sampler->tokens->position[p].ntokens;
	GsMatrix	active = batch_matrix(sampler->active, net->state);
	GsMatrix	logits = batch_matrix(sampler->logits, n);

	gs_activate(net->activation, NULL,
				batch_matrix(sampler->state, net->state), active,
				GS_NO_MATRIX);
	gs_dense_forward(&net->head[p], sampler->params, active, logits,
					 GS_NO_MATRIX);
	gs_softmax(1, (int[2]) {0, n}, logits);
	return logits.data;
}

/*
 * gs_decoder_feed: adds a position's tokens to the state.
 *
 * token: [GS_BATCH]; -1: missing; used up
 */
void
gs_decoder_feed(DecoderSampler *sampler, int p, int32 *token)
{
	const GsDecoderNet *net = sampler->net;

	for (int i = 0; i < GS_BATCH; i++)
		token[i] = gs_shape_vector(net->shape, p, token[i]);
	gs_embedding_forward_add(&net->drawn, sampler->params, token, 1,
							 batch_matrix(sampler->state, net->state));
}

/*
 * Random words of a batch, the first ones shared out evenly among its rows,
 * and those of each component; the last two are used up.
 */
static void
even_words(DecoderSampler *sampler, const GsBatch *batch, uint32 stream)
{
	uint32		word;

	draw_words(sampler, batch, stream);
	word = sampler->words[3 * GS_BATCH];
	gs_stratify(&sampler->strata, GS_BATCH, sampler->component,
				sampler->mixture.k, sampler->words + 2 * GS_BATCH);
	for (int i = 0; i < GS_BATCH; i++, word += GS_GOLDEN)
		sampler->words[sampler->strata.row[i]] = word;
}

/*
 * The latent vectors of a batch.
 */
static void
draw_latent(DecoderSampler *sampler, const GsBatch *batch)
{
	for (int j = 0; j < sampler->net->latent; j += 4)
	{
		draw_words(sampler, batch, (uint32) j / 4);
		gs_decoder_noise(sampler, sampler->words, j);
	}
	memset(sampler->component, 0, sizeof(int32) * GS_BATCH);
	even_words(sampler, batch, STREAM_COMPONENT(sampler));
	gs_mixture_draw(&sampler->mixture, GS_BATCH, sampler->words,
					sampler->noise, sampler->component, sampler->z);
}

/*
 * gs_token_decoder_generate: see family.h.
 */
void
gs_token_decoder_generate(void *state, GsBatch *batch)
{
	DecoderSampler *sampler = state;
	const GsTokens *tokens = sampler->tokens;
	int			used = tokens->npositions;
	int			from = 0;
	uint64		before;

	gs_batch_fill_rest(batch, tokens->position_of);
	if (sampler->given != NULL)
		from = gs_decoder_confine(sampler, batch);
	before = gs_flush_subnormals(true, 0);
	if (sampler->given == NULL)
	{
		draw_latent(sampler, batch);
		gs_decoder_start(sampler);
	}
	/* what comes after the last one that is needed tells it nothing */
	while (used > 0 && !batch->needed[tokens->position[used - 1].feature])
		used--;
	for (int p = from; p < used; p++)
	{
		const float *probability = gs_decoder_probabilities(sampler, p);

		even_words(sampler, batch, STREAM_POSITION(sampler, p));
		gs_tokens_draw(&tokens->position[p], probability, sampler->words,
					   sampler->token);
		gs_tokens_put(tokens, p, batch, sampler->token,
					  sampler->words + GS_BATCH);
		gs_tokens_hide(tokens, p, batch, sampler->token);
		gs_decoder_feed(sampler, p, sampler->token);
	}
	gs_flush_subnormals(false, before);
}
