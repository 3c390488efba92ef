/*
 * blas.c
 *	  The only door to OpenBLAS and LAPACK.
 *
 * The Fortran symbols are declared here: every BLAS has them, and Debian's
 * OpenBLAS comes without LAPACKE.  Fortran reads matrices by columns, so our
 * row-major matrix is its transpose, and our lower triangle its upper one.
 *
 * Plain C: no postgres.h.
 */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "blas.h"
#include "clones.h"
#include "gemm.h"

/*
 * The lengths of character arguments are hidden arguments at the end.
 * OpenBLAS's own routines are C and ignore them, but reference LAPACK, parts
 * of which OpenBLAS carries, is Fortran, and may use them.
 */
extern void dgemm_(const char *transa, const char *transb, const int *m,
				   const int *n, const int *k, const double *alpha,
				   const double *a, const int *lda, const double *b,
				   const int *ldb, const double *beta, double *c,
				   const int *ldc, size_t len_transa, size_t len_transb);
extern void dsyrk_(const char *uplo, const char *trans, const int *n,
				   const int *k, const double *alpha, const double *a,
				   const int *lda, const double *beta, double *c,
				   const int *ldc, size_t len_uplo, size_t len_trans);
extern void dsyevd_(const char *jobz, const char *uplo, const int *n,
					double *a, const int *lda, double *w, double *work,
					const int *lwork, int *iwork, const int *liwork,
					int *info, size_t len_jobz, size_t len_uplo);
extern int	openblas_get_parallel(void);
extern void openblas_set_num_threads(int threads);

/*
 * Debian's serial OpenBLAS (0.3.21) may give two threads the same buffer:
 * where they enter it at the same moment, results are wrong.  So one enters
 * at a time.  What threads need, and what models are sampled with, does
 * without it: gemm.c, gs_cholesky.
 */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

/*
 * OpenBLAS maps one buffer when it is first needed (32 to 128 MB, by the
 * processor; up to 256 MB on POWER, by its version), keeps it, and tries for
 * ever where it cannot.
 */
#if defined(__powerpc__)
#define BUFFER_SIZE	((size_t) 264 << 20)
#else
#define BUFFER_SIZE	((size_t) 136 << 20)
#endif

static bool has_buffer = false;

/* largest matrix whose eigenvectors are computed: about 0.1 s */
#define MAX_EIGEN_SIZE	512

#define LANES		16			/* of sums */

/* halvings of the interval of shrinkage: a resolution of 1/4096 */
#define SHRINK_TRIALS	12

/*
 * gs_blas_init
 *
 * To be called once, before any other function here.  A backend must not have
 * threads that it doesn't control, so a threaded OpenBLAS is told to work in
 * the caller's.  Cannot fail.
 */
void
gs_blas_init(void)
{
	if (openblas_get_parallel() != 0)
		openblas_set_num_threads(1);
}

/*
 * gs_blas_prepare
 *
 * Sees to it that OpenBLAS has its buffer: maps as much to see whether there is
 * the address space, and, as nobody else takes it in between, lets OpenBLAS
 * have it.  Returns false if there is not; every function here that needs
 * OpenBLAS does, too, then.  May be called at any time.
 */
bool
gs_blas_prepare(void)
{
	bool		prepared;

	pthread_mutex_lock(&gate);
	if (!has_buffer)
	{
		void	   *probe = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE,
								 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (probe != MAP_FAILED)
		{
			const int	n = 2;
			const double one = 1.0;
			const double a[4] = {1, 0, 0, 1};
			double		c[4] = {0};

			munmap(probe, BUFFER_SIZE);
			dsyrk_("U", "N", &n, &n, &one, a, &n, &one, c, &n, 1, 1);
			has_buffer = true;
		}
	}
	prepared = has_buffer;
	pthread_mutex_unlock(&gate);
	return prepared;
}

/*
 * Lets the caller in to OpenBLAS; false if it has no buffer.
 */
static bool
enter_blas(void)
{
	if (!gs_blas_prepare())
		return false;
	pthread_mutex_lock(&gate);
	return true;
}

static void
leave_blas(void)
{
	pthread_mutex_unlock(&gate);
}

