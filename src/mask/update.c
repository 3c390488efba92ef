/*
 * update.c
 *	  Tables masked in place row by row, for those that cannot be locked for
 *	  long: batches of updates, each committed.
 *
 * A run remembers the transactions of its batches, so a row is masked if its
 * xmin is one of them: that is all that a cancelled call needs to go on, and to
 * find the rows that came meanwhile.  In the end writers are locked out for as
 * long as it takes to mask these.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "tcop/pquery.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "catalog/access.h"
#include "compat.h"
#include "mask/mask.h"
#include "mask/rewrite.h"

/* A run, as gensynth.mask_runs has it. */
typedef struct Run
{
	const GsMaskTable *table;
	const GsPseudonymKey *key;
	char	   *id;
	int64		rows;
	int			nxids;
	int64	   *xids;			/* of its batches */
	int			digits;
	uint64		counter;
	int			batch_size;
	BlockNumber step;			/* pages of the next batch */
	bool		commits;
	CommandId	first;			/* of the call, in its transaction */
	MemoryContext context;		/* of the call */
	MemoryContext batch;
} Run;

/*
 * Whether a batch has written a row.  A transaction that we are called in may
 * have written others before.
 */
static bool
is_masked(const Run *run, TupleTableSlot *slot)
{
	bool		isnull;
	TransactionId xmin = DatumGetTransactionId(slot_getsysattr(slot,
															   MinTransactionIdAttributeNumber,
															   &isnull));

	if (TransactionIdEquals(xmin, GetCurrentTransactionIdIfAny()))
		return DatumGetCommandId(slot_getsysattr(slot,
												 MinCommandIdAttributeNumber,
												 &isnull)) >= run->first;
	for (int i = run->nxids - 1; i >= 0; i--)
		if ((TransactionId) run->xids[i] == xmin)
			return true;
	return false;
}

/* The run's row, with what this transaction has added to it. */
static void
note_progress(Run *run, int64 rows)
{
	Oid			types[] = {TEXTOID, INT8OID, INT8OID, INT8OID};
	Datum		values[4];
	GsAccess	access;
	uint64		n;
	int64		xid = GetCurrentTransactionId();
	MemoryContext old;

	values[0] = CStringGetTextDatum(run->id);
	values[1] = Int64GetDatum(run->rows);
	values[2] = Int64GetDatum(rows);
	values[3] = Int64GetDatum(xid);
	gs_enter(&access);
	n = gs_run("UPDATE gensynth.mask_runs SET rows = rows " GS_PLUS " $3,"
			   " xids = pg_catalog.array_append(xids, $4),"
			   " updated_at = pg_catalog.clock_timestamp()"
			   " WHERE id " GS_EQ " $1::pg_catalog.uuid AND rows " GS_EQ " $2"
			   " AND NOT finished", 4, types, values, NULL, false);
	gs_leave(&access);
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("the run on %s goes on in another session",
						run->table->name),
				 errhint("The batches before that are masked.")));
	old = MemoryContextSwitchTo(run->context);
	run->xids = run->xids == NULL ? palloc(sizeof(int64)) :
		repalloc_huge(run->xids, (run->nxids + 1) * sizeof(int64));
	run->xids[run->nxids++] = xid;
	MemoryContextSwitchTo(old);
	run->rows += rows;
}

/* Masked values of a column, for the rows of a batch. */
typedef struct Values
{
	int			at;				/* in the table, from 0 */
	bool		same;			/* one value or NULL: of any type, also such
								 * as no array holds, or unnest() takes apart */
	Datum		value;			/* that one */
	bool		isnull;			/* none so far */
	int16		length;
	bool		byval;
	Oid			type;			/* of the domain, its base type */
	ArrayBuildState *array;		/* of it or, of one value, whether it is that */
} Values;

/* What masks rows of a relation in a batch. */
typedef struct Updater
{
	Relation	relation;
	MemoryContext batch;
	GsMasker   *masker;
	GsMaskRow  *row;
	GsSynthesis *synthesis;		/* or NULL */
	TupleTableSlot *made;
	int			ncolumns;
	Values	   *columns;
	ArrayBuildState *tids;
	uint64		n;				/* rows that are masked */
} Updater;

