/*
 * center.c
 *	  Numbers that lie near the place of another column's value.
 *
 * Where the rows of each value of a column have numbers close to each other,
 * and far from those of other values, as coordinates lie near their postcode's,
 * the number is learned as the distance from the mean of its value's rows,
 * which the model keeps: no family could learn thousands of places one by one.
 * exact.c finds such columns.
 *
 * The mean of fewer rows than the threshold is not kept.  These rows, whose
 * value is not shown either, get the distance of a row before them, so that no
 * number tells where they were.
 *
 * Tensors:
 *	 center			int4 [columns, 2]	1 + the column that tells the place, or 0;
 *										and of how many values
 *	 center/place	int8				of each such column the centers, the last
 *										for all other values, and its ends
 *	 center/value	int8				of the values, where they are numbers
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "miscadmin.h"

#include "learn/center.h"
#include "learn/quantile.h"
#include "numeric/guide.h"

/* The rows of one value. */
typedef struct Place
{
	uint64		key;			/* bits of the value */
	double		sum;			/* of what is above the first row's */
	GsScalar	first;
	int64		rows;
	GsScalar	center;
} Place;

static inline bool
is_absent(const GsLane *lane, int64 row)
{
	return lane->absent != NULL && lane->absent[row];
}

/*
 * How far a number is above another one, as a double.
 */
static inline double
above(const GsLane *lane, GsScalar value, GsScalar from)
{
	return lane->type == GS_LANE_FLOAT ? value.f - from.f :
		(double) value.i - (double) from.i;
}

