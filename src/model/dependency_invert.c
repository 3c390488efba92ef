/*
 * dependency_invert.c
 *	  Determined features that are known: what their predictors can be.
 *
 * A zip code determines a city.  Where the city is known of every row and the
 * zip code is drawn, the zip code must be one of the city's, as often as the
 * source's rows are no exceptions.  The family may know the city, or not (of a
 * model that learned it as determined): in either case its rows are made again
 * until they fit, which draws from what the family says of the rest of the row,
 * confined to what is known.  Where few more are found that way, a predictor's
 * value is drawn by its share among those that go with what is known.  A family
 * that can (see GsFamily) asks which bins go with it while it draws.
 *
 * A row that is an exception, which the family drew, stays one.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/dependency_internal.h"
#include "model/tokens.h"

#define MAX_DRAWS	64			/* for a value that fits other rules too */

/* A rule whose feature is known, but not all of its predictors. */
typedef struct Inverse
{
	const GsLookup *rule;
	bool		own;			/* the feature is context, and not another one's
								 * predictor that was settled */
	GsGuide		guide;			/* into the segments of a number */
	int		   *first;			/* [nvalues + 1] places in bin */
	int32	   *bin;			/* of the only predictor, by value told */
	double	   *below;			/* [places + 1] shares of those before */
	int32	   *told;			/* [GS_BATCH] bins of the batch looked at */
	int32	   *value;			/* [GS_BATCH] known */
} Inverse;

struct GsInverse
{
	const GsSchema *schema;
	const bool *context;
	int			n;
	Inverse    *inverse;		/* [n] predictors that are determined themselves
								 * before their predictors */
	bool	   *settled;		/* [nfeatures] of the row at hand */
};

static double
bin_share(const GsSchema *schema, const GsPredictor *predictor, int bin)
{
	double		null = predictor->null < 0 ? 0 :
		schema->features[predictor->null].share[1];

	return bin == predictor->nvalues ? null : (1 - null) *
		gs_value_share(&schema->features[predictor->feature], bin);
}

/*
 * The bins of a rule's only predictor by what they tell.
 */
static void
sort_bins(Inverse *inverse, const GsSchema *schema)
{
	const GsLookup *rule = inverse->rule;
	int			n = rule->predictor[0].nbins;
	int		   *next = palloc0(sizeof(int) * (rule->nvalues + 2));

	inverse->first = next;
	inverse->bin = palloc(sizeof(int32) * Max(n, 1));
	inverse->below = palloc0(sizeof(double) * (n + 1));
	for (int k = 0; k < n; k++)
		if (rule->code[k] >= 0)
			next[rule->code[k] + 2]++;
	for (int v = 2; v < rule->nvalues + 2; v++)
		next[v] += next[v - 1];
	/* next[v + 1] becomes the end of v's, which is where those of v + 1 begin */
	for (int k = 0; k < n; k++)
		if (rule->code[k] >= 0)
			inverse->bin[next[rule->code[k] + 1]++] = k;
	for (int i = 0; i < next[rule->nvalues]; i++)
		inverse->below[i + 1] = inverse->below[i] +
			bin_share(schema, &rule->predictor[0], inverse->bin[i]);
}

static bool
some_unknown(const GsLookup *rule, const bool *context)
{
	for (int k = 0; k < rule->npredictors; k++)
		if (!context[rule->predictor[k].feature])
			return true;
	return false;
}

/*
 * gs_inverse_create: what known features say of those that determine them, in
 * the current context; NULL if nothing.
 *
 * context: [nfeatures] what is known of every row; it must outlive the result
 */
GsInverse *
gs_inverse_create(const GsDependency *determined, const GsSchema *schema,
				  const bool *context)
{
	GsInverse  *result = palloc0(sizeof(GsInverse));
	bool	   *told = palloc0(Max(schema->nfeatures, 1));
	bool		any = false;

	memcpy(told, context, schema->nfeatures);
	result->schema = schema;
	result->context = context;
	result->inverse = palloc0(sizeof(Inverse) * Max(determined->nrules, 1));
	/* what is determined comes after its predictors */
	for (int r = determined->nrules - 1; r >= 0; r--)
	{
		const GsLookup *rule = &determined->rules[r];
		const GsFeature *feature = &schema->features[rule->feature];
		Inverse    *inverse = &result->inverse[result->n];

		if (!told[rule->feature] || !some_unknown(rule, context))
			continue;
		inverse->rule = rule;
		inverse->own = context[rule->feature];
		any |= inverse->own;
		if (rule->score != NULL)
			gs_guide_init(&inverse->guide, feature->quantile.edge,
						  feature->quantile.nsegments, palloc);
		if (rule->npredictors == 1)
			sort_bins(inverse, schema);
		inverse->told = palloc(sizeof(int32) * GS_BATCH);
		inverse->value = palloc(sizeof(int32) * GS_BATCH);
		for (int k = 0; k < rule->npredictors; k++)
			told[rule->predictor[k].feature] = true;
		result->n++;
	}
	result->settled = told;
	return any ? result : NULL;
}

