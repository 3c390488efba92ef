/*
 * owners.c
 *	  Whose rows a table's rows are, and what they know of them.
 *
 * A row of a child table is learned, and made, given columns of its owner, of
 * the owner's owner and so on, and what the owner's rows before it tell
 * (model/sequence.c).  The first are read by a join, in a fit from the source's
 * tables, in a fill from the target's.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "catalog/access.h"
#include "catalog/strange.h"
#include "column/tensor.h"
#include "constraint/constraints.h"
#include "constraint/links.h"
#include "owner/before.h"
#include "owner/entity.h"
#include "owner/owners.h"

/* --------------------------------------------------------------- queries */

static bool
same_names(const List *a, const List *b)
{
	ListCell   *x;
	ListCell   *y;

	if (list_length(a) != list_length(b))
		return false;
	forboth(x, a, y, b)
		if (strcmp(lfirst(x), lfirst(y)) != 0)
			return false;
	return true;
}

/*
 * gs_owners_counts_model: the name of the model of how many rows each owner
 * has, beside that of the rows.
 */
char *
gs_owners_counts_model(const char *rows)
{
	return psprintf("%s#", rows);
}

/*
 * gs_owners_are: whether columns are those by which rows refer to their owners.
 *
 * json: as gs_owners_save made it; NULL: rows have no owners.
 */
bool
gs_owners_are(const Jsonb *json, const List *columns)
{
	const GsOwners *owners = json == NULL ? NULL : gs_owners_load(json);

	return owners != NULL && owners->steps != NIL &&
		same_names(((const GsOwnerStep *) linitial(owners->steps))->columns,
				   columns);
}

/*
 * gs_owners_reference: the step from rows to what they refer to by columns, and
 * know columns of; NULL if there is none.
 */
const GsOwnerStep *
gs_owners_reference(const GsOwners *owners, const List *columns)
{
	ListCell   *cell;

	foreach(cell, owners->references)
		if (same_names(((const GsOwnerStep *) lfirst(cell))->columns, columns))
			return lfirst(cell);
	return NULL;
}

/*
 * gs_owners_know: whether there is one; json: as gs_owners_save made it; NULL:
 * there are no owners.
 */
bool
gs_owners_know(const Jsonb *json, const List *columns)
{
	return json != NULL &&
		gs_owners_reference(gs_owners_load(json), columns) != NULL;
}

static bool
has_columns(Oid relid, const List *names)
{
	ListCell   *cell;

	foreach(cell, names)
		if (get_attnum(relid, lfirst(cell)) <= 0)
			return false;
	return true;
}

/*
 * The relation that rows of one refer to as a step says; InvalidOid: none.
 */
static Oid
find_parent(Oid relid, const GsOwnerStep *step)
{
	ListCell   *cell;

	if (step->link != NIL)
	{
		Oid			parent = get_relname_relid(linitial(step->link),
											   get_rel_namespace(relid));
		ListCell   *other;

		forboth(cell, step->columns, other, step->parent_columns)
			if (!gs_link_may_lead(relid, lfirst(cell), parent, lfirst(other)))
				return InvalidOid;
		return parent;
	}
	foreach(cell, gs_constraints_read(relid))
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->kind == GS_CONSTRAINT_FOREIGN_KEY &&
			same_names(constraint->columns, step->columns) &&
			same_names(constraint->parent_columns, step->parent_columns))
			return constraint->parent_oid;
	}
	return InvalidOid;
}

static Oid
parent_of(Oid relid, const GsOwnerStep *step)
{
	Oid			parent = find_parent(relid, step);

	if (!OidIsValid(parent))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FOREIGN_KEY),
				 errmsg("%s has no foreign key on column \"%s\" that leads to its owners",
						gs_relation_name(relid, NULL),
						(char *) linitial(step->columns)),
				 errhint("Rows of this model belong to others: add the foreign key that its source has.")));
	return parent;
}

/*
 * Whether columns of a table take values that are made here.
 */
static bool
may_set(Oid relid, const List *names)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		AttrNumber	number = get_attnum(relid, lfirst(cell));
		HeapTuple	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid),
											Int16GetDatum(number));
		Form_pg_attribute attribute;
		bool		may;

		if (!HeapTupleIsValid(tuple))
			return false;
		attribute = (Form_pg_attribute) GETSTRUCT(tuple);
		may = attribute->attgenerated == '\0' &&
			attribute->attidentity != ATTRIBUTE_IDENTITY_ALWAYS;
		ReleaseSysCache(tuple);
		if (!may)
			return false;
	}
	return true;
}

