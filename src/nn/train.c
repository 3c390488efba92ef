/*
 * train.c
 *	  Training: AdamW, and steps over minibatches in parallel.
 *
 * A step is three parallel loops: the shards' losses and gradients; over slices
 * of the vector, the sum of the shards' gradients and its length; and over
 * slices again, AdamW and the weights' average.  Slices are as fixed as shards
 * are.
 *
 * Plain C: no postgres.h.
 */
#include <stdlib.h>

#include "train.h"
#include "kernel.h"

/*
 * Rows of a shard, at least, where there is more than one: products of fewer
 * rows are slower, and each shard's gradient has to be added up.
 */
#define SHARD_ROWS	128

/* Elements of a slice: some 32 kB of each of the vectors. */
#define SLICE		8192

static int
shard_count(const GsTrainerSetup *setup, int batch)
{
	int			n = batch / SHARD_ROWS;

	if (setup->shards > 0)
		return batch < SHARD_ROWS ? 1 : setup->shards;
	return n < 1 ? 1 : n < GS_MAX_SHARDS ? n : GS_MAX_SHARDS;
}

static int
slice_count(const GsTrainer *trainer)
{
	return (int) ((trainer->setup.params->size + SLICE - 1) / SLICE);
}

/*
 * gs_shard_rows
 *
 * The most rows that a shard has in batches of up to "batch" rows, where the
 * setup doesn't say how many there are.
 */
int
gs_shard_rows(int batch)
{
	int			rows = (batch + GS_MAX_SHARDS - 1) / GS_MAX_SHARDS;
	int			single = batch < 2 * SHARD_ROWS ? batch : 2 * SHARD_ROWS - 1;

	return rows > single ? rows : single;
}

/*
 * gs_schedule
 *
 * The factor of the learning rate in a step, from 0: in "warmup" steps up to
 * 1, then down to "floor", half a cosine wave, until "total" steps are done.
 * Beyond it stays at the floor.
 *
 * Loshchilov and Hutter, "SGDR", ICLR 2017.
 */
double
gs_schedule(uint64_t step, uint64_t total, uint64_t warmup, double floor)
{
	double		done;

	if (step < warmup)
		return (double) (step + 1) / (double) (warmup + 1);
	if (step >= total)
		return floor;
	done = (double) (step - warmup) / (double) (total - warmup);
	return floor + (1 - floor) * (0.5 + 0.5 * cos(M_PI * done));
}

/*
 * gs_trainer_create
 *
 * Memory for training as "setup" says: moments, the average, a gradient for
 * each shard, and a workspace for each thread.  Returns false if memory is out; then there is nothing to free.
 */
bool
gs_trainer_create(const GsTrainerSetup *setup, GsTrainer *trainer)
{
	size_t		size = setup->params->size;
	bool		fine;

	memset(trainer, 0, sizeof(*trainer));
	trainer->setup = *setup;
	trainer->moment1 = gs_vector_create(size);
	trainer->moment2 = gs_vector_create(size);
	trainer->square = calloc((size_t) slice_count(trainer), sizeof(double));
	fine = trainer->moment1 != NULL && trainer->moment2 != NULL &&
		trainer->square != NULL && setup->workspace < SIZE_MAX;
	if (setup->adam.average > 0)
	{
		trainer->average = gs_vector_create(size);
		fine = fine && trainer->average != NULL;
	}
	for (int s = 0; s < shard_count(setup, setup->batch) && fine; s++)
	{
		trainer->grad[s] = gs_vector_create(size);
		fine = trainer->grad[s] != NULL;
		if (s >= gs_pool_threads(setup->pool))
			continue;
		trainer->workspace[s] = (char *)
			gs_vector_create(setup->workspace / sizeof(gs_real) + 1);
		fine = fine && trainer->workspace[s] != NULL;
	}
	if (fine)
		gs_trainer_reset(trainer);
	else
		gs_trainer_free(trainer);
	return fine;
}

/*
 * gs_trainer_reset
 *
 * Begins anew with the parameters as they are: step 0, moments zero, the
 * average equal to the parameters.
 */
void
gs_trainer_reset(GsTrainer *trainer)
{
	size_t		bytes = trainer->setup.params->size * sizeof(gs_real);

	trainer->step = 0;
	memset(trainer->moment1, 0, bytes);
	memset(trainer->moment2, 0, bytes);
	if (trainer->average != NULL)
		memcpy(trainer->average, trainer->setup.params->value, bytes);
}

/*
 * gs_trainer_free
 *
 * Frees what gs_trainer_create made; the parameters stay.
 */
void
gs_trainer_free(GsTrainer *trainer)
{
	free(trainer->average);
	free(trainer->moment1);
	free(trainer->moment2);
	free(trainer->square);
	for (int s = 0; s < GS_MAX_SHARDS; s++)
	{
		free(trainer->grad[s]);
		free(trainer->workspace[s]);
	}
	memset(trainer, 0, sizeof(*trainer));
}

