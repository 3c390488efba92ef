/*
 * refine.c
 *	  Refinement of any family: loading and sampling.  refine_fit.c fits it.
 *
 * Boosted trees have learned the ratio of the real rows' density to that of
 * the rows that a family makes, and a row is accepted with a chance in
 * proportion to it (discriminator rejection sampling: Azadi, Olsson, Darrell,
 * Goodfellow and Odena, arXiv 1810.06758); the largest ratios are taken as one
 * cap.  Further rounds do the same to what the rounds before accept.  A
 * batch's refused rows are replaced by accepted ones of further batches, with
 * keys of their own, in order; so a row still follows from model, seed and its
 * number.
 *
 * Tensors, for N features asked for, R rounds and T trees:
 *	 refine/predictor	int4 [N]	features
 *	 refine/code	bytes		codes of the levels or segments of all
 *	 refine/round	float8 [R, 6]	trees; cap; slopes of margins below and
 *						above 0; AUC before; AUC after
 *	 refine/shift	float4 [R x N, codes]	added to the log ratio
 *	 refine/split	int4 [T x depth, 2]	position of the feature asked for; the last
 *						code that goes left, or -1 less a mask
 *	 refine/mask	int4 [.., 8]	bit set: the code goes right
 *	 refine/value	float4 [T, leaves]
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "model/refine.h"
#include "numeric/philox.h"

/*
 * The intervals of normal scores that have a code of their own.
 */
static void
guide_codes(GsRefinePredictor *predictor, const GsFeature *feature)
{
	const GsQuantile *q = &feature->quantile;
	double	   *edge = palloc(sizeof(double) * (q->nsegments + 1));
	int			n = 0;

	for (int s = 0; s < q->nsegments; s++)
		if (s == 0 || predictor->code_of[s] != predictor->code_of[s - 1])
			edge[n++] = q->edge[s];
	edge[n] = q->edge[q->nsegments];
	gs_guide_init(&predictor->guide, edge, n, palloc);
	pfree(edge);
}

/*
 * gs_refine_prepare: sets what the rows of asked have left unset.
 */
void
gs_refine_prepare(GsRefine *refine, const GsSchema *schema)
{
	for (int p = 0; p < refine->npredictors; p++)
	{
		GsRefinePredictor *predictor = &refine->predictor[p];
		const GsFeature *feature = &schema->features[predictor->feature];
		int			null = schema->columns[feature->column].null_feature;

		predictor->null = predictor->feature == null ? -1 : null;
		predictor->nbases = feature->part < 0 ? 0 :
			gs_layout_nulls(schema, feature->column, predictor->base_null,
							predictor->base_code);
		predictor->layout = schema->columns[feature->column].layout;
		predictor->part = feature->part;
		predictor->number = feature->kind == GS_FEATURE_NUMBER;
		predictor->nvalues = predictor->number ? feature->quantile.nsegments :
			feature->nlevels;
		predictor->missing = 0;
		for (int v = 0; v < predictor->nvalues; v++)
			predictor->missing = Max(predictor->missing,
									 predictor->code_of[v] + 1);
		if (predictor->number)
			guide_codes(predictor, feature);
	}
}

/*
 * gs_refine_begin: room to refine batches in, in the current context.
 */
GsRefining *
gs_refine_begin(const GsRefine *refine)
{
	GsRefining *refining = palloc0(sizeof(GsRefining));

	refining->refine = refine;
	refining->code = palloc(sizeof(uint8 *) * Max(refine->npredictors, 1));
	for (int p = 0; p < refine->npredictors; p++)
		refining->code[p] = palloc(GS_BATCH);
	refining->margin = palloc(sizeof(float) * GS_BATCH);
	refining->probability = palloc(sizeof(float) * GS_BATCH);
	refining->interval = palloc(sizeof(int32) * GS_BATCH);
	refining->refused = palloc(GS_BATCH);
	return refining;
}

static void
load_predictors(GsRefine *refine, const GsSchema *schema, const List *tensors)
{
	const GsTensor *features = gs_tensor_get(tensors, "refine/predictor", GS_I4,
											 1);
	const GsTensor *codes = gs_tensor_get(tensors, "refine/code", GS_U1, 1);
	const uint8 *code = codes->data;
	int			left = codes->dims[0];

	if (features->dims[0] > schema->nfeatures)
		gs_corrupted("The refinement asks for more features than there are.");
	refine->npredictors = features->dims[0];
	refine->predictor = palloc0(sizeof(GsRefinePredictor) *
								Max(refine->npredictors, 1));
	for (int p = 0; p < refine->npredictors; p++)
	{
		int			f = ((const int32 *) features->data)[p];
		const GsFeature *feature;
		int			n;

		if (f < 0 || f >= schema->nfeatures)
			gs_corrupted("The refinement asks for a feature that is not there.");
		feature = &schema->features[f];
		n = feature->kind == GS_FEATURE_NUMBER ? feature->quantile.nsegments :
			feature->nlevels;
		if (n < 1 || n > left)
			gs_corrupted("The refinement has too few codes.");
		for (int v = 0; v < n; v++)
			if (code[v] >= GS_TREE_CODES - 1 ||
				(feature->kind == GS_FEATURE_NUMBER &&
				 (v == 0 ? code[v] != 0 : code[v] != code[v - 1] &&
				  code[v] != code[v - 1] + 1)))
				gs_corrupted("The refinement has codes in no order.");
		refine->predictor[p].feature = f;
		refine->predictor[p].code_of = code;
		code += n;
		left -= n;
	}
}