/*
 * Whether a step leads from a table to one that the caller may read and that
 * has all that rows know of it.
 */
static bool
leads_to(Oid relid, const GsOwnerStep *step)
{
	Oid			parent = find_parent(relid, step);
	GsStrange	strange;

	return OidIsValid(parent) && has_columns(parent, step->known) &&
		pg_class_aclcheck(parent, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		!gs_strange_code(parent, GS_STRANGE_READ, &strange);
}

/*
 * gs_owners_are_there: whether a table's foreign keys lead to owners that the
 * caller may read and that have all that rows know of them; or, where they are
 * made, it has the columns that tell them apart.
 */
bool
gs_owners_are_there(const GsOwners *owners, Oid relid)
{
	ListCell   *cell;

	foreach(cell, owners->references)
		if (!leads_to(relid, lfirst(cell)))
			return false;
	foreach(cell, owners->steps)
	{
		const GsOwnerStep *step = lfirst(cell);

		if (!has_columns(relid, step->columns) ||
			(owners->ngenerations > 0 && !may_set(relid, step->parent_columns)))
			return false;
		if (owners->entity)
			break;
		if (!leads_to(relid, step))
			return false;
		relid = find_parent(relid, step);
	}
	return true;
}

/*
 * gs_owners_give: whether a column of a row is its owner's own: it refers to
 * him, or is the same in all of his rows.
 */
bool
gs_owners_give(const GsOwners *owners, const char *name)
{
	const GsOwnerStep *step = owners->steps == NIL ? NULL :
		linitial(owners->steps);

	return step != NULL && (gs_is_named(step->columns, name) ||
							(owners->entity && gs_is_named(step->known, name)));
}

/*
 * gs_owners_are_one: whether all rows belong to one.
 */
bool
gs_owners_are_one(const GsOwners *owners)
{
	return owners->entity &&
		((const GsOwnerStep *) linitial(owners->steps))->columns == NIL;
}

static void
append_columns(StringInfo query, const char *alias, List *columns)
{
	ListCell   *cell;

	foreach(cell, columns)
		appendStringInfo(query, "%s%s.%s",
						 query->len == 0 || query->data[query->len - 1] != ' ' ?
						 ", " : "", alias, quote_identifier(lfirst(cell)));
}

/*
 * gs_owners_append_match: that columns of one relation are equal to those of
 * another, as the condition of a join.
 */
void
gs_owners_append_match(StringInfo query, const char *child, List *columns,
					   const char *parent, List *parent_columns)
{
	ListCell   *x;
	ListCell   *y;

	forboth(x, columns, y, parent_columns)
		appendStringInfo(query, "%s%s.%s " GS_EQ " %s.%s",
						 x == list_head(columns) ? " ON " : " AND ", child,
						 quote_identifier(lfirst(x)), parent,
						 quote_identifier(lfirst(y)));
}

/*
 * gs_owners_check_type: an error where a column of what rows belong or refer to
 * is of another type than the one that a model knows it in, unless both are
 * PostgreSQL's own: casts may be of who made a type, and would run as whoever
 * fills a table by the model.  Errors: datatype_mismatch.
 */
void
gs_owners_check_type(Oid relid, const char *column, Oid type)
{
	Oid			own = get_atttype(relid, get_attnum(relid, column));

	if (own != type && getBaseType(own) != type &&
		(getBaseType(own) >= FirstUnpinnedObjectId ||
		 type >= FirstUnpinnedObjectId))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of %s is of type %s, and rows of the model know it as %s",
						column, gs_relation_name(relid, NULL),
						format_type_be(own), format_type_be(type)),
				 errdetail("A cast could run a function of whoever made a type."),
				 errhint("Give the column the type that it has in the model's source, or fit the model again.")));
}

/*
 * What rows know of their owners: columns to select, and the owners joined to
 * what from begins with, which may be nothing.
 *
 * types: OIDs that the columns are converted to; NIL: as they are
 */
