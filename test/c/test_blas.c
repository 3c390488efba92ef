/*
 * test_blas.c
 *	  The BLAS seam against plain loops.
 */
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/numeric/blas.h"
#include "../../src/numeric/gemm.h"
#include "../../src/numeric/philox.h"
#include "test.h"

static GsRandom noise;

static double
uniform(void)
{
	return 2 * gs_random_uniform(&noise) - 1;
}

static void
fill(float *x, int n)
{
	int			i;

	for (i = 0; i < n; i++)
		x[i] = (float) uniform();
}

static void
check_sgemm(int m, int n, int k, int pad)
{
	int			lda = k + pad;
	int			ldb = n + 2 * pad;
	int			ldc = n + 3 * pad;
	float	   *a = malloc(sizeof(float) * (size_t) (m * lda));
	float	   *b = malloc(sizeof(float) * (size_t) (k * ldb));
	float	   *c = malloc(sizeof(float) * (size_t) (m * ldc));
	double		worst = 0;
	int			touched = 0;
	int			i;
	int			j;
	int			l;

	fill(a, m * lda);
	fill(b, k * ldb);
	for (i = 0; i < m * ldc; i++)
		c[i] = NAN;
	CHECK(gs_sgemm(m, n, k, a, lda, b, ldb, c, ldc), "sgemm");
	for (i = 0; i < m; i++)
	{
		for (j = 0; j < n; j++)
		{
			double		sum = 0;

			for (l = 0; l < k; l++)
				sum += (double) a[i * lda + l] * b[l * ldb + j];
			if (isnan(c[i * ldc + j]))
				worst = INFINITY;
			worst = fmax(worst, fabs(sum - c[i * ldc + j]));
		}
		for (j = n; j < ldc; j++)
			touched += !isnan(c[i * ldc + j]);
	}
	CHECK_NEAR(worst, 0, 1e-4, "sgemm equals plain loops");
	CHECK(touched == 0, "sgemm leaves padding alone");
	free(a);
	free(b);
	free(c);
}

/*
 * C = alpha op(A) op(B) + beta C, in both precisions, against plain loops.
 */
static void
check_gemm_add(bool ta, bool tb, int m, int n, int k, double alpha,
			   double beta)
{
	int			lda = (ta ? m : k) + 1;
	int			ldb = (tb ? k : n) + 2;
	int			ldc = n + 3;
	float	   *a = malloc(sizeof(float) * (size_t) ((ta ? k : m) * lda));
	float	   *b = malloc(sizeof(float) * (size_t) ((tb ? n : k) * ldb));
	float	   *c = malloc(sizeof(float) * (size_t) (m * ldc));
	double	   *da = malloc(sizeof(double) * (size_t) ((ta ? k : m) * lda));
	double	   *db = malloc(sizeof(double) * (size_t) ((tb ? n : k) * ldb));
	double	   *dc = malloc(sizeof(double) * (size_t) (m * ldc));
	double		worst = 0;
	double		double_worst = 0;
	int			i;
	int			j;
	int			l;

	fill(a, (ta ? k : m) * lda);
	fill(b, (tb ? n : k) * ldb);
	for (i = 0; i < (ta ? k : m) * lda; i++)
		da[i] = a[i];
	for (i = 0; i < (tb ? n : k) * ldb; i++)
		db[i] = b[i];
	for (i = 0; i < m * ldc; i++)
		dc[i] = c[i] = beta == 0 ? NAN : (float) (i % 7);
	CHECK(gs_sgemm_add(ta, tb, m, n, k, (float) alpha, a, lda, b, ldb,
					   (float) beta, c, ldc), "sgemm_add");
	CHECK(gs_dgemm_add(ta, tb, m, n, k, alpha, da, lda, db, ldb, beta, dc,
					   ldc), "dgemm_add");
	for (i = 0; i < m; i++)
		for (j = 0; j < n; j++)
		{
			double		sum = 0;

			for (l = 0; l < k; l++)
				sum += (ta ? da[l * lda + i] : da[i * lda + l]) *
					(tb ? db[j * ldb + l] : db[l * ldb + j]);
			sum *= alpha;
			if (beta != 0)
				sum += beta * ((i * ldc + j) % 7);
			if (isnan(c[i * ldc + j]) || isnan(dc[i * ldc + j]))
				worst = INFINITY;
			worst = fmax(worst, fabs(sum - c[i * ldc + j]));
			double_worst = fmax(double_worst, fabs(sum - dc[i * ldc + j]));
		}
	CHECK_NEAR(worst, 0, 1e-4, "sgemm_add equals plain loops");
	CHECK_NEAR(double_worst, 0, 1e-12, "dgemm_add equals plain loops");
	free(a);
	free(b);
	free(c);
	free(da);
	free(db);
	free(dc);
}

