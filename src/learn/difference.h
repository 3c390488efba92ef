/*
 * difference.h
 *	  Columns that are learned as what they add to others, or by the
 *	  calendar.
 */
#ifndef GENSYNTH_DIFFERENCE_H
#define GENSYNTH_DIFFERENCE_H

#include "learn/learn.h"

/* What a column could be told from. */
typedef struct GsLink
{
	int			base;			/* column; -1: none */
	GsAspect		aspect;
	int			since;			/* column, of an aspect of two; else -1 */
	int64		fixed;			/* moment, of an aspect to one */
	int			sign;			/* see GsLayout */
	double		score;			/* the less, the better */
} GsLink;

/*
 * Whether two columns stand near enough to each other to be compared: in wide
 * tables not all pairs are.
 */
static inline bool
gs_is_near(const GsSample *sample, int a, int b)
{
	return sample->ncolumns <= 128 || abs(a - b) <= 32;
}

extern void gs_layouts_find(GsSample *sample, int threshold,
							bool differences, List *orders);

/* difference.c, for private fits */
extern bool gs_column_may_differ(const GsColumn *column);
extern int64 gs_difference_unit(const GsColumn *column, int scale);
extern GsLayout *gs_layout_create(void);
extern void gs_layout_add_base(GsLayout *layout, int base, int64 own,
							   int64 unit);

/* difference.c, for aspect.c */
extern bool gs_may_differ(const GsSample *sample, int column);

/* aspect.c */
extern void gs_aspect_find(const GsSample *sample, int column, GsLink *best);

/* What a column of floats was before it became whole numbers. */
typedef struct GsFloats
{
	bool		changed;
	bool		grouped;		/* may be told from others */
	GsCodec		codec;
	GsLane		lane;
} GsFloats;

/* float_scale.c */
extern GsFloats *gs_floats_to_whole(GsSample *sample, List *orders);
extern void gs_floats_settle(GsSample *sample, GsFloats *floats);

#endif
