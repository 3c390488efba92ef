/*
 * grid.c
 *	  Combinations that must not repeat: the last ones.
 *
 * Where several columns are unique together (a store and a day), rows that
 * collide are made again, which takes long when most combinations are there:
 * the coupon collector's problem.  Then further rows take their combination
 * from all there are, one after the other in a permuted order, so that none
 * comes twice.
 */
#include "postgres.h"

#include "common/int.h"
#include "numeric/permute.h"

#include "encode/decode.h"
#include "stream/grid.h"

#define MAX_VALUES		100000	/* of one column */

typedef struct GridColumn
{
	int			at;				/* among the filled columns */
	int64		n;
	GsParents  *parents;		/* whose keys these are; or NULL */
	const Datum *values;		/* [n] otherwise */
} GridColumn;

struct GsGrid
{
	int			ncolumns;
	GridColumn *columns;
	GsPermutation order;		/* of the combinations */
	int64		next;
};

/*
 * The values that a column can take: the parent's keys, or what the model
 * knows.  False if they are not known one by one.
 */
static bool
find_values(GridColumn *column, const GsTarget *target, const GsSampler *sampler,
			const GsForeignKeys *fks)
{
	Form_pg_attribute attribute = TupleDescAttr(target->desc, column->at);
	Datum	   *values;
	bool		refers;

	column->parents = gs_foreign_keys_parents(fks, column->at, &refers);
	if (column->parents != NULL)
		column->n = gs_parents_kept(column->parents);
	if (refers)
		return column->n > 0;
	for (int c = 0; c < sampler->schema->ncolumns; c++)
	{
		GsDecoder  *decoder;

		if (strcmp(sampler->schema->columns[c].name,
				   NameStr(attribute->attname)) != 0 ||
			!gs_is_column_of(&sampler->schema->columns[c], attribute->atttypid))
			continue;
		decoder = gs_decoder_create(sampler->schema, c, attribute->atttypid);
		if (!gs_decoder_is_discrete(decoder))
			return false;
		column->n = gs_decoder_atoms(decoder, 0, &values);
		column->values = values;
		return column->n > 0 && column->n <= MAX_VALUES;
	}
	return false;
}

static GsGrid *
open_constraint(const GsConstraint *constraint, const GsTarget *target,
				const GsSampler *sampler, const GsForeignKeys *fks, int64 seed)
{
	GsGrid	   *grid = palloc0(sizeof(GsGrid));
	int64		space = 1;
	ListCell   *cell;

	grid->columns = palloc0(sizeof(GridColumn) *
							list_length(constraint->columns));
	foreach(cell, constraint->columns)
	{
		GridColumn *column = &grid->columns[grid->ncolumns++];

		column->at = gs_target_column(target, lfirst(cell));
		if (column->at < 0 || !find_values(column, target, sampler, fks) ||
			pg_mul_s64_overflow(space, column->n, &space))
			return NULL;
	}
	gs_permute_init(&grid->order, space, gs_mix64(seed, space));
	return grid;
}

/*
 * gs_grid_open: the combinations of the first columns of a target that are
 * unique together and known value by value, in the current context; NULL if
 * there are none.
 */
GsGrid *
gs_grid_open(const GsTarget *target, const GsSampler *sampler,
			 const GsForeignKeys *fks, int64 seed)
{
	ListCell   *cell;

	foreach(cell, target->constraints)
	{
		const GsConstraint *constraint = lfirst(cell);
		GsGrid	   *grid;

		if (list_length(constraint->columns) < 2 ||
			(constraint->kind != GS_CONSTRAINT_PRIMARY_KEY &&
			 constraint->kind != GS_CONSTRAINT_UNIQUE))
			continue;
		grid = open_constraint(constraint, target, sampler, fks, seed);
		if (grid != NULL)
			return grid;
	}
	return NULL;
}

/*
 * gs_grid_apply: gives a row the next combination.
 *
 * values, nulls: [natts] of the target's filled columns, changed
 */
void
gs_grid_apply(GsGrid *grid, Datum *values, bool *nulls)
{
	uint64		position = gs_permute(&grid->order, grid->next++
									  % grid->order.n);

	for (int i = 0; i < grid->ncolumns; i++)
	{
		const GridColumn *column = &grid->columns[i];

		if (column->parents != NULL)
			gs_parents_get(column->parents, position % column->n,
						   &values[column->at]);
		else
			values[column->at] = column->values[position % column->n];
		nulls[column->at] = false;
		position /= column->n;
	}
}
