/*
 * determined.c
 *	  Features that another one determines.
 *
 * Where every bin of a feature (the parent) goes with a single level of a
 * category, as a code with its description or a count of 0 with the NULL of
 * a date, the category is taken out before a family learns, and looked up
 * after it has drawn: no family can be as exact.
 *
 * What looks like a dependency must be more than chance: the likelihood that
 * all bins come out pure if the two features are independent is below e^-30.
 *
 * Tensors, for R determined features:
 *	 determined			int4 [R, 2]	feature and parent; a parent that is itself
 *									determined comes before
 *	 determined/code	int4		the level for each bin of each parent in turn
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "column/quantile.h"
#include "model/determined.h"
#include "numeric/guide.h"

#define CHANCE_LIMIT	(-30.0)
#define MIN_BIN_ROWS	5
#define MAX_BINS		1000	/* of a parent */
#define MAX_MISSING		0.01	/* share of rows in which it is missing */

typedef struct Rule
{
	int			feature;
	int			parent;
	const int32 *code;			/* [parent's bins] */
	const double *edge;			/* a number's segments ... */
	int			nsegments;
	const uint16 *bin_of;		/* ... and their bins */
	GsGuide		guide;
} Rule;

struct GsDetermined
{
	int			nrules;
	Rule	   *rules;
};

/* What is looked at while rules are found. */
typedef struct Search
{
	GsEncoded  *encoded;
	int64	  **count;			/* [nfeatures][nbins] rows */
	int32	   *code;			/* [MAX_BINS] */
	int64	   *rows;			/* [MAX_BINS] */
} Search;

/*
 * Whether parent determines feature; the levels are left in search->code.
 */
static bool
determines(Search *search, int parent, int feature)
{
	const GsEncoded *encoded = search->encoded;
	const uint16 *from = encoded->bin[parent];
	const uint16 *to = encoded->bin[feature];
	int			nbins = encoded->nbins[parent];
	bool		number = encoded->features[parent].kind == GS_FEATURE_NUMBER;
	double		chance = 0;
	int64		missing = 0;
	int64		total = 0;

	if (nbins < 2 || nbins > MAX_BINS)
		return false;
	for (int k = 0; k < nbins; k++)
	{
		search->code[k] = -1;
		search->rows[k] = 0;
	}
	for (int64 row = 0; row < encoded->nrows; row++)
	{
		if (to[row] == GS_MISSING)
			continue;

		/* where the parent is NULL it tells nothing; a few rare values pass */
		if (from[row] == GS_MISSING)
		{
			if (number || ++missing > encoded->nrows * MAX_MISSING)
				return false;
			continue;
		}
		if (search->code[from[row]] >= 0 &&
			search->code[from[row]] != to[row])
			return false;
		search->code[from[row]] = to[row];
		search->rows[from[row]]++;
	}
	for (int k = 0; k < encoded->nbins[feature]; k++)
		total += search->count[feature][k];
	for (int k = 0; k < nbins; k++)
	{
		double		pure = 0;

		if (search->rows[k] == 0)
			continue;
		if (search->rows[k] < MIN_BIN_ROWS)
			return false;
		for (int level = 0; level < encoded->nbins[feature]; level++)
			pure += pow((double) search->count[feature][level] / total,
						search->rows[k]);
		chance += log(pure);
	}
	return chance < CHANCE_LIMIT;
}

static int
by_bins(const void *a, const void *b, void *arg)
{
	const GsEncoded *encoded = arg;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	if (encoded->nbins[x] != encoded->nbins[y])
		return encoded->nbins[x] - encoded->nbins[y];
	return y - x;
}

static void
count_levels(Search *search)
{
	const GsEncoded *encoded = search->encoded;

	for (int f = 0; f < encoded->nfeatures; f++)
	{
		CHECK_FOR_INTERRUPTS();
		search->count[f] = palloc0(sizeof(int64) * Max(encoded->nbins[f], 1));
		for (int64 row = 0; row < encoded->nrows; row++)
			if (encoded->bin[f][row] != GS_MISSING)
				search->count[f][encoded->bin[f][row]]++;
	}
}

/*
 * gs_determined_find: finds the determined features of a table, marks them in
 * encoded->determined, and appends their tensors.  Can be cancelled.
 *
 * wanted: whether there shall be any.
 */
