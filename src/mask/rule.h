/*
 * rule.h
 *	  Rules of masking: what becomes of a column, as labels and arguments say
 *	  it.
 *
 *		email  phone(locale=de_DE)		a kind of values made anew
 *		keep  null  shuffle
 *		synthesize  synthesize(model)
 *		pseudonym  pseudonym(group)
 *		pattern:AA-9999  constant:x  generalise:month  generalise:10
 */
#ifndef GENSYNTH_RULE_H
#define GENSYNTH_RULE_H

#include "postgres.h"

#include "mask/kinds.h"

typedef enum GsRuleAction
{
	GS_RULE_KEEP,
	GS_RULE_NULL,
	GS_RULE_KIND,
	GS_RULE_SYNTHESIZE,
	GS_RULE_PSEUDONYM,
	GS_RULE_SHUFFLE,
	GS_RULE_PATTERN,
	GS_RULE_CONSTANT,
	GS_RULE_GENERALISE
} GsRuleAction;

typedef struct GsRule
{
	GsRuleAction action;
	const char *text;			/* as it was written */
	const GsKind *kind;			/* of GS_RULE_KIND */
	int			locale;			/* of GS_RULE_KIND; -1: the row's */
	bool		own;			/* of a place: of the table's own rows */
	const char *group;			/* of GS_RULE_PSEUDONYM, or NULL */
	const char *model;			/* of GS_RULE_SYNTHESIZE, or NULL */
	const char *argument;		/* what stands after a colon */
} GsRule;

extern GsRule *gs_rule_parse(const char *text);
extern bool gs_rule_fits(const GsRule *rule, Oid type, int32 typmod,
						 const char **reason);
extern bool gs_rule_is_place(GsKindId kind);
extern bool gs_is_citext(Oid type);
extern bool gs_is_masked_text(Oid type);
extern bool gs_is_pseudonym_type(Oid type, int32 typmod);

#endif
