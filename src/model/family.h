/*
 * family.h
 *	  The interface that every model family implements.
 *
 * A family learns from bins and gives back tensors; loads these again; and
 * fills batches with a normal score for each number feature and a code for
 * each category feature.  It knows nothing of columns, types or the catalog.
 */
#ifndef GENSYNTH_FAMILY_H
#define GENSYNTH_FAMILY_H

#include "column/tensor.h"
#include "condition/given.h"
#include "model/dependency.h"
#include "model/fit_context.h"
#include "model/option.h"
#include "model/tokens.h"
#include "privacy/counts.h"

typedef struct GsFamily
{
	const char *name;

	/*
	 * The scores of a number with NULLs need not be normal: gs_calibrate has
	 * to see to it.
	 */
	bool		calibrated;

	/* The options of its own; their values are in a struct of that size. */
	const GsOptionDef *options;
	int			noptions;
	Size		options_size;

	/*
	 * Learns the features that are not marked as determined; appends tensors
	 * named "name/..." and notes for the user.  Can be cancelled.
	 */
	void		(*fit) (GsFitContext *context);

	/*
	 * The same from noisy counts of the schema's features, in their order:
	 * a family that learns privately, and has no fit.  NULL for the others.
	 */
	void		(*fit_counts) (GsFitContext *context,
							   const GsNoisyTable *table);

	/*
	 * Reads a model from tensors, all of which are checked.  Nothing changes
	 * it any more: sessions keep it, and several streams share it.  Allocates
	 * in the current context.
	 */
	const void *(*load) (const GsSchema *schema, const List *tensors);

	/*
	 * A sampler of a loaded model, which must outlive it: all that changes
	 * while rows are made.  Allocates in the current context.
	 *
	 * given: NULL, or conditions, none of which asks anything of a determined
	 * feature: only rows that lie in one of the boxes are made, as likely as
	 * the model makes them, and counted in given->stats.  context: NULL, or
	 * [nfeatures] what every batch comes with (see GsBatch), whole columns:
	 * the others are drawn given these.  Never both.  Errors:
	 * gs_given_impossible; feature_not_supported where the model cannot be
	 * sampled with this context.
	 */
	void	   *(*begin) (const void *model, GsGiven *given,
						  const bool *context);

	/*
	 * Lets a sampler with context heed what known features say of those that
	 * determine them, while it draws these.  NULL: their rows are made again
	 * where they do not go together.
	 */
	void		(*heed) (void *sampler, GsInverse *inverse);
	bool		refined;		/* also when nobody asks for it */
	bool		conditions;		/* begin takes conditions ... */
	bool		contexts;		/* ... and context */

	/*
	 * Fills score or code of every feature for the rows first to first +
	 * GS_BATCH - 1: a pure function of the model, the conditions, batch->key
	 * and the row number.
	 */
	void		(*generate) (void *sampler, GsBatch *batch);

	/*
	 * Adds to the log odds of all tokens that a sampler draws; returns these
	 * tokens.  gs_calibrate finds out what to add, and stores it as the tensor
	 * "tokens/bias", which load heeds.  NULL: the family's marginals are those
	 * of the source already.
	 */
	const GsTokens *(*adjust) (void *sampler, const float *bias);
	int			adjust_batches; /* that it is sampled for, in each round */
	int			adjust_features;	/* of tables wider than this for fewer */
	double		adjust_step;	/* of what the log odds lack then */
} GsFamily;

extern const GsFamily gs_copula;
extern const GsFamily gs_tree;
extern const GsFamily gs_vae;
extern const GsFamily gs_diffusion;
extern const GsFamily gs_gan;
extern const GsFamily gs_private;

/* Of rows that are made owner by owner; nobody asks for it by name. */
extern const GsFamily gs_sequence;

/* private_rows.c */
extern void gs_private_rows_fit(const GsFamily *family,
								GsFitContext *context,
								const GsNoisyTable *table);

extern const GsFamily *gs_family_find(const char *name);
extern char *gs_family_names(void);

#endif
