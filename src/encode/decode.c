/*
 * decode.c
 *	  From features to columns: the last step of a stream.
 *
 * A decoder turns the lanes of a batch into one column of Datums.  Levels are
 * made into Datums once; a number goes through its quantile table, whose
 * segment a guide over the normal score finds in one or two steps.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "encode/decode.h"
#include "encode/decode_document.h"
#include "encode/decode_layout.h"
#include "encode/decode_person.h"
#include "encode/number.h"
#include "learn/center.h"
#include "codec/domain.h"
#include "codec/notation.h"
#include "text/json.h"
#include "key/key.h"
#include "learn/quantile.h"
#include "codec/styles.h"
#include "numeric/normal.h"

/* How often a value that a domain refuses is drawn again. */
#define DOMAIN_TRIES	100
/* How often a generated value that copies a source value is. */
#define COPY_TRIES		32
/* Dates of a column, to list them. */
#define MAX_DATES		100000

typedef struct PartDecoder
{
	const GsFeature *feature;
	Datum	   *level;			/* [nlevels], one-part category */
	bool		packed;			/* see gs_decoder_is_packed */
	GsNumber	number;
} PartDecoder;

struct GsDecoder
{
	const GsColumn *column;
	const GsFeature *null_feature;
	int			index;			/* of the column: its random stream */
	GsCodec		codec;			/* own copy: its fmgr state is this scan's */
	PartDecoder part[GS_MAX_PARTS];
	MemoryContext scratch;		/* of one drawn value */
	StringInfoData text;
	GsDocumentDecoder *document;	/* of a column of documents; or NULL */
	const char *paths;			/* layout of the document to generate, */
	const GsBatch *batch;		/* and its members; or NULL */
	int			row;
	int			try;			/* how many drawn before were copies */
	int			tries;			/* of a generated value */
	bool		flawed;			/* the one in text */
	char	   *spare;			/* one that isn't, or NULL */

	GsDomain   *domain;			/* NULL: the type is none */
	GsDecoder  *leader;			/* of the column that this is written from; or
								 * NULL */
	GsLayoutDecoder *scalar;	/* of a leader and of what it leads */
	GsLayoutDecoder *layout;	/* NULL: the parts are the type's */
	GsDecoder  *equal;			/* of the column whose value it has in some
								 * rows; or NULL */
	GsNear	   *near;			/* places that this adds to; or NULL */
	GsPersonDecoder *person;	/* of a column of a kind; or NULL */
	GsKeyDecoder *key;			/* NULL: none; else all else is its */
};

/*
 * Whether the column's values are made of more than its parts.
 */
static inline bool
is_sum(const GsDecoder *decoder)
{
	return decoder->layout != NULL || decoder->near != NULL ||
		decoder->leader != NULL;
}

/*
 * The levels of a one-part category as Datums.
 */
static void
init_levels(const GsDecoder *decoder, PartDecoder *part)
{
	const GsFeature *feature = part->feature;
	Oid			type = decoder->codec.type;
	GsPart		value = {.scale = feature->scale,
		.min_scale = feature->min_scale,.lane = feature->lane
	};

	part->level = palloc0(sizeof(Datum) * feature->nlevels);
	for (int i = 0; i < feature->nlevels; i++)
	{
		if (i == feature->null_level || i == feature->other_level)
			continue;
		value.scalar = feature->level[i];
		value.text = feature->text[i];
		part->level[i] = gs_codec_join(unconstify(GsCodec *, &decoder->codec),
									   &value);
	}
	if (get_typlen(type) == -1 && get_typstorage(type) != TYPSTORAGE_PLAIN)
		part->packed = gs_pack_levels(part->level, feature->nlevels);
}

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
			if (known == NULL)
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
static void
generate_text(GsDecoder *decoder, GsRandom *random)
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
static void
limit_tries(GsDecoder *decoder)
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

/*
 * gs_decoder_create: a decoder of one column, in the current context.
 *
 * type: InvalidOid, or one whose plain type is the column's, and whose
 * domains' CHECKs are then asked, as the caller: one that the caller named.
 */
