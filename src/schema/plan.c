/*
 * plan.c
 *	  In what order the tables of a schema are learned and made, and which of
 *	  them makes the rows of which.
 *
 *	pg_catalog -> tables and their foreign keys -> those taken over -> cycles
 *	cut -> owners -> order of rows -> order of tables
 *
 * Nothing but pg_catalog is read, and where a table was never analyzed the
 * number of its rows, as the caller.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "compat.h"
#include "catalog/access.h"
#include "catalog/catalog.h"
#include "catalog/strange.h"
#include "codec/styles.h"
#include "constraint/constraints.h"
#include "fit/fit.h"
#include "schema/plan.h"
#include "table/source.h"

/*
 * A table is taken over by itself up to so many rows, if each is referred to
 * so often on average.
 */
#define KEPT_ROWS		1000
#define KEPT_CHILDREN	10
/* Rows of a look-up table that may be an owner, where no other table is. */
#define OWNER_ROWS		50

/*
 * $1 names of schemas, $2 OIDs of relations to leave out, $4 of others to take.
 * Partitions belong to their table, and what an extension made to the extension.
 */
static const char tables_query[] =
"SELECT r.oid, GREATEST(r.reltuples, -1), EXISTS (SELECT"
" FROM pg_catalog.pg_attribute a WHERE a.attrelid " GS_EQ " r.oid"
" AND a.attnum " GS_OP(">") " 0 AND NOT a.attisdropped"
" AND a.attname::pg_catalog.text " GS_OP("~*") " $3)"
" FROM pg_catalog.pg_class r"
" JOIN pg_catalog.pg_namespace n ON n.oid " GS_EQ " r.relnamespace"
" WHERE (n.nspname::pg_catalog.text " GS_EQ " ANY ($1)"
" OR r.oid " GS_EQ " ANY ($4))"
" AND r.relkind " GS_EQ " ANY ('{r,p}'::pg_catalog.\"char\"[])"
" AND NOT r.relispartition AND NOT r.oid " GS_EQ " ANY ($2)"
" AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d"
" WHERE d.classid " GS_EQ " 'pg_catalog.pg_class'::pg_catalog.regclass"
" AND d.objid " GS_EQ " r.oid AND d.deptype " GS_EQ " 'e')"
" ORDER BY n.nspname, r.relname";

/* Columns that are named so are likely to say who somebody is. */
static const char personal_names[] =
"(^|_)(first|last|full|given|family|sur|middle|user|maiden)_?name($|_)"
"|e_?mail|phone|mobile|(^|_)(fax|ssn|iban|passport|login|password)($|_)"
"|birth|street|(^|_)address|social_security|tax_?(id|number)";

/* $1 the relation; $2 attribute numbers of a key: are all of them NOT NULL? */
static const char keys_query[] =
"SELECT c.conname, c.confrelid, c.condeferrable, c.confdeltype " GS_EQ " 'c',"
" (SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY u.i)"
" FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY AS u(k, i)"
" JOIN pg_catalog.pg_attribute a ON a.attrelid " GS_EQ " c.conrelid"
" AND a.attnum " GS_EQ " u.k),"
" (SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY u.i)"
" FROM pg_catalog.unnest(c.confkey) WITH ORDINALITY AS u(k, i)"
" JOIN pg_catalog.pg_attribute a ON a.attrelid " GS_EQ " c.confrelid"
" AND a.attnum " GS_EQ " u.k),"
" EXISTS (SELECT FROM pg_catalog.pg_attribute a"
" WHERE a.attrelid " GS_EQ " c.conrelid AND a.attnum " GS_EQ " ANY (c.conkey)"
" AND NOT a.attnotnull),"
" EXISTS (SELECT FROM pg_catalog.pg_constraint p"
" WHERE p.conrelid " GS_EQ " c.conrelid AND p.contype " GS_EQ " 'p'"
" AND p.conkey " GS_OP("@>") " c.conkey)"
" FROM pg_catalog.pg_constraint c WHERE c.conrelid " GS_EQ " $1"
" AND c.contype " GS_EQ " 'f' AND NOT EXISTS (SELECT"
" FROM pg_catalog.pg_constraint u WHERE u.oid " GS_EQ " c.conparentid"
" AND u.conrelid " GS_EQ " c.conrelid)"
" ORDER BY c.conname";

