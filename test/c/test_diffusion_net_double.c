/*
 * test_diffusion_net_double.c
 *	  Masked diffusion's network: its gradient against central differences, in
 *	  double precision (see script/ctest.sh), and what is masked.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/nets/diffusion_net.h"
#include "test.h"

#define STEP	1e-5
#define ROWS	9
#define BLOCKS	2

/* position 1 is a number, which token 1 of position 0 makes NULL */
static const int32_t token[3] = {0, 3, 1};
static const int32_t null_row[3] = {1, -1, 0};
static const int offset[] = {0, 2, 7, 10};
static const int number[] = {-1, 0, -1};
static const int null[] = {-1, 0, -1};
static const int null_token[] = {0, 1, 0};
static const GsNetShape shape = {.npositions = 3,.nnumbers = 1,
.offset = offset,.number = number,.null = null,.null_token = null_token};

/*
 * The loss, always with a gradient: dropout is a part of training alone.
 */
static double
loss_of(const GsDiffusionNet *net, const gs_real *params, gs_real *grad)
{
	size_t		bytes = gs_diffusion_workspace(net, ROWS);
	GsShard		shard = {.n = ROWS,.params = params,.grad = grad,.key = 7,
		.arena = {.base = (char *) gs_vector_create(bytes / sizeof(gs_real) + 1),
	.size = bytes}};
	GsNetRows	rows = gs_net_rows(net->shape, &shard.arena, ROWS);
	double		loss;

	for (int i = 0; i < ROWS; i++)
	{
		memcpy(rows.token + i * 3, i % 4 == 3 ? null_row : token,
			   sizeof(token));
		if (rows.score.cols > 0)
			gs_row(rows.score, i)[0] = i % 4 == 3 ? 0 : 0.3 * i - 1;
	}
	loss = gs_diffusion_loss(net, &rows, &shard);
	if (shard.arena.used > bytes)
		CHECK(false, "the loss stays within its workspace");
	free(shard.arena.base);
	return loss;
}

static void
check_net(const GsNetShape *of, double dropout, int nheads, const char *name)
{
	GsDense		head[3];
	GsResidual	block[BLOCKS];
	GsDiffusionNet net = {.shape = of,.width = 6,.nblocks = BLOCKS,
	.dropout = dropout,.block = block,.head = head};
	GsParams	params = {0};
	gs_real    *grad;
	gs_real    *unused;
	double		worst = 0;
	double		length = 0;

	gs_diffusion_net_init(&net, &params);
	CHECK(net.nheads == 3 && net.nlogits == 10, "all heads are trained");
	net.nheads = nheads;
	CHECK(gs_params_create(&params, 3), "parameters");
	grad = gs_vector_create(params.size);
	unused = gs_vector_create(params.size);
	loss_of(&net, params.value, grad);
	for (size_t i = 0; i < params.size; i++)
	{
		gs_real		value = params.value[i];
		double		up;
		double		down;

		params.value[i] = value + STEP;
		up = loss_of(&net, params.value, unused);
		params.value[i] = value - STEP;
		down = loss_of(&net, params.value, unused);
		params.value[i] = value;
		length += grad[i] * grad[i];
		worst = fmax(worst, fabs((up - down) / (2 * STEP) - grad[i]) /
					 (1 + fabs(grad[i])));
	}
	printf("# %s: worst error %g, length %g\n", name, worst, sqrt(length));
	CHECK(worst < 1e-6 && length > 0.01, name);
	free(grad);
	free(unused);
	gs_params_free(&params);
}

int
main(void)
{
	GsNetShape	plain = shape;

	plain.nnumbers = 0;
	plain.number = (const int[]) {-1, -1, -1};
	check_net(&shape, 0, 3, "gradient of the loss");
	check_net(&shape, 0.4, 3, "gradient with dropout");
	check_net(&shape, 0, 2, "gradient of some heads");
	check_net(&plain, 0, 3, "gradient without numbers");
	return test_done();
}
