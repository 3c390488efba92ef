/*
 * trial.c
 *	  Whether rows of a new model meet its conditions.
 *
 * Rows that fail a condition are made again, until too many have.  So a
 * condition that hardly any row meets shows only when rows are asked for,
 * which may be long after the fit, and by somebody else.  Therefore a fit makes
 * some rows and says what it saw.
 */
#include "postgres.h"

#include "constraint/rules.h"
#include "fit/trial.h"

#define TRIAL_BATCHES	4
#define MIN_MET			0.05	/* share of the rows that is worth no word */

static void
report(const char *what, int64 met, List **notes)
{
	char	   *note = psprintf("%s in " INT64_FORMAT " of %d rows of the model",
								what, met, TRIAL_BATCHES * GS_BATCH);

	*notes = lappend(*notes, note);
	ereport(WARNING,
			(errmsg("%s", note),
			 errhint("Rows that fail are made again, and where fewer than 1 of 200 passes, sampling ends with an error, unless option \"on_violation\" says otherwise.")));
}

static bool
has_conditions(const List *constraints)
{
	ListCell   *cell;

	foreach(cell, constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->expression != NULL &&
			constraint->met != GS_MET_DATABASE)
			return true;
	}
	return false;
}

/*
 * gs_fit_trial: makes rows of a version that was fitted, and tells, by a
 * warning and a note, which conditions hardly any of them meets.
 *
 * loaded: with its schema as it is when it is loaded
 */
void
gs_fit_trial(const GsVersionEntry *loaded, List **notes)
{
	GsRules    *rules;
	int64		all = TRIAL_BATCHES * GS_BATCH;
	int64		met;
	bool		told = false;
	ListCell   *cell;

	if (!has_conditions(loaded->constraints))
		return;
	rules = gs_rules_open(gs_sampler_begin(gs_model_of(loaded, loaded->source),
										   NULL, NULL));
	if (rules == NULL)
		return;
	met = gs_rules_trial(rules, TRIAL_BATCHES);
	foreach(cell, loaded->constraints)
	{
		int64		passed = all - gs_rules_refused(rules, lfirst(cell));

		if (passed >= all * MIN_MET)
			continue;
		report(psprintf("%s holds", gs_constraint_title(lfirst(cell))),
			   passed, notes);
		told = true;
	}
	if (!told && met < all * MIN_MET)
		report("all conditions together hold", met, notes);
}
