/*
 * into.c
 *	  synth_into: fills a table with synthetic rows, in committed batches.
 *
 * Each batch is one INSERT ... SELECT, run as the caller, so privileges,
 * row-level security, triggers and constraints are what they are for anybody
 * who inserts.  A batch and its count in gensynth.fills are committed
 * together, and row i of (model version, seed) is a function of i alone:
 * that is all that a cancelled call needs to be resumed.
 *
 * Where a procedure cannot commit (in a transaction block, in a function, in
 * a block with an exception handler), the same is done in the transaction at
 * hand.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "storage/bufmgr.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "catalog/fills.h"
#include "stream/sampler.h"

#define DEFAULT_BATCH_SIZE	10000
#define MAX_BATCH_SIZE		10000000

/* Arguments of synth_into. */
enum
{
	ARG_TARGET,
	ARG_N,
	ARG_MODEL,
	ARG_SEED,
	ARG_GIVEN,
	ARG_START,
	ARG_BATCH_SIZE,
	ARG_ON_CONFLICT
};

/* A call of synth_into. */
typedef struct IntoCall
{
	GsFill		fill;
	Oid			target;
	const GsModel *model;
	const char *functions;		/* our own schema, quoted */
	int64		batch_size;
	bool		skip_conflicts;
	bool		commits;
	int64		rows;			/* of the batch at hand */
	MemoryContext batch_context;
} IntoCall;

/*
 * The statement that forgets unfinished fills, for hints.
 */
static char *
forget_statement(const IntoCall *call)
{
	return psprintf("DELETE FROM %s.synth_fills WHERE target = %s",
					call->functions, quote_literal_cstr(call->fill.target));
}

static int64
read_batch_size(FunctionCallInfo fcinfo)
{
	int			size = PG_ARGISNULL(ARG_BATCH_SIZE) ? DEFAULT_BATCH_SIZE :
		PG_GETARG_INT32(ARG_BATCH_SIZE);

	if (size < 1 || size > MAX_BATCH_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch_size must be between 1 and %d", MAX_BATCH_SIZE),
				 errhint("It is the number of rows from one commit to the next.")));
	return size;
}

static bool
read_on_conflict(FunctionCallInfo fcinfo)
{
	char	   *action;

	if (PG_ARGISNULL(ARG_ON_CONFLICT))
		return false;
	action = text_to_cstring(PG_GETARG_TEXT_PP(ARG_ON_CONFLICT));
	if (strcmp(action, "error") != 0 && strcmp(action, "nothing") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized on_conflict \"%s\"", action),
				 errhint("Valid values are \"error\" and \"nothing\".")));
	return strcmp(action, "nothing") == 0;
}

/*
 * An error unless rows can be inserted into the relation.
 */
static void
check_target(Oid target)
{
	char		kind = get_rel_relkind(target);

	if (kind == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", target),
				 errhint("It may have been dropped a moment ago.")));
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE &&
		kind != RELKIND_VIEW && kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot fill \"%s\"", get_rel_name(target)),
				 errhint("A target is a table, a foreign table, or a view that takes rows.")));
}

/*
 * What sampling needs to know, checked by those that sample: the typed form
 * takes the same arguments.
 */
static void
read_sampling(FunctionCallInfo fcinfo, IntoCall *call)
{
	const GsFormArgs *at = gs_form_args(GS_FORM_TYPED);
	NullableDatum args[GS_FORM_MAX_ARGS] = {{0}};
	GsSampler  *sampler;
	GsFill	   *fill = &call->fill;

	args[at->n] = fcinfo->args[ARG_N];
	args[at->model] = fcinfo->args[ARG_MODEL];
	args[at->seed] = fcinfo->args[ARG_SEED];
	args[at->given] = fcinfo->args[ARG_GIVEN];
	args[at->start] = fcinfo->args[ARG_START];
	sampler = gs_sampler_open(GS_FORM_TYPED, args, call->target, NULL);
	call->model = sampler->model;
	fill->model = sampler->model->entry->name;
	fill->version = sampler->model->version->version;
	fill->seed = sampler->seed;
	fill->start = sampler->start;
	fill->n = sampler->n;
	fill->given = fcinfo->args[ARG_GIVEN];
	/* the argument may lie where a commit takes it away */
	if (!fill->given.isnull)
		fill->given.value = JsonbPGetDatum(DatumGetJsonbPCopy(fill->given.value));
}

/*
 * Whether the procedure may commit where it was called.
 */
static bool
may_commit(FunctionCallInfo fcinfo)
{
	return fcinfo->context != NULL && IsA(fcinfo->context, CallContext) &&
		!castNode(CallContext, fcinfo->context)->atomic &&
		!IsSubTransaction();
}

