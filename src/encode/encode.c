/*
 * encode.c
 *	  From columns to features: real values as a family sees them.
 *
 * What is decoded from a batch and encoded again gives the codes that it came
 * from, and scores that give the same values.  Where within the scores of one
 * value, as in an atom, is the random part of the distributional transform
 * (Rueschendorf 2009): the caller's, or the middle.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "codec/codec_internal.h"
#include "codec/notation.h"
#include "column/members.h"
#include "encode/encode.h"
#include "learn/center.h"
#include "text/json.h"
#include "text/slots.h"
#include "learn/quantile.h"
#include "codec/styles.h"
#include "codec/composite.h"

typedef struct PartEncoder
{
	int			index;			/* of the feature */
	const GsFeature *feature;
	GsLevels   *levels;			/* category */
	float	   *base;			/* [nsegments] number: see gs_quantile_scores */
	float	   *span;			/* [nsegments] */
} PartEncoder;

typedef struct ColumnEncoder
{
	const GsColumn *column;
	int			index;			/* of the column */
	struct ColumnEncoder *anchor;	/* of the column near whose places it
									 * lies; or NULL */
	GsCodec		apart;			/* own copy, a whole value taken apart */
	int			nparts;			/* that are features, and can be told */
	PartEncoder part[GS_MAX_PARTS];
	const GsFeature *null;		/* NULL: none */
	struct ColumnEncoder *members;	/* of documents */
	int		   *member_of;		/* of each place: which of them; -1: none */
	int			common;			/* of a text with members, see gs_format_common */
} ColumnEncoder;

struct GsEncoder
{
	const GsSchema *schema;
	int			ncolumns;		/* known ones */
	ColumnEncoder *column;		/* [ncolumns] */
	bool		styled;			/* see gs_fix_styles */
	MemoryContext scratch;		/* of one value */
};

static int
by_key(const void *a, const void *b, void *arg)
{
	const GsLevels *levels = arg;

	return gs_scalar_compare(levels->key[*(const int *) a],
							 levels->key[*(const int *) b],
							 levels->feature->lane);
}

/*
 * The parts of a whole value as one text: numerics are equal whatever zeros
 * they are written with.  In the current context.
 */
static char *
pack_parts(GsPart *parts, int n)
{
	for (int p = 0; p < n; p++)
		if (!parts[p].absent && parts[p].text != NULL)
			parts[p].len = gs_numeric_length(parts[p].text,
											 strlen(parts[p].text));
	return gs_composite_pack(parts, n);
}

/*
 * The text that a level's values have as split_value takes them apart.
 */
static char *
level_text(const GsCodec *codec, const char *text)
{
	GsPart		parts[GS_MAX_PARTS];
	int			len = strlen(text);

	if (codec->whole)
	{
		GsCodec		apart = *codec;

		gs_composite_unset(&apart);
		if (gs_composite_unpack(codec, text, parts))
			return pack_parts(parts, apart.nparts);
	}
	else if (codec->part[0].lane == GS_LANE_NUMERIC)
		len = gs_numeric_length(text, len);
	return pnstrdup(text, len);
}

/*
 * gs_levels_create: makes a category's levels ready to be found, in the
 * current context.
 *
 * codec: NULL in a fit, whose texts are known by the hashes of their lane;
 * else the column's, and texts are known by hashes of the encoder's own.
 */
GsLevels *
gs_levels_create(const GsFeature *feature, const GsCodec *codec)
{
	GsLevels   *levels = palloc0(sizeof(GsLevels));
	int			n = Max(feature->nlevels, 1);
	GsScalar   *key;

	levels->feature = feature;
	levels->key = feature->level;
	levels->order = palloc(sizeof(int) * n);
	for (int i = 0; i < feature->nlevels; i++)
		if (i != feature->null_level && i != feature->other_level)
			levels->order[levels->n++] = i;
	if (codec != NULL && feature->lane == GS_LANE_TEXT)
	{
		levels->key = key = palloc0(sizeof(GsScalar) * n);
		levels->text = palloc0(sizeof(char *) * n);
		for (int i = 0; i < levels->n; i++)
		{
			int			level = levels->order[i];
			char	   *text = level_text(codec, feature->text[level]);

			levels->text[level] = text;
			key[level].hash = gs_format_hash(text, strlen(text), 0);
		}
	}
	qsort_arg(levels->order, levels->n, sizeof(int), by_key, levels);
	return levels;
}

