/*
 * repair.c
 *	  Rows that collided: what of them is made anew.
 *
 * If a row that a unique index refuses were left out for any other, rows that
 * the index does not care about would take its place: of users whose names are
 * unique among the active ones, most would be inactive in the end.  So it
 * stays the row it was, but for the columns that collide, which are those of
 * the next row that is made; and of a partial index, of one for which the
 * predicate is as true.  What goes with these columns (the rest of a foreign
 * key, the columns of a condition, differences, dependencies) comes with them.
 *
 * If rows go on to collide, columns that cannot be counted through (grid.c)
 * take values beyond those that the model knows, if it has any: numbers that
 * go on, texts of the same format.  Since these know of no condition, every
 * other try is without them.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "column/store.h"
#include "encode/decode.h"
#include "key/key.h"
#include "stream/repair.h"

/* Rows that are looked at for one that a predicate holds for as much. */
#define MAX_TRIES		200

struct GsRepair
{
	const GsTarget *target;
	const GsSampler *sampler;
	Bitmapset **ties;
	uint64		key;
	Bitmapset  *fresh;			/* columns that are made anew */
	bool		counts;			/* further values are taken where there are */
	GsDecoder **spare;			/* [natts] of further values; NULL: none */
	Tuplestorestate *rows;		/* those that collided, first come first served */
	int64		waiting;		/* so many of them: the store's end is never read */
	TupleTableSlot *slot;		/* the one at hand, empty if there is none */
	int			tries;			/* rows that did not fit it */
};

/*
 * The column of a model that a target's filled column is filled from; -1: it
 * has none.
 */
static int
column_of(const GsTarget *target, const GsSchema *schema, int at)
{
	return gs_schema_column(schema,
							NameStr(TupleDescAttr(target->desc, at)->attname));
}

/*
 * Ties all columns of a list to each other.
 *
 * names: C strings; those that are not filled do not matter
 */
static void
tie_named(const GsTarget *target, List *names, Bitmapset **ties)
{
	Bitmapset  *columns = NULL;
	int			at = -1;
	ListCell   *cell;

	foreach(cell, names)
	{
		int			position = gs_target_column(target, lfirst(cell));

		if (position >= 0)
			columns = bms_add_member(columns, position);
	}
	while ((at = bms_next_member(columns, at)) >= 0)
		ties[at] = bms_add_members(ties[at], columns);
}

/*
 * Ties a column of the model to those that it is learned from: what it is a
 * difference to, and what determines it.
 */
static void
tie_learned(const GsTarget *target, const GsSampler *sampler, int c,
			Bitmapset **ties)
{
	const GsSchema *schema = sampler->schema;
	const GsColumn *column = &schema->columns[c];
	bool	   *needed = palloc0(Max(schema->nfeatures, 1));
	List	   *names = list_make1(column->name);

	if (column->key != NULL)
		return;
	for (int f = 0; f < schema->nfeatures; f++)
		needed[f] = schema->features[f].column == c;
	gs_dependency_need(sampler->model->determined, NULL, needed);
	for (int f = 0; f < schema->nfeatures; f++)
		if (needed[f])
			names = lappend(names,
							schema->columns[schema->features[f].column].name);
	if (column->layout != NULL)
	{
		for (int b = 0; b < column->layout->nbases; b++)
			names = lappend(names,
							schema->columns[column->layout->base[b]].name);
		if (column->layout->since >= 0)
			names = lappend(names,
							schema->columns[column->layout->since].name);
	}
	tie_named(target, names, ties);
	pfree(needed);
}

/*
 * gs_repair_ties: for each filled column of a target those that must come from
 * the same row, in the current context: [natts].
 */
