/*
 * dependency.c
 *	  Features that others determine.
 *
 * Where nearly all rows of every bin of a feature (the predictor), or of every
 * pair of bins of two, have a single value of another feature, as a code with
 * its description or a count of 0 with the NULL of a date, that one is taken
 * out before a family learns, and looked up after it has drawn: no family can
 * be as exact.  dependency_find.c finds these rules.
 *
 * A bin is a level, a segment of a number, or a number's NULL.  Which rows are
 * exceptions is a feature of its own, which the family learns: 1 of 20,000
 * rows, or those of one kind.  What an exception has instead, and the rows of
 * a bin that does not tell (generated values, NULL), is drawn by its share in
 * the source.
 *
 * Tensors, for R determined features:
 *	 dependency			int4 [R, 5]	feature, predictor, and second predictor or
 *									-1; feature of exceptions or -1; entries of
 *									dependency/rest.  A predictor that is itself
 *									determined comes before
 *	 dependency/code	int4		the value for each bin, or pair of bins, of
 *									the predictors of each in turn: a level or a
 *									segment; -1: none
 *	 dependency/rest	int4 [N, 3]	see GsDependencyRest
 *	 dependency/known	int4		which of these are of features that are context:
 *									the family learns them, and where they are known
 *									dependency_invert.c heeds what they say of
 *									their predictors
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/dependency_internal.h"
#include "model/tokens.h"

#define RULE_FIELDS		5
#define MAX_TRIES		64		/* for a value that is an exception, or asked
								 * for */

/*
 * gs_dependency_save: appends the tensors of rules.
 *
 * found: [n], the predictors' own after those of what they determine
 */
void
gs_dependency_save(const GsDependencyRule *found, int n, List **tensors)
{
	int32	   *fields = palloc(sizeof(int32) * RULE_FIELDS * Max(n, 1));
	int32	   *known = palloc(sizeof(int32) * Max(n, 1));
	int			nknown = 0;
	StringInfoData code;
	StringInfoData rest;

	initStringInfo(&code);
	initStringInfo(&rest);
	for (int r = 0; r < n; r++)
	{
		const GsDependencyRule *rule = &found[n - 1 - r];
		int32	   *field = fields + RULE_FIELDS * r;

		if (rule->known)
			known[nknown++] = r;
		field[0] = rule->feature;
		field[1] = rule->predictor[0];
		field[2] = rule->predictor[1];
		field[3] = rule->exception;
		field[4] = rule->rest.len / (int) sizeof(GsDependencyRest);
		appendBinaryStringInfo(&code, (char *) rule->code,
							   sizeof(int32) * rule->ncodes);
		appendBinaryStringInfo(&rest, rule->rest.data, rule->rest.len);
	}
	gs_tensor_add(tensors, "dependency", GS_I4, 2, n, RULE_FIELDS, fields);
	gs_tensor_add(tensors, "dependency/code", GS_I4, 1, code.len / 4, 0,
				  code.data);
	gs_tensor_add(tensors, "dependency/rest", GS_I4, 2, rest.len / 12, 3,
				  rest.data);
	if (nknown > 0)
		gs_tensor_add(tensors, "dependency/known", GS_I4, 1, nknown, 0, known);
}

static void
load_predictor(GsPredictor *predictor, const GsSchema *schema, int f)
{
	const GsFeature *feature = &schema->features[f];

	predictor->feature = f;
	predictor->null = -1;
	predictor->nbins = predictor->nvalues = feature->nlevels;
	if (feature->kind != GS_FEATURE_NUMBER)
		return;
	predictor->edge = feature->quantile.edge;
	predictor->null = schema->columns[feature->column].null_feature;
	predictor->nvalues = feature->quantile.nsegments;
	predictor->nbins = predictor->nvalues + (predictor->null >= 0);
	gs_guide_init(&predictor->guide, predictor->edge, predictor->nvalues,
				  palloc);
}

/*
 * What a rule's feature can be.
 */
