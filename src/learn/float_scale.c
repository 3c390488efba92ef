/*
 * float_scale.c
 *	  Columns of floats as whole numbers, while differences are looked for.
 *
 * Where one is never below two others (a day's highest price, its first and
 * last one), families do not keep the order of all by themselves, and to make
 * rows again for it would take many, and not alike.  So these are told from
 * each other.  Of other floats only those may be told that are whole, by moments:
 * an age.
 *
 * Those that neither are told from another column nor have one told from them
 * are floats again afterwards: nothing is gained, and digits may be lost.
 */
#include "postgres.h"

#include <math.h>

#include "learn/difference.h"
#include "learn/formula.h"
#include "learn/quantile.h"

/*
 * How many digits after the point a lane's numbers are to be kept with; -1 if
 * they had better stay floats.
 */
static int
scale_of(const GsLane *lane, int64 nrows, bool narrow)
{
	double		largest = 0;
	GsScalar   *finite = palloc_extended(sizeof(GsScalar) * Max(nrows, 1),
										 MCXT_ALLOC_HUGE);
	int64		n = 0;
	int			scale;

	for (int64 row = 0; row < nrows; row++)
	{
		if ((lane->absent != NULL && lane->absent[row]) ||
			!isfinite(lane->scalar[row].f))
			continue;
		finite[n++] = lane->scalar[row];
		largest = Max(largest, fabs(lane->scalar[row].f));
	}
	scale = gs_floats_scale(largest);
	if (scale >= 0)
	{
		int			decimals = gs_find_decimals(narrow, finite, n);

		scale = decimals < 0 ? scale : decimals > scale ? -1 : decimals;
	}
	pfree(finite);
	return scale;
}

/*
 * Marks the columns that are in some order with one that has two others right
 * below or above it.
 */
static void
mark_grouped(GsFloats *floats, int n, List *orders)
{
	int		   *below = palloc0(sizeof(int) * Max(n, 1));
	int		   *above = palloc0(sizeof(int) * Max(n, 1));
	bool		more = true;
	ListCell   *cell;

	foreach(cell, orders)
	{
		const GsFormula *order = lfirst(cell);

		floats[order->high].grouped |= ++below[order->high] > 1;
		floats[order->low].grouped |= ++above[order->low] > 1;
	}
	while (more)
	{
		more = false;
		foreach(cell, orders)
		{
			const GsFormula *order = lfirst(cell);
			bool		grouped = floats[order->low].grouped ||
				floats[order->high].grouped;

			more |= grouped && !(floats[order->low].grouped &&
								 floats[order->high].grouped);
			floats[order->low].grouped = floats[order->high].grouped = grouped;
		}
	}
	pfree(below);
	pfree(above);
}

/*
 * gs_floats_to_whole: makes columns of floats, which may be told from others,
 * whole numbers.
 *
 * orders: of gs_orders_between.  Returns [ncolumns] what they were.
 */
GsFloats *
gs_floats_to_whole(GsSample *sample, List *orders)
{
	GsFloats   *floats = palloc0(sizeof(GsFloats) * Max(sample->ncolumns, 1));

	mark_grouped(floats, sample->ncolumns, orders);
	for (int c = 0; c < sample->ncolumns; c++)
	{
		GsColumn   *column = &sample->columns[c];
		GsLane	   *lane = &sample->lanes[c * GS_MAX_PARTS];
		const GsCodecKind *kind = column->codec.kind;
		GsFloats   *was = &floats[c];
		int			scale;

		if (kind->nparts != 1 || kind->axis != GS_AXIS_NUMBER ||
			lane->type != GS_LANE_FLOAT ||
			kind->part[0].lane != GS_LANE_FLOAT)
			continue;
		scale = scale_of(lane, sample->nrows, kind->narrow);
		if (scale < 0 || (scale > 0 && !was->grouped))
			continue;
		was->codec = column->codec;
		was->lane = *lane;
		gs_codec_set_scaled(&column->codec, scale);
		lane->type = GS_LANE_INT;
		if (!gs_may_differ(sample, c))
		{
			column->codec = was->codec;
			lane->type = GS_LANE_FLOAT;
			continue;
		}
		was->changed = true;
		lane->scale = scale;
		lane->min_scale = 0;
		lane->allocated = Max(sample->nrows, 1);
		lane->scalar = palloc_extended(sizeof(GsScalar) * lane->allocated,
									   MCXT_ALLOC_HUGE);
		for (int64 row = 0; row < sample->nrows; row++)
			lane->scalar[row].i = lane->absent != NULL && lane->absent[row] ? 0 :
				gs_float_scaled(was->lane.scalar[row].f, scale);
	}
	return floats;
}

/*
 * gs_floats_settle: makes those floats again that are of no difference.
 *
 * floats: of gs_floats_to_whole, let go of
 */
void
gs_floats_settle(GsSample *sample, GsFloats *floats)
{
	GsSchema	schema = {.ncolumns = sample->ncolumns,
	.columns = sample->columns};

	for (int c = 0; c < sample->ncolumns; c++)
	{
		GsColumn   *column = &sample->columns[c];
		GsLane	   *lane = &sample->lanes[c * GS_MAX_PARTS];

		if (!floats[c].changed)
			continue;
		if (column->layout != NULL || gs_column_is_base(&schema, c))
		{
			pfree(floats[c].lane.scalar);
			continue;
		}
		pfree(lane->scalar);
		*lane = floats[c].lane;
		column->codec = floats[c].codec;
	}
	pfree(floats);
}
