/*
 * calibrate.c
 *	  A model's own marginals, taken to the real ones.
 *
 * A number's quantile table expects normal scores.  Where a column is NULL
 * for some rows, the scores of the others are what a family makes of them: if
 * the NULLs go with a column that the number depends on (no last visit
 * without visits), they are not normal.  So the family is sampled once, and
 * the table's edges are moved to the scores that it has at their shares.
 *
 * A family that draws tokens is sampled in rounds.  After each, what its log
 * odds lack of the source's is added to them, and something more, since tokens
 * that a row's latent state has all but decided on hardly move.  The mean over
 * the later rounds is kept, in which their chance is averaged out (Polyak and
 * Juditsky, SIAM J. Control and Optimization 30, 1992).
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/calibrate.h"
#include "model/model.h"
#include "numeric/guide.h"
#include "numeric/normal.h"

/* Rows to sample: of wide tables fewer, since a row costs features squared. */
#define MAX_BATCHES		128
#define MIN_BATCHES		16
#define WORK			1e7		/* batches times features squared */
#define MEMORY_SHARE	0.25	/* of maintenance_work_mem */

/* Of tokens: rounds, each of so many batches of its own. */
#define TOKEN_ROUNDS	20
#define MIN_ROUNDS	6
#define TOKEN_PRIOR		4		/* rows that a share is pulled by */
#define TOKEN_MAX		3.0		/* that is added in all */

/* Beyond so many scores from either end, the sample says too little. */
#define TAIL_SCORES		50

static inline bool
is_calibrated(const GsSchema *schema, int f)
{
	const GsFeature *feature = &schema->features[f];

	return feature->kind == GS_FEATURE_NUMBER && feature->part >= 0 &&
		schema->columns[feature->column].null_feature >= 0;
}

/*
 * Moves a table's edges to where the sorted scores have their shares; in the
 * tails, by the scores' mean and deviation.
 */
static void
move_edges(GsQuantile *q, const GsScalar *scores, int64 n)
{
	double		mean = 0;
	double		square = 0;
	double		deviation;
	double		last;

	for (int64 i = 0; i < n; i++)
	{
		mean += scores[i].f / n;
		square += scores[i].f * scores[i].f / n;
	}
	deviation = sqrt(Max(square - mean * mean, 1e-6));
	last = -INFINITY;
	for (int s = 0; s <= q->nsegments; s++)
	{
		double		position = gs_normal_cdf(q->edge[s]) * (n - 1);
		double		edge = mean + deviation * q->edge[s];

		if (s > 0 && s < q->nsegments && position >= TAIL_SCORES &&
			position < n - 1 - TAIL_SCORES)
		{
			int64		at = (int64) position;

			edge = scores[at].f +
				(position - at) * (scores[at + 1].f - scores[at].f);
		}
		/* a table increases, whatever the sample */
		if (!(edge > last))
			edge = nextafter(last, INFINITY);
		q->edge[s] = last = edge;
	}
}

/*
 * The model of a fit, before it is stored.
 */
static GsSampler *
open_model(GsModel *model, const List *tensors)
{
	model->determined = gs_dependency_load(model->schema, tensors);
	model->state = model->family->load(model->schema, tensors);
	return gs_sampler_begin(model, NULL, NULL);
}

/*
 * Counts the tokens of a batch, where a row has any.
 */
static void
count_tokens(const GsTokens *tokens, const GsSchema *schema,
			 const GsGuide *guide, const GsBatch *batch, double *count)
{
	int32		segment[GS_BATCH];

	for (int p = 0; p < tokens->npositions; p++)
	{
		const GsTokenPosition *position = &tokens->position[p];
		const int32 *value = batch->code[position->feature];
		const int32 *is_null = position->null < 0 ? NULL :
			batch->code[tokens->position[position->null].feature];

		if (position->number)
		{
			gs_guide_find(&guide[p], batch->score[position->feature], segment,
						  GS_BATCH);
			value = segment;
		}
		for (int i = 0; i < GS_BATCH; i++)
			if (is_null == NULL || is_null[i] != 1)
				count[position->first + position->token[value[i]]]++;
	}
}

/*
 * Moves a position's log odds by what the counts lack of the shares.
 *
 * bias: [ntokens], filled; total: [ntokens] so far.
 */
static void
move_odds(const GsTokenPosition *position, const double *count, double step,
		  float *bias, float *total)
{
	double		rows = 0;

	for (int t = 0; t < position->ntokens; t++)
		rows += count[t];
	for (int t = 0; t < position->ntokens; t++)
	{
		double		odds = log((position->share[t] * rows + TOKEN_PRIOR) /
							   (count[t] + TOKEN_PRIOR));
		double		next = Max(Min(total[t] + step * odds, TOKEN_MAX),
							   -TOKEN_MAX);

		bias[t] = (float) (next - total[t]);
		total[t] = (float) next;
	}
}