static void
begin_updater(Updater *updater, Run *run, Relation relation)
{
	TupleDesc	desc = RelationGetDescr(relation);
	ListCell   *cell;

	updater->relation = relation;
	updater->batch = run->batch;
	updater->masker = gs_mask_begin(relation, run->table, run->key,
									run->digits, &run->counter);
	updater->row = gs_mask_row_begin(relation, run->table);
	updater->synthesis = gs_mask_synthesis(relation, run->table, run->key);
	updater->made = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	updater->columns = palloc0(list_length(run->table->columns) *
							   sizeof(Values));
	updater->tids = initArrayResult(TIDOID, run->batch, false);
	foreach(cell, run->table->columns)
	{
		const GsMaskColumn *masked = lfirst(cell);
		GsRuleAction action = masked->rule->action;
		Values	   *column = &updater->columns[updater->ncolumns++];

		column->at = get_attnum(RelationGetRelid(relation), masked->name) - 1;
		column->same = action == GS_RULE_NULL || action == GS_RULE_CONSTANT;
		column->isnull = true;
		column->type = getBaseType(TupleDescAttr(desc, column->at)->atttypid);
		get_typlenbyval(column->type, &column->length, &column->byval);
		column->array = initArrayResult(column->same ? BOOLOID : column->type,
										run->batch, false);
	}
}

static void
end_updater(Updater *updater)
{
	ExecDropSingleTupleTableSlot(updater->made);
	gs_mask_row_end(updater->row);
	gs_masker_end(updater->masker);
}

/* Masks a row, for it to be updated with the others of the batch. */
static void
mask_row(void *arg, TupleTableSlot *read)
{
	Updater    *updater = arg;
	ExprContext *context = gs_mask_row_context(updater->row);
	MemoryContext old;

	ResetExprContext(context);
	old = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
	gs_mask_row_make(updater->row, updater->masker, read, updater->made);
	MemoryContextSwitchTo(old);
	for (int i = 0; i < updater->ncolumns; i++)
	{
		Values	   *column = &updater->columns[i];
		Datum		value = updater->made->tts_values[column->at];
		bool		isnull = updater->made->tts_isnull[column->at];

		if (column->same && !isnull && column->isnull)
		{
			column->value = datumCopy(value, column->byval, column->length);
			column->isnull = false;
		}
		accumArrayResult(column->array, column->same ? BoolGetDatum(true) :
						 value, isnull,
						 column->same ? BOOLOID : column->type,
						 updater->batch);
	}
	updater->n++;
}

/* Whether a row of a batch is there that was not updated. */
static bool
is_one_left(const Updater *updater, Datum tids)
{
	Oid			type = get_array_type(TIDOID);

	return gs_run(psprintf("SELECT FROM ONLY %s WHERE ctid " GS_EQ " ANY ($1)",
						   gs_mask_table_name(RelationGetRelid(updater->relation))),
				  1, &type, &tids, NULL, false) > 0;
}

/*
 * One statement for all rows of a batch; how many it updates.  Rows that others
 * have changed meanwhile are left for the last pass.
 */
static int64
update_rows(const Updater *updater, const GsMaskTable *table, BlockNumber from,
			BlockNumber to)
{
	Relation	relation = updater->relation;
	int			n = updater->ncolumns + 1;
	int			nargs = n;
	Oid		   *types = palloc(2 * n * sizeof(Oid));
	Datum	   *values = palloc(2 * n * sizeof(Datum));
	char	   *nulls = palloc(2 * n);
	StringInfoData set;
	StringInfoData rows;
	StringInfoData names;
	char	   *query;
	int64		done;

	initStringInfo(&set);
	initStringInfo(&rows);
	initStringInfo(&names);
	types[0] = get_array_type(TIDOID);
	values[0] = makeArrayResult(updater->tids, updater->batch);
	memset(nulls, ' ', n);
	for (int i = 1; i < n; i++)
	{
		const Values *column = &updater->columns[i - 1];
		const char *name = NameStr(TupleDescAttr(RelationGetDescr(relation),
												 column->at)->attname);

		appendStringInfo(&set, "%s %s =", i > 1 ? "," : "",
						 quote_identifier(name));
		types[i] = get_array_type(column->same ? BOOLOID : column->type);
		values[i] = makeArrayResult(column->array, updater->batch);
		if (column->same)
		{
			types[nargs] = column->type;
			values[nargs] = column->value;
			nulls[nargs++] = column->isnull ? 'n' : ' ';
			appendStringInfo(&set, " CASE WHEN v.c%d THEN $%d END", i, nargs);
		}
		else
			appendStringInfo(&set, " v.c%d", i);
		appendStringInfo(&rows, ", pg_catalog.unnest($%d)", i + 1);
		appendStringInfo(&names, ", c%d", i);
	}
	query = psprintf("UPDATE ONLY %s AS t SET%s"
					 " FROM ROWS FROM (pg_catalog.unnest($1)%s) AS v (tid%s)"
					 " WHERE t.ctid " GS_EQ " v.tid AND t.ctid " GS_OP(">=")
					 " '(%u,0)' AND t.ctid " GS_OP("<") " '(%u,0)'",
					 gs_mask_table_name(RelationGetRelid(relation)), set.data,
					 rows.data, names.data, from, to);
	done = gs_run(query, nargs, types, values, nulls, false);
	if (done != updater->n && is_one_left(updater, values[0]))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("some rows of %s could not be updated", table->name),
				 errhint("A trigger or a rule keeps them from being masked: disable it, or use mode \"rewrite\".")));
	return done;
}

