/*
 * test_train.c
 *	  The pool, AdamW against PyTorch, steps in parallel, and a small net that
 *	  learns an exclusive or.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/nn/train.h"
#include "../../src/numeric/blas.h"
#include "test.h"

#define WIDTH	36
#define BATCH	451				/* three shards, of different sizes */

/*
 * Pool
 */
static atomic_int calls[1000];
static atomic_int flushed;

static void
count_call(void *arg, int task)
{
	volatile float tiny = 1e-30f;

	atomic_fetch_add(&calls[task], 1);
	tiny *= 1e-12f;
	atomic_fetch_add(&flushed, tiny == 0);
}

static void *
ask_signals(void *arg)
{
	sigset_t	blocked;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	*(bool *) arg = sigismember(&blocked, SIGINT) &&
		sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGUSR1);
	return NULL;
}

static void
test_pool(void)
{
	volatile float tiny = 1e-30f;
	pthread_t	thread;
	sigset_t	blocked;
	bool		all_blocked = false;
	int			wrong = 0;

	for (int threads = 1; threads <= 3; threads++)
	{
		GsPool	   *pool = gs_pool_start(threads);

		for (int ntasks = 0; ntasks <= 1000; ntasks += 50)
		{
			memset(calls, 0, sizeof(calls));
			atomic_store(&flushed, 0);
			gs_pool_run(pool, ntasks, count_call, NULL);
			for (int i = 0; i < 1000; i++)
				wrong += atomic_load(&calls[i]) != (i < ntasks);
#if defined(__SSE2__) || defined(__aarch64__)
			wrong += atomic_load(&flushed) != ntasks;
#endif
		}
		gs_pool_end(pool);
	}
	CHECK(wrong == 0, "each task is done once, with subnormals zero");
	tiny *= 1e-12f;
	CHECK(tiny > 0, "subnormals are back afterwards");
	CHECK(gs_thread_start(&thread, ask_signals, &all_blocked), "a thread");
	pthread_join(thread, NULL);
	CHECK(all_blocked, "signals are blocked in threads");
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	CHECK(!sigismember(&blocked, SIGINT), "and not in the caller");
	gs_pool_end(NULL);
}

/*
 * AdamW.  The numbers are PyTorch's (2.13.0, double precision):
 *
 *	w = tensor([0.5, -1.0, 2.0, 0.25]); b = tensor([0.1, -0.3])
 *	opt = AdamW([{'params': [w], 'weight_decay': 0.1},
 *				 {'params': [b], 'weight_decay': 0.0}],
 *				betas=(0.9, 0.99), eps=1e-8)
 *	for k in range(8):
 *		f = (k + 1) / 3 if k < 2 else
 *			0.1 + 0.9 * (0.5 + 0.5 * cos(pi * (k - 2) / 6))
 *		lr = 0.05 * f
 *		loss = cos(tensor([1, 2, 3, 4, 5, 6]) * cat([w, b])).sum()
 *		loss.backward(); clip_grad_norm_([w, b], 4.0); opt.step()
 *		d = min(0.9, (k + 1) / (k + 10))
 *		average = d * average + (1 - d) * cat([w, b])
 */
static const double reference[3][14] = {
	/* k, loss, norm, w and b; then their average */
	{
		2.612288785, 7.446934983,
		0.515833333, -1.015000000, 1.980000000, 0.266250000,
		0.116666667, -0.316666667,
		0.514249999, -1.013500000, 1.982000000, 0.264625000,
		0.115000000, -0.315000000
	},
	{
		1.042253179, 7.477863667,
		0.639203469, -1.131213911, 1.825203256, 0.392886772,
		0.247054237, -0.445578741,
		0.621436950, -1.114530763, 1.847388578, 0.374651744,
		0.228261539, -0.427139203
	},
	{
		-0.925322802, 6.974755370,
		0.724715062, -1.210136760, 1.719154303, 0.480366821,
		0.338192025, -0.524860394,
		0.714237406, -1.200542280, 1.732176608, 0.469675643,
		0.326985446, -0.515894924
	}
};

static const float start[6] = {0.5, -1.0, 2.0, 0.25, 0.1, -0.3};

/* a view's place: w at 0, b at 16 */
static size_t
position(int j)
{
	return j < 4 ? j : 16 + j - 4;
}

static double
cosine_loss(const void *model, GsShard *shard)
{
	double		loss = 0;

	for (int j = 0; j < 6; j++)
	{
		double		p = shard->params[position(j)];

		loss += cos((j + 1) * p) * shard->n;
		if (shard->grad != NULL)
			shard->grad[position(j)] -= (float) ((j + 1) * sin((j + 1) * p) *
												 shard->n);
	}
	return loss;
}