/*
 * gs_levels_free: frees what a fit's gs_levels_create took.
 */
void
gs_levels_free(GsLevels *levels)
{
	pfree(levels->order);
	pfree(levels);
}

/*
 * The place in levels->order of the first level whose key is not below one.
 */
static int
first_level(const GsLevels *levels, GsScalar key)
{
	int			low = 0;
	int			high = levels->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (gs_scalar_compare(levels->key[levels->order[middle]], key,
							  levels->feature->lane) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * gs_levels_find: the level of a scalar: "other" for a text that is none, if
 * there is that; GS_NO_CODE if there is none for it.
 */
int
gs_levels_find(const GsLevels *levels, GsScalar key)
{
	int			at = first_level(levels, key);

	if (at < levels->n &&
		gs_scalar_compare(levels->key[levels->order[at]], key,
						  levels->feature->lane) == 0)
		return levels->order[at];
	return levels->feature->other_level;
}

/*
 * The same of a text, by itself: somebody may have sought one with the hash
 * of another.
 */
static int
find_text(const GsLevels *levels, const char *text, int len)
{
	GsScalar	key = {.hash = gs_format_hash(text, len, 0)};

	for (int at = first_level(levels, key);
		 at < levels->n && levels->key[levels->order[at]].hash == key.hash;
		 at++)
	{
		const char *level = levels->text[levels->order[at]];

		if (strlen(level) == len && memcmp(level, text, len) == 0)
			return levels->order[at];
	}
	return levels->feature->other_level;
}

/*
 * gs_part_scalars: the scalars next to the value of a part of a number, or of
 * a category of numbers: the last that is not above it and the first that is
 * not below it, the same where a scalar holds it.
 */
void
gs_part_scalars(const GsFeature *feature, const GsPart *part, GsScalar *below,
				GsScalar *above)
{
	*below = *above = part->scalar;
	if (part->lane != GS_LANE_NUMERIC)
		return;
	if (feature->lane == GS_LANE_INT)
		gs_numeric_scaled(part->text, feature->scale, &below->i, &above->i);
	else
		gs_numeric_doubles(part->text, &below->f, &above->f);
}

static void
init_part(PartEncoder *part, const GsColumn *column, const GsFeature *feature)
{
	int			n = feature->quantile.nsegments;

	part->feature = feature;
	if (feature->kind == GS_FEATURE_CATEGORY)
	{
		part->levels = gs_levels_create(feature, &column->codec);
		return;
	}
	part->base = palloc(sizeof(float) * n);
	part->span = palloc(sizeof(float) * n);
	for (int s = 0; s < n; s++)
		gs_quantile_scores(feature, s, &part->base[s], &part->span[s]);
}

/*
 * Whether all is known that a column is a sum with.
 */
static bool
sources_known(const GsLayout *layout, const bool *known)
{
	if (layout == NULL || known == NULL)
		return true;
	for (int b = 0; b < layout->nbases; b++)
		if (!known[layout->base[b]])
			return false;
	return layout->since < 0 || known[layout->since];
}

/*
 * known: [ncolumns] those of a row, or NULL for all
 */
static void
init_column(ColumnEncoder *encoder, const GsSchema *schema, int c,
			const bool *known)
{
	const GsColumn *column = &schema->columns[c];

	encoder->column = column;
	encoder->index = c;
	encoder->apart = column->codec;
	if (column->codec.whole)
		gs_composite_unset(&encoder->apart);
	if (column->null_feature >= 0)
		encoder->null = &schema->features[column->null_feature];
	if (column->key != NULL || !sources_known(column->layout, known) ||
		(column->anchor > 0 && known != NULL && !known[column->anchor - 1]))
		return;
	if (column->anchor > 0)
	{
		encoder->anchor = palloc0(sizeof(ColumnEncoder));
		init_column(encoder->anchor, schema, column->anchor - 1, known);
	}
	encoder->nparts = column->codec.nparts;
	for (int p = 0; p < encoder->nparts; p++)
	{
		encoder->part[p].index = column->feature[p];
		init_part(&encoder->part[p], column,
				  &schema->features[column->feature[p]]);
	}
	if (column->document)
		encoder->member_of = gs_members_by_place(column->format,
												&schema->columns[column->member],
												column->nmembers);
	else if (column->nmembers == 0)
		return;
	else
		encoder->common = gs_format_common(column->format);
	encoder->members = palloc0(sizeof(ColumnEncoder) *
							   Max(column->nmembers, 1));
	for (int m = 0; m < column->nmembers; m++)
		init_column(&encoder->members[m], schema, column->member + m, NULL);
}

/*
 * gs_encoder_create: an encoder of some columns of a model, in the current
 * context, for rows in which these are known.
 *
 * known: [ncolumns], or NULL for all.  The schema must outlive it.
 */
GsEncoder *
gs_encoder_create(const GsSchema *schema, const bool *known)
{
	GsEncoder  *encoder = palloc0(sizeof(GsEncoder));

	encoder->schema = schema;
	encoder->column = palloc0(sizeof(ColumnEncoder) *
							  Max(schema->ncolumns, 1));
	for (int c = 0; c < schema->ncolumns; c++)
	{
		if (known != NULL && !known[c])
			continue;
		init_column(&encoder->column[encoder->ncolumns++], schema, c, known);
		encoder->styled |= schema->columns[c].codec.kind->styled;
	}
	encoder->scratch = AllocSetContextCreate(CurrentMemoryContext,
											 "gensynth encoded value",
											 ALLOCSET_DEFAULT_SIZES);
	return encoder;
}

static void
column_fills(const ColumnEncoder *column, bool *filled)
{
	for (int p = 0; p < column->nparts; p++)
		filled[column->part[p].index] = true;
	if (column->null != NULL)
		filled[column->column->null_feature] = true;
	for (int m = 0; m < column->column->nmembers && column->members != NULL; m++)
		column_fills(&column->members[m], filled);
}

/*
 * gs_encoder_fills: marks the features that gs_encode fills: those of the
 * known columns, but for a difference from a column that is not.
 *
 * filled: [nfeatures]
 */
void
gs_encoder_fills(const GsEncoder *encoder, bool *filled)
{
	for (int c = 0; c < encoder->ncolumns; c++)
		column_fills(&encoder->column[c], filled);
}

/*
 * A category's code of a part.
 */
static int
code_of(const PartEncoder *part, const GsPart *value)
{
	GsScalar	below;
	GsScalar	above;

	if (part->feature->lane == GS_LANE_TEXT)
		return find_text(part->levels, value->text,
						 value->lane == GS_LANE_NUMERIC ?
						 gs_numeric_length(value->text, value->len) :
						 value->len);
	gs_part_scalars(part->feature, value, &below, &above);
	if (gs_scalar_compare(below, above, part->feature->lane) != 0)
		return GS_NO_CODE;
	return gs_levels_find(part->levels, below);
}

/*
 * A number's normal score of a part.
 */
static float
score_of(const PartEncoder *part, const GsPart *value, float position)
{
	const GsFeature *feature = part->feature;
	GsScalar	below;
	GsScalar	above;
	int			s;

	gs_part_scalars(feature, value, &below, &above);
	s = gs_quantile_nearest(feature, below);
	return part->base[s] + part->span[s] *
		(float) gs_quantile_position(feature, s, below, position);
}

/*
 * Takes a value apart as its features are.  Texts are in the current context,
 * or point into the value.
 */
static void
split_value(ColumnEncoder *encoder, Datum value, GsPart *parts)
{
	gs_codec_split(&encoder->apart, value, parts);
	if (!encoder->column->codec.whole)
		return;
	parts[0].text = pack_parts(parts, encoder->apart.nparts);
	parts[0].len = strlen(parts[0].text);
	parts[0].lane = GS_LANE_TEXT;
	parts[0].absent = false;
}

/*
 * Takes the place of its row off a value.
 */
static void
take_place_off(const ColumnEncoder *encoder, GsRows anchor, int row,
			   GsPart *value)
{
	ColumnEncoder *by = encoder->anchor;
	const GsCenters *centers = encoder->column->centers;
	const GsFeature *feature = encoder->part[0].feature;
	GsScalar	place = gs_centers_of_level(centers, -1);
	GsScalar	below;
	GsScalar	above;
	GsPart		parts[GS_MAX_PARTS];

	if (!anchor.nulls[row * anchor.stride])
	{
		split_value(by, anchor.values[row * anchor.stride], parts);
		if (by->part[0].levels != NULL)
			place = gs_centers_of_level(centers,
										code_of(&by->part[0], &parts[0]));
		else
		{
			gs_part_scalars(by->part[0].feature, &parts[0], &below, &above);
			place = gs_centers_of_value(centers, by->part[0].feature->lane,
										below);
		}
	}
	gs_part_scalars(feature, value, &below, &above);
	value->lane = feature->lane;
	value->scalar = gs_centers_distance(feature, place, below);
}

/* What gs_encode is called with. */
typedef struct Encoding
{
	GsEncoder  *encoder;
	const GsRows *columns;
	int			n;
	float	   *const *position;
	GsBatch    *batch;
} Encoding;

/*
 * gs_encode_number: a value of a column of whole numbers, as its lane has it.
 * False if it is none to add to.
 */
bool
gs_encode_number(const GsSchema *schema, int c, Datum value, int64 *number)
{
	const GsColumn *column = &schema->columns[c];
	GsScalar	below;
	GsScalar	above;
	GsCodec		codec = column->codec;
	GsPart		parts[GS_MAX_PARTS];

	gs_codec_split(&codec, value, parts);
	gs_part_scalars(&schema->features[column->feature[0]], &parts[0], &below,
					&above);
	*number = below.i;
	return !gs_layout_is_special(column, *number);
}

/*
 * A row's value of a column of whole numbers, if it is one to add to.
 */
static bool
get_number(const Encoding *call, int c, int row, int64 *value)
{
	GsRows		rows = call->columns[c];

	return !rows.nulls[row * rows.stride] &&
		gs_encode_number(call->encoder->schema, c,
						 rows.values[row * rows.stride], value);
}

/*
 * Takes a value apart as its column's layout has it.  Returns false if there is
 * nothing to tell.
 */
static bool
apply_layout(const ColumnEncoder *encoder, const Encoding *call, int row,
			 GsPart *parts)
{
	const GsLayout *layout = encoder->column->layout;
	GsLayoutParts split;
	GsScalar	value;
	GsScalar	above;
	int64		origin = 0;
	int64		since = 0;
	int64		base;
	bool		sum = false;

	gs_part_scalars(encoder->part[0].feature, &parts[0], &value, &above);
	if (layout->since < 0 || get_number(call, layout->since, row, &since))
		for (int b = 0; b < layout->nbases; b++)
		{
			int64		other;

			if (!get_number(call, layout->base[b], row, &base))
				continue;
			other = gs_layout_origin(layout, b, base, since);
			if (gs_layout_takes(layout, sum, origin, other))
				origin = other;
			sum = true;
		}
	if (!sum && layout->from_least)
	{
		origin = gs_layout_least(layout);
		sum = true;
	}
	if (!gs_layout_split(encoder->column, value.i, sum ? &origin : NULL,
						 &split))
		return false;
	for (int p = 0; p < encoder->nparts; p++)
		parts[p] = (GsPart)
	{
		.lane = GS_LANE_INT,.absent = split.absent[p],
			.scalar = split.value[p]
	};
	return true;
}

/*
 * The features of a value's parts.
 */
static void
encode_parts(const ColumnEncoder *encoder, const Encoding *call, int row,
			 const GsPart *parts)
{
	for (int p = 0; p < encoder->nparts; p++)
	{
		const PartEncoder *part = &encoder->part[p];
		int			f = part->index;

		if (parts[p].absent)
			continue;
		if (part->levels != NULL)
			call->batch->code[f][row] = code_of(part, &parts[p]);
		else
			call->batch->score[f][row] =
				score_of(part, &parts[p],
						 call->position == NULL ? 0.5f :
						 call->position[f][row]);
	}
}

/*
 * What a row says before its value is looked at: nothing, or that there is
 * none.
 */
static void
encode_null(const ColumnEncoder *encoder, GsBatch *batch, int row,
			bool isnull)
{
	if (encoder->null != NULL)
		/* of a column that is always NULL nothing else was learned */
		batch->code[encoder->column->null_feature][row] =
			isnull || encoder->null->share[1] >= 1;
	for (int p = 0; p < encoder->nparts; p++)
	{
		const PartEncoder *part = &encoder->part[p];

		if (part->levels == NULL)
			batch->score[part->index][row] = NAN;
		else
			batch->code[part->index][row] =
				isnull ? part->feature->null_level : GS_NO_CODE;
	}
	if (encoder->members != NULL)
		for (int m = 0; m < encoder->column->nmembers; m++)
			encode_null(&encoder->members[m], batch, row, true);
}

/* What encode_member() is called with. */
typedef struct Members
{
	ColumnEncoder *owner;
	const Encoding *call;
	int			row;
} Members;

static void
encode_member(void *arg, uint32 place, const JsonbValue *value)
{
	Members    *members = arg;
	int			m = members->owner->member_of[place];
	ColumnEncoder *member;
	GsPart		parts[GS_MAX_PARTS];

	if (m < 0)
		return;
	member = &members->owner->members[m];
	if (gs_format_json_type(value) != gs_member_type(member->column))
		return;
	encode_null(member, members->call->batch, members->row, false);
	split_value(member, gs_member_datum(value), parts);
	encode_parts(member, members->call, members->row, parts);
}

/*
 * The layout of a document, and its members.
 */
static void
encode_document(ColumnEncoder *encoder, const Encoding *call, int row,
				Datum value)
{
	const GsColumn *column = encoder->column;
	FmgrInfo	output = column->codec.output;
	char	   *document = OutputFunctionCall(&output, value);
	Members		members = {encoder, call, row};
	int			code = encoder->part[0].feature->other_level;

	if (gs_json_is_plain(document, strlen(document)))
	{
		Jsonb	   *jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
															   CStringGetDatum(document)));
		StringInfoData layout;

		/* it shows its arrays' lengths, if such a layout does */
		for (int open = 0; open < 2; open++)
		{
			initStringInfo(&layout);
			if (gs_format_read(column->format, jsonb, open, &layout,
							   open ? encode_member : NULL, &members) &&
				(code < 0 || code == encoder->part[0].feature->other_level))
				code = find_text(encoder->part[0].levels, layout.data,
								 layout.len);
		}
	}
	call->batch->code[encoder->part[0].index][row] = code;
}

