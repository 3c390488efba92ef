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

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "column/store.h"
#include "key/key.h"
#include "model/siblings.h"
#include "numeric/philox.h"
#include "stream/owned_state.h"

/* How often a row is made again whose key one of the same owner has. */
#define MAX_TRIES		20

/* How many of these rows are of the same parents. */
#define MAX_TRIES_SAME	10
/* The number of the first row in the place of others. */
#define FIRST_OTHER		(INT64CONST(1) << 52)

static void
open_column(const GsKnown *known, GsOwnedColumn *column, const char *name, Oid type)
{
	const GsSchema *schema = known->sampler->schema;

	column->c = gs_schema_column(schema, name);
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
	{
		names = list_concat(names, owners->before_names);
		foreach(cell, owners->references)
			names = list_concat(names,
								((const GsOwnerStep *) lfirst(cell))->names);
	}
	foreach(cell, names)
	{
		int			c = gs_schema_column(schema, lfirst(cell));

		place[i++] = c;
		if (c >= 0)
			known[c] = true;
	}
	return i;
}

/*
 * Whether values of a type are whole numbers, of which one of another such
 * type stands for the same one.
 */
static bool
is_whole(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/*
 * An error unless what is known of a column is of the type that the model has
 * learned.
 */
static void
check_type(const GsSchema *schema, int c, Oid type)
{
	const GsColumn *column = &schema->columns[c];

	if (!OidIsValid(type) || column->type == type ||
		(is_whole(type) && is_whole(column->type)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of the model is of type %s, and what rows know of it of type %s",
					column->name, column->type_name, format_type_be(type)),
			 errhint("Give the column its type, or fit the model again.")));
}

/*
 * A sampler of a model given what is known: columns of rows, n of them, the
 * first ntypes of which are of these types.
 */
static GsKnown *
begin_known(const GsModel *model, const bool *known, const int *place, int n,
			const Oid *types, int ntypes, Datum *values, bool *nulls, int stride)
{
	GsKnown    *result;

	for (int i = 0; i < ntypes; i++)
		if (place[i] >= 0)
			check_type(model->schema, place[i], types[i]);
	result = gs_known_create(model, known);

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
	int			count = gs_schema_column(model->schema, GS_OWNERS_COUNT);

	if (count < 0 || model->schema->columns[count].type != INT8OID)
		gs_corrupted("The model of the owners has no column \"%s\".",
					 GS_OWNERS_COUNT);
	(void) match_known(owned->owners, model->schema, false, known, place);
	/* children of another table have other numbers of the same seed */
	seed = (int64) gs_mix64(seed, hash_bytes_extended((const unsigned char *) model->name,
													  strlen(model->name), 0));
	owned->counts = begin_known(model, known, place,
								supply->nowner - supply->nkeys,
								supply->type + supply->nkeys,
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
	owned->columns = palloc0(sizeof(GsOwnedColumn) * Max(desc->natts, 1));
	owned->key_of = palloc(sizeof(int) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		owned->columns[i].c = -1;
		owned->columns[i].picked = owned->fks != NULL &&
			gs_foreign_keys_before(owned->fks, i);
		owned->key_of[i] = gs_supply_gives(owned->supply,
										   NameStr(attribute->attname));
		if (!attribute->attisdropped && owned->key_of[i] < 0 &&
			!owned->columns[i].picked)
			open_column(owned->rows, &owned->columns[i],
						NameStr(attribute->attname), attribute->atttypid);
	}
	gs_known_begin(owned->rows, seed, needed);
}

/*
 * Batches of rows that are made owner by owner are no equal parts of all, so
 * their keys count on.
 */
static void
forget_orders(const GsSchema *schema)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsKey	   *key = schema->columns[c].key;

		if (key != NULL && key->kind == GS_KEY_GROUPED)
			gs_key_set_order(key, GS_KEY_BY_ROWS, false, false);
		else if (key != NULL && key->order > 0)
			gs_key_set_order(key, 0, false, false);
	}
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
			{
				*at = i;
				check_type(owned->rows->sampler->schema, owned->columns[i].c,
						   TupleDescAttr(desc, i)->atttypid);
			}
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
 * gs_owned_open: begins to make rows that belong to others, in the current
 * context.
 *
 * rows, counts: models of the rows, and of how many each owner has, NULL if
 * all are one's; both must outlive the result.  relid: the table whose foreign
 * keys lead to the owners; desc: its columns that are asked for; constraints:
 * its own, of GsConstraint; fks: those of the target, whose filled columns desc
 * has, NULL if rows are to be counted only; n: rows, if owners are made for them; -1: as many
 * as in the source; after: rows go on after those that the table has; given: conditions on
 * owners, or NULL.  To be called within an SPI connection.  Errors:
 * invalid_foreign_key; those of reading the owners.
 */
