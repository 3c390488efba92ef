/*
 * normal.c
 *	  The standard normal distribution.
 *
 * The scalar functions are good to about full double precision.  The lane
 * function trades precision for speed: a sample's decoder looks a normal
 * variate up in a quantile table anyway, so 1e-4 is plenty.
 *
 * Plain C: no postgres.h.
 */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "clones.h"
#include "normal.h"

/*
 * A fused multiply-add rounds once where two operations round twice.  A row
 * of a stream must not depend on the processor, so contraction is off for
 * this file.  gcc doesn't know the standard's pragma.
 */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize ("fp-contract=off")
#endif

#define SQRT_HALF		0.70710678118654752440
#define INV_SQRT_2PI	0.39894228040143267794

/*
 * The lane table: straight pieces of z(p), the upper tail's quantile, over
 * p in [2^-33, 2^-1): 32 octaves of 64 cells.  Cells that shrink with p hold
 * the error at about 3e-5 all the way into the tail, which equal cells can't,
 * and a float's own bits are the cell's number: exponent and the first 6 bits
 * of the mantissa.
 */
#define CELL_SHIFT		17
#define CELL_MASK		((UINT32_C(1) << CELL_SHIFT) - 1)
#define OCTAVE_CELLS	64
#define OCTAVES			32
#define CELLS			(OCTAVES * OCTAVE_CELLS)
#define FIRST_EXPONENT	(-33)
#define FIRST_CELL		((127 + FIRST_EXPONENT) * OCTAVE_CELLS)
#define LAST_BITS		UINT32_C(0x3EFFFFFF)	/* largest float below 0.5 */

/* as philox.c's: a constant trip count vectorises at -O2 */
#define LANE_BLOCK		64

typedef struct Cell
{
	float		value;			/* z at its lower end */
	float		slope;			/* change of z for one step of the low bits */
} Cell;

static Cell cells[CELLS];
static pthread_once_t cells_once = PTHREAD_ONCE_INIT;

/*
 * gs_normal_pdf
 *
 * The standard normal density at z; 0 at infinities, NaN for NaN.
 */
double
gs_normal_pdf(double z)
{
	return INV_SQRT_2PI * exp(-0.5 * z * z);
}

/*
 * gs_normal_cdf
 *
 * P(Z <= z), with full relative precision in the lower tail; NaN for NaN.
 */
double
gs_normal_cdf(double z)
{
	return 0.5 * erfc(-z * SQRT_HALF);
}

/*
 * gs_normal_quantile
 *
 * The z with P(Z <= z) = p, to about 16 digits: -INFINITY for p <= 0,
 * INFINITY for p >= 1, NaN for NaN.
 *
 * Wichura, "Algorithm AS 241: the percentage points of the normal
 * distribution", Applied Statistics 37 (1988), routine PPND16.
 */
double
gs_normal_quantile(double p)
{
	double		q;
	double		r;
	double		z;

	if (isnan(p))
		return p;
	if (p <= 0)
		return -INFINITY;
	if (p >= 1)
		return INFINITY;

	q = p - 0.5;
	if (fabs(q) <= 0.425)
	{
		r = 0.180625 - q * q;
		return q *
			(((((((2509.0809287301226727 * r +
				   33430.575583588128105) * r +
				  67265.770927008700853) * r +
				 45921.953931549871457) * r +
				13731.693765509461125) * r +
			   1971.5909503065514427) * r +
			  133.14166789178437745) * r +
			 3.387132872796366608) /
			(((((((5226.495278852854561 * r +
				   28729.085735721942674) * r +
				  39307.89580009271061) * r +
				 21213.794301586595867) * r +
				5394.1960214247511077) * r +
			   687.1870074920579083) * r +
			  42.313330701600911252) * r +
			 1.0);
	}

	r = sqrt(-log(q < 0 ? p : 1.0 - p));
	if (r <= 5)
	{
		r -= 1.6;
		z = (((((((7.7454501427834140764e-4 * r +
				   0.0227238449892691845833) * r +
				  0.24178072517745061177) * r +
				 1.27045825245236838258) * r +
				3.64784832476320460504) * r +
			   5.7694972214606914055) * r +
			  4.6303378461565452959) * r +
			 1.42343711074968357734) /
			(((((((1.05075007164441684324e-9 * r +
				   5.475938084995344946e-4) * r +
				  0.0151986665636164571966) * r +
				 0.14810397642748007459) * r +
				0.68976733498510000455) * r +
			   1.6763848301838038494) * r +
			  2.05319162663775882187) * r +
			 1.0);
	}
	else
	{
		r -= 5;
		z = (((((((2.01033439929228813265e-7 * r +
				   2.71155556874348757815e-5) * r +
				  0.0012426609473880784386) * r +
				 0.026532189526576123093) * r +
				0.29656057182850489123) * r +
			   1.7848265399172913358) * r +
			  5.4637849111641143699) * r +
			 6.6579046435011037772) /
			(((((((2.04426310338993978564e-15 * r +
				   1.4215117583164458887e-7) * r +
				  1.8463183175100546818e-5) * r +
				 7.868691311456132591e-4) * r +
				0.0148753612908506148525) * r +
			   0.13692988092273580531) * r +
			  0.59983220655588793769) * r +
			 1.0);
	}
	return q < 0 ? -z : z;
}

