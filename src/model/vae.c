/*
 * vae.c
 *	  The variational autoencoder: loading.  vae_fit.c fits it,
 *	  token_decoder.c samples it.
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

#include "model/token_decoder.h"
#include "model/training.h"
#include "model/vae.h"
#include "nets/vae_net.h"

#define MAX_COMPONENTS	65535

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
load_mixture(const List *tensors, int d)
{
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

static const void *
vae_load(const GsSchema *schema, const List *tensors)
{
	GsTokenDecoder *model = gs_token_decoder_open(schema, tensors);
	GsVaeNet	net = {.decoder = model->net};

	gs_vae_net_init(&net, model->params);
	model->net = net.decoder;
	gs_token_decoder_load(model, "vae", tensors);
	model->mixture = load_mixture(tensors, model->net.latent);
	return model;
}

static const GsOptionDef options[] = {GS_TRAINING_OPTIONS};

const GsFamily gs_vae = {
	.name = "vae",
	.options = options,
	.noptions = lengthof(options),
	.options_size = sizeof(GsTrainingOptions),
	.fit = gs_vae_fit,
	.load = vae_load,
	GS_TOKEN_DECODER_FAMILY
};