static IntoCall *
read_arguments(FunctionCallInfo fcinfo)
{
	IntoCall   *call = palloc0(sizeof(IntoCall));
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	if (PG_ARGISNULL(ARG_TARGET))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target must not be null"),
				 errhint("Pass the table to fill: CALL synth_into('dev.patients', 1e6).")));
	call->target = PG_GETARG_OID(ARG_TARGET);
	check_target(call->target);
	call->functions = quote_identifier(get_namespace_name(schema));
	call->batch_size = read_batch_size(fcinfo);
	call->skip_conflicts = read_on_conflict(fcinfo);
	call->commits = may_commit(fcinfo);
	read_sampling(fcinfo, call);
	/* sessions must not mistake each other's temporary tables */
	call->fill.target = quote_qualified_identifier(get_namespace_name(get_rel_namespace(call->target)),
												   get_rel_name(call->target));
	call->fill.role = GetUserNameFromId(GetUserId(), false);
	call->batch_context = AllocSetContextCreate(CurrentMemoryContext,
												"synth_into batch",
												ALLOCSET_DEFAULT_SIZES);
	return call;
}

/*
 * Opens the target, locked as an INSERT does it until the transaction ends.
 */
static Relation
open_target(const IntoCall *call)
{
	Relation	relation = try_relation_open(call->target, RowExclusiveLock);

	if (relation == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s does not exist any more",
						call->fill.target),
				 errhint("It was dropped while it was filled.")));
	return relation;
}

/*
 * Whether the target is a table without a single page: the batches that were
 * put into it have been truncated, or it is another table by now.  A trigger
 * or a rule may have led them elsewhere.
 */
static bool
lost_rows(const IntoCall *call)
{
	Relation	relation = open_target(call);
	bool		lost = relation->rd_rel->relkind == RELKIND_RELATION &&
		!(relation->trigdesc && relation->trigdesc->trig_insert_before_row) &&
		relation->rd_rules == NULL &&
		RelationGetNumberOfBlocks(relation) == 0;

	relation_close(relation, NoLock);
	return lost;
}

static void
check_version(const IntoCall *call)
{
	const GsFill *fill = &call->fill;
	int			current = gs_fill_current_version(fill);

	if (current == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" was dropped while %s was filled",
						fill->model, fill->target),
				 errhint("The batches before that stay in the table.")));
	if (current != fill->version)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the fill of %s began with version %d of model \"%s\", and its current version is %d",
						fill->target, fill->version, fill->model, current),
				 errhint("To go on, make version %d the current one with synth_use; to start anew, %s.",
						 fill->version, forget_statement(call))));
}

/*
 * Goes on with an unfinished fill that is the same but for its seed, if the
 * caller left that open.  A new one is written down with its first batch, so
 * that a call which fails at once leaves no trace.
 */
static void
resume_fill(IntoCall *call, bool any_seed)
{
	GsFill	   *fill = &call->fill;
	GsFill		old = *fill;

	if (!gs_fill_find(&old, any_seed))
		return;
	if (lost_rows(call))
	{
		ereport(NOTICE,
				(errmsg("starting anew: %s was empty again after %lld of %lld rows",
						fill->target, (long long) old.done,
						(long long) old.n)));
		gs_fill_forget(&old);
		return;
	}
	*fill = old;
	check_version(call);
	ereport(NOTICE,
			(errmsg("resuming after %lld of %lld rows",
					(long long) fill->done, (long long) fill->n),
			 errhint("To start anew instead: %s.", forget_statement(call))));
}

/*
 * Whether a column's default draws a number: identity or nextval().
 */
static bool
draws_number(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, NextValueExpr) ||
		(IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == F_NEXTVAL))
		return true;
	return expression_tree_walker(node, draws_number, context);
}

/*
 * Whether a column of the target is to be filled: the model has it, and the
 * target neither computes nor numbers it.
 */
static bool
is_filled(const IntoCall *call, Relation relation, Form_pg_attribute attribute)
{
	const GsSchema *schema = call->model->schema;
	bool		found = false;

	if (attribute->attisdropped || attribute->attgenerated != '\0')
		return false;
	for (int c = 0; c < schema->ncolumns && !found; c++)
		found = strcmp(schema->columns[c].name,
					   NameStr(attribute->attname)) == 0;
	return found && !draws_number(build_column_default(relation,
													   attribute->attnum),
								  NULL);
}

/*
 * The statement that fills a batch: $1 rows, $2 model, $3 seed, $4 given,
 * $5 start.  Made anew for each batch, since the target may have been
 * renamed or altered after a commit.
 */
