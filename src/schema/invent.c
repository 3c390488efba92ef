/*
 * invent.c
 *	  Rows of a table that has too few to learn from, where others need some.
 *
 * Nothing that its rows say is looked at: values come from what types, CHECK
 * constraints and names of columns tell, which everybody may read in
 * pg_catalog.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalog/access.h"
#include "fit/learnable.h"
#include "fit/private.h"
#include "mask/kind_type.h"
#include "mask/pii.h"
#include "owner/entity.h"
#include "schema/invent.h"
#include "schema/plan.h"

/*
 * Whether a table whose rows are made has a foreign key to another one that
 * cannot be NULL.
 */
static bool
is_needed(const GsSchemaPlan *plan, int parent)
{
	ListCell   *cell;

	for (int t = 0; t < plan->n; t++)
		foreach(cell, plan->table[t].role == GS_TABLE_EMPTY ? NIL :
				plan->table[t].keys)
		{
			const GsPlanKey *key = lfirst(cell);

			/* of several columns, some may not be */
			if (key->parent == parent && key->use != GS_KEY_SELF &&
				!key->link &&
				(!key->nullable || list_length(key->columns) > 1))
				return true;
		}
	return false;
}

/*
 * gs_plan_find_few: tables that have fewer rows than can be learned from are
 * left empty, or, if rows must refer to them, made up.
 *
 * least: rows that a fit needs.  To be called within an SPI connection.
 */
void
gs_plan_find_few(const GsSchemaPlan *plan, int64 least)
{
	bool		more = true;

	for (int t = 0; t < plan->n; t++)
	{
		GsPlanTable *table = &plan->table[t];

		if (table->role == GS_TABLE_KEPT)
			continue;
		table->few = gs_run(psprintf("SELECT FROM %s LIMIT " INT64_FORMAT,
									 table->name, least), 0, NULL, NULL, NULL,
							true);
		if (table->few < least)
			table->role = GS_TABLE_EMPTY;
	}
	while (more)
	{
		more = false;
		for (int t = 0; t < plan->n; t++)
			if (plan->table[t].role == GS_TABLE_EMPTY &&
				plan->table[t].few > 0 && is_needed(plan, t))
			{
				plan->table[t].role = GS_TABLE_INVENTED;
				more = true;
			}
	}
}

/* The kind that a column's name likely says; NULL: none. */
static const GsKind *
kind_of(const GsColumn *column)
{
	const GsKind *kind = NULL;
	const char *reason;
	GsPiiName	says;
	int			most = 1;

	gs_pii_name(column->name, strlen(column->name), &says);
	for (int k = 0; k < GS_KIND_COUNT; k++)
		if (says.strength[k] > most &&
			gs_kind_fits_type(&gs_kinds[k], column->declared, column->typmod,
							  &reason))
		{
			kind = &gs_kinds[k];
			most = says.strength[k];
		}
	return kind;
}

/*
 * One of the values that are all there are, in turn; NULL where they are of
 * another type than texts and whole numbers.
 */
static char *
listed_value(const GsPublic *public)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int l = 0; l < public->nlevels; l++)
	{
		if (public->lane == GS_LANE_TEXT)
			appendStringInfo(&list, "%s%s", l > 0 ? ", " : "",
							 quote_literal_cstr(public->text[l]));
		else if (public->lane == GS_LANE_INT)
			appendStringInfo(&list, "%s'" INT64_FORMAT "'", l > 0 ? ", " : "",
							 public->level[l].i);
		else
			return NULL;
	}
	return psprintf("(ARRAY[%s]::pg_catalog.text[])[1 " GS_PLUS " (i "
					GS_OP("%%") " %d)]", list.data, public->nlevels);
}

/*
 * A number within its ends, or a day or time.
 *
 * type: to count in; start: where there are no ends; step: from row to row
 */
static char *
ended_value(const GsColumn *column, const GsPublic *public, const char *type,
			const char *start, const char *step)
{
	char	   *end[2] = {NULL, NULL};
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(column->codec.type, &output, &varlena);
	for (int e = 0; e < 2; e++)
		if (public->has[e])
			end[e] = psprintf("%s::%s", quote_literal_cstr(OidOutputFunctionCall(output, public->end[e])),
							  type);
	if (end[0] != NULL && end[1] != NULL)
		return psprintf("%s " GS_PLUS " ((%s " GS_OP("-") " %s) " GS_OP("*")
						" (i " GS_OP("/") " %d.0)%s)", end[0], end[1], end[0],
						GS_INVENTED_ROWS + 1,
						strcmp(type, "pg_catalog.numeric") == 0 ? "" :
						"::pg_catalog.float8");
	if (end[1] != NULL)
		return psprintf("%s " GS_OP("-") " (i " GS_OP("*") " %s)", end[1],
						step);
	return psprintf("%s " GS_PLUS " (i " GS_OP("*") " %s)",
					end[0] != NULL ? end[0] : start, step);
}

/*
 * A value of a type, for row i, as SQL; NULL if there is none for such a type.
 */
