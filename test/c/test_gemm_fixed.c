/*
 * test_gemm_fixed.c
 *	  Products in fixed-point arithmetic against plain loops.  Where the
 *	  processor has none, floats are tested instead, and the test says so.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/numeric/blas.h"
#include "../../src/numeric/gemm_fixed.h"
#include "../../src/numeric/philox.h"
#include "test.h"

static GsRandom noise;
static bool fixed;				/* what is tested; else floats */

/* of mean 0, with heavy tails */
static float
draw(void)
{
	double		u = 2 * gs_random_uniform(&noise) - 1;

	return (float) (u / (1.02 - fabs(u)));
}

typedef struct Product
{
	bool		ta;
	bool		tb;
	int			m;
	int			n;
	int			k;
	int			lda;
	int			ldb;
	int			ldc;
	float	   *a;
	float	   *b;
	float	   *c;
	const float *rounded;		/* op(B), or NULL */
} Product;

/* What a product is added to. */
typedef enum Base
{
	NOTHING,
	ITSELF,						/* C */
	ROW							/* one for all rows */
} Base;

static Product
make(bool ta, bool tb, int m, int n, int k)
{
	Product		p = {.ta = ta,.tb = tb,.m = m,.n = n,.k = k,
		.lda = (ta ? m : k) + 1,.ldb = (tb ? k : n) + 2,.ldc = n + 3
	};
	int			na = (ta ? k : m) * p.lda;
	int			nb = (tb ? n : k) * p.ldb;

	p.a = malloc(sizeof(float) * (size_t) na);
	p.b = malloc(sizeof(float) * (size_t) nb);
	p.c = malloc(sizeof(float) * (size_t) (m * p.ldc));
	for (int i = 0; i < na; i++)
		p.a[i] = draw();
	for (int i = 0; i < nb; i++)
		p.b[i] = draw();
	for (int i = 0; i < m * p.ldc; i++)
		p.c[i] = NAN;
	return p;
}

static void
drop(Product *p)
{
	free(p->a);
	free(p->b);
	free(p->c);
}

/* element j of what a product is added to */
static float
base_at(int j)
{
	return (float) (j % 7);
}

/*
 * Computes it; with ITSELF, C holds what it is added to.
 */
static bool
compute_with(const Product *p, Base base, const GsRowWork *work)
{
	static float row[2048];

	for (int j = 0; j < 2048; j++)
		row[j] = base_at(j);
	return gs_sgemm_fixed(&(GsProduct) {
						  .transpose_a = p->ta,.transpose_b = p->tb,
						  .m = p->m,.n = p->n,.k = p->k,
						  .a = p->a,.lda = p->lda,.b = p->b,.ldb = p->ldb,
						  .rounded = p->rounded,
						  .base = base == ROW ? row :
						  base == ITSELF ? p->c : NULL,
						  .ldbase = base == ITSELF ? p->ldc : 0,
						  .c = p->c,.ldc = p->ldc,.work = work});
}

static bool
compute(const Product *p, Base base)
{
	return compute_with(p, base, NULL);
}

static void
put_base(const Product *p)
{
	for (int i = 0; i < p->m; i++)
		for (int j = 0; j < p->n; j++)
			p->c[i * p->ldc + j] = base_at(j);
}

static float *
at_a(const Product *p, int i, int l)
{
	return p->a + (p->ta ? l * p->lda + i : i * p->lda + l);
}

static float *
at_b(const Product *p, int l, int j)
{
	return p->b + (p->tb ? j * p->ldb + l : l * p->ldb + j);
}

/*
 * Errors relative to the norms of an element's row and column: their root mean
 * square, and the largest.
 */
