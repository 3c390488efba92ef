/*
 * normal.h
 *	  The standard normal distribution: density, distribution function,
 *	  quantile, and the table that turns random words into normal variates.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_NORMAL_H
#define GENSYNTH_NORMAL_H

#include <stdint.h>

extern double gs_normal_pdf(double z);
extern double gs_normal_cdf(double z);
extern double gs_normal_quantile(double p);
extern void gs_normal_lane(const uint32_t *words, float *z, int n);

#endif
