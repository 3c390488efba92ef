/*
 * copula.c
 *	  The Gaussian copula.
 *
 * Every feature has a latent standard normal variate; the features' joint
 * distribution is that of the latent vector.  A category's levels are
 * intervals of its variate, a number is a monotone function of it.
 *
 * Fitting:
 *	1. The levels of a category have no order of their own.  They are put in
 *	   the order of the first axis of a multiple correspondence analysis over
 *	   all features, found by reciprocal averaging (Hill, "Reciprocal
 *	   averaging: an eigenvector method of ordination", J. Ecology 61, 1973),
 *	   so that what dependence there is becomes monotone.
 *	2. A row's score in a feature is the conditional mean of the variate in
 *	   its bin.  The observed correlation of two features' scores is what the
 *	   latent correlation becomes when it is seen through bins; it is solved
 *	   for, pair by pair, by Hermite series (see numeric/latent.c).
 *	3. The matrix is repaired to positive definite, and factored.
 *
 * Missing bins (NULLs of a number, values too rare to be shown) leave a row
 * out of the pairs that they belong to.
 *
 * Tensors, for D latent variates:
 *	 copula/feature		int4 [D]		feature of each
 *	 copula/order		int4 [sum of levels of the categories among them]
 *	 copula/cholesky	float4 [D, D]	lower triangle
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/family.h"
#include "numeric/blas.h"
#include "numeric/guide.h"
#include "numeric/latent.h"
#include "numeric/normal.h"
#include "numeric/philox.h"

#define ORDER_ROWS			200000	/* rows looked at to order levels */
#define ORDER_WORK			INT64CONST(600000000)	/* rows * features * rounds */
#define ORDER_ROUNDS		40
#define ORDER_PRIOR			5.0 /* rows that pull a level to the middle */
#define MOMENT_ROWS			4096	/* rows of one SYRK */
#define MIN_PAIR_ROWS		10
#define EIGEN_FLOOR			1e-4

/* A latent variate while it is fitted. */
typedef struct Latent
{
	int			feature;
	int			nbins;
	int64	   *count;			/* [nbins] rows */
	double	   *axis;			/* [nbins] on the first MCA axis */
	int		   *order;			/* [nlevels] bins by place, empty ones last */
	float	   *score;			/* [nbins] */
	double		hermite[GS_HERMITE_TERMS + 1];
} Latent;

typedef struct Fit
{
	const GsEncoded *encoded;
	int			n;				/* latent variates */
	Latent	   *latent;
	bool		missing;		/* some row of some feature is missing */
} Fit;

/* A loaded model. */
typedef struct CopulaLatent
{
	int			feature;
	bool		number;
	int			nlevels;
	int32	   *order;			/* [nlevels] levels by place */
	double	   *edge;			/* [nlevels + 1] in normal score */
	uint16_t   *guide;
} CopulaLatent;

typedef struct Copula
{
	int			n;
	CopulaLatent *latent;
	float	   *cholesky;		/* [n][n] */
	float	   *z;				/* [n][GS_BATCH] independent */
	float	   *y;				/* [n][GS_BATCH] correlated */
	uint32_t   *words;			/* [4][GS_BATCH] */
	float	   *zeros;			/* [GS_BATCH] */
	int32	  **constant;		/* [nfeatures] codes of constant categories */
} Copula;

/*
 * Counts the rows of each bin and keeps the features that vary.
 */
static void
count_bins(Fit *fit)
{
	const GsEncoded *encoded = fit->encoded;

	fit->latent = palloc0(sizeof(Latent) * Max(encoded->nfeatures, 1));
	for (int f = 0; f < encoded->nfeatures; f++)
	{
		Latent	   *latent = &fit->latent[fit->n];
		const uint16 *bin = encoded->bin[f];
		int			used = 0;
		bool		missing = false;

		CHECK_FOR_INTERRUPTS();
		latent->feature = f;
		latent->nbins = encoded->nbins[f];
		latent->count = palloc0(sizeof(int64) * Max(latent->nbins, 1));
		for (int64 row = 0; row < encoded->nrows; row++)
		{
			if (bin[row] == GS_MISSING)
				missing = true;
			else
				latent->count[bin[row]]++;
		}
		for (int k = 0; k < latent->nbins; k++)
			used += latent->count[k] > 0;
		if (used < 2 && encoded->features[f].kind == GS_FEATURE_CATEGORY)
			continue;
		fit->missing |= missing;
		fit->n++;
	}
}