static void
append_owners(const GsOwners *owners, Oid relid, const List *types,
			  StringInfo columns, StringInfo from)
{
	const char *child = "c";
	int			level = 0;
	int			n = 0;
	ListCell   *cell;

	if (owners->entity)
	{
		const GsOwnerStep *step = linitial(owners->steps);

		append_columns(columns, "c", step->known);
		return;
	}
	foreach(cell, owners->steps)
	{
		const GsOwnerStep *step = lfirst(cell);
		char	   *alias = psprintf("o%d", ++level);
		bool		first = from->len == 0;
		ListCell   *known;
		ListCell   *name;

		relid = parent_of(relid, step);
		/* those that belong to none are a generation, too */
		appendStringInfo(from, "%s%s %s", first ? "" :
						 owners->ngenerations > 0 ? " LEFT JOIN " : " JOIN ",
						 gs_relation_name(relid, NULL), alias);
		if (!first)
			gs_owners_append_match(from, child, step->columns, alias,
						 step->parent_columns);
		forboth(known, step->known, name, step->names)
		{
			if (types != NIL)
				gs_owners_check_type(relid, lfirst(known),
									 list_nth_oid(types, n));
			appendStringInfo(columns, ", %s.%s%s AS %s", alias,
							 quote_identifier(lfirst(known)), types == NIL ? "" :
							 psprintf("::%s", format_type_extended(list_nth_oid(types, n++),
																   -1, FORMAT_TYPE_FORCE_QUALIFY)),
							 quote_identifier(lfirst(name)));
		}
		child = alias;
	}
}

/*
 * Columns to follow a word, with a space; "" for none.
 */
static char *
key_columns(const char *alias, List *names)
{
	StringInfoData keys;

	initStringInfo(&keys);
	if (names != NIL)
		appendStringInfoChar(&keys, ' ');
	append_columns(&keys, alias, names);
	return keys.data;
}

/*
 * gs_owners_counts_query: what rows know of their owners, for each owner of
 * the source, and how many rows it has: for a fit.
 *
 * relid: the table of the rows, whose foreign keys lead to the owners.
 * Errors: invalid_foreign_key.
 */
char *
gs_owners_counts_query(const GsOwners *owners, Oid relid)
{
	const GsOwnerStep *step = linitial(owners->steps);
	const char *keys = key_columns("c", step->columns);
	StringInfoData columns;
	StringInfoData from;

	initStringInfo(&columns);
	initStringInfo(&from);
	append_owners(owners, relid, NIL, &columns, &from);
	if (owners->entity)
	{
		const char *of = key_columns("c", gs_owners_entity_columns(owners));

		return psprintf("SELECT%s, pg_catalog.count(*) AS %s FROM %s c GROUP BY%s",
						of, quote_identifier(GS_OWNERS_COUNT),
						gs_relation_name(relid, NULL), of);
	}
	appendStringInfo(&from, " LEFT JOIN (SELECT%s, pg_catalog.count(*) AS n"
					 " FROM %s c GROUP BY%s) c", keys,
					 gs_relation_name(relid, NULL), keys);
	gs_owners_append_match(&from, "c", step->columns, "o1", step->parent_columns);
	return psprintf("SELECT COALESCE(c.n, 0) AS %s%s FROM %s",
					quote_identifier(GS_OWNERS_COUNT), columns.data, from.data);
}

/*
 * The type of a table's column, as SQL.
 */
static char *
column_type(Oid relid, const char *name)
{
	AttrNumber	number = get_attnum(relid, name);

	return format_type_extended(get_atttype(relid, number), -1,
								FORMAT_TYPE_FORCE_QUALIFY);
}

/*
 * gs_owners_query: up to limit owners in the order of their keys, after the one
 * whose keys are its parameters if there is one, of those that which says, SQL,
 * or NULL: these keys, in the types of the
 * rows' columns, and what rows know of them, in these types.  Errors:
 * invalid_foreign_key; datatype_mismatch.
 */
