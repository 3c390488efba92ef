/*
 * tokens.c
 *	  Features as tokens: loading, and from tokens to codes and scores.
 *
 * Tensors, for P positions:
 *	 tokens/position	int4 [P]	feature of each
 *	 tokens/token	int4 [..]	token of each level or segment, of all positions
 */
#include "postgres.h"

#include <math.h>

#include "learn/quantile.h"
#include "model/tokens.h"
#include "model/training.h"
#include "numeric/normal.h"

/*
 * gs_value_share: the share in the source of a level, or of a segment.
 */
double
gs_value_share(const GsFeature *feature, int value)
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
sort_members(GsTokenPosition *position)
{
	position->begin = palloc0(sizeof(int) * (position->ntokens + 1));
	position->member = palloc(sizeof(uint16) * position->nvalues);
	for (int v = 0; v < position->nvalues; v++)
		position->begin[position->token[v] + 1]++;
	for (int t = 0; t < position->ntokens; t++)
		position->begin[t + 1] += position->begin[t];
	for (int v = 0; v < position->nvalues; v++)
		position->member[position->begin[position->token[v]]++] = (uint16) v;
	for (int t = position->ntokens; t > 0; t--)
		position->begin[t] = position->begin[t - 1];
	position->begin[0] = 0;
}

/*
 * Shares and mean scores.  A value without a share is never drawn: others of
 * its token end where it ends.
 */
static void
weigh_token(GsTokenPosition *position, const GsFeature *feature, int t)
{
	double		sum = 0;
	double		score = 0;
	double		at = 0;
	int			last = position->begin[t];

	for (int m = position->begin[t]; m < position->begin[t + 1]; m++)
	{
		int			value = position->member[m];
		double		share = gs_value_share(feature, value);

		sum += share;
		if (share > 0)
			last = m;
		if (position->number)
			score += share * (position->base[value] + position->span[value] /
							  2);
	}
	position->share[t] = (float) sum;
	position->score[t] = sum > 0 ? (float) (score / sum) : 0;
	for (int m = position->begin[t]; m < position->begin[t + 1]; m++)
	{
		if (sum > 0)
			at += gs_value_share(feature, position->member[m]) / sum;
		position->below[m] = m >= last ? 1 : (float) Min(at, 1);
	}
}

/*
 * gs_tokens_position: all of a position that follows from its feature and
 * position->token, whose elements are below position->ntokens and leave none
 * out.
 */
void
gs_tokens_position(GsTokenPosition *position, const GsFeature *feature)
{
	int			n = position->nvalues;

	if (position->number)
	{
		position->base = palloc(sizeof(float) * n);
		position->span = palloc(sizeof(float) * n);
		for (int s = 0; s < n; s++)
			gs_quantile_scores(feature, s, &position->base[s],
							   &position->span[s]);
	}
	sort_members(position);
	position->below = palloc(sizeof(float) * n);
	position->share = palloc(sizeof(float) * position->ntokens);
	position->score = palloc(sizeof(float) * position->ntokens);
	for (int t = 0; t < position->ntokens; t++)
		weigh_token(position, feature, t);
}

/*
 * gs_tokens_add: the next position, that of feature f, which all but its
 * tokens is known of.
 */
GsTokenPosition *
gs_tokens_add(GsTokens *tokens, const GsSchema *schema, int f)
{
	const GsFeature *feature = &schema->features[f];
	GsTokenPosition *position = &tokens->position[tokens->npositions];
	int			null = schema->columns[feature->column].null_feature;

	tokens->position_of[f] = tokens->npositions++;
	position->feature = f;
	position->number = feature->kind == GS_FEATURE_NUMBER;
	position->nvalues = position->number ? feature->quantile.nsegments :
		feature->nlevels;
	position->first = tokens->ntokens;
	position->null = -1;
	if (feature->part >= 0 && null >= 0)
		position->null = tokens->position_of[null];
	position->token = palloc(sizeof(uint16) * position->nvalues);
	tokens->nnumbers += position->number;
	return position;
}

