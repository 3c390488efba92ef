/*
 * vae.c
 *	  The variational autoencoder: loading and sampling.  vae_fit.c fits it,
 *	  vae_given.c confines it to conditions.
 *
 * A latent vector is drawn from a mixture of normal distributions, and the
 * decoder draws the features' tokens from it, one position after the other
 * (see nets/vae_net.h, tokens.h).
 *
 * Tensors, for K components over a latent vector of L:
 *	 vae/shape, vae/weights		the network, see training.c
 *	 vae/weight		float4 [K]
 *	 vae/mean		float4 [K, L]
 *	 vae/cholesky	float4 [K L, L]
 *	 tokens/..		see tokens.c
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/training.h"
#include "model/vae.h"
#include "numeric/normal.h"
#include "numeric/philox.h"

#define MAX_COMPONENTS	65535
#define WIDTH			256
#define STATE			128
#define STATE_WIDE		64		/* of tables with more positions than */
#define WIDE			64

/*
 * gs_vae_shape: the network for a table's tokens, all but its layers.
 * Allocates in the current context.
 */
void
gs_vae_shape(GsVaeNet *net, const GsTokens *tokens)
{
	int		   *offset = palloc(sizeof(int) * (tokens->npositions + 1));

	for (int p = 0; p < tokens->npositions; p++)
		offset[p] = tokens->position[p].first;
	offset[tokens->npositions] = tokens->ntokens;
	*net = (GsVaeNet)
	{
		.npositions = tokens->npositions,.offset = offset,
			.nnumbers = tokens->nnumbers,.latent = GS_VAE_LATENT,.width = WIDTH,
			.state = tokens->npositions > WIDE ? STATE_WIDE : STATE,
			.activation = GS_SILU,
			.head = palloc(sizeof(GsDense) * Max(tokens->npositions, 1))
	};
}

/*
 * Elements of a float tensor, all of them finite.
 */
static float *
load_floats(const List *tensors, const char *name, int ndims, int64 rows,
			int columns)
{
	const GsTensor *tensor = gs_tensor_get(tensors, name, GS_F4, ndims);
	float	   *data = tensor->data;

	if (tensor->dims[0] != rows || (ndims > 1 && tensor->dims[1] != columns))
		gs_corrupted("Tensor \"%s\" is not of the right shape.", name);
	for (int64 i = 0; i < rows * columns; i++)
		if (!(fabsf(data[i]) < 1e6f))
			gs_corrupted("Tensor \"%s\" has impossible elements.", name);
	return data;
}

static GsMixture
load_mixture(const List *tensors)
{
	int			d = GS_VAE_LATENT;
	int			k = gs_tensor_get(tensors, "vae/weight", GS_F4, 1)->dims[0];

	if (k < 1 || k > MAX_COMPONENTS)
		gs_corrupted("The mixture has %d components.", k);
	return (GsMixture) {
		.k = k,.d = d,
		.weight = load_floats(tensors, "vae/weight", 1, k, 1),
		.mean = load_floats(tensors, "vae/mean", 2, k, d),
		.cholesky = load_floats(tensors, "vae/cholesky", 2, (int64) k * d, d)
	};
}

