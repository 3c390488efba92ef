/*
 * given.h
 *	  Conditions on columns, as conditions on the features that a family has.
 *
 * A condition is a jsonb object of columns, each with a value, NULL, a set of
 * both, or a range.  It becomes boxes: disjoint alternatives, in each of which
 * every feature has a region of its own.  There is one box, except where NULL
 * is asked for beside values of a column whose NULLs are a feature of their
 * own: that takes two.
 */
#ifndef GENSYNTH_GIVEN_H
#define GENSYNTH_GIVEN_H

#include "column/column.h"
#include "numeric/truncated.h"
#include "utils/jsonb.h"

/* What one feature may be. */
typedef struct GsRegion
{
	bool		given;			/* false: anything */
	bool	   *allowed;		/* [nlevels], category */
	int			n;
	GsInterval *interval;		/* [n], number: of its score, in order */
} GsRegion;

/* How rows that meet a condition were found. */
typedef struct GsConditionStats
{
	int64		rows;
	int64		tries;			/* rows / tries: the acceptance rate */
	int64		resampled;		/* rows that no try was accepted for */
	double		weight;			/* of all tries, as importance samples ... */
	double		squared;		/* ... and their squares */
	const char *column;			/* the only one that is given; else NULL */
} GsConditionStats;

typedef struct GsGiven
{
	const GsSchema *source;		/* as it was learned */
	GsSchema   *schema;			/* whose numbers decode to values asked for */
	int			nboxes;
	GsRegion  **box;			/* [nboxes][nfeatures] */
	bool	  **wanted;			/* [nfeatures] values that a determined feature
								 * may have; NULL: any */
	GsConditionStats stats;
} GsGiven;

extern GsGiven *gs_given_parse(const GsSchema *schema, Jsonb *given);
GS_NORETURN extern void gs_given_impossible(const GsConditionStats *stats);
extern GsRegion gs_region_of_levels(int nlevels, const bool *allowed);
extern bool gs_region_intersect(const GsFeature *feature, GsRegion *region,
								const GsRegion *with);

/* given_calendar.c */

/* Values of a column of moments from low to high, both among them. */
typedef struct GsMoments
{
	int64		low;
	int64		high;
} GsMoments;

extern bool gs_given_moments(GsGiven *given, int column,
							 const GsMoments *moments, int n, bool null);
extern void gs_given_multiply(GsGiven *given, int by);

/* given_number.c */

/* Values of a number feature from low to high, both among them. */
typedef struct GsScalarRange
{
	GsScalar	low;
	GsScalar	high;
} GsScalarRange;

/* A part of a segment: its values, and its normal scores. */
typedef struct GsPiece
{
	GsScalar	low;
	GsScalar	high;
	double		from;
	double		to;
} GsPiece;

typedef enum GsBound
{
	GS_BOUND_GTE,
	GS_BOUND_GT,
	GS_BOUND_LTE,
	GS_BOUND_LT
} GsBound;

extern GsScalarRange gs_scalars_all(const GsFeature *feature);
extern bool gs_scalars_bound(const GsColumn *column, const GsFeature *feature,
							 GsBound bound, Datum value, GsScalarRange *range);
extern bool gs_scalars_point(const GsColumn *column, const GsFeature *feature,
							 Datum value, GsScalarRange *range);
extern int	gs_number_pieces(const GsColumn *column, const GsFeature *feature,
							 GsScalarRange range, bool point, GsPiece *pieces);
extern int	gs_pieces_order(const GsFeature *feature, GsPiece *pieces, int n);
extern void gs_number_region(const GsFeature *feature, const GsPiece *pieces,
							 int n, GsRegion *region);
extern void gs_number_table(const GsPiece *pieces, int n, GsQuantile *q);
extern bool gs_region_intersect(const GsFeature *feature, GsRegion *region,
								const GsRegion *with);

#endif
