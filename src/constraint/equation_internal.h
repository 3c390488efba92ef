/*
 * equation_internal.h
 *	  What reading an equation and turning it around share.
 */
#ifndef GENSYNTH_EQUATION_INTERNAL_H
#define GENSYNTH_EQUATION_INTERNAL_H

#include "constraint/equation.h"

extern Node *gs_equation_core(Expr *expr);
extern Node *gs_equation_uncast(const Node *node);
extern Node *gs_equation_room(const Node *node);
extern Node *gs_equation_operation(const char *name, Node *left, Node *right);
extern Node *gs_equation_number(double value);
extern Expr *gs_equation_convert(const GsSchema *schema, int c, Node *value);
extern int	gs_equation_places(const GsSchema *schema, int c);

#endif
