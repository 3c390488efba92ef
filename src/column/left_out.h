/*
 * left_out.h
 *	  Columns of a source that its model does not have.
 */
#ifndef GENSYNTH_LEFT_OUT_H
#define GENSYNTH_LEFT_OUT_H

#include "column/tensor.h"

extern void gs_left_out_save(Oid relid, const List *learned, List **tensors);
extern bool gs_is_left_out(const List *tensors, const char *name);

#endif
