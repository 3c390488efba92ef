/*
 * owned.c
 *	  Rows of a child table, made owner by owner.
 *
 *	owners, as the caller -> how many rows each has -> their first rows, their
 *	second ones, and so on, each given the owner and the rows before
 *
 * Owners come in batches of GS_BATCH, in the order of their keys, so the rows
 * of an owner follow from the seed, his place and those beside him; memory is
 * that of one batch.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "codec/styles.h"
#include "encode/decode.h"
#include "constraint/constraints.h"
#include "key/key.h"
#include "numeric/philox.h"
#include "model/siblings.h"
#include "owner/owners.h"
#include "stream/known.h"
#include "stream/owned.h"

/* Rows of one owner: the index of a batch has room for so many. */
#define MAX_ROWS_BITS	24

/* How often a row is made again whose key one of the same owner has. */
#define MAX_TRIES		20

/* A column that is decoded. */
typedef struct Column
{
	int			c;				/* of the model */
	GsDecoder  *decoder;
	bool		set;			/* by a condition */
} Column;

/*
 * Columns that together with the owner's key must not repeat, of those asked
 * for.
 */
typedef struct UniqueKey
{
	int			n;
	int		   *column;			/* [n] */
	TypeCacheEntry **type;		/* [n] */
	Oid		   *collation;		/* [n] */
} UniqueKey;

/* Keys that rows of the owners at hand have. */
typedef struct SeenKey
{
	uint64		hash;			/* of owner, key and values */
} SeenKey;

struct GsOwned
{
	const GsOwners *owners;
	GsKnown    *rows;
	GsKnown    *counts;
	GsDecoder  *count;			/* of the number of rows */
	Oid			relid;

	/* the owners at hand: key columns, then what rows know of them */
	int			nkeys;
	int			nowner;			/* columns */
	int			nowners;
	bool		ended;			/* there are no more */
	Oid			key_type[INDEX_MAX_KEYS];
	int64		batch;			/* index, from 0 */
	SPIPlanPtr	first;			/* reads the first owners ... */
	SPIPlanPtr	after;			/* ... and those after others */
	Datum	   *owner;			/* [GS_BATCH][nowner] */
	bool	   *owner_nulls;
	int64		expected[GS_BATCH]; /* rows of each */
	MemoryContext owner_context;

	/* what rows know of their owner */
	int			nknown;
	Datum	   *known;			/* [GS_BATCH][nknown] */
	bool	   *known_nulls;

	/* the rows at hand */
	int64		round;			/* which rows of their owners these are, from 0 */
	int			active[GS_BATCH];	/* their owners */
	int			nactive;
	int			at;				/* the next to be given out */
	int64		made;			/* rows before these, of all owners */
	int			nunique;
	UniqueKey  *unique;			/* [nunique] */
	HTAB	   *seen;			/* of SeenKey; NULL if nunique is 0 */
	uint64		key;			/* of the first try's random numbers */
	int			ncolumns;		/* asked for */
	Column	   *columns;		/* [ncolumns] */
	int		   *key_of;			/* [ncolumns] of the owner's key; -1 */
	Datum	   *values;			/* [GS_BATCH][ncolumns] */
	bool	   *nulls;
	bool		left_out[GS_BATCH];	/* those that could not be made */
	Datum	   *spare;			/* the same of another try */
	bool	   *spare_nulls;
	MemoryContext row_context;
};

static int
find_column(const GsSchema *schema, const char *name)
{
	for (int c = 0; c < schema->ncolumns; c++)
		if (strcmp(schema->columns[c].name, name) == 0)
			return c;
	return -1;
}

static void
open_column(const GsKnown *known, Column *column, const char *name, Oid type)
{
	const GsSchema *schema = known->sampler->schema;

	column->c = find_column(schema, name);
	if (column->c < 0)
		return;
	if (!gs_is_column_of(&schema->columns[column->c], type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the model is of type %s, which cannot be converted to %s",
						name, schema->columns[column->c].type_name,
						format_type_be(type)),
				 errhint("Fit the model again, or leave the column out of the row type.")));
	column->decoder = gs_decoder_create(schema, column->c, type);
	column->set = known->rules != NULL && gs_rules_sets(known->rules,
														column->c);
}

