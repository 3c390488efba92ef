/*
 * aspect.c
 *	  Columns that say again what others say of a moment: its hour, its day
 *	  of the week, the age at it.
 *
 * What an aspect does not tell (an age counted otherwise, a clock in another
 * time zone, a row that was entered wrongly) is learned as the difference.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "miscadmin.h"

#include "learn/difference.h"
#include "learn/learn_internal.h"

#define FIRST_ROWS		32
#define MAX_ROWS		2000
#define MIN_ROWS		50
#define MIN_EQUAL		0.8		/* of the first rows */
#define MIN_AGREEMENT	0.9		/* beyond chance: Cohen's kappa (1960) */
#define FEW_CLOCKS		8		/* apart from each other: time zones */

#define FIXED_ROWS		50000	/* that a fixed moment is found by */
#define MOST_MONTHS		12000	/* of an age */

/* Better than any difference: see GsLink. */
#define ASPECT_SCORE		(-200.0)

/* An aspect that is tried. */
typedef struct Trial
{
	const GsSample *sample;
	int			column;
	int			base;
	int			since;			/* -1: none */
	int64		fixed;			/* moment, of an aspect to one */
	GsAspect		aspect;
} Trial;

/* Where a stretch of time begins (step 1) or is over (-1). */
typedef struct Edge
{
	int64		moment;
	int			step;
} Edge;

static bool
is_moment(const GsSample *sample, int c)
{
	return sample->columns[c].codec.kind->axis == GS_AXIS_TIME &&
		gs_may_differ(sample, c);
}

/*
 * A row's moment, in microseconds.
 */
static bool
get_moment(const GsSample *sample, int c, int64 row, int64 *moment)
{
	const GsColumn *column = &sample->columns[c];
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	double		unit = column->codec.kind->unit;

	return !is_absent(lane, row) &&
		!gs_layout_is_special(column, lane->scalar[row].i) &&
		!pg_mul_s64_overflow(lane->scalar[row].i,
							 unit > 0 ? (int64) unit : 1, moment);
}

/*
 * A row's value, and what the aspect says of it.
 */
static bool
get_row(const Trial *trial, int64 row, int64 *value, int64 *aspect)
{
	const GsLane *lane = &trial->sample->lanes[trial->column * GS_MAX_PARTS];
	int64		moment;
	int64		since = trial->fixed;

	if (is_absent(lane, row) ||
		!get_moment(trial->sample, trial->base, row, &moment) ||
		(trial->since >= 0 &&
		 !get_moment(trial->sample, trial->since, row, &since)))
		return false;
	*value = lane->scalar[row].i;
	*aspect = gs_aspect_of(trial->aspect, moment, since);
	/* a cast rounds */
	if ((trial->aspect == GS_ASPECT_EPOCH ||
		 trial->aspect == GS_ASPECT_EPOCH_MS) && *value - 1 == *aspect)
		*aspect = *value;
	return true;
}

/*
 * How often an aspect tells a column, beyond chance, over so many rows.
 */
static double
agreement(const Trial *trial, int most, double *equal)
{
	int64		stride = trial->sample->nrows / most + 1;
	double		n = 0;
	double		by_chance = 0;
	int64		before = 0;
	double		chance;

	*equal = 0;
	for (int64 row = 0; row < trial->sample->nrows; row += stride)
	{
		int64		value;
		int64		aspect;

		if (!get_row(trial, row, &value, &aspect))
			continue;
		*equal += value == aspect;
		by_chance += n > 0 && value == before;
		before = aspect;
		n++;
	}
	if (n == 0)
		return 0;
	*equal /= n;
	chance = by_chance / Max(n - 1, 1);
	return chance < 1 && (n >= MIN_ROWS || most < MAX_ROWS) ?
		(*equal - chance) / (1 - chance) : 0;
}

static void
try_aspect(const Trial *trial, GsLink *best)
{
	double		equal;
	double		kappa;

	(void) agreement(trial, FIRST_ROWS, &equal);
	if (equal < MIN_EQUAL)
		return;
	kappa = agreement(trial, MAX_ROWS, &equal);
	if (kappa < MIN_AGREEMENT || ASPECT_SCORE - kappa >= best->score)
		return;
	*best = (GsLink)
	{
		.base = trial->base,.aspect = trial->aspect,.since = trial->since,
			.fixed = trial->fixed,.score = ASPECT_SCORE - kappa
	};
}

static int
by_moment(const void *a, const void *b)
{
	const Edge *x = a;
	const Edge *y = b;

	return x->moment != y->moment ? (x->moment < y->moment ? -1 : 1) :
		x->step - y->step;
}

/*
 * The moment at which most of so many rows' values are what an aspect to it
 * says: each row's is true in a stretch of time.  Returns false if too few
 * agree.
 */
