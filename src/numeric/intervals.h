/*
 * intervals.h
 *	  Which of few intervals each of many scores falls into.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_INTERVALS_H
#define GENSYNTH_INTERVALS_H

#include <stdint.h>

/* Up to here counting is faster than a guide (see guide.h). */
#define GS_INTERVALS_FEW	32

extern void gs_intervals_find(const float *edge, int n, const float *score,
							  int32_t *interval, int count);

#endif
