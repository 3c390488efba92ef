/*
 * private_count.c
 *	  Counts of rows in public cells.
 *
 * A row adds 1 to at most one cell of each column, and is not kept: the
 * memory is that of the counts.  What a row has in a column, and whether it
 * is counted there, depends on that row alone.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "encode/encode.h"
#include "fit/private.h"
#include "learn/quantile.h"
#include "privacy/merge.h"

/* Rows whose bins are kept until they are counted pair by pair. */
#define ROWS	256

typedef struct Counting
{
	GsPrivateTable *table;
	int32	   *cell;			/* [ncolumns] of the row; -1: none */
	MemoryContext row;			/* of one row's texts */
	int			nrows;
	int32	   *bin;			/* [ncolumns][ROWS] of rows that are kept */
} Counting;

static int
count_blocks(const GsPrivateCells *cells)
{
	int			n = cells->vector.ncells - (cells->null_cell >= 0);

	return (n + GS_PRIVATE_BLOCK - 1) / GS_PRIVATE_BLOCK;
}

/*
 * Values that are few are counted by themselves; of more, those of numbers that
 * are next to each other may be merged, and codes are seldom so many.
 */
static void
init_cells(GsPrivateCells *cells, const GsSchema *schema, int f,
		   const GsPublic *public)
{
	const GsFeature *feature = &schema->features[f];
	const GsColumn *column = &schema->columns[feature->column];

	cells->feature = f;
	cells->whole = public->kind != GS_PUBLIC_LEVELS || public->whole;
	cells->vector.number = feature->kind == GS_FEATURE_NUMBER;
	if (cells->vector.number)
	{
		cells->null_cell = column->null_feature < 0 ? -1 :
			feature->quantile.nsegments;
		cells->vector.ncells = feature->quantile.nsegments +
			(cells->null_cell >= 0);
		cells->ordered = feature->quantile.nsegments > GS_MERGE_BINS;
		if (feature->quantile.nsegments > GS_PRIVATE_FINE)
			cells->blocks.ncells = count_blocks(cells);
		return;
	}
	cells->null_cell = feature->part < 0 ? 1 : feature->null_level;
	cells->vector.ncells = feature->nlevels;
	cells->ordered = feature->part == 0 && feature->lane != GS_LANE_TEXT &&
		feature->nlevels > GS_MERGE_BINS;
	if (feature->part == 0)
		cells->levels = gs_levels_create(feature, NULL);
}

/*
 * gs_private_table: what is counted of a schema's columns, in the order of its
 * features (see counts.h), none of it yet but what was found with its values.
 * rows: whether all rows are counted besides, as the last column.
 */
