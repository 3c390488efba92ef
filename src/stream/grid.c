/*
 * grid.c
 *	  Combinations that must not repeat, and are known one by one.
 *
 * Where several columns are unique together (a store and a day), rows that
 * collide are made again, which takes long when most combinations are there:
 * the coupon collector's problem.  Then it is looked up which ones the target
 * has, and a row whose own is there gets one that is free: with as few columns
 * changed as may be, else the next of all in a permuted order.
 *
 * Several such indexes may share columns.  Those of one are settled after
 * those of the others, and change columns that are theirs alone.  What goes
 * with a column (see gs_repair_ties) is taken from a row of the target that
 * has the same value in it.
 */
#include "postgres.h"

#include "common/int.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "catalog/access.h"
#include "codec/datum.h"
#include "encode/decode.h"
#include "numeric/permute.h"
#include "stream/grid.h"
#include "stream/repair.h"

#define MAX_VALUES		100000	/* of one column */
#define MAX_SPACE		(INT64CONST(1) << 26)	/* combinations of one index */
#define READ_ROWS		1000	/* of the target at a time */
#define MAX_TRIES		100		/* combinations of one index to suit others */

typedef struct Value
{
	uint32		hash;
	int			number;			/* among the column's */
} Value;

typedef struct GridColumn
{
	int			at;				/* among the filled columns */
	int64		n;
	Datum	   *values;			/* [n] */
	int16		len;
	bool		byval;
	Value	   *value;			/* [n] by hash */
	Bitmapset  *tied;			/* filled columns that go with it */
	Datum	  **seen;			/* [n][natts] of a row with the value; or NULL */
	bool	  **seen_nulls;
} GridColumn;

typedef struct GridIndex
{
	int			index;			/* of the target */
	int			ncolumns;
	int		   *column;			/* [ncolumns] of the grid */
	bool	   *fixed;			/* [ncolumns] an index before this one has it */
	bool		all_own;		/* none is fixed */
	int64		space;			/* combinations */
	uint8	   *taken;			/* [space] bits */
	GsPermutation order;		/* of the combinations */
	uint64		next;
} GridIndex;

struct GsGrid
{
	const GsTarget *target;
	bool	   *covered;		/* [nindexes of the target] */
	int			ncolumns;
	GridColumn *columns;
	int			nindexes;
	GridIndex  *index;
	MemoryContext context;		/* of rows that were seen */
	Datum	   *values;			/* [natts] a row as it was */
	bool	   *nulls;
	uint64		turn;			/* rows that were changed */
};

static int
by_hash(const void *a, const void *b)
{
	uint32		x = ((const Value *) a)->hash;
	uint32		y = ((const Value *) b)->hash;

	return (x > y) - (x < y);
}

/*
 * The keys of a parent; false if there are none, or too many.
 */
static bool
copy_parents(GridColumn *column, GsParents *parents,
			 Form_pg_attribute attribute)
{
	if (column->n == 0 || column->n > MAX_VALUES)
		return false;
	column->values = palloc(sizeof(Datum) * column->n);
	for (int64 i = 0; i < column->n; i++)
	{
		gs_parents_get(parents, i, &column->values[i]);
		column->values[i] = datumCopy(column->values[i], attribute->attbyval,
									  attribute->attlen);
	}
	return true;
}

/*
 * The values that a column can take: the parent's keys, or what the model
 * knows.  False if they are not known one by one.
 */
static bool
find_values(GridColumn *column, const GsTarget *target, const GsSampler *sampler,
			const GsForeignKeys *fks)
{
	Form_pg_attribute attribute = TupleDescAttr(target->desc, column->at);
	bool		refers;
	GsParents  *parents = gs_foreign_keys_parents(fks, column->at, &refers);

	column->n = parents == NULL ? 0 : gs_parents_kept(parents);
	if (refers)
		return copy_parents(column, parents, attribute);
	for (int c = 0; c < sampler->schema->ncolumns; c++)
	{
		GsDecoder  *decoder;
		double	   *shares;

		if (strcmp(sampler->schema->columns[c].name,
				   NameStr(attribute->attname)) != 0 ||
			!gs_is_column_of(&sampler->schema->columns[c], attribute->atttypid))
			continue;
		decoder = gs_decoder_create(sampler->schema, c, attribute->atttypid);
		if (!gs_decoder_is_discrete(decoder))
			return false;
		column->n = gs_decoder_atoms(decoder, 0, &column->values, &shares);
		return column->n > 0 && column->n <= MAX_VALUES;
	}
	return false;
}

