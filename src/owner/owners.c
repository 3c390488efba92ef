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
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
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

#define MAX_COUNT	281474976710656.0	/* 2^48 */

/* ------------------------------------------------------------------ JSON */

static void
append_names(StringInfo json, bool first, const char *key, List *names)
{
	ListCell   *cell;

	appendStringInfo(json, "%s\"%s\": [", first ? "" : ", ", key);
	foreach(cell, names)
	{
		if (cell != list_head(names))
			appendStringInfoString(json, ", ");
		escape_json(json, lfirst(cell));
	}
	appendStringInfoChar(json, ']');
}

/*
 * gs_owners_save: as it is kept with a version, in the current context.
 */
Jsonb *
gs_owners_save(const GsOwners *owners)
{
	StringInfoData json;
	ListCell   *cell;

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"steps\": [");
	foreach(cell, owners->steps)
	{
		const GsOwnerStep *step = lfirst(cell);

		appendStringInfoString(&json, cell == list_head(owners->steps) ?
							   "{" : ", {");
		append_names(&json, true, "columns", step->columns);
		append_names(&json, false, "parent_columns", step->parent_columns);
		append_names(&json, false, "known", step->known);
		append_names(&json, false, "names", step->names);
		append_names(&json, false, "link", step->link);
		appendStringInfoChar(&json, '}');
	}
	appendStringInfoString(&json, "], ");
	append_names(&json, true, "columns", owners->columns);
	append_names(&json, false, "order_by", owners->order_by == NULL ? NIL :
				 list_make1(owners->order_by));
	append_names(&json, false, "before", owners->before);
	append_names(&json, false, "before_names", owners->before_names);
	if (owners->entity)
		appendStringInfo(&json, ", \"entities\": " INT64_FORMAT ", \"copied\": %s",
						 owners->nentities, owners->copied ? "true" : "false");
	for (int g = 0; g < owners->ngenerations; g++)
		appendStringInfo(&json, "%s" INT64_FORMAT, g == 0 ?
						 ", \"generations\": [" : ", ", owners->generation[g]);
	if (owners->ngenerations > 0)
		appendStringInfoChar(&json, ']');
	appendStringInfoChar(&json, '}');
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(json.data)));
}

static List *
read_names(JsonbContainer *object, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key),
													 &buffer);
	List	   *names = NIL;
	int			n = value != NULL && value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data) ?
		JsonContainerSize(value->val.binary.data) : -1;

	if (n < 0)
		gs_corrupted("The owners lack \"%s\".", key);
	for (int i = 0; i < n; i++)
	{
		JsonbValue *name = getIthJsonbValueFromContainer(value->val.binary.data,
														 i);

		if (name->type != jbvString)
			gs_corrupted("A name among \"%s\" of the owners is not a string.",
						 key);
		names = lappend(names, pnstrdup(name->val.string.val,
										name->val.string.len));
	}
	return names;
}

static int64
read_count(const JsonbValue *value)
{
	double		n;

	if (value->type != jbvNumeric || numeric_is_nan(value->val.numeric) ||
		numeric_is_inf(value->val.numeric))
		gs_corrupted("A number of owners is none.");
	n = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
										   NumericGetDatum(value->val.numeric)));
	if (!(n >= 1 && n <= MAX_COUNT))
		gs_corrupted("A number of owners is impossible.");
	return (int64) n;
}

/*
 * The owners of rows that belong to whoever has the same values.
 */
static void
read_entities(GsOwners *owners, JsonbContainer *root)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(root, "entities", 8,
													 &buffer);

	owners->entity = value != NULL;
	if (value == NULL)
		return;
	owners->nentities = read_count(value);
	if (list_length(owners->steps) != 1)
		gs_corrupted("The owners of entities are others.");
	value = getKeyJsonValueFromContainer(root, "copied", 6, &buffer);
	if (value == NULL || value->type != jbvBool)
		gs_corrupted("The owners lack \"%s\".", "copied");
	owners->copied = value->val.boolean;
}

/*
 * The generations of rows that belong to rows of their own table.
 */
static void
read_generations(GsOwners *owners, JsonbContainer *root)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(root, "generations", 11,
													 &buffer);
	int			n;

	if (value == NULL)
		return;
	n = value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data) ?
		JsonContainerSize(value->val.binary.data) : 0;
	if (n < 1 || n > GS_MAX_GENERATIONS || list_length(owners->steps) != 1 ||
		owners->entity)
		gs_corrupted("The generations are impossible.");
	owners->ngenerations = n;
	owners->generation = palloc(sizeof(int64) * n);
	for (int g = 0; g < n; g++)
		owners->generation[g] =
			read_count(getIthJsonbValueFromContainer(value->val.binary.data,
													 g));
}

static GsOwnerStep *
read_step(JsonbValue *value)
{
	GsOwnerStep *step = palloc(sizeof(GsOwnerStep));

	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		gs_corrupted("An owner is not an object.");
	step->columns = read_names(value->val.binary.data, "columns");
	step->parent_columns = read_names(value->val.binary.data,
									  "parent_columns");
	step->known = read_names(value->val.binary.data, "known");
	step->names = read_names(value->val.binary.data, "names");
	step->link = read_names(value->val.binary.data, "link");
	if (list_length(step->columns) != list_length(step->parent_columns) ||
		list_length(step->known) != list_length(step->names))
		gs_corrupted("The lists of an owner differ in length.");
	return step;
}

/*
 * gs_owners_load: the reverse, in the current context.  Errors:
 * data_corrupted.
 */