/*
 * What stands in the slots of a text.
 */
static void
encode_slots(ColumnEncoder *encoder, const Encoding *call, int row,
			 const GsPart *text)
{
	const GsFormat *format = encoder->column->format;
	GsToken		token[GS_MAX_SLOTS];
	GsPart		parts[GS_MAX_PARTS];

	if (!gs_format_tokens(format, encoder->common, text->text,
						  text->len, token))
		return;
	for (int m = 0; m < encoder->column->nmembers; m++)
	{
		ColumnEncoder *member = &encoder->members[m];
		const GsToken *at = &token[member->column->place];

		encode_null(member, call->batch, row, false);
		split_value(member, PointerGetDatum(cstring_to_text_with_len(at->text,
																	 at->len)),
					parts);
		encode_parts(member, call, row, parts);
	}
}

/*
 * The offset behind a text of a moment, if it has one.
 */
static void
encode_offset(ColumnEncoder *encoder, const Encoding *call, int row,
			  Datum value)
{
	const GsNotation *notation = encoder->column->codec.notation;
	GsCodec		codec = encoder->apart;
	GsPart		parts[GS_MAX_PARTS];
	int			length = gs_notation_length(notation->format);

	if (encoder->members == NULL)
		return;
	notation->plain->split(&codec, value, parts);
	if (parts[0].len <= length)
		return;
	encode_null(&encoder->members[0], call->batch, row, false);
	split_value(&encoder->members[0],
				PointerGetDatum(cstring_to_text_with_len(parts[0].text + length,
														 parts[0].len - length)),
				parts);
	encode_parts(&encoder->members[0], call, row, parts);
}