void
gs_determined_find(GsEncoded *encoded, bool wanted, List **tensors)
{
	int			n = encoded->nfeatures;
	Search		search = {.encoded = encoded};
	int		   *order = palloc(sizeof(int) * Max(n, 1));
	int32	   *pairs = palloc(sizeof(int32) * 2 * Max(n, 1));
	int32	  **codes = palloc0(sizeof(int32 *) * Max(n, 1));
	int			nrules = 0;
	StringInfoData code;

	search.count = palloc(sizeof(int64 *) * Max(n, 1));
	search.code = palloc(sizeof(int32) * MAX_BINS);
	search.rows = palloc(sizeof(int64) * MAX_BINS);
	count_levels(&search);
	for (int f = 0; f < n; f++)
		order[f] = f;

	/* the coarsest first: what has fewer levels is the one determined */
	qsort_arg(order, n, sizeof(int), by_bins, encoded);
	for (int i = 0; i < n && wanted; i++)
	{
		int			f = order[i];

		CHECK_FOR_INTERRUPTS();
		if (encoded->features[f].kind != GS_FEATURE_CATEGORY ||
			encoded->nbins[f] < 2)
			continue;
		for (int j = n - 1; j >= 0; j--)
		{
			int			parent = order[j];

			if (parent == f || encoded->determined[parent] ||
				!determines(&search, parent, f))
				continue;
			encoded->determined[f] = true;
			pairs[2 * nrules] = f;
			pairs[2 * nrules + 1] = parent;
			codes[nrules] = palloc(sizeof(int32) * encoded->nbins[parent]);
			for (int k = 0; k < encoded->nbins[parent]; k++)
				codes[nrules][k] = Max(search.code[k], 0);
			nrules++;
			break;
		}
	}

	/* a parent was found to be determined after its own children were */
	initStringInfo(&code);
	for (int r = 0; r < nrules / 2; r++)
	{
		int			last = nrules - 1 - r;
		int32	   *swap = codes[r];

		codes[r] = codes[last];
		codes[last] = swap;
		for (int k = 0; k < 2; k++)
		{
			int32		pair = pairs[2 * r + k];

			pairs[2 * r + k] = pairs[2 * last + k];
			pairs[2 * last + k] = pair;
		}
	}
	for (int r = 0; r < nrules; r++)
		appendBinaryStringInfo(&code, (char *) codes[r],
							   sizeof(int32) * encoded->nbins[pairs[2 * r + 1]]);
	gs_tensor_add(tensors, "determined", GS_I4, 2, nrules, 2, pairs);
	gs_tensor_add(tensors, "determined/code", GS_I4, 1, code.len / 4, 0,
				  code.data);
}

/*
 * gs_determined_load: reads the rules.  Errors: data_corrupted.
 */
GsDetermined *
gs_determined_load(const GsSchema *schema, const List *tensors)
{
	GsDetermined *determined = palloc0(sizeof(GsDetermined));
	const GsTensor *pairs = gs_tensor_get(tensors, "determined", GS_I4, 2);
	const GsTensor *code = gs_tensor_get(tensors, "determined/code", GS_I4,
										 1);
	bool	   *is_parent = palloc0(Max(schema->nfeatures, 1));
	bool	   *done = palloc0(Max(schema->nfeatures, 1));
	int			at = 0;

	if (pairs->dims[1] != 2 || pairs->dims[0] > schema->nfeatures)
		gs_corrupted("Tensor \"determined\" has the wrong shape.");
	determined->nrules = pairs->dims[0];
	determined->rules = palloc0(sizeof(Rule) * Max(pairs->dims[0], 1));
	for (int r = 0; r < determined->nrules; r++)
	{
		Rule	   *rule = &determined->rules[r];
		const GsFeature *parent;
		int			nbins;

		rule->feature = ((const int32 *) pairs->data)[2 * r];
		rule->parent = ((const int32 *) pairs->data)[2 * r + 1];
		if (rule->feature < 0 || rule->feature >= schema->nfeatures ||
			rule->parent < 0 || rule->parent >= schema->nfeatures ||
			rule->feature == rule->parent || done[rule->feature] ||
			is_parent[rule->feature] ||
			schema->features[rule->feature].kind != GS_FEATURE_CATEGORY)
			gs_corrupted("Rule %d of determined features is not a rule.", r);
		done[rule->feature] = is_parent[rule->parent] = true;
		parent = &schema->features[rule->parent];
		nbins = parent->nlevels;
		if (parent->kind == GS_FEATURE_NUMBER)
		{
			uint16	   *bin_of = palloc(sizeof(uint16) *
										parent->quantile.nsegments);

			nbins = gs_quantile_bins(parent, bin_of);
			rule->bin_of = bin_of;
			rule->edge = parent->quantile.edge;
			rule->nsegments = parent->quantile.nsegments;
			gs_guide_init(&rule->guide, rule->edge, rule->nsegments, palloc);
		}
		if (at + nbins > code->dims[0])
			gs_corrupted("Tensor \"determined/code\" is too short.");
		rule->code = (const int32 *) code->data + at;
		at += nbins;
		for (int k = 0; k < nbins; k++)
			if (rule->code[k] < 0 ||
				rule->code[k] >= schema->features[rule->feature].nlevels)
				gs_corrupted("Tensor \"determined/code\" has a level that is not there.");
	}
	pfree(is_parent);
	pfree(done);
	return determined;
}