static bool
find_fixed(Trial *trial, int64 most)
{
	int64		stride = trial->sample->nrows / most + 1;
	Edge	   *edge = palloc_extended(sizeof(Edge) * 2 * most,
									   MCXT_ALLOC_HUGE);
	int			unit = trial->aspect == GS_ASPECT_YEARS_TO ? 12 : 1;
	int64		n = 0;
	int64		within = 0;
	int64		best = 0;

	for (int64 row = 0; row < trial->sample->nrows; row += stride)
	{
		int64		value;
		int64		aspect;
		int64		moment;

		if (!get_row(trial, row, &value, &aspect) || value < 0 ||
			value >= MOST_MONTHS / unit ||
			!get_moment(trial->sample, trial->base, row, &moment))
			continue;
		edge[n++] = (Edge)
		{
			gs_calendar_months_after(moment, value * unit), 1
		};
		edge[n++] = (Edge)
		{
			gs_calendar_months_after(moment, (value + 1) * unit), -1
		};
	}
	qsort(edge, n, sizeof(Edge), by_moment);
	for (int64 i = 0; i < n; i++)
	{
		within += edge[i].step;
		if (within <= best)
			continue;
		best = within;
		trial->fixed = edge[i].moment;
	}
	pfree(edge);
	return n > 0 && best >= MIN_EQUAL * (n / 2);
}

/*
 * An age at the time when all rows were written.
 */
static void
try_fixed(Trial *trial, GsLink *best)
{
	trial->fixed = 0;
	if (find_fixed(trial, FIRST_ROWS) && find_fixed(trial, FIXED_ROWS))
		try_aspect(trial, best);
	trial->fixed = 0;
}

/*
 * A time of day: that of a moment, or of a few clocks ahead of it.
 */
static void
try_clock(const Trial *trial, GsLink *best)
{
	int64		stride = trial->sample->nrows / MAX_ROWS + 1;
	int64		clock[FEW_CLOCKS];
	int64		before = 0;
	int			nclocks = 0;
	int			unlike = 0;		/* rows unlike the one before */
	int			n = 0;

	for (int64 row = 0; row < trial->sample->nrows; row += stride)
	{
		int64		value;
		int64		aspect;
		int			i = 0;

		if (!get_row(trial, row, &value, &aspect))
			continue;
		value = (value - aspect + USECS_PER_DAY) % USECS_PER_DAY;
		while (i < nclocks && clock[i] != value)
			i++;
		if (i == FEW_CLOCKS)
			return;
		if (i == nclocks)
			clock[nclocks++] = value;
		unlike += n > 0 && aspect != before;
		before = aspect;
		n++;
	}
	if (n < MIN_ROWS || unlike < n / 2 ||
		ASPECT_SCORE + nclocks >= best->score)
		return;
	*best = (GsLink)
	{
		.base = trial->base,.aspect = GS_ASPECT_TIME,.since = -1,
			.score = ASPECT_SCORE + nclocks
	};
}

/*
 * gs_aspect_find: the aspect that tells a column best, if it does better than
 * what has been found.  Can be cancelled.
 */
void
gs_aspect_find(const GsSample *sample, int column, GsLink *best)
{
	const GsColumn *c = &sample->columns[column];
	Trial		trial = {.sample = sample,.column = column,.since = -1};
	bool		clock = c->type == TIMEOID;

	if (!clock && (c->codec.kind->axis != GS_AXIS_NUMBER ||
				   sample->lanes[column * GS_MAX_PARTS].scale > 0))
		return;
	for (trial.base = 0; trial.base < sample->ncolumns; trial.base++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!is_moment(sample, trial.base) ||
			!gs_is_near(sample, trial.base, column) ||
			!gs_may_follow(c, &sample->columns[trial.base]))
			continue;
		trial.since = -1;
		trial.aspect = GS_ASPECT_TIME;
		if (clock)
			try_clock(&trial, best);
		for (int v = GS_ASPECT_YEAR; v < GS_ASPECT_FIRST_OF_TWO && !clock; v++)
		{
			trial.aspect = (GsAspect) v;
			try_aspect(&trial, best);
		}
		for (int v = GS_ASPECT_FIRST_TO; v < GS_ASPECTS && !clock; v++)
		{
			trial.aspect = (GsAspect) v;
			try_fixed(&trial, best);
		}
		for (int since = 0; since < sample->ncolumns && !clock; since++)
		{
			if (since == trial.base || !is_moment(sample, since) ||
				!gs_is_near(sample, since, column) ||
				!gs_may_follow(c, &sample->columns[since]))
				continue;
			trial.since = since;
			for (int v = GS_ASPECT_FIRST_OF_TWO; v < GS_ASPECT_FIRST_TO; v++)
			{
				trial.aspect = (GsAspect) v;
				try_aspect(&trial, best);
			}
		}
	}
}
