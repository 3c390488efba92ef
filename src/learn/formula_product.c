/*
 * formula_product.c
 *	  Products of numbers: their constants, for which of its numbers a product is
 *	  kept, and those of which one number is the sum of two.
 */
#include "postgres.h"

#include <math.h>

#include "learn/formula_internal.h"

#define MIN_WIDER		1.5		/* times the spread, to be told first */
#define TRIAL_ROWS		24

#define ST_SORT sort_doubles
#define ST_ELEMENT_TYPE double
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Finds a constant of few digits, or one whose reciprocal has few, with which
 * a product tells a number.
 */
static bool
fit_constant(const Search *search, Formula *formula, int target, bool loose)
{
	double		exact = formula->constant;

	for (int digits = 1; digits <= 4; digits++)
		for (int inverse = 0; inverse < 2; inverse++)
		{
			formula->constant = inverse ? 1 / gs_to_digits(1 / exact, digits) :
				gs_to_digits(exact, digits);
			if (formula->constant != 0 && isfinite(formula->constant) &&
				gs_formula_holds(search, formula, target, loose))
				return true;
		}
	formula->constant = exact;
	return false;
}

/*
 * A product's formula for another of its numbers, whose exponent is 1 or -1.
 */
static Formula
turn_product(const Formula *formula, int target, int other)
{
	double		by = formula->factor[other];
	Formula		turned = *formula;

	turned.factor[other] = 0;
	turned.factor[target] = -1;
	/* the target is the product: take the other one out of it */
	for (int i = 0; i < FORMULA_NUMBERS; i++)
		turned.factor[i] = by > 0 ? -turned.factor[i] : turned.factor[i];
	turned.pair_factor = by > 0 ? -formula->pair_factor :
		formula->pair_factor;
	turned.constant = by > 0 ? 1 / formula->constant : formula->constant;
	return turned;
}

/*
 * Keeps a product, whose constant is roughly known, if it tells one of its
 * numbers exactly: the one told most finely.  First for the one that spreads
 * most, if that is another.
 */
static bool
keep_product(Search *search, const Formula *formula, int target)
{
	Formula		best;
	Formula		widest;
	int			best_target = -1;
	int			widest_target = -1;

	for (int i = 0; i < search->n; i++)
	{
		const Number *number = &search->number[i];
		Formula		own = *formula;

		if (i != target && (fabs(formula->factor[i]) != 1 ||
							(formula->pair_factor != 0 &&
							 (i == formula->pair[0] || i == formula->pair[1]))))
			continue;
		if (i != target)
			own = turn_product(formula, target, i);
		if (number->told || gs_formula_is_circular(search, &own, i))
			continue;
		if ((best_target < 0 ||
			 number->relative < search->number[best_target].relative) &&
			fit_constant(search, &own, i, false))
		{
			best_target = i;
			best = own;
		}
		if ((widest_target < 0 || number->log_spread >
			 search->number[widest_target].log_spread) &&
			fit_constant(search, &own, i, true))
		{
			widest_target = i;
			widest = own;
		}
	}
	if (best_target < 0)
		return false;
	if (widest_target >= 0 && widest_target != best_target &&
		search->number[widest_target].log_spread >
		MIN_WIDER * search->number[best_target].log_spread)
		gs_formula_keep(search, &widest, widest_target);
	gs_formula_keep(search, &best, best_target);
	return true;
}

/*
 * The constant of a product: the median of what it would be.  Returns NaN if
 * it varies too much.
 */
static double
median_constant(const Search *search, Formula *formula, int target)
{
	double	   *ratio = palloc(sizeof(double) * search->nrows);
	const Number *number = &search->number[target];
	double		median;
	int			n = 0;
	int			near = 0;

	formula->constant = 1;
	for (int row = 0; row < search->nrows; row++)
	{
		double		one = number->value[row] / gs_formula_value(search, formula,
																row);

		if (isfinite(one) && one != 0)
			ratio[n++] = one;
	}
	if (n == 0)
		return NAN;
	sort_doubles(ratio, n);
	median = ratio[n / 2];
	for (int i = 0; i < n; i++)
		near += fabs(ratio[i] - median) < fabs(median) * FORMULA_ERROR;
	pfree(ratio);
	return near >= n / 2 ? median : NAN;
}

/*
 * gs_keep_powers: keeps a product that tells a number.  Where its exponents are fractions, the
 * number with the least one is told: a height is the square root of what a
 * weight and a body mass index give, and the index is a product.
 */