/*
 * All ways to store the matrices, and all widths of vectors that this
 * processor has; sizes below, at and above those of tiles and panels.
 */
static void
check_gemms_add(void)
{
	int			i;

	for (gs_gemm_vector = 4; gs_gemm_vector <= 16; gs_gemm_vector *= 2)
		for (i = 0; i < 4; i++)
		{
			check_gemm_add(i & 1, i & 2, 5, 7, 3, 1, 0);
			check_gemm_add(i & 1, i & 2, 33, 1, 65, 2, 1);
			check_gemm_add(i & 1, i & 2, 14, 32, 4, 1, 1);
			check_gemm_add(i & 1, i & 2, 150, 130, 140, -1, 0.5);
			check_gemm_add(i & 1, i & 2, 13, 270, 400, 1, 1);
			/* many rows and few columns, those that are copied, and both */
			check_gemm_add(i & 1, i & 2, 300, 1, 90, 1, 1);
			check_gemm_add(i & 1, i & 2, 270, 39, 70, 2, 0.5);
			check_gemm_add(i & 1, i & 2, 530, 128, 390, 1, 0);
			check_gemm_add(i & 1, i & 2, 131, 129, 65, 1, 1);
			/* one narrow dimension, of each width */
			for (int n = 1; n <= 17; n++)
			{
				check_gemm_add(i & 1, i & 2, 35, n, 83, 2, 0.5);
				check_gemm_add(i & 1, i & 2, 35, 83, n, -1, 1);
				check_gemm_add(i & 1, i & 2, n, 64, 48, 1, 0);
			}
			check_gemm_add(i & 1, i & 2, 3, 5, 1100, 1, 1);
			check_gemm_add(i & 1, i & 2, 3, 1100, 5, 1, 1);
			check_gemm_add(i & 1, i & 2, 1100, 3, 5, 1, 1);
		}
	gs_gemm_vector = 16;
}

/*
 * Products in two threads that begin at the same moment.  OpenBLAS's serial
 * build alone gets a few in a thousand wrong.
 */
#define SIZE	112
#define ROUNDS	3000

static float in_threads[3][SIZE * SIZE];
static float right[2][2][SIZE * SIZE];	/* by function, by thread */
static atomic_int arrived;
static atomic_int wrong_products;

static void
product(int function, int thread, float *c)
{
	if (function == 0)
		gs_sgemm(SIZE, SIZE, SIZE, in_threads[thread], SIZE, in_threads[2],
				 SIZE, c, SIZE);
	else
		gs_sgemm_add(true, true, SIZE, SIZE, SIZE, 1, in_threads[thread],
					 SIZE, in_threads[2], SIZE, 0, c, SIZE);
}

static void *
multiply(void *arg)
{
	int			thread = *(int *) arg;
	static float result[2][SIZE * SIZE];
	int			round;

	for (round = 0; round < ROUNDS; round++)
	{
		int			function = round % 50 == 0;
		int			spins = 0;

		atomic_fetch_add(&arrived, 1);
		while (atomic_load(&arrived) < 2 * (round + 1))
			if (++spins > 2000)
				sched_yield();
		product(function, thread, result[thread]);
		if (memcmp(result[thread], right[function][thread],
				   sizeof(result[thread])) != 0)
			atomic_fetch_add(&wrong_products, 1);
	}
	return NULL;
}

