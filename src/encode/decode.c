/*
 * decode.c
 *	  From features to columns: the last step of a stream.
 *
 * A decoder turns the lanes of a batch into one column of Datums.  Levels are
 * made into Datums once; a number goes through its quantile table, whose
 * segment a guide over the normal score finds in one or two steps.
 */
#include "postgres.h"

#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "column/members.h"
#include "encode/decode_internal.h"
#include "text/slots.h"

/*
 * The levels of a one-part category as Datums.
 */
static void
init_levels(const GsDecoder *decoder, GsPartDecoder *part)
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

	decoder->schema = schema;
	decoder->column = c;
	decoder->index = column;
	decoder->codec = c->codec;
	if (c->key != NULL)
	{
		decoder->key = gs_key_decoder_create(schema, column, type);
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
		GsPartDecoder *part = &decoder->part[p];

		part->feature = &schema->features[c->feature[p]];
		gs_number_init(&part->number, part->feature);
		if (part->feature->kind == GS_FEATURE_CATEGORY &&
			c->codec.nparts == 1 && !gs_decoder_is_sum(decoder) && !c->document)
			init_levels(decoder, part);
	}
	if (c->document)
		decoder->document = gs_document_decoder_create(schema, column);
	else if (c->codec.notation != NULL)
	{
		/* its own, for the offset of each row */
		if (c->codec.notation->offset)
		{
			decoder->codec.notation = palloc(sizeof(GsNotation));
			*decoder->codec.notation = *c->codec.notation;
		}
	}
	else if (c->nmembers > 0)
	{
		decoder->common = gs_format_common(c->format);
		decoder->slot = palloc(sizeof(GsDecoder *) * c->nmembers);
		for (int m = 0; m < c->nmembers; m++)
			decoder->slot[m] = gs_decoder_create(schema, c->member + m,
												 InvalidOid);
	}
	/* what a member generates is the document's business */
	if (c->document ||
		(decoder->part[0].feature->other_level >= 0 && c->owner == 0))
		gs_decoder_limit_tries(decoder);
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

	if (column->of_entity)
		gs_entity_needs(decoder->schema, needed);
	for (int p = 0; p < decoder->codec.nparts && decoder->key == NULL; p++)
		needed[column->feature[p]] = true;
	if (decoder->key != NULL)
		gs_key_decoder_needs(decoder->key, needed);
	if (column->null_feature >= 0)
		needed[column->null_feature] = true;
	if (decoder->person != NULL)
		gs_person_needs(decoder->person, needed);
	if (decoder->document != NULL)
		gs_document_decoder_needs(decoder->document, needed);
	for (int m = 0; m < column->nmembers && decoder->slot != NULL; m++)
		gs_decoder_needs(decoder->slot[m], needed);
	if (decoder->codec.notation != NULL && decoder->codec.notation->offset)
		needed[decoder->schema->columns[column->member].feature[0]] = true;
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
	if (decoder->codec.notation != NULL && decoder->codec.notation->offset)
		gs_notation_set_offset(decoder->codec.notation,
							   gs_member_text(decoder->schema, column, 0,
											  batch, row));
	for (int p = 0; p < nparts; p++)
	{
		const GsPartDecoder *part = &decoder->part[p];
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
				gs_decoder_generate(decoder, &random);
				parts[p].lane = GS_LANE_TEXT;
				parts[p].text = decoder->text.data;
			}
			else if (part->level != NULL)
			{
				*result = part->level[code];
				if (!gs_domain_accepts(decoder->domain, *result))
					*result = gs_decoder_repair(decoder, &random);
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
		*result = gs_decoder_repair(decoder, &random);
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
		!gs_decoder_is_sum(decoder) && decoder->document == NULL &&
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
	const GsPartDecoder *part = &decoder->part[0];
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
	const GsPartDecoder *part = &decoder->part[0];
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
	const GsPartDecoder *part = &decoder->part[0];
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
		!gs_decoder_is_sum(decoder) && part->feature->kind == GS_FEATURE_NUMBER &&
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
	if (decoder->column->of_entity && batch->entity != NULL)
		for (int row = from; row < to; row++)
		{
			int			of = batch->entity[row] % GS_BATCH;
			int			i = (row - from) * rows.stride;

			decode_own(decoder, batch, of, of + 1,
					   (GsRows) {rows.values + i, rows.nulls + i, rows.stride});
		}
	else
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