/*
 * Centres an axis over the rows; returns its sum of squares.
 */
static double
centre_axis(Latent *latent)
{
	double		sum = 0;
	double		squares = 0;
	double		rows = 0;

	for (int k = 0; k < latent->nbins; k++)
	{
		sum += latent->count[k] * latent->axis[k];
		rows += latent->count[k];
	}
	for (int k = 0; k < latent->nbins; k++)
	{
		latent->axis[k] -= rows > 0 ? sum / rows : 0;
		squares += latent->count[k] * latent->axis[k] * latent->axis[k];
	}
	return squares;
}

/*
 * The first axis of the multiple correspondence analysis: by turns a row's
 * score is the sum over its bins, a bin's the mean over its rows.
 */
static void
find_axis(Fit *fit)
{
	const GsEncoded *encoded = fit->encoded;
	int64		most = Min(ORDER_ROWS,
						   ORDER_WORK / ORDER_ROUNDS / Max(fit->n, 1));
	int64		stride = Max(1, (encoded->nrows + most - 1) / Max(most, 1));
	int64		n = (encoded->nrows + stride - 1) / stride;
	double	   *row_score = palloc_extended(sizeof(double) * Max(n, 1),
											MCXT_ALLOC_HUGE);

	/* a start that depends on nothing but the bins' places */
	for (int j = 0; j < fit->n; j++)
	{
		Latent	   *latent = &fit->latent[j];

		latent->axis = palloc(sizeof(double) * latent->nbins);
		for (int k = 0; k < latent->nbins; k++)
			latent->axis[k] = k;
		centre_axis(latent);
	}
	for (int round = 0; round < ORDER_ROUNDS; round++)
	{
		double		squares = 0;

		CHECK_FOR_INTERRUPTS();
		memset(row_score, 0, sizeof(double) * n);
		for (int j = 0; j < fit->n; j++)
		{
			const Latent *latent = &fit->latent[j];
			const uint16 *bin = encoded->bin[latent->feature];

			for (int64 i = 0; i < n; i++)
				if (bin[i * stride] != GS_MISSING)
					row_score[i] += latent->axis[bin[i * stride]];
		}
		for (int j = 0; j < fit->n; j++)
		{
			Latent	   *latent = &fit->latent[j];
			const uint16 *bin = encoded->bin[latent->feature];
			double	   *rows = palloc0(sizeof(double) * latent->nbins);

			memset(latent->axis, 0, sizeof(double) * latent->nbins);
			for (int64 i = 0; i < n; i++)
				if (bin[i * stride] != GS_MISSING)
				{
					latent->axis[bin[i * stride]] += row_score[i];
					rows[bin[i * stride]]++;
				}
			for (int k = 0; k < latent->nbins; k++)
				latent->axis[k] /= rows[k] + ORDER_PRIOR;
			squares += centre_axis(latent);
			pfree(rows);
		}
		if (squares <= 0)
			break;				/* nothing depends on anything */
		for (int j = 0; j < fit->n; j++)
			for (int k = 0; k < fit->latent[j].nbins; k++)
				fit->latent[j].axis[k] *= sqrt(encoded->nrows / squares);
	}
	pfree(row_score);
}

static int
by_axis(const void *a, const void *b, void *arg)
{
	const Latent *latent = arg;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	/* levels that no row holds stand last, where they have no share */
	if ((latent->count[x] == 0) != (latent->count[y] == 0))
		return latent->count[x] == 0 ? 1 : -1;
	if (latent->axis[x] != latent->axis[y])
		return latent->axis[x] < latent->axis[y] ? -1 : 1;
	return x - y;
}

/*
 * The order of a variate's bins, and their scores.
 */