/*
 * $1 the relation: its unique indexes of whole, plain columns that are all NOT
 * NULL, those of a primary key first; the names and types of these columns.
 */
static const char unique_query[] =
"SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY u.i),"
" (pg_catalog.array_agg(a.atttypid ORDER BY u.i))[pg_catalog.count(*)]"
" FROM pg_catalog.pg_index x, LATERAL pg_catalog.unnest("
"x.indkey::pg_catalog.int2[]) WITH ORDINALITY AS u(k, i)"
" JOIN pg_catalog.pg_attribute a ON a.attrelid " GS_EQ " $1"
" AND a.attnum " GS_EQ " u.k WHERE x.indrelid " GS_EQ " $1 AND x.indisunique"
" AND x.indpred IS NULL AND x.indexprs IS NULL"
" AND u.i " GS_OP("<=") " x.indnkeyatts GROUP BY x.indexrelid, x.indisprimary"
" HAVING pg_catalog.bool_and(a.attnotnull)"
" ORDER BY x.indisprimary DESC, x.indexrelid";

/* $1 the relation: its columns of days and times that are NOT NULL. */
static const char times_query[] =
"SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a"
" WHERE a.attrelid " GS_EQ " $1 AND a.attnum " GS_OP(">") " 0"
" AND NOT a.attisdropped AND a.attnotnull AND a.atttypid " GS_EQ " ANY ("
"'{date,timestamp,timestamptz}'::pg_catalog.regtype[]::pg_catalog.oid[])"
" ORDER BY a.attnum";

static uint64
run_of(const char *query, Oid relid)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(relid);

	return gs_run(query, 1, &type, &value, NULL, true);
}

static List *
text_result(int row, int column, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *list = gs_text_list(gs_result(row, column, NULL));

	MemoryContextSwitchTo(old);
	return list;
}

static int
find_table(const GsSchemaPlan *plan, Oid relid)
{
	for (int t = 0; t < plan->n; t++)
		if (plan->table[t].relid == relid)
			return t;
	return -1;
}

/* ---------------------------------------------------------------- tables */

static Datum
oid_array(List *oids)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(oids), 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, oids)
		elements[n++] = ObjectIdGetDatum(lfirst_oid(cell));
	return PointerGetDatum(construct_array(elements, n, OIDOID, sizeof(Oid),
										   true, TYPALIGN_INT));
}

