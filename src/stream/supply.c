/*
 * supply.c
 *	  Owners of rows, a batch at a time: those that a table has, or made ones.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "codec/styles.h"
#include "column/store.h"
#include "compat.h"
#include "stream/supply.h"

/*
 * A query for owners, after one with keys of so many types, planned once.
 */
static SPIPlanPtr
prepare_owners(const GsSupply *supply, int nkeys, Oid *types)
{
	int			level = gs_fix_names();
	List	   *known = NIL;
	SPIPlanPtr	plan;

	for (int i = supply->nkeys; i < supply->nowner; i++)
		known = lappend_oid(known, supply->type[i]);
	plan = SPI_prepare(gs_owners_query(supply->owners, supply->relid, known,
									   nkeys > 0, supply->which, GS_BATCH),
					   nkeys, types);

	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	gs_end_settings(level);
	return plan;
}

/*
 * What there is of an entity: the columns of an owner, and how many rows he
 * has.
 *
 * desc: the columns of the rows that are asked for
 */
static void
describe_entities(GsSupply *supply, const GsModel *counts, TupleDesc desc)
{
	const GsOwnerStep *step = linitial(supply->owners->steps);
	TupleDesc	all = gs_schema_desc(counts->schema);
	TupleDesc	columns = CreateTemplateTupleDesc(supply->nowner + 1);

	for (int i = 0; i <= supply->nowner; i++)
	{
		const char *name = i == supply->nowner ? GS_OWNERS_COUNT :
			i < supply->nkeys ? list_nth(step->columns, i) :
			list_nth(step->known, i - supply->nkeys);
		bool		found = false;

		for (int c = 0; c < all->natts; c++)
			if (strcmp(NameStr(TupleDescAttr(all, c)->attname), name) == 0)
			{
				TupleDescCopyEntry(columns, i + 1, all, c + 1);
				found = true;
			}
		if (!found)
			gs_corrupted("The model of the owners has no column \"%s\".",
						 name);
		/* those that rows refer by are of the types of the rows' own */
		for (int c = 0; c < desc->natts && i < supply->nkeys; c++)
			if (strcmp(NameStr(TupleDescAttr(desc, c)->attname), name) == 0)
				TupleDescCopyEntry(columns, i + 1, desc, c + 1);
	}
	if (TupleDescAttr(columns, supply->nowner)->atttypid != INT8OID)
		gs_corrupted("The number of rows is not of type bigint.");
	gs_desc_finish(columns);
	supply->desc = columns;
	for (int i = 0; i < supply->nowner; i++)
		supply->type[i] = TupleDescAttr(columns, i)->atttypid;
	for (int i = 0; i < supply->nkeys; i++)
		supply->key_type[i] = supply->type[i];
}

/*
 * A stream of them.
 */
static GsStream *
open_entities(const GsSupply *supply, const GsModel *rows,
			  const GsModel *counts, int64 seed, int64 n)
{
	const GsOwners *owners = supply->owners;
	int64		nentities = owners->nentities;
	GsStream   *stream;

	if (!owners->copied && n >= 0)
		nentities = Max(1, llround((double) n * nentities /
								   Max(rows->version->rows, 1)));
	stream = gs_stream_open(gs_sampler_begin(counts, NULL, NULL), supply->desc,
							seed);
	gs_stream_seek(stream, 0, nentities);
	return stream;
}

/*
 * Those that the target has rows of, read as the caller.
 */
