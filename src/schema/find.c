/*
 * find.c
 *	  What rows of a table in a plan know of their owners.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "catalog/strange.h"
#include "codec/codec.h"
#include "owner/entity.h"
#include "schema/plan.h"

/* What a row knows of another that it refers to: values of so many bytes. */
#define MAX_KNOWN_BYTES	64
/* Rows of kept tables, near and far, that a row knows, and columns of each. */
#define MAX_KEPT		8
#define MAX_KEPT_COLUMNS	12

/*
 * $1 the relation: its columns, their types, and whether one is a key by
 * itself.
 */
static const char columns_query[] =
"SELECT a.attname::pg_catalog.text, a.atttypid, a.atttypmod, EXISTS (SELECT"
" FROM pg_catalog.pg_index x WHERE x.indrelid " GS_EQ " a.attrelid"
" AND x.indisunique AND x.indpred IS NULL AND x.indnkeyatts " GS_EQ " 1"
" AND x.indkey[0] " GS_EQ " a.attnum) FROM pg_catalog.pg_attribute a"
" WHERE a.attrelid " GS_EQ " $1 AND a.attnum " GS_OP(">") " 0"
" AND NOT a.attisdropped ORDER BY a.attnum";

/*
 * Whether a column is part of a foreign key that leads to rows which are made
 * anew: its values say nothing by themselves.
 */
static bool
leads_to_row(const GsSchemaPlan *plan, const GsPlanTable *table,
			 const char *name)
{
	ListCell   *cell;

	foreach(cell, table->keys)
	{
		const GsPlanKey *key = lfirst(cell);

		if (key->use != GS_KEY_KEPT && key->use != GS_KEY_OUTSIDE &&
			/* an owner that is taken over says something to others */
			(plan == NULL || key->use != GS_KEY_OWNER ||
			 plan->table[key->parent].role != GS_TABLE_KEPT) &&
			gs_is_named(key->columns, name))
			return true;
	}
	return false;
}

/*
 * The columns of a table that tell something about a row: those that can be
 * learned, and are no keys.  The others that can be learned are added to
 * others, unless that is NULL.
 */
static List *
telling_columns(const GsSchemaPlan *plan, const GsPlanTable *table,
				List **others)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *columns = NIL;
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(table->relid);
	uint64		n;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	n = gs_run(columns_query, 1, &type, &value, NULL, true);
	for (uint64 i = 0; i < n; i++)
	{
		char	   *name = gs_result_text(i, 1, context);
		int32		typmod = DatumGetInt32(gs_result(i, 3, NULL));
		Oid			plain = gs_plain_type(DatumGetObjectId(gs_result(i, 2, NULL)),
										  &typmod);
		GsCodec		codec;

		MemoryContextSwitchTo(context);
		if (!gs_codec_for_type(&codec, plain, typmod))
			continue;
		if (!DatumGetBool(gs_result(i, 4, NULL)) &&
			!leads_to_row(others == NULL ? plan : NULL, table, name))
			columns = lappend(columns, name);
		else if (others != NULL && (table->owner == NULL ||
									!gs_is_named(table->owner->columns, name)))
			*others = lappend(*others, name);
	}
	SPI_finish();
	MemoryContextSwitchTo(context);
	return columns;
}

/*
 * Those of a list of columns whose values are short: what rows refer to is kept
 * at hand with all that they know of it.
 */
