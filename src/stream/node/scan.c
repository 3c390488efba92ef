/*
 * scan.c
 *	  Execution of the custom scan: a stream in a scan node.
 *
 * Privileges are checked when the scan begins and the model is opened, as the
 * plain function checks them, not when it is planned.  Arguments are
 * evaluated at the first fetch, and again only when a rescan changed them; a
 * rescan otherwise repeats the same rows, even those of a drawn seed.
 *
 * In parallel, processes take chunks of batches from a shared counter.  Since
 * a row is a function of its number, who makes it does not matter.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "port/atomics.h"
#include "storage/spin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "compat.h"
#include "column/store.h"
#include "model/refine.h"
#include "stream/drift.h"
#include "stream/jsonrow.h"
#include "stream/node/rowslot.h"
#include "stream/node/scan.h"

#define CHUNK_BATCHES	16

/* What EXPLAIN ANALYZE tells of a scan. */
typedef struct ScanCounts
{
	int64		batches;
	GsConditionStats given;
	GsRefineStats refine;
	GsRuleStats rules;
} ScanCounts;

/* What the processes of a parallel scan share. */
typedef struct SharedScan
{
	pg_atomic_uint64 next_chunk;
	int64		seed;			/* in place of a NULL one */
	slock_t		mutex;
	ScanCounts	workers;		/* what they have done; under the mutex */
} SharedScan;

typedef struct SynthScanState
{
	CustomScanState css;
	GsForm		form;
	FuncExpr   *call;
	List	   *args;			/* ExprStates, all but a typed form's shape */
	Bitmapset  *params;			/* PARAM_EXEC in the arguments */
	TupleDesc	row_desc;		/* the function's columns */
	bool		whole_row;		/* is asked for too */
	bool		direct;			/* the tuples are the stream's rows */
	bool		explain_only;	/* nothing will be fetched */
	SharedScan *shared;
	ScanCounts	workers;		/* counts of a parallel scan's workers */
	TupleTableSlot *locked;		/* a row that EvalPlanQual looks at again */

	/* from the first fetch on */
	MemoryContext context;
	GsCall	   *request;
	GsStream   *stream;
	TupleDesc	stream_desc;
	GsJsonRow  *json;
} SynthScanState;

