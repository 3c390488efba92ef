/*
 * copula.c
 *	  The Gaussian copula: loading and sampling.  copula_fit.c fits it,
 *	  copula_given.c confines it to conditions.
 *
 * Every feature has a latent standard normal variate; the features' joint
 * distribution is that of the latent vector.  A category's levels are
 * intervals of its variate, a number is a monotone function of it.
 *
 * Tensors, for D latent variates:
 *	 copula/feature		int4 [D]		feature of each
 *	 copula/order		int4 [sum of levels of the categories among them]
 *	 copula/cholesky	float4 [D, D]	lower triangle
 */
#include "postgres.h"

#include <math.h>

#include "model/copula.h"
#include "numeric/gemm.h"
#include "numeric/intervals.h"
#include "numeric/normal.h"
#include "numeric/philox.h"

/*
 * A category's levels by position, each once, and their thresholds.
 */
static void
load_levels(CopulaLatent *latent, const GsFeature *feature,
			const int32 *order)
{
	int			n = feature->nlevels;
	bool	   *seen = palloc0(n);
	double		below = 0;

	latent->nlevels = n;
	latent->order = palloc(sizeof(int32) * n);
	latent->edge = palloc(sizeof(double) * (n + 1));
	latent->edge[0] = -INFINITY;
	for (int k = 0; k < n; k++)
	{
		if (order[k] < 0 || order[k] >= n || seen[order[k]])
			gs_corrupted("The copula's order of levels is not an order.");
		seen[order[k]] = true;
		latent->order[k] = order[k];
		below += feature->share[order[k]];

		/*
		 * levels without a share stand last, and must not be reached when
		 * rounding leaves the sum below one
		 */
		latent->edge[k + 1] = below > 1 - 1e-12 ? INFINITY :
			gs_normal_quantile(below);
	}
	gs_guide_init(&latent->guide, latent->edge, n, palloc);
	if (n <= GS_INTERVALS_FEW)
	{
		latent->few = palloc(sizeof(float) * (n + 1));
		for (int k = 0; k <= n; k++)
			latent->few[k] = (float) latent->edge[k];
	}
	pfree(seen);
}

/*
 * gs_copula_covariance: that of two variates, by their indexes.
 */
double
gs_copula_covariance(const Copula *copula, int i, int j)
{
	const float *x = copula->cholesky + (Size) i * copula->n;
	const float *y = copula->cholesky + (Size) j * copula->n;
	double		sum = 0;

	for (int l = 0; l <= Min(i, j); l++)
		sum += (double) x[l] * y[l];
	return sum;
}

static const void *
copula_load(const GsSchema *schema, const List *tensors)
{
	const GsTensor *feature = gs_tensor_get(tensors, "copula/feature", GS_I4,
											1);
	const GsTensor *order = gs_tensor_get(tensors, "copula/order", GS_I4, 1);
	const GsTensor *cholesky = gs_tensor_get(tensors, "copula/cholesky",
											 GS_F4, 2);
	Copula	   *copula = palloc0(sizeof(Copula));
	bool	   *seen = palloc0(schema->nfeatures + 1);
	int			n = feature->dims[0];
	int			at = 0;

	if (n > schema->nfeatures || cholesky->dims[0] != n ||
		cholesky->dims[1] != n)
		gs_corrupted("The copula's tensors do not fit together.");
	copula->n = n;
	copula->latent = palloc0(sizeof(CopulaLatent) * Max(n, 1));
	for (int j = 0; j < n; j++)
	{
		CopulaLatent *latent = &copula->latent[j];
		int			f = ((const int32 *) feature->data)[j];

		if (f < 0 || f >= schema->nfeatures || seen[f])
			gs_corrupted("The copula's variate %d is of no feature.", j);
		seen[f] = true;
		latent->feature = f;
		latent->number = schema->features[f].kind == GS_FEATURE_NUMBER;
		if (latent->number)
			continue;
		if (at + schema->features[f].nlevels > order->dims[0])
			gs_corrupted("The copula's order of levels is too short.");
		load_levels(latent, &schema->features[f],
					(const int32 *) order->data + at);
		at += schema->features[f].nlevels;
	}
	for (Size i = 0; i < (Size) n * n; i++)
		if (!(fabsf(((const float *) cholesky->data)[i]) <= 1.001f))
			gs_corrupted("The copula's Cholesky factor has impossible elements.");
	copula->cholesky = cholesky->data;
	copula->constant = palloc0(sizeof(int32 *) * Max(schema->nfeatures, 1));

	/* a feature without a variate is a constant: its most frequent level */
	for (int f = 0; f < schema->nfeatures; f++)
	{
		const GsFeature *constant = &schema->features[f];
		int			best = 0;

		if (seen[f] || constant->kind == GS_FEATURE_NUMBER)
			continue;
		for (int k = 1; k < constant->nlevels; k++)
			if (constant->share[k] > constant->share[best])
				best = k;
		copula->constant[f] = palloc(sizeof(int32) * GS_BATCH);
		for (int i = 0; i < GS_BATCH; i++)
			copula->constant[f][i] = best;
	}
	pfree(seen);
	return copula;
}

