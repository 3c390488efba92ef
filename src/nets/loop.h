/*
 * loop.h
 *	  The training loop that the deep families share: shuffled minibatches, a
 *	  cosine schedule, validation, early stopping, divergence, a time limit.
 *
 * A run is a pure function of the data, the start, the seed and the plan,
 * whatever the number of threads (see nn/train.h) and the time it takes, but
 * for the time limit.  That sets the length of the schedule once, after
 * GS_LOOP_WARM_UP steps, from the time that these took; until then nothing
 * depends on the length.  Should the limit strike all the same, the run ends
 * at that step.  The log has both, and a plan of these steps and that stop
 * repeats the run.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_LOOP_H
#define GENSYNTH_LOOP_H

#include "nn/train.h"

#define GS_LOOP_WARM_UP		100 /* steps until the rate is at its largest */
#define GS_LOOP_CHECK		100 /* steps between validations */
#define GS_LOOP_RETRIES		3	/* with smaller rates, after it diverged */

/*
 * A network that takes a step on each batch after the one that is trained
 * has, at a rate of its own: a critic, of what that one has just made.
 */
typedef struct GsOpponent
{
	GsParams   *params;			/* created */
	GsLoss		loss;			/* of the same model */
	size_t		workspace;		/* as below */
	int			shards;
	double		rate;			/* times that of the other */
} GsOpponent;

/*
 * What is trained.  The loop puts the rows of the batch at hand into row[],
 * where the loss function, which reads it by way of model, finds those of its
 * shard from row[shard->first] on.  In validation shard->grad is NULL, and
 * shard->step counts batches from 0, the same each time.
 */
typedef struct GsTrainable
{
	GsParams   *params;			/* created: where training starts */
	GsLoss		loss;
	const void *model;
	uint32_t   *row;			/* [batch] of the table */
	size_t		workspace;		/* bytes of a shard: see GsTrainerSetup ... */
	int			shards;			/* ... and how many of them; 0: any */
	const GsOpponent *opponent; /* NULL: none */

	/*
	 * May put other rows of the table into row[], as a function of the step,
	 * counted from 0.  NULL: the shuffled ones stay.
	 */
	void		(*choose) (const void *model, uint64_t step);

	/*
	 * What is validated instead of the loss, of params; NAN where training
	 * has gone wrong.  NULL: the loss.
	 */
	double		(*watch) (const void *model, const gs_real *params);
} GsTrainable;

typedef struct GsTrainPlan
{
	uint64_t	seed;
	uint32_t	nrows;			/* of the table, at least 1 */
	int			nthreads;
	int			batch;			/* rows of a minibatch */
	double		rate;			/* the largest one */
	GsAdam		adam;
	int64_t		steps;			/* of the schedule */
	bool		fixed;			/* whatever the time limit */
	int64_t		stop;			/* at this step at the latest; 0: never */
	double		time_limit;		/* seconds; 0: none */
	double		patience;		/* share of the steps without a gain */
	double		slack;			/* part of the least loss that later weights
								 * may be worse by */
} GsTrainPlan;

/* A validation. */
typedef struct GsTrainCheck
{
	double		step;			/* steps done */
	double		epoch;			/* rows seen over rows learned from */
	double		loss;			/* mean of a row since the last check */
	double		validation;		/* mean of a row, with averaged weights */
	double		rate;			/* learning rate */
	double		seconds;		/* since the beginning */
} GsTrainCheck;

typedef enum GsTrainEnd
{
	GS_TRAIN_DONE,				/* all steps */
	GS_TRAIN_EARLY,				/* no gain for long enough */
	GS_TRAIN_STOPPED,			/* at plan.stop */
	GS_TRAIN_TIME,				/* out of time before the last step */
	GS_TRAIN_COLLAPSED,			/* watched, with smaller rates, too */
	GS_TRAIN_CANCELLED,
	GS_TRAIN_NO_MEMORY,
	GS_TRAIN_DIVERGED			/* with smaller rates, too */
} GsTrainEnd;

/*
 * A run.  While it goes on, another thread may read the atomics, and set
 * cancel.
 */
typedef struct GsTrainLog
{
	atomic_bool cancel;
	_Atomic int64_t step;		/* steps done */
	_Atomic int64_t steps;		/* of the schedule, as it is */
	_Atomic double validation;	/* loss of the last check */
	GsTrainEnd	end;
	int64_t		best;			/* step that the weights are of */
	double		best_loss;		/* the least validation */
	int			retries;		/* with smaller rates */
	double		seconds;
	GsTrainCheck *check;		/* [nchecks] malloced */
	int			nchecks;
} GsTrainLog;

extern uint32_t gs_loop_learned(uint32_t nrows);
extern int	gs_loop_batch(uint32_t nrows, int max);
extern void gs_loop_run(const GsTrainable *what, const GsTrainPlan *plan,
						GsTrainLog *log);

#endif
