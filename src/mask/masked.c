/*
 * masked.c
 *	  Rows of a relation, masked while they are read: synth_masked.
 *
 *	source, with the rights of the caller or of the policy's owner
 *		-> masked columns -> what is computed from them
 *
 * The source is a query of its own, with the columns that are needed and the
 * conditions that may be tested there; a policy's is analysed with the owner
 * as the role that reads, as a view's is.  Rows come one by one, and are
 * masked as synth_mask does it in place: the same values under one key.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteDefine.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "catalog/access.h"
#include "compat.h"
#include "mask/grant.h"
#include "mask/mask_plan.h"
#include "mask/masked.h"
#include "mask/masker.h"
#include "mask/rewrite.h"
#include "stream/call.h"

/* Numbers that make values of narrow columns distinct, as far as that goes. */
#define NARROW_DIGITS	6

struct GsMasked
{
	Relation	relation;
	char	   *name;
	GsMaskedPolicy *policy;
	Bitmapset  *read_columns;	/* of the source: places, from 0 */
	bool		masks;			/* something that is needed is masked */
	QueryDesc  *query;
	TupleTableSlot *read;		/* a row of the source, in its places */
	TupleTableSlot *made;
	GsMasker   *masker;
	GsMaskRow  *row;
	GsSynthesis *synthesis;		/* or NULL */
	bool		ended;			/* no row is left to be put into that */
	uint64		counter;
	MemoryContext context;
};

/*
 * gs_masked_hide_error: an error in the place of one that may hold values of
 * rows that the caller must not see.  From a PG_CATCH.
 *
 * Errors about time, memory and other sessions are thrown as they are.
 */
void
gs_masked_hide_error(const char *name)
{
	int			code = geterrcode();

	switch (ERRCODE_TO_CATEGORY(code))
	{
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case MAKE_SQLSTATE('4', '0', '0', '0', '0'):
			PG_RE_THROW();
		default:
			break;
	}
	MemoryContextSwitchTo(TopTransactionContext);
	FlushErrorState();
	ereport(ERROR,
			(errcode(code),
			 errmsg("rows of \"%s\" could not be read", name),
			 errdetail("The error is not shown, for it may hold values."),
			 errhint("Who owns it sees the error when reading it.")));
}

/*
 * gs_masked_check: an error (42501) unless the caller may read what a policy
 * makes of a relation.  What is read as the caller is checked as any query is.
 */
void
gs_masked_check(const GsMaskedCall *call)
{
	if (!call->own)
		gs_mask_check_grant(call->relid);
}

static bool
has_conditions(const GsMasked *masked)
{
	const TupleConstr *constr = RelationGetDescr(masked->relation)->constr;
	ListCell   *cell;

	if (masked->relation->rd_rel->relispartition ||
		(constr != NULL && constr->num_check > 0))
		return true;
	for (int i = 0; i < RelationGetDescr(masked->relation)->natts; i++)
		if (TupleDescAttr(RelationGetDescr(masked->relation),
						  i)->attgenerated != '\0')
			return true;
	foreach(cell, masked->policy->columns)
	{
		AttrNumber	attnum = get_attnum(RelationGetRelid(masked->relation),
										((GsMaskedColumn *) lfirst(cell))->name);
		Oid			type = get_atttype(RelationGetRelid(masked->relation),
									   attnum);

		if (attnum > 0 && getBaseType(type) != type)
			return true;
	}
	return false;
}

/* Adds the places of columns by name. */
static Bitmapset *
add_names(Bitmapset *places, Oid relid, const List *kept)
{
	ListCell   *cell;

	foreach(cell, kept)
	{
		AttrNumber	attnum = get_attnum(relid,
										((GsKeptColumn *) lfirst(cell))->name);

		if (attnum > 0)
			places = bms_add_member(places, attnum - 1);
	}
	return places;
}

/*
 * Which columns are to be read for those that are needed, and which need not
 * be masked.  Where conditions speak of rows as a whole, all are.
 */