static Node *create_state(CustomScan *scan);
static void begin_scan(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *exec_scan(CustomScanState *node);
static void end_scan(CustomScanState *node);
static void rescan(CustomScanState *node);
static Size estimate_dsm(CustomScanState *node, ParallelContext *pcxt);
static void initialize_dsm(CustomScanState *node, ParallelContext *pcxt,
						   void *coordinate);
static void reinitialize_dsm(CustomScanState *node, ParallelContext *pcxt,
							 void *coordinate);
static void initialize_worker(CustomScanState *node, shm_toc *toc,
							  void *coordinate);
static void shutdown_scan(CustomScanState *node);
static void explain_scan(CustomScanState *node, List *ancestors,
						 ExplainState *es);

CustomScanMethods gs_scan_methods = {
	.CustomName = "SynthScan",
	.CreateCustomScanState = create_state
};

static const CustomExecMethods exec_methods = {
	.CustomName = "SynthScan",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = exec_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.EstimateDSMCustomScan = estimate_dsm,
	.InitializeDSMCustomScan = initialize_dsm,
	.ReInitializeDSMCustomScan = reinitialize_dsm,
	.InitializeWorkerCustomScan = initialize_worker,
	.ShutdownCustomScan = shutdown_scan,
	.ExplainCustomScan = explain_scan
};

static Node *
create_state(CustomScan *scan)
{
	SynthScanState *state = (SynthScanState *) newNode(sizeof(SynthScanState),
													   T_CustomScanState);

	state->css.methods = &exec_methods;
	gs_want_scalar(&state->css, gs_rowslot_ops());
	return (Node *) state;
}

static bool
collect_params(Node *node, void *context)
{
	Bitmapset **params = context;

	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		*params = bms_add_member(*params, ((Param *) node)->paramid);
	return expression_tree_walker(node, collect_params, context);
}

/*
 * gs_scan_params: adds the PARAM_EXEC parameters of an expression.
 */
void
gs_scan_params(Node *node, Bitmapset **params)
{
	collect_params(node, params);
}

/*
 * The function's columns.
 */
static TupleDesc
find_row_desc(SynthScanState *state, const CustomScan *scan)
{
	List	   *private = scan->custom_private;
	TupleDesc	desc;

	switch (state->form)
	{
		case GS_FORM_TYPED:
			return lookup_rowtype_tupdesc_copy(exprType(linitial(state->call->args)),
											   -1);
		case GS_FORM_RECORD:
			return BlessTupleDesc(BuildDescFromLists(list_nth(private, GS_PRIVATE_NAMES),
													 list_nth(private, GS_PRIVATE_TYPES),
													 list_nth(private, GS_PRIVATE_TYPMODS),
													 list_nth(private, GS_PRIVATE_COLLATIONS)));
		default:
			desc = CreateTemplateTupleDesc(1);
			TupleDescInitEntry(desc, 1, "synth_sample", JSONBOID, -1, 0);
			gs_desc_finish(desc);
			return BlessTupleDesc(desc);
	}
}

/*
 * gs_scan_columns: whether the whole row is among the columns of a scan.
 *
 * row_desc: the function's columns.  A plan may be older than the row type: it
 * is an error (42804) if its columns are not those any more.
 */
bool
gs_scan_columns(const CustomScan *scan, TupleDesc row_desc)
{
	bool		whole_row = false;
	ListCell   *cell;

	foreach(cell, scan->custom_scan_tlist)
	{
		Var		   *var = (Var *) lfirst_node(TargetEntry, cell)->expr;
		Form_pg_attribute attribute;

		if (var->varattno == 0)
		{
			whole_row = true;
			continue;
		}
		if (var->varattno > row_desc->natts)
			attribute = NULL;
		else
			attribute = TupleDescAttr(row_desc, var->varattno - 1);
		if (attribute == NULL || attribute->attisdropped ||
			attribute->atttypid != var->vartype)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("row type of the sampled columns has changed since the query was planned"),
					 errhint("Run or prepare the query again.")));
	}
	return whole_row;
}