static void
load_forest(GsRefine *refine, const List *tensors)
{
	const GsTensor *splits = gs_tensor_get(tensors, "refine/split", GS_I4, 2);
	const GsTensor *masks = gs_tensor_get(tensors, "refine/mask", GS_I4, 2);
	const GsTensor *values = gs_tensor_get(tensors, "refine/value", GS_F4, 2);
	const int32 *split = splits->data;
	const float *value = values->data;
	GsForest   *forest = &refine->forest;

	forest->ntrees = values->dims[0];
	if (splits->dims[0] != (int64) forest->ntrees * GS_BOOST_DEPTH ||
		splits->dims[1] != 2 || masks->dims[1] != GS_TREE_WORDS ||
		values->dims[1] != GS_BOOST_LEAVES)
		gs_corrupted("The tensors of the refinement do not fit together.");
	forest->tree = palloc_extended(sizeof(GsBoostTree) *
								   Max((Size) forest->ntrees, 1),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int t = 0; t < forest->ntrees; t++)
	{
		GsBoostTree *tree = &forest->tree[t];

		CHECK_FOR_INTERRUPTS();
		for (int d = 0; d < GS_BOOST_DEPTH; d++, split += 2)
		{
			if (split[0] < 0 || split[0] >= refine->npredictors ||
				split[1] >= GS_TREE_CODES ||
				(split[1] < 0 && -1 - split[1] >= masks->dims[0]))
				gs_corrupted("Tree %d of the refinement is not one.", t);
			tree->predictor[d] = split[0];
			tree->cut[d] = Max(split[1], -1);
			if (split[1] < 0)
				memcpy(tree->mask[d], (const uint32 *) masks->data +
					   (Size) GS_TREE_WORDS * (-1 - split[1]),
					   sizeof(tree->mask[d]));
		}
		for (int l = 0; l < GS_BOOST_LEAVES; l++, value++)
		{
			if (!isfinite(*value))
				gs_corrupted("Tree %d of the refinement is not finite.", t);
			tree->value[l] = *value;
		}
	}
}

static float *
load_shifts(const GsRefine *refine, const List *tensors)
{
	const GsTensor *shifts = gs_tensor_get(tensors, "refine/shift", GS_F4, 2);
	float	   *shift = shifts->data;

	if (shifts->dims[0] != refine->nrounds * refine->npredictors ||
		shifts->dims[1] != GS_TREE_CODES)
		gs_corrupted("Tensor \"refine/shift\" has the wrong shape.");
	for (Size i = 0; i < (Size) shifts->dims[0] * GS_TREE_CODES; i++)
		if (!isfinite(shift[i]))
			gs_corrupted("Tensor \"refine/shift\" holds what is not a number.");
	return shift;
}

/*
 * gs_refine_load: what refines a model, in the current context; NULL if
 * nothing does.  Errors: data_corrupted.
 */
GsRefine *
gs_refine_load(const GsSchema *schema, const List *tensors)
{
	const GsTensor *rounds;
	float	   *shift;
	GsRefine   *refine;
	double		trees = 0;

	if (gs_tensor_find(tensors, "refine/round") == NULL)
		return NULL;
	rounds = gs_tensor_get(tensors, "refine/round", GS_F8, 2);
	if (rounds->dims[0] < 1 || rounds->dims[0] > GS_REFINE_ROUNDS ||
		 rounds->dims[1] != GS_REFINE_WORDS)
		gs_corrupted("Tensor \"refine/round\" has the wrong shape.");
	refine = palloc0(sizeof(GsRefine));
	load_predictors(refine, schema, tensors);
	load_forest(refine, tensors);
	refine->nrounds = rounds->dims[0];
	shift = load_shifts(refine, tensors);
	for (int r = 0; r < refine->nrounds; r++)
	{
		const double *in = (const double *) rounds->data + GS_REFINE_WORDS * r;
		GsRefineRound *round = &refine->round[r];

		if (!(in[0] >= 0 && in[0] == rint(in[0]) &&
			  trees + in[0] <= refine->forest.ntrees) || !isfinite(in[1]) ||
			!(in[2] >= 0 && in[3] >= 0))
			gs_corrupted("Round %d of the refinement is not one.", r);
		round->from = (int) trees;
		trees += in[0];
		round->to = (int) trees;
		round->cap = in[1];
		round->shift = shift + (Size) r * refine->npredictors * GS_TREE_CODES;
		round->slope[0] = in[2];
		round->slope[1] = in[3];
		round->before = in[4];
		round->after = in[5];
	}
	gs_refine_prepare(refine, schema);
	return refine;
}

/*
 * gs_refine_need: marks the features that are asked for.
 *
 * needed: [nfeatures], changed
 */
