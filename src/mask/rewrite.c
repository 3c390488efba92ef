/*
 * rewrite.c
 *	  Tables masked in place: each is read once and written once into new
 *	  files, which then take the place of the old ones, as CLUSTER does it.
 *
 * So there is no moment at which half of a table is masked, constraints look
 * at masked rows only, and no old value is left in the table's files.  All is
 * one transaction: until it commits, the old files are there.
 *
 * What runs for a table (expressions of its columns, constraints, domains and
 * indexes) may be anybody's who could own the table.  It runs as the owner,
 * restricted, as REINDEX and ANALYZE have it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/heap.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/tablecmds.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/predicate.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "catalog/access.h"
#include "catalog/strange.h"
#include "compat.h"
#include GS_CLUSTER_H
#include "mask/masker.h"
#include "mask/rewrite.h"

#define TRIED_ROWS	1000		/* before any is written */

/* Who the caller was. */
typedef struct Caller
{
	Oid			user;
	int			context;
	int			level;
} Caller;

static void
become_owner(Caller *caller, Relation relation)
{
	GetUserIdAndSecContext(&caller->user, &caller->context);
	SetUserIdAndSecContext(relation->rd_rel->relowner, caller->context |
						   SECURITY_RESTRICTED_OPERATION);
	caller->level = NewGUCNestLevel();
}

static void
become_caller(const Caller *caller)
{
	AtEOXact_GUC(false, caller->level);
	SetUserIdAndSecContext(caller->user, caller->context);
}

static int
compare_oids(const ListCell *a, const ListCell *b)
{
	return (lfirst_oid(a) > lfirst_oid(b)) - (lfirst_oid(a) < lfirst_oid(b));
}

/* All relations of a plan that are locked, in the order of their OIDs. */
static List *
all_relations(const GsMaskPlan *plan)
{
	List	   *relids = NIL;
	ListCell   *cell;

	foreach(cell, plan->tables)
	{
		const GsMaskTable *table = lfirst(cell);

		relids = list_append_unique_oid(relids, table->relid);
		relids = list_concat_unique_oid(relids, table->inner);
		relids = list_concat_unique_oid(relids, table->leaves);
	}
	list_sort(relids, compare_oids);
	return relids;
}

/*
 * gs_mask_lock: locks all tables of a plan, always in the same order.  Heeds
 * lock_timeout.
 */
void
gs_mask_lock(const GsMaskPlan *plan)
{
	ListCell   *cell;

	foreach(cell, all_relations(plan))
		LockRelationOid(lfirst_oid(cell), AccessExclusiveLock);
}

/*
 * gs_mask_is_locked: whether all tables of a plan are: it may have become
 * another one while its tables were waited for.
 */
bool
gs_mask_is_locked(const GsMaskPlan *plan)
{
	ListCell   *cell;

	foreach(cell, all_relations(plan))
	{
		LOCKTAG		tag;

		SET_LOCKTAG_RELATION(tag, MyDatabaseId, lfirst_oid(cell));
		if (!gs_lock_held(&tag, AccessExclusiveLock))
			return false;
	}
	return true;
}

/* Values of columns that are shuffled. */
static void
put_rows(Relation from, GsMasker *masker)
{
	TupleTableSlot *read = table_slot_create(from, NULL);
	TableScanDesc scan = gs_beginscan(from, GetActiveSnapshot());

	while (table_scan_getnextslot(scan, ForwardScanDirection, read))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(read);
		gs_masker_put(masker, read->tts_values, read->tts_isnull);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(read);
	gs_masker_sort(masker);
}

/* Where rows are written to. */
typedef struct Writer
{
	GsMaskWriter *out;
	GsMasker   *masker;
	GsMaskRow  *row;
	TupleTableSlot *made;
	int64		n;
} Writer;

