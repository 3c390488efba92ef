/*
 * formula_internal.h
 *	  Equations between numbers, between their files.
 */
#ifndef GENSYNTH_FORMULA_INTERNAL_H
#define GENSYNTH_FORMULA_INTERNAL_H

#include "learn/formula.h"

#define FORMULA_NUMBERS		40	/* columns that are looked at */
#define FORMULA_ERROR		0.02	/* of what spreads, that is no accident */

/* A column of numbers. */
typedef struct Number
{
	const char *name;
	bool		is_float;
	int			decimals;		/* -1: unknown */
	double		unit;			/* 0: unknown */
	double	   *value;			/* [nrows] NaN: NULL */
	double		spread;			/* standard deviation */
	double		log_spread;		/* of its logarithm; -1: not all are positive */
	double		relative;		/* unit, in the mean of absolute values */
	bool		may_be_told;
	bool		told;			/* an equation says what it is ... */
	bool		is_sum;			/* ... a sum ... */
	uint64		from;			/* ... of these numbers, a bit each */
} Number;

typedef struct Search
{
	int			n;
	Number		number[FORMULA_NUMBERS];
	int			nrows;
	int			order[FORMULA_NUMBERS]; /* the roughest first */
	List	   *found;			/* of GsFormula */
	bool		any_float;
	bool		plain;			/* equations are written for people */
} Search;

/*
 * A value as a sum (power 1) or a product (power: exponents) of numbers:
 * constant + sum of factor * number, or constant * product of number ^ factor;
 * and, in place of one of the numbers, the sum of two; or the logarithm of it.
 */
typedef struct Formula
{
	bool		product;
	double		constant;
	double		factor[FORMULA_NUMBERS];
	double		pair_factor;	/* of the sum of two; 0: none */
	int			pair[2];		/* the first -1: ... */
	double		whole;			/* ... this, of which the second is a share */
	int			sign;			/* of the second of them */
	double		base;			/* of the logarithm of it all; 0: none */
} Formula;

/*
 * The sum of two in a row.
 */
static inline double
pair_sum(const Search *search, const Formula *formula, int row)
{
	double		first = formula->pair[0] < 0 ? formula->whole :
		search->number[formula->pair[0]].value[row];

	return first + formula->sign * search->number[formula->pair[1]].value[row];
}

/* Elimination: columns that those before them do not make up. */
typedef struct Basis
{
	int			nrows;
	int			row[4 * FORMULA_NUMBERS + 64];
	int			n;
	int			column[FORMULA_NUMBERS + 1];	/* -1: the constant */
	double	   *q[FORMULA_NUMBERS + 1]; /* [nrows] of length 1 */
	double		r[FORMULA_NUMBERS + 1][FORMULA_NUMBERS + 1];
} Basis;

/* formula.c */
extern double gs_formula_value(const Search *search, const Formula *formula,
							   int row);
extern bool gs_formula_holds(const Search *search, const Formula *formula,
							 int target, bool loose);
extern double gs_to_digits(double value, int digits);
extern bool gs_formula_is_circular(const Search *search,
								   const Formula *formula, int target);
extern void gs_formula_keep(Search *search, const Formula *formula,
							int target);

/* formula_product.c */
extern bool gs_keep_powers(Search *search, const Basis *basis,
						   const double *factor, int target);
extern void gs_find_pairs(Search *search, int a, int b, int sign);
extern void gs_find_rates(Search *search, int rate);

/* formula_write.c */
extern char *gs_formula_write(Search *search, const Formula *formula,
							  int target, bool plain);

#endif
