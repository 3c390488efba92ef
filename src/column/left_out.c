/*
 * left_out.c
 *	  Columns of a source that its model does not have.
 *
 *	 left_out	bytes	their names, each ended by NUL
 *
 * They tell a column that was left out of a fit from one that the source was
 * given since.
 */
#include "postgres.h"

#include "access/relation.h"
#include "utils/rel.h"

#include "column/left_out.h"

/*
 * gs_left_out_save: appends the tensor of a relation, which is locked; none if
 * all of its columns were learned.
 *
 * learned: C strings, names of columns
 */
void
gs_left_out_save(Oid relid, const List *learned, List **tensors)
{
	Relation	relation = relation_open(relid, NoLock);
	TupleDesc	desc = RelationGetDescr(relation);
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		bool		found = attribute->attisdropped;
		ListCell   *cell;

		foreach(cell, learned)
			found |= strcmp(lfirst(cell), NameStr(attribute->attname)) == 0;
		if (!found)
			appendBinaryStringInfo(&names, NameStr(attribute->attname),
								   strlen(NameStr(attribute->attname)) + 1);
	}
	relation_close(relation, NoLock);
	if (names.len > 0)
		gs_tensor_add(tensors, "left_out", GS_U1, 1, names.len, 0,
					  names.data);
}

/*
 * gs_is_left_out: whether a column was there, but not learned.  Errors:
 * data_corrupted.
 */
bool
gs_is_left_out(const List *tensors, const char *name)
{
	const GsTensor *names;
	int			len = strlen(name);

	if (gs_tensor_find(tensors, "left_out") == NULL)
		return false;
	names = gs_tensor_get(tensors, "left_out", GS_U1, 1);
	for (int at = 0; at < names->dims[0];)
	{
		const char *left_out = (const char *) names->data + at;
		int			n = strnlen(left_out, names->dims[0] - at);

		if (n == names->dims[0] - at)
			gs_corrupted("Tensor \"left_out\" has a name without an end.");
		if (n == len && memcmp(left_out, name, n) == 0)
			return true;
		at += n + 1;
	}
	return false;
}
