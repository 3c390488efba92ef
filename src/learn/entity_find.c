/*
 * entity_find.c
 *	  Columns that say whom a row is about, and those that follow from it, where
 *	  too few rows have each value for it to be shown: a customer's number, with
 *	  his city and segment.
 *
 * What determines others, and is frequent enough, is learned as it is
 * (exact.c).  Of numbers and texts that two or three rows have each, none may
 * come out as such; but what comes out must tell the others all the same.  So
 * such a column becomes a key, not of rows but of groups of rows, which have
 * the columns that follow from it in common (model/entities.c).
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "key/key.h"
#include "learn/entity_find.h"
#include "learn/learn_internal.h"
#include "learn/quantile.h"

#define MANY_ROWS		100000	/* looked at for each column, about */
#define FIRST_ROWS		1000	/* looked at first */
#define FIRST_DISTINCT	0.3		/* of these, that have values of their own */
#define MIN_ENTITIES	500
#define MIN_REPEATED	1.25	/* rows of each */
#define MAX_COVERAGE	0.80	/* of rows whose value may be shown: see exact.c */
#define MAX_EXCEPTIONS	0.05	/* see dependency_find.c */
#define MAX_UNEXPLAINED 0.1
#define MIN_PAIRS		200
#define MAX_CHANCE		0.98
#define SMOOTH			3.0		/* times as many rows nearer to the next number's
								 * as there are farther */
#define UNEVEN			0.1		/* of a range, that a quarter of its numbers may
								 * be off */

/* A value, with its first row and how many rows have it. */
typedef struct Entity
{
	uint64		value;
	uint32		first;
	uint32		rows;			/* 0: an empty place */
} Entity;

/* The values of a column, by open addressing. */
typedef struct Entities
{
	Entity	   *entity;			/* [mask + 1] */
	uint64		mask;
	uint64		part;			/* of the values, one of so many */
	int64		n;				/* rows */
	int64		distinct;
	int64		covered;		/* rows whose value may be shown */
} Entities;

static inline uint64
value_of(const GsLane *lane, int64 row)
{
	return lane->scalar[row].hash;
}

static Entity *
find_entity(const Entities *entities, uint64 value)
{
	uint64		at = gs_mix64(value, 1) & entities->mask;

	while (entities->entity[at].rows > 0 && entities->entity[at].value != value)
		at = (at + 1) & entities->mask;
	return &entities->entity[at];
}

static void
count_entities(const GsSample *sample, int c, int threshold,
			   Entities *entities)
{
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	int64		room = 0;

	memset(entities, 0, sizeof(Entities));
	entities->part = sample->nrows / MANY_ROWS + 1;
	for (int64 row = 0; row < sample->nrows; row++)
		room += !is_absent(lane, row) &&
			gs_mix64(value_of(lane, row), 0) % entities->part == 0;
	entities->mask = 1023;
	while (entities->mask < 2 * (uint64) room)
		entities->mask = 2 * entities->mask + 1;
	entities->entity = palloc_extended(sizeof(Entity) * (entities->mask + 1),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 row = 0; row < sample->nrows; row++)
	{
		Entity	   *entity;

		if (is_absent(lane, row) ||
			gs_mix64(value_of(lane, row), 0) % entities->part != 0)
			continue;
		entity = find_entity(entities, value_of(lane, row));
		if (entity->rows++ == 0)
		{
			entity->value = value_of(lane, row);
			entity->first = (uint32) row;
			entities->distinct++;
		}
		entities->n++;
	}
	for (uint64 i = 0; i <= entities->mask; i++)
		if (entities->entity[i].rows >= threshold)
			entities->covered += entities->entity[i].rows;
}

/*
 * Whether there may be few rows of each value of a column: of a few rows, most
 * have one of their own.
 */
static bool
may_be_rare(const GsSample *sample, int c)
{
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	int64		stride = sample->nrows / FIRST_ROWS + 1;
	GsScalar	value[FIRST_ROWS];
	int			distinct = 1;
	int			n = 0;

	for (int64 row = 0; row < sample->nrows; row += stride)
		if (!is_absent(lane, row))
			value[n++] = lane->scalar[row];
	gs_scalars_sort(value, n, lane->type);
	for (int i = 1; i < n; i++)
		distinct += gs_scalar_compare(value[i], value[i - 1], lane->type) != 0;
	return distinct >= FIRST_DISTINCT * n;
}

static bool
same(const GsLane *lane, int64 a, int64 b)
{
	if (is_absent(lane, a) || is_absent(lane, b))
		return is_absent(lane, a) && is_absent(lane, b);
	return value_of(lane, a) == value_of(lane, b);
}

/*
 * Whether a column is the same in (nearly) all rows of an entity, and would not
 * be by chance.
 */
