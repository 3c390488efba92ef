/*
 * test_gemm.c
 *	  Products of floats against plain loops, with vectors of all lengths that
 *	  this processor has: to the bit.
 */
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/numeric/clones.h"
#include "../../src/numeric/gemm.h"
#include "../../src/numeric/philox.h"
#include "test.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#define DEPTH	384				/* as gemm.c has it */
#define TURNED	128				/* most columns of C as a transpose */

static GsRandom noise;

typedef float (*Draw) (void);

/* of mean 0, with heavy tails */
static float
usual(void)
{
	double		u = 2 * gs_random_uniform(&noise) - 1;

	return (float) (u / (1.02 - fabs(u)));
}

/* few bits, so that sums cancel each other, or nearly, and ties are met */
static float
crafty(void)
{
	int			exponent = (int) gs_random_below(&noise, 24) - 12;
	int			mantissa = (int) gs_random_below(&noise, 9) - 4;

	return (float) ldexp(mantissa + (gs_random_below(&noise, 4) == 0 ?
									 ldexp(1, -22) : 0), exponent);
}

/* any float but a NaN, most of them very large or small */
static float
wild(void)
{
	uint32_t	bits = gs_random_u32(&noise);
	float		x;

	memcpy(&x, &bits, sizeof(x));
	return isnan(x) ? 0 : x;
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
} Product;

/* What a product is added to. */
typedef enum Base
{
	NOTHING,
	ITSELF,						/* C */
	ROW							/* one for all rows */
} Base;

