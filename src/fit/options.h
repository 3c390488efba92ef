/*
 * options.h
 *	  The options of synth_fit.
 */
#ifndef GENSYNTH_OPTIONS_H
#define GENSYNTH_OPTIONS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "model/family.h"

/* Those of every fit; a family has some of its own. */
typedef struct GsOptions
{
	int64		max_rows;		/* of the sample that is learned from */
	int64		rare_threshold; /* rows that a value needs to be shown */
	GsFlagOrNames public;		/* nothing is to be protected; or of parents */
	int64		unprotected;	/* in spite of a privacy budget */
	int64		keep_versions;	/* besides the current one */
	int64		dependencies;	/* columns that others determine are found */
	int64		differences;	/* columns that are close to others are, too */
	int64		refine;			/* rounds that refine the model */
	List	   *context;		/* C strings: columns known for every row */
	List	   *impute;			/* C strings: columns whose NULLs are not drawn */
	List	   *kinds;			/* GsNamedChoice: what columns mean */
	List	   *constraints;	/* C strings: conditions on the row */
	List	   *bounds;			/* GsNamedValues: the ends of numbers */
	List	   *categories;		/* GsNamedValues: all there are */
	char	   *privacy_unit;	/* the column that says whose a row is */
	int64		max_rows_per_unit;
	char	   *target;			/* the column that others are to predict */
	int64		pairs;			/* of columns are counted, with epsilon */
	double		domain_share;	/* of the budget, for ends; 0: left out */
	const char *on_violation;	/* looked up where rows are made */
	void	   *own;			/* the family's struct */
} GsOptions;

/* Options that are described together, and the struct that they go to. */
typedef struct GsOptionSet
{
	const GsOptionDef *def;
	int			n;
	void	   *values;
} GsOptionSet;

extern void gs_options_read(Jsonb *json, const char *method,
							const GsOptionSet *sets, int nsets);
extern void gs_options_parse(Jsonb *json, const GsFamily *family,
							 GsOptions *options);

#endif
