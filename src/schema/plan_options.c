/*
 * plan_options.c
 *	  What a caller says of the tables of a plan.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "catalog/access.h"
#include "catalog/strange.h"
#include "compat.h"
#include "schema/plan.h"
#include "table/source.h"

#define ALWAYS	0.999			/* share of the rows in which a link holds */

static GsPlanTable *
named_table(const GsSchemaPlan *plan, const char *name, const char *option)
{
	GsPlanTable *found = NULL;

	for (int t = 0; t < plan->n; t++)
	{
		GsPlanTable *table = &plan->table[t];

		if (strcmp(table->name, name) != 0 &&
			strcmp(get_rel_name(table->relid), name) != 0)
			continue;
		if (found != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
					 errmsg("table \"%s\" of option \"%s\" could be %s or %s",
							name, option, found->name, table->name),
					 errhint("Name it with its schema.")));
		found = table;
	}
	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" of option \"%s\" is not among the tables",
						name, option),
				 errhint("SELECT * FROM synth_schema_plan(...) lists them.")));
	return found;
}

static void
check_column(const GsPlanTable *table, const char *name, const char *option)
{
	if (get_attnum(table->relid, name) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of option \"%s\" does not exist in %s",
						name, option, table->name),
				 errhint("Names are compared as they are, without folding to lower case.")));
}

/*
 * The key that a name stands for: that of its constraint, or of its column.
 */
static GsPlanKey *
named_key(const GsPlanTable *table, const char *name)
{
	ListCell   *cell;

	foreach(cell, table->keys)
	{
		GsPlanKey  *key = lfirst(cell);

		if (strcmp(key->name, name) == 0 ||
			(list_length(key->columns) == 1 &&
			 strcmp(linitial(key->columns), name) == 0))
			return key;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("\"%s\" of option \"owner\" is not a foreign key of %s",
					name, table->name),
			 errhint("Name the constraint, or its column.")));
}

static void
check_sortable(const GsPlanTable *table, const char *column)
{
	Oid			type = get_atttype(table->relid,
								   get_attnum(table->relid, column));

	if (!OidIsValid(lookup_type_cache(type, TYPECACHE_LT_OPR)->lt_opr))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("column \"%s\" of option \"order_by\" is of type %s, which has no order",
						column, format_type_be(type)),
				 errhint("Name a column of numbers, dates or times.")));
}

/* The options; each is an object of tables' names, but for arrays of them. */
typedef enum PlanOption
{
	OPTION_OWNER,
	OPTION_ORDER_BY,
	OPTION_SEQUENCE_KEY,
	OPTION_LINKS,				/* from one "table.column" to another */
	OPTION_FIT,					/* of synth_fit, read elsewhere */
	OPTION_KEEP,				/* arrays from here on */
	OPTION_REMAKE,
	OPTIONS
} PlanOption;

static const char *const option_names[OPTIONS] = {
	"owner", "order_by", "sequence_key", "links", "fit", "keep", "remake"
};

static char *
string_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * The table and the column that "table.column" names.
 */
static GsPlanTable *
named_column(const GsSchemaPlan *plan, const char *name, char **column)
{
	const char *of = option_names[OPTION_LINKS];
	List	   *names = gs_name_list(name);
	GsPlanTable *table;

	if (list_length(names) < 2 || list_length(names) > 3)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of option \"%s\" is not a table and a column",
						name, of),
				 errhint("For example options => '{\"links\": {\"orders.email\": \"customers.email\"}}'.")));
	*column = strVal(llast(names));
	table = named_table(plan, list_length(names) == 2 ?
						strVal(linitial(names)) :
						quote_qualified_identifier(strVal(linitial(names)),
												   strVal(lsecond(names))),
						of);
	check_column(table, *column, of);
	return table;
}

static bool
is_not_null(Oid relid, const char *column)
{
	HeapTuple	tuple = SearchSysCacheAttName(relid, column);
	bool		result = HeapTupleIsValid(tuple) &&
		((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

/*
 * The share of the values of a column that another table has.
 */
static void
look_at_link(const GsPlanTable *table, const GsPlanTable *parent,
			 GsPlanKey *key)
{
	const char *column = quote_identifier(linitial(key->columns));
	const char *parent_column = quote_identifier(linitial(key->parent_columns));
	Oid			type = get_atttype(table->relid,
								   get_attnum(table->relid,
											  linitial(key->columns)));
	MemoryContext context = CurrentMemoryContext;
	bool		isnull;
	Datum		share;

	if (type != get_atttype(parent->relid,
							get_attnum(parent->relid,
									   linitial(key->parent_columns))))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the columns of link \"%s\" are of different types",
						key->name),
				 errhint("Change the type of one of them.")));
	gs_run(psprintf("SELECT pg_catalog.avg(CASE WHEN EXISTS (SELECT FROM %s p"
					" WHERE (%s) " GS_EQ " (%s))"
					" THEN 1.0::pg_catalog.float8 ELSE 0 END)"
					" FROM %s c WHERE c.%s IS NOT NULL", parent->name,
					gs_as_text(psprintf("p.%s", parent_column), type),
					gs_as_text(psprintf("c.%s", column), type),
					table->name, column), 0, NULL, NULL, NULL, true);
	share = gs_result(0, 1, &isnull);
	key->share = isnull ? 0 : DatumGetFloat8(share);
	MemoryContextSwitchTo(context);
}

