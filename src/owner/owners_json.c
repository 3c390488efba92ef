/*
 * owners_json.c
 *	  Whose rows a table's rows are, as it is kept with a version.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "column/tensor.h"
#include "owner/owners.h"

#define MAX_COUNT	281474976710656.0	/* 2^48 */

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

static void
append_steps(StringInfo json, const char *key, const List *steps)
{
	ListCell   *cell;

	appendStringInfo(json, "\"%s\": [", key);
	foreach(cell, steps)
	{
		const GsOwnerStep *step = lfirst(cell);

		appendStringInfoString(json, cell == list_head(steps) ? "{" : ", {");
		append_names(json, true, "columns", step->columns);
		append_names(json, false, "parent_columns", step->parent_columns);
		append_names(json, false, "known", step->known);
		append_names(json, false, "names", step->names);
		append_names(json, false, "link", step->link);
		if (step->like != NIL)
			append_names(json, false, "like", step->like);
		appendStringInfoChar(json, '}');
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

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_steps(&json, "steps", owners->steps);
	appendStringInfoString(&json, ", ");
	append_steps(&json, "references", owners->references);
	appendStringInfoString(&json, ", ");
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
	JsonbValue	buffer;

	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		gs_corrupted("An owner is not an object.");
	step->columns = read_names(value->val.binary.data, "columns");
	step->parent_columns = read_names(value->val.binary.data,
									  "parent_columns");
	step->known = read_names(value->val.binary.data, "known");
	step->names = read_names(value->val.binary.data, "names");
	step->link = read_names(value->val.binary.data, "link");
	step->like = getKeyJsonValueFromContainer(value->val.binary.data, "like",
											  4, &buffer) == NULL ? NIL :
		read_names(value->val.binary.data, "like");
	if (step->like != NIL && list_length(step->like) != 3)
		gs_corrupted("What references are like is no list of three.");
	if (list_length(step->columns) != list_length(step->parent_columns) ||
		list_length(step->known) != list_length(step->names))
		gs_corrupted("The lists of an owner differ in length.");
	return step;
}

/*
 * The steps that a key of the owners lists.  Sets *found to whether it does.
 */
static List *
read_steps(JsonbContainer *root, const char *key, bool *found)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(root, key, strlen(key),
													 &buffer);
	List	   *steps = NIL;

	*found = value != NULL && value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data);
	for (int i = 0; *found && i < JsonContainerSize(value->val.binary.data); i++)
		steps = lappend(steps,
						read_step(getIthJsonbValueFromContainer(value->val.binary.data,
																i)));
	return steps;
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
	List	   *order_by;
	bool		found;

	if (!JB_ROOT_IS_OBJECT(json))
		gs_corrupted("The owners are not an object.");
	owners->steps = read_steps(root, "steps", &found);
	if (!found)
		gs_corrupted("The owners lack \"%s\".", "steps");
	/* of versions before there were any, none */
	owners->references = read_steps(root, "references", &found);
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
	for (int i = 0; i < list_length(owners->references); i++)
		if (((GsOwnerStep *) list_nth(owners->references, i))->columns == NIL)
			gs_corrupted("What rows refer to has no key.");
	return owners;
}
