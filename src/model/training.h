/*
 * training.h
 *	  The training of a deep family within a fit: options, threads, progress,
 *	  cancelling, and what is kept of it.
 *
 * A family makes gs_training_params(), adds its views, creates them with
 * gs_training_create() and trains them with gs_training_run(), which stores
 * them, too.  Loading: gs_training_params(), the same views,
 * gs_training_load().
 */
#ifndef GENSYNTH_TRAINING_H
#define GENSYNTH_TRAINING_H

#include "column/tensor.h"
#include "model/fit_context.h"
#include "model/option.h"
#include "nets/loop.h"

/* The options that all deep families have: 0 for the family's own value. */
typedef struct GsTrainingOptions
{
	int64		epochs;
	int64		steps;			/* of the schedule */
	int64		stop_step;		/* where it ends at the latest */
	int64		time_limit;		/* seconds of training; 0: none */
	int64		batch_size;
	double		learning_rate;
	int64		warm_start;
} GsTrainingOptions;

#define GS_TRAINING_OPTIONS \
	GS_OPTION_NUMBER(epochs, GsTrainingOptions, 0, 1000000, 0), \
	GS_OPTION_NUMBER(steps, GsTrainingOptions, 0, INT64CONST(1000000000), 0), \
	GS_OPTION_NUMBER(stop_step, GsTrainingOptions, 0, INT64CONST(1000000000), 0), \
	GS_OPTION_NUMBER(time_limit, GsTrainingOptions, 0, 10000000, 300), \
	GS_OPTION_NUMBER(batch_size, GsTrainingOptions, 0, 65536, 0), \
	{"learning_rate", GS_OPTION_RATE, \
		offsetof(GsTrainingOptions, learning_rate), 0, 0, 0, NULL, NULL, NULL}, \
	GS_OPTION_NUMBER(warm_start, GsTrainingOptions, 0, 1, 0)

/* What a family asks for where the options don't say otherwise. */
typedef struct GsTraining
{
	const char *name;			/* of the family: its tensors' prefix */
	int64		nrows;			/* of the table */
	int			batch;			/* gs_training_batch */
	double		epochs;			/* at most so many, and ... */
	double		steps;			/* ... so many steps, whichever is less */
	double		rate;
	GsAdam		adam;
	double		slack;			/* see GsTrainPlan */

	/*
	 * Where the thread of the loop is to look whether it is cancelled, for
	 * functions of the family that take long; NULL while it does not run.
	 * NULL if nobody looks.
	 */
	const atomic_bool **cancel;
} GsTraining;

extern int	gs_training_batch(const GsTrainingOptions *options, int64 nrows,
							  int standard);
extern int	gs_training_threads(void);
extern void gs_training_thread(void (*work) (void *), void *arg,
							   atomic_bool *cancel,
							   void (*tell) (void *arg, double seconds));
extern GsParams *gs_training_params(void);
extern void gs_training_create(GsParams *params, uint64 seed);
extern void gs_training_run(const GsTraining *training,
							const GsTrainable *what,
							const GsTrainingOptions *options,
							GsFitContext *context);
extern float *gs_training_copy(const float *params, Size n);
extern void gs_training_load(const char *name, const List *tensors,
							 GsParams *params);

#endif
