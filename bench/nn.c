/*
 * nn.c
 *	  Training throughput of a residual net, and of its bare products.
 *
 *	nn what width batch seconds [threads]
 *
 * "what" is "train", whole steps of gs_trainer_step, or "gemm", the products of
 * such a step and nothing else, one after the other over the rows of a shard.
 * Prints steps per second, and ms of CPU time per step, all threads together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/nn/train.h"
#include "../src/numeric/blas.h"
#include "../src/numeric/gemm.h"

#define INPUT	300
#define HEADS	15				/* of 20 levels each: 300 outputs */
#define BLOCKS	3

typedef struct Net
{
	GsDense		input;
	GsResidual	block[BLOCKS];
	GsDense		output;
	gs_real    *x;				/* [batch][INPUT] */
	int32_t    *target;			/* [batch][HEADS] */
	int			offset[HEADS + 1];
	int			width;
	int			batch;
	int			rows;			/* of a bare product */
} Net;

/* buffers of a shard */
typedef struct Buffers
{
	GsMatrix	h[BLOCKS + 1];
	GsResidualState state[BLOCKS];
	GsMatrix	active;
	GsMatrix	slope;
	GsMatrix	logits;
} Buffers;

static void
lay_out(const Net *net, GsArena *arena, int rows, Buffers *buffers)
{
	for (int b = 0; b <= BLOCKS; b++)
		buffers->h[b] = gs_arena_matrix(arena, rows, net->width);
	for (int b = 0; b < BLOCKS; b++)
		buffers->state[b] = gs_residual_layout(&net->block[b], arena, rows);
	buffers->active = gs_arena_matrix(arena, rows, net->width);
	buffers->slope = gs_arena_matrix(arena, rows, net->width);
	buffers->logits = gs_arena_matrix(arena, rows, INPUT);
}

static double
loss(const void *model, GsShard *shard)
{
	const Net  *net = model;
	const gs_real *params = shard->params;
	gs_real    *grad = shard->grad;
	GsMatrix	x = gs_matrix(net->x + (size_t) shard->first * INPUT,
							  shard->n, INPUT);
	Buffers		buf;
	double		sum;

	lay_out(net, &shard->arena, shard->n, &buf);
	gs_dense_forward(&net->input, params, x, buf.h[0], GS_NO_MATRIX);
	for (int b = 0; b < BLOCKS; b++)
		gs_residual_forward(&net->block[b], params, buf.h[b], &buf.state[b],
							buf.h[b + 1]);
	gs_activate(GS_SILU, NULL, buf.h[BLOCKS], buf.active, buf.slope);
	gs_dense_forward(&net->output, params, buf.active, buf.logits,
					 GS_NO_MATRIX);
	sum = gs_softmax_loss(HEADS, net->offset, buf.logits,
						  net->target + shard->first * HEADS, GS_NO_MATRIX);
	gs_dense_backward(&net->output, params, grad, buf.active, GS_NO_MATRIX,
					  buf.logits, buf.active);
	gs_multiply(buf.active, buf.slope);
	for (int b = BLOCKS - 1; b >= 0; b--)
		gs_residual_backward(&net->block[b], params, grad, buf.h[b],
							 &buf.state[b], buf.active);
	gs_dense_backward(&net->input, params, grad, x, GS_NO_MATRIX, buf.active,
					  GS_NO_MATRIX);
	return sum;
}

/* C = op(A) op(B) */
static void
product(bool ta, bool tb, int m, int n, int k, const float *a, int lda,
		const float *b, int ldb, float *c)
{
	gs_sgemm(&(GsProduct) {
			 .transpose_a = ta,.transpose_b = tb,.m = m,.n = n,.k = k,
			 .a = a,.lda = lda,.b = b,.ldb = ldb,.c = c,.ldc = n});
}

/* the three products of a dense layer's forward and backward */
static void
products(int rows, int in, int out, bool by_input, const float *x,
		 float *y, const float *w, float *dw, float *dx)
{
	product(false, false, rows, out, in, x, in, w, out, y);
	product(true, false, in, out, rows, x, in, y, out, dw);
	if (by_input)
		product(false, true, rows, in, out, y, out, w, out, dx);
}