static HTAB *
collect_places(const GsSample *sample, int column, int from)
{
	const GsLane *lane = &sample->lanes[column * GS_MAX_PARTS];
	const GsLane *by = &sample->lanes[from * GS_MAX_PARTS];
	HASHCTL		control = {.keysize = sizeof(uint64),
		.entrysize = sizeof(Place),.hcxt = CurrentMemoryContext
	};
	HTAB	   *places = hash_create("gensynth places", 1024, &control,
									 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	for (int64 row = 0; row < sample->nrows; row++)
	{
		Place	   *place;
		bool		found;

		if (is_absent(lane, row) || is_absent(by, row))
			continue;
		place = hash_search(places, &by->scalar[row].hash, HASH_ENTER, &found);
		if (!found)
		{
			place->sum = place->rows = 0;
			place->first = lane->scalar[row];
		}
		place->sum += above(lane, lane->scalar[row], place->first);
		place->rows++;
	}
	return places;
}

/*
 * The mean of a place, in whole units, or decimals, of the numbers.
 */
static GsScalar
mean_of(const GsLane *lane, const Place *place, int decimals)
{
	GsScalar	mean = place->first;
	double		offset = place->sum / place->rows;

	if (lane->type != GS_LANE_FLOAT)
		mean.i += (int64) rint(offset);
	else
	{
		double		unit = pow(10, Max(decimals, 0));

		mean.f += offset;
		if (decimals >= 0)
			mean.f = rint(mean.f * unit) / unit;
	}
	return mean;
}

/*
 * The numbers' protected ends and their mean, which stands for the place of
 * all other values.
 */
static GsScalar
set_ends(GsCenters *centers, const GsLane *lane, int64 nrows, int threshold,
		 int *decimals)
{
	GsScalar   *sorted = palloc_extended(sizeof(GsScalar) * nrows,
										 MCXT_ALLOC_HUGE);
	Place		all = {.rows = 0};
	int64		n = 0;

	for (int64 row = 0; row < nrows; row++)
		if (!is_absent(lane, row))
			sorted[n++] = lane->scalar[row];
	gs_scalars_sort(sorted, n, lane->type);
	*decimals = lane->type == GS_LANE_FLOAT ?
		gs_find_decimals(false, sorted, n) : -1;
	centers->low = sorted[threshold - 1];
	centers->high = sorted[n - threshold];
	all.first = sorted[0];
	for (int64 i = 0; i < n; i++)
		all.sum += above(lane, sorted[i], all.first);
	all.rows = n;
	pfree(sorted);
	return mean_of(lane, &all, *decimals);
}

/*
 * gs_centers_take_off: puts a column's distances from the places that another
 * one's values have into its lane, and keeps these with the column.
 *
 * threshold: rows that a place needs.  Both lanes are of one part, without
 * special values, and at least twice the threshold of rows have both.
 */
void
gs_centers_take_off(GsSample *sample, int column, int from, int threshold)
{
	GsColumn   *own = &sample->columns[column];
	GsLane	   *lane = &sample->lanes[column * GS_MAX_PARTS];
	const GsLane *by = &sample->lanes[from * GS_MAX_PARTS];
	HTAB	   *places = collect_places(sample, column, from);
	GsCenters  *centers = palloc0(sizeof(GsCenters));
	GsFeature	feature = {.lane = lane->type};
	GsScalar	last = {0};
	GsScalar	other = set_ends(centers, lane, sample->nrows, threshold,
								 &feature.decimals);
	HASH_SEQ_STATUS scan;
	Place	   *place;
	int64		n = hash_get_num_entries(places);

	centers->key = palloc_extended(sizeof(uint64) * Max(n, 1),
								   MCXT_ALLOC_HUGE);
	centers->center = palloc_extended(sizeof(GsScalar) * (n + 1),
									  MCXT_ALLOC_HUGE);
	hash_seq_init(&scan, places);
	while ((place = hash_seq_search(&scan)) != NULL)
	{
		if (place->rows < threshold)
			continue;
		place->center = mean_of(lane, place, feature.decimals);
		centers->key[centers->n] = place->key;
		centers->center[centers->n++] = place->center;
	}
	centers->center[centers->n] = other;
	for (int64 row = 0; row < sample->nrows; row++)
	{
		if (is_absent(lane, row))
			continue;
		if (is_absent(by, row))
		{
			lane->scalar[row] = gs_centers_distance(&feature, other,
													lane->scalar[row]);
			continue;
		}
		place = hash_search(places, &by->scalar[row].hash, HASH_FIND, NULL);
		if (place->rows >= threshold)
			last = gs_centers_distance(&feature, place->center,
									   lane->scalar[row]);
		lane->scalar[row] = last;
	}
	hash_destroy(places);
	own->anchor = from + 1;
	own->centers = centers;
}

/* A value with its center, to be sorted. */
typedef struct Pair
{
	GsScalar	value;
	GsScalar	center;
} Pair;

static int
by_value(const void *a, const void *b, void *arg)
{
	return gs_scalar_compare(((const Pair *) a)->value,
							 ((const Pair *) b)->value, *(GsLaneType *) arg);
}

/*
 * Lets centers go by the levels, or the values, of what was learned.
 */
static void
settle(GsCenters *centers, const GsFeature *feature)
{
	Pair	   *pair = palloc_extended(sizeof(Pair) * Max(centers->n, 1),
									   MCXT_ALLOC_HUGE);
	GsScalar	other = centers->center[centers->n];
	GsLaneType	lane = feature->lane;
	int			n = centers->n;

	for (int i = 0; i < n; i++)
	{
		pair[i].value.hash = centers->key[i];
		pair[i].center = centers->center[i];
	}
	qsort_arg(pair, n, sizeof(Pair), by_value, &lane);
	pfree(centers->key);
	pfree(centers->center);
	centers->n = feature->kind == GS_FEATURE_NUMBER ? n : feature->nlevels;
	centers->center = palloc_extended(sizeof(GsScalar) *
									  ((Size) centers->n + 1),
									  MCXT_ALLOC_HUGE);
	centers->center[centers->n] = other;
	if (feature->kind == GS_FEATURE_NUMBER)
		centers->value = palloc_extended(sizeof(GsScalar) * Max(n, 1),
										 MCXT_ALLOC_HUGE);
	for (int i = 0; i < centers->n; i++)
	{
		Pair	   *found = &pair[i];
		Pair		wanted;

		if (feature->kind == GS_FEATURE_NUMBER)
			centers->value[i] = pair[i].value;
		else
		{
			wanted.value = feature->level[i];
			found = i == feature->null_level || i == feature->other_level ?
				NULL : bsearch_arg(&wanted, pair, n, sizeof(Pair), by_value,
								   &lane);
		}
		centers->center[i] = found != NULL ? found->center : other;
	}
	pfree(pair);
}

/*
 * gs_centers_learned: to be called when all columns have their features.
 */
void
gs_centers_learned(GsSchema *schema)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];

		if (column->anchor > 0)
			settle(column->centers,
				   &schema->features[schema->columns[column->anchor - 1].feature[0]]);
	}
}

/*
 * gs_centers_save: appends the tensors.
 */
