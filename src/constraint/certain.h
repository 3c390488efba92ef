/*
 * certain.h
 *	  Conditions that no value of their column fails.
 */
#ifndef GENSYNTH_CERTAIN_H
#define GENSYNTH_CERTAIN_H

#include "nodes/execnodes.h"

#include "column/column.h"

extern bool gs_condition_is_certain(const GsSchema *schema, const Expr *expr,
									ExprState *state, ExprContext *econtext,
									int c, StringInfo error);

#endif