/* What the tasks of one pass over a batch share. */
typedef struct Pass
{
	GsTrainer  *trainer;
	const gs_real *params;
	bool		backward;
	int			batch;
	int			nshards;
	uint64_t	step;
	atomic_bool cancelled;
	double		loss[GS_MAX_SHARDS];
} Pass;

static void
run_shard(void *arg, int s)
{
	Pass	   *pass = arg;
	GsTrainer  *trainer = pass->trainer;
	const GsTrainerSetup *setup = &trainer->setup;
	int			first = (int) ((int64_t) pass->batch * s / pass->nshards);
	int			end = (int) ((int64_t) pass->batch * (s + 1) / pass->nshards);
	GsShard		shard = {
		.first = first,.n = end - first,.params = pass->params,
		.grad = pass->backward ? trainer->grad[s] : NULL,
		.key = setup->key,.step = pass->step
	};
	int			w = 0;

	if (setup->cancel != NULL && atomic_load(setup->cancel))
	{
		atomic_store(&pass->cancelled, true);
		return;
	}
	/* there are as many as threads, so one is free */
	while (atomic_exchange(&trainer->taken[w], true))
		w++;
	shard.arena = (GsArena) {trainer->workspace[w], 0, setup->workspace};
	pass->loss[s] = setup->loss(setup->model, &shard);
	atomic_store(&trainer->taken[w], false);
}

/*
 * Runs the loss over all shards.  The mean loss is that of all rows.
 */
static GsStatus
run_shards(Pass *pass, double *loss)
{
	const GsTrainerSetup *setup = &pass->trainer->setup;
	double		sum = 0;

	pass->nshards = shard_count(setup, pass->batch);
	gs_pool_run(setup->pool, pass->nshards, run_shard, pass);
	if (atomic_load(&pass->cancelled))
		return GS_STEP_CANCELLED;
	for (int s = 0; s < pass->nshards; s++)
		sum += pass->loss[s];
	*loss = sum / pass->batch;
	return isfinite(*loss) ? GS_STEP_DONE : GS_STEP_NOT_FINITE;
}

/*
 * gs_trainer_loss
 *
 * The mean loss of a batch of at most setup.batch rows under "params", such as
 * those in training or their average, without a gradient.  Random numbers are
 * those of "step".
 */
GsStatus
gs_trainer_loss(GsTrainer *trainer, const gs_real *params, int batch,
				uint64_t step, double *loss)
{
	Pass		pass = {
		.trainer = trainer,.params = params,.batch = batch,.step = step
	};

	return run_shards(&pass, loss);
}

/* What the tasks over slices share. */
typedef struct Update
{
	GsTrainer  *trainer;
	int			nshards;
	gs_real		share;			/* of a row in the batch */
	gs_real		clip;			/* factor of the gradient */
	gs_real		rate;			/* with the bias correction of moment1 */
	gs_real		root;			/* 1 / root of moment2's bias correction */
	gs_real		decay;			/* what is left of a weight */
	gs_real		follow;			/* the average's step towards the weights */
} Update;

/*
 * grad = (grad + other) share, other = 0.
 */
static GS_ALWAYS_INLINE void
add_shard(gs_real *restrict grad, gs_real *restrict other, gs_real share,
		  size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		grad[i] = (grad[i] + other[i]) * share;
		other[i] = 0;
	}
}

/* elements that are summed over all shards before others: 4 kB of each */
#define SUMMED	1024

/*
 * The mean gradient of a slice in place of the first shard's, zero in place
 * of the others', and the square of its length.
 */
GS_CLONES static void
sum_slice(void *arg, int slice)
{
	Update	   *update = arg;
	GsTrainer  *trainer = update->trainer;
	size_t		size = trainer->setup.params->size;
	size_t		from = (size_t) slice * SLICE;
	size_t		end = size - from < SLICE ? size : from + SLICE;
	Lanes		sum = {0};

	for (size_t n; from < end; from += n)
	{
		gs_real    *restrict grad = trainer->grad[0] + from;
		int			last = update->nshards - 1;

		n = end - from < SUMMED ? end - from : SUMMED;
		for (int s = 1; s < last; s++)
			add_shard(grad, trainer->grad[s] + from, 1, n);
		if (last > 0)
			add_shard(grad, trainer->grad[last] + from, update->share, n);
		else
			for (size_t i = 0; i < n; i++)
				grad[i] *= update->share;
		/* sizes are multiples of LANES: see gs_params_add */
		for (size_t i = 0; i < n; i += LANES)
			sum += lanes_load(grad + i) * lanes_load(grad + i);
	}
	trainer->square[slice] = lanes_sum(&sum);
}

/*
 * AdamW over n parameters; the gradient becomes zero.
 */
