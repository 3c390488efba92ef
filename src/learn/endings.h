/*
 * endings.h
 *	  Numbers that favour some endings: prices of .99 and .00, round amounts.
 *
 * Within a segment of a quantile table such numbers are not spread evenly, but
 * by the weights of what is left of them beyond multiples of a turn: 1.00, or
 * 1000.
 */
#ifndef GENSYNTH_ENDINGS_H
#define GENSYNTH_ENDINGS_H

#include "column/column.h"
#include "column/tensor.h"

#define GS_MAX_ENDINGS	4096	/* endings */

typedef struct GsEndings
{
	int64		turn;			/* of a float in its last decimal place */
	int			n;
	int64	   *ending;			/* [n] from 0 to turn - 1, increasing */
	double	   *below;			/* [n + 1] the weight of those before; 1 in all */
} GsEndings;

extern void gs_endings_learn(GsFeature *feature, const GsScalar *sorted, int64 n,
						   int threshold);
extern int64 gs_endings_number(const GsFeature *feature, GsScalar value);
extern GsScalar gs_endings_scalar(const GsFeature *feature, int64 number);
extern bool gs_endings_value(const GsFeature *feature, int segment,
							 double fraction, GsScalar *value);
extern bool gs_endings_position(const GsFeature *feature, int segment,
								GsScalar value, double share,
								double *position);
extern bool gs_endings_clip(const GsEndings *endings, int64 *low, int64 *high);
extern void gs_endings_save(const GsSchema *schema, List **tensors);
extern void gs_endings_load(GsSchema *schema, const List *tensors);

#endif
