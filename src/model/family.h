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

#include "catalog/tensor.h"
#include "column/given.h"
#include "model/fit_context.h"
#include "model/option.h"
#include "model/tokens.h"

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
	 * Reads a model from tensors, all of which are checked.  Allocates in the
	 * current context.
	 */
	void	   *(*load) (const GsSchema *schema, const List *tensors);

	/*
	 * Fills score or code of every feature for the rows first to first +
	 * GS_BATCH - 1: a pure function of the model, batch->key and the row
	 * number.
	 */
	void		(*generate) (void *model, GsBatch *batch);

	/*
	 * A loaded model that generates only rows which lie in one of given's
	 * boxes, none of which asks anything of a determined feature; as likely
	 * as the model makes them.  Counts them in given->stats.  Allocates in
	 * the current context; what was loaded must outlive it.  NULL: the family
	 * has no way to.  Errors: gs_given_impossible.
	 */
	void	   *(*condition) (void *model, GsGiven *given);

	/*
	 * Adds to the log odds of all tokens that a loaded model draws; returns
	 * these tokens.  gs_calibrate finds out what to add, and stores it as the
	 * tensor "tokens/bias", which load heeds.  NULL: the family's marginals
	 * are those of the source already.
	 */
	const GsTokens *(*adjust) (void *model, const float *bias);
	int			adjust_batches; /* that it is sampled for, in each round */
	int			adjust_features;	/* of tables wider than this for fewer */
	double		adjust_step;	/* of what the log odds lack then */
} GsFamily;

extern const GsFamily gs_copula;
extern const GsFamily gs_tree;
extern const GsFamily gs_vae;
extern const GsFamily gs_diffusion;
extern const GsFamily gs_gan;

extern const GsFamily *gs_family_find(const char *name);
extern char *gs_family_names(void);

#endif
