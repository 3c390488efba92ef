/*
 * dependency.c
 *	  Features that others determine.
 *
 * Where every bin of a feature (the parent), or every pair of bins of two,
 * goes with a single level of a category, as a code with its description or
 * a count of 0 with the NULL of a date, the category is taken out before a
 * family learns, and looked up after it has drawn: no family can be as exact.
 *
 * What looks like a dependency must be more than chance: the likelihood that
 * all bins come out pure if the two features are independent is below e^-30;
 * for a pair, if either parent alone told what it can.  A pair that the
 * source has less often than MIN_BIN_ROWS, or not at all, goes with what most rows
 * of the first parent's bin have.
 *
 * Tensors, for R determined features:
 *	 determined			int4 [R, 3]	feature, parent, and second parent or -1; a
 *									parent that is itself determined comes before
 *	 dependency/code	int4		the level for each bin, or pair of bins, of the
 *									parents of each in turn
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/dependency.h"
#include "numeric/guide.h"

#define CHANCE_LIMIT	(-30.0)
#define MIN_BIN_ROWS	5
#define MAX_BINS		1000	/* of a parent */
#define MAX_PAIRS		4096	/* of bins of two parents ... */
#define MAX_RARE		0.05	/* ... share of rows in those with too few, and
								 * of those if parents were independent */
#define MAX_FEATURES	64		/* to look at pairs of */
#define MAX_MISSING		0.01	/* share of rows in which it is missing */

/* What a feature is looked up by. */
typedef struct Parent
{
	int			feature;
	int			nbins;
	const double *edge;			/* a number's segments ... */
	int			nsegments;
	const uint16 *bin_of;		/* ... and their bins; NULL for a category */
	GsGuide		guide;
} Parent;

typedef struct Rule
{
	int			feature;
	int			nparents;
	Parent		parent[2];
	const int32 *code;			/* [bins of the first][of the second] */
	int			likeliest;		/* level, where a parent is not known */
} Rule;

struct GsDependency
{
	int			nrules;
	Rule	   *rules;
};

/* A rule that was found. */
typedef struct Found
{
	int32		feature;
	int32		parent[2];		/* the second -1: there is none */
	int			n;
	int32	   *code;			/* [n] */
} Found;

/* What is looked at while rules are found. */
typedef struct Search
{
	GsEncoded  *encoded;
	int64	  **count;			/* [nfeatures][nbins] rows */
	int32	   *code;			/* [MAX_PAIRS] */
	int64	   *rows;			/* [MAX_PAIRS] */
	int			nfound;
	Found	   *found;			/* [nfeatures] */
} Search;

/*
 * Reads which level goes with each bin, or pair of bins, into search->code
 * and search->rows.  Returns false if two do.
 */
static bool
read_codes(Search *search, int parent, int second, int feature, int nbins)
{
	const GsEncoded *encoded = search->encoded;
	const uint16 *from = encoded->bin[parent];
	const uint16 *also = second < 0 ? NULL : encoded->bin[second];
	const uint16 *to = encoded->bin[feature];
	bool		number = encoded->features[parent].kind == GS_FEATURE_NUMBER ||
		(second >= 0 && encoded->features[second].kind == GS_FEATURE_NUMBER);
	int64		missing = 0;

	for (int k = 0; k < nbins; k++)
	{
		search->code[k] = -1;
		search->rows[k] = 0;
	}
	for (int64 row = 0; row < encoded->nrows; row++)
	{
		int			k = from[row];

		if (to[row] == GS_MISSING)
			continue;

		/* where a parent is NULL it tells nothing; a few rare values pass */
		if (k == GS_MISSING || (also != NULL && also[row] == GS_MISSING))
		{
			if (number || ++missing > encoded->nrows * MAX_MISSING)
				return false;
			continue;
		}
		if (also != NULL)
			k = k * encoded->nbins[second] + also[row];
		if (search->code[k] >= 0 && search->code[k] != to[row])
			return false;
		search->code[k] = to[row];
		search->rows[k]++;
	}
	return true;
}

/*
 * Whether parent determines feature; the levels are left in search->code.
 */
static bool
determines(Search *search, int parent, int feature)
{
	const GsEncoded *encoded = search->encoded;
	int			nbins = encoded->nbins[parent];
	double		probability = 0;
	int64		total = 0;

	if (nbins < 2 || nbins > MAX_BINS ||
		!read_codes(search, parent, -1, feature, nbins))
		return false;
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
		probability += log(pure);
	}
	return probability < CHANCE_LIMIT;
}

