/*
 * stream.h
 *	  A stream of synthetic rows.
 */
#ifndef GENSYNTH_STREAM_H
#define GENSYNTH_STREAM_H

#include "postgres.h"

#include "access/tupdesc.h"

#include "model/model.h"

typedef struct GsStream GsStream;

extern GsStream *gs_stream_open(const GsModel *model, TupleDesc desc,
								int64 seed, int64 start, int64 n);
extern bool gs_stream_next(GsStream *stream, Datum *values, bool *nulls);
extern TupleDesc gs_stream_desc(const GsModel *model);

#endif
