/*
 * private_parents.c
 *	  Parent tables that are public: their keys are all values that foreign
 *	  keys to them have, and cost nothing.
 */
#include "postgres.h"

#include "catalog/pg_inherits.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "catalog/access.h"
#include "catalog/ledger.h"
#include "catalog/relation.h"
#include "catalog/strange.h"
#include "compat.h"
#include "fit/private.h"

/* Keys of a parent: each is a level. */
#define MAX_KEYS	1024

/*
 * The table of a name in the option, which the caller says nothing is to be
 * protected of.
 */
static Oid
public_table(const char *name, Oid table)
{
	Oid			relid = gs_private_public(name);

	if (list_member_oid(find_all_inheritors(relid, AccessShareLock, NULL),
						table) ||
		list_member_oid(find_all_inheritors(table, AccessShareLock, NULL),
						relid))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("table %s in option \"public\" is what is learned",
						gs_relation_name(relid, NULL)),
				 errhint("Name tables that foreign keys of it refer to.")));
	if (gs_ledger_has_budget(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s in option \"public\" has a privacy budget",
						gs_relation_name(relid, NULL)),
				 errhint("Leave it out of the option: then keys of it are found in noisy counts.")));
	return relid;
}

/*
 * The key of a parent that a column refers to by itself; InvalidAttrNumber if
 * it does not.
 */
static AttrNumber
key_of(Relation child, AttrNumber column, Oid parent)
{
	ListCell   *cell;

	foreach(cell, RelationGetFKeyList(child))
	{
		const ForeignKeyCacheInfo *key = lfirst(cell);

		if (key->nkeys == 1 && key->conkey[0] == column &&
			key->confrelid == parent)
			return key->confkey[0];
	}
	return InvalidAttrNumber;
}

static void
add_key(TupleTableSlot *slot, void *arg)
{
	List	  **keys = arg;

	*keys = lappend(*keys, TextDatumGetCString(slot->tts_values[0]));
}

/*
 * A parent's keys, C strings, as the caller may read them.
 */
static List *
read_keys(Oid parent, AttrNumber key)
{
	List	   *keys = NIL;

	gs_query_read(psprintf("SELECT %s FROM (SELECT %s AS key FROM %s)"
						   " AS parent WHERE key IS NOT NULL LIMIT %d",
						   gs_as_text("key", get_atttype(parent, key)),
						   quote_identifier(get_attname(parent, key, false)),
						   gs_relation_name(parent, NULL), MAX_KEYS + 1),
				  add_key, &keys);
	if (keys == NIL || list_length(keys) > MAX_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(keys == NIL ?
						"table %s in option \"public\" has no keys" :
						"table %s in option \"public\" has more than %d keys",
						gs_relation_name(parent, NULL), MAX_KEYS),
				 errhint("Leave it out of the option: then keys of it are found in noisy counts.")));
	return keys;
}

/*
 * gs_private_parents: the values of columns that refer to public tables, of
 * GsNamedValues by the names of the source's columns.
 *
 * child: the table that the source shows rows of, open; tables: C strings.
 * Errors: undefined_table, insufficient_privilege; invalid_parameter_value
 * where no column refers to a table, or it has no keys or too many;
 * object_not_in_prerequisite_state where it has a privacy budget.
 */
List *
gs_private_parents(const GsSource *source, Relation child, List *tables)
{
	List	   *known = NIL;
	ListCell   *cell;

	foreach(cell, tables)
	{
		Oid			parent = public_table(lfirst(cell),
										  RelationGetRelid(child));
		int			before = list_length(known);

		for (int c = 0; c < source->desc->natts; c++)
		{
			AttrNumber	key = key_of(child, gs_private_column_of(source, c),
									 parent);
			GsNamedValues *named;

			if (key == InvalidAttrNumber)
				continue;
			named = palloc(sizeof(GsNamedValues));
			named->name = pstrdup(NameStr(TupleDescAttr(source->desc,
														c)->attname));
			named->values = read_keys(parent, key);
			known = lappend(known, named);
		}
		/* or it is joined, see private_join.c */
		if (list_length(known) == before &&
			!list_member_oid(source->relids, parent))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("no column that is learned refers to table %s in option \"public\"",
							gs_relation_name(parent, NULL)),
					 errhint("Name tables that foreign keys of one column refer to.")));
	}
	return known;
}
