/*
 * certain.c
 *	  Conditions that no value of their column fails.
 */
#include "postgres.h"

#include "executor/executor.h"

#include "codec/domain.h"
#include "constraint/certain.h"
#include "constraint/condition.h"
#include "encode/decode.h"

/* What is asked. */
typedef struct Certainty
{
	ExprContext *econtext;
	ExprState  *state;
	int			column;
	Datum	   *values;
	int			n;
	bool		certain;
} Certainty;

static bool
meets(const Certainty *c, Datum value, bool isnull)
{
	TupleTableSlot *slot = c->econtext->ecxt_scantuple;
	bool		met;

	slot->tts_values[c->column] = value;
	slot->tts_isnull[c->column] = isnull;
	met = ExecCheck(c->state, c->econtext);
	ResetExprContext(c->econtext);
	return met;
}

static void
meet_all(void *arg)
{
	Certainty  *c = arg;
	bool		all = true;

	for (int i = 0; i < c->n && all; i++)
		all = meets(c, c->values[i], false);
	c->certain = all && meets(c, (Datum) 0, true);
}

/*
 * gs_condition_is_certain: whether all values that a column can take meet a
 * condition on it alone.
 *
 * state: of expr; econtext: its scan tuple is a row of the schema, virtual and
 * overwritten; c: the column; error: takes the message where a value raises one
 */
bool
gs_condition_is_certain(const GsSchema *schema, const Expr *expr,
						ExprState *state, ExprContext *econtext, int c,
						StringInfo error)
{
	GsDecoder  *decoder = gs_decoder_create(schema, c, InvalidOid);
	Certainty	certainty = {.econtext = econtext,.state = state,.column = c};

	certainty.n = gs_decoder_values(decoder, &certainty.values);
	return certainty.n > 0 && (!gs_decoder_is_number(decoder) ||
							   gs_is_interval((const Node *) expr)) &&
		gs_condition_try(meet_all, &certainty, error) && certainty.certain;
}