static void
check_product(bool ta, bool tb, int m, int n, int k, Base base)
{
	Product		p = make(ta, tb, m, n, k);
	double		squares = 0;
	double		worst = 0;
	bool		touched = false;

	if (base == ITSELF)
		put_base(&p);
	CHECK(compute(&p, base), "sgemm_fixed");
	for (int i = 0; i < m; i++)
	{
		for (int j = 0; j < n; j++)
		{
			double		sum = base == NOTHING ? 0 : base_at(j);
			double		aa = 0;
			double		bb = 0;
			double		error;

			for (int l = 0; l < k; l++)
			{
				double		x = *at_a(&p, i, l);
				double		y = *at_b(&p, l, j);

				sum += x * y;
				aa += x * x;
				bb += y * y;
			}
			error = (p.c[i * p.ldc + j] - sum) / sqrt(aa * bb);
			squares += error * error;
			worst = !(fabs(error) <= worst) ? fabs(error) : worst;
		}
		for (int j = n; j < p.ldc; j++)
			touched |= !isnan(p.c[i * p.ldc + j]);
	}
	CHECK_NEAR(sqrt(squares / m / n), 0, 1.5e-5, "errors are small");
	CHECK_NEAR(worst, 0, 1e-4, "no error is large");
	CHECK(!touched, "padding is left alone");
	drop(&p);
}

static void
check_products(void)
{
	for (int i = 0; i < 4; i++)
	{
		check_product(i & 1, i & 2, 1, 32, 32, NOTHING);
		check_product(i & 1, i & 2, 5, 33, 35, ITSELF);
		check_product(i & 1, i & 2, 14, 31, 64, NOTHING);
		check_product(i & 1, i & 2, 150, 130, 140, ROW);
		check_product(i & 1, i & 2, 13, 530, 401, ITSELF);
		check_product(i & 1, i & 2, 270, 39, 70, ROW);
		check_product(i & 1, i & 2, 260, 128, 390, NOTHING);
		check_product(i & 1, i & 2, 31, 256, 256, ITSELF);
		check_product(i & 1, i & 2, 3, 1030, 800, ROW);
		for (int m = 1; m <= 15; m++)
		{
			check_product(i & 1, i & 2, m, 40, 33, NOTHING);
			check_product(i & 1, i & 2, m, 64, 36, ITSELF);
		}
	}
}

/*
 * Vectors that point the same way give the largest sums.
 */
static void
check_extremes(void)
{
	for (int way = 0; way < 4; way++)
	{
		Product		p = make(way & 1, way & 2, 20, 40, 384);
		double		worst = 0;
		int			zeros = 0;

		for (int l = 0; l < p.k; l++)
		{
			for (int i = 0; i < p.m; i++)
				*at_a(&p, i, l) = i == 3 ? 0 : i == 4 ? (l == 5) * 1e15f :
					i % 2 ? -2.5f : 2.5f;
			for (int j = 0; j < p.n; j++)
				*at_b(&p, l, j) = j == 7 ? 0 : j == 8 ? (l == 5) * 1e-15f : 3;
		}
		compute(&p, NOTHING);
		for (int i = 0; i < p.m; i++)
			for (int j = 0; j < p.n; j++)
			{
				double		a = i == 4 ? 1e15 : i % 2 ? -2.5 : 2.5;
				double		b = j == 8 ? 1e-15 : 3;
				double		sum = a * b * (i == 4 || j == 8 ? 1 : 384);
				double		c = p.c[i * p.ldc + j];

				double		error = fabs(c / sum - 1);

				if (i == 3 || j == 7)
					zeros += c == 0;
				else
					worst = !(error <= worst) ? error : worst;
			}
		CHECK(zeros == 59, "products with zero are zero");
		CHECK_NEAR(worst, 0, 2e-5 * sqrt(384), "no sum overflows");
		drop(&p);
	}
}

/*
 * Vectors that are too short for their norm to be known count as zero, and
 * those too long for it make no finite numbers.
 */
