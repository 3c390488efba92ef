/*
 * difference.c
 *	  Columns that are learned as what they add to another one.
 *
 * Where a date, a time stamp, a whole number or money is never before another one of
 * its row (a discharge after its admission), and close to it, the difference
 * is what follows a distribution: its scalars take the place of the column's
 * own before features are learned, and are added up when rows are decoded.
 * So the order holds by construction, and stays are as long as they are.
 *
 * Tensor: column/base int4 [columns], see GsColumn.
 */
#include "postgres.h"

#include "common/int.h"
#include "miscadmin.h"

#include "learn/difference.h"

#define MIN_ROWS	50
/* A difference is learned where it has less than this of the variance. */
#define MAX_VARIANCE	0.25

static bool
may_differ(const GsColumn *column)
{
	/* a domain's conditions are not about a difference */
	return !column->unique && column->meant != GS_MEANT_CODE &&
		column->codec.kind->integer &&
		column->codec.kind->axis != GS_AXIS_NONE &&
		column->declared == column->type;
}

static inline bool
is_absent(const GsLane *lane, int64 row)
{
	return lane->absent != NULL && lane->absent[row];
}

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
 * The share of a column's variance that is left when another one is taken
 * off; -1 if the other is not always there and never beyond it.
 */
static double
variance_left(const GsSample *sample, int column, int base)
{
	const GsLane *lane = &sample->lanes[column * GS_MAX_PARTS];
	const GsLane *from = &sample->lanes[base * GS_MAX_PARTS];
	const GsPartKind *kind = &sample->columns[column].codec.part[0];
	Moments		own = {0};
	Moments		rest = {0};

	for (int64 row = 0; row < sample->nrows; row++)
	{
		int64		difference;

		if (is_absent(lane, row))
			continue;
		if (is_absent(from, row) ||
			gs_scalar_is_special(kind, GS_LANE_INT, lane->scalar[row]) ||
			gs_scalar_is_special(kind, GS_LANE_INT, from->scalar[row]) ||
			pg_sub_s64_overflow(lane->scalar[row].i, from->scalar[row].i,
								&difference) || difference < 0)
			return -1;
		add_moment(&own, (double) lane->scalar[row].i);
		add_moment(&rest, (double) difference);
	}
	if (own.n < MIN_ROWS || own.square <= 0)
		return -1;
	/* of two columns that are equal, the first is the base */
	if (rest.square <= 0 && rest.mean == 0 && base > column)
		return -1;
	return rest.square / own.square;
}

/*
 * How many bases are below a column.
 */
static int
base_depth(const GsColumn *columns, int column)
{
	int			depth = 0;

	while (columns[column].base > 0)
	{
		column = columns[column].base - 1;
		depth++;
	}
	return depth;
}

static void
take_off(GsSample *sample, int column)
{
	int			base = sample->columns[column].base - 1;
	GsLane	   *lane = &sample->lanes[column * GS_MAX_PARTS];
	const GsLane *from = &sample->lanes[base * GS_MAX_PARTS];

	for (int64 row = 0; row < sample->nrows; row++)
		if (!is_absent(lane, row))
			lane->scalar[row].i -= from->scalar[row].i;
}

/*
 * gs_differences_find: finds such columns of a sample, sets their base, and
 * leaves the differences in their lanes.  Can be cancelled.
 */
void
gs_differences_find(GsSample *sample)
{
	int			deepest = 0;

	for (int c = 0; c < sample->ncolumns; c++)
	{
		GsColumn   *column = &sample->columns[c];
		double		min = MAX_VARIANCE;

		if (!may_differ(column))
			continue;
		for (int b = 0; b < sample->ncolumns; b++)
		{
			double		left;

			CHECK_FOR_INTERRUPTS();
			/* what is known for every row cannot follow what is not */
			if (b == c || (column->context && !sample->columns[b].context) ||
				sample->columns[b].codec.kind != column->codec.kind ||
				!may_differ(&sample->columns[b]))
				continue;
			left = variance_left(sample, c, b);
			if (left < 0 || left >= min)
				continue;
			min = left;
			column->base = b + 1;
		}
	}

	/* a base must be what it is until all has been taken off that it is of */
	for (int c = 0; c < sample->ncolumns; c++)
		deepest = Max(deepest, base_depth(sample->columns, c));
	for (; deepest > 0; deepest--)
		for (int c = 0; c < sample->ncolumns; c++)
			if (base_depth(sample->columns, c) == deepest)
				take_off(sample, c);
}

/*
 * gs_differences_save: appends the tensor.
 */
void
gs_differences_save(const GsSchema *schema, List **tensors)
{
	int32	   *base = palloc(sizeof(int32) * schema->ncolumns);

	for (int c = 0; c < schema->ncolumns; c++)
		base[c] = schema->columns[c].base;
	gs_tensor_add(tensors, "column/base", GS_I4, 1, schema->ncolumns, 0, base);
}

/*
 * gs_differences_load: reads it, of a schema whose features are loaded.
 * Errors: data_corrupted.
 */
void
gs_differences_load(GsSchema *schema, const List *tensors)
{
	const int32 *base = gs_tensor_data(tensors, "column/base", GS_I4,
									   schema->ncolumns);

	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];

		if (base[c] == 0)
			continue;
		if (base[c] < 0 || base[c] > schema->ncolumns || base[c] == c + 1 ||
			column->codec.kind != schema->columns[base[c] - 1].codec.kind ||
			!column->codec.kind->integer || column->key != NULL ||
			schema->columns[base[c] - 1].key != NULL ||
			schema->features[column->feature[0]].lane != GS_LANE_INT ||
			schema->features[schema->columns[base[c] - 1].feature[0]].lane != GS_LANE_INT)
			gs_corrupted("Column \"%s\" cannot be a difference.",
						 column->name);
		column->base = base[c];
	}
	for (int c = 0; c < schema->ncolumns; c++)
	{
		int			at = c;

		for (int steps = 0; schema->columns[at].base > 0; steps++)
		{
			if (steps > schema->ncolumns)
				gs_corrupted("Column \"%s\" is a difference from itself.",
							 schema->columns[c].name);
			at = schema->columns[at].base - 1;
		}
	}
}

/*
 * gs_difference_add: a value from its base, within what its type can hold.
 */
int64
gs_difference_add(const GsCodec *codec, int64 base, int64 difference)
{
	int64		min = codec->part[0].min;
	int64		max = codec->part[0].max;
	int64		sum;

	if (pg_add_s64_overflow(base, difference, &sum))
		return base < 0 ? min : max;
	return Min(Max(sum, min), max);
}
