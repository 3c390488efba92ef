/*
 * shift.c
 *	  Ranges that must not overlap: where to put those that do.
 *
 * An exclusion constraint on a range (a room is booked once at a time) leaves
 * room for so many rows in the time that the source covers.  When rows
 * collide again and again, the ranges of further ones are moved beyond all
 * that were made so far, by whole spans of time: into the next epoch.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "compat.h"
#include "stream/shift.h"

typedef struct ShiftColumn
{
	int			at;				/* among the filled columns */
	TypeCacheEntry *range;
	bool		seen;			/* some range */
	int64		min;			/* of the bounds seen */
	int64		max;
} ShiftColumn;

struct GsShift
{
	int			ncolumns;
	ShiftColumn *columns;
};

/*
 * A bound as a whole number; false if it is none, or out of bounds.
 */
static bool
read_bound(Oid type, const RangeBound *bound, int64 *number)
{
	if (bound->infinite)
		return false;
	switch (type)
	{
		case INT4OID:
			*number = DatumGetInt32(bound->val);
			return true;
		case DATEOID:
			*number = DatumGetDateADT(bound->val);
			return !DATE_NOT_FINITE((DateADT) *number);
		case INT8OID:
			*number = DatumGetInt64(bound->val);
			return true;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*number = DatumGetInt64(bound->val);
			return !TIMESTAMP_NOT_FINITE((Timestamp) *number);
		default:
			return false;
	}
}

static bool
move_bound(Oid type, RangeBound *bound, int64 distance)
{
	int64		number;

	if (bound->infinite)
		return true;
	if (!read_bound(type, bound, &number) ||
		pg_add_s64_overflow(number, distance, &number))
		return false;
	switch (type)
	{
		case INT4OID:
			bound->val = Int32GetDatum((int32) number);
			return number == (int32) number;
		case DATEOID:
			bound->val = DateADTGetDatum((DateADT) number);
			return number == (DateADT) number && IS_VALID_DATE((DateADT) number);
		case INT8OID:
			bound->val = Int64GetDatum(number);
			return true;
		default:
			bound->val = Int64GetDatum(number);
			return IS_VALID_TIMESTAMP(number);
	}
}

/*
 * gs_shift_open: the range columns of a target's exclusion constraints, in
 * the current context; NULL if there are none.
 */
GsShift *
gs_shift_open(const GsTarget *target)
{
	GsShift    *shift = palloc0(sizeof(GsShift));
	ListCell   *cell;

	shift->columns = palloc0(sizeof(ShiftColumn) * target->desc->natts);
	for (int i = 0; i < target->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(target->desc, i);
		bool		excluded = false;

		foreach(cell, target->constraints)
		{
			const GsConstraint *constraint = lfirst(cell);
			ListCell   *column;

			if (constraint->kind != GS_CONSTRAINT_EXCLUSION)
				continue;
			foreach(column, constraint->columns)
				excluded |= strcmp(lfirst(column),
								   NameStr(attribute->attname)) == 0;
		}
		if (!excluded || get_typtype(attribute->atttypid) != TYPTYPE_RANGE)
			continue;
		shift->columns[shift->ncolumns].at = i;
		shift->columns[shift->ncolumns++].range =
			lookup_type_cache(attribute->atttypid, TYPECACHE_RANGE_INFO);
	}
	return shift->ncolumns > 0 ? shift : NULL;
}

/*
 * gs_shift_apply: moves a row's ranges so many spans on, and takes note of
 * where they were.  What cannot be moved stays.
 *
 * values, nulls: [natts] of the target's filled columns
 */
void
gs_shift_apply(GsShift *shift, int epoch, Datum *values, const bool *nulls)
{
	for (int i = 0; i < shift->ncolumns; i++)
	{
		ShiftColumn *column = &shift->columns[i];
		Oid			type = column->range->rngelemtype->type_id;
		RangeBound	lower;
		RangeBound	upper;
		bool		empty;
		int64		from;
		int64		to;
		int64		distance;

		if (nulls[column->at])
			continue;
		range_deserialize(column->range,
						  DatumGetRangeTypeP(values[column->at]), &lower,
						  &upper, &empty);
		if (empty || !read_bound(type, &lower, &from) ||
			!read_bound(type, &upper, &to))
			continue;
		column->min = column->seen ? Min(column->min, from) : from;
		column->max = column->seen ? Max(column->max, to) : to;
		column->seen = true;
		if (epoch > 0 &&
			!pg_sub_s64_overflow(column->max, column->min, &distance) &&
			!pg_mul_s64_overflow(distance + 1, epoch, &distance) &&
			move_bound(type, &lower, distance) &&
			move_bound(type, &upper, distance))
			values[column->at] =
				RangeTypePGetDatum(gs_range_serialize(column->range, &lower,
													  &upper, false));
	}
}
