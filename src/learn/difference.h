/*
 * difference.h
 *	  Columns that are learned as what they add to another one.
 */
#ifndef GENSYNTH_DIFFERENCE_H
#define GENSYNTH_DIFFERENCE_H

#include "column/tensor.h"
#include "learn/learn.h"

extern void gs_differences_find(GsSample *sample);
extern void gs_differences_save(const GsSchema *schema, List **tensors);
extern void gs_differences_load(GsSchema *schema, const List *tensors);
extern int64 gs_difference_add(const GsCodec *codec, int64 base,
							   int64 difference);

#endif
