/*
 * children.h
 *	  How many rows refer to each row of another table.
 */
#ifndef GENSYNTH_CHILDREN_H
#define GENSYNTH_CHILDREN_H

#include "column/tensor.h"
#include "constraint/constraints.h"

extern void gs_children_count(const char *relation, List *constraints,
							  int threshold, List **tensors);
extern char *gs_children_name(const GsConstraint *constraint);

#endif