static void
check_lengths(void)
{
	for (int way = 0; way < 4; way++)
	{
		Product		p = make(way & 1, way & 2, 3, 40, 384);
		int			wrong = 0;

		for (int l = 0; l < p.k; l++)
		{
			for (int i = 0; i < p.m; i++)
				*at_a(&p, i, l) = i < 2 ? 1 : l == 7 ? 1e20f : 0;
			for (int j = 0; j < p.n; j++)
				*at_b(&p, l, j) = j == 0 ? (l == 7 ? 4.56333e-21f : 0) :
					j == 1 ? (l == 7 ? 1.09e-19f : 1.05e-19f) :
					j == 2 ? (l == 7 ? -2e-15f : 0) : 1;
		}
		compute(&p, NOTHING);
		if (fixed)
			for (int i = 0; i < 2; i++)
			{
				wrong += p.c[i * p.ldc] != 0 || p.c[i * p.ldc + 1] != 0;
				wrong += !(fabs(p.c[i * p.ldc + 2] / -2e-15 - 1) < 1e-4);
			}
		for (int j = 3; fixed && j < p.n; j++)
			wrong += isfinite(p.c[2 * p.ldc + j]);
		CHECK(wrong == 0, "lengths beyond what floats can square");
		drop(&p);
	}
}

/*
 * What isn't finite stays so, and in its row or column.
 */
static void
check_not_finite(void)
{
	const float values[] = {NAN, INFINITY, -INFINITY};

	for (int way = 0; way < 4; way++)
		for (int v = 0; v < 3; v++)
		{
			Product		p = make(way & 1, way & 2, 20, 40, 33);
			int			wrong = 0;

			*at_a(&p, 2, 32) = values[v];
			*at_b(&p, 5, 35) = values[v];
			compute(&p, NOTHING);
			for (int i = 0; i < p.m; i++)
				for (int j = 0; j < p.n; j++)
					wrong += !isfinite(p.c[i * p.ldc + j]) !=
						(i == 2 || j == 35);
			CHECK(wrong == 0, "what isn't finite stays so");
			drop(&p);
		}
}

/*
 * Rows alone and in company.
 */
static void
check_rows(void)
{
	for (int tb = 0; tb < 2; tb++)
	{
		Product		p = make(false, tb, 45, 530, 400);
		float	   *c = p.c;
		int			different = 0;

		put_base(&p);
		compute(&p, ITSELF);
		p.c = malloc(sizeof(float) * (size_t) (p.m * p.ldc));
		put_base(&p);
		for (int first = 0, n = 1; first < p.m; first += n, n = n % 7 + 1)
		{
			Product		part = p;

			part.m = first + n > p.m ? p.m - first : n;
			part.a += first * p.lda;
			part.c += first * p.ldc;
			compute(&part, ITSELF);
		}
		for (int i = 0; i < p.m; i++)
			different += memcmp(p.c + i * p.ldc, c + i * p.ldc,
								sizeof(float) * p.n) != 0;
		CHECK(different == 0, "a row depends on no other row");
		free(c);
		drop(&p);
	}
}

/* What was done with rows of a product. */
typedef struct Seen
{
	Product    *product;
	int			before;			/* rows so far */
	int			after;
	int			wrong;
} Seen;

static void
see_before(void *arg, int first, int rows)
{
	Seen	   *seen = arg;

	seen->wrong += first != seen->before || rows < 1;
	seen->before += rows;
	for (int i = first; i < first + rows; i++)
		for (int j = 0; j < seen->product->n; j++)
			seen->product->c[i * seen->product->ldc + j] = (float) j;
}

static void
see_after(void *arg, int first, int rows)
{
	Seen	   *seen = arg;

	seen->wrong += first != seen->after || first + rows > seen->before;
	seen->after += rows;
	for (int i = first; i < first + rows; i++)
		for (int j = 0; j < seen->product->n; j++)
			seen->product->c[i * seen->product->ldc + j] *= 2;
}

/*
 * Work on rows is done once with each, before and after all parts of its sum.
 */
