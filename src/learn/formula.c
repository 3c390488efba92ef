/*
 * formula.c
 *	  Equations that hold between the numbers of nearly every row, without being
 *	  declared: a total and its parts, parts of 100, an amount that is payments
 *	  times duration, a depth of 200 z / (x + y).
 *
 * Logarithms are tried one by one.  Sums are found by elimination over a few
 * rows: a column that those before it make up, but for rounding, has factors
 * that follow from these rows.  Products are sums of logarithms.  What has a
 * sum within a product is tried one by one.  Factors must be plain numbers, and
 * what they give the value, rounded as it is, in 99 of 100 rows of a larger
 * sample.
 *
 * An equation is written as a condition on the row, column = expression, and
 * goes the way of the source's own (constraint/rules_rows.c).  All errors add up in
 * the column that is computed.  Where that is not the one that spreads most
 * (a depth hardly varies, a z does), and only it can be told exactly, the other
 * is computed from it first: so both are as they were.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "codec/domain.h"
#include "learn/formula_internal.h"
#include "learn/notation_learn.h"
#include "learn/quantile.h"

#define MAX_ROWS		4000	/* looked at */
#define MAX_TEMPLATE	20		/* numbers, to try sums within products */
#define MIN_ROWS		200
#define MIN_DISTINCT	3		/* values of a number, to tell another one */
#define MIN_TOLD		8		/* to be told */
#define MIN_HOLDS		0.99	/* share of rows */
#define MIN_SPREAD		4.0		/* units that a number spreads by */
#define TRIES			3		/* of few rows, some of which may be wrong */

static bool
is_number(const GsColumn *column)
{
	/* what an equation gives is not redrawn until a domain takes it */
	return column->codec.nparts == 1 && !column->unique &&
		!gs_domain_is_picky(column->declared) &&
		(column->type == INT2OID || column->type == INT4OID ||
		 column->type == INT8OID || column->type == NUMERICOID ||
		 column->type == FLOAT4OID || column->type == FLOAT8OID);
}

/*
 * Reads a column's numbers, of rows stride apart.  Returns false if it is not
 * one that can be in an equation.
 */
static bool
read_number(Number *number, const GsColumn *column, const GsLane *lane,
			int nrows, int64 stride)
{
	GsScalar   *sorted = palloc(sizeof(GsScalar) * nrows);
	double		log_sum = 0;
	double		log_square = 0;
	double		sum = 0;
	double		square = 0;
	double		first = 0;
	double		absolute = 0;
	bool		positive = true;
	int			n = 0;
	int			distinct = 1;

	number->name = column->name;
	number->is_float = column->type == FLOAT4OID || column->type == FLOAT8OID;
	number->told = false;
	number->value = palloc(sizeof(double) * nrows);
	for (int i = 0; i < nrows; i++)
	{
		GsScalar	scalar = lane->scalar[i * stride];
		double		value = lane->type == GS_LANE_FLOAT ? scalar.f :
			(double) scalar.i * pow(10, -lane->scale);

		number->value[i] = NAN;
		if ((lane->absent != NULL && lane->absent[i * stride]) ||
			gs_scalar_is_special(&column->codec.part[0], lane->type, scalar) ||
			!isfinite(value))
			continue;
		if (n == 0)
			first = value;
		sorted[n++] = scalar;
		number->value[i] = value;
		sum += value - first;
		square += (value - first) * (value - first);
		absolute += fabs(value);
		positive &= value > 0;
		log_sum += log(Max(value, 1e-300));
		log_square += log(Max(value, 1e-300)) * log(Max(value, 1e-300));
	}
	gs_scalars_sort(sorted, n, lane->type);
	for (int i = 1; i < n; i++)
		distinct += gs_scalar_compare(sorted[i - 1], sorted[i],
									  lane->type) != 0;
	number->decimals = lane->type == GS_LANE_FLOAT ?
		gs_find_decimals(column->codec.kind->narrow, sorted, n) : lane->scale;
	number->unit = number->decimals >= 0 ? pow(10, -number->decimals) : 0;
	pfree(sorted);
	if (n < MIN_ROWS || n < nrows / 2 || distinct < MIN_DISTINCT)
		return false;
	number->spread = sqrt(Max(square / n - (sum / n) * (sum / n), 0));
	number->log_spread = positive ?
		sqrt(Max(log_square / n - (log_sum / n) * (log_sum / n), 0)) : -1;
	number->relative = absolute > 0 ? number->unit * n / absolute : 0;
	/* what is unique with others counts or refers: others are told from it */
	number->may_be_told = distinct >= MIN_TOLD && !column->partly_unique &&
		number->spread > MIN_SPREAD * number->unit;
	return true;
}

