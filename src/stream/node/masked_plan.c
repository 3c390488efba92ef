/*
 * masked_plan.c
 *	  Planning: a custom scan in place of a scan of synth_masked.
 *
 * Conditions on columns that stay as they are go into the query that reads the
 * source, for its indexes to serve, if they consist of nothing but immutable
 * and leakproof functions of pg_catalog: no function of the caller's ever sees
 * a row before it is masked, and none that is called there tells of its
 * arguments in an error.  All others are tested above, on masked rows.
 *
 * Estimates follow from the number of rows and from the conditions, as for any
 * function; statistics of the source's columns are not looked at.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "mask/grant.h"
#include "mask/mask_plan.h"
#include "mask/masked.h"
#include "stream/node/scan.h"

#define NARGS			4
#define MASKING_COST	50		/* times cpu_operator_cost, a row */

static Plan *plan_masked(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
						 List *tlist, List *clauses, List *custom_plans);

static const CustomPathMethods path_methods = {
	.CustomName = "SynthMaskedScan",
	.PlanCustomPath = plan_masked
};

/* What a condition is looked at for. */
typedef struct Looking
{
	Index		relid;
	Bitmapset  *columns;		/* places of columns in it, from 0 */
} Looking;

static bool
is_call(const FuncExpr *call)
{
	char	   *symbol;

	if (call == NULL || !IsA(call, FuncExpr) ||
		list_length(call->args) != NARGS ||
		get_typtype(exprType(linitial(call->args))) != TYPTYPE_COMPOSITE)
		return false;
	symbol = gs_function_symbol(call->funcid);
	return symbol != NULL && strcmp(symbol, "synth_masked") == 0;
}

/*
 * gs_masked_rows: how many rows a call of synth_masked is said to return, or
 * -1 if it is none, or that is not known.
 */
double
gs_masked_rows(const FuncExpr *call)
{
	Oid			relid;

	if (!is_call(call))
		return -1;
	relid = get_typ_typrelid(exprType(linitial(call->args)));
	/* the row type of no table is an error when it is called */
	if (get_rel_relkind(relid) == RELKIND_COMPOSITE_TYPE)
		return -1;
	return gs_mask_estimate_rows(relid);
}

/* Whether a function may see rows that are not masked: if not, returns true. */
static bool
is_unsafe(Oid function, void *context)
{
	return get_func_namespace(function) != PG_CATALOG_NAMESPACE ||
		func_volatile(function) != PROVOLATILE_IMMUTABLE ||
		!get_func_leakproof(function);
}

/* Whether a condition has something that must not go into the source. */
static bool
has_unsafe(Node *node, void *context)
{
	Looking    *looking = context;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
			if (((Var *) node)->varno != looking->relid ||
				((Var *) node)->varlevelsup != 0 ||
				((Var *) node)->varattno <= 0)
				return true;
			looking->columns = bms_add_member(looking->columns,
											  ((Var *) node)->varattno - 1);
			return false;
		case T_Param:
			return ((Param *) node)->paramkind != PARAM_EXTERN &&
				((Param *) node)->paramkind != PARAM_EXEC;
		case T_Const:
			return false;
		case T_OpExpr:
		case T_FuncExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
			if (check_functions_in_node(node, is_unsafe, NULL))
				return true;
			break;
		case T_List:
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_RelabelType:
		case T_ArrayExpr:
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, has_unsafe, context);
}

/*
 * Whether a condition may go into the source, and the columns that it is about.
 */
static bool
may_go_down(Node *condition, Index relid, Bitmapset **columns)
{
	Looking		looking = {.relid = relid};
	bool		may = !has_unsafe(condition, &looking);

	*columns = looking.columns;
	return may && looking.columns != NULL;
}

/*
 * Columns that conditions must stay away from, as a list of places; *known:
 * whether they are known when it is planned.  A call by whoever may not read is
 * planned without.
 */
static Bitmapset *
find_masked(const FuncExpr *funcexpr, bool *known)
{
	NullableDatum args[NARGS] = {{0}};
	GsMaskedCall call;
	Oid			relid = get_typ_typrelid(exprType(linitial(funcexpr->args)));

	*known = false;
	for (int i = 1; i < NARGS; i++)
	{
		Const	   *argument = list_nth(funcexpr->args, i);

		if (!IsA(argument, Const))
			return NULL;
		args[i].value = argument->constvalue;
		args[i].isnull = argument->constisnull;
	}
	gs_masked_call(&call, relid, args);
	if (!call.own && !gs_mask_may_read(relid))
		return NULL;
	*known = true;
	return gs_masked_columns(gs_masked_policy(&call)->columns, relid);
}

