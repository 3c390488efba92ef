/*
 * owned_keys.c
 *	  Keys that must not repeat among the rows of an owner.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/typcache.h"

#include "constraint/constraints.h"
#include "numeric/philox.h"
#include "stream/owned_state.h"

/* Keys that rows of the owners at hand have. */
typedef struct SeenKey
{
	uint64		hash;			/* of owner, key and values */
} SeenKey;

/*
 * gs_owned_open_keys: the keys among a table's constraints that have all columns of the owner's key,
 * and others that are made here.
 */
void
gs_owned_open_keys(GsOwned *owned, TupleDesc desc, List *constraints)
{
	const GsOwnerStep *step = linitial(owned->owners->steps);
	ListCell   *cell;

	owned->unique = palloc0(sizeof(GsOwnedKey) *
							Max(list_length(constraints), 1));
	foreach(cell, constraints)
	{
		const GsConstraint *constraint = lfirst(cell);
		GsOwnedKey *key = &owned->unique[owned->nunique];
		int			nowner = 0;
		bool		fits = constraint->kind == GS_CONSTRAINT_PRIMARY_KEY ||
			constraint->kind == GS_CONSTRAINT_UNIQUE;
		ListCell   *name;

		key->n = 0;
		key->picked = true;
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
					(owned->columns[i].decoder != NULL ||
					 owned->columns[i].picked);
				key->picked &= owned->columns[i].picked;
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
 * gs_owned_forget_keys: other owners come.
 */
void
gs_owned_forget_keys(GsOwned *owned)
{
	HASH_SEQ_STATUS status;
	SeenKey    *key;

	hash_seq_init(&status, owned->seen);
	while ((key = hash_seq_search(&status)) != NULL)
		(void) hash_search(owned->seen, &key->hash, HASH_REMOVE, NULL);
}

/*
 * The hash of a row's key; false if a NULL makes it differ from all others.
 */
static bool
hash_key(const GsOwned *owned, int k, int owner, const Datum *values,
		 const bool *nulls, uint64 *hash)
{
	const GsOwnedKey *key = &owned->unique[k];

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
 * gs_owned_is_seen: whether one of a row's keys is that of another row of its owner.
 */
bool
gs_owned_is_seen(const GsOwned *owned, int owner, const Datum *values,
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
 * gs_owned_is_taken: the same, of those keys that a row has before it is made.
 */
bool
gs_owned_is_taken(const GsOwned *owned, int owner, const Datum *values,
				  const bool *nulls)
{
	uint64		hash;

	for (int k = 0; k < owned->nunique; k++)
		if (owned->unique[k].picked &&
			hash_key(owned, k, owner, values, nulls, &hash) &&
			hash_search(owned->seen, &hash, HASH_FIND, NULL) != NULL)
			return true;
	return false;
}

/*
 * gs_owned_see_key: notes the keys of a row that is there.
 */
void
gs_owned_see_key(GsOwned *owned, int owner, const Datum *values,
				 const bool *nulls)
{
	uint64		hash;

	for (int k = 0; k < owned->nunique; k++)
		if (hash_key(owned, k, owner, values, nulls, &hash))
			(void) hash_search(owned->seen, &hash, HASH_ENTER, NULL);
}
