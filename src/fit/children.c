/*
 * children.c
 *	  How many rows refer to each row of another table.
 *
 * Tensor, for each foreign key: children/COLUMNS int8 [K, 2]: numbers of
 * children in increasing order, and how many parents have so many.  The ends
 * are protected as those of other numbers: they are what rare_threshold parents
 * have reached.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "miscadmin.h"

#include "catalog/access.h"
#include "fit/children.h"

/* Different numbers of children that are kept. */
#define MAX_COUNTS	512

/*
 * gs_children_name: the tensor's name of a foreign key.
 */
char *
gs_children_name(const GsConstraint *constraint)
{
	StringInfoData name;
	ListCell   *cell;

	initStringInfo(&name);
	appendStringInfoString(&name, "children");
	foreach(cell, constraint->columns)
		appendStringInfo(&name, "/%s", quote_identifier(lfirst(cell)));
	return name.data;
}

/*
 * The rows of the parent, among them those without children.  Of a parent
 * that the caller may not read, the planner's estimate.
 */
static int64
count_parents(const GsConstraint *constraint)
{
	int64		n;

	if (pg_class_aclcheck(constraint->parent_oid, GetUserId(),
						  ACL_SELECT) == ACLCHECK_OK)
		gs_run(psprintf("SELECT pg_catalog.count(*) FROM %s", constraint->parent), 0,
			   NULL, NULL, NULL, true);
	else
		gs_run(psprintf("SELECT GREATEST(reltuples, 0)::pg_catalog.int8 FROM pg_catalog.pg_class WHERE oid " GS_EQ " %u",
						constraint->parent_oid), 0, NULL, NULL, NULL, true);
	n = DatumGetInt64(gs_result(0, 1, NULL));
	return n;
}

/*
 * Gives the parents at one end the number of children that as many of them as
 * the threshold have reached: from, to: places in counts [][2], inclusive.
 */
static void
protect_end(int64 *counts, int from, int to, int threshold)
{
	int			step = from < to ? 1 : -1;

	for (int i = from; i != to && counts[2 * i + 1] < threshold; i += step)
	{
		counts[2 * (i + step) + 1] += counts[2 * i + 1];
		counts[2 * i + 1] = 0;
	}
}

/*
 * Takes the numbers out that no parents are left of.  Returns how many stay, of
 * n in counts [][2].
 */
static int64
drop_empty(int64 *counts, int64 n)
{
	int64		kept = 0;

	for (int64 i = 0; i < n; i++)
	{
		if (counts[2 * i + 1] == 0)
			continue;
		counts[2 * kept] = counts[2 * i];
		counts[2 * kept++ + 1] = counts[2 * i + 1];
	}
	return kept;
}

static void
count_children(const char *relation, const GsConstraint *constraint,
			   int threshold, List **tensors, MemoryContext context)
{
	StringInfoData columns;
	StringInfoData present;
	int64	   *counts;
	int64		parents = count_parents(constraint);
	int64		step;
	int64		n = 0;
	MemoryContext old;
	ListCell   *cell;

	initStringInfo(&columns);
	initStringInfo(&present);
	foreach(cell, constraint->columns)
	{
		const char *name = quote_identifier(lfirst(cell));

		appendStringInfo(&columns, "%s%s", columns.len ? ", " : "", name);
		appendStringInfo(&present, "%s%s IS NOT NULL",
						 present.len ? " AND " : "", name);
	}
	gs_run(psprintf("SELECT n, pg_catalog.count(*) FROM (SELECT pg_catalog.count(*) AS n"
					" FROM %s WHERE %s GROUP BY %s) AS c GROUP BY n ORDER BY n",
					relation, present.data, columns.data), 0, NULL, NULL,
		   NULL, true);
	counts = palloc(sizeof(int64) * 2 * (MAX_COUNTS + 2));
	counts[0] = 0;
	counts[1] = parents;
	step = Max((int64) (SPI_processed + MAX_COUNTS - 1) / MAX_COUNTS, 1);
	for (int64 i = 0; i < (int64) SPI_processed; i++)
	{
		int64		with = DatumGetInt64(gs_result(i, 2, NULL));

		counts[1] = Max(counts[1] - with, 0);
		/* where there are too many, neighbours are taken together */
		if (i % step == 0)
		{
			n++;
			counts[2 * n + 1] = 0;
		}
		counts[2 * n] = DatumGetInt64(gs_result(i, 1, NULL));
		counts[2 * n + 1] += with;
	}
	parents = 0;
	for (int i = 0; i <= n; i++)
		parents += counts[2 * i + 1];
	/* of too few parents nothing is kept: a fill spreads rows evenly then */
	if (parents < threshold)
		return;
	protect_end(counts, 0, n, threshold);
	protect_end(counts, n, 0, threshold);
	n = drop_empty(counts, n + 1);
	old = MemoryContextSwitchTo(context);
	gs_tensor_add(tensors, gs_children_name(constraint), GS_I8, 2, n, 2,
				  counts);
	MemoryContextSwitchTo(old);
}

/*
 * gs_children_count: appends the tensors for the foreign keys among a
 * relation's constraints, in the current context.  Reads as the caller,
 * within an SPI connection of its own.  threshold: parents, see above.
 */
void
gs_children_count(const char *relation, List *constraints, int threshold,
				  List **tensors)
{
	MemoryContext context = CurrentMemoryContext;
	ListCell   *cell;

	foreach(cell, constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		/* by construction: all of its columns are learned */
		if (constraint->parent == NULL ||
			constraint->met != GS_MET_CONSTRUCTION ||
			gs_tensor_find(*tensors, gs_children_name(constraint)) != NULL)
			continue;
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		count_children(relation, constraint, threshold, tensors, context);
		SPI_finish();
	}
}