/*
 * Pages for about as many rows as a batch is to have, if they are as full as
 * those before: what the table had when it was counted may be long ago.
 */
static void
set_step(Run *run, BlockNumber pages, uint64 rows)
{
	run->step = (BlockNumber) Max(1, Min(4.0 * pages, (double) pages *
										 run->batch_size / Max(rows, 1)));
}

/* Masks those rows of some pages that are not masked yet; how many. */
static int64
update_pages(Run *run, Relation relation, BlockNumber from, BlockNumber to)
{
	Updater		updater = {0};
	TupleTableSlot *read = table_slot_create(relation, NULL);
	ItemPointerData first;
	ItemPointerData last;
	TableScanDesc scan;
	uint64		n = 0;
	int64		done = 0;

	ItemPointerSet(&first, from, FirstOffsetNumber);
	ItemPointerSet(&last, to - 1, MaxOffsetNumber);
	PushActiveSnapshot(GetTransactionSnapshot());
	scan = gs_beginscan_tidrange(relation, GetActiveSnapshot(), &first, &last);
	for (; table_scan_getnextslot_tidrange(scan, ForwardScanDirection, read);
		 n++)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_masked(run, read))
			continue;
		if (updater.relation == NULL)
			begin_updater(&updater, run, relation);
		accumArrayResult(updater.tids, PointerGetDatum(&read->tts_tid), false,
						 TIDOID, run->batch);
		slot_getallattrs(read);
		gs_synthesis_pass(updater.synthesis, read, mask_row, &updater);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(read);
	set_step(run, to - from, n);
	if (updater.relation != NULL)
	{
		gs_synthesis_pass(updater.synthesis, NULL, mask_row, &updater);
		done = update_rows(&updater, run->table, from, to);
		end_updater(&updater);
	}
	PopActiveSnapshot();
	return done;
}

/* A batch of a relation's pages; commits, where that is possible. */
static void
update_batch(Run *run, Oid relid, BlockNumber from, BlockNumber to)
{
	MemoryContext old = MemoryContextSwitchTo(run->batch);
	Relation	relation = table_open(relid, RowExclusiveLock);
	int64		masked = update_pages(run, relation, from, to);

	table_close(relation, NoLock);
	if (masked > 0)
		note_progress(run, masked);
	if (run->commits)
	{
		SPI_commit();
		run->first = FirstCommandId;
		/* what is read before the next batch's own snapshot needs one */
		EnsurePortalSnapshotExists();
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(run->batch);
}

static BlockNumber
count_pages(Oid relid)
{
	Relation	relation = table_open(relid, AccessShareLock);
	BlockNumber n = RelationGetNumberOfBlocks(relation);

	table_close(relation, AccessShareLock);
	return n;
}

/* All pages of a table, a batch at a time. */
static void
update_leaf(Run *run, Oid relid)
{
	BlockNumber n = count_pages(relid);

	for (BlockNumber from = 0, to; from < n; from = to)
	{
		to = from + Min(run->step, n - from);
		update_batch(run, relid, from, to);
	}
}

/*
 * The rows that came meanwhile, with writers locked out.  What they have
 * changed of masked rows is masked again.
 */
static void
update_rest(Run *run)
{
	MemoryContext old = MemoryContextSwitchTo(run->batch);
	ListCell   *cell;
	int64		masked = 0;

	foreach(cell, run->table->leaves)
		LockRelationOid(lfirst_oid(cell), ShareRowExclusiveLock);
	foreach(cell, run->table->leaves)
	{
		Relation	relation = table_open(lfirst_oid(cell), NoLock);
		BlockNumber n = RelationGetNumberOfBlocks(relation);

		for (BlockNumber from = 0, to; from < n; from = to)
		{
			to = from + Min(run->step, n - from);
			masked += update_pages(run, relation, from, to);
			MemoryContextReset(run->batch);
		}
		table_close(relation, NoLock);
	}
	note_progress(run, masked);
	MemoryContextSwitchTo(old);
	MemoryContextReset(run->batch);
}

/* The run of a table that goes on, or a new one. */
static void
open_run(Run *run, const char *key_name, bool again)
{
	Oid			types[] = {OIDOID, TEXTOID, JSONBOID, TEXTOID, TEXTOID};
	Datum		values[5];
	GsAccess	access;
	bool		finished = false;
	bool		isnull;

	values[0] = ObjectIdGetDatum(run->table->relid);
	values[1] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	values[2] = DirectFunctionCall1(jsonb_in,
									CStringGetDatum(gs_mask_rules_json(run->table)));
	values[3] = CStringGetTextDatum(key_name);
	values[4] = CStringGetTextDatum(run->table->name);
	gs_enter(&access);
	if (gs_run("SELECT id::pg_catalog.text, rows, xids, finished FROM gensynth.mask_runs"
			   " WHERE relid " GS_EQ " $1 AND role " GS_EQ " $2"
			   " AND rules " GS_EQ " $3 AND key " GS_EQ " $4"
			   " ORDER BY started_at DESC LIMIT 1", 4, types, values, NULL,
			   true) > 0)
		finished = DatumGetBool(gs_result(0, 4, &isnull));
	if (SPI_processed == 0 || (finished && again))
	{
		finished = false;
		gs_run("INSERT INTO gensynth.mask_runs (relid, role, rules, key, target)"
			   " VALUES ($1, $2, $3, $4, $5) RETURNING id::pg_catalog.text, rows, xids", 5,
			   types, values, NULL, false);
	}
	if (!finished)
	{
		ArrayType  *xids = DatumGetArrayTypeP(gs_result(0, 3, &isnull));
		MemoryContext old = MemoryContextSwitchTo(run->context);

		run->id = gs_result_text(0, 1, run->context);
		run->rows = DatumGetInt64(gs_result(0, 2, &isnull));
		run->nxids = ArrayGetNItems(ARR_NDIM(xids), ARR_DIMS(xids));
		if (run->nxids > 0)
		{
			run->xids = palloc(run->nxids * sizeof(int64));
			memcpy(run->xids, ARR_DATA_PTR(xids), run->nxids * sizeof(int64));
		}
		MemoryContextSwitchTo(old);
	}
	gs_leave(&access);
	if (finished)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s was masked by these rules and this key already",
						run->table->name),
				 errhint("Pseudonyms of pseudonyms lead nowhere; options => '{\"again\": 1}' masks it again.")));
	/* rows of earlier calls have their numbers */
	run->counter = run->rows;
}