/*
 * Fills the lane table.
 */
static void
build_cells(void)
{
	int			octave;
	int			i;

	for (octave = 0; octave < OCTAVES; octave++)
	{
		double		start = ldexp(1.0, FIRST_EXPONENT + octave);

		for (i = 0; i < OCTAVE_CELLS; i++)
		{
			double		p0 = start * (1.0 + (double) i / OCTAVE_CELLS);
			double		p1 = start * (1.0 + (double) (i + 1) / OCTAVE_CELLS);
			double		z0 = -gs_normal_quantile(p0);
			double		z1 = -gs_normal_quantile(p1);
			int			cell = octave * OCTAVE_CELLS + i;

			cells[cell].value = (float) z0;
			cells[cell].slope = (float) ldexp(z1 - z0, -CELL_SHIFT);
		}
	}
}

/*
 * The normal variates of LANE_BLOCK words.  Inlined into each clone.
 *
 * Cells are fetched one by one, between passes that are vectorised: processors
 * gather more slowly than they load.
 */
static GS_ALWAYS_INLINE void
normal_block(const uint32_t *restrict words, float *restrict z)
{
	uint32_t	bits[LANE_BLOCK];
	int32_t		position[LANE_BLOCK];
	Cell		cell[LANE_BLOCK];

	for (int i = 0; i < LANE_BLOCK; i++)
	{
		union
		{
			float		f;
			uint32_t	u;
		}			p;

		p.f = ((float) (int32_t) (words[i] & UINT32_C(0x7FFFFFFF)) + 0.5f) *
			0x1.0p-32f;

		/* m near 2^31 rounds up to p = 0.5, which has no cell */
		bits[i] = p.u < LAST_BITS ? p.u : LAST_BITS;
		position[i] = (int32_t) (bits[i] >> CELL_SHIFT) - FIRST_CELL;
	}
	for (int i = 0; i < LANE_BLOCK; i++)
		memcpy(&cell[i], &cells[position[i]], sizeof(Cell));
	for (int i = 0; i < LANE_BLOCK; i++)
	{
		union
		{
			float		f;
			uint32_t	u;
		}			v;

		v.f = cell[i].value +
			(float) (int32_t) (bits[i] & CELL_MASK) * cell[i].slope;
		v.u ^= words[i] & UINT32_C(0x80000000);
		z[i] = v.f;
	}
}

/*
 * gs_normal_lane
 *
 * Turns words[n], uniform over [0, 2^32), into standard normal variates z[n]
 * by the inverse distribution function: the top bit is the sign (set:
 * negative) and the lower 31 bits, m, the tail probability (m + 0.5) / 2^32.
 * Within 1e-4 of the exact quantile everywhere, |z| < 6.4; the same bits on
 * every instruction set.  n <= 0 does nothing.  "z" and "words" must not
 * overlap.  Cannot fail.  Safe in threads.
 *
 * Inversion by a table with a cell per leading bits of a float: after Thomas,
 * Luk, Leong and Villasenor, "Gaussian random number generators", ACM
 * Computing Surveys 39 (2007).
 */
GS_CLONES
void
gs_normal_lane(const uint32_t *words, float *z, int n)
{
	int			done;

	pthread_once(&cells_once, build_cells);

	for (done = 0; n - done >= LANE_BLOCK; done += LANE_BLOCK)
		normal_block(words + done, z + done);

	if (done < n)
	{
		/* a whole block all the same, of which the beginning is kept */
		uint32_t	rest_words[LANE_BLOCK] = {0};
		float		rest_z[LANE_BLOCK];

		memcpy(rest_words, words + done,
			   (size_t) (n - done) * sizeof(uint32_t));
		normal_block(rest_words, rest_z);
		memcpy(z + done, rest_z, (size_t) (n - done) * sizeof(float));
	}
}