char *
gs_owners_query(const GsOwners *owners, Oid relid, const List *types,
				bool after, const char *which, int limit)
{
	const GsOwnerStep *step = linitial(owners->steps);
	const char *keys = key_columns("o1", step->parent_columns);
	StringInfoData values;
	StringInfoData columns;
	StringInfoData from;
	ListCell   *x;
	ListCell   *y;

	initStringInfo(&values);
	initStringInfo(&columns);
	initStringInfo(&from);
	forboth(x, step->parent_columns, y, step->columns)
		appendStringInfo(&values, "%s o1.%s::%s",
						 x == list_head(step->parent_columns) ? "" : ",",
						 quote_identifier(lfirst(x)),
						 column_type(relid, lfirst(y)));
	append_owners(owners, relid, types, &columns, &from);
	for (int i = 0; after && i < list_length(step->parent_columns); i++)
		appendStringInfo(&from, "%s$%d%s", i == 0 ?
						 psprintf(" WHERE ROW(%s) " GS_OP(">") " ROW(", keys) :
						 ", ", i + 1,
						 i == list_length(step->parent_columns) - 1 ? ")" : "");
	if (which != NULL)
		appendStringInfo(&from, "%s%s", after ? " AND " : " WHERE ", which);
	return psprintf("SELECT%s%s FROM %s ORDER BY%s LIMIT %d", values.data,
					columns.data, from.data, keys, limit);
}

/* ---------------------------------------------------------------- source */

/* Rows whose last column says which of their owner's they are. */
typedef struct Extension
{
	GsSource   *source;
	TupleTableSlot *slot;
	int64		room;
} Extension;

/*
 * Takes that column off, and notes where owners begin.
 */
static void
extend_row(TupleTableSlot *slot, GsRowCallback row, void *row_arg, void *arg)
{
	Extension  *extension = arg;
	GsSource   *source = extension->source;
	TupleTableSlot *to = extension->slot;
	int			n = source->desc->natts;

	if (source->nrows == extension->room)
	{
		extension->room *= 2;
		source->begins = repalloc_huge(source->begins, extension->room);
	}
	source->begins[source->nrows++] = DatumGetInt64(slot->tts_values[n]) == 1;
	ExecClearTuple(to);
	memcpy(to->tts_values, slot->tts_values, sizeof(Datum) * n);
	memcpy(to->tts_isnull, slot->tts_isnull, n);
	ExecStoreVirtualTuple(to);
	row(to, row_arg);
}

/*
 * $1 the relation: its primary key of one whole number, which counts rows as
 * they came.
 */
static const char counted_query[] =
"SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_index x"
" JOIN pg_catalog.pg_attribute a ON a.attrelid " GS_EQ " x.indrelid"
" AND a.attnum " GS_EQ " x.indkey[0] WHERE x.indrelid " GS_EQ " $1"
" AND x.indisprimary AND x.indnatts " GS_EQ " 1 AND a.atttypid " GS_EQ " ANY ("
"'{int2,int4,int8}'::pg_catalog.regtype[]::pg_catalog.oid[])";

/*
 * gs_owners_order: what the rows of an owner are ordered by: time, and within the same time as
 * they came.
 */
char *
gs_owners_order(const GsOwners *owners, Oid relid)
{
	StringInfoData order;
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(relid);
	MemoryContext context = CurrentMemoryContext;

	initStringInfo(&order);
	if (owners->order_by != NULL)
		appendStringInfo(&order, " c.%s", quote_identifier(owners->order_by));
	if (gs_run(counted_query, 1, &type, &value, NULL, true) > 0)
		appendStringInfo(&order, "%s c.%s", order.len > 0 ? "," : "",
						 quote_identifier(gs_result_text(0, 1, context)));
	else if (get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE)
		appendStringInfo(&order, "%s c.ctid", order.len > 0 ? "," : "");
	MemoryContextSwitchTo(context);
	return order.data;
}

/*
 * A condition that as many owners meet as have limit rows; "" for all.
 */
static const char *
some_owners(const char *relation, const char *keys, int64 limit)
{
	double		n;

	gs_run(psprintf("SELECT pg_catalog.count(*) FROM %s", relation), 0, NULL,
		   NULL, NULL, true);
	n = (double) DatumGetInt64(gs_result(0, 1, NULL));
	if (n <= limit)
		return "";
	ereport(NOTICE,
			(errmsg("learning the rows of one in %.1f owners of %s",
					n / limit, relation),
			 errhint("More rows do not fit in maintenance_work_mem.")));
	return psprintf(" WHERE pg_catalog.hashtextextended(ROW(%s)::pg_catalog.text, 0)"
					" " GS_OP("%%") " 1000003 " GS_OP("<") " %.0f", keys,
					/* from -1000002 to 1000002 */
					limit / n * 2000005 - 1000002);
}

/*
 * What rows of the same owner have in common: columns, to follow a word.  Those
 * that belong to none are each by itself.
 */
