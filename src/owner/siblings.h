/*
 * siblings.h
 *	  What a row may know of the rows of its owner that come before it.
 *
 * The same code sees the real rows while a model is learned and the synthetic
 * ones while they are made.  Memory is constant for each owner.
 */
#ifndef GENSYNTH_SIBLINGS_H
#define GENSYNTH_SIBLINGS_H

#include "postgres.h"

#include "access/tupdesc.h"

typedef struct GsSiblings GsSiblings;

extern GsSiblings *gs_siblings_create(TupleDesc desc, int ncolumns,
									  int nowners);
extern int	gs_siblings_count(const GsSiblings *siblings);
extern void gs_siblings_describe(const GsSiblings *siblings, int i,
								 char **name, Oid *type, int32 *typmod,
								 Oid *collation);
extern void gs_siblings_begin(GsSiblings *siblings, int owner, int64 expected);
extern void gs_siblings_know(const GsSiblings *siblings, int owner,
							 Datum *values, bool *nulls);
extern void gs_siblings_add(GsSiblings *siblings, int owner,
							const Datum *values, const bool *nulls);

#endif
