/*
 * pair.c
 *	  Whether a column is told by what it adds to another one.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"

#include "learn/learn_internal.h"
#include "learn/pair.h"
#include "learn/quantile.h"

#define FIRST_ROWS		64		/* of a pair, before more are looked at */

/*
 * A difference of numbers is learned where it has less than this of the
 * variance, and is no less round: where so many times as many values occur.
 */
#define MAX_VARIANCE	0.6
#define MAX_DISTINCT	1.25
/* Of moments in any order, less than this. */
#define MAX_UNORDERED	0.02
/* Rows that chance would have put in another order, to tell an order. */
#define MIN_CHANCE		15
/* Rows in another order than that which is nearly always kept. */
#define FEW_EXCEPTIONS	0.002

/* Rows of each value, on average, where values are looked up. */
#define ROWS_PER_VALUE	5

/* Below this, in nats, a column is but another one's, rounded. */
#define MIN_ENTROPY		0.05

/* What the rows say of a column and a base. */
typedef struct Pair
{
	int64		n;				/* rows that have both */
	int64		alone;			/* that have only the column */
	int64		below;			/* the column below the base */
	int64		above;
	int64		chance;			/* that have the column, and some other row of
								 * which the base is compared with it */
	int64		chance_below;
	int64		chance_above;
	double		own;			/* variances, times n: see add_moment */
	double		rest;
	Distinct	difference;
	Distinct	by_chance;		/* from the base of the other row */
} Pair;

/* Mean and sum of squares: Welford, Technometrics 4 (1962). */
typedef struct Moments
{
	double		n;
	double		mean;
	double		square;
} Moments;

static inline void
add_moment(Moments *moments, double value)
{
	double		delta = value - moments->mean;

	moments->n++;
	moments->mean += delta / moments->n;
	moments->square += delta * (value - moments->mean);
}

/*
 * A value of a base in the column's unit, rounded down and up.  Returns false
 * where that is beyond all numbers.
 */
static inline bool
convert(int64 value, int64 from, int64 to, int64 *down, int64 *up)
{
	if (from >= to)
	{
		bool		fits = !pg_mul_s64_overflow(value, from / to, down);

		*up = *down;
		return fits;
	}
	*down = value / (to / from) - (value % (to / from) < 0);
	*up = *down + (value % (to / from) != 0);
	return true;
}

/*
 * Looks at the base of some other row.
 */
static void
look_at_chance(const Finder *finder, int c, int b, int64 row, int64 value,
			   Pair *pair)
{
	const Number *base = &finder->number[b];
	int64		other = other_row(row, finder->sample->nrows);
	int64		from;
	int64		down;
	int64		up;

	if (other == row || !has_value(base, other, &from) ||
		!convert(from, base->unit, finder->number[c].unit, &down, &up))
		return;
	pair->chance++;
	pair->chance_below += value < up;
	pair->chance_above += value > down;
	count_distinct(&pair->by_chance,
				   (int64) ((uint64) value - (uint64) down));
}

/*
 * Looks at every so many rows of a pair.  Returns false if some cannot be
 * compared.
 */
static bool
look_at_pair(const Finder *finder, int c, int b, int64 stride, Pair *pair)
{
	const Number *number = &finder->number[c];
	const Number *base = &finder->number[b];
	Moments		own = {0};
	Moments		rest = {0};

	memset(pair, 0, sizeof(Pair));
	for (int64 row = 0; row < finder->sample->nrows; row += stride)
	{
		int64		value;
		int64		from;
		int64		down;
		int64		up;
		int64		difference;

		if (!has_value(number, row, &value))
			continue;
		if (!has_value(base, row, &from))
		{
			pair->alone++;
			continue;
		}
		if (!convert(from, base->unit, number->unit, &down, &up) ||
			pg_sub_s64_overflow(value, down, &difference))
			return false;
		pair->below += value < up;
		pair->above += value > down;
		look_at_chance(finder, c, b, row, value, pair);
		pair->n++;
		add_moment(&own, (double) value);
		add_moment(&rest, (double) difference);
		count_distinct(&pair->difference, difference);
	}
	pair->own = own.square;
	pair->rest = rest.square;
	return pair->n > 0;
}

/*
 * The order that a pair's rows keep, and not by chance: see GsLayout; 0: none.
 *
 * n: rows that the pair stands for
 */
static int
order_of(const Pair *pair, int64 n)
{
	if (pair->below == 0 &&
		(double) pair->chance_below / Max(pair->chance, 1) * n >= MIN_CHANCE)
		return 1;
	if (pair->above == 0 &&
		(double) pair->chance_above / Max(pair->chance, 1) * n >= MIN_CHANCE)
		return -1;
	return 0;
}

/*
 * The entropy of differences that are few, and not by chance, in nats; -1 if
 * they are not.
 */
static double
few_entropy(const Pair *pair)
{
	const Distinct *distinct = &pair->difference;
	int64		covered = 0;
	double		sum = 0;

	for (int i = 0; i < Min(distinct->n, FEW_DISTINCT); i++)
	{
		double		share = (double) distinct->count[i] / pair->n;

		covered += distinct->count[i];
		sum -= share * log(share);
	}
	return covered >= FEW_COVERAGE * pair->n &&
		pair->by_chance.n > FEW_DISTINCT ? sum : -1;
}

static int
count_values(GsScalar *value, int n)
{
	int			count = n > 0;

	gs_scalars_sort(value, n, GS_LANE_INT);
	for (int i = 1; i < n; i++)
		count += value[i].i != value[i - 1].i;
	return count;
}

/*
 * Whether differences are as round as the values are: prices that end in 9
 * would not do so as sums.
 */
