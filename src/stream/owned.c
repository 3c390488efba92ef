/*
 * owned.c
 *	  Rows that belong to others, made owner by owner.
 *
 *	owners -> how many rows each has -> their first rows, their second ones, and
 *	so on, each given the owner and the rows before
 *
 * Owners are rows of the target's parent table, read as the caller in the order
 * of their keys (supply.c), or made for that.  They come in batches of
 * GS_BATCH, so the rows of an owner follow from the seed, his place and those
 * beside him; memory is that of one batch.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "column/store.h"
#include "encode/decode.h"
#include "constraint/constraints.h"
#include "key/key.h"
#include "numeric/philox.h"
#include "model/siblings.h"
#include "owner/owners.h"
#include "stream/known.h"
#include "stream/owned.h"
#include "stream/supply.h"

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
	GsSupply   *supply;
	bool		ended;			/* there are no more owners */
	int64		batch;			/* index, from 0 */
	int64		expected[GS_BATCH]; /* rows of each owner */
	int64		counted;		/* rows of all owners so far, ... */
	int64		total;			/* ... of all there are, 0: as they have ... */
	int64		wanted;			/* ... and what becomes of these */
	int64		n;				/* of all generations of a table's own rows */
	bool		even;			/* each owner has as many */
	bool		keeps_all;		/* rows whose key nobody declared repeats one */
	bool		pending;		/* the row given last is an owner, too */

	/* what rows know: of their owner, then of the row before */
	int			nknown;
	Datum	   *known;			/* [GS_BATCH][nknown] */
	bool	   *known_nulls;
	int			nbefore;
	int		   *before_at;		/* [nbefore] among the columns asked for; -1 */
	Datum	   *before;			/* [GS_BATCH][nbefore] of the owners' last rows */
	bool	   *before_nulls;
	MemoryContext before_context;

	/* columns that conditions set, as those to come see them */
	GsEncoder  *set;			/* NULL: there are none */
	GsRows	   *given;			/* [columns of the model] */
	float	  **position;		/* [nfeatures][GS_BATCH] */

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
	int		   *key_of;			/* [ncolumns] the owner's that it is; -1 */
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
 * The columns of a model that rows know: place[i] is the model's column of what
 * is at i, or -1.  Returns how many there are.
 */
static int
match_known(const GsOwners *owners, const GsSchema *schema, bool before,
			bool *known, int *place)
{
	int			i = 0;
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, owners->steps)
		names = list_concat(names, ((const GsOwnerStep *) lfirst(cell))->names);
	if (before)
		names = list_concat(names, owners->before_names);
	foreach(cell, names)
	{
		int			c = find_column(schema, lfirst(cell));

		place[i++] = c;
		if (c >= 0)
			known[c] = true;
	}
	return i;
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
 * How many rows each owner has, given what is known of him.
 */