static double
distance(const gs_real *vector, const double *expected)
{
	double		worst = 0;

	for (int j = 0; j < 6; j++)
		worst = fmax(worst, fabs(vector[position(j)] - expected[j]));
	return worst;
}

static void
test_adam(void)
{
	GsParams	params = {0};
	GsPool	   *pool = gs_pool_start(2);
	GsTrainerSetup setup = {
		.pool = pool,.params = &params,.adam = {0.9, 0.99, 1e-8, 0.1, 4, 0.9},
		.loss = cosine_loss,.batch = BATCH
	};
	GsTrainer	trainer;
	double		loss;

	gs_params_add(&params, "w", 2, 2, GS_INIT_ZERO_WEIGHT);
	gs_params_add(&params, "b", 1, 2, GS_INIT_ZERO);
	CHECK(gs_params_create(&params, 1), "parameters");
	for (int j = 0; j < 6; j++)
		params.value[position(j)] = start[j];
	CHECK(gs_trainer_create(&setup, &trainer), "a trainer");
	for (int k = 0, r = 0; k < 8; k++)
	{
		GsStep		step;
		GsStatus	status =
			gs_trainer_step(&trainer, BATCH - 300 * (k % 2),
							0.05 * gs_schedule(k, 8, 2, 0.1), &step);

		CHECK(status == GS_STEP_DONE, "a step");
		if (k != 0 && k != 3 && k != 7)
			continue;
		CHECK_NEAR(step.loss, reference[r][0], 1e-5, "its loss");
		CHECK_NEAR(step.norm, reference[r][1], 1e-5, "its gradient's length");
		CHECK_NEAR(distance(params.value, reference[r] + 2), 0, 1e-6,
				   "the parameters are PyTorch's");
		CHECK_NEAR(distance(trainer.average, reference[r] + 8), 0, 1e-6,
				   "so is their average");
		r++;
	}
	CHECK(gs_trainer_loss(&trainer, params.value, 100, 0, &loss) ==
		  GS_STEP_DONE && loss < -0.9254, "the loss afterwards");
	CHECK_NEAR(gs_schedule(99, 8, 2, 0.1), 0.1, 0, "beyond the end");
	gs_trainer_free(&trainer);
	gs_pool_end(pool);
	gs_params_free(&params);
}

/*
 * A net that has to learn which of two tokens' exclusive or is odd, with a
 * number that turns the answer around; dropout and noise are on.
 */
typedef struct Net
{
	GsEmbedding embedding;
	GsDense		number;
	GsResidual	block;
	GsDense		output;
	double		dropout;
	atomic_bool *cancel;		/* to be set within step 3 */
	gs_real		poison;			/* of the gradient, in step 3 */
	double		poison_loss;
} Net;

static void
make_net(Net *net, GsParams *params)
{
	memset(params, 0, sizeof(*params));
	gs_embedding_add(params, "tokens", 8, WIDTH, &net->embedding);
	gs_dense_add(params, "number", 1, WIDTH, GS_LINEAR, &net->number);
	gs_residual_add(params, "block", WIDTH, 40, GS_SILU, &net->block);
	gs_dense_add(params, "output", WIDTH, 2, GS_LINEAR, &net->output);
	CHECK(gs_params_create(params, 42), "a net");
}

static size_t
net_workspace(const Net *net, int rows)
{
	GsArena		arena = {NULL, 0, 0};

	gs_arena_matrix(&arena, rows, 3);
	gs_arena_take(&arena, 3 * (size_t) rows, sizeof(int32_t));
	gs_arena_matrix(&arena, rows, WIDTH);
	gs_arena_matrix(&arena, rows, WIDTH);
	gs_arena_matrix(&arena, rows, 2);
	gs_residual_layout(&net->block, &arena, rows);
	return arena.used;
}

