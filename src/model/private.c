/*
 * private.c
 *	  A mixture of products of categorical distributions: loading and
 *	  sampling.  private_fit.c fits it to noisy counts.
 *
 * A row draws its component, and then each of its columns independently: a
 * cell, which is a level, a segment of the quantile table or NULL, and a place
 * within the segment.
 *
 * Tensors, for P positions, C cells of all of them, and R components, alike
 * ones next to each other:
 *	 private/position	int4 [P, 2]	feature of each; the indicator of NULLs that
 *						its last cell stands for, or -1
 *	 private/weight		float4 [R]	probability of a component
 *	 private/share		float4 [R, C]	probability of a cell in a component
 */
#include "postgres.h"

#include <math.h>

#include "learn/quantile.h"
#include "model/private.h"
#include "numeric/philox.h"

#define GROUPS		32			/* of components, of about as many rows */
#define TOLERANCE	1e-3		/* of a sum of probabilities */

/* Philox streams after GS_STREAM_LATENT: components, and each position. */
#define STREAM_COMPONENT	0
#define STREAM_POSITION(p)	(1 + (uint32) (p))

/* Draws of these: of each row; where the rows of a stream begin. */
#define DRAW_ROW	0
#define DRAW_START	1

/*
 * Where a feature goes: a category or a number, which nothing else has.
 */
static void
claim_feature(PrivateModel *model, int f, int p)
{
	if (f < 0 || f >= model->schema->nfeatures || model->position_of[f] >= 0)
		gs_corrupted("Place %d is of no feature.", p);
	model->position_of[f] = p;
}

static void
load_position(PrivateModel *model, int p, const int32 *in)
{
	const GsSchema *schema = model->schema;
	PrivatePosition *position = &model->position[p];
	const GsFeature *feature;

	claim_feature(model, in[0], p);
	feature = &schema->features[in[0]];
	position->feature = in[0];
	position->null = in[1];
	position->number = feature->kind == GS_FEATURE_NUMBER;
	position->nvalues = position->number ? feature->quantile.nsegments :
		feature->nlevels;
	position->ncells = position->nvalues;
	position->first = model->ncells;
	if (in[1] >= 0)
	{
		claim_feature(model, in[1], p);
		if (schema->features[in[1]].kind != GS_FEATURE_CATEGORY ||
			schema->features[in[1]].nlevels < 2)
			gs_corrupted("Place %d has an impossible indicator.", p);
		position->ncells++;
	}
	if (position->ncells < 1 || position->ncells > INT_MAX - model->ncells)
		gs_corrupted("Place %d has no cells.", p);
	model->ncells += position->ncells;
	if (!position->number)
		return;
	position->base = palloc(sizeof(float) * position->nvalues);
	position->span = palloc(sizeof(float) * position->nvalues);
	for (int s = 0; s < position->nvalues; s++)
		gs_quantile_scores(feature, s, &position->base[s],
						   &position->span[s]);
}

/*
 * The sums of n probabilities, of 2^32.  Returns false unless there are such.
 */
static bool
sum_up(const float *share, int n, uint32 *below)
{
	double		all = 0;
	double		sum = 0;

	for (int i = 0; i < n; i++)
	{
		if (!(share[i] >= 0 && share[i] <= 1 + TOLERANCE))
			return false;
		all += share[i];
	}
	if (fabs(all - 1) > TOLERANCE)
		return false;
	for (int i = 0; i < n; i++)
	{
		sum += share[i];
		below[i] = sum >= all ? PG_UINT32_MAX :
			(uint32) Min(sum / all * 0x1.0p32, PG_UINT32_MAX);
	}
	return true;
}

/*
 * Components in groups of neighbours of about the same weight.
 */
static void
group_components(PrivateModel *model)
{
	model->group = palloc(sizeof(int32) * model->ncomponents);
	for (int r = 0; r < model->ncomponents; r++)
	{
		uint32		before = r > 0 ? model->until[r - 1] : 0;
		uint32		middle = before + (model->until[r] - before) / 2;

		model->group[r] = (int32) (((uint64) middle * GROUPS) >> 32);
	}
}

/*
 * See family.h.
 */
static const void *
private_load(const GsSchema *schema, const List *tensors)
{
	const GsTensor *positions = gs_tensor_get(tensors, "private/position",
											  GS_I4, 2);
	const GsTensor *weights = gs_tensor_get(tensors, "private/weight", GS_F4,
											1);
	const GsTensor *shares = gs_tensor_get(tensors, "private/share", GS_F4,
										   2);
	PrivateModel *model = palloc0(sizeof(PrivateModel));
	int			n = positions->dims[0];

	if (n > schema->nfeatures || positions->dims[1] != 2 ||
		weights->dims[0] < 1 || shares->dims[0] != weights->dims[0])
		gs_corrupted("The tensors of the mixture do not fit together.");
	model->schema = schema;
	model->npositions = n;
	model->position = palloc0(sizeof(PrivatePosition) * Max(n, 1));
	model->position_of = palloc(sizeof(int) * Max(schema->nfeatures, 1));
	for (int f = 0; f < schema->nfeatures; f++)
		model->position_of[f] = -1;
	for (int p = 0; p < n; p++)
		load_position(model, p, (const int32 *) positions->data + 2 * p);
	if (shares->dims[1] != model->ncells)
		gs_corrupted("The mixture has %d cells instead of %d.",
					 shares->dims[1], model->ncells);
	model->ncomponents = weights->dims[0];
	model->weight = weights->data;
	model->share = shares->data;
	model->until = palloc(sizeof(uint32) * model->ncomponents);
	if (!sum_up(model->weight, model->ncomponents, model->until))
		gs_corrupted("The weights of the mixture are impossible.");
	group_components(model);
	model->below = palloc_extended(sizeof(uint32) * model->ncomponents *
								   (Size) Max(model->ncells, 1),
								   MCXT_ALLOC_HUGE);
	for (int r = 0; r < model->ncomponents; r++)
		for (int p = 0; p < n; p++)
		{
			Size		at = (Size) r * model->ncells +
				model->position[p].first;

			if (!sum_up(model->share + at, model->position[p].ncells,
						model->below + at))
				gs_corrupted("Component %d of the mixture is impossible.", r);
		}
	return model;
}