void
gs_centers_save(const GsSchema *schema, List **tensors)
{
	int32	   *anchor = palloc0(sizeof(int32) * 2 * schema->ncolumns);
	StringInfoData place;
	StringInfoData value;

	initStringInfo(&place);
	initStringInfo(&value);
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsCenters *centers = schema->columns[c].centers;

		if (schema->columns[c].anchor == 0)
			continue;
		anchor[2 * c] = schema->columns[c].anchor;
		anchor[2 * c + 1] = centers->n;
		appendBinaryStringInfo(&place, (char *) centers->center,
							   sizeof(GsScalar) * (centers->n + 1));
		appendBinaryStringInfo(&place, (char *) &centers->low,
							   sizeof(GsScalar));
		appendBinaryStringInfo(&place, (char *) &centers->high,
							   sizeof(GsScalar));
		if (centers->value != NULL)
			appendBinaryStringInfo(&value, (char *) centers->value,
								   sizeof(GsScalar) * centers->n);
	}
	gs_tensor_add(tensors, "center", GS_I4, 2, schema->ncolumns, 2, anchor);
	gs_tensor_add(tensors, "center/place", GS_I8, 1, place.len / 8, 0,
				  place.data);
	gs_tensor_add(tensors, "center/value", GS_I8, 1, value.len / 8, 0,
				  value.data);
}

/*
 * Copies n scalars out of a tensor of numbers, from at on.
 */
static GsScalar *
take_scalars(const GsTensor *tensor, int64 *at, int64 n)
{
	GsScalar   *scalars;

	if (n > tensor->dims[0] - *at)
		gs_corrupted("Tensor \"center/place\" or \"center/value\" is too short.");
	scalars = palloc_extended(sizeof(GsScalar) * Max(n, 1), MCXT_ALLOC_HUGE);
	memcpy(scalars, (const GsScalar *) tensor->data + *at,
		   sizeof(GsScalar) * n);
	*at += n;
	return scalars;
}

/*
 * Whether numbers can be near the places of a column's values.
 */
static bool
can_be_near(const GsSchema *schema, int c, int from)
{
	const GsColumn *column = &schema->columns[c];
	const GsColumn *by = &schema->columns[from];
	const GsFeature *feature;

	if (from == c || column->key != NULL || by->key != NULL ||
		column->codec.nparts > 1 || by->codec.nparts > 1 ||
		column->layout != NULL || by->layout != NULL ||
		column->document || by->document)
		return false;
	feature = &schema->features[column->feature[0]];
	return feature->lane == GS_LANE_INT || feature->lane == GS_LANE_FLOAT;
}

/*
 * All that is added up lies between the ends, so these have to be values.
 */
static void
check_ends(const GsColumn *column, const GsFeature *feature,
		   const GsCenters *centers)
{
	const GsPartKind *part = &column->codec.part[0];

	if (feature->lane == GS_LANE_FLOAT ?
		!isfinite(centers->low.f) || !isfinite(centers->high.f) ||
		centers->low.f > centers->high.f :
		centers->low.i > centers->high.i || centers->low.i < part->min ||
		centers->high.i > part->max)
		gs_corrupted("Column \"%s\" has impossible ends.", column->name);
}

/*
 * gs_centers_load: reads them, of a schema whose features and differences are
 * loaded.  Errors: data_corrupted.
 */
void
gs_centers_load(GsSchema *schema, const List *tensors)
{
	const int32 *anchor = gs_tensor_get(tensors, "center", GS_I4, 2)->data;
	const GsTensor *place = gs_tensor_get(tensors, "center/place", GS_I8, 1);
	const GsTensor *value = gs_tensor_get(tensors, "center/value", GS_I8, 1);
	int64		at = 0;
	int64		value_at = 0;

	if (gs_tensor_get(tensors, "center", GS_I4, 2)->dims[0] !=
		schema->ncolumns ||
		gs_tensor_get(tensors, "center", GS_I4, 2)->dims[1] != 2)
		gs_corrupted("Tensor \"center\" has the wrong shape.");
	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];
		int			from = anchor[2 * c] - 1;
		int			n = anchor[2 * c + 1];
		const GsFeature *feature;
		GsScalar   *ends;
		GsCenters  *centers;

		if (anchor[2 * c] == 0)
			continue;
		if (from < 0 || from >= schema->ncolumns || n < 0 ||
			!can_be_near(schema, c, from))
			gs_corrupted("Column \"%s\" cannot be near another one.",
						 column->name);
		feature = &schema->features[schema->columns[from].feature[0]];
		if (feature->kind == GS_FEATURE_CATEGORY ? n != feature->nlevels :
			n == 0)
			gs_corrupted("Column \"%s\" is near the wrong number of places.",
						 column->name);
		centers = palloc0(sizeof(GsCenters));
		centers->n = n;
		centers->center = take_scalars(place, &at, (int64) n + 1);
		ends = take_scalars(place, &at, 2);
		centers->low = ends[0];
		centers->high = ends[1];
		check_ends(column, &schema->features[column->feature[0]], centers);
		if (feature->kind == GS_FEATURE_NUMBER)
			centers->value = take_scalars(value, &value_at, n);
		column->anchor = from + 1;
		column->centers = centers;
	}
	/* places are values as they are */
	for (int c = 0; c < schema->ncolumns; c++)
		if (schema->columns[c].anchor > 0 &&
			schema->columns[schema->columns[c].anchor - 1].anchor > 0)
			gs_corrupted("Column \"%s\" is near one that is near another.",
						 schema->columns[c].name);
}

