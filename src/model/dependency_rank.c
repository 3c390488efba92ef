/*
 * dependency_rank.c
 *	  Levels in an order in which those next to each other are alike.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/dependency.h"

/* What levels are put in order by. */
typedef struct Alike
{
	const GsFeature *feature;
	int			index;			/* of the feature */
	const GsDependencyRule *found;
	int			nfound;
} Alike;

/*
 * By what levels determine, the coarsest first, as cities by their states;
 * numbers by themselves.
 */
static int
by_likeness(const void *a, const void *b, void *arg)
{
	const Alike *alike = arg;
	const GsFeature *feature = alike->feature;
	int			x = *(const int *) a;
	int			y = *(const int *) b;
	int			order;

	for (int r = 0; r < alike->nfound; r++)
	{
		const GsDependencyRule *rule = &alike->found[r];

		if (rule->predictor[0] == alike->index && rule->predictor[1] < 0 &&
			rule->code[x] != rule->code[y])
			return rule->code[x] - rule->code[y];
	}
	order = feature->lane == GS_LANE_TEXT ? 0 :
		gs_scalar_compare(feature->level[x], feature->level[y],
						  feature->lane);
	return order != 0 ? order : x - y;
}

/*
 * gs_dependency_rank: ranks the levels of categories that have more than a
 * family can tell apart: encoded->rank.  Can be cancelled.
 *
 * found: [nfound] rules of determined features
 */
void
gs_dependency_rank(const GsSchema *schema, GsEncoded *encoded,
				   const GsDependencyRule *found, int nfound)
{
	for (int f = 0; f < encoded->nfeatures; f++)
	{
		const GsFeature *feature = &schema->features[f];
		Alike		alike = {feature, f, found, nfound};
		int			n = feature->nlevels;
		bool		ranked = feature->lane != GS_LANE_TEXT;
		int		   *order;

		for (int r = 0; r < nfound; r++)
			ranked |= found[r].predictor[0] == f &&
				found[r].predictor[1] < 0;
		if (feature->kind != GS_FEATURE_CATEGORY || n <= GS_FEW_LEVELS || !ranked ||
			encoded->determined[f])
			continue;
		CHECK_FOR_INTERRUPTS();
		order = palloc(sizeof(int) * n);
		for (int l = 0; l < n; l++)
			order[l] = l;
		qsort_arg(order, n, sizeof(int), by_likeness, &alike);
		encoded->rank[f] = palloc(sizeof(uint16) * n);
		for (int i = 0; i < n; i++)
			encoded->rank[f][order[i]] = (uint16) i;
		pfree(order);
	}
}
