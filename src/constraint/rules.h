/*
 * rules.h
 *	  Rows that meet conditions: the last step of a batch.
 */
#ifndef GENSYNTH_RULES_H
#define GENSYNTH_RULES_H

#include "encode/decode.h"
#include "model/model.h"

/* What became of the rows so far. */
typedef struct GsRuleStats
{
	int64		rows;			/* that were asked for */
	int64		tries;			/* rows that were made for them */
} GsRuleStats;

typedef struct GsRules GsRules;

extern GsRules *gs_rules_open(GsSampler *sampler);
extern void gs_rules_need(const GsRules *rules, bool *needed);
extern void gs_rules_know(GsRules *rules, const GsRows *known);
extern void gs_rules_settle(GsRules *rules);
extern void gs_rules_take_settled(const GsRules *rules, int column, int n,
								  GsRows rows);
extern void gs_rules_rows(GsRules *rules, int n);
extern void gs_rules_attach(GsRules *rules, GsBatch *batch);
extern int	gs_rules_look(GsRules *rules, const GsBatch *batch, bool *refused);
extern const bool *gs_rules_apply(GsRules *rules, GsBatch *batch);
extern void gs_rules_mark(const GsRules *rules, bool *columns);
extern bool gs_rules_sets(const GsRules *rules, int column);
extern void gs_rules_set(GsRules *rules, const GsBatch *batch, int column,
						 int from, int to, GsRows rows);
extern int64 gs_rules_trial(GsRules *rules, int nbatches);
extern int64 gs_rules_refused(const GsRules *rules,
							  const GsConstraint *constraint);
extern GsRuleStats gs_rules_stats(const GsRules *rules);

#endif