/*
 * The features of a value that is not NULL.
 */
static void
encode_value(ColumnEncoder *encoder, const Encoding *call, int row)
{
	const GsRows *rows = &call->columns[encoder->index];
	Datum		value = rows->values[row * rows->stride];
	GsPart		parts[GS_MAX_PARTS];

	if (encoder->column->document)
	{
		encode_document(encoder, call, row, value);
		return;
	}
	split_value(encoder, value, parts);
	if (encoder->column->codec.notation != NULL)
		encode_offset(encoder, call, row, value);
	else if (encoder->members != NULL &&
		code_of(&encoder->part[0], &parts[0]) ==
		encoder->part[0].feature->other_level)
		encode_slots(encoder, call, row, &parts[0]);
	if (encoder->column->layout != NULL &&
		!apply_layout(encoder, call, row, parts))
		return;
	if (encoder->anchor != NULL)
		take_place_off(encoder, call->columns[encoder->anchor->index], row,
					   &parts[0]);
	encode_parts(encoder, call, row, parts);
}

static void
encode_columns(const Encoding *call)
{
	GsEncoder  *encoder = call->encoder;
	MemoryContext old = MemoryContextSwitchTo(encoder->scratch);

	for (int c = 0; c < encoder->ncolumns; c++)
	{
		ColumnEncoder *column = &encoder->column[c];
		const GsRows *rows = &call->columns[column->index];

		for (int row = 0; row < call->n; row++)
		{
			bool		isnull = rows->nulls[row * rows->stride];

			encode_null(column, call->batch, row, isnull);
			if (isnull || column->nparts == 0)
				continue;
			encode_value(column, call, row);
			MemoryContextReset(encoder->scratch);
		}
	}
	MemoryContextSwitchTo(old);
}

