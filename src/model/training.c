/*
 * training.c
 *	  The training of a deep family within a fit.
 *
 * The loop runs in a thread of its own, which touches nothing of
 * PostgreSQL's.  The backend waits for it, tells of its progress, and when it is
 * interrupted, tells it to stop.
 *
 * Tensors, for a family called F:
 *	 F/weights		float4 [all parameters]
 *	 F/shape		int4 [views, 2] rows and columns of each
 *	 training		float8 [checks, 6] see GsTrainCheck
 */
#include "postgres.h"

#include <math.h>
#include <unistd.h>

#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/ipc.h"
#include "utils/memutils.h"

#include "model/model.h"
#include "model/training.h"
#include "nn/pool.h"

#define POLL_MICROSECONDS	2000
#define REPORT_SECONDS		0.1
#define PATIENCE			0.25	/* of the steps */
#define WARM_SHARE			0.33	/* of the steps, of a warm start ... */
#define WARM_RATE			0.5	/* ... and of the rate */

/*
 * gs_training_batch: rows of a minibatch: as the option says, or the
 * standard, fewer of a small table.
 */
int
gs_training_batch(const GsTrainingOptions *options, int64 nrows, int standard)
{
	return gs_loop_batch((uint32) nrows, options->batch_size > 0 ?
						 (int) options->batch_size : standard);
}

static void
free_params(void *params)
{
	gs_params_free(params);
}

/*
 * gs_training_params: parameters that are let go of with the current memory
 * context.  Views are added to them next.
 */
GsParams *
gs_training_params(void)
{
	GsParams   *params = palloc0(sizeof(GsParams));
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = free_params;
	callback->arg = params;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return params;
}

/*
 * gs_training_copy: parameters of one's own, aligned as those of a network
 * are; in the current context.
 */
float *
gs_training_copy(const float *params, Size n)
{
	char	   *room = palloc_extended(sizeof(float) * n + 64,
									   MCXT_ALLOC_HUGE);

	room = (char *) TYPEALIGN(64, room);
	memcpy(room, params, sizeof(float) * n);
	return (float *) room;
}

static char *
tensor_name(const char *name, const char *what)
{
	return psprintf("%s/%s", name, what);
}

/*
 * The shape of a network.  [nviews][2]
 */
static int32 *
shape_of(const GsParams *params)
{
	int32	   *shape = palloc(sizeof(int32) * 2 * Max(params->nviews, 1));

	for (int v = 0; v < params->nviews; v++)
	{
		shape[2 * v] = params->view[v].rows;
		shape[2 * v + 1] = params->view[v].cols;
	}
	return shape;
}

static void
save_params(const char *name, const GsParams *params, List **tensors)
{
	gs_tensor_add(tensors, tensor_name(name, "shape"), GS_I4, 2,
				  params->nviews, 2, shape_of(params));
	gs_tensor_add(tensors, tensor_name(name, "weights"), GS_F4, 1,
				  (int64) params->size, 0, params->value);
}

/*
 * Copies stored weights.  Returns false where they are of another network.
 */
static bool
copy_weights(const char *name, const List *tensors, const GsParams *params)
{
	const GsTensor *shape = gs_tensor_find(tensors,
										   tensor_name(name, "shape"));
	const GsTensor *weights = gs_tensor_find(tensors,
											 tensor_name(name, "weights"));
	const float *weight;

	if (shape == NULL || shape->type != GS_I4 || shape->ndims != 2 ||
		shape->dims[0] != params->nviews || shape->dims[1] != 2 ||
		memcmp(shape->data, shape_of(params),
			   sizeof(int32) * 2 * params->nviews) != 0 ||
		weights == NULL || weights->type != GS_F4 || weights->ndims != 1 ||
		weights->dims[0] != params->size)
		return false;
	weight = weights->data;
	for (Size i = 0; i < params->size; i++)
		if (!(fabsf(weight[i]) < 1e6f))
			gs_corrupted("Weight %zu of the network is impossible.", i);
	memcpy(params->value, weight, sizeof(float) * params->size);
	return true;
}

/*
 * gs_training_load: the weights of a stored network, into parameters whose
 * views were added.  Errors: data_corrupted, out_of_memory.
 */
void
gs_training_load(const char *name, const List *tensors, GsParams *params)
{
	gs_training_create(params, 0);
	if (!copy_weights(name, tensors, params))
		gs_corrupted("The tensors of the network do not fit together.");
}