static void
score_bins(Fit *fit, Latent *latent)
{
	double	   *share = palloc(sizeof(double) * latent->nbins);
	double	   *score = palloc0(sizeof(double) * latent->nbins);
	double		rows = 0;
	int			used = 0;

	latent->order = palloc(sizeof(int) * latent->nbins);
	latent->score = palloc0(sizeof(float) * latent->nbins);
	for (int k = 0; k < latent->nbins; k++)
	{
		latent->order[k] = k;
		rows += latent->count[k];
	}
	if (fit->encoded->features[latent->feature].kind == GS_FEATURE_CATEGORY)
		qsort_arg(latent->order, latent->nbins, sizeof(int), by_axis, latent);
	for (int k = 0; k < latent->nbins; k++)
		if (latent->count[latent->order[k]] > 0)
			share[used++] = latent->count[latent->order[k]] / rows;
	memset(latent->hermite, 0, sizeof(latent->hermite));
	if (used > 0)
		gs_bin_scores(used, share, score, latent->hermite);
	used = 0;
	for (int k = 0; k < latent->nbins; k++)
		if (latent->count[latent->order[k]] > 0)
			latent->score[latent->order[k]] = (float) score[used++];
	pfree(share);
	pfree(score);
}

/*
 * Sums of products of scores over all rows, and the numbers of rows behind
 * each sum; lower triangles.
 */
static void
moments(const Fit *fit, double *product, double *rows)
{
	const GsEncoded *encoded = fit->encoded;
	int			n = fit->n;
	float	   *block = palloc_extended(sizeof(float) * MOMENT_ROWS * n,
										MCXT_ALLOC_HUGE);
	float	   *present = NULL;
	float	   *sum = palloc_extended(sizeof(float) * n * n, MCXT_ALLOC_HUGE);

	if (fit->missing)
		present = palloc_extended(sizeof(float) * MOMENT_ROWS * n,
								  MCXT_ALLOC_HUGE);
	for (int64 first = 0; first < encoded->nrows; first += MOMENT_ROWS)
	{
		int			m = (int) Min(MOMENT_ROWS, encoded->nrows - first);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < n; j++)
		{
			const Latent *latent = &fit->latent[j];
			const uint16 *bin = encoded->bin[latent->feature] + first;

			for (int i = 0; i < m; i++)
			{
				bool		here = bin[i] != GS_MISSING;

				block[(Size) i * n + j] = here ? latent->score[bin[i]] : 0;
				if (present)
					present[(Size) i * n + j] = here;
			}
		}
		memset(sum, 0, sizeof(float) * n * n);
		if (!gs_ssyrk(n, m, block, n, sum, n))
			elog(ERROR, "SYRK refused %d x %d", m, n);
		for (Size i = 0; i < (Size) n * n; i++)
			product[i] += sum[i];
		if (!present)
			continue;
		memset(sum, 0, sizeof(float) * n * n);
		if (!gs_ssyrk(n, m, present, n, sum, n))
			elog(ERROR, "SYRK refused %d x %d", m, n);
		for (Size i = 0; i < (Size) n * n; i++)
			rows[i] += sum[i];
	}
	if (!present)
		for (Size i = 0; i < (Size) n * n; i++)
			rows[i] = encoded->nrows;
	pfree(block);
	pfree(sum);
	if (present)
		pfree(present);
}

/*
 * The latent correlation matrix, repaired and factored.  [n][n]
 */
static double *
factor(const Fit *fit)
{
	int			n = fit->n;
	Size		bytes = sizeof(double) * n * n;
	double	   *product = palloc_extended(bytes,
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	double	   *rows = palloc_extended(bytes,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	moments(fit, product, rows);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < i; j++)
		{
			Size		at = (Size) i * n + j;
			double		rho = 0;

			if (rows[at] >= MIN_PAIR_ROWS)
				rho = gs_latent_correlation(fit->latent[i].hermite,
											fit->latent[j].hermite,
											product[at] / rows[at]);
			product[at] = product[(Size) j * n + i] = rho;
		}
		product[(Size) i * n + i] = 1;
	}
	pfree(rows);
	if (!gs_correlation_repair(n, product, EIGEN_FLOOR) ||
		!gs_cholesky(n, product))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("could not factor the copula's correlation matrix")));
	return product;
}

