/*
 * decode_values.c
 *	  What values a column can take.
 */
#include "postgres.h"

#include "encode/decode_internal.h"
#include "numeric/normal.h"

/* Dates of a column, to list them. */
#define MAX_DATES		100000

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
	const GsPartDecoder *part = &decoder->part[0];
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
 * share: of the rows, that they have at least.  Sets *values, and *shares to
 * what they have, in the current context, and returns how many: 0 if there is
 * no telling.
 */
int
gs_decoder_atoms(const GsDecoder *decoder, double share, Datum **values,
				 double **shares)
{
	const GsPartDecoder *part = &decoder->part[0];
	const GsFeature *feature = part->feature;
	const GsQuantile *q;
	GsPart		value = {0};
	int			n = 0;

	if (decoder->key != NULL || decoder->codec.nparts > 1 ||
		decoder->domain != NULL || gs_decoder_is_sum(decoder))
		return 0;
	q = &feature->quantile;
	value.lane = feature->lane;
	value.scale = feature->scale;
	value.min_scale = feature->min_scale;
	*values = palloc(sizeof(Datum) *
					 Max(feature->nlevels + q->nsegments, 1));
	*shares = palloc(sizeof(double) *
					 Max(feature->nlevels + q->nsegments, 1));
	for (int i = 0; i < feature->nlevels; i++)
		if (i != feature->null_level && i != feature->other_level &&
			feature->share[i] >= share)
		{
			(*shares)[n] = feature->share[i];
			(*values)[n++] = part->level[i];
		}
	for (int s = 0; s < q->nsegments; s++)
	{
		double		own = gs_normal_cdf(q->edge[s + 1]) -
			gs_normal_cdf(q->edge[s]);

		if (gs_scalar_compare(q->low[s], q->high[s], feature->lane) != 0 ||
			own < share)
			continue;
		value.scalar = q->low[s];
		(*shares)[n] = own;
		(*values)[n++] = gs_codec_join(unconstify(GsCodec *, &decoder->codec),
									   &value);
	}
	return n;
}
