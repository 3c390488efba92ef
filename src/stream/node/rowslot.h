/*
 * rowslot.h
 *	  The slot of a scan's rows.
 */
#ifndef GENSYNTH_ROWSLOT_H
#define GENSYNTH_ROWSLOT_H

#include "postgres.h"

#include "executor/tuptable.h"

#include "stream/stream.h"

extern const TupleTableSlotOps *gs_rowslot_ops(void);
extern bool gs_rowslot_next(TupleTableSlot *slot, GsStream *stream);

#endif
