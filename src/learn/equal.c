/*
 * equal.c
 *	  Values that are equal to those of another column in a share of the rows.
 *
 * A bill is paid in full, an address is that of the delivery: no distribution
 * makes two values equal that both may be anything.  Where more rows have equal
 * values than two columns would that know nothing of each other, which rows
 * these are becomes a feature, which a family learns, and the decoder gives
 * them the other column's value.  So it is with numbers that are another one's
 * opposite: what is paid back.
 *
 * Tensor: column/equal int4 [columns] 1 + the column whose value it may have,
 * always one before it; 0: none.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"

#include "learn/equal.h"

#define MIN_ROWS		100
#define MIN_SHARE		0.01	/* of the rows with a value that are equal */
#define MIN_LIFT		2.0		/* times as many as by accident */
#define SAMPLE_ROWS		4096	/* looked at first */
#define MIN_DISTINCT	32		/* of these are different */

static inline bool
is_absent(const GsLane *lane, int64 row)
{
	return lane->absent != NULL && lane->absent[row];
}

static bool
may_be_equal(const GsSample *sample, int c)
{
	const GsColumn *column = &sample->columns[c];
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];

	return !column->unique && column->codec.nparts == 1 &&
		column->declared == column->type &&
		!(lane->is_numeric && lane->type != GS_LANE_INT);
}

/*
 * Whether two columns' values, of the rows of each, are equal, or one is the
 * other's opposite.
 */
static inline bool
are_equal(const GsLane *lane, int64 row, const GsLane *other, int64 other_row,
		  bool opposite)
{
	int64		a = lane->scalar[row].i;
	int64		b = other->scalar[other_row].i;

	if (opposite && lane->type == GS_LANE_FLOAT)
		return lane->scalar[row].f == -other->scalar[other_row].f;
	if (opposite && (b == PG_INT64_MIN || (b = -b) == 0))
		return false;

	for (int scale = lane->scale; scale < other->scale; scale++)
		if (pg_mul_s64_overflow(a, 10, &a))
			return false;
	for (int scale = other->scale; scale < lane->scale; scale++)
		if (pg_mul_s64_overflow(b, 10, &b))
			return false;
	return a == b;
}

/*
 * The share of rows, so many apart, in which a column's value is equal to that
 * of another column in the row that is shifted by so many.
 */
static double
equal_share(const GsSample *sample, int column, int other, int64 stride,
			int64 shift, bool opposite)
{
	const GsLane *lane = &sample->lanes[column * GS_MAX_PARTS];
	const GsLane *from = &sample->lanes[other * GS_MAX_PARTS];
	int64		n = 0;
	int64		equal = 0;

	for (int64 row = 0; row < sample->nrows; row += stride)
	{
		int64		other_row = (row + shift) % sample->nrows;

		if (is_absent(lane, row))
			continue;
		n++;
		equal += !is_absent(from, other_row) &&
			are_equal(lane, row, from, other_row, opposite);
	}
	return n >= MIN_ROWS ? (double) equal / n : 0;
}

/*
 * Whether a column has more than a few values: else any family knows which of
 * them are equal.
 */
static bool
has_many_values(const GsLane *lane, int64 nrows)
{
	uint64		seen[MIN_DISTINCT];
	int			n = 0;
	int64		stride = nrows / SAMPLE_ROWS + 1;

	for (int64 row = 0; row < nrows; row += stride)
	{
		bool		found = is_absent(lane, row);

		for (int i = 0; i < n && !found; i++)
			found = seen[i] == lane->scalar[row].hash;
		if (found)
			continue;
		if (n == MIN_DISTINCT)
			return true;
		seen[n++] = lane->scalar[row].hash;
	}
	return false;
}

static void
mark_rows(GsSample *sample, int column, int other, bool opposite)
{
	const GsLane *lane = &sample->lanes[column * GS_MAX_PARTS];
	const GsLane *from = &sample->lanes[other * GS_MAX_PARTS];
	uint16	   *rows = palloc_extended(sizeof(uint16) * sample->nrows,
									   MCXT_ALLOC_HUGE);

	for (int64 row = 0; row < sample->nrows; row++)
	{
		bool		both = !is_absent(lane, row) && !is_absent(from, row);

		rows[row] = both && are_equal(lane, row, from, row, false) ? 1 :
			both && opposite && are_equal(lane, row, from, row, true) ? 2 : 0;
		if (is_absent(lane, row) && sample->columns[column].impute)
			rows[row] = GS_MISSING;
	}
	sample->columns[column].equal = other + 1;
	sample->columns[column].equal_opposite = opposite;
	sample->columns[column].equal_rows = rows;
}

/*
 * The share of rows that are equal, if that is more than chance: rows far from
 * each other know nothing of each other.
 */
static double
beyond_chance(const GsSample *sample, int c, int from, bool opposite)
{
	double		share = equal_share(sample, c, from, 1, 0, opposite);

	return share < MIN_SHARE ||
		share < MIN_LIFT * equal_share(sample, c, from, 1,
									   sample->nrows / 3 + 1, opposite) ?
		0 : share;
}

/*
 * gs_can_oppose: whether values of a type have opposites.
 */
bool
gs_can_oppose(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == NUMERICOID || type == FLOAT4OID || type == FLOAT8OID;
}

/*
 * gs_opposite: the opposite of a value of such a type, in the current context;
 * of the least whole number, itself.
 */