static void
read_tables(GsSchemaPlan *plan, List *schemas, List *exclude, List *others,
			MemoryContext context)
{
	Oid			types[] = {TEXTARRAYOID, OIDARRAYOID, TEXTOID, OIDARRAYOID};
	Datum		values[4];
	Datum	   *elements = palloc(sizeof(Datum) *
								  Max(list_length(schemas), 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, schemas)
		elements[n++] = CStringGetTextDatum(lfirst(cell));
	values[0] = PointerGetDatum(construct_array(elements, n, TEXTOID, -1,
												false, TYPALIGN_INT));
	values[1] = oid_array(exclude);
	values[2] = CStringGetTextDatum(personal_names);
	values[3] = oid_array(others);
	plan->n = (int) gs_run(tables_query, 4, types, values, NULL, true);
	plan->table = MemoryContextAllocZero(context, sizeof(GsPlanTable) *
										 Max(plan->n, 1));
	for (int t = 0; t < plan->n; t++)
	{
		GsPlanTable *table = &plan->table[t];

		table->relid = DatumGetObjectId(gs_result(t, 1, NULL));
		table->rows = DatumGetFloat4(gs_result(t, 2, NULL));
		table->personal = DatumGetBool(gs_result(t, 3, NULL));
	}
}

static void
tell_left_out(const GsPlanTable *table, const GsStrange *strange)
{
	const char *exclude = quote_literal_cstr(psprintf("{%s}", table->name));

	if (strange != NULL)
		ereport(NOTICE,
				(errmsg("table %s is left out: function %s of role \"%s\" would run as you",
						table->name, strange->function, strange->role),
				 errhint("SET ROLE to the table's owner, or do without the function in policies and in expressions of indexes and statistics.  To leave the table out without this notice: exclude => %s.",
						 exclude)));
	else
		ereport(NOTICE,
				(errmsg("table %s is left out: permission denied", table->name),
				 errhint("Its owner can allow it: GRANT SELECT ON %s TO %s.  To leave it out without this notice: exclude => %s.",
						 table->name,
						 quote_identifier(GetUserNameFromId(GetUserId(),
															false)), exclude)));
}

/*
 * Tables that the caller may not read are left out, with a NOTICE; and those
 * that are not named whose reading would run code of others.
 */
static void
check_rights(GsSchemaPlan *plan, Oid named, bool quiet)
{
	int			kept = 0;

	for (int t = 0; t < plan->n; t++)
	{
		GsPlanTable *table = &plan->table[t];
		GsStrange	strange;
		bool		allowed = pg_class_aclcheck(table->relid, GetUserId(),
												ACL_SELECT) == ACLCHECK_OK;

		if (allowed && (table->relid == named ||
						!gs_strange_code(table->relid, GS_STRANGE_READ,
										 &strange)))
			plan->table[kept++] = *table;
		else if (!quiet)
			tell_left_out(table, allowed ? &strange : NULL);
	}
	plan->n = kept;
}

static void
count_rows(GsPlanTable *table)
{
	if (table->rows >= 0)
		return;
	gs_run(psprintf("SELECT pg_catalog.count(*) FROM %s", table->name), 0,
		   NULL, NULL, NULL, true);
	table->rows = (double) DatumGetInt64(gs_result(0, 1, NULL));
}

static void
read_keys(const GsSchemaPlan *plan, GsPlanTable *table, MemoryContext context)
{
	uint64		n = run_of(keys_query, table->relid);

	for (uint64 i = 0; i < n; i++)
	{
		GsPlanKey  *key = MemoryContextAllocZero(context, sizeof(GsPlanKey));
		MemoryContext old;

		key->name = gs_result_text(i, 1, context);
		key->parent_relid = DatumGetObjectId(gs_result(i, 2, NULL));
		key->deferrable = DatumGetBool(gs_result(i, 3, NULL));
		key->cascades = DatumGetBool(gs_result(i, 4, NULL));
		key->columns = text_result(i, 5, context);
		key->parent_columns = text_result(i, 6, context);
		key->nullable = DatumGetBool(gs_result(i, 7, NULL));
		key->primary = DatumGetBool(gs_result(i, 8, NULL));
		key->parent = find_table(plan, key->parent_relid);
		key->use = key->parent < 0 ? GS_KEY_OUTSIDE :
			key->parent_relid == table->relid ? GS_KEY_SELF : GS_KEY_REFERENCE;
		old = MemoryContextSwitchTo(context);
		table->keys = lappend(table->keys, key);
		MemoryContextSwitchTo(old);
	}
}

/* ----------------------------------------------------------- what is kept */

/*
 * Whether a table may be taken over by itself: a small one, without a column
 * that is named like a person's, that refers to none but such tables and is
 * referred to often.
 */
static bool
is_lookup(const GsSchemaPlan *plan, int t)
{
	const GsPlanTable *table = &plan->table[t];
	ListCell   *cell;
	bool		referred = false;

	if (table->personal || table->rows > KEPT_ROWS || table->rows < 1)
		return false;
	foreach(cell, table->keys)
	{
		const GsPlanKey *key = lfirst(cell);

		if (key->use == GS_KEY_SELF ||
			(key->parent >= 0 &&
			 plan->table[key->parent].role != GS_TABLE_KEPT))
			return false;
	}
	for (int other = 0; other < plan->n; other++)
		foreach(cell, plan->table[other].keys)
			referred |= ((const GsPlanKey *) lfirst(cell))->parent == t &&
				plan->table[other].rows >= KEPT_CHILDREN * table->rows;
	return referred;
}

static void
find_kept(GsSchemaPlan *plan)
{
	bool		more = true;
	ListCell   *cell;

	while (more)
	{
		more = false;
		for (int t = 0; t < plan->n; t++)
		{
			GsPlanTable *table = &plan->table[t];

			if (table->role == GS_TABLE_KEPT || table->remake ||
				!is_lookup(plan, t))
				continue;
			table->role = GS_TABLE_KEPT;
			plan->notes = lappend(plan->notes,
								  psprintf("table %s is taken over as it is: it is small, often referred to, and no column is named like a person's; option \"remake\" makes it anew",
										   table->name));
			more = true;
		}
	}
	for (int t = 0; t < plan->n; t++)
		foreach(cell, plan->table[t].keys)
		{
			GsPlanKey  *key = lfirst(cell);

			if (key->parent < 0 || key->use == GS_KEY_SELF)
				continue;
			if (plan->table[key->parent].role == GS_TABLE_KEPT)
				key->use = GS_KEY_KEPT;
			else if (plan->table[t].role == GS_TABLE_KEPT)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("table %s cannot be kept: it refers to %s, which is made anew",
								plan->table[t].name,
								plan->table[key->parent].name),
						 errhint("Keep that one, too, or neither.")));
		}
}

