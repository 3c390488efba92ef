/*
 * into.c
 *	  synth_into: fills a table with synthetic rows, in committed batches.
 *
 * Rows of a stream are given their foreign keys (foreign_keys.c), those that
 * fail what the table says (target.c) are left out, and the rest goes into it
 * by an INSERT that is run as the caller, so privileges, row-level security,
 * triggers and constraints are what they are for anybody who inserts.  Rows
 * that collide with others are made up for by further ones.  A batch and its
 * counts in gensynth.fills are committed together, and row i of (model
 * version, seed) is a function of i alone: that is all that a cancelled call
 * needs to be resumed.
 *
 * Where a procedure cannot commit (in a transaction block, in a function, in
 * a block with an exception handler), the same is done in the transaction at
 * hand.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "stream/call.h"
#include "stream/deferred.h"
#include "stream/into_call.h"
#include "worker/progress.h"

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
	ARG_ON_CONFLICT,
	ARG_START_AFTER				/* which a call of 0.1 has not */
};

/* Rows that may be made in vain for each one that a batch wants, and more. */
#define MAX_VAIN		100
#define MAX_VAIN_MORE	1000
/* Rows of these after which an epoch ends: see shift.c and grid.c. */
#define TRIES_EPOCH		3

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
read_sampling(FunctionCallInfo fcinfo, GsInto *call)
{
	const GsFormArgs *at = gs_form_args(GS_FORM_TYPED);
	NullableDatum args[GS_FORM_MAX_ARGS] = {{0}};
	GsCall	   *sampling;
	GsFill	   *fill = &call->fill;

	args[at->n] = fcinfo->args[ARG_N];
	args[at->model] = fcinfo->args[ARG_MODEL];
	args[at->seed] = fcinfo->args[ARG_SEED];
	args[at->given].isnull = true;
	args[at->start] = fcinfo->args[ARG_START];
	sampling = gs_call_open(GS_FORM_TYPED, args, call->relid, NULL);
	/* of rows that have owners, conditions say whose are made */
	if (!fcinfo->args[ARG_GIVEN].isnull &&
		sampling->model->version->owners == NULL)
		sampling->sampler = gs_sampler_begin(sampling->model,
											 DatumGetJsonbP(fcinfo->args[ARG_GIVEN].value),
											 NULL);
	call->sampler = sampling->sampler;
	fill->model = sampling->model->name;
	fill->model_id = sampling->model->id;
	fill->version = sampling->model->version->version;
	fill->seed = sampling->seed;
	fill->start = sampling->start;
	call->any_n = fcinfo->args[ARG_N].isnull;
	fill->n = call->any_n ?
		gs_foreign_keys_rows(call->relid, sampling->sampler, sampling->n) :
		sampling->n;
	fill->given = fcinfo->args[ARG_GIVEN];
	/* the argument may lie where a commit takes it away */
	if (!fill->given.isnull)
		fill->given.value = JsonbPGetDatum(DatumGetJsonbPCopy(fill->given.value));
}

static GsInto *
read_arguments(FunctionCallInfo fcinfo)
{
	GsInto   *call = palloc0(sizeof(GsInto));
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	if (PG_ARGISNULL(ARG_TARGET))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target must not be null"),
				 errhint("Pass the table to fill: CALL synth_into('dev.patients', 1e6).")));
	call->relid = PG_GETARG_OID(ARG_TARGET);
	check_target(call->relid);
	call->functions = quote_identifier(get_namespace_name(schema));
	call->batch_size = read_batch_size(fcinfo);
	call->skip_conflicts = read_on_conflict(fcinfo);
	read_sampling(fcinfo, call);
	call->after = fcinfo->nargs > ARG_START_AFTER &&
		!PG_ARGISNULL(ARG_START_AFTER) && PG_GETARG_BOOL(ARG_START_AFTER);
	if (call->after && call->fill.start != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("start_after does not go with start"),
				 errhint("Rows go on after those that the target has, all of them.")));
	/* halves of a fill would be what its other half goes on after */
	call->commits = !call->after && gs_may_commit(fcinfo);
	/* sessions must not mistake each other's temporary tables */
	call->fill.target = quote_qualified_identifier(get_namespace_name(get_rel_namespace(call->relid)),
												   get_rel_name(call->relid));
	call->fill.role = GetUserNameFromId(GetUserId(), false);
	call->context = CurrentMemoryContext;
	call->batch_context = AllocSetContextCreate(CurrentMemoryContext,
												"synth_into batch",
												ALLOCSET_DEFAULT_SIZES);
	return call;
}

