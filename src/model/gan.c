/*
 * gan.c
 *	  The generative adversarial network: loading.  gan_fit.c fits it,
 *	  token_decoder.c samples it.
 *
 * Its generator is the decoder of the variational autoencoder, from N(0, I):
 * so is all that is done with it.
 *
 * Tensors:
 *	 gan/shape, gan/weights		the generator, see training.c
 *	 tokens/..					see tokens.c
 */
#include "postgres.h"

#include "model/gan.h"
#include "model/token_decoder.h"
#include "model/training.h"

/*
 * gs_gan_generator: a decoder as the generator has it.
 */
GsDecoderNet
gs_gan_generator(GsDecoderNet net)
{
	/* its slope is told by what comes out, and need not be kept */
	net.activation = GS_LEAKY_RELU;
	net.conditioned = true;
	return net;
}

/*
 * A component for each condition, and before them one for none.  Rows are
 * made under none.
 */
static const void *
gan_load(const GsSchema *schema, const List *tensors)
{
	GsTokenDecoder *model = gs_token_decoder_open(schema, tensors);
	int			k = model->tokens->ntokens + 1;
	float	   *weight = palloc0(sizeof(float) * k);

	model->net = gs_gan_generator(model->net);
	gs_decoder_net_init(&model->net, model->params);
	gs_token_decoder_load(model, "gan", tensors);
	weight[0] = 1;
	model->mixture = (GsMixture) {.k = k,.d = model->net.latent,
	.weight = weight};
	return model;
}

static const GsOptionDef options[] = {GS_TRAINING_OPTIONS};

const GsFamily gs_gan = {
	.name = "gan",
	.options = options,
	.noptions = lengthof(options),
	.options_size = sizeof(GsTrainingOptions),
	.fit = gs_gan_fit,
	.load = gan_load,
	GS_TOKEN_DECODER_FAMILY
};