static bool
is_round(const Finder *finder, int c, int b, int64 stride)
{
	const Number *number = &finder->number[c];
	const Number *base = &finder->number[b];
	int64		room = finder->sample->nrows / stride + 1;
	GsScalar   *value = palloc(sizeof(GsScalar) * room);
	GsScalar   *difference = palloc(sizeof(GsScalar) * room);
	int			n = 0;
	bool		round;

	for (int64 row = 0; row < finder->sample->nrows; row += stride)
	{
		int64		from;
		int64		down;
		int64		up;

		if (!has_value(number, row, &value[n].i) ||
			!has_value(base, row, &from) ||
			!convert(from, base->unit, number->unit, &down, &up))
			continue;
		difference[n].i = value[n].i - down;
		n++;
	}
	round = count_values(difference, n) <=
		MAX_DISTINCT * count_values(value, n);
	pfree(value);
	pfree(difference);
	return round;
}

typedef struct Values
{
	int64		own;
	int64		other;
} Values;

static int
by_values(const void *a, const void *b)
{
	const Values *x = a;
	const Values *y = b;

	if (x->own != y->own)
		return x->own < y->own ? -1 : 1;
	return (x->other > y->other) - (x->other < y->other);
}

/*
 * Whether one column's value tells the other's, of which it has many rows
 * each, as a school tells its district: such a dependency is learned as what
 * it is, and would be lost in a difference.
 */
static bool
is_looked_up(const Finder *finder, int of, int from, int64 stride)
{
	int64		room = finder->sample->nrows / stride + 1;
	Values	   *values = palloc(sizeof(Values) * room);
	int			n = 0;
	int			distinct = 0;
	int64		exceptions = 0;

	for (int64 row = 0; row < finder->sample->nrows; row += stride)
		n += has_value(&finder->number[of], row, &values[n].other) &&
			has_value(&finder->number[from], row, &values[n].own);
	qsort(values, n, sizeof(Values), by_values);
	for (int i = 0, first; i < n; i = first)
	{
		int			most = 0;

		for (first = i; first < n && values[first].own == values[i].own;)
		{
			int			same = first;

			while (first < n && values[first].own == values[same].own &&
				   values[first].other == values[same].other)
				first++;
			most = Max(most, first - same);
		}
		distinct++;
		exceptions += first - i - most;
	}
	pfree(values);
	return distinct > 1 && n >= ROWS_PER_VALUE * distinct &&
		exceptions <= FEW_EXCEPTIONS * n;
}

/*
 * Whether a column is a number by which others are looked up, of which two
 * are no more alike where they are close to each other.
 */
static bool
is_code(const Finder *finder, int c)
{
	int64		stride = finder->sample->nrows / PAIR_ROWS + 1;

	for (int b = 0; b < finder->sample->ncolumns && finder->code[c] == 0; b++)
		if (b != c && finder->number[b].unit != 0 &&
			finder->number[b].column->codec.kind->axis != GS_AXIS_TIME &&
			is_looked_up(finder, b, c, stride))
			finder->code[c] = 1;
	if (finder->code[c] == 0)
		finder->code[c] = -1;
	return finder->code[c] > 0;
}

/*
 * gs_pair_score: how good a base is for a column; NAN if it is none.  *sign:
 * set, whether or not it is one.
 */
double
gs_pair_score(const Finder *finder, int c, int b, int *sign)
{
	int64		nrows = finder->sample->nrows;
	int64		stride = nrows / PAIR_ROWS + 1;
	const GsColumn *column = finder->number[c].column;
	bool		moment = column->codec.kind->axis == GS_AXIS_TIME;
	double		entropy;
	double		ratio;
	Pair		pair;

	*sign = 0;
	if (!look_at_pair(finder, c, b, nrows / FIRST_ROWS + 1, &pair) ||
		(pair.below > 1 && pair.above > 1 &&
		 !(moment && pair.rest < 2 * MAX_UNORDERED * pair.own)))
		return NAN;
	if (!look_at_pair(finder, c, b, stride, &pair) || pair.n < (finder->sample->columns[c].endless ?
				  ENDLESS_MIN_ROWS : PAIR_MIN_ROWS) ||
		pair.own <= 0)
		return NAN;
	ratio = pair.rest / pair.own;
	entropy = moment ? few_entropy(&pair) : -1;
	*sign = order_of(&pair, pair.n * stride);
	if (*sign != 0 && stride > 1)
	{
		Pair		all;

		if (!look_at_pair(finder, c, b, 1, &all) ||
			order_of(&all, all.n) != *sign)
			*sign = 0;
	}
	if (entropy >= 0 && (*sign >= 0 || entropy < MIN_ENTROPY))
		return entropy - BY_FAR;
	if (!moment && *sign != 0 && (is_looked_up(finder, b, c, stride) ||
								  is_looked_up(finder, c, b, stride)))
		*sign = 0;
	if (!moment && *sign == 0 && (is_code(finder, c) || is_code(finder, b)))
		return NAN;
	/* the later one is told from the earlier one, or from one that is known */
	if (*sign > 0 || (*sign < 0 && (finder->number[b].column->context ||
									finder->number[b].column->exact)) ?
		moment || (ratio < MAX_VARIANCE &&
							   is_round(finder, c, b, stride)) :
		*sign == 0 && (moment ? ratio < MAX_UNORDERED :
					   pair.below <= pair.n * FEW_EXCEPTIONS &&
					   ratio < MAX_VARIANCE &&
					   is_round(finder, c, b, stride)))
		return log(ratio + 1e-12) / 2 +
			3.0 * pair.alone / (pair.n + pair.alone);
	return NAN;
}
