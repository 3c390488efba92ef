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
#include "nets/mixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/nn.h"
#include "numeric/clones.h"
#include "numeric/gemm.h"
#include "numeric/philox.h"

#define CHUNK			1024	/* points of a GEMM */
#define MEANS_ROUNDS	8
#define MAX_D			64
#define MIN_SHARE		1e-5f	/* of a point that is counted */
#define LOG_2PI			1.8378770664093453

typedef struct Work
{
	GsMixture  *mixture;
	GsMixtureFit *fit;
	const float *point;			/* [n][d] */
	float	   *across;			/* [chunks][d][CHUNK] the same, transposed */
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

static int
chunk_rows(const Work *work, int chunk)
{
	int			left = work->n - chunk * CHUNK;

	return left < CHUNK ? left : CHUNK;
}

/*
 * The inverse of a lower triangle.
 */
static void
invert(const float *cholesky, int d, float *inverse)
{
	for (int j = 0; j < d; j++)
		for (int i = 0; i < d; i++)
		{
			double		sum = i == j;

			for (int l = j; l < i; l++)
				sum -= (double) cholesky[i * d + l] * inverse[l * d + j];
			inverse[i * d + j] = i < j ? 0 :
				(float) (sum / cholesky[i * d + i]);
		}
}

GS_CLONES static void
centre(const float *restrict from, float mean, float *restrict to)
{
	for (int i = 0; i < CHUNK; i++)
		to[i] = from[i] - mean;
}

GS_CLONES static void
add_squares(const float *restrict x, float *restrict sum)
{
	for (int i = 0; i < CHUNK; i++)
		sum[i] += x[i] * x[i];
}

/*
 * Log density times weight of all points under a component, or in k-means
 * minus half of the squared distance from its mean.
 */
static void
weigh(void *arg, int c)
{
	Work	   *work = arg;
	const GsMixture *mixture = work->mixture;
	int			d = mixture->d;
	const float *mean = mixture->mean + (size_t) c * d;
	const float *cholesky = mixture->cholesky + (size_t) c * d * d;
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
	for (int chunk = 0; chunk * CHUNK < work->n && !is_over(work); chunk++)
	{
		const float *across = work->across + (size_t) chunk * d * CHUNK;
		float	   *out = work->share + (size_t) c * work->n + chunk * CHUNK;
		float		square[CHUNK] = {0};

		for (int j = 0; j < d; j++)
			centre(across + j * CHUNK, mean[j], x + j * CHUNK);
		if (!work->by_distance)
			gs_sgemm(&(GsProduct) {
					 .m = d,.n = CHUNK,.k = d,.a = inverse,.lda = d,
					 .b = x,.ldb = CHUNK,.c = y,.ldc = CHUNK});
		for (int j = 0; j < d; j++)
			add_squares((work->by_distance ? x : y) + j * CHUNK, square);
		for (int i = 0; i < chunk_rows(work, chunk); i++)
			out[i] = (float) constant - square[i] / 2;
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
	int			n = chunk_rows(work, chunk);
	float	   *share = work->share + chunk * CHUNK;
	float		top[CHUNK];
	float		sum[CHUNK] = {0};
	double		all = 0;

	memcpy(top, share, sizeof(float) * n);
	for (int c = 1; c < k; c++)
		for (int i = 0; i < n; i++)
			top[i] = fmaxf(top[i], share[(size_t) c * work->n + i]);
	for (int c = 0; c < k; c++)
	{
		float	   *own = share + (size_t) c * work->n;

		if (work->by_distance)
			/* the first of the nearest has all of it */
			for (int i = 0; i < n; i++)
				own[i] = (float) (own[i] == top[i] && sum[i] == 0);
		else
		{
			for (int i = 0; i < n; i++)
				own[i] -= top[i];
			gs_exp(n, own, own);
		}
		for (int i = 0; i < n; i++)
			sum[i] += own[i];
	}
	for (int c = 0; c < k; c++)
		for (int i = 0; i < n; i++)
			share[(size_t) c * work->n + i] /= sum[i];
	for (int i = 0; i < n; i++)
		all += top[i] + log(sum[i]);
	work->sum[chunk] = all;
}

/* What a component's estimate takes. */
typedef struct Estimate
{
	double		all;			/* of the shares */
	double	   *sum;			/* [d] of points less the old mean */
	double	   *square;			/* [d][d] */
	float	   *x;				/* [CHUNK][d] */
	float	   *product;		/* [d][d] */
} Estimate;

/*
 * A chunk's points less a mean, as far as they are the component's, times the
 * roots of their shares; the others are left out.  Returns how many are left,
 * and adds up.
 */
GS_CLONES static int
take_points(const float *restrict share, const float *restrict point, int n,
			int d, const float *restrict mean, float *restrict x,
			float *restrict sum, double *all)
{
	int			m = 0;

	for (int i = 0; i < n; i++)
	{
		float		root;

		if (share[i] < MIN_SHARE)
			continue;
		*all += share[i];
		root = sqrtf(share[i]);
		for (int j = 0; j < d; j++)
		{
			x[j] = root * (point[i * d + j] - mean[j]);
			sum[j] += root * x[j];
		}
		x += d;
		m++;
	}
	return m;
}

static void
add_chunk(const Work *work, int c, int chunk, Estimate *own)
{
	int			d = work->mixture->d;
	float		sum[MAX_D] = {0};
	int			m = take_points(work->share + (size_t) c * work->n +
								chunk * CHUNK,
								work->point + (size_t) chunk * CHUNK * d,
								chunk_rows(work, chunk), d,
								work->mixture->mean + (size_t) c * d, own->x,
								sum, &own->all);

	for (int j = 0; j < d; j++)
		own->sum[j] += sum[j];
	if (m == 0 || work->by_distance)
		return;
	gs_sgemm(&(GsProduct) {
			 .transpose_a = true,.m = d,.n = d,.k = m,.a = own->x,.lda = d,
			 .b = own->x,.ldb = d,.c = own->product,.ldc = d});
	for (int i = 0; i < d * d; i++)
		own->square[i] += own->product[i];
}

/*
 * The lower factor of a covariance.  Returns false where it is none.  LAPACK's
 * is not for threads.
 */
static bool
factor(const double *square, int d, float *cholesky)
{
	double		l[MAX_D][MAX_D] = {{0}};

	for (int i = 0; i < d; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = square[i * d + j];

			for (int k = 0; k < j; k++)
				sum -= l[i][k] * l[j][k];
			if (i == j && !(sum > 0))
				return false;
			l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
		}
	for (int i = 0; i < d; i++)
		for (int j = 0; j < d; j++)
			cholesky[i * d + j] = (float) l[i][j];
	return true;
}

/*
 * Weight, mean and covariance of a component from its shares.  One that is
 * left with next to nothing stays where it is, at next to no weight.
 */
static void
estimate_in(Work *work, int c, Estimate *own)
{
	GsMixture  *mixture = work->mixture;
	int			d = mixture->d;

	for (int chunk = 0; chunk * CHUNK < work->n && !is_over(work); chunk++)
		add_chunk(work, c, chunk, own);
	mixture->weight[c] = (float) (own->all / work->n);
	if (own->all < d)
		return;
	for (int j = 0; j < d; j++)
		own->sum[j] /= own->all;
	for (int i = 0; i < d; i++)
		for (int j = 0; j < d; j++)
			own->square[i * d + j] = own->square[i * d + j] / own->all -
				own->sum[i] * own->sum[j] + (i == j ? work->fit->floor : 0);
	for (int j = 0; j < d; j++)
		mixture->mean[(size_t) c * d + j] += (float) own->sum[j];
	if (!work->by_distance)
		factor(own->square, d, mixture->cholesky + (size_t) c * d * d);
}

static void
estimate(void *arg, int c)
{
	Work	   *work = arg;
	int			d = work->mixture->d;
	Estimate	own = {
		.sum = calloc(d, sizeof(double)),
		.square = calloc((size_t) d * d, sizeof(double)),
		.x = malloc(sizeof(float) * CHUNK * d),
		.product = malloc(sizeof(float) * d * d)
	};

	if (own.sum == NULL || own.square == NULL || own.x == NULL ||
		own.product == NULL)
		atomic_store(&work->failed, true);
	else
		estimate_in(work, c, &own);
	free(own.sum);
	free(own.square);
	free(own.x);
	free(own.product);
}

/*
 * Points in columns, those beyond the last zero.
 */
static void
transpose(Work *work)
{
	int			d = work->mixture->d;

	for (int chunk = 0; chunk * CHUNK < work->n; chunk++)
		for (int i = 0; i < chunk_rows(work, chunk); i++)
			for (int j = 0; j < d; j++)
				work->across[((size_t) chunk * d + j) * CHUNK + i] =
					work->point[((size_t) chunk * CHUNK + i) * d + j];
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
 * Weights that sum to 1: shares too small to be counted are missing.
 */
static void
normalize(GsMixture *mixture)
{
	double		sum = 0;

	for (int c = 0; c < mixture->k; c++)
		sum += mixture->weight[c];
	for (int c = 0; c < mixture->k && sum > 0; c++)
		mixture->weight[c] = (float) (mixture->weight[c] / sum);
}

/*
 * gs_mixture_fit
 *
 * mixture: k, d of at most MAX_D, and arrays to be filled; point: [n][d], n >
 * 0.  Returns false if memory is out, or it was cancelled.
 */
bool
gs_mixture_fit(GsMixture *mixture, const float *point, int n, GsPool *pool,
			   GsMixtureFit *fit)
{
	int			d = mixture->d;
	int			nchunks = (n + CHUNK - 1) / CHUNK;
	Work		work = {.mixture = mixture,.fit = fit,.point = point,.n = n};
	bool		fine;

	if (d > MAX_D)
		return false;
	work.share = malloc(sizeof(float) * (size_t) mixture->k * n);
	work.sum = malloc(sizeof(double) * nchunks);
	work.across = calloc((size_t) nchunks * d * CHUNK, sizeof(float));
	atomic_store(&work.failed, work.share == NULL || work.sum == NULL ||
				 work.across == NULL);
	if (!is_over(&work))
	{
		transpose(&work);
		choose_centres(&work);
	}
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
	normalize(mixture);
	free(work.share);
	free(work.sum);
	free(work.across);
	return fine;
}

/*
 * gs_mixture_draw
 *
 * word: [n] random, which choose components; normal: [n][d] standard normal;
 * component: [n], point: [n][d], filled.
 */
void
gs_mixture_draw(const GsMixture *mixture, int n, const uint32_t *word,
				const float *normal, int32_t *component, float *point)
{
	int			d = mixture->d;

	for (int i = 0; i < n; i++)
	{
		float		u = (float) (word[i] >> 8) * 0x1.0p-24f;
		const float *x = normal + (size_t) i * d;
		const float *cholesky;
		int			c = 0;

		/* what has no weight is not drawn, however the others round */
		for (int next = 0; next < mixture->k; next++)
		{
			if (!(mixture->weight[next] > 0))
				continue;
			c = next;
			if (u < mixture->weight[c])
				break;
			u -= mixture->weight[c];
		}
		component[i] = c;
		if (mixture->mean == NULL)
		{
			memcpy(point + (size_t) i * d, x, sizeof(float) * (size_t) d);
			continue;
		}
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