static List *
short_columns(const GsPlanTable *table, List *columns)
{
	MemoryContext context = CurrentMemoryContext;
	StringInfoData query;
	List	   *kept = NIL;
	ListCell   *cell;

	if (columns == NIL)
		return NIL;
	initStringInfo(&query);
	foreach(cell, columns)
	{
		char	   *column = psprintf("c.%s", quote_identifier(lfirst(cell)));

		appendStringInfo(&query, "%s COALESCE(pg_catalog.max("
						 "pg_catalog.octet_length(%s)), 0) " GS_OP("<=") " %d",
						 cell == list_head(columns) ? "SELECT" : ",",
						 gs_as_text(column, get_atttype(table->relid, get_attnum(table->relid, lfirst(cell)))),
						 MAX_KNOWN_BYTES);
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	gs_run(psprintf("%s FROM %s c", query.data, table->name), 0, NULL, NULL,
		   NULL, true);
	MemoryContextSwitchTo(context);
	foreach(cell, columns)
		if (DatumGetBool(gs_result(0, foreach_current_index(cell) + 1, NULL)))
			kept = lappend(kept, lfirst(cell));
	SPI_finish();
	MemoryContextSwitchTo(context);
	return kept;
}

/*
 * A name for what a row knows of an owner's column: one that it has not yet,
 * and that PostgreSQL does not cut.
 */
static char *
new_name(const GsOwners *owners, const GsOwnerStep *step, const char *table,
		 const char *column)
{
	for (int i = 0;; i++)
	{
		const char *end = i == 0 ? "" : psprintf(" %d", i);
		char	   *name = psprintf("%s.%s", table, column);
		bool		taken;
		ListCell   *cell;

		name = psprintf("%.*s%s",
						pg_mbcliplen(name, strlen(name),
									 NAMEDATALEN - 1 - (int) strlen(end)),
						name, end);
		taken = gs_is_named(step->names, name) ||
			gs_is_named(owners->columns, name);
		foreach(cell, owners->steps)
			taken |= gs_is_named(((GsOwnerStep *) lfirst(cell))->names, name);
		foreach(cell, owners->kept)
			taken |= gs_is_named(((GsOwnerStep *) lfirst(cell))->names, name);
		foreach(cell, owners->references)
			taken |= gs_is_named(((GsOwnerStep *) lfirst(cell))->names, name);
		if (!taken)
			return name;
	}
}

static List *
names_without(List *names, List *without)
{
	List	   *rest = NIL;
	ListCell   *cell;

	foreach(cell, names)
		if (!gs_is_named(without, lfirst(cell)))
			rest = lappend(rest, lfirst(cell));
	return rest;
}

/*
 * Whose rows those of a sequence are.
 */
static void
find_entities(GsOwners *owners, const GsPlanTable *table)
{
	GsOwnerStep *step = palloc0(sizeof(GsOwnerStep));

	step->columns = step->parent_columns = table->sequence_key;
	owners->entity = true;
	owners->steps = list_make1(step);
	owners->columns = names_without(owners->columns, step->columns);
	owners->others = names_without(owners->others, step->columns);
	gs_owners_find_entities(owners, table->relid, table->personal);
	/* what tells the rows' order is no key */
	if (table->order_by != NULL && gs_is_named(owners->others, table->order_by))
	{
		owners->others = names_without(owners->others,
											   list_make1(table->order_by));
		owners->columns = lcons(table->order_by, owners->columns);
	}
}

/*
 * Rows that belong to others of their own table: only one foreign key says so,
 * and they know something of these.
 */
static void
find_self(GsOwners *owners, const GsPlanTable *table)
{
	const GsPlanKey *self = NULL;
	GsOwnerStep *step = palloc0(sizeof(GsOwnerStep));
	List	   *columns = owners->columns;
	ListCell   *cell;
	int			n = 0;

	foreach(cell, table->keys)
	{
		const GsPlanKey *key = lfirst(cell);

		if (key->use != GS_KEY_SELF)
			continue;
		self = key;
		n++;
	}
	if (n != 1 || !self->nullable || columns == NIL)
		return;
	step->columns = self->columns;
	step->parent_columns = self->parent_columns;
	step->known = columns;
	foreach(cell, columns)
		step->names = lappend(step->names,
							  new_name(owners, step,
									   get_rel_name(table->relid),
									   lfirst(cell)));
	owners->steps = list_make1(step);
	gs_owners_find_generations(owners, table->relid);
	if (owners->ngenerations == 0)
		owners->steps = NIL;
	owners->others = names_without(owners->others, self->columns);
}

/*
 * The rows of other tables, made anew, that each row of a child refers to
 * besides its owner.
 */
static void
find_references(GsOwners *owners, const GsSchemaPlan *plan,
				const GsPlanTable *table)
{
	ListCell   *cell;
	ListCell   *name;
	bool		any = false;

	foreach(cell, table->keys)
	{
		const GsPlanKey *key = lfirst(cell);
		const GsPlanTable *parent;
		GsOwnerStep *step;

		if (key->use != GS_KEY_REFERENCE || key->nullable || key->link)
			continue;
		parent = &plan->table[key->parent];
		/* what a few rows say of others is theirs alone */
		if (parent->role == GS_TABLE_INVENTED)
			continue;
		step = palloc0(sizeof(GsOwnerStep));
		step->columns = key->columns;
		step->parent_columns = key->parent_columns;
		step->known = short_columns(parent, telling_columns(plan, parent, NULL));
		foreach(name, step->known)
			step->names = lappend(step->names,
								  new_name(owners, step,
										   get_rel_name(parent->relid),
										   lfirst(name)));
		/* one of a table's references may be like something */
		if (!any)
			gs_find_likeness(plan, table, owners, step);
		any |= step->like != NIL;
		owners->references = lappend(owners->references, step);
	}
}

/*
 * The rows of tables that are kept as they are, to which rows of a table lead,
 * and to which these lead.  from: the step to the table; -1: none.
 */
static void
find_kept(GsOwners *owners, const GsSchemaPlan *plan,
		  const GsPlanTable *table, int from)
{
	ListCell   *cell;
	ListCell   *name;

	foreach(cell, table->keys)
	{
		const GsPlanKey *key = lfirst(cell);
		const GsPlanTable *parent;
		GsOwnerStep *step;

		if (key->use != GS_KEY_KEPT || key->link ||
			list_length(key->columns) != 1 ||
			(from < 0 && !gs_is_named(owners->columns,
									  linitial(key->columns))) ||
			list_length(owners->kept) == MAX_KEPT)
			continue;
		parent = &plan->table[key->parent];
		step = palloc0(sizeof(GsOwnerStep));
		step->from = from;
		step->columns = key->columns;
		step->parent_columns = key->parent_columns;
		step->known = list_truncate(short_columns(parent,
												  telling_columns(plan, parent, NULL)),
									MAX_KEPT_COLUMNS);
		foreach(name, step->known)
			step->names = lappend(step->names,
								  new_name(owners, step,
										   get_rel_name(parent->relid),
										   lfirst(name)));
		owners->kept = lappend(owners->kept, step);
		find_kept(owners, plan, parent, list_length(owners->kept) - 1);
	}
}

/*
 * gs_owners_find: the owners of a child table, t of a plan, or of a sequence,
 * or of rows that belong to others of their table, in the current context; for a
 * table of its own, none.  To be called within an SPI connection.
 */
GsOwners *
gs_owners_find(const GsSchemaPlan *plan, int t)
{
	GsOwners   *owners = palloc0(sizeof(GsOwners));
	const GsPlanTable *table = &plan->table[t];
	ListCell   *cell;

	owners->columns = telling_columns(plan, table, &owners->others);
	owners->order_by = table->order_by;
	if (table->role == GS_TABLE_SEQUENCE)
	{
		find_entities(owners, table);
		find_kept(owners, plan, table, -1);
		return owners;
	}
	if (table->owner == NULL && table->role == GS_TABLE_ROOT)
		find_self(owners, table);
	for (; table->owner != NULL; table = &plan->table[table->owner->parent])
	{
		const GsPlanTable *parent = &plan->table[table->owner->parent];
		GsOwnerStep *step = palloc0(sizeof(GsOwnerStep));

		step->columns = table->owner->columns;
		step->parent_columns = table->owner->parent_columns;
		if (table->owner->link)
			step->link = list_make1(get_rel_name(parent->relid));
		step->known = telling_columns(plan, parent, NULL);
		foreach(cell, step->known)
			step->names = lappend(step->names,
								  new_name(owners, step,
										   get_rel_name(parent->relid),
										   lfirst(cell)));
		owners->steps = lappend(owners->steps, step);
	}
	if (plan->table[t].owner != NULL)
		find_references(owners, plan, &plan->table[t]);
	if (owners->steps != NIL)
		find_kept(owners, plan, &plan->table[t], -1);
	return owners;
}