Datum
gs_opposite(Oid type, Datum value)
{
	switch (type)
	{
		case INT2OID:
			return Int16GetDatum(DatumGetInt16(value) == PG_INT16_MIN ?
								 PG_INT16_MIN : -DatumGetInt16(value));
		case INT4OID:
			return Int32GetDatum(DatumGetInt32(value) == PG_INT32_MIN ?
								 PG_INT32_MIN : -DatumGetInt32(value));
		case INT8OID:
			return Int64GetDatum(DatumGetInt64(value) == PG_INT64_MIN ?
								 PG_INT64_MIN : -DatumGetInt64(value));
		case FLOAT4OID:
			return Float4GetDatum(-DatumGetFloat4(value));
		case FLOAT8OID:
			return Float8GetDatum(-DatumGetFloat8(value));
		default:
			return DirectFunctionCall1(numeric_uminus, value);
	}
}

/*
 * gs_equals_find: finds such columns of a sample, whose lanes hold their own
 * values.  Can be cancelled.
 */
void
gs_equals_find(GsSample *sample)
{
	int64		stride = sample->nrows / SAMPLE_ROWS + 1;

	for (int c = 0; c < sample->ncolumns; c++)
	{
		const GsColumn *column = &sample->columns[c];
		double		best = MIN_SHARE;
		bool		opposite = false;
		int			other = -1;

		if (!may_be_equal(sample, c) ||
			!has_many_values(&sample->lanes[c * GS_MAX_PARTS], sample->nrows))
			continue;
		for (int from = 0; from < c; from++)
		{
			double		share = 0;
			double		against = 0;

			CHECK_FOR_INTERRUPTS();
			if (!may_be_equal(sample, from) ||
				sample->columns[from].type != column->type ||
				(sample->columns[from].typmod != column->typmod &&
				 column->typmod >= 0) ||
				!gs_may_follow(column, &sample->columns[from]))
				continue;
			if (equal_share(sample, c, from, stride, 0, false) >= MIN_SHARE / 2)
				share = beyond_chance(sample, c, from, false);
			if (gs_can_oppose(column->type) &&
				equal_share(sample, c, from, stride, 0, true) >= MIN_SHARE / 2)
				against = beyond_chance(sample, c, from, true);
			if (share + against < best)
				continue;
			best = share + against;
			other = from;
			opposite = against > 0;
		}
		if (other >= 0)
			mark_rows(sample, c, other, opposite);
	}
}

/*
 * Whether other columns are made from a column's own value.
 */
static bool
is_made_from(const GsSchema *schema, int column)
{
	for (int c = 0; c < schema->ncolumns; c++)
		if (schema->columns[c].anchor == column + 1 ||
			schema->columns[c].moment == column + 1)
			return true;
	return gs_column_is_base(schema, column);
}

/*
 * Whether a column determines others, or is determined by them.
 */
static bool
is_looked_up(const GsColumn *column, const GsEncoded *encoded)
{
	for (int p = 0; p < column->codec.nparts; p++)
		if (encoded->determined[column->feature[p]] ||
			encoded->predictor[column->feature[p]])
			return true;
	return false;
}

/*
 * gs_equals_learn: makes features of the rows, but for columns that say
 * something of others, or follow from them; to be called once these are known.
 */
void
gs_equals_learn(GsSchema *schema, GsEncoded *encoded)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];

		if (column->equal == 0)
			continue;
		/* what an equation says is said later: gs_rules copies it then */
		if (column->equated ||
			gs_column_has_base(column) || column->anchor > 0 ||
			column->key != NULL ||
			schema->columns[column->equal - 1].key != NULL ||
			is_looked_up(column, encoded) || is_made_from(schema, c))
		{
			column->equal = 0;
			pfree(column->equal_rows);
			continue;
		}
		column->equal_feature = gs_add_flag(schema, encoded, c, GS_PART_EQUAL,
											column->equal_opposite ? 3 : 2,
											column->equal_rows);
	}
}

/*
 * gs_equals_save: appends the tensor.
 */
void
gs_equals_save(const GsSchema *schema, List **tensors)
{
	int32	   *equal = palloc(sizeof(int32) * schema->ncolumns);

	for (int c = 0; c < schema->ncolumns; c++)
		equal[c] = schema->columns[c].equal;
	gs_tensor_add(tensors, "column/equal", GS_I4, 1, schema->ncolumns, 0,
				  equal);
}

/*
 * gs_equals_load: reads it, of a schema whose features, differences and places
 * are loaded.  Errors: data_corrupted.
 */
void
gs_equals_load(GsSchema *schema, const List *tensors)
{
	const int32 *equal = gs_tensor_data(tensors, "column/equal", GS_I4,
										schema->ncolumns);

	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];
		const GsColumn *from;

		if ((equal[c] != 0) != (column->equal_feature >= 0) || equal[c] < 0 ||
			equal[c] > c)
			gs_corrupted("Column \"%s\" cannot be equal to another one.",
						 column->name);
		if (equal[c] == 0)
			continue;
		from = &schema->columns[equal[c] - 1];
		if (column->key != NULL || from->key != NULL ||
			is_made_from(schema, c) || column->type != from->type ||
			(column->typmod != from->typmod && column->typmod >= 0) ||
			(schema->features[column->equal_feature].nlevels > 2 &&
			 !gs_can_oppose(column->type)))
			gs_corrupted("Column \"%s\" cannot be equal to another one.",
						 column->name);
		column->equal = equal[c];
	}
}
