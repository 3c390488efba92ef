/*
 * account.c
 *	  What discrete Gaussian noise costs: zero-concentrated differential
 *	  privacy (Bun and Steinke, TCC 2016).
 *
 * A vector of integer counts that a neighbour changes by a distance of at
 * most D (Euclidean), with discrete Gaussian noise of sigma^2 on each, is
 * rho-zCDP with rho = D^2 / (2 sigma^2), and the rhos of several add up.
 * rho-zCDP is (epsilon, delta)-differential privacy with
 *
 *	delta = inf over a > 1 of
 *		exp((a - 1) (a rho - epsilon)) / (a - 1) * (1 - 1/a)^a
 *
 * (Canonne, Kamath and Steinke, arXiv 2004.00010, proposition 12).  What is
 * found of an infimum by a search is above it, and so on the safe side.
 */
#include "privacy/account.h"

#include <math.h>

#define STEPS		200			/* of a search: more than doubles tell apart */
#define MAX_LOG		60.0		/* of a - 1, and of its inverse */
#define GOLDEN		0.6180339887498949

/*
 * The logarithm of delta for one order a = 1 + exp(u).
 */
static double
log_delta(double rho, double epsilon, double u)
{
	double		b = exp(u);		/* a - 1 */

	/* (1 - 1/a)^a = exp(-a log(1 + 1 / (a - 1))) */
	return b * ((1 + b) * rho - epsilon) - u - (1 + b) * log1p(1 / b);
}

/*
 * epsilon for one order.
 */
static double
order_epsilon(double rho, double delta, double u)
{
	double		b = exp(u);

	return (1 + b) * rho -
		(log(delta) + u + (1 + b) * log1p(1 / b)) / b;
}

/*
 * The least value of a function of u, which has one minimum, by golden
 * section.
 */
static double
least(double (*function) (double rho, double other, double u), double rho,
	  double other)
{
	double		low = -MAX_LOG;
	double		high = MAX_LOG;
	double		at[2] = {high - GOLDEN * (high - low),
	low + GOLDEN * (high - low)};
	double		value[2] = {function(rho, other, at[0]),
	function(rho, other, at[1])};

	for (int i = 0; i < STEPS; i++)
	{
		if (value[0] < value[1])
		{
			high = at[1];
			at[1] = at[0];
			value[1] = value[0];
			at[0] = high - GOLDEN * (high - low);
			value[0] = function(rho, other, at[0]);
		}
		else
		{
			low = at[0];
			at[0] = at[1];
			value[0] = value[1];
			at[1] = low + GOLDEN * (high - low);
			value[1] = function(rho, other, at[1]);
		}
	}
	return fmin(value[0], value[1]);
}

/*
 * gs_privacy_delta: the delta at epsilon > 0 of what is rho-zCDP.
 */
double
gs_privacy_delta(double rho, double epsilon)
{
	return rho <= 0 ? 0 : fmin(exp(least(log_delta, rho, epsilon)), 1);
}

/*
 * gs_privacy_epsilon: the epsilon at a delta in (0, 1) of what is rho-zCDP.
 */
double
gs_privacy_epsilon(double rho, double delta)
{
	return rho <= 0 ? 0 : fmax(least(order_epsilon, rho, delta), 0);
}

/*
 * gs_privacy_rho: the most rho whose delta at epsilon is at most delta, both
 * above 0; delta below 1.
 */
double
gs_privacy_rho(double epsilon, double delta)
{
	double		low = 0;
	double		high = 1;

	while (gs_privacy_delta(high, epsilon) <= delta)
		high *= 2;
	for (int i = 0; i < STEPS; i++)
	{
		double		rho = low + (high - low) / 2;

		if (gs_privacy_delta(rho, epsilon) <= delta)
			low = rho;
		else
			high = rho;
	}
	return low;
}

/*
 * gs_privacy_cost: the rho of counts with noise of sigma^2 = num / den;
 * rounded up.  sensitivity: by how much a neighbour changes them, as a
 * Euclidean distance, squared.
 */
double
gs_privacy_cost(uint64_t sensitivity, uint64_t num, uint64_t den)
{
	double		rho = (double) sensitivity * (double) den / (2 * (double) num);

	/* five roundings, each of half a unit in the last place */
	return rho * (1 + 0x1p-50);
}

/*
 * gs_privacy_sigma: the least sigma^2 = num / den, among those with a den of
 * 2^15, that costs at most rho.
 *
 * sensitivity: see gs_privacy_cost().  False where sigma^2 is not from 2^-15
 * to 2^40.
 */
bool
gs_privacy_sigma(double rho, uint64_t sensitivity, uint64_t *num,
				 uint64_t *den)
{
	double		want = (double) sensitivity / (2 * rho);

	if (!(want >= 0x1p-15) || !(want <= 0x1p40))
		return false;
	*den = UINT64_C(1) << 15;
	*num = (uint64_t) ceil(want * (double) *den);
	while (gs_privacy_cost(sensitivity, *num, *den) > rho)
		++*num;
	return true;
}
