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
#include "learn/difference.h"
#include "codec/domain.h"
#include "codec/notation.h"
#include "text/json.h"
#include "key/key.h"
#include "learn/quantile.h"
#include "codec/styles.h"
#include "numeric/guide.h"

/* A segment of more values than this needs more bits than a float has. */
#define WIDE_STEPS		4096

/* How often a value that a domain refuses is drawn again. */
#define DOMAIN_TRIES	100
/* How often a generated value that copies a source value is. */
#define COPY_TRIES		32

/* What is needed of a number's segment, in one place for the cache. */
typedef struct Segment
{
	double		edge;
	double		scale;			/* 1 / width in normal score */
	GsScalar	low;
	uint64		steps;			/* INT: from low to high */
} Segment;

typedef struct PartDecoder
{
	const GsFeature *feature;
	Datum	   *level;			/* [nlevels], one-part category */
	bool		packed;			/* see gs_decoder_is_packed */
	GsGuide		guide;			/* into the segments */
	Segment    *segment;		/* [nsegments] */
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
	int			tries;			/* of a generated value */
	bool		flawed;			/* the one in text */
	char	   *spare;			/* one that isn't, or NULL */

	GsDomain   *domain;			/* NULL: the type is none */
	GsDecoder  *base;			/* of the column that this adds to, or follows
								 * from; or NULL */
	GsKeyDecoder *key;			/* NULL: none; else all else is its */
};