static void
calibrate_tokens(GsFitContext *context, const GsFamily *family)
{
	GsSchema   *schema = context->schema;
	int64		nrows = context->encoded->nrows;
	GsVersionEntry version = {0};
	GsModel		model = {.version = &version,.schema = schema,
	.family = family};
	GsSampler  *sampler = open_model(&model, context->tensors);
	GsBatch    *batch = gs_batch_create(sampler, 0, NULL);
	const GsTokens *tokens = family->adjust(sampler->state, NULL);
	int			n = Max(tokens->ntokens, 1);
	int			work = family->adjust_batches * family->adjust_features /
		Max(schema->nfeatures, 1);
	int			nbatches = (int) Max(Min(Min(family->adjust_batches,
											 nrows / GS_BATCH), work), 1);
	int			rounds = Max(Min(TOKEN_ROUNDS * work / nbatches,
								 TOKEN_ROUNDS), MIN_ROUNDS);
	double	   *count = palloc(sizeof(double) * n);
	float	   *bias = palloc0(sizeof(float) * n);
	float	   *total = palloc0(sizeof(float) * n);
	float	   *mean = palloc0(sizeof(float) * n);
	GsGuide    *guide = palloc0(sizeof(GsGuide) * Max(tokens->npositions, 1));

	for (int p = 0; p < tokens->npositions; p++)
	{
		const GsQuantile *q =
			&schema->features[tokens->position[p].feature].quantile;

		if (tokens->position[p].number)
			gs_guide_init(&guide[p], q->edge, q->nsegments, palloc);
	}
	for (int round = 0; round < rounds; round++)
	{
		memset(count, 0, sizeof(double) * n);
		for (int b = 0; b < nbatches; b++)
		{
			gs_fit_progress(context, GS_PHASE_CALIBRATING,
							(int64) round * nbatches + b,
							(int64) rounds * nbatches);
			/* not gs_batch_fill: what is looked up later would hide the tokens */
			batch->first = ((int64) round * nbatches + b) * GS_BATCH;
			family->generate(sampler->state, batch);
			count_tokens(tokens, schema, guide, batch, count);
		}
		for (int p = 0; p < tokens->npositions; p++)
		{
			int			first = tokens->position[p].first;

			move_odds(&tokens->position[p], count + first,
					  family->adjust_step, bias + first, total + first);
		}
		family->adjust(sampler->state, bias);
		for (int t = 0; t < n && round >= rounds / 2; t++)
			mean[t] += total[t] / (rounds - rounds / 2);
	}
	gs_tensor_add(&context->tensors, "tokens/bias", GS_F4, 1,
				  tokens->ntokens, 0, mean);
}

static void
calibrate_scores(GsFitContext *context, const GsFamily *family)
{
	GsSchema   *schema = context->schema;
	GsVersionEntry version = {0};
	GsModel		model = {.version = &version,.schema = schema,
	.family = family};
	double		squared = (double) Max(schema->nfeatures, 1) *
		Max(schema->nfeatures, 1);
	int			nbatches = (int) Min(MAX_BATCHES,
									 Max(MIN_BATCHES, WORK / squared));
	Size		bytes = 0;		/* of one batch's scores */
	GsScalar  **scores = palloc0(sizeof(GsScalar *) *
								 Max(schema->nfeatures, 1));
	int64	   *count = palloc0(sizeof(int64) * Max(schema->nfeatures, 1));
	GsSampler  *sampler;
	GsBatch    *batch;

	for (int f = 0; f < schema->nfeatures; f++)
		if (is_calibrated(schema, f))
			bytes += sizeof(GsScalar) * GS_BATCH;
	if (bytes == 0)
		return;
	nbatches = (int) Max(1, Min(nbatches, (Size) maintenance_work_mem * 1024 *
								MEMORY_SHARE / bytes));
	for (int f = 0; f < schema->nfeatures; f++)
		if (is_calibrated(schema, f))
			scores[f] = palloc_extended(sizeof(GsScalar) * nbatches * GS_BATCH,
										MCXT_ALLOC_HUGE);
	sampler = open_model(&model, context->tensors);
	batch = gs_batch_create(sampler, 0, NULL);
	for (int b = 0; b < nbatches; b++)
	{
		gs_fit_progress(context, GS_PHASE_CALIBRATING, b, nbatches);
		gs_batch_fill(sampler, batch, b);
		for (int f = 0; f < schema->nfeatures; f++)
		{
			const int32 *null;

			if (scores[f] == NULL)
				continue;
			null = batch->code[schema->columns[schema->features[f].column].null_feature];
			for (int i = 0; i < GS_BATCH; i++)
				if (null[i] == 0)
					scores[f][count[f]++].f = batch->score[f][i];
		}
	}
	for (int f = 0; f < schema->nfeatures; f++)
	{
		if (count[f] > 4 * TAIL_SCORES)
		{
			gs_scalars_sort(scores[f], count[f], GS_LANE_FLOAT);
			move_edges(&schema->features[f].quantile, scores[f], count[f]);
		}
		if (scores[f])
			pfree(scores[f]);
	}
}

/*
 * gs_calibrate: adapts the quantile tables of a schema to a family that was
 * fitted to it, or the family's tokens to the schema.
 *
 * context: has the family's tensors, and those of the determined features;
 * perhaps one is appended.  Can be cancelled.
 */
void
gs_calibrate(GsFitContext *context, const GsFamily *family)
{
	if (family->adjust != NULL)
		calibrate_tokens(context, family);
	if (family->calibrated)
		calibrate_scores(context, family);
}
