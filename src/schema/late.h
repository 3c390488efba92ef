/*
 * late.h
 *	  Foreign keys that are set when all rows are there.
 */
#ifndef GENSYNTH_LATE_H
#define GENSYNTH_LATE_H

#include "nodes/pg_list.h"

extern void gs_set_late_keys(Oid relid, List *later, const char *model,
							 const char *functions, int64 seed);

#endif
