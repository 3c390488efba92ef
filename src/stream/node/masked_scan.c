/*
 * masked_scan.c
 *	  Execution of the custom scan of synth_masked: the source's rows, masked,
 *	  one by one.
 *
 * Whether the caller may read is looked at when the scan begins, and not when
 * it was planned.  The source's query is planned when the first row is fetched,
 * with parameters as constants; it is no part of the plan that EXPLAIN shows.
 */
#include "postgres.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"
#include "utils/typcache.h"

#include "compat.h"
#include "mask/masked.h"
#include "stream/node/scan.h"

#define NARGS	4

typedef struct MaskedScanState
{
	CustomScanState css;
	FuncExpr   *call;
	List	   *args;			/* ExprStates, but for the shape's */
	List	   *conditions;		/* for the source */
	Bitmapset  *params;			/* PARAM_EXEC in both */
	Oid			relid;
	TupleDesc	row_desc;
	bool		whole_row;		/* is asked for */
	TupleTableSlot *locked;		/* a row that EvalPlanQual looks at again */

	/* from the first fetch on */
	MemoryContext context;
	GsMasked   *masked;
} MaskedScanState;

static Node *create_state(CustomScan *scan);
static void begin_scan(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *exec_scan(CustomScanState *node);
static void end_scan(CustomScanState *node);
static void rescan(CustomScanState *node);
static void explain_scan(CustomScanState *node, List *ancestors,
						 ExplainState *es);

CustomScanMethods gs_masked_scan_methods = {
	.CustomName = "SynthMaskedScan",
	.CreateCustomScanState = create_state
};

static const CustomExecMethods exec_methods = {
	.CustomName = "SynthMaskedScan",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = exec_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain_scan
};

static Node *
create_state(CustomScan *scan)
{
	MaskedScanState *state = (MaskedScanState *) newNode(sizeof(MaskedScanState),
														 T_CustomScanState);

	state->css.methods = &exec_methods;
	return (Node *) state;
}

/* Evaluates the arguments, all but the shape. */
static void
read_call(MaskedScanState *state, GsMaskedCall *call)
{
	NullableDatum args[NARGS] = {{0}};
	ExprContext *context = state->css.ss.ps.ps_ExprContext;

	for (int i = 1; i < NARGS; i++)
		args[i].value = ExecEvalExpr((ExprState *) list_nth(state->args, i - 1),
									 context, &args[i].isnull);
	gs_masked_call(call, state->relid, args);
}

static bool
is_constant(const MaskedScanState *state)
{
	for (int i = 1; i < NARGS; i++)
		if (!IsA(list_nth(state->call->args, i), Const))
			return false;
	return true;
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	MaskedScanState *state = (MaskedScanState *) node;
	CustomScan *scan = (CustomScan *) node->ss.ps.plan;
	AclResult	allowed;

	state->call = linitial_node(FuncExpr, scan->custom_exprs);
	state->conditions = list_copy_tail(scan->custom_exprs, 1);
	for (int i = 1; i < NARGS; i++)
		state->args = lappend(state->args,
							  ExecInitExpr(list_nth(state->call->args, i),
										   &node->ss.ps));
	allowed = gs_proc_aclcheck(state->call->funcid, GetUserId(), ACL_EXECUTE);
	if (allowed != ACLCHECK_OK)
		aclcheck_error(allowed, OBJECT_FUNCTION,
					   get_func_name(state->call->funcid));
	InvokeFunctionExecuteHook(state->call->funcid);
	gs_scan_params((Node *) scan->custom_exprs, &state->params);
	state->relid = get_typ_typrelid(exprType(linitial(state->call->args)));
	state->row_desc =
		lookup_rowtype_tupdesc_copy(exprType(linitial(state->call->args)), -1);
	state->whole_row = gs_scan_columns(scan, state->row_desc);
	if (estate->es_epq_active != NULL)
		state->locked = ExecInitExtraTupleSlot(estate, state->row_desc,
											   &TTSOpsVirtual);
	state->context = AllocSetContextCreate(estate->es_query_cxt,
										   "gensynth masked scan",
										   ALLOCSET_DEFAULT_SIZES);
	if (is_constant(state))
	{
		GsMaskedCall call;

		read_call(state, &call);
		gs_masked_check(&call);
	}
}

/* Columns of the relation that the scan's tuples are made of. */
static Bitmapset *
find_needed(const MaskedScanState *state)
{
	CustomScan *scan = (CustomScan *) state->css.ss.ps.plan;
	Bitmapset  *needed = NULL;
	ListCell   *cell;

	foreach(cell, scan->custom_scan_tlist)
	{
		Var		   *var = (Var *) lfirst_node(TargetEntry, cell)->expr;

		if (var->varattno > 0)
			needed = bms_add_member(needed, var->varattno - 1);
	}
	return needed;
}

/* Columns of the scan's tuples as those of the source; parameters as values. */
static Node *
for_source(Node *node, void *context)
{
	MaskedScanState *state = context;
	CustomScan *scan = (CustomScan *) state->css.ss.ps.plan;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		const Var  *var = (Var *) node;
		TargetEntry *entry = list_nth_node(TargetEntry,
										   scan->custom_scan_tlist,
										   var->varattno - 1);
		const Var  *column = (Var *) entry->expr;

		return (Node *) makeVar(1, column->varattno, column->vartype,
								column->vartypmod, column->varcollid, 0);
	}
	if (IsA(node, Param))
	{
		const Param *param = (Param *) node;
		ExprState  *value = ExecInitExpr((Expr *) node, &state->css.ss.ps);
		int16		length;
		bool		byval;
		bool		isnull;
		Datum		datum = ExecEvalExpr(value,
										 state->css.ss.ps.ps_ExprContext,
										 &isnull);

		get_typlenbyval(param->paramtype, &length, &byval);
		return (Node *) makeConst(param->paramtype, param->paramtypmod,
								  param->paramcollid, length, isnull ?
								  (Datum) 0 : datumCopy(datum, byval, length),
								  isnull, byval);
	}
	return expression_tree_mutator(node, for_source, context);
}

