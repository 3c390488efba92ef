/*
 * simplex.h
 *	  Noisy counts as a distribution.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_SIMPLEX_H
#define GENSYNTH_SIMPLEX_H

#include <stdbool.h>
#include <stdint.h>

extern bool gs_simplex(const int64_t *count, int n, double total,
					   double *share);
extern bool gs_nested(const int64_t *count, int n, double sigma,
					  double total, double *share);

#endif
