/*
 * center.h
 *	  Numbers that lie near the place of another column's value.
 */
#ifndef GENSYNTH_CENTER_H
#define GENSYNTH_CENTER_H

#include "column/tensor.h"
#include "learn/learn.h"

/* Where the numbers of a column lie, by the values of another one. */
typedef struct GsCenters
{
	int			n;
	GsScalar   *value;			/* [n] increasing, if that is a number; NULL:
								 * by its levels */
	GsScalar   *center;			/* [n + 1] the last of all else, and NULL */
	GsScalar	low;			/* least and largest number */
	GsScalar	high;
	uint64	   *key;			/* [n] while they are learned: see lane.h */
} GsCenters;

/* The places of a batch's rows. */
typedef struct GsNear GsNear;

extern void gs_centers_take_off(GsSample *sample, int column, int from,
								int threshold);
extern void gs_centers_learned(GsSchema *schema);
extern void gs_centers_save(const GsSchema *schema, List **tensors);
extern void gs_centers_load(GsSchema *schema, const List *tensors);
extern GsScalar gs_centers_of_level(const GsCenters *centers, int level);
extern GsScalar gs_centers_of_value(const GsCenters *centers,
									GsLaneType lane, GsScalar value);
extern GsNear *gs_near_create(const GsSchema *schema, int column);
extern void gs_near_needs(const GsNear *near, bool *needed);
extern GsScalar gs_near_add(const GsNear *near, const GsFeature *feature,
							const GsBatch *batch, int row,
							GsScalar distance);
extern GsScalar gs_centers_distance(const GsFeature *feature, GsScalar center,
									GsScalar value);

#endif
