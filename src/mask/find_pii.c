/*
 * find_pii.c
 *	  synth_find_pii: personal columns of a table, a schema, or all that one
 *	  may read; as the caller.
 *
 * Of each relation some SAMPLE_ROWS rows are read, of a large one from blocks
 * here and there (TABLESAMPLE).  Documents are looked at by path, arrays by
 * element.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/jsonapi.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rls.h"
#include "utils/varlena.h"

#include "catalog/access.h"
#include "catalog/strange.h"
#include "compat.h"
#include "mask/find_pii.h"

GS_FUNCTION(synth_find_pii);

#define SAMPLE_ROWS		1000	/* half as many again at most */
#define PROBE_BLOCKS	16		/* that tell how many rows a block has */
#define MOST_PATHS		200		/* of a column of documents */
#define VALUE_BYTES		65536	/* of values that are looked at */

/* A column, or a path within one. */
typedef struct PiiItem
{
	const char *path;			/* NULL: the column itself */
	GsPiiName	name;
	GsPiiType	type;
	GsPiiTally	tally;
} PiiItem;

typedef struct Column
{
	char	   *name;
	Oid			type;			/* of its values, or of the array's elements */
	bool		array;
	bool		document;		/* json, jsonb */
	PiiItem	   *self;			/* NULL: a document */
	List	   *items;			/* of PiiItem: self, or paths */
	FmgrInfo	output;			/* of the elements */
	int16		length;
	bool		byval;
	char		align;
} Column;

typedef struct Finder
{
	MemoryContext context;
	const GsPiiWords *words;
	Oid			relid;
	bool		person;
	List	   *columns;		/* of Column */
} Finder;

/*
 * $1 the relation: its columns that the caller may read, what they are by
 * themselves or as domains, and whether one is unique by itself.
 */
static const char columns_query[] =
"SELECT a.attname::pg_catalog.text, a.atttypid, t.typname::pg_catalog.text,"
" EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid " GS_EQ
" a.attrelid AND x.indisunique AND x.indpred IS NULL AND x.indnkeyatts "
GS_EQ " 1 AND x.indkey[0] " GS_EQ " a.attnum)"
" FROM pg_catalog.pg_attribute a"
" LEFT JOIN pg_catalog.pg_type t ON t.oid " GS_EQ " a.atttypid"
" AND t.typtype " GS_EQ " 'd'"
" WHERE a.attrelid " GS_EQ " $1 AND a.attnum " GS_OP(">") " 0"
" AND NOT a.attisdropped"
" AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')"
" ORDER BY a.attnum";

/* $1 the relation: its blocks, with those of its partitions. */
static const char blocks_query[] =
"SELECT (pg_catalog.sum(pg_catalog.pg_relation_size(r)) "
GS_OP("/") " pg_catalog.current_setting('block_size')::pg_catalog.int8)"
"::pg_catalog.float8 FROM (SELECT $1::pg_catalog.regclass AS r UNION ALL"
" SELECT p.relid FROM pg_catalog.pg_partition_tree($1) p"
" WHERE p.isleaf AND p.relid " GS_NE " $1) s";

/* $1 a schema's name, or NULL: tables that the caller may read. */
static const char relations_query[] =
"SELECT c.oid FROM pg_catalog.pg_class c"
" JOIN pg_catalog.pg_namespace n ON n.oid " GS_EQ " c.relnamespace"
" WHERE ($1 IS NULL OR n.nspname::pg_catalog.text " GS_EQ " $1)"
" AND n.nspname " GS_NE " ALL"
" ('{pg_catalog,information_schema,gensynth}'::pg_catalog.name[])"
" AND n.nspname::pg_catalog.text " GS_OP("!~") " '^pg_t(oast|emp)'"
" AND c.relkind " GS_EQ " ANY ('{r,p,m}'::pg_catalog.\"char\"[])"
" AND NOT c.relispartition"
" AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
" AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')"
" ORDER BY n.nspname, c.relname";

