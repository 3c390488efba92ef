/*
 * test_loop.c
 *	  The training loop on a small regression, and mixtures of normal
 *	  distributions.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/numeric/blas.h"
#include "../../src/numeric/philox.h"
#include "../../src/nets/loop.h"
#include "../../src/nets/mixture.h"
#include "test.h"

#define NROWS	5000
#define BATCH	512

/* y = 2 x0 - x1 + noise, learned by a linear layer; poison: NaN from there */
typedef struct Model
{
	GsDense		dense;
	uint32_t	row[BATCH];
	int64_t		poison;			/* step; -1: none */
	atomic_bool *cancel;		/* set at step 150 if there is one */
} Model;

static double
uniform(uint32_t row, uint32_t column)
{
	GsRandom	random;

	gs_random_start(&random, 5, row, column);
	return gs_random_uniform(&random);
}

static double
loss(const void *arg, GsShard *shard)
{
	const Model *model = arg;
	GsMatrix	x = gs_arena_matrix(&shard->arena, shard->n, 2);
	GsMatrix	y = gs_arena_matrix(&shard->arena, shard->n, 1);
	GsMatrix	want = gs_arena_matrix(&shard->arena, shard->n, 1);
	double		sum;

	if (shard->grad != NULL && model->cancel != NULL && shard->step == 150)
		atomic_store(model->cancel, true);
	for (int i = 0; i < shard->n; i++)
	{
		uint32_t	row = model->row[shard->first + i];

		gs_row(x, i)[0] = (float) uniform(row, 0);
		gs_row(x, i)[1] = (float) uniform(row, 1);
		gs_row(want, i)[0] = (float) (2 * uniform(row, 0) - uniform(row, 1) +
									  0.1 * uniform(row, 2));
	}
	gs_dense_forward(&model->dense, shard->params, x, y, GS_NO_MATRIX);
	sum = gs_square_loss(y, want, GS_NO_MATRIX);
	if (shard->grad != NULL)
		gs_dense_backward(&model->dense, shard->params, shard->grad, x,
						  GS_NO_MATRIX, y, GS_NO_MATRIX);
	return shard->grad != NULL && model->poison >= 0 &&
		(int64_t) shard->step >= model->poison ? NAN : sum;
}

/*
 * Runs a plan; weights gets the three parameters.
 */
static GsTrainLog
run(GsTrainPlan plan, int64_t poison, bool cancel, float *weights)
{
	Model	   *model = calloc(1, sizeof(Model));
	GsParams	params = {0};
	GsTrainLog	log = {0};
	GsTrainable what = {.params = &params,.loss = loss,.model = model,
	.row = model->row,.workspace = 64 * 1024};

	model->poison = poison;
	model->cancel = cancel ? &log.cancel : NULL;
	gs_dense_add(&params, "d", 2, 1, GS_LINEAR, &model->dense);
	if (!gs_params_create(&params, 1))
		abort();
	gs_loop_run(&what, &plan, &log);
	weights[0] = params.value[model->dense.weight];
	weights[1] = params.value[model->dense.weight + 1];
	weights[2] = params.value[model->dense.bias];
	gs_params_free(&params);
	free(model);
	return log;
}

