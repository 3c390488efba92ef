/*
 * learnable.c
 *	  A source without the columns that cannot be learned.
 *
 * Of a generated column whose type cannot be learned (a tsvector), nothing is
 * lost: the table that takes the rows computes it.  Others are for the user to
 * leave out, all at once.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "catalog/catalog.h"
#include "codec/codec.h"
#include "fit/fit.h"
#include "fit/learnable.h"
#include "table/keys.h"

/*
 * Names as an array is written in SQL.
 */
static char *
names_literal(List *names)
{
	return quote_literal_cstr(OidOutputFunctionCall(F_ARRAY_OUT,
													gs_text_array(names)));
}

/*
 * gs_source_computes: whether the source computes a column; never one that is
 * known besides.
 */
bool
gs_source_computes(const GsSource *source, const char *name)
{
	AttrNumber	column = OidIsValid(source->relid) ?
		get_attnum(source->relid, name) : InvalidAttrNumber;

	return column > 0 && get_attgenerated(source->relid, column) != '\0';
}

/*
 * gs_learnable_column: what the catalog says of a column of the source's
 * result, whose type has a codec; all else is 0.  Allocates in the current
 * context.
 */
void
gs_learnable_column(const GsSource *source, int c, GsColumn *column)
{
	Form_pg_attribute attribute = TupleDescAttr(source->desc, c);
	ListCell   *told;
	ListCell   *key;

	memset(column, 0, sizeof(GsColumn));
	column->name = pstrdup(NameStr(attribute->attname));
	column->declared = attribute->atttypid;
	column->typmod = attribute->atttypmod;
	column->type = gs_plain_type(column->declared, &column->typmod);
	column->collation = attribute->attcollation;
	column->unique = gs_source_unique(source, column->name,
									  &column->one_null,
									  &column->partly_unique);
	column->refers = gs_source_refers(source, column->name);
	forboth(told, source->looked_up, key, source->looked_up_by)
	{
		column->is_key |= strcmp(lfirst(key), column->name) == 0;
		if (strcmp(lfirst(told), column->name) == 0)
			column->looked_up_by = lfirst(key);
	}
	column->shared = gs_is_named(source->shared, column->name);
	column->endless = gs_is_named(source->endless, column->name);
	column->type_name = format_type_extended(column->declared,
											 attribute->atttypmod,
											 FORMAT_TYPE_TYPEMOD_GIVEN |
											 FORMAT_TYPE_FORCE_QUALIFY);
	gs_codec_for_type(&column->codec, column->type, column->typmod);
	column->base_name = format_type_extended(column->codec.type,
											 column->codec.typmod,
											 FORMAT_TYPE_TYPEMOD_GIVEN |
											 FORMAT_TYPE_FORCE_QUALIFY);
}

/*
 * gs_mark_computed: marks the columns of a sample that its source computes:
 * they must be free to be set.
 */
void
gs_mark_computed(const GsSource *source, GsSample *sample)
{
	for (int c = 0; c < sample->ncolumns; c++)
		sample->columns[c].computed = gs_source_computes(source,
												   sample->columns[c].name);
}

/*
 * An error for columns that cannot be learned.
 *
 * unlearnable: [n] of Form_pg_attribute; exclude: names that are left out
 * already
 */
static void
report_unlearnable(List *unlearnable, List *exclude)
{
	StringInfoData list;
	ListCell   *cell;

	initStringInfo(&list);
	exclude = list_copy(exclude);
	foreach(cell, unlearnable)
	{
		Form_pg_attribute attribute = lfirst(cell);
		char	   *name = NameStr(attribute->attname);
		const char *type = format_type_be(attribute->atttypid);

		exclude = lappend(exclude, name);
		if (list_length(unlearnable) == 1)
			appendStringInfo(&list, "column \"%s\" is of type %s, which",
							 name, type);
		else
			appendStringInfo(&list, "%s\"%s\" (%s)", list.len == 0 ?
							 "columns " : ", ", name, type);
	}
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s cannot be learned", list.data),
			 errhint("Leave %s out: exclude => %s.",
					 list_length(unlearnable) == 1 ? "it" : "them",
					 names_literal(exclude))));
}

/*
 * gs_learnable_source: what gs_source_open opens, without generated columns
 * that cannot be learned, unless they were asked for; notes say so.
 *
 * Errors: those of gs_source_open, and feature_not_supported for other columns
 * that cannot be learned.
 */
GsSource *
gs_learnable_source(const char *text, List *columns, List *exclude,
					List **notes)
{
	GsSource   *source = gs_source_open(text, columns, exclude);
	List	   *unlearnable = NIL;
	bool		computed = true;
	ListCell   *cell;

	for (int i = 0; i < source->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(source->desc, i);
		int32		typmod = attribute->atttypmod;
		Oid			type = gs_plain_type(attribute->atttypid, &typmod);
		GsCodec		codec;

		if (gs_codec_for_type(&codec, type, typmod))
			continue;
		unlearnable = lappend(unlearnable, attribute);
		computed &= gs_source_computes(source, NameStr(attribute->attname)) &&
			!gs_is_named(columns, NameStr(attribute->attname));
	}
	if (unlearnable == NIL)
		return source;
	if (!computed)
		report_unlearnable(unlearnable, exclude);
	exclude = list_copy(exclude);
	foreach(cell, unlearnable)
	{
		Form_pg_attribute attribute = lfirst(cell);
		char	   *name = pstrdup(NameStr(attribute->attname));

		exclude = lappend(exclude, name);
		*notes = lappend(*notes,
						 psprintf("column \"%s\" of type %s cannot be learned: it is generated, and left to the table that takes the rows",
								  name, format_type_be(attribute->atttypid)));
	}
	return gs_source_open(text, columns, exclude);
}