void
gs_private_table(const GsSchema *schema, const GsPublic *public, bool rows,
				 GsPrivateTable *table)
{
	memset(table, 0, sizeof(GsPrivateTable));
	table->target = -1;
	table->schema = schema;
	table->column = palloc0(sizeof(GsPrivateCells) *
							(schema->nfeatures + 1));
	for (int f = 0; f < schema->nfeatures; f++)
		if (schema->features[f].part >= 0 ||
			schema->columns[schema->features[f].column].key != NULL)
			init_cells(&table->column[table->ncolumns++], schema, f,
					   &public[schema->features[f].column]);
	if (rows)
	{
		table->column[table->ncolumns++] = (GsPrivateCells)
		{
			.feature = -1,.null_cell = -1,.whole = true,.vector = {.ncells = 1}
		};
	}
	for (int i = 0; i < table->ncolumns; i++)
	{
		GsPrivateCells *cells = &table->column[i];
		int			n = cells->vector.ncells;
		const int64 *found = cells->feature < 0 ? NULL :
			public[schema->features[cells->feature].column].count;

		cells->vector.count = palloc0(sizeof(int64) * n);
		cells->released = found != NULL;
		if (cells->released)
			memcpy(cells->vector.count, found, sizeof(int64) * n);
	}
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
 * What a row's value of column c adds to others; false if that is not known.
 */
static bool
find_difference(const GsSchema *schema, int c, const TupleTableSlot *slot,
				int64 *difference)
{
	const GsColumn *column = &schema->columns[c];
	const GsLayout *layout = column->layout;
	int64		value;
	int64		origin = 0;
	bool		found = false;
	GsLayoutParts parts;

	if (!gs_encode_number(schema, c, slot->tts_values[c], &value))
		return false;
	for (int i = 0; i < layout->nbases; i++)
	{
		int			b = layout->base[i];
		int64		base;

		if (slot->tts_isnull[b] ||
			!gs_encode_number(schema, b, slot->tts_values[b], &base))
			continue;
		base = gs_layout_origin(layout, i, base, 0);
		if (gs_layout_takes(layout, found, origin, base))
			origin = base;
		found = true;
	}
	if (!found)
		origin = gs_layout_least(layout);
	if (!gs_layout_split(column, value, &origin, &parts))
		return false;
	*difference = parts.value[0].i;
	return true;
}

/*
 * The cell of a value that is not NULL; -1: it is not known.  Numbers beyond
 * the ends are at the ends; special ones are not known.
 */
static int
find_cell(const GsSchema *schema, const GsPrivateCells *cells, int c,
		  const TupleTableSlot *slot)
{
	const GsFeature *feature = &schema->features[cells->feature];
	GsCodec    *codec = &schema->columns[feature->column].codec;
	GsPart		part[GS_MAX_PARTS];
	GsScalar	below;
	GsScalar	above;

	if (feature->part < 0)
		return 0;
	if (gs_column_has_base(&schema->columns[c]))
		return find_difference(schema, c, slot, &below.i) ?
			gs_quantile_find(feature, below) : -1;
	gs_codec_split(codec, slot->tts_values[c], part);
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

/*
 * Finds the cells of a row's columns.
 */
static void
find_cells(Counting *counting, TupleTableSlot *slot)
{
	const GsSchema *schema = counting->table->schema;
	MemoryContext old = MemoryContextSwitchTo(counting->row);

	for (int i = 0; i < counting->table->ncolumns; i++)
	{
		const GsPrivateCells *cells = &counting->table->column[i];
		int			c = cells->feature < 0 ? -1 :
			schema->features[cells->feature].column;

		counting->cell[i] = c < 0 ? 0 :
			slot->tts_isnull[c] ? cells->null_cell :
			find_cell(schema, cells, c, slot);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(counting->row);
}

static void
count_row(TupleTableSlot *slot, void *arg)
{
	Counting   *counting = arg;

	find_cells(counting, slot);
	for (int i = 0; i < counting->table->ncolumns; i++)
	{
		GsPrivateCells *cells = &counting->table->column[i];
		int			cell = counting->cell[i];

		if (cell < 0 || cells->released)
			continue;
		cells->vector.count[cell]++;
		if (cells->blocks.ncells > 0 && cell != cells->null_cell)
			cells->blocks.count[cell / GS_PRIVATE_BLOCK]++;
	}
}

/*
 * Counts the rows that are kept: a pair's counts stay in the cache meanwhile.
 */
static void
count_kept(Counting *counting)
{
	static const int32 one[ROWS];
	GsPrivateTable *table = counting->table;
	const int32 *level = table->target < 0 ? one :
		counting->bin + table->target * ROWS;

	for (int p = 0; p < table->npairs; p++)
	{
		GsPrivatePair *pair = &table->pair[p];
		const int32 *first = counting->bin + pair->first * ROWS;
		const int32 *second = counting->bin + pair->second * ROWS;
		int			nfirst = table->column[pair->first].nbins;
		int			nsecond = table->column[pair->second].nbins;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < counting->nrows; i++)
			if ((level[i] | first[i] | second[i]) >= 0)
				pair->vector.count[(level[i] * nfirst + first[i]) * nsecond +
								   second[i]]++;
	}
	counting->nrows = 0;
}

static void
count_pairs(TupleTableSlot *slot, void *arg)
{
	Counting   *counting = arg;
	const GsPrivateTable *table = counting->table;

	find_cells(counting, slot);
	for (int i = 0; i < table->ncolumns; i++)
	{
		int			cell = counting->cell[i];

		counting->bin[i * ROWS + counting->nrows] = cell < 0 ? -1 :
			table->column[i].bin[cell];
	}
	if (++counting->nrows == ROWS)
		count_kept(counting);
}

/*
 * Calls count on each row.  Nobody is told how far it is: that would be how
 * many rows there are.
 */
static void
pass(GsPrivateTable *table, GsSource *source, GsRowCallback count)
{
	Counting	counting = {.table = table};

	counting.cell = palloc(sizeof(int32) * table->ncolumns);
	counting.bin = palloc(sizeof(int32) * table->ncolumns * ROWS);
	counting.row = AllocSetContextCreate(CurrentMemoryContext,
										 "gensynth private row",
										 ALLOCSET_DEFAULT_SIZES);
	gs_source_read(source, count, &counting);
	if (counting.nrows > 0)
		count_kept(&counting);
	MemoryContextDelete(counting.row);
	pfree(counting.bin);
	pfree(counting.cell);
}

static void
copy_noise(GsPrivateVector *vector, const GsPrivateVector *planned)
{
	vector->num = planned->num;
	vector->den = planned->den;
	vector->sigma = planned->sigma;
	vector->rho = planned->rho;
}

/*
 * gs_private_noise: gives a table's columns the noise that was charged for
 * them when their cells were not known yet, and counts what was charged.
 */
void
gs_private_noise(GsPrivateTable *table, const GsPrivateTable *plan)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		GsPrivateCells *cells = &table->column[i];
		const GsPrivateCells *planned = &plan->column[i];

		copy_noise(&cells->vector, &planned->vector);
		copy_noise(&cells->blocks, &planned->blocks);
		cells->blocks.ncells = planned->blocks.ncells == 0 ? 0 :
			count_blocks(cells);
		cells->blocks.count = palloc0(sizeof(int64) *
									  (cells->blocks.ncells + 1));
	}
}

/*
 * gs_private_agree: makes the noisy counts of a column's cells sum to what
 * they and those of blocks say together, each with the weight that its noise
 * leaves it.
 */
void
gs_private_agree(GsPrivateCells *cells)
{
	int			left = cells->vector.ncells - (cells->null_cell >= 0);
	int64	   *count = cells->vector.count;
	double		block = cells->blocks.sigma * cells->blocks.sigma;

	for (int b = 0; b < cells->blocks.ncells; b++)
	{
		int			n = Min(left, GS_PRIVATE_BLOCK);
		double		sum = n * cells->vector.sigma * cells->vector.sigma;
		double		off = cells->blocks.count[b];

		for (int k = 0; k < n; k++)
			off -= count[k];
		off = rint(off * sum / (sum + block));
		for (int k = 0; k < n; k++)
		{
			double		part = rint(off / (n - k));

			*count++ += (int64) part;
			off -= part;
		}
		left -= n;
	}
}

/*
 * gs_private_count: counts the rows of a source in the cells of each column,
 * exactly: no one may see that.
 */
void
gs_private_count(GsPrivateTable *table, GsSource *source)
{
	pass(table, source, count_row);
}

/*
 * gs_private_count_pairs: the same in the bins of pairs of columns, in a pass
 * of its own: bins follow from what the first has released.
 */
void
gs_private_count_pairs(GsPrivateTable *table, GsSource *source)
{
	pass(table, source, count_pairs);
}
