/*
 * acceptance.c
 *	  What conditions that rows are refused by do to a model's distributions.
 *
 * A row that fails a condition is made again, so what the model makes wrongly
 * is cut off, and the rest takes its place.  Where that is more than a tenth
 * of the rows, some are made, and the note tells how many pass, and which
 * columns are not distributed as they were.  Orders that were found in the data
 * and not asked for are told of wherever they move a column by much, and let go
 * of where most rows would be refused.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "constraint/constraints.h"
#include "constraint/rules.h"
#include "fit/acceptance.h"
#include "encode/number.h"
#include "model/model.h"
#include "numeric/normal.h"

#define BATCHES			8
#define ENOUGH			0.9		/* of the rows pass: nothing to tell */
#define HARDLY_ANY		0.05
#define BINS			32		/* of a number's normal scores */
#define MOVED			0.05	/* share of the rows that is elsewhere ... */
#define NULLS_MOVED		0.01	/* ... or is NULL, or is no more */
#define MEAN_MOVED		0.1		/* in mean deviations from the median */
#define FEW_PASS		0.5		/* too few to keep orders that nobody asked for */
#define SHOWN			5		/* columns */

/* A feature's rows, all and those that pass. */
typedef struct Tally
{
	int			n;				/* levels, or bins */
	double	   *all;			/* [n] */
	double	   *passed;			/* [n] */
	GsNumber   *number;			/* NULL: of levels */
	double		median;
	double		sum;			/* of all rows, less the median */
	double		sum_passed;
	double		deviations;		/* of all from the median */
} Tally;

static double
value_at(const Tally *tally, const GsBatch *batch, int row, float score)
{
	GsScalar	value = gs_number_at(tally->number, batch, row, 0, score);

	return tally->number->feature->lane == GS_LANE_FLOAT ? value.f :
		(double) value.i;
}

static void
count_value(Tally *tally, const GsBatch *batch, int row, float score,
			bool passed)
{
	double		value = value_at(tally, batch, row, score) - tally->median;

	tally->sum += value;
	tally->sum_passed += passed ? value : 0;
	tally->deviations += fabs(value);
}

static void
count_batch(const GsSchema *schema, const GsBatch *batch, const bool *refused,
			Tally *tally)
{
	for (int f = 0; f < schema->nfeatures; f++)
		for (int row = 0; row < GS_BATCH; row++)
		{
			int			bin = batch->code[f] != NULL ? batch->code[f][row] :
				(int) (gs_normal_cdf(batch->score[f][row]) * BINS);

			bin = Max(0, Min(bin, tally[f].n - 1));
			tally[f].all[bin]++;
			tally[f].passed[bin] += !refused[row];
			if (tally[f].number != NULL && batch->code[f] == NULL)
				count_value(&tally[f], batch, row, batch->score[f][row],
							!refused[row]);
		}
}

/*
 * The share of rows that lie elsewhere among those that pass.
 */
static double
moved_share(const Tally *tally, double npassed)
{
	double		sum = 0;

	for (int i = 0; i < tally->n; i++)
		sum += fabs(tally->passed[i] / npassed -
					tally->all[i] / (BATCHES * GS_BATCH)) / 2;
	return sum;
}

/*
 * How far the mean of the rows that pass is from that of all, in mean
 * deviations.
 */
static double
moved_mean(const Tally *tally, double npassed)
{
	double		all = BATCHES * GS_BATCH;

	return tally->deviations > 0 ?
		fabs(tally->sum_passed / npassed - tally->sum / all) /
		(tally->deviations / all) : 0;
}

/* How much a column has moved. */
typedef struct Moved
{
	double		by;				/* times what is much */
	double		share;			/* of the rows */
	double		mean;			/* in mean deviations */
} Moved;

static void
add_moved(const GsFeature *feature, const Tally *tally, double npassed,
		  Moved *moved)
{
	double		share = moved_share(tally, npassed);
	double		mean = moved_mean(tally, npassed);

	moved->share = Max(moved->share, share);
	moved->mean = Max(moved->mean, mean);
	moved->by = Max(moved->by, share / (feature->part < 0 ? NULLS_MOVED : MOVED));
	moved->by = Max(moved->by, mean / MEAN_MOVED);
}

/*
 * The columns that have moved most, as text; NULL if none has much.
 */
static char *
moved_columns(const GsSchema *schema, const Tally *tally, double npassed)
{
	Moved	   *moved = palloc0(sizeof(Moved) * Max(schema->ncolumns, 1));
	StringInfoData names;

	initStringInfo(&names);
	for (int f = 0; f < schema->nfeatures; f++)
		add_moved(&schema->features[f], &tally[f], npassed,
				  &moved[gs_visible_column(schema, schema->features[f].column)]);
	for (int shown = 0; shown < SHOWN; shown++)
	{
		int			most = 0;

		for (int c = 1; c < schema->ncolumns; c++)
			if (moved[c].by > moved[most].by)
				most = c;
		if (moved[most].by < 1)
			break;
		appendStringInfo(&names, "%s\"%s\" (%.0f %% of the rows",
						 shown > 0 ? ", " : "", schema->columns[most].name,
						 100 * moved[most].share);
		/* a few rows, but far away */
		if (moved[most].share < MOVED && moved[most].mean > MEAN_MOVED)
			appendStringInfo(&names, ", the mean by %.2f mean deviations",
							 moved[most].mean);
		appendStringInfoChar(&names, ')');
		moved[most].by = 0;
	}
	return names.len > 0 ? names.data : NULL;
}

