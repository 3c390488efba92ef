/*
 * gan.c
 *	  The generative adversarial network: loading and sampling.  gan_fit.c fits
 *	  it.
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
#include "model/training.h"
#include "nets/gan_net.h"

/*
 * A component for each condition, and before them one for none.  Rows are
 * made under none.
 */
static const void *
gan_load(const GsSchema *schema, const List *tensors)
{
	VaeModel   *model = gs_vae_open(schema, tensors, "gan",
									gs_gan_decoder_init);
	int			k = model->tokens->ntokens + 1;
	float	   *weight = palloc0(sizeof(float) * k);

	weight[0] = 1;
	model->mixture = (GsMixture) {.k = k,.d = GS_VAE_LATENT,.weight = weight};
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
	.begin = gs_vae_begin,
	.generate = gs_vae_generate,
	.conditions = true,
	.adjust = gs_vae_adjust,
	.adjust_batches = 20,
	.adjust_features = 2000,
	.adjust_step = 1.5
};
