/*
 * mask_ask.c
 *	  Columns that a call asks for, and the rules that they take: of the
 *	  argument, of their labels, or of the kinds that they look like.
 */
#include "postgres.h"

#include "access/table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "mask/find_pii.h"
#include "mask/label.h"
#include "mask/mask_plan.h"
#include "mask/masker.h"

/* What was found in a table that was asked for. */
typedef struct FoundTable
{
	Oid			relid;
	List	   *findings;		/* of GsPiiFinding */
} FoundTable;

static Form_pg_attribute
attribute_of(Relation relation, const char *name)
{
	TupleDesc	desc = RelationGetDescr(relation);

	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped &&
			strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return TupleDescAttr(desc, i);
	return NULL;
}

/* An error for a column that cannot be asked for. */
static void
check_asked(Relation relation, const char *name)
{
	Form_pg_attribute attribute = attribute_of(relation, name);

	if (attribute == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, RelationGetRelationName(relation)),
				 errhint("Name columns of the table.")));
	if (attribute->attgenerated != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("column \"%s\" is a generated column", name),
				 errhint("It is computed anew when columns that it depends on are masked: name these.")));
}

/* The rule that the argument has for a column: "table.column" goes first. */
static GsRule *
rule_of_argument(const GsMaskRequest *request, Oid relid, const char *name)
{
	const char *keys[] = {
		psprintf("%s.%s.%s", get_namespace_name(get_rel_namespace(relid)),
				 get_rel_name(relid), name),
		psprintf("%s.%s", get_rel_name(relid), name), name
	};

	for (int i = 0; request->rules != NULL && i < lengthof(keys); i++)
	{
		JsonbValue	key = {.type = jbvString};
		JsonbValue *value;

		key.val.string.val = unconstify(char *, keys[i]);
		key.val.string.len = strlen(keys[i]);
		value = findJsonbValueFromContainer(&request->rules->root, JB_FOBJECT,
											&key);
		if (value == NULL)
			continue;
		return gs_rule_parse(pnstrdup(value->val.string.val,
									  value->val.string.len));
	}
	return NULL;
}

/* The likeliest kind of a column as a whole, or NULL. */
static const GsPiiVerdict *
found_kind(const List *found, const char *name)
{
	const GsPiiVerdict *best = NULL;
	ListCell   *cell;

	foreach(cell, found)
	{
		const GsPiiFinding *finding = lfirst(cell);

		if (finding->path == NULL && strcmp(finding->column, name) == 0 &&
			(best == NULL || finding->verdict.confidence > best->confidence))
			best = &finding->verdict;
	}
	return best;
}

static bool
is_in(const List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	return false;
}

/*
 * The rule of a column that is asked for, or of any column where none is
 * named.  NULL: it stays as it is.
 */
static GsRule *
choose_rule(const GsMaskRequest *request, Oid relid, Form_pg_attribute attribute,
			const List *found, const char **origin, bool *asked)
{
	const char *name = NameStr(attribute->attname);
	bool		named = is_in(request->columns, name);
	const GsPiiVerdict *kind = found_kind(found, name);
	GsRule	   *rule = rule_of_argument(request, relid, name);

	*asked = true;
	*origin = "rules";
	if (rule != NULL)
		return rule;
	if (request->named && !named)
		return NULL;
	*origin = "its label";
	rule = gs_label_of(relid, attribute->attnum);
	if (rule != NULL)
		return rule;
	*asked = false;
	if (kind != NULL && (named || kind->level == GS_PII_SURE))
	{
		const char *reason;

		*origin = psprintf("%s its kind", gs_pii_levels[kind->level]);
		rule = gs_rule_parse(kind->kind->name);
		if (gs_rule_fits(rule, attribute->atttypid, attribute->atttypmod,
						 &reason))
			return rule;
		*origin = "its type does not hold its kind";
		return gs_rule_parse("pseudonym");
	}
	*origin = "it looks like no kind";
	return named ? gs_rule_parse("pseudonym") : NULL;
}

/*
 * Kinds that others of the row fit, and that say too little for what fits them
 * to be the original.
 */
static bool
is_fitted(GsKindId kind)
{
	switch (kind)
	{
		case GS_KIND_SEX:
		case GS_KIND_COUNTRY:
		case GS_KIND_COUNTRY_CODE:
		case GS_KIND_BIRTH_DATE:
		case GS_KIND_STATE:
		case GS_KIND_STATE_CODE:
			return true;
		default:
			return false;
	}
}

