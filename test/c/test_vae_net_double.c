/*
 * test_vae_net_double.c
 *	  The gradient of the variational autoencoder's loss against central
 *	  differences, in double precision (see script/ctest.sh).
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/nets/vae_net.h"
#include "test.h"

#define STEP	1e-5
#define ROWS	5

static const int32_t token[ROWS * 3] = {
	0, 3, 1, 1, -1, 0, 1, 4, -1, 0, 0, 2, -1, 2, 1
};
static const int offset[] = {0, 2, 7, 10};

static double
loss_of(const GsVaeNet *net, const gs_real *params, gs_real *grad,
		double beta)
{
	size_t		bytes = gs_vae_workspace(net, ROWS);
	GsShard		shard = {.n = ROWS,.params = params,.grad = grad,.key = 7,
		.arena = {.base = (char *) gs_vector_create(bytes / sizeof(gs_real) + 1),
	.size = bytes}};
	GsNetRows	rows = gs_net_rows(net->decoder.shape, &shard.arena, ROWS);
	double		loss;

	memcpy(rows.token, token, sizeof(token));
	for (int i = 0; i < ROWS; i++)
		for (int j = 0; j < net->decoder.shape->nnumbers; j++)
			gs_row(rows.score, i)[j] = (i + 1) * 0.3 - j;
	loss = gs_vae_loss(net, &rows, &shard, beta);
	if (shard.arena.used > bytes)
		CHECK(false, "the loss stays within its workspace");
	free(shard.arena.base);
	return loss;
}

/*
 * nnumbers: of the network; most: of a gradient's error that is seen.
 */
static void
check_net(int nnumbers, double beta, const char *name)
{
	GsDense		head[3];
	GsNetShape	shape = {.npositions = 3,.offset = offset,.nnumbers = nnumbers};
	GsVaeNet	net = {.decoder = {.shape = &shape,.latent = 2,.width = 6,
	.state = 5,.activation = GS_SILU,.head = head}};
	GsParams	params = {0};
	gs_real    *grad;
	double		worst = 0;

	gs_vae_net_init(&net, &params);
	CHECK(gs_params_create(&params, 3), "parameters");
	grad = gs_vector_create(params.size);
	loss_of(&net, params.value, grad, beta);
	for (size_t i = 0; i < params.size; i++)
	{
		gs_real		value = params.value[i];
		double		up;
		double		down;

		params.value[i] = value + STEP;
		up = loss_of(&net, params.value, NULL, beta);
		params.value[i] = value - STEP;
		down = loss_of(&net, params.value, NULL, beta);
		params.value[i] = value;
		worst = fmax(worst, fabs((up - down) / (2 * STEP) - grad[i]) /
					 (1 + fabs(grad[i])));
	}
	printf("# %s: worst error %g\n", name, worst);
	CHECK(worst < 1e-6, name);
	free(grad);
	gs_params_free(&params);
}

int
main(void)
{
	check_net(2, 0.4, "gradient of the loss");
	check_net(0, 0, "gradient without numbers and divergence");
	return test_done();
}
