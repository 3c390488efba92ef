/*
 * tokens.c
 *	  Features as tokens: loading, and from tokens to codes and scores.
 *
 * Tensors, for P places:
 *	 tokens/place	int4 [P]	feature of each
 *	 tokens/token	int4 [..]	token of each level or segment, of all places
 */
#include "postgres.h"

#include <math.h>

#include "learn/quantile.h"
#include "model/tokens.h"
#include "numeric/normal.h"

/*
 * The share of a value in the source.
 */
static double
value_share(const GsFeature *feature, int value)
{
	const GsQuantile *q = &feature->quantile;
	double		from;
	double		to;

	if (feature->kind == GS_FEATURE_CATEGORY)
		return feature->share[value];
	from = value == 0 ? 0 : gs_normal_cdf(q->edge[value]);
	to = value == q->nsegments - 1 ? 1 : gs_normal_cdf(q->edge[value + 1]);
	return to - from;
}

/*
 * The values of each token, by counting.
 */
static void
sort_members(GsTokenPlace *place)
{
	place->begin = palloc0(sizeof(int) * (place->ntokens + 1));
	place->member = palloc(sizeof(uint16) * place->nvalues);
	for (int v = 0; v < place->nvalues; v++)
		place->begin[place->token[v] + 1]++;
	for (int t = 0; t < place->ntokens; t++)
		place->begin[t + 1] += place->begin[t];
	for (int v = 0; v < place->nvalues; v++)
		place->member[place->begin[place->token[v]]++] = (uint16) v;
	for (int t = place->ntokens; t > 0; t--)
		place->begin[t] = place->begin[t - 1];
	place->begin[0] = 0;
}

/*
 * Shares and mean scores.  A value without a share is never drawn: others of
 * its token end where it ends.
 */
static void
weigh_token(GsTokenPlace *place, const GsFeature *feature, int t)
{
	double		sum = 0;
	double		score = 0;
	double		at = 0;
	int			last = place->begin[t];

	for (int m = place->begin[t]; m < place->begin[t + 1]; m++)
	{
		int			value = place->member[m];
		double		share = value_share(feature, value);

		sum += share;
		if (share > 0)
			last = m;
		if (place->number)
			score += share * (place->base[value] + place->span[value] / 2);
	}
	place->share[t] = (float) sum;
	place->score[t] = sum > 0 ? (float) (score / sum) : 0;
	for (int m = place->begin[t]; m < place->begin[t + 1]; m++)
	{
		if (sum > 0)
			at += value_share(feature, place->member[m]) / sum;
		place->below[m] = m >= last ? 1 : (float) Min(at, 1);
	}
}

/*
 * gs_tokens_place: all of a place that follows from its feature and
 * place->token, whose elements are below place->ntokens and leave none out.
 */
void
gs_tokens_place(GsTokenPlace *place, const GsFeature *feature)
{
	int			n = place->nvalues;

	if (place->number)
	{
		place->base = palloc(sizeof(float) * n);
		place->span = palloc(sizeof(float) * n);
		for (int s = 0; s < n; s++)
			gs_quantile_scores(feature, s, &place->base[s], &place->span[s]);
	}
	sort_members(place);
	place->below = palloc(sizeof(float) * n);
	place->share = palloc(sizeof(float) * place->ntokens);
	place->score = palloc(sizeof(float) * place->ntokens);
	for (int t = 0; t < place->ntokens; t++)
		weigh_token(place, feature, t);
}

/*
 * gs_tokens_add: the next place, that of feature f, which all but its tokens
 * is known of.
 */
GsTokenPlace *
gs_tokens_add(GsTokens *tokens, const GsSchema *schema, int f)
{
	const GsFeature *feature = &schema->features[f];
	GsTokenPlace *place = &tokens->place[tokens->nplaces];
	int			null = schema->columns[feature->column].null_feature;

	tokens->place_of[f] = tokens->nplaces++;
	place->feature = f;
	place->number = feature->kind == GS_FEATURE_NUMBER;
	place->nvalues = place->number ? feature->quantile.nsegments :
		feature->nlevels;
	place->first = tokens->ntokens;
	place->null = -1;
	if (feature->part >= 0 && null >= 0)
		place->null = tokens->place_of[null];
	place->token = palloc(sizeof(uint16) * place->nvalues);
	tokens->nnumbers += place->number;
	return place;
}

/*
 * gs_tokens_create: no places yet, but room for them.
 */
GsTokens *
gs_tokens_create(const GsSchema *schema)
{
	GsTokens   *tokens = palloc0(sizeof(GsTokens));
	int			n = Max(schema->nfeatures, 1);

	tokens->nfeatures = schema->nfeatures;
	tokens->place = palloc0(sizeof(GsTokenPlace) * n);
	tokens->place_of = palloc(sizeof(int) * n);
	for (int f = 0; f < schema->nfeatures; f++)
		tokens->place_of[f] = -1;
	return tokens;
}

