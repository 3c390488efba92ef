/*
 * decode_text.c
 *	  Values of columns that are generated, not chosen among levels.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"

#include "codec/styles.h"
#include "encode/decode_internal.h"
#include "text/json.h"
#include "text/slots.h"

/* How often a generated value that copies a source value is drawn again. */
#define COPY_TRIES		32

static void
draw_bits(GsDecoder *decoder, GsRandom *random)
{
	const GsColumn *column = decoder->column;
	int			length = 8;

	if (column->lengths)
		length = column->lengths[gs_random_below(random, GS_LENGTHS)];
	if (decoder->codec.type == BITOID && decoder->codec.typmod > 0)
		length = decoder->codec.typmod;
	gs_draw_bits(&decoder->text, random, length,
				 decoder->codec.kind->bits == 8);
}

/*
 * An array, as the type writes it: a row must not depend on how its session
 * likes to see dates.
 */
static void
draw_array(GsDecoder *decoder, GsRandom *random)
{
	GsCodec    *codec = &decoder->codec;
	StringInfo	text = &decoder->text;
	GsPart		part = {.lane = GS_LANE_TEXT};
	const char *array;
	int			level = gs_fix_styles();

	gs_format_draw(decoder->column->format, random, text);
	part.text = gs_json_to_array(codec, text->data, random,
								 &decoder->flawed);
	array = part.text;
	/* the NULLs of a flawed one may be refused */
	if (!decoder->flawed)
		array = OutputFunctionCall(&codec->output,
								   gs_codec_join(codec, &part));
	gs_end_settings(level);
	resetStringInfo(text);
	appendStringInfoString(text, array);
}

/*
 * A text by the column's kind, for which its format serves as the last resort,
 * and as a pattern of numbers, addresses and user names.  Returns the text, or NULL.
 */
static const char *
draw_person(GsDecoder *decoder, GsRandom *random)
{
	StringInfo	text = &decoder->text;
	char	   *form = NULL;

	if (decoder->try == decoder->tries - 1 && decoder->try > 0)
		return NULL;
	if ((decoder->column->kind->fits & GS_FITS_DIGITS) != 0 ||
		decoder->column->kind->unique)
	{
		gs_format_draw(decoder->column->format, random, text);
		form = pstrdup(text->data);
		resetStringInfo(text);
	}
	if (gs_person_draw(decoder->person, decoder->batch, decoder->row,
					   decoder->try, form, text))
		return text->data;
	return NULL;
}

/*
 * A text in the common form, of what its members say; of another form if these
 * are NULL.  A token that is too rare to be told is drawn.
 */
static void
draw_slots(GsDecoder *decoder, GsRandom *random)
{
	const GsColumn *column = decoder->column;
	GsToken		token[GS_MAX_SLOTS] = {{NULL, 0}};
	bool		common = true;

	for (int m = 0; m < column->nmembers; m++)
	{
		const GsDecoder *member = decoder->slot[m];
		int			other = member->part[0].feature->other_level;
		Datum		value;
		bool		isnull = false;

		if (other >= 0 && other ==
			decoder->batch->code[member->column->feature[0]][decoder->row])
			continue;
		gs_decode(decoder->slot[m], decoder->batch, decoder->row,
				  decoder->row + 1, (GsRows) {&value, &isnull, 1});
		if (isnull)
			common = false;
		else
			token[member->column->place] = (GsToken) {
				VARDATA_ANY(DatumGetPointer(value)),
				VARSIZE_ANY_EXHDR(DatumGetPointer(value))
			};
	}
	gs_format_draw_tokens(column->format, decoder->common,
						  common ? token : NULL, random, &decoder->text);
}

/*
 * A new value, in decoder->text.  Returns false if it copies a rare value of
 * the source, or is not whole.  Copies are known by the text that the type
 * writes (of json, jsonb).
 */
static bool
draw_text(GsDecoder *decoder, GsRandom *random)
{
	const GsFormat *format = decoder->column->format;
	StringInfo	text = &decoder->text;
	const char *known = NULL;	/* stays so if the format redraws by itself */
	bool		copy;
	MemoryContext old;

	MemoryContextReset(decoder->scratch);
	old = MemoryContextSwitchTo(decoder->scratch);
	resetStringInfo(text);
	decoder->flawed = false;
	switch (decoder->codec.kind->content)
	{
		case GS_CONTENT_UUID:
			gs_draw_uuid(text, random);
			break;
		case GS_CONTENT_BITS:
			draw_bits(decoder, random);
			known = text->data;
			break;
		case GS_CONTENT_JSON:
			if (decoder->document != NULL)
				gs_document_draw(decoder->document, decoder->paths,
								 decoder->batch, decoder->row, decoder->try,
								 random, text);
			else
				gs_format_draw(format, random, text);
			known = gs_json_to_jsonb(text->data);
			break;
		case GS_CONTENT_ARRAY:
			draw_array(decoder, random);
			known = text->data;
			break;
		default:
			if (decoder->person != NULL && decoder->batch != NULL)
				known = draw_person(decoder, random);
			if (known == NULL && decoder->slot != NULL &&
				decoder->batch != NULL)
				draw_slots(decoder, random);
			else if (known == NULL)
				gs_format_draw(format, random, text);
			break;
	}
	copy = known != NULL && format != NULL &&
		gs_format_knows(format, known, strlen(known));
	MemoryContextSwitchTo(old);
	return !decoder->flawed && !copy;
}

/*
 * A new value of the "other" level, in decoder->text.
 */
void
gs_decoder_generate(GsDecoder *decoder, GsRandom *random)
{
	for (decoder->try = 0; decoder->try < decoder->tries; decoder->try++)
		if (draw_text(decoder, random))
			return;
	if (decoder->flawed && decoder->spare != NULL)
	{
		resetStringInfo(&decoder->text);
		appendStringInfoString(&decoder->text, decoder->spare);
	}
}

/*
 * Where all that can be drawn is a copy (any of two digits, say), there is no
 * use in trying again.
 */
void
gs_decoder_limit_tries(GsDecoder *decoder)
{
	GsRandom	random;

	decoder->tries = COPY_TRIES;
	for (int i = 0; i < COPY_TRIES; i++)
	{
		gs_random_start(&random, 0, i, decoder->index);
		if (draw_text(decoder, &random))
		{
			decoder->spare = pstrdup(decoder->text.data);
			return;
		}
	}
	decoder->tries = 1;
}
