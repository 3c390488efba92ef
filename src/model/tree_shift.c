/*
 * tree_shift.c
 *	  Numbers that are told best by how far they are from another: the end of
 *	  something from its beginning, a balance from the month before.
 *
 * A tree sees a number in at most 255 codes, and cannot tell what is finer.
 * Where a number lies much closer to another one than that one's codes
 * tell, the leaves hold the distribution of the difference, by a quantile
 * table of its own, protected like any; and trees may ask for the
 * difference, as if it were a column.
 *
 * Differences are taken between values as doubles in a common unit: numbers
 * as such, moments and dates in microseconds, money in its own.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/tree_shift.h"
#include "numeric/truncated.h"

#define SEARCH_ROWS		8000	/* looked at to choose */
#define MIN_GROUP		8		/* rows that a spread is taken of */
#define MIN_ROWS		500
#define MAX_MISSING	0.001		/* rows in which the base is missing */
#define ENOUGH			(-0.7)	/* log of the spreads' ratio */
#define SPIKE			0.01	/* share of rows of one value ... */
#define MAX_SPIKES		0.05	/* ... which a sum with a difference misses */
#define UNORDERED		0.05	/* rows that chance would put in another order */
#define CROSSING		0.02	/* rows in which that draws a wrong order */
#define ORDER_PREMIUM	3.0		/* so that what is always later stays so */

/*
 * gs_value_scale: the unit of a number feature's scalars.
 *
 * Returns its axis, and in *unit what a scalar's value is multiplied by.
 */
GsAxis
gs_value_scale(const GsSchema *schema, const GsFeature *feature, double *unit)
{
	const GsColumn *column = &schema->columns[feature->column];
	const GsQuantile *q = &feature->quantile;
	const GsCodecKind *kind = column->codec.kind;
	const GsPartKind *part = &kind->part[0];

	*unit = kind->unit > 0 ? kind->unit : 1;
	if (feature->lane == GS_LANE_INT)
		*unit *= pow(10, -feature->scale);
	if (feature->kind != GS_FEATURE_NUMBER || column->codec.nparts != 1 ||
		column->layout != NULL ||
		q->nsegments < 1 ||
		gs_scalar_is_special(part, feature->lane, q->low[0]) ||
		gs_scalar_is_special(part, feature->lane, q->high[q->nsegments - 1]))
		return GS_AXIS_NONE;
	return kind->axis;
}

/*
 * gs_value_at: the value at a position of a segment, part from 0 to 1, in
 * units.
 */
double
gs_value_at(const GsFeature *feature, double unit, int segment, double part)
{
	GsScalar	value = gs_quantile_value(feature, segment, part);

	return feature->lane == GS_LANE_FLOAT ? value.f :
		unit * (double) value.i;
}

/* A row's value, while a base is looked for. */
typedef struct Seen
{
	int			group;			/* code of the base */
	double		value;			/* of the number */
	double		shift;			/* from the base */
} Seen;

#define ST_SORT sort_values
#define ST_ELEMENT_TYPE Seen
#define ST_COMPARE(a, b) ((a)->group != (b)->group ? \
						  (a)->group - (b)->group : \
						  ((a)->value > (b)->value) - ((a)->value < (b)->value))
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_shifts
#define ST_ELEMENT_TYPE Seen
#define ST_COMPARE(a, b) ((a)->group != (b)->group ? \
						  (a)->group - (b)->group : \
						  ((a)->shift > (b)->shift) - ((a)->shift < (b)->shift))
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

static double
row_value(const GsShiftSource *source, int64 row)
{
	return gs_value_at(source->feature, source->unit, source->segment[row],
					   source->within[row] / 65535.0);
}

/*
 * The mean over groups of the log of a spread, the middle half's width:
 * rows, with which a group is sorted, and n the rows.  least: a width that
 * counts as none.
 */
static double
mean_spread(const Seen *rows, int n, bool shift, double min)
{
	double		sum = 0;
	int			next;

	for (int i = 0; i < n; i = next)
	{
		int			quarter;
		double		width;

		for (next = i; next < n && rows[next].group == rows[i].group;)
			next++;
		if (next - i < MIN_GROUP)
			continue;
		quarter = (next - i) / 4;
		width = shift ?
			rows[next - 1 - quarter].shift - rows[i + quarter].shift :
			rows[next - 1 - quarter].value - rows[i + quarter].value;
		sum += (next - i) * log(Max(width, min));
	}
	return sum / n;
}

/*
 * The share of a number's rows that hold one of its frequent values.
 */
static double
spike_share(const GsFeature *feature)
{
	const GsQuantile *q = &feature->quantile;
	double		sum = 0;

	for (int s = 0; s < q->nsegments; s++)
	{
		double		share = gs_normal_between(q->edge[s], q->edge[s + 1]);

		if (share >= SPIKE &&
			gs_scalar_compare(q->low[s], q->high[s], feature->lane) == 0)
			sum += share;
	}
	return sum;
}

/*
 * The share of rows, sorted by group, in which a number would lie on the other
 * side of the base if it came with another row's of the same group, as it does
 * where it is drawn from what the base's code tells.
 */
static double
crossing_share(const Seen *rows, int n, bool later)
{
	int			crossing = 0;

	for (int i = 0; i + 1 < n; i++)
	{
		double		base = rows[i + 1].value - rows[i + 1].shift;

		if (rows[i].group == rows[i + 1].group)
			crossing += later ? rows[i].value < base : rows[i].value > base;
	}
	return (double) crossing / n;
}

