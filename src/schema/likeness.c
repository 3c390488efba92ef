/*
 * likeness.c
 *	  What the rows are like that those of a child refer to besides their owner.
 *
 * A client lives in the district of his account; the tracks of an invoice are of
 * one genre.  So some column of what is referred to is often the same as one of
 * the owner, or as that of what the row before refers to: the pair is kept that
 * has most rows for which this is not by chance, and their share.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "catalog/strange.h"
#include "schema/plan.h"

#define LEAST_LIKENESS	0.1		/* that is not left to chance */
#define LIKENESS_ROWS	100000	/* that are looked at */

/*
 * In how many more of a query's rows than by chance a and b are the same: as a
 * share of all; and of those in which they are not by chance.
 */
static double
likeness(const char *rows, double *share)
{
	double		same;
	double		chance;
	bool		isnull;

	gs_run(psprintf("WITH q AS MATERIALIZED (%s)"
					" SELECT pg_catalog.count(*)::pg_catalog.float8,"
					" pg_catalog.count(*) FILTER (WHERE q.a " GS_EQ " q.b)::pg_catalog.float8,"
					" (SELECT pg_catalog.sum(x.n " GS_OP("*") " y.n)::pg_catalog.float8 FROM"
					" (SELECT q.a, pg_catalog.count(*)::pg_catalog.float8 AS n FROM q GROUP BY q.a) x"
					" JOIN (SELECT q.b, pg_catalog.count(*)::pg_catalog.float8 AS n FROM q GROUP BY q.b) y"
					" ON x.a " GS_EQ " y.b) FROM q", rows), 0, NULL, NULL, NULL,
		   true);
	*share = 0;
	same = DatumGetFloat8(gs_result(0, 1, NULL));
	if (same == 0)
		return 0;
	chance = DatumGetFloat8(gs_result(0, 3, &isnull)) / (same * same);
	if (isnull)
		return 0;
	same = DatumGetFloat8(gs_result(0, 2, NULL)) / same;
	if (chance < 1 && same > chance)
		*share = (same - chance) / (1 - chance);
	return same - chance;
}

static void
append_keys(StringInfo query, const char *left, const List *columns,
			const char *right, const List *parent_columns)
{
	ListCell   *x;
	ListCell   *y;

	forboth(x, columns, y, parent_columns)
		appendStringInfo(query, "%s%s.%s " GS_EQ " %s.%s",
						 x == list_head(columns) ? " ON " : " AND ", left,
						 quote_identifier(lfirst(x)), right,
						 quote_identifier(lfirst(y)));
}

static Oid
column_type(const GsPlanTable *table, const char *column)
{
	return get_atttype(table->relid, get_attnum(table->relid, column));
}

/*
 * The text of a table's column.
 *
 * alias: of the table in a query
 */
static char *
column_text(const GsPlanTable *table, const char *alias, const char *column)
{
	return gs_as_text(psprintf("%s.%s", alias, quote_identifier(column)),
					  column_type(table, column));
}

/*
 * The query for a column of what is referred to and of what the row before
 * refers to.
 *
 * text: of the column
 */
static char *
before_query(const GsOwners *owners, const char *text, const char *from)
{
	StringInfoData keys;
	ListCell   *cell;

	initStringInfo(&keys);
	foreach(cell, ((const GsOwnerStep *) linitial(owners->steps))->columns)
		appendStringInfo(&keys, "%sc.%s", keys.len > 0 ? ", " : "",
						 quote_identifier(lfirst(cell)));
	return psprintf("SELECT s.a, s.b FROM (SELECT %s AS a,"
					" pg_catalog.lag(%s) OVER w AS b,"
					" pg_catalog.row_number() OVER w AS n FROM %s"
					" WINDOW w AS (PARTITION BY %s ORDER BY c.%s)) s"
					" WHERE s.n " GS_OP(">") " 1 LIMIT %d", text, text, from,
					keys.data, owners->order_by == NULL ? "ctid" :
					quote_identifier(owners->order_by), LIKENESS_ROWS);
}

/*
 * gs_find_likeness: notes in the step from rows of a table to others that they
 * refer to what these are like, in the current context; nothing where chance
 * does as well.  To be called within an SPI connection.
 *
 * owners: of the rows, but for this reference
 */
void
gs_find_likeness(const GsSchemaPlan *plan, const GsPlanTable *table,
				 const GsOwners *owners, GsOwnerStep *step)
{
	MemoryContext context = CurrentMemoryContext;
	const GsOwnerStep *owner = linitial(owners->steps);
	const GsPlanTable *of = &plan->table[table->owner->parent];
	const GsPlanTable *parent = NULL;
	StringInfoData from;
	double		best = LEAST_LIKENESS;
	double		best_share = 0;
	const char *column = NULL;
	const char *like = NULL;
	ListCell   *cell;
	ListCell   *known;
	ListCell   *name;

	foreach(cell, table->keys)
		if (((const GsPlanKey *) lfirst(cell))->columns == step->columns)
			parent = &plan->table[((const GsPlanKey *) lfirst(cell))->parent];
	initStringInfo(&from);
	appendStringInfo(&from, "%s c JOIN %s r", table->name, parent->name);
	append_keys(&from, "c", step->columns, "r", step->parent_columns);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	foreach(cell, step->known)
	{
		const char *text = column_text(parent, "r", lfirst(cell));
		double		share;
		double		found = likeness(before_query(owners, text, from.data),
									 &share);

		if (found > best)
		{
			best = found;
			best_share = share;
			column = lfirst(cell);
			like = "";
		}
		forboth(known, owner->known, name, owner->names)
		{
			StringInfoData query;

			if (column_type(of, lfirst(known)) !=
				column_type(parent, lfirst(cell)))
				continue;
			initStringInfo(&query);
			appendStringInfo(&query,
							 "SELECT %s AS a, %s AS b FROM %s JOIN %s o", text,
							 column_text(of, "o", lfirst(known)), from.data,
							 of->name);
			append_keys(&query, "c", owner->columns, "o",
						owner->parent_columns);
			appendStringInfo(&query, " LIMIT %d", LIKENESS_ROWS);
			found = likeness(query.data, &share);
			if (found > best)
			{
				best = found;
				best_share = share;
				column = lfirst(cell);
				like = lfirst(name);
			}
		}
	}
	SPI_finish();
	MemoryContextSwitchTo(context);
	if (column != NULL)
		step->like = list_make3(pstrdup(column), pstrdup(like),
								psprintf("%.4f", best_share));
}