static void
find_columns(GsMasked *masked, bool whole, const Bitmapset *needed)
{
	Relation	relation = masked->relation;
	Oid			relid = RelationGetRelid(relation);
	TupleDesc	desc = RelationGetDescr(relation);
	Bitmapset  *changed = gs_masked_columns(masked->policy->columns, relid);
	Bitmapset  *identity;
	bool		kinds = false;
	bool		synthesizes = false;
	ListCell   *cell;

	masked->masks = whole || bms_overlap(needed, changed);
	whole = whole || (masked->masks && has_conditions(masked));
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped &&
			(whole || bms_is_member(i, needed)))
			masked->read_columns = bms_add_member(masked->read_columns, i);
	foreach(cell, masked->policy->columns)
	{
		GsMaskedColumn *column = lfirst(cell);
		AttrNumber	attnum = get_attnum(relid, column->name);

		column->skip = attnum <= 0 ||
			!bms_is_member(attnum - 1, masked->read_columns);
		kinds |= !column->skip && column->rule->action == GS_RULE_KIND;
		synthesizes |= !column->skip &&
			column->rule->action == GS_RULE_SYNTHESIZE;
		if (attnum > 0)
			changed = bms_del_member(changed, attnum - 1);
	}
	if (kinds)
	{
		identity = gs_masker_identity(relation, masked->policy->columns);
		masked->read_columns = bms_add_members(masked->read_columns, identity);
		/* also what is computed: as it was */
		changed = bms_del_members(changed, identity);
		masked->read_columns = add_names(masked->read_columns, relid,
										 masked->policy->kept);
	}
	for (int i = 0; synthesizes && i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			masked->read_columns = bms_add_member(masked->read_columns, i);
	/* what is left is computed from masked ones */
	masked->read_columns = bms_del_members(masked->read_columns, changed);
}

/*
 * Whether conditions are still on columns that stay as they are.
 */
static void
check_conditions(const GsMasked *masked, List *conditions)
{
	Bitmapset  *used = NULL;
	Bitmapset  *changed = gs_masked_columns(masked->policy->columns,
											RelationGetRelid(masked->relation));
	int			at = -1;

	pull_varattnos((Node *) conditions, 1, &used);
	while ((at = bms_next_member(used, at)) >= 0)
		if (bms_is_member(at + FirstLowInvalidHeapAttributeNumber - 1, changed))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the policy of \"%s\" has changed since the query was planned",
							masked->name),
					 errhint("Run or prepare the query again.")));
}

/*
 * SELECT of the columns to be read, with conditions on columns of the first
 * relation.
 */
static Query *
make_query(GsMasked *masked, List *conditions)
{
	ParseState *pstate = make_parsestate(NULL);
	ParseNamespaceItem *item;
	Query	   *query = makeNode(Query);
	RangeTblRef *from = makeNode(RangeTblRef);
	TupleDesc	desc = RelationGetDescr(masked->relation);
	ListCell   *cell;
	int			at = -1;

	item = addRangeTableEntryForRelation(pstate, masked->relation,
										 AccessShareLock, NULL, true, true);
	query->commandType = CMD_SELECT;
	query->querySource = QSRC_ORIGINAL;
	query->canSetTag = true;
	from->rtindex = item->p_rtindex;
	while ((at = bms_next_member(masked->read_columns, at)) >= 0)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, at);
		Var		   *var = makeVar(item->p_rtindex, at + 1, attribute->atttypid,
								  attribute->atttypmod,
								  attribute->attcollation, 0);

		markVarForSelectPriv(pstate, var);
		query->targetList = lappend(query->targetList,
									makeTargetEntry((Expr *) var,
													list_length(query->targetList) + 1,
													pstrdup(NameStr(attribute->attname)),
													false));
	}
	foreach(cell, pull_var_clause((Node *) conditions, 0))
		markVarForSelectPriv(pstate, lfirst(cell));
	query->rtable = pstate->p_rtable;
	gs_take_permissions(query, pstate);
	query->jointree = makeFromExpr(list_make1(from), conditions == NIL ? NULL :
								   (Node *) make_ands_explicit(conditions));
	free_parsestate(pstate);
	if (OidIsValid(masked->policy->reader))
		setRuleCheckAsUser((Node *) query, masked->policy->reader);
	return query;
}

static void
begin_source(GsMasked *masked, List *conditions, Snapshot snapshot)
{
	static const char text[] = "synth_masked";
	List	   *queries = QueryRewrite(make_query(masked, conditions));
	PlannedStmt *plan;

	if (list_length(queries) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("rules of \"%s\" make several queries of one",
						masked->name)));
	plan = gs_planner(linitial_node(Query, queries), text);
	masked->query = CreateQueryDesc(plan, text, snapshot, InvalidSnapshot,
									None_Receiver, NULL, NULL, 0);
	ExecutorStart(masked->query, EXEC_FLAG_REWIND | EXEC_FLAG_SKIP_TRIGGERS);
}

