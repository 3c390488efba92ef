/*
 * decode_layout.c
 *	  The values of columns that are learned in other parts than their type
 *	  has: sums with other columns, and moments by the calendar.
 *
 * A column may be the sum with one that is a sum itself.  All that it follows
 * from are put in order once, and each has its value once in a row.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "encode/decode_layout.h"
#include "encode/number.h"

/* A column that a value follows from, or the column itself. */
typedef struct Source
{
	const GsColumn *column;
	int			index;			/* of the column: its random stream */
	GsNumber	part[GS_MAX_PARTS];
	int			null;			/* feature that tells if it is NULL; -1 */
	int			null_code;		/* by this code */
	int			base[GS_MAX_BASES]; /* places among the sources */
	int			since;

	/* of the row at hand */
	int64		value;
	bool		usable;			/* to add to */
} Source;

struct GsLayoutDecoder
{
	int			n;
	Source	   *source;			/* [n] those that others follow from first */
};

static void
init_source(Source *source, const GsSchema *schema, int c)
{
	const GsColumn *column = &schema->columns[c];

	source->column = column;
	source->index = c;
	source->since = -1;
	source->null = gs_column_null(schema, c, &source->null_code);
	for (int p = 0; p < column->codec.nparts; p++)
		gs_number_init(&source->part[p],
					   &schema->features[column->feature[p]]);
}

/*
 * Adds a column and all that it follows from.  Returns its place.
 */
static int
add_source(GsLayoutDecoder *decoder, const GsSchema *schema, int c)
{
	const GsLayout *layout = schema->columns[c].layout;
	int			base[GS_MAX_BASES];
	int			since = -1;
	int			n = layout == NULL ? 0 : layout->nbases;

	check_stack_depth();
	for (int s = 0; s < decoder->n; s++)
		if (decoder->source[s].index == c)
			return s;
	for (int b = 0; b < n; b++)
		base[b] = add_source(decoder, schema, layout->base[b]);
	if (layout != NULL && layout->since >= 0)
		since = add_source(decoder, schema, layout->since);
	decoder->source = repalloc(decoder->source,
							   sizeof(Source) * (decoder->n + 1));
	memset(&decoder->source[decoder->n], 0, sizeof(Source));
	init_source(&decoder->source[decoder->n], schema, c);
	for (int b = 0; b < n; b++)
		decoder->source[decoder->n].base[b] = base[b];
	decoder->source[decoder->n].since = since;
	return decoder->n++;
}

/*
 * gs_layout_decoder_create: a decoder of a column, which need not have a
 * layout of its own, in the current context.
 */
GsLayoutDecoder *
gs_layout_decoder_create(const GsSchema *schema, int column)
{
	GsLayoutDecoder *decoder = palloc0(sizeof(GsLayoutDecoder));

	decoder->source = palloc(sizeof(Source));
	(void) add_source(decoder, schema, column);
	return decoder;
}

/*
 * gs_layout_decoder_needs: marks the features that the values follow from.
 *
 * needed: [nfeatures]
 */
void
gs_layout_decoder_needs(const GsLayoutDecoder *decoder, bool *needed)
{
	for (int s = 0; s < decoder->n; s++)
	{
		const Source *source = &decoder->source[s];

		for (int p = 0; p < source->column->codec.nparts; p++)
			needed[source->column->feature[p]] = true;
		if (source->null >= 0)
			needed[source->null] = true;
	}
}

/*
 * The value of a part.  Where it is NULL, any has to do.
 */
static GsScalar
part_value(const Source *source, int p, const GsBatch *batch, int row)
{
	const GsFeature *feature = source->part[p].feature;
	int			index = source->column->feature[p];
	int			code;

	if (feature->kind == GS_FEATURE_NUMBER)
		return gs_number_at(&source->part[p], batch, row, source->index,
							batch->score[index][row]);
	code = batch->code[index][row];
	if (code == feature->null_level || code < 0)
		code = feature->null_level == 0 ? feature->nlevels - 1 : 0;
	return feature->level[code];
}

/*
 * What a source's value is a sum with; NULL if it stands for itself.  What has
 * no parts for that is a sum with a base whose value is not to be seen.
 */
static const int64 *
find_origin(const GsLayoutDecoder *decoder, const Source *source,
			int64 *origin)
{
	const GsLayout *layout = source->column->layout;
	const Source *since = source->since < 0 ? NULL :
		&decoder->source[source->since];
	bool		found = false;

	for (int b = 0; b < layout->nbases; b++)
	{
		const Source *base = &decoder->source[source->base[b]];
		int64		other;

		if (!base->usable || (since != NULL && !since->usable))
			continue;
		other = gs_layout_origin(layout, b, base->value,
								 since == NULL ? 0 : since->value);
		if (gs_layout_takes(layout, found, *origin, other))
			*origin = other;
		found = true;
	}
	if (found)
		return origin;
	if (layout->nbases == 0 || layout->sum[1].nparts > 0)
		return NULL;
	if (layout->from_least)
	{
		*origin = gs_layout_least(layout);
		return origin;
	}
	*origin = gs_layout_origin(layout, 0,
							   decoder->source[source->base[0]].value,
							   since == NULL ? 0 : since->value);
	return origin;
}

/*
 * gs_layout_decode: the column's value in a row of a batch, whether or not it
 * is NULL.
 */
int64
gs_layout_decode(GsLayoutDecoder *decoder, const GsBatch *batch, int row)
{
	for (int s = 0; s < decoder->n; s++)
	{
		Source	   *source = &decoder->source[s];
		GsLayoutParts parts;
		int64		origin = 0;

		if (batch->exact != NULL && batch->exact[source->index] != NULL)
		{
			/* a model may not be able to tell it so exactly */
			source->value = batch->exact[source->index][row];
			source->usable = source->value != PG_INT64_MIN;
			continue;
		}
		for (int p = 0; p < source->column->codec.nparts; p++)
			parts.value[p] = part_value(source, p, batch, row);
		source->value = source->column->layout == NULL ? parts.value[0].i :
			gs_layout_join(source->column, &parts,
						   find_origin(decoder, source, &origin));
		source->usable =
			!gs_layout_is_special(source->column, source->value) &&
			(source->null < 0 ||
			 batch->code[source->null][row] != source->null_code);
	}
	return decoder->source[decoder->n - 1].value;
}
