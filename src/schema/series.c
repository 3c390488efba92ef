/*
 * series.c
 *	  Series of tables whose keys do not say that they are some: readings of a
 *	  few sensors, numbered through or without a key, or hourly weather.
 *
 * They are told by the times of their rows, which go on by the same step.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "catalog/access.h"
#include "schema/plan.h"

#define LOOKED_AT	20000		/* rows */
#define LEAST_STEPS	30			/* to tell by ... */
#define SAME_STEPS	0.9			/* ... the share of them that is the same ... */
#define ENTITY_STEPS	10		/* ... and how many each entity has on average */
#define MAX_COLUMNS	8			/* that may tell entities apart */

/* $1 the relation: columns that may tell entities apart. */
static const char candidates_query[] =
"SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a"
" WHERE a.attrelid " GS_EQ " $1 AND a.attnum " GS_OP(">") " 0"
" AND NOT a.attisdropped AND a.attnotnull AND a.atttypid " GS_EQ " ANY ("
"'{text,varchar,bpchar,uuid,int2,int4,int8}'::pg_catalog.regtype[]::pg_catalog.oid[])"
" AND NOT EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid " GS_EQ " $1"
" AND x.indisunique AND x.indnkeyatts " GS_EQ " 1 AND x.indkey[0] " GS_EQ " a.attnum)"
" ORDER BY a.attnum";

/* $1 the relation: foreign keys that lead to its rows. */
static const char referred_query[] =
"SELECT FROM pg_catalog.pg_constraint c WHERE c.contype " GS_EQ " 'f'"
" AND c.confrelid " GS_EQ " $1";

/*
 * Whether the rows of each entity go on in time by the same step.
 *
 * keys: what tells entities apart, C strings; NIL: all are one's
 */
static bool
is_regular(const GsPlanTable *table, List *keys, const char *time)
{
	StringInfoData columns;
	bool		isnull;
	ListCell   *cell;

	initStringInfo(&columns);
	foreach(cell, keys)
		appendStringInfo(&columns, "%sc.%s", columns.len > 0 ? ", " : "",
						 quote_identifier(lfirst(cell)));
	gs_run(psprintf("SELECT pg_catalog.max(s.n) FILTER (WHERE s.step " GS_OP(">") " 0),"
					" pg_catalog.sum(s.n)::pg_catalog.float8,"
					" pg_catalog.sum(s.n) FILTER (WHERE s.step IS NULL)::pg_catalog.float8"
					" FROM (SELECT d.step, pg_catalog.count(*) AS n FROM"
					" (SELECT c.t " GS_OP("-") " pg_catalog.lag(c.t) OVER (PARTITION BY c.k ORDER BY c.t) AS step"
					" FROM (SELECT ROW(%s)::pg_catalog.text AS k, pg_catalog.date_part('epoch', c.%s) AS t"
					" FROM %s c LIMIT %d) c) d GROUP BY d.step) s",
					columns.data, quote_identifier(time), table->name,
					LOOKED_AT), 0, NULL, NULL, NULL, true);
	for (int i = 1; i <= 3; i++)
	{
		(void) gs_result(0, i, &isnull);
		if (isnull)
			return false;
	}
	return DatumGetFloat8(gs_result(0, 2, NULL)) >= LEAST_STEPS &&
		DatumGetInt64(gs_result(0, 1, NULL)) >= SAME_STEPS *
		(DatumGetFloat8(gs_result(0, 2, NULL)) -
		 DatumGetFloat8(gs_result(0, 3, NULL))) &&
		DatumGetFloat8(gs_result(0, 2, NULL)) >= ENTITY_STEPS *
		DatumGetFloat8(gs_result(0, 3, NULL));
}

/*
 * gs_plan_find_series: if the rows of a table, which have nothing else to go
 * by, are series in the order of a column of days or times, says so in the
 * table, in the given context.
 *
 * time: that column.  To be called within an SPI connection.
 */
void
gs_plan_find_series(const GsSchemaPlan *plan, GsPlanTable *table,
					const char *time, MemoryContext context)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(table->relid);
	List	   *names = NIL;
	MemoryContext old;
	uint64		n;
	ListCell   *cell;

	/* rows that others belong to are things, and not moments */
	if (gs_run(referred_query, 1, &type, &value, NULL, true) > 0)
		return;
	old = MemoryContextSwitchTo(context);
	/* first those that refer to what is kept, then all as one's, then others */
	foreach(cell, table->keys)
	{
		const GsPlanKey *key = lfirst(cell);

		if (key->use == GS_KEY_KEPT && !key->nullable)
			names = lappend(names, key->columns);
	}
	names = lappend(names, NIL);
	n = gs_run(candidates_query, 1, &type, &value, NULL, true);
	for (uint64 i = 0; i < n && i < MAX_COLUMNS; i++)
	{
		char	   *name = gs_result_text(i, 1, context);

		MemoryContextSwitchTo(context);
		names = lappend(names, list_make1(name));
	}
	foreach(cell, names)
		if (is_regular(table, lfirst(cell), time))
		{
			MemoryContextSwitchTo(context);
			table->sequence_key = lfirst(cell);
			table->order_by = pstrdup(time);
			break;
		}
	MemoryContextSwitchTo(old);
}
