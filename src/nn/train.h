/*
 * train.h
 *	  Training: AdamW, and steps over minibatches in parallel.
 *
 * A batch is cut into shards, as many as its size says, never as the number
 * of threads says.  Each shard has its own gradient and workspace; threads
 * take shards; gradients are then summed in the order of the shards.  So the
 * same seed and steps give the same parameters, bit for bit, with any number
 * of threads.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_TRAIN_H
#define GENSYNTH_TRAIN_H

#include <stdatomic.h>

#include "nn.h"
#include "pool.h"

#define GS_MAX_SHARDS	4

/* AdamW (Loshchilov and Hutter, ICLR 2019); the rate comes with each step. */
typedef struct GsAdam
{
	double		beta1;			/* 0.9 */
	double		beta2;			/* 0.999 */
	double		epsilon;		/* 1e-8 */
	double		weight_decay;	/* of weights and embeddings; 0: none */
	double		clip;			/* longest gradient, all in all; 0: any */
	double		average;		/* decay of the weights' average; 0: none */
} GsAdam;

#define GS_ADAM_DEFAULTS {0.9, 0.999, 1e-8, 1e-4, 1.0, 0.999}

/* One shard of a batch, for the loss function. */
typedef struct GsShard
{
	int			first;			/* its first row's place in the batch */
	int			n;				/* its rows, at least 1 */
	const gs_real *params;
	gs_real    *grad;			/* to add to; NULL: only the loss is wanted */
	GsArena		arena;			/* empty, of the workspace's size */
	uint64_t	key;			/* random numbers: GsDraw */
	uint64_t	step;			/* from 0 */
} GsShard;

/*
 * A network with its loss: forward and, if shard->grad isn't NULL, backward
 * over the shard's rows.  Returns the SUM of the rows' losses, and adds the
 * gradient of that sum; the mean over the batch is taken afterwards.  Called
 * in several threads at once: "model" is only read.
 */
typedef double (*GsLoss) (const void *model, GsShard *shard);

typedef struct GsTrainerSetup
{
	GsPool	   *pool;
	GsParams   *params;			/* created; value changes with each step */
	GsAdam		adam;
	GsLoss		loss;
	const void *model;
	int			batch;			/* the largest one */
	int			shards;			/* of a batch that is no small one, at most
								 * GS_MAX_SHARDS; 0: as many as it is worth */
	size_t		workspace;		/* bytes, for gs_shard_rows(batch) rows, or
								 * for as many as those shards have */
	uint64_t	key;			/* of the random numbers of all steps */
	const atomic_bool *cancel;	/* NULL: never */
} GsTrainerSetup;

typedef struct GsTrainer
{
	GsTrainerSetup setup;
	uint64_t	step;			/* steps done */
	gs_real    *average;		/* [size] the weights' average, or NULL */
	gs_real    *moment1;		/* [size] */
	gs_real    *moment2;		/* [size] */
	gs_real    *grad[GS_MAX_SHARDS];	/* [size], zero between steps */
	char	   *workspace[GS_MAX_SHARDS];	/* one for each thread */
	atomic_bool taken[GS_MAX_SHARDS];	/* by a shard that is run */
	double	   *square;			/* of the gradient's length, by slice */
} GsTrainer;

typedef enum GsStatus
{
	GS_STEP_DONE,
	GS_STEP_CANCELLED,			/* nothing changed */
	GS_STEP_NOT_FINITE			/* loss or gradient; nothing changed */
} GsStatus;

typedef struct GsStep
{
	double		loss;			/* mean over the batch */
	double		norm;			/* the gradient's length before clipping */
} GsStep;

/* the rows of the largest shard of a batch */
extern int	gs_shard_rows(int batch);
/*
 * What to multiply the rate of a step (from 0) with: linear warm-up, then half
 * a cosine down to floor at "total" steps, which may be an estimate.
 */
extern double gs_schedule(uint64_t step, uint64_t total, uint64_t warmup,
						  double floor);
/* false: memory is out, and nothing to free */
extern bool gs_trainer_create(const GsTrainerSetup *setup,
							  GsTrainer *trainer);
/* after params were changed from outside: forgets moments, average, steps */
extern void gs_trainer_reset(GsTrainer *trainer);
extern void gs_trainer_free(GsTrainer *trainer);
extern GsStatus gs_trainer_step(GsTrainer *trainer, int batch, double rate,
								GsStep *result);
/* Mean loss of a batch under params, without a gradient (validation). */
extern GsStatus gs_trainer_loss(GsTrainer *trainer, const gs_real *params,
								int batch, uint64_t step, double *loss);

#endif
