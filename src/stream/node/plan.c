/*
 * plan.c
 *	  Planning: a custom scan in place of a scan of a sampling function.
 *
 * PostgreSQL collects the whole result of a function in FROM before the first
 * row leaves, even under a LIMIT.  So set_rel_pathlist_hook puts a custom scan
 * in, which streams.  No preload is needed: the sampling functions have a
 * planner support function, the planner calls it for the row estimate, and
 * calling it loads this library, which installs the hook, before the hook is
 * consulted for that same relation.
 *
 * The support function also tells which functions are ours: those whose
 * prosupport is the OID that it was called by.  Only a superuser can set that.
 *
 * What the scan cannot do (LATERAL arguments, WITH ORDINALITY, ROWS FROM,
 * arguments with subplans) is left to the plain function: the same rows.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "codec/domain.h"
#include "stream/node/scan.h"

/* Below this many rows, workers cost more than they save. */
#define PARALLEL_ROWS	1e5

/* gensynth.enable_custom_scan */
bool		gs_enable_custom_scan = true;

static Oid	support_function = InvalidOid;
static set_rel_pathlist_hook_type previous_hook = NULL;

static Plan *plan_scan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
					   List *tlist, List *clauses, List *custom_plans);

static const CustomPathMethods path_methods = {
	.CustomName = "SynthScan",
	.PlanCustomPath = plan_scan
};

/*
 * synth_support: the planner support function of all sampling functions.
 *
 * Answers SupportRequestRows with the argument n, where it is known.
 */
GS_FUNCTION(synth_support);

Datum
synth_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	support_function = fcinfo->flinfo->fn_oid;
	if (request != NULL && IsA(request, SupportRequestRows))
	{
		SupportRequestRows *rows = (SupportRequestRows *) request;

		if (rows->node != NULL && IsA(rows->node, FuncExpr) &&
			gs_masked_rows((FuncExpr *) rows->node) >= 0)
		{
			rows->rows = gs_masked_rows((FuncExpr *) rows->node);
			PG_RETURN_POINTER(request);
		}
		if (rows->node != NULL && IsA(rows->node, FuncExpr) &&
			list_length(((FuncExpr *) rows->node)->args) >= 2)
		{
			/* n is the second argument of every form */
			Node	   *n = estimate_expression_value(rows->root,
													  lsecond(((FuncExpr *) rows->node)->args));

			if (IsA(n, Const) && !((Const *) n)->constisnull &&
				((Const *) n)->consttype == FLOAT8OID)
			{
				rows->rows = DatumGetFloat8(((Const *) n)->constvalue);
				if (rows->rows >= 0 && isfinite(rows->rows))
					PG_RETURN_POINTER(request);
			}
		}
	}
	PG_RETURN_POINTER(NULL);
}

/*
 * gs_function_symbol: the C symbol of a function that is one of ours, or NULL.
 */
char *
gs_function_symbol(Oid function)
{
	HeapTuple	tuple;
	Datum		symbol;
	bool		isnull;
	char	   *name = NULL;

	if (!OidIsValid(support_function))
		return NULL;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return NULL;
	symbol = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
	if (((Form_pg_proc) GETSTRUCT(tuple))->prosupport == support_function &&
		!isnull)
		name = TextDatumGetCString(symbol);
	ReleaseSysCache(tuple);
	return name;
}

/*
 * Whether a function is one that samples, and its form.
 */
static bool
form_of(Oid function, GsForm *form)
{
	static const char *const symbols[] = {
		[GS_FORM_JSON] = "synth_sample_json",
		[GS_FORM_RELATION] = "synth_sample_relation",
		[GS_FORM_TYPED] = "synth_sample_typed",
		[GS_FORM_RECORD] = "synth_rows"
	};
	char	   *name = gs_function_symbol(function);

	for (int i = 0; i < lengthof(symbols) && name != NULL; i++)
	{
		*form = i;
		if (strcmp(symbols[i], name) == 0)
			return true;
	}
	return false;
}

/*
 * A call without a seed draws one; only within one process, or through the
 * memory of a parallel scan, is it the same for all.
 */
static bool
seed_is_given(const FuncExpr *call, GsForm form)
{
	const GsFormArgs *at = gs_form_args(form);
	Node	   *seed = list_nth(call->args, at->seed);

	return IsA(seed, Const) && !((Const *) seed)->constisnull;
}

/*
 * Whether to make a value of a type from its text, or from its parts, calls
 * nothing that must stay out of workers.
 */
static bool
is_made_in_workers(Oid type)
{
	Oid			element = get_element_type(type);
	Oid			input;
	Oid			ioparam;

	if (OidIsValid(element))
		return is_made_in_workers(element);
	switch (get_typtype(type))
	{
		case TYPTYPE_DOMAIN:
			/* as for CoerceToDomain: its CHECKs may change after planning */
			return !gs_domain_has_checks(type) &&
				is_made_in_workers(getBaseType(type));
		case TYPTYPE_COMPOSITE:
			return false;		/* any of its columns may be of a domain */
		default:
			getTypeInputInfo(type, &input, &ioparam);
			return func_parallel(input) == PROPARALLEL_SAFE;
	}
}

