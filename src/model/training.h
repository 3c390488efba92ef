/*
 * training.h
 *	  The training of a deep family within a fit: options, threads, progress,
 *	  cancelling, and what is kept of it.
 *
 * A family makes gs_training_params(), adds its views, creates them with
 * gs_training_create() and trains them with gs_training_run(), which stores
 * them, too.  Loading: gs_training_params(), the same views,
 * gs_training_load(), gs_training_round().
 */
#ifndef GENSYNTH_TRAINING_H
#define GENSYNTH_TRAINING_H

#include "catalog/tensor.h"
#include "fit/options.h"
#include "train/loop.h"

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
} GsTraining;

extern int	gs_training_batch(const GsOptions *options, int64 nrows,
							  int standard);
extern int	gs_training_threads(void);
extern void gs_training_thread(void (*work) (void *), void *arg,
							   atomic_bool *cancel,
							   void (*tell) (void *arg, double seconds));
extern GsParams *gs_training_params(void);
extern void gs_training_create(GsParams *params, uint64 seed);
extern void gs_training_run(const GsTraining *training,
							const GsTrainable *what,
							const GsOptions *options, List **tensors,
							List **notes);
extern void gs_training_load(const char *name, const List *tensors,
							 GsParams *params);

#endif