/* What a type's values could be; false: nothing that is looked for. */
static bool
describe_type(Oid type, GsPiiType *is)
{
	char		category;
	bool		preferred;

	switch (type)
	{
		case INT4OID:
		case INT8OID:
			is->fits = GS_FITS_DIGITS;
			return true;
		case NUMERICOID:
			is->fits = GS_FITS_DIGITS | GS_FITS_NUMBER;
			return true;
		case FLOAT4OID:
		case FLOAT8OID:
			is->fits = GS_FITS_NUMBER;
			return true;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			is->fits = GS_FITS_DATE;
			return true;
		case UUIDOID:
			is->fits = GS_FITS_UUID;
			return true;
		case INETOID:
		case CIDROID:
			is->fits = GS_FITS_INET;
			return true;
		case MACADDROID:
			is->fits = GS_FITS_MACADDR;
			return true;
		case POINTOID:
			is->fits = GS_FITS_POINT;
			return true;
		default:
			get_type_category_preferred(type, &category, &preferred);
			is->text = category == TYPCATEGORY_STRING ||
				category == TYPCATEGORY_ENUM;
			return is->text;
	}
}

static PiiItem *
new_item(Column *column, const char *path)
{
	PiiItem	   *item = palloc0(sizeof(PiiItem));

	item->path = path;
	column->items = lappend(column->items, item);
	return item;
}

/* A column as it is to be read; NULL where its type is not looked at. */
static Column *
new_column(char *name, Oid type, const char *domain, bool unique)
{
	Column	   *column = palloc0(sizeof(Column));
	GsPiiType	is = {0};
	Oid			output;
	bool		varlena;

	column->name = name;
	column->type = getBaseType(type);
	column->array = OidIsValid(get_element_type(column->type));
	if (column->array)
		column->type = getBaseType(get_element_type(column->type));
	column->document = column->type == JSONOID || column->type == JSONBOID;
	if (!column->document && !describe_type(column->type, &is))
		return NULL;
	getTypeOutputInfo(column->type, &output, &varlena);
	fmgr_info(output, &column->output);
	get_typlenbyvalalign(column->type, &column->length, &column->byval,
						 &column->align);
	if (!column->document)
	{
		column->self = new_item(column, column->array ? "[*]" : NULL);
		column->self->type = is;
		column->self->type.unique = unique && !column->array;
		gs_pii_name(name, strlen(name), &column->self->name);
		if (domain)
			gs_pii_name_also(domain, strlen(domain), &column->self->name);
	}
	return column;
}

/* Parsing of one document. */
typedef struct Walk
{
	Finder	   *finder;
	Column	   *column;
	JsonLexContext *lexer;
	StringInfoData path;
	List	   *lengths;		/* of the path before each level */
	const char *key;			/* the last of the path */
} Walk;

static GS_JSON_ACTION
field_start(void *state, char *name, bool isnull)
{
	Walk	   *walk = state;

	walk->lengths = lappend_int(walk->lengths, walk->path.len);
	appendStringInfo(&walk->path, ".%s", name);
	walk->key = name;
	return GS_JSON_ACTION_DONE;
}

static GS_JSON_ACTION
element_start(void *state, bool isnull)
{
	Walk	   *walk = state;

	walk->lengths = lappend_int(walk->lengths, walk->path.len);
	appendStringInfoString(&walk->path, "[*]");
	return GS_JSON_ACTION_DONE;
}

static GS_JSON_ACTION
element_end(void *state, bool isnull)
{
	Walk	   *walk = state;

	walk->path.len = llast_int(walk->lengths);
	walk->path.data[walk->path.len] = '\0';
	walk->lengths = list_delete_last(walk->lengths);
	return GS_JSON_ACTION_DONE;
}

static GS_JSON_ACTION
field_end(void *state, char *name, bool isnull)
{
	return element_end(state, isnull);
}

static PiiItem *
item_of_path(Walk *walk, bool text)
{
	MemoryContext old;
	PiiItem	   *item;
	ListCell   *cell;

	foreach(cell, walk->column->items)
	{
		item = lfirst(cell);
		if (strcmp(item->path, walk->path.data) == 0)
			return item;
	}
	if (list_length(walk->column->items) >= MOST_PATHS)
		return NULL;
	old = MemoryContextSwitchTo(walk->finder->context);
	item = new_item(walk->column, pstrdup(walk->path.data));
	item->type.text = text;
	item->type.fits = text ? 0 : GS_FITS_DIGITS | GS_FITS_NUMBER;
	if (walk->key)
		gs_pii_name(walk->key, strlen(walk->key), &item->name);
	MemoryContextSwitchTo(old);
	return item;
}

static void
tally(Finder *finder, PiiItem *item, const char *text)
{
	/* the lists are in UTF-8; of other encodings ASCII is the same */
	gs_pii_tally(&item->tally, item->type.text ? finder->words : NULL, text,
				 Min(strlen(text), VALUE_BYTES));
}

