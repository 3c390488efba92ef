/*
 * loop.c
 *	  The training loop that the deep families share.
 *
 * Rows are held out, and each epoch's others shuffled, by keyed permutations:
 * the row at any position of any epoch is computed, and no order is kept.
 * Batches go on over the end of an epoch, so that all are of one size.
 */
#include "nets/loop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "numeric/permute.h"
#include "numeric/philox.h"

#define FEW_ROWS		10		/* of fewer none are held out */
#define MANY_ROWS		10000	/* of more a twentieth is, else a tenth */
#define MAX_HELD		4096
#define BATCHES			8		/* of an epoch, at least */
#define MIN_BATCH		16
#define LAST_RATE		0.005	/* of the largest */
#define SMALLER_RATE	0.3		/* after it diverged */
#define TIME_PLANNED	0.9		/* of the limit */
#define CHECK_COST		0.4		/* of a row: a step's, without the backward */
#define MIN_PATIENCE	5		/* checks */

typedef struct Loop
{
	const GsTrainable *what;
	const GsTrainPlan *plan;
	GsTrainLog *log;
	GsTrainer	trainer;
	GsTrainer	opponent;		/* if there is one */
	GsPermutation held;			/* of all rows: the first are held out */
	uint32_t	nheld;
	uint32_t	nlearned;
	uint64_t	epoch;			/* that is shuffled: */
	GsPermutation shuffled;
	int64_t		step;			/* steps done */
	int64_t		steps;			/* of the schedule */
	double		rate;
	double		sum;			/* of losses since the last check */
	int			nsum;
	gs_real    *best;			/* [params.size] */
	gs_real    *best_opponent;	/* as it was then, not averaged */
	double		start_loss;		/* validation before the first step */
	struct timespec began;
	double		timed_from;		/* seconds at which the tenth step began */
} Loop;

static double
seconds_since(const struct timespec *began)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) (now.tv_sec - began->tv_sec) +
		1e-9 * (double) (now.tv_nsec - began->tv_nsec);
}

static uint32_t
held_rows(uint32_t nrows)
{
	uint32_t	n = nrows / (nrows > MANY_ROWS ? 20 : 10);

	return nrows < FEW_ROWS ? 0 : n < MAX_HELD ? n : MAX_HELD;
}

/*
 * gs_loop_learned: how many rows of a table are not held out.
 */
uint32_t
gs_loop_learned(uint32_t nrows)
{
	return nrows - held_rows(nrows);
}

/*
 * gs_loop_batch: the size of batches for a table: at most so many rows, and
 * fewer of a small table.
 */
int
gs_loop_batch(uint32_t nrows, int max)
{
	uint32_t	batch = gs_loop_learned(nrows) / BATCHES;

	batch = batch > MIN_BATCH ? batch / MIN_BATCH * MIN_BATCH :
		MIN_BATCH;
	return batch < (uint32_t) max ? (int) batch : max;
}

/*
 * The rows of a step's batch.
 */
static void
take_rows(Loop *loop)
{
	int			batch = loop->plan->batch;
	uint64_t	position = (uint64_t) loop->step * (uint64_t) batch;

	for (int i = 0; i < batch; i++, position++)
	{
		uint64_t	epoch = position / loop->nlearned;

		if (epoch + 1 != loop->epoch)
		{
			loop->epoch = epoch + 1;
			gs_permute_init(&loop->shuffled, loop->nlearned,
							gs_mix64(loop->plan->seed, loop->epoch));
		}
		loop->what->row[i] = (uint32_t)
			gs_permute(&loop->held, loop->nheld +
					   gs_permute(&loop->shuffled, position % loop->nlearned));
	}
}

/*
 * The mean loss of the rows that are held out, or of all where none are, or
 * what is watched, with the averaged weights.
 */
static GsStatus
validate(Loop *loop, double *mean)
{
	uint32_t	n = loop->nheld > 0 ? loop->nheld : loop->nlearned;
	uint32_t	batch = (uint32_t) loop->plan->batch;
	double		sum = 0;

	if (loop->what->watch != NULL)
	{
		*mean = loop->what->watch(loop->what->model, loop->trainer.average);
		return atomic_load(&loop->log->cancel) ? GS_STEP_CANCELLED :
			GS_STEP_DONE;
	}
	for (uint32_t at = 0; at < n; at += batch)
	{
		int			rows = (int) (n - at < batch ? n - at : batch);
		double		loss;
		GsStatus	status;

		for (int i = 0; i < rows; i++)
			loop->what->row[i] = (uint32_t) gs_permute(&loop->held,
													   at + (uint32_t) i);
		status = gs_trainer_loss(&loop->trainer, loop->trainer.average,
								 rows, at / batch, &loss);
		if (status != GS_STEP_DONE)
			return status;
		sum += loss * rows;
	}
	*mean = sum / n;
	return GS_STEP_DONE;
}

