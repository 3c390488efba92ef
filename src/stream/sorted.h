/*
 * sorted.h
 *	  Rows in the order of a key that the target numbers itself.
 */
#ifndef GENSYNTH_SORTED_H
#define GENSYNTH_SORTED_H

#include "postgres.h"

#include "stream/target.h"
#include "utils/tuplestore.h"

typedef struct GsSorting GsSorting;

extern GsSorting *gs_sorting_open(const GsTarget *target,
								  const GsSchema *schema);
extern Tuplestorestate *gs_sorting_apply(const GsSorting *sorting,
										 const GsTarget *target,
										 Tuplestorestate *rows);

#endif
