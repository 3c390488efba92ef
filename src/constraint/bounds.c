/*
 * bounds.c
 *	  The values that a column has, for others that are computed.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#include "constraint/bounds.h"

#define MAX_MEMBERS		64		/* values that are looked at one by one */

static int
compare_values(const GsBounds *bounds, Datum a, Datum b)
{
	return DatumGetInt32(FunctionCall2Coll(bounds->compare, bounds->collation,
										   a, b));
}

/*
 * gs_bounds_init: the values that a column's decoder makes, in the current
 * context.
 */
void
gs_bounds_init(GsBounds *bounds, const GsColumn *column,
			   const GsDecoder *decoder)
{
	TypeCacheEntry *type = lookup_type_cache(column->type,
											 TYPECACHE_CMP_PROC_FINFO);
	Datum	   *value;
	int			n = gs_decoder_values(decoder, &value);

	bounds->type = column->type;
	bounds->compare = NULL;
	if (n == 0 || !OidIsValid(type->cmp_proc_finfo.fn_oid))
		return;
	bounds->compare = &type->cmp_proc_finfo;
	bounds->collation = column->collation;
	bounds->discrete = n <= MAX_MEMBERS && gs_decoder_is_discrete(decoder);
	bounds->value = value;
	bounds->n = n;
	if (bounds->discrete)
		return;
	bounds->n = 2;
	bounds->value = palloc(sizeof(Datum) * 2);
	bounds->value[0] = bounds->value[1] = value[0];
	for (int i = 1; i < n; i++)
	{
		if (compare_values(bounds, value[i], bounds->value[0]) < 0)
			bounds->value[0] = value[i];
		if (compare_values(bounds, value[i], bounds->value[1]) > 0)
			bounds->value[1] = value[i];
	}
}

/*
 * gs_bounds_exceeded: whether a value is unlike those that the column has.
 */
bool
gs_bounds_exceeded(const GsBounds *bounds, Datum value)
{
	if (bounds->compare == NULL)
		return false;
	if (!bounds->discrete)
		return compare_values(bounds, value, bounds->value[0]) < 0 ||
			compare_values(bounds, value, bounds->value[1]) > 0;
	for (int i = 0; i < bounds->n; i++)
		if (compare_values(bounds, value, bounds->value[i]) == 0)
			return false;
	return true;
}

/*
 * gs_bounds_finite: whether a value of the column is a number, and no infinity.
 */
bool
gs_bounds_finite(const GsBounds *bounds, Datum value)
{
	switch (bounds->type)
	{
		case FLOAT4OID:
			return isfinite(DatumGetFloat4(value));
		case FLOAT8OID:
			return isfinite(DatumGetFloat8(value));
		case NUMERICOID:
			return !numeric_is_nan(DatumGetNumeric(value)) &&
				!numeric_is_inf(DatumGetNumeric(value));
		default:
			return true;
	}
}