static bool
append_check(GsTrainLog *log, GsTrainCheck check)
{
	int			n = log->nchecks;

	if ((n & (n - 1)) == 0)		/* room is a power of 2 */
	{
		GsTrainCheck *more = realloc(log->check, sizeof(GsTrainCheck) *
									 (size_t) (n > 0 ? 2 * n : 1));

		if (more == NULL)
			return false;
		log->check = more;
	}
	log->check[log->nchecks++] = check;
	return true;
}

static size_t
bytes_of(const GsParams *params)
{
	return sizeof(gs_real) * params->size;
}

/*
 * Goes back to the best weights, with a smaller rate.  Returns false after
 * too many times, with the log's end.
 */
static bool
retry(Loop *loop)
{
	const GsOpponent *opponent = loop->what->opponent;

	loop->log->end = loop->what->watch != NULL ? GS_TRAIN_COLLAPSED :
		GS_TRAIN_DIVERGED;
	if (loop->log->retries == GS_LOOP_RETRIES)
		return false;
	loop->log->retries++;
	loop->rate *= SMALLER_RATE;
	memcpy(loop->what->params->value, loop->best,
		   bytes_of(loop->what->params));
	gs_trainer_reset(&loop->trainer);
	if (opponent == NULL)
		return true;
	memcpy(opponent->params->value, loop->best_opponent,
		   bytes_of(opponent->params));
	gs_trainer_reset(&loop->opponent);
	return true;
}

/*
 * Validates, and keeps the weights if they are the best, or nearly.  Returns false, with
 * the log's end, if training is over.
 */
static bool
check(Loop *loop)
{
	GsTrainLog *log = loop->log;
	double		validation = NAN;
	double		patience = loop->plan->patience * (double) loop->steps;
	GsStatus	status = validate(loop, &validation);

	if (status == GS_STEP_CANCELLED)
	{
		log->end = GS_TRAIN_CANCELLED;
		return false;
	}
	if (loop->step == 0)
		loop->start_loss = validation;
	log->end = GS_TRAIN_DIVERGED;
	if (!(validation <= loop->start_loss + fmax(fabs(loop->start_loss), 1)))
		return loop->step > 0 && retry(loop);
	if (!append_check(log, (GsTrainCheck) {
			.step = (double) loop->step,
			.epoch = (double) loop->step * loop->plan->batch /
			loop->nlearned,
			.loss = loop->nsum > 0 ? loop->sum / loop->nsum : validation,
			.validation = validation,
			.rate = loop->rate * gs_schedule((uint64_t) loop->step,
											 (uint64_t) loop->steps,
											 GS_LOOP_WARM_UP, LAST_RATE),
			.seconds = seconds_since(&loop->began)}))
	{
		log->end = GS_TRAIN_NO_MEMORY;
		return false;
	}
	loop->sum = loop->nsum = 0;
	atomic_store(&log->validation, validation);
	if (loop->step == 0 || validation < log->best_loss)
		log->best_loss = validation;
	if (validation <= log->best_loss +
		loop->plan->slack * fabs(log->best_loss))
	{
		log->best = loop->step;
		memcpy(loop->best, loop->trainer.average,
			   bytes_of(loop->what->params));
		if (loop->what->opponent != NULL)
			memcpy(loop->best_opponent, loop->what->opponent->params->value,
				   bytes_of(loop->what->opponent->params));
	}
	log->end = GS_TRAIN_EARLY;
	return (double) (loop->step - log->best) <=
		fmax(patience, MIN_PATIENCE * GS_LOOP_CHECK);
}

/*
 * Shortens the schedule to what the time limit leaves room for.
 */
static void
fit_steps(Loop *loop)
{
	double		now = seconds_since(&loop->began);
	double		pace = (now - loop->timed_from) / (GS_LOOP_WARM_UP - 10);
	double		steps;

	pace *= 1 + CHECK_COST * fmax(loop->nheld, loop->plan->batch) /
		loop->plan->batch / GS_LOOP_CHECK;
	steps = GS_LOOP_WARM_UP +
		fmax(TIME_PLANNED * loop->plan->time_limit - now, 0) / pace;
	if (steps < (double) loop->steps)
		loop->steps = (int64_t) steps;
	atomic_store(&loop->log->steps, loop->steps);
}

/*
 * A step of what is trained, and then of the opponent, if there is one.
 */
static GsStatus
step_both(Loop *loop, double rate, GsStep *result)
{
	const GsOpponent *opponent = loop->what->opponent;
	GsStatus	status = gs_trainer_step(&loop->trainer, loop->plan->batch,
										 rate, result);
	GsStep		other;

	return status != GS_STEP_DONE || opponent == NULL ? status :
		gs_trainer_step(&loop->opponent, loop->plan->batch,
						rate * opponent->rate, &other);
}

