/*
 * dependency_search.h
 *	  The search for determined features, for dependency_find.c, which says what
 *	  is looked at, and dependency_judge.c, which looks at the rows.
 */
#ifndef GENSYNTH_DEPENDENCY_SEARCH_H
#define GENSYNTH_DEPENDENCY_SEARCH_H

#include "model/dependency.h"

#define MAX_PAIRS		65536	/* bins of two predictors ... */
#define MAX_FEATURES	64		/* to look at pairs of */

/* What is looked at while rules are found. */
typedef struct Search
{
	GsSchema   *schema;
	GsEncoded  *encoded;
	bool		completes;		/* what tells known features is of use */
	int			threshold;		/* rows that a bin needs to tell */
	int		   *nvalues;		/* [nfeatures] levels or segments */
	bool	   *atoms;			/* [nfeatures] nearly all rows have a value that
								 * is a bin of its own */
	int64	   *present;		/* [nfeatures] rows that have a value */
	int		   *mode;			/* [nfeatures] the value that most have */
	int64	   *rest;			/* [nfeatures] rows that have another one */
	double	   *uncovered;		/* [MAX_FEATURES][MAX_FEATURES] rows whose pair is too
								 * rare to tell anything; -1: not counted yet */
	bool	   *locked;			/* [nfeatures] must not be determined */
	int32	   *code;			/* [PG_UINT16_MAX + 1 or MAX_PAIRS] */
	int32	   *votes;			/* of the code, less those against it */
	int32	   *rows;			/* of each bin ... */
	int32	   *hits;			/* ... that have its code */
	int			nfound;
	GsDependencyRule *found;	/* [nfeatures] */
} Search;

/* A candidate: what might determine what. */
typedef struct Candidate
{
	int			feature;
	int			npredictors;
	int			predictor[2];
	int			nbins[2];
	int64		all;			/* rows in which the feature is there ... */
	int64		mapped;			/* ... of them in bins that tell its value */
	int64		exceptions;
	int64		nulls;			/* of these */
} Candidate;

/*
 * A feature's value in a row: a level, or a segment; GS_MISSING.
 *
 * told: by others: a value too rare to be shown is the nearest one, an
 * exception (gs_learn_rare); else it tells nothing
 */
static inline int
value_of(const Search *search, int f, int64 row, bool told)
{
	const uint16 *segment = search->encoded->segment[f];
	const uint16 *within = search->encoded->within[f];

	if (segment == NULL)
		return search->encoded->bin[f][row];
	return told && segment[row] == GS_MISSING && within[row] > 0 ?
		within[row] - 1 : segment[row];
}

/*
 * The same as a bin of a predictor, which the NULL of a number is, too.
 */
static inline int
bin_of(const Search *search, int f, int64 row)
{
	const GsFeature *feature = &search->schema->features[f];
	int			value = value_of(search, f, row, false);
	int			null;

	if (value != GS_MISSING || feature->kind != GS_FEATURE_NUMBER)
		return value;
	null = search->schema->columns[feature->column].null_feature;
	return null >= 0 && search->encoded->bin[null][row] == 1 ?
		search->nvalues[f] : GS_MISSING;
}

/*
 * The bin of a candidate's predictors in a row; -1 if they say nothing.
 */
static inline int
row_bin(const Search *search, const Candidate *c, int64 row)
{
	int			bin = bin_of(search, c->predictor[0], row);
	int			second;

	if (bin == GS_MISSING || c->npredictors == 1)
		return bin == GS_MISSING ? -1 : bin;
	second = bin_of(search, c->predictor[1], row);
	return second == GS_MISSING ? -1 : bin * c->nbins[1] + second;
}

static inline int
bins_of(const Candidate *c)
{
	return c->npredictors == 1 ? c->nbins[0] : c->nbins[0] * c->nbins[1];
}

/* dependency_judge.c */
extern bool gs_dependency_is_told(const Search *search, int f, int value);
extern bool gs_dependency_determines(Search *search, Candidate *c);
extern bool gs_dependency_pair_determines(Search *search, Candidate *c);

#endif
