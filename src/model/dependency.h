/*
 * dependency.h
 *	  Features that others determine.
 */
#ifndef GENSYNTH_DEPENDENCY_H
#define GENSYNTH_DEPENDENCY_H

#include "lib/stringinfo.h"

#include "column/tensor.h"
#include "condition/given.h"

typedef struct GsDependency GsDependency;

/* How many rows have a value that a rule does not tell. */
typedef struct GsDependencyRest
{
	int32		bin;			/* of the predictors; -1: exceptions of any */
	int32		value;
	int32		rows;
} GsDependencyRest;

/* A rule that was found. */
typedef struct GsDependencyRule
{
	int32		feature;
	bool		known;			/* it is context: see dependency_invert.c */
	int32		predictor[2];	/* the second -1: there is none */
	int32		exception;		/* feature that is 1 where a row is one; -1 */
	int			ncodes;
	int32	   *code;			/* [ncodes] value for each bin; -1: none */
	StringInfoData rest;		/* of GsDependencyRest, sorted */
} GsDependencyRule;

/* dependency_find.c */
extern void gs_dependency_find(GsSchema *schema, GsEncoded *encoded,
							   bool wanted, bool completes, int threshold,
							   List **tensors);

/* dependency_rank.c */
#define GS_FEW_LEVELS	64		/* a family can learn as many one by one */

extern void gs_dependency_rank(const GsSchema *schema, GsEncoded *encoded,
							   const GsDependencyRule *found, int nfound);

/* dependency.c */
extern void gs_dependency_save(const GsDependencyRule *found, int n,
							   List **tensors);
extern GsDependency *gs_dependency_load(const GsSchema *schema,
										const List *tensors);
extern void gs_dependency_need(const GsDependency *determined,
							   const bool *context, bool *needed);
extern void gs_dependency_fill(const GsDependency *determined,
							   const GsGiven *given, GsBatch *batch);
extern void gs_dependency_given(const GsDependency *determined,
								const GsSchema *schema, GsGiven *given);

/* dependency_invert.c */
#define GS_MAX_INVERSE_RULES	8		/* that are heeded of one feature */

typedef struct GsInverse GsInverse;

extern GsInverse *gs_inverse_create(const GsDependency *determined,
									const GsSchema *schema,
									const bool *context);
extern const bool *gs_inverse_context(const GsInverse *inverse);
extern int	gs_inverse_feature(const GsInverse *inverse, int rule);
extern int	gs_inverse_rules(const GsInverse *inverse, int feature,
							 const bool *drawn, int *rules);
extern void gs_inverse_read(GsInverse *inverse, const GsBatch *batch);
extern bool gs_inverse_allows(const GsInverse *inverse, int rule, int feature,
							  const GsBatch *batch, int row, int bin);
extern int	gs_inverse_look(GsInverse *inverse, const GsBatch *target,
							const GsBatch *batch, bool *refused);
extern void gs_inverse_settle(GsInverse *inverse, GsBatch *batch,
							  const bool *refused);

#endif
