/*
 * dependency_rank.c
 *	  Levels in an order in which those next to each other are alike.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/dependency.h"
#include "model/groups.h"

#define MAX_TOLD		3		/* features that levels nearly tell */
#define TOLD_CLASSES	32		/* of such a feature's values */
#define MIN_TOLD		0.25	/* of the rows that chance does not get right */
#define SURE			6.0		/* standard deviations that are no chance */
#define MAX_ROWS		262144	/* that are looked at */

/* A feature of which levels tell much, as names of persons tell their sex. */
typedef struct Told
{
	double		share;			/* of the rows that chance does not get right */
	uint8	   *most;			/* [nlevels] class that most rows have */
} Told;

/* What levels are put in order by. */
typedef struct Alike
{
	const GsFeature *feature;
	int			index;			/* of the feature */
	const GsDependencyRule *found;
	int			nfound;
	int			ntold;
	Told		told[MAX_TOLD + 1];
} Alike;

/*
 * The values of a feature in rows, as at most TOLD_CLASSES classes.  Returns
 * how many there are; a missing value has the class TOLD_CLASSES.
 */
static int
classes_of(const GsEncoded *encoded, int f, int64 stride, uint8 *class)
{
	const GsFeature *feature = &encoded->features[f];
	bool		number = feature->kind == GS_FEATURE_NUMBER;
	const uint16 *value = number ? encoded->segment[f] : encoded->bin[f];
	int			n = number ? feature->quantile.nsegments : feature->nlevels;
	int64	   *count = palloc0(sizeof(int64) * Max(n, 1));
	uint8	   *class_of = palloc(Max(n, 1));
	int64		k = 0;

	for (int64 row = 0; row < encoded->nrows; row += stride)
		if (value[row] != GS_MISSING)
			count[value[row]]++;
	n = number ? gs_group_values(count, n, TOLD_CLASSES, class_of) :
		gs_group_levels(count, NULL, n, TOLD_CLASSES, class_of);
	for (int64 row = 0; row < encoded->nrows; row += stride)
		class[k++] = value[row] == GS_MISSING ? TOLD_CLASSES :
			class_of[value[row]];
	pfree(count);
	pfree(class_of);
	return n;
}

/*
 * How much the levels of a feature tell of another one's classes: each level
 * says what most of its rows have, half of the rows judge what the others say.
 *
 * level: [n] of the rows, GS_MISSING; class: [n]; told->most: set
 */
static void
tell(const uint16 *level, int nlevels, const uint8 *class, int nclasses,
	 int64 n, Told *told)
{
	uint32	   *count = palloc0(sizeof(uint32) * nlevels * TOLD_CLASSES);
	double		share[TOLD_CLASSES] = {0};
	double		judged = 0;
	double		hits = 0;
	double		by_chance = 0;
	double		variance = 0;

	told->most = palloc0(nlevels);
	for (int half = 0; half < 2; half++)
	{
		for (int64 i = half; i < n; i += 2)
		{
			double		p;

			if (level[i] == GS_MISSING || class[i] >= nclasses)
				continue;
			if (half == 0)
				share[class[i]]++;
			else if (count[(Size) level[i] * TOLD_CLASSES + told->most[level[i]]] > 0)
			{
				p = share[told->most[level[i]]];
				judged++;
				hits += told->most[level[i]] == class[i];
				by_chance += p;
				variance += p * (1 - p);
			}
		}
		/* the second half joins in only after it has judged */
		for (int64 i = half; i < n; i += 2)
			if (level[i] != GS_MISSING && class[i] < nclasses)
				count[(Size) level[i] * TOLD_CLASSES + class[i]]++;
		for (int l = 0; l < nlevels; l++)
			for (int c = 1; c < nclasses; c++)
				if (count[(Size) l * TOLD_CLASSES + c] >
					count[(Size) l * TOLD_CLASSES + told->most[l]])
					told->most[l] = (uint8) c;
		if (half == 0)
		{
			double		all = 0;

			for (int c = 0; c < nclasses; c++)
				all += share[c];
			for (int c = 0; c < nclasses; c++)
				share[c] /= Max(all, 1);
		}
	}
	told->share = hits - by_chance > SURE * sqrt(variance) ?
		(hits - by_chance) / Max(judged - by_chance, 1) : 0;
	pfree(count);
}

/*
 * Finds the features that the levels of a category tell most of, though they
 * do not determine them: those of them that have few rows each would be one to
 * a family, and tell nothing.
 */
static void
find_told(const GsEncoded *encoded, Alike *alike)
{
	int64		stride = encoded->nrows / MAX_ROWS + 1;
	int64		n = (encoded->nrows + stride - 1) / stride;
	int			nlevels = alike->feature->nlevels;
	uint16	   *level = palloc(sizeof(uint16) * Max(n, 1));
	uint8	   *class = palloc(Max(n, 1));

	for (int64 i = 0; i < n; i++)
		level[i] = encoded->bin[alike->index][i * stride];
	for (int f = 0; f < encoded->nfeatures; f++)
	{
		Told		told;
		int			nclasses;
		int			at = alike->ntold;

		if (encoded->features[f].column == alike->feature->column ||
			encoded->determined[f])
			continue;
		CHECK_FOR_INTERRUPTS();
		nclasses = classes_of(encoded, f, stride, class);
		if (nclasses < 2)
			continue;
		tell(level, nlevels, class, nclasses, n, &told);
		if (told.share < MIN_TOLD)
		{
			pfree(told.most);
			continue;
		}
		for (; at > 0 && alike->told[at - 1].share < told.share; at--)
			alike->told[at] = alike->told[at - 1];
		alike->told[at] = told;
		alike->ntold = Min(alike->ntold + 1, MAX_TOLD);
	}
	pfree(level);
	pfree(class);
}

/*
 * By what levels determine, the coarsest first, as cities by their states; then
 * by what they nearly tell; numbers by themselves.
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
	for (int t = 0; t < alike->ntold; t++)
		if (alike->told[t].most[x] != alike->told[t].most[y])
			return alike->told[t].most[x] - alike->told[t].most[y];
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
		Alike		alike = {
			.feature = feature,.index = f,.found = found,.nfound = nfound
		};
		int			n = feature->nlevels;
		bool		ranked = feature->lane != GS_LANE_TEXT;
		int		   *order;

		if (feature->kind != GS_FEATURE_CATEGORY || n <= GS_FEW_LEVELS ||
			encoded->determined[f])
			continue;
		for (int r = 0; r < nfound; r++)
			ranked |= found[r].predictor[0] == f &&
				found[r].predictor[1] < 0;
		find_told(encoded, &alike);
		if (!ranked && alike.ntold == 0)
			continue;
		order = palloc(sizeof(int) * n);
		for (int l = 0; l < n; l++)
			order[l] = l;
		qsort_arg(order, n, sizeof(int), by_likeness, &alike);
		encoded->rank[f] = palloc(sizeof(uint16) * n);
		for (int i = 0; i < n; i++)
			encoded->rank[f][order[i]] = (uint16) i;
		pfree(order);
		for (int t = 0; t < alike.ntold; t++)
			pfree(alike.told[t].most);
	}
}