/*
 * Whoever made the table chose what its constraints and generated columns run:
 * never the reader's rights, and no names that the reader chose.
 */
static void
become_owner(const GsMasked *masked, GsAccess *access)
{
	gs_become(access, masked->relation->rd_rel->relowner,
			  SECURITY_RESTRICTED_OPERATION);
}

static void
begin_masking(GsMasked *masked, const GsMaskedCall *call)
{
	GsMaskTable table = {0};
	GsPseudonymKey key;
	GsAccess	access;
	ListCell   *cell;

	gs_masked_key(call, masked->policy, &key);
	foreach(cell, masked->policy->columns)
	{
		GsMaskColumn *column = palloc0(sizeof(GsMaskColumn));
		const GsMaskedColumn *asked = lfirst(cell);

		if (asked->skip)
			continue;
		column->name = pstrdup(asked->name);
		column->rule = asked->rule;
		table.columns = lappend(table.columns, column);
	}
	table.relid = call->relid;
	table.reading = true;
	become_owner(masked, &access);
	masked->masker = gs_masker_begin(masked->relation, masked->policy->table,
									 masked->policy->columns,
									 masked->policy->kept, &key,
									 NARROW_DIGITS, &masked->counter);
	masked->row = gs_mask_row_begin(masked->relation, &table);
	gs_become_caller(&access);
	masked->synthesis = gs_synthesis_begin(masked->relation,
										   masked->policy->table,
										   masked->policy->columns, &key,
										   masked->policy->reader, NULL);
}

/*
 * gs_masked_open: begins to read a relation masked, in the current memory
 * context.
 *
 * whole: all columns are needed.  needed: places of columns from 0 that are;
 * the others may come out as they will.  conditions: on kept columns, Vars of
 * the first relation, without parameters.  Errors: 55000 if a column of theirs
 * is masked by now; those of gs_masked_policy, gs_masked_key and of a query.
 */
GsMasked *
gs_masked_open(const GsMaskedCall *call, bool whole,
			   const Bitmapset *needed, List *conditions, Snapshot snapshot)
{
	GsMasked   *masked;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "gensynth masked",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	TupleDesc	desc;

	gs_masked_check(call);
	masked = palloc0(sizeof(GsMasked));
	masked->context = context;
	masked->policy = gs_masked_policy(call);
	masked->relation = table_open(call->relid, AccessShareLock);
	masked->name = pstrdup(RelationGetRelationName(masked->relation));
	desc = CreateTupleDescCopy(RelationGetDescr(masked->relation));
	masked->read = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	masked->made = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	check_conditions(masked, conditions);
	find_columns(masked, whole, needed);
	begin_source(masked, conditions, snapshot);
	if (masked->masks)
		begin_masking(masked, call);
	MemoryContextSwitchTo(old);
	return masked;
}

static TupleTableSlot *
next_of_source(GsMasked *masked)
{
	EState	   *estate = masked->query->estate;
	MemoryContext old = CurrentMemoryContext;
	TupleTableSlot *volatile slot = NULL;

	ResetPerTupleExprContext(estate);
	MemoryContextSwitchTo(estate->es_query_cxt);
	if (!OidIsValid(masked->policy->reader))
		slot = ExecProcNode(masked->query->planstate);
	else
	{
		PG_TRY();
		{
			slot = ExecProcNode(masked->query->planstate);
		}
		PG_CATCH();
		{
			gs_masked_hide_error(masked->name);
		}
		PG_END_TRY();
	}
	MemoryContextSwitchTo(old);
	return TupIsNull(slot) ? NULL : slot;
}

/* The next row of the source, its columns in their places; or NULL. */
static TupleTableSlot *
read_row(GsMasked *masked)
{
	TupleTableSlot *from = next_of_source(masked);
	TupleTableSlot *to = masked->read;
	int			at = -1;
	int			i = 0;

	ExecClearTuple(to);
	if (from == NULL)
		return NULL;
	slot_getallattrs(from);
	memset(to->tts_isnull, true, to->tts_tupleDescriptor->natts);
	while ((at = bms_next_member(masked->read_columns, at)) >= 0)
	{
		to->tts_values[at] = from->tts_values[i];
		to->tts_isnull[at] = from->tts_isnull[i++];
	}
	return ExecStoreVirtualTuple(to);
}