static void
check_threads(void)
{
	pthread_t	thread[2];
	int			number[2] = {0, 1};
	int			i;

	for (i = 0; i < 3; i++)
		fill(in_threads[i], SIZE * SIZE);
	for (i = 0; i < 4; i++)
		product(i / 2, i % 2, right[i / 2][i % 2]);
	for (i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, multiply, &number[i]);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	CHECK(atomic_load(&wrong_products) == 0, "products in two threads");
}

static void
check_ssyrk(int n, int k, int pad)
{
	int			lda = n + pad;
	int			ldc = n + 2 * pad;
	float	   *a = malloc(sizeof(float) * (size_t) (k * lda));
	float	   *c = malloc(sizeof(float) * (size_t) (n * ldc));
	double		worst = 0;
	int			touched = 0;
	int			i;
	int			j;
	int			l;

	fill(a, k * lda);
	for (i = 0; i < n * ldc; i++)
		c[i] = (float) (i % 7);
	CHECK(gs_ssyrk(n, k, a, lda, c, ldc), "ssyrk");
	for (i = 0; i < n; i++)
	{
		for (j = 0; j < ldc; j++)
		{
			double		sum = (i * ldc + j) % 7;

			if (j > i)
			{
				touched += c[i * ldc + j] != (float) sum;
				continue;
			}
			for (l = 0; l < k; l++)
				sum += (double) a[l * lda + i] * a[l * lda + j];
			worst = fmax(worst, fabs(sum - c[i * ldc + j]));
		}
	}
	CHECK_NEAR(worst, 0, 1e-4, "ssyrk adds to the lower triangle");
	CHECK(touched == 0, "ssyrk leaves the rest alone");
	free(a);
	free(c);
}

static void
check_cholesky(void)
{
	double		known[9] = {4, 99, 99, 12, 37, 99, -16, -43, 98};
	static const double factor[9] = {2, 0, 0, 6, 1, 0, -8, 5, 3};
	double		bad[4] = {1, 2, 2, 1};
	double		nan_low[4] = {1, 0, NAN, 1};
	double		nan_diagonal[4] = {NAN, 0, 0, 1};
	double		infinite[4] = {INFINITY, 0, 0, 1};
	double		zero[1] = {0};
	double		one[1] = {9};
	const int	n = 131;
	double	   *a = malloc(sizeof(double) * (size_t) (n * n));
	double	   *l = malloc(sizeof(double) * (size_t) (n * n));
	double		worst = 0;
	int			wrong = 0;
	int			i;
	int			j;
	int			k;

	CHECK(gs_cholesky(3, known), "Cholesky of a known matrix");
	for (i = 0; i < 9; i++)
		wrong += fabs(known[i] - factor[i]) > 1e-12;
	CHECK(wrong == 0, "gives the known factor, upper triangle zero");
	CHECK(gs_cholesky(1, one) && one[0] == 3, "Cholesky of 1 by 1");

	for (i = 0; i < n; i++)
		for (j = 0; j <= i; j++)
			a[i * n + j] = a[j * n + i] = (i == j ? n : uniform());
	memcpy(l, a, sizeof(double) * (size_t) (n * n));
	CHECK(gs_cholesky(n, l), "Cholesky of 131 by 131");
	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++)
		{
			double		sum = 0;

			for (k = 0; k < n; k++)
				sum += l[i * n + k] * l[j * n + k];
			worst = fmax(worst, fabs(sum - a[i * n + j]));
		}
	CHECK_NEAR(worst, 0, 1e-11, "L L^T is the matrix");

	CHECK(!gs_cholesky(2, bad), "an indefinite matrix is refused");
	CHECK(!gs_cholesky(1, zero), "a zero matrix is refused");
	CHECK(!gs_cholesky(2, nan_low), "NaN is refused");
	CHECK(!gs_cholesky(2, nan_diagonal), "NaN on the diagonal is refused");
	CHECK(!gs_cholesky(2, infinite), "infinity is refused");
	free(a);
	free(l);
}

