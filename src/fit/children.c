/*
 * children.c
 *	  How many rows refer to each row of another table.
 *
 * Tensor, for each foreign key: children/COLUMNS int8 [3 + K, 2]: rows, and
 * parents that these refer to.  First those of the whole relation, then those
 * whose parent the model knows by its value, then the others; of these, K
 * numbers of children in increasing order, and how many parents have so many.
 * The ends are protected as those of other numbers: they are what
 * rare_threshold parents have reached.  But for parents that stand out by the
 * share of all rows that they have: that is told, in whole percents.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "miscadmin.h"

#include "catalog/access.h"
#include "catalog/strange.h"
#include "catalog/ledger.h"
#include "encode/decode.h"
#include "fit/children.h"
#include "owner/owners.h"

/* Different numbers of children that are kept. */
#define MAX_COUNTS	512
/* A parent that matters has this share of the rows, and so many times more
 * than others. */
#define HEAVY_SHARE	0.01
#define HEAVY_TIMES	10
#define MAX_KNOWN	2048

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
 * The share of the rows that a parent stands out with, of so many.
 */
static double
heavy_share(double parents)
{
	return Max(HEAVY_SHARE, HEAVY_TIMES / Max(parents, 1));
}

/*
 * gs_children_known: the parents of a foreign key that a model knows by their
 * values: all that it has of a column that it knows value by value, and of
 * others those which hold much of the rows.  What depends on them is kept.
 *
 * type: of the column; parents: of the source.  Sets *values and *shares to
 * arrays, in the current context, and *complete to whether the column has no
 * other values; returns their length.
 */
int
gs_children_known(const GsConstraint *constraint, const GsSchema *schema,
				  Oid type, double parents, Datum **values,
				  double **shares, bool *complete)
{
	const char *name = linitial(constraint->columns);

	*complete = false;
	if (list_length(constraint->columns) != 1 ||
		(type >= FirstGenbkiObjectId && !type_is_enum(type)))
		return 0;
	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsDecoder  *decoder;
		int			n;

		if (strcmp(schema->columns[c].name, name) != 0 ||
			!gs_is_column_of(&schema->columns[c], type))
			continue;
		decoder = gs_decoder_create(schema, c, type);
		*complete = gs_decoder_is_discrete(decoder);
		n = gs_decoder_atoms(decoder, *complete ? 0 : heavy_share(parents),
							 values, shares);
		if (n > 0 && n <= MAX_KNOWN)
			return n;
		*complete = false;
	}
	return 0;
}

/*
 * The rows of the parent, among them those without children.  Of a parent
 * that the caller may not read, or only by running code of others, or that has
 * a privacy budget, the planner's estimate, which everybody sees.
 */
