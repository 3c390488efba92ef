/*
 * equation.h
 *	  What a condition says that a column is equal to.
 */
#ifndef GENSYNTH_EQUATION_H
#define GENSYNTH_EQUATION_H

#include "postgres.h"

#include "nodes/bitmapset.h"
#include "nodes/execnodes.h"

#include "column/column.h"

extern Expr *gs_equation_solve(const GsSchema *schema, Expr *expr,
							   const Bitmapset *barred, int *column);
extern List *gs_equation_parts(const GsSchema *schema, Expr *expr);

/* invert.c */
extern Expr *gs_equation_invert(const GsSchema *schema, Expr *expr,
								int column);

#endif