static void
init_number(PartDecoder *part)
{
	const GsQuantile *q = &part->feature->quantile;

	part->segment = palloc0(sizeof(Segment) * q->nsegments);
	gs_guide_init(&part->guide, q->edge, q->nsegments, palloc);
	for (int s = 0; s < q->nsegments; s++)
	{
		Segment    *segment = &part->segment[s];

		segment->edge = q->edge[s];
		segment->scale = 1 / (q->edge[s + 1] - q->edge[s]);
		segment->low = q->low[s];
		if (part->feature->lane == GS_LANE_INT)
			segment->steps = ((uint64) q->high[s].i - (uint64) q->low[s].i) /
				(uint64) part->feature->step;
	}
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

/*
 * The value of a number at its normal score.  A float's 24 bits do not reach
 * every value of a wide segment: random bits fill in.
 */
static pg_attribute_always_inline GsScalar
number_at(const GsDecoder *decoder, const PartDecoder *part,
		  const GsBatch *batch, int row, float score)
{
	const GsFeature *feature = part->feature;
	int			s = gs_guide_find_one(&part->guide, score);
	const Segment *segment = &part->segment[s];
	double		fraction;

	if (feature->lane == GS_LANE_INT && segment->steps == 0)
		return segment->low;
	fraction = (score - segment->edge) * segment->scale;
	if (feature->lane == GS_LANE_FLOAT || feature->endings != NULL)
		return gs_quantile_value(feature, s,
								 Min(fraction > 0 ? fraction : 0, 1));
	if (segment->steps > WIDE_STEPS)
	{
		GsRandom	random;

		gs_batch_random(&random, batch, row, decoder->index);
		fraction += (gs_random_uniform(&random) - 0.5) / WIDE_STEPS;
	}
	return gs_quantile_integer(feature, segment->low, segment->steps,
							   fraction);
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
			gs_format_draw(format, random, text);
			known = gs_json_to_jsonb(text->data);
			break;
		case GS_CONTENT_ARRAY:
			draw_array(decoder, random);
			known = text->data;
			break;
		default:
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
	for (int try = 0; try < decoder->tries; try++)
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
	if (c->base > 0 || c->moment > 0)
		decoder->base = gs_decoder_create(schema, Max(c->base, c->moment) - 1,
										  InvalidOid);
	for (int p = 0; p < c->codec.nparts; p++)
	{
		PartDecoder *part = &decoder->part[p];

		part->feature = &schema->features[c->feature[p]];
		if (part->feature->kind == GS_FEATURE_NUMBER)
			init_number(part);
		else if (c->codec.nparts == 1 && decoder->base == NULL)
			init_levels(decoder, part);
	}
	if (decoder->part[0].feature->other_level >= 0)
		limit_tries(decoder);
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
	if (column->null_feature >= 0)
		needed[column->null_feature] = true;
	if (decoder->base != NULL)
		gs_decoder_needs(decoder->base, needed);
}

/*
 * gs_decoder_is_number: whether the column is one number.
 */
bool
gs_decoder_is_number(const GsDecoder *decoder)
{
	return decoder->key == NULL && decoder->codec.nparts == 1 &&
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

	if (decoder->key != NULL || decoder->codec.nparts > 1 ||
		decoder->domain != NULL || decoder->base != NULL ||
		feature->other_level >= 0)
		return false;
	for (int s = 0; s < feature->quantile.nsegments; s++)
		if (gs_scalar_compare(feature->quantile.low[s],
							  feature->quantile.high[s], feature->lane) != 0)
			return false;
	return true;
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

	if (decoder->key != NULL || decoder->codec.nparts > 1 ||
		decoder->domain != NULL || decoder->base != NULL ||
		feature->other_level >= 0)
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
	if (level == feature->other_level)
	{
		generate_text(decoder, random);
		value->text = decoder->text.data;
	}
	return level != feature->null_level;
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
 * The scalar of a column of whole numbers, differences added up.  Where the
 * column is NULL, but what is learned as the difference from it is not, any
 * of its values has to do.
 */
static int64
whole_scalar(const GsDecoder *decoder, const GsBatch *batch, int row)
{
	const PartDecoder *part = &decoder->part[0];
	const GsFeature *feature = part->feature;
	int			index = decoder->column->feature[0];
	GsScalar	scalar;

	if (feature->kind == GS_FEATURE_NUMBER)
		scalar = number_at(decoder, part, batch, row,
						   batch->score[index][row]);
	else
	{
		int			code = batch->code[index][row];

		if (code == feature->null_level)
			code = code > 0 ? 0 : feature->nlevels - 1;
		scalar = feature->level[code];
	}
	if (decoder->column->base > 0)
		scalar.i = gs_difference_add(&decoder->codec,
									 whole_scalar(decoder->base, batch, row),
									 scalar.i);
	return scalar.i;
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
	scalar.i = whole_scalar(leader, batch, row);
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
	bool		known = leader_moment(decoder->base, batch, row, &moment);

	own.scalar.i = whole_scalar(decoder, batch, row);
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
			parts[p].scalar = number_at(decoder, part, batch, row,
										batch->score[index][row]);
		else
		{
			int			code = batch->code[index][row];

			if (code == feature->null_level)
				return false;
			if (code == feature->other_level)
			{
				generate_text(decoder, &random);
				parts[p].lane = GS_LANE_TEXT;
				parts[p].text = decoder->text.data;
			}
			else if (part->level != NULL)
			{
				*result = part->level[code];
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
	if (decoder->base != NULL)
		parts[0].scalar.i = whole_scalar(decoder, batch, row);
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
		decoder->base == NULL && feature->kind == GS_FEATURE_CATEGORY && feature->other_level < 0 &&
		decoder->null_feature == NULL;
}

/*
 * gs_decoder_is_packed: whether all of a column's values are varlenas with a
 * short header, of which GS_PACKED_BYTES can be read, and no longer.
 */
bool
gs_decoder_is_packed(const GsDecoder *decoder)
{
	return decoder->key == NULL && is_levels(decoder) &&
		decoder->part[0].packed;
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
 * A column whose only part is a number that is its own Datum: number_at, but
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
	int			likely = part->guide.likely;

	if (likely >= 0 && part->segment[likely].steps == 0)
	{
		Datum		low = Int64GetDatum(part->segment[likely].low.i);

		for (int row = from; row < to; row++, value += rows.stride)
			*value = score[row] >= part->guide.low &&
				score[row] < part->guide.high ? low :
				Int64GetDatum(number_at(decoder, part, batch, row,
										score[row]).i);
		return;
	}
	gs_guide_find(&part->guide, score + from, found, to - from);
	for (int row = from; row < to; row++, value += rows.stride)
	{
		const Segment *segment = &part->segment[found[row - from]];
		double		steps = (double) (int64) segment->steps;
		double		at = (score[row] - segment->edge) * segment->scale *
			(steps + 1);

		if (segment->steps == 0)
		{
			*value = Int64GetDatum(segment->low.i);
			continue;
		}
		if (unlikely(segment->steps > WIDE_STEPS))
		{
			*value = Int64GetDatum(number_at(decoder, part, batch, row,
											 score[row]).i);
			continue;
		}
		at = at > 0 ? at : 0;	/* NaN too: an atom at the end */
		at = at < steps ? at : steps;
		*value = Int64GetDatum((int64) ((uint64) segment->low.i +
										(uint64) (int64) at * step));
	}
}

/*
 * gs_decode: one column of the rows from to to - 1 of a batch.
 *
 * batch: its lanes of this column's features filled; rows: where the values
 * go, all nulls false.  Values are allocated in the current context, or live
 * as long as the decoder.
 */
void
gs_decode(GsDecoder *decoder, const GsBatch *batch, int from, int to,
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
		decoder->base == NULL && part->feature->kind == GS_FEATURE_NUMBER &&
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