/*
 * The values of a rule's feature in a batch; GS_NO_CODE where nothing is said.
 */
static void
find_values(const Inverse *inverse, const GsBatch *batch)
{
	const GsLookup *rule = inverse->rule;
	const float *score = batch->score[rule->feature];

	if (rule->score == NULL)
	{
		memcpy(inverse->value, batch->code[rule->feature],
			   sizeof(int32) * GS_BATCH);
		return;
	}
	gs_guide_find(&inverse->guide, score, inverse->value, GS_BATCH);
	for (int i = 0; i < GS_BATCH; i++)
		if (isnan(score[i]))
			inverse->value[i] = GS_NO_CODE;
}

/*
 * The same of one row.
 */
static int
value_at(const Inverse *inverse, const GsBatch *batch, int row)
{
	int			f = inverse->rule->feature;

	if (inverse->rule->score == NULL)
		return batch->code[f][row];
	return isnan(batch->score[f][row]) ? GS_NO_CODE :
		gs_guide_find_one(&inverse->guide, batch->score[f][row]);
}

/*
 * The bin of one row in a predictor.
 */
static int
bin_at(const GsPredictor *predictor, const GsBatch *batch, int row)
{
	int			f = predictor->feature;

	if (predictor->edge == NULL)
		return batch->code[f][row];
	if (predictor->null >= 0 && batch->code[predictor->null][row] == 1)
		return predictor->nvalues;
	return isnan(batch->score[f][row]) ? GS_NO_CODE :
		gs_guide_find_one(&predictor->guide, batch->score[f][row]);
}

/*
 * Whether rows of a bin that does not tell have a value.
 */
static bool
is_among_rest(const GsLookup *rule, int bin, int value)
{
	for (int i = gs_lookup_rest(rule, bin);
		 i < rule->nrest && rule->rest[i].bin == bin; i++)
		if (rule->rest[i].value == value)
			return true;
	return false;
}

/*
 * Whether a bin goes with a value of a rule's feature.
 */
static bool
goes_with(const GsLookup *rule, int bin, int value, bool exception)
{
	if (bin == GS_NO_CODE || value == GS_NO_CODE)
		return true;
	if (rule->code[bin] < 0)
		return is_among_rest(rule, bin, value);
	return (rule->code[bin] == value) != exception;
}

static bool
is_exception(const GsLookup *rule, const GsBatch *batch, int row)
{
	return rule->exception >= 0 && batch->code[rule->exception][row] == 1;
}

/*
 * gs_inverse_context: [nfeatures] what is known of every row.
 */
const bool *
gs_inverse_context(const GsInverse *inverse)
{
	return inverse->context;
}

/*
 * gs_inverse_feature: what a rule is about that is known.
 */
int
gs_inverse_feature(const GsInverse *inverse, int rule)
{
	return inverse->inverse[rule].rule->feature;
}

/*
 * gs_inverse_rules: the rules that say which bins a feature may be in, once
 * others are drawn; returns how many.
 *
 * drawn: [nfeatures]; rules: filled, as many as there are room for
 */
int
gs_inverse_rules(const GsInverse *inverse, int feature, const bool *drawn,
				 int *rules)
{
	int			n = 0;

	for (int r = 0; r < inverse->n; r++)
	{
		const GsLookup *rule = inverse->inverse[r].rule;
		bool		about = false;
		bool		others = rule->exception < 0 || drawn[rule->exception];

		for (int k = 0; k < rule->npredictors; k++)
			if (rule->predictor[k].feature == feature)
				about = true;
			else
				others &= drawn[rule->predictor[k].feature];
		if (about && others && inverse->inverse[r].own &&
			n < GS_MAX_INVERSE_RULES)
			rules[n++] = r;
	}
	return n;
}

