/*
 * guide.c
 *	  Which interval of a sorted list each of many normal scores falls into.
 *
 * Plain C: no postgres.h.
 */
#include <math.h>

#include "clones.h"
#include "guide.h"
#include "normal.h"

/* as normal.c's: the same bits on every processor */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize ("fp-contract=off")
#endif

/* as philox.c's: a constant trip count vectorises at -O2 */
#define LANE_BLOCK	64

/* Cells are made smaller until a score is so few steps from its interval. */
#define FEW_STEPS	2
#define MIN_CELLS	128
#define RARE			3.0		/* scores beyond this may take more */
#define LIKELY			0.85

/*
 * Points the cells, of a number, at their first intervals.  Sets the steps;
 * returns those of scores that are not rare.
 */
static int
point_cells(GsGuide *guide, const double *edge, int n, int ncells)
{
	const double width = 2.0 * GS_GUIDE_END / ncells;
	int			at = 0;
	int			end = 0;
	int			often = 0;

	guide->ncells = ncells;
	guide->steps = 0;
	for (int i = 0; i < ncells; i++)
	{
		/* a score near its ends may round into the cell */
		while (i > 0 && at < n - 1 &&
			   edge[at + 1] <= (i - 0.01) * width - GS_GUIDE_END)
			at++;
		while (end < n - 1 &&
			   (i == ncells - 1 ||
				edge[end + 1] <= (i + 1.01) * width - GS_GUIDE_END))
			end++;
		guide->cell[i] = at;
		if (guide->steps < end - at)
			guide->steps = end - at;
		if (often < end - at && fabs((i + 0.5) * width - GS_GUIDE_END) < RARE)
			often = end - at;
	}
	return often;
}

/*
 * gs_guide_init
 *
 * Fills a guide for the intervals between edge[n + 1], not decreasing, of
 * which the first and the last are not looked at; n > 0.  allocate: palloc,
 * or malloc that does not fail.
 */
void
gs_guide_init(GsGuide *guide, const double *edge, int n,
			  void *(*allocate) (size_t))
{
	int			ncells = MIN_CELLS;

	guide->edge = allocate(sizeof(float) * (n + 1));
	guide->cell = allocate(sizeof(int32_t) * GS_GUIDE_CELLS);

	/* the least float that a score must have to reach the edge */
	for (int i = 0; i < n; i++)
	{
		guide->edge[i] = (float) edge[i];
		if (guide->edge[i] < edge[i])
			guide->edge[i] = nextafterf(guide->edge[i], INFINITY);
	}
	guide->edge[n] = NAN;
	while (point_cells(guide, edge, n, ncells) > FEW_STEPS &&
		   ncells < GS_GUIDE_CELLS)
		ncells *= 2;

	/* what holds more than half of them holds the median */
	guide->likely = gs_guide_find_one(guide, 0);
	guide->low = guide->likely == 0 ? -INFINITY : guide->edge[guide->likely];
	guide->high = guide->likely == n - 1 ? INFINITY :
		guide->edge[guide->likely + 1];
	if (gs_normal_cdf(guide->high) - gs_normal_cdf(guide->low) < LIKELY)
		guide->likely = -1;
}

/*
 * gs_guide_find where one interval holds nearly all scores: a branch that can
 * be guessed.
 */
static void
find_likely(const GsGuide *guide, const float *score, int32_t *interval,
			int count)
{
	int			likely = guide->likely;
	float		low = guide->low;
	float		high = guide->high;

	for (int i = 0; i < count; i++)
		interval[i] = score[i] >= low && score[i] < high ? likely :
			gs_guide_find_one(guide, score[i]);
}

/*
 * The cells of LANE_BLOCK scores.  Inlined into each clone.
 */
static GS_ALWAYS_INLINE void
find_cells(float ncells, const float *restrict score, int32_t *restrict cell)
{
	for (int i = 0; i < LANE_BLOCK; i++)
		cell[i] = gs_guide_cell(ncells, score[i]);
}

/*
 * gs_guide_find
 *
 * For each of score[count], the last of the guide's intervals that does not
 * begin after it: interval[count].  NaN gives the first.  score and interval
 * must not overlap.  The same as gs_guide_find_one, many at a time.
 */
GS_CLONES void
gs_guide_find(const GsGuide *guide, const float *score, int32_t *interval,
			  int count)
{
	const float *edge = guide->edge;
	const int32_t *cell = guide->cell;
	float		ncells = (float) guide->ncells;
	int			done;

	if (guide->likely >= 0)
	{
		find_likely(guide, score, interval, count);
		return;
	}
	for (done = 0; count - done >= LANE_BLOCK; done += LANE_BLOCK)
		find_cells(ncells, score + done, interval + done);
	for (; done < count; done++)
		interval[done] = gs_guide_cell(ncells, score[done]);

	/* without a branch to guess */
	for (int i = 0; i < count; i++)
	{
		int32_t		at = cell[interval[i]];

		for (int step = 0; step < FEW_STEPS; step++)
			at += edge[at + 1] <= score[i];
		interval[i] = at;
	}
	if (guide->steps > FEW_STEPS)
		for (int i = 0; i < count; i++)
			while (edge[interval[i] + 1] <= score[i])
				interval[i]++;
}
