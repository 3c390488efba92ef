/*
 * copula_fit.c
 *	  The Gaussian copula: fitting.
 *
 *	1. The levels of a category have no order of their own, and the copula's
 *	   dependence is monotone.  They are put in the order of the first axis of
 *	   a multiple correspondence analysis over all features, found by
 *	   reciprocal averaging (Hill, "Reciprocal averaging: an eigenvector method
 *	   of ordination", J. Ecology 61, 1973); then each category in turn moves
 *	   to the order in which the features that it depends on most see it.
 *	2. A row's score in a feature is the conditional mean of the variate in
 *	   its bin.  The observed correlation of two features' scores is what the
 *	   latent correlation becomes when it is seen through bins; it is solved
 *	   for, pair by pair, by Hermite series (see numeric/latent.c).
 *	3. The matrix is repaired to positive definite, and factored.
 *
 * Missing bins (NULLs of a number, values too rare to be shown) leave a row
 * out of the pairs that they belong to.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/copula.h"
#include "numeric/blas.h"
#include "numeric/gemm.h"
#include "numeric/latent.h"

#define ORDER_ROWS			200000	/* rows looked at to order levels */
#define ORDER_WORK			INT64CONST(600000000)	/* rows * features * rounds */
#define ORDER_ROUNDS		40
#define REFINE_ROUNDS		6
#define ORDER_PRIOR			5.0 /* rows that pull a level to the middle */
#define MOMENT_ROWS			4096	/* rows of one product ... */
#define STRIP				128 /* ... and rows of its result at a time */
#define MIN_PAIR_ROWS		10
#define EIGEN_FLOOR			1e-4
#define WIDE				512 /* beyond, see latent_of() */
#define WIDE_SIGMAS			3.0

/* A latent variate while it is fitted. */
typedef struct Latent
{
	int			feature;
	int			nbins;
	int64	   *count;			/* [nbins] rows */
	double	   *axis;			/* [nbins] on the first MCA axis */
	int		   *order;		/* [nlevels] bins by position, empty ones last */
	float	   *score;			/* [nbins] */
	double		hermite[GS_HERMITE_TERMS + 1];
} Latent;

typedef struct Fit
{
	const GsEncoded *encoded;
	int			n;				/* latent variates */
	Latent	   *latent;
	bool		missing;		/* some row of some feature is missing */
	bool		reorder;		/* some category has more than two levels */
	int64		stride;			/* of the rows that levels are ordered by */
} Fit;

/* Sums over pairs of variates, [n][n] each, lower triangles. */
typedef struct Moments
{
	double	   *product;		/* of scores, over rows where both are there */
	double	   *rows;			/* how many those are */
} Moments;

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
		if (encoded->determined[f] ||
			(used < 2 && encoded->features[f].kind == GS_FEATURE_CATEGORY))
			continue;
		fit->reorder |= used > 2 &&
			encoded->features[f].kind == GS_FEATURE_CATEGORY;
		fit->missing |= missing;
		fit->n++;
	}
}

/*
 * Levels are ordered by a part of the rows, so that this costs no more than
 * a fixed amount of work.
 */