/*
 * The columns of a model that rows know of their owners: place[i] is the
 * model's column of what is at i, or -1.
 */
static void
match_known(const GsOwners *owners, const GsSchema *schema, bool *known,
			int *place)
{
	int			i = 0;
	ListCell   *step;
	ListCell   *cell;

	foreach(step, owners->steps)
		foreach(cell, ((const GsOwnerStep *) lfirst(step))->names)
	{
		int			c = find_column(schema, lfirst(cell));

		place[i++] = c;
		if (c >= 0)
			known[c] = true;
	}
}

/*
 * A sampler of a model given what is known: columns of rows, n of them, from
 * values + first on.
 */
static GsKnown *
begin_known(const GsModel *model, const bool *known, const int *place, int n,
			Datum *values, bool *nulls, int stride)
{
	GsKnown    *result = gs_known_create(model, known);

	for (int i = 0; i < n; i++)
		if (place[i] >= 0)
			result->given[place[i]] = (GsRows)
		{
			values + i, nulls + i, stride
		};
	/* before it is asked which columns conditions set */
	if (result->rules != NULL)
		gs_rules_know(result->rules, result->given);
	return result;
}

/*
 * How many rows each owner has.
 */
static void
open_counts(GsOwned *owned, const GsModel *model, int64 seed)
{
	bool	   *known = palloc0(Max(model->schema->ncolumns, 1));
	bool	   *needed = palloc0(Max(model->schema->nfeatures, 1));
	int		   *place = palloc(sizeof(int) * Max(owned->nowner, 1));
	int			count = find_column(model->schema, GS_OWNERS_COUNT);

	if (count < 0 || model->schema->columns[count].type != INT8OID)
		gs_corrupted("The model of the owners has no column \"%s\".",
					 GS_OWNERS_COUNT);
	match_known(owned->owners, model->schema, known, place);
	owned->counts = begin_known(model, known, place,
								owned->nowner - owned->nkeys,
								owned->owner + owned->nkeys,
								owned->owner_nulls + owned->nkeys,
								owned->nowner);
	owned->count = gs_decoder_create(owned->counts->sampler->schema, count,
									 INT8OID);
	gs_decoder_needs(owned->count, needed);
	gs_known_begin(owned->counts, seed, needed);
}

/*
 * The columns of the rows that are asked for.  Those to come depend on all
 * that was drawn.
 */
static void
open_columns(GsOwned *owned, TupleDesc desc, int64 seed)
{
	const GsSchema *schema = owned->rows->sampler->schema;
	bool	   *needed = palloc(Max(schema->nfeatures, 1));
	const GsOwnerStep *step = linitial(owned->owners->steps);

	memset(needed, true, schema->nfeatures);
	owned->columns = palloc0(sizeof(Column) * Max(desc->natts, 1));
	owned->key_of = palloc(sizeof(int) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		ListCell   *cell;

		owned->columns[i].c = owned->key_of[i] = -1;
		foreach(cell, step->columns)
			if (strcmp(lfirst(cell), NameStr(attribute->attname)) == 0)
				owned->key_of[i] = foreach_current_index(cell);
		if (!attribute->attisdropped && owned->key_of[i] < 0)
			open_column(owned->rows, &owned->columns[i],
						NameStr(attribute->attname), attribute->atttypid);
	}
	gs_known_begin(owned->rows, seed, needed);
}

/*
 * The keys among a table's constraints that have all columns of the owner's key,
 * and others that are made here.
 */
