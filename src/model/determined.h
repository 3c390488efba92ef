/*
 * determined.h
 *	  Features that others determine.
 */
#ifndef GENSYNTH_DETERMINED_H
#define GENSYNTH_DETERMINED_H

#include "column/tensor.h"
#include "condition/given.h"

typedef struct GsDetermined GsDetermined;

extern void gs_determined_find(GsEncoded *encoded, bool wanted,
							   List **tensors);
extern GsDetermined *gs_determined_load(const GsSchema *schema,
										const List *tensors);
extern void gs_determined_need(const GsDetermined *determined, bool *needed);
extern int	gs_determined_context(const GsDetermined *determined,
								  const bool *context);
extern void gs_determined_fill(const GsDetermined *determined,
							   GsBatch *batch);
extern void gs_determined_given(const GsDetermined *determined,
								const GsSchema *schema, GsGiven *given);

#endif