/*
 * One step.  Returns false, with the log's end, if training is over.
 */
static bool
take_step(Loop *loop)
{
	GsStep		result;
	double		rate = loop->rate * gs_schedule((uint64_t) loop->step,
												(uint64_t) loop->steps,
												GS_LOOP_WARM_UP, LAST_RATE);

	take_rows(loop);
	if (loop->what->choose != NULL)
		loop->what->choose(loop->what->model, (uint64_t) loop->step);
	loop->step++;
	switch (step_both(loop, rate, &result))
	{
		case GS_STEP_CANCELLED:
			loop->log->end = GS_TRAIN_CANCELLED;
			return false;
		case GS_STEP_NOT_FINITE:
			return retry(loop);
		case GS_STEP_DONE:
			loop->sum += result.loss;
			loop->nsum++;
	}
	return true;
}

/*
 * All steps.
 */
static void
run(Loop *loop)
{
	const GsTrainPlan *plan = loop->plan;
	GsTrainLog *log = loop->log;
	bool		limited = plan->time_limit > 0;

	if (!check(loop))
		return;
	while (loop->step < loop->steps)
	{
		if (plan->stop > 0 && loop->step >= plan->stop)
			break;
		if (limited && seconds_since(&loop->began) > plan->time_limit)
			break;
		if (loop->step == 10)
			loop->timed_from = seconds_since(&loop->began);
		if (!take_step(loop))
			return;
		atomic_store(&log->step, loop->step);
		if (loop->step == GS_LOOP_WARM_UP && limited && !plan->fixed)
			fit_steps(loop);
		if (loop->step % GS_LOOP_CHECK == 0 && !check(loop))
			return;
	}
	if (loop->step % GS_LOOP_CHECK != 0 && !check(loop))
		return;
	log->end = loop->step == loop->steps ? GS_TRAIN_DONE :
		plan->stop > 0 && loop->step >= plan->stop ? GS_TRAIN_STOPPED :
		GS_TRAIN_TIME;
}

/*
 * Both trainers, or the one.  Returns false if memory is out.
 */
static bool
create_trainers(Loop *loop, GsPool *pool)
{
	const GsTrainable *what = loop->what;
	const GsTrainPlan *plan = loop->plan;
	GsTrainerSetup setup = {.pool = pool,.params = what->params,
		.adam = plan->adam,.loss = what->loss,.model = what->model,
		.batch = plan->batch,.shards = what->shards,
		.workspace = what->workspace,
		.key = gs_mix64(plan->seed, UINT64_MAX),.cancel = &loop->log->cancel
	};

	if (!gs_trainer_create(&setup, &loop->trainer))
		return false;
	if (what->opponent == NULL)
		return true;
	setup.params = what->opponent->params;
	setup.adam.average = 0;
	setup.loss = what->opponent->loss;
	setup.shards = what->opponent->shards;
	setup.workspace = what->opponent->workspace;
	setup.key = gs_mix64(plan->seed, UINT64_MAX - 1);
	if (gs_trainer_create(&setup, &loop->opponent))
		return true;
	gs_trainer_free(&loop->trainer);
	return false;
}

/*
 * gs_loop_run: trains.
 *
 * what->params: where it starts, and in the end the averaged weights that had
 * the least validation loss, if the log's end is none of the last three.
 * log: zero in the beginning; log->check is the caller's to free.
 */
void
gs_loop_run(const GsTrainable *what, const GsTrainPlan *plan, GsTrainLog *log)
{
	Loop		loop = {.what = what,.plan = plan,.log = log,
		.steps = plan->steps,.rate = plan->rate,
		.nheld = held_rows(plan->nrows),
		.nlearned = gs_loop_learned(plan->nrows)
	};
	const GsOpponent *opponent = what->opponent;
	GsPool	   *pool = gs_pool_start(plan->nthreads);

	clock_gettime(CLOCK_MONOTONIC, &loop.began);
	atomic_store(&log->steps, loop.steps);
	gs_permute_init(&loop.held, plan->nrows, gs_mix64(plan->seed, 0));
	log->end = GS_TRAIN_NO_MEMORY;
	loop.best = gs_vector_create(what->params->size);
	if (opponent != NULL)
		loop.best_opponent = gs_vector_create(opponent->params->size);
	if (pool != NULL && loop.best != NULL &&
		(opponent == NULL || loop.best_opponent != NULL) &&
		create_trainers(&loop, pool))
	{
		run(&loop);
		memcpy(what->params->value, loop.best, bytes_of(what->params));
		gs_trainer_free(&loop.trainer);
		if (opponent != NULL)
			gs_trainer_free(&loop.opponent);
	}
	free(loop.best);
	free(loop.best_opponent);
	gs_pool_end(pool);
	log->seconds = seconds_since(&loop.began);
}