static void
load_values(GsLookup *rule, const GsFeature *feature)
{
	float		base;
	float		span;

	rule->nvalues = feature->kind == GS_FEATURE_NUMBER ?
		feature->quantile.nsegments : feature->nlevels;
	rule->share = palloc(sizeof(double) * Max(rule->nvalues, 1));
	for (int v = 0; v < rule->nvalues; v++)
	{
		rule->share[v] = gs_value_share(feature, v);
		if (rule->share[v] > rule->share[rule->likeliest])
			rule->likeliest = v;
	}
	if (feature->kind != GS_FEATURE_NUMBER)
		return;
	rule->score = palloc(sizeof(float) * rule->nvalues);
	for (int s = 0; s < rule->nvalues; s++)
	{
		gs_quantile_scores(feature, s, &base, &span);
		rule->score[s] = base + span * 0.5f;
	}
}

static void
load_rest(GsLookup *rule, int64 nbins)
{
	rule->before = palloc_extended(sizeof(int64) * ((Size) rule->nrest + 1),
								   MCXT_ALLOC_HUGE);
	rule->before[0] = 0;
	for (int i = 0; i < rule->nrest; i++)
	{
		const GsDependencyRest *rest = &rule->rest[i];

		if (rest->bin < -1 || rest->bin >= nbins || rest->value < 0 ||
			rest->value >= rule->nvalues || rest->rows < 1 ||
			(i > 0 && rest->bin < rest[-1].bin))
			gs_corrupted("Tensor \"dependency/rest\" has an impossible entry.");
		rule->before[i + 1] = rule->before[i] + rest->rows;
	}
}

/*
 * One rule; code: [ncodes] what is left of the tensor.  Returns how many of
 * them are its.
 */
static int
load_rule(GsLookup *rule, const GsSchema *schema, const int32 *in,
		  const int32 *code, int ncodes)
{
	int64		n = 1;

	rule->feature = in[0];
	rule->npredictors = in[2] < 0 ? 1 : 2;
	rule->exception = in[3];
	rule->code = code;
	rule->nrest = in[4];
	load_values(rule, &schema->features[rule->feature]);
	for (int k = 0; k < rule->npredictors; k++)
	{
		load_predictor(&rule->predictor[k], schema, in[1 + k]);
		n *= rule->predictor[k].nbins;
	}
	if (n > ncodes)
		gs_corrupted("Tensor \"dependency/code\" is too short.");
	for (int k = 0; k < n; k++)
		if (code[k] < -1 || code[k] >= rule->nvalues)
			gs_corrupted("Tensor \"dependency/code\" has a level that is not there.");
	load_rest(rule, n);
	return (int) n;
}

/*
 * Whether the fields of a rule are numbers of features that can be in one.
 *
 * fixed: [nfeatures] those that rules before have determined, or asked for;
 * NULL for a rule of a known feature
 */
static bool
is_rule(const GsSchema *schema, const int32 *in, const bool *fixed)
{
	for (int k = 0; k < 4; k++)
		if (in[k] >= schema->nfeatures || in[k] < (k < 2 ? 0 : -1) ||
			(k > 0 && in[k] == in[0]))
			return false;
	return (fixed == NULL || !fixed[in[0]]) && in[1] != in[2] &&
		(in[3] < 0 || schema->features[in[3]].part == GS_PART_EXCEPTION);
}