/*
 * The levels of a batch of scores.
 */
static void
find_levels(const CopulaLatent *latent, const float *y, int32 *code)
{
	if (latent->few != NULL)
		gs_intervals_find(latent->few, latent->nlevels, y, code, GS_BATCH);
	else
		gs_guide_find(&latent->guide, y, code, GS_BATCH);
	for (int i = 0; i < GS_BATCH; i++)
		code[i] = latent->order[code[i]];
}

static void *
copula_begin(const void *model, GsGiven *given, const bool *context)
{
	const Copula *copula = model;
	CopulaSampler *sampler = palloc0(sizeof(CopulaSampler));
	Size		n = sizeof(float) * GS_BATCH * Max(copula->n, 1);

	sampler->model = copula;
	sampler->z = palloc_extended(n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	sampler->y = palloc_extended(n, MCXT_ALLOC_HUGE);
	sampler->words = palloc(sizeof(uint32_t) * 4 * GS_BATCH);
	if (given != NULL)
		sampler->given = gs_copula_condition(copula, given);
	if (context != NULL)
		sampler->context = gs_copula_context(copula, context);
	return sampler;
}

static void
copula_generate(void *state, GsBatch *batch)
{
	CopulaSampler *sampler = state;
	const Copula *copula = sampler->model;
	int			n = copula->n;
	int			used = n;
	uint32_t   *w = sampler->words;

	/* a variate depends on those before it, and on no other */
	while (used > 0 && sampler->context == NULL &&
		   !batch->needed[copula->latent[used - 1].feature])
		used--;

	/* four variates share a Philox block */
	for (int j = 0; j < used; j += 4)
	{
		gs_batch_words(batch, GS_STREAM_LATENT + j / 4, w);
		for (int k = j; k < Min(j + 4, n); k++)
			gs_normal_lane(w + (k - j) * GS_BATCH,
						   sampler->z + (Size) k * GS_BATCH, GS_BATCH);
	}
	if (used > 0 && sampler->context == NULL &&
		!gs_sgemm(&(GsProduct) {
				  .m = used,.n = GS_BATCH,.k = n,
				  .a = copula->cholesky,.lda = n,
				  .b = sampler->z,.ldb = GS_BATCH,
				  .c = sampler->y,.ldc = GS_BATCH}))
		elog(ERROR, "GEMM refused %d x %d", used, GS_BATCH);
	if (sampler->given != NULL)
		gs_copula_confine(sampler->given, batch, sampler->y);
	if (sampler->context != NULL)
		gs_copula_know(sampler->context, batch, sampler->z, sampler->y);
	/* numbers without a variate stay at the zero that a batch begins with */
	for (int f = 0; f < batch->nfeatures; f++)
		if (copula->constant[f] &&
			!(batch->context != NULL && batch->context[f]))
			memcpy(batch->code[f], copula->constant[f],
				   sizeof(int32) * GS_BATCH);
	for (int j = 0; j < used; j++)
	{
		const CopulaLatent *latent = &copula->latent[j];
		const float *y = sampler->y + (Size) j * GS_BATCH;
		int32	   *code = batch->code[latent->feature];

		if (!batch->needed[latent->feature] ||
			(batch->context != NULL && batch->context[latent->feature]))
			continue;
		if (latent->number)
		{
			memcpy(batch->score[latent->feature], y, sizeof(float) * GS_BATCH);
			continue;
		}
		find_levels(latent, y, code);
	}
}

const GsFamily gs_copula = {
	.name = "copula",
	.calibrated = true,
	.fit = gs_copula_fit,
	.load = copula_load,
	.begin = copula_begin,
	.generate = copula_generate,
	.conditions = true,
	.contexts = true
};