GsDecoder *
gs_decoder_create(const GsSchema *schema, int column, Oid type)
{
	GsDecoder  *decoder = palloc0(sizeof(GsDecoder));
	const GsColumn *c = &schema->columns[column];

	decoder->column = c;
	decoder->index = column;
	decoder->codec = c->codec;
	if (c->key != NULL)
	{
		decoder->key = gs_key_decoder_create(c, column, type);
		if (c->kind != NULL && c->kind->unique && c->key->kind == GS_KEY_TEXT)
		{
			decoder->person = gs_person_create(schema, column);
			gs_key_decoder_person(decoder->key, decoder->person);
		}
		return decoder;
	}
	/* an array's elements may be of a domain */
	if (OidIsValid(type) && c->codec.element != NULL &&
		gs_codec_for_type(&decoder->codec, type, c->typmod))
		decoder->codec.whole = c->codec.whole;
	decoder->scratch = AllocSetContextCreate(CurrentMemoryContext,
											 "gensynth drawn value",
											 ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&decoder->text);
	if (c->null_feature >= 0)
		decoder->null_feature = &schema->features[c->null_feature];
	decoder->domain = gs_domain_open(type);
	if (c->layout != NULL)
		decoder->layout = gs_layout_decoder_create(schema, column);
	if (c->equal > 0)
		decoder->equal = gs_decoder_create(schema, c->equal - 1, InvalidOid);
	if (c->anchor > 0)
		decoder->near = gs_near_create(schema, column);
	if (c->moment > 0)
	{
		/* both as scalars, whatever makes them */
		decoder->leader = gs_decoder_create(schema, c->moment - 1, InvalidOid);
		decoder->leader->scalar = gs_layout_decoder_create(schema,
														   c->moment - 1);
		decoder->scalar = gs_layout_decoder_create(schema, column);
	}
	for (int p = 0; p < c->codec.nparts; p++)
	{
		PartDecoder *part = &decoder->part[p];

		part->feature = &schema->features[c->feature[p]];
		gs_number_init(&part->number, part->feature);
		if (part->feature->kind == GS_FEATURE_CATEGORY &&
			c->codec.nparts == 1 && !is_sum(decoder) && !c->document)
			init_levels(decoder, part);
	}
	if (c->document)
		decoder->document = gs_document_decoder_create(schema, column);
	/* what a member generates is the document's business */
	if (c->document ||
		(decoder->part[0].feature->other_level >= 0 && c->owner == 0))
		limit_tries(decoder);
	if (c->kind != NULL && c->owner == 0 && !c->document &&
		c->codec.kind->content == GS_CONTENT_TEXT &&
		decoder->part[0].feature->other_level >= 0)
		decoder->person = gs_person_create(schema, column);
	return decoder;
}

/*
 * gs_decoder_needs: marks the features that the column is decoded from.
 *
 * needed: [nfeatures]
 */
void
gs_decoder_needs(const GsDecoder *decoder, bool *needed)
{
	const GsColumn *column = decoder->column;

	for (int p = 0; p < decoder->codec.nparts && decoder->key == NULL; p++)
		needed[column->feature[p]] = true;
	if (decoder->key != NULL && column->key->order > 0)
		needed[column->key->order - 1] = true;
	if (column->null_feature >= 0)
		needed[column->null_feature] = true;
	if (decoder->person != NULL)
		gs_person_needs(decoder->person, needed);
	if (decoder->document != NULL)
		gs_document_decoder_needs(decoder->document, needed);
	if (decoder->layout != NULL)
		gs_layout_decoder_needs(decoder->layout, needed);
	if (decoder->near != NULL)
		gs_near_needs(decoder->near, needed);
	if (decoder->equal != NULL)
	{
		needed[column->equal_feature] = true;
		gs_decoder_needs(decoder->equal, needed);
	}
	if (decoder->leader != NULL)
		gs_decoder_needs(decoder->leader, needed);
}

static inline bool
has_ends(const GsDecoder *decoder)
{
	return gs_layout_has_ends(decoder->column, decoder->part[0].feature);
}

/*
 * gs_decoder_is_number: whether the column is one number.
 */
