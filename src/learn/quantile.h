/*
 * quantile.h
 *	  Quantile tables: normal scores to values and back, for number features.
 */
#ifndef GENSYNTH_QUANTILE_H
#define GENSYNTH_QUANTILE_H

#include <math.h>

#include "column/column.h"

#define GS_MAX_DECIMALS		9	/* see gs_find_decimals */
/* Doubles beyond it are whole numbers, or as good as. */
#define GS_MAX_ROUNDED		9e15

extern void gs_scalars_sort(GsScalar *scalars, int64 n, GsLaneType lane);
extern int	gs_scalar_compare(GsScalar a, GsScalar b, GsLaneType lane);
extern int	gs_find_decimals(bool narrow, const GsScalar *sorted, int64 n);
extern int64 gs_find_step(const GsScalar *sorted, int64 n);
extern GsScalar gs_find_mean(const GsFeature *feature, const GsScalar *sorted,
							 int64 n);
extern void gs_quantile_build(GsFeature *feature, const GsPartKind *kind,
							  const GsScalar *sorted, int64 n, int threshold,
							  bool listed, bool exact);
extern int	gs_quantile_find(const GsFeature *feature, GsScalar value);
extern int	gs_quantile_nearest(const GsFeature *feature, GsScalar value);
extern double gs_quantile_position(const GsFeature *feature, int segment,
								   GsScalar value, double share);
extern int	gs_quantile_bins(const GsFeature *feature, uint16 *bin_of);
extern void gs_quantile_scores(const GsFeature *feature, int segment,
							   float *base, float *span);
extern GsScalar gs_quantile_value(const GsFeature *feature, int segment,
								  double fraction);

/*
 * How far a value is from low to high, which are not equal.
 */
static inline double
gs_fraction(double value, double low, double high)
{
	if (isfinite(high - low))
		return (value - low) / (high - low);
	return (value / 2 - low / 2) / (high / 2 - low / 2);
}

/*
 * The value at a place of a segment of integers, low + steps * feature->step
 * being its last; fraction: 0 to 1, NaN taken as 0.
 */
static inline GsScalar
gs_quantile_integer(const GsFeature *feature, GsScalar low, uint64 steps,
					double fraction)
{
	if (!(fraction > 0))
		return low;
	/* the comparison also keeps the conversion in range */
	fraction *= (double) steps + 1;
	if (fraction < (double) steps)
		steps = (uint64) fraction;
	low.i = (int64) ((uint64) low.i + steps * (uint64) feature->step);
	return low;
}

#endif
