/*
 * guide.h
 *	  Which interval of a sorted list a normal score falls into, in one or two
 *	  steps: a guide table over equal cells (Chen and Asau, "On generating
 *	  random variates from an empirical distribution", AIIE Trans. 6, 1974).
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_GUIDE_H
#define GENSYNTH_GUIDE_H

#include <stdint.h>

#define GS_GUIDE_CELLS	2048
#define GS_GUIDE_END	5.0

/*
 * Fills the guide: cell[i] is the interval at the cell's left end, and of the
 * first cell the first interval.  edge: [n + 1], not decreasing; n < 65536.
 */
static inline void
gs_guide_build(uint16_t cell[GS_GUIDE_CELLS], const double *edge, int n)
{
	int			at = 0;

	for (int i = 0; i < GS_GUIDE_CELLS; i++)
	{
		double		from = i * (2 * GS_GUIDE_END / GS_GUIDE_CELLS) - GS_GUIDE_END;

		while (i > 0 && at < n - 1 && edge[at + 1] <= from)
			at++;
		cell[i] = (uint16_t) at;
	}
}

/*
 * The interval that holds a score; the outer ones hold all beyond.  NaN gives
 * the first.
 */
static inline int
gs_guide_find(const uint16_t cell[GS_GUIDE_CELLS], const double *edge, int n,
			  double score)
{
	double		place = (score + GS_GUIDE_END) *
		(GS_GUIDE_CELLS / (2 * GS_GUIDE_END));
	int			at = cell[place >= GS_GUIDE_CELLS ? GS_GUIDE_CELLS - 1 :
						  place > 0 ? (int) place : 0];

	while (at < n - 1 && edge[at + 1] <= score)
		at++;
	return at;
}

#endif
