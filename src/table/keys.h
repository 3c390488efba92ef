/*
 * keys.h
 *	  Which columns of a relation are unique by themselves.
 */
#ifndef GENSYNTH_KEYS_H
#define GENSYNTH_KEYS_H

#include "table/source.h"

extern bool gs_is_unique_within(Oid relid, const List *columns);
extern bool gs_source_refers(const GsSource *source, const char *name);
extern bool gs_source_unique(const GsSource *source, const char *name,
							 bool *one_null, bool *partly);

#endif