bool
gs_decoder_is_number(const GsDecoder *decoder)
{
	if (decoder->layout != NULL)
		return decoder->column->layout->per_day > 1 && has_ends(decoder);
	return decoder->key == NULL && decoder->leader == NULL &&
		decoder->codec.nparts == 1 &&
		decoder->part[0].feature->kind == GS_FEATURE_NUMBER;
}

/*
 * gs_decoder_is_discrete: whether the column's values are those of
 * gs_decoder_values and no others.
 */
bool
gs_decoder_is_discrete(const GsDecoder *decoder)
{
	const GsFeature *feature = decoder->part[0].feature;

	if (decoder->key != NULL || decoder->domain != NULL ||
		decoder->document != NULL || decoder->near != NULL ||
		decoder->equal != NULL || decoder->leader != NULL)
		return false;
	if (decoder->layout != NULL)
		return decoder->column->layout->per_day == 1 &&
			has_ends(decoder);
	if (decoder->codec.nparts > 1 || feature->other_level >= 0)
		return false;
	for (int s = 0; s < feature->quantile.nsegments; s++)
		if (gs_scalar_compare(feature->quantile.low[s],
							  feature->quantile.high[s], feature->lane) != 0)
			return false;
	return true;
}

/*
 * The values of a column by the calendar: dates one by one, of time stamps the
 * ends.
 */
static int
calendar_values(const GsDecoder *decoder, Datum **values)
{
	const GsLayout *layout = decoder->column->layout;
	int64		min = layout->sum[1].min;
	int64		max = layout->sum[1].max;
	int64		step = layout->per_day == 1 ? 1 : max - min;
	int			n = 0;

	if (max - min > MAX_DATES && layout->per_day == 1)
		return 0;
	*values = palloc(sizeof(Datum) * (layout->per_day == 1 ?
									  max - min + 1 : 2));
	for (int64 value = min; value <= max; value += Max(step, 1))
	{
		GsLayoutParts parts;
		bool		there = true;

		(void) gs_layout_split(decoder->column, value, NULL, &parts);
		for (int p = 1; p < decoder->codec.nparts && step == 1; p++)
		{
			const GsFeature *feature = decoder->part[p].feature;
			bool		found = feature->kind == GS_FEATURE_NUMBER;

			for (int i = 0; i < feature->nlevels; i++)
				found |= feature->level[i].i == parts.value[p].i;
			there &= found;
		}
		if (there)
			(*values)[n++] = decoder->codec.kind->datum((GsScalar) {.i = value});
	}
	return n;
}

/*
 * gs_decoder_values: the values that a column can take, but for NULL; of a
 * number, those between which they lie.
 *
 * Sets *values to an array, in the current context, and returns its length: 0
 * if there is no telling.
 */
int
gs_decoder_values(const GsDecoder *decoder, Datum **values)
{
	const PartDecoder *part = &decoder->part[0];
	const GsFeature *feature = part->feature;
	const GsQuantile *q;
	GsPart		value = {0};
	int			n = 0;

	if (decoder->key != NULL || decoder->domain != NULL ||
		decoder->document != NULL || decoder->near != NULL ||
		decoder->equal != NULL || decoder->leader != NULL)
		return 0;
	if (decoder->layout != NULL)
		return has_ends(decoder) ? calendar_values(decoder, values) : 0;
	if (decoder->codec.nparts > 1 || feature->other_level >= 0)
		return 0;
	q = &feature->quantile;
	value.lane = feature->lane;
	value.scale = feature->scale;
	value.min_scale = feature->min_scale;
	*values = palloc(sizeof(Datum) *
					 Max(Max(feature->nlevels, 2 * q->nsegments), 1));
	for (int i = 0; i < feature->nlevels; i++)
		if (i != feature->null_level)
			(*values)[n++] = part->level[i];
	for (int s = 0; s < 2 * q->nsegments; s++)
	{
		value.scalar = s % 2 == 0 ? q->low[s / 2] : q->high[s / 2];
		(*values)[n++] = gs_codec_join(unconstify(GsCodec *, &decoder->codec),
									   &value);
	}
	return n;
}