static void
check_version(const GsInto *call)
{
	const GsFill *fill = &call->fill;
	bool		there;
	int			current = gs_fill_current_version(fill, &there);

	if (!there)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the fill of %s began with version %d of model \"%s\", which was dropped",
						fill->target, fill->version, fill->model),
				 errhint("The batches before that stay in the table.  To start anew, %s.",
						 gs_into_forget_statement(call))));
	if (current != fill->version)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the fill of %s began with version %d of model \"%s\", and its current version is %d",
						fill->target, fill->version, fill->model, current),
				 errhint("To go on, make version %d the current one with synth_use; to start anew, %s.",
						 fill->version, gs_into_forget_statement(call))));
}

/*
 * Tells that rows are put into the target that a fill before has put there.
 */
static void
tell_repeated(const GsInto *call)
{
	int64		last = gs_fill_before(&call->fill);

	if (last > 0 && !gs_into_lost_rows(call))
		ereport(NOTICE,
				(errmsg("rows up to %lld of seed %lld were put into %s before",
						(long long) last, (long long) call->fill.seed,
						call->fill.target),
				 errhint("For other rows leave seed out, choose another one, or go on behind them with start => %lld.",
						 (long long) last + 1)));
}

/*
 * Goes on with an unfinished fill that is the same but for its seed, if the
 * caller left that open.  A new one is written down with its first batch, so
 * that a call which fails at once leaves no trace.
 */
static void
resume_fill(GsInto *call, bool any_seed)
{
	GsFill	   *fill = &call->fill;
	GsFill		old = *fill;

	if (!gs_fill_find(&old, any_seed, call->any_n))
	{
		if (!any_seed)
			tell_repeated(call);
		return;
	}
	if (gs_into_lost_rows(call))
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
			 errhint("To start anew instead: %s.", gs_into_forget_statement(call))));
}

static void
batch_errcontext(void *arg)
{
	const GsInto *call = arg;
	int64		first = call->fill.start + call->fill.drawn;
	int64		row = gs_insert_row(&call->insert);

	if (call->insert.statement != NULL)
		errcontext("SQL statement \"%s\"", call->insert.statement);
	if (row > 0)
		errcontext("row %lld of seed %lld", (long long) row,
				   (long long) call->fill.seed);
	errcontext("rows %lld to %lld of seed %lld", (long long) first,
			   (long long) (first + Max(call->drawn, 1) - 1),
			   (long long) call->fill.seed);
}

/*
 * What a row that was made would violate; NULL if nothing that is known.
 */
static const char *
refuse_row(const GsTarget *target, const Datum *values, const bool *nulls)
{
	for (int i = 0; i < target->desc->natts; i++)
		if (nulls[i] && target->notnull[i])
			return psprintf("%s NOT NULL",
							NameStr(TupleDescAttr(target->desc, i)->attname));
	return gs_target_refuses(target, values, nulls);
}

/*
 * The number, from 0, of the row to come.
 */
static int64
position(const GsInto *call)
{
	return call->owned != NULL ? call->owned_rows :
		gs_stream_position(call->stream);
}

static void
report_vain(const GsInto *call, int64 rows)
{
	int64		collided = call->drawn - rows - call->refused;

	if (call->refused >= collided && call->refused > 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("could not make rows that %s takes", call->fill.target),
				 errdetail("Of %lld rows, %lld failed its conditions, the last one \"%s\".",
						   (long long) call->drawn, (long long) call->refused,
						   call->refused_by),
				 errhint("A model that was fitted with this condition, as option \"constraints\", makes such rows.")));
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("could not make rows that %s takes", call->fill.target),
			 errdetail("Of %lld rows, %lld had keys that were there already, or were dropped by the model.",
					   (long long) call->drawn, (long long) collided),
			 errhint("If rows of seed %lld are in it from before, choose another seed, or go on behind them with start => and the number of the next row.  Else ask for fewer rows, or pass on_conflict => 'nothing'.",
					 (long long) call->fill.seed)));
}

/* Why a row is refused that is of no use to make up for one that collided. */
static const char unfit[] = "unfit";

