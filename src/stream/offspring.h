/*
 * offspring.h
 *	  How many children the parents get that a foreign key refers to.
 */
#ifndef GENSYNTH_OFFSPRING_H
#define GENSYNTH_OFFSPRING_H

#include "postgres.h"

#include "constraint/constraints.h"
#include "model/model.h"

/* Parents of the source that have as many children. */
typedef struct GsSiblings
{
	int64		children;
	int64		parents;
	double		until;			/* share of all parents, with those before */
} GsSiblings;

typedef struct GsOffspring
{
	/* what the model says */
	int			n;
	GsSiblings   *siblings;			/* [n] most children first */
	double		all_rows;		/* of the source; 0: unknown */
	double		all_parents;
	double		known_rows;		/* of parents that are known by their values */
	double		rows;			/* of the others */

	/* as children are shared out */
	int			used;			/* of n */
	double		growth;			/* of numbers of children */
} GsOffspring;

extern bool gs_offspring_load(GsOffspring *offspring, const GsModel *model,
							 const GsConstraint *constraint);
extern int64 gs_offspring_share_out(GsOffspring *offspring, int64 parents,
									int64 children, bool some);
extern double gs_offspring_count(const GsOffspring *offspring, int64 n,
								 double shift, double growth);
extern double gs_offspring_growth(const GsOffspring *offspring, int64 n,
								  double shift, double children);
extern int64 gs_offspring_find(const GsOffspring *offspring, int64 n,
							   double shift, double growth, double child);

#endif