static void
close_run(const Run *run)
{
	GsAccess	access;

	gs_enter(&access);
	gs_run_text("UPDATE gensynth.mask_runs SET finished = true,"
				" updated_at = pg_catalog.clock_timestamp()"
				" WHERE id " GS_EQ " $1::pg_catalog.uuid", run->id, false);
	gs_leave(&access);
}

/* What runs before a row is updated may put back what was in it. */
static void
tell_triggers(Oid relid)
{
	Relation	relation = table_open(relid, AccessShareLock);
	const TriggerDesc *triggers = relation->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (TRIGGER_TYPE_MATCHES(triggers->triggers[i].tgtype,
								 TRIGGER_TYPE_ROW, TRIGGER_TYPE_BEFORE,
								 TRIGGER_TYPE_UPDATE))
			ereport(NOTICE,
					(errmsg("trigger \"%s\" of table \"%s\" runs before rows are updated, and may put originals back",
							triggers->triggers[i].tgname,
							RelationGetRelationName(relation)),
					 errhint("In mode \"rewrite\" triggers do not fire.")));
	table_close(relation, AccessShareLock);
}

/*
 * gs_mask_update: masks a table of a plan row by row, in batches.
 *
 * To be called within an SPI connection; commits: after each batch.  again: a
 * table that was masked so is masked again.  Returns the rows masked.  Errors:
 * 55000 for a table that was masked, or rows that triggers keep from it; 55006
 * if another session goes on with the same run.
 */
int64
gs_mask_update(const GsMaskTable *table, const GsPseudonymKey *key,
			   const char *key_name, int batch_size, bool again, bool commits)
{
	Run			run = {.table = table, .key = key,
	.commits = commits, .batch_size = batch_size,
	.context = CurrentMemoryContext};
	ListCell   *cell;

	run.batch = AllocSetContextCreate(CurrentMemoryContext, "gensynth mask",
									  ALLOCSET_DEFAULT_SIZES);
	run.digits = gs_mask_count_digits(table);
	/* of no more rows, however full pages are */
	run.step = Max(1, batch_size / MaxHeapTuplesPerPage);
	open_run(&run, key_name, again);
	/* what came before in this transaction is not masked yet */
	CommandCounterIncrement();
	run.first = GetCurrentCommandId(false);
	foreach(cell, table->leaves)
		tell_triggers(lfirst_oid(cell));
	foreach(cell, table->leaves)
		update_leaf(&run, lfirst_oid(cell));
	update_rest(&run);
	close_run(&run);
	MemoryContextDelete(run.batch);
	return run.rows;
}
