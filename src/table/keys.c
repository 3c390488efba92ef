/*
 * keys.c
 *	  Which columns of a relation are unique by themselves.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "table/keys.h"

/*
 * Whether an index says that one plain column is unique in every row: it may
 * be deferred, but not partial, and must have been built to its end.
 */
static bool
is_unique_on(Relation index, AttrNumber column)
{
	Form_pg_index form = index->rd_index;

	return form->indisunique && form->indisvalid &&
		form->indnkeyatts == 1 && form->indkey.values[0] == column &&
		RelationGetIndexPredicate(index) == NIL;
}

/*
 * Whether an index says that a column is unique in some rows, or together with
 * others or as part of an expression.
 */
static bool
is_unique_with(Relation index, AttrNumber column)
{
	Bitmapset  *columns = NULL;

	if (!index->rd_index->indisunique || !index->rd_index->indisvalid)
		return false;
	for (int k = 0; k < index->rd_index->indnkeyatts; k++)
		if (index->rd_index->indkey.values[k] == column)
			return true;
	pull_varattnos((Node *) RelationGetIndexExpressions(index), 1, &columns);
	return bms_is_member(column - FirstLowInvalidHeapAttributeNumber, columns);
}

/*
 * Whether a column refers to another table, alone or with others.
 */
static bool
is_foreign(Relation relation, AttrNumber column)
{
	ListCell   *cell;

	foreach(cell, RelationGetFKeyList(relation))
	{
		const ForeignKeyCacheInfo *key = lfirst(cell);

		for (int i = 0; i < key->nkeys; i++)
			if (key->conkey[i] == column)
				return true;
	}
	return false;
}

/*
 * gs_is_unique_within: whether a table lets no two rows have the same in
 * columns, C strings, by a unique index on some of them and nothing else.
 */
bool
gs_is_unique_within(Oid relid, const List *columns)
{
	Relation	relation = relation_open(relid, AccessShareLock);
	bool		found = false;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(relation))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		Form_pg_index form = index->rd_index;
		int			n = 0;
		ListCell   *column;

		for (int k = 0; k < form->indnkeyatts; k++)
			foreach(column, columns)
				n += form->indkey.values[k] > 0 &&
					form->indkey.values[k] ==
					get_attnum(relid, lfirst(column));
		found |= form->indisunique && form->indisvalid &&
			n == form->indnkeyatts && RelationGetIndexPredicate(index) == NIL;
		index_close(index, AccessShareLock);
	}
	relation_close(relation, NoLock);
	return found;
}

/*
 * gs_source_refers: whether a source's column is a foreign key, or part of one.
 */
bool
gs_source_refers(const GsSource *source, const char *name)
{
	AttrNumber	column = OidIsValid(source->relid) ?
		get_attnum(source->relid, name) : 0;
	Relation	relation;
	bool		refers;

	if (column <= 0)
		return false;
	relation = relation_open(source->relid, NoLock);
	refers = is_foreign(relation, column);
	relation_close(relation, NoLock);
	return refers;
}

/*
 * gs_source_unique: whether a source's column is unique by itself, by a
 * unique index or a primary key on it alone, and no foreign key.
 *
 * name: of the column.  *one_null: whether NULLs are not distinct, so that
 * it can have one at most.  *partly: whether a unique index is about it in any
 * other way, and it is no foreign key.  The source's relation is locked already; of a
 * query's columns those are unique that it says are.
 */
bool
gs_source_unique(const GsSource *source, const char *name, bool *one_null,
				 bool *partly)
{
	Relation	relation;
	AttrNumber	column;
	bool		unique = false;
	ListCell   *cell;

	*one_null = *partly = false;
	if (gs_is_named(source->series, name))
		return false;
	if (!OidIsValid(source->relid))
		return gs_is_named(source->unique, name);
	column = get_attnum(source->relid, name);
	if (column <= 0)
		return false;			/* of a query, or of what is known besides */
	relation = relation_open(source->relid, NoLock);
	foreach(cell, RelationGetIndexList(relation))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (is_unique_on(index, column))
		{
			unique = true;
			*one_null |= index->rd_index->indnullsnotdistinct;
		}
		else
			*partly |= is_unique_with(index, column);
		index_close(index, AccessShareLock);
	}
	if (is_foreign(relation, column))
		unique = *partly = false;
	*partly &= !unique;
	relation_close(relation, NoLock);
	return unique;
}
