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

/*
 * N(0, I), a mixture of one.
 */
static GsMixture
standard_normal(void)
{
	int			d = GS_VAE_LATENT;
	GsMixture	mixture = {.k = 1,.d = d};

	mixture.weight = palloc(sizeof(float));
	mixture.weight[0] = 1;
	mixture.mean = palloc0(sizeof(float) * d);
	mixture.cholesky = palloc0(sizeof(float) * d * d);
	for (int j = 0; j < d; j++)
		mixture.cholesky[j * d + j] = 1;
	return mixture;
}

static void *
gan_load(const GsSchema *schema, const List *tensors)
{
	return gs_vae_open(schema, tensors, "gan", gs_vae_decoder_init,
					   standard_normal());
}

const GsFamily gs_gan = {
	.name = "gan",
	.fit = gs_gan_fit,
	.load = gan_load,
	.generate = gs_vae_generate,
	.condition = gs_vae_condition,
	.adjust = gs_vae_adjust,
	.adjust_batches = 20,
	.adjust_step = 1.5
};