/*
 * Makes of a row one that collided, and does not now.  Returns why it cannot;
 * NULL if it could, or if there is nothing to make up for.
 */
static const char *
repair_row(GsInto *call, Datum *values, bool *nulls)
{
	if (call->repair != NULL &&
		!gs_repair_merge(call->repair,
						 gs_stream_position(call->stream) - 1, values, nulls))
		return unfit;
	if (call->grid != NULL && call->epoch > 0 &&
		!gs_grid_apply(call->grid, values, nulls))
		return unfit;
	return NULL;
}

/*
 * What changes when rows collide again and again: from the first time on,
 * values are counted where they can be; and each time it is looked up again
 * what the target has.
 */
static void
begin_epoch(GsInto *call)
{
	if (call->epoch++ == 0 && call->repair != NULL)
		gs_repair_count(call->repair, call->grid == NULL ? NULL :
						gs_grid_covered(call->grid));
	if (call->grid != NULL)
		gs_grid_refresh(call->grid);
}

static bool
is_in_vain(const GsInto *call, int64 rows)
{
	return call->drawn - rows > call->wanted * MAX_VAIN + MAX_VAIN_MORE;
}

/*
 * Makes rows for the target; done: those of the batch that are in it.
 */
static void
make_rows(GsInto *call, Tuplestorestate *store, int64 rows, int64 done)
{
	const GsTarget *target = call->target;
	int			natts = target->desc->natts;
	Datum	   *numbered = palloc(sizeof(Datum) * (natts + 1));
	bool	   *number_nulls = palloc0(natts + 1);

	for (int64 made = 0; made < rows;)
	{
		Datum	   *values;
		bool	   *nulls;
		const char *refused;

		if (!gs_into_next_row(call, &values, &nulls))
		{
			if (call->owned == NULL)
				report_vain(call, done + made);
			/* owners have no more */
			call->owned_rows += rows - made - 1;
			call->drawn = position(call) -
				(call->fill.start - 1 + call->fill.drawn);
			break;
		}
		/* rows that the model has dropped count too */
		call->drawn = position(call) -
			(call->fill.start - 1 + call->fill.drawn);
		if (values == NULL)
		{
			/* an owner has one fewer */
			made++;
			continue;
		}
		refused = gs_foreign_keys_fill(call->fks,
									   call->fill.drawn + call->drawn - 1,
									   values, nulls);
		if (call->shift != NULL)
			gs_shift_apply(call->shift, call->epoch, values, nulls);
		if (refused == NULL)
			refused = repair_row(call, values, nulls);
		if (refused == NULL)
			refused = refuse_row(target, values, nulls);
		if (refused == NULL)
		{
			memcpy(numbered, values, sizeof(Datum) * natts);
			memcpy(number_nulls, nulls, natts);
			numbered[natts] = Int64GetDatum(position(call));
			tuplestore_putvalues(store, target->numbered, numbered,
								 number_nulls);
			if (call->grid != NULL && call->epoch > 0)
				gs_grid_take(call->grid, values, nulls);
			if (call->repair != NULL)
				gs_repair_done(call->repair);
			if (++made % GS_PROGRESS_ROWS == 0)
				gs_progress_done(call->fill.done + done + made);
			continue;
		}
		if (call->owned != NULL)
			gs_owned_refuse(call->owned);
		if (refused != unfit)
		{
			call->refused++;
			call->refused_by = refused;
		}
		if (is_in_vain(call, done + made))
			report_vain(call, done + made);
		/* nobody makes up for a row of an owner */
		made += call->owned != NULL;
	}
	if (call->owned != NULL && rows > MAX_VAIN_MORE && call->refused == rows)
		report_vain(call, done);
}

/*
 * Makes rows and inserts them, as the caller.  Returns how many are in.
 */