/*
 * gs_tokens_create: no positions yet, but room for them.
 */
GsTokens *
gs_tokens_create(const GsSchema *schema)
{
	GsTokens   *tokens = palloc0(sizeof(GsTokens));
	int			n = Max(schema->nfeatures, 1);

	tokens->nfeatures = schema->nfeatures;
	tokens->position = palloc0(sizeof(GsTokenPosition) * n);
	tokens->position_of = palloc(sizeof(int) * n);
	for (int f = 0; f < schema->nfeatures; f++)
		tokens->position_of[f] = -1;
	return tokens;
}

static void
load_position(GsTokenPosition *position, const GsFeature *feature,
			  const int32 *token,
			  int p)
{
	int			n = position->nvalues;
	bool	   *seen = palloc0(n);

	for (int v = 0; v < n; v++)
	{
		if (token[v] < 0 || token[v] >= n)
			gs_corrupted("Place %d has an impossible token.", p);
		position->token[v] = (uint16) token[v];
		seen[token[v]] = true;
		position->ntokens = Max(position->ntokens, token[v] + 1);
	}
	for (int t = 0; t < position->ntokens; t++)
		if (!seen[t])
			gs_corrupted("Place %d lacks token %d.", p, t);
	pfree(seen);
	gs_tokens_position(position, feature);
}

/*
 * gs_tokens_load: reads the tokens of a model.  Errors: data_corrupted.
 */
GsTokens *
gs_tokens_load(const GsSchema *schema, const List *tensors)
{
	const GsTensor *positions = gs_tensor_get(tensors, "tokens/position", GS_I4,
											  1);
	const GsTensor *values = gs_tensor_get(tensors, "tokens/token", GS_I4, 1);
	GsTokens   *tokens = gs_tokens_create(schema);
	const int32 *feature = positions->data;
	int			at = 0;

	for (int p = 0; p < positions->dims[0]; p++)
	{
		GsTokenPosition *position;

		if (feature[p] < 0 || feature[p] >= schema->nfeatures ||
			tokens->position_of[feature[p]] >= 0)
			gs_corrupted("Place %d is of no feature.", p);
		position = gs_tokens_add(tokens, schema, feature[p]);
		if (position->nvalues > values->dims[0] - at)
			gs_corrupted("Place %d has too few tokens.", p);
		load_position(position, &schema->features[feature[p]],
					  (const int32 *) values->data + at, p);
		at += position->nvalues;
		tokens->ntokens += position->ntokens;
	}
	return tokens;
}

/*
 * gs_tokens_shape: rows of tokens as networks know them, in the current
 * context.
 */
const GsNetShape *
gs_tokens_shape(const GsTokens *tokens)
{
	GsNetShape *shape = palloc0(sizeof(GsNetShape));
	int			n = tokens->npositions;
	int		   *offset = palloc(sizeof(int) * (n + 1));
	int		   *number = palloc(sizeof(int) * Max(n, 1));
	int		   *null = palloc(sizeof(int) * Max(n, 1));
	int		   *null_token = palloc0(sizeof(int) * Max(n, 1));

	for (int p = 0; p < n; p++)
	{
		offset[p] = tokens->position[p].first;
		number[p] = tokens->position[p].number ? shape->nnumbers++ : -1;
		null[p] = tokens->position[p].null;
		if (null[p] >= 0)
			null_token[p] = tokens->position[null[p]].nvalues > 1 ?
				tokens->position[null[p]].token[1] : -1;
	}
	offset[n] = tokens->ntokens;
	shape->npositions = n;
	shape->offset = offset;
	shape->number = number;
	shape->null = null;
	shape->null_token = null_token;
	return shape;
}

/*
 * gs_tokens_start_heads: heads begin with the shares that their tokens have.
 */
