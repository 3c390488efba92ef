/*
 * store.h
 *	  Features at rest.
 */
#ifndef GENSYNTH_STORE_H
#define GENSYNTH_STORE_H

#include "column/tensor.h"
#include "column/column.h"

extern void gs_schema_save(const GsSchema *schema, List **tensors);
extern TupleDesc gs_schema_desc(const GsSchema *schema);
extern GsSchema *gs_schema_copy(const GsSchema *schema);
extern void gs_schema_load(GsSchema *schema, const List *tensors);

#endif