static void
load_place(GsTokenPlace *place, const GsFeature *feature, const int32 *token,
		   int p)
{
	int			n = place->nvalues;
	bool	   *seen = palloc0(n);

	for (int v = 0; v < n; v++)
	{
		if (token[v] < 0 || token[v] >= n)
			gs_corrupted("Place %d has an impossible token.", p);
		place->token[v] = (uint16) token[v];
		seen[token[v]] = true;
		place->ntokens = Max(place->ntokens, token[v] + 1);
	}
	for (int t = 0; t < place->ntokens; t++)
		if (!seen[t])
			gs_corrupted("Place %d lacks token %d.", p, t);
	pfree(seen);
	gs_tokens_place(place, feature);
}

/*
 * gs_tokens_load: reads the tokens of a model.  Errors: data_corrupted.
 */
GsTokens *
gs_tokens_load(const GsSchema *schema, const List *tensors)
{
	const GsTensor *places = gs_tensor_get(tensors, "tokens/place", GS_I4, 1);
	const GsTensor *values = gs_tensor_get(tensors, "tokens/token", GS_I4, 1);
	GsTokens   *tokens = gs_tokens_create(schema);
	const int32 *feature = places->data;
	int			at = 0;

	for (int p = 0; p < places->dims[0]; p++)
	{
		GsTokenPlace *place;

		if (feature[p] < 0 || feature[p] >= schema->nfeatures ||
			tokens->place_of[feature[p]] >= 0)
			gs_corrupted("Place %d is of no feature.", p);
		place = gs_tokens_add(tokens, schema, feature[p]);
		if (place->nvalues > values->dims[0] - at)
			gs_corrupted("Place %d has too few tokens.", p);
		load_place(place, &schema->features[feature[p]],
				   (const int32 *) values->data + at, p);
		at += place->nvalues;
		tokens->ntokens += place->ntokens;
	}
	return tokens;
}

/*
 * gs_tokens_bias: what gs_calibrate adds to the log odds of all tokens, or
 * NULL.  Errors: data_corrupted.
 */
const float *
gs_tokens_bias(const GsTokens *tokens, const List *tensors)
{
	const float *bias;

	if (gs_tensor_find(tensors, "tokens/bias") == NULL)
		return NULL;
	bias = gs_tensor_data(tensors, "tokens/bias", GS_F4, tokens->ntokens);
	for (int t = 0; t < tokens->ntokens; t++)
		if (!(fabsf(bias[t]) < 1e6f))
			gs_corrupted("The bias of token %d is impossible.", t);
	return bias;
}

/*
 * gs_tokens_draw: a place's tokens for a batch, by the inverse of their
 * distribution function.
 *
 * probability: [GS_BATCH][ntokens]; word: [GS_BATCH] random; token:
 * [GS_BATCH], filled.
 */
void
gs_tokens_draw(const GsTokenPlace *place, const float *probability,
			   const uint32 *word, int32 *token)
{
	int			n = place->ntokens;

	for (int i = 0; i < GS_BATCH; i++, probability += n)
	{
		float		u = (word[i] >> 8) * 0x1.0p-24f;
		int			t = 0;

		while (t < n - 1 && u >= probability[t])
			u -= probability[t++];
		token[i] = t;
	}
}

/*
 * gs_tokens_member: the value of a token at u of [0, 1), the first that ends
 * above u, and where in it.
 */
int
gs_tokens_member(const GsTokenPlace *place, int token, float u, float *within)
{
	int			low = place->begin[token];
	int			high = place->begin[token + 1] - 1;
	float		from;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (place->below[middle] > u)
			high = middle;
		else
			low = middle + 1;
	}
	from = low > place->begin[token] ? place->below[low - 1] : 0;
	*within = (u - from) / (place->below[low] - from);
	return place->member[low];
}

/*
 * gs_tokens_put: hands a place's tokens to a batch.
 *
 * token: [GS_BATCH]; word: [GS_BATCH] random, what chooses the value.
 */
void
gs_tokens_put(const GsTokens *tokens, int p, GsBatch *batch,
			  const int32 *token, const uint32 *word)
{
	const GsTokenPlace *place = &tokens->place[p];
	float	   *score = batch->score[place->feature];
	int32	   *code = batch->code[place->feature];

	for (int i = 0; i < GS_BATCH; i++)
	{
		float		within;
		int			value = gs_tokens_member(place, token[i],
											 (word[i] >> 8) * 0x1.0p-24f,
											 &within);

		if (place->number)
			score[i] = place->base[value] + place->span[value] * within;
		else
			code[i] = value;
	}
}

/*
 * gs_tokens_fill_rest: features without a place are determined by others, but
 * must be something until then.
 */
void
gs_tokens_fill_rest(const GsTokens *tokens, GsBatch *batch)
{
	for (int f = 0; f < tokens->nfeatures; f++)
	{
		if (tokens->place_of[f] >= 0 ||
			(batch->context != NULL && batch->context[f]))
			continue;
		if (batch->code[f] != NULL)
			memset(batch->code[f], 0, sizeof(int32) * GS_BATCH);
		else
			memset(batch->score[f], 0, sizeof(float) * GS_BATCH);
	}
}