/*
 * gs_encode: the known columns of n rows, up to GS_BATCH.
 *
 * columns: [ncolumns of the schema] values of the known ones, of the columns'
 * types or domains over them; place: [nfeatures][n], where among the scores
 * that give a number's value a row's is to be, from 0 to 1 (itself excluded),
 * or NULL for the middle; batch: its lanes of gs_encoder_fills are filled.  A
 * code is GS_NO_CODE, and a score NaN, where a row says nothing.  Errors:
 * those of the types' output functions.
 */
void
gs_encode(GsEncoder *encoder, const GsRows *columns, int n,
		  float *const *position, GsBatch *batch)
{
	Encoding	call = {encoder, columns, n, position, batch};
	int			level = encoder->styled ? gs_fix_styles() : 0;

	encode_columns(&call);
	if (encoder->styled)
		gs_end_settings(level);
}

/*
 * gs_encode_level: the level of a value, which is not NULL; that of "other",
 * or GS_NO_CODE, if it is none.
 *
 * encoder: of a single column, whose only part is a category.
 */
int
gs_encode_level(GsEncoder *encoder, Datum value)
{
	ColumnEncoder *column = encoder->column;
	int			level = gs_fix_styles();
	GsPart		parts[GS_MAX_PARTS];
	int			code;

	split_value(column, value, parts);
	code = code_of(&column->part[0], &parts[0]);
	gs_end_settings(level);
	return code;
}