/*
 * gs_formula_value: what a formula gives in a row; NaN where a number is
 * missing.
 */
double
gs_formula_value(const Search *search, const Formula *formula, int row)
{
	double		result = formula->constant;

	for (int i = 0; i < search->n; i++)
	{
		double		factor = formula->factor[i];
		double		value;

		if (factor == 0)
			continue;
		value = search->number[i].value[row];
		if (!formula->product)
			result += factor * value;
		else
			result *= factor == 1 ? value : factor == -1 ? 1 / value :
				pow(value, factor);
	}
	if (formula->pair_factor != 0)
	{
		double		sum = pair_sum(search, formula, row);

		result *= formula->pair_factor > 0 ? sum : 1 / sum;
	}
	if (formula->base != 0)
		result = log(result) / log(formula->base);
	return result;
}

/*
 * How much a formula's value may be off in a row where its numbers are
 * rounded.
 */
static double
rounding(const Search *search, const Formula *formula, int row, double result)
{
	double		error = 0;

	for (int i = 0; i < search->n; i++)
	{
		const Number *number = &search->number[i];
		double		factor = fabs(formula->factor[i]);

		if (factor != 0)
			error += factor * number->unit / 2 *
				(formula->product ? fabs(result / number->value[row]) : 1);
	}
	if (formula->pair_factor != 0)
	{
		double		unit = search->number[formula->pair[1]].unit;

		if (formula->pair[0] >= 0)
			unit += search->number[formula->pair[0]].unit;
		error += unit / 2 * fabs(result) /
			fabs(pair_sum(search, formula, row));
	}
	return error;
}

/*
 * gs_formula_holds: whether a formula tells a number in nearly all rows:
 * exactly as it is rounded, or (loose) as far as its numbers are rounded, too.
 */
bool
gs_formula_holds(const Search *search, const Formula *formula, int target,
				 bool loose)
{
	const Number *number = &search->number[target];
	double		allowed = 0;
	int			n = 0;
	int			hits = 0;

	if (!number->may_be_told)
		return false;
	for (int row = 0; row < search->nrows; row++)
	{
		double		result = gs_formula_value(search, formula, row);
		double		value = number->value[row];
		double		room = number->unit * 0.501 + fabs(value) * 1e-7;

		if (isnan(value) || isnan(result))
			continue;
		if (loose)
			room += rounding(search, formula, row, result);
		n++;
		hits += fabs(result - value) <= room;
		allowed += isfinite(room) ? room : 0;
		if (n == 50 && hits < 40)
			return false;
	}
	return n >= MIN_ROWS && hits >= MIN_HOLDS * n &&
		allowed / n <= 2 * FORMULA_ERROR * number->spread;
}

/*
 * A value of so many digits after the point.
 */
static double
to_decimals(double value, int decimals)
{
	double		unit = pow(10, decimals);

	return rint(value * unit) / unit;
}

/*
 * gs_to_digits: a value of so many digits.
 */
double
gs_to_digits(double value, int digits)
{
	return value == 0 || !isfinite(value) ? value :
		strtod(psprintf("%.*e", digits - 1, value), NULL);
}

/*
 * The numbers that a formula is about, and those that they are told by.
 */
static uint64
numbers_of(const Search *search, const Formula *formula)
{
	uint64		numbers = 0;

	for (int i = 0; i < search->n; i++)
		if (formula->factor[i] != 0 ||
			(formula->pair_factor != 0 &&
			 (i == formula->pair[0] || i == formula->pair[1])))
			numbers |= UINT64CONST(1) << i | search->number[i].from;
	return numbers;
}

