/*
 * children.h
 *	  How many rows refer to each row of another table.
 */
#ifndef GENSYNTH_CHILDREN_H
#define GENSYNTH_CHILDREN_H

#include "utils/jsonb.h"

#include "column/column.h"
#include "column/tensor.h"
#include "constraint/constraints.h"

/* The rows of the tensor before the numbers of children. */
typedef enum GsChildrenTotal
{
	GS_CHILDREN_ALL,
	GS_CHILDREN_KNOWN,			/* parents known by their values */
	GS_CHILDREN_OTHERS,
	GS_CHILDREN_TOTALS
} GsChildrenTotal;

extern int	gs_children_known(const GsConstraint *constraint,
							  const GsSchema *schema, Oid type,
							  double parents, Datum **values,
							  double **shares, bool *complete);
extern void gs_children_count(const char *relation, List *constraints,
							  const GsSchema *schema, const Jsonb *owners,
							  int threshold, List **tensors);
extern char *gs_children_name(const GsConstraint *constraint);

#endif
