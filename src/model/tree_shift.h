/*
 * tree_shift.h
 *	  Numbers that are told best by how far they are from another.
 */
#ifndef GENSYNTH_TREE_SHIFT_H
#define GENSYNTH_TREE_SHIFT_H

#include "column/column.h"

/* A number feature and its rows; group 0: it cannot be compared. */
typedef struct GsShiftSource
{
	const GsFeature *feature;
	int			group;
	double		unit;
	const uint16 *segment;		/* [nrows] */
	const uint16 *within;		/* [nrows] */
} GsShiftSource;

extern GsAxis gs_value_scale(const GsSchema *schema, const GsFeature *feature,
						   double *unit);
extern double gs_value_at(const GsFeature *feature, double unit, int segment,
						  double part);
extern int	gs_shift_find(const GsShiftSource *number,
						  const GsShiftSource *base,
						  const uint8 *const *code, int nbases, int64 nrows);
extern bool gs_shift_table(const double *shift, int64 nrows, int threshold,
						   GsFeature *feature, uint16 *segment);
extern bool gs_shift_learn(const GsShiftSource *number,
						   const GsShiftSource *base, int64 nrows,
						   int threshold, GsFeature *feature,
						   uint16 *segment);

#endif