/* Columns that stay and that generated ones are to fit. */
static void
keep_columns(GsMaskTable *table, Relation relation, const List *found)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, found)
	{
		const GsPiiFinding *finding = lfirst(cell);
		GsKeptColumn *kept;
		bool		masked = false;

		foreach(other, table->columns)
			masked |= strcmp(((GsMaskColumn *) lfirst(other))->name,
							 finding->column) == 0 &&
				((GsMaskColumn *) lfirst(other))->rule->action != GS_RULE_KEEP;
		/* generated ones follow masked ones */
		if (masked || finding->path != NULL ||
			attribute_of(relation, finding->column) == NULL ||
			attribute_of(relation, finding->column)->attgenerated != '\0' ||
			finding->verdict.level == GS_PII_POSSIBLE ||
			!is_fitted(finding->verdict.kind->id))
			continue;
		kept = palloc(sizeof(GsKeptColumn));
		kept->name = finding->column;
		kept->kind = finding->verdict.kind->id;
		table->kept = lappend(table->kept, kept);
	}
}

/*
 * gs_mask_find_kinds: the kinds of a table's columns, looked for once in a
 * call: of GsPiiFinding.
 */
List *
gs_mask_find_kinds(GsMaskRequest *request, Oid relid)
{
	FoundTable *table;
	ListCell   *cell;

	foreach(cell, request->found)
	{
		table = lfirst(cell);
		if (table->relid == relid)
			return table->findings;
	}
	table = palloc(sizeof(FoundTable));
	table->relid = relid;
	table->findings = gs_find_pii(relid);
	request->found = lappend(request->found, table);
	return table->findings;
}

/* The columns of a table that are asked for. */
static void
ask_table(GsMaskPlan *plan, GsMaskRequest *request, Oid relid)
{
	GsMaskTable *asked_table;
	Relation	relation = table_open(relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);
	char	   *table = gs_mask_table_name(relid);
	List	   *found = gs_mask_find_kinds(request, relid);
	ListCell   *cell;

	foreach(cell, request->columns)
		check_asked(relation, lfirst(cell));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *name = NameStr(attribute->attname);
		const char *origin;
		bool		asked;
		GsRule	   *rule;

		if (attribute->attisdropped || attribute->attgenerated != '\0')
			continue;
		rule = choose_rule(request, relid, attribute, found, &origin, &asked);
		if (rule == NULL)
			continue;
		gs_mask_add_column(plan, relid, name, rule, origin, asked);
		if (!asked)
			plan->notes =
				lappend(plan->notes,
						psprintf("column \"%s\" of table %s is masked by rule \"%s\": it has no label, and %s",
								 name, table, rule->text, origin));
	}
	asked_table = gs_mask_find_table(plan, relid);
	if (asked_table != NULL)
		keep_columns(asked_table, relation, found);
	table_close(relation, AccessShareLock);
}

/* Every rule of the argument is a text, for a column that there is. */
static void
check_rules(const GsMaskRequest *request)
{
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *key = NULL;

	if (request->rules == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(request->rules))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rules must be a JSON object"),
				 errhint("For example {\"email\": \"email\", \"income\": \"keep\"}.")));
	it = JsonbIteratorInit(&request->rules->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		bool		known = false;
		ListCell   *cell;

		if (token == WJB_VALUE && value.type != jbvString)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the rule of \"%s\" is not a string", key),
					 errhint("For example {\"email\": \"email\", \"income\": \"keep\"}.")));
		if (token != WJB_KEY)
			continue;
		key = pnstrdup(value.val.string.val, value.val.string.len);
		foreach(cell, request->relids)
		{
			Relation	relation = table_open(lfirst_oid(cell), AccessShareLock);
			TupleDesc	desc = RelationGetDescr(relation);

			for (int i = 0; i < desc->natts; i++)
			{
				Form_pg_attribute attribute = TupleDescAttr(desc, i);
				const char *name = NameStr(attribute->attname);
				char	   *with_table = psprintf("%s.%s",
												  RelationGetRelationName(relation),
												  name);
				char	   *with_schema = psprintf("%s.%s",
												   get_namespace_name(RelationGetNamespace(relation)),
												   with_table);

				if (attribute->attisdropped ||
					(strcmp(key, name) != 0 && strcmp(key, with_table) != 0 &&
					 strcmp(key, with_schema) != 0))
					continue;
				known = true;
				check_asked(relation, name);
			}
			table_close(relation, AccessShareLock);
		}
		if (!known)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of rules does not exist", key),
					 errhint("Name columns, or \"table.column\".")));
	}
}

/*
 * gs_mask_ask: adds the columns that are asked for to a plan.
 *
 * Errors: 42703 for columns that are not there, 42P10 for generated ones;
 * 22023 and 42704 for rules.
 */
void
gs_mask_ask(GsMaskPlan *plan, GsMaskRequest *request)
{
	ListCell   *cell;

	check_rules(request);
	foreach(cell, request->relids)
		ask_table(plan, request, lfirst_oid(cell));
}