/*
 * gs_centers_of_level: the place of a level; of all else, where it is none.
 */
GsScalar
gs_centers_of_level(const GsCenters *centers, int level)
{
	return centers->center[level >= 0 && level < centers->n ? level :
						   centers->n];
}

/*
 * gs_centers_of_value: the place of a number: of the next below it, where it
 * has none of its own.
 */
GsScalar
gs_centers_of_value(const GsCenters *centers, GsLaneType lane, GsScalar value)
{
	int			low = 0;
	int			high = centers->n - 1;

	while (low < high)
	{
		int			middle = low + (high - low + 1) / 2;

		if (gs_scalar_compare(centers->value[middle], value, lane) <= 0)
			low = middle;
		else
			high = middle - 1;
	}
	return centers->center[low];
}

struct GsNear
{
	const GsCenters *centers;
	int			feature;		/* that tells the place */
	int			null;			/* its NULL indicator; -1: none */
	const GsFeature *by;
	GsGuide		guide;			/* of a number */
};

/*
 * gs_near_create: finds the places that a column's numbers are near, in the
 * current context.
 */
GsNear *
gs_near_create(const GsSchema *schema, int column)
{
	GsNear	   *near = palloc0(sizeof(GsNear));
	const GsColumn *from =
		&schema->columns[schema->columns[column].anchor - 1];

	near->centers = schema->columns[column].centers;
	near->feature = from->feature[0];
	near->null = from->null_feature;
	near->by = &schema->features[near->feature];
	if (near->by->kind == GS_FEATURE_NUMBER)
		gs_guide_init(&near->guide, near->by->quantile.edge,
					  near->by->quantile.nsegments, palloc);
	return near;
}

/*
 * gs_near_needs: marks the features that places follow from.
 *
 * needed: [nfeatures]
 */
void
gs_near_needs(const GsNear *near, bool *needed)
{
	needed[near->feature] = true;
	if (near->null >= 0)
		needed[near->null] = true;
}

static GsScalar
place_of(const GsNear *near, const GsBatch *batch, int row)
{
	const GsCenters *centers = near->centers;
	int32		segment;

	if (near->null >= 0 && batch->code[near->null][row] == 1)
		return centers->center[centers->n];
	if (near->by->kind == GS_FEATURE_CATEGORY)
		return gs_centers_of_level(centers, batch->code[near->feature][row]);
	gs_guide_find(&near->guide, &batch->score[near->feature][row], &segment,
				  1);
	return gs_centers_of_value(centers, near->by->lane,
							   near->by->quantile.low[segment]);
}

/*
 * gs_near_add: the number at a distance from its row's place, within the ends
 * of the source's.
 *
 * feature: of the distances; batch: its lanes of gs_near_needs are filled
 */
GsScalar
gs_near_add(const GsNear *near, const GsFeature *feature,
			const GsBatch *batch, int row, GsScalar distance)
{
	const GsCenters *centers = near->centers;
	GsScalar	place = place_of(near, batch, row);
	GsScalar	sum;

	if (feature->lane == GS_LANE_FLOAT)
	{
		double		unit = pow(10, Max(feature->decimals, 0));

		sum.f = place.f + distance.f;
		if (feature->decimals >= 0)
			sum.f = rint(sum.f * unit) / unit;
	}
	else if (pg_add_s64_overflow(place.i, distance.i, &sum.i))
		sum = place;
	if (gs_scalar_compare(sum, centers->low, feature->lane) < 0)
		return centers->low;
	if (gs_scalar_compare(sum, centers->high, feature->lane) > 0)
		return centers->high;
	return sum;
}

/*
 * gs_centers_distance: the distance of a number from a place.
 */
GsScalar
gs_centers_distance(const GsFeature *feature, GsScalar center, GsScalar value)
{
	GsScalar	distance;

	if (feature->lane == GS_LANE_FLOAT)
	{
		double		unit = pow(10, Max(feature->decimals, 0));

		distance.f = value.f - center.f;
		if (feature->decimals >= 0)
			distance.f = rint(distance.f * unit) / unit;
	}
	else if (pg_sub_s64_overflow(value.i, center.i, &distance.i))
		distance.i = 0;
	return distance;
}
