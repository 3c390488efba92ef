/*
 * lane.h
 *	  Lanes: one part of a column, row by row, while the source is read.
 */
#ifndef GENSYNTH_LANE_H
#define GENSYNTH_LANE_H

#include "column/column.h"
#include "utils/hsearch.h"

/* A text seen in a lane, under its hash. */
typedef struct GsText
{
	uint64		hash;			/* key */
	int64		count;			/* rows seen with it while it was kept */
	char	   *text;			/* terminated; perhaps not all of it */
	int			len;
	int			full_len;
	bool		shown;			/* a level: not to be generated too */
} GsText;

/* How a numeric's values are kept so far. */
typedef enum GsNumericState
{
	GS_NUMERIC_SCALED,			/* int64 at the lane's scale */
	GS_NUMERIC_TEXTS,			/* too wide for that: few texts */
	GS_NUMERIC_DOUBLE			/* too wide and too many */
} GsNumericState;

typedef struct GsLane
{
	GsLaneType	type;			/* what scalars hold now; never NUMERIC */
	bool		is_numeric;
	GsNumericState state;
	int			scale;			/* most decimals of a numeric */
	int			min_scale;		/* least */
	int64		allocated;
	GsScalar   *scalar;		/* [allocated] */
	bool	   *absent;			/* [allocated], or NULL: none is absent yet */

	/* texts by hash: all that fit in the budget, the rarest leave first */
	HTAB	   *texts;
	MemoryContext texts_context;
	Size		texts_bytes;
	Size		texts_budget;
	bool		evicted;		/* some have left */
	uint64		salt;
	MemoryContext context;		/* of scalars and absent */
} GsLane;

extern void gs_lane_init(GsLane *lane, GsLaneType type, uint64 salt,
						 Size texts_budget);
extern void gs_lane_free(GsLane *lane);
extern void gs_lane_put(GsLane *lane, int64 row, int64 nrows,
						const GsPart *part);
extern GsText *gs_lane_text(GsLane *lane, uint64 hash);
extern void gs_lane_add_text(GsLane *lane, uint64 hash, const char *text,
							 int len, int full_len, int64 count);
extern int	gs_lane_format(const GsLane *lane, int64 value, char *out,
						   Size size);
extern void gs_lane_to_double(GsLane *lane, int64 nrows);

#endif