static Product
make(bool ta, bool tb, int m, int n, int k, Draw draw)
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
	return gs_sgemm(&(GsProduct) {
					.transpose_a = p->ta,.transpose_b = p->tb,
					.m = p->m,.n = p->n,.k = p->k,
					.a = p->a,.lda = p->lda,.b = p->b,.ldb = p->ldb,
					.base = base == ROW ? row : base == ITSELF ? p->c : NULL,
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

static float
at_a(const Product *p, int i, int l)
{
	return p->a[p->ta ? l * p->lda + i : i * p->lda + l];
}

static float
at_b(const Product *p, int l, int j)
{
	return p->b[p->tb ? j * p->ldb + l : l * p->ldb + j];
}

/*
 * An element of C as it is defined: fused multiply-adds along k in their
 * order, from zero on, in parts that are added to the base one by one, or
 * first to each other.
 */
static float
element(const Product *p, Base base, int i, int j)
{
	int			parts = (p->k + DEPTH - 1) / DEPTH;
	int			depth = (p->k + parts - 1) / parts;
	bool		turned = p->ta && !p->tb && p->n < p->m && p->n <= TURNED;
	float		from = base == NOTHING ? 0 : base_at(j);
	float		all = turned ? 0 : from;

	for (int first = 0; first < p->k; first += depth)
	{
		float		sum = 0;

		for (int l = first; l < first + depth && l < p->k; l++)
			sum = fmaf(at_a(p, i, l), at_b(p, l, j), sum);
		all += sum;
	}
	return turned ? from + all : all;
}

/*
 * A product, with vectors of each length.
 */
static void
check_bits(const Product *p, Base base)
{
	int			n = p->n;
	float	   *expected = malloc(sizeof(float) * (size_t) (p->m * n));

	for (int i = 0; i < p->m; i++)
		for (int j = 0; j < n; j++)
			expected[i * n + j] = element(p, base, i, j);
	for (gs_max_lanes = 4; gs_max_lanes <= 16; gs_max_lanes *= 2)
	{
		int			wrong = 0;
		bool		touched = false;

		if (base == ITSELF)
			put_base(p);
		wrong += !compute(p, base);
		for (int i = 0; i < p->m; i++)
		{
			const float *c = p->c + i * p->ldc;

			for (int j = 0; j < n; j++)
				wrong += isnan(expected[i * n + j]) ? !isnan(c[j]) :
					memcmp(&c[j], &expected[i * n + j], sizeof(float)) != 0;
			for (int j = n; j < p->ldc; j++)
				touched |= !isnan(c[j]);
		}
		CHECK(wrong == 0, "each element is the sum that it should be");
		CHECK(!touched, "padding is left alone");
	}
	gs_max_lanes = 16;
	free(expected);
}

static void
check_product(bool ta, bool tb, int m, int n, int k, Base base, Draw draw)
{
	Product		p = make(ta, tb, m, n, k, draw);

	check_bits(&p, base);
	drop(&p);
}

/*
 * All ways to store the matrices; sizes below, at and above those of tiles and
 * panels, and of what is copied.
 */
static void
check_products(void)
{
	for (int i = 0; i < 4; i++)
	{
		bool		ta = i & 1;
		bool		tb = i & 2;

		check_product(ta, tb, 1, 1, 1, NOTHING, usual);
		check_product(ta, tb, 5, 33, 35, ITSELF, usual);
		check_product(ta, tb, 14, 31, 64, NOTHING, usual);
		check_product(ta, tb, 150, 130, 140, ROW, usual);
		check_product(ta, tb, 13, 530, 401, ITSELF, usual);
		check_product(ta, tb, 270, 39, 70, ROW, usual);
		check_product(ta, tb, 260, 128, 390, NOTHING, usual);
		check_product(ta, tb, 31, 256, 256, ITSELF, usual);
		check_product(ta, tb, 3, 1030, 800, ROW, usual);
		check_product(ta, tb, 300, 1, 90, ITSELF, usual);
		check_product(ta, tb, 131, 129, 65, ITSELF, usual);
		check_product(ta, tb, 3, 5, 1100, ROW, usual);
		check_product(ta, tb, 1100, 3, 5, ITSELF, usual);
		for (int n = 1; n <= 17; n++)
		{
			check_product(ta, tb, 35, n, 83, ITSELF, usual);
			check_product(ta, tb, 35, 83, n, NOTHING, usual);
			check_product(ta, tb, n, 64, 70, ROW, usual);
		}
	}
}

/*
 * Sums that are hard to round: where there are no fused multiply-adds they are
 * made of doubles.
 */
static void
check_rounding(void)
{
	for (int round = 0; round < 20; round++)
	{
		check_product(false, false, 50, 70, 3, NOTHING, crafty);
		check_product(false, true, 40, 70, 20, NOTHING, crafty);
		check_product(false, false, 50, 70, 2, NOTHING, wild);
		check_product(false, false, 50, 70, 6, NOTHING, wild);
	}
#if defined(__SSE__)
	/* as models are sampled: floats below the normal ones are zero */
	_mm_setcsr(_mm_getcsr() | 0x8040);
	for (int round = 0; round < 20; round++)
		check_product(false, false, 50, 70, 2, NOTHING, wild);
	_mm_setcsr(_mm_getcsr() & ~0x8040u);
#endif
}

/*
 * Sums below the normal floats that are nearly halfway between two of them,
 * and just halfway in double precision.
 */
static void
check_subnormal(void)
{
	Product		p = make(false, false, 50, 70, 2, usual);
	const float ulp = 0x1p-23f;

	for (int i = 0; i < p.m; i++)
	{
		p.a[i * p.lda] = (float) (2 * gs_random_below(&noise, 1 << 21) + 1) *
			0x1p-75f;
		p.a[i * p.lda + 1] = (i % 2 ? 1 + ulp : 1 - ulp) * 0x1p-75f;
	}
	for (int j = 0; j < p.n; j++)
	{
		p.b[j] = 0x1p-74f;
		p.b[p.ldb + j] = (j % 2 ? 1 + ulp : 1 - ulp) *
			(j % 3 ? 0x1p-75f : -0x1p-75f);
	}
	check_bits(&p, NOTHING);
	drop(&p);
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
			Product		p = make(way & 1, way & 2, 20, 40, 33, usual);
			int			wrong = 0;

			p.a[p.ta ? 32 * p.lda + 2 : 2 * p.lda + 32] = values[v];
			p.b[p.tb ? 35 * p.ldb + 5 : 5 * p.ldb + 35] = values[v];
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
		Product		p = make(false, tb, 45, 530, 400, usual);
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
								sizeof(float) * (size_t) p.n) != 0;
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
	Product		p = make(false, true, m, n, k, usual);
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

static bool
refused(bool ta, bool tb, int m, int n, int k, const float *a, int lda,
		const float *b, int ldb, float *c, int ldc)
{
	return !gs_sgemm(&(GsProduct) {
					 .transpose_a = ta,.transpose_b = tb,.m = m,.n = n,.k = k,
					 .a = a,.lda = lda,.b = b,.ldb = ldb,.c = c,.ldc = ldc});
}

static void
check_arguments(void)
{
	float		f[16] = {0};
	float		g[2];

	CHECK(refused(false, false, 0, 1, 1, f, 1, f, 1, g, 1) &&
		  refused(false, false, 1, -1, 1, f, 1, f, 1, g, 1) &&
		  refused(false, false, 1, 1, 0, f, 1, f, 1, g, 1),
		  "sizes are above 0");
	CHECK(refused(false, false, 2, 2, 2, f, 1, f, 2, f + 8, 2) &&
		  refused(false, false, 2, 2, 2, f, 2, f, 1, f + 8, 2) &&
		  refused(false, false, 2, 2, 2, f, 2, f, 2, f + 8, 1),
		  "rows fit");
	CHECK(refused(true, false, 2, 2, 2, f, 1, f, 2, f + 8, 2) &&
		  refused(false, true, 2, 2, 3, f, 3, f, 2, f + 8, 2) &&
		  !refused(true, false, 2, 1, 3, f, 2, f, 1, g, 1),
		  "transposed matrices have other leading dimensions");
	CHECK(refused(false, false, INT_MAX, 1, 2, f, 2, f, 1, g, 1),
		  "no size overflows");
	CHECK(refused(false, false, 1, 1, 1, NULL, 1, f, 1, g, 1),
		  "there are matrices");
	CHECK(!gs_sgemm(&(GsProduct) {.m = 2,.n = 2,.k = 1,.a = f,.lda = 1,
					.b = f,.ldb = 2,.base = f,.ldbase = 1,
					.c = f + 8,.ldc = 2}),
		  "a base's rows fit");
}

int
main(void)
{
	gs_random_start(&noise, 1, 2, 3);
	check_products();
	check_rounding();
	check_subnormal();
	check_not_finite();
	check_rows();
	check_work(45, 530, 400);
	check_work(45, 20, 40);
	check_arguments();
	return test_done();
}