/*
 * The grid's column for a filled column, added if need be; -1 if its values
 * are not known one by one.
 */
static int
open_column(GsGrid *grid, int at, const GsSampler *sampler,
			const GsForeignKeys *fks, Bitmapset **ties)
{
	GridColumn *column = &grid->columns[grid->ncolumns];
	Form_pg_attribute attribute = TupleDescAttr(grid->target->desc, at);

	for (int c = 0; c < grid->ncolumns; c++)
		if (grid->columns[c].at == at)
			return c;
	memset(column, 0, sizeof(GridColumn));
	column->at = at;
	column->len = attribute->attlen;
	column->byval = attribute->attbyval;
	if (!gs_target_readable(grid->target, at) ||
		!find_values(column, grid->target, sampler, fks))
		return -1;
	column->value = palloc(sizeof(Value) * column->n);
	for (int v = 0; v < column->n; v++)
		column->value[v] = (Value)
	{
		datum_image_hash(column->values[v], column->byval,
						 column->len), v
	};
	qsort(column->value, column->n, sizeof(Value), by_hash);
	column->tied = gs_repair_tied(bms_make_singleton(at), ties);
	column->seen = palloc0(sizeof(Datum *) * column->n);
	column->seen_nulls = palloc0(sizeof(bool *) * column->n);
	return grid->ncolumns++;
}

/*
 * Adds an index of the target, if all of its combinations are known.
 */
static void
open_index(GsGrid *grid, int i, const GsSampler *sampler,
		   const GsForeignKeys *fks, Bitmapset **ties, int64 seed)
{
	const GsTargetIndex *from = &grid->target->index[i];
	GridIndex  *index = &grid->index[grid->nindexes];
	int			ncolumns = grid->ncolumns;
	int			at = -1;

	memset(index, 0, sizeof(GridIndex));
	index->index = i;
	index->column = palloc(sizeof(int) * bms_num_members(from->columns));
	index->fixed = palloc0(bms_num_members(from->columns));
	index->space = 1;
	index->all_own = true;
	if (from->exclusion || !from->plain)
		return;
	while ((at = bms_next_member(from->columns, at)) >= 0)
	{
		int			c = open_column(grid, at, sampler, fks, ties);

		if (c < 0 ||
			pg_mul_s64_overflow(index->space, grid->columns[c].n,
								&index->space) ||
			index->space > MAX_SPACE)
		{
			grid->ncolumns = ncolumns;
			return;
		}
		index->column[index->ncolumns] = c;
		for (int before = 0; before < grid->nindexes; before++)
			for (int k = 0; k < grid->index[before].ncolumns; k++)
				index->fixed[index->ncolumns] |=
					grid->index[before].column[k] == c;
		index->all_own &= !index->fixed[index->ncolumns++];
	}
	index->taken = palloc0(index->space / 8 + 1);
	gs_permute_init(&index->order, index->space,
					gs_mix64(seed, gs_mix64(index->space, i)));
	grid->covered[i] = true;
	grid->nindexes++;
}

/*
 * gs_grid_open: the combinations of a target's columns that are unique together
 * and known value by value, in the current context; NULL if there are none.
 *
 * ties: see gs_repair_ties.  What the target has is to be looked up by
 * gs_grid_refresh.
 */
GsGrid *
gs_grid_open(const GsTarget *target, const GsSampler *sampler,
			 const GsForeignKeys *fks, Bitmapset **ties, int64 seed)
{
	GsGrid	   *grid = palloc0(sizeof(GsGrid));
	int			natts = target->desc->natts;

	grid->target = target;
	grid->covered = palloc0(Max(target->nindexes, 1));
	grid->columns = palloc(sizeof(GridColumn) * natts);
	grid->index = palloc(sizeof(GridIndex) * Max(target->nindexes, 1));
	for (int i = 0; i < target->nindexes; i++)
		open_index(grid, i, sampler, fks, ties, seed);
	if (grid->nindexes == 0)
		return NULL;
	grid->context = AllocSetContextCreate(CurrentMemoryContext,
										  "gensynth grid",
										  ALLOCSET_DEFAULT_SIZES);
	grid->values = palloc(sizeof(Datum) * natts);
	grid->nulls = palloc(natts);
	return grid;
}

/*
 * gs_grid_covered: [nindexes of the target] those that the grid sees to.
 */
const bool *
gs_grid_covered(const GsGrid *grid)
{
	return grid->covered;
}

/*
 * The number of a column's value; -1: it is none of those known.
 */