static inline bool
is_json(const SynthScanState *state)
{
	return state->form == GS_FORM_JSON || state->form == GS_FORM_RELATION;
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	SynthScanState *state = (SynthScanState *) node;
	CustomScan *scan = (CustomScan *) node->ss.ps.plan;
	AclResult	allowed;
	ListCell   *cell;

	state->form = intVal(list_nth(scan->custom_private, GS_PRIVATE_FORM));
	state->call = linitial_node(FuncExpr, scan->custom_exprs);
	state->explain_only = (eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0;
	foreach(cell, state->call->args)
		state->args = lappend(state->args,
							  ExecInitExpr(lfirst(cell), &node->ss.ps));
	allowed = gs_proc_aclcheck(state->call->funcid, GetUserId(), ACL_EXECUTE);
	if (allowed != ACLCHECK_OK)
		aclcheck_error(allowed, OBJECT_FUNCTION,
					   get_func_name(state->call->funcid));
	InvokeFunctionExecuteHook(state->call->funcid);
	gs_scan_params((Node *) state->call->args, &state->params);
	state->row_desc = find_row_desc(state, scan);
	state->whole_row = gs_scan_columns(scan, state->row_desc);
	state->direct = !state->whole_row && !is_json(state);
	gs_exchange_slot(estate, node, gs_rowslot_ops());
	if (estate->es_epq_active != NULL)
		state->locked = ExecInitExtraTupleSlot(estate, state->row_desc,
											   &TTSOpsVirtual);
	state->context = AllocSetContextCreate(estate->es_query_cxt,
										   "gensynth scan",
										   ALLOCSET_DEFAULT_SIZES);
}

static void
evaluate_arguments(SynthScanState *state, NullableDatum *args)
{
	int			i = 0;
	ListCell   *cell;

	foreach(cell, state->args)
	{
		args[i].value = (Datum) 0;
		args[i].isnull = true;

		/* of a typed form's first argument only the type counts */
		if (i > 0 || state->form != GS_FORM_TYPED)
			args[i].value = ExecEvalExpr((ExprState *) lfirst(cell),
										 state->css.ss.ps.ps_ExprContext,
										 &args[i].isnull);
		i++;
	}
}

/*
 * The columns that the stream has to decode: those of the scan's tuples, or
 * all of a row that is asked for whole.
 */
static TupleDesc
find_stream_desc(SynthScanState *state)
{
	TupleDesc	scan_desc = state->css.ss.ss_ScanTupleSlot->tts_tupleDescriptor;
	CustomScan *scan = (CustomScan *) state->css.ss.ps.plan;
	TupleDesc	desc;
	ListCell   *cell;
	int			i = 0;

	if (is_json(state) && scan_desc->natts > 0)
		return gs_schema_desc(state->request->sampler->schema);
	if (state->whole_row)
		return state->row_desc;
	desc = CreateTemplateTupleDesc(scan_desc->natts);
	foreach(cell, scan->custom_scan_tlist)
	{
		Var		   *var = (Var *) lfirst_node(TargetEntry, cell)->expr;

		TupleDescCopyEntry(desc, ++i, state->row_desc, var->varattno);
	}
	gs_desc_finish(desc);
	return desc;
}

/*
 * Evaluates the arguments and loads the model.
 */
static void
open_scan(SynthScanState *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);
	NullableDatum args[GS_FORM_MAX_ARGS];
	Oid			relid = InvalidOid;

	evaluate_arguments(state, args);
	if (state->form == GS_FORM_TYPED)
		relid = get_typ_typrelid(exprType(linitial(state->call->args)));
	state->request = gs_call_open(state->form, args, relid,
									 state->shared ? &state->shared->seed :
									 NULL);
	state->stream_desc = find_stream_desc(state);
	if (!is_json(state))
		gs_drift_tell(state->request->model, state->stream_desc,
					  state->row_desc, relid, state->request->own);
	MemoryContextSwitchTo(old);
}

/*
 * Opens the stream; of a plain EXPLAIN, there is none.
 */
static void
open_stream(SynthScanState *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);

	state->stream = gs_stream_open(state->request->sampler, state->stream_desc,
								   state->request->seed);
	state->json = NULL;
	if (is_json(state) && state->stream_desc->natts > 0)
		state->json = gs_jsonrow_create(state->stream_desc);
	if (state->shared == NULL)
		gs_stream_seek(state->stream, state->request->start - 1,
					   state->request->start - 1 + state->request->n);
	MemoryContextSwitchTo(old);
}

/*
 * Goes on to the next chunk of a parallel scan; false after the last.
 */
static bool
next_chunk(SynthScanState *state)
{
	const GsCall *request = state->request;
	int64		first = request->start - 1;
	int64		end = first + request->n;
	int64		batch = first / GS_BATCH;
	uint64		chunk;
	int64		from;

	if (state->shared == NULL)
		return false;
	chunk = pg_atomic_fetch_add_u64(&state->shared->next_chunk, 1);
	if (chunk > (uint64) (PG_INT64_MAX / GS_BATCH / CHUNK_BATCHES))
		return false;
	from = (batch + (int64) chunk * CHUNK_BATCHES);
	if (from > end / GS_BATCH || from * GS_BATCH >= end)
		return false;
	/* the last chunk may reach beyond 2^63 */
	gs_stream_seek(state->stream, Max(first, from * GS_BATCH),
				   (end - 1) / GS_BATCH - from < CHUNK_BATCHES ? end :
				   (from + CHUNK_BATCHES) * GS_BATCH);
	return true;
}