static float *
lane_of(int columns)
{
	return palloc_extended(sizeof(float) * GS_BATCH * Max(columns, 1),
						   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/*
 * Adds to the log odds of the tokens of all positions.  bias: [ntokens]
 */
static void
add_bias(const GsVaeNet *net, const GsTokens *tokens, const float *bias,
		 float *params)
{
	for (int p = 0; p < net->npositions; p++)
		for (int t = 0; t < tokens->position[p].ntokens; t++)
			params[net->head[p].bias + t] += bias[tokens->position[p].first +
												  t];
}

/*
 * gs_vae_adjust: see family.h.  The weights become the sampler's own.
 */
const GsTokens *
gs_vae_adjust(void *sampler, const float *bias)
{
	Vae		   *vae = sampler;

	if (bias != NULL && vae->own == NULL)
	{
		vae->own = gs_training_copy(vae->params, vae->nparams);
		vae->params = vae->own;
	}
	if (bias != NULL)
		add_bias(vae->net, vae->tokens, bias, vae->own);
	return vae->tokens;
}

/*
 * gs_vae_open: a model from its tensors: the network NAME, whose layers init
 * adds, and tokens; its mixture is to be set.  Errors: data_corrupted.
 */
VaeModel *
gs_vae_open(const GsSchema *schema, const List *tensors, const char *name,
			void (*init) (GsVaeNet *net, GsParams *params))
{
	VaeModel   *model = palloc0(sizeof(VaeModel));
	GsTokens   *tokens = gs_tokens_load(schema, tensors);

	model->tokens = tokens;
	model->params = gs_training_params();
	gs_vae_shape(&model->net, tokens);
	init(&model->net, model->params);
	gs_training_load(name, tensors, model->params);
	if (gs_tensor_find(tensors, "tokens/bias") != NULL)
		add_bias(&model->net, tokens,
				 load_floats(tensors, "tokens/bias", 1, tokens->ntokens, 1),
				 model->params->value);
	return model;
}

static const void *
vae_load(const GsSchema *schema, const List *tensors)
{
	VaeModel   *model = gs_vae_open(schema, tensors, "vae", gs_vae_net_init);

	model->mixture = load_mixture(tensors);
	return model;
}

/*
 * gs_vae_begin: see family.h.
 */
void *
gs_vae_begin(const void *state, GsGiven *given, const bool *context)
{
	const VaeModel *model = state;
	const GsVaeNet *net = &model->net;
	Vae		   *vae = palloc0(sizeof(Vae));
	int			max = 1;

	vae->tokens = model->tokens;
	vae->net = net;
	vae->params = model->params->value;
	vae->nparams = model->params->size;
	vae->mixture = model->mixture;
	for (int p = 0; p < model->tokens->npositions; p++)
		max = Max(max, model->tokens->position[p].ntokens);
	vae->words = palloc(sizeof(uint32) * 4 * GS_BATCH);
	vae->normal = lane_of(net->latent + 3);
	vae->noise = lane_of(net->latent);
	vae->z = lane_of(net->latent);
	vae->outer = lane_of(net->width);
	vae->state = lane_of(net->state);
	vae->active = lane_of(net->state);
	vae->logits = lane_of(max);
	vae->component = palloc(sizeof(int32) * GS_BATCH);
	vae->strata.shuffled = palloc(sizeof(uint16) * GS_BATCH);
	vae->strata.row = palloc(sizeof(uint16) * GS_BATCH);
	vae->strata.counter = palloc(sizeof(uint16) * (model->mixture.k + 1));
	vae->token = palloc(sizeof(int32) * GS_BATCH);
	vae->drawn = palloc(sizeof(int32) * GS_BATCH);
	if (given != NULL)
		gs_vae_condition(vae, given);
	return vae;
}

static GsMatrix
batch_matrix(float *data, int columns)
{
	return gs_matrix(data, GS_BATCH, columns);
}

/*
 * gs_vae_random: random words of a batch's rows, vae->words.
 */
void
gs_vae_random(const Vae *vae, const GsBatch *batch, uint32 stream,
			  uint32 draw)
{
	uint32	   *w = vae->words;

	gs_philox_lanes(batch->key, batch->first, stream, draw, GS_BATCH, w,
					w + GS_BATCH, w + 2 * GS_BATCH, w + 3 * GS_BATCH);
}

/*
 * gs_vae_noise: standard normal vectors for the mixture, vae->noise.
 */
void
gs_vae_noise(Vae *vae, const GsBatch *batch, uint32 stream, uint32 draw)
{
	int			d = vae->net->latent;

	for (int j = 0; j < d; j += 4)
	{
		gs_vae_random(vae, batch, stream + (uint32) j / 4, draw);
		gs_normal_lane(vae->words, vae->normal + (Size) j * GS_BATCH,
					   4 * GS_BATCH);
	}
	for (int i = 0; i < GS_BATCH; i++)
		for (int j = 0; j < d; j++)
			vae->noise[i * d + j] = vae->normal[j * GS_BATCH + i];
}

/*
 * gs_vae_start: latent vectors from a mixture by vae->words and vae->noise,
 * and the state that the heads begin with.
 */
void
gs_vae_start(Vae *vae, const GsMixture *mixture)
{
	const GsVaeNet *net = vae->net;
	const float *params = vae->params;

	gs_mixture_draw(mixture, GS_BATCH, vae->words, vae->noise,
					vae->component, vae->z);
	/* components after the first are conditions, where there are such */
	for (int i = 0; i < GS_BATCH; i++)
		vae->drawn[i] = vae->component[i] - 1;
	gs_vae_decode_start(net, params, batch_matrix(vae->z, net->latent),
						net->condition.ntokens > 0 ? vae->drawn : NULL,
						batch_matrix(vae->outer, net->width), GS_NO_MATRIX,
						batch_matrix(vae->state, net->state));
}

/*
 * gs_vae_probabilities: how likely each token of a position is as the state
 * is. [GS_BATCH][ntokens], until the next call.
 */
const float *
gs_vae_probabilities(Vae *vae, int p)
{
	const GsVaeNet *net = vae->net;
	int			n = vae->tokens->position[p].ntokens;
	GsMatrix	active = batch_matrix(vae->active, net->state);
	GsMatrix	logits = batch_matrix(vae->logits, n);

	gs_activate(net->activation, NULL, batch_matrix(vae->state, net->state),
				active, GS_NO_MATRIX);
	gs_dense_forward(&net->head[p], vae->params, active, logits,
					 GS_NO_MATRIX);
	gs_softmax(1, (int[2]) {0, n}, logits);
	return logits.data;
}

/*
 * gs_vae_feed: adds a position's tokens to the state.
 *
 * token: [GS_BATCH]; is_null: [GS_BATCH] 1 where it counts as missing, or
 * NULL.
 */
void
gs_vae_feed(Vae *vae, int p, const int32 *token, const int32 *is_null)
{
	for (int i = 0; i < GS_BATCH; i++)
		vae->drawn[i] = gs_vae_token(vae->net, p, is_null != NULL &&
									 is_null[i] == 1 ? -1 : token[i]);
	gs_embedding_forward_add(&vae->net->drawn, vae->params, vae->drawn,
							 1, batch_matrix(vae->state, vae->net->state));
}

/*
 * Random words of a batch, the first ones shared out evenly among its rows,
 * and those of each component; the last two are used up.
 */
static void
stratified_words(Vae *vae, const GsBatch *batch, uint32 stream)
{
	uint32		word;

	gs_vae_random(vae, batch, GS_STREAM_LATENT + stream, 0);
	word = vae->words[3 * GS_BATCH];
	gs_stratify(&vae->strata, GS_BATCH, vae->component, vae->mixture.k,
				vae->words + 2 * GS_BATCH);
	for (int i = 0; i < GS_BATCH; i++, word += GS_GOLDEN)
		vae->words[vae->strata.row[i]] = word;
}

/*
 * The positions from one on to the last that is needed.
 */
static void
draw_positions(Vae *vae, GsBatch *batch, int from)
{
	const GsTokens *tokens = vae->tokens;
	int			used = tokens->npositions;

	while (used > 0 && !batch->needed[tokens->position[used - 1].feature])
		used--;
	for (int p = from; p < used; p++)
	{
		const GsTokenPosition *position = &tokens->position[p];
		const float *probability = gs_vae_probabilities(vae, p);

		stratified_words(vae, batch, GS_VAE_STREAM_POSITION(vae, p));
		gs_tokens_draw(position, probability, vae->words, vae->token);
		gs_tokens_put(tokens, p, batch, vae->token, vae->words + GS_BATCH);
		gs_vae_feed(vae, p, vae->token, position->null < 0 ? NULL :
					batch->code[tokens->position[position->null].feature]);
	}
}

/*
 * gs_vae_generate: see family.h.
 */
void
gs_vae_generate(void *sampler, GsBatch *batch)
{
	Vae		   *vae = sampler;
	int			from = vae->given == NULL ? 0 : gs_vae_confine(vae, batch);
	uint64		before = gs_flush_subnormals(true, 0);

	gs_tokens_fill_rest(vae->tokens, batch);
	if (vae->given == NULL)
	{
		gs_vae_noise(vae, batch, GS_STREAM_LATENT, 0);
		memset(vae->component, 0, sizeof(int32) * GS_BATCH);
		stratified_words(vae, batch, GS_VAE_STREAM_COMPONENT(vae));
		gs_vae_start(vae, &vae->mixture);
	}
	draw_positions(vae, batch, from);
	gs_flush_subnormals(false, before);
}

static const GsOptionDef options[] = {GS_TRAINING_OPTIONS};

const GsFamily gs_vae = {
	.name = "vae",
	.options = options,
	.noptions = lengthof(options),
	.options_size = sizeof(GsTrainingOptions),
	.fit = gs_vae_fit,
	.load = vae_load,
	.begin = gs_vae_begin,
	.generate = gs_vae_generate,
	.conditions = true,
	.adjust = gs_vae_adjust,
	.adjust_batches = 20,
	.adjust_features = 2000,
	.adjust_step = 1.5
};
