/*
 * truncated.c
 *	  Normal variates that are confined to intervals.
 *
 * All by the inverse distribution function, so that a variate takes exactly
 * one random number.  The lower tail of the distribution function is exact to
 * full relative precision and the upper one is not: what lies above zero is
 * mirrored to below it.
 *
 * Plain C: no postgres.h.
 */
#include <math.h>

#include "normal.h"
#include "truncated.h"

/*
 * gs_normal_between
 *
 * P(low < Z < high) of a standard normal Z; 0 where low >= high.  Cannot fail.
 */
double
gs_normal_between(double low, double high)
{
	if (!(low < high))
		return 0;
	if (low > 0)
		return gs_normal_cdf(-low) - gs_normal_cdf(-high);
	return gs_normal_cdf(high) - gs_normal_cdf(low);
}

/*
 * gs_normal_truncated
 *
 * The u-quantile, 0 <= u <= 1, of a standard normal variate between low and
 * high, low < high; never outside of them.  Where the interval's probability
 * underflows it is the end nearer to zero.  Cannot fail.
 */
double
gs_normal_truncated(double low, double high, double u)
{
	double		below;
	double		p;
	double		z;

	if (low + high > 0)
		return -gs_normal_truncated(-high, -low, 1 - u);
	below = gs_normal_cdf(low);
	p = below + u * (gs_normal_cdf(high) - below);
	if (!(p > 0) && low > -INFINITY)
		return gs_normal_cdf(high) > 0 ? low : high;
	z = gs_normal_quantile(p);
	return z < low ? low : z > high ? high : z;
}

/*
 * gs_union_probability
 *
 * The probability of n disjoint intervals for a normal variate of this mean
 * and standard deviation, sd > 0; that of each goes to probability[n].
 * Cannot fail.
 */
double
gs_union_probability(const GsInterval *interval, int n, double mean,
					 double sd, double *probability)
{
	double		total = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		probability[i] = gs_normal_between((interval[i].low - mean) / sd,
										   (interval[i].high - mean) / sd);
		total += probability[i];
	}
	return total;
}

/*
 * gs_union_draw
 *
 * The variate of gs_union_probability confined to the intervals, n > 0, from
 * one uniform number 0 <= u < 1; *chosen is the interval that it lies in.
 * probability: what gs_union_probability left there, of a sum above 0.
 * Cannot fail.
 */
double
gs_union_draw(const GsInterval *interval, int n, double mean, double sd,
			  const double *probability, double u, int *chosen)
{
	double		total = 0;
	double		at;
	double		z;
	int			last = 0;
	int			i;

	for (i = 0; i < n; i++)
		total += probability[i];
	at = u * total;
	for (i = 0; i < n; i++)
	{
		if (!(probability[i] > 0))
			continue;
		last = i;
		if (at < probability[i])
			break;
		at -= probability[i];
	}
	u = at / probability[last];
	z = gs_normal_truncated((interval[last].low - mean) / sd,
							(interval[last].high - mean) / sd,
							u < 1 ? u : 1);
	z = mean + sd * z;
	*chosen = last;
	return z < interval[last].low ? interval[last].low :
		z > interval[last].high ? interval[last].high : z;
}