/*
 * gs_formula_is_circular: whether a formula would tell a number by what is told by that number.
 */
bool
gs_formula_is_circular(const Search *search, const Formula *formula,
					   int target)
{
	return (numbers_of(search, formula) >> target & 1) != 0;
}

/*
 * gs_formula_keep: keeps a formula that tells a number.
 */
void
gs_formula_keep(Search *search, const Formula *formula, int target)
{
	GsFormula  *found = palloc0(sizeof(GsFormula));
	uint64		from = numbers_of(search, formula);

	for (int i = 0; i < search->n; i++)
		if (i == target || search->number[i].from >> target & 1)
			search->number[i].from |= from;
	search->number[target].told = true;
	search->number[target].is_sum = !formula->product;
	found->condition = gs_formula_write(search, formula, target, false);
	found->definition = gs_formula_write(search, formula, target, true);
	search->found = lappend(search->found, found);
}

static double
number_at(const Search *search, int column, bool logs, int row)
{
	double		value = column < 0 ? 1 : search->number[column].value[row];

	return logs && column >= 0 ? log(value) : value;
}

/*
 * Adds a column to the basis, unless it is made up by those in it within
 * room: then sets factor[] to the factors of these, and returns false.
 */
static bool
add_column(const Search *search, Basis *basis, int column, bool logs,
		   double room, double *factor)
{
	double	   *rest = palloc(sizeof(double) * basis->nrows);
	double		by[FORMULA_NUMBERS + 1] = {0};
	double		length = 0;

	for (int i = 0; i < basis->nrows; i++)
		rest[i] = number_at(search, column, logs, basis->row[i]);
	/* twice is enough (Parlett, The Symmetric Eigenvalue Problem, 1980) */
	for (int again = 0; again < 2; again++)
		for (int k = 0; k < basis->n; k++)
		{
			double		dot = 0;

			for (int i = 0; i < basis->nrows; i++)
				dot += basis->q[k][i] * rest[i];
			for (int i = 0; i < basis->nrows; i++)
				rest[i] -= dot * basis->q[k][i];
			by[k] += dot;
		}
	for (int i = 0; i < basis->nrows; i++)
		length += rest[i] * rest[i];
	length = sqrt(length);
	if (length <= room * sqrt(basis->nrows))
	{
		for (int k = basis->n - 1; k >= 0; k--)
		{
			factor[k] = by[k];
			for (int j = k + 1; j < basis->n; j++)
				factor[k] -= basis->r[j][k] * factor[j];
			factor[k] /= basis->r[k][k];
		}
		return false;
	}
	memcpy(basis->r[basis->n], by, sizeof(double) * basis->n);
	basis->r[basis->n][basis->n] = length;
	for (int i = 0; i < basis->nrows; i++)
		rest[i] /= length;
	basis->q[basis->n] = rest;
	basis->column[basis->n++] = column;
	return true;
}

/*
 * Chooses rows in which all numbers are there (logs: and positive).
 */
static bool
choose_rows(const Search *search, bool logs, const bool *used,
			GsRandom *random, Basis *basis)
{
	int			wanted = 3 * search->n + 48;

	basis->n = basis->nrows = 0;
	for (int try = 0; try < 40 * wanted && basis->nrows < wanted; try++)
	{
		int			row = gs_random_below(random, search->nrows);
		bool		whole = true;

		for (int i = 0; i < search->n; i++)
			whole &= !used[i] ||
				(!isnan(search->number[i].value[row]) &&
				 (!logs || search->number[i].value[row] > 0));
		if (whole)
			basis->row[basis->nrows++] = row;
	}
	return basis->nrows >= wanted;
}

/*
 * How far a column may be from what makes it up.
 */
static double
room_of(const Search *search, const Basis *basis, int column, bool logs)
{
	const Number *number = &search->number[column];
	double		spread = logs ? number->log_spread : number->spread;
	double		square = 0;

	if (number->unit == 0)
		return spread * 1e-6;
	for (int i = 0; i < basis->nrows; i++)
	{
		double		unit = number->unit /
			(logs ? number->value[basis->row[i]] : 1);

		square += unit * unit;
	}
	return Min(spread * FORMULA_ERROR,
			   spread * 1e-6 + 2 * sqrt(square / basis->nrows));
}