static void
open_counts(GsOwned *owned, const GsModel *model, int64 seed)
{
	const GsSupply *supply = owned->supply;
	bool	   *known = palloc0(Max(model->schema->ncolumns, 1));
	bool	   *needed = palloc0(Max(model->schema->nfeatures, 1));
	int		   *place = palloc(sizeof(int) * Max(supply->nowner, 1));
	int			count = find_column(model->schema, GS_OWNERS_COUNT);

	if (count < 0 || model->schema->columns[count].type != INT8OID)
		gs_corrupted("The model of the owners has no column \"%s\".",
					 GS_OWNERS_COUNT);
	(void) match_known(owned->owners, model->schema, false, known, place);
	owned->counts = begin_known(model, known, place,
								supply->nowner - supply->nkeys,
								supply->owner + supply->nkeys,
								supply->nulls + supply->nkeys,
								supply->nowner);
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

	memset(needed, true, schema->nfeatures);
	owned->columns = palloc0(sizeof(Column) * Max(desc->natts, 1));
	owned->key_of = palloc(sizeof(int) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		owned->columns[i].c = -1;
		owned->key_of[i] = gs_supply_gives(owned->supply,
										   NameStr(attribute->attname));
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
 * What rows know of the row before.
 */
static void
open_before(GsOwned *owned, TupleDesc desc)
{
	ListCell   *cell;

	owned->nbefore = list_length(owned->owners->before);
	owned->before_at = palloc(sizeof(int) * Max(owned->nbefore, 1));
	owned->before = palloc0(sizeof(Datum) * GS_BATCH * Max(owned->nbefore, 1));
	owned->before_nulls = palloc((Size) GS_BATCH * Max(owned->nbefore, 1));
	owned->before_context = AllocSetContextCreate(CurrentMemoryContext,
												  "gensynth last rows",
												  ALLOCSET_DEFAULT_SIZES);
	foreach(cell, owned->owners->before)
	{
		int		   *at = &owned->before_at[foreach_current_index(cell)];

		*at = -1;
		for (int i = 0; i < desc->natts; i++)
			if (strcmp(NameStr(TupleDescAttr(desc, i)->attname),
					   lfirst(cell)) == 0 && owned->columns[i].decoder != NULL)
				*at = i;
	}
}

/*
 * What is needed for rows to come to see what conditions set.
 */
static void
open_set(GsOwned *owned, const bool *known)
{
	const GsKnown *rows = owned->rows;
	const GsSchema *schema = rows->sampler->schema;
	bool	   *seen = palloc(Max(schema->ncolumns, 1));
	bool	   *filled = palloc0(Max(schema->nfeatures, 1));
	bool		any = false;

	memcpy(seen, known, schema->ncolumns);
	for (int i = 0; i < owned->ncolumns; i++)
		if (owned->columns[i].set)
			any = seen[owned->columns[i].c] = true;
	if (!any)
		return;
	owned->set = gs_encoder_create(gs_schema_copy(schema), seen);
	owned->given = palloc(sizeof(GsRows) * schema->ncolumns);
	memcpy(owned->given, rows->given, sizeof(GsRows) * schema->ncolumns);
	owned->position = palloc0(sizeof(float *) * Max(schema->nfeatures, 1));
	gs_encoder_fills(owned->set, filled);
	for (int f = 0; f < schema->nfeatures; f++)
	{
		owned->position[f] = rows->position[f];
		if (owned->position[f] == NULL && filled[f] &&
			schema->features[f].kind == GS_FEATURE_NUMBER)
		{
			owned->position[f] = palloc(sizeof(float) * GS_BATCH);
			for (int i = 0; i < GS_BATCH; i++)
				owned->position[f][i] = 0.5;
		}
	}
}

/*
 * How many rows a generation of a table's own rows is to have.
 */
static int64
generation_rows(const GsOwned *owned, int generation)
{
	const GsOwners *owners = owned->owners;
	double		before = 0;
	double		all = 0;

	for (int g = 0; g < owners->ngenerations; g++)
	{
		all += owners->generation[g];
		before += g < generation ? owners->generation[g] : 0;
	}
	return Max(1, llround((before + owners->generation[generation]) / all *
						  owned->n) - llround(before / all * owned->n));
}

/*
 * gs_owned_open: begins to make rows that belong to others, in the current
 * context.
 *
 * rows, counts: models of the rows, and of how many each owner has, NULL if
 * all are one's; both must outlive the result.  relid: the table whose foreign
 * keys lead to the owners; desc: its columns that are asked for; constraints:
 * its own, of GsConstraint; n: rows, if owners are made for them; -1: as many
 * as in the source.  To be called within an SPI connection.  Errors:
 * invalid_foreign_key; those of reading the owners.
 */
GsOwned *
gs_owned_open(const GsModel *rows, const GsModel *counts, Oid relid,
			  TupleDesc desc, List *constraints, int64 seed, int64 n)
{
	GsOwned    *owned = palloc0(sizeof(GsOwned));
	const GsOwners *owners = gs_owners_load(rows->version->owners);
	bool	   *known = palloc0(Max(rows->schema->ncolumns, 1));
	int		   *place;
	Size		cells;

	if (rows->family != &gs_sequence)
		gs_corrupted("A model of rows that have owners is of method \"%s\".",
					 rows->family->name);
	owned->owners = owners;
	owned->n = n >= 0 ? n : rows->version->rows;
	owned->supply = gs_supply_open(owners, rows, counts, relid, desc, seed, n);
	if (owned->supply->now != NULL)
	{
		/* each row that belongs to none stands by itself */
		owned->even = true;
		owned->supply->roots = generation_rows(owned, 0);
	}
	place = palloc(sizeof(int) * (owned->supply->nowner +
								  list_length(owners->before) + 1));
	owned->nknown = match_known(owners, rows->schema, true, known, place);
	owned->known = palloc(sizeof(Datum) * GS_BATCH * Max(owned->nknown, 1));
	owned->known_nulls = palloc((Size) GS_BATCH * Max(owned->nknown, 1));
	owned->rows = begin_known(rows, known, place, owned->nknown, owned->known,
							  owned->known_nulls, owned->nknown);
	forget_orders(owned->rows->sampler->schema);
	if (!owners->entity)
		open_counts(owned, counts, seed);
	owned->ncolumns = desc->natts;
	open_columns(owned, desc, seed);
	open_before(owned, desc);
	open_set(owned, known);
	cells = (Size) GS_BATCH * owned->ncolumns;
	owned->values = palloc(sizeof(Datum) * Max(cells, 1));
	owned->nulls = palloc(Max(cells, 1));
	owned->spare = palloc(sizeof(Datum) * Max(cells, 1));
	owned->spare_nulls = palloc(Max(cells, 1));
	owned->key = owned->rows->batch->key;
	open_unique(owned, desc, constraints);
	owned->row_context = AllocSetContextCreate(CurrentMemoryContext,
											   "gensynth owned rows",
											   ALLOCSET_DEFAULT_SIZES);
	owned->batch = -1;
	return owned;
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
 * How many rows the owners at hand have: [GS_BATCH], filled.
 */
static void
count_rows(GsOwned *owned)
{
	GsSupply   *supply = owned->supply;
	Size		n = supply->nowner;
	Datum		counts[GS_BATCH];
	bool		nulls[GS_BATCH];

	if (owned->even || owned->counts == NULL)
	{
		for (int i = 0; i < supply->nowners; i++)
			owned->expected[i] = owned->even ? 1 : supply->rows[i];
		return;
	}
	/* batches are made whole */
	for (int i = supply->nowners; i < GS_BATCH; i++)
	{
		memcpy(supply->owner + i * n, supply->owner, sizeof(Datum) * n);
		memcpy(supply->nulls + i * n, supply->nulls, n);
	}
	(void) gs_known_fill(owned->counts, owned->batch);
	gs_decode(owned->count, owned->counts->batch, 0, GS_BATCH,
			  (GsRows) {counts, nulls, 1});
	for (int i = 0; i < supply->nowners; i++)
		owned->expected[i] = nulls[i] ? 0 : DatumGetInt64(counts[i]);
}

/*
 * What becomes of the first rows of all owners, so many, when there are to be
 * more or fewer rows in all.
 */
static int64
scaled(const GsOwned *owned, int64 rows)
{
	return owned->total == 0 || rows >= owned->total ?
		owned->total == 0 ? rows : owned->wanted :
		(int64) ((double) rows * owned->wanted / owned->total);
}

/*
 * Goes on to owners of the next generation, which are counted first, so that
 * they get as many rows as they should.  False if there are none.
 */
static bool
next_generation(GsOwned *owned)
{
	int64		batch = owned->batch;

	if (!gs_supply_descend(owned->supply))
		return false;
	owned->total = owned->counted = 0;
	owned->even = false;
	for (;;)
	{
		gs_supply_read(owned->supply);
		if (owned->supply->nowners == 0)
			break;
		owned->batch++;
		count_rows(owned);
		for (int i = 0; i < owned->supply->nowners; i++)
			owned->total += Max(owned->expected[i], 0);
	}
	owned->batch = batch;
	/* where nobody would have any, all have as many */
	owned->even = owned->total == 0;
	if (owned->even)
		owned->total = gs_supply_owners(owned->supply);
	owned->wanted = generation_rows(owned, owned->supply->generation + 1);
	gs_supply_rewind(owned->supply);
	gs_supply_read(owned->supply);
	return true;
}

/*
 * The next owners, and how many rows each is to have.  False after the last.
 */
static bool
next_owners(GsOwned *owned)
{
	if (owned->ended)
		return false;
	gs_supply_read(owned->supply);
	if (owned->supply->now != NULL)
		owned->ended = owned->supply->nowners == 0 && !next_generation(owned);
	else
		owned->ended = owned->supply->nowners < GS_BATCH;
	if (owned->supply->nowners == 0 || (owned->ended && owned->supply->now != NULL))
		return false;
	owned->batch++;
	owned->round = -1;
	if (owned->seen != NULL)
		forget_keys(owned);
	gs_siblings_forget(owned->rows->sampler->state);
	MemoryContextReset(owned->before_context);
	memset(owned->before_nulls, true, (Size) GS_BATCH * owned->nbefore);
	count_rows(owned);
	for (int i = 0; i < owned->supply->nowners; i++)
	{
		int64		before = owned->counted;

		owned->counted += Max(owned->expected[i], 0);
		owned->expected[i] = Min(scaled(owned, owned->counted) -
								 scaled(owned, before),
								 (INT64CONST(1) << MAX_ROWS_BITS) - 1);
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
	const GsSupply *supply = owned->supply;
	int			nowner = supply->nowner - supply->nkeys;

	for (int i = 0; i < n; i++)
	{
		Size		from = (Size) owner[i] * supply->nowner + supply->nkeys;
		Size		before = (Size) owner[i] * owned->nbefore;
		Size		to = (Size) i * owned->nknown;

		memcpy(owned->known + to, supply->owner + from,
			   sizeof(Datum) * nowner);
		memcpy(owned->known_nulls + to, supply->nulls + from, nowner);
		memcpy(owned->known + to + nowner, owned->before + before,
			   sizeof(Datum) * owned->nbefore);
		memcpy(owned->known_nulls + to + nowner, owned->before_nulls + before,
			   owned->nbefore);
	}
	owned->rows->n = n;
	gs_siblings_rows(owned->rows->sampler->state, owner, n);
}

/*
 * The owners' own columns, in the rows at hand.
 */
static void
set_keys(GsOwned *owned)
{
	const GsSupply *supply = owned->supply;
	int			stride = owned->ncolumns;

	for (int i = 0; i < owned->ncolumns; i++)
		for (int row = 0; owned->key_of[i] >= 0 && row < owned->nactive; row++)
		{
			Size		from = (Size) owned->active[row] * supply->nowner +
				owned->key_of[i];
			Size		to = (Size) row * stride + i;

			owned->values[to] = supply->owner[from];
			owned->nulls[to] = supply->nulls[from];
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
 * Keeps a column of an owner's last row.
 */
static void
remember(GsOwned *owned, int owner, int b, const Datum *values,
		 const bool *nulls)
{
	int			at = owned->before_at[b];
	Size		to = (Size) owner * owned->nbefore + b;
	const GsColumn *column;
	MemoryContext old;
	int16		len;
	bool		byval;

	if (at < 0)
		return;
	column = &owned->rows->sampler->schema->columns[owned->columns[at].c];
	get_typlenbyval(column->type, &len, &byval);
	if (!byval && !owned->before_nulls[to])
		pfree(DatumGetPointer(owned->before[to]));
	old = MemoryContextSwitchTo(owned->before_context);
	owned->before_nulls[to] = nulls[at];
	owned->before[to] = nulls[at] ? (Datum) 0 :
		datumCopy(values[at], byval, len);
	MemoryContextSwitchTo(old);
}

/*
 * Shows the rows to come what conditions have set, instead of what was drawn.
 */
static void
show_set(GsOwned *owned, Datum *values, bool *nulls)
{
	int			stride = owned->ncolumns;

	for (int i = 0; i < stride; i++)
		if (owned->columns[i].set)
			owned->given[owned->columns[i].c] = (GsRows)
		{
			values + i, nulls + i, stride
		};
	gs_encode(owned->set, owned->given, owned->rows->n, owned->position,
			  owned->rows->batch);
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
	for (int b = 0; b < owned->nbefore; b++)
		remember(owned, owner, b, values, nulls);
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
	if (owned->set != NULL)
		show_set(owned, values, nulls);
	gs_siblings_see(known->sampler->state, known->batch);
	for (int row = 0; row < n; row++)
	{
		Size		at = (Size) row * stride;

		bad[row] = (refused != NULL && refused[row]) ||
			(!owned->keeps_all &&
			 gs_siblings_failed(known->sampler->state, row)) ||
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
	for (int i = 0; i < owned->supply->nowners; i++)
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
	Size		cell = ((Size) owned->at - 1) * owned->ncolumns;

	if (owned->pending)
		gs_supply_add(owned->supply, owned->values + cell,
					  owned->nulls + cell);
	owned->pending = false;
	while (owned->at >= owned->nactive)
		if (!(owned->batch >= 0 && next_rows(owned)) && !next_owners(owned))
			return false;
	cell = (Size) owned->at * owned->ncolumns;
	if (owned->left_out[owned->at++])
	{
		*values = NULL;
		return true;
	}
	*values = owned->values + cell;
	*nulls = owned->nulls + cell;
	owned->pending = owned->supply->now != NULL;
	return true;
}

/*
 * gs_owned_refuse: the row given last will not be there: it is nobody's owner.
 */
void
gs_owned_refuse(GsOwned *owned)
{
	owned->pending = false;
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

	/* owners among its own rows must be made */
	while (owned->supply->now == NULL &&
		   (owned->batch < 0 || owned->round < 0))
	{
		int64		rows = 0;

		for (int i = 0; i < owned->supply->nowners && owned->batch >= 0; i++)
			rows += owned->expected[i];
		if (owned->batch >= 0 && rows > n)
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
	if (owned->supply->now != NULL)
		return owned->n;
	gs_owned_skip(owned, PG_INT64_MAX);
	return owned->made;
}

/*
 * gs_owned_scale: there are to be n rows in all, where owners have that many,
 * total, as gs_owned_count says: each has more or fewer, in proportion.  To be
 * called before rows are made.
 */
void
gs_owned_scale(GsOwned *owned, int64 total, int64 n)
{
	if (owned->supply->now != NULL)
		return;
	owned->total = total;
	owned->wanted = n;
}

/*
 * gs_owned_keep_all: no row is left out for the sake of a key that nobody
 * declared.  To be called before rows are made.
 */
void
gs_owned_keep_all(GsOwned *owned)
{
	owned->keeps_all = true;
}
