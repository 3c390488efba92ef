/*
 * exact.h
 *	  Numbers whose single values matter.
 */
#ifndef GENSYNTH_EXACT_H
#define GENSYNTH_EXACT_H

#include "learn/learn.h"

extern void gs_exact_find(GsSample *sample, int threshold);

#endif