static GS_JSON_ACTION
scalar(void *state, char *token, JsonTokenType type)
{
	Walk	   *walk = state;
	PiiItem	   *item;

	if ((type == JSON_TOKEN_STRING || type == JSON_TOKEN_NUMBER) &&
		token[0] != '\0')
	{
		item = item_of_path(walk, type == JSON_TOKEN_STRING);
		if (item && item->type.text == (type == JSON_TOKEN_STRING))
			tally(walk->finder, item, token);
	}
	return GS_JSON_ACTION_DONE;
}

static void
tally_document(Finder *finder, Column *column, const char *text)
{
	JsonSemAction actions = {0};
	Walk		walk = {0};

	walk.finder = finder;
	walk.column = column;
	walk.lexer = gs_json_lexer(unconstify(char *, text), strlen(text));
	initStringInfo(&walk.path);
	appendStringInfoString(&walk.path, column->array ? "[*]" : "$");
	actions.semstate = &walk;
	actions.object_field_start = field_start;
	actions.object_field_end = field_end;
	actions.array_element_start = element_start;
	actions.array_element_end = element_end;
	actions.scalar = scalar;
	/* what the parser does not take tells nothing */
	(void) pg_parse_json(walk.lexer, &actions);
}

static void
tally_datum(Finder *finder, Column *column, Datum value)
{
	char	   *text;

	/* a date looks like one whoever's it is */
	if (column->self && column->self->type.fits & GS_FITS_DATE)
	{
		column->self->tally.values++;
		return;
	}
	text = OutputFunctionCall(&column->output, value);
	if (column->document)
		tally_document(finder, column, text);
	else
		tally(finder, column->self, text);
}

static void
tally_row(Finder *finder, HeapTuple tuple, TupleDesc desc)
{
	int			at = 0;
	ListCell   *cell;

	foreach(cell, finder->columns)
	{
		Column	   *column = lfirst(cell);
		bool		isnull;
		Datum		value = SPI_getbinval(tuple, desc, ++at, &isnull);
		Datum	   *elements;
		bool	   *nulls;
		int			n;

		if (isnull)
			continue;
		if (!column->array)
		{
			tally_datum(finder, column, value);
			continue;
		}
		deconstruct_array(DatumGetArrayTypeP(value), column->type,
						  column->length, column->byval, column->align,
						  &elements, &nulls, &n);
		for (int i = 0; i < n; i++)
			if (!nulls[i])
				tally_datum(finder, column, elements[i]);
	}
}

/* FROM a relation, or so many per cent of its blocks; 0: all. */
static void
append_from(StringInfo sql, Oid relid, double percent)
{
	const char *schema = get_namespace_name(get_rel_namespace(relid));

	appendStringInfo(sql, " FROM %s s",
					 quote_qualified_identifier(schema, get_rel_name(relid)));
	if (percent > 0)
		appendStringInfo(sql, " TABLESAMPLE pg_catalog.system (%.9f)"
						 " REPEATABLE (1)", percent);
}

/* Per cent of the blocks for some SAMPLE_ROWS rows; 0: all. */
static double
sample_percent(Oid relid)
{
	char		kind = get_rel_relkind(relid);
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(relid);
	StringInfoData sql;
	double		percent;
	double		rows;
	bool		isnull;

	if (kind == RELKIND_VIEW || kind == RELKIND_FOREIGN_TABLE)
		return 0;
	gs_run(blocks_query, 1, &type, &value, NULL, true);
	percent = 100.0 * PROBE_BLOCKS / DatumGetFloat8(gs_result(0, 1, &isnull));
	if (isnull || percent > 25)
		return 0;
	initStringInfo(&sql);
	appendStringInfoString(&sql,
						   "SELECT pg_catalog.count(*)::pg_catalog.float8");
	append_from(&sql, relid, percent);
	gs_run(sql.data, 0, NULL, NULL, NULL, true);
	rows = DatumGetFloat8(gs_result(0, 1, NULL));
	/* blocks that hold no rows */
	if (rows < 1)
		return 0;
	percent *= Max(SAMPLE_ROWS / rows, 1.0);
	return percent < 100 ? percent : 0;
}

/* The query that reads a sample. */
static char *
sample_query(const Finder *finder)
{
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT");
	foreach(cell, finder->columns)
	{
		const char *name = quote_identifier(((Column *) lfirst(cell))->name);

		appendStringInfo(&sql, "%s CASE WHEN pg_catalog.pg_column_size(s.%s) "
						 GS_OP("<") " %d THEN s.%s END",
						 foreach_current_index(cell) > 0 ? "," : "", name,
						 VALUE_BYTES, name);
	}
	append_from(&sql, finder->relid, sample_percent(finder->relid));
	appendStringInfo(&sql, " LIMIT %d", SAMPLE_ROWS + SAMPLE_ROWS / 2);
	return sql.data;
}