void
gs_tokens_start_heads(const GsTokens *tokens, const GsDense *head,
					  float *params)
{
	for (int p = 0; p < tokens->npositions; p++)
		for (int t = 0; t < tokens->position[p].ntokens; t++)
			params[head[p].bias + t] =
				logf(Max(tokens->position[p].share[t], 1e-6f));
}

/*
 * Adds to the log odds of the tokens of all positions.  bias: [ntokens]
 */
static void
add_bias(const GsTokens *tokens, const GsDense *head, const float *bias,
		 float *params)
{
	for (int p = 0; p < tokens->npositions; p++)
		for (int t = 0; t < tokens->position[p].ntokens; t++)
			params[head[p].bias + t] += *bias++;
}

/*
 * gs_tokens_load_bias: adds what gs_calibrate found to the log odds of all
 * tokens.  Errors: data_corrupted.
 */
void
gs_tokens_load_bias(const GsTokens *tokens, const List *tensors,
					const GsDense *head, float *params)
{
	const float *bias;

	if (gs_tensor_find(tensors, "tokens/bias") == NULL)
		return;
	bias = gs_tensor_data(tensors, "tokens/bias", GS_F4, tokens->ntokens);
	for (int t = 0; t < tokens->ntokens; t++)
		if (!(fabsf(bias[t]) < 1e6f))
			gs_corrupted("The bias of token %d is impossible.", t);
	add_bias(tokens, head, bias, params);
}

/*
 * gs_tokens_adjust: adds to the log odds of a sampler's n parameters, which
 * become its own: *own, NULL the first time.  Returns these.
 */
const float *
gs_tokens_adjust(const GsTokens *tokens, const GsDense *head,
				 const float *bias, const float *params, float **own, Size n)
{
	if (*own == NULL)
		*own = gs_training_copy(params, n);
	add_bias(tokens, head, bias, *own);
	return *own;
}

/*
 * gs_tokens_draw: a position's tokens for a batch, by the inverse of their
 * distribution function.
 *
 * probability: [GS_BATCH][ntokens]; word: [GS_BATCH] random; token:
 * [GS_BATCH], filled.
 */
void
gs_tokens_draw(const GsTokenPosition *position, const float *probability,
			   const uint32 *word, int32 *token)
{
	int			n = position->ntokens;

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
gs_tokens_member(const GsTokenPosition *position, int token, float u,
				 float *within)
{
	int			low = position->begin[token];
	int			high = position->begin[token + 1] - 1;
	float		from;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (position->below[middle] > u)
			high = middle;
		else
			low = middle + 1;
	}
	from = low > position->begin[token] ? position->below[low - 1] : 0;
	*within = (u - from) / (position->below[low] - from);
	return position->member[low];
}

/*
 * gs_tokens_put: hands a position's tokens to a batch.
 *
 * token: [GS_BATCH]; word: [GS_BATCH] random, what chooses the value.
 */
void
gs_tokens_put(const GsTokens *tokens, int p, GsBatch *batch,
			  const int32 *token, const uint32 *word)
{
	const GsTokenPosition *position = &tokens->position[p];
	float	   *score = batch->score[position->feature];
	int32	   *code = batch->code[position->feature];

	for (int i = 0; i < GS_BATCH; i++)
	{
		float		within;
		int			value = gs_tokens_member(position, token[i],
											 (word[i] >> 8) * 0x1.0p-24f,
											 &within);

		if (position->number)
			score[i] = position->base[value] + position->span[value] * within;
		else
			code[i] = value;
	}
}

/*
 * gs_tokens_hide: a number that is NULL tells nothing: its tokens become -1.
 */
void
gs_tokens_hide(const GsTokens *tokens, int p, const GsBatch *batch,
			   int32 *token)
{
	int			null = tokens->position[p].null;
	const int32 *code = null < 0 ? NULL :
		batch->code[tokens->position[null].feature];

	for (int i = 0; i < GS_BATCH && code != NULL; i++)
		if (code[i] == 1)
			token[i] = -1;
}