static void
find_entities(GsSupply *supply)
{
	const GsOwnerStep *step = linitial(supply->owners->steps);
	int			level = gs_fix_names();
	StringInfoData columns;
	StringInfoData keys;
	int			result;

	initStringInfo(&columns);
	initStringInfo(&keys);
	for (int i = 0; i < supply->nowner; i++)
	{
		const char *name = NameStr(TupleDescAttr(supply->desc, i)->attname);

		gs_owners_check_type(supply->relid, name, supply->type[i]);
		appendStringInfo(&columns, "c.%s::%s, ", quote_identifier(name),
						 format_type_extended(supply->type[i], -1,
											  FORMAT_TYPE_FORCE_QUALIFY));
		if (i < supply->nkeys)
			appendStringInfo(&keys, "%sc.%s", i > 0 ? ", " :
							 "", quote_identifier(list_nth(step->columns, i)));
	}
	result = SPI_execute(psprintf("SELECT DISTINCT ON (%s) %s pg_catalog.count(*) OVER (PARTITION BY %s)"
								  " FROM %s c WHERE ROW(%s) IS NOT NULL ORDER BY %s",
								  keys.data, columns.data, keys.data,
								  gs_relation_name(supply->relid, NULL),
								  keys.data, keys.data), false, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
	gs_end_settings(level);
	supply->there = tuplestore_begin_heap(false, false, work_mem);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(supply->there, SPI_tuptable->vals[i]);
	SPI_freetuptable(SPI_tuptable);
	supply->slot = MakeSingleTupleTableSlot(supply->desc, &TTSOpsMinimalTuple);
}

/*
 * Rows of the table that is filled are owners of those to come.
 *
 * desc: its columns that are asked for
 */
static void
open_generations(GsSupply *supply, TupleDesc desc)
{
	const GsOwnerStep *step = linitial(supply->owners->steps);
	TupleDesc	columns = CreateTemplateTupleDesc(supply->nowner);

	supply->at = palloc(sizeof(int) * supply->nowner);
	for (int i = 0; i < supply->nowner; i++)
	{
		const char *name = i < supply->nkeys ?
			list_nth(step->parent_columns, i) :
			list_nth(step->known, i - supply->nkeys);

		supply->at[i] = -1;
		TupleDescInitEntry(columns, i + 1, NULL, BOOLOID, -1, 0);
		for (int c = 0; c < desc->natts; c++)
			if (strcmp(NameStr(TupleDescAttr(desc, c)->attname), name) == 0)
			{
				TupleDescCopyEntry(columns, i + 1, desc, c + 1);
				supply->at[i] = c;
				supply->type[i] = TupleDescAttr(desc, c)->atttypid;
			}
	}
	gs_desc_finish(columns);
	supply->desc = columns;
	supply->slot = MakeSingleTupleTableSlot(columns, &TTSOpsMinimalTuple);
	supply->now = tuplestore_begin_heap(false, false, work_mem);
	supply->next = tuplestore_begin_heap(false, false, work_mem);
	supply->generation = -1;
}

/*
 * The types in which what rows know of a table's rows is read: those that a
 * model has learned them in.
 */
static void
find_types(GsSupply *supply, const GsSchema *rows, const GsSchema *counts)
{
	const GsSchema *schemas[] = {counts, rows};
	int			i = supply->nkeys;
	ListCell   *cell;
	ListCell   *name;

	foreach(cell, supply->owners->steps)
		foreach(name, ((const GsOwnerStep *) lfirst(cell))->names)
		{
			supply->type[i] = TEXTOID;
			for (int s = 0; s < lengthof(schemas); s++)
				for (int c = 0; schemas[s] != NULL && c < schemas[s]->ncolumns; c++)
					if (strcmp(schemas[s]->columns[c].name, lfirst(name)) == 0)
						supply->type[i] = schemas[s]->columns[c].type;
			i++;
		}
}

/*
 * gs_supply_open: owners, none yet, in the current context; see
 * gs_owned_open.  after: entities are those that the table has.
 */
GsSupply *
gs_supply_open(const GsOwners *owners, const GsModel *rows,
			   const GsModel *counts, Oid relid, TupleDesc desc, int64 seed,
			   int64 n, bool after)
{
	GsSupply   *supply = palloc0(sizeof(GsSupply));
	MemoryContext context = CurrentMemoryContext;
	ListCell   *cell;

	if (owners->steps == NIL)
		gs_corrupted("Rows have no owners.");
	supply->owners = owners;
	supply->relid = relid;
	supply->nkeys = list_length(((const GsOwnerStep *)
								 linitial(owners->steps))->columns);
	if (supply->nkeys > INDEX_MAX_KEYS)
		gs_corrupted("The key of an owner has %d columns.", supply->nkeys);
	supply->nowner = supply->nkeys;
	foreach(cell, owners->steps)
		supply->nowner += list_length(((const GsOwnerStep *)
									   lfirst(cell))->known);
	supply->type = palloc0(sizeof(Oid) * Max(supply->nowner, 1));
	supply->owner = palloc0(sizeof(Datum) * GS_BATCH * Max(supply->nowner, 1));
	supply->nulls = palloc((Size) GS_BATCH * Max(supply->nowner, 1));
	supply->context = AllocSetContextCreate(context, "gensynth owners",
											ALLOCSET_DEFAULT_SIZES);
	supply->one = owners->entity && counts == NULL;
	if (supply->one)
		supply->rows[0] = n >= 0 ? n : rows->version->rows;
	else if (owners->ngenerations > 0)
		open_generations(supply, desc);
	else if (owners->entity)
	{
		describe_entities(supply, counts, desc);
		if (after)
			find_entities(supply);
		else
			supply->stream = open_entities(supply, rows, counts, seed, n);
		MemoryContextSwitchTo(context);
	}
	else
	{
		find_types(supply, rows->schema, counts == NULL ? NULL : counts->schema);
	}
	return supply;
}

/*
 * gs_supply_gives: which of an owner's columns a row's column is, by its name;
 * -1: none.
 */
int
gs_supply_gives(const GsSupply *supply, const char *name)
{
	const GsOwnerStep *step = linitial(supply->owners->steps);
	ListCell   *cell;

	foreach(cell, step->columns)
		if (strcmp(lfirst(cell), name) == 0)
			return foreach_current_index(cell);
	foreach(cell, supply->owners->entity ? step->known : NIL)
		if (strcmp(lfirst(cell), name) == 0)
			return supply->nkeys + foreach_current_index(cell);
	return -1;
}

/*
 * Reads the next rows of a table, as the caller.
 */
static void
read_table(GsSupply *supply)
{
	Size		n = supply->nowner;
	Datum	   *last = supply->owner + (supply->nowners - 1) * n;
	MemoryContext old;
	int			result;

	if (supply->nowners == 0 && supply->first == NULL)
		supply->first = prepare_owners(supply, 0, NULL);
	if (supply->nowners > 0 && supply->after == NULL)
	{
		Oid		   *types = palloc(sizeof(Oid) * supply->nkeys);

		for (int i = 0; i < supply->nkeys; i++)
			types[i] = supply->key_type[i];
		supply->after = prepare_owners(supply, supply->nkeys, types);
	}
	result = supply->nowners > 0 ?
		SPI_execute_plan(supply->after, last, NULL, false, 0) :
		SPI_execute_plan(supply->first, NULL, NULL, false, 0);
	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
	MemoryContextReset(supply->context);
	old = MemoryContextSwitchTo(supply->context);
	supply->nowners = (int) SPI_processed;
	for (int i = 0; i < supply->nowners; i++)
		heap_deform_tuple(heap_copytuple(SPI_tuptable->vals[i]),
						  SPI_tuptable->tupdesc, supply->owner + i * n,
						  supply->nulls + i * n);
	MemoryContextSwitchTo(old);
	for (int i = 0; i < supply->nkeys; i++)
		supply->key_type[i] = SPI_gettypeid(SPI_tuptable->tupdesc, i + 1);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Makes the next ones.
 */
static void
read_stream(GsSupply *supply)
{
	MemoryContext old;
	Datum	   *values;
	bool	   *nulls;
	int			n = 0;

	MemoryContextReset(supply->context);
	old = MemoryContextSwitchTo(supply->context);
	for (; n < GS_BATCH && gs_stream_next(supply->stream, &values, &nulls); n++)
	{
		Size		to = (Size) n * supply->nowner;

		for (int i = 0; i < supply->nowner; i++)
		{
			Form_pg_attribute attribute = TupleDescAttr(supply->desc, i);

			supply->nulls[to + i] = nulls[i];
			supply->owner[to + i] = nulls[i] ? (Datum) 0 :
				datumCopy(values[i], attribute->attbyval, attribute->attlen);
		}
		supply->rows[n] = nulls[supply->nowner] ? 0 :
			DatumGetInt64(values[supply->nowner]);
	}
	supply->nowners = n;
	MemoryContextSwitchTo(old);
}

/*
 * Keeps an owner at hand from the slot, as the n-th.
 */
static void
keep_owner(GsSupply *supply, int n)
{
	Size		to = (Size) n * supply->nowner;

	slot_getallattrs(supply->slot);
	for (int i = 0; i < supply->nowner; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(supply->desc, i);

		supply->nulls[to + i] = supply->slot->tts_isnull[i];
		supply->owner[to + i] = supply->nulls[to + i] ? (Datum) 0 :
			datumCopy(supply->slot->tts_values[i], attribute->attbyval,
					  attribute->attlen);
	}
}

/*
 * Takes the next ones that the target has.
 */
static void
read_there(GsSupply *supply)
{
	MemoryContext old;
	int			n = 0;

	MemoryContextReset(supply->context);
	old = MemoryContextSwitchTo(supply->context);
	for (; n < GS_BATCH &&
		 tuplestore_gettupleslot(supply->there, true, false, supply->slot); n++)
	{
		keep_owner(supply, n);
		supply->rows[n] = DatumGetInt64(supply->slot->tts_values[supply->nowner]);
	}
	supply->nowners = n;
	MemoryContextSwitchTo(old);
}

/*
 * Reads the next ones of a generation.
 */
static void
read_generation(GsSupply *supply)
{
	MemoryContext old;
	int			n = 0;

	/* those of the first belong to none */
	if (supply->generation < 0)
	{
		supply->nowners = (int) Min(supply->roots, GS_BATCH);
		supply->roots -= supply->nowners;
		memset(supply->nulls, true, (Size) supply->nowners * supply->nowner);
		return;
	}
	MemoryContextReset(supply->context);
	old = MemoryContextSwitchTo(supply->context);
	while (n < GS_BATCH &&
		   tuplestore_gettupleslot(supply->now, true, false, supply->slot))
		keep_owner(supply, n++);
	supply->nowners = n;
	MemoryContextSwitchTo(old);
}

/*
 * gs_supply_add: a row that was made is an owner of the next generation.
 */
void
gs_supply_add(GsSupply *supply, const Datum *values, const bool *nulls)
{
	Datum	   *owner = palloc(sizeof(Datum) * supply->nowner);
	bool	   *owner_nulls = palloc(supply->nowner);

	for (int i = 0; i < supply->nowner; i++)
	{
		int			at = supply->at[i];

		owner_nulls[i] = at < 0 || nulls[at];
		owner[i] = owner_nulls[i] ? (Datum) 0 : values[at];
	}
	tuplestore_putvalues(supply->next, supply->desc, owner, owner_nulls);
	pfree(owner);
	pfree(owner_nulls);
}

/*
 * gs_supply_descend: goes on to the owners of the next generation; false if
 * there are none.
 */
bool
gs_supply_descend(GsSupply *supply)
{
	Tuplestorestate *now = supply->next;

	supply->next = supply->now;
	supply->now = now;
	tuplestore_clear(supply->next);
	return ++supply->generation < supply->owners->ngenerations - 1 &&
		tuplestore_tuple_count(now) > 0;
}

/*
 * gs_supply_owners: how many owners a generation has.
 */
int64
gs_supply_owners(const GsSupply *supply)
{
	return tuplestore_tuple_count(supply->now);
}

/*
 * gs_supply_rewind: gives the owners of a generation again.
 */
void
gs_supply_rewind(GsSupply *supply)
{
	tuplestore_rescan(supply->now);
}

/*
 * gs_supply_choose: gives no other owners than which says: a condition on o1,
 * o2, ... as SQL.  To be called before any are read.
 */
void
gs_supply_choose(GsSupply *supply, char *which)
{
	StringInfoData columns;
	int			level;

	supply->which = which;
	if (which == NULL || !supply->owners->entity)
		return;
	initStringInfo(&columns);
	for (int i = 0; i < supply->nowner; i++)
	{
		const char *name = NameStr(TupleDescAttr(supply->desc, i)->attname);

		/* keys are among what rows know, too */
		appendStringInfo(&columns, "%s$%d AS %s", i > 0 ? ", " : "", i + 1,
						 quote_identifier(i >= supply->nkeys &&
										  gs_supply_gives(supply, name) < supply->nkeys ?
										  psprintf("key %d", i) : name));
	}
	level = gs_fix_names();
	supply->is_one = SPI_prepare(psprintf("SELECT FROM (SELECT %s) o1 WHERE %s",
										  columns.data, which),
								 supply->nowner, supply->type);
	if (supply->is_one == NULL || SPI_keepplan(supply->is_one) != 0)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	gs_end_settings(level);
}

/*
 * Entities that are not asked for have no rows.
 */
static void
leave_out(GsSupply *supply)
{
	char	   *nulls = palloc(supply->nowner + 1);

	for (int i = 0; i < supply->nowners; i++)
	{
		Size		at = (Size) i * supply->nowner;

		for (int c = 0; c < supply->nowner; c++)
			nulls[c] = supply->nulls[at + c] ? 'n' : ' ';
		if (SPI_execute_plan(supply->is_one, supply->owner + at, nulls, true,
							 1) != SPI_OK_SELECT)
			elog(ERROR, "SPI failed");
		if (SPI_processed == 0)
			supply->rows[i] = 0;
		SPI_freetuptable(SPI_tuptable);
	}
	pfree(nulls);
}

/*
 * gs_supply_read: goes on to the next owners, up to GS_BATCH.
 */
void
gs_supply_read(GsSupply *supply)
{
	if (supply->now != NULL)
		read_generation(supply);
	else if (supply->there != NULL)
		read_there(supply);
	else if (supply->stream != NULL)
		read_stream(supply);
	else if (supply->one)
	{
		supply->nowners = !supply->given;
		supply->given = true;
	}
	else
		read_table(supply);
	if (supply->is_one != NULL)
		leave_out(supply);
}
