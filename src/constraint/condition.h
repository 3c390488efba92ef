/*
 * condition.h
 *	  SQL conditions on the columns of a model.
 */
#ifndef GENSYNTH_CONDITION_H
#define GENSYNTH_CONDITION_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/execnodes.h"

#include "column/column.h"

extern char *gs_condition_store(const char *text, const GsSchema *schema,
								Bitmapset **columns);
extern Expr *gs_condition_load(const char *stored, const GsSchema *schema,
							   Bitmapset **columns);
extern void gs_condition_check(const GsSchema *schema, Node *expr);
extern char *gs_condition_store_safely(const char *text,
									   const GsSchema *schema);
extern bool gs_is_forgiven(int sqlstate);
extern bool gs_condition_try(void (*work) (void *arg), void *arg,
							 StringInfo message);

#endif
