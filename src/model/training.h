/*
 * training.h
 *	  The training of a deep family within a fit: options, threads, progress,
 *	  cancelling, and what is kept of it.
 */
#ifndef GENSYNTH_TRAINING_H
#define GENSYNTH_TRAINING_H

#include "fit/options.h"
#include "model/tokens.h"
#include "train/loop.h"

/* What a family asks for where the options don't say otherwise. */
typedef struct GsTraining
{
	const char *name;			/* of the family: its tensors' prefix */
	const GsTokens *tokens;
	int64		nrows;
	double		epochs;			/* at most so many, and ... */
	int64		steps;			/* ... so many steps, whichever is less */
	int			batch;			/* gs_training_batch */
	double		rate;
	GsAdam		adam;
} GsTraining;

extern int	gs_training_batch(const GsOptions *options, int64 nrows,
							  int standard);
extern void gs_training_run(const GsTraining *training,
							const GsTrainable *what,
							const GsOptions *options, List **tensors,
							List **notes);
extern void gs_training_save(const char *name, const GsParams *params,
							 List **tensors);
extern void gs_training_load(const char *name, const List *tensors,
							 GsParams *params);

#endif
