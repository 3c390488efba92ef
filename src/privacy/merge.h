/*
 * merge.h
 *	  Values of a column merged into cells, and cells into bins for counts of
 *	  pairs.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_MERGE_H
#define GENSYNTH_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#define GS_MERGE_BINS	32		/* of an ordered column, without NULL */
/* Bins of another: pairs have at most the square of it. */
#define GS_MERGE_LEVELS	256

extern int	gs_merge(const double *share, int n, double mass, int32_t *bin);
extern int	gs_merge_cells(const double *share, int n, bool ordered,
						   bool nullable, double noise, int32_t *cell);
extern int	gs_merge_bins(const double *share, int n, bool ordered,
						  bool nullable, const int32_t *cell, double noise,
						  int32_t *bin);

#endif