/*
 * gs_private_put: hands a row's cell at position p, and the place within it, 0
 * to 1, to a batch.
 */
void
gs_private_put(const PrivateModel *model, int p, GsBatch *batch, int row,
			   int cell, float within)
{
	const PrivatePosition *position = &model->position[p];
	bool		is_null = cell >= position->nvalues;

	if (position->null >= 0)
		batch->code[position->null][row] = is_null;
	if (position->number)
		batch->score[position->feature][row] = is_null ? 0 :
			position->base[cell] + position->span[cell] * within;
	else
		batch->code[position->feature][row] = is_null ? 0 : cell;
}

/*
 * Random words of a batch's rows; the numbers that choose come from the
 * return value in steps of the golden ratio, and go on from batch to batch, so
 * that all rows of a stream share a distribution out evenly (see stratify.h).
 * The rows in order of their groups, and within these at random, are in
 * sampler->strata.row.
 */
static uint32
even_words(PrivateSampler *sampler, const GsBatch *batch, uint32 stream,
		   const int32 *group)
{
	uint32	   *w = sampler->words;
	uint32		start[4];

	stream += GS_STREAM_LATENT;
	gs_philox_lanes(batch->key, 0, stream, DRAW_START, 1, &start[0],
					&start[1], &start[2], &start[3]);
	gs_philox_lanes(batch->key, batch->first, stream, DRAW_ROW, GS_BATCH, w,
					w + GS_BATCH, w + 2 * GS_BATCH, w + 3 * GS_BATCH);
	gs_stratify(&sampler->strata, GS_BATCH, group, GROUPS, w);
	return start[0] + (uint32) batch->first * GS_GOLDEN;
}

/*
 * The components of a batch's rows, as likely as they are.
 */
static void
draw_components(PrivateSampler *sampler, const GsBatch *batch)
{
	const PrivateModel *model = sampler->model;
	uint32		word;

	memset(sampler->group, 0, sizeof(int32) * GS_BATCH);
	word = even_words(sampler, batch, STREAM_COMPONENT, sampler->group);
	for (int k = 0; k < GS_BATCH; k++, word += GS_GOLDEN)
	{
		int			i = sampler->strata.row[k];

		sampler->component[i] = gs_private_find(model->until,
												model->ncomponents, word);
	}
}

/*
 * Draws a position for the rows of a batch.
 */
static void
draw_position(PrivateSampler *sampler, int p, GsBatch *batch)
{
	const PrivateModel *model = sampler->model;
	const PrivatePosition *position = &model->position[p];
	const uint32 *within = sampler->words + GS_BATCH;
	uint32		word = even_words(sampler, batch, STREAM_POSITION(p),
								  sampler->group);

	for (int k = 0; k < GS_BATCH; k++, word += GS_GOLDEN)
	{
		int			i = sampler->strata.row[k];
		const uint32 *below = model->below +
			(Size) sampler->component[i] * model->ncells + position->first;

		gs_private_put(model, p, batch, i,
					   gs_private_find(below, position->ncells, word),
					   (within[i] >> 8) * 0x1.0p-24f);
	}
}

/*
 * See family.h.
 */
static void *
private_begin(const void *state, GsGiven *given, const bool *context)
{
	PrivateSampler *sampler = palloc0(sizeof(PrivateSampler));

	sampler->model = state;
	sampler->words = palloc(sizeof(uint32) * 4 * GS_BATCH);
	sampler->strata.shuffled = palloc(sizeof(uint16) * GS_BATCH);
	sampler->strata.row = palloc(sizeof(uint16) * GS_BATCH);
	sampler->strata.counter = palloc(sizeof(uint16) * (GROUPS + 1));
	sampler->component = palloc(sizeof(int32) * GS_BATCH);
	sampler->group = palloc(sizeof(int32) * GS_BATCH);
	return sampler;
}

/*
 * Features without a position are something all the same.
 */
static void
fill_rest(const PrivateModel *model, GsBatch *batch)
{
	for (int f = 0; f < model->schema->nfeatures; f++)
	{
		if (model->position_of[f] >= 0 ||
			(batch->context != NULL && batch->context[f]))
			continue;
		if (batch->code[f] != NULL)
			memset(batch->code[f], 0, sizeof(int32) * GS_BATCH);
		else
			memset(batch->score[f], 0, sizeof(float) * GS_BATCH);
	}
}

/*
 * See family.h.
 */
static void
private_generate(void *state, GsBatch *batch)
{
	PrivateSampler *sampler = state;
	const PrivateModel *model = sampler->model;

	fill_rest(model, batch);
	draw_components(sampler, batch);
	for (int i = 0; i < GS_BATCH; i++)
		sampler->group[i] = model->group[sampler->component[i]];
	for (int p = 0; p < model->npositions; p++)
	{
		const PrivatePosition *position = &model->position[p];

		if (batch->needed[position->feature] ||
			(position->null >= 0 && batch->needed[position->null]))
			draw_position(sampler, p, batch);
	}
}

const GsFamily gs_private = {
	.name = "private",
	.fit_counts = gs_private_fit_counts,
	.load = private_load,
	.begin = private_begin,
	.generate = private_generate
};
