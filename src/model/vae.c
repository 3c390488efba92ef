/*
 * vae.c
 *	  The variational autoencoder: loading and sampling.  vae_fit.c fits it,
 *	  vae_given.c confines it to conditions.
 *
 * A latent vector is drawn from a mixture of normal distributions, and the
 * decoder draws the features' tokens from it, one place after the other (see
 * train/vae_net.h, tokens.h).
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

#define MOST_COMPONENTS	65535
#define WIDTH			256
#define LATENT			24
#define STATE			128
#define STATE_WIDE		64		/* of tables with more places than */
#define WIDE			64

/*
 * gs_vae_shape: the network for a table's tokens, whose views are added to
 * params.  Allocates in the current context.
 */
void
gs_vae_shape(GsVaeNet *net, const GsTokens *tokens, GsParams *params)
{
	int		   *offset = palloc(sizeof(int) * (tokens->nplaces + 1));

	for (int p = 0; p < tokens->nplaces; p++)
		offset[p] = tokens->place[p].first;
	offset[tokens->nplaces] = tokens->ntokens;
	*net = (GsVaeNet)
	{
		.nplaces = tokens->nplaces,.offset = offset,
			.nnumbers = tokens->nnumbers,.latent = LATENT,.width = WIDTH,
			.state = tokens->nplaces > WIDE ? STATE_WIDE : STATE,
			.head = palloc(sizeof(GsDense) * Max(tokens->nplaces, 1))
	};
	gs_vae_net_init(net, params);
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

static void
load_mixture(const List *tensors, int d, GsMixture *mixture)
{
	int			k = gs_tensor_get(tensors, "vae/weight", GS_F4, 1)->dims[0];

	if (k < 1 || k > MOST_COMPONENTS)
		gs_corrupted("The mixture has %d components.", k);
	mixture->k = k;
	mixture->d = d;
	mixture->weight = load_floats(tensors, "vae/weight", 1, k, 1);
	mixture->mean = load_floats(tensors, "vae/mean", 2, k, d);
	mixture->cholesky = load_floats(tensors, "vae/cholesky", 2,
									(int64) k * d, d);
}

static float *
lane_of(int columns)
{
	return palloc_extended(sizeof(float) * GS_BATCH * Max(columns, 1),
						   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static const GsTokens *
vae_adjust(void *model, const float *bias)
{
	Vae		   *vae = model;

	for (int p = 0; p < vae->net.nplaces && bias != NULL; p++)
		for (int t = 0; t < vae->tokens->place[p].ntokens; t++)
			vae->params->value[vae->net.head[p].bias + t] +=
				bias[vae->tokens->place[p].first + t];
	return vae->tokens;
}

static void *
vae_load(const GsSchema *schema, const List *tensors)
{
	Vae		   *vae = palloc0(sizeof(Vae));
	GsTokens   *tokens = gs_tokens_load(schema, tensors);
	int			most = 1;

	vae->tokens = tokens;
	vae->params = gs_training_params();
	gs_vae_shape(&vae->net, tokens, vae->params);
	gs_training_load("vae", tensors, vae->params);
	load_mixture(tensors, vae->net.latent, &vae->mixture);
	if (gs_tensor_find(tensors, "tokens/bias") != NULL)
		vae_adjust(vae, load_floats(tensors, "tokens/bias", 1,
									tokens->ntokens, 1));
	for (int p = 0; p < tokens->nplaces; p++)
		most = Max(most, tokens->place[p].ntokens);
	vae->words = palloc(sizeof(uint32) * 4 * GS_BATCH);
	vae->normal = lane_of(vae->net.latent + 3);
	vae->noise = lane_of(vae->net.latent);
	vae->z = lane_of(vae->net.latent);
	vae->outer = lane_of(vae->net.width);
	vae->state = lane_of(vae->net.state);
	vae->active = lane_of(vae->net.state);
	vae->logits = lane_of(most);
	vae->component = palloc(sizeof(int32) * GS_BATCH);
	vae->even.shuffled = palloc(sizeof(uint16) * GS_BATCH);
	vae->even.row = palloc(sizeof(uint16) * GS_BATCH);
	vae->even.counter = palloc(sizeof(uint16) * (vae->mixture.k + 1));
	vae->token = palloc(sizeof(int32) * GS_BATCH);
	vae->drawn = palloc(sizeof(int32) * GS_BATCH);
	return vae;
}

static GsMatrix
batch_matrix(float *data, int columns)
{
	return gs_matrix(data, GS_BATCH, columns);
}

static void
random_words(const Vae *vae, const GsBatch *batch, uint32 stream)
{
	uint32	   *w = vae->words;

	gs_philox_lanes(batch->key, batch->first, GS_STREAM_LATENT + stream, 0,
					GS_BATCH, w, w + GS_BATCH, w + 2 * GS_BATCH,
					w + 3 * GS_BATCH);
}

/*
 * The same with the first ones shared out evenly among the batch's rows, and
 * those of each component; the last two are used up.
 */
static void
even_words(Vae *vae, const GsBatch *batch, uint32 stream)
{
	uint32		word;

	random_words(vae, batch, stream);
	word = vae->words[3 * GS_BATCH];
	gs_even_order(&vae->even, GS_BATCH, vae->component, vae->mixture.k,
				  vae->words + 2 * GS_BATCH);
	for (int i = 0; i < GS_BATCH; i++, word += GS_GOLDEN)
		vae->words[vae->even.row[i]] = word;
}

/*
 * The latent vectors of a batch, and the state that its heads begin with.
 * Streams: latent / 4 of the noise, and one of the components.
 */
static void
draw_latent(Vae *vae, const GsBatch *batch)
{
	const GsVaeNet *net = &vae->net;
	const float *params = vae->params->value;

	for (int j = 0; j < net->latent; j += 4)
	{
		random_words(vae, batch, (uint32) j / 4);
		gs_normal_lane(vae->words, vae->normal + (Size) j * GS_BATCH,
					   4 * GS_BATCH);
	}
	for (int i = 0; i < GS_BATCH; i++)
		for (int j = 0; j < net->latent; j++)
			vae->noise[i * net->latent + j] = vae->normal[j * GS_BATCH + i];
	memset(vae->component, 0, sizeof(int32) * GS_BATCH);
	even_words(vae, batch, (uint32) (net->latent + 3) / 4);
	gs_mixture_draw(&vae->mixture, GS_BATCH, vae->words, vae->noise,
					vae->component, vae->z);
	gs_dense_forward(&net->outer, params, batch_matrix(vae->z, net->latent),
					 batch_matrix(vae->outer, net->width), GS_NO_MATRIX);
	gs_dense_forward(&net->start, params,
					 batch_matrix(vae->outer, net->width),
					 batch_matrix(vae->state, net->state), GS_NO_MATRIX);
}

/*
 * A place's tokens, and the state without what they add to it.
 */
static void
draw_place(Vae *vae, GsBatch *batch, int p)
{
	const GsVaeNet *net = &vae->net;
	const GsTokenPlace *place = &vae->tokens->place[p];
	GsMatrix	state = batch_matrix(vae->state, net->state);
	GsMatrix	active = batch_matrix(vae->active, net->state);
	GsMatrix	logits = batch_matrix(vae->logits, place->ntokens);

	gs_activate(GS_SILU, NULL, state, active, GS_NO_MATRIX);
	gs_dense_forward(&net->head[p], vae->params->value, active, logits,
					 GS_NO_MATRIX);
	even_words(vae, batch, (uint32) (net->latent + 3) / 4 + 1 + p);
	gs_softmax(1, (int[2]) {0, place->ntokens}, logits);
	gs_tokens_draw(place, logits.data, vae->words, vae->token);
	gs_tokens_put(vae->tokens, p, batch, vae->token, vae->words + GS_BATCH);
}

static void
vae_generate(void *model, GsBatch *batch)
{
	Vae		   *vae = model;
	const GsTokens *tokens = vae->tokens;
	int			used = tokens->nplaces;

	uint64		before = gs_flush_subnormals(true, 0);

	gs_tokens_fill_rest(tokens, batch);
	while (used > 0 && !batch->needed[tokens->place[used - 1].feature])
		used--;
	draw_latent(vae, batch);
	for (int p = 0; p < used; p++)
	{
		int			null = tokens->place[p].null;
		const int32 *is_null = null < 0 ? NULL :
			batch->code[tokens->place[null].feature];

		draw_place(vae, batch, p);
		for (int i = 0; i < GS_BATCH; i++)
			vae->drawn[i] = gs_vae_token(&vae->net, p, is_null != NULL &&
										 is_null[i] == 1 ? -1 : vae->token[i]);
		gs_embedding_forward_add(&vae->net.drawn, vae->params->value,
								 vae->drawn, 1,
								 batch_matrix(vae->state, vae->net.state));
	}
	gs_flush_subnormals(false, before);
}

const GsFamily gs_vae = {
	.name = "vae",
	.fit = gs_vae_fit,
	.load = vae_load,
	.generate = vae_generate,
	.adjust = vae_adjust
};