GsOwned *
gs_owned_open(const GsModel *rows, const GsModel *counts, Oid relid,
			  TupleDesc desc, List *constraints, GsForeignKeys *fks,
			  int64 seed, int64 n, bool after, Jsonb *given)
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
	owned->fks = fks;
	owned->nreferences = gs_foreign_keys_known(owners, NULL);
	owned->reference = palloc0(sizeof(Datum) * GS_BATCH *
							   Max(owned->nreferences, 1));
	owned->reference_nulls = palloc((Size) GS_BATCH *
									Max(owned->nreferences, 1));
	memset(owned->reference_nulls, true, (Size) GS_BATCH * owned->nreferences);
	owned->n = n >= 0 ? n : rows->version->rows;
	owned->supply = gs_supply_open(owners, rows, counts, relid, desc, seed, n,
								   after);
	if (given != NULL)
		gs_supply_choose(owned->supply, gs_owned_given(owned->supply, given));
	if (owned->supply->now != NULL)
	{
		/* each row that belongs to none stands by itself */
		owned->even = true;
		owned->supply->roots = gs_owned_generation_rows(owned, 0);
	}
	place = palloc(sizeof(int) * (owned->supply->nowner +
								  list_length(owners->before) +
								  owned->nreferences + 1));
	owned->nknown = match_known(owners, rows->schema, true, known, place);
	owned->known = palloc(sizeof(Datum) * GS_BATCH * Max(owned->nknown, 1));
	owned->known_nulls = palloc((Size) GS_BATCH * Max(owned->nknown, 1));
	owned->rows = begin_known(rows, known, place, owned->nknown,
							  owned->supply->type + owned->supply->nkeys,
							  owned->supply->nowner - owned->supply->nkeys,
							  owned->known, owned->known_nulls, owned->nknown);
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
	if (after)
		gs_owned_open_past(owned, relid, desc);
	gs_owned_open_keys(owned, desc, constraints);
	gs_owned_open_like(owned);
	owned->row_context = AllocSetContextCreate(CurrentMemoryContext,
											   "gensynth owned rows",
											   ALLOCSET_DEFAULT_SIZES);
	owned->batch = -1;
	return owned;
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
		memcpy(owned->known + to + nowner + owned->nbefore,
			   owned->reference + (Size) i * owned->nreferences,
			   sizeof(Datum) * owned->nreferences);
		memcpy(owned->known_nulls + to + nowner + owned->nbefore,
			   owned->reference_nulls + (Size) i * owned->nreferences,
			   owned->nreferences);
	}
	owned->rows->n = n;
	gs_siblings_rows(owned->rows->sampler->state, owner, n);
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
 * gs_owned_keep_row: a row is the next one of its owner.
 */
void
gs_owned_keep_row(GsOwned *owned, int row, int owner, const Datum *values,
				  const bool *nulls)
{
	gs_owned_see_key(owned, owner, values, nulls);
	for (int b = 0; b < owned->nbefore; b++)
		remember(owned, owner, b, values, nulls);
	gs_siblings_add(owned->rows->sampler->state, owned->rows->batch, row);
}

/*
 * Makes a row for each of n owners into values and nulls.
 *
 * at: [n] places of the rows among those at hand; try: 0 at first
 * bad: [n] set where it must not be: its conditions do not hold, or its owner
 * has one with the same key
 */
static void
make_rows(GsOwned *owned, const int *owner, const int *at, int try, int n,
		  Datum *values, bool *nulls, bool *bad)
{
	int			stride = owned->ncolumns;
	GsKnown    *known = owned->rows;
	const bool *refused;

	memset(nulls, true, (Size) n * stride);
	memset(bad, false, n);
	gs_owned_set_keys(owned, owner, n, values, nulls);
	for (int row = 0; row < n && owned->fks != NULL; row++)
	{
		int64		number = owned->made + at[row];

		if (try > MAX_TRIES_SAME)
			number = FIRST_OTHER + (gs_mix64(number, try) >> 12);
		bad[row] = !gs_owned_pick_parents(owned, row, owner[row], number,
										  values + (Size) row * stride,
										  nulls + (Size) row * stride);
	}
	know_rows(owned, owner, n);
	refused = gs_known_fill(known, (owned->batch << MAX_ROWS_BITS) +
							owned->round);
	known->batch->row = owned->made;
	for (int i = 0; i < stride; i++)
	{
		const GsOwnedColumn *column = &owned->columns[i];
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
		Size		cell = (Size) row * stride;

		bad[row] |= (refused != NULL && refused[row]) ||
			(!owned->keeps_all &&
			 gs_siblings_failed(known->sampler->state, row)) ||
			gs_owned_is_seen(owned, owner[row], values + cell, nulls + cell);
		if (!bad[row])
			gs_owned_keep_row(owned, row, owner[row], values + cell, nulls + cell);
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

	for (int i = 0; i < owned->nactive; i++)
		row[i] = i;
	owned->rows->batch->key = owned->key;
	make_rows(owned, owned->active, row, 0, owned->nactive, owned->values,
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
		make_rows(owned, owner, row, try, n, owned->spare, owned->spare_nulls,
				  bad);
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
	if (owned->past != NULL && owned->round == 0)
		gs_owned_recall(owned);
	make_good_rows(owned);
	MemoryContextSwitchTo(old);
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
		if (!(owned->batch >= 0 && next_rows(owned)) && !gs_owned_next_owners(owned))
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
		if (owned->batch >= 0)
			gs_owned_pass_rows(owned);
		n -= rows;
		owned->made += rows;
		if (!gs_owned_next_owners(owned))
			return;
	}
	while (n-- > 0 && gs_owned_next(owned, &values, &nulls))
		;
}

/*
 * gs_owned_count: how many rows all owners together are to have; *others: set
 * to those of owners that do not stand out.  Leaves none to be made.
 */
int64
gs_owned_count(GsOwned *owned, double *others)
{
	*others = 0;
	if (owned->supply->now != NULL)
		return owned->n;
	gs_owned_skip(owned, PG_INT64_MAX);
	*others = owned->made;
	return owned->made + gs_owned_heavy_rows(owned, *others);
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
