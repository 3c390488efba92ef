/*
 * truncated.h
 *	  Normal variates that are confined to intervals.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_TRUNCATED_H
#define GENSYNTH_TRUNCATED_H

/* From low to high, low < high; either may be infinite. */
typedef struct GsInterval
{
	double		low;
	double		high;
} GsInterval;

extern double gs_normal_between(double low, double high);
extern double gs_normal_truncated(double low, double high, double u);
extern double gs_union_probability(const GsInterval *interval, int n,
								   double mean, double sd,
								   double *probability);
extern double gs_union_draw(const GsInterval *interval, int n, double mean,
							double sd, const double *probability, double u,
							int *chosen);

#endif
