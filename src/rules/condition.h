/*
 * condition.h
 *	  SQL conditions on the columns of a model.
 */
#ifndef GENSYNTH_CONDITION_H
#define GENSYNTH_CONDITION_H

#include "postgres.h"

#include "nodes/execnodes.h"

#include "column/column.h"

extern Expr *gs_condition_parse(const char *text, const GsSchema *schema,
								Oid owner, Bitmapset **columns);
extern Expr *gs_condition_value(const GsSchema *schema, Expr *expr,
								int *column);
extern bool gs_condition_is_sound(const char *text, const GsSchema *schema,
								  Oid owner, char **problem);

#endif