/*
 * gs_dgemm_add
 *
 * C = alpha op(A) op(B) + beta C in double precision, by OpenBLAS, one thread
 * at a time; op(A) and op(B) as GsProduct has them.  With beta 0, C's former
 * contents are not read.  C must not overlap A or B.
 *
 * Returns false, with C untouched, for the reasons that gs_sgemm has, or if
 * OpenBLAS has no buffer.
 */
bool
gs_dgemm_add(bool transpose_a, bool transpose_b, int m, int n, int k,
			 double alpha, const double *a, int lda, const double *b, int ldb,
			 double beta, double *c, int ldc)
{
	if (!gs_matrix_valid(a, transpose_a ? k : m, transpose_a ? m : k, lda) ||
		!gs_matrix_valid(b, transpose_b ? n : k, transpose_b ? k : n, ldb) ||
		!gs_matrix_valid(c, m, n, ldc))
		return false;

	if (!enter_blas())
		return false;
	/* in Fortran's eyes, C' = op(B)' op(A)' */
	dgemm_(transpose_b ? "T" : "N", transpose_a ? "T" : "N", &n, &m, &k,
		   &alpha, b, &ldb, a, &lda, &beta, c, &ldc, 1, 1);
	leave_blas();
	return true;
}

/*
 * The sum of a[i] b[i], in lanes that are added up in a fixed order.
 */
GS_CLONES static double
dot(const double *a, const double *b, int n)
{
	typedef double Lanes __attribute__((vector_size(LANES * sizeof(double))));
	Lanes		sums = {0};
	double		lane[LANES];
	int			i = 0;

	for (; i + LANES <= n; i += LANES)
	{
		Lanes		x;
		Lanes		y;

		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		sums += x * y;
	}
	memcpy(lane, &sums, sizeof(lane));
	for (int half = LANES / 2; half > 0; half /= 2)
		for (int l = 0; l < half; l++)
			lane[l] += lane[l + half];
	for (; i < n; i++)
		lane[0] += a[i] * b[i];
	return lane[0];
}

/*
 * gs_cholesky
 *
 * In place of the symmetric matrix a, double[n][n] row-major, of which only
 * the lower triangle is read, puts its Cholesky factor: the lower triangular
 * L with L L^T = a, the rest being zero.  Conditions of stored models are
 * factored, so this is our own: the same bits on every processor.
 *
 * Returns false, with the contents of "a" undefined, if "a" isn't positive
 * definite or has a lower triangle that isn't finite, if "a" is NULL or if n
 * is below 1 or has a square above INT_MAX.
 */
bool
gs_cholesky(int n, double *a)
{
	size_t		size = (size_t) n;

	if (!gs_matrix_valid(a, n, n, n))
		return false;
	for (int i = 0; i < n; i++)
	{
		double	   *row = a + i * size;

		for (int j = 0; j < i; j++)
			row[j] = (row[j] - dot(row, a + j * size, j)) / a[j * size + j];
		row[i] -= dot(row, row, i);
		/* false for a NaN, which any element that isn't finite leads to */
		if (!(row[i] > 0 && row[i] <= DBL_MAX))
			return false;
		row[i] = sqrt(row[i]);
		for (int j = i + 1; j < n; j++)
			row[j] = 0;
	}
	return true;
}

/*
 * True if the symmetric matrix a, double[n][n], with its off-diagonal elements
 * multiplied by "keep", has a Cholesky factor, and no column's variance given
 * those before it is below "floor".  "work" is double[n][n] of scratch.
 */
static bool
is_definite(int n, const double *a, double keep, double floor, double *work)
{
	size_t		size = (size_t) n;
	size_t		i;
	size_t		j;

	for (i = 0; i < size; i++)
	{
		for (j = 0; j < i; j++)
			work[i * size + j] = keep * a[i * size + j];
		work[i * size + i] = a[i * size + i];
	}
	if (!gs_cholesky(n, work))
		return false;
	for (i = 0; i < size; i++)
	{
		double		pivot = work[i * size + i];

		if (pivot * pivot < floor)
			return false;
	}
	return true;
}

/*
 * Clips the eigenvalues of the symmetric matrix a, double[n][n], at "floor"
 * and rescales it to unit diagonal.  "vectors" is double[n][n] of scratch.
 * Returns false, with "a" untouched, if LAPACK fails or memory is out.
 */
