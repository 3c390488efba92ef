/*
 * dependency.h
 *	  Features that others determine.
 */
#ifndef GENSYNTH_DEPENDENCY_H
#define GENSYNTH_DEPENDENCY_H

#include "column/tensor.h"
#include "condition/given.h"

typedef struct GsDependency GsDependency;

extern void gs_dependency_find(GsEncoded *encoded, bool wanted,
							   List **tensors);
extern GsDependency *gs_dependency_load(const GsSchema *schema,
										const List *tensors);
extern void gs_dependency_need(const GsDependency *determined, bool *needed);
extern int	gs_dependency_context(const GsDependency *determined,
								  const bool *context);
extern void gs_dependency_fill(const GsDependency *determined,
							   GsBatch *batch);
extern void gs_dependency_given(const GsDependency *determined,
								const GsSchema *schema, GsGiven *given);

#endif