static int64
count_parents(const GsConstraint *constraint)
{
	GsStrange	strange;
	GsAccess	access;

	if (pg_class_aclcheck(constraint->parent_oid, GetUserId(),
						  ACL_SELECT) == ACLCHECK_OK &&
		!gs_ledger_has_budget(constraint->parent_oid) &&
		(gs_may_read_as_owner(constraint->parent_oid) ||
		 !gs_strange_code(constraint->parent_oid, GS_STRANGE_READ, &strange)))
	{
		gs_begin_reading(&access, constraint->parent_oid, true);
		gs_run(psprintf("SELECT pg_catalog.count(*) FROM %s", constraint->parent), 0,
			   NULL, NULL, NULL, true);
		gs_become_caller(&access);
	}
	else
		gs_run(psprintf("SELECT GREATEST(reltuples, 0)::pg_catalog.int8 FROM pg_catalog.pg_class WHERE oid " GS_EQ " %u",
						constraint->parent_oid), 0, NULL, NULL, NULL, true);
	return DatumGetInt64(gs_result(0, 1, NULL));
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
 * Rounds the numbers of children of parents that stand out, the last ones of
 * counts [n + 1][2].  Returns the last one of the others.
 */
static int64
round_heavy(int64 *counts, int64 n, int64 rows, int64 parents)
{
	double		least = heavy_share(parents) * rows;

	for (; n > 0 && counts[2 * n] >= least; n--)
		counts[2 * n] = llround(rint(counts[2 * n] * 100.0 / rows) *
								rows / 100);
	return n;
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

/*
 * Counts the rows of each parent: a result of (0: none, 1: a known one, 2:
 * another; rows; parents that have so many).
 */
static void
run_counts(const char *relation, const GsConstraint *constraint,
		   const GsSchema *schema, bool by_values, int64 parents)
{
	StringInfoData columns;
	StringInfoData absent;
	const char *known = "false";
	Oid			type = InvalidOid;
	Oid			array_type;
	Datum	   *values;
	double	   *shares;
	Datum		array = (Datum) 0;
	bool		complete;
	int			nknown = 0;
	ListCell   *cell;

	initStringInfo(&columns);
	initStringInfo(&absent);
	foreach(cell, constraint->columns)
	{
		const char *name = quote_identifier(lfirst(cell));

		appendStringInfo(&columns, "%s%s", columns.len ? ", " : "", name);
		appendStringInfo(&absent, "%s%s IS NULL", absent.len ? " OR " : "",
						 name);
	}
	for (int c = 0; c < schema->ncolumns; c++)
		if (strcmp(schema->columns[c].name,
				   linitial(constraint->columns)) == 0)
			type = schema->columns[c].type;
	if (by_values)
		nknown = gs_children_known(constraint, schema, type, parents, &values,
								   &shares, &complete);
	array_type = get_array_type(type);
	if (nknown > 0)
	{
		int16		len;
		bool		byval;
		char		align;

		get_typlenbyvalalign(type, &len, &byval, &align);
		array = PointerGetDatum(construct_array(values, nknown, type, len,
												byval, align));
		known = psprintf("%s " GS_EQ " ANY ($1)", columns.data);
	}
	gs_run(psprintf("SELECT kind, n, pg_catalog.count(*) FROM (SELECT CASE WHEN %s"
					" THEN 0 WHEN %s THEN 1 ELSE 2 END AS kind, pg_catalog.count(*) AS n"
					" FROM %s GROUP BY %s) AS c GROUP BY kind, n ORDER BY kind, n",
					absent.data, known, relation, columns.data), nknown > 0,
		   &array_type, &array, NULL, true);
}

static void
count_children(const char *relation, const GsConstraint *constraint,
			   const GsSchema *schema, bool by_values, int threshold,
			   List **tensors, MemoryContext context)
{
	int64		all[2 * (GS_CHILDREN_TOTALS + MAX_COUNTS + 1)] = {0};
	int64	   *total = all;
	int64	   *counts = all + 2 * GS_CHILDREN_TOTALS;
	int64		parents = count_parents(constraint);
	int64		others = 0;
	int64		light;
	int64		step;
	int64		n = 0;
	MemoryContext old;

	run_counts(relation, constraint, schema, by_values, parents);
	/* where there are too many numbers, neighbours are taken together */
	step = (SPI_processed + MAX_COUNTS - 1) / MAX_COUNTS;
	for (int64 i = 0; i < (int64) SPI_processed; i++)
	{
		int			kind = DatumGetInt32(gs_result(i, 1, NULL));
		int64		children = DatumGetInt64(gs_result(i, 2, NULL));
		int64		with = DatumGetInt64(gs_result(i, 3, NULL));

		total[0] += children * with;
		if (kind == 0)
			continue;
		parents -= with;
		total[2 * kind] += children * with;
		total[2 * kind + 1] += with;
		if (kind == GS_CHILDREN_OTHERS)
		{
			n += others++ % step == 0;
			counts[2 * n] += children * with;
			counts[2 * n + 1] += with;
		}
	}
	for (int i = 1; i <= n; i++)
		counts[2 * i] = (counts[2 * i] + counts[2 * i + 1] / 2) /
			counts[2 * i + 1];
	counts[1] = Max(parents, 0);
	total[2 * GS_CHILDREN_OTHERS + 1] += counts[1];
	total[1] = total[2 * GS_CHILDREN_KNOWN + 1] +
		total[2 * GS_CHILDREN_OTHERS + 1];
	/* of too few parents nothing is kept: a fill spreads rows evenly then */
	if (total[1] < threshold)
		return;
	light = round_heavy(counts, n, total[0], total[1]);
	if (total[2 * GS_CHILDREN_OTHERS + 1] >= threshold + n - light)
	{
		protect_end(counts, 0, light, threshold);
		protect_end(counts, light, 0, threshold);
		n = drop_empty(counts, n + 1);
	}
	else
	{
		/* too few besides known ones */
		total[2 * GS_CHILDREN_KNOWN] += total[2 * GS_CHILDREN_OTHERS];
		total[2 * GS_CHILDREN_OTHERS] = total[2 * GS_CHILDREN_OTHERS + 1] = 0;
		n = 0;
	}
	old = MemoryContextSwitchTo(context);
	gs_tensor_add(tensors, gs_children_name(constraint), GS_I8, 2,
				  GS_CHILDREN_TOTALS + n, 2, all);
	MemoryContextSwitchTo(old);
}

/*
 * gs_children_count: appends the tensors for the foreign keys among a
 * relation's constraints, in the current context.  Reads as the caller,
 * within an SPI connection of its own.
 *
 * schema: what was learned of the columns; owners: of the version, NULL for
 * none: no parent is known by its value of keys by which rows know what they
 * refer to; threshold: parents, see above
 */
void
gs_children_count(const char *relation, List *constraints,
				  const GsSchema *schema, const Jsonb *owners, int threshold,
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
		count_children(relation, constraint, schema,
					   !gs_owners_know(owners, constraint->columns), threshold,
					   tensors, context);
		SPI_finish();
	}
}
