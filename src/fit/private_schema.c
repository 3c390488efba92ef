/*
 * private_schema.c
 *	  Features of columns whose values are public, and the shares that noisy
 *	  counts give them.
 */
#include "postgres.h"

#include <math.h>

#include "encode/encode.h"
#include "fit/private.h"
#include "learn/quantile.h"
#include "numeric/normal.h"
#include "privacy/simplex.h"

/* A segment's least share: floats tell so many scores apart. */
#define MIN_SHARE	1e-6
/* Scores of a table's ends. */
#define END_SCORE	6.0

/* Microseconds that moments are whole numbers of, if cells are wider. */
static const int64 moments[] = {
	USECS_PER_DAY, USECS_PER_HOUR, USECS_PER_MINUTE, USECS_PER_SEC, 1000
};

static GsFeature *
add_feature(GsSchema *schema, int column, int part)
{
	GsFeature  *feature = &schema->features[schema->nfeatures++];

	feature->column = column;
	feature->part = part;
	feature->lane = GS_LANE_INT;
	feature->step = 1;
	feature->decimals = -1;
	feature->null_level = feature->other_level = -1;
	return feature;
}

static void
alloc_levels(GsFeature *feature, int nlevels)
{
	feature->kind = GS_FEATURE_CATEGORY;
	feature->nlevels = nlevels;
	feature->share = palloc0(sizeof(double) * nlevels);
	feature->level = palloc0(sizeof(GsScalar) * nlevels);
	feature->text = palloc0(sizeof(char *) * nlevels);
}

static void
add_indicator(GsSchema *schema, int c)
{
	GsFeature  *feature = add_feature(schema, c, -1);

	alloc_levels(feature, 2);
	feature->level[1].i = 1;
	schema->columns[c].null_feature = schema->nfeatures - 1;
}

static void
add_category(GsSchema *schema, int c, const GsPublic *public)
{
	GsFeature  *feature = add_feature(schema, c, 0);

	alloc_levels(feature, public->nlevels + public->nullable);
	feature->lane = public->lane;
	feature->scale = public->scale;
	feature->min_scale = public->min_scale;
	for (int i = 0; i < public->nlevels; i++)
	{
		feature->level[i] = public->level[i];
		if (public->text[i] == NULL)
			continue;
		feature->text[i] = pstrdup(public->text[i]);
		feature->level[i].hash = gs_format_hash(public->text[i],
												strlen(public->text[i]), 0);
	}
	if (public->nullable)
		feature->null_level = public->nlevels;
}

static void
add_segment(GsQuantile *q, GsScalar low, GsScalar high)
{
	q->low[q->nsegments] = low;
	q->high[q->nsegments++] = high;
}

/*
 * Segments of so many values, from one end of whole numbers on; nothing where
 * that is beyond the other.
 */
static void
add_integers(GsQuantile *q, int64 low, int64 high, uint64 width)
{
	while (low <= high)
	{
		uint64		left = (uint64) high - (uint64) low;
		int64		last = left < width ? high : (int64) ((uint64) low +
														  width - 1);

		add_segment(q, (GsScalar) {.i = low}, (GsScalar) {.i = last});
		if (last == high)
			return;
		low = last + 1;
	}
}

/*
 * The cells of whole numbers: 0 has one of its own, where it means something,
 * and cells go out from there.
 */
static void
cut_integers(GsFeature *feature, const GsCodecKind *kind, int64 low,
			 int64 high)
{
	GsQuantile *q = &feature->quantile;
	uint64		span = (uint64) high - (uint64) low;
	uint64		width = span < GS_PRIVATE_CELLS ? 1 :
		span / (GS_PRIVATE_CELLS - 2) + 1;
	bool		zero = kind->axis != GS_AXIS_TIME && low <= 0 && high >= 0;

	if (kind->axis == GS_AXIS_TIME && kind->unit == 0)
	{
		for (int i = 0; i < lengthof(moments) && feature->step == 1; i++)
			if (moments[i] <= width && low % moments[i] == 0)
				feature->step = moments[i];
		width = (width + feature->step - 1) / feature->step * feature->step;
	}
	if (!zero)
	{
		add_integers(q, low, high, width);
		/* the last of a segment is a step from its first */
		for (int s = 0; s < q->nsegments; s++)
			q->high[s].i -= ((uint64) q->high[s].i - (uint64) q->low[s].i) %
				(uint64) feature->step;
		return;
	}
	if (low < 0)
	{
		/* those below 0 end at -1: the first may be narrower */
		uint64		below = 0 - (uint64) low;
		int64		first = (int64) ((uint64) low + (below - 1) % width + 1);

		add_segment(q, (GsScalar) {.i = low}, (GsScalar) {.i = first - 1});
		add_integers(q, first, -1, width);
	}
	add_segment(q, (GsScalar) {.i = 0}, (GsScalar) {.i = 0});
	if (high > 0)
		add_integers(q, 1, high, width);
}