static char *
partition_columns(const GsOwners *owners)
{
	const GsOwnerStep *step = linitial(owners->steps);
	char	   *keys = key_columns("c", step->columns);
	StringInfoData none;
	ListCell   *cell;

	if (owners->ngenerations == 0)
		return keys;
	initStringInfo(&none);
	foreach(cell, step->columns)
		appendStringInfo(&none, "%sc.%s IS NULL", none.len > 0 ? " OR " : "",
						 quote_identifier(lfirst(cell)));
	foreach(cell, step->parent_columns)
		keys = psprintf("%s, CASE WHEN %s THEN c.%s END", keys, none.data,
						quote_identifier(lfirst(cell)));
	return keys;
}

/*
 * gs_owners_append_references: what rows know of others that they refer to.
 */
void
gs_owners_append_references(const GsOwners *owners, Oid relid,
							StringInfo columns, StringInfo from)
{
	ListCell   *cell;

	foreach(cell, owners->references)
	{
		const GsOwnerStep *step = lfirst(cell);
		char	   *alias = psprintf("r%d", foreach_current_index(cell) + 1);
		ListCell   *known;
		ListCell   *name;

		appendStringInfo(from, " JOIN %s %s",
						 gs_relation_name(parent_of(relid, step), NULL), alias);
		gs_owners_append_match(from, "c", step->columns, alias, step->parent_columns);
		forboth(known, step->known, name, step->names)
			appendStringInfo(columns, "%s%s.%s AS %s",
							 columns->len > 1 ? ", " : "", alias,
							 quote_identifier(lfirst(known)),
							 quote_identifier(lfirst(name)));
	}
}

/*
 * Rows that are kept as they are, and what a row knows of them: columns to
 * select, and the rows joined.
 */
static void
append_kept(const GsOwners *owners, Oid relid, StringInfo columns,
			StringInfo from)
{
	Oid		   *parent = palloc(sizeof(Oid) *
								Max(list_length(owners->kept), 1));
	ListCell   *cell;

	foreach(cell, owners->kept)
	{
		const GsOwnerStep *step = lfirst(cell);
		int			i = foreach_current_index(cell);
		const char *alias = psprintf("k%d", i);
		ListCell   *known;
		ListCell   *name;

		parent[i] = parent_of(step->from < 0 ? relid : parent[step->from],
							  step);
		appendStringInfo(from, " LEFT JOIN %s %s",
						 gs_relation_name(parent[i], NULL), alias);
		gs_owners_append_match(from, step->from < 0 ? "c" : psprintf("k%d", step->from),
					 step->columns, alias, step->parent_columns);
		forboth(known, step->known, name, step->names)
			appendStringInfo(columns, "%s%s.%s AS %s",
							 columns->len > 1 ? ", " : "", alias,
							 quote_identifier(lfirst(known)),
							 quote_identifier(lfirst(name)));
	}
	pfree(parent);
}

/*
 * The columns of the rows that lead to what is kept, and those that do not.
 */
static List *
split_columns(const GsOwners *owners, List **rest)
{
	List	   *keys = NIL;
	ListCell   *cell;

	*rest = NIL;
	foreach(cell, owners->columns)
	{
		bool		is_key = false;
		ListCell   *kept;

		foreach(kept, owners->kept)
			is_key |= ((GsOwnerStep *) lfirst(kept))->from < 0 &&
				gs_is_named(((GsOwnerStep *) lfirst(kept))->columns,
							lfirst(cell));
		if (is_key)
			keys = lappend(keys, lfirst(cell));
		else
			*rest = lappend(*rest, lfirst(cell));
	}
	return keys;
}

/*
 * Says by which of the rows' columns what is kept is looked up.
 */
static void
note_lookups(const GsOwners *owners, GsSource *source)
{
	ListCell   *cell;

	foreach(cell, owners->kept)
	{
		const GsOwnerStep *step = lfirst(cell);
		const GsOwnerStep *first = step;
		ListCell   *name;

		while (first->from >= 0)
			first = list_nth(owners->kept, first->from);
		foreach(name, step->names)
		{
			source->looked_up = lappend(source->looked_up, lfirst(name));
			source->looked_up_by = lappend(source->looked_up_by,
										   linitial(first->columns));
		}
	}
}

