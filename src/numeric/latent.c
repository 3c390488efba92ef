/*
 * latent.c
 *	  The correlation of two latent normal variates of which only bins are
 *	  seen.
 *
 * Let f(Z) be the score of Z's bin, with mean 0 and variance 1.  Written in
 * orthonormal Hermite polynomials, f = sum over k of a[k] h_k, and for normal
 * X and Y of correlation rho, E[h_j(X) h_k(Y)] is rho^k if j = k and else 0
 * (Mehler 1866).  So the scores f(X) and g(Y) have correlation
 *
 *		sum over k of a[k] b[k] rho^k
 *
 * which is solved for rho.  Pearson (Philosophical Transactions A 195, 1900)
 * has this for two bins, Kirk ("On the numerical approximation of the
 * bivariate normal (tetrachoric) correlation coefficient", Psychometrika 38,
 * 1973) the numerics; any number of bins only changes the coefficients.
 *
 * Plain C: no postgres.h.
 */
#include <math.h>
#include <string.h>

#include "latent.h"
#include "normal.h"

/* |rho| beyond which no solution is sought: the series is cut short there */
#define RHO_END			0.999

/* steps from 0 to RHO_END in which a first crossing is looked for */
#define SCAN_STEPS		16

#define SOLVE_TOLERANCE	1e-9
#define SOLVE_MAX_STEPS	60

/*
 * The density at t, and g[k] = integral of h_k(z) pdf(z) from -infinity to t,
 * which is -h_{k-1}(t) pdf(t) / sqrt(k), for k = 1..GS_HERMITE_TERMS.
 */
static double
hermite_integrals(double t, double g[GS_HERMITE_TERMS + 1])
{
	double		pdf = gs_normal_pdf(t);
	double		before = 0;		/* h_{k-2}(t) */
	double		last = 1;		/* h_{k-1}(t) */
	int			k;

	for (k = 1; k <= GS_HERMITE_TERMS; k++)
	{
		double		next;

		g[k] = -last * pdf / sqrt(k);
		next = (t * last - sqrt(k - 1) * before) / sqrt(k);
		before = last;
		last = next;
	}
	return pdf;
}

/*
 * gs_bin_scores
 *
 * The bins of a standard normal Z, in order, hold share[nbins] (each above 0,
 * sum 1) of it.  Sets score[nbins] to each bin's E[Z | bin], scaled to
 * variance 1, so that scores ascend and have mean 0; and hermite[k] to the
 * Hermite coefficients of the score as a function of Z, E[score(Z) h_k(Z)],
 * with hermite[0] = 0, for gs_latent_correlation.  With a single bin all of
 * them are 0.  "score" must not be "share".  Cannot fail.
 */
void
gs_bin_scores(int nbins, const double *share, double *score,
			  double hermite[GS_HERMITE_TERMS + 1])
{
	double		integral[2][GS_HERMITE_TERMS + 1];
	double		total = 0;
	double		below = 0;
	double		pdf_low = 0;
	double		variance = 0;
	double		scale;
	int			i;
	int			k;

	memset(hermite, 0, (GS_HERMITE_TERMS + 1) * sizeof(double));
	memset(integral, 0, sizeof(integral));
	if (nbins < 2)
	{
		if (nbins == 1)
			score[0] = 0;
		return;
	}

	/*
	 * Thresholds come from the nearer tail: 1 - tiny has lost tiny's digits.
	 * Until its turn, score[i] holds the share of bin i and those above.
	 */
	for (i = nbins - 1; i >= 0; i--)
	{
		total += share[i];
		score[i] = total;
	}

	for (i = 0; i < nbins; i++)
	{
		double	   *low = integral[i % 2];
		double	   *high = integral[(i + 1) % 2];
		double		pdf_high = 0;
		double		p = share[i] / total;

		if (i < nbins - 1)
		{
			double		above = score[i + 1] / total;

			below += p;
			pdf_high = hermite_integrals(below <= 0.5 ?
										 gs_normal_quantile(below) :
										 -gs_normal_quantile(above), high);
		}
		else
			memset(high, 0, sizeof(integral[0]));

		score[i] = (pdf_low - pdf_high) / p;
		variance += p * score[i] * score[i];
		for (k = 1; k <= GS_HERMITE_TERMS; k++)
			hermite[k] += score[i] * (high[k] - low[k]);
		pdf_low = pdf_high;
	}

	/* rounding can leave a variance of 0 if one bin holds all but nothing */
	scale = variance > 0 ? 1.0 / sqrt(variance) : 0.0;
	for (i = 0; i < nbins; i++)
		score[i] *= scale;
	for (k = 1; k <= GS_HERMITE_TERMS; k++)
		hermite[k] *= scale;
}