/*
 * Notes that a column has values of another table's.
 */
static void
add_link(const GsSchemaPlan *plan, const char *name, const char *value)
{
	char	   *column;
	char	   *parent_column;
	GsPlanTable *table = named_column(plan, name, &column);
	GsPlanTable *parent = named_column(plan, value, &parent_column);
	GsPlanKey  *key = palloc0(sizeof(GsPlanKey));

	if (table == parent ||
		get_rel_namespace(table->relid) != get_rel_namespace(parent->relid))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("link \"%s\" does not lead to another table of the same schema",
						name),
				 errhint("Declare a foreign key instead.")));
	key->name = pstrdup(name);
	key->columns = list_make1(column);
	key->parent_columns = list_make1(parent_column);
	key->parent_relid = parent->relid;
	key->parent = parent - plan->table;
	key->link = true;
	look_at_link(table, parent, key);
	/* one that does not always hold owns nothing */
	key->nullable = key->share < ALWAYS || !is_not_null(table->relid, column);
	key->use = GS_KEY_REFERENCE;
	table->keys = lappend(table->keys, key);
}

static void
set_option(const GsSchemaPlan *plan, PlanOption option, const char *name,
		   const char *value)
{
	const char *of = option_names[option];
	GsPlanTable *table;

	if (option == OPTION_LINKS)
	{
		add_link(plan, name, value);
		return;
	}
	table = named_table(plan, name, of);
	switch (option)
	{
		case OPTION_OWNER:
			table->owner = named_key(table, value);
			break;
		case OPTION_ORDER_BY:
			check_column(table, value, of);
			check_sortable(table, value);
			table->order_by = pstrdup(value);
			break;
		case OPTION_SEQUENCE_KEY:
			check_column(table, value, of);
			table->sequence_key = lappend(table->sequence_key, pstrdup(value));
			break;
		case OPTION_KEEP:
			table->role = GS_TABLE_KEPT;
			break;
		default:
			table->remake = true;
	}
}

static PlanOption
find_option(const char *name)
{
	int			option = 0;

	while (option < OPTIONS && strcmp(option_names[option], name) != 0)
		option++;
	if (option == OPTIONS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" does not exist", name),
				 errhint("The options are \"owner\", \"order_by\", \"sequence_key\", \"links\", \"keep\", \"remake\" and \"fit\".")));
	return option;
}

GS_NORETURN static void
report_option(PlanOption option)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" is not %s", option_names[option],
					option < OPTION_KEEP ? "an object of names" :
					"an array of names"),
			 errhint("For example options => '{\"%s\": %s}'.",
					 option_names[option], option < OPTION_KEEP ?
					 "{\"orders\": \"customer_id\"}" : "[\"countries\"]")));
}

/*
 * gs_plan_read_options: notes in a plan's tables what options say:
 * {"owner": {"table": "key"}, "keep": ["table"], ...}.  The values of a
 * sequence key may be an array of columns.
 *
 * json: NULL: nothing.  Errors: of options that do not exist or do not fit, and
 * names of what is not there.
 */
void
gs_plan_read_options(const GsSchemaPlan *plan, const Jsonb *json)
{
	JsonbIterator *iterator;
	JsonbValue	value;
	JsonbIteratorToken token;
	PlanOption	option = OPTIONS;
	char	   *table = NULL;
	int			depth = 0;

	if (json == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object"),
				 errhint("For example options => '{\"keep\": [\"countries\"]}'.")));
	iterator = JsonbIteratorInit((JsonbContainer *) &json->root);
	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY)
		{
			bool		array = token == WJB_BEGIN_ARRAY;

			depth++;
			if ((depth == 2 && array != (option >= OPTION_KEEP)) ||
				(depth == 3 && !(array && option == OPTION_SEQUENCE_KEY)) ||
				depth > 3)
				report_option(option);
		}
		else if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
			depth--;
		else if (token == WJB_KEY && depth == 1)
		{
			option = find_option(string_of(&value));
			if (option == OPTION_FIT)
			{
				(void) JsonbIteratorNext(&iterator, &value, true);
				if (value.type != jbvBinary ||
					!JsonContainerIsObject(value.val.binary.data))
					report_option(option);
			}
		}
		else if (token == WJB_KEY)
			table = string_of(&value);
		else if (value.type != jbvString || depth < 2)
			report_option(option);
		else if (option < OPTION_KEEP)
			set_option(plan, option, table, string_of(&value));
		else
			set_option(plan, option, string_of(&value), NULL);
	}
}

/*
 * gs_plan_fit_options: the options of every table's fit; NULL for none.
 *
 * options: of the schema, as gs_schema_plan takes them.
 */
Jsonb *
gs_plan_fit_options(const Jsonb *options)
{
	JsonbValue	buffer;
	JsonbValue *value = options == NULL ? NULL :
		getKeyJsonValueFromContainer(unconstify(JsonbContainer *,
												&options->root),
									 option_names[OPTION_FIT],
									 strlen(option_names[OPTION_FIT]),
									 &buffer);

	return value == NULL ? NULL : JsonbValueToJsonb(value);
}