static void
write_row(void *arg, TupleTableSlot *read)
{
	Writer	   *writer = arg;
	ExprContext *context = gs_mask_row_context(writer->row);
	MemoryContext old;

	ResetExprContext(context);
	slot_getallattrs(read);
	old = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
	gs_mask_row_make(writer->row, writer->masker, read, writer->made);
	MemoryContextSwitchTo(old);
	gs_mask_writer_put(writer->out, writer->made);
	writer->n++;
}

/* Writes all rows of the old heap, masked, to the new one. */
static int64
copy_rows(Relation from, Relation to, GsMasker *masker, GsMaskRow *row,
		  GsSynthesis *synthesis)
{
	TupleTableSlot *read = table_slot_create(from, NULL);
	TableScanDesc scan = table_beginscan_strat(from, GetActiveSnapshot(), 0,
											   NULL, true, false);
	Writer		writer = {.masker = masker,.row = row};

	writer.made = MakeSingleTupleTableSlot(RelationGetDescr(from),
										   &TTSOpsVirtual);
	writer.out = gs_mask_writer_begin(to);
	while (table_scan_getnextslot(scan, ForwardScanDirection, read))
	{
		CHECK_FOR_INTERRUPTS();
		gs_synthesis_pass(synthesis, read, write_row, &writer);
	}
	gs_synthesis_pass(synthesis, NULL, write_row, &writer);
	gs_mask_writer_end(writer.out);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(writer.made);
	ExecDropSingleTupleTableSlot(read);
	return writer.n;
}

/* Extended statistics of a relation: what they have learned of its rows. */
static void
remove_extended(Relation relation)
{
	ListCell   *cell;

	foreach(cell, RelationGetStatExtList(relation))
	{
		RemoveStatisticsDataById(lfirst_oid(cell), false);
		RemoveStatisticsDataById(lfirst_oid(cell), true);
	}
}

/* Statistics hold values: those of columns that ANALYZE does not reach, too. */
static void
remove_statistics(Oid relid)
{
	Relation	relation = table_open(relid, NoLock);
	ListCell   *cell;

	RemoveStatistics(relid, 0);
	foreach(cell, RelationGetIndexList(relation))
		RemoveStatistics(lfirst_oid(cell), 0);
	remove_extended(relation);
	table_close(relation, NoLock);
}