/*
 * A correlation matrix of n columns: that of a few random factors, which is
 * positive definite, plus noise, which may make it indefinite.
 */
static double *
random_correlation(int n, double disturbance)
{
	const int	factors = 5;
	double	   *load = malloc(sizeof(double) * (size_t) (n * factors));
	double	   *a = malloc(sizeof(double) * (size_t) (n * n));
	int			i;
	int			j;
	int			k;

	for (i = 0; i < n; i++)
	{
		double		norm = 0;

		for (k = 0; k < factors; k++)
		{
			load[i * factors + k] = uniform();
			norm += load[i * factors + k] * load[i * factors + k];
		}
		for (k = 0; k < factors; k++)
			load[i * factors + k] *= sqrt(0.9 / norm);
	}
	for (i = 0; i < n; i++)
	{
		a[i * n + i] = 1;
		for (j = 0; j < i; j++)
		{
			double		sum = disturbance * uniform();

			for (k = 0; k < factors; k++)
				sum += load[i * factors + k] * load[j * factors + k];
			a[i * n + j] = a[j * n + i] = fmax(-1, fmin(1, sum));
		}
	}
	free(load);
	return a;
}

static void
check_repair(int n, double disturbance)
{
	size_t		bytes = sizeof(double) * (size_t) n * (size_t) n;
	double	   *a = random_correlation(n, 0);
	double	   *copy = malloc(bytes);
	double		least = INFINITY;
	double		change = 0;
	double		largest = 0;
	int			wrong = 0;
	int			i;
	int			j;
	char		name[80];

	memcpy(copy, a, bytes);
	snprintf(name, sizeof(name), "repair of a good matrix, n = %d", n);
	CHECK(gs_correlation_repair(n, a, 1e-4), name);
	CHECK(memcmp(a, copy, bytes) == 0, "leaves it untouched");
	free(a);

	a = random_correlation(n, disturbance);
	memcpy(copy, a, bytes);
	snprintf(name, sizeof(name), "a bad matrix, n = %d", n);
	CHECK(!gs_cholesky(n, copy), name);
	memcpy(copy, a, bytes);
	CHECK(gs_correlation_repair(n, a, 1e-4), "is repaired");
	for (i = 0; i < n; i++)
	{
		wrong += a[i * n + i] != 1;
		for (j = 0; j < i; j++)
		{
			wrong += a[i * n + j] != a[j * n + i];
			wrong += !(fabs(a[i * n + j]) <= 1);
			change = fmax(change, fabs(a[i * n + j] - copy[i * n + j]));
			largest = fmax(largest, fabs(a[i * n + j]));
		}
	}
	CHECK(wrong == 0, "is symmetric, with unit diagonal");
	printf("# n = %d: largest change %g, largest left %g\n", n, change,
		   largest);
	CHECK(change < 0.75 && largest > 0.2, "is still like it was");
	CHECK(gs_cholesky(n, a), "is positive definite");
	for (i = 0; i < n; i++)
		least = fmin(least, a[i * n + i] * a[i * n + i]);
	CHECK(least > 2e-5, "no column is determined by the others");
	free(a);
	free(copy);
}

/* The smallest shrinkage is found, not just any. */
static void
check_shrinkage(void)
{
	const int	n = 600;
	double	   *a = calloc((size_t) (n * n), sizeof(double));
	int			i;

	/* three columns with r = -0.6 are positive definite from r > -0.5 on */
	for (i = 0; i < n; i++)
		a[i * n + i] = 1;
	a[1] = a[2] = a[n] = a[n + 2] = a[2 * n] = a[2 * n + 1] = -0.6;
	a[10 * n + 20] = a[20 * n + 10] = 0.9;
	CHECK(gs_correlation_repair(n, a, 1e-4), "repair of three bad columns");
	CHECK_NEAR(a[n], -0.5, 0.001, "shrinks them to the limit");
	CHECK_NEAR(a[10 * n + 20], 0.9 * 5 / 6, 0.001, "and all others alike");
	free(a);
}