Bitmapset **
gs_repair_ties(const GsTarget *target, const GsSampler *sampler)
{
	Bitmapset **ties = palloc0(sizeof(Bitmapset *) * target->desc->natts);
	ListCell   *cell;

	foreach(cell, target->constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->parent != NULL ||
			constraint->kind == GS_CONSTRAINT_CHECK)
			tie_named(target, constraint->columns, ties);
	}
	foreach(cell, sampler->model->version->constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->expression != NULL)
			tie_named(target, constraint->columns, ties);
	}
	for (int c = 0; c < sampler->schema->ncolumns; c++)
		tie_learned(target, sampler, c, ties);
	return ties;
}

/*
 * gs_repair_tied: columns, and all that are tied to them.
 */
Bitmapset *
gs_repair_tied(Bitmapset *columns, Bitmapset *const *ties)
{
	Bitmapset  *all = bms_copy(columns);
	int			before;

	do
	{
		int			at = -1;

		before = bms_num_members(all);
		while ((at = bms_next_member(all, at)) >= 0)
			all = bms_add_members(all, ties[at]);
	} while (bms_num_members(all) > before);
	return all;
}

/*
 * Whether a column can take values that are not known one by one.
 */
static bool
is_free(const GsRepair *repair, int at)
{
	Form_pg_attribute attribute = TupleDescAttr(repair->target->desc, at);
	const GsSchema *schema = repair->sampler->schema;
	int			c = column_of(repair->target, schema, at);
	ListCell   *cell;

	foreach(cell, repair->target->constraints)
	{
		const GsConstraint *constraint = lfirst(cell);
		ListCell   *name;

		if (constraint->parent == NULL)
			continue;
		foreach(name, constraint->columns)
			if (strcmp(lfirst(name), NameStr(attribute->attname)) == 0)
				return false;
	}
	return c >= 0 && !gs_decoder_is_discrete(gs_decoder_create(schema, c,
															   InvalidOid));
}

/*
 * Finds the columns that are made anew: of each index those that can take any
 * value, or else all.
 *
 * covered: [nindexes] those whose collisions are seen to elsewhere; or NULL
 */
static void
find_fresh(GsRepair *repair, const bool *covered)
{
	Bitmapset  *fresh = NULL;

	for (int i = 0; i < repair->target->nindexes; i++)
	{
		Bitmapset  *columns = repair->target->index[i].columns;
		Bitmapset  *free = NULL;
		int			at = -1;

		if (covered != NULL && covered[i])
			continue;
		while ((at = bms_next_member(columns, at)) >= 0)
			if (is_free(repair, at))
				free = bms_add_member(free, at);
		fresh = bms_add_members(fresh, free != NULL ? free : columns);
	}
	repair->fresh = gs_repair_tied(fresh, repair->ties);
}

/*
 * Decoders of the values that a model can count beyond those that it knows.
 */
static void
open_spares(GsRepair *repair)
{
	const GsTarget *target = repair->target;
	GsSchema   *schema = gs_schema_copy(repair->sampler->schema);

	repair->spare = palloc0(sizeof(GsDecoder *) * target->desc->natts);
	for (int at = 0; at < target->desc->natts; at++)
	{
		int			c = column_of(target, schema, at);
		Oid			type = TupleDescAttr(target->desc, at)->atttypid;
		GsColumn   *column = &schema->columns[Max(c, 0)];

		if (c < 0 || column->spare == NULL || !gs_is_column_of(column, type))
			continue;
		column->key = palloc(sizeof(GsKey));
		*column->key = *column->spare;
		column->key->wraps = true;
		column->null_feature = -1;
		repair->spare[at] = gs_decoder_create(schema, c, type);
	}
}

/*
 * gs_repair_open: prepares to repair rows of a target, in the current context.
 *
 * ties: see gs_repair_ties; seed: of the rows
 */
GsRepair *
gs_repair_open(const GsTarget *target, const GsSampler *sampler,
			   Bitmapset **ties, int64 seed)
{
	GsRepair   *repair = palloc0(sizeof(GsRepair));

	repair->target = target;
	repair->sampler = sampler;
	repair->ties = ties;
	repair->key = gs_mix64(seed, sampler->model->version->seed);
	repair->slot = MakeSingleTupleTableSlot(target->numbered,
											&TTSOpsMinimalTuple);
	find_fresh(repair, NULL);
	open_spares(repair);
	return repair;
}

