/*
 * ledger.h
 *	  What private fits have spent of each table, and what may be spent: the
 *	  tables gensynth.privacy_ledger and gensynth.privacy_budgets.
 */
#ifndef GENSYNTH_CATALOG_LEDGER_H
#define GENSYNTH_CATALOG_LEDGER_H

#include "postgres.h"

/*
 * Delta of a fit or of a budget: below, thresholds are beyond what floats
 * tell apart, and above, the promise is none.
 */
#define GS_MIN_DELTA	1e-30
#define GS_MAX_DELTA	0.01

/* One question that a fit asks of the rows: counts with noise of sigma. */
typedef struct GsLedgerStep
{
	const char *query;			/* what is counted, for people to read */
	int64		cells;
	double		sigma;
	double		rho;
	double		delta;			/* of a threshold; 0: there is none */
} GsLedgerStep;

extern void gs_ledger_check_delta(double delta);
extern int64 gs_ledger_debit(Oid relation, const char *model,
							 const char *method, double epsilon, double delta,
							 double rho, const GsLedgerStep *steps,
							 int nsteps, const char *unit);
extern void gs_ledger_stored(int64 id, const char *model, int version);
extern bool gs_ledger_has_budget(Oid relation);
extern void gs_ledger_unprotected(Oid relation, const char *model,
								  const char *method);

/* What worker.c has processes do. */
extern int64 gs_ledger_begin_debit(Oid role, const NullableDatum *args);
extern int64 gs_ledger_begin_budget(Oid role, const NullableDatum *args);

#endif