/*
 * The levels' rows for each bin of one parent, from a pair's codes:
 * [bins][levels].
 */
static int64 *
rows_by_bin(const Search *search, int n, int n2, bool second, int nlevels)
{
	int64	   *rows = palloc0(sizeof(int64) * (second ? n2 : n) * nlevels);

	for (int k = 0; k < n * n2; k++)
		if (search->rows[k] > 0)
			rows[(Size) (second ? k % n2 : k / n2) * nlevels +
				 search->code[k]] += search->rows[k];
	return rows;
}

/*
 * The logarithm of the chance that all pairs are pure, if only one parent told
 * anything.
 */
static double
pair_probability(const Search *search, int n, int n2, bool second,
				 int nlevels)
{
	int64	   *rows = rows_by_bin(search, n, n2, second, nlevels);
	double		probability = 0;

	for (int k = 0; k < n * n2; k++)
	{
		const int64 *own = rows + (Size) (second ? k % n2 : k / n2) * nlevels;
		double		all = 0;
		double		pure = 0;

		if (search->rows[k] == 0)
			continue;
		for (int level = 0; level < nlevels; level++)
			all += own[level];
		for (int level = 0; level < nlevels; level++)
			pure += pow(own[level] / all, search->rows[k]);
		probability += log(pure);
	}
	pfree(rows);
	return probability;
}

/*
 * The share of rows in pairs that the source has too seldom, if the parents
 * were independent.  A family may make as many, and they are told by one parent only.
 */
static double
unseen_share(const Search *search, int n, int n2)
{
	double	   *first = palloc0(sizeof(double) * n);
	double	   *second = palloc0(sizeof(double) * n2);
	double		all = 0;
	double		unseen = 0;

	for (int k = 0; k < n * n2; k++)
	{
		first[k / n2] += search->rows[k];
		second[k % n2] += search->rows[k];
		all += search->rows[k];
	}
	for (int k = 0; k < n * n2; k++)
		if (search->rows[k] < MIN_BIN_ROWS)
			unseen += first[k / n2] * second[k % n2];
	pfree(first);
	pfree(second);
	return all > 0 ? unseen / all / all : 1;
}

/*
 * Whether two parents determine feature together.  The levels are left in
 * search->code, also of pairs that are too rare to be shown.
 */
static bool
pair_determines(Search *search, int parent, int second, int feature)
{
	const GsEncoded *encoded = search->encoded;
	int			n = encoded->nbins[parent];
	int			n2 = encoded->nbins[second];
	int			nlevels = encoded->nbins[feature];
	int64		rare = 0;
	int64	   *rows;

	if (n < 2 || n2 < 2 || n * n2 > MAX_PAIRS ||
		!read_codes(search, parent, second, feature, n * n2))
		return false;
	for (int k = 0; k < n * n2; k++)
		if (search->rows[k] < MIN_BIN_ROWS)
			rare += search->rows[k];
	if (rare > encoded->nrows * MAX_RARE ||
		unseen_share(search, n, n2) > MAX_RARE ||
		pair_probability(search, n, n2, false, nlevels) > CHANCE_LIMIT ||
		pair_probability(search, n, n2, true, nlevels) > CHANCE_LIMIT)
		return false;
	rows = rows_by_bin(search, n, n2, false, nlevels);
	for (int k = 0; k < n * n2; k++)
	{
		const int64 *own = rows + (Size) (k / n2) * nlevels;

		if (search->rows[k] >= MIN_BIN_ROWS)
			continue;
		search->code[k] = 0;
		for (int level = 1; level < nlevels; level++)
			if (own[level] > own[search->code[k]])
				search->code[k] = level;
	}
	pfree(rows);
	return true;
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
 * Keeps a rule whose n levels are in search->code.
 */
static void
keep_rule(Search *search, int feature, int parent, int second, int n)
{
	Found	   *found = &search->found[search->nfound++];

	search->encoded->determined[feature] = true;
	*found = (Found) {feature, {parent, second}, n, NULL};
	found->code = palloc(sizeof(int32) * n);
	for (int k = 0; k < n; k++)
		found->code[k] = Max(search->code[k], 0);
}

static bool
may_be_determined(const GsEncoded *encoded, int f)
{
	return encoded->features[f].kind == GS_FEATURE_CATEGORY &&
		encoded->nbins[f] >= 2 && !encoded->determined[f] &&
		!encoded->context[f];
}

/*
 * Looks for a parent of a feature.  order: [nfeatures] the coarsest first.
 */
static void
find_parent(Search *search, const int *order, int f)
{
	const GsEncoded *encoded = search->encoded;

	for (int j = encoded->nfeatures - 1; j >= 0; j--)
	{
		int			parent = order[j];

		if (parent == f || encoded->determined[parent] ||
			!determines(search, parent, f))
			continue;
		keep_rule(search, f, parent, -1, encoded->nbins[parent]);
		return;
	}
}

/*
 * Looks for two parents of a feature.
 */
static void
find_pair(Search *search, const int *order, int f)
{
	const GsEncoded *encoded = search->encoded;

	for (int i = 0; i < encoded->nfeatures; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = i + 1; j < encoded->nfeatures; j++)
		{
			int			parent = order[j];
			int			second = order[i];

			if (parent == f || second == f || encoded->determined[parent] ||
				encoded->determined[second] ||
				!pair_determines(search, parent, second, f))
				continue;
			keep_rule(search, f, parent, second,
					  encoded->nbins[parent] * encoded->nbins[second]);
			return;
		}
	}
}

