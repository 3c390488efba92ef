/*
 * kind_find.h
 *	  Columns of personal values, while a fit looks at its sample.
 */
#ifndef GENSYNTH_KIND_FIND_H
#define GENSYNTH_KIND_FIND_H

#include "learn/learn.h"

extern void gs_kinds_find(GsSample *sample, const char *relation);

#endif
