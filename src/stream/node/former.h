/*
 * former.h
 *	  Heap tuples, many at a time.
 */
#ifndef GENSYNTH_FORMER_H
#define GENSYNTH_FORMER_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"

typedef struct GsFormer GsFormer;

extern GsFormer *gs_former_create(TupleDesc desc, const bool *packed);
extern HeapTupleData *gs_form_rows(const GsFormer *former, int nrows,
								   const Datum *values, const bool *nulls);

#endif