/*
 * A row of the function as a composite Datum.
 */
static Datum
form_whole_row(TupleDesc desc, Datum *values, bool *nulls)
{
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/*
 * gs_scan_fill: puts a row of the function's columns where the scan's tuple
 * has them; a whole row is in the current memory context.
 */
void
gs_scan_fill(const CustomScan *scan, TupleDesc row_desc,
			 TupleTableSlot *slot, Datum *values, bool *nulls)
{
	ListCell   *cell;
	int			i = 0;

	foreach(cell, scan->custom_scan_tlist)
	{
		Var		   *var = (Var *) lfirst_node(TargetEntry, cell)->expr;

		if (var->varattno == 0)
		{
			slot->tts_values[i] = form_whole_row(row_desc, values, nulls);
			slot->tts_isnull[i] = false;
		}
		else
		{
			slot->tts_values[i] = values[var->varattno - 1];
			slot->tts_isnull[i] = nulls[var->varattno - 1];
		}
		i++;
	}
}

/*
 * A row that is not the stream's columns as they are: documents, or with the
 * whole row among them.
 */
static void
make_row(SynthScanState *state, TupleTableSlot *slot, Datum *values,
		 bool *nulls)
{
	const CustomScan *scan = (CustomScan *) state->css.ss.ps.plan;
	ExprContext *econtext = state->css.ss.ps.ps_ExprContext;
	MemoryContext old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);

	if (state->json != NULL)
	{
		Datum		document = gs_jsonrow_form(state->json, values, nulls);
		bool		isnull = false;

		gs_scan_fill(scan, state->row_desc, slot, &document, &isnull);
	}
	else if (slot->tts_tupleDescriptor->natts > 0)
		gs_scan_fill(scan, state->row_desc, slot, values, nulls);
	ExecStoreVirtualTuple(slot);
	MemoryContextSwitchTo(old);
}

static TupleTableSlot *
next_row(ScanState *ss)
{
	SynthScanState *state = (SynthScanState *) ss;
	TupleTableSlot *slot = ss->ss_ScanTupleSlot;
	Datum	   *values;
	bool	   *nulls;

	if (state->stream == NULL)
	{
		open_scan(state);
		open_stream(state);
	}
	if (state->direct)
	{
		while (!gs_rowslot_next(slot, state->stream))
			if (!next_chunk(state))
				return ExecClearTuple(slot);
		return slot;
	}
	ExecClearTuple(slot);
	while (!gs_stream_next(state->stream, &values, &nulls))
		if (!next_chunk(state))
			return slot;
	make_row(state, slot, values, nulls);
	return slot;
}

/*
 * gs_scan_recheck: EvalPlanQual: the tuple to be looked at again is the one
 * that was locked for, handed on as a whole row.  A scan that takes no part in
 * the locking, such as one in a subplan, runs as ever.
 *
 * locked: a slot of row_desc.  next: what the scan's own rows come from.
 */
bool
gs_scan_recheck(ScanState *ss, TupleTableSlot *slot, TupleDesc row_desc,
				TupleTableSlot *locked, ExecScanAccessMtd next)
{
	const CustomScan *scan = (CustomScan *) ss->ps.plan;
	Index		rti = bms_next_member(scan->custom_relids, -1);
	EPQState   *epq = ss->ps.state->es_epq_active;
	TupleTableSlot *row;
	MemoryContext old;

	ExecClearTuple(slot);
	if (epq->relsubs_done[rti - 1])
		return false;
	if (epq->relsubs_slot[rti - 1] == NULL &&
		epq->relsubs_rowmark[rti - 1] == NULL)
		return !TupIsNull(next(ss));
	epq->relsubs_done[rti - 1] = true;
	if (epq->relsubs_slot[rti - 1] != NULL)
		row = epq->relsubs_slot[rti - 1];
	else
	{
		row = locked;
		if (!EvalPlanQualFetchRowMark(epq, rti, row))
			return false;
	}
	if (TupIsNull(row))
		return false;
	slot_getallattrs(row);
	old = MemoryContextSwitchTo(ss->ps.ps_ExprContext->ecxt_per_tuple_memory);
	gs_scan_fill(scan, row_desc, slot, row->tts_values, row->tts_isnull);
	MemoryContextSwitchTo(old);
	ExecStoreVirtualTuple(slot);
	return true;
}

