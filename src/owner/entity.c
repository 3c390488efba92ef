/*
 * entity.c
 *	  Whose rows those of a table are that has no parent: sensors, accounts.
 *
 * Rows with the same values in some columns belong together.  Where there are
 * few such entities, with many rows each, and nobody's name is among the
 * columns, they are taken over as a look-up table would be (plan.c); otherwise
 * they are made anew, by a model of what all of their rows share.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "catalog/strange.h"
#include "owner/entity.h"

#define COPIED_ENTITIES	1000	/* at most ... */
#define COPIED_ROWS		10		/* ... if each has so many on average ... */
#define COPIED_LEAST	5		/* ... and at least */

/*
 * Columns that are the same in all rows of each entity.
 */
static List *
constant_columns(const GsOwners *owners, Oid relid, const char *rows,
				 const char *keys)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *constant = NIL;
	StringInfoData inner;
	StringInfoData outer;
	ListCell   *cell;

	initStringInfo(&inner);
	initStringInfo(&outer);
	foreach(cell, owners->columns)
	{
		const char *name = psprintf("c.%s", quote_identifier(lfirst(cell)));
		const char *text = gs_as_text(name, get_atttype(relid, get_attnum(relid, lfirst(cell))));
		int			i = foreach_current_index(cell);

		appendStringInfo(&outer, "%spg_catalog.bool_and(q.c%d)",
						 i > 0 ? ", " : "", i);
		appendStringInfo(&inner, "%spg_catalog.min((%s) COLLATE pg_catalog.\"C\")"
						 " IS NULL OR pg_catalog.count(%s) " GS_EQ " pg_catalog.count(*)"
						 " AND pg_catalog.min((%s) COLLATE pg_catalog.\"C\") " GS_EQ
						 " pg_catalog.max((%s) COLLATE pg_catalog.\"C\") AS c%d",
						 i > 0 ? ", " : "", text, name, text, text, i);
	}
	if (owners->columns == NIL)
		return NIL;
	gs_run(psprintf("SELECT %s FROM (SELECT %s FROM %s c GROUP BY %s) q",
					outer.data, inner.data, rows, keys), 0, NULL, NULL, NULL,
		   true);
	foreach(cell, owners->columns)
		if (DatumGetBool(gs_result(0, foreach_current_index(cell) + 1, NULL)))
		{
			MemoryContext old = MemoryContextSwitchTo(context);

			constant = lappend(constant, lfirst(cell));
			MemoryContextSwitchTo(old);
		}
	return constant;
}

/*
 * gs_owners_find_entities: how many entities there are, whether they are taken
 * over, and what rows know of them; in the current context.
 *
 * owners: its step has the columns that tell entities apart, none for one;
 * columns are those of the rows; what is the same in all rows of each entity
 * goes from there to the step.  relid: the table; personal: some column is
 * named like a person's.  To be called within an SPI connection.
 */
void
gs_owners_find_entities(GsOwners *owners, Oid relid, bool personal)
{
	GsOwnerStep *step = linitial(owners->steps);
	const char *rows = gs_relation_name(relid, NULL);
	MemoryContext context = CurrentMemoryContext;
	StringInfoData keys;
	List	   *columns = NIL;
	ListCell   *cell;
	double		n;
	double		least;

	owners->nentities = 1;
	owners->copied = true;
	if (step->columns == NIL)
		return;
	initStringInfo(&keys);
	foreach(cell, step->columns)
		appendStringInfo(&keys, "%sc.%s", keys.len > 0 ? ", " : "",
						 quote_identifier(lfirst(cell)));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	gs_run(psprintf("SELECT pg_catalog.count(*), COALESCE(pg_catalog.min(q.n), 0),"
					" COALESCE(pg_catalog.sum(q.n), 0)::pg_catalog.float8"
					" FROM (SELECT pg_catalog.count(*) AS n FROM %s c GROUP BY %s) q",
					rows, keys.data), 0, NULL, NULL, NULL, true);
	owners->nentities = Max(DatumGetInt64(gs_result(0, 1, NULL)), 1);
	least = (double) DatumGetInt64(gs_result(0, 2, NULL));
	n = DatumGetFloat8(gs_result(0, 3, NULL));
	owners->copied = !personal && owners->nentities <= COPIED_ENTITIES &&
		least >= COPIED_LEAST && n >= COPIED_ROWS * (double) owners->nentities;
	MemoryContextSwitchTo(context);
	if (owners->nentities > 1)
		step->known = constant_columns(owners, relid, rows, keys.data);
	SPI_finish();
	MemoryContextSwitchTo(context);
	foreach(cell, owners->columns)
		if (!gs_is_named(step->known, lfirst(cell)))
			columns = lappend(columns, lfirst(cell));
	owners->columns = columns;
	if (owners->copied)
		step->known = list_concat_copy(step->columns, step->known);
	step->names = step->known;
}

