/*
 * formula_internal.h
 *	  Equations between numbers, between their files.
 */
#ifndef GENSYNTH_FORMULA_INTERNAL_H
#define GENSYNTH_FORMULA_INTERNAL_H

#include "learn/formula.h"

#define FORMULA_NUMBERS		40	/* columns that are looked at */

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
	int			pair[2];
	int			sign;			/* of the second of them */
	double		base;			/* of the logarithm of it all; 0: none */
} Formula;

/* formula_write.c */
extern char *gs_formula_write(Search *search, const Formula *formula,
							  int target, bool plain);

#endif