/*
 * How many cells there are of n values from 0 on, each as wide as a share of
 * where it begins, but at least 1.  q: gets them, or NULL
 */
static int
grow_cells(GsQuantile *q, int64 n, int64 low, int64 step, double share)
{
	int			ncells = 0;
	int64		width;

	for (int64 at = 0; at < n && ncells <= GS_PRIVATE_CELLS; at += width)
	{
		width = Min(Max((int64) (at * share), 1), n - at);
		ncells++;
		if (q != NULL)
			add_segment(q, (GsScalar) {.i = low + at * step},
						(GsScalar) {.i = low + (at + width - 1) * step});
	}
	return ncells;
}

/*
 * The cells of what is added to another column: those of small numbers are
 * narrower, as a stay of a day and one of a week are not alike, but those of
 * ten years and a week more or less are.  Moments are whole seconds apart,
 * where there are many.
 */
static void
cut_differences(GsFeature *feature, const GsCodecKind *kind, int64 low,
				int64 high)
{
	double		share = 1.0 / GS_PRIVATE_CELLS;
	int64		n;

	if (kind->axis == GS_AXIS_TIME && kind->unit == 0 &&
		high - low >= GS_PRIVATE_CELLS * USECS_PER_SEC)
		feature->step = USECS_PER_SEC;
	low += (feature->step - low % feature->step) % feature->step;
	n = (high - low) / feature->step + 1;
	if (n <= GS_PRIVATE_CELLS)
		share = 0;
	while (share > 0 &&
		   grow_cells(NULL, n, low, feature->step, share) > GS_PRIVATE_CELLS)
		share *= 1.02;
	grow_cells(&feature->quantile, n, low, feature->step, share);
}

/*
 * The cells of a float that has more decimals than are rounded to, each as
 * wide as the next; 0 has one of its own.
 */
static void
cut_floats(GsQuantile *q, double low, double high)
{
	double		width = high / (GS_PRIVATE_CELLS - 2) -
		low / (GS_PRIVATE_CELLS - 2);
	double		at = low;

	for (int k = 0; k < GS_PRIVATE_CELLS - 2 && at < high; k++)
	{
		double		next = k == GS_PRIVATE_CELLS - 3 ? high :
			Min(low + (k + 1) * width, high);

		if (next <= at)
			continue;
		if (at < 0 && next >= 0)
		{
			add_segment(q, (GsScalar) {.f = at},
						(GsScalar) {.f = nextafter(0, -INFINITY)});
			at = 0;
		}
		if (at == 0)
		{
			add_segment(q, (GsScalar) {.f = 0}, (GsScalar) {.f = 0});
			at = nextafter(0, INFINITY);
			if (next == 0)
				continue;
		}
		add_segment(q, (GsScalar) {.f = at}, (GsScalar)
					{.f = next < high ? nextafter(next, -INFINITY) : next});
		at = next;
	}
	if (q->nsegments == 0)
		add_segment(q, (GsScalar) {.f = low}, (GsScalar) {.f = high});
}

/*
 * The same of one with as many decimals as the cells' width has: those of
 * whole numbers of that unit.
 */
static void
cut_decimals(GsFeature *feature, const GsCodecKind *kind, double low,
			 double high)
{
	GsQuantile *q = &feature->quantile;
	double		width = (high / 2 - low / 2) / (GS_PRIVATE_CELLS / 2);
	double		decimals = width > 0 ? Max(ceil(-log10(width)), 0) : 0;
	double		unit = pow(10, decimals);

	if (decimals > GS_MAX_DECIMALS || !(width > 0) ||
		Max(fabs(low), fabs(high)) * unit > GS_MAX_ROUNDED)
	{
		cut_floats(q, low, high);
		return;
	}
	feature->decimals = (int) decimals;
	cut_integers(feature, kind, (int64) floor(low * unit),
				 (int64) ceil(high * unit));
	for (int s = 0; s < q->nsegments; s++)
	{
		q->low[s].f = Max(q->low[s].i / unit, low);
		q->high[s].f = Min(q->high[s].i / unit, high);
	}
}