/*
 * gs_inverse_read: reads what is known of a batch's rows, for
 * gs_inverse_allows.
 */
void
gs_inverse_read(GsInverse *inverse, const GsBatch *batch)
{
	for (int r = 0; r < inverse->n; r++)
		if (inverse->inverse[r].own)
			find_values(&inverse->inverse[r], batch);
}

/*
 * gs_inverse_allows: whether one of gs_inverse_rules lets a row be in a bin of
 * the feature, beside what is drawn by then.
 */
bool
gs_inverse_allows(const GsInverse *inverse, int rule, int feature,
				  const GsBatch *batch, int row, int bin)
{
	const Inverse *one = &inverse->inverse[rule];
	const GsLookup *lookup = one->rule;
	int			own = lookup->predictor[0].feature != feature;

	if (is_exception(lookup, batch, row))
		return true;
	if (lookup->npredictors == 2)
	{
		const GsPredictor *other = &lookup->predictor[1 - own];
		int			beside = bin_at(other, batch, row);

		if (beside == GS_NO_CODE)
			return true;
		bin = own == 0 ? bin * lookup->predictor[1].nbins + beside :
			beside * lookup->predictor[1].nbins + bin;
	}
	return goes_with(lookup, bin, one->value[row], false);
}

/*
 * gs_inverse_look: which rows of a batch do not go with what is known.
 *
 * target: the batch that they are for, which says which rows are exceptions;
 * refused: [GS_BATCH], filled.  Returns how many.
 */
int
gs_inverse_look(GsInverse *inverse, const GsBatch *target,
				const GsBatch *batch, bool *refused)
{
	int			count = 0;

	memset(refused, false, GS_BATCH);
	for (int r = 0; r < inverse->n; r++)
	{
		const Inverse *one = &inverse->inverse[r];
		const GsLookup *rule = one->rule;

		if (!one->own || !batch->needed[rule->predictor[0].feature])
			continue;
		find_values(one, batch);
		gs_lookup_bins(rule, batch, one->told);
		for (int i = 0; i < GS_BATCH; i++)
		{
			bool		exception = is_exception(rule, target, i);

			if (one->value[i] >= 0 &&
				(exception != is_exception(rule, batch, i) ||
				 !goes_with(rule, one->told[i], one->value[i], exception)))
				refused[i] = true;
		}
	}
	for (int i = 0; i < GS_BATCH; i++)
		count += refused[i];
	return count;
}

/*
 * Whether a bin of a predictor goes with what all other rules of it alone say
 * of the row at hand.
 */
static bool
suits_others(const GsInverse *inverse, const Inverse *one,
			 const GsBatch *batch, int row, int bin)
{
	for (int r = 0; r < inverse->n; r++)
	{
		const Inverse *other = &inverse->inverse[r];
		const GsLookup *rule = other->rule;

		if (other != one && other->own && rule->npredictors == 1 &&
			rule->predictor[0].feature == one->rule->predictor[0].feature &&
			!goes_with(rule, bin, other->value[row],
					   is_exception(rule, batch, row)))
			return false;
	}
	return true;
}

/*
 * A bin of a rule's only predictor by its share, among those that go with a
 * value, and with other rules if there are such; -1 if there is none.
 */
static int
draw_bin(const GsInverse *inverse, const Inverse *one, const GsBatch *batch,
		 int row, int value, GsRandom *random)
{
	const GsLookup *rule = one->rule;
	bool		exception = is_exception(rule, batch, row);
	int			first = exception ? 0 : one->first[value];
	int			last = exception ? one->first[rule->nvalues] :
		one->first[value + 1];
	int			bin = -1;

	for (int draw = 0; draw < MAX_DRAWS && last > first; draw++)
	{
		double		at = one->below[first] + gs_random_uniform(random) *
			(one->below[last] - one->below[first]);
		int			low = first;
		int			high = last - 1;

		while (low < high)
		{
			int			middle = low + (high - low + 1) / 2;

			if (one->below[middle] <= at)
				low = middle;
			else
				high = middle - 1;
		}
		if (exception && rule->code[one->bin[low]] == value)
			continue;
		bin = one->bin[low];
		if (suits_others(inverse, one, batch, row, bin))
			return bin;
	}
	for (int i = first; i < last && !exception; i++)
		if (suits_others(inverse, one, batch, row, one->bin[i]))
			return one->bin[i];
	return bin;
}