/* the products of one step, over some of its rows; each layer has buffers */
static void
bare(void *arg, int task)
{
	static __thread float *memory;
	const Net  *net = arg;
	int			rows = net->rows;
	int			w = net->width;
	size_t		most = w > INPUT ? w : INPUT;
	size_t		each = (3 * rows + 2 * most) * most;
	float	   *at;

	if (memory == NULL)
		memory = gs_vector_create(each * (2 + 2 * BLOCKS));
	at = memory;
	for (int layer = 0; layer < 2 + 2 * BLOCKS; layer++, at += each)
		products(rows, layer == 0 ? INPUT : w,
				 layer == 1 + 2 * BLOCKS ? INPUT : w, layer > 0, at,
				 at + rows * most, at + 2 * rows * most,
				 at + 2 * rows * most + most * most,
				 at + 2 * rows * most + 2 * most * most);
}

static double
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void
make_net(Net *net, GsParams *params)
{
	gs_dense_add(params, "input", INPUT, net->width, GS_LINEAR, &net->input);
	for (int b = 0; b < BLOCKS; b++)
		gs_residual_add(params, "block", net->width, net->width, GS_SILU,
						&net->block[b]);
	gs_dense_add(params, "output", net->width, INPUT, GS_LINEAR,
				 &net->output);
	net->x = gs_vector_create((size_t) net->batch * INPUT);
	net->target = malloc(sizeof(int32_t) * net->batch * HEADS);
	gs_draw_normal((GsDraw) {1, 0, 0, 0},
				   gs_matrix(net->x, net->batch, INPUT));
	for (int i = 0; i < net->batch * HEADS; i++)
		net->target[i] = i % 7;
	for (int h = 0; h <= HEADS; h++)
		net->offset[h] = 20 * h;
}

int
main(int argc, char **argv)
{
	Net			net = {.width = argc > 4 ? atoi(argv[2]) : 0};
	GsParams	params = {0};
	GsArena		arena = {NULL, 0, 0};
	GsTrainerSetup setup = {
		.params = &params,.adam = GS_ADAM_DEFAULTS,.loss = loss,.model = &net
	};
	GsTrainer	trainer;
	GsStep		step = {0, 0};
	Buffers		buffers;
	bool		train;
	double		begun;
	double		busy;
	int			steps = 0;

	if (argc < 5)
		return fprintf(stderr, "see the head of nn.c\n"), 2;
	train = strcmp(argv[1], "train") == 0;
	net.batch = setup.batch = atoi(argv[3]);
	net.rows = gs_shard_rows(net.batch);
	setup.pool = gs_pool_start(argc > 5 ? atoi(argv[5]) : 2);
	gs_blas_init();
	make_net(&net, &params);
	lay_out(&net, &arena, gs_shard_rows(net.batch), &buffers);
	setup.workspace = arena.used;
	if (!gs_params_create(&params, 1) || !gs_trainer_create(&setup, &trainer))
		return fprintf(stderr, "out of memory\n"), 1;
	for (int warm = 0; warm < 2; warm++)
	{
		double		limit = warm ? atof(argv[4]) : 0.3;

		begun = now(CLOCK_MONOTONIC);
		busy = now(CLOCK_PROCESS_CPUTIME_ID);
		for (steps = 0; now(CLOCK_MONOTONIC) - begun < limit; steps++)
			if (!train)
				gs_pool_run(setup.pool, net.batch / net.rows, bare, &net);
			else if (gs_trainer_step(&trainer, net.batch, 1e-3, &step) !=
					 GS_STEP_DONE)
				return fprintf(stderr, "the loss is not finite\n"), 1;
	}
	printf("%.2f %.2f\n", steps / (now(CLOCK_MONOTONIC) - begun),
		   (now(CLOCK_PROCESS_CPUTIME_ID) - busy) / steps * 1e3);
	return 0;
}
