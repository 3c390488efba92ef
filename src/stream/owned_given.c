/*
 * owned_given.c
 *	  Whose rows are made: conditions on what rows know of their owners.
 *
 * The conditions are the caller's own, and so they are evaluated as SQL, on
 * values of PostgreSQL's own types and of enums.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "catalog/access.h"
#include "compat.h"
#include "stream/owned_state.h"

static const char *const bound_names[] = {"gte", "gt", "lte", "lt"};
static const char *const bound_operators[] = {GS_OP(">="), GS_OP(">"), GS_OP("<="), GS_OP("<")};

/*
 * A JSON scalar, but for null, as a value of a type.
 */
static char *
literal(const char *name, const JsonbValue *value, const char *type)
{
	char	   *text;

	switch (value->type)
	{
		case jbvString:
			text = pnstrdup(value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			text = DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
			break;
		case jbvBool:
			text = value->val.boolean ? "true" : "false";
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the condition on column \"%s\" of the owners has a value of another shape",
							name),
					 errhint("A condition is a value, null, an array of both, or a range such as {\"gte\": 10, \"lt\": 20}.")));
	}
	return psprintf("%s::%s", quote_literal_cstr(text), type);
}

/*
 * Values that a column may have: one, NULL, or an array of both.
 */
static void
append_values(StringInfo sql, const char *name, const char *column,
			  const JsonbValue *value, const char *type)
{
	JsonbContainer *array = value->type == jbvBinary ? value->val.binary.data :
		NULL;
	int			n = array == NULL ? 1 : JsonContainerSize(array);

	appendStringInfoString(sql, "(false");
	for (int i = 0; i < n; i++)
	{
		const JsonbValue *one = array == NULL ? value :
			getIthJsonbValueFromContainer(array, i);

		if (one->type == jbvNull)
			appendStringInfo(sql, " OR %s IS NULL", column);
		else
			appendStringInfo(sql, " OR %s " GS_EQ " %s", column,
							 literal(name, one, type));
	}
	appendStringInfoChar(sql, ')');
}

static void
append_range(StringInfo sql, const char *name, const char *column,
			 JsonbContainer *range, const char *type)
{
	JsonbIterator *iterator = JsonbIteratorInit(range);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			bound = 0;

	appendStringInfoString(sql, "(true");
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			char	   *key = pnstrdup(value.val.string.val,
									   value.val.string.len);

			for (bound = 0; bound < lengthof(bound_names); bound++)
				if (strcmp(bound_names[bound], key) == 0)
					break;
			if (bound == lengthof(bound_names))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("the range of column \"%s\" of the owners has an unrecognized bound \"%s\"",
								name, key),
						 errhint("Bounds are \"gte\", \"gt\", \"lte\" and \"lt\".")));
		}
		else if (token == WJB_VALUE)
			appendStringInfo(sql, " AND %s %s %s", column,
							 bound_operators[bound],
							 literal(name, &value, type));
	}
	appendStringInfoChar(sql, ')');
}

/*
 * The column that a condition is about, as SQL, and its type; NULL if rows know
 * none of that name.
 */
static char *
find_column(const GsSupply *supply, const char *name, Oid *type)
{
	const GsOwners *owners = supply->owners;
	int			i = supply->nkeys;
	int			level = 0;
	ListCell   *cell;
	ListCell   *x;
	ListCell   *y;

	if (supply->desc != NULL && owners->ngenerations == 0)
		for (int c = 0; c < supply->nowner; c++)
			if (strcmp(NameStr(TupleDescAttr(supply->desc, c)->attname),
					   name) == 0)
			{
				*type = supply->type[c];
				return psprintf("o1.%s", quote_identifier(name));
			}
	foreach(cell, owners->entity || owners->ngenerations > 0 ? NIL :
			owners->steps)
	{
		const GsOwnerStep *step = lfirst(cell);

		level++;
		forboth(x, step->known, y, step->names)
		{
			if (strcmp(lfirst(y), name) == 0)
			{
				*type = supply->type[i];
				return psprintf("o%d.%s", level, quote_identifier(lfirst(x)));
			}
			i++;
		}
	}
	return NULL;
}

/*
 * gs_owned_given: conditions on what rows know of their owners, as SQL, in the
 * current context.
 *
 * supply: whose types are known.  Errors: undefined_column,
 * feature_not_supported and invalid_parameter_value.
 */
char *
gs_owned_given(const GsSupply *supply, Jsonb *given)
{
	JsonbIterator *iterator = JsonbIteratorInit(&given->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	StringInfoData sql;
	char	   *name = NULL;
	Oid			type = InvalidOid;

	initStringInfo(&sql);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		const char *column;
		const char *type_name;

		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		if (token != WJB_VALUE)
			continue;
		column = name == NULL ? NULL : find_column(supply, name, &type);
		if (column == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("rows of the model know no column \"%s\" of their owners",
							name == NULL ? "" : name),
					 errdetail("Of rows that are made owner by owner, conditions choose the owners."),
					 errhint("synth_columns lists what they know of these, such as \"customer.country\".")));
		if (getBaseType(type) >= FirstUnpinnedObjectId &&
			get_typtype(getBaseType(type)) != TYPTYPE_ENUM)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("column \"%s\" of the owners is of type %s, and cannot be given",
							name, format_type_be(type)),
					 errhint("Conditions are about PostgreSQL's own types, and enums.")));
		type_name = format_type_extended(getBaseType(type), -1,
										 FORMAT_TYPE_FORCE_QUALIFY);
		column = psprintf("%s::%s", column, type_name);
		appendStringInfoString(&sql, sql.len > 0 ? " AND " : "");
		if (value.type == jbvBinary &&
			JsonContainerIsObject(value.val.binary.data))
			append_range(&sql, name, column, value.val.binary.data, type_name);
		else
			append_values(&sql, name, column, &value, type_name);
	}
	return sql.len > 0 ? sql.data : NULL;
}