/*
 * gs_owners_entity_columns: the columns that the model of numbers of rows has
 * of an entity, in the current context.
 */
List *
gs_owners_entity_columns(const GsOwners *owners)
{
	const GsOwnerStep *step = linitial(owners->steps);
	List	   *columns = list_copy(step->columns);
	ListCell   *cell;

	foreach(cell, step->known)
		if (!gs_is_named(columns, lfirst(cell)))
			columns = lappend(columns, lfirst(cell));
	return columns;
}

/*
 * Whole numbers that are the same step from generation to generation: a level
 * below the parent's.
 *
 * match: of a row, c, and its parent, g
 */
static void
find_steps(GsOwners *owners, Oid relid, const char *rows, const char *match)
{
	const GsOwnerStep *step = linitial(owners->steps);
	MemoryContext context = CurrentMemoryContext;
	ListCell   *x;
	ListCell   *y;

	forboth(x, step->known, y, step->names)
	{
		const char *column = quote_identifier(lfirst(x));
		Oid			type = get_atttype(relid, get_attnum(relid, lfirst(x)));
		bool		isnull;

		if (type != INT2OID && type != INT4OID && type != INT8OID)
			continue;
		gs_run(psprintf("SELECT pg_catalog.min(d)::pg_catalog.text FROM (SELECT c.%s::pg_catalog.int8 "
						GS_OP("-") " g.%s AS d FROM %s c JOIN %s g ON %s) s"
						" HAVING pg_catalog.min(d) " GS_EQ " pg_catalog.max(d)"
						" AND pg_catalog.count(d) " GS_OP(">=") " %d",
						column, column, rows, rows, match, COPIED_ROWS), 0,
			   NULL, NULL, NULL, true);
		if (SPI_processed == 0)
			continue;
		(void) gs_result(0, 1, &isnull);
		if (!isnull)
		{
			char	   *by = gs_result_text(0, 1, context);
			MemoryContext old = MemoryContextSwitchTo(context);

			owners->conditions = lappend(owners->conditions,
										 psprintf("%s " GS_EQ " (%s " GS_PLUS " (%s))",
												  column,
												  quote_identifier(lfirst(y)),
												  by));
			MemoryContextSwitchTo(old);
		}
	}
}

/*
 * gs_owners_find_generations: how many rows of a table, whose only step leads
 * to itself, belong to none, how many to these, and so on; in the current
 * context.  None where there are too many generations, or rows that belong to
 * themselves.  To be called within an SPI connection.
 */
void
gs_owners_find_generations(GsOwners *owners, Oid relid)
{
	const GsOwnerStep *step = linitial(owners->steps);
	const char *rows = gs_relation_name(relid, NULL);
	MemoryContext context = CurrentMemoryContext;
	StringInfoData keys;
	StringInfoData match;
	StringInfoData root;
	ListCell   *x;
	ListCell   *y;
	uint64		n;
	double		all = 0;

	initStringInfo(&keys);
	initStringInfo(&match);
	initStringInfo(&root);
	forboth(x, step->columns, y, step->parent_columns)
	{
		const char *child = quote_identifier(lfirst(x));
		const char *parent = quote_identifier(lfirst(y));

		appendStringInfo(&keys, "%sc.%s", keys.len > 0 ? ", " : "", parent);
		appendStringInfo(&match, "%sc.%s " GS_EQ " g.%s", match.len > 0 ?
						 " AND " : "", child, parent);
		appendStringInfo(&root, "%sc.%s IS NULL", root.len > 0 ? " OR " : "",
						 child);
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	n = gs_run(psprintf("WITH RECURSIVE g AS (SELECT %s, 0 AS \"generation of\" FROM %s c WHERE %s"
						" UNION ALL SELECT %s, g.\"generation of\" " GS_PLUS " 1 FROM %s c JOIN g ON %s"
						" WHERE g.\"generation of\" " GS_OP("<") " %d)"
						" SELECT pg_catalog.count(*) FROM g GROUP BY g.\"generation of\""
						" ORDER BY g.\"generation of\"", keys.data, rows,
						root.data, keys.data, rows, match.data,
						GS_MAX_GENERATIONS), 0, NULL, NULL, NULL, true);
	if (n > 1 && n < GS_MAX_GENERATIONS)
	{
		owners->generation = MemoryContextAlloc(context, sizeof(int64) * n);
		for (uint64 g = 0; g < n; g++)
			all += owners->generation[g] =
				DatumGetInt64(gs_result(g, 1, NULL));
		gs_run(psprintf("SELECT pg_catalog.count(*) FROM %s", rows), 0, NULL,
			   NULL, NULL, true);
		if (all == (double) DatumGetInt64(gs_result(0, 1, NULL)))
			owners->ngenerations = (int) n;
	}
	MemoryContextSwitchTo(context);
	if (owners->ngenerations > 0)
		find_steps(owners, relid, rows, match.data);
	SPI_finish();
	MemoryContextSwitchTo(context);
}