static void
check_arguments(void)
{
	float		f[16] = {0};
	float		g[2];
	double		d[16] = {1, 0, 0, 1};
	double		bad[4] = {1, NAN, NAN, 1};

	CHECK(!gs_sgemm(0, 1, 1, f, 1, f, 1, f, 1) &&
		  !gs_sgemm(1, -1, 1, f, 1, f, 1, f, 1) &&
		  !gs_sgemm(1, 1, 0, f, 1, f, 1, f, 1), "sgemm wants sizes above 0");
	CHECK(!gs_sgemm(2, 2, 2, f, 1, f, 2, f, 2) &&
		  !gs_sgemm(2, 2, 2, f, 2, f, 1, f, 2) &&
		  !gs_sgemm(2, 2, 2, f, 2, f, 2, f, 1),
		  "sgemm wants rows that fit");
	CHECK(!gs_sgemm_add(true, false, 2, 2, 2, 1, f, 1, f, 2, 0, f, 2) &&
		  !gs_sgemm_add(false, true, 2, 2, 3, 1, f, 3, f, 2, 0, f, 2) &&
		  gs_sgemm_add(true, false, 2, 1, 3, 1, f, 2, f, 1, 0, g, 1),
		  "transposed matrices have other leading dimensions");
	CHECK(!gs_dgemm_add(true, false, 2, 2, 2, 1, d, 1, d, 2, 0, d, 2) &&
		  !gs_dgemm_add(false, true, 2, 2, 3, 1, d, 3, d, 2, 0, d, 2) &&
		  !gs_dgemm_add(false, false, 0, 2, 3, 1, d, 3, d, 2, 0, d, 2),
		  "dgemm_add checks them, too");
	CHECK(!gs_sgemm(INT_MAX, 1, 2, f, 2, f, 1, f, 1),
		  "sgemm refuses an overflow");
	CHECK(!gs_sgemm(1, 1, 1, NULL, 1, f, 1, f, 1), "sgemm refuses NULL");
	CHECK(!gs_ssyrk(0, 1, f, 1, f, 1) && !gs_ssyrk(1, 0, f, 1, f, 1) &&
		  !gs_ssyrk(2, 1, f, 1, f, 2) && !gs_ssyrk(2, 1, f, 2, f, 1) &&
		  !gs_ssyrk(65536, 1, f, 65536, f, 65536),
		  "ssyrk checks its arguments");
	CHECK(!gs_cholesky(0, d) && !gs_cholesky(-3, d) &&
		  !gs_cholesky(65536, d) && !gs_cholesky(1, NULL),
		  "Cholesky checks its arguments");
	CHECK(!gs_correlation_repair(0, d, 1e-4) &&
		  !gs_correlation_repair(65536, d, 1e-4) &&
		  !gs_correlation_repair(2, d, 0) &&
		  !gs_correlation_repair(2, d, 1) &&
		  !gs_correlation_repair(2, d, NAN), "repair checks its arguments");
	CHECK(!gs_correlation_repair(2, bad, 1e-4), "repair refuses NaN");
}

int
main(void)
{
	gs_random_start(&noise, 20, 1, 1);
	gs_blas_init();

	check_sgemm(1, 1, 1, 0);
	check_sgemm(3, 5, 7, 0);
	check_sgemm(17, 33, 65, 3);
	check_gemms_add();
	check_threads();
	check_ssyrk(1, 1, 0);
	check_ssyrk(5, 3, 2);
	check_ssyrk(37, 101, 3);
	check_cholesky();
	check_repair(40, 0.3);
	check_repair(600, 0.02);
	check_shrinkage();
	check_arguments();

	return test_done();
}
