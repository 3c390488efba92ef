/*
 * private_count.c
 *	  Counts of rows in public cells.
 *
 * A row adds 1 to at most one cell of each column, and is not kept: the
 * memory is that of the counts.  What a row has in a column, and whether it
 * is counted there, depends on that row alone.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "encode/encode.h"
#include "fit/private.h"
#include "learn/quantile.h"

typedef struct Counting
{
	const GsSchema *schema;
	GsPrivateCells *cells;		/* [n] */
	int			n;
	MemoryContext row;			/* of one row's texts */
} Counting;

/*
 * gs_private_cells: what is counted of a schema, in the order of its
 * features (see counts.h): *n of them.
 */
GsPrivateCells *
gs_private_cells(const GsSchema *schema, int *n)
{
	GsPrivateCells *all = palloc0(sizeof(GsPrivateCells) *
								  Max(schema->nfeatures, 1));

	*n = 0;
	for (int f = 0; f < schema->nfeatures; f++)
	{
		const GsFeature *feature = &schema->features[f];
		const GsColumn *column = &schema->columns[feature->column];
		GsPrivateCells *cells = &all[*n];

		if (feature->part < 0 && column->key == NULL)
			continue;
		++*n;
		cells->feature = f;
		if (feature->kind == GS_FEATURE_NUMBER)
		{
			cells->null_cell = column->null_feature < 0 ? -1 :
				feature->quantile.nsegments;
			cells->ncells = feature->quantile.nsegments +
				(cells->null_cell >= 0);
			cells->ordered = true;
		}
		else
		{
			cells->null_cell = feature->part < 0 ? 1 : feature->null_level;
			cells->ncells = feature->nlevels;
			cells->ordered = feature->part == 0 &&
				feature->lane != GS_LANE_TEXT;
			if (feature->part == 0)
				cells->levels = gs_levels_create(feature, NULL);
		}
		cells->count = palloc0(sizeof(int64) * cells->ncells);
	}
	return all;
}

/*
 * The level of a text; -1: it is none.
 */
static int
find_text(const GsPrivateCells *cells, const GsFeature *feature,
		  const GsPart *part)
{
	GsScalar	key = {.hash = gs_format_hash(part->text, part->len, 0)};
	int			level = gs_levels_find(cells->levels, key);

	/* somebody may have sought a text with the hash of another */
	if (level >= 0 && (strlen(feature->text[level]) != part->len ||
					   memcmp(feature->text[level], part->text,
							  part->len) != 0))
		return -1;
	return level;
}

/*
 * The cell of a value that is not NULL; -1: it is not known.  Numbers beyond
 * the ends are at the ends; special ones are not known.
 */
static int
find_cell(const GsSchema *schema, const GsPrivateCells *cells, Datum value)
{
	const GsFeature *feature = &schema->features[cells->feature];
	GsCodec    *codec = &schema->columns[feature->column].codec;
	GsPart		part[GS_MAX_PARTS];
	GsScalar	below;
	GsScalar	above;

	if (feature->part < 0)
		return 0;
	gs_codec_split(codec, value, part);
	if (feature->lane == GS_LANE_TEXT)
		return find_text(cells, feature, part);
	gs_part_scalars(feature, part, &below, &above);
	if (feature->kind == GS_FEATURE_NUMBER)
		return gs_scalar_is_special(&codec->part[0], feature->lane, below) &&
			gs_scalar_is_special(&codec->part[0], feature->lane, above) ?
			-1 : gs_quantile_find(feature, below);
	return gs_scalar_compare(below, above, feature->lane) != 0 ? -1 :
		gs_levels_find(cells->levels, below);
}

static void
count_row(TupleTableSlot *slot, void *arg)
{
	Counting   *counting = arg;
	MemoryContext old = MemoryContextSwitchTo(counting->row);

	for (int i = 0; i < counting->n; i++)
	{
		GsPrivateCells *cells = &counting->cells[i];
		int			c = counting->schema->features[cells->feature].column;
		int			cell = slot->tts_isnull[c] ? cells->null_cell :
			find_cell(counting->schema, cells, slot->tts_values[c]);

		if (cell >= 0)
			cells->count[cell]++;
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(counting->row);
}

/*
 * gs_private_count: counts the rows of a source in the cells of each column,
 * exactly: no one may see that.
 *
 * Nobody is told how far it is: that would be how many rows there are.
 */
void
gs_private_count(const GsSchema *schema, GsSource *source,
				 GsPrivateCells *cells, int n)
{
	Counting	counting = {.schema = schema,.cells = cells,.n = n};

	counting.row = AllocSetContextCreate(CurrentMemoryContext,
										 "gensynth private row",
										 ALLOCSET_DEFAULT_SIZES);
	gs_source_read(source, count_row, &counting);
	MemoryContextDelete(counting.row);
}