static GS_ALWAYS_INLINE void
adam(const Update *update, gs_real decay, size_t n, gs_real *restrict value,
	 gs_real *restrict grad, gs_real *restrict moment1,
	 gs_real *restrict moment2)
{
	const GsAdam *setup = &update->trainer->setup.adam;
	gs_real		follow1 = (gs_real) (1 - setup->beta1);
	gs_real		follow2 = (gs_real) (1 - setup->beta2);
	gs_real		epsilon = (gs_real) setup->epsilon;
	gs_real		clip = update->clip;
	gs_real		rate = update->rate;
	gs_real		root = update->root;

	for (size_t i = 0; i < n; i++)
	{
		gs_real		g = grad[i] * clip;
		gs_real		m = moment1[i] + follow1 * (g - moment1[i]);
		gs_real		v = moment2[i] + follow2 * (g * g - moment2[i]);

		grad[i] = 0;
		moment1[i] = m;
		moment2[i] = v;
		value[i] = value[i] * decay -
			rate * m / (real_sqrt(v) * root + epsilon);
	}
}

GS_CLONES static void
update_slice(void *arg, int slice)
{
	Update	   *update = arg;
	GsTrainer  *trainer = update->trainer;
	const GsParams *params = trainer->setup.params;
	size_t		from = (size_t) slice * SLICE;
	size_t		to = params->size - from < SLICE ? params->size : from + SLICE;

	for (int v = 0; v < params->nviews; v++)
	{
		const GsView *view = &params->view[v];
		size_t		end = v + 1 < params->nviews ?
			params->view[v + 1].offset : params->size;
		size_t		a = view->offset > from ? view->offset : from;
		size_t		b = end < to ? end : to;
		bool		decays = view->init != GS_INIT_ZERO &&
			view->init != GS_INIT_ONE;

		if (a < b)
			adam(update, decays ? update->decay : 1, b - a, params->value + a,
				 trainer->grad[0] + a, trainer->moment1 + a,
				 trainer->moment2 + a);
	}
	if (trainer->average != NULL)
	{
		gs_real    *restrict average = trainer->average;
		const gs_real *restrict value = params->value;
		gs_real		follow = update->follow;

		for (size_t i = from; i < to; i++)
			average[i] += follow * (value[i] - average[i]);
	}
}

/*
 * Sums the gradients.  Returns the length of the mean gradient.
 */
static double
sum_gradients(GsTrainer *trainer, Update *update)
{
	int			n = slice_count(trainer);
	double		square = 0;

	gs_pool_run(trainer->setup.pool, n, sum_slice, update);
	for (int i = 0; i < n; i++)
		square += trainer->square[i];
	return sqrt(square);
}

/*
 * Moves the parameters along the summed gradient.
 */
static void
update_params(GsTrainer *trainer, Update *update, double rate, double norm)
{
	const GsAdam *adam = &trainer->setup.adam;
	double		t = (double) trainer->step + 1;
	double		warm = t / (t + 9);	/* a young average forgets faster */

	update->clip = (gs_real) (adam->clip > 0 && norm > adam->clip ?
							  adam->clip / norm : 1);
	update->rate = (gs_real) (rate / (1 - pow(adam->beta1, t)));
	update->root = (gs_real) (1 / sqrt(1 - pow(adam->beta2, t)));
	update->decay = (gs_real) (1 - rate * adam->weight_decay);
	update->follow = (gs_real) (1 - fmin(adam->average, warm));
	gs_pool_run(trainer->setup.pool, slice_count(trainer), update_slice,
				update);
	trainer->step++;
}

/*
 * gs_trainer_step
 *
 * One step over a batch of 1 to setup.batch rows, with the learning rate
 * "rate": all gradients, clipped together to the length adam.clip, AdamW, and
 * the weights' average.  "result" gets the mean loss and the gradient's
 * length.
 *
 * Returns GS_STEP_CANCELLED or GS_STEP_NOT_FINITE, with nothing changed, if
 * setup.cancel was set or the loss or the gradient is not finite.
 */
GsStatus
gs_trainer_step(GsTrainer *trainer, int batch, double rate, GsStep *result)
{
	Pass		pass = {
		.trainer = trainer,.params = trainer->setup.params->value,
		.backward = true,.batch = batch,.step = trainer->step
	};
	GsStatus	status = run_shards(&pass, &result->loss);

	if (status == GS_STEP_DONE)
	{
		Update		update = {
			.trainer = trainer,.nshards = pass.nshards,
			.share = (gs_real) (1.0 / batch)
		};

		result->norm = sum_gradients(trainer, &update);
		if (isfinite(result->norm))
			update_params(trainer, &update, rate, result->norm);
		else
			status = GS_STEP_NOT_FINITE;
	}
	if (status != GS_STEP_DONE)
		for (int s = 0; s < pass.nshards; s++)
			memset(trainer->grad[s], 0,
				   trainer->setup.params->size * sizeof(gs_real));
	return status;
}