/*
 * The same of the one of two predictors that is not known, or of both: the
 * pairs one by one.  Returns a pair.
 */
static int
draw_pair(const GsInverse *inverse, const Inverse *one, const GsBatch *batch,
		  int row, int value, GsRandom *random)
{
	const GsLookup *rule = one->rule;
	bool		exception = is_exception(rule, batch, row);
	int			n = rule->predictor[1].nbins;
	int			all = rule->predictor[0].nbins * n;
	int			now[2];
	double		sum = 0;
	int			drawn = -1;

	for (int k = 0; k < 2; k++)
		now[k] = inverse->settled[rule->predictor[k].feature] ?
			bin_at(&rule->predictor[k], batch, row) : -1;

	/* one pass, each in the place of those before by its share of the sum */
	for (int k = 0; k < all; k++)
	{
		double		share;

		if (rule->code[k] < 0 || (rule->code[k] == value) == exception ||
			(now[0] >= 0 && k / n != now[0]) || (now[1] >= 0 && k % n != now[1]))
			continue;
		share = bin_share(inverse->schema, &rule->predictor[0], k / n) *
			bin_share(inverse->schema, &rule->predictor[1], k % n);
		sum += share;
		if (gs_random_uniform(random) * sum < share)
			drawn = k;
	}
	return drawn;
}

/*
 * Sets a predictor's bin in a row.
 */
static void
set_bin(const GsInverse *inverse, const GsPredictor *predictor, int bin,
		GsBatch *batch, int row, GsRandom *random)
{
	const GsFeature *feature = &inverse->schema->features[predictor->feature];
	float		base;
	float		span;

	if (predictor->edge == NULL)
	{
		batch->code[predictor->feature][row] = bin;
		return;
	}
	if (predictor->null >= 0)
		batch->code[predictor->null][row] = bin == predictor->nvalues;
	if (bin == predictor->nvalues)
		return;
	gs_quantile_scores(feature, bin, &base, &span);
	batch->score[predictor->feature][row] = base +
		span * (float) gs_random_uniform(random);
}

/*
 * Settles one rule's predictors in a row.
 */
static void
settle_rule(GsInverse *inverse, const Inverse *one, GsBatch *batch, int row)
{
	const GsLookup *rule = one->rule;
	int			n = rule->predictor[rule->npredictors - 1].nbins;
	int			value = value_at(one, batch, row);
	bool		open = false;
	GsRandom	random;
	int			bin;

	for (int k = 0; k < rule->npredictors; k++)
		open |= !inverse->settled[rule->predictor[k].feature];
	if (!open || !inverse->settled[rule->feature] || value < 0)
		return;
	gs_random_start(&random, batch->key, gs_batch_row(batch, row),
					GS_STREAM_INVERSE + rule->feature);
	bin = rule->npredictors == 1 ?
		draw_bin(inverse, one, batch, row, value, &random) :
		draw_pair(inverse, one, batch, row, value, &random);
	for (int k = 0; k < rule->npredictors && bin >= 0; k++)
	{
		const GsPredictor *predictor = &rule->predictor[k];

		if (inverse->settled[predictor->feature])
			continue;
		set_bin(inverse, predictor, rule->npredictors == 1 ? bin :
				k == 0 ? bin / n : bin % n, batch, row, &random);
		inverse->settled[predictor->feature] = true;
	}
}

/*
 * gs_inverse_settle: gives refused rows predictors that go with what is known.
 * What these determine is to be looked up again then.
 *
 * refused: [GS_BATCH], as gs_inverse_look has left them
 */
void
gs_inverse_settle(GsInverse *inverse, GsBatch *batch, const bool *refused)
{
	for (int row = 0; row < GS_BATCH; row++)
	{
		if (!refused[row])
			continue;
		CHECK_FOR_INTERRUPTS();
		memcpy(inverse->settled, inverse->context, batch->nfeatures);
		for (int r = 0; r < inverse->n; r++)
		{
			const Inverse *one = &inverse->inverse[r];

			/* what is not context may have been settled by those before */
			if (batch->needed[one->rule->predictor[0].feature])
				settle_rule(inverse, one, batch, row);
		}
	}
}