static bool
follows(const GsSample *sample, int key, const Entities *entities, int c)
{
	const GsLane *of = &sample->lanes[key * GS_MAX_PARTS];
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	int64		pairs = 0;
	int64		differ = 0;
	int64		chance = 0;
	int64		other = 0;

	for (int64 row = 0; row < sample->nrows; row++)
	{
		const Entity *entity;

		if (is_absent(of, row) ||
			gs_mix64(value_of(of, row), 0) % entities->part != 0)
			continue;
		entity = find_entity(entities, value_of(of, row));
		if (entity->first == row)
			continue;
		pairs++;
		differ += !same(lane, row, entity->first);
		chance += same(lane, row, other);
		other = row;
		if ((pairs & 255) == 0 && differ > 32 + pairs / 6)
			return false;
	}
	return pairs >= MIN_PAIRS && differ <= MAX_EXCEPTIONS * pairs &&
		chance <= MAX_CHANCE * pairs &&
		differ <= MAX_UNEXPLAINED * (pairs - chance);
}

static int
by_number(const void *a, const void *b)
{
	int64		x = (int64) ((const Entity *) a)->value;
	int64		y = (int64) ((const Entity *) b)->value;

	return (x > y) - (x < y);
}

/*
 * How far apart a column's values in two rows are.
 */
static double
distance(const GsLane *lane, int64 a, int64 b)
{
	if (is_absent(lane, a) || is_absent(lane, b) ||
		lane->type == GS_LANE_TEXT)
		return !same(lane, a, b);
	if (lane->type == GS_LANE_FLOAT)
		return fabs(lane->scalar[a].f - lane->scalar[b].f);
	return fabs((double) lane->scalar[a].i - (double) lane->scalar[b].i);
}

/*
 * Whether a column goes with the order of numbers that tell it: then they
 * measure something.  Customers who are numbered one after the other have
 * nothing else to do with each other.
 *
 * sorted: [n] by value
 */
static bool
is_smooth(const GsSample *sample, const Entity *sorted, int64 n, int c)
{
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	int64		nearer = 0;
	int64		farther = 0;

	for (int64 i = 1; i < n; i++)
	{
		double		beside = distance(lane, sorted[i].first,
									  sorted[i - 1].first);
		double		other = distance(lane, sorted[i].first,
									 sorted[(i + n / 2) % n].first);

		nearer += beside < other;
		farther += beside > other;
	}
	return nearer > SMOOTH * farther;
}

/*
 * Whether none of the columns that follow from numbers goes with their order.
 */
static bool
are_names(const GsSample *sample, int c, const Entities *entities,
		  const bool *told)
{
	Entity	   *sorted;
	int64		n = 0;
	bool		smooth = false;

	if (sample->lanes[c * GS_MAX_PARTS].type != GS_LANE_INT)
		return true;
	sorted = palloc_extended(sizeof(Entity) * entities->distinct,
							 MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i <= entities->mask; i++)
		if (entities->entity[i].rows > 0)
			sorted[n++] = entities->entity[i];
	qsort(sorted, n, sizeof(Entity), by_number);
	for (int b = 0; b < sample->ncolumns && !smooth; b++)
		smooth = told[b] && is_smooth(sample, sorted, n, b);
	pfree(sorted);
	return !smooth;
}

/*
 * Whether numbers are spread evenly between the ends of a range.
 */
static bool
is_even(const GsScalar *sorted, int64 n)
{
	double		low = (double) sorted[n / 20].i;
	double		range = (double) sorted[n - 1 - n / 20].i - low;

	for (int k = 1; k < 4; k++)
		if (fabs(((double) sorted[k * n / 4].i - low) / range -
				 (k * 0.25 - 0.05) / 0.9) > UNEVEN)
			return false;
	return true;
}

/*
 * The key that a column is of its entities; NULL for one of which none can be
 * made that looks like its values.
 */
static GsKey *
learn_entities(GsSample *sample, int c, int threshold)
{
	GsColumn   *column = &sample->columns[c];
	GsLane	   *lane = &sample->lanes[c * GS_MAX_PARTS];
	GsScalar   *sorted = palloc_extended(sizeof(GsScalar) * sample->nrows,
										 MCXT_ALLOC_HUGE);
	GsKeyRows	rows = {.threshold = threshold};
	GsKey	   *key;
	int64		n = 0;

	for (int64 row = 0; row < sample->nrows; row++)
		if (!is_absent(lane, row))
			sorted[n++] = lane->scalar[row];
	gs_scalars_sort(sorted, n, lane->type);
	/* of what is measured, some values are more frequent than others */
	if (lane->type == GS_LANE_INT && !is_even(sorted, n))
	{
		pfree(sorted);
		return NULL;
	}
	for (int64 i = 0; i < n; i++)
		if (i == 0 || gs_scalar_compare(sorted[i], sorted[i - 1], lane->type) != 0)
			sorted[rows.present++] = sorted[i];
	rows.sampled = rows.rows = rows.present;
	key = gs_key_learn(column, lane, sorted, &rows);
	/* a text of a format may say itself what follows from it */
	if (key != NULL && key->kind != GS_KEY_SEQUENCE &&
		key->kind != GS_KEY_UUID &&
		(key->kind != GS_KEY_RANGE || lane->type != GS_LANE_INT ||
		 !is_even(sorted, rows.present)))
		key = NULL;
	pfree(sorted);
	return key;
}