static int64
insert_rows(GsInto *call, int64 rows, int64 done)
{
	bool		skips = call->skip_conflicts || call->target->makes_up;
	int64	   *numbers = NULL;
	Tuplestorestate *store = tuplestore_begin_heap(false, false, work_mem);
	EphemeralNamedRelationData batch = {
		.md = {.name = GS_TARGET_ROWS,.tupdesc = call->target->numbered,
			.enrtype = ENR_NAMED_TUPLESTORE,.enrtuples = rows}
	};
	int64		inserted;

	make_rows(call, store, rows, done);
	if (call->sorting != NULL)
		store = gs_sorting_apply(call->sorting, call->target, store);
	batch.reldata = store;
	if (call->repair != NULL)
		numbers = palloc_extended(sizeof(int64) * rows, MCXT_ALLOC_HUGE);
	inserted = gs_insert_run(&call->insert,
							 gs_target_statement(call->target, skips,
												 numbers != NULL),
							 &batch, numbers);
	if (call->repair != NULL && inserted < rows)
		gs_repair_keep(call->repair, store, numbers, inserted);
	tuplestore_end(store);
	/* what triggers and rules have done with a row is their business */
	return call->repair != NULL ? inserted : rows;
}

/*
 * One batch, from its rows to its commit.
 */
static void
fill_batch(GsInto *call)
{
	GsFill	   *fill = &call->fill;
	MemoryContext old = MemoryContextSwitchTo(call->batch_context);
	int64		done = 0;
	int64		first;
	int			epoch = call->epoch;
	ErrorContextCallback callback = {error_context_stack, batch_errcontext,
	call};

	CHECK_FOR_INTERRUPTS();
	gs_progress_done(fill->done);
	call->wanted = Min(call->batch_size, fill->n - fill->done);
	call->drawn = call->refused = 0;
	first = fill->start - 1 + fill->drawn;
	if (call->stream != NULL)
		gs_stream_seek(call->stream, first,
					   Min((call->wanted + 1) * (MAX_VAIN + 1) +
					   2 * MAX_VAIN_MORE, PG_INT64_MAX - GS_BATCH - first) +
				   first);
	if (call->repair != NULL)
		gs_repair_begin(call->repair);
	error_context_stack = &callback;
	while (done < call->wanted)
	{
		int64		rows = Min(call->wanted - done,
							   gs_foreign_keys_room(call->fks));

		done += insert_rows(call, rows, done);
		/* each epoch gets as many tries */
		if (call->drawn - done >
			call->wanted * TRIES_EPOCH * (call->epoch - epoch + 1))
			begin_epoch(call);
		if (is_in_vain(call, done))
			report_vain(call, done);
		gs_foreign_keys_refresh(call->fks, rows);
	}
	error_context_stack = callback.previous;

	/*
	 * The fill's row says what was done with one version: whoever resumes it
	 * goes on with that.
	 */
	check_version(call);
	if (call->after)
	{
		fill->done += done;
		fill->drawn += call->drawn;
	}
	else if (!gs_fill_advance(fill, done, call->drawn))
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
 * All batches that are left, for other sessions to see how far it is.
 */
static void
fill_target(GsInto *call)
{
	GsProgress	outer;

	gs_progress_begin(call->fill.model, call->relid, &outer);
	PG_TRY();
	{
		gs_progress_phase(GS_PHASE_FILLING, call->fill.done, call->fill.n);
		if (call->fill.done < call->fill.n)
			gs_into_begin_rows(call);
		/* rows of owners are as many as these have */
		gs_progress_phase(GS_PHASE_FILLING, call->fill.done, call->fill.n);
		while (call->fill.done < call->fill.n)
			fill_batch(call);
		gs_deferred_finish(call->relid);
	}
	PG_FINALLY();
	{
		gs_progress_end(&outer);
	}
	PG_END_TRY();
}

/*
 * synth_into(target regclass, n float8 = NULL, model text = NULL,
 *	seed bigint = NULL, given jsonb = NULL, start bigint = 1,
 *	batch_size int = 10000, on_conflict text = 'error',
 *	start_after boolean = false): a procedure.
 *
 * Errors: those of gs_call_open and of the INSERT; wrong_object_type for
 * what is no table; invalid_parameter_value; datatype_mismatch if no column
 * is left to fill; object_not_in_prerequisite_state if the model's current
 * version changed since the fill began; object_in_use if another session goes
 * on with the same fill.
 */
GS_FUNCTION(synth_into);

Datum
synth_into(PG_FUNCTION_ARGS)
{
	GsInto   *call;

	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	/* in SPI's context, which outlives commits */
	call = read_arguments(fcinfo);
	if (!call->after)
		resume_fill(call, PG_ARGISNULL(ARG_SEED));
	fill_target(call);
	SPI_finish();
	PG_RETURN_VOID();
}