/*
 * gs_training_create: parameters as they begin, after all views were added.
 */
void
gs_training_create(GsParams *params, uint64 seed)
{
	if (params->size > MaxAllocSize / sizeof(float) - 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the table is too wide for a network"),
				 errhint("Leave columns out with the exclude argument of synth_fit.")));
	if (!gs_params_create(params, seed))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed on a network of %zu parameters.",
						   params->size),
				 errhint("Leave columns out with the exclude argument of synth_fit.")));
}

/*
 * gs_training_threads: how many threads a fit may use.
 */
int
gs_training_threads(void)
{
	return Min(max_parallel_maintenance_workers + 1,
			   (int) sysconf(_SC_NPROCESSORS_ONLN));
}

/* Work in a thread. */
typedef struct Work
{
	void		(*work) (void *);
	void	   *arg;
	atomic_bool done;
} Work;

static void *
run_work(void *arg)
{
	Work	   *work = arg;

	work->work(work->arg);
	atomic_store(&work->done, true);
	return NULL;
}

/* A thread to be stopped. */
typedef struct Stop
{
	pthread_t	thread;
	atomic_bool *cancel;
} Stop;

/*
 * On an error, or where the backend is told to exit: what the thread works on
 * is let go of next.
 */
static void
stop_thread(int code, Datum arg)
{
	Stop	   *stop = (Stop *) DatumGetPointer(arg);

	atomic_store(stop->cancel, true);
	pthread_join(stop->thread, NULL);
}

/*
 * gs_training_thread: does work in a thread, which touches nothing of
 * PostgreSQL's, and waits for it.
 *
 * cancel: set when the backend is interrupted, before the error is thrown;
 * the work ends soon after.  tell: called every 0.1 s, or NULL.  Errors:
 * insufficient_resources where no thread can be started.
 */
void
gs_training_thread(void (*work) (void *), void *arg, atomic_bool *cancel,
				   void (*tell) (void *arg, double seconds))
{
	Work		own = {.work = work,.arg = arg};
	Stop		stop = {.cancel = cancel};
	instr_time	begin;
	instr_time	now;
	volatile double told = 0;

	if (!gs_thread_start(&stop.thread, run_work, &own))
		gs_model_no_thread();
	INSTR_TIME_SET_CURRENT(begin);
	PG_ENSURE_ERROR_CLEANUP(stop_thread, PointerGetDatum(&stop));
	{
		while (!atomic_load(&own.done))
		{
			CHECK_FOR_INTERRUPTS();
			pg_usleep(POLL_MICROSECONDS);
			INSTR_TIME_SET_CURRENT(now);
			INSTR_TIME_SUBTRACT(now, begin);
			if (tell == NULL ||
				INSTR_TIME_GET_DOUBLE(now) < told + REPORT_SECONDS)
				continue;
			told = INSTR_TIME_GET_DOUBLE(now);
			tell(arg, told);
		}
	}
	PG_END_ENSURE_ERROR_CLEANUP(stop_thread, PointerGetDatum(&stop));
	pthread_join(stop.thread, NULL);
}

/* The loop. */
typedef struct Run
{
	const GsTrainable *what;
	GsFitContext *context;
	GsTrainPlan plan;
	GsTrainLog	log;
} Run;

static void
run_loop(void *arg)
{
	Run		   *run = arg;

	gs_loop_run(run->what, &run->plan, &run->log);
}

static void
tell_progress(void *arg, double seconds)
{
	Run		   *run = arg;
	int64		step = atomic_load(&run->log.step);
	int64		steps = atomic_load(&run->log.steps);

	gs_progress_network(step, steps, (double) step * run->plan.batch /
						gs_loop_learned(run->plan.nrows),
						atomic_load(&run->log.validation));
	if (!gs_fit_tells(run->context))
		return;
	ereport(NOTICE,
			(errmsg("training: step " INT64_FORMAT " of " INT64_FORMAT ", validation loss %.3f, %.0f s so far, about %.0f s to go",
					step, steps, atomic_load(&run->log.validation), seconds,
					step > 0 ? seconds * (steps - step) / step : 0)));
}