/* Masks some rows of a leaf, and writes none. */
static void
try_leaf(const GsMaskTable *table, Oid relid, const GsPseudonymKey *key)
{
	Relation	from = table_open(relid, NoLock);
	uint64		counter = 0;
	Caller		caller;
	GsMasker   *masker;
	GsMaskRow  *row;
	TupleTableSlot *read;
	TupleTableSlot *made;
	TableScanDesc scan;

	become_owner(&caller, from);
	PushActiveSnapshot(GetLatestSnapshot());
	masker = gs_mask_begin(from, table, key, gs_mask_count_digits(table),
						   &counter);
	row = gs_mask_row_begin(from, table);
	read = table_slot_create(from, NULL);
	made = MakeSingleTupleTableSlot(RelationGetDescr(from), &TTSOpsVirtual);
	scan = table_beginscan_strat(from, GetActiveSnapshot(), 0, NULL, true,
								 false);
	while (counter < TRIED_ROWS &&
		   table_scan_getnextslot(scan, ForwardScanDirection, read))
	{
		ExprContext *context = gs_mask_row_context(row);
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		ResetExprContext(context);
		slot_getallattrs(read);
		old = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
		gs_mask_row_make(row, masker, read, made);
		MemoryContextSwitchTo(old);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(made);
	ExecDropSingleTupleTableSlot(read);
	gs_mask_row_end(row);
	gs_masker_end(masker);
	PopActiveSnapshot();
	become_caller(&caller);
	table_close(from, NoLock);
}

/*
 * gs_mask_try: masks the first rows of a table that is locked, and of each
 * partition, to see what is against it before others are written.
 *
 * Not where all rows together make a value.  Errors: as of gs_mask_rewrite.
 */
void
gs_mask_try(const GsMaskTable *table, const GsPseudonymKey *key)
{
	ListCell   *cell;

	foreach(cell, table->columns)
	{
		GsRuleAction action = ((GsMaskColumn *) lfirst(cell))->rule->action;

		if (action == GS_RULE_SHUFFLE || action == GS_RULE_SYNTHESIZE)
			return;
	}
	foreach(cell, table->leaves)
		try_leaf(table, lfirst_oid(cell), key);
}

static int64
rewrite_leaf(const GsMaskTable *table, Oid relid, const GsPseudonymKey *key,
			 int digits, uint64 *counter)
{
	Relation	from = table_open(relid, NoLock);
	char		persistence = from->rd_rel->relpersistence;
	Relation	to;
	Oid			new_relid;
	Caller		caller;
	GsMasker   *masker;
	GsMaskRow  *row;
	int64		n;

	CheckTableNotInUse(from, "synth_mask");
	become_owner(&caller, from);
	TransferPredicateLocksToHeapRelation(from);
	new_relid = make_new_heap(relid, from->rd_rel->reltablespace,
							  from->rd_rel->relam, persistence,
							  AccessExclusiveLock);
	to = table_open(new_relid, NoLock);
	PushActiveSnapshot(GetLatestSnapshot());
	masker = gs_mask_begin(from, table, key, digits, counter);
	if (gs_masker_shuffles(masker))
		put_rows(from, masker);
	row = gs_mask_row_begin(from, table);
	n = copy_rows(from, to, masker, row, gs_mask_synthesis(from, table, key));
	gs_mask_row_end(row);
	gs_masker_end(masker);
	PopActiveSnapshot();
	table_close(to, NoLock);
	table_close(from, NoLock);
	gs_finish_swap(relid, new_relid, RecentXmin, ReadNextMultiXactId(),
				   persistence);
	become_caller(&caller);
	CommandCounterIncrement();
	return n;
}

/*
 * gs_mask_rewrite: masks a table and all its partitions.
 *
 * They are locked, and nothing is against it.  Returns the rows written.
 * Errors: 55006 for a table that the session uses; those of constraints.
 */
int64
gs_mask_rewrite(const GsMaskTable *table, const GsPseudonymKey *key)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "gensynth mask",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	int			digits = gs_mask_count_digits(table);
	uint64		counter = 0;
	int64		n = 0;
	ListCell   *cell;

	foreach(cell, table->leaves)
		n += rewrite_leaf(table, lfirst_oid(cell), key, digits, &counter);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return n;
}

/* One anti-join, as ALTER TABLE ... VALIDATE CONSTRAINT has it. */
static void
check_foreign_key(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID,
										ObjectIdGetDatum(constraint));
	Form_pg_constraint form;
	Relation	from;
	Relation	to;
	Trigger		trigger = {0};

	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	from = table_open(form->conrelid, AccessShareLock);
	to = table_open(form->confrelid, AccessShareLock);
	trigger.tgname = NameStr(form->conname);
	trigger.tgenabled = TRIGGER_FIRES_ON_ORIGIN;
	trigger.tgisinternal = true;
	trigger.tgconstrrelid = form->confrelid;
	trigger.tgconstrindid = form->conindid;
	trigger.tgconstraint = constraint;
	if (!RI_Initial_Check(&trigger, from, to))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("foreign key constraint \"%s\" cannot be checked",
						NameStr(form->conname)),
				 errhint("You need to be able to read all rows of both tables.")));
	table_close(to, AccessShareLock);
	table_close(from, AccessShareLock);
	ReleaseSysCache(tuple);
}

/* All tables that rows of a table are rows of, too. */
static List *
parents_of(Oid relid)
{
	List	   *parents = list_make1_oid(relid);
	Relation	inherits = table_open(InheritsRelationId, AccessShareLock);

	for (int i = 0; i < list_length(parents); i++)
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
					F_OIDEQ, ObjectIdGetDatum(list_nth_oid(parents, i)));
		scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true,
								  NULL, 1, &key);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
			parents = list_append_unique_oid(parents,
											 ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
		systable_endscan(scan);
	}
	table_close(inherits, AccessShareLock);
	return list_delete_first(parents);
}

