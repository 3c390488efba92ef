/*
 * number.h
 *	  A number's values at normal scores, made ready to be found fast.
 */
#ifndef GENSYNTH_NUMBER_H
#define GENSYNTH_NUMBER_H

#include "learn/quantile.h"
#include "numeric/guide.h"

/* A segment of more values than this needs more bits than a float has. */
#define GS_WIDE_STEPS	4096

/* What is needed of a number's segment, in one place for the cache. */
typedef struct GsSegment
{
	double		edge;
	double		scale;			/* 1 / width in normal score */
	GsScalar	low;
	uint64		steps;			/* INT: from low to high */
} GsSegment;

typedef struct GsNumber
{
	const GsFeature *feature;
	GsGuide		guide;			/* into the segments */
	GsSegment  *segment;		/* [nsegments] */
} GsNumber;

extern void gs_number_init(GsNumber *number, const GsFeature *feature);

/*
 * The value of a number at its normal score.  A float's 24 bits do not reach
 * every value of a wide segment: random bits fill in.
 *
 * stream: of the random bits
 */
static pg_attribute_always_inline GsScalar
gs_number_at(const GsNumber *number, const GsBatch *batch, int row,
			 uint32 stream, float score)
{
	const GsFeature *feature = number->feature;
	int			s = gs_guide_find_one(&number->guide, score);
	const GsSegment *segment = &number->segment[s];
	double		fraction;

	if (feature->lane == GS_LANE_INT && segment->steps == 0)
		return segment->low;
	fraction = (score - segment->edge) * segment->scale;
	if (feature->lane == GS_LANE_FLOAT || feature->endings != NULL)
		return gs_quantile_value(feature, s,
								 Min(fraction > 0 ? fraction : 0, 1));
	if (segment->steps > GS_WIDE_STEPS)
	{
		GsRandom	random;

		gs_batch_random(&random, batch, row, stream);
		fraction += (gs_random_uniform(&random) - 0.5) / GS_WIDE_STEPS;
	}
	return gs_quantile_integer(feature, segment->low, segment->steps,
							   fraction);
}

#endif