static int
number_of(const GridColumn *column, Datum value)
{
	Value		wanted = {datum_image_hash(value, column->byval, column->len), 0};
	const Value *found = bsearch(&wanted, column->value, column->n,
								 sizeof(Value), by_hash);

	if (found == NULL)
		return -1;
	while (found > column->value && found[-1].hash == wanted.hash)
		found--;
	for (; found < column->value + column->n && found->hash == wanted.hash;
		 found++)
		if (datum_image_eq(value, column->values[found->number],
						   column->byval, column->len))
			return found->number;
	return -1;
}

/*
 * A row's combination in an index; -1: it is none of those known, or the index
 * is not about the row.
 */
static int64
combination_of(const GsGrid *grid, const GridIndex *index,
			   const Datum *values, const bool *nulls)
{
	int64		combination = 0;

	if (!gs_target_holds(grid->target, index->index, values, nulls))
		return -1;
	for (int k = index->ncolumns - 1; k >= 0; k--)
	{
		const GridColumn *column = &grid->columns[index->column[k]];
		int			number = nulls[column->at] ? -1 :
			number_of(column, values[column->at]);

		if (number < 0)
			return -1;
		combination = combination * column->n + number;
	}
	return combination;
}

static inline bool
is_taken(const GridIndex *index, int64 combination)
{
	return (index->taken[combination / 8] >> (combination % 8)) & 1;
}

/*
 * gs_grid_take: takes note of a row that is in the target, or will be.
 */
void
gs_grid_take(GsGrid *grid, const Datum *values, const bool *nulls)
{
	for (int i = 0; i < grid->nindexes; i++)
	{
		GridIndex  *index = &grid->index[i];
		int64		combination = combination_of(grid, index, values, nulls);

		if (combination >= 0)
			index->taken[combination / 8] |= 1 << (combination % 8);
	}
}

/*
 * Remembers what goes with a row's values.
 */
static void
remember(GsGrid *grid, const Datum *values, const bool *nulls)
{
	TupleDesc	desc = grid->target->desc;
	MemoryContext old = MemoryContextSwitchTo(grid->context);

	for (int c = 0; c < grid->ncolumns; c++)
	{
		GridColumn *column = &grid->columns[c];
		int			number = nulls[column->at] ? -1 :
			number_of(column, values[column->at]);
		int			at = -1;

		if (number < 0 || column->seen[number] != NULL ||
			bms_num_members(column->tied) < 2)
			continue;
		column->seen[number] = palloc(sizeof(Datum) * desc->natts);
		column->seen_nulls[number] = palloc(desc->natts);
		while ((at = bms_next_member(column->tied, at)) >= 0)
		{
			column->seen_nulls[number][at] = nulls[at];
			if (!nulls[at])
				column->seen[number][at] =
					gs_datum_copy(values[at], TupleDescAttr(desc, at)->attbyval,
								  TupleDescAttr(desc, at)->attlen);
		}
	}
	MemoryContextSwitchTo(old);
}

/*
 * The columns of the target that the caller may read, as a SELECT of them.
 *
 * read: [natts], filled
 */
static char *
select_rows(const GsGrid *grid, bool *read)
{
	const GsTarget *target = grid->target;
	StringInfoData query;
	int			n = 0;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	for (int at = 0; at < target->desc->natts; at++)
	{
		read[at] = gs_target_readable(target, at);
		if (read[at])
			appendStringInfo(&query, "%s%s", n++ > 0 ? ", " : "",
							 quote_identifier(get_attname(target->relid,
														  target->attnum[at],
														  false)));
	}
	appendStringInfo(&query, " FROM %s",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(target->relid)),
												get_rel_name(target->relid)));
	return query.data;
}

/*
 * gs_grid_refresh: looks up which combinations the target has, as the caller.
 * To be called within an SPI connection.
 */
void
gs_grid_refresh(GsGrid *grid)
{
	int			natts = grid->target->desc->natts;
	Datum	   *values = palloc0(sizeof(Datum) * natts);
	bool	   *nulls = palloc(natts);
	bool	   *read = palloc(natts);
	char	   *query = select_rows(grid, read);
	MemoryContext context = CurrentMemoryContext;
	Portal		portal = SPI_cursor_open_with_args(NULL, query, 0, NULL, NULL,
												   NULL, false, 0);

	for (int i = 0; i < grid->nindexes; i++)
		memset(grid->index[i].taken, 0, grid->index[i].space / 8 + 1);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, READ_ROWS);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			int			field = 0;

			for (int at = 0; at < natts; at++)
			{
				nulls[at] = true;
				if (read[at])
					values[at] = SPI_getbinval(SPI_tuptable->vals[i],
											   SPI_tuptable->tupdesc,
											   ++field, &nulls[at]);
			}
			gs_grid_take(grid, values, nulls);
			remember(grid, values, nulls);
		}
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_cursor_close(portal);
	MemoryContextSwitchTo(context);
}