static char *
typed_value(const GsColumn *column, const GsPublic *public)
{
	Oid			type = column->codec.type;
	char		category;
	bool		preferred;
	const char *name = quote_literal_cstr(psprintf("%s ", column->name));

	if (type == BOOLOID)
		return "(i " GS_OP("%") " 2) " GS_EQ " 1";
	if (get_typtype(type) == TYPTYPE_ENUM)
		return psprintf("(pg_catalog.enum_range(NULL::%s))[1 " GS_PLUS " (i "
						GS_OP("%%") " pg_catalog.cardinality(pg_catalog.enum_range(NULL::%s)))]",
						column->base_name, column->base_name);
	get_type_category_preferred(type, &category, &preferred);
	switch (category)
	{
		case TYPCATEGORY_NUMERIC:
			return ended_value(column, public, "pg_catalog.numeric", "0", "1");
		case TYPCATEGORY_STRING:
			return psprintf("pg_catalog.concat(%s, i)", name);
		case TYPCATEGORY_DATETIME:
			if (type == TIMEOID || type == TIMETZOID)
				return "'08:00'::pg_catalog.time " GS_PLUS " (i " GS_OP("*")
					" '1 hour'::pg_catalog.interval)";
			return ended_value(column, public, type == TIMESTAMPTZOID ?
							   "pg_catalog.timestamptz" : "pg_catalog.timestamp",
							   "'2000-01-01'::pg_catalog.timestamp",
							   "'1 day'::pg_catalog.interval");
		case TYPCATEGORY_TIMESPAN:
			return "i " GS_OP("*") " '1 day'::pg_catalog.interval";
		default:
			break;
	}
	if (type == UUIDOID)
		return psprintf("pg_catalog.md5(pg_catalog.concat(%s, i))", name);
	if (type == JSONOID || type == JSONBOID)
		return "'{}'";
	return NULL;
}

static char *
invented_value(const GsSource *source, int c, Relation relation,
			   const char *functions)
{
	GsColumn	column;
	GsPublic	public = {.nullable = true};
	const GsKind *kind;
	char	   *value = NULL;

	gs_learnable_column(source, c, &column);
	gs_public_checks(relation, &column, gs_private_column_of(source, c),
					 &public);
	kind = kind_of(&column);
	if (public.kind == GS_PUBLIC_LEVELS && public.nlevels > 0)
		value = listed_value(&public);
	if (value == NULL && kind != NULL)
		value = psprintf("%s.synth_fake('%s', pg_catalog.concat(%s, i))",
						 functions, kind->name,
						 quote_literal_cstr(RelationGetRelationName(relation)));
	if (value == NULL)
		value = typed_value(&column, &public);
	return psprintf("(%s)::%s AS %s", value == NULL ? "NULL" : value,
					column.type_name, quote_identifier(column.name));
}

/* The schema that our own functions are in. */
static const char functions_query[] =
"SELECT n.nspname::pg_catalog.text FROM pg_catalog.pg_extension e"
" JOIN pg_catalog.pg_namespace n ON n.oid " GS_EQ " e.extnamespace"
" WHERE e.extname " GS_EQ " 'gensynth'";

/*
 * Rows of columns of a table, all of them where names is NIL.
 *
 * besides: SQL of others; n: how many rows
 */
static GsSource *
invent(Oid relid, List *names, const char *besides, int64 n)
{
	char	   *name = gs_relation_name(relid, NULL);
	MemoryContext context = CurrentMemoryContext;
	List	   *notes = NIL;
	GsSource   *table = gs_learnable_source(name, NIL, NIL, &notes);
	Relation	relation = relation_open(relid, AccessShareLock);
	const char *functions;
	StringInfoData query;

	gs_run(functions_query, 0, NULL, NULL, NULL, true);
	functions = quote_identifier(gs_result_text(0, 1, context));
	MemoryContextSwitchTo(context);
	initStringInfo(&query);
	for (int c = 0; c < table->desc->natts; c++)
		if (names == NIL ||
			gs_is_named(names, NameStr(TupleDescAttr(table->desc, c)->attname)))
			appendStringInfo(&query, "%s%s", query.len == 0 ? "SELECT " : ", ",
							 invented_value(table, c, relation, functions));
	relation_close(relation, NoLock);
	return gs_source_open(psprintf("%s%s FROM pg_catalog.generate_series(1, " INT64_FORMAT ") AS i",
								   query.data, besides, n), NIL, NIL);
}

/*
 * gs_invent_source: rows of a table, made up, in the current context.  To be
 * called within an SPI connection.
 */
GsSource *
gs_invent_source(Oid relid)
{
	GsSource   *source = invent(relid, NIL, "", GS_INVENTED_ROWS);

	source->relid = relid;
	source->text = source->relation = gs_relation_name(relid, NULL);
	return source;
}

/*
 * gs_invent_entities: the same of entities that a table has rows of, with as
 * many rows each.
 */
GsSource *
gs_invent_entities(const GsOwners *owners, Oid relid)
{
	return invent(relid, gs_owners_entity_columns(owners),
				  psprintf(", (SELECT pg_catalog.count(*) FROM %s) " GS_OP("/") " " INT64_FORMAT " AS %s",
						   gs_relation_name(relid, NULL), owners->nentities,
						   quote_identifier(GS_OWNERS_COUNT)),
				  owners->nentities);
}
