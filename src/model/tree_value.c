/*
 * tree_value.c
 *	  Sequential trees: the values behind the segments of numbers, for
 *	  differences between them (see tree_shift.c).
 */
#include "postgres.h"

#include <math.h>

#include "learn/quantile.h"
#include "model/tree.h"
#include "model/tree_shift.h"

/*
 * gs_tree_load_axis: the values of a position's segments, whether or not they
 * can be compared with those of others.  Returns false where there are none to
 * be subtracted.
 */
bool
gs_tree_load_axis(TreePosition *position, const GsSchema *schema)
{
	const GsFeature *feature = &schema->features[position->feature];
	const GsQuantile *q = &feature->quantile;
	const GsPartKind *part =
		&schema->columns[feature->column].codec.kind->part[0];
	TreeValues *values;
	int			n = position->nvalues;

	if (position->values != NULL)
		return true;
	if (!position->number || n < 1 ||
		gs_scalar_is_special(part, feature->lane, q->low[0]) ||
		gs_scalar_is_special(part, feature->lane, q->high[n - 1]))
		return false;
	position->values = values = palloc0(sizeof(TreeValues));
	(void) gs_value_scale(schema, feature, &values->unit);
	values->low = palloc(sizeof(double) * n);
	values->high = palloc(sizeof(double) * n);
	values->rank = palloc(sizeof(uint16) * n);
	if (feature->lane == GS_LANE_INT)
		values->step = feature->step * values->unit;
	else if (feature->decimals >= 0)
		values->decimal = pow(10, feature->decimals);
	gs_tree_ranks(feature, values->rank);
	values->feature = feature;
	values->segment = palloc(sizeof(uint16) * n);
	for (int s = 0; s < n; s++)
	{
		values->segment[values->rank[s]] = (uint16) s;
		values->low[values->rank[s]] = gs_value_at(feature, values->unit, s,
												   0);
		values->high[values->rank[s]] = gs_value_at(feature, values->unit, s,
													1);
	}
	return true;
}

/*
 * The group that a position's values can be compared in; 0: none.
 */
static int
load_values(TreePosition *position, const GsSchema *schema)
{
	double		unit;
	int			group = gs_value_scale(schema,
									   &schema->features[position->feature],
									   &unit);

	return group != 0 && gs_tree_load_axis(position, schema) ? group : 0;
}

/*
 * gs_tree_load_shift: a table of differences.
 *
 * ends: [n][2] its segments, in order; code: their codes.  Errors:
 * data_corrupted.
 */
void
gs_tree_load_shift(TreeShift *shift, int n, const double *ends,
				   const uint8 *code)
{
	int			at = 0;

	shift->n = n;
	shift->low = palloc(sizeof(double) * n);
	shift->high = palloc(sizeof(double) * n);
	shift->rank = palloc(sizeof(uint16) * n);
	shift->code = palloc(n);
	for (int s = 0; s < n; s++)
		if (!(isfinite(ends[2 * s]) && isfinite(ends[2 * s + 1]) &&
			  ends[2 * s] <= ends[2 * s + 1] &&
			  (s == 0 || ends[2 * s - 1] <= ends[2 * s])))
			gs_corrupted("Differences of a tree are in no order.");

	/* as gs_tree_ranks does it */
	for (int atoms = 0; atoms < 2; atoms++)
		for (int s = 0; s < n; s++)
			if ((ends[2 * s] == ends[2 * s + 1]) == (atoms == 1))
			{
				shift->low[at] = ends[2 * s];
				shift->high[at] = ends[2 * s + 1];
				shift->code[at] = code[s];
				shift->rank[s] = (uint16) at++;
			}
}

/*
 * gs_tree_load_values: the difference of position p from its base.
 *
 * ends, code: see gs_tree_load_shift.  Errors: data_corrupted.
 */
void
gs_tree_load_values(TreeModel *model, const GsSchema *schema, int p, int base,
					const double *ends, const uint8 *code)
{
	TreePosition  *position = &model->position[p];
	int			n = position->shift.n;

	if (base < 0 || base >= p || n < 1 || n >= GS_MISSING ||
		!position->number || !model->position[base].number ||
		load_values(position, schema) == 0 ||
		load_values(position, schema) !=
		load_values(&model->position[base], schema))
		gs_corrupted("Tree %d is of an impossible difference.", p);
	position->shift.base = base;
	gs_tree_load_shift(&position->shift, n, ends, code);
}

/*
 * gs_tree_value: the value of a position on a number's axis, as it will be
 * decoded.
 */
double
gs_tree_value(const TreePosition *position, float at)
{
	const TreeValues *values = position->values;
	int			rank = (int) Min(at, position->nvalues - 1);
	double		part = Min(at - rank, 1);
	double		low = values->low[rank];
	double		high = values->high[rank];
	double		value;

	if (values->feature->endings != NULL)
		return gs_value_at(values->feature, values->unit,
						   values->segment[rank], part);
	if (values->step > 0)
	{
		double		steps = rint((high - low) / values->step);

		return low + values->step * Min(floor(part * (steps + 1)), steps);
	}
	value = low + part * (high - low);
	if (values->decimal > 0)
		value = rint(value * values->decimal) / values->decimal;
	return value;
}

/*
 * The last of n segments, ordered by rank, that does not begin after a value.
 */
static int
find_segment(const double *low, const uint16 *rank, int n, double value)
{
	int			first = 0;
	int			last = n - 1;

	while (first < last)
	{
		int			middle = (first + last + 1) / 2;

		if (low[rank[middle]] <= value)
			first = middle;
		else
			last = middle - 1;
	}
	return first;
}

/*
 * The scalar of a value.
 */
static GsScalar
value_scalar(const TreeValues *values, double value)
{
	if (values->feature->lane == GS_LANE_FLOAT)
		return (GsScalar) {.f = value};
	return (GsScalar) {.i = (int64) rint(value / values->unit)};
}

/*
 * gs_tree_find: the position on a number's axis that is decoded to a value, or
 * to the nearest that there is.
 */
float
gs_tree_find(const TreePosition *position, double value)
{
	const TreeValues *values = position->values;
	int			segment = find_segment(values->low, values->rank,
									   position->nvalues, value);
	int			rank = values->rank[segment];
	double		part;

	/* in the gap before the next one, whichever is nearer */
	if (value > values->high[rank] && segment + 1 < position->nvalues)
	{
		int			next = values->rank[segment + 1];

		if (value - values->high[rank] > values->low[next] - value)
			rank = next;
	}
	part = values->high[rank] > values->low[rank] ?
		(value - values->low[rank]) /
		(values->high[rank] - values->low[rank]) : 0.5;
	part = Max(0, Min(part, 1));
	if (values->feature->endings != NULL)
		part = gs_quantile_position(values->feature, values->segment[rank],
									value_scalar(values, value), 0.5);
	else if (values->step > 0)
	{
		double		steps = rint((values->high[rank] - values->low[rank]) /
								 values->step);

		part = (rint(part * steps) + 0.5) / (steps + 1);
	}

	/* not on to the next rank when it is rounded to a float */
	return Min((float) (rank + part), nextafterf(rank + 1, 0));
}

/*
 * gs_tree_shift_code: the code of a difference.
 */
uint8
gs_tree_shift_code(const TreePosition *position, double shift)
{
	const TreeShift *s = &position->shift;

	return s->code[s->rank[find_segment(s->low, s->rank, s->n, shift)]];
}