static Tally *
create_tally(const GsSchema *schema, const GsBatch *batch)
{
	Tally	   *tally = palloc0(sizeof(Tally) * Max(schema->nfeatures, 1));

	for (int f = 0; f < schema->nfeatures; f++)
	{
		const GsFeature *feature = &schema->features[f];

		tally[f].n = feature->kind == GS_FEATURE_NUMBER ? BINS :
			feature->nlevels;
		tally[f].all = palloc0(sizeof(double) * tally[f].n);
		tally[f].passed = palloc0(sizeof(double) * tally[f].n);
		if (feature->kind != GS_FEATURE_NUMBER)
			continue;
		tally[f].number = palloc(sizeof(GsNumber));
		gs_number_init(tally[f].number, feature);
		tally[f].median = value_at(&tally[f], batch, 0, 0);
	}
	return tally;
}

/*
 * Whether rows are refused by some condition.
 */
static bool
may_refuse(const List *constraints)
{
	ListCell   *cell;

	foreach(cell, constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->met == GS_MET_REJECTION &&
			constraint->expression != NULL)
			return true;
	}
	return false;
}

static bool
is_found_order(const GsConstraint *constraint)
{
	return constraint->kind == GS_CONSTRAINT_FOUND &&
		constraint->met == GS_MET_REJECTION;
}

/* Rows of a version, and how its conditions take them. */
typedef struct Trial
{
	GsRules    *rules;			/* NULL: none can be refused */
	Tally	   *tally;			/* [nfeatures] */
	double		npassed;
} Trial;

static Trial
make_trial(const GsVersionEntry *entry)
{
	GsSampler  *sampler = gs_sampler_begin(gs_model_of(entry, entry->source),
										   NULL, NULL);
	Trial		trial = {.rules = gs_rules_open(sampler)};
	bool		refused[GS_BATCH];
	GsBatch    *batch;

	if (trial.rules == NULL)
		return trial;
	batch = gs_batch_create(sampler, 0, NULL);
	trial.tally = create_tally(entry->schema, batch);
	for (int b = 0; b < BATCHES; b++)
	{
		CHECK_FOR_INTERRUPTS();
		gs_batch_fill(sampler, batch, b);
		trial.npassed += GS_BATCH - gs_rules_look(trial.rules, batch, refused);
		count_batch(entry->schema, batch, refused, trial.tally);
	}
	return trial;
}

/*
 * Lets go of the orders that were found which many rows are not in, where few
 * pass.  Returns whether there are such.
 */
static bool
drop_orders(const Trial *trial, List **constraints)
{
	List	   *kept = NIL;
	bool		any = false;
	ListCell   *cell;

	if (trial->npassed >= FEW_PASS * BATCHES * GS_BATCH)
		return false;
	foreach(cell, *constraints)
	{
		GsConstraint *constraint = lfirst(cell);

		if (is_found_order(constraint) &&
			gs_rules_refused(trial->rules, constraint) >
			(1 - ENOUGH) * BATCHES * GS_BATCH)
			any = true;
		else
			kept = lappend(kept, constraint);
	}
	*constraints = kept;
	return any;
}

static bool
has_orders(const List *constraints)
{
	ListCell   *cell;

	foreach(cell, constraints)
		if (is_found_order(lfirst(cell)))
			return true;
	return false;
}

/*
 * gs_note_acceptance: notes what the conditions of a version that was just
 * fitted refuse, if that is much, and takes those orders that were found from
 * it which it hardly keeps.  Can be cancelled.
 *
 * schema: the version's, as it is loaded
 */
void
gs_note_acceptance(GsVersionEntry *version, GsSchema *schema,
				   List **notes)
{
	GsVersionEntry entry = *version;
	double		all = BATCHES * GS_BATCH;
	char	   *moved;
	Trial		trial;

	if (!may_refuse(version->constraints))
		return;
	entry.schema = schema;
	trial = make_trial(&entry);
	if (trial.rules != NULL && drop_orders(&trial, &version->constraints))
	{
		entry.constraints = version->constraints;
		trial = make_trial(&entry);
	}
	/* of conditions that hardly any row meets, the trial tells */
	if (trial.rules == NULL || trial.npassed < HARDLY_ANY * all ||
		(trial.npassed >= ENOUGH * all && !has_orders(version->constraints)))
		return;
	moved = moved_columns(schema, trial.tally, trial.npassed);
	if (trial.npassed >= ENOUGH * all && moved == NULL)
		return;
	*notes = lappend(*notes,
					 psprintf("conditions%s refuse %.0f %% of the rows that are made%s%s",
							  has_orders(version->constraints) ?
							  ", and orders that were found," : "",
							  100 * (1 - trial.npassed / all),
							  moved == NULL ? "" : ", which changes the distributions of ",
							  moved == NULL ? "" : moved));
}