/*
 * Keeps a sum of the basis's columns that tells a number: of multiples that
 * are whole, or else have few digits.
 */
static bool
keep_sum(Search *search, const Basis *basis, const double *factor, int target)
{
	int			decimals = Max(search->number[target].decimals, 0);

	for (int digits = 0; digits <= 3; digits += 3)
	{
		Formula		formula = {.constant = 0};
		int			terms = 0;

		for (int k = 0; k < basis->n; k++)
		{
			double		rounded = to_decimals(factor[k], digits);

			if (basis->column[k] < 0)
				formula.constant = to_decimals(factor[k],
											   Max(decimals, digits));
			else
			{
				formula.factor[basis->column[k]] = rounded;
				terms += rounded != 0;
			}
		}
		if (terms == 0 || gs_formula_is_circular(search, &formula, target) ||
			(!gs_formula_holds(search, &formula, target, false) &&
			 (digits > 0 || !gs_formula_holds(search, &formula, target, true))))
			continue;
		gs_formula_keep(search, &formula, target);
		return true;
	}
	return false;
}

/* y as a multiple of x and a constant. */
typedef struct Line
{
	double		slope;
	double		mean_x;
	double		mean_y;
} Line;

/*
 * The line through the numbers of two columns by least squares; a slope of 0
 * if there is none.
 */
static Line
find_line(const Search *search, int from, int target)
{
	const double *x = search->number[from].value;
	const double *y = search->number[target].value;
	double		n = 0;
	double		mean_x = 0;
	double		mean_y = 0;
	double		xx = 0;
	double		xy = 0;

	/* Welford's update */
	for (int row = 0; row < search->nrows; row++)
	{
		double		delta = x[row] - mean_x;

		if (isnan(x[row]) || isnan(y[row]))
			continue;
		mean_x += delta / ++n;
		mean_y += (y[row] - mean_y) / n;
		xx += delta * (x[row] - mean_x);
		xy += delta * (y[row] - mean_y);
	}
	return (Line)
	{
		xx > 0 ? xy / xx : 0, mean_x, mean_y
	};
}

/*
 * Finds numbers that are a multiple of another one and a constant: degrees
 * Fahrenheit, a tax of 19 %.  Factors of few digits first: a price follows
 * from one without tax rather than the reverse.
 */
static void
find_multiples(Search *search)
{
	Line	   *lines = palloc(sizeof(Line) * search->n * search->n);

	for (int i = 0; i < search->n * search->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i / search->n != i % search->n)
			lines[i] = find_line(search, i / search->n, i % search->n);
	}
	for (int digits = 1; digits <= 5; digits++)
		for (int target = 0; target < search->n; target++)
			for (int from = 0; from < search->n; from++)
			{
				const Line *line = &lines[from * search->n + target];
				Formula		formula = {.constant = 0};

				CHECK_FOR_INTERRUPTS();
				if (target == from || search->number[target].told ||
					search->number[from].told)
					continue;
				formula.factor[from] = gs_to_digits(line->slope, digits);
				formula.constant =
					to_decimals(line->mean_y -
								formula.factor[from] * line->mean_x,
								Max(search->number[target].decimals, 0));
				if (formula.factor[from] != 0 &&
					gs_formula_holds(search, &formula, target, false))
					gs_formula_keep(search, &formula, target);
			}
	pfree(lines);
}

/*
 * Finds numbers that are another one's logarithm.
 */
static void
find_logarithms(Search *search)
{
	static const double bases[] = {M_E, 10};

	for (int target = 0; target < search->n; target++)
		for (int from = 0; from < search->n; from++)
			for (int b = 0; b < lengthof(bases); b++)
			{
				Formula		formula = {.product = true,.constant = 1,
				.base = bases[b]};

				CHECK_FOR_INTERRUPTS();
				formula.factor[from] = 1;
				if (from != target && search->number[from].log_spread > 0 &&
					!search->number[target].told &&
					!gs_formula_is_circular(search, &formula, target) &&
					gs_formula_holds(search, &formula, target, false))
					gs_formula_keep(search, &formula, target);
			}
}