/*
 * How much closer a number lies to a base than the base's codes tell: the
 * mean log of the ratio of spreads, less a premium for an order.
 */
static double
compare(const GsShiftSource *number, const GsShiftSource *base,
		const uint8 *code, int64 nrows, Seen *rows)
{
	int64		stride = Max(1, nrows / SEARCH_ROWS);
	int64		missing = 0;
	double		min;
	double		score;
	int			later = 0;		/* rows in which it is no less than the base */
	int			by_chance = 0;	/* rows in which it is no less than another's */
	int			n = 0;

	for (int64 row = 0; row < nrows && n < 2 * SEARCH_ROWS; row += stride)
	{
		if (number->segment[row] == GS_MISSING)
			continue;
		if (base->segment[row] == GS_MISSING)
		{
			missing++;
			continue;
		}
		rows[n].group = code[row];
		rows[n].value = row_value(number, row);
		rows[n].shift = rows[n].value - row_value(base, row);
		later += rows[n].shift >= 0;
		by_chance += n > 0 && rows[n].value >=
			rows[n - 1].value - rows[n - 1].shift;
		n++;
	}
	if (n < MIN_ROWS || missing > MAX_MISSING * n)
		return 0;
	sort_values(rows, n);
	min = 1e-6 * (gs_value_at(number->feature, number->unit,
							  number->feature->quantile.nsegments - 1, 1) -
				  gs_value_at(number->feature, number->unit, 0, 0));
	if (!(min > 0))
		return 0;
	score = -mean_spread(rows, n, false, min);
	sort_shifts(rows, n);
	score += mean_spread(rows, n, true, min);

	/* always after the base, or always before it, and not by chance */
	if (((later == n && by_chance < n * (1 - UNORDERED)) ||
		 (later == 0 && by_chance > n * UNORDERED)) &&
		crossing_share(rows, n, later == n) > CROSSING)
		score -= ORDER_PREMIUM;
	return score;
}

/*
 * gs_shift_find: the base that a number is told by best, or -1.
 *
 * number: it; base: [nbases] what comes before it, code: [nbases][nrows]
 * their codes.  Can be cancelled.
 */
int
gs_shift_find(const GsShiftSource *number, const GsShiftSource *base,
			  const uint8 *const *code, int nbases, int64 nrows)
{
	Seen	   *rows;
	double		min = ENOUGH;
	int			best = -1;

	if (number->group == 0 || spike_share(number->feature) > MAX_SPIKES)
		return -1;
	rows = palloc(sizeof(Seen) * 2 * SEARCH_ROWS);
	for (int b = 0; b < nbases; b++)
	{
		double		score;

		CHECK_FOR_INTERRUPTS();
		if (base[b].group != number->group)
			continue;
		score = compare(number, &base[b], code[b], nrows, rows);
		if (score < min)
		{
			min = score;
			best = b;
		}
	}
	pfree(rows);
	return best;
}

/*
 * gs_shift_table: the quantile table of differences, and its segment in each
 * row.
 *
 * shift: [nrows] NaN: none.  Fills feature, a number, and segment [nrows],
 * GS_MISSING where there is no difference.  Returns false where too few rows
 * have one.  Can be cancelled.
 */
bool
gs_shift_table(const double *shift, int64 nrows, int threshold,
			   GsFeature *feature, uint16 *segment)
{
	GsScalar   *sorted = palloc_extended(sizeof(GsScalar) * Max(nrows, 1),
										 MCXT_ALLOC_HUGE);
	int64		n = 0;

	memset(feature, 0, sizeof(GsFeature));
	feature->kind = GS_FEATURE_NUMBER;
	feature->lane = GS_LANE_FLOAT;
	feature->step = 1;
	feature->decimals = -1;
	for (int64 row = 0; row < nrows; row++)
		if (!isnan(shift[row]))
			sorted[n++].f = shift[row];
	if (n < MIN_ROWS || n < 4 * threshold)
	{
		pfree(sorted);
		return false;
	}
	gs_scalars_sort(sorted, n, GS_LANE_FLOAT);
	gs_quantile_build(feature, NULL, sorted + threshold - 1,
					  n - 2 * (threshold - 1), threshold, false, false);
	pfree(sorted);
	for (int64 row = 0; row < nrows; row++)
	{
		GsScalar	value = {.f = shift[row]};

		segment[row] = isnan(shift[row]) ? GS_MISSING :
			(uint16) gs_quantile_find(feature, value);
	}
	return true;
}

/*
 * gs_shift_learn: the same of a number from its base.
 */
bool
gs_shift_learn(const GsShiftSource *number, const GsShiftSource *base,
			   int64 nrows, int threshold, GsFeature *feature, uint16 *segment)
{
	double	   *shift = palloc_extended(sizeof(double) * Max(nrows, 1),
										MCXT_ALLOC_HUGE);
	bool		learned;

	for (int64 row = 0; row < nrows; row++)
		shift[row] = number->segment[row] == GS_MISSING ||
			base->segment[row] == GS_MISSING ? NAN :
			row_value(number, row) - row_value(base, row);
	learned = gs_shift_table(shift, nrows, threshold, feature, segment);
	pfree(shift);
	return learned;
}