/*
 * gs_decoder_atoms: the values of a column that many rows have: levels, and
 * numbers that are a segment by themselves, but not NULL.
 *
 * share: of the rows, that they have at least.  Sets *values to an array, in
 * the current context, and returns its length: 0 if there is no telling.
 */
int
gs_decoder_atoms(const GsDecoder *decoder, double share, Datum **values)
{
	const PartDecoder *part = &decoder->part[0];
	const GsFeature *feature = part->feature;
	const GsQuantile *q;
	GsPart		value = {0};
	int			n = 0;

	if (decoder->key != NULL || decoder->codec.nparts > 1 ||
		decoder->domain != NULL || is_sum(decoder))
		return 0;
	q = &feature->quantile;
	value.lane = feature->lane;
	value.scale = feature->scale;
	value.min_scale = feature->min_scale;
	*values = palloc(sizeof(Datum) *
					 Max(feature->nlevels + q->nsegments, 1));
	for (int i = 0; i < feature->nlevels; i++)
		if (i != feature->null_level && i != feature->other_level &&
			feature->share[i] >= share)
			(*values)[n++] = part->level[i];
	for (int s = 0; s < q->nsegments; s++)
	{
		if (gs_scalar_compare(q->low[s], q->high[s], feature->lane) != 0 ||
			gs_normal_cdf(q->edge[s + 1]) - gs_normal_cdf(q->edge[s]) < share)
			continue;
		value.scalar = q->low[s];
		(*values)[n++] = gs_codec_join(unconstify(GsCodec *, &decoder->codec),
									   &value);
	}
	return n;
}

/*
 * gs_decode_near: another value of a column, which is one number, from the
 * segment that a row's is in, or one up to "reach" segments from it.
 *
 * Returns false where the column is no number, or the row has none.
 */
bool
gs_decode_near(GsDecoder *decoder, const GsBatch *batch, int row,
			   int reach, GsRandom *random, Datum *value)
{
	const PartDecoder *part = &decoder->part[0];
	const GsFeature *feature = part->feature;
	GsPart		parts[GS_MAX_PARTS];
	int			s;

	if (!gs_decoder_is_number(decoder) ||
		(decoder->null_feature != NULL &&
		 batch->code[decoder->column->null_feature][row] == 1))
		return false;
	s = gs_guide_find_one(&part->number.guide,
						  batch->score[decoder->column->feature[0]][row]);
	s += (int) gs_random_below(random, 2 * reach + 1) - reach;
	s = Min(Max(s, 0), feature->quantile.nsegments - 1);
	parts[0] = (GsPart)
	{
		.lane = feature->lane,.scale = feature->scale,
			.min_scale = feature->min_scale,
			.scalar = gs_quantile_value(feature, s, gs_random_uniform(random))
	};
	*value = gs_codec_join(&decoder->codec, parts);
	return true;
}

/*
 * Draws a part again, for itself.  Returns false for NULL.
 */
static bool
redraw_part(GsDecoder *decoder, const PartDecoder *part, GsRandom *random,
			GsPart *value)
{
	const GsFeature *feature = part->feature;
	double		u = gs_random_uniform(random);
	int			level = 0;

	memset(value, 0, sizeof(GsPart));
	value->lane = feature->lane;
	value->scale = feature->scale;
	value->min_scale = feature->min_scale;
	if (feature->kind == GS_FEATURE_NUMBER)
	{
		int			s = gs_random_below(random, feature->quantile.nsegments);

		value->scalar = gs_quantile_value(feature, s, u);
		return true;
	}
	while (level < feature->nlevels - 1 && u >= feature->share[level])
		u -= feature->share[level++];
	value->scalar = feature->level[level];
	value->text = feature->text[level];
	if (level == feature->other_level ||
		(decoder->document != NULL && level != feature->null_level))
	{
		decoder->paths = value->text;
		decoder->batch = NULL;
		generate_text(decoder, random);
		value->text = decoder->text.data;
	}
	return level != feature->null_level;
}

/*
 * The value of a column's own parts, not those of a sum with another one.
 */
