/*
 * members.c
 *	  Columns for the values at paths of JSON documents, and for what stands in
 *	  the slots of texts.
 *
 * A member is a boolean, numeric or text column behind those of the table.  A
 * family learns it as it learns any; it is NULL where the document has no such
 * value, or the text is not of the common form.  Only the column of the
 * document or text is decoded, and out of its members.
 *
 *	 document		int4 [D]		columns whose levels are layouts
 *	 document/path	int4 [M, 3]		of each member: column, place, type; of a
 *									text, its slot is the place
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "column/members.h"
#include "codec/notation.h"
#include "column/tensor.h"
#include "key/key.h"

/*
 * gs_member_init: makes a column for the values of a place, in the current
 * context.
 *
 * owner: of the documents, with its format; type: JSON_BOOL, JSON_NUMBER or
 * JSON_STRING.
 */
void
gs_member_init(GsColumn *member, const GsColumn *owner, uint32 place,
			   JsonType type)
{
	StringInfoData name;

	initStringInfo(&name);
	appendStringInfoString(&name, owner->name);
	if (owner->format == NULL)
		appendStringInfo(&name, "[%u]", place);
	else
		gs_format_path(owner->format, place, &name);
	memset(member, 0, sizeof(GsColumn));
	member->name = name.data;
	member->type = type == JSON_BOOL ? BOOLOID :
		type == JSON_NUMBER ? NUMERICOID : TEXTOID;
	member->typmod = -1;
	member->declared = member->type;
	member->base_name = member->type_name = format_type_be(member->type);
	member->null_feature = -1;
	for (int p = 0; p < GS_MAX_PARTS; p++)
		member->feature[p] = -1;
	member->place = place;
	(void) gs_codec_for_type(&member->codec, member->type, -1);
}

/*
 * gs_member_text: what a member of texts has in a row of a batch; where that is
 * too rare to be shown, or nothing, the most frequent one.
 */
const char *
gs_member_text(const GsSchema *schema, const GsColumn *owner, int m,
			   const GsBatch *batch, int row)
{
	int			f = schema->columns[owner->member + m].feature[0];
	const GsFeature *feature = &schema->features[f];
	int			code = batch->code[f][row];

	if (code >= 0 && code < feature->nlevels && feature->text[code] != NULL)
		return feature->text[code];
	return feature->text[0] != NULL ? feature->text[0] : "";
}

/*
 * gs_member_type: the type of a member's values.
 */
JsonType
gs_member_type(const GsColumn *member)
{
	return member->type == BOOLOID ? JSON_BOOL :
		member->type == NUMERICOID ? JSON_NUMBER : JSON_STRING;
}

/*
 * gs_member_datum: a boolean, number or string as the value of a member.
 */
Datum
gs_member_datum(const JsonbValue *value)
{
	if (value->type == jbvBool)
		return BoolGetDatum(value->val.boolean);
	if (value->type == jbvNumeric)
		return NumericGetDatum(value->val.numeric);
	return PointerGetDatum(cstring_to_text_with_len(value->val.string.val,
													value->val.string.len));
}

/*
 * gs_members_by_place: for each place of a format, which of n members it is; -1:
 * none.
 */
int *
gs_members_by_place(const GsFormat *format, const GsColumn *members, int n)
{
	uint32		places = gs_format_places(format);
	int		   *member_of = palloc(sizeof(int) * places);

	for (uint32 i = 0; i < places; i++)
		member_of[i] = -1;
	for (int m = 0; m < n; m++)
		member_of[members[m].place] = m;
	return member_of;
}

/*
 * gs_documents_save: appends the tensors of documents, if there are any.
 */
void
gs_documents_save(const GsSchema *schema, List **tensors)
{
	int			nmembers = schema->nall - schema->ncolumns;
	int32	   *documents = palloc(sizeof(int32) * Max(schema->ncolumns, 1));
	int32	   *path = palloc(sizeof(int32) * 3 * Max(nmembers, 1));
	int			n = 0;

	for (int c = 0; c < schema->ncolumns; c++)
		if (schema->columns[c].document)
			documents[n++] = c;
	for (int m = 0; m < nmembers; m++)
	{
		const GsColumn *member = &schema->columns[schema->ncolumns + m];

		path[3 * m] = member->owner - 1;
		path[3 * m + 1] = member->place;
		path[3 * m + 2] = gs_member_type(member);
	}
	if (n > 0 || nmembers > 0)
	{
		gs_tensor_add(tensors, "document", GS_I4, 1, n, 0, documents);
		gs_tensor_add(tensors, "document/path", GS_I4, 2, nmembers, 3, path);
	}
	pfree(documents);
	pfree(path);
}