static void
make_plan(const GsTraining *training, const GsTrainingOptions *options,
		  uint64 key, bool warm, GsTrainPlan *plan)
{
	double		epoch = Max((double) gs_loop_learned((uint32) training->nrows) /
							training->batch, 1);
	double		epochs = options->epochs > 0 ? options->epochs :
		training->epochs;
	double		steps = ceil(epochs * epoch);

	if (options->epochs == 0)
		steps = Min(steps, training->steps);
	if (warm)
		steps = ceil(steps * WARM_SHARE);
	*plan = (GsTrainPlan)
	{
		.seed = key,
			.nrows = (uint32) training->nrows,
			.nthreads = gs_training_threads(),
			.batch = training->batch,
			.rate = options->learning_rate > 0 ? options->learning_rate :
			training->rate * (warm ? WARM_RATE : 1),
			.adam = training->adam,
			.steps = options->steps > 0 ? options->steps :
			(int64) Min(steps, 1e12),
			.fixed = options->steps > 0,
			.stop = options->stop_step,
			.time_limit = (int) options->time_limit,
			.patience = PATIENCE,
			.slack = training->slack
	};
}

/*
 * An error where training came to nothing.  Private fits take what they get:
 * they have paid for it.
 */
static void
check_end(const GsTrainLog *log, GsFitContext *context)
{
	if (log->end == GS_TRAIN_NO_MEMORY)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed while a network was trained."),
				 errhint("Take a smaller \"batch_size\", or leave columns out with the exclude argument.")));
	if (log->end == GS_TRAIN_DIVERGED && context->private &&
		log->nchecks > 0)
		gs_fit_note(context, "training diverged, with smaller learning rates too: the model is poor");
	else if (log->end == GS_TRAIN_DIVERGED)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("training diverged, with smaller learning rates too"),
				 errdetail("The loss was not finite, or kept growing, at step " INT64_FORMAT ".",
						   atomic_load(&log->step)),
				 errhint("Take a smaller option \"learning_rate\", or another method.")));
}

/*
 * What the user should know of a run, and needs to repeat it.
 */
static void
note_run(const GsTrainLog *log, const GsTrainPlan *plan, bool warm,
		 bool watched, GsFitContext *context)
{
	int64		step = atomic_load(&log->step);
	int64		steps = atomic_load(&log->steps);

	gs_fit_note(context, "trained " INT64_FORMAT " steps of %d rows%s; the weights are those after step " INT64_FORMAT,
					  step, plan->batch,
					  warm ? ", from the weights of the version before" : "",
					  log->best);
	if (log->retries > 0)
		gs_fit_note(context, "training %s %d times, and went %s with smaller learning rates",
						  watched ? "collapsed or diverged" : "diverged",
						  log->retries, watched ? "back to the best weights, on" : "on");
	if (steps < plan->steps || log->end == GS_TRAIN_TIME)
		gs_fit_note(context, "time_limit cut training short: options \"steps\": " INT64_FORMAT ", \"stop_step\": " INT64_FORMAT " and the same seed repeat it",
						  steps, step);
}

/*
 * gs_training_run: trains what->params from where it is, or where the version
 * before ended.
 *
 * Appends the tensors of the network and the curve, and notes.  Can be
 * cancelled.  Errors: out_of_memory, data_exception where training diverges.
 */
void
gs_training_run(const GsTraining *training, const GsTrainable *what,
				const GsTrainingOptions *options, GsFitContext *context)
{
	Run			run = {.what = what,.context = context};
	bool		warm = options->warm_start &&
		copy_weights(training->name, context->read_before(context),
					 what->params);

	if (options->warm_start && !warm)
		gs_fit_note(context, "no warm start: there is no version before with the same network");
	make_plan(training, options, context->key, warm, &run.plan);
	gs_progress_phase(GS_PHASE_NETWORK, 0, run.plan.steps);
	if (training->cancel != NULL)
		*training->cancel = &run.log.cancel;
	PG_TRY();
	{
		gs_training_thread(run_loop, &run, &run.log.cancel, tell_progress);
		check_end(&run.log, context);
		note_run(&run.log, &run.plan, warm, what->watch != NULL, context);
		save_params(training->name, what->params, &context->tensors);
		gs_tensor_add(&context->tensors, "training", GS_F8, 2, run.log.nchecks,
					  sizeof(GsTrainCheck) / sizeof(double), run.log.check);
	}
	PG_FINALLY();
	{
		if (training->cancel != NULL)
			*training->cancel = NULL;
		free(run.log.check);
	}
	PG_END_TRY();
}
