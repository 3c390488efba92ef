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
#include "constraint/rules.h"

/* The rows of a stream that are decoded and not given out yet. */
typedef struct GsSlice
{
	Datum	   *values;			/* [rows][ncolumns] */
	bool	   *nulls;			/* [rows][ncolumns] */
	int			ncolumns;
	int			rows;
	int			at;				/* the next to be given out */
	const bool *dropped;		/* of the batch: some are left out; or NULL */
	HeapTupleData *tuples;		/* [rows], once one is asked for; or NULL */
} GsSlice;

typedef struct GsStream GsStream;	/* begins with its slice */

extern GsStream *gs_stream_open(GsSampler *sampler, TupleDesc desc,
								int64 seed);
extern void gs_stream_seek(GsStream *stream, int64 first, int64 end);
extern int64 gs_stream_position(const GsStream *stream);
extern int64 gs_stream_batches(const GsStream *stream);
extern bool gs_stream_advance(GsStream *stream);
extern void gs_stream_form(GsStream *stream);
extern const GsRules *gs_stream_rules(const GsStream *stream);

/*
 * gs_stream_next: the next row; false after the last.
 *
 * values, nulls: set to arrays with an element for each column of the
 * stream's descriptor; they are the stream's, and valid until the next call.
 */
static inline bool
gs_stream_next(GsStream *stream, Datum **values, bool **nulls)
{
	GsSlice    *slice = (GsSlice *) stream;
	Size		cell;

	if (unlikely(slice->at >= slice->rows || slice->dropped != NULL) &&
		!gs_stream_advance(stream))
		return false;
	cell = (Size) slice->at++ * slice->ncolumns;
	*values = slice->values + cell;
	*nulls = slice->nulls + cell;
	return true;
}

/*
 * gs_stream_tuple: the row that gs_stream_next has just given, as a tuple,
 * which lives as long.
 */
static inline HeapTuple
gs_stream_tuple(GsStream *stream)
{
	GsSlice    *slice = (GsSlice *) stream;

	if (unlikely(slice->tuples == NULL))
		gs_stream_form(stream);
	return &slice->tuples[slice->at - 1];
}

#endif
