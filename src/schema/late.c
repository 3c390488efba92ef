/*
 * late.c
 *	  Foreign keys that are set when all rows are there: those of tables that
 *	  refer to each other in a cycle, where their columns may be NULL.
 *
 * As many rows as in the source get a row to refer to, each of these as often
 * as the next; what else of the key a row has already stays.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "codec/styles.h"
#include "constraint/constraints.h"
#include "schema/late.h"
#include "table/source.h"

/* $1 a relation: its columns that may be NULL. */
static const char nullable_query[] =
"SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a"
" WHERE a.attrelid " GS_EQ " $1 AND a.attnum " GS_OP(">") " 0"
" AND NOT a.attisdropped AND NOT a.attnotnull AND a.attgenerated " GS_EQ " ''";

/*
 * Sets one key, unless some row has it already.
 *
 * open: its columns that may be NULL; share: of the rows that are to have it
 */
static void
set_key(Oid relid, const GsConstraint *key, List *open, bool unique,
		double share, int64 seed)
{
	const char *table = gs_relation_name(relid, NULL);
	const char *some = quote_identifier(linitial(open));
	const char *random = psprintf("pg_catalog.hashtextextended(ROW(%%s)::pg_catalog.text, " INT64_FORMAT ")",
								  seed);
	StringInfoData set;
	StringInfoData get;
	StringInfoData fixed[2];
	StringInfoData match;
	ListCell   *x;
	ListCell   *y;
	int			result;

	initStringInfo(&set);
	initStringInfo(&get);
	initStringInfo(&match);
	initStringInfo(&fixed[0]);
	initStringInfo(&fixed[1]);
	forboth(x, key->columns, y, key->parent_columns)
	{
		const char *column = quote_identifier(lfirst(x));
		const char *parent = quote_identifier(lfirst(y));

		appendStringInfo(&get, ", c.%s", parent);
		if (gs_is_named(open, lfirst(x)))
		{
			appendStringInfo(&set, "%s%s = q.%s", set.len > 0 ? ", " : "",
							 column, parent);
			continue;
		}
		appendStringInfo(&fixed[0], "%sc.%s", fixed[0].len > 0 ? ", " :
						 "PARTITION BY ", column);
		appendStringInfo(&fixed[1], "%sc.%s", fixed[1].len > 0 ? ", " :
						 "PARTITION BY ", parent);
		appendStringInfo(&match, " AND r.%s " GS_EQ " p.%s", column, parent);
	}
	result = SPI_execute(psprintf("UPDATE %s t SET %s FROM (SELECT r.o AS \"the table\", r.a AS \"the row\", p.*"
								  " FROM (SELECT c.*, c.tableoid AS o, c.ctid AS a, pg_catalog.row_number() OVER (%s ORDER BY %s) " GS_OP("-") " 1 AS i"
								  " FROM %s c WHERE pg_catalog.abs(%s " GS_OP("%%") " 1000000) " GS_OP("<") " %.0f) r"
								  " JOIN (SELECT pg_catalog.row_number() OVER (%s ORDER BY %s) " GS_OP("-") " 1 AS i,"
								  " pg_catalog.count(*) OVER (%s) AS n%s FROM %s c) p ON p.i " GS_EQ " %s%s) q"
								  " WHERE t.tableoid " GS_EQ " q.\"the table\" AND t.ctid " GS_EQ " q.\"the row\""
								  " AND NOT EXISTS (SELECT FROM %s e WHERE e.%s IS NOT NULL)",
								  table, set.data, fixed[0].data,
								  psprintf(random, "c.ctid, 1"), table,
								  psprintf(random, "c.ctid, 2"), share * 1e6,
								  fixed[1].data,
								  psprintf(random, psprintf("c.%s", quote_identifier(linitial(key->parent_columns)))),
								  fixed[1].data, get.data,
								  gs_relation_name(key->parent_oid, NULL),
								  unique ? "r.i" : "(r.i " GS_OP("%") " p.n)",
								  match.data, table, some), false, 0);
	if (result != SPI_OK_UPDATE)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
}

/*
 * Whether a table says that columns do not repeat.
 */
static bool
are_unique(const List *constraints, const List *columns)
{
	ListCell   *cell;
	ListCell   *name;

	foreach(cell, constraints)
	{
		const GsConstraint *constraint = lfirst(cell);
		bool		within = constraint->kind == GS_CONSTRAINT_UNIQUE ||
			constraint->kind == GS_CONSTRAINT_PRIMARY_KEY;

		foreach(name, within ? constraint->columns : NIL)
			within &= gs_is_named(columns, lfirst(name));
		if (within)
			return true;
	}
	return false;
}

/*
 * gs_set_late_keys: sets the keys of a table that lead to tables which are made
 * after it, as the caller.
 *
 * later: OIDs of these; model: the table's; functions: our own schema, quoted.
 * To be called within an SPI connection.
 */
void
gs_set_late_keys(Oid relid, List *later, const char *model,
				 const char *functions, int64 seed)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(relid);
	int			level = gs_fix_names();
	List	   *constraints = gs_constraints_read(relid);
	List	   *nullable = NIL;
	/* the table and its model may be of this very statement */
	uint64		n = gs_run(nullable_query, 1, &type, &value, NULL, false);
	ListCell   *cell;
	ListCell   *name;

	for (uint64 i = 0; i < n; i++)
	{
		char	   *column = gs_result_text(i, 1, context);

		MemoryContextSwitchTo(context);
		nullable = lappend(nullable, column);
	}
	foreach(cell, constraints)
	{
		const GsConstraint *key = lfirst(cell);
		List	   *open = NIL;
		bool		isnull;

		if (key->kind != GS_CONSTRAINT_FOREIGN_KEY ||
			!list_member_oid(later, key->parent_oid))
			continue;
		foreach(name, key->columns)
			if (gs_is_named(nullable, lfirst(name)))
				open = lappend(open, lfirst(name));
		if (open == NIL ||
			gs_run(psprintf("SELECT (c.detail OPERATOR(pg_catalog.->>) 'nulls')::pg_catalog.float8"
							" FROM %s.synth_columns(%s) c WHERE c.name " GS_EQ " %s",
							functions, quote_literal_cstr(model),
							quote_literal_cstr(linitial(open))), 0, NULL, NULL,
				   NULL, false) == 0)
			continue;
		value = gs_result(0, 1, &isnull);
		MemoryContextSwitchTo(context);
		if (!isnull)
			set_key(relid, key, open, are_unique(constraints, key->columns),
					1 - DatumGetFloat8(value), seed);
	}
	gs_end_settings(level);
}
