/*
 * decode_redraw.c
 *	  Values that are drawn again, for themselves: those that a domain refuses, and
 *	  those that have to be unlike another row's.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "encode/decode_internal.h"

/* How often a value that a domain refuses is drawn again. */
#define DOMAIN_TRIES	100

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
	const GsPartDecoder *part = &decoder->part[0];
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
redraw_part(GsDecoder *decoder, const GsPartDecoder *part, GsRandom *random,
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
		gs_decoder_generate(decoder, random);
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
Datum
gs_decoder_repair(GsDecoder *decoder, GsRandom *random)
{
	const GsPartDecoder *part = &decoder->part[0];
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