static double
net_loss(const void *model, GsShard *shard)
{
	const Net  *net = model;
	const int	offset[] = {0, 2};
	int			n = shard->n;
	GsArena    *arena = &shard->arena;
	GsMatrix	x = gs_arena_matrix(arena, n, 3);
	int32_t    *token = gs_arena_take(arena, 3 * (size_t) n, sizeof(int32_t));
	int32_t    *target = token + 2 * n;
	GsMatrix	h = gs_arena_matrix(arena, n, WIDTH);
	GsMatrix	y = gs_arena_matrix(arena, n, WIDTH);
	GsMatrix	logits = gs_arena_matrix(arena, n, 2);
	GsResidualState state = gs_residual_layout(&net->block, arena, n);
	GsDraw		draw = {shard->key, shard->step, 0, shard->first};
	GsDraw		drop = {shard->key, shard->step, 1, shard->first};
	GsMatrix	number = gs_matrix_columns(x, 2, 1);
	double		loss;

	gs_draw_uniform(draw, x);
	for (int i = 0; i < n; i++)
	{
		gs_real    *row = gs_row(x, i);

		token[2 * i] = (int) (row[0] * 4);
		token[2 * i + 1] = 4 + (int) (row[1] * 4);
		target[i] = (token[2 * i] ^ token[2 * i + 1] ^ (row[2] > 0.5)) & 1;
		row[2] = row[2] > 0.5 ? 1 : -1;
	}
	gs_dense_forward(&net->number, shard->params, number, h, GS_NO_MATRIX);
	gs_embedding_forward_add(&net->embedding, shard->params, token, 2, h);
	gs_residual_forward(&net->block, shard->params, h, &state, y);
	if (shard->grad != NULL)
		gs_dropout(drop, net->dropout, y);
	gs_dense_forward(&net->output, shard->params, y, logits, GS_NO_MATRIX);
	loss = gs_softmax_loss(1, offset, logits, target, GS_NO_MATRIX);
	if (shard->grad == NULL)
		return loss;
	gs_dense_backward(&net->output, shard->params, shard->grad, y,
					  GS_NO_MATRIX, logits, y);
	gs_dropout(drop, net->dropout, y);
	gs_residual_backward(&net->block, shard->params, shard->grad, h, &state,
						 y);
	gs_embedding_backward(&net->embedding, shard->grad, token, 2, y);
	gs_dense_backward(&net->number, shard->params, shard->grad, number,
					  GS_NO_MATRIX, y, GS_NO_MATRIX);
	if (shard->step == 3)
	{
		if (net->cancel != NULL)
			atomic_store(net->cancel, true);
		shard->grad[5] += net->poison;
		loss += net->poison_loss;
	}
	return loss;
}

/* trains for "steps" steps; the parameters and their average are the result */
static GsParams
train(int threads, int steps, Net *net, GsStatus expected, double *last)
{
	GsParams	params;
	GsPool	   *pool = gs_pool_start(threads);
	GsTrainer	trainer;
	GsTrainerSetup setup = {
		.pool = pool,.params = &params,.adam = GS_ADAM_DEFAULTS,
		.loss = net_loss,.model = net,.batch = BATCH,.key = 17,
		.cancel = net->cancel
	};
	int			odd = 0;
	int			changed = 0;

	make_net(net, &params);
	setup.workspace = net_workspace(net, gs_shard_rows(BATCH));
	CHECK(gs_trainer_create(&setup, &trainer), "a trainer");
	while (trainer.step < steps)
	{
		uint64_t	step = trainer.step;
		GsStep		result;
		gs_real		before = params.value[5];
		GsStatus	status = gs_trainer_step(&trainer, BATCH, 0.01, &result);

		if (status != GS_STEP_DONE)
		{
			/* once; then again without */
			odd += status != expected || step != 3 || trainer.step != 3;
			changed += params.value[5] != before;
			if (net->cancel != NULL)
				atomic_store(net->cancel, false);
			net->cancel = NULL;
			net->poison = 0;
			net->poison_loss = 0;
			expected = GS_STEP_DONE;
		}
	}
	CHECK(odd == 0 && expected == GS_STEP_DONE, "statuses as expected");
	CHECK(changed == 0, "a step that failed changes nothing");
	gs_trainer_loss(&trainer, trainer.average, BATCH, 1000000, last);
	gs_trainer_free(&trainer);
	gs_pool_end(pool);
	return params;
}

static bool
same(const GsParams *a, const GsParams *b)
{
	return a->size == b->size &&
		memcmp(a->value, b->value, a->size * sizeof(gs_real)) == 0;
}