static int64
order_stride(const Fit *fit)
{
	int64		max = Min(ORDER_ROWS,
						  ORDER_WORK / ORDER_ROUNDS / Max(fit->n, 1));

	return Max(1, (fit->encoded->nrows + max - 1) / Max(max, 1));
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
	int64		stride = fit->stride;
	int64		n = (encoded->nrows + stride - 1) / stride;
	double	   *row_score = palloc_extended(sizeof(double) * Max(n, 1),
											MCXT_ALLOC_HUGE);

	/* a start that depends on nothing but the bins' positions */
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

	if (latent->order == NULL)
	{
		latent->order = palloc(sizeof(int) * latent->nbins);
		latent->score = palloc0(sizeof(float) * latent->nbins);
	}
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
 * Scores of rows, from row first on by stride: block [m][n], 0 where a bin is
 * missing; present, if not NULL, 1 where it isn't.
 */
static void
fill_block(const Fit *fit, int64 first, int64 stride, int m, float *block,
		   float *present)
{
	int			n = fit->n;

	for (int j = 0; j < n; j++)
	{
		const Latent *latent = &fit->latent[j];
		const uint16 *bin = fit->encoded->bin[latent->feature] + first;

		for (int i = 0; i < m; i++)
		{
			bool		here = bin[i * stride] != GS_MISSING;

			block[(Size) i * n + j] = here ? latent->score[bin[i * stride]] : 0;
			if (present)
				present[(Size) i * n + j] = here;
		}
	}
}

/*
 * Adds the products of columns of block [m][n] to the lower triangle of total
 * [n][n], and some of them above it.  sum: [STRIP][n] of scratch.
 */
static void
add_products(int n, int m, const float *block, float *sum, double *total)
{
	for (int first = 0; first < n; first += STRIP)
	{
		int			rows = Min(STRIP, n - first);
		int			columns = first + rows;

		if (!gs_sgemm(&(GsProduct) {
					  .transpose_a = true,.m = rows,.n = columns,.k = m,
					  .a = block + first,.lda = n,.b = block,.ldb = n,
					  .c = sum,.ldc = columns}))
			elog(ERROR, "GEMM refused %d x %d", rows, columns);
		for (int i = 0; i < rows; i++)
			for (int j = 0; j < columns; j++)
				total[(Size) (first + i) * n + j] += sum[i * columns + j];
	}
}

static void *
alloc_square(int n, Size element)
{
	return palloc_extended(element * n * n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/*
 * The moments over every stride-th row.
 */
static void
find_moments(const Fit *fit, int64 stride, Moments *moments)
{
	const GsEncoded *encoded = fit->encoded;
	int			n = fit->n;
	int64		nrows = (encoded->nrows + stride - 1) / stride;
	float	   *block = palloc_extended(sizeof(float) * MOMENT_ROWS * n,
										MCXT_ALLOC_HUGE);
	float	   *present = NULL;
	float	   *sum = palloc_extended(sizeof(float) * STRIP * n,
									  MCXT_ALLOC_HUGE);

	moments->product = alloc_square(n, sizeof(double));
	moments->rows = alloc_square(n, sizeof(double));
	if (fit->missing)
		present = palloc_extended(sizeof(float) * MOMENT_ROWS * n,
								  MCXT_ALLOC_HUGE);
	for (int64 first = 0; first < nrows; first += MOMENT_ROWS)
	{
		int			m = (int) Min(MOMENT_ROWS, nrows - first);

		CHECK_FOR_INTERRUPTS();
		fill_block(fit, first * stride, stride, m, block, present);
		add_products(n, m, block, sum, moments->product);
		if (present)
			add_products(n, m, present, sum, moments->rows);
	}
	for (Size i = 0; !present && i < (Size) n * n; i++)
		moments->rows[i] = nrows;
	pfree(block);
	pfree(sum);
	if (present)
		pfree(present);
}

static void
free_moments(Moments *moments)
{
	pfree(moments->product);
	pfree(moments->rows);
}

static inline double
moment(const Moments *moments, Size at)
{
	return moments->rows[at] >= MIN_PAIR_ROWS ?
		moments->product[at] / moments->rows[at] : 0;
}

/*
 * Moves each category's levels to where the other features put them: the new
 * axis is the mean over a level's rows of the others' scores, each weighted
 * by its correlation with the category, to a power.  With a power of 1 this
 * climbs the sum of squared correlations, with 2 that of cubes, which keeps
 * the strongest best.
 */
static void
refine_axis(Fit *fit, int power)
{
	const GsEncoded *encoded = fit->encoded;
	int			n = fit->n;
	int64		nrows = (encoded->nrows + fit->stride - 1) / fit->stride;
	float	   *weight = alloc_square(n, sizeof(float));
	float	   *block = palloc_extended(sizeof(float) * MOMENT_ROWS * n,
										MCXT_ALLOC_HUGE);
	float	   *pull = palloc_extended(sizeof(float) * MOMENT_ROWS * n,
									   MCXT_ALLOC_HUGE);
	Moments		moments;

	find_moments(fit, fit->stride, &moments);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
		{
			double		r = moment(&moments, (Size) i * n + j);

			weight[(Size) i * n + j] = weight[(Size) j * n + i] =
				(float) (power == 1 ? r : fabs(r) * r);
		}
	free_moments(&moments);
	for (int j = 0; j < n; j++)
		memset(fit->latent[j].axis, 0,
			   sizeof(double) * fit->latent[j].nbins);
	for (int64 first = 0; first < nrows; first += MOMENT_ROWS)
	{
		int			m = (int) Min(MOMENT_ROWS, nrows - first);

		CHECK_FOR_INTERRUPTS();
		fill_block(fit, first * fit->stride, fit->stride, m, block, NULL);
		if (!gs_sgemm(&(GsProduct) {
					  .m = m,.n = n,.k = n,.a = block,.lda = n,
					  .b = weight,.ldb = n,.c = pull,.ldc = n}))
			elog(ERROR, "GEMM refused %d x %d", m, n);
		for (int j = 0; j < n; j++)
		{
			Latent	   *latent = &fit->latent[j];
			const uint16 *bin = encoded->bin[latent->feature] +
				first * fit->stride;

			for (int i = 0; i < m; i++)
				if (bin[i * fit->stride] != GS_MISSING)
					latent->axis[bin[i * fit->stride]] +=
						pull[(Size) i * n + j];
		}
	}
	for (int j = 0; j < n; j++)
	{
		Latent	   *latent = &fit->latent[j];

		for (int k = 0; k < latent->nbins; k++)
			latent->axis[k] /= (double) latent->count[k] / fit->stride +
				ORDER_PRIOR;
		score_bins(fit, latent);
	}
	pfree(weight);
	pfree(block);
	pfree(pull);
}

/*
 * The mutual information of all scores if they were normal, in nats: what
 * an order of the levels lets a Gaussian copula keep.
 */
static double
information(const Fit *fit)
{
	int			n = fit->n;
	double	   *r = alloc_square(n, sizeof(double));
	double		sum = 0;
	Moments		moments;

	find_moments(fit, fit->stride, &moments);
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < i; j++)
			r[(Size) i * n + j] = r[(Size) j * n + i] =
				moment(&moments, (Size) i * n + j);
		r[(Size) i * n + i] = 1;
	}
	free_moments(&moments);
	if (gs_correlation_repair(n, r, EIGEN_FLOOR) && gs_cholesky(n, r))
		for (int i = 0; i < n; i++)
			sum -= log(r[(Size) i * n + i]);
	pfree(r);
	return sum;
}

static void
copy_axes(Fit *fit, double **to, bool back)
{
	for (int j = 0; j < fit->n; j++)
	{
		double	   *axis = fit->latent[j].axis;
		Size		bytes = sizeof(double) * fit->latent[j].nbins;

		if (to[j] == NULL)
			to[j] = palloc(bytes);
		memcpy(back ? axis : to[j], back ? to[j] : axis, bytes);
		if (back)
			score_bins(fit, &fit->latent[j]);
	}
}

/*
 * Orders all levels: from the first axis by either power, whichever tells
 * more.
 */
static void
order_levels(Fit *fit)
{
	double	  **first = palloc0(sizeof(double *) * Max(fit->n, 1));
	double	  **best = palloc0(sizeof(double *) * Max(fit->n, 1));
	double		max = -INFINITY;

	find_axis(fit);
	copy_axes(fit, first, false);
	copy_axes(fit, best, false);
	for (int power = 1; power <= 2 && fit->reorder; power++)
	{
		double		now;

		copy_axes(fit, first, true);
		for (int round = 0; round < REFINE_ROUNDS; round++)
			refine_axis(fit, power);
		now = information(fit);
		if (now > max)
			copy_axes(fit, best, false);
		max = Max(max, now);
	}
	copy_axes(fit, best, true);
}

/*
 * The latent correlation of a pair.  Of very many variates a lot of pairs are
 * correlated by chance, and the repair of the matrix would take it out of the
 * real ones: what is within the noise is taken as none.
 */
static double
latent_of(const Fit *fit, const Moments *moments, int i, int j)
{
	Size		at = (Size) i * fit->n + j;
	double		r = moment(moments, at);

	if (fit->n > WIDE && fabs(r) * sqrt(moments->rows[at]) < WIDE_SIGMAS)
		return 0;
	return gs_latent_correlation(fit->latent[i].hermite,
								 fit->latent[j].hermite, r);
}

/*
 * The latent correlation matrix, repaired and factored.  [n][n]
 */
static double *
factor(const Fit *fit)
{
	int			n = fit->n;
	double	   *latent = alloc_square(n, sizeof(double));
	Moments		moments;

	find_moments(fit, 1, &moments);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < i; j++)
			latent[(Size) i * n + j] = latent[(Size) j * n + i] =
				latent_of(fit, &moments, i, j);
		latent[(Size) i * n + i] = 1;
	}
	free_moments(&moments);
	if (!gs_correlation_repair(n, latent, EIGEN_FLOOR) ||
		!gs_cholesky(n, latent))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("could not factor the copula's correlation matrix")));
	return latent;
}

/*
 * An error unless OpenBLAS has, or can have, what memory it needs, without
 * which it would not come back.
 */
static void
need_blas(void)
{
	if (!gs_blas_prepare())
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory for matrices"),
				 errhint("OpenBLAS needs 128 MB of address space: raise the limit of the server's processes (ulimit -v), or fit with method => 'tree'.")));
}

/*
 * gs_copula_fit: see family.h and copula.c.
 */
void
gs_copula_fit(GsFitContext *context)
{
	const GsEncoded *encoded = context->encoded;
	Fit			fit = {.encoded = encoded};
	int32	   *feature;
	int32	   *order;
	float	   *cholesky;
	int			norder = 0;
	int			n;

	need_blas();
	count_bins(&fit);
	n = fit.n;
	fit.stride = order_stride(&fit);
	order_levels(&fit);
	feature = palloc(sizeof(int32) * Max(n, 1));
	for (int j = 0; j < n; j++)
	{
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
	gs_tensor_add(&context->tensors, "copula/feature", GS_I4, 1, n, 0, feature);
	gs_tensor_add(&context->tensors, "copula/order", GS_I4, 1, norder, 0, order);
	gs_tensor_add(&context->tensors, "copula/cholesky", GS_F4, 2, n, n, cholesky);
}

