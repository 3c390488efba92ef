/*
 * codec_text.c
 *	  Values that are known by their text.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "codec/codec_internal.h"

static void
split_text(GsCodec *codec, Datum value, GsPart *part)
{
	part->unbreakable = codec->kind->content == GS_CONTENT_JSON ||
		codec->kind->content == GS_CONTENT_ARRAY;
	if (codec->type == TEXTOID || codec->type == VARCHAROID ||
		codec->type == BPCHAROID)
	{
		text	   *t = DatumGetTextPP(value);

		part->text = VARDATA_ANY(t);
		part->len = VARSIZE_ANY_EXHDR(t);
	}
	else if (codec->type == CHAROID && IS_HIGHBIT_SET(DatumGetChar(value)))
	{
		/* not a text in every encoding; written as PostgreSQL 16 does */
		part->text = psprintf("\\%03o", (unsigned char) DatumGetChar(value));
		part->len = strlen(part->text);
	}
	else
	{
		part->text = OutputFunctionCall(&codec->output, value);
		part->len = strlen(part->text);
	}
	/* char(n) is padded by its input function */
	if (codec->type == BPCHAROID)
	{
		while (part->len > 0 && part->text[part->len - 1] == ' ')
			part->len--;
	}
}

static Datum
join_text(GsCodec *codec, const GsPart *parts)
{
	const char *text = parts[0].text;

	if (codec->type == CHAROID && text[0] == '\\' && strlen(text) == 4)
		return CharGetDatum((char) strtol(text + 1, NULL, 8));
	return InputFunctionCall(&codec->input, unconstify(char *, text),
							 codec->ioparam, codec->typmod);
}

#define TEXT_KIND	.nparts = 1, .part = {{.lane = GS_LANE_TEXT}}, \
					.split = split_text, .join = join_text

const GsCodecKind gs_text_kinds[] = {
	{
		/* and all others of the string category */
		.name = "text", .types = {CHAROID}, TEXT_KIND,
		.content = GS_CONTENT_TEXT
	},
	{
		.name = "enum", TEXT_KIND,
		.content = GS_CONTENT_LABEL
	},
	{
		.name = "uuid", .types = {UUIDOID}, TEXT_KIND,
		.content = GS_CONTENT_UUID
	},
	{
		.name = "bytea", .types = {BYTEAOID}, TEXT_KIND,
		.content = GS_CONTENT_BITS, .bits = 8, .styled = true
	},
	{
		.name = "bit", .types = {BITOID, VARBITOID}, TEXT_KIND,
		.content = GS_CONTENT_BITS, .bits = 1
	},
	{
		.name = "json", .types = {JSONOID, JSONBOID}, TEXT_KIND,
		.content = GS_CONTENT_JSON
	},
	{
		.name = "array", TEXT_KIND,
		.content = GS_CONTENT_ARRAY, .styled = true
	},
	{0}
};