static int
by_rows(const void *a, const void *b)
{
	return *(const int32 *) a - *(const int32 *) b;
}

/*
 * How many rows entities have: quantiles.
 */
static int32 *
learn_repeats(const Entities *entities)
{
	int32	   *rows = palloc_extended(sizeof(int32) * entities->distinct,
									   MCXT_ALLOC_HUGE);
	int32	   *repeats = palloc(sizeof(int32) * GS_KEY_REPEATS);
	int64		n = 0;

	for (uint64 i = 0; i <= entities->mask; i++)
		if (entities->entity[i].rows > 0)
			rows[n++] = Min(entities->entity[i].rows, GS_BATCH);
	qsort(rows, n, sizeof(int32), by_rows);
	for (int k = 0; k < GS_KEY_REPEATS; k++)
		repeats[k] = rows[(2 * k + 1) * n / (2 * GS_KEY_REPEATS)];
	pfree(rows);
	return repeats;
}

static bool
is_plain(const GsColumn *column)
{
	return column->codec.nparts == 1 && !column->unique &&
		!column->partly_unique && column->key == NULL &&
		column->layout == NULL && column->equal == 0 && !column->equated &&
		!column->computed && !column->impute && !column->endless &&
		!column->is_key && column->looked_up_by == NULL;
}

/*
 * Whether a column may be told by what a row is about.
 */
static bool
may_be_told(const GsColumn *column)
{
	return is_plain(column) && column->moment == 0;
}

static bool
may_be_entity(const GsSample *sample, int c)
{
	const GsColumn *column = &sample->columns[c];
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];

	return may_be_told(column) && !column->leads && !column->refers &&
		column->kind == NULL && column->meant == GS_MEANT_ANY &&
		column->declared == column->type && column->codec.notation == NULL &&
		!lane->is_numeric && lane->type != GS_LANE_FLOAT &&
		(column->codec.kind->content == GS_CONTENT_TEXT ||
		 column->codec.kind->content == GS_CONTENT_UUID ||
		 (column->codec.kind->content == GS_CONTENT_NUMBERS &&
		  column->codec.kind->axis == GS_AXIS_NUMBER));
}

/*
 * gs_entity_find: makes the column of a sample that says whom rows are about, if
 * there is one, a key of these, and marks those that follow from it.  Can be
 * cancelled.
 *
 * threshold: rows that must hold a value for it to be shown
 */
void
gs_entity_find(GsSample *sample, int threshold)
{
	int			best = -1;
	int			most = 0;
	GsKey	   *best_key = NULL;
	bool	   *told = palloc(Max(sample->ncolumns, 1));

	for (int c = 0; c < sample->ncolumns; c++)
		if (sample->columns[c].context || sample->columns[c].shared)
			return;
	for (int c = 0; c < sample->ncolumns; c++)
	{
		Entities	entities;
		int			n = 0;
		GsKey	   *key;

		CHECK_FOR_INTERRUPTS();
		if (!may_be_entity(sample, c) || !may_be_rare(sample, c))
			continue;
		count_entities(sample, c, threshold, &entities);
		if (entities.distinct >= MIN_ENTITIES &&
			entities.n >= MIN_REPEATED * entities.distinct &&
			entities.covered < MAX_COVERAGE * entities.n)
			for (int b = 0; b < sample->ncolumns; b++)
			{
				told[b] = b != c && may_be_told(&sample->columns[b]) &&
					follows(sample, c, &entities, b);
				n += told[b];
			}
		if (n > most && are_names(sample, c, &entities, told) &&
			(key = learn_entities(sample, c, threshold)) != NULL)
		{
			most = n;
			best = c;
			best_key = key;
			key->repeats = learn_repeats(&entities);
			key->rows = Max(sample->seen, 1);
			for (int b = 0; b < sample->ncolumns; b++)
				sample->columns[b].of_entity = told[b];
		}
		pfree(entities.entity);
	}
	if (best >= 0)
	{
		sample->columns[best].key = best_key;
		/* nothing else is to be told by it */
		sample->columns[best].unique = true;
	}
	pfree(told);
}