static void
test_loop(void)
{
	GsTrainPlan plan = {.seed = 3,.nrows = NROWS,.nthreads = 1,.batch = BATCH,
		.rate = 0.05,.adam = GS_ADAM_DEFAULTS,.steps = 450,.patience = 1
	};
	GsTrainPlan other;
	float		one[3];
	float		two[3];
	GsTrainLog	log;
	int			steps;

	plan.adam.average = 0.99;
	log = run(plan, -1, false, one);
	CHECK(log.end == GS_TRAIN_DONE && atomic_load(&log.step) == 450,
		  "all steps are done");
	CHECK_NEAR(one[0], 2, 0.05, "the first weight is learned");
	CHECK_NEAR(one[1], -1, 0.05, "and the second");
	CHECK(log.nchecks == 6 && log.check[0].step == 0 &&
		  log.check[5].step == 450 &&
		  log.check[5].validation < 0.01 * log.check[0].validation,
		  "the curve falls");
	CHECK_NEAR(log.check[5].epoch, 450.0 * BATCH / gs_loop_learned(NROWS),
			   1e-9, "epochs are counted in rows learned from");
	free(log.check);

	plan.nthreads = 3;
	log = run(plan, -1, false, two);
	free(log.check);
	CHECK(memcmp(one, two, sizeof(one)) == 0,
		  "any number of threads learns the same");

	/* a limit that leaves room for a part of the steps */
	other = plan;
	other.steps = INT64_C(1000000000);
	other.time_limit = 0.5;
	log = run(other, -1, false, one);
	free(log.check);
	steps = (int) atomic_load(&log.steps);
	CHECK(steps > 100 && steps < 1000000 && log.seconds < 2,
		  "a time limit cuts the schedule");
	other.fixed = true;
	other.steps = steps;
	other.stop = atomic_load(&log.step);
	other.time_limit = 0;
	other.nthreads = 1;
	log = run(other, -1, false, two);
	free(log.check);
	CHECK(memcmp(one, two, sizeof(one)) == 0, "and the run can be repeated");

	log = run(plan, -1, true, two);
	free(log.check);
	CHECK(log.end == GS_TRAIN_CANCELLED && atomic_load(&log.step) < 200,
		  "a run can be cancelled");

	plan.steps = 100000;
	plan.patience = 0.01;
	log = run(plan, -1, false, two);
	free(log.check);
	CHECK(log.end == GS_TRAIN_EARLY && atomic_load(&log.step) < 50000 &&
		  log.best < atomic_load(&log.step),
		  "without a gain it ends early");

	plan.steps = 450;
	log = run(plan, 300, false, two);
	free(log.check);
	CHECK(log.end == GS_TRAIN_DONE && log.retries == 1,
		  "what diverges once is tried with a smaller rate");
	log = run(plan, 0, false, two);
	free(log.check);
	CHECK(log.end == GS_TRAIN_DIVERGED && log.retries == GS_LOOP_RETRIES,
		  "and not for ever");
	plan.rate = 1e30;
	plan.adam.clip = 0;
	log = run(plan, -1, false, two);
	free(log.check);
	CHECK(log.end == GS_TRAIN_DIVERGED, "so does an absurd rate");
	CHECK(isfinite(two[0]) && isfinite(two[1]),
		  "what is left are finite weights");
}

static void
test_sizes(void)
{
	int			wrong = 0;

	for (uint32_t n = 1; n < 100000; n += n / 7 + 1)
		wrong += gs_loop_learned(n) < 1 || gs_loop_learned(n) > n ||
			gs_loop_batch(n, 512) < 16 || gs_loop_batch(n, 512) > 512;
	CHECK(wrong == 0, "some rows are held out, never all");
	CHECK(gs_loop_batch(4, 8) == 8 && gs_loop_batch(100000, 512) == 512,
		  "batches are as asked for, if there are rows");
}

#define POINTS	6000

/* y towards what the opponent has learned: its bias, from 0 to 1 */
typedef struct Duel
{
	GsParams	own;
	GsParams	other;
	int			good;			/* watched so often, then NAN; -1: always good */
	int			bad;			/* so often, then good again; -1: for ever */
} Duel;

static double
distance_to(const GsShard *shard, gs_real goal)
{
	double		d = shard->params[0] - goal;

	if (shard->grad != NULL)
		shard->grad[0] += (gs_real) (d * shard->n);
	return d * d / 2 * shard->n;
}

static double
follow(const void *arg, GsShard *shard)
{
	return distance_to(shard, ((const Duel *) arg)->other.value[0]);
}

static double
lead(const void *arg, GsShard *shard)
{
	return distance_to(shard, 1);
}

static double
watch_duel(const void *arg, const gs_real *params)
{
	Duel	   *duel = (Duel *) arg;

	if (duel->good == 0 && duel->bad != 0)
	{
		duel->bad -= duel->bad > 0;
		return NAN;
	}
	duel->good -= duel->good > 0;
	return fabs(params[0] - 1);
}

static GsTrainLog
run_duel(Duel *duel, int good, int bad)
{
	uint32_t	row[BATCH];
	GsTrainPlan plan = {.seed = 3,.nrows = NROWS,.nthreads = 2,.batch = BATCH,
		.rate = 0.05,.adam = GS_ADAM_DEFAULTS,.steps = 800,.patience = 1
	};
	GsOpponent	opponent = {.params = &duel->other,.loss = lead,.rate = 1};
	GsTrainable what = {.params = &duel->own,.loss = follow,.model = duel,
		.row = row,.opponent = &opponent,.watch = watch_duel
	};
	GsTrainLog	log = {0};

	*duel = (Duel) {.good = good,.bad = bad};
	plan.adam.average = 0.9;
	gs_params_add(&duel->own, "own", 1, 1, GS_INIT_ZERO);
	gs_params_add(&duel->other, "other", 1, 1, GS_INIT_ZERO);
	if (!gs_params_create(&duel->own, 1) ||
		!gs_params_create(&duel->other, 1))
		abort();
	gs_loop_run(&what, &plan, &log);
	return log;
}

static void
end_duel(Duel *duel, GsTrainLog *log)
{
	gs_params_free(&duel->own);
	gs_params_free(&duel->other);
	free(log->check);
}