static void
add_number(GsSchema *schema, int c, const GsPublic *public)
{
	GsFeature  *feature = add_feature(schema, c, 0);
	GsQuantile *q = &feature->quantile;
	const GsCodecKind *kind = schema->columns[c].codec.kind;
	int			room = GS_PRIVATE_CELLS + 4;

	feature->kind = GS_FEATURE_NUMBER;
	feature->lane = public->lane;
	feature->scale = public->scale;
	feature->min_scale = public->min_scale;
	q->low = palloc(sizeof(GsScalar) * room);
	q->high = palloc(sizeof(GsScalar) * room);
	q->edge = palloc0(sizeof(double) * (room + 1));
	if (schema->columns[c].layout != NULL)
	{
		gs_layout_set(&schema->columns[c], schema->columns[c].layout);
		cut_differences(feature, kind, public->level[0].i,
						public->level[1].i);
	}
	else if (feature->lane == GS_LANE_FLOAT)
		cut_decimals(feature, kind, public->level[0].f, public->level[1].f);
	else
		cut_integers(feature, kind, public->level[0].i, public->level[1].i);
	if (public->nullable)
		add_indicator(schema, c);
}

/*
 * gs_private_schema: columns and features, whose shares are not known yet, in
 * the current context.
 *
 * columns, public: [ncolumns], none of which is NOTHING
 */
GsSchema *
gs_private_schema(GsColumn *columns, int ncolumns, const GsPublic *public)
{
	GsSchema   *schema = palloc0(sizeof(GsSchema));

	schema->ncolumns = schema->nall = ncolumns;
	schema->columns = columns;
	schema->features = palloc0(sizeof(GsFeature) * GS_MAX_FEATURES(ncolumns));
	for (int c = 0; c < ncolumns; c++)
	{
		GsColumn   *column = &columns[c];

		column->null_feature = column->equal_feature = -1;
		for (int p = 0; p < GS_MAX_PARTS; p++)
			column->feature[p] = -1;
		if (public[c].kind == GS_PUBLIC_KEY)
		{
			if (public[c].nullable && !column->one_null)
				add_indicator(schema, c);
			continue;
		}
		column->feature[0] = schema->nfeatures;
		if (public[c].kind == GS_PUBLIC_LEVELS)
			add_category(schema, c, &public[c]);
		else
			add_number(schema, c, &public[c]);
		column->nullable = public[c].nullable;
	}
	return schema;
}

/*
 * Edges that give segments their shares, in the normal score.
 */
static void
set_edges(GsQuantile *q, const double *share)
{
	double		all = 0;
	double		sum = 0;

	for (int s = 0; s < q->nsegments; s++)
		all += share[s] + MIN_SHARE;
	q->edge[0] = -END_SCORE;
	for (int s = 0; s < q->nsegments - 1; s++)
	{
		sum += share[s] + MIN_SHARE;
		q->edge[s + 1] = gs_normal_quantile(sum / all);
	}
	q->edge[q->nsegments] = END_SCORE;
}

/*
 * gs_private_shares: sets the shares of levels and segments to what noisy
 * counts say.
 */
void
gs_private_shares(GsSchema *schema, const GsPrivateTable *table)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		const GsPrivateCells *cells = &table->column[i];
		GsFeature  *feature;
		double	   *share;

		if (cells->feature < 0)
			continue;
		feature = &schema->features[cells->feature];
		share = gs_private_shares_of(table, i);
		if (feature->kind == GS_FEATURE_CATEGORY)
			memcpy(feature->share, share,
				   sizeof(double) * feature->nlevels);
		else
		{
			set_edges(&feature->quantile, share);
			if (cells->null_cell >= 0)
			{
				int			f = schema->columns[feature->column].null_feature;
				double		nulls = share[cells->null_cell];

				schema->features[f].share[1] = nulls;
				schema->features[f].share[0] = 1 - nulls;
			}
		}
		pfree(share);
	}
}

/*
 * gs_private_shares_of: the shares of a column's cells, [ncells], in the
 * current context.
 */
double *
gs_private_shares_of(const GsPrivateTable *table, int column)
{
	const GsPrivateVector *vector = &table->column[column].vector;
	double	   *share = palloc(sizeof(double) * vector->ncells);
	double		known = 0;

	/* where some rows are in no cell, the sum is that of the others */
	for (int k = 0; k < vector->ncells; k++)
		known += vector->count[k];
	if (table->column[column].whole || known > table->rows)
		known = table->rows;
	known = Max(known, 1);
	if (!(table->column[column].ordered ?
		  gs_nested(vector->count, vector->ncells, vector->sigma, known,
					share) :
		  gs_simplex(vector->count, vector->ncells, known, share)))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return share;
}