static void
check_work(int m, int n, int k)
{
	Product		p = make(false, true, m, n, k);
	Seen		seen = {&p, 0, 0, 0};
	GsRowWork	work = {see_before, see_after, &seen};
	float	   *c = p.c;
	int			different = 0;

	for (int i = 0; i < m * p.ldc; i++)
		c[i] = (float) (i % p.ldc);
	compute(&p, ITSELF);
	p.c = malloc(sizeof(float) * (size_t) (m * p.ldc));
	CHECK(compute_with(&p, ITSELF, &work), "work on rows");
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++)
			different += p.c[i * p.ldc + j] != 2 * c[i * p.ldc + j];
	CHECK(seen.before == m && seen.after == m && seen.wrong == 0,
		  "each row once, in order");
	CHECK(different == 0, "before and after the product");
	p.ta = true;
	p.m = n < m ? n : m;
	p.k = 1;
	CHECK(!compute_with(&p, NOTHING, &work),
		  "a transposed A has no rows of C");
	free(c);
	drop(&p);
}

/*
 * Rounding B beforehand changes no bit, and stays within its room.
 */
static void
check_rounded(bool tb, int m, int n, int k)
{
	Product		p = make(false, tb, m, n, k);
	size_t		size = gs_gemm_rounded_size(n, k);
	float	   *room = malloc((size + 16) * sizeof(float));
	float	   *c = p.c;
	int			different = 0;

	CHECK((size > 0) == (fixed && n >= 32 && k >= 32), "what pays is rounded");
	compute(&p, ROW);
	for (size_t i = 0; i < size + 16; i++)
		room[i] = -12.5f;
	if (size > 0)
	{
		gs_gemm_round(tb, n, k, p.b, p.ldb, room);
		p.rounded = room;
	}
	p.c = malloc(sizeof(float) * (size_t) (m * p.ldc));
	compute(&p, ROW);
	for (int i = 0; i < m; i++)
		different += memcmp(p.c + i * p.ldc, c + i * p.ldc,
							sizeof(float) * (size_t) n) != 0;
	CHECK(different == 0, "the same bits with B rounded beforehand");
	different = 0;
	for (size_t i = size; i < size + 16; i++)
		different += room[i] != -12.5f;
	CHECK(different == 0, "rounding stays within its room");
	free(room);
	free(c);
	drop(&p);
}

int
main(void)
{
	Product		p;

	gs_random_start(&noise, 1, 2, 3);
	p = make(false, false, 2, 64, 64);
	fixed = gs_gemm_rounded_size(64, 64) > 0;
	if (!fixed)
		printf("# this processor has no fixed-point products\n");
#if defined(__x86_64__) && defined(__GNUC__)
	CHECK(fixed == (__builtin_cpu_supports("avx512vnni") &&
					__builtin_cpu_supports("avx512bw")),
		  "they are used where the processor has them");
#endif
	gs_gemm_fixed_point = false;
	CHECK(!gs_gemm_fixed(&(GsProduct) {.m = 2,.n = 64,.k = 64}) &&
		  gs_gemm_rounded_size(64, 64) == 0,
		  "fixed point can be switched off");
	check_product(false, true, 5, 33, 35, ITSELF);
	check_product(false, false, 5, 33, 35, ROW);
	gs_gemm_fixed_point = true;
	p.lda = 63;
	CHECK(!compute(&p, NOTHING), "sgemm_fixed wants rows that fit");
	drop(&p);
	check_products();
	check_extremes();
	check_lengths();
	check_not_finite();
	check_rows();
	check_work(45, 530, 400);
	check_work(45, 20, 40);
	for (int tb = 0; tb < 2; tb++)
	{
		check_rounded(tb, 3, 32, 32);
		check_rounded(tb, 15, 40, 400);
		check_rounded(tb, 20, 1100, 801);
		check_rounded(tb, 20, 513, 385);
		check_rounded(tb, 2, 31, 64);
	}
	return test_done();
}
