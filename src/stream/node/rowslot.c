/*
 * rowslot.c
 *	  The slot of a scan's rows: a virtual tuple, of which the stream can also
 *	  give the heap tuple.
 *
 * Who stores rows (CREATE TABLE AS, INSERT, a sort, a worker's queue) asks
 * the slot for a tuple; one of a slice that was formed at once is a fraction
 * of the cost of one that is formed alone.
 */
#include "postgres.h"

#include "access/htup_details.h"

#include "compat.h"
#include "stream/node/rowslot.h"

typedef struct RowSlot
{
	VirtualTupleTableSlot base;
	GsStream   *stream;			/* whose row at hand this is; or NULL */
	Datum	   *values;			/* the slot's own arrays meanwhile */
	bool	   *nulls;
	HeapTuple	own;			/* formed here; or NULL */
} RowSlot;

static void
clear_row(TupleTableSlot *slot)
{
	RowSlot    *row = (RowSlot *) slot;

	if (row->own != NULL)
		heap_freetuple(row->own);
	row->own = NULL;
	if (row->stream != NULL)
	{
		slot->tts_values = row->values;
		slot->tts_isnull = row->nulls;
		row->stream = NULL;
	}
	TTSOpsVirtual.clear(slot);
}

/*
 * The stream's row lives until the next one is fetched, and so as long as
 * what the slot holds.
 */
static void
materialize_row(TupleTableSlot *slot)
{
	if (((RowSlot *) slot)->stream == NULL)
		TTSOpsVirtual.materialize(slot);
}

static HeapTuple
get_heap_tuple(TupleTableSlot *slot)
{
	RowSlot    *row = (RowSlot *) slot;

	if (row->stream != NULL)
		return gs_stream_tuple(row->stream);
	if (row->own == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(slot->tts_mcxt);

		row->own = TTSOpsVirtual.copy_heap_tuple(slot);
		MemoryContextSwitchTo(old);
	}
	return row->own;
}

static HeapTuple
copy_heap_tuple(TupleTableSlot *slot)
{
	RowSlot    *row = (RowSlot *) slot;

	if (row->stream != NULL)
		return heap_copytuple(gs_stream_tuple(row->stream));
	return TTSOpsVirtual.copy_heap_tuple(slot);
}

static MinimalTuple
copy_minimal_tuple(GS_MINIMAL_ARGS(slot))
{
	RowSlot    *row = (RowSlot *) slot;

	if (row->stream != NULL)
		return minimal_tuple_from_heap_tuple(gs_stream_tuple(row->stream)
											 GS_MINIMAL_EXTRA);
	return TTSOpsVirtual.copy_minimal_tuple(slot GS_MINIMAL_EXTRA);
}

/*
 * gs_rowslot_ops: how such slots work.
 */
const TupleTableSlotOps *
gs_rowslot_ops(void)
{
	static TupleTableSlotOps ops;

	if (ops.base_slot_size == 0)
	{
		ops = TTSOpsVirtual;
		ops.clear = clear_row;
		ops.materialize = materialize_row;
		ops.get_heap_tuple = get_heap_tuple;
		ops.copy_heap_tuple = copy_heap_tuple;
		ops.copy_minimal_tuple = copy_minimal_tuple;
		ops.base_slot_size = sizeof(RowSlot);
	}
	return &ops;
}

/*
 * gs_rowslot_next: puts the stream's next row into a slot, in the place of the
 * one there; false, and the slot is left as it was, after the last.
 */
bool
gs_rowslot_next(TupleTableSlot *slot, GsStream *stream)
{
	RowSlot    *row = (RowSlot *) slot;
	Datum	   *values;
	bool	   *nulls;

	if (!gs_stream_next(stream, &values, &nulls))
		return false;
	if (row->stream == NULL)
	{
		ExecClearTuple(slot);
		row->values = slot->tts_values;
		row->nulls = slot->tts_isnull;
		row->stream = stream;
	}
	slot->tts_values = values;
	slot->tts_isnull = nulls;
	slot->tts_flags &= ~TTS_FLAG_EMPTY;
	slot->tts_nvalid = slot->tts_tupleDescriptor->natts;
	return true;
}
