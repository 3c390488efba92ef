/*
 * jsonrow.h
 *	  Rows as jsonb, without going through text.
 */
#ifndef GENSYNTH_JSONROW_H
#define GENSYNTH_JSONROW_H

#include "postgres.h"

#include "access/tupdesc.h"

typedef struct GsJsonRow GsJsonRow;

extern GsJsonRow *gs_jsonrow_create(TupleDesc desc);
extern Datum gs_jsonrow_form(GsJsonRow *row, const Datum *values,
							 const bool *nulls);

#endif