static void
open_scan(MaskedScanState *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);
	GsMaskedCall call;
	List	   *conditions;

	read_call(state, &call);
	gs_masked_check(&call);
	conditions = (List *) for_source((Node *) state->conditions, state);
	state->masked = gs_masked_open(&call, state->whole_row,
								   find_needed(state), conditions,
								   state->css.ss.ps.state->es_snapshot);
	MemoryContextSwitchTo(old);
}

static TupleTableSlot *
next_row(ScanState *ss)
{
	MaskedScanState *state = (MaskedScanState *) ss;
	TupleTableSlot *slot = ss->ss_ScanTupleSlot;
	TupleTableSlot *row;
	MemoryContext old;

	if (state->masked == NULL)
		open_scan(state);
	ExecClearTuple(slot);
	row = gs_masked_next(state->masked);
	if (row == NULL)
		return slot;
	old = MemoryContextSwitchTo(ss->ps.ps_ExprContext->ecxt_per_tuple_memory);
	gs_scan_fill((CustomScan *) ss->ps.plan, state->row_desc, slot,
				 row->tts_values, row->tts_isnull);
	MemoryContextSwitchTo(old);
	return ExecStoreVirtualTuple(slot);
}

static bool
recheck_row(ScanState *ss, TupleTableSlot *slot)
{
	MaskedScanState *state = (MaskedScanState *) ss;

	return gs_scan_recheck(ss, slot, state->row_desc, state->locked, next_row);
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	/* a whole row is in memory that ExecScan does not always reset */
	ResetExprContext(node->ss.ps.ps_ExprContext);
	return ExecScan(&node->ss, next_row, recheck_row);
}

static void
close_scan(MaskedScanState *state)
{
	if (state->masked != NULL)
		gs_masked_close(state->masked);
	state->masked = NULL;
	MemoryContextReset(state->context);
}

static void
end_scan(CustomScanState *node)
{
	MaskedScanState *state = (MaskedScanState *) node;

	if (state->context != NULL)
		close_scan(state);
}

static void
rescan(CustomScanState *node)
{
	MaskedScanState *state = (MaskedScanState *) node;

	if (bms_overlap(node->ss.ps.chgParam, state->params))
		close_scan(state);
	else if (state->masked != NULL)
		gs_masked_rescan(state->masked);
	ExecScanReScan(&node->ss);
}

/*
 * What is masked and how, and the conditions that the source tests; nothing of
 * how many rows it has, or which of them meet the conditions.
 */
static void
explain_scan(CustomScanState *node, List *ancestors, ExplainState *es)
{
	MaskedScanState *state = (MaskedScanState *) node;
	GsMaskedCall call;

	ExplainPropertyText("Masked Relation", get_rel_name(state->relid), es);
	if (state->conditions != NIL)
	{
		List	   *context = set_deparse_context_plan(es->deparse_cxt,
													   node->ss.ps.plan,
													   ancestors);

		ExplainPropertyText("Source Condition",
							deparse_expression((Node *) make_ands_explicit(state->conditions),
											   context, es->verbose ||
											   list_length(es->rtable) > 1,
											   false), es);
	}
	if (!is_constant(state))
		return;
	read_call(state, &call);
	ExplainPropertyText("Policy", gs_masked_describe(gs_masked_policy(&call)),
						es);
}