/* ------------------------------------------------------ cycles and order */

static bool
is_edge(const GsPlanKey *key)
{
	return key->use == GS_KEY_REFERENCE || key->use == GS_KEY_OWNER ||
		key->use == GS_KEY_KEPT;
}

/*
 * Whether a table leads to another one over keys of tables that are not
 * placed yet.
 */
static bool
leads_to(const GsSchemaPlan *plan, const bool *placed, bool *visited, int from,
		 int to)
{
	ListCell   *cell;

	check_stack_depth();
	if (from == to)
		return true;
	if (visited[from] || placed[from])
		return false;
	visited[from] = true;
	foreach(cell, plan->table[from].keys)
	{
		const GsPlanKey *key = lfirst(cell);

		if (is_edge(key) && leads_to(plan, placed, visited, key->parent, to))
			return true;
	}
	return false;
}

/*
 * Finds a key on a cycle of tables that are not placed, and sets it late: a
 * nullable one, or else one that may be checked at the end.
 */
static void
cut_cycle(const GsSchemaPlan *plan, const bool *placed)
{
	GsPlanKey  *found = NULL;
	StringInfoData names;

	initStringInfo(&names);
	for (int t = 0; t < plan->n; t++)
	{
		ListCell   *cell;

		if (placed[t])
			continue;
		foreach(cell, plan->table[t].keys)
		{
			GsPlanKey  *key = lfirst(cell);
			bool	   *visited = palloc0(plan->n);

			if (!is_edge(key) || placed[key->parent] ||
				!leads_to(plan, placed, visited, key->parent, t))
				continue;
			appendStringInfo(&names, "%s\"%s\" of %s", names.len > 0 ? ", " : "",
							 key->name, plan->table[t].name);
			if ((key->nullable && (found == NULL || !found->nullable)) ||
				(key->deferrable && found == NULL))
				found = key;
		}
	}
	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("foreign keys refer to each other in a cycle: %s",
						names.data),
				 errhint("Make one of their columns nullable, or one of the constraints DEFERRABLE, or leave a table out with exclude.")));
	found->use = GS_KEY_LATE;
}

/*
 * Puts parents before their children; otherwise the order stays.
 */
static void
sort_tables(GsSchemaPlan *plan)
{
	bool	   *placed = palloc0(Max(plan->n, 1));
	int		   *order = palloc(sizeof(int) * Max(plan->n, 1));
	int		   *position = palloc(sizeof(int) * Max(plan->n, 1));
	GsPlanTable *sorted = palloc(sizeof(GsPlanTable) * Max(plan->n, 1));
	int			n = 0;
	ListCell   *cell;

	while (n < plan->n)
	{
		int			before = n;

		CHECK_FOR_INTERRUPTS();
		for (int t = 0; t < plan->n; t++)
		{
			bool		ready = !placed[t];

			foreach(cell, plan->table[t].keys)
			{
				const GsPlanKey *key = lfirst(cell);

				ready &= !is_edge(key) || placed[key->parent];
			}
			if (!ready)
				continue;
			placed[t] = true;
			position[t] = n;
			order[n++] = t;
		}
		if (n == before)
			cut_cycle(plan, placed);
	}
	for (int i = 0; i < n; i++)
		sorted[i] = plan->table[order[i]];
	for (int i = 0; i < n; i++)
	{
		plan->table[i] = sorted[i];
		foreach(cell, plan->table[i].keys)
		{
			GsPlanKey  *key = lfirst(cell);

			if (key->parent >= 0)
				key->parent = position[key->parent];
		}
	}
}

/* ------------------------------------------------------ owners and order */

static bool
is_better_owner(const GsSchemaPlan *plan, const GsPlanKey *key,
				const GsPlanKey *than)
{
	if (than == NULL)
		return true;
	if (key->cascades != than->cascades)
		return key->cascades;
	if (key->primary != than->primary)
		return key->primary;
	/* of more children each */
	return plan->table[key->parent].rows < plan->table[than->parent].rows;
}

