/*
 * exact.h
 *	  Numbers whose single values matter.
 */
#ifndef GENSYNTH_EXACT_H
#define GENSYNTH_EXACT_H

#include "learn/learn.h"

extern void gs_exact_find_pairs(GsSample *sample, int threshold);
extern void gs_exact_find(GsSample *sample, int threshold);

#endif
