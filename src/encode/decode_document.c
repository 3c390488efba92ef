/*
 * decode_document.c
 *	  JSON documents out of their layouts and members.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/json.h"

#include "column/members.h"
#include "encode/decode_document.h"

struct GsDocumentDecoder
{
	const GsSchema *schema;
	const GsColumn *column;
	const GsColumn *members;	/* [column->nmembers] */
	GsDecoder **member;			/* [column->nmembers] */
	int		   *member_of;		/* of each node; -1: none */
	const GsBatch *batch;		/* of the document that is being made, */
	int			row;			/* and its row; */
	GsRandom   *random;			/* for numbers near its own; or NULL */
};

/*
 * gs_document_decoder_create: a decoder of the members of a column of
 * documents, in the current context.
 */
GsDocumentDecoder *
gs_document_decoder_create(const GsSchema *schema, int column)
{
	GsDocumentDecoder *decoder = palloc0(sizeof(GsDocumentDecoder));
	const GsColumn *c = &schema->columns[column];

	decoder->schema = schema;
	decoder->column = c;
	decoder->members = &schema->columns[c->member];
	decoder->member = palloc(sizeof(GsDecoder *) * Max(c->nmembers, 1));
	decoder->member_of = gs_members_by_node(c->format, decoder->members,
											c->nmembers);
	for (int m = 0; m < c->nmembers; m++)
		decoder->member[m] = gs_decoder_create(schema, c->member + m,
											   InvalidOid);
	return decoder;
}

/*
 * gs_document_decoder_needs: see gs_decoder_needs.
 */
void
gs_document_decoder_needs(const GsDocumentDecoder *decoder, bool *needed)
{
	for (int m = 0; m < decoder->column->nmembers; m++)
		gs_decoder_needs(decoder->member[m], needed);
}

static void
put_member(const GsColumn *member, Datum value, StringInfo out)
{
	char	   *string;

	switch (gs_member_type(member))
	{
		case JSON_BOOL:
			appendStringInfoString(out, DatumGetBool(value) ? "true" : "false");
			break;
		case JSON_NUMBER:
			string = DatumGetCString(DirectFunctionCall1(numeric_out, value));
			appendStringInfoString(out, string);
			break;
		default:
			string = TextDatumGetCString(value);
			escape_json(out, string);
			break;
	}
}

/* What the features say of a node's value. */
static GsLeaf
put_leaf(void *arg, uint32 node, int type, StringInfo out)
{
	GsDocumentDecoder *decoder = arg;
	int			m = decoder->member_of[node];
	const GsColumn *member;
	const GsFeature *feature;
	Datum		value;
	bool		isnull = false;
	int			row = decoder->row;

	if (m < 0)
		return GS_LEAF_UNKNOWN;
	member = &decoder->members[m];
	if (type >= 0 && type != gs_member_type(member))
		return GS_LEAF_UNKNOWN;
	feature = &decoder->schema->features[member->feature[0]];
	if (feature->other_level >= 0 &&
		decoder->batch->code[member->feature[0]][row] == feature->other_level)
		return GS_LEAF_NOVEL;
	if (decoder->random == NULL ||
		!gs_decode_near(decoder->member[m], decoder->batch, row,
						decoder->random, &value))
		gs_decode(decoder->member[m], decoder->batch, row, row + 1,
				  (GsRows) {&value, &isnull, 1});
	if (isnull)
		return type < 0 ? GS_LEAF_ABSENT : GS_LEAF_UNKNOWN;
	put_member(member, value, out);
	return GS_LEAF_PUT;
}

/*
 * gs_document_draw: appends a document, as jsonb writes it.
 *
 * layout: that it has, or NULL: drawn too; batch, row: what its members are
 * decoded from; batch is NULL if they are to be drawn by themselves; near:
 * whether numbers are to be others of the same segments.
 */
void
gs_document_draw(GsDocumentDecoder *decoder, const char *layout,
				 const GsBatch *batch, int row, bool near,
				 GsRandom *random, StringInfo out)
{
	GsLeaves	leaves = {.put = put_leaf,.arg = decoder};

	decoder->batch = batch;
	decoder->row = row;
	decoder->random = near ? random : NULL;
	gs_format_draw_json(decoder->column->format, layout,
					   batch != NULL ? &leaves : NULL, random, out);
}