/* The next row, with what is drawn from a model; or NULL. */
static TupleTableSlot *
synthesize_row(GsMasked *masked)
{
	TupleTableSlot *row;
	GsAccess	access;

	if (masked->synthesis == NULL)
		return read_row(masked);
	row = gs_synthesis_get(masked->synthesis);
	if (row != NULL || masked->ended)
		return row;
	do
	{
		row = read_row(masked);
		masked->ended = row == NULL;
	} while (row != NULL && !gs_synthesis_put(masked->synthesis, row));
	/* values are drawn for domains, whose checks run */
	become_owner(masked, &access);
	gs_synthesis_make(masked->synthesis);
	gs_become_caller(&access);
	return gs_synthesis_get(masked->synthesis);
}

/*
 * gs_masked_next: the next row, with all columns of the relation, valid until
 * the next call; NULL after the last.
 */
TupleTableSlot *
gs_masked_next(GsMasked *masked)
{
	TupleTableSlot *read = synthesize_row(masked);
	ExprContext *context;
	MemoryContext old;
	GsAccess	access;
	bool		runs_code;

	CHECK_FOR_INTERRUPTS();
	if (read == NULL || !masked->masks)
		return read;
	context = gs_mask_row_context(masked->row);
	ResetExprContext(context);
	old = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
	runs_code = gs_mask_row_runs_code(masked->row);
	if (runs_code)
		become_owner(masked, &access);
	gs_mask_row_make(masked->row, masked->masker, read, masked->made);
	if (runs_code)
		gs_become_caller(&access);
	MemoryContextSwitchTo(old);
	return masked->made;
}

/*
 * gs_masked_rescan: begins again with the first row.
 */
void
gs_masked_rescan(GsMasked *masked)
{
	ExecReScan(masked->query->planstate);
	masked->counter = 0;
	masked->ended = false;
	if (masked->synthesis != NULL)
		gs_synthesis_reset(masked->synthesis);
}

/*
 * gs_masked_close: ends the reading.  After an error it need not be called.
 */
void
gs_masked_close(GsMasked *masked)
{
	ExecutorFinish(masked->query);
	ExecutorEnd(masked->query);
	FreeQueryDesc(masked->query);
	if (masked->masks)
	{
		gs_mask_row_end(masked->row);
		gs_masker_end(masked->masker);
	}
	table_close(masked->relation, NoLock);
	MemoryContextDelete(masked->context);
}

static void
close_masked(Datum masked)
{
	gs_masked_close((GsMasked *) DatumGetPointer(masked));
}

/*
 * synth_masked(shape anyelement, columns text[] = NULL, rules jsonb = NULL,
 *	key text = 'default'): see masked.sql.  In FROM, a custom scan takes its
 * place.
 */
GS_FUNCTION(synth_masked);

Datum
synth_masked(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	ExprContext *econtext =
		((ReturnSetInfo *) fcinfo->resultinfo)->econtext;
	GsMasked   *masked;
	TupleTableSlot *slot;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;
		GsMaskedCall call;
		Oid			relid;

		funcctx = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		funcctx->tuple_desc = BlessTupleDesc(gs_shape_desc(fcinfo, &relid));
		gs_masked_call(&call, relid, fcinfo->args);
		masked = gs_masked_open(&call, true, NULL, NIL,
								GetActiveSnapshot());
		funcctx->user_fctx = masked;
		/* who stops early leaves nothing open */
		RegisterExprContextCallback(econtext, close_masked,
									PointerGetDatum(masked));
		MemoryContextSwitchTo(old);
	}
	funcctx = SRF_PERCALL_SETUP();
	masked = funcctx->user_fctx;
	slot = gs_masked_next(masked);
	if (slot == NULL)
	{
		UnregisterExprContextCallback(econtext, close_masked,
									  PointerGetDatum(masked));
		gs_masked_close(masked);
		SRF_RETURN_DONE(funcctx);
	}
	SRF_RETURN_NEXT(funcctx,
					HeapTupleGetDatum(heap_form_tuple(funcctx->tuple_desc,
													  slot->tts_values,
													  slot->tts_isnull)));
}