static void
read_sample(Finder *finder)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "gensynth sample",
												  ALLOCSET_DEFAULT_SIZES);
	uint64		n = gs_run(sample_query(finder), 0, NULL, NULL, NULL, true);

	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		old = MemoryContextSwitchTo(scratch);
		tally_row(finder, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		MemoryContextSwitchTo(old);
		MemoryContextReset(scratch);
	}
	SPI_freetuptable(SPI_tuptable);
	MemoryContextDelete(scratch);
}

static char *
evidence_of(const GsPiiVerdict *verdict)
{
	StringInfoData text;

	initStringInfo(&text);
	if (verdict->strength > 0)
		appendStringInfoString(&text, "name");
	if (verdict->values > 0 && strcmp(verdict->seen_as, "type") != 0)
		appendStringInfo(&text, "%s" INT64_FORMAT " of " INT64_FORMAT
						 " values: %s", text.len > 0 ? "; " : "",
						 verdict->share, verdict->values, verdict->seen_as);
	else
		appendStringInfo(&text, "%stype", text.len > 0 ? "; " : "");
	return text.data;
}

/* What has been found in all columns, and what follows from one for others. */
static List *
decide(Finder *finder)
{
	List	   *findings = NIL;
	bool		sure = false;
	ListCell   *cell;
	ListCell   *inner;

	foreach(cell, finder->columns)
	{
		Column	   *column = lfirst(cell);

		foreach(inner, column->items)
		{
			PiiItem	   *item = lfirst(inner);
			GsPiiFinding *finding = palloc0(sizeof(GsPiiFinding));

			gs_pii_decide(&item->name, &item->tally, &item->type,
						  finder->person, &finding->verdict);
			if (!finding->verdict.kind)
				continue;
			finding->column = column->name;
			finding->path = item->path;
			finding->evidence = evidence_of(&finding->verdict);
			sure = sure || finding->verdict.level == GS_PII_SURE;
			findings = lappend(findings, finding);
		}
	}
	foreach(cell, findings)
		if (sure)
			gs_pii_raise(&((GsPiiFinding *) lfirst(cell))->verdict);
	return findings;
}

/*
 * Looks at rows of a relation that nobody has named: as its owner, where the
 * caller has his rights; else if nothing of others runs as the caller for it.
 */
static void
read_unnamed(Finder *finder)
{
	GsAccess	access;
	GsStrange	strange;
	bool		as_owner = gs_may_read_as_owner(finder->relid);

	/* policies are the owner's choice, or errors */
	if (!as_owner &&
		check_enable_rls(finder->relid, InvalidOid, true) == RLS_ENABLED)
		return;
	if (!as_owner &&
		gs_strange_code(finder->relid, GS_STRANGE_READ, &strange))
	{
		ereport(NOTICE,
				(errmsg("no rows of \"%s\" were looked at: function %s of role \"%s\" would have run as you",
						get_rel_name(finder->relid), strange.function,
						strange.role),
				 errhint("Its columns go by their names; to look at the rows all the same, name the table.")));
		return;
	}
	gs_begin_reading(&access, finder->relid, true);
	read_sample(finder);
	gs_become_caller(&access);
}

/*
 * What is found in a relation.  named: by the caller; in others no code of
 * whoever owns them runs as the caller, so they go by names where they have
 * any, as views are not looked at.
 */
static List *
find_in(Oid relid, const GsPiiWords *words, bool named)
{
	MemoryContext context = CurrentMemoryContext;
	const char *relation = get_rel_name(relid);
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(relid);
	Finder		finder = {0};
	uint64		n;

	/* gone meanwhile */
	if (!relation)
		return NIL;
	finder.context = context;
	finder.words = words;
	finder.relid = relid;
	finder.person = gs_pii_is_person(relation, strlen(relation));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	n = gs_run(columns_query, 1, &type, &value, NULL, true);
	for (uint64 i = 0; i < n; i++)
	{
		char	   *name = gs_result_text(i, 1, context);
		char	   *domain = gs_result_text(i, 3, context);
		Oid			its = DatumGetObjectId(gs_result(i, 2, NULL));
		bool		unique = DatumGetBool(gs_result(i, 4, NULL));
		MemoryContext old = MemoryContextSwitchTo(context);
		Column	   *column = new_column(name, its, domain, unique);

		if (column)
			finder.columns = lappend(finder.columns, column);
		MemoryContextSwitchTo(old);
	}
	if (finder.columns != NIL && named)
		read_sample(&finder);
	else if (finder.columns != NIL)
		read_unnamed(&finder);
	SPI_finish();
	MemoryContextSwitchTo(context);
	return decide(&finder);
}