/*
 * Whether what stands in the slots of a text can be told.
 */
static bool
has_slots(const GsColumn *column)
{
	return column->format != NULL && column->key == NULL &&
		column->kind == NULL &&
		column->codec.kind->content == GS_CONTENT_TEXT;
}

/*
 * Whether a column of texts of moments may have offsets behind them.
 */
static bool
has_offsets(const GsColumn *column)
{
	return column->codec.notation != NULL && column->nmembers <= 1 &&
		column->codec.notation->plain->content == GS_CONTENT_TEXT;
}

static void
load_member(GsSchema *schema, const int32 *path)
{
	GsColumn   *member = &schema->columns[schema->nall];
	GsColumn   *owner;
	bool		plain;			/* its members are texts without a format */

	owner = path[0] < 0 || path[0] >= schema->ncolumns ? NULL :
		&schema->columns[path[0]];
	plain = owner != NULL && (owner->key != NULL ? owner->key->place > 0 :
							  has_offsets(owner));
	if (owner == NULL || (!owner->document && !has_slots(owner) && !plain))
		gs_corrupted("A path is of no document or text.");
	if (owner->nmembers == GS_MAX_MEMBERS || path[1] < 0 ||
		(plain ? path[1] >= GS_MAX_SLOTS || path[2] != JSON_STRING :
		 path[1] >= gs_format_places(owner->format) ||
		 (path[2] != JSON_BOOL && path[2] != JSON_NUMBER &&
		  path[2] != JSON_STRING) ||
		 !gs_format_has_type(owner->format, path[1] / GS_POSITIONS, path[2])))
		gs_corrupted("A path of column \"%s\" is impossible.", owner->name);
	if (owner->nmembers == 0)
		owner->member = schema->nall;
	/* they stand together, in the order of places */
	else if (owner->member + owner->nmembers != schema->nall ||
			 member[-1].place >= path[1])
		gs_corrupted("A path of column \"%s\" is out of place.", owner->name);
	gs_member_init(member, owner, path[1], path[2]);
	member->owner = path[0] + 1;
	owner->nmembers++;
	schema->nall++;
	if (has_offsets(owner))
		owner->codec.notation->offset = true;
}

/*
 * gs_documents_load: reads which columns hold documents, and makes their
 * members, behind the columns of the table, which have their shapes.
 *
 * Errors: data_corrupted where a tensor is not what gs_documents_save wrote.
 */
void
gs_documents_load(GsSchema *schema, const List *tensors)
{
	const GsTensor *documents;
	const GsTensor *path;
	GsColumn   *columns;

	schema->nall = schema->ncolumns;
	if (gs_tensor_find(tensors, "document") == NULL)
		return;
	documents = gs_tensor_get(tensors, "document", GS_I4, 1);
	path = gs_tensor_get(tensors, "document/path", GS_I4, 2);
	if (path->dims[1] != 3 ||
		path->dims[0] > schema->ncolumns * GS_MAX_MEMBERS)
		gs_corrupted("Tensor \"document/path\" has the wrong format.");
	columns = palloc0(sizeof(GsColumn) * (schema->ncolumns + path->dims[0]));
	memcpy(columns, schema->columns, sizeof(GsColumn) * schema->ncolumns);
	schema->columns = columns;
	for (int i = 0; i < documents->dims[0]; i++)
	{
		int32		c = ((const int32 *) documents->data)[i];

		if (c < 0 || c >= schema->ncolumns || columns[c].document ||
			columns[c].format == NULL || columns[c].key != NULL ||
			columns[c].codec.kind->content != GS_CONTENT_JSON)
			gs_corrupted("A column of documents is none.");
		columns[c].document = true;
	}
	for (int m = 0; m < path->dims[0]; m++)
		load_member(schema, (const int32 *) path->data + 3 * m);
}