static void
copula_fit(const GsEncoded *encoded, List **tensors, List **notes)
{
	Fit			fit = {.encoded = encoded};
	int32	   *feature;
	int32	   *order;
	float	   *cholesky;
	int			norder = 0;
	int			n;

	count_bins(&fit);
	n = fit.n;
	find_axis(&fit);
	feature = palloc(sizeof(int32) * Max(n, 1));
	for (int j = 0; j < n; j++)
	{
		score_bins(&fit, &fit.latent[j]);
		feature[j] = fit.latent[j].feature;
		if (encoded->features[feature[j]].kind == GS_FEATURE_CATEGORY)
			norder += fit.latent[j].nbins;
	}
	order = palloc(sizeof(int32) * Max(norder, 1));
	norder = 0;
	for (int j = 0; j < n; j++)
		if (encoded->features[feature[j]].kind == GS_FEATURE_CATEGORY)
			for (int k = 0; k < fit.latent[j].nbins; k++)
				order[norder++] = fit.latent[j].order[k];

	cholesky = palloc_extended(sizeof(float) * Max((Size) n * n, 1),
							   MCXT_ALLOC_HUGE);
	if (n > 0)
	{
		double	   *factored = factor(&fit);

		for (Size i = 0; i < (Size) n * n; i++)
			cholesky[i] = (float) factored[i];
	}
	gs_tensor_add(tensors, "copula/feature", GS_I4, 1, n, 0, feature);
	gs_tensor_add(tensors, "copula/order", GS_I4, 1, norder, 0, order);
	gs_tensor_add(tensors, "copula/cholesky", GS_F4, 2, n, n, cholesky);
}

/*
 * A category's levels by place, each once, and their thresholds.
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
	latent->guide = palloc(sizeof(uint16_t) * GS_GUIDE_CELLS);
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
	gs_guide_build(latent->guide, latent->edge, n);
	pfree(seen);
}

static void *
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
	copula->z = palloc_extended(sizeof(float) * GS_BATCH * Max(n, 1),
								MCXT_ALLOC_HUGE);
	copula->y = palloc_extended(sizeof(float) * GS_BATCH * Max(n, 1),
								MCXT_ALLOC_HUGE);
	copula->words = palloc(sizeof(uint32_t) * 4 * GS_BATCH);
	copula->zeros = palloc0(sizeof(float) * GS_BATCH);
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

static void
copula_generate(void *model, GsBatch *batch)
{
	Copula	   *copula = model;
	int			n = copula->n;
	uint32_t   *w = copula->words;

	/* four variates share a Philox block */
	for (int j = 0; j < n; j += 4)
	{
		gs_philox_lanes(batch->key, batch->first, GS_STREAM_LATENT + j / 4, 0,
						GS_BATCH, w, w + GS_BATCH, w + 2 * GS_BATCH,
						w + 3 * GS_BATCH);
		for (int k = j; k < Min(j + 4, n); k++)
			gs_normal_lane(w + (k - j) * GS_BATCH,
						   copula->z + (Size) k * GS_BATCH, GS_BATCH);
	}
	if (n > 0 && !gs_sgemm(n, GS_BATCH, n, copula->cholesky, n, copula->z,
						   GS_BATCH, copula->y, GS_BATCH))
		elog(ERROR, "GEMM refused %d x %d", n, GS_BATCH);
	for (int f = 0; f < batch->nfeatures; f++)
	{
		if (copula->constant[f])
			memcpy(batch->code[f], copula->constant[f],
				   sizeof(int32) * GS_BATCH);
		else if (batch->score[f])
			memcpy(batch->score[f], copula->zeros, sizeof(float) * GS_BATCH);
	}
	for (int j = 0; j < n; j++)
	{
		const CopulaLatent *latent = &copula->latent[j];
		const float *y = copula->y + (Size) j * GS_BATCH;
		int32	   *code = batch->code[latent->feature];

		if (latent->number)
		{
			memcpy(batch->score[latent->feature], y, sizeof(float) * GS_BATCH);
			continue;
		}
		for (int i = 0; i < GS_BATCH; i++)
			code[i] = latent->order[gs_guide_find(latent->guide, latent->edge,
												  latent->nlevels, y[i])];
	}
}

const GsFamily gs_copula = {
	.name = "copula",
	.fit = copula_fit,
	.load = copula_load,
	.generate = copula_generate
};
