/*
 * copy.c
 *	  Masked copies: tables like those of a plan, in another place, with masked
 *	  rows and foreign keys among themselves.
 *
 * The source is read as the caller, by one snapshot, and no original is ever
 * written to the copy.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/heapam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/snapmgr.h"

#include "catalog/access.h"
#include "codec/styles.h"
#include "compat.h"
#include "mask/mask.h"
#include "mask/rewrite.h"
#include "schema/like.h"

#define ROWS_AT_ONCE	1000	/* that are fetched together */

typedef struct Copy
{
	Oid			target;			/* the table that was asked for */
	const char *into;			/* its copy, qualified and quoted */
	const char *schema;			/* of all copies */
	const GsMaskPlan *plan;
	const GsPseudonymKey *key;
} Copy;

static const char *
copy_name(const Copy *copy, const GsMaskTable *table)
{
	return table->relid == copy->target ? copy->into :
		quote_qualified_identifier(copy->schema, get_rel_name(table->relid));
}

static char *
stands_for(Oid relid, const void *arg)
{
	const Copy *copy = arg;
	ListCell   *cell;

	foreach(cell, copy->plan->tables)
	{
		const GsMaskTable *table = lfirst(cell);

		if (table->relid == relid)
			return pstrdup(copy_name(copy, table));
	}
	return NULL;
}

/* All columns of the copy, of the source's rows. */
static Portal
open_rows(Relation to, const GsMaskTable *table)
{
	TupleDesc	desc = RelationGetDescr(to);
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT");
	for (int i = 0; i < desc->natts; i++)
		appendStringInfo(&query, "%s %s", i > 0 ? "," : "",
						 quote_identifier(NameStr(TupleDescAttr(desc, i)->attname)));
	appendStringInfo(&query, " FROM %s%s",
					 get_rel_relkind(table->relid) == RELKIND_RELATION ?
					 "ONLY " : "", table->name);
	return SPI_cursor_open_with_args(NULL, query.data, 0, NULL, NULL, NULL,
									 true, CURSOR_OPT_NO_SCROLL);
}

typedef struct Writer
{
	Relation	to;
	GsMasker   *masker;
	GsMaskRow  *row;
	GsSynthesis *synthesis;
	TupleTableSlot *made;
	BulkInsertState bulk;
	CommandId	command;
} Writer;

/* Writes a row masked; without a row, only takes what is shuffled. */
static void
take_row(void *arg, TupleTableSlot *read)
{
	Writer	   *writer = arg;
	ExprContext *context;
	MemoryContext old;

	slot_getallattrs(read);
	if (writer->row == NULL)
	{
		gs_masker_put(writer->masker, read->tts_values, read->tts_isnull);
		return;
	}
	context = gs_mask_row_context(writer->row);
	ResetExprContext(context);
	old = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
	gs_mask_row_make(writer->row, writer->masker, read, writer->made);
	MemoryContextSwitchTo(old);
	table_tuple_insert(writer->to, writer->made, writer->command, 0,
					   writer->bulk);
}

static int64
take_rows(Writer *writer, const GsMaskTable *table)
{
	Portal		portal = open_rows(writer->to, table);
	TupleTableSlot *read = MakeSingleTupleTableSlot(portal->tupDesc,
													&TTSOpsHeapTuple);
	int64		n = 0;

	for (;;)
	{
		SPITupleTable *rows;
		uint64		fetched;

		SPI_cursor_fetch(portal, true, ROWS_AT_ONCE);
		rows = SPI_tuptable;
		fetched = SPI_processed;
		for (uint64 i = 0; i < fetched; i++)
		{
			CHECK_FOR_INTERRUPTS();
			ExecStoreHeapTuple(rows->vals[i], read, false);
			gs_synthesis_pass(writer->row != NULL ? writer->synthesis : NULL,
							  read, take_row, writer);
		}
		ExecClearTuple(read);
		SPI_freetuptable(rows);
		n += fetched;
		if (fetched == 0)
			break;
	}
	gs_synthesis_pass(writer->row != NULL ? writer->synthesis : NULL, NULL,
					  take_row, writer);
	ExecDropSingleTupleTableSlot(read);
	SPI_cursor_close(portal);
	return n;
}

static int64
fill(const Copy *copy, const GsMaskTable *table)
{
	Writer		writer = {0};
	Oid			relid;
	uint64		counter = 0;
	int64		n;

	relid = RangeVarGetRelid(makeRangeVarFromNameList(gs_name_list(copy_name(copy, table))),
							 AccessExclusiveLock, false);
	writer.to = table_open(relid, NoLock);
	writer.masker = gs_mask_begin(writer.to, table, copy->key,
								  gs_mask_count_digits(table), &counter);
	if (gs_masker_shuffles(writer.masker))
	{
		take_rows(&writer, table);
		gs_masker_sort(writer.masker);
	}
	writer.synthesis = gs_mask_synthesis(writer.to, table, copy->key);
	writer.row = gs_mask_row_begin(writer.to, table);
	writer.made = MakeSingleTupleTableSlot(RelationGetDescr(writer.to),
										   &TTSOpsVirtual);
	writer.bulk = GetBulkInsertState();
	writer.command = GetCurrentCommandId(true);
	n = take_rows(&writer, table);
	FreeBulkInsertState(writer.bulk);
	ExecDropSingleTupleTableSlot(writer.made);
	gs_mask_row_end(writer.row);
	gs_masker_end(writer.masker);
	table_close(writer.to, NoLock);
	CommandCounterIncrement();
	SPI_execute(psprintf("REINDEX TABLE %s", copy_name(copy, table)), false,
				0);
	return n;
}

/*
 * gs_mask_copy: makes masked copies of all tables of a plan.
 *
 * target: of which "into" is to be the copy, as users write a name; the
 * others' have their own names, in the same schema.  Errors: 42P07 for tables
 * that are there already; 42501 where others' functions would run as the
 * caller; those of constraints.
 */
void
gs_mask_copy(const GsMaskPlan *plan, Oid target, const char *into,
			 const GsPseudonymKey *key, const char *key_name)
{
	Copy		copy = {.target = target, .plan = plan, .key = key};
	RangeVar   *name = makeRangeVarFromNameList(gs_name_list(into));
	int			level;
	ListCell   *cell;

	copy.schema = get_namespace_name(RangeVarGetCreationNamespace(name));
	copy.into = quote_qualified_identifier(copy.schema, name->relname);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	level = gs_fix_names();
	PushActiveSnapshot(GetTransactionSnapshot());
	foreach(cell, plan->tables)
	{
		const GsMaskTable *table = lfirst(cell);

		gs_like_table(copy_name(&copy, table), table->name, table->relid,
					  false);
	}
	foreach(cell, plan->tables)
	{
		GsMaskTable *table = lfirst(cell);
		GsMaskTable made = *table;
		int64		n = fill(&copy, table);

		made.name = unconstify(char *, copy_name(&copy, table));
		made.relid = RangeVarGetRelid(makeRangeVarFromNameList(gs_name_list(made.name)),
									  NoLock, false);
		gs_provenance_add(&made, "into", key_name, n);
	}
	PopActiveSnapshot();
	foreach(cell, plan->tables)
	{
		const GsMaskTable *table = lfirst(cell);

		gs_like_keys(copy_name(&copy, table), table->relid, stands_for, &copy,
					 false);
		SPI_execute(psprintf("ANALYZE %s", copy_name(&copy, table)), false, 0);
	}
	gs_end_settings(level);
	SPI_finish();
}