/*
 * gs_owners_source: the rows of a table with all that they know of their
 * owners, owner by owner in order, read as the caller: for a fit.  What they
 * take over from the row before is found out, and noted in owners.
 *
 * context: names of what is known are added to it; limit: rows; of more, those
 * of a random part of the owners.  To be called within an SPI connection.
 */
GsSource *
gs_owners_source(GsOwners *owners, Oid relid, int64 limit, List **context)
{
	Extension  *extension = palloc0(sizeof(Extension));
	const char *name = gs_relation_name(relid, NULL);
	const char *keys = partition_columns(owners);
	const char *order = gs_owners_order(owners, relid);
	/* of each owner, where there are few: there must be some of all */
	int64		first = owners->copied ? Max(limit / owners->nentities, 1) : 0;
	const char *window;
	const char *query;
	StringInfoData columns;
	StringInfoData from;
	GsSource   *source;
	TupleDesc	desc;
	List	   *rest;
	ListCell   *cell;
	ListCell   *known;

	window = psprintf("%s%s%s%s", *keys == '\0' ? "" : "PARTITION BY", keys,
					  *order == '\0' ? "" : " ORDER BY", order);
	gs_owners_find_before(owners, relid, psprintf("%s c", name), window);
	initStringInfo(&columns);
	initStringInfo(&from);
	appendStringInfoChar(&columns, ' ');
	/* what leads to rows that are kept, what these are, and then the others */
	append_columns(&columns, "c", split_columns(owners, &rest));
	appendStringInfo(&from, "%s c", name);
	append_kept(owners, relid, &columns, &from);
	append_columns(&columns, "c", rest);
	append_columns(&columns, "c", owners->others);
	append_owners(owners, relid, NIL, &columns, &from);
	forboth(cell, owners->before, known, owners->before_names)
		appendStringInfo(&columns, "%spg_catalog.lag(c.%s) OVER w AS %s",
						 columns.len > 1 ? ", " : "",
						 quote_identifier(lfirst(cell)),
						 quote_identifier(lfirst(known)));
	gs_owners_append_references(owners, relid, &columns, &from);
	foreach(cell, owners->steps)
		*context = list_concat(*context,
							   ((const GsOwnerStep *) lfirst(cell))->names);
	*context = list_concat(*context, owners->before_names);
	foreach(cell, owners->kept)
		*context = list_concat(*context,
							   ((const GsOwnerStep *) lfirst(cell))->names);
	foreach(cell, owners->references)
		*context = list_concat(*context,
							   ((const GsOwnerStep *) lfirst(cell))->names);
	query = psprintf("SELECT%s%s pg_catalog.row_number() OVER w AS %s"
					 " FROM %s%s WINDOW w AS (%s)", columns.data,
					 columns.len > 1 ? "," : "",
					 quote_identifier(GS_OWNERS_COUNT), from.data,
					 first > 0 ? "" : some_owners(name, keys, limit), window);
	if (first > 0)
		query = psprintf("SELECT * FROM (%s) c WHERE c.%s " GS_OP("<=") " " INT64_FORMAT,
						 query, quote_identifier(GS_OWNERS_COUNT), first);
	source = gs_source_open(psprintf("%s ORDER BY%s%s %s", query, keys,
									 *keys == '\0' ? "" : ",",
									 quote_identifier(GS_OWNERS_COUNT)),
							NIL, NIL);
	desc = CreateTemplateTupleDesc(source->desc->natts - 1);
	for (int i = 0; i < desc->natts; i++)
		TupleDescCopyEntry(desc, i + 1, source->desc, i + 1);
	gs_desc_finish(desc);
	source->desc = desc;
	extension->source = source;
	extension->slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	extension->room = 1024;
	source->ordered = true;
	source->series = owners->before;
	/* what is kept of few, each by name, may be shown anyway */
	foreach(cell, owners->copied ? NIL : owners->steps)
		source->shared =
			list_concat(source->shared,
						((const GsOwnerStep *) lfirst(cell))->names);
	/* what is a step from row to row, or to a generation, ends nowhere */
	source->endless = owners->ngenerations > 0 ? owners->columns :
		owners->regular ? list_make1(owners->order_by) : NIL;
	note_lookups(owners, source);
	source->begins = palloc(extension->room);
	source->relid = relid;
	source->relation = pstrdup(name);
	source->text = source->relation;
	source->extend = extend_row;
	source->extend_arg = extension;
	return source;
}