static void
load_known(GsDependency *determined, const List *tensors)
{
	const GsTensor *known;

	if (gs_tensor_find(tensors, "dependency/known") == NULL)
		return;
	known = gs_tensor_get(tensors, "dependency/known", GS_I4, 1);
	for (int i = 0; i < known->dims[0]; i++)
	{
		int32		r = ((const int32 *) known->data)[i];

		if (r < 0 || r >= determined->nrules)
			gs_corrupted("Tensor \"dependency/known\" has a rule that is not there.");
		determined->rules[r].known = true;
	}
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
	const GsTensor *rest = gs_tensor_get(tensors, "dependency/rest", GS_I4,
										 2);
	bool	   *fixed = palloc0(Max(schema->nfeatures, 1));
	int			at = 0;
	int			rest_at = 0;

	if (rules->dims[1] != RULE_FIELDS || rest->dims[1] != 3 ||
		rules->dims[0] > schema->nfeatures)
		gs_corrupted("Tensor \"dependency\" has the wrong shape.");
	determined->nrules = rules->dims[0];
	determined->rules = palloc0(sizeof(GsLookup) * Max(rules->dims[0], 1));
	load_known(determined, tensors);
	for (int r = 0; r < determined->nrules; r++)
	{
		GsLookup	   *rule = &determined->rules[r];
		const int32 *in = (const int32 *) rules->data + RULE_FIELDS * r;

		if (!is_rule(schema, in, rule->known ? NULL : fixed) || in[4] < 0 ||
			in[4] > rest->dims[0] - rest_at)
			gs_corrupted("Rule %d of determined features is not a rule.", r);
		rule->rest = (const GsDependencyRest *) rest->data + rest_at;
		rest_at += in[4];
		at += load_rule(rule, schema, in, (const int32 *) code->data + at,
						code->dims[0] - at);
		for (int k = rule->known; k < 4; k++)
			if (in[k] >= 0)
				fixed[in[k]] = true;
		for (int k = 0; k < rule->npredictors; k++)
			if (rule->predictor[k].null >= 0)
				fixed[rule->predictor[k].null] = true;
	}
	pfree(fixed);
	return determined;
}

/*
 * Whether some predictor of a known feature is drawn, and looked at.
 */
static bool
needs_inverse(const GsLookup *rule, const bool *context, const bool *needed)
{
	for (int k = 0; k < rule->npredictors; k++)
		if (!context[rule->predictor[k].feature] &&
			needed[rule->predictor[k].feature])
			return true;
	return false;
}

/*
 * gs_dependency_need: what determines a needed feature is needed too, and, to
 * be looked at, what determines a known one.
 *
 * context: [nfeatures] what is known, or NULL; needed: [nfeatures], changed
 */
void
gs_dependency_need(const GsDependency *determined, const bool *context,
				   bool *needed)
{
	/* what is determined comes after its predictors */
	for (int r = determined->nrules - 1; r >= 0; r--)
	{
		const GsLookup *rule = &determined->rules[r];

		if (context != NULL && context[rule->feature] ?
			!needs_inverse(rule, context, needed) :
			rule->known || !needed[rule->feature])
			continue;
		for (int k = 0; k < rule->npredictors; k++)
		{
			needed[rule->predictor[k].feature] = true;
			if (rule->predictor[k].null >= 0)
				needed[rule->predictor[k].null] = true;
		}
		if (rule->exception >= 0)
			needed[rule->exception] = true;
	}
}

/*
 * The bins of a batch in a predictor; GS_NO_CODE where context says nothing.
 */
static void
find_bins(const GsPredictor *predictor, const GsBatch *batch, int32 *bin)
{
	const float *score = batch->score[predictor->feature];

	if (predictor->edge == NULL)
	{
		memcpy(bin, batch->code[predictor->feature],
			   sizeof(int32) * GS_BATCH);
		return;
	}
	gs_guide_find(&predictor->guide, score, bin, GS_BATCH);
	for (int i = 0; i < GS_BATCH; i++)
	{
		if (predictor->null >= 0 && batch->code[predictor->null][i] == 1)
			bin[i] = predictor->nvalues;
		else if (isnan(score[i]))
			bin[i] = GS_NO_CODE;
	}
}

/*
 * gs_lookup_bins: the bins, or pairs of them, of a batch's rows in a rule's
 * predictors; GS_NO_CODE where context says nothing.
 *
 * bin: [GS_BATCH], filled
 */
void
gs_lookup_bins(const GsLookup *rule, const GsBatch *batch, int32 *bin)
{
	int32		second[GS_BATCH];

	find_bins(&rule->predictor[0], batch, bin);
	if (rule->npredictors == 1)
		return;
	find_bins(&rule->predictor[1], batch, second);
	for (int i = 0; i < GS_BATCH; i++)
		bin[i] = bin[i] == GS_NO_CODE || second[i] == GS_NO_CODE ?
			GS_NO_CODE : bin[i] * rule->predictor[1].nbins + second[i];
}