/*
 * Gives a column of a row another value, and with it what goes with it.
 */
static void
set_value(const GsGrid *grid, const GridIndex *index, int c, int number,
		  Datum *values, bool *nulls)
{
	const GridColumn *column = &grid->columns[c];
	int			at = -1;

	values[column->at] = column->values[number];
	nulls[column->at] = false;
	while (column->seen[number] != NULL &&
		   (at = bms_next_member(column->tied, at)) >= 0)
	{
		bool		own = false;

		for (int k = 0; k < index->ncolumns; k++)
			own |= grid->columns[index->column[k]].at == at;
		if (own)
			continue;
		values[at] = column->seen[number][at];
		nulls[at] = column->seen_nulls[number][at];
	}
}

/*
 * Gives a row a free combination of an index that differs from its own in one
 * column.  False if there is none.
 */
static bool
change_one(GsGrid *grid, const GridIndex *index, int64 combination,
		   Datum *values, bool *nulls)
{
	int64		unit = index->space;

	for (int k = index->ncolumns - 1; k >= 0; k--)
	{
		int			c = index->column[k];
		int64		n = grid->columns[c].n;
		int64		own;
		int64		first;

		unit /= n;
		if (index->fixed[k])
			continue;
		own = combination / unit % n;
		first = (int64) (gs_mix64(grid->turn++, k) % n);
		for (int64 i = 0; i < n; i++)
		{
			int64		number = (first + i) % n;

			if (is_taken(index, combination + (number - own) * unit))
				continue;
			set_value(grid, index, c, (int) number, values, nulls);
			return true;
		}
	}
	return false;
}

/*
 * Gives a row the next free combination of an index.  False if none is free.
 */
static bool
change_all(GsGrid *grid, GridIndex *index, Datum *values, bool *nulls)
{
	for (int64 tried = 0; tried < index->space; tried++)
	{
		uint64		position = gs_permute(&index->order,
									   index->next++ % index->order.n);

		if (tried % 100000 == 0)
			CHECK_FOR_INTERRUPTS();
		if (is_taken(index, position))
			continue;
		for (int k = 0; k < index->ncolumns; k++)
		{
			int			c = index->column[k];

			set_value(grid, index, c, (int) (position % grid->columns[c].n),
					  values, nulls);
			position /= grid->columns[c].n;
		}
		return true;
	}
	return false;
}

/*
 * Settles a row with each index in turn.  anew: those that share nothing with
 * ones before them take the next combination, whatever the row has.
 */
static bool
settle(GsGrid *grid, bool anew, Datum *values, bool *nulls)
{
	for (int i = 0; i < grid->nindexes; i++)
	{
		GridIndex  *index = &grid->index[i];
		int64		combination = combination_of(grid, index, values, nulls);

		if (combination < 0 || (!is_taken(index, combination) &&
								!(anew && index->all_own)))
			continue;
		if (!(anew && index->all_own) &&
			change_one(grid, index, combination, values, nulls))
			continue;
		if (!index->all_own || !change_all(grid, index, values, nulls))
			return false;
	}
	/* what an index was settled with, another may have changed */
	for (int i = 0; i < grid->nindexes; i++)
	{
		int64		combination = combination_of(grid, &grid->index[i], values,
												 nulls);

		if (combination >= 0 && is_taken(&grid->index[i], combination))
			return false;
	}
	return true;
}

/*
 * gs_grid_apply: gives a row combinations that are free.  Returns false, and
 * leaves the row as it was, if none were found.
 *
 * values, nulls: [natts] of the target's filled columns, changed; new values
 * live as long as the grid
 */
bool
gs_grid_apply(GsGrid *grid, Datum *values, bool *nulls)
{
	int			natts = grid->target->desc->natts;

	memcpy(grid->values, values, sizeof(Datum) * natts);
	memcpy(grid->nulls, nulls, natts);
	for (int try = 0; try < MAX_TRIES; try++)
	{
		CHECK_FOR_INTERRUPTS();
		if (settle(grid, try > 0, values, nulls))
			return true;
		memcpy(values, grid->values, sizeof(Datum) * natts);
		memcpy(nulls, grid->nulls, natts);
	}
	return false;
}