static const GsPiiWords *
read_words(void)
{
	GsPiiWords *words = palloc(gs_pii_words_size());

	gs_pii_words_fill(words);
	return words;
}

/*
 * gs_find_pii: what is found in a relation, of GsPiiFinding, by column; those
 * that the caller may not read are left out.
 */
List *
gs_find_pii(Oid relid)
{
	return find_in(relid, read_words(), false);
}

/* The relation that is meant, checked. */
static Oid
named_relation(Oid relid)
{
	switch (get_rel_relkind(relid))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_MATVIEW:
		case RELKIND_VIEW:
		case RELKIND_FOREIGN_TABLE:
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" is not a table, view, materialized view or foreign table",
							get_rel_name(relid))));
	}
	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT,
								  ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
	return relid;
}

/* The relations of a schema, or of all of them. */
static List *
relations_of(const char *schema)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *relations = NIL;
	Oid			type = TEXTOID;
	Datum		value = schema ? CStringGetTextDatum(schema) : (Datum) 0;
	uint64		n;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	n = gs_run(relations_query, 1, &type, &value, schema ? NULL : "n", true);
	MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < n; i++)
		relations = lappend_oid(relations,
								DatumGetObjectId(gs_result(i, 1, NULL)));
	SPI_finish();
	MemoryContextSwitchTo(context);
	return relations;
}

/* A relation by its name, a schema by its, or all; *named: the first. */
static List *
named_relations(const char *what, bool *named)
{
	List	   *parts;
	List	   *names;
	Oid			relid;

	*named = false;
	if (!what)
		return relations_of(NULL);
	if (!SplitIdentifierString(pstrdup(what), '.', &parts) ||
		parts == NIL || list_length(parts) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("\"%s\" is no name of a relation or schema", what),
				 errhint("Names that are not plain are quoted as in SQL.")));
	names = gs_name_list(what);
	relid = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
	*named = OidIsValid(relid);
	if (*named)
		return list_make1_oid(named_relation(relid));
	if (list_length(parts) == 1 &&
		OidIsValid(get_namespace_oid(linitial(parts), true)))
		return relations_of(linitial(parts));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("there is no relation or schema \"%s\"", what),
			 errhint("Without an argument all tables are looked at that you may read.")));
}

/*
 * synth_find_pii(what text) RETURNS SETOF (relation, column, path, kind,
 * confidence, level, evidence)
 */
Datum
synth_find_pii(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext,
											   "gensynth relation",
											   ALLOCSET_DEFAULT_SIZES);
	const GsPiiWords *words = read_words();
	List	   *relations;
	bool		named;
	ListCell   *cell;
	ListCell   *inner;

	InitMaterializedSRF(fcinfo, 0);
	relations = named_relations(PG_ARGISNULL(0) ? NULL :
								text_to_cstring(PG_GETARG_TEXT_PP(0)), &named);
	foreach(cell, relations)
	{
		MemoryContext old = MemoryContextSwitchTo(each);

		foreach(inner, find_in(lfirst_oid(cell), words, named))
		{
			const GsPiiFinding *finding = lfirst(inner);
			const GsPiiVerdict *verdict = &finding->verdict;
			bool		nulls[7] = {false};
			NameData	column;
			Datum		values[7];

			namestrcpy(&column, finding->column);
			values[0] = ObjectIdGetDatum(lfirst_oid(cell));
			values[1] = NameGetDatum(&column);
			nulls[2] = finding->path == NULL;
			values[2] = finding->path ?
				CStringGetTextDatum(finding->path) : (Datum) 0;
			values[3] = CStringGetTextDatum(verdict->kind->name);
			values[4] = Float8GetDatum(rint(verdict->confidence * 100) / 100);
			values[5] = CStringGetTextDatum(gs_pii_levels[verdict->level]);
			values[6] = CStringGetTextDatum(finding->evidence);
			tuplestore_putvalues(result->setResult, result->setDesc, values,
								 nulls);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(each);
	}
	MemoryContextDelete(each);
	return (Datum) 0;
}