static char *
batch_statement(const IntoCall *call)
{
	Relation	relation = open_target(call);
	TupleDesc	desc = RelationGetDescr(relation);
	char	   *target = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
													RelationGetRelationName(relation));
	StringInfoData columns;
	StringInfoData values;

	initStringInfo(&columns);
	initStringInfo(&values);
	for (int i = 0; i < desc->natts; i++)
	{
		const char *name = quote_identifier(NameStr(TupleDescAttr(desc, i)->attname));
		const char *comma = columns.len > 0 ? ", " : "";

		if (!is_filled(call, relation, TupleDescAttr(desc, i)))
			continue;
		appendStringInfo(&columns, "%s%s", comma, name);
		appendStringInfo(&values, "%ss.%s", comma, name);
	}
	relation_close(relation, NoLock);
	if (columns.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("model \"%s\" has no column that could fill %s",
						call->fill.model, target),
				 errhint("Columns are matched by name; identity, serial and generated columns are left to the target.")));
	return psprintf("INSERT INTO %s (%s) SELECT %s"
					" FROM %s.synth_sample(NULL::%s, $1, model => $2,"
					" seed => $3, given => $4, start => $5) AS s%s",
					target, columns.data, values.data, call->functions,
					target,
					call->skip_conflicts ? " ON CONFLICT DO NOTHING" : "");
}

static void
batch_errcontext(void *arg)
{
	const IntoCall *call = arg;
	int64		first = call->fill.start + call->fill.done;

	errcontext("rows %lld to %lld of seed %lld", (long long) first,
			   (long long) (first + call->rows - 1),
			   (long long) call->fill.seed);
}

/*
 * Inserts the rows of the batch at hand, as the caller.
 */
static void
insert_rows(IntoCall *call)
{
	const GsFill *fill = &call->fill;
	Oid			types[] = {FLOAT8OID, TEXTOID, INT8OID, JSONBOID, INT8OID};
	Datum		values[5];
	char		nulls[] = "     ";
	ErrorContextCallback callback = {error_context_stack, batch_errcontext,
	call};
	int			result;

	values[0] = Float8GetDatum((double) call->rows);
	values[1] = CStringGetTextDatum(fill->model);
	values[2] = Int64GetDatum(fill->seed);
	values[3] = fill->given.value;
	if (fill->given.isnull)
		nulls[3] = 'n';
	values[4] = Int64GetDatum(fill->start + fill->done);
	error_context_stack = &callback;
	result = SPI_execute_with_args(batch_statement(call), 5, types, values,
								   nulls, false, 0);
	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
	error_context_stack = callback.previous;
}

/*
 * One batch, from its rows to its commit.
 */
static void
fill_batch(IntoCall *call)
{
	GsFill	   *fill = &call->fill;
	MemoryContext old = MemoryContextSwitchTo(call->batch_context);

	CHECK_FOR_INTERRUPTS();
	call->rows = Min(call->batch_size, fill->n - fill->done);
	insert_rows(call);

	/*
	 * The rows are those of the version that was current a moment ago.
	 * Versions only change, so if it still is the fill's, it was.
	 */
	check_version(call);
	if (!gs_fill_advance(fill, call->rows))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("the fill of %s was taken over or forgotten by another session",
						fill->target),
				 errhint("The batches before that stay in the table. SELECT * FROM %s.synth_fills shows how far it is.",
						 call->functions)));
	if (call->commits)
	{
		SPI_commit();
		/* what is read before the next batch's own snapshot needs one */
		EnsurePortalSnapshotExists();
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(call->batch_context);
}

/*
 * synth_into(target regclass, n float8 = NULL, model text = NULL,
 *	seed bigint = NULL, given jsonb = NULL, start bigint = 1,
 *	batch_size int = 10000, on_conflict text = 'error'): a procedure.
 *
 * Errors: those of gs_sampler_open and of the INSERT; wrong_object_type for
 * what is no table; invalid_parameter_value; datatype_mismatch if no column
 * is left to fill; object_not_in_prerequisite_state if the model's current
 * version changed since the fill began; object_in_use if another session goes
 * on with the same fill.
 */
GS_FUNCTION(synth_into);

Datum
synth_into(PG_FUNCTION_ARGS)
{
	IntoCall   *call;

	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	/* in SPI's context, which outlives commits */
	call = read_arguments(fcinfo);
	resume_fill(call, PG_ARGISNULL(ARG_SEED));
	while (call->fill.done < call->fill.n)
		fill_batch(call);
	SPI_finish();
	PG_RETURN_VOID();
}