/*
 * gs_dependency_find: finds the determined features of a table, marks them in
 * encoded->determined, and appends their tensors.  Can be cancelled.
 *
 * wanted: whether there shall be any.
 */
void
gs_dependency_find(GsEncoded *encoded, bool wanted, List **tensors)
{
	int			n = encoded->nfeatures;
	Search		search = {.encoded = encoded};
	int		   *order = palloc(sizeof(int) * Max(n, 1));
	int32	   *rules;
	StringInfoData code;

	search.count = palloc(sizeof(int64 *) * Max(n, 1));
	search.code = palloc(sizeof(int32) * MAX_PAIRS);
	search.rows = palloc(sizeof(int64) * MAX_PAIRS);
	search.found = palloc(sizeof(Found) * Max(n, 1));
	count_levels(&search);
	for (int f = 0; f < n; f++)
		order[f] = f;

	/* the coarsest first: what has fewer levels is the one determined */
	qsort_arg(order, n, sizeof(int), by_bins, encoded);
	for (int pairs = 0; pairs < (n > MAX_FEATURES ? 1 : 2) && wanted; pairs++)
		for (int i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (!may_be_determined(encoded, order[i]))
				continue;
			if (pairs == 0)
				find_parent(&search, order, order[i]);
			else
				find_pair(&search, order, order[i]);
		}

	/* a parent was found to be determined after its own children were */
	rules = palloc(sizeof(int32) * 3 * Max(search.nfound, 1));
	initStringInfo(&code);
	for (int r = 0; r < search.nfound; r++)
	{
		const Found *found = &search.found[search.nfound - 1 - r];

		rules[3 * r] = found->feature;
		rules[3 * r + 1] = found->parent[0];
		rules[3 * r + 2] = found->parent[1];
		appendBinaryStringInfo(&code, (char *) found->code,
							   sizeof(int32) * found->n);
	}
	gs_tensor_add(tensors, "dependency", GS_I4, 2, search.nfound, 3, rules);
	gs_tensor_add(tensors, "dependency/code", GS_I4, 1, code.len / 4, 0,
				  code.data);
}

static void
load_parent(Parent *parent, const GsSchema *schema, int f)
{
	const GsFeature *feature = &schema->features[f];
	uint16	   *bin_of;

	parent->feature = f;
	parent->nbins = feature->nlevels;
	if (feature->kind != GS_FEATURE_NUMBER)
		return;
	bin_of = palloc(sizeof(uint16) * feature->quantile.nsegments);
	parent->nbins = gs_quantile_bins(feature, bin_of);
	parent->bin_of = bin_of;
	parent->edge = feature->quantile.edge;
	parent->nsegments = feature->quantile.nsegments;
	gs_guide_init(&parent->guide, parent->edge, parent->nsegments, palloc);
}

/*
 * One rule; code: [ncodes] what is left of the tensor.  Returns how many of
 * them are its.
 */
static int
load_rule(Rule *rule, const GsSchema *schema, const int32 *in,
		  const int32 *code, int ncodes)
{
	int64		n = 1;

	rule->feature = in[0];
	rule->nparents = in[2] < 0 ? 1 : 2;
	rule->code = code;
	for (int l = 1; l < schema->features[rule->feature].nlevels; l++)
		if (schema->features[rule->feature].share[l] >
			schema->features[rule->feature].share[rule->likeliest])
			rule->likeliest = l;
	for (int k = 0; k < rule->nparents; k++)
	{
		load_parent(&rule->parent[k], schema, in[1 + k]);
		n *= rule->parent[k].nbins;
	}
	if (n > ncodes)
		gs_corrupted("Tensor \"dependency/code\" is too short.");
	for (int k = 0; k < n; k++)
		if (code[k] < 0 || code[k] >= schema->features[rule->feature].nlevels)
			gs_corrupted("Tensor \"dependency/code\" has a level that is not there.");
	return (int) n;
}

