/*
 * rules_internal.h
 *	  What conditions of a sampler are, for the files of constraint/rules*.c.
 */
#ifndef GENSYNTH_RULES_INTERNAL_H
#define GENSYNTH_RULES_INTERNAL_H

#include "executor/executor.h"

#include "constraint/bounds.h"
#include "constraint/rules.h"

typedef struct GsRule
{
	const GsConstraint *constraint;
	Expr	   *expr;
	ExprState  *state;
	int			sets;			/* place among the rules' columns; -1: none */
	ExprState  *value;			/* that it sets it to; NULL: none */
	bool		inverted;		/* see invert.c: a value that fits is kept */
	bool		loose;			/* another row may have one that is better */
	Bitmapset  *from;			/* columns that this follows from in turn */
	GsBounds	bounds;			/* of the column */
	Bitmapset  *columns;		/* that it is about */
	bool		idle;			/* they are all known */
	int64		refused;
} GsRule;

/* A column whose value is, in some rows, that of one which a rule sets. */
typedef struct GsRuleCopy
{
	int			to;				/* places among the rules' columns */
	int			from;
	int			feature;		/* says in which rows, by code 1 */
	bool		idle;			/* no rule sets it, or the column is known */
	bool		flag[GS_BATCH]; /* of the decoded rows */
} GsRuleCopy;

struct GsRules
{
	GsSampler  *sampler;
	const GsModel *model;
	int			nrules;
	GsRule	   *rules;
	int			ncopies;
	GsRuleCopy	   *copies;
	int			ncolumns;		/* that conditions are about, or copied to */
	int		   *column;			/* [ncolumns] */
	GsDecoder **decoder;		/* [ncolumns] */
	const GsRows *known;		/* [columns of the model]; NULL: none is known */
	int			n;				/* rows of a batch that count */
	Datum	   *values;			/* [GS_BATCH][ncolumns] */
	bool	   *nulls;
	TupleTableSlot *slot;		/* a row of the model's columns */
	ExprContext *econtext;
	int			passes;			/* over the rules, until all columns are set */
	GsBatch    *spare;			/* candidates */
	bool	   *refused;		/* [GS_BATCH] of the batch at hand */
	bool	   *beyond;			/* [GS_BATCH] refused for what was set, or found, alone */
	bool		bounded;		/* rows are refused for that */
	bool		strict;			/* and for orders that were found, always */
	Datum	   *moved;			/* [GS_BATCH][ncolumns] values of the rows settled;
								 * NULL: none is (rules_settle.c) */
	bool	   *moved_nulls;
	bool	   *settled;		/* [GS_BATCH] rows that these are of */
	MemoryContext moved_context;
	MemoryContext context;		/* decoded values */
	GsRuleStats stats;
	bool		thorough;		/* all rules are asked, also of refused rows */
	int			at;				/* the rule that is evaluated */
	StringInfoData error;		/* that one raised last ... */
	int			raised_by;		/* ... and which; -1: none yet */
};

static inline bool
gs_rule_is_found(const GsRule *rule)
{
	return rule->constraint->kind == GS_CONSTRAINT_FOUND;
}

/*
 * Whether rows are made again for what was found: an order.
 */
static inline bool
gs_rule_is_order(const GsRule *rule)
{
	return gs_rule_is_found(rule) &&
		rule->constraint->met == GS_MET_REJECTION;
}

/* rules_rows.c */
extern void gs_rules_decode(GsRules *rules, const GsBatch *batch, int from,
							int to);
extern bool gs_rules_show_row(GsRules *rules, int row);

/* rules_settle.c */
extern int	gs_rules_settle_rows(GsRules *rules, const GsBatch *batch,
								 int left);
extern void gs_rules_show_settled(GsRules *rules, int from, int to);

#endif
