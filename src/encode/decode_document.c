/*
 * decode_document.c
 *	  JSON documents out of their layouts and members.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/json.h"

#include "column/members.h"
#include "encode/decode_document.h"

/*
 * What is done about a document that is a copy of a rare one: so many times
 * all numbers are others of their segments, then one member is a number of a
 * segment near its own, then drawn by itself, and in the end all are.
 */
#define NEAR_TRIES		4
#define REACH_TRIES		12
#define MEMBER_TRIES	24

struct GsDocumentDecoder
{
	const GsSchema *schema;
	const GsColumn *column;
	const GsColumn *members;	/* [column->nmembers] */
	GsDecoder **member;			/* [column->nmembers] */
	int		   *member_of;		/* of each place; -1: none */
	const GsBatch *batch;		/* of the document that is being made, */
	int			row;			/* and its row; */
	GsRandom   *random;
	int			try;			/* how many drawn before were copies */
	int			moved;			/* the member that is to be another one */
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
	decoder->member_of = gs_members_by_place(c->format, decoder->members,
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

/*
 * Appends a number, without zeros at its end that not all have.
 */
static void
put_number(const GsFeature *feature, Datum value, StringInfo out)
{
	char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out,
															 value));
	char	   *point = strchr(digits, '.');
	int			len = strlen(digits);

	if (point != NULL)
	{
		int			min = point - digits + 1 + feature->min_scale;

		while (len > min && digits[len - 1] == '0')
			len--;
		if (digits[len - 1] == '.')
			len--;
	}
	appendBinaryStringInfo(out, digits, len);
}

static void
put_member(const GsColumn *member, const GsFeature *feature, Datum value,
		   StringInfo out)
{
	char	   *string;

	switch (gs_member_type(member))
	{
		case JSON_BOOL:
			appendStringInfoString(out, DatumGetBool(value) ? "true" : "false");
			break;
		case JSON_NUMBER:
			put_number(feature, value, out);
			break;
		default:
			string = TextDatumGetCString(value);
			escape_json(out, string);
			break;
	}
}

/* What the features say of a place's value. */
static GsLeaf
put_leaf(void *arg, uint32 place, int type, StringInfo out)
{
	GsDocumentDecoder *decoder = arg;
	int			m = decoder->member_of[place];
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
	if (decoder->try >= REACH_TRIES && m == decoder->moved)
		return GS_LEAF_UNKNOWN;
	if (decoder->try == 0 ||
		(decoder->try >= NEAR_TRIES && m != decoder->moved) ||
		!gs_decode_near(decoder->member[m], decoder->batch, row,
						Max(decoder->try - NEAR_TRIES + 1, 0),
						decoder->random, &value))
		gs_decode(decoder->member[m], decoder->batch, row, row + 1,
				  (GsRows) {&value, &isnull, 1});
	if (isnull)
		return type < 0 ? GS_LEAF_ABSENT : GS_LEAF_UNKNOWN;
	put_member(member, feature, value, out);
	return GS_LEAF_PUT;
}

/*
 * gs_document_draw: appends a document, as jsonb writes it.
 *
 * layout: that it has, or NULL: drawn too; batch, row: what its members are
 * decoded from; batch is NULL if they are to be drawn by themselves; try: how
 * many documents that were drawn from these before were copies of rare ones.
 */
void
gs_document_draw(GsDocumentDecoder *decoder, const char *layout,
				 const GsBatch *batch, int row, int try,
				 GsRandom *random, StringInfo out)
{
	GsLeaves	leaves = {.put = put_leaf,.arg = decoder};

	decoder->batch = batch;
	decoder->row = row;
	decoder->random = random;
	decoder->try = try;
	if (try >= NEAR_TRIES && decoder->column->nmembers > 0)
		decoder->moved = gs_random_below(random, decoder->column->nmembers);
	gs_format_draw_json(decoder->column->format, layout,
					   batch != NULL && try < MEMBER_TRIES ? &leaves : NULL,
					   random, out);
}