/*
 * Whether a key leads to a table of too few rows to learn from.
 */
static bool
is_few(const GsSchemaPlan *plan, const GsPlanKey *key)
{
	GsTableRole role = plan->table[key->parent].role;

	return role == GS_TABLE_EMPTY || role == GS_TABLE_INVENTED;
}

static void
find_owner(const GsSchemaPlan *plan, GsPlanTable *table)
{
	GsPlanKey  *owner = table->owner;
	ListCell   *cell;

	if (owner != NULL && (owner->use != GS_KEY_REFERENCE || owner->nullable ||
						  is_few(plan, owner)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("foreign key \"%s\" cannot own the rows of %s",
						owner->name, table->name),
				 errhint("Name one that is NOT NULL, to another table that is made before.")));
	foreach(cell, owner == NULL ? table->keys : NIL)
	{
		GsPlanKey  *key = lfirst(cell);

		if (key->use == GS_KEY_REFERENCE && !key->nullable &&
			!is_few(plan, key) && is_better_owner(plan, key, owner))
			owner = key;
	}
	if (owner == NULL)
		return;
	owner->use = GS_KEY_OWNER;
	table->owner = owner;
	table->role = GS_TABLE_CHILD;
}

static bool
is_counted(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID;
}

/*
 * The order of rows that belong together: that of the last column of a key
 * which begins with the columns that say to whom (a line's number, a reading's
 * time), or else the first day or time that all rows have.  A table whose
 * primary key is a day or time by itself is one long series.
 */
static void
find_order(const GsSchemaPlan *plan, GsPlanTable *table,
		   MemoryContext context)
{
	uint64		n = run_of(unique_query, table->relid);

	for (uint64 i = 0; i < n && table->order_by == NULL; i++)
	{
		List	   *names = text_result(i, 1, context);
		char	   *last = llast(names);
		List	   *owner = table->owner != NULL ? table->owner->columns :
			table->sequence_key;
		Oid			type = DatumGetObjectId(gs_result(i, 2, NULL));
		bool		fits = is_counted(type) && (list_length(names) > 1 ||
												(i == 0 && type != INT2OID &&
												 type != INT4OID &&
												 type != INT8OID));
		ListCell   *cell;

		names = list_truncate(names, list_length(names) - 1);
		foreach(cell, owner)
			fits &= gs_is_named(names, lfirst(cell));
		if (!fits || (owner != NIL && list_length(owner) != list_length(names)))
			continue;
		table->order_by = last;
		if (owner == NIL)
			table->sequence_key = names;
	}
	if (table->order_by == NULL &&
		(table->owner != NULL || table->sequence_key != NIL) &&
		run_of(times_query, table->relid) > 0)
		table->order_by = gs_result_text(0, 1, context);
	if (table->owner == NULL && table->role == GS_TABLE_ROOT &&
		table->order_by == NULL && table->sequence_key == NIL &&
		run_of(times_query, table->relid) > 0)
		gs_plan_find_series(plan, table, gs_result_text(0, 1, context),
							context);
	if (table->owner == NULL && table->role == GS_TABLE_ROOT &&
		(table->order_by != NULL || table->sequence_key != NIL))
		table->role = GS_TABLE_SEQUENCE;
}

/*
 * Names, numbers of rows and keys of tables that may be read.  named: the one
 * that they belong to, or InvalidOid for those of schemas.
 */
static void
describe_tables(GsSchemaPlan *plan, Oid named, MemoryContext context)
{
	bool		quiet = OidIsValid(named);

	for (int t = 0; t < plan->n; t++)
		plan->table[t].name = gs_relation_name(plan->table[t].relid, NULL);
	check_rights(plan, named, quiet);
	for (int t = 0; t < plan->n; t++)
	{
		/* nothing is kept of one table alone */
		if (!quiet || plan->n > 1)
			count_rows(&plan->table[t]);
		read_keys(plan, &plan->table[t], context);
	}
	MemoryContextSwitchTo(context);
}

/* $1 a relation: it, and those that foreign keys lead to from it. */
static const char ancestors_query[] =
"WITH RECURSIVE t AS (SELECT $1 AS oid UNION SELECT c.confrelid"
" FROM pg_catalog.pg_constraint c JOIN t ON c.conrelid " GS_EQ " t.oid"
" WHERE c.contype " GS_EQ " 'f') SELECT t.oid FROM t LIMIT 64";

