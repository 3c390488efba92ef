/*
 * region.c
 *	  What a feature may be: some levels, or some normal scores.
 */
#include "postgres.h"

#include "condition/given.h"

/*
 * gs_region_of_levels: a category of which some levels are allowed.
 *
 * allowed: [nlevels], copied
 */
GsRegion
gs_region_of_levels(int nlevels, const bool *allowed)
{
	GsRegion	region = {.given = true};

	region.allowed = palloc(sizeof(bool) * Max(nlevels, 1));
	memcpy(region.allowed, allowed, sizeof(bool) * nlevels);
	return region;
}

static void
intersect_intervals(GsRegion *region, const GsRegion *with)
{
	GsInterval *both = palloc(sizeof(GsInterval) *
							  Max(region->n + with->n, 1));
	int			n = 0;
	int			i = 0;
	int			j = 0;

	while (i < region->n && j < with->n)
	{
		double		low = Max(region->interval[i].low,
							  with->interval[j].low);
		double		high = Min(region->interval[i].high,
							   with->interval[j].high);

		if (low < high)
			both[n++] = (GsInterval) {low, high};
		if (region->interval[i].high < with->interval[j].high)
			i++;
		else
			j++;
	}
	region->interval = both;
	region->n = n;
}

/*
 * gs_region_intersect: narrows a feature's region to what also lies in
 * another; its arrays are made anew.  Returns false if nothing is left.
 */
bool
gs_region_intersect(const GsFeature *feature, GsRegion *region,
					const GsRegion *with)
{
	bool		any = false;

	if (!region->given)
		*region = *with;
	else if (feature->kind == GS_FEATURE_NUMBER)
		intersect_intervals(region, with);
	else
	{
		*region = gs_region_of_levels(feature->nlevels, region->allowed);
		for (int i = 0; i < feature->nlevels; i++)
			region->allowed[i] &= with->allowed[i];
	}
	if (feature->kind == GS_FEATURE_NUMBER)
		return region->n > 0;
	for (int i = 0; i < feature->nlevels; i++)
		any |= region->allowed[i];
	return any;
}
