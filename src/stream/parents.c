/*
 * parents.c
 *	  The keys of a table that others refer to, in an order that is a function
 *	  of the keys.
 *
 * They are sorted by a keyed hash, so it does not matter how the table keeps
 * them, and any number of the first ones is a random sample.  Rows refer to
 * them by position: what is kept of them lies in slots of one width, in memory
 * up to work_mem, and beyond that in a temporary file, which outlives the
 * transactions of a fill.
 */
#include "postgres.h"

#include <math.h>

#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/tuplesort.h"

#include "compat.h"
#include "catalog/strange.h"
#include "codec/datum.h"
#include "numeric/philox.h"
#include "stream/parents.h"
#include "table/source.h"

/* Of a slot: what the key is grouped by, its place in the order; then it. */
enum
{
	GROUP,
	ORDER,
	KEY
};

/* Groups of keys that are not grouped. */
enum
{
	GROUP_KNOWN,
	GROUP_OTHERS
};

typedef struct KeyGroup
{
	int64		hash;
	int64		first;			/* position */
} KeyGroup;

struct GsParents
{
	TupleDesc	desc;			/* of a slot */
	int			nkeys;			/* columns of the key; others follow */
	int64		n;				/* in the table */
	int64		kept;
	Size		width;			/* of a slot */
	char	   *memory;			/* [kept] slots; NULL: they are in the file */
	BufFile    *file;
	MemoryContextCallback close;
	char	   *buffer;			/* for a slot of the file */
	TupleTableSlot *slot;
	int64		ngroups;
	int64		max_groups;
	KeyGroup   *groups;			/* [ngroups] by hash */
};

/* Keys that are being read. */
typedef struct Reading
{
	const GsParentsRequest *request;
	GsParents  *parents;
	int64		last;			/* order beyond which they are only counted */
	int64		sorted;			/* keys up to it */
	Tuplesortstate *sort;
	TupleTableSlot *slot;
	MemoryContext scratch;
} Reading;

/*
 * gs_parents_may_read: whether the caller may read the keys that a foreign key
 * refers to.  Sets *column to the first one that it may not.
 */
