/*
 * mixture.c
 *	  Mixtures of normal distributions: expectation and maximisation.
 *
 * Dempster, Laird and Rubin, J. Royal Statistical Society B 39 (1977).  It
 * begins with some rounds of k-means from centres that are drawn far from each
 * other (k-means++: Arthur and Vassilvitskii, SODA 2007).
 *
 * Each component's work is a task of its own, and sums go over the points in
 * their order, so the result does not depend on the number of threads.
 *
 * Plain C: no postgres.h.
 */
#include "train/mixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/blas.h"
#include "numeric/philox.h"

#define CHUNK			1024	/* points of a GEMM */
#define MEANS_ROUNDS	8
#define LOG_2PI			1.8378770664093453

typedef struct Work
{
	GsMixture  *mixture;
	GsMixtureFit *fit;
	const float *point;			/* [n][d] */
	int			n;
	bool		by_distance;	/* k-means: shares are 0 or 1 */
	float	   *share;			/* [k][n] log densities, and then shares */
	double	   *sum;			/* [chunks] log densities of points */
	atomic_bool failed;			/* for want of memory */
} Work;

static bool
is_over(const Work *work)
{
	return atomic_load(&work->failed) ||
		(work->fit->cancel != NULL && atomic_load(work->fit->cancel));
}

/*
 * The inverse of a lower triangle, transposed: x of a row times it is the
 * solution of L y = x.
 */
static void
invert(const float *cholesky, int d, float *inverse)
{
	for (int j = 0; j < d; j++)
		for (int i = 0; i < d; i++)
		{
			double		sum = i == j;

			for (int l = j; l < i; l++)
				sum -= (double) cholesky[i * d + l] * inverse[j * d + l];
			inverse[j * d + i] = i < j ? 0 :
				(float) (sum / cholesky[i * d + i]);
		}
}

/*
 * Log density times weight of all points under a component, or in k-means
 * the negative squared distance from its mean.
 */
static void
weigh(void *arg, int c)
{
	Work	   *work = arg;
	const GsMixture *mixture = work->mixture;
	int			d = mixture->d;
	const float *mean = mixture->mean + (size_t) c * d;
	const float *cholesky = mixture->cholesky + (size_t) c * d * d;
	float	   *out = work->share + (size_t) c * work->n;
	float	   *inverse = malloc(sizeof(float) * d * d);
	float	   *x = malloc(sizeof(float) * CHUNK * d);
	float	   *y = malloc(sizeof(float) * CHUNK * d);
	double		constant = log(fmax(mixture->weight[c], 1e-30)) -
		d * LOG_2PI / 2;

	if (inverse == NULL || x == NULL || y == NULL)
		atomic_store(&work->failed, true);
	else
	{
		invert(cholesky, d, inverse);
		for (int j = 0; j < d; j++)
			constant -= log(cholesky[j * d + j]);
		if (work->by_distance)
			constant = 0;
	}
	for (int from = 0; from < work->n && !is_over(work); from += CHUNK)
	{
		int			m = work->n - from < CHUNK ? work->n - from : CHUNK;

		for (int i = 0; i < m; i++)
			for (int j = 0; j < d; j++)
				x[i * d + j] = work->point[(size_t) (from + i) * d + j] -
					mean[j];
		if (!work->by_distance)
			gs_sgemm(m, d, d, x, d, inverse, d, y, d);
		for (int i = 0; i < m; i++)
		{
			const float *row = (work->by_distance ? x : y) + i * d;
			float		square = 0;

			for (int j = 0; j < d; j++)
				square += row[j] * row[j];
			out[from + i] = (float) constant - square / 2;
		}
	}
	free(inverse);
	free(x);
	free(y);
}

/*
 * From log densities to the components' shares of a chunk of points.
 */
static void
share_out(void *arg, int chunk)
{
	Work	   *work = arg;
	int			k = work->mixture->k;
	int			from = chunk * CHUNK;
	int			to = work->n - from < CHUNK ? work->n : from + CHUNK;
	double		all = 0;

	for (int i = from; i < to; i++)
	{
		float	   *share = work->share + i;
		float		top = -INFINITY;
		float		sum = 0;
		int			best = 0;

		for (int c = 0; c < k; c++)
			if (share[(size_t) c * work->n] > top)
			{
				best = c;
				top = share[(size_t) c * work->n];
			}
		for (int c = 0; c < k; c++)
		{
			float	   *own = &share[(size_t) c * work->n];

			*own = work->by_distance ? (float) (c == best) :
				expf(*own - top);
			sum += *own;
		}
		for (int c = 0; c < k; c++)
			share[(size_t) c * work->n] /= sum;
		all += top + log(sum);
	}
	work->sum[chunk] = all;
}

/*
 * Weight, mean and covariance of a component from its shares.  One that is
 * left with next to nothing keeps its place, at no weight.
 */
