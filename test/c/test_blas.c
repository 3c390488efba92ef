/*
 * test_blas.c
 *	  The BLAS seam against plain loops.
 */
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

/*
 * C = alpha op(A) op(B) + beta C against plain loops.
 */
static void
check_dgemm_add(bool ta, bool tb, int m, int n, int k, double alpha,
				double beta)
{
	int			lda = (ta ? m : k) + 1;
	int			ldb = (tb ? k : n) + 2;
	int			ldc = n + 3;
	double	   *a = malloc(sizeof(double) * (size_t) ((ta ? k : m) * lda));
	double	   *b = malloc(sizeof(double) * (size_t) ((tb ? n : k) * ldb));
	double	   *c = malloc(sizeof(double) * (size_t) (m * ldc));
	double		worst = 0;

	for (int i = 0; i < (ta ? k : m) * lda; i++)
		a[i] = uniform();
	for (int i = 0; i < (tb ? n : k) * ldb; i++)
		b[i] = uniform();
	for (int i = 0; i < m * ldc; i++)
		c[i] = beta == 0 ? NAN : i % 7;
	CHECK(gs_dgemm_add(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc),
		  "dgemm_add");
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++)
		{
			double		sum = 0;

			for (int l = 0; l < k; l++)
				sum += (ta ? a[l * lda + i] : a[i * lda + l]) *
					(tb ? b[j * ldb + l] : b[l * ldb + j]);
			sum *= alpha;
			if (beta != 0)
				sum += beta * ((i * ldc + j) % 7);
			if (isnan(c[i * ldc + j]))
				worst = INFINITY;
			worst = fmax(worst, fabs(sum - c[i * ldc + j]));
		}
	CHECK_NEAR(worst, 0, 1e-12, "equals plain loops");
	free(a);
	free(b);
	free(c);
}

/*
 * Products in two threads that begin at the same moment.  OpenBLAS's serial
 * build alone gets a few in a thousand wrong.
 */
#define SIZE	112
#define ROUNDS	3000

static float in_threads[3][SIZE * SIZE];
static double wide_in_threads[3][SIZE * SIZE];
static double right[2][2][SIZE * SIZE]; /* by function, by thread */
static atomic_int arrived;
static atomic_int wrong_products;

static void
product(int function, int thread, double *c)
{
	if (function == 0)
		gs_dgemm_add(false, false, SIZE, SIZE, SIZE, 1,
					 wide_in_threads[thread], SIZE, wide_in_threads[2], SIZE,
					 0, c, SIZE);
	else
		gs_sgemm(&(GsProduct) {
				 .transpose_a = true,.transpose_b = true,
				 .m = SIZE,.n = SIZE,.k = SIZE,
				 .a = in_threads[thread],.lda = SIZE,
				 .b = in_threads[2],.ldb = SIZE,
				 .c = (float *) c,.ldc = SIZE});
}

static void *
multiply(void *arg)
{
	int			thread = *(int *) arg;
	static double result[2][SIZE * SIZE];
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
				   sizeof(result[thread]) / (function == 0 ? 1 : 2)) != 0)
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
		for (int j = 0; j < SIZE * SIZE; j++)
			in_threads[i][j] = (float) (wide_in_threads[i][j] = uniform());
	for (i = 0; i < 4; i++)
		product(i / 2, i % 2, right[i / 2][i % 2]);
	for (i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, multiply, &number[i]);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	CHECK(atomic_load(&wrong_products) == 0, "products in two threads");
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
	double		min = INFINITY;
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
		min = fmin(min, a[i * n + i] * a[i * n + i]);
	CHECK(min > 2e-5, "no column is determined by the others");
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
	double		d[16] = {1, 0, 0, 1};
	double		bad[4] = {1, NAN, NAN, 1};

	CHECK(!gs_dgemm_add(true, false, 2, 2, 2, 1, d, 1, d, 2, 0, d, 2) &&
		  !gs_dgemm_add(false, true, 2, 2, 3, 1, d, 3, d, 2, 0, d, 2) &&
		  !gs_dgemm_add(false, false, 0, 2, 3, 1, d, 3, d, 2, 0, d, 2),
		  "dgemm_add checks its arguments");
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

	for (int i = 0; i < 4; i++)
	{
		check_dgemm_add(i & 1, i & 2, 5, 7, 3, 1, 0);
		check_dgemm_add(i & 1, i & 2, 33, 1, 65, 2, 1);
		check_dgemm_add(i & 1, i & 2, 130, 31, 140, -1, 0.5);
	}
	check_threads();
	check_cholesky();
	check_repair(40, 0.3);
	check_repair(600, 0.02);
	check_shrinkage();
	check_arguments();

	return test_done();
}