/*
 * gs_determined_need: what determines a needed feature is needed too.
 *
 * needed: [nfeatures], changed
 */
void
gs_determined_need(const GsDetermined *determined, bool *needed)
{
	/* children come after their parents */
	for (int r = determined->nrules - 1; r >= 0; r--)
		if (needed[determined->rules[r].feature])
			needed[determined->rules[r].parent] = true;
}

/*
 * gs_determined_fill: looks up the determined features of a batch whose
 * others are filled.
 */
void
gs_determined_fill(const GsDetermined *determined, GsBatch *batch)
{
	for (int r = 0; r < determined->nrules; r++)
	{
		const Rule *rule = &determined->rules[r];
		int32	   *out = batch->code[rule->feature];

		if (!batch->needed[rule->feature])
			continue;
		if (rule->bin_of == NULL)
		{
			const int32 *in = batch->code[rule->parent];

			for (int i = 0; i < GS_BATCH; i++)
				out[i] = rule->code[in[i]];
			continue;
		}
		gs_guide_find(&rule->guide, batch->score[rule->parent], out, GS_BATCH);
		for (int i = 0; i < GS_BATCH; i++)
			out[i] = rule->code[rule->bin_of[out[i]]];
	}
}

/*
 * The region of a rule's parent in which the feature is allowed.
 */
static GsRegion
parent_region(const Rule *rule, const GsFeature *parent, const bool *allowed)
{
	GsRegion	region = {.given = true};

	if (rule->bin_of == NULL)
	{
		region.allowed = palloc(sizeof(bool) * parent->nlevels);
		for (int k = 0; k < parent->nlevels; k++)
			region.allowed[k] = allowed[rule->code[k]];
		return region;
	}
	region.interval = palloc(sizeof(GsInterval) * rule->nsegments);
	for (int s = 0; s < rule->nsegments; s++)
	{
		double		low = s == 0 ? -INFINITY : rule->edge[s];
		double		high = s == rule->nsegments - 1 ? INFINITY :
			rule->edge[s + 1];

		if (!allowed[rule->code[rule->bin_of[s]]])
			continue;
		if (region.n > 0 && region.interval[region.n - 1].high == low)
			region.interval[region.n - 1].high = high;
		else
			region.interval[region.n++] = (GsInterval) {low, high};
	}
	return region;
}

/*
 * gs_determined_given: turns conditions on determined features into ones on
 * what determines them.
 *
 * box: [nfeatures], changed.  Returns false if nothing is left of it.
 */
bool
gs_determined_given(const GsDetermined *determined, const GsSchema *schema,
					GsRegion *box)
{
	/* children come after their parents */
	for (int r = determined->nrules - 1; r >= 0; r--)
	{
		const Rule *rule = &determined->rules[r];
		const GsFeature *parent = &schema->features[rule->parent];
		GsRegion	region;

		if (!box[rule->feature].given)
			continue;
		region = parent_region(rule, parent, box[rule->feature].allowed);
		if (!gs_region_intersect(parent, &box[rule->parent], &region))
			return false;
		box[rule->feature].given = false;
	}
	return true;
}