static int64
join_alone(const GsColumn *column, const GsPart *parts)
{
	GsLayoutParts own;

	for (int p = 0; p < column->codec.nparts; p++)
		own.value[p] = parts[p].scalar;
	return column->layout->sum[1].nparts == 0 ? parts[0].scalar.i :
		gs_layout_join(column, &own, NULL);
}

/*
 * A value that the domain accepts: new draws of the same kind, then any
 * level, then the ends of the segments, which were source values.
 */
static Datum
domain_repair(GsDecoder *decoder, GsRandom *random)
{
	const PartDecoder *part = &decoder->part[0];
	const GsFeature *feature = part->feature;
	GsPart		value = {.scale = feature->scale,
	.min_scale = feature->min_scale,.lane = feature->lane};
	GsPart		parts[GS_MAX_PARTS];
	Datum		datum;

	for (int try = 0; try < DOMAIN_TRIES; try++)
	{
		bool		drawn = true;

		CHECK_FOR_INTERRUPTS();
		for (int p = 0; p < decoder->codec.nparts; p++)
			drawn &= redraw_part(decoder, &decoder->part[p], random,
								 &parts[p]);
		if (!drawn)
			continue;
		if (decoder->layout != NULL)
			parts[0].scalar.i = join_alone(decoder->column, parts);
		datum = gs_codec_join(&decoder->codec, parts);
		if (gs_domain_accepts(decoder->domain, datum))
			return datum;
	}
	if (part->level)
	{
		for (int i = 0; i < feature->nlevels; i++)
			if (i != feature->null_level && i != feature->other_level &&
				gs_domain_accepts(decoder->domain, part->level[i]))
				return part->level[i];
	}
	else if (decoder->codec.nparts == 1)
	{
		for (int s = 0; s < feature->quantile.nsegments; s++)
		{
			value.scalar = feature->quantile.low[s];
			datum = gs_codec_join(&decoder->codec, &value);
			if (gs_domain_accepts(decoder->domain, datum))
				return datum;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("could not make a value of domain %s for column \"%s\"",
					decoder->column->type_name, decoder->column->name),
			 errhint("Leave the column out with the exclude argument of synth_fit.")));
	return (Datum) 0;
}

/*
 * The moment of a row in a leader; false where it has none.
 */
static bool
leader_moment(const GsDecoder *leader, const GsBatch *batch, int row,
			  GsMoment *moment)
{
	const GsFeature *feature = leader->part[0].feature;
	GsScalar	scalar;

	if (leader->null_feature != NULL &&
		batch->code[leader->column->null_feature][row] == 1)
		return false;
	if (feature->null_level >= 0 &&
		batch->code[leader->column->feature[0]][row] == feature->null_level)
		return false;
	scalar.i = gs_layout_decode(leader->scalar, batch, row);
	if (gs_scalar_is_special(&leader->codec.part[0], GS_LANE_INT, scalar))
		return false;
	*moment = gs_codec_moment(&leader->codec, scalar.i);
	return true;
}

/*
 * Writes a value from the moment of its leader.  Where there is none, it is
 * NULL, or, if it has no NULLs of its own, what the source has that is no date.
 * Returns false for NULL.
 */
static bool
decode_follower(GsDecoder *decoder, const GsBatch *batch, int row,
				Datum *result)
{
	const GsPartKind *kind = &decoder->codec.part[0];
	const GsFeature *feature = decoder->part[0].feature;
	GsPart		own = {.lane = GS_LANE_INT};
	GsMoment	moment;
	bool		known = leader_moment(decoder->leader, batch, row, &moment);

	own.scalar.i = gs_layout_decode(decoder->scalar, batch, row);
	if (!known && !gs_has_nulls(decoder->column, feature))
		for (int i = 0; i < feature->nlevels; i++)
			if (gs_scalar_is_special(kind, GS_LANE_INT, feature->level[i]))
				own.scalar = feature->level[i];
	if (gs_scalar_is_special(kind, GS_LANE_INT, own.scalar))
	{
		*result = gs_codec_join(&decoder->codec, &own);
		return true;
	}
	if (!known)
		return false;
	*result = gs_notation_join(&decoder->codec, moment);
	return true;
}

/*
 * One value of one row.  Returns false for NULL.
 */