/*
 * gs_lookup_rest: the first entry of a bin, or of one after it, in rule->rest.
 */
int
gs_lookup_rest(const GsLookup *rule, int bin)
{
	int			low = 0;
	int			high = rule->nrest;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (rule->rest[middle].bin < bin)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * A value of rows that a rule does not tell.
 *
 * bin: -1 for an exception; code: what it must not be; wanted: [nvalues] what
 * it may be, or NULL
 */
static int
draw_rest(const GsLookup *rule, int bin, int code, const bool *wanted,
		  GsRandom *random)
{
	int			first = gs_lookup_rest(rule, bin);
	int			last = gs_lookup_rest(rule, bin + 1);
	int64		all = rule->before[last] - rule->before[first];

	for (int try = 0; try < MAX_TRIES && all > 0; try++)
	{
		int64		at = rule->before[first] +
			(int64) (gs_random_uniform(random) * all);
		int			low = first;
		int			high = last - 1;

		while (low < high)
		{
			int			middle = low + (high - low + 1) / 2;

			if (rule->before[middle] <= at)
				low = middle;
			else
				high = middle - 1;
		}
		if (rule->rest[low].value != code &&
			(wanted == NULL || wanted[rule->rest[low].value]))
			return rule->rest[low].value;
	}
	for (int i = first; i < last && wanted != NULL; i++)
		if (wanted[rule->rest[i].value])
			return rule->rest[i].value;
	return code >= 0 ? code : rule->likeliest;
}

/*
 * A value of a row of which no predictor is known: any, by its share.
 */
static int
draw_any(const GsLookup *rule, const GsBatch *batch, int row)
{
	GsRandom	random;
	double		u;
	int			value = 0;

	gs_random_start(&random, batch->key, gs_batch_row(batch, row),
					GS_STREAM_DEPENDENCY + rule->feature);
	u = gs_random_uniform(&random);
	while (value < rule->nvalues - 1 && u >= rule->share[value])
		u -= rule->share[value++];
	return value;
}

/*
 * Looks up a rule's feature for a batch.
 */
static void
fill_rule(const GsLookup *rule, const bool *wanted, GsBatch *batch)
{
	int32		bin[GS_BATCH];
	const int32 *exception = rule->exception < 0 ? NULL :
		batch->code[rule->exception];

	gs_lookup_bins(rule, batch, bin);
	for (int i = 0; i < GS_BATCH; i++)
	{
		int			value = bin[i] == GS_NO_CODE ? -1 : rule->code[bin[i]];

		if (bin[i] == GS_NO_CODE)
			value = draw_any(rule, batch, i);
		else if (value < 0 || (exception != NULL && exception[i] == 1))
		{
			GsRandom	random;

			gs_random_start(&random, batch->key, gs_batch_row(batch, i),
							GS_STREAM_DEPENDENCY + rule->feature);
			value = draw_rest(rule, value < 0 ? bin[i] : -1, value, wanted,
							  &random);
		}
		if (rule->score != NULL)
			batch->score[rule->feature][i] = rule->score[value];
		else
			batch->code[rule->feature][i] = value;
	}
}

/*
 * gs_dependency_fill: looks up the determined features of a batch whose
 * others are filled.
 *
 * given: NULL, or the conditions, as gs_dependency_given left them
 */
void
gs_dependency_fill(const GsDependency *determined, const GsGiven *given,
				   GsBatch *batch)
{
	for (int r = 0; r < determined->nrules; r++)
	{
		const GsLookup *rule = &determined->rules[r];

		if (batch->needed[rule->feature] && !rule->known &&
			(batch->context == NULL || !batch->context[rule->feature]))
			fill_rule(rule, given == NULL ? NULL :
					  given->wanted[rule->feature], batch);
	}
}

/*
 * The region of a predictor's values that some of its bins make.
 *
 * allowed: [nbins]
 */
static GsRegion
predictor_region(const GsPredictor *predictor, const bool *allowed)
{
	GsRegion	region = {.given = true};
	const double *edge = predictor->edge;

	if (predictor->edge == NULL)
	{
		region.allowed = palloc(sizeof(bool) * Max(predictor->nbins, 1));
		memcpy(region.allowed, allowed, sizeof(bool) * predictor->nbins);
		return region;
	}
	region.interval = palloc(sizeof(GsInterval) * predictor->nvalues);
	for (int s = 0; s < predictor->nvalues; s++)
	{
		double		low = s == 0 ? -INFINITY : edge[s];
		double		high = s == predictor->nvalues - 1 ? INFINITY :
			edge[s + 1];

		if (!allowed[s])
			continue;
		if (region.n > 0 && region.interval[region.n - 1].high == low)
			region.interval[region.n - 1].high = high;
		else
			region.interval[region.n++] = (GsInterval) {low, high};
	}
	return region;
}

/* The boxes that conditions become. */
typedef struct Boxes
{
	const GsSchema *schema;
	int			n;
	int			room;
	GsRegion  **box;			/* [n] */
} Boxes;

static void
add_box(Boxes *boxes, GsRegion *box)
{
	if (boxes->n == boxes->room)
	{
		boxes->room = Max(16, boxes->room * 2);
		boxes->box = boxes->box == NULL ?
			palloc(sizeof(GsRegion *) * boxes->room) :
			repalloc_huge(boxes->box, sizeof(GsRegion *) * boxes->room);
	}
	boxes->box[boxes->n++] = box;
}

static GsRegion *
copy_box(const GsSchema *schema, const GsRegion *box)
{
	Size		size = sizeof(GsRegion) * Max(schema->nfeatures, 1);
	GsRegion   *copy = palloc(size);

	memcpy(copy, box, size);
	return copy;
}

/*
 * Confines an indicator, or a feature of exceptions, to a level.  Returns
 * false if nothing is left.
 */
static bool
confine(const GsSchema *schema, GsRegion *box, int f, int level)
{
	GsRegion	region = {.given = true};

	region.allowed = palloc0(sizeof(bool) * 2);
	region.allowed[level] = true;
	return gs_region_intersect(&schema->features[f], &box[f], &region);
}

/*
 * Adds the boxes in which a rule's predictors from k on are in allowed bins.
 *
 * allowed: [npredictors][nbins]
 */
static void
add_boxes(const GsLookup *rule, const GsRegion *box, int k, bool *const *allowed,
		  Boxes *boxes)
{
	const GsSchema *schema = boxes->schema;
	const GsPredictor *predictor = &rule->predictor[k];
	GsRegion   *narrowed = copy_box(schema, box);
	GsRegion	region;

	if (k == rule->npredictors)
	{
		narrowed[rule->feature].given = false;
		add_box(boxes, narrowed);
		return;
	}
	region = predictor_region(predictor, allowed[k]);
	if (gs_region_intersect(&schema->features[predictor->feature],
							&narrowed[predictor->feature], &region) &&
		(predictor->null < 0 ||
		 confine(schema, narrowed, predictor->null, 0)))
		add_boxes(rule, narrowed, k + 1, allowed, boxes);
	if (predictor->null < 0 || !allowed[k][predictor->nvalues])
		return;
	narrowed = copy_box(schema, box);
	if (!narrowed[predictor->feature].given &&
		confine(schema, narrowed, predictor->null, 1))
		add_boxes(rule, narrowed, k + 1, allowed, boxes);
}

/*
 * Adds the boxes of the bins, or pairs of them, that go with what is asked
 * for: of two predictors, one for each set of the second's bins that bins of
 * the first go with.
 *
 * goes: [bins of the first][of the second]
 */
static void
add_bins(const GsLookup *rule, const GsRegion *box, bool *goes, Boxes *boxes)
{
	int			n = rule->predictor[0].nbins;
	int			n2 = rule->npredictors == 2 ? rule->predictor[1].nbins : 1;
	bool	   *done = palloc0(sizeof(bool) * n);
	bool	   *allowed[2];

	allowed[0] = palloc(sizeof(bool) * n);
	for (int k = 0; k < n; k++)
	{
		bool		any = false;

		if (done[k])
			continue;
		CHECK_FOR_INTERRUPTS();
		allowed[1] = goes + (Size) k * n2;
		for (int other = 0; other < n; other++)
		{
			allowed[0][other] = !done[other] &&
				memcmp(allowed[1], goes + (Size) other * n2,
					   sizeof(bool) * n2) == 0;
			done[other] |= allowed[0][other];
		}
		for (int other = 0; other < n2; other++)
			any |= allowed[1][other];
		if (any)
			add_boxes(rule, box, 0, allowed, boxes);
	}
	pfree(done);
}

/*
 * Which values of a determined feature a region asks for.
 */
static bool *
wanted_values(const GsLookup *rule, const GsRegion *region)
{
	bool	   *wanted = palloc0(sizeof(bool) * Max(rule->nvalues, 1));

	for (int v = 0; v < rule->nvalues; v++)
	{
		wanted[v] = rule->score == NULL && region->allowed[v];
		for (int i = 0; i < region->n && rule->score != NULL; i++)
			wanted[v] |= rule->score[v] >= region->interval[i].low &&
				rule->score[v] < region->interval[i].high;
	}
	return wanted;
}

/*
 * The boxes that a condition on a rule's feature leaves of one.  Exceptions
 * are made only where nothing else is what is asked for, and so are values of
 * bins that do not tell.
 */
static void
split_box(const GsLookup *rule, const GsRegion *box, const bool *wanted,
		  Boxes *boxes)
{
	int64		n = (int64) rule->predictor[0].nbins *
		(rule->npredictors == 2 ? rule->predictor[1].nbins : 1);
	bool	   *goes = palloc0(sizeof(bool) * n);
	int			before = boxes->n;
	bool		excepted = false;
	GsRegion   *narrowed = copy_box(boxes->schema, box);

	for (int64 k = 0; k < n; k++)
		goes[k] = rule->code[k] >= 0 && wanted[rule->code[k]];
	if (rule->exception < 0 ||
		confine(boxes->schema, narrowed, rule->exception, 0))
		add_bins(rule, narrowed, goes, boxes);
	if (boxes->n > before)
		return;
	memset(goes, false, sizeof(bool) * n);
	for (int i = 0; i < rule->nrest; i++)
	{
		if (!wanted[rule->rest[i].value])
			continue;
		if (rule->rest[i].bin < 0)
			excepted = true;
		else
			goes[rule->rest[i].bin] = true;
	}
	narrowed = copy_box(boxes->schema, box);
	add_bins(rule, narrowed, goes, boxes);
	narrowed = copy_box(boxes->schema, box);
	if (excepted && boxes->n == before &&
		confine(boxes->schema, narrowed, rule->exception, 1))
	{
		narrowed[rule->feature].given = false;
		add_box(boxes, narrowed);
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
	given->wanted = palloc0(sizeof(bool *) * Max(schema->nfeatures, 1));
	/* what is determined comes after its predictors */
	for (int r = determined->nrules - 1; r >= 0; r--)
	{
		const GsLookup *rule = &determined->rules[r];
		Boxes		boxes = {.schema = schema};
		bool	   *all = NULL;

		if (rule->known)
			continue;
		for (int b = 0; b < given->nboxes; b++)
		{
			const GsRegion *region = &given->box[b][rule->feature];
			bool	   *wanted;

			if (!region->given)
			{
				add_box(&boxes, given->box[b]);
				continue;
			}
			wanted = wanted_values(rule, region);
			split_box(rule, given->box[b], wanted, &boxes);
			/* a box may ask for less: its predictors see to that */
			for (int v = 0; v < rule->nvalues && all != NULL; v++)
				all[v] |= wanted[v];
			if (all == NULL)
				all = wanted;
		}
		given->wanted[rule->feature] = all;
		given->box = boxes.box;
		given->nboxes = boxes.n;
	}
}