/*
 * gs_mask_renew_statistics: statistics of what was masked, and of what it is a
 * part of: the old ones are removed, and new ones made.  To be called within
 * an SPI connection.
 */
void
gs_mask_renew_statistics(const GsMaskPlan *plan)
{
	List	   *parents = NIL;
	ListCell   *cell;

	foreach(cell, plan->tables)
	{
		const GsMaskTable *table = lfirst(cell);

		parents = list_append_unique_oid(parents, table->relid);
		parents = list_concat_unique_oid(parents, table->inner);
		parents = list_concat_unique_oid(parents, table->leaves);
		parents = list_concat_unique_oid(parents, parents_of(table->relid));
	}
	foreach(cell, parents)
	{
		LockRelationOid(lfirst_oid(cell), ShareUpdateExclusiveLock);
		remove_statistics(lfirst_oid(cell));
	}
	CommandCounterIncrement();
	foreach(cell, parents)
		SPI_execute(psprintf("ANALYZE %s", gs_mask_table_name(lfirst_oid(cell))),
					false, 0);
}

/* A text or a uuid can own a sequence, too, and makes of it what it likes. */
static bool
is_number(Oid relid, const char *column)
{
	Oid			type = get_atttype(relid, get_attnum(relid, column));

	type = getBaseType(type);
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == NUMERICOID;
}

/*
 * A sequence that fills a masked column goes on above all pseudonyms, where
 * its bounds let it.
 */
static void
advance_sequence(const GsMaskTable *table, const GsMaskColumn *column)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[2];
	char	   *sequence;
	const char *name = quote_identifier(column->name);
	GsAccess	access;

	if (!is_number(table->relid, column->name))
		return;
	values[0] = CStringGetTextDatum(table->name);
	values[1] = CStringGetTextDatum(column->name);
	gs_run("SELECT pg_catalog.pg_get_serial_sequence($1, $2)", 2, types,
		   values, NULL, true);
	sequence = gs_result_text(0, 1, CurrentMemoryContext);
	if (sequence == NULL)
		return;
	gs_become(&access, gs_owner_of(table->relid),
			  SECURITY_RESTRICTED_OPERATION);
	gs_run_text(psprintf("SELECT pg_catalog.setval(s.seqrelid::pg_catalog.regclass, m.most)"
						 " FROM pg_catalog.pg_sequence s, %s q,"
						 " (SELECT pg_catalog.max(%s)::pg_catalog.int8 AS most FROM %s) m"
						 " WHERE s.seqrelid " GS_EQ " $1::pg_catalog.regclass"
						 " AND s.seqincrement " GS_OP(">") " 0"
						 " AND m.most " GS_OP(">=") " q.last_value"
						 " AND m.most " GS_OP("<") " s.seqmax", sequence, name,
						 table->name), sequence, false);
	gs_become_caller(&access);
}

/*
 * gs_mask_finish: what is to be done when all tables of a plan are written:
 * foreign keys are checked, statistics and sequences brought up to date.
 *
 * Errors: 23503 for a foreign key that does not hold.
 */
void
gs_mask_finish(const GsMaskPlan *plan)
{
	ListCell   *cell;
	ListCell   *column;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	foreach(cell, plan->foreign_keys)
		check_foreign_key(lfirst_oid(cell));
	gs_mask_renew_statistics(plan);
	foreach(cell, plan->tables)
		foreach(column, ((GsMaskTable *) lfirst(cell))->columns)
			if (((GsMaskColumn *) lfirst(column))->rule->action ==
				GS_RULE_PSEUDONYM)
				advance_sequence(lfirst(cell), lfirst(column));
	SPI_finish();
}