void
gs_refine_need(const GsRefine *refine, bool *needed)
{
	for (int p = 0; p < refine->npredictors; p++)
	{
		needed[refine->predictor[p].feature] = true;
		if (refine->predictor[p].null >= 0)
			needed[refine->predictor[p].null] = true;
		for (int b = 0; b < refine->predictor[p].nbases; b++)
			if (refine->predictor[p].base_null[b] >= 0)
				needed[refine->predictor[p].base_null[b]] = true;
	}
}

/*
 * Whether a part has no value in a row of a batch, since its bases are NULL, or
 * are not.
 */
static bool
is_absent(const GsRefinePredictor *predictor, const GsBatch *batch, int row)
{
	bool		is_null[GS_MAX_BASES + 1];

	for (int b = 0; b < predictor->nbases; b++)
		is_null[b] = predictor->base_null[b] >= 0 &&
			batch->code[predictor->base_null[b]][row] ==
			predictor->base_code[b];
	return gs_layout_part_absent(predictor->layout, predictor->part, is_null);
}

/*
 * gs_refine_encode: sets refining->code for the rows of a batch.
 */
void
gs_refine_encode(GsRefining *refining, const GsBatch *batch)
{
	const GsRefine *refine = refining->refine;

	for (int p = 0; p < refine->npredictors; p++)
	{
		const GsRefinePredictor *predictor = &refine->predictor[p];
		const int32 *null =
			predictor->null < 0 ? NULL : batch->code[predictor->null];
		uint8	   *code = refining->code[p];

		if (predictor->number)
		{
			gs_guide_find(&predictor->guide, batch->score[predictor->feature],
						  refining->interval, GS_BATCH);
			for (int i = 0; i < GS_BATCH; i++)
				code[i] = isnan(batch->score[predictor->feature][i]) ?
					(uint8) predictor->missing : (uint8) refining->interval[i];
		}
		else
			for (int i = 0; i < GS_BATCH; i++)
				code[i] = batch->code[predictor->feature][i] == GS_NO_CODE ?
					(uint8) predictor->missing :
					predictor->code_of[batch->code[predictor->feature][i]];
		for (int i = 0; i < GS_BATCH && null != NULL; i++)
			if (null[i] == 1)
				code[i] = (uint8) predictor->missing;
		for (int i = 0; i < GS_BATCH && predictor->nbases > 0; i++)
			if (is_absent(predictor, batch, i))
				code[i] = (uint8) predictor->missing;
	}
}

/*
 * Which rows of a batch are refused.  Returns how many.
 */
static int
find_refused(GsRefining *refining, const GsBatch *batch, bool *refused)
{
	const GsRefine *refine = refining->refine;
	uint32		word[4 * GS_BATCH];
	int			count = 0;

	gs_refine_encode(refining, batch);
	memset(refining->probability, 0, sizeof(float) * GS_BATCH);
	for (int r = 0; r < refine->nrounds; r++)
	{
		const GsRefineRound *round = &refine->round[r];

		memset(refining->margin, 0, sizeof(float) * GS_BATCH);
		gs_forest_add(&refine->forest, round->from, round->to,
					  (const uint8 *const *) refining->code, GS_BATCH,
					  refining->margin);
		for (int i = 0; i < GS_BATCH; i++)
			refining->margin[i] *= (float) round->slope[refining->margin[i] > 0];
		for (int p = 0; p < refine->npredictors; p++)
		{
			const float *shift = round->shift + p * GS_TREE_CODES;
			const uint8 *code = refining->code[p];

			for (int i = 0; i < GS_BATCH; i++)
				refining->margin[i] += shift[code[i]];
		}
		for (int i = 0; i < GS_BATCH; i++)
			refining->probability[i] += Min(refining->margin[i] -
											(float) round->cap,
									 0);
	}
	gs_batch_words(batch, GS_STREAM_REFINE, word);
	for (int i = 0; i < GS_BATCH; i++)
	{
		refused[i] = word[i] >= exp(refining->probability[i]) * 0x1.0p32;
		count += refused[i];
	}
	refining->stats.tries += GS_BATCH;
	return count;
}

static void
make_rows(void *arg, GsBatch *spare, bool *refused)
{
	GsSampler  *sampler = arg;

	sampler->model->family->generate(sampler->state, spare);
	find_refused(sampler->refining, spare, refused);
}

/*
 * gs_refine_apply: replaces the refused rows of a batch that the model's
 * family has filled.  Those for which none is found in so many tries stay.
 */
void
gs_refine_apply(GsSampler *sampler, GsBatch *batch)
{
	GsRefining *refining = sampler->refining;
	GsBatch    *spare = refining->spare;
	int			left = find_refused(refining, batch, refining->refused);

	refining->stats.rows += GS_BATCH;
	if (spare == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(refining));

		spare = refining->spare = gs_batch_spare(sampler, batch);
		MemoryContextSwitchTo(old);
	}
	gs_batch_share(spare, batch);
	gs_batch_retry(batch, spare, refining->refused, left,
				   gs_mix64(batch->key, GS_STREAM_REFINE), 1, GS_MAX_RETRIES,
				   make_rows, sampler);
}