/*
 * sum over k of c[k] rho^k, k = 1..GS_HERMITE_TERMS, less "observed".
 */
static double
excess(const double c[GS_HERMITE_TERMS + 1], double rho, double observed)
{
	double		sum = 0;
	int			k;

	for (k = GS_HERMITE_TERMS; k >= 1; k--)
		sum = (sum + c[k]) * rho;
	return sum - observed;
}

/*
 * gs_latent_correlation
 *
 * The rho in [-0.999, 0.999] for which standard normal X and Y of correlation
 * rho, seen as scored bins with Hermite coefficients a[] and b[] (of
 * gs_bin_scores), have the correlation "observed" between their scores.  An
 * observed correlation out of reach gives the end that is nearer to it.  0 if
 * a or b is all zero (a single bin), or for NaN.  Cannot fail.
 *
 * The true function of rho rises; the one of 24 terms strays from it near the
 * ends if bins are few, and may even turn.  Hence we scan outwards from 0,
 * where both are 0, and take the first crossing: the weakest dependence that
 * explains the observation.  Good to 0.01 up to |rho| of 0.9, and of 0.98 with
 * tens of bins, except where rho makes no difference to what is observed: two
 * rare bins that hardly ever meet look the same from about -0.6 down.
 */
double
gs_latent_correlation(const double a[GS_HERMITE_TERMS + 1],
					  const double b[GS_HERMITE_TERMS + 1], double observed)
{
	double		c[GS_HERMITE_TERMS + 1];
	double		end = observed < 0 ? -RHO_END : RHO_END;
	double		inner = 0;
	double		outer = 0;
	double		f_inner;
	double		f_outer = 0;
	double		largest = 0;
	int			side = 0;
	int			step;
	int			k;

	c[0] = 0;
	for (k = 1; k <= GS_HERMITE_TERMS; k++)
	{
		c[k] = a[k] * b[k];
		largest = fmax(largest, fabs(c[k]));
	}
	if (isnan(observed) || observed == 0 || !(largest > 0))
		return 0;

	f_inner = -observed;
	for (step = 1; step <= SCAN_STEPS; step++)
	{
		outer = end * step / SCAN_STEPS;
		f_outer = excess(c, outer, observed);
		if (f_outer == 0)
			return outer;
		if ((f_outer < 0) != (f_inner < 0))
			break;
		inner = outer;
		f_inner = f_outer;
	}
	if (step > SCAN_STEPS)
		return end;

	/*
	 * False position, with the Illinois rule against a bound that stays
	 * (Dowell and Jarratt, BIT 11 (1971)): always bracketed, a handful of
	 * steps.
	 */
	for (step = 0; step < SOLVE_MAX_STEPS; step++)
	{
		double		rho = (inner * f_outer - outer * f_inner) /
			(f_outer - f_inner);
		double		f = excess(c, rho, observed);

		if (fabs(f) <= SOLVE_TOLERANCE * fabs(observed) ||
			fabs(outer - inner) <= SOLVE_TOLERANCE)
			return rho;
		if ((f < 0) == (f_outer < 0))
		{
			outer = rho;
			f_outer = f;
			if (side == 1)
				f_inner *= 0.5;
			side = 1;
		}
		else
		{
			inner = rho;
			f_inner = f;
			if (side == -1)
				f_outer *= 0.5;
			side = -1;
		}
	}
	return 0.5 * (inner + outer);
}
