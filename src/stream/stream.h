/*
 * stream.h
 *	  A stream of synthetic rows.
 */
#ifndef GENSYNTH_STREAM_H
#define GENSYNTH_STREAM_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"

#include "model/model.h"
#include "rules/rules.h"

typedef struct GsStream GsStream;

extern GsStream *gs_stream_open(const GsModel *model, TupleDesc desc,
								int64 seed);
extern void gs_stream_seek(GsStream *stream, int64 first, int64 end);
extern int64 gs_stream_position(const GsStream *stream);
extern int64 gs_stream_batches(const GsStream *stream);
extern bool gs_stream_next(GsStream *stream, Datum **values, bool **nulls);
extern HeapTuple gs_stream_tuple(GsStream *stream);
extern const GsRules *gs_stream_rules(const GsStream *stream);

#endif