static bool
recheck_row(ScanState *ss, TupleTableSlot *slot)
{
	SynthScanState *state = (SynthScanState *) ss;

	return gs_scan_recheck(ss, slot, state->row_desc, state->locked, next_row);
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	SynthScanState *state = (SynthScanState *) node;

	/* nothing that ExecScan would see to */
	if (node->ss.ps.qual == NULL && node->ss.ps.ps_ProjInfo == NULL &&
		node->ss.ps.state->es_epq_active == NULL)
	{
		/* a row of the stream takes no memory */
		if (!state->direct)
			ResetExprContext(node->ss.ps.ps_ExprContext);
		return next_row(&node->ss);
	}
	return ExecScan(&node->ss, next_row, recheck_row);
}

static void
close_scan(SynthScanState *state)
{
	state->request = NULL;
	state->stream = NULL;
	MemoryContextReset(state->context);
}

static void
end_scan(CustomScanState *node)
{
	SynthScanState *state = (SynthScanState *) node;

	if (state->context)
		MemoryContextDelete(state->context);
}

static void
rescan(CustomScanState *node)
{
	SynthScanState *state = (SynthScanState *) node;

	if (bms_overlap(node->ss.ps.chgParam, state->params))
		close_scan(state);
	else if (state->stream != NULL)
	{
		int64		first = state->request->start - 1;

		/* a parallel scan begins with a new chunk */
		gs_stream_seek(state->stream, first,
					   state->shared ? first : first + state->request->n);
	}
	ExecScanReScan(&node->ss);
}

static Size
estimate_dsm(CustomScanState *node, ParallelContext *pcxt)
{
	return sizeof(SharedScan);
}

static void
initialize_dsm(CustomScanState *node, ParallelContext *pcxt, void *coordinate)
{
	SynthScanState *state = (SynthScanState *) node;

	state->shared = coordinate;
	pg_atomic_init_u64(&state->shared->next_chunk, 0);
	SpinLockInit(&state->shared->mutex);
	memset(&state->shared->workers, 0, sizeof(ScanCounts));
	state->shared->seed = gs_random_seed();
}

static void
reinitialize_dsm(CustomScanState *node, ParallelContext *pcxt,
				 void *coordinate)
{
	pg_atomic_write_u64(&((SharedScan *) coordinate)->next_chunk, 0);
}

static void
initialize_worker(CustomScanState *node, shm_toc *toc, void *coordinate)
{
	((SynthScanState *) node)->shared = coordinate;
}

static ScanCounts
own_counts(const SynthScanState *state)
{
	ScanCounts	counts = {0};
	const GsSampler *sampler;

	if (state->stream == NULL)
		return counts;
	sampler = state->request->sampler;
	counts.batches = gs_stream_batches(state->stream);
	if (sampler->given != NULL)
		counts.given = sampler->given->stats;
	if (sampler->refining != NULL)
		counts.refine = sampler->refining->stats;
	if (gs_stream_rules(state->stream) != NULL)
		counts.rules = gs_rules_stats(gs_stream_rules(state->stream));
	return counts;
}

static void
add_counts(ScanCounts *to, const ScanCounts *counts)
{
	to->batches += counts->batches;
	to->given.rows += counts->given.rows;
	to->given.tries += counts->given.tries;
	to->given.resampled += counts->given.resampled;
	to->given.weight += counts->given.weight;
	to->given.squared += counts->given.squared;
	to->refine.rows += counts->refine.rows;
	to->refine.tries += counts->refine.tries;
	to->rules.rows += counts->rules.rows;
	to->rules.tries += counts->rules.tries;
}

