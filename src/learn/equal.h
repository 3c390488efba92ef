/*
 * equal.h
 *	  Values that are equal to those of another column in a share of the rows.
 */
#ifndef GENSYNTH_EQUAL_H
#define GENSYNTH_EQUAL_H

#include "column/tensor.h"
#include "learn/learn.h"

extern bool gs_can_oppose(Oid type);
extern Datum gs_opposite(Oid type, Datum value);
extern void gs_equals_find(GsSample *sample);
extern void gs_equals_learn(GsSchema *schema, GsEncoded *encoded);
extern void gs_equals_save(const GsSchema *schema, List **tensors);
extern void gs_equals_load(GsSchema *schema, const List *tensors);

#endif
