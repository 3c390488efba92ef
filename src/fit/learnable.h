/*
 * learnable.h
 *	  A source without the columns that cannot be learned.
 */
#ifndef GENSYNTH_LEARNABLE_H
#define GENSYNTH_LEARNABLE_H

#include "learn/learn.h"
#include "table/source.h"

extern GsSource *gs_learnable_source(const char *text, List *columns,
									 List *exclude, List **notes);
extern void gs_learnable_column(const GsSource *source, int c,
								GsColumn *column);
extern bool gs_source_computes(const GsSource *source, const char *name);
extern void gs_mark_computed(const GsSource *source, GsSample *sample);

#endif