/*
 * Finds sums, or products, by elimination.
 */
static void
eliminate(Search *search, bool logs, GsRandom *random)
{
	Basis	   *basis = palloc0(sizeof(Basis));
	double		factor[FORMULA_NUMBERS + 1];
	bool		used[FORMULA_NUMBERS] = {false};

	for (int i = 0; i < search->n; i++)
		used[i] = (!search->number[i].told ||
				   (logs && search->number[i].is_sum)) &&
			(!logs || search->number[i].log_spread > 0);
	if (!choose_rows(search, logs, used, random, basis))
		return;
	(void) add_column(search, basis, -1, logs, 0, factor);
	for (int at = 0; at < search->n; at++)
	{
		int			i = search->order[at];

		CHECK_FOR_INTERRUPTS();
		if (!used[i] ||
			add_column(search, basis, i, logs,
					   room_of(search, basis, i, logs), factor))
			continue;
		if (logs ? !gs_keep_powers(search, basis, factor, i) :
			!keep_sum(search, basis, factor, i))
			(void) add_column(search, basis, i, logs, 0, factor);
	}
}

/*
 * By how finely a number is told: what is rough tells what is fine.
 */
static int
by_precision(const void *a, const void *b, void *arg)
{
	const Search *search = arg;
	const Number *x = &search->number[*(const int *) a];
	const Number *y = &search->number[*(const int *) b];
	double		order = x->spread * y->unit - y->spread * x->unit;

	return order != 0 ? (order > 0 ? 1 : -1) :
		*(const int *) a - *(const int *) b;
}

/*
 * gs_formulas_find: equations of a sample, whose lanes hold the columns' own
 * values, as conditions.  Can be cancelled.
 *
 * Returns GsFormulas, in the current context.
 */
List *
gs_formulas_find(const GsSample *sample, uint64 seed)
{
	Search	   *search = palloc0(sizeof(Search));
	int64		stride = sample->nrows / MAX_ROWS + 1;
	GsRandom	random;

	search->nrows = (int) (sample->nrows / stride);
	if (search->nrows < MIN_ROWS)
		return NIL;
	gs_random_start(&random, seed, 0, 0);
	for (int c = 0; c < sample->ncolumns && search->n < FORMULA_NUMBERS; c++)
	{
		Number	   *number = &search->number[search->n];
		const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];

		CHECK_FOR_INTERRUPTS();
		/* a numeric that is kept as a double has digits of its own */
		if (sample->columns[c].is_key || !is_number(&sample->columns[c]) ||
			(lane->is_numeric && lane->type != GS_LANE_INT) ||
			!read_number(number, &sample->columns[c], lane, search->nrows,
						 stride))
			continue;
		/* a day follows from others as a day */
		number->may_be_told &= (sample->told == NULL || !sample->told[c]) &&
			!gs_holds_dates(sample, c);
		search->any_float |= number->is_float;
		search->n++;
	}
	for (int i = 0; i < search->n; i++)
		search->order[i] = i;
	qsort_arg(search->order, search->n, sizeof(int), by_precision, search);
	find_logarithms(search);
	find_multiples(search);
	for (int try = 0; try < TRIES && search->n >= 2; try++)
	{
		eliminate(search, false, &random);
		eliminate(search, true, &random);
	}
	for (int rate = 0; rate < search->n && search->n <= MAX_TEMPLATE; rate++)
	{
		CHECK_FOR_INTERRUPTS();
		gs_find_rates(search, rate);
	}
	if (search->n >= 3 && search->n <= MAX_TEMPLATE)
		for (int a = 0; a < search->n; a++)
			for (int b = 0; b < search->n; b++)
			{
				CHECK_FOR_INTERRUPTS();
				if (a < b)
					gs_find_pairs(search, a, b, 1);
				if (a != b)
					gs_find_pairs(search, a, b, -1);
			}
	return search->found;
}