/*
 * gs_repair_begin: a new batch, in the current context, which lasts as long as
 * it; there are no rows to be repaired yet.
 */
void
gs_repair_begin(GsRepair *repair)
{
	ExecClearTuple(repair->slot);
	repair->tries = repair->waiting = 0;
	repair->rows = tuplestore_begin_heap(false, false, work_mem);
}

/*
 * gs_repair_keep: takes the rows that were to be inserted, and were not.
 *
 * inserted: [n] the numbers of those that were, in their order
 */
void
gs_repair_keep(GsRepair *repair, Tuplestorestate *rows, const int64 *inserted,
			   int64 n)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(repair->target->numbered,
													&TTSOpsMinimalTuple);
	int			number = repair->target->numbered->natts;
	int64		at = 0;

	tuplestore_select_read_pointer(rows, 0);
	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		bool		isnull;
		int64		row = DatumGetInt64(slot_getattr(slot, number, &isnull));

		if (at < n && inserted[at] == row)
			at++;
		else
		{
			tuplestore_puttupleslot(repair->rows, slot);
			repair->waiting++;
		}
	}
	ExecDropSingleTupleTableSlot(slot);
}

/*
 * gs_repair_count: from now on, columns take further values, where there are
 * any, and those of some indexes stay.
 *
 * covered: [nindexes], or NULL for none
 */
void
gs_repair_count(GsRepair *repair, const bool *covered)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(repair));

	repair->counts = true;
	find_fresh(repair, covered);
	MemoryContextSwitchTo(old);
}

/*
 * The further value of a column that belongs to a row.
 */
static void
count_value(const GsRepair *repair, int at, int64 row, Datum *values,
			bool *nulls)
{
	GsBatch		batch = {.key = repair->key,.first = row,.row = row};
	GsRows		rows = {&values[at], &nulls[at], 1};

	gs_decode(repair->spare[at], &batch, 0, 1, rows);
}

/*
 * gs_repair_merge: makes of a row the next one that collided, with what is to
 * be made anew from this one.  A row that is not fit for that is refused: false
 * is returned.  A row stays as it is if none waits to be repaired.
 *
 * row: its number, from 0; values, nulls: [natts], changed; what they point to
 * must last until gs_repair_done
 */
bool
gs_repair_merge(GsRepair *repair, int64 row, Datum *values, bool *nulls)
{
	const GsTarget *target = repair->target;

	if (TupIsNull(repair->slot))
	{
		if (repair->waiting == 0)
			return true;
		repair->waiting--;
		(void) tuplestore_gettupleslot(repair->rows, true, true, repair->slot);
	}
	slot_getallattrs(repair->slot);
	if (++repair->tries > MAX_TRIES)
		return true;
	for (int i = 0; i < target->nindexes; i++)
		if (target->index[i].predicate != NULL &&
			gs_target_holds(target, i, values, nulls) !=
			gs_target_holds(target, i, repair->slot->tts_values,
							repair->slot->tts_isnull))
			return false;
	for (int at = 0; at < target->desc->natts; at++)
	{
		if (!bms_is_member(at, repair->fresh))
		{
			values[at] = repair->slot->tts_values[at];
			nulls[at] = repair->slot->tts_isnull[at];
		}
		else if (repair->counts && repair->tries % 2 == 1 &&
				 repair->spare[at] != NULL && !nulls[at])
			count_value(repair, at, row, values, nulls);
	}
	return true;
}

/*
 * gs_repair_done: the row that was merged last is to be inserted.
 */
void
gs_repair_done(GsRepair *repair)
{
	ExecClearTuple(repair->slot);
	tuplestore_trim(repair->rows);
	repair->tries = 0;
}
