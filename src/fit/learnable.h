/*
 * learnable.h
 *	  A source without the columns that cannot be learned.
 */
#ifndef GENSYNTH_LEARNABLE_H
#define GENSYNTH_LEARNABLE_H

#include "table/source.h"

extern GsSource *gs_learnable_source(const char *text, List *columns,
									 List *exclude, List **notes);

#endif