bool
gs_parents_may_read(const GsConstraint *constraint, const char **column)
{
	ListCell   *cell;

	if (pg_class_aclcheck(constraint->parent_oid, GetUserId(),
						  ACL_SELECT) == ACLCHECK_OK)
		return true;
	foreach(cell, constraint->parent_columns)
	{
		*column = lfirst(cell);
		if (pg_attribute_aclcheck(constraint->parent_oid,
								  get_attnum(constraint->parent_oid, *column),
								  GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

/*
 * gs_parents_check_access: an insufficient_privilege error if not.
 */
void
gs_parents_check_access(const GsConstraint *constraint)
{
	const char *column;
	const char *user = GetUserNameFromId(GetUserId(), false);

	if (!gs_parents_may_read(constraint, &column))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the keys of %s, which foreign key \"%s\" refers to",
						constraint->parent, constraint->name),
				 errhint("Its owner can allow it: GRANT SELECT (%s) ON %s TO %s.",
						 quote_identifier(column), constraint->parent,
						 quote_identifier(user))));
}

/*
 * gs_key_hash: of a value that is not NULL, and of what came before it.
 *
 * type: of the value, which may be toasted
 */
uint64
gs_key_hash(uint64 seed, Datum value, Form_pg_attribute type)
{
	const void *bytes = DatumGetPointer(value);
	Size		size = type->attlen;

	if (type->attbyval)
		return gs_mix64(seed, value);
	if (type->attlen == -1)
	{
		bytes = PG_DETOAST_DATUM_PACKED(value);
		size = VARSIZE_ANY_EXHDR(bytes);
		bytes = VARDATA_ANY(bytes);
	}
	else if (type->attlen < 0)
		size = strlen(bytes);
	return gs_mix64(seed, hash_bytes_extended(bytes, size, 0));
}

static int
by_hash(const void *a, const void *b)
{
	uint64		x = ((const GsKnownParent *) a)->hash;
	uint64		y = ((const GsKnownParent *) b)->hash;

	return (x > y) - (x < y);
}

/*
 * gs_known_sort: by their hashes.
 */
void
gs_known_sort(GsKnownParent *known, int n)
{
	qsort(known, n, sizeof(GsKnownParent), by_hash);
}

/*
 * gs_known_find: the one with a hash, among n that are sorted; NULL for none.
 */
GsKnownParent *
gs_known_find(GsKnownParent *known, int n, uint64 hash)
{
	GsKnownParent wanted = {.hash = hash};

	return bsearch(&wanted, known, n, sizeof(GsKnownParent), by_hash);
}

/*
 * One key of the table.  What is referred to is unique, but may be NULL.
 */
static void
take_key(TupleTableSlot *from, void *arg)
{
	Reading    *reading = arg;
	const GsParentsRequest *request = reading->request;
	TupleDesc	desc = reading->parents->desc;
	TupleTableSlot *slot = reading->slot;
	GsKnownParent *known = NULL;
	uint64		hash = 0;
	uint64		order = request->key;
	uint64		group = 0;
	bool		grouped = false;
	Size		width;
	MemoryContext old;

	MemoryContextReset(reading->scratch);
	old = MemoryContextSwitchTo(reading->scratch);
	for (int k = 0; k < request->desc->natts; k++)
	{
		Form_pg_attribute type = TupleDescAttr(request->desc, k);
		Datum		value = from->tts_values[k];

		if (from->tts_isnull[k])
		{
			MemoryContextSwitchTo(old);
			return;
		}
		if (type->attlen == -1)
			value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
		slot->tts_values[KEY + k] = value;
		order = gs_key_hash(order, value, type);
		if (request->grouped[k])
		{
			group = gs_key_hash(group, value, type);
			grouped = true;
		}
		if (request->nknown > 0)
			hash = gs_key_hash(hash, value, type);
	}
	for (int i = KEY + request->desc->natts; i < desc->natts; i++)
	{
		slot->tts_isnull[i] = from->tts_isnull[i - KEY];
		slot->tts_values[i] = from->tts_values[i - KEY];
		if (!slot->tts_isnull[i] && TupleDescAttr(desc, i)->attlen == -1)
			slot->tts_values[i] =
				PointerGetDatum(PG_DETOAST_DATUM_PACKED(slot->tts_values[i]));
	}
	if (request->nknown > 0)
		known = gs_known_find(request->known, request->nknown, hash);
	if (known != NULL)
		known->present = true;
	if (request->like >= 0)
	{
		int			i = KEY + request->desc->natts + request->like;

		group = slot->tts_isnull[i] ? 0 :
			gs_key_hash(0, slot->tts_values[i], TupleDescAttr(desc, i));
	}
	else if (!grouped)
		group = known != NULL ? GROUP_KNOWN : GROUP_OTHERS;
	reading->parents->n++;
	if (known != NULL || (int64) order <= reading->last)
	{
		slot->tts_values[GROUP] = Int64GetDatum((int64) group);
		slot->tts_values[ORDER] = Int64GetDatum((int64) order);
		width = heap_compute_data_size(desc, slot->tts_values,
									   slot->tts_isnull);
		reading->parents->width = Max(reading->parents->width, width);
		ExecStoreVirtualTuple(slot);
		tuplesort_puttupleslot(reading->sort, slot);
		ExecClearTuple(slot);
		reading->sorted++;
	}
	MemoryContextSwitchTo(old);
}

/*
 * The query for a table's keys, as the referring columns have them.
 */
static char *
keys_query(const GsParentsRequest *request)
{
	StringInfoData query;
	int			k = 0;
	ListCell   *cell;

	initStringInfo(&query);
	foreach(cell, request->constraint->parent_columns)
	{
		Form_pg_attribute type = TupleDescAttr(request->desc, k);

		appendStringInfo(&query, "%s %s::%s", k++ > 0 ? "," : "SELECT",
						 quote_identifier(lfirst(cell)),
						 format_type_extended(type->atttypid, type->atttypmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN |
											  FORMAT_TYPE_FORCE_QUALIFY));
	}
	for (int i = 0; request->columns != NULL && i < request->columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(request->columns, i);

		appendStringInfo(&query, ", %s::%s",
						 quote_identifier(NameStr(column->attname)),
						 format_type_extended(column->atttypid, -1,
											  FORMAT_TYPE_FORCE_QUALIFY));
	}
	appendStringInfo(&query, " FROM %s", request->constraint->parent);
	return query.data;
}

/*
 * Whether reading a table's keys calls no function of who made the referring
 * columns' types.
 */
static bool
casts_are_plain(const GsParentsRequest *request)
{
	int			k = 0;
	ListCell   *cell;

	foreach(cell, request->constraint->parent_columns)
	{
		Oid			parent = request->constraint->parent_oid;
		Oid			from = get_atttype(parent, get_attnum(parent, lfirst(cell)));
		Oid			to = TupleDescAttr(request->desc, k++)->atttypid;

		if (from != to && (from >= FirstUnpinnedObjectId ||
						   to >= FirstUnpinnedObjectId))
			return false;
	}
	return true;
}

static TupleDesc
slot_desc(TupleDesc keys, TupleDesc columns)
{
	int			ncolumns = columns == NULL ? 0 : columns->natts;
	TupleDesc	desc = CreateTemplateTupleDesc(KEY + keys->natts + ncolumns);

	TupleDescInitEntry(desc, GROUP + 1, "group", INT8OID, -1, 0);
	TupleDescInitEntry(desc, ORDER + 1, "order", INT8OID, -1, 0);
	for (int k = 0; k < keys->natts; k++)
		TupleDescCopyEntry(desc, KEY + k + 1, keys, k + 1);
	for (int i = 0; i < ncolumns; i++)
		TupleDescCopyEntry(desc, KEY + keys->natts + i + 1, columns, i + 1);
	gs_desc_finish(desc);
	return desc;
}

static void
close_file(void *file)
{
	BufFileClose(file);
}

/*
 * Makes room for the keys, once it is known how many are kept.
 */
static void
make_room(GsParents *parents)
{
	Size		size;

	/* a minimal tuple, which has NULLs among columns besides the key */
	parents->width = MAXALIGN(MAXALIGN(SizeofMinimalTupleHeader +
									   (parents->desc->natts > KEY + parents->nkeys ?
										BITMAPLEN(parents->desc->natts) : 0)) +
							  parents->width);
	size = mul_size(parents->width, parents->kept);
	if (size <= (Size) work_mem * 1024)
		parents->memory = palloc0(Max(size, 1));
	else
	{
		parents->file = BufFileCreateTemp(true);
		parents->close.func = close_file;
		parents->close.arg = parents->file;
		MemoryContextRegisterResetCallback(CurrentMemoryContext,
										   &parents->close);
		parents->buffer = palloc0(parents->width);
	}
}

/*
 * Puts the next key, which is the last one so far.
 */
static void
put_key(GsParents *parents, int64 position, MinimalTuple tuple, int64 hash)
{
	Assert(tuple->t_len <= parents->width);
	if (parents->memory != NULL)
		memcpy(parents->memory + parents->width * position, tuple,
			   tuple->t_len);
	else
	{
		memcpy(parents->buffer, tuple, tuple->t_len);
		BufFileWrite(parents->file, parents->buffer, parents->width);
	}
	if (parents->ngroups > 0 &&
		parents->groups[parents->ngroups - 1].hash == hash)
		return;
	if (parents->ngroups == parents->max_groups)
	{
		parents->max_groups *= 2;
		parents->groups = repalloc_huge(parents->groups, sizeof(KeyGroup) *
										parents->max_groups);
	}
	parents->groups[parents->ngroups].hash = hash;
	parents->groups[parents->ngroups++].first = position;
}

/*
 * The order up to which the keys lie that are kept, with room, if the table
 * has as many as the planner knows.
 */
static int64
guess_last(const GsParentsRequest *request)
{
	HeapTuple	tuple;
	double		share;

	if (request->most == 0)
		return PG_INT64_MAX;
	tuple = SearchSysCache1(RELOID,
							ObjectIdGetDatum(request->constraint->parent_oid));
	if (!HeapTupleIsValid(tuple))
		return PG_INT64_MAX;
	share = (request->most + 10 * sqrt(request->most)) /
		Max(((Form_pg_class) GETSTRUCT(tuple))->reltuples, 1);
	ReleaseSysCache(tuple);
	return share < 0.9 ? PG_INT64_MIN +
		(int64) (uint64) (share * (double) PG_UINT64_MAX) : PG_INT64_MAX;
}

/*
 * Reads and sorts the keys, those that are kept and perhaps more.  False if
 * they are fewer than wanted.
 */
static bool
sort_keys(Reading *reading)
{
	const GsParentsRequest *request = reading->request;
	GsParents  *parents = reading->parents;
	AttrNumber	columns[] = {GROUP + 1, ORDER + 1};
	Oid			operators[] = {Int8LessOperator, Int8LessOperator};
	Oid			collations[] = {InvalidOid, InvalidOid};
	bool		nulls_first[] = {false, false};
	GsAccess	access;

	parents->n = reading->sorted = 0;
	reading->sort = tuplesort_begin_heap(parents->desc, lengthof(columns),
										 columns, operators, collations,
										 nulls_first, work_mem, NULL,
										 request->most > 0 ?
										 TUPLESORT_ALLOWBOUNDED :
										 TUPLESORT_NONE);
	if (request->most > 0)
		tuplesort_set_bound(reading->sort, request->most);
	gs_begin_reading(&access, request->constraint->parent_oid,
					 casts_are_plain(request));
	gs_query_read(keys_query(request), take_key, reading);
	gs_become_caller(&access);
	parents->kept = request->most > 0 ? Min(parents->n, request->most) :
		parents->n;
	if (reading->sorted >= parents->kept)
		return true;
	tuplesort_end(reading->sort);
	return false;
}

/*
 * gs_parents_read: reads the keys of a table, as the caller may, into the current
 * context.  To be called within an SPI connection.  Errors: those of
 * gs_begin_reading.
 */
GsParents *
gs_parents_read(const GsParentsRequest *request)
{
	GsParents  *parents = palloc0(sizeof(GsParents));
	Reading		reading = {.request = request,.parents = parents};
	int64		position = 0;

	parents->desc = slot_desc(request->desc, request->columns);
	parents->nkeys = request->desc->natts;
	parents->slot = MakeSingleTupleTableSlot(parents->desc,
											 &TTSOpsMinimalTuple);
	parents->max_groups = 2;
	parents->groups = palloc(sizeof(KeyGroup) * parents->max_groups);
	reading.slot = MakeSingleTupleTableSlot(parents->desc, &TTSOpsVirtual);
	memset(reading.slot->tts_isnull, false, parents->desc->natts);
	reading.scratch = AllocSetContextCreate(CurrentMemoryContext,
											"gensynth key",
											ALLOCSET_SMALL_SIZES);
	reading.last = guess_last(request);
	while (!sort_keys(&reading))
		reading.last = PG_INT64_MAX;
	tuplesort_performsort(reading.sort);
	make_room(parents);
	while (position < parents->kept &&
		   tuplesort_gettupleslot(reading.sort, true, false, parents->slot,
								  NULL))
	{
		bool		isnull;
		int64		hash = DatumGetInt64(slot_getattr(parents->slot, GROUP + 1,
													  &isnull));

		CHECK_FOR_INTERRUPTS();
		put_key(parents, position++,
				ExecFetchSlotMinimalTuple(parents->slot, NULL), hash);
	}
	ExecClearTuple(parents->slot);
	tuplesort_end(reading.sort);
	ExecDropSingleTupleTableSlot(reading.slot);
	MemoryContextDelete(reading.scratch);
	return parents;
}

/*
 * gs_parents_count: the keys that the table has.
 */
int64
gs_parents_count(const GsParents *parents)
{
	return parents->n;
}

/*
 * gs_parents_kept: those that there are positions of, from 0.
 */
int64
gs_parents_kept(const GsParents *parents)
{
	return parents->kept;
}

/*
 * gs_parents_get: a key by its position.
 *
 * values: [natts] of the referring columns; what they point to is valid until
 * the next call
 */
void
gs_parents_get(GsParents *parents, int64 position, Datum *values)
{
	char	   *tuple = parents->buffer;

	if (parents->memory != NULL)
		tuple = parents->memory + parents->width * position;
	else if (BufFileSeek(parents->file, 0, parents->width * position,
						 SEEK_SET) != 0 ||
			 BufFileRead(parents->file, tuple,
						 parents->width) != parents->width)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from temporary file of keys: %m")));
	ExecStoreMinimalTuple((MinimalTuple) tuple, parents->slot, false);
	slot_getallattrs(parents->slot);
	memcpy(values, parents->slot->tts_values + KEY,
		   sizeof(Datum) * parents->nkeys);
}

/*
 * gs_parents_columns: the columns besides the key of the one at a position.
 *
 * values, nulls: of as many columns as were asked for; what they point to is
 * valid until the next call
 */
void
gs_parents_columns(GsParents *parents, int64 position, Datum *values,
				   bool *nulls)
{
	int			first = KEY + parents->nkeys;
	int			n = parents->desc->natts - first;
	Datum		key[INDEX_MAX_KEYS];

	gs_parents_get(parents, position, key);
	memcpy(values, parents->slot->tts_values + first, sizeof(Datum) * n);
	memcpy(nulls, parents->slot->tts_isnull + first, n);
}

/*
 * gs_parents_groups: how many groups the keys are in.
 */
int64
gs_parents_groups(const GsParents *parents)
{
	return parents->ngroups;
}

/*
 * gs_parents_group: the position of a group's first key.  Sets *n to how many
 * keys it has.
 */
int64
gs_parents_group(const GsParents *parents, int64 group, int64 *n)
{
	int64		first = parents->groups[group].first;

	*n = (group + 1 < parents->ngroups ? parents->groups[group + 1].first :
		  parents->kept) - first;
	return first;
}

/*
 * gs_parents_find: the group of keys whose grouped columns have a hash, each
 * gs_key_hash of what came before it, from 0 on; -1 if there is none.
 */
int64
gs_parents_find(const GsParents *parents, uint64 hash)
{
	int64		low = 0;
	int64		high = parents->ngroups;

	while (low < high)
	{
		int64		middle = low + (high - low) / 2;

		if (parents->groups[middle].hash < (int64) hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < parents->ngroups &&
		parents->groups[low].hash == (int64) hash ? low : -1;
}