/*
 * gs_dependency_load: reads the rules.  Errors: data_corrupted.
 */
GsDependency *
gs_dependency_load(const GsSchema *schema, const List *tensors)
{
	GsDependency *determined = palloc0(sizeof(GsDependency));
	const GsTensor *rules = gs_tensor_get(tensors, "dependency", GS_I4, 2);
	const GsTensor *code = gs_tensor_get(tensors, "dependency/code", GS_I4,
										 1);
	bool	   *is_parent = palloc0(Max(schema->nfeatures, 1));
	bool	   *done = palloc0(Max(schema->nfeatures, 1));
	int			at = 0;

	if (rules->dims[1] != 3 || rules->dims[0] > schema->nfeatures)
		gs_corrupted("Tensor \"dependency\" has the wrong shape.");
	determined->nrules = rules->dims[0];
	determined->rules = palloc0(sizeof(Rule) * Max(rules->dims[0], 1));
	for (int r = 0; r < determined->nrules; r++)
	{
		const int32 *in = (const int32 *) rules->data + 3 * r;

		for (int k = 0; k < 3; k++)
			if (in[k] >= schema->nfeatures || (in[k] < 0 && k < 2) ||
				(k > 0 && in[k] == in[0]))
				gs_corrupted("Rule %d of determined features is not a rule.",
							 r);
		if (done[in[0]] || is_parent[in[0]] || in[1] == in[2] ||
			schema->features[in[0]].kind != GS_FEATURE_CATEGORY)
			gs_corrupted("Rule %d of determined features is not a rule.", r);
		done[in[0]] = is_parent[in[1]] = true;
		if (in[2] >= 0)
			is_parent[in[2]] = true;
		at += load_rule(&determined->rules[r], schema, in,
						(const int32 *) code->data + at, code->dims[0] - at);
	}
	pfree(is_parent);
	pfree(done);
	return determined;
}

/*
 * gs_dependency_need: what determines a needed feature is needed too.
 *
 * needed: [nfeatures], changed
 */
void
gs_dependency_need(const GsDependency *determined, bool *needed)
{
	/* children come after their parents */
	for (int r = determined->nrules - 1; r >= 0; r--)
	{
		const Rule *rule = &determined->rules[r];

		for (int k = 0; k < rule->nparents; k++)
			needed[rule->parent[k].feature] |= needed[rule->feature];
	}
}

/*
 * The bins of a batch in a parent; GS_NO_CODE where context says nothing.
 */
static void
find_bins(const Parent *parent, const GsBatch *batch, int32 *bin)
{
	const float *score = batch->score[parent->feature];

	if (parent->bin_of == NULL)
	{
		memcpy(bin, batch->code[parent->feature], sizeof(int32) * GS_BATCH);
		return;
	}
	gs_guide_find(&parent->guide, score, bin, GS_BATCH);
	for (int i = 0; i < GS_BATCH; i++)
		bin[i] = isnan(score[i]) ? GS_NO_CODE : parent->bin_of[bin[i]];
}

/*
 * gs_dependency_context: whether all that determines a known feature is known
 * too.  Returns one where it is not; -1: there is none.
 *
 * context: [nfeatures]
 */
int
gs_dependency_context(const GsDependency *determined, const bool *context)
{
	for (int r = 0; r < determined->nrules; r++)
	{
		const Rule *rule = &determined->rules[r];

		for (int k = 0; k < rule->nparents && context[rule->feature]; k++)
			if (!context[rule->parent[k].feature])
				return rule->feature;
	}
	return -1;
}

/*
 * gs_dependency_fill: looks up the determined features of a batch whose
 * others are filled.
 */
void
gs_dependency_fill(const GsDependency *determined, GsBatch *batch)
{
	int32		bin[GS_BATCH];

	for (int r = 0; r < determined->nrules; r++)
	{
		const Rule *rule = &determined->rules[r];
		int32	   *out = batch->code[rule->feature];

		if (!batch->needed[rule->feature] ||
			(batch->context != NULL && batch->context[rule->feature]))
			continue;
		memset(out, 0, sizeof(int32) * GS_BATCH);
		for (int k = 0; k < rule->nparents; k++)
		{
			const Parent *parent = &rule->parent[k];

			find_bins(parent, batch, bin);
			for (int i = 0; i < GS_BATCH; i++)
				out[i] = bin[i] == GS_NO_CODE || out[i] == GS_NO_CODE ?
					GS_NO_CODE : out[i] * parent->nbins + bin[i];
		}
		for (int i = 0; i < GS_BATCH; i++)
			out[i] = out[i] == GS_NO_CODE ? rule->likeliest :
				rule->code[out[i]];
	}
}

