/*
 * links.c
 *	  Columns that have values of another table's, without a foreign key.
 *
 * A link is kept among a model's constraints: its name is the parent's, without
 * a schema, and the parent's column.  For a table that is filled it leads to
 * the table of that name beside it, and is as good as a foreign key, but that
 * in some rows nothing need be there.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"

#include "compat.h"
#include "constraint/links.h"
#include "table/source.h"

/*
 * gs_link_make: a link, in the current context.
 *
 * column: of the child; relation: the parent, qualified and quoted; name: the
 * same without its schema; parent_column: of the parent
 */
GsConstraint *
gs_link_make(const char *column, const char *relation, const char *name,
			 const char *parent_column)
{
	GsConstraint *link = palloc0(sizeof(GsConstraint));

	link->kind = GS_CONSTRAINT_LINK;
	link->name = quote_qualified_identifier(name, parent_column);
	link->columns = list_make1(pstrdup(column));
	link->definition = psprintf("(%s) -> %s (%s)", quote_identifier(column),
								relation, quote_identifier(parent_column));
	link->met = GS_MET_DATABASE;
	return link;
}

/*
 * gs_link_may_lead: whether one column may have the values of another.  A model
 * names them, and not who fills a table by it: so a view's functions would run
 * as him, and casts between types.  parent: or InvalidOid.
 */
bool
gs_link_may_lead(Oid relid, const char *column, Oid parent,
				 const char *parent_column)
{
	char		kind = get_rel_relkind(parent);
	AttrNumber	from = get_attnum(relid, column);
	AttrNumber	to = get_attnum(parent, parent_column);

	return (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE) &&
		from > 0 && to > 0 &&
		get_atttype(relid, from) == get_atttype(parent, to);
}

/*
 * gs_links_resolve: links among a model's constraints, as foreign keys of a
 * relation, in the current context: those whose parent there is.
 */
List *
gs_links_resolve(Oid relid, const List *constraints)
{
	List	   *keys = NIL;
	ListCell   *cell;

	foreach(cell, constraints)
	{
		const GsConstraint *link = lfirst(cell);
		GsConstraint *key;
		List	   *names;
		char	   *column;

		if (link->kind != GS_CONSTRAINT_LINK || link->name == NULL ||
			list_length(link->columns) != 1)
			continue;
		names = gs_name_list(link->name);
		if (list_length(names) != 2)
			continue;
		column = strVal(lsecond(names));
		key = palloc0(sizeof(GsConstraint));
		*key = *link;
		key->kind = GS_CONSTRAINT_FOREIGN_KEY;
		key->parent_oid = get_relname_relid(strVal(linitial(names)),
											get_rel_namespace(relid));
		if (!gs_link_may_lead(relid, linitial(key->columns), key->parent_oid,
							  column))
			continue;
		key->parent = gs_relation_name(key->parent_oid, NULL);
		key->parent_columns = list_make1(column);
		key->met = GS_MET_CONSTRUCTION;
		keys = lappend(keys, key);
	}
	return keys;
}

/*
 * gs_is_link: whether a foreign key is one that gs_links_resolve made.
 */
bool
gs_is_link(const GsConstraint *key)
{
	return key->definition != NULL && key->definition[0] == '(';
}

/*
 * gs_link_tensor: the name of the tensor that says in which share of the rows
 * a link holds: float8 [1].
 */
char *
gs_link_tensor(const char *column)
{
	return psprintf("link/%s", column);
}