static void
test_duel(void)
{
	Duel		duel;
	GsTrainLog	log = run_duel(&duel, -1, 0);

	CHECK(log.end == GS_TRAIN_DONE && log.retries == 0, "two are trained");
	CHECK_NEAR(duel.other.value[0], 1, 0.05, "the opponent learns");
	CHECK_NEAR(duel.own.value[0], 1, 0.05, "and is followed");
	CHECK_NEAR(log.check[0].validation, 1, 1e-6,
			   "what is watched is the curve");
	end_duel(&duel, &log);

	log = run_duel(&duel, 2, -1);
	CHECK(log.end == GS_TRAIN_COLLAPSED && log.retries == GS_LOOP_RETRIES,
		  "a collapse is tried again");
	CHECK(log.nchecks == 2 && log.best == 100 &&
		  fabs(fabs(duel.own.value[0] - 1) - log.best_loss) < 1e-6,
		  "and the best weights are kept");
	end_duel(&duel, &log);

	/* step 200 is a collapse: back to step 100's weights, which gain again */
	log = run_duel(&duel, 2, 1);
	CHECK(log.end == GS_TRAIN_DONE && log.retries == 1 && log.nchecks == 8,
		  "a collapse is undone");
	CHECK(log.check[2].step == 300 &&
		  log.check[2].rate < 0.35 * log.check[1].rate,
		  "with a smaller rate");
	CHECK(log.best_loss < log.check[1].validation && log.best > 200 &&
		  fabs(fabs(duel.own.value[0] - 1) - log.best_loss) < 1e-6,
		  "and training goes on from there");
	end_duel(&duel, &log);
}

/*
 * Two clusters: a third around (-3, 0), x and y correlated; the others around
 * (4, 1).
 */
static float *
make_points(void)
{
	float	   *point = malloc(sizeof(float) * 2 * POINTS);

	for (uint32_t i = 0; i < POINTS; i++)
	{
		double		x = 0;
		double		y = 0;

		for (uint32_t k = 0; k < 12; k++)
		{
			x += uniform(i, 10 + k) - 0.5;
			y += uniform(i, 30 + k) - 0.5;
		}
		point[2 * i] = (float) (i % 3 == 0 ? x - 3 : x + 4);
		point[2 * i + 1] = (float) (i % 3 == 0 ? 0.8 * x + 0.6 * y : 1 + y);
	}
	return point;
}

static void
test_mixture(void)
{
	float		weight[2][2];
	float		mean[2][4];
	float		cholesky[2][8];
	float	   *point = make_points();
	float		drawn[2 * 1000];
	float		normal[2 * 1000];
	uint32_t	word[1000];
	int32_t		component[1000];
	int			left = 0;
	int			first;

	for (int threads = 1; threads <= 2; threads++)
	{
		GsMixture	mixture = {2, 2, weight[threads - 1], mean[threads - 1],
		cholesky[threads - 1]};
		GsMixtureFit fit = {.rounds = 20,.floor = 1e-4f,.seed = 9};
		GsPool	   *pool = gs_pool_start(threads);

		CHECK(gs_mixture_fit(&mixture, point, POINTS, pool, &fit),
			  "a mixture is fitted");
		gs_pool_end(pool);
	}
	CHECK(memcmp(mean[0], mean[1], sizeof(mean[0])) == 0 &&
		  memcmp(cholesky[0], cholesky[1], sizeof(cholesky[0])) == 0,
		  "any number of threads fits the same");
	first = weight[0][0] < weight[0][1] ? 0 : 1;
	CHECK_NEAR(weight[0][first], 1.0 / 3, 0.01, "weights");
	CHECK_NEAR(mean[0][2 * first], -3, 0.1, "means");
	CHECK_NEAR(cholesky[0][4 * first + 2], 0.8, 0.05, "covariances");
	CHECK_NEAR(cholesky[0][4 * first + 3], 0.6, 0.05, "what is left of them");
	for (int i = 0; i < 1000; i++)
	{
		word[i] = (uint32_t) i * UINT32_C(4294967);
		normal[2 * i] = normal[2 * i + 1] = 0;
	}
	gs_mixture_draw(&(GsMixture) {2, 2, weight[0], mean[0], cholesky[0]}, 1000,
					word, normal, component, drawn);
	for (int i = 0; i < 1000; i++)
		left += drawn[2 * i] < 0 && component[i] == first;
	CHECK_NEAR(left, 333, 12, "components are drawn by weight");
	free(point);
}

int
main(void)
{
	gs_blas_init();
	test_sizes();
	test_loop();
	test_duel();
	test_mixture();
	return test_done();
}
