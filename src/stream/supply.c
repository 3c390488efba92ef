/*
 * supply.c
 *	  Owners of rows, a batch at a time: those that a table has, or made ones.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "codec/styles.h"
#include "column/store.h"
#include "stream/supply.h"

/*
 * A query for owners, after one with keys of so many types, planned once.
 */
static SPIPlanPtr
prepare_owners(const GsOwners *owners, Oid relid, int nkeys, Oid *types)
{
	int			level = gs_fix_names();
	SPIPlanPtr	plan = SPI_prepare(gs_owners_query(owners, relid, nkeys > 0,
												   GS_BATCH), nkeys, types);

	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	gs_end_settings(level);
	return plan;
}

/*
 * A stream of entities: of the columns of an owner, and how many rows he has.
 *
 * desc: the columns of the rows that are asked for
 */
static GsStream *
open_entities(GsSupply *supply, const GsModel *rows,
			  const GsModel *counts, TupleDesc desc, int64 seed, int64 n)
{
	const GsOwners *owners = supply->owners;
	const GsOwnerStep *step = linitial(owners->steps);
	GsSampler  *sampler = gs_sampler_begin(counts, NULL, NULL);
	TupleDesc	all = gs_schema_desc(counts->schema);
	TupleDesc	columns = CreateTemplateTupleDesc(supply->nowner + 1);
	int64		nentities = owners->nentities;
	GsStream   *stream;

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
	if (!owners->copied && n >= 0)
		nentities = Max(1, llround((double) n * nentities /
								   Max(rows->version->rows, 1)));
	supply->desc = columns;
	stream = gs_stream_open(sampler, columns, seed);
	gs_stream_seek(stream, 0, nentities);
	return stream;
}

/*
 * gs_supply_open: owners, none yet, in the current context; see
 * gs_owned_open.
 */
GsSupply *
gs_supply_open(const GsOwners *owners, const GsModel *rows,
			   const GsModel *counts, Oid relid, TupleDesc desc, int64 seed,
			   int64 n)
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
	supply->owner = palloc0(sizeof(Datum) * GS_BATCH * Max(supply->nowner, 1));
	supply->nulls = palloc((Size) GS_BATCH * Max(supply->nowner, 1));
	supply->context = AllocSetContextCreate(context, "gensynth owners",
											ALLOCSET_DEFAULT_SIZES);
	supply->one = owners->entity && counts == NULL;
	if (supply->one)
		supply->rows[0] = n >= 0 ? n : rows->version->rows;
	else if (owners->entity)
		supply->stream = open_entities(supply, rows, counts, desc, seed, n);
	else
	{
		supply->first = prepare_owners(owners, relid, 0, NULL);
		MemoryContextSwitchTo(context);
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

	if (supply->nowners > 0 && supply->after == NULL)
	{
		Oid		   *types = palloc(sizeof(Oid) * supply->nkeys);

		for (int i = 0; i < supply->nkeys; i++)
			types[i] = supply->key_type[i];
		supply->after = prepare_owners(supply->owners, supply->relid,
									   supply->nkeys, types);
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
 * gs_supply_read: goes on to the next owners, up to GS_BATCH.
 */
void
gs_supply_read(GsSupply *supply)
{
	if (supply->stream != NULL)
		read_stream(supply);
	else if (supply->one)
	{
		supply->nowners = !supply->given;
		supply->given = true;
	}
	else
		read_table(supply);
}
