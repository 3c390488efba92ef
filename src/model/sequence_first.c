/*
 * sequence_first.c
 *	  Rows of an owner, one after the other: what is drawn in an owner's first
 *	  row.  See sequence_fit.c.
 *
 * What follows hangs on the first row, and nothing that other rows are told by
 * is there yet: in a tree of all rows it would be one of many leaves.  So it has
 * trees of its own.  Where a number lies close to one that is known, or to the
 * year of a known day or time, these draw the difference: so a career begins at
 * an age that careers have begun at.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/sequence_fit.h"

#define MIN_FIRST		200		/* owners, to learn from */
#define CLOSER			0.5		/* of the spread, that differences have */
#define AS_CODES		1.05	/* ... and of what the base's codes leave */

/*
 * gs_sequence_base_at: what position p lies close to in a row; NaN: nothing.
 */
double
gs_sequence_base_at(const SequenceFit *fit, int p, uint32 row)
{
	const Drawn *drawn = &fit->drawn[p];
	const GsShiftSource *base = &fit->drawn[drawn->base].source;
	const double *day = fit->drawn[drawn->base].value;

	if (base->segment[row] == GS_MISSING)
		return NAN;
	if (day != NULL)
		return isnan(day[row]) ? NAN :
			gs_sequence_base(day[row], drawn->by_year);
	return gs_sequence_base(gs_value_at(base->feature, base->unit,
										base->segment[row],
										base->within[row] / 65535.0),
							drawn->by_year);
}

/*
 * The days of a known moment that is learned by the calendar, [nrows], in units
 * of gs_value_scale: NaN where one is too rare to be shown.
 */
static double *
days_of(const SequenceFit *fit, int q)
{
	const GsShiftSource *count = &fit->drawn[q].source;
	const GsColumn *column =
		&fit->context->schema->columns[count->feature->column];
	GsCalendar	unit = column->layout->sum[1].unit;
	const Drawn *day = NULL;
	double	   *value = gs_sequence_alloc(fit->nrows, sizeof(double));

	for (int p = 0; p < fit->nknown; p++)
		if (fit->drawn[p].feature == column->feature[1])
			day = &fit->drawn[p];
	for (uint32 row = 0; row < fit->nrows; row++)
	{
		const GsFeature *feature = day != NULL ? day->source.feature : NULL;
		GsCalendarDay moment = {0};

		value[row] = NAN;
		if (count->segment[row] == GS_MISSING ||
			(unit != GS_CALENDAR_DAY &&
			 (day == NULL || day->own.value[row] == GS_MISSING ||
			  (!day->number && day->own.value[row] == feature->other_level))))
			continue;
		moment.count = gs_quantile_value(count->feature, count->segment[row],
										 count->within[row] / 65535.0).i;
		if (unit != GS_CALENDAR_DAY)
			moment.day = day->number ?
				gs_quantile_value(feature, day->source.segment[row],
								  day->source.within[row] / 65535.0).i :
				feature->level[day->own.value[row]].i;
		value[row] = gs_sequence_unit(column) *
			(double) gs_calendar_join(unit, column->layout->per_day, moment);
	}
	return value;
}

/*
 * Whether a known number may be what a drawn one lies close to; by its year, if
 * it is a moment and the drawn one a whole number.
 */
static bool
may_be_base(const SequenceFit *fit, int p, int q, bool *by_year)
{
	const GsSchema *schema = fit->context->schema;
	const GsFeature *feature = fit->drawn[p].source.feature;
	double		unit;
	GsAxis		own;
	GsAxis		axis;

	if (!fit->drawn[q].number)
		return false;
	own = gs_value_scale(schema, feature, &unit);
	axis = fit->drawn[q].value != NULL ? GS_AXIS_TIME :
		gs_value_scale(schema, fit->drawn[q].source.feature, &unit);
	*by_year = axis == GS_AXIS_TIME && own == GS_AXIS_NUMBER &&
		feature->lane == GS_LANE_INT && feature->scale == 0;
	return *by_year || (own == axis && own != GS_AXIS_NONE &&
						fit->drawn[q].value == NULL);
}

/*
 * Finds the known position that a number of first rows lies closest to, and
 * fills shift with what these add to it; false if there is none.
 */
static bool
find_base(SequenceFit *fit, int p, double *shift)
{
	Drawn	   *drawn = &fit->drawn[p];
	double	   *first = gs_sequence_alloc(fit->nrows, sizeof(double));
	double		least;
	int			best = -1;
	bool		best_by_year = false;

	for (uint32 row = 0; row < fit->nrows; row++)
		first[row] = fit->begins[row] ? drawn->value[row] : NAN;
	least = CLOSER * gs_sequence_spread(first, NULL, fit->nrows);
	for (int tried = 0; tried <= fit->nknown; tried++)
	{
		int			q = tried < fit->nknown ? tried : best;
		double		off;

		CHECK_FOR_INTERRUPTS();
		if (q < 0 || !may_be_base(fit, p, q, &drawn->by_year))
			continue;
		drawn->base = q;
		for (uint32 row = 0; row < fit->nrows; row++)
			shift[row] = fit->begins[row] ?
				first[row] - gs_sequence_base_at(fit, p, row) : NAN;
		off = gs_sequence_spread(shift, NULL, fit->nrows);
		if (off < least && off <= AS_CODES *
			gs_sequence_spread(first, fit->drawn[q].own.code, fit->nrows))
		{
			least = off;
			best = q;
			best_by_year = drawn->by_year;
		}
	}
	pfree(first);
	drawn->base = best;
	drawn->by_year = best_by_year;
	return best >= 0;
}

/*
 * gs_sequence_find_first: what trees of first rows draw, if there are enough of
 * them and others.  Can be cancelled.
 */
void
gs_sequence_find_first(SequenceFit *fit)
{
	uint32		nfirst = 0;
	double	   *shift;

	for (uint32 row = 0; row < fit->nrows; row++)
		nfirst += fit->begins[row];
	if (nfirst < MIN_FIRST || 2 * nfirst > fit->nrows)
		return;
	shift = gs_sequence_alloc(fit->nrows, sizeof(double));
	for (int q = 0; q < fit->nknown; q++)
		if (fit->drawn[q].number &&
			gs_sequence_by_calendar(fit->context->schema,
									fit->drawn[q].source.feature))
			fit->drawn[q].value = days_of(fit, q);
	for (int p = fit->nknown; p < fit->n; p++)
	{
		Drawn	   *drawn = &fit->drawn[p];
		uint16	   *segment;

		if (drawn->key >= 0)
			continue;
		if (drawn->measured && find_base(fit, p, shift))
		{
			segment = gs_sequence_alloc(fit->nrows, sizeof(uint16));
			if (gs_shift_table(shift, fit->nrows,
							   fit->context->rare_threshold,
							   &drawn->first_feature, segment))
			{
				gs_tree_init_axis(&drawn->first, segment, fit->nrows,
								  &drawn->first_feature, 0);
				gs_tree_encode_axis(&drawn->first, fit->nrows);
				continue;
			}
			pfree(segment);
			drawn->base = -1;
		}
		/* trees write to their axis */
		drawn->first = drawn->own;
	}
	pfree(shift);
}