static bool
decode_one(GsDecoder *decoder, const GsBatch *batch, int row, Datum *result)
{
	const GsColumn *column = decoder->column;
	int			nparts = decoder->codec.nparts;
	GsPart		parts[GS_MAX_PARTS];
	GsRandom	random;

	gs_batch_random(&random, batch, row, decoder->index);
	/* draws of wide numbers come from the first block */
	random.draw = 1;
	if (decoder->null_feature != NULL &&
		batch->code[column->null_feature][row] == 1)
		return false;
	for (int p = 0; p < nparts; p++)
	{
		const PartDecoder *part = &decoder->part[p];
		const GsFeature *feature = part->feature;
		int			index = column->feature[p];

		parts[p].lane = feature->lane;
		parts[p].absent = false;
		parts[p].scale = feature->scale;
		parts[p].min_scale = feature->min_scale;
		if (feature->kind == GS_FEATURE_NUMBER)
			parts[p].scalar = gs_number_at(&part->number, batch, row,
										   decoder->index,
										   batch->score[index][row]);
		else
		{
			int			code = batch->code[index][row];

			if (code == feature->null_level)
				return false;
			if (code == feature->other_level || decoder->document != NULL)
			{
				decoder->paths = feature->text[code];
				decoder->batch = batch;
				decoder->row = row;
				generate_text(decoder, &random);
				parts[p].lane = GS_LANE_TEXT;
				parts[p].text = decoder->text.data;
			}
			else if (part->level != NULL)
			{
				*result = part->level[code];
				if (!gs_domain_accepts(decoder->domain, *result))
					*result = domain_repair(decoder, &random);
				return true;
			}
			else
			{
				parts[p].scalar = feature->level[code];
				parts[p].text = feature->text[code];
			}
		}
	}
	if (column->moment > 0)
		return decode_follower(decoder, batch, row, result);
	if (decoder->layout != NULL)
		parts[0].scalar.i = gs_layout_decode(decoder->layout, batch, row);
	else if (decoder->near != NULL)
		parts[0].scalar = gs_near_add(decoder->near, decoder->part[0].feature,
									  batch, row, parts[0].scalar);
	*result = gs_codec_join(&decoder->codec, parts);
	if (!gs_domain_accepts(decoder->domain, *result))
		*result = domain_repair(decoder, &random);
	return true;
}

/*
 * Whether a column's only part is a category without generated values.
 */
static inline bool
is_levels(const GsDecoder *decoder)
{
	const GsFeature *feature = decoder->part[0].feature;

	return decoder->codec.nparts == 1 && decoder->domain == NULL &&
		!is_sum(decoder) && decoder->document == NULL &&
		feature->kind == GS_FEATURE_CATEGORY &&
		feature->other_level < 0 && decoder->null_feature == NULL;
}

/*
 * gs_decoder_is_packed: whether all of a column's values are varlenas with a
 * short header, of which GS_PACKED_BYTES can be read, and no longer.
 */
bool
gs_decoder_is_packed(const GsDecoder *decoder)
{
	return decoder->key == NULL && decoder->equal == NULL &&
		is_levels(decoder) && decoder->part[0].packed;
}

static void
decode_levels(const GsDecoder *decoder, const int32 *code, int from, int to,
			  GsRows rows)
{
	const PartDecoder *part = &decoder->part[0];
	const Datum *level = part->level;
	int			null_level = part->feature->null_level;
	Datum	   *value = rows.values;
	bool	   *null = rows.nulls;

	for (int row = from; row < to; row++, value += rows.stride)
		*value = level[code[row]];
	if (null_level < 0)
		return;
	for (int row = from; row < to; row++, null += rows.stride)
		*null = code[row] == null_level;
}

/*
 * A column whose only part is a number that is its own Datum: gs_number_at, but
 * without branches that cannot be guessed.  Whether a value stands alone can
 * be, mostly.
 */