bool
gs_keep_powers(Search *search, const Basis *basis, const double *factor,
			int target)
{
	double		power[FORMULA_NUMBERS] = {0};
	double		by;
	int			least = target;
	Formula		formula = {.product = true};

	power[target] = -1;
	for (int k = 0; k < basis->n; k++)
	{
		int			i = basis->column[k];

		if (i < 0)
			continue;
		power[i] = factor[k];
		if (fabs(power[i]) > 0.1 &&
			fabs(power[i]) < fabs(power[least]) - 0.1)
			least = i;
	}
	by = -power[least];
	for (int i = 0; i < search->n; i++)
	{
		double		rounded = rint(power[i] / by);

		if (fabs(power[i] / by - rounded) > 0.1 || fabs(rounded) > 3)
			return false;
		formula.factor[i] = i == least ? 0 : rounded;
	}
	formula.constant = median_constant(search, &formula, least);
	return !isnan(formula.constant) &&
		keep_product(search, &formula, least);
}

/*
 * Whether target = constant * other ^ by * (a + sign b) ^ -by can be, by a few
 * rows, most of which give about the same constant.
 */
static bool
may_be_pair(const Search *search, int target, int other, int by,
			const Formula *formula)
{
	double		ratio[TRIAL_ROWS];
	int			stride = Max(search->nrows / TRIAL_ROWS, 1);
	int			n = 0;
	int			near = 0;

	for (int i = 0; i < TRIAL_ROWS; i++)
	{
		int			row = i * stride;
		double		sum = pair_sum(search, formula, row);
		double		rest = search->number[other].value[row];
		double		one = search->number[target].value[row] *
			(by > 0 ? 1 / rest : rest) *
			(formula->pair_factor > 0 ? 1 / sum : sum);

		if (isfinite(one) && one != 0)
			ratio[n++] = one;
	}
	if (n < TRIAL_ROWS / 2)
		return false;
	sort_doubles(ratio, n);
	for (int i = 0; i < n; i++)
		near += fabs(ratio[i] - ratio[n / 2]) <
			fabs(ratio[n / 2]) * FORMULA_ERROR;
	return near >= n / 2;
}

/*
 * gs_find_pairs: finds products of which one number is the sum, or the difference, of two.
 */
void
gs_find_pairs(Search *search, int a, int b, int sign)
{
	for (int target = 0; target < search->n; target++)
		for (int other = 0; other < search->n; other++)
			for (int by = 1; by >= -1; by -= 2)
			{
				Formula		formula = {.product = true,.pair = {a, b},
				.sign = sign,.pair_factor = -by};

				/* the other is a or b in changes by so many % */
				if (target == other || target == a || target == b ||
					search->number[target].told ||
					!search->number[target].may_be_told ||
					!may_be_pair(search, target, other, by, &formula))
					continue;
				formula.factor[other] = by;
				formula.constant = median_constant(search, &formula, target);
				if (!isnan(formula.constant))
					(void) keep_product(search, &formula, target);
			}
}

/*
 * Whether a number may be a share of a whole: 20, of 100.
 */
static bool
is_rate(const Number *number, int nrows, double whole)
{
	double		most = 0;

	for (int row = 0; row < nrows; row++)
	{
		if (number->value[row] < 0 || number->value[row] > whole)
			return false;
		if (!isnan(number->value[row]))
			most = Max(most, number->value[row]);
	}
	return most > whole / 100;
}

/*
 * gs_find_rates: finds numbers that are another one without, or with, a share
 * of it: a price after so many % off.
 */
void
gs_find_rates(Search *search, int rate)
{
	for (int try = 0; try < 4; try++)
	{
		double		whole = try < 2 ? 100 : 1;

		if (!is_rate(&search->number[rate], search->nrows, whole))
			continue;
		for (int target = 0; target < search->n; target++)
			for (int other = 0; other < search->n; other++)
			{
				Formula		formula = {.product = true,.pair = {-1, rate},
					.whole = whole,.sign = try % 2 == 0 ? -1 : 1,
				.pair_factor = 1};

				if (target == other || target == rate || other == rate ||
					search->number[target].told ||
					!search->number[target].may_be_told ||
					!may_be_pair(search, target, other, 1, &formula))
					continue;
				formula.factor[other] = 1;
				formula.constant = median_constant(search, &formula, target);
				if (!isnan(formula.constant))
					(void) keep_product(search, &formula, target);
			}
	}
}
