/*
 * rewrite_writer.c
 *	  Masked rows on their way to a new heap, which takes some at a time, as
 *	  COPY has it: a page is locked, and a record of WAL written, once for all
 *	  of them.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "mask/rewrite.h"

/* Rows that are written together. */
#define MOST_ROWS	1000
#define MOST_BYTES	65535

struct GsMaskWriter
{
	Relation	to;
	BulkInsertState bulk;
	CommandId	command;
	MemoryContext context;		/* of the rows that wait */
	TupleTableSlot *slots[MOST_ROWS];
	int			n;
	Size		bytes;
};

/*
 * gs_mask_writer_begin: for rows of a relation that nobody else sees yet.
 */
GsMaskWriter *
gs_mask_writer_begin(Relation to)
{
	GsMaskWriter *writer = palloc0(sizeof(GsMaskWriter));

	writer->to = to;
	writer->bulk = GetBulkInsertState();
	writer->command = GetCurrentCommandId(true);
	writer->context = AllocSetContextCreate(CurrentMemoryContext,
											"gensynth mask rows",
											ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < MOST_ROWS; i++)
		writer->slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(to),
													&TTSOpsHeapTuple);
	return writer;
}

static void
flush(GsMaskWriter *writer)
{
	MemoryContext old = MemoryContextSwitchTo(writer->context);

	if (writer->n > 0)
		table_multi_insert(writer->to, writer->slots, writer->n,
						   writer->command, TABLE_INSERT_SKIP_FSM,
						   writer->bulk);
	MemoryContextSwitchTo(old);
	for (int i = 0; i < writer->n; i++)
		ExecClearTuple(writer->slots[i]);
	MemoryContextReset(writer->context);
	writer->n = 0;
	writer->bytes = 0;
}

/*
 * gs_mask_writer_put: takes a row, and writes it now or later.
 */
void
gs_mask_writer_put(GsMaskWriter *writer, TupleTableSlot *row)
{
	MemoryContext old = MemoryContextSwitchTo(writer->context);
	HeapTuple	tuple = ExecCopySlotHeapTuple(row);

	MemoryContextSwitchTo(old);
	/* a row and no composite value, whose type some servers look up */
	tuple->t_data->t_infomask &= ~HEAP_XACT_MASK;
	ExecStoreHeapTuple(tuple, writer->slots[writer->n++], false);
	writer->bytes += tuple->t_len;
	if (writer->n == MOST_ROWS || writer->bytes >= MOST_BYTES)
		flush(writer);
}

/*
 * gs_mask_writer_end: writes what still waits, and frees all.
 */
void
gs_mask_writer_end(GsMaskWriter *writer)
{
	flush(writer);
	FreeBulkInsertState(writer->bulk);
	table_finish_bulk_insert(writer->to, TABLE_INSERT_SKIP_FSM);
	for (int i = 0; i < MOST_ROWS; i++)
		ExecDropSingleTupleTableSlot(writer->slots[i]);
	MemoryContextDelete(writer->context);
	pfree(writer);
}
