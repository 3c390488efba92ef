/*
 * number.c
 *	  A number's values at normal scores, made ready to be found fast.
 */
#include "postgres.h"

#include "encode/number.h"

/*
 * gs_number_init: prepares a feature, which need not be a number, in the
 * current context.
 */
void
gs_number_init(GsNumber *number, const GsFeature *feature)
{
	const GsQuantile *q = &feature->quantile;

	number->feature = feature;
	if (feature->kind != GS_FEATURE_NUMBER)
		return;
	number->segment = palloc0(sizeof(GsSegment) * q->nsegments);
	gs_guide_init(&number->guide, q->edge, q->nsegments, palloc);
	for (int s = 0; s < q->nsegments; s++)
	{
		GsSegment  *segment = &number->segment[s];

		segment->edge = q->edge[s];
		segment->scale = 1 / (q->edge[s + 1] - q->edge[s]);
		segment->low = q->low[s];
		if (feature->lane == GS_LANE_INT)
			segment->steps = ((uint64) q->high[s].i - (uint64) q->low[s].i) /
				(uint64) feature->step;
	}
}