/*
 * Where a table refers to nothing but look-up tables, the largest of them may
 * own its rows.
 */
static void
find_kept_owner(const GsSchemaPlan *plan, GsPlanTable *table)
{
	GsPlanKey  *largest = NULL;
	ListCell   *cell;

	foreach(cell, table->owner == NULL ? table->keys : NIL)
	{
		GsPlanKey  *key = lfirst(cell);

		if (key->use == GS_KEY_KEPT && !key->nullable &&
			plan->table[key->parent].rows >= OWNER_ROWS &&
			(largest == NULL || plan->table[key->parent].rows >
			 plan->table[largest->parent].rows))
			largest = key;
	}
	if (largest == NULL)
		return;
	largest->use = GS_KEY_OWNER;
	table->owner = largest;
	table->role = GS_TABLE_CHILD;
}

/*
 * gs_table_plan: the plan for one table, the last one, and those that it leads
 * to, in the current context; none that the caller may not read.  To be called
 * within an SPI connection.  Errors: feature_not_supported for a cycle that
 * cannot be cut.
 */
GsSchemaPlan *
gs_table_plan(Oid relid, int *t)
{
	MemoryContext context = CurrentMemoryContext;
	GsSchemaPlan *plan = palloc0(sizeof(GsSchemaPlan));
	int			level = gs_fix_names();
	List	   *oids = NIL;
	GsPlanTable *table;
	uint64		n;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	n = run_of(ancestors_query, relid);
	for (uint64 i = 0; i < n; i++)
		oids = lappend_oid(oids, DatumGetObjectId(gs_result(i, 1, NULL)));
	read_tables(plan, NIL, NIL, oids, context);
	MemoryContextSwitchTo(context);
	describe_tables(plan, relid, context);
	find_kept(plan);
	if (plan->n > 1)
		gs_plan_find_few(plan, gs_fit_least("auto", NULL));
	MemoryContextSwitchTo(context);
	sort_tables(plan);
	*t = find_table(plan, relid);
	for (int i = 0; i < plan->n; i++)
	{
		table = &plan->table[i];
		if (i != *t && table->role != GS_TABLE_ROOT)
			continue;
		find_owner(plan, table);
		/* its parents may be others in the target */
		if (i == *t)
			find_kept_owner(plan, table);
		find_order(plan, table, context);
		MemoryContextSwitchTo(context);
	}
	SPI_finish();
	gs_end_settings(level);
	return plan;
}

/*
 * gs_schema_plan: the plan for the tables of schemas, in the current context.
 *
 * schemas: C strings.  exclude: OIDs of relations.  method: of the fits to come;
 * json: options: see schema.sql.
 * To be called within an SPI connection.  Errors: undefined_schema,
 * undefined_table if nothing is left; those of options; feature_not_supported
 * for a cycle that cannot be cut.
 */
GsSchemaPlan *
gs_schema_plan(List *schemas, List *exclude, const char *method,
			   const Jsonb *json)
{
	MemoryContext context = CurrentMemoryContext;
	GsSchemaPlan *plan = palloc0(sizeof(GsSchemaPlan));
	int			level;
	ListCell   *cell;

	if (schemas == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("schemas must not be null"),
				 errhint("Name schemas with tables, such as '{shop}'.")));
	foreach(cell, schemas)
		get_namespace_oid(lfirst(cell), false);
	level = gs_fix_names();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	read_tables(plan, schemas, exclude, NIL, context);
	MemoryContextSwitchTo(context);
	describe_tables(plan, InvalidOid, context);
	if (plan->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no table to learn in the schemas"),
				 errhint("Name schemas with tables, such as '{shop}'.")));
	gs_plan_read_options(plan, json);
	find_kept(plan);
	gs_plan_find_few(plan, gs_fit_least(method, gs_plan_fit_options(json)));
	MemoryContextSwitchTo(context);
	sort_tables(plan);
	for (int t = 0; t < plan->n; t++)
	{
		GsPlanTable *table = &plan->table[t];

		if (table->role != GS_TABLE_ROOT)
			continue;
		find_owner(plan, table);
		/* its rows make series of their own */
		if (run_of(times_query, table->relid) > 0)
			find_kept_owner(plan, table);
		find_order(plan, table, context);
		MemoryContextSwitchTo(context);
	}
	SPI_finish();
	gs_end_settings(level);
	return plan;
}