GsOwners *
gs_owners_load(const Jsonb *json)
{
	GsOwners   *owners = palloc0(sizeof(GsOwners));
	JsonbContainer *root = unconstify(JsonbContainer *, &json->root);
	JsonbValue	buffer;
	JsonbValue *steps;
	List	   *order_by;

	if (!JB_ROOT_IS_OBJECT(json))
		gs_corrupted("The owners are not an object.");
	steps = getKeyJsonValueFromContainer(root, "steps", 5, &buffer);
	if (steps == NULL || steps->type != jbvBinary ||
		!JsonContainerIsArray(steps->val.binary.data))
		gs_corrupted("The owners lack \"%s\".", "steps");
	for (int i = 0; i < JsonContainerSize(steps->val.binary.data); i++)
		owners->steps = lappend(owners->steps,
								read_step(getIthJsonbValueFromContainer(steps->val.binary.data,
																		i)));
	owners->columns = read_names(root, "columns");
	order_by = read_names(root, "order_by");
	if (order_by != NIL)
		owners->order_by = linitial(order_by);
	owners->before = read_names(root, "before");
	owners->before_names = read_names(root, "before_names");
	if (list_length(owners->before) != list_length(owners->before_names))
		gs_corrupted("The columns of the row before have other names.");
	read_entities(owners, root);
	read_generations(owners, root);
	for (int i = 0; i < list_length(owners->steps) && !owners->entity; i++)
		if (((GsOwnerStep *) list_nth(owners->steps, i))->columns == NIL)
			gs_corrupted("An owner has no key.");
	return owners;
}

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
 * gs_owners_are_there: whether a table's foreign keys lead to owners that the
 * caller may read and that have all that rows know of them; or, where they are
 * made, it has the columns that tell them apart.
 */
bool
gs_owners_are_there(const GsOwners *owners, Oid relid)
{
	GsStrange	strange;
	ListCell   *cell;

	foreach(cell, owners->steps)
	{
		const GsOwnerStep *step = lfirst(cell);

		if (!has_columns(relid, step->columns) ||
			(owners->ngenerations > 0 && !may_set(relid, step->parent_columns)))
			return false;
		if (owners->entity)
			break;
		relid = find_parent(relid, step);
		if (!OidIsValid(relid) || !has_columns(relid, step->known) ||
			pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK ||
			gs_strange_code(relid, GS_STRANGE_READ, &strange))
			return false;
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

static void
append_match(StringInfo query, const char *child, List *columns,
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
 * What rows know of their owners: columns to select, and the owners joined to
 * what from begins with, which may be nothing.
 */
static void
append_owners(const GsOwners *owners, Oid relid, StringInfo columns,
			  StringInfo from)
{
	const char *child = "c";
	int			level = 0;
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
			append_match(from, child, step->columns, alias,
						 step->parent_columns);
		forboth(known, step->known, name, step->names)
			appendStringInfo(columns, ", %s.%s AS %s", alias,
							 quote_identifier(lfirst(known)),
							 quote_identifier(lfirst(name)));
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
	append_owners(owners, relid, &columns, &from);
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
	append_match(&from, "c", step->columns, "o1", step->parent_columns);
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
 * whose keys are its parameters if there is one: these keys, in the types of the
 * rows' columns, and what rows know of them.  Errors: invalid_foreign_key.
 */
char *
gs_owners_query(const GsOwners *owners, Oid relid, bool after, int limit)
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
	append_owners(owners, relid, &columns, &from);
	for (int i = 0; after && i < list_length(step->parent_columns); i++)
		appendStringInfo(&from, "%s$%d%s", i == 0 ?
						 psprintf(" WHERE ROW(%s) " GS_OP(">") " ROW(", keys) :
						 ", ", i + 1,
						 i == list_length(step->parent_columns) - 1 ? ")" : "");
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
 * What the rows of an owner are ordered by: time, and within the same time as
 * they came.
 */
static char *
row_order(const GsOwners *owners, Oid relid)
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
	const char *order = row_order(owners, relid);
	/* of each owner, where there are few: there must be some of all */
	int64		first = owners->copied ? Max(limit / owners->nentities, 1) : 0;
	const char *window;
	const char *query;
	StringInfoData columns;
	StringInfoData from;
	GsSource   *source;
	TupleDesc	desc;
	ListCell   *cell;
	ListCell   *known;

	window = psprintf("%s%s%s%s", *keys == '\0' ? "" : "PARTITION BY", keys,
					  *order == '\0' ? "" : " ORDER BY", order);
	gs_owners_find_before(owners, relid, psprintf("%s c", name), window);
	initStringInfo(&columns);
	initStringInfo(&from);
	appendStringInfoChar(&columns, ' ');
	append_columns(&columns, "c", owners->columns);
	append_columns(&columns, "c", owners->others);
	appendStringInfo(&from, "%s c", name);
	append_owners(owners, relid, &columns, &from);
	forboth(cell, owners->before, known, owners->before_names)
		appendStringInfo(&columns, "%spg_catalog.lag(c.%s) OVER w AS %s",
						 columns.len > 1 ? ", " : "",
						 quote_identifier(lfirst(cell)),
						 quote_identifier(lfirst(known)));
	foreach(cell, owners->steps)
		*context = list_concat(*context,
							   ((const GsOwnerStep *) lfirst(cell))->names);
	*context = list_concat(*context, owners->before_names);
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
	/* what is a step from row to row, or to a generation, ends nowhere */
	source->endless = owners->ngenerations > 0 ? owners->columns :
		owners->regular ? list_make1(owners->order_by) : NIL;
	source->begins = palloc(extension->room);
	source->relid = relid;
	source->relation = pstrdup(name);
	source->text = source->relation;
	source->extend = extend_row;
	source->extend_arg = extension;
	return source;
}
