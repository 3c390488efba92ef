/*
 * guide.h
 *	  Which interval of a sorted list a normal score falls into, in a few
 *	  steps: a guide table over equal cells (Chen and Asau, "On generating
 *	  random variates from an empirical distribution", AIIE Trans. 6, 1974).
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_GUIDE_H
#define GENSYNTH_GUIDE_H

#include <stddef.h>
#include <stdint.h>

#define GS_GUIDE_CELLS	4096	/* at most */
#define GS_GUIDE_END	5.0f

typedef struct GsGuide
{
	float	   *edge;			/* [n + 1] of n intervals; no score has the last */
	int32_t    *cell;			/* [ncells] interval at the left end */
	int			ncells;			/* a power of 2 */
	int			steps;			/* from there to a score's interval, at most */
	int			likely;			/* interval that holds nearly all; or -1 */
	float		low;			/* of its scores ... */
	float		high;			/* ... and not of them */
} GsGuide;

extern void gs_guide_init(GsGuide *guide, const double *edge, int n,
						  void *(*allocate) (size_t));
extern void gs_guide_find(const GsGuide *guide, const float *score,
						  int32_t *interval, int count);

/*
 * The cell of a score, of ncells; the outer ones hold all beyond, the first
 * one NaN.
 */
static inline int32_t
gs_guide_cell(float ncells, float score)
{
	float		position = (score + GS_GUIDE_END) *
		(ncells / (2 * GS_GUIDE_END));

	position = position > 0 ? position : 0;
	position = position < ncells - 1 ? position : ncells - 1;
	return (int32_t) position;
}

/*
 * The interval that holds one score; the outer ones hold all beyond.  NaN
 * gives the first.
 */
static inline int
gs_guide_find_one(const GsGuide *guide, float score)
{
	int32_t		at = guide->cell[gs_guide_cell((float) guide->ncells, score)];

	while (guide->edge[at + 1] <= score)
		at++;
	return at;
}

#endif
