/*
 * layout.h
 *	  Columns that are learned in other parts than their type has.
 */
#ifndef GENSYNTH_LAYOUT_H
#define GENSYNTH_LAYOUT_H

#include "codec/calendar.h"
#include "column/tensor.h"

#define GS_MAX_BASES	4
#define GS_MAX_DEPTH	8		/* of columns that are told from each other */

/* Ends of what is learned of a column. */
#define GS_MAX_END		(INT64CONST(1) << 61)

/*
 * How a column of numbers is learned: as what it adds to another column of its
 * row, or by the calendar, or both.  Its features are those of the sum with a
 * base (sum[0]), and then those of the value by itself (sum[1]), which stands
 * where no base has a value.
 */
typedef struct GsSum
{
	GsCalendar		unit;
	int			nparts;			/* 0: there is none of this */
	int64		min;			/* of what is added, or of the value */
	int64		max;
} GsSum;

typedef struct GsLayout
{
	int			nbases;
	int			base[GS_MAX_BASES]; /* columns: the first with a value, or ... */
	bool		highest;		/* ... the highest of those with one */
	int64		times[GS_MAX_BASES];	/* what it is multiplied ... */
	int64		per[GS_MAX_BASES];	/* ... and divided by, one of them 1 */
	GsAspect		aspect;			/* of the base, in microseconds then */
	int			since;			/* column: the aspect is of two; -1 */
	int64		since_times;	/* to microseconds; of an aspect to a fixed
								 * moment, that */
	int			sign;			/* 1: never below the base; -1: above */
	bool		both;			/* too few rows stand for themselves: all
								 * have parts for that, too */
	bool		from_least;		/* they have no parts, but add to the least
								 * that a base may be */
	bool		exact;			/* differences are few: none is folded */
	bool		min_reached;	/* by many values of a number, as 100 % is: */
	bool		max_reached;	/* what lies beyond is there, not folded */
	int64		min;			/* what the column's type can hold */
	int64		max;
	int64		far_min;		/* values beyond are never a sum, as ... */
	int64		far_max;		/* ... 9999-12-31 */
	int64		per_day;		/* steps of its values; 0: no moment */
	GsSum		sum[2];
} GsLayout;

/* The parts of one value: those of sum[0] and of sum[1] in turn. */
typedef struct GsLayoutParts
{
	GsScalar	value[GS_MAX_PARTS];
	bool		absent[GS_MAX_PARTS];
} GsLayoutParts;

struct GsColumn;
struct GsFeature;
struct GsSchema;

extern void gs_layout_set(struct GsColumn *column, GsLayout *layout);
extern int64 gs_layout_origin(const GsLayout *layout, int base, int64 value,
							  int64 since);
extern int64 gs_layout_least(const GsLayout *layout);
extern void gs_layout_limit(const struct GsColumn *column, int scale,
							GsLayout *layout);
extern bool gs_layout_reaches(const struct GsColumn *columns, int from,
							  int to);
extern bool gs_layout_takes(const GsLayout *layout, bool found, int64 origin,
							int64 other);
extern bool gs_layout_is_special(const struct GsColumn *column, int64 value);
extern bool gs_layout_has_ends(const struct GsColumn *column,
							   const struct GsFeature *count);
extern bool gs_layout_split(const struct GsColumn *column, int64 value,
							const int64 *origin, GsLayoutParts *parts);
extern int64 gs_layout_join(const struct GsColumn *column,
							const GsLayoutParts *parts, const int64 *origin);
extern int	gs_layout_nulls(const struct GsSchema *schema, int column,
							int *feature, int *code);
extern bool gs_layout_part_absent(const GsLayout *layout, int part,
								  const bool *is_null);
extern void gs_layouts_save(const struct GsSchema *schema, List **tensors);
extern void gs_layouts_load(struct GsSchema *schema, const List *tensors);
extern void gs_layouts_check(const struct GsSchema *schema);

#endif
