/*
 * drift.c
 *	  Columns that are not what they were when a model was fitted.
 *
 * Columns are matched by name, so one that was renamed or added since the fit
 * comes out NULL; one of another type is converted.  Neither goes unsaid.
 * Columns that the fit has left out, and those that the relation computes, are
 * no news.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "column/left_out.h"
#include "stream/drift.h"

/*
 * gs_drift_lacks: whether a model has no column of a name, and its fit has not
 * left one out.
 */
bool
gs_drift_lacks(const GsModel *model, const char *name)
{
	return gs_schema_column(model->schema, name) < 0 &&
		!gs_is_left_out(model->version->tensors, name);
}

static void
append_name(StringInfo list, const char *name)
{
	appendStringInfo(list, "%s\"%s\"", list->len > 0 ? ", " : "", name);
}

/*
 * gs_drift_tell_missing: tells that columns are null, since a model lacks them.
 *
 * names: C strings; present: those of all columns that are asked for
 */
void
gs_drift_tell_missing(const GsModel *model, List *names, List *present)
{
	StringInfoData missing;
	StringInfoData others;
	ListCell   *cell;

	if (names == NIL)
		return;
	initStringInfo(&missing);
	initStringInfo(&others);
	foreach(cell, names)
		append_name(&missing, lfirst(cell));
	for (int c = 0; c < model->schema->ncolumns; c++)
	{
		const char *name = model->schema->columns[c].name;
		bool		found = false;

		foreach(cell, present)
			found |= strcmp(lfirst(cell), name) == 0;
		if (!found)
			append_name(&others, name);
	}
	ereport(NOTICE,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 list_length(names) == 1 ?
			 errmsg("model \"%s\" lacks column %s, which is null in its rows",
					model->name, missing.data) :
			 errmsg("model \"%s\" lacks columns %s, which are null in its rows",
					model->name, missing.data),
			 others.len > 0 ?
			 errdetail("The rows lack %s, which the model has.",
					   others.data) : 0,
			 errhint("If the table has changed since the model was fitted, fit it again.")));
}

/*
 * The name of a type without the schema that all know.
 */
static const char *
plain_name(const char *type)
{
	const char *schema = "pg_catalog.";

	return strncmp(type, schema, strlen(schema)) == 0 ?
		type + strlen(schema) : type;
}

/*
 * Tells of a column that is not of the type that the model's is.
 */
static void
tell_type(const GsModel *model, const GsColumn *column,
		  Form_pg_attribute attribute)
{
	char	   *type = format_type_extended(attribute->atttypid,
											attribute->atttypmod,
											FORMAT_TYPE_TYPEMOD_GIVEN |
											FORMAT_TYPE_FORCE_QUALIFY);

	if (strcmp(type, column->type_name) != 0)
		ereport(NOTICE,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s, and of type %s in model \"%s\"",
						column->name, plain_name(type),
						plain_name(column->type_name), model->name),
				 errhint("Values are converted, or are an error where they do not fit.")));
}

/*
 * gs_drift_tell_types: tells of columns that are not of the types that a model's
 * are.
 */
void
gs_drift_tell_types(const GsModel *model, TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		int			c = gs_schema_column(model->schema,
										 NameStr(attribute->attname));

		if (!attribute->attisdropped && c >= 0)
			tell_type(model, &model->schema->columns[c], attribute);
	}
}

/*
 * Whether this was told already in the statement at hand, which may open the
 * same scan again and again.
 */
static bool
was_told(const GsModel *model, Oid relid)
{
	static TimestampTz told_at = 0;
	static Oid	told_relid = InvalidOid;
	static pg_uuid_t told_model;
	TimestampTz now = GetCurrentStatementStartTimestamp();

	if (told_at == now && told_relid == relid &&
		memcmp(&told_model, &model->id, sizeof(pg_uuid_t)) == 0)
		return true;
	told_at = now;
	told_relid = relid;
	told_model = model->id;
	return false;
}

/*
 * Whether a relation computes a column, if it has one of that name.
 */
static bool
is_generated(Oid relid, const char *name)
{
	AttrNumber	column = OidIsValid(relid) ? get_attnum(relid, name) :
		InvalidAttrNumber;

	return column > 0 && get_attgenerated(relid, column) != '\0';
}

/*
 * gs_drift_tell: tells of columns that are asked for and that a model lacks, or
 * whose type has changed in its source since.
 *
 * row: all columns that there are; relid: whose row type that is, or
 * InvalidOid; own: it is the source
 */
void
gs_drift_tell(const GsModel *model, TupleDesc wanted, TupleDesc row, Oid relid,
			  bool own)
{
	List	   *missing = NIL;
	List	   *present = NIL;

	if (IsParallelWorker() || was_told(model, relid))
		return;
	for (int i = 0; i < row->natts; i++)
		present = lappend(present, NameStr(TupleDescAttr(row, i)->attname));
	for (int i = 0; i < wanted->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(wanted, i);
		char	   *name = NameStr(attribute->attname);

		if (!attribute->attisdropped && gs_drift_lacks(model, name) &&
			!is_generated(relid, name))
			missing = lappend(missing, name);
	}
	if (own)
		gs_drift_tell_types(model, wanted);
	gs_drift_tell_missing(model, missing, present);
}