static void
decode_integers(const GsDecoder *decoder, const GsBatch *batch, int from,
				int to, GsRows rows)
{
	const PartDecoder *part = &decoder->part[0];
	const float *score = batch->score[decoder->column->feature[0]];
	uint64		step = part->feature->step;
	Datum	   *value = rows.values;
	int32		found[GS_BATCH];
	int			likely = part->number.guide.likely;

	if (likely >= 0 && part->number.segment[likely].steps == 0)
	{
		Datum		low = Int64GetDatum(part->number.segment[likely].low.i);

		for (int row = from; row < to; row++, value += rows.stride)
			*value = score[row] >= part->number.guide.low &&
				score[row] < part->number.guide.high ? low :
				Int64GetDatum(gs_number_at(&part->number, batch, row,
										   decoder->index, score[row]).i);
		return;
	}
	gs_guide_find(&part->number.guide, score + from, found, to - from);
	for (int row = from; row < to; row++, value += rows.stride)
	{
		const GsSegment *segment = &part->number.segment[found[row - from]];
		double		steps = (double) (int64) segment->steps;
		double		at = (score[row] - segment->edge) * segment->scale *
			(steps + 1);

		if (segment->steps == 0)
		{
			*value = Int64GetDatum(segment->low.i);
			continue;
		}
		if (unlikely(segment->steps > GS_WIDE_STEPS))
		{
			*value = Int64GetDatum(gs_number_at(&part->number, batch, row,
										   decoder->index, score[row]).i);
			continue;
		}
		at = at > 0 ? at : 0;	/* NaN too: an atom at the end */
		at = at < steps ? at : steps;
		*value = Int64GetDatum((int64) ((uint64) segment->low.i +
										(uint64) (int64) at * step));
	}
}

/*
 * The values of the column itself, whichever are equal to another one's.
 */
static void
decode_own(GsDecoder *decoder, const GsBatch *batch, int from, int to,
		   GsRows rows)
{
	const PartDecoder *part = &decoder->part[0];
	int			feature = decoder->column->feature[0];

	if (decoder->key != NULL)
	{
		gs_key_decode(decoder->key, batch, from, to, rows);
		return;
	}
	if (is_levels(decoder))
	{
		decode_levels(decoder, batch->code[feature], from, to, rows);
		return;
	}
#ifdef USE_FLOAT8_BYVAL
	if (decoder->codec.nparts == 1 && decoder->domain == NULL &&
		!is_sum(decoder) && part->feature->kind == GS_FEATURE_NUMBER &&
		part->feature->lane == GS_LANE_INT &&
		part->feature->endings == NULL && decoder->codec.kind->integer)
	{
		decode_integers(decoder, batch, from, to, rows);
		if (decoder->null_feature != NULL)
		{
			const int32 *code = batch->code[decoder->column->null_feature];

			for (int row = from; row < to; row++)
				rows.nulls[(row - from) * rows.stride] = code[row] == 1;
		}
		return;
	}
#endif
	for (int row = from; row < to; row++)
	{
		int			i = (row - from) * rows.stride;

		rows.values[i] = (Datum) 0;
		rows.nulls[i] = !decode_one(decoder, batch, row, &rows.values[i]);
	}
}

/*
 * gs_decode: one column of the rows from to to - 1 of a batch.
 *
 * batch: its lanes of this column's features filled; rows: where the values
 * and the flags of NULL go, whatever was there.  Values are allocated in the current context, or live
 * as long as the decoder.
 */
void
gs_decode(GsDecoder *decoder, const GsBatch *batch, int from, int to,
		  GsRows rows)
{
	const int32 *equal;

	/* most ways to decode set the flags of NULLs alone */
	for (int i = 0; i < to - from; i++)
		rows.nulls[i * rows.stride] = false;
	decode_own(decoder, batch, from, to, rows);
	if (decoder->equal == NULL)
		return;
	equal = batch->code[decoder->column->equal_feature];
	for (int row = from; row < to; row++)
	{
		int			i = (row - from) * rows.stride;
		Datum		value;
		bool		null;

		if (equal[row] != 1 || rows.nulls[i])
			continue;
		gs_decode(decoder->equal, batch, row, row + 1,
				  (GsRows) {&value, &null, 1});
		if (!null && gs_domain_accepts(decoder->domain, value))
			rows.values[i] = value;
	}
}