/*
 * Before the shared memory goes: workers leave their counts in it, and the
 * leader, who is shut down after them, takes them along.
 */
static void
shutdown_scan(CustomScanState *node)
{
	SynthScanState *state = (SynthScanState *) node;
	SharedScan *shared = state->shared;
	ScanCounts	counts = own_counts(state);

	if (shared == NULL)
		return;
	SpinLockAcquire(&shared->mutex);
	if (IsParallelWorker())
		add_counts(&shared->workers, &counts);
	else
		state->workers = shared->workers;
	SpinLockRelease(&shared->mutex);
}

/*
 * How well rows are told from real ones before and after refinement, from the
 * fit; and what share of them it has accepted.
 */
static void
explain_refinement(const GsRefine *refine, GsRefineStats stats,
				   ExplainState *es)
{
	ExplainPropertyInteger("Refinement Rounds", NULL, refine->nrounds, es);
	ExplainPropertyFloat("AUC Before Refinement", NULL,
						 refine->round[0].before, 3, es);
	ExplainPropertyFloat("AUC After Refinement", NULL,
						 refine->round[refine->nrounds - 1].after, 3, es);
	if (es->analyze)
		ExplainPropertyFloat("Refinement Acceptance", NULL, stats.tries > 0 ?
							 (double) stats.rows / stats.tries : 1, 3, es);
}

/*
 * How conditions were met.  Proposals of unequal weights are worth as many
 * equal ones as the effective sample size says (Kish, "Survey Sampling", 1965).
 */
static void
explain_given(GsConditionStats stats, ExplainState *es)
{
	ExplainPropertyFloat("Acceptance", NULL, stats.tries > 0 ?
						 (double) stats.rows / stats.tries : 1, 3, es);
	ExplainPropertyFloat("Effective Sample Size", NULL, stats.squared > 0 ?
						 stats.weight * stats.weight / stats.squared :
						 stats.tries, 0, es);
	ExplainPropertyInteger("Resampled Rows", NULL, stats.resampled, es);
}

/*
 * Model, version and method are shown as soon as the arguments are known: of
 * a plain EXPLAIN, if they are constants.
 */
static void
explain_scan(CustomScanState *node, List *ancestors, ExplainState *es)
{
	SynthScanState *state = (SynthScanState *) node;
	bool		constant = true;
	ScanCounts	counts;
	ListCell   *cell;

	foreach(cell, state->call->args)
		constant &= IsA(lfirst(cell), Const);
	if (state->request == NULL && constant && state->explain_only)
		open_scan(state);
	if (state->request == NULL)
		return;
	ExplainPropertyText("Model", state->request->model->name, es);
	ExplainPropertyInteger("Version", NULL,
						   state->request->model->version->version, es);
	ExplainPropertyText("Method", state->request->model->family->name, es);
	ExplainPropertyInteger("Synthetic Rows", NULL, state->request->n, es);
	if (state->request->given != NULL)
		ExplainPropertyText("Given", state->request->given, es);
	ExplainPropertyInteger("Columns Decoded", NULL,
						   state->stream_desc->natts, es);
	counts = own_counts(state);
	add_counts(&counts, &state->workers);
	if (state->request->model->refine != NULL)
		explain_refinement(state->request->model->refine, counts.refine, es);
	if (!es->analyze)
		return;
	ExplainPropertyInteger("Batches", NULL, counts.batches, es);
	if (gs_stream_rules(state->stream) != NULL)
		ExplainPropertyFloat("Constraint Acceptance", NULL,
							 counts.rules.tries > 0 ?
							 (double) counts.rules.rows / counts.rules.tries :
							 1, 3, es);
	if (state->request->sampler->given != NULL)
		explain_given(counts.given, es);
}