static bool
clip_eigenvalues(int n, double *a, double floor, double *vectors)
{
	const double one = 1.0;
	const double zero = 0.0;
	size_t		size = (size_t) n;
	int			lwork = 1 + 6 * n + 2 * n * n;
	int			liwork = 3 + 5 * n;
	double	   *values = malloc(size * sizeof(double));
	double	   *work = malloc((size_t) lwork * sizeof(double));
	int		   *iwork = malloc((size_t) liwork * sizeof(int));
	int			info = -1;
	size_t		i;
	size_t		j;

	if (values != NULL && work != NULL && iwork != NULL && enter_blas())
	{
		memcpy(vectors, a, size * size * sizeof(double));
		dsyevd_("V", "U", &n, vectors, &n, values, work, &lwork, iwork,
				&liwork, &info, 1, 1);
		leave_blas();
	}

	if (info == 0)
	{
		/* eigenvector i is our row i */
		for (i = 0; i < size; i++)
		{
			double		scale = sqrt(values[i] > floor ? values[i] : floor);

			for (j = 0; j < size; j++)
				vectors[i * size + j] *= scale;
		}
		/* it was there a moment ago */
		(void) enter_blas();
		dsyrk_("U", "N", &n, &n, &one, vectors, &n, &zero, a, &n, 1, 1);
		leave_blas();

		for (i = 0; i < size; i++)
			values[i] = 1.0 / sqrt(a[i * size + i]);
		for (i = 0; i < size; i++)
		{
			for (j = 0; j < i; j++)
			{
				a[i * size + j] *= values[i] * values[j];
				a[j * size + i] = a[i * size + j];
			}
			a[i * size + i] = 1.0;
		}
	}

	free(values);
	free(work);
	free(iwork);
	return info == 0;
}

/*
 * gs_correlation_repair
 *
 * Makes a correlation matrix of one that was estimated pair by pair and may
 * be indefinite.  "a" is double[n][n], row-major, symmetric, with ones on the
 * diagonal; "floor", in (0, 1), is the smallest variance that a column may
 * have given those before it.
 *
 * A matrix that has that already stays as it is, bit for bit.  Otherwise, up
 * to 512 columns, eigenvalues are clipped at "floor" and the matrix is
 * rescaled to unit diagonal (Rebonato and Jaeckel, "The most general
 * methodology to create a valid correlation matrix", Journal of Risk 2
 * (1999)), which may leave variances somewhat below "floor".  Beyond, all
 * correlations are shrunk by the smallest common factor that does, to 1/4096
 * (Higham, Strabic and Sego, "Restoring definiteness via shrinking", SIAM
 * Review 58 (2016)): an eigendecomposition of thousands of columns cannot be
 * interrupted, and takes minutes.  Either way the result is positive
 * definite, with unit diagonal.
 *
 * Returns false, with "a" untouched, if an element isn't finite, arguments
 * are out of range, LAPACK fails or memory is out.
 */
bool
gs_correlation_repair(int n, double *a, double floor)
{
	double	   *work;
	size_t		size;
	size_t		i;
	size_t		j;
	bool		ok = true;

	if (!gs_matrix_valid(a, n, n, n) || !(floor > 0 && floor < 1))
		return false;
	size = (size_t) n;
	if (size > SIZE_MAX / sizeof(double) / size)
		return false;

	for (i = 0; i < size * size; i++)
		if (!isfinite(a[i]))
			return false;

	work = malloc(size * size * sizeof(double));
	if (work == NULL)
		return false;

	if (!is_definite(n, a, 1.0, floor, work))
	{
		bool		shrink = n > MAX_EIGEN_SIZE;

		if (!shrink)
		{
			ok = clip_eigenvalues(n, a, floor, work);

			/* a floor near rounding error may not be enough */
			shrink = ok && !is_definite(n, a, 1.0, 0.0, work);
		}

		if (shrink)
		{
			double		low = 0.0;
			double		high = 1.0; /* the identity, which needs no trial */
			int			trial;

			for (i = 0; i < size; i++)
				a[i * size + i] = 1.0;
			for (trial = 0; trial < SHRINK_TRIALS; trial++)
			{
				double		middle = 0.5 * (low + high);

				if (is_definite(n, a, 1.0 - middle, floor, work))
					high = middle;
				else
					low = middle;
			}
			for (i = 0; i < size; i++)
				for (j = 0; j < size; j++)
					if (i != j)
						a[i * size + j] *= 1.0 - high;
		}
	}

	free(work);
	return ok;
}
