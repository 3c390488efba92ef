/*
 * duration.c
 *	  Columns that say how long it is from one moment of their row to another:
 *	  an interval, hours with two digits after the point, minutes.
 *
 * They become equations, as formula.c finds them between numbers.  What counts
 * whole units that are over, such as an age, is an aspect: see aspect.c.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "codec/domain.h"
#include "learn/difference.h"
#include "learn/formula.h"
#include "learn/quantile.h"

#define FIRST_ROWS		32
#define MAX_ROWS		4000
#define MIN_ROWS		50
#define MIN_HOLDS		0.99	/* share of the rows */

/* Seconds of the units that people count in. */
static const double units[] = {
	1, 0.001, 60, 3600, 86400, 604800, 31557600, 31536000
};

/* A column that may say how long. */
typedef struct Length
{
	const GsColumn *column;
	const GsLane *lane;			/* [3] of an interval */
	bool		interval;
	int			decimals;		/* -1: unknown */
} Length;

static bool
is_there(const GsLane *lane, int64 row)
{
	return lane->absent == NULL || !lane->absent[row];
}

static bool
is_moment(const GsSample *sample, int c)
{
	const GsColumn *column = &sample->columns[c];

	return (column->type == DATEOID || column->type == TIMESTAMPOID ||
			column->type == TIMESTAMPTZOID) && !column->equated &&
		column->codec.nparts == 1;
}

/*
 * A row's moment in microseconds; false if it is NULL, or none that can be
 * taken off another one.
 */
static bool
get_moment(const GsSample *sample, int c, int64 row, double *usecs)
{
	const GsColumn *column = &sample->columns[c];
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];

	if (!is_there(lane, row) ||
		gs_scalar_is_special(&column->codec.part[0], lane->type,
							 lane->scalar[row]))
		return false;
	*usecs = (double) lane->scalar[row].i *
		(column->type == DATEOID ? (double) USECS_PER_DAY : 1);
	return true;
}

static bool
init_length(const GsSample *sample, int c, Length *length)
{
	const GsColumn *column = &sample->columns[c];
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];

	*length = (Length) {.column = column,.lane = lane,
		.interval = column->type == INTERVALOID,.decimals = lane->scale
	};
	if (column->unique || column->equated || column->computed ||
		column->is_key || column->context ||
		gs_domain_is_picky(column->declared))
		return false;
	if (length->interval)
		return true;
	if (column->codec.kind->axis != GS_AXIS_NUMBER ||
		(lane->type != GS_LANE_INT && lane->type != GS_LANE_FLOAT))
		return false;
	if (lane->type == GS_LANE_FLOAT)
	{
		GsScalar	some[FIRST_ROWS];
		int64		stride = sample->nrows / FIRST_ROWS + 1;
		int			n = 0;

		for (int64 row = 0; row < sample->nrows; row += stride)
			if (is_there(lane, row) && isfinite(lane->scalar[row].f))
				some[n++] = lane->scalar[row];
		length->decimals = gs_find_decimals(column->codec.kind->narrow, some,
											n);
	}
	return true;
}

/*
 * Whether a row's length is that between two moments, in a unit; *varies: it is
 * not the same in all rows.
 */
static bool
is_length(const Length *length, int64 row, double usecs, double unit)
{
	double		value;
	double		expected = usecs / (unit * USECS_PER_SEC);
	double		room = 1e-9 + fabs(expected) * 1e-7;

	if (length->interval)
		return length->lane[0].scalar[row].i == 0 &&
			length->lane[1].scalar[row].i * (double) USECS_PER_DAY +
			length->lane[2].scalar[row].i == usecs;
	value = length->lane->type == GS_LANE_FLOAT ? length->lane->scalar[row].f :
		length->lane->scalar[row].i * pow(10, -length->lane->scale);
	if (length->decimals >= 0)
		room = 0.501 * pow(10, -length->decimals);
	return fabs(value - expected) <= room;
}

/*
 * Whether a column tells in nearly all rows, of at most so many, how long it is
 * from one moment to another.
 */