/*
 * The region of a parent that some of its bins make.
 *
 * allowed: [nbins]
 */
static GsRegion
parent_region(const Parent *parent, const bool *allowed)
{
	GsRegion	region = {.given = true};

	if (parent->bin_of == NULL)
	{
		region.allowed = palloc(sizeof(bool) * Max(parent->nbins, 1));
		memcpy(region.allowed, allowed, sizeof(bool) * parent->nbins);
		return region;
	}
	region.interval = palloc(sizeof(GsInterval) * parent->nsegments);
	for (int s = 0; s < parent->nsegments; s++)
	{
		double		low = s == 0 ? -INFINITY : parent->edge[s];
		double		high = s == parent->nsegments - 1 ? INFINITY :
			parent->edge[s + 1];

		if (!allowed[parent->bin_of[s]])
			continue;
		if (region.n > 0 && region.interval[region.n - 1].high == low)
			region.interval[region.n - 1].high = high;
		else
			region.interval[region.n++] = (GsInterval) {low, high};
	}
	return region;
}

/*
 * Appends a box, in which the parents' regions stand in for the feature's.
 *
 * allowed: [nparents][nbins]
 */
static void
append_box(const Rule *rule, const GsSchema *schema, const GsRegion *box,
		   bool *const *allowed, GsGiven *to)
{
	Size		size = sizeof(GsRegion) * Max(schema->nfeatures, 1);
	GsRegion   *narrowed = palloc(size);

	memcpy(narrowed, box, size);
	narrowed[rule->feature].given = false;
	for (int k = 0; k < rule->nparents; k++)
	{
		int			f = rule->parent[k].feature;
		GsRegion	region = parent_region(&rule->parent[k], allowed[k]);

		if (!gs_region_intersect(&schema->features[f], &narrowed[f], &region))
			return;
	}
	to->box[to->nboxes++] = narrowed;
}

/*
 * The boxes that a condition on a rule's feature leaves of one: for two
 * parents, one for each set of the second's bins that bins of the first go
 * with.
 */
static void
split_box(const Rule *rule, const GsSchema *schema, const GsRegion *box,
		  GsGiven *to)
{
	int			n = rule->parent[0].nbins;
	int			n2 = rule->nparents == 2 ? rule->parent[1].nbins : 1;
	const bool *wanted = box[rule->feature].allowed;
	bool	   *goes = palloc(sizeof(bool) * n * n2);
	bool	   *done = palloc0(sizeof(bool) * n);
	bool	   *allowed[2];

	allowed[0] = palloc(sizeof(bool) * n);
	for (int k = 0; k < n * n2; k++)
		goes[k] = wanted[rule->code[k]];
	for (int k = 0; k < n; k++)
	{
		if (done[k])
			continue;
		allowed[1] = goes + (Size) k * n2;
		for (int other = 0; other < n; other++)
		{
			allowed[0][other] = !done[other] &&
				memcmp(allowed[1], goes + (Size) other * n2,
					   sizeof(bool) * n2) == 0;
			done[other] |= allowed[0][other];
		}
		if (rule->nparents == 2 || goes[k])
			append_box(rule, schema, box, allowed, to);
	}
}

/*
 * gs_dependency_given: turns conditions on determined features into ones on
 * what determines them.
 *
 * given: its boxes are changed; none is left if they cannot be met.
 */
void
gs_dependency_given(const GsDependency *determined, const GsSchema *schema,
					GsGiven *given)
{
	/* children come after their parents */
	for (int r = determined->nrules - 1; r >= 0; r--)
	{
		const Rule *rule = &determined->rules[r];
		GsGiven		narrowed = {0};

		narrowed.box = palloc(sizeof(GsRegion *) * given->nboxes *
							  (Size) rule->parent[0].nbins);
		for (int b = 0; b < given->nboxes; b++)
			if (given->box[b][rule->feature].given)
				split_box(rule, schema, given->box[b], &narrowed);
			else
				narrowed.box[narrowed.nboxes++] = given->box[b];
		given->box = narrowed.box;
		given->nboxes = narrowed.nboxes;
	}
}
