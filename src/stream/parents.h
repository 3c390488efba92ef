/*
 * parents.h
 *	  The keys of a table that others refer to.
 */
#ifndef GENSYNTH_PARENTS_H
#define GENSYNTH_PARENTS_H

#include "postgres.h"

#include "access/tupdesc.h"

#include "constraint/constraints.h"

typedef struct GsParents GsParents;

/* A parent that is known by its value. */
typedef struct GsKnownParent
{
	uint64		hash;			/* gs_key_hash of the value */
	bool		present;		/* the table has it */
} GsKnownParent;

/* Which keys are read, and in which order they are kept. */
typedef struct GsParentsRequest
{
	const GsConstraint *constraint;
	TupleDesc	desc;			/* of the referring columns, in their order */
	TupleDesc	columns;		/* the parents' own that are read besides; NULL:
								 * none */
	const bool *grouped;		/* [natts] those with the same are together */
	int			like;			/* or else those with the same value of this one
								 * of columns are; -1: none */
	uint64		key;			/* of the order */
	int64		most;			/* parents kept; 0: all */
	int			nknown;
	GsKnownParent *known;		/* [nknown] by hash: the first; changed */
} GsParentsRequest;

extern bool gs_parents_may_read(const GsConstraint *constraint,
								const char **column);
extern void gs_parents_check_access(const GsConstraint *constraint);
extern uint64 gs_key_hash(uint64 seed, Datum value, Form_pg_attribute type);
extern void gs_known_sort(GsKnownParent *known, int n);
extern GsKnownParent *gs_known_find(GsKnownParent *known, int n, uint64 hash);
extern GsParents *gs_parents_read(const GsParentsRequest *request);
extern int64 gs_parents_count(const GsParents *parents);
extern int64 gs_parents_kept(const GsParents *parents);
extern void gs_parents_get(GsParents *parents, int64 position, Datum *values);
extern void gs_parents_columns(GsParents *parents, int64 position,
							   Datum *values, bool *nulls);
extern int64 gs_parents_groups(const GsParents *parents);
extern int64 gs_parents_find(const GsParents *parents, uint64 hash);
extern int64 gs_parents_group(const GsParents *parents, int64 group, int64 *n);

#endif