static void
test_steps(void)
{
	Net			net = {.dropout = 0.1};
	atomic_bool cancel = false;
	double		loss;
	double		loss2;
	GsParams	one = train(1, 30, &net, GS_STEP_DONE, &loss);
	GsParams	two = train(2, 30, &net, GS_STEP_DONE, &loss2);
	GsParams	other;

	CHECK(same(&one, &two) && loss == loss2,
		  "one thread and two give the same bits");
	net.cancel = &cancel;
	other = train(1, 30, &net, GS_STEP_CANCELLED, &loss);
	CHECK(same(&one, &other), "a cancelled step leaves no trace");
	gs_params_free(&other);
	net.poison = NAN;
	other = train(2, 30, &net, GS_STEP_NOT_FINITE, &loss);
	CHECK(same(&one, &other), "nor does a gradient that is not finite");
	gs_params_free(&other);
	net.poison_loss = INFINITY;
	other = train(2, 30, &net, GS_STEP_NOT_FINITE, &loss);
	CHECK(same(&one, &other), "nor a loss that is not finite");
	gs_params_free(&other);
	net.dropout = 0;
	other = train(2, 30, &net, GS_STEP_DONE, &loss);
	CHECK(!same(&one, &other), "dropout makes a difference");
	gs_params_free(&other);
	gs_params_free(&one);
	gs_params_free(&two);
}

static void
test_learning(void)
{
	Net			net = {.dropout = 0};
	double		before;
	double		after;
	GsParams	params = train(2, 1, &net, GS_STEP_DONE, &before);

	gs_params_free(&params);
	params = train(2, 250, &net, GS_STEP_DONE, &after);
	CHECK(before > 0.6, "at first it knows nothing");
	CHECK_NEAR(after, 0, 0.02, "then it has learned the exclusive or");
	gs_params_free(&params);
}

/* rows that shards are made of */
typedef struct Rows
{
	atomic_int	all;
	atomic_int	max;			/* in one shard */
} Rows;

static double
count_rows(const void *model, GsShard *shard)
{
	Rows	   *rows = (Rows *) model;
	int			max = atomic_load(&rows->max);

	atomic_fetch_add(&rows->all, shard->n);
	while (shard->n > max &&
		   !atomic_compare_exchange_weak(&rows->max, &max, shard->n))
		;
	return shard->n;
}

static void
test_shards(void)
{
	GsParams	params = {0};
	GsPool	   *pool = gs_pool_start(2);
	Rows		rows = {0, 0};
	GsTrainerSetup setup = {
		.pool = pool,.params = &params,.loss = count_rows,.model = &rows,
		.batch = 1500
	};
	GsTrainer	trainer;
	int			wrong = 0;
	double		loss;

	gs_params_add(&params, "w", 2, 2, GS_INIT_ZERO);
	CHECK(gs_params_create(&params, 1) && gs_trainer_create(&setup, &trainer),
		  "a trainer");
	for (int batch = 1; batch <= 1500; batch++)
	{
		atomic_store(&rows.all, 0);
		gs_trainer_loss(&trainer, params.value, batch, 0, &loss);
		/* most is that of all batches so far */
		wrong += atomic_load(&rows.all) != batch || loss != 1 ||
			atomic_load(&rows.max) > gs_shard_rows(batch);
	}
	CHECK(wrong == 0, "shards hold each row once, and fit the workspace");
	CHECK(atomic_load(&rows.max) == gs_shard_rows(1500),
		  "which is no larger than it has to be");
	gs_trainer_free(&trainer);

	setup.shards = 2;
	CHECK(gs_trainer_create(&setup, &trainer), "a trainer of two shards");
	atomic_store(&rows.max, 0);
	gs_trainer_loss(&trainer, params.value, 1001, 0, &loss);
	CHECK(loss == 1 && atomic_load(&rows.max) == 501, "has two");
	atomic_store(&rows.max, 0);
	gs_trainer_loss(&trainer, params.value, 100, 0, &loss);
	CHECK(loss == 1 && atomic_load(&rows.max) == 100,
		  "but one of a small batch");
	gs_trainer_free(&trainer);
	gs_params_free(&params);
	gs_pool_end(pool);
}

static void
test_limits(void)
{
	GsParams	params = {0};
	GsTrainerSetup setup = {
		.pool = gs_pool_start(1),.params = &params,.batch = 10
	};
	GsTrainer	trainer;

	gs_params_add(&params, "w", 2, 2, GS_INIT_ZERO);
	CHECK(gs_params_create(&params, 1), "parameters");
	setup.workspace = SIZE_MAX;
	CHECK(!gs_trainer_create(&setup, &trainer), "a workspace too large");
	gs_pool_end(setup.pool);
	gs_params_free(&params);
}

int
main(void)
{
	gs_blas_init();
	test_pool();
	test_adam();
	test_shards();
	test_limits();
	test_steps();
	test_learning();
	return test_done();
}