static bool
tells(const GsSample *sample, const Length *length, int from, int to,
	  double unit, int most)
{
	int64		stride = sample->nrows / most + 1;
	double		first = 0;
	double		spread = 0;
	int			n = 0;
	int			hits = 0;

	for (int64 row = 0; row < sample->nrows &&
		 n - hits <= (1 - MIN_HOLDS) * most; row += stride)
	{
		double		begin;
		double		end;

		if (!is_there(length->lane, row) ||
			!get_moment(sample, from, row, &begin) ||
			!get_moment(sample, to, row, &end))
			continue;
		first = n == 0 ? end - begin : first;
		spread = Max(spread, fabs(end - begin - first));
		n++;
		hits += is_length(length, row, end - begin, unit);
	}
	/* what hardly differs when rounded is no such length */
	return hits >= MIN_HOLDS * n && (most <= FIRST_ROWS ? n > 0 :
									 n >= MIN_ROWS) &&
		spread > (length->interval || length->decimals < 0 ? 0 :
				  20 * unit * USECS_PER_SEC * pow(10, -Max(length->decimals, 0)));
}

/*
 * The condition that a column is what lies between two moments.
 */
static GsFormula *
write_length(const GsSample *sample, const Length *length, int from, int to,
			 double unit)
{
	GsFormula  *formula = palloc0(sizeof(GsFormula));
	bool		zones = sample->columns[from].type == TIMESTAMPTZOID;
	const char *cast = zones ? "" : "::pg_catalog.timestamp";
	char	   *difference = psprintf("(%s%s OPERATOR(pg_catalog.-) %s%s)",
									  quote_identifier(sample->columns[to].name), cast,
									  quote_identifier(sample->columns[from].name), cast);
	const char *name = quote_identifier(length->column->name);
	char	   *plain = psprintf("%s - %s",
								 quote_identifier(sample->columns[to].name),
								 quote_identifier(sample->columns[from].name));
	char	   *divisor = psprintf("%.9g", unit);
	char	   *value;

	if (length->interval)
	{
		formula->condition = psprintf("%s OPERATOR(pg_catalog.=) %s", name,
									  difference);
		/* shown, not run */
		formula->definition = psprintf("%s = %s", name, plain);
		return formula;
	}
	value = psprintf("pg_catalog.date_part('epoch', %s) OPERATOR(pg_catalog./) %s",
					 difference, divisor);
	if (length->decimals >= 0)
		value = psprintf("pg_catalog.round((%s)::pg_catalog.numeric, %d)",
						 value, length->decimals);
	formula->condition = psprintf("%s OPERATOR(pg_catalog.=) (%s)", name,
									  value);
	/* shown, not run */
	formula->definition = psprintf("%s = extract(epoch FROM %s) / %s", name,
								   plain, divisor);
	return formula;
}

/*
 * The two moments between which a column tells how long it is; NULL if there
 * are none.
 */
static GsFormula *
find_length(const GsSample *sample, const Length *length)
{
	int			c = (int) (length->column - sample->columns);

	for (int from = 0; from < sample->ncolumns; from++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!gs_is_near(sample, c, from) || !is_moment(sample, from))
			continue;
		for (int to = 0; to < sample->ncolumns; to++)
		{
			if (from == to || !gs_is_near(sample, c, to) ||
				!is_moment(sample, to) ||
				(sample->columns[from].type == TIMESTAMPTZOID) !=
				(sample->columns[to].type == TIMESTAMPTZOID))
				continue;
			CHECK_FOR_INTERRUPTS();
			for (int u = 0; u < (length->interval ? 1 : lengthof(units)); u++)
				if (tells(sample, length, from, to, units[u], FIRST_ROWS) &&
					tells(sample, length, from, to, units[u], MAX_ROWS))
					return write_length(sample, length, from, to, units[u]);
		}
	}
	return NULL;
}

/*
 * gs_durations_find: columns of a sample that are told by two moments, as
 * conditions; marks these, and those that an aspect tells.  The lanes hold the
 * columns' own values.  Can be cancelled.
 *
 * Returns GsFormulas, in the current context.
 */
List *
gs_durations_find(GsSample *sample)
{
	List	   *found = NIL;
	GsFloats   *floats = gs_floats_to_whole(sample, NIL);

	sample->told = palloc0(Max(sample->ncolumns, 1));
	for (int c = 0; c < sample->ncolumns; c++)
	{
		GsLink		link = {.base = -1,.score = INFINITY};

		if (gs_may_differ(sample, c))
			gs_aspect_find(sample, c, &link);
		sample->told[c] = link.base >= 0;
	}
	gs_floats_settle(sample, floats);
	for (int c = 0; c < sample->ncolumns; c++)
	{
		GsFormula  *formula;
		Length		length;

		if (sample->told[c] || !init_length(sample, c, &length) ||
			(formula = find_length(sample, &length)) == NULL)
			continue;
		sample->told[c] = true;
		found = lappend(found, formula);
	}
	return found;
}