static void
estimate(void *arg, int c)
{
	Work	   *work = arg;
	GsMixture  *mixture = work->mixture;
	int			d = mixture->d;
	const float *share = work->share + (size_t) c * work->n;
	float	   *mean = mixture->mean + (size_t) c * d;
	double	   *sum = calloc(d, sizeof(double));
	double	   *square = calloc((size_t) d * d, sizeof(double));
	float	   *x = malloc(sizeof(float) * CHUNK * d);
	float	   *product = malloc(sizeof(float) * d * d);
	double		all = 0;

	if (sum == NULL || square == NULL || x == NULL || product == NULL)
		atomic_store(&work->failed, true);
	for (int i = 0; i < work->n && !is_over(work); i++)
	{
		all += share[i];
		if (share[i] > 0)
			for (int j = 0; j < d; j++)
				sum[j] += (double) share[i] * work->point[(size_t) i * d + j];
	}
	mixture->weight[c] = (float) (all / work->n);
	for (int j = 0; j < d && all > 1e-3 && !is_over(work); j++)
		mean[j] = (float) (sum[j] / all);
	for (int from = 0; from < work->n && all > d && !work->by_distance &&
		 !is_over(work); from += CHUNK)
	{
		int			m = 0;

		for (int i = from; i < work->n && i < from + CHUNK; i++)
		{
			float		root = sqrtf(share[i]);

			if (share[i] < 1e-6f)
				continue;
			for (int j = 0; j < d; j++)
				x[m * d + j] = root *
					(work->point[(size_t) i * d + j] - mean[j]);
			m++;
		}
		if (m == 0)
			continue;
		gs_sgemm_add(true, false, d, d, m, 1, x, d, x, d, 0, product, d);
		for (int i = 0; i < d * d; i++)
			square[i] += product[i];
	}
	if (all > d && !work->by_distance && !is_over(work))
	{
		for (int i = 0; i < d; i++)
			for (int j = 0; j < d; j++)
				square[i * d + j] = square[i * d + j] / all +
					(i == j ? work->fit->floor : 0);
		if (gs_cholesky(d, square))
			for (int i = 0; i < d * d; i++)
				mixture->cholesky[(size_t) c * d * d + i] = (float) square[i];
	}
	free(sum);
	free(square);
	free(x);
	free(product);
}

/*
 * Centres that are points, each drawn by its squared distance from those
 * before it.
 */
static void
choose_centres(Work *work)
{
	GsMixture  *mixture = work->mixture;
	int			d = mixture->d;
	float	   *nearest = work->share;	/* [n] of the squared distances */
	GsRandom	random;
	int			at;

	gs_random_start(&random, work->fit->seed, 0, 0);
	at = (int) gs_random_below(&random, (uint32_t) work->n);
	for (int i = 0; i < work->n; i++)
		nearest[i] = INFINITY;
	for (int c = 0; c < mixture->k && !is_over(work); c++)
	{
		float	   *mean = mixture->mean + (size_t) c * d;
		double		total = 0;

		memcpy(mean, work->point + (size_t) at * d, sizeof(float) * d);
		for (int i = 0; i < work->n; i++)
		{
			const float *x = work->point + (size_t) i * d;
			float		square = 0;

			for (int j = 0; j < d; j++)
				square += (x[j] - mean[j]) * (x[j] - mean[j]);
			nearest[i] = square < nearest[i] ? square : nearest[i];
			total += nearest[i];
		}
		total *= gs_random_uniform(&random);
		for (at = 0; at < work->n - 1 && total >= nearest[at]; at++)
			total -= nearest[at];
	}
}

/*
 * gs_mixture_fit
 *
 * mixture: k, d, and arrays to be filled; point: [n][d], n > 0.  Returns false
 * if memory is out, or it was cancelled.
 */
bool
gs_mixture_fit(GsMixture *mixture, const float *point, int n, GsPool *pool,
			   GsMixtureFit *fit)
{
	int			d = mixture->d;
	int			nchunks = (n + CHUNK - 1) / CHUNK;
	Work		work = {.mixture = mixture,.fit = fit,.point = point,.n = n};
	bool		fine;

	work.share = malloc(sizeof(float) * (size_t) mixture->k * n);
	work.sum = malloc(sizeof(double) * nchunks);
	atomic_store(&work.failed, work.share == NULL || work.sum == NULL);
	if (!is_over(&work))
		choose_centres(&work);
	memset(mixture->cholesky, 0, sizeof(float) * mixture->k * d * d);
	for (int c = 0; c < mixture->k; c++)
	{
		mixture->weight[c] = 1.0f / mixture->k;
		for (int j = 0; j < d; j++)
			mixture->cholesky[((size_t) c * d + j) * d + j] = 1;
	}
	for (int round = 0; round < MEANS_ROUNDS + fit->rounds && !is_over(&work);
		 round++)
	{
		double		sum = 0;

		work.by_distance = round < MEANS_ROUNDS;
		gs_pool_run(pool, mixture->k, weigh, &work);
		if (is_over(&work))
			break;
		gs_pool_run(pool, nchunks, share_out, &work);
		/* the last of the means' shares are a mixture's first */
		work.by_distance = round < MEANS_ROUNDS - 1;
		gs_pool_run(pool, mixture->k, estimate, &work);
		for (int i = 0; i < nchunks; i++)
			sum += work.sum[i];
		atomic_store(&fit->likelihood, sum / n);
	}
	fine = !is_over(&work);
	free(work.share);
	free(work.sum);
	return fine;
}

/*
 * gs_mixture_draw
 *
 * word: [n] random, which choose components; normal: [n][d] standard normal;
 * point: [n][d], filled.
 */
void
gs_mixture_draw(const GsMixture *mixture, int n, const uint32_t *word,
				const float *normal, float *point)
{
	int			d = mixture->d;

	for (int i = 0; i < n; i++)
	{
		float		u = (float) (word[i] >> 8) * 0x1.0p-24f;
		const float *x = normal + (size_t) i * d;
		const float *cholesky;
		int			c = 0;

		while (c < mixture->k - 1 && u >= mixture->weight[c])
			u -= mixture->weight[c++];
		cholesky = mixture->cholesky + (size_t) c * d * d;
		for (int j = 0; j < d; j++)
		{
			float		sum = mixture->mean[(size_t) c * d + j];

			for (int l = 0; l <= j; l++)
				sum += cholesky[j * d + l] * x[l];
			point[(size_t) i * d + j] = sum;
		}
	}
}
