/*
 * acceptance.c
 *	  What conditions that rows are refused by do to a model's distributions.
 *
 * A row that fails a condition is made again, so what the model makes wrongly
 * is cut off, and the rest takes its place.  Where that is more than a tenth
 * of the rows, some are made, and the note tells how many pass, and which
 * columns are not distributed as they were.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "constraint/constraints.h"
#include "constraint/rules.h"
#include "fit/acceptance.h"
#include "model/model.h"
#include "numeric/normal.h"

#define BATCHES			8
#define ENOUGH			0.9		/* of the rows pass: nothing to tell */
#define HARDLY_ANY		0.05
#define BINS			32		/* of a number's normal scores */
#define MOVED			0.05	/* share of the rows that is elsewhere */
#define SHOWN			5		/* columns */

/* A feature's rows, all and those that pass. */
typedef struct Tally
{
	int			n;				/* levels, or bins */
	double	   *all;			/* [n] */
	double	   *passed;			/* [n] */
} Tally;

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
 * The columns that have moved most, as text; NULL if none has much.
 */
static char *
moved_columns(const GsSchema *schema, const Tally *tally, double npassed)
{
	double	   *moved = palloc0(sizeof(double) * schema->ncolumns);
	StringInfoData names;

	initStringInfo(&names);
	for (int f = 0; f < schema->nfeatures; f++)
	{
		int			c = gs_visible_column(schema, schema->features[f].column);

		moved[c] = Max(moved[c], moved_share(&tally[f], npassed));
	}
	for (int shown = 0; shown < SHOWN; shown++)
	{
		int			most = 0;

		for (int c = 1; c < schema->ncolumns; c++)
			if (moved[c] > moved[most])
				most = c;
		if (moved[most] < MOVED)
			break;
		appendStringInfo(&names, "%s\"%s\" (%.0f %% of the rows)",
						 shown > 0 ? ", " : "", schema->columns[most].name,
						 100 * moved[most]);
		moved[most] = 0;
	}
	return names.len > 0 ? names.data : NULL;
}

static Tally *
create_tally(const GsSchema *schema)
{
	Tally	   *tally = palloc(sizeof(Tally) * Max(schema->nfeatures, 1));

	for (int f = 0; f < schema->nfeatures; f++)
	{
		const GsFeature *feature = &schema->features[f];

		tally[f].n = feature->kind == GS_FEATURE_NUMBER ? BINS :
			feature->nlevels;
		tally[f].all = palloc0(sizeof(double) * tally[f].n);
		tally[f].passed = palloc0(sizeof(double) * tally[f].n);
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

/*
 * gs_note_acceptance: notes what the conditions of a version that was just
 * fitted refuse, if that is much.  Can be cancelled.
 *
 * schema: the version's, as it is loaded
 */
void
gs_note_acceptance(const GsVersionEntry *version, GsSchema *schema,
				   List **notes)
{
	GsVersionEntry entry = *version;
	bool		refused[GS_BATCH];
	double		npassed = 0;
	char	   *moved;
	GsSampler  *sampler;
	GsRules    *rules;
	GsBatch    *batch;
	Tally	   *tally;

	if (!may_refuse(version->constraints))
		return;
	entry.schema = schema;
	sampler = gs_sampler_begin(gs_model_of(&entry, version->source), NULL,
							   NULL);
	rules = gs_rules_open(sampler);
	if (rules == NULL)
		return;
	tally = create_tally(schema);
	batch = gs_batch_create(sampler, 0, NULL);
	for (int b = 0; b < BATCHES; b++)
	{
		CHECK_FOR_INTERRUPTS();
		gs_batch_fill(sampler, batch, b);
		npassed += GS_BATCH - gs_rules_look(rules, batch, refused);
		count_batch(schema, batch, refused, tally);
	}
	/* of conditions that hardly any row meets, the trial tells */
	if (npassed >= ENOUGH * BATCHES * GS_BATCH ||
		npassed < HARDLY_ANY * BATCHES * GS_BATCH)
		return;
	moved = moved_columns(schema, tally, npassed);
	*notes = lappend(*notes,
					 psprintf("conditions refuse %.0f %% of the rows that are made%s%s",
							  100 * (1 - npassed / (BATCHES * GS_BATCH)),
							  moved == NULL ? "" : ", which changes the distributions of ",
							  moved == NULL ? "" : moved));
}