static void
open_unique(GsOwned *owned, TupleDesc desc, List *constraints)
{
	const GsOwnerStep *step = linitial(owned->owners->steps);
	ListCell   *cell;

	owned->unique = palloc0(sizeof(UniqueKey) *
							Max(list_length(constraints), 1));
	foreach(cell, constraints)
	{
		const GsConstraint *constraint = lfirst(cell);
		UniqueKey  *key = &owned->unique[owned->nunique];
		int			nowner = 0;
		bool		fits = constraint->kind == GS_CONSTRAINT_PRIMARY_KEY ||
			constraint->kind == GS_CONSTRAINT_UNIQUE;
		ListCell   *name;

		key->n = 0;
		key->column = palloc(sizeof(int) * (desc->natts + 1));
		key->type = palloc(sizeof(TypeCacheEntry *) * (desc->natts + 1));
		key->collation = palloc(sizeof(Oid) * (desc->natts + 1));
		foreach(name, constraint->columns)
		{
			int			i = 0;

			while (i < desc->natts &&
				   strcmp(NameStr(TupleDescAttr(desc, i)->attname),
						  lfirst(name)) != 0)
				i++;
			if (i == desc->natts || key->n == desc->natts)
				fits = false;
			else if (owned->key_of[i] >= 0)
				nowner++;
			else
			{
				Form_pg_attribute attribute = TupleDescAttr(desc, i);

				key->column[key->n] = i;
				key->type[key->n] = lookup_type_cache(attribute->atttypid,
													  TYPECACHE_HASH_EXTENDED_PROC_FINFO);
				fits &= OidIsValid(key->type[key->n]->hash_extended_proc) &&
					owned->columns[i].decoder != NULL;
				key->collation[key->n++] = attribute->attcollation;
			}
		}
		if (fits && key->n > 0 && nowner == list_length(step->columns))
			owned->nunique++;
	}
	if (owned->nunique > 0)
	{
		HASHCTL		control = {.keysize = sizeof(uint64),
		.entrysize = sizeof(SeenKey),.hcxt = CurrentMemoryContext};

		owned->seen = hash_create("gensynth owned keys", 16 * GS_BATCH,
								  &control,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
}

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
 * Batches of rows that are made owner by owner are no equal parts of all, so
 * their keys count on.
 */
static void
forget_orders(const GsSchema *schema)
{
	for (int c = 0; c < schema->ncolumns; c++)
		if (schema->columns[c].key != NULL &&
			schema->columns[c].key->order > 0)
			gs_key_set_order(schema->columns[c].key, 0, false, false);
}

/*
 * gs_owned_open: begins to make the rows of a child table, in the current
 * context.
 *
 * rows, counts: models of the rows, and of how many each owner has; both must
 * outlive the result.  relid: the table whose foreign keys lead to the
 * owners; desc: its columns that are asked for; constraints: its own, of
 * GsConstraint.  To be called within an SPI
 * connection.  Errors: invalid_foreign_key; those of reading the owners.
 */
GsOwned *
gs_owned_open(const GsModel *rows, const GsModel *counts, Oid relid,
			  TupleDesc desc, List *constraints, int64 seed)
{
	GsOwned    *owned = palloc0(sizeof(GsOwned));
	const GsOwners *owners = gs_owners_load(rows->version->owners);
	MemoryContext context = CurrentMemoryContext;
	bool	   *known = palloc0(Max(rows->schema->ncolumns, 1));
	int		   *place;
	Size		cells;
	ListCell   *cell;

	if (rows->family != &gs_sequence)
		gs_corrupted("A model of rows that have owners is of method \"%s\".",
					 rows->family->name);
	owned->owners = owners;
	owned->nkeys = list_length(((const GsOwnerStep *)
								linitial(owners->steps))->columns);
	owned->first = prepare_owners(owners, relid, 0, NULL);
	MemoryContextSwitchTo(context);
	owned->relid = relid;
	owned->nowner = owned->nkeys;
	foreach(cell, owners->steps)
		owned->nowner += list_length(((const GsOwnerStep *)
									  lfirst(cell))->known);
	owned->owner = palloc(sizeof(Datum) * GS_BATCH * owned->nowner);
	owned->owner_nulls = palloc((Size) GS_BATCH * owned->nowner);
	owned->nknown = owned->nowner - owned->nkeys;
	owned->known = palloc(sizeof(Datum) * GS_BATCH * Max(owned->nknown, 1));
	owned->known_nulls = palloc((Size) GS_BATCH * Max(owned->nknown, 1));
	place = palloc(sizeof(int) * Max(owned->nknown, 1));
	match_known(owners, rows->schema, known, place);
	owned->rows = begin_known(rows, known, place, owned->nknown, owned->known,
							  owned->known_nulls, owned->nknown);
	forget_orders(owned->rows->sampler->schema);
	open_counts(owned, counts, seed);
	owned->ncolumns = desc->natts;
	open_columns(owned, desc, seed);
	cells = (Size) GS_BATCH * owned->ncolumns;
	owned->values = palloc(sizeof(Datum) * Max(cells, 1));
	owned->nulls = palloc(Max(cells, 1));
	owned->spare = palloc(sizeof(Datum) * Max(cells, 1));
	owned->spare_nulls = palloc(Max(cells, 1));
	owned->key = owned->rows->batch->key;
	open_unique(owned, desc, constraints);
	owned->owner_context = AllocSetContextCreate(context, "gensynth owners",
												 ALLOCSET_DEFAULT_SIZES);
	owned->row_context = AllocSetContextCreate(context, "gensynth owned rows",
											   ALLOCSET_DEFAULT_SIZES);
	owned->batch = -1;
	return owned;
}

/*
 * Reads the next owners, as the caller.
 */
static void
read_owners(GsOwned *owned)
{
	Size		n = owned->nowner;
	Datum	   *last = owned->owner + (owned->nowners - 1) * n;
	MemoryContext old;
	int			result;

	if (owned->nowners > 0 && owned->after == NULL)
	{
		Oid		   *types = palloc(sizeof(Oid) * owned->nkeys);

		for (int i = 0; i < owned->nkeys; i++)
			types[i] = owned->key_type[i];
		owned->after = prepare_owners(owned->owners, owned->relid,
									  owned->nkeys, types);
	}
	result = owned->nowners > 0 ?
		SPI_execute_plan(owned->after, last, NULL, false, 0) :
		SPI_execute_plan(owned->first, NULL, NULL, false, 0);
	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
	MemoryContextReset(owned->owner_context);
	old = MemoryContextSwitchTo(owned->owner_context);
	owned->nowners = (int) SPI_processed;
	for (int i = 0; i < owned->nowners; i++)
		heap_deform_tuple(heap_copytuple(SPI_tuptable->vals[i]),
						  SPI_tuptable->tupdesc, owned->owner + i * n,
						  owned->owner_nulls + i * n);
	MemoryContextSwitchTo(old);
	for (int i = 0; i < owned->nkeys; i++)
		owned->key_type[i] = SPI_gettypeid(SPI_tuptable->tupdesc, i + 1);
	SPI_freetuptable(SPI_tuptable);
}

static void
forget_keys(GsOwned *owned)
{
	HASH_SEQ_STATUS status;
	SeenKey    *key;

	hash_seq_init(&status, owned->seen);
	while ((key = hash_seq_search(&status)) != NULL)
		(void) hash_search(owned->seen, &key->hash, HASH_REMOVE, NULL);
}

/*
 * The next owners, and how many rows each is to have.  False after the last.
 */
static bool
next_owners(GsOwned *owned)
{
	Size		n = owned->nowner;
	Datum		counts[GS_BATCH];
	bool		nulls[GS_BATCH];

	if (owned->ended)
		return false;
	read_owners(owned);
	owned->ended = owned->nowners < GS_BATCH;
	if (owned->nowners == 0)
		return false;
	owned->batch++;
	owned->round = -1;
	if (owned->seen != NULL)
		forget_keys(owned);
	gs_siblings_forget(owned->rows->sampler->state);
	/* batches are made whole */
	for (int i = owned->nowners; i < GS_BATCH; i++)
	{
		memcpy(owned->owner + i * n, owned->owner, sizeof(Datum) * n);
		memcpy(owned->owner_nulls + i * n, owned->owner_nulls, n);
	}
	(void) gs_known_fill(owned->counts, owned->batch);
	gs_decode(owned->count, owned->counts->batch, 0, GS_BATCH,
			  (GsRows) {counts, nulls, 1});
	for (int i = 0; i < owned->nowners; i++)
	{
		owned->expected[i] = nulls[i] ? 0 :
			Max(0, Min(DatumGetInt64(counts[i]),
					   (INT64CONST(1) << MAX_ROWS_BITS) - 1));
		gs_siblings_begin(owned->rows->sampler->state, i, owned->expected[i]);
	}
	return true;
}

/*
 * Rows of n owners are to be made: what they know.
 */
static void
know_rows(GsOwned *owned, const int *owner, int n)
{
	for (int i = 0; i < n; i++)
	{
		Size		from = (Size) owner[i] * owned->nowner + owned->nkeys;
		Size		to = (Size) i * owned->nknown;

		memcpy(owned->known + to, owned->owner + from,
			   sizeof(Datum) * owned->nknown);
		memcpy(owned->known_nulls + to, owned->owner_nulls + from,
			   owned->nknown);
	}
	owned->rows->n = n;
	gs_siblings_rows(owned->rows->sampler->state, owner, n);
}

/*
 * The owners' keys, in the rows at hand.
 */
static void
set_keys(GsOwned *owned)
{
	int			stride = owned->ncolumns;

	for (int i = 0; i < owned->ncolumns; i++)
		for (int row = 0; owned->key_of[i] >= 0 && row < owned->nactive; row++)
		{
			Size		from = (Size) owned->active[row] * owned->nowner +
				owned->key_of[i];
			Size		to = (Size) row * stride + i;

			owned->values[to] = owned->owner[from];
			owned->nulls[to] = owned->owner_nulls[from];
		}
}

/*
 * The hash of a row's key; false if a NULL makes it differ from all others.
 */
static bool
hash_key(const GsOwned *owned, int k, int owner, const Datum *values,
		 const bool *nulls, uint64 *hash)
{
	const UniqueKey *key = &owned->unique[k];

	*hash = gs_mix64(owner, k);
	for (int i = 0; i < key->n; i++)
	{
		int			at = key->column[i];

		if (nulls[at])
			return false;
		*hash = gs_mix64(*hash, DatumGetUInt64(FunctionCall2Coll(
																 &key->type[i]->hash_extended_proc_finfo,
																 key->collation[i], values[at],
																 Int64GetDatum(0))));
	}
	return true;
}

/*
 * Whether one of a row's keys is that of another row of its owner.
 */
static bool
is_seen(const GsOwned *owned, int owner, const Datum *values,
		const bool *nulls)
{
	uint64		hash;

	for (int k = 0; k < owned->nunique; k++)
		if (hash_key(owned, k, owner, values, nulls, &hash) &&
			hash_search(owned->seen, &hash, HASH_FIND, NULL) != NULL)
			return true;
	return false;
}

/*
 * A row is the next one of its owner.
 */
static void
keep_row(GsOwned *owned, int row, int owner, const Datum *values,
		 const bool *nulls)
{
	uint64		hash;

	for (int k = 0; k < owned->nunique; k++)
		if (hash_key(owned, k, owner, values, nulls, &hash))
			(void) hash_search(owned->seen, &hash, HASH_ENTER, NULL);
	gs_siblings_add(owned->rows->sampler->state, owned->rows->batch, row);
}

/*
 * Makes a row for each of n owners into values and nulls.
 *
 * bad: [n] set where it must not be: its conditions do not hold, or its owner
 * has one with the same key
 */
static void
make_rows(GsOwned *owned, const int *owner, int n, Datum *values, bool *nulls,
		  bool *bad)
{
	int			stride = owned->ncolumns;
	GsKnown    *known = owned->rows;
	const bool *refused;

	know_rows(owned, owner, n);
	refused = gs_known_fill(known, (owned->batch << MAX_ROWS_BITS) +
							owned->round);
	known->batch->row = owned->made;
	gs_siblings_see(known->sampler->state, known->batch);
	memset(nulls, true, (Size) n * stride);
	for (int i = 0; i < stride; i++)
	{
		const Column *column = &owned->columns[i];
		GsRows		rows = {values + i, nulls + i, stride};

		if (column->decoder == NULL)
			continue;
		if (column->set)
			gs_rules_set(known->rules, known->batch, column->c, 0, n, rows);
		else
			gs_decode(column->decoder, known->batch, 0, n, rows);
	}
	for (int row = 0; row < n; row++)
	{
		Size		at = (Size) row * stride;

		bad[row] = (refused != NULL && refused[row]) ||
			gs_siblings_failed(known->sampler->state, row) ||
			is_seen(owned, owner[row], values + at, nulls + at);
		if (!bad[row])
			keep_row(owned, row, owner[row], values + at, nulls + at);
	}
}

/*
 * Takes another row in the place of one; values that are counted stay.
 */
static void
replace_row(GsOwned *owned, int row, int by)
{
	const GsSchema *schema = owned->rows->sampler->schema;
	Size		to = (Size) row * owned->ncolumns;
	Size		from = (Size) by * owned->ncolumns;

	for (int i = 0; i < owned->ncolumns; i++)
	{
		int			c = owned->columns[i].c;

		if (c >= 0 && schema->columns[c].key != NULL)
			continue;
		owned->values[to + i] = owned->spare[from + i];
		owned->nulls[to + i] = owned->spare_nulls[from + i];
	}
}

/*
 * Makes a row for each owner that is active.  Those that must not be are made
 * again; where that does not help they are left out.
 */
static void
make_good_rows(GsOwned *owned)
{
	bool		bad[GS_BATCH];
	int			owner[GS_BATCH];
	int			row[GS_BATCH];
	int			n = 0;

	owned->rows->batch->key = owned->key;
	make_rows(owned, owned->active, owned->nactive, owned->values,
			  owned->nulls, bad);
	memcpy(owned->left_out, bad, owned->nactive);
	for (int i = 0; i < owned->nactive; i++)
		if (bad[i])
			row[n++] = i;
	for (int try = 1; n > 0 && try <= MAX_TRIES; try++)
	{
		int			left = 0;

		for (int i = 0; i < n; i++)
			owner[i] = owned->active[row[i]];
		owned->rows->batch->key = gs_mix64(owned->key, try);
		make_rows(owned, owner, n, owned->spare, owned->spare_nulls, bad);
		for (int i = 0; i < n; i++)
		{
			if (bad[i])
			{
				row[left++] = row[i];
				continue;
			}
			replace_row(owned, row[i], i);
			owned->left_out[row[i]] = false;
		}
		n = left;
	}
}

/*
 * The next rows of all owners that have so many; false if none has.
 */
static bool
next_rows(GsOwned *owned)
{
	MemoryContext old;

	CHECK_FOR_INTERRUPTS();
	owned->round++;
	owned->made += owned->nactive;
	owned->nactive = owned->at = 0;
	for (int i = 0; i < owned->nowners; i++)
		if (owned->expected[i] > owned->round)
			owned->active[owned->nactive++] = i;
	if (owned->nactive == 0)
		return false;
	MemoryContextReset(owned->row_context);
	old = MemoryContextSwitchTo(owned->row_context);
	make_good_rows(owned);
	MemoryContextSwitchTo(old);
	set_keys(owned);
	return true;
}

/*
 * gs_owned_next: the next row; false after the last one of the last owner.
 *
 * values, nulls: set to arrays with an element for each column asked for,
 * valid until the next call; values to NULL where a row is left out.
 */
bool
gs_owned_next(GsOwned *owned, Datum **values, bool **nulls)
{
	Size		cell;

	while (owned->at >= owned->nactive)
		if (!(owned->nowners > 0 && next_rows(owned)) && !next_owners(owned))
			return false;
	cell = (Size) owned->at * owned->ncolumns;
	if (owned->left_out[owned->at++])
	{
		*values = NULL;
		return true;
	}
	*values = owned->values + cell;
	*nulls = owned->nulls + cell;
	return true;
}

/*
 * gs_owned_skip: passes over the next n rows.  Owners all of whose rows are
 * among them are counted only.
 */
void
gs_owned_skip(GsOwned *owned, int64 n)
{
	Datum	   *values;
	bool	   *nulls;

	while (owned->nowners == 0 || owned->round < 0)
	{
		int64		rows = 0;

		for (int i = 0; i < owned->nowners; i++)
			rows += owned->expected[i];
		if (owned->nowners > 0 && rows > n)
			break;
		n -= rows;
		owned->made += rows;
		if (!next_owners(owned))
			return;
	}
	while (n-- > 0 && gs_owned_next(owned, &values, &nulls))
		;
}

/*
 * gs_owned_count: how many rows all owners together are to have.  Leaves none
 * to be made.
 */
int64
gs_owned_count(GsOwned *owned)
{
	gs_owned_skip(owned, PG_INT64_MAX);
	return owned->made;
}