/* Adds the column that a condition says a value of, if it does. */
static Bitmapset *
add_equal(Bitmapset *equal, Node *clause, const Bitmapset *columns)
{
	if (IsA(clause, OpExpr) && bms_membership(columns) == BMS_SINGLETON &&
		get_oprrest(((OpExpr *) clause)->opno) == F_EQSEL)
		equal = bms_add_members(equal, columns);
	return equal;
}

/* Whether conditions say which row it is. */
static bool
is_lookup(Oid relid, const Bitmapset *equal)
{
	Relation	relation = table_open(relid, AccessShareLock);
	Bitmapset  *key = RelationGetIndexAttrBitmap(relation,
												 INDEX_ATTR_BITMAP_PRIMARY_KEY);
	bool		all = key != NULL;
	int			at = -1;

	while ((at = bms_next_member(key, at)) >= 0)
		all &= bms_is_member(at + FirstLowInvalidHeapAttributeNumber - 1,
							 equal);
	table_close(relation, AccessShareLock);
	return all;
}

/*
 * Which of the relation's conditions go into the source: RestrictInfos.
 * *lookup: these are a look-up by the primary key.
 */
static List *
find_pushed(RelOptInfo *rel, const FuncExpr *call, bool *lookup)
{
	List	   *pushed = NIL;
	List	   *candidates = NIL;
	Bitmapset  *masked;
	Bitmapset  *columns;
	Bitmapset  *equal = NULL;
	bool		known;
	ListCell   *cell;

	*lookup = false;
	foreach(cell, rel->baserestrictinfo)
	{
		RestrictInfo *info = lfirst_node(RestrictInfo, cell);

		if (!info->pseudoconstant &&
			may_go_down((Node *) info->clause, rel->relid, &columns))
			candidates = lappend(candidates, info);
	}
	if (candidates == NIL)
		return NIL;
	masked = find_masked(call, &known);
	foreach(cell, candidates)
	{
		RestrictInfo *info = lfirst_node(RestrictInfo, cell);

		if (!known || !may_go_down((Node *) info->clause, rel->relid, &columns) ||
			bms_overlap(columns, masked))
			continue;
		pushed = lappend(pushed, info);
		equal = add_equal(equal, (Node *) info->clause, columns);
	}
	*lookup = is_lookup(get_typ_typrelid(exprType(linitial(call->args))),
						equal);
	return pushed;
}

/*
 * gs_masked_add_path: puts a custom scan in the place of a scan of synth_masked.
 * Returns whether it is one.
 */
bool
gs_masked_add_path(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte)
{
	FuncExpr   *call;
	CustomPath *path;
	bool		lookup;
	double		rows;

	if (list_length(rte->functions) != 1)
		return false;
	call = (FuncExpr *) linitial_node(RangeTblFunction,
									  rte->functions)->funcexpr;
	if (!is_call(call))
		return false;
	if (rte->funcordinality || !gs_enable_custom_scan ||
		!bms_is_empty(rel->lateral_relids) ||
		contain_vars_of_level((Node *) call, 0) ||
		contain_subplans((Node *) call) ||
		expression_returns_set((Node *) call->args))
		return true;
	path = makeNode(CustomPath);
	path->custom_private = find_pushed(rel, call, &lookup);
	rows = lookup ? 1 : rel->tuples;
	if (lookup)
		rel->rows = 1;
	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.rows = rel->rows;
	path->path.startup_cost = rel->baserestrictcost.startup +
		rel->reltarget->cost.startup;
	path->path.total_cost = path->path.startup_cost +
		rows * (cpu_tuple_cost + MASKING_COST * cpu_operator_cost +
				rel->baserestrictcost.per_tuple) +
		rel->reltarget->cost.per_tuple * rel->rows;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->methods = &path_methods;
	rel->pathlist = NIL;
	rel->partial_pathlist = NIL;
	add_path(rel, &path->path);
	/* a plan is made anew when labels, and so the policy, have changed */
	root->glob->relationOids =
		lappend_oid(root->glob->relationOids,
					get_typ_typrelid(exprType(linitial(call->args))));
	return true;
}

static Plan *
plan_masked(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist,
			List *clauses, List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);
	RangeTblEntry *rte = planner_rt_fetch(rel->relid, root);
	List	   *pushed = extract_actual_clauses(path->custom_private, false);
	List	   *above = extract_actual_clauses(list_difference_ptr(clauses,
																   path->custom_private),
											   false);

	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = above;
	scan->scan.scanrelid = 0;
	scan->flags = path->flags;
	scan->custom_scan_tlist =
		gs_scan_tlist(root, rel, list_concat_copy(above, pushed));
	scan->custom_relids = bms_make_singleton(rel->relid);
	scan->custom_exprs =
		lcons(copyObject(linitial_node(RangeTblFunction,
									   rte->functions)->funcexpr), pushed);
	scan->methods = &gs_masked_scan_methods;
	return &scan->scan.plan;
}