/*
 * Whether some of the types has a cast to it that must stay out of workers:
 * what type the model has the column of is not known yet.
 */
static bool
has_unsafe_cast(const List *types)
{
	Relation	casts = table_open(CastRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(casts, InvalidOid, false, NULL, 0,
										  NULL);
	HeapTuple	tuple;
	bool		unsafe = false;

	while (!unsafe && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_cast cast = (Form_pg_cast) GETSTRUCT(tuple);

		unsafe = OidIsValid(cast->castfunc) &&
			list_member_oid(types, cast->casttarget) &&
			func_parallel(cast->castfunc) != PROPARALLEL_SAFE;
	}
	systable_endscan(scan);
	table_close(casts, AccessShareLock);
	return unsafe;
}

/*
 * Whether values of the types that a call asks for can be made in workers: a
 * document's can.
 */
static bool
columns_are_parallel_safe(const FuncExpr *call, GsForm form,
						  const RangeTblFunction *function)
{
	List	   *types = NIL;
	ListCell   *cell;

	if (form == GS_FORM_RECORD)
		types = list_copy(function->funccoltypes);
	else if (form == GS_FORM_TYPED &&
			 get_typtype(exprType(linitial(call->args))) == TYPTYPE_COMPOSITE)
	{
		TupleDesc	desc = lookup_rowtype_tupdesc(exprType(linitial(call->args)),
												  -1);

		for (int i = 0; i < desc->natts; i++)
			if (!TupleDescAttr(desc, i)->attisdropped)
				types = lappend_oid(types, TupleDescAttr(desc, i)->atttypid);
		ReleaseTupleDesc(desc);
	}
	foreach(cell, types)
	{
		Oid			type = lfirst_oid(cell);
		int32		typmod = -1;

		if (!is_made_in_workers(type))
			return false;
		/* a cast to a domain goes by its base type; to an array by elements */
		lfirst_oid(cell) = gs_plain_type(type, &typmod);
		type = get_element_type(lfirst_oid(cell));
		if (OidIsValid(type))
			types = lappend_oid(types, type);
	}
	return !has_unsafe_cast(types);
}

/*
 * Whether some function in FROM is a sampling function that draws its seed,
 * or whose arguments are volatile, so that two processes would not agree on
 * its rows; or one whose rows cannot be made in workers.
 */
static bool
stays_in_leader(const RangeTblEntry *rte)
{
	ListCell   *cell;

	foreach(cell, rte->functions)
	{
		RangeTblFunction *function = lfirst_node(RangeTblFunction, cell);
		FuncExpr   *call = (FuncExpr *) function->funcexpr;
		GsForm		form;

		if (call != NULL && IsA(call, FuncExpr) &&
			form_of(call->funcid, &form) &&
			list_length(call->args) == gs_form_args(form)->nargs &&
			(!seed_is_given(call, form) ||
			 contain_volatile_functions((Node *) call->args) ||
			 !columns_are_parallel_safe(call, form, function)))
			return true;
	}
	return false;
}

static Cost
scan_cost(const RelOptInfo *rel)
{
	int			width = list_length(rel->reltarget->exprs);

	return rel->rows * (cpu_tuple_cost + cpu_operator_cost * width +
						rel->baserestrictcost.per_tuple);
}

static CustomPath *
make_path(RelOptInfo *rel, GsForm form, int workers)
{
	CustomPath *path = makeNode(CustomPath);
	double		share = 1;

	/* as cost_seqscan has it: the leader helps while its workers are few */
	if (workers > 0)
		share = workers + Max(0, 1 - 0.3 * workers);
	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.parallel_aware = workers > 0;
	path->path.parallel_workers = workers;
	path->path.rows = clamp_row_est(rel->rows / share);
	path->path.startup_cost = rel->baserestrictcost.startup +
		rel->reltarget->cost.startup;
	path->path.total_cost = path->path.startup_cost + scan_cost(rel) / share +
		rel->reltarget->cost.per_tuple * path->path.rows;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_private = list_make1(makeInteger(form));
	path->methods = &path_methods;
	return path;
}

/*
 * Workers for a number of rows: one from PARALLEL_ROWS on, and one more for
 * every threefold, as core has it for table scans.
 */
static int
choose_workers(const RelOptInfo *rel)
{
	int			workers = 0;

	for (double rows = PARALLEL_ROWS; rows <= rel->rows && workers < 16;
		 rows *= 3)
		workers++;
	return Min(workers, max_parallel_workers_per_gather);
}

/*
 * The call, if it is one that the scan can do.
 */
static FuncExpr *
find_call(const RelOptInfo *rel, const RangeTblEntry *rte, GsForm *form)
{
	FuncExpr   *call;

	if (rte->rtekind != RTE_FUNCTION || list_length(rte->functions) != 1 ||
		rte->funcordinality)
		return NULL;
	call = (FuncExpr *) linitial_node(RangeTblFunction,
									  rte->functions)->funcexpr;
	if (call == NULL || !IsA(call, FuncExpr) ||
		!form_of(call->funcid, form) ||
		list_length(call->args) != gs_form_args(*form)->nargs ||
		!bms_is_empty(rel->lateral_relids) ||
		contain_vars_of_level((Node *) call, 0) ||
		contain_subplans((Node *) call) ||
		expression_returns_set((Node *) call->args))
		return NULL;
	return call;
}

static void
add_scan(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	FuncExpr   *call;
	GsForm		form;
	bool		parallel;
	ListCell   *cell;

	if (previous_hook)
		previous_hook(root, rel, rti, rte);
	if (rte->rtekind != RTE_FUNCTION)
		return;
	if (gs_masked_add_path(root, rel, rte))
		return;
	parallel = rel->consider_parallel && !stays_in_leader(rte);
	foreach(cell, rel->pathlist)
		((Path *) lfirst(cell))->parallel_safe &= parallel;
	call = find_call(rel, rte, &form);
	if (call == NULL)
		return;
	if (!gs_enable_custom_scan ||
		(form == GS_FORM_TYPED &&
		 get_typtype(exprType(linitial(call->args))) != TYPTYPE_COMPOSITE))
		return;
	rel->pathlist = NIL;
	rel->partial_pathlist = NIL;
	{
		CustomPath *path = make_path(rel, form, 0);

		path->path.parallel_safe = parallel;
		add_path(rel, &path->path);
	}
	if (rel->consider_parallel && choose_workers(rel) > 0 &&
		!contain_volatile_functions((Node *) call->args) &&
		columns_are_parallel_safe(call, form,
								  linitial_node(RangeTblFunction,
												rte->functions)))
	{
		CustomPath *path = make_path(rel, form, choose_workers(rel));

		path->path.parallel_safe = true;
		add_partial_path(rel, &path->path);
	}
}

/*
 * gs_scan_tlist: a Var for each column that the query uses, and of the whole
 * row if it uses that: the layout of the scan's tuples.
 */
List *
gs_scan_tlist(PlannerInfo *root, RelOptInfo *rel, List *clauses)
{
	List	   *vars = pull_var_clause((Node *) rel->reltarget->exprs,
									   PVC_RECURSE_PLACEHOLDERS |
									   PVC_RECURSE_AGGREGATES |
									   PVC_RECURSE_WINDOWFUNCS);
	List	   *tlist = NIL;
	ListCell   *cell;

	vars = list_concat(vars, pull_var_clause((Node *) clauses,
											 PVC_RECURSE_PLACEHOLDERS |
											 PVC_RECURSE_AGGREGATES |
											 PVC_RECURSE_WINDOWFUNCS));
	foreach(cell, vars)
	{
		Var		   *var = lfirst_node(Var, cell);
		ListCell   *other;
		bool		found = false;

		if (var->varno != rel->relid || var->varlevelsup != 0)
			continue;
		foreach(other, tlist)
			found |= ((Var *) lfirst_node(TargetEntry, other)->expr)->varattno ==
				var->varattno;
		if (!found)
			tlist = lappend(tlist, makeTargetEntry((Expr *) copyObject(var),
												   list_length(tlist) + 1,
												   NULL, false));
	}
	return tlist;
}

static Plan *
plan_scan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist,
		  List *clauses, List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);
	RangeTblEntry *rte = planner_rt_fetch(rel->relid, root);
	RangeTblFunction *function = linitial_node(RangeTblFunction,
											   rte->functions);

	clauses = extract_actual_clauses(clauses, false);
	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = clauses;
	scan->scan.scanrelid = 0;
	scan->flags = path->flags;
	scan->custom_scan_tlist = gs_scan_tlist(root, rel, clauses);
	scan->custom_relids = bms_make_singleton(rel->relid);

	/* the whole call, so that plans depend on the function */
	scan->custom_exprs = list_make1(copyObject(function->funcexpr));
	scan->custom_private = list_make5(linitial(path->custom_private),
									  copyObject(function->funccolnames),
									  list_copy(function->funccoltypes),
									  list_copy(function->funccoltypmods),
									  list_copy(function->funccolcollations));
	scan->methods = &gs_scan_methods;
	return &scan->scan.plan;
}

/*
 * gs_plan_init: installs the hook and the setting; from _PG_init.
 */
void
gs_plan_init(void)
{
	DefineCustomBoolVariable("gensynth.enable_custom_scan",
							 "Streams synthetic rows out of a custom scan.",
							 "Turned off, the sampling functions are scanned as any other function: the same rows, all of them before the first.",
							 &gs_enable_custom_scan, true, PGC_USERSET,
							 GUC_EXPLAIN, NULL, NULL, NULL);
	MarkGUCPrefixReserved("gensynth");
	RegisterCustomScanMethods(&gs_scan_methods);
	RegisterCustomScanMethods(&gs_masked_scan_methods);
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = add_scan;
}
