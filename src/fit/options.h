/*
 * options.h
 *	  The options of synth_fit.
 */
#ifndef GENSYNTH_OPTIONS_H
#define GENSYNTH_OPTIONS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

typedef struct GsOptions
{
	int64		max_rows;		/* of the sample that is learned from */
	int			rare_threshold; /* rows that a value needs to be shown */
	int			keep_versions;	/* besides the current one */
	bool		dependencies;	/* columns that others determine are found */
	bool		differences;	/* columns that are close to others are, too */
	List	   *constraints;	/* C strings: conditions on the row */
	int			min_leaf;		/* tree: rows of a leaf */
	int			refine;			/* rounds that refine the model */
	List	   *order;			/* tree: names of the columns to come first */
	List	   *given;			/* tree: the same of a second chain, for conditions */

	/* deep families: 0 where the family's own value is meant */
	int			epochs;
	int64		steps;			/* of the schedule */
	int64		stop_step;		/* where it ends at the latest */
	int			time_limit;		/* seconds of training; 0: none */
	int			batch_size;
	double		learning_rate;
	bool		warm_start;

	/* no options, but what every fit is given */
	int64		seed;
	List	   *before;			/* tensors of the version before */
} GsOptions;

extern void gs_options_parse(Jsonb *json, GsOptions *options);

#endif
