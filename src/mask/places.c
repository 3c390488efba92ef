/*
 * places.c
 *	  Places of a table's own rows, for its masked ones: rules such as
 *	  city(from=table).
 *
 * City, state and postcode of real rows belong together, and are as frequent
 * as they are.  A combination that few rows share would say who somebody is,
 * so only those of at least RARE_THRESHOLD rows are drawn, by their number;
 * what is kept of a place (the state, say) stays, so those that agree with it.
 * A row for which there is none gets a place of the lists.
 *
 * All rows together make these values, so this is for tables that are written
 * as a whole.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "catalog/strange.h"
#include "mask/masker.h"
#include "mask/places.h"

#define RARE_THRESHOLD	5		/* rows, as of synth_fit by default */

static bool
is_place(GsKindId kind)
{
	return kind == GS_KIND_COUNTRY || kind == GS_KIND_COUNTRY_CODE ||
		gs_rule_is_place(kind);
}

/* The columns of a table that are drawn, and those that they are to fit. */
static GsPlaces *
begin_places(const GsMaskTable *table)
{
	GsPlaces   *places = palloc0(sizeof(GsPlaces));
	ListCell   *cell;

	foreach(cell, table->columns)
	{
		const GsMaskColumn *column = lfirst(cell);

		if (column->rule->own && places->ncolumns < GS_PLACE_COLUMNS)
			places->columns[places->ncolumns++] = column->name;
	}
	foreach(cell, table->kept)
	{
		const GsKeptColumn *column = lfirst(cell);

		if (is_place(column->kind) && places->nkept < GS_PLACE_COLUMNS)
			places->kept[places->nkept++] = column->name;
	}
	return places;
}

static char *
text_of(const GsMaskTable *table, const char *column)
{
	return gs_as_text(psprintf("t.%s", quote_identifier(column)),
					  get_atttype(table->relid,
								  get_attnum(table->relid, column)));
}

static char *
places_query(const GsMaskTable *table, const GsPlaces *places)
{
	StringInfoData columns;
	StringInfoData filled;
	StringInfoData order;
	StringInfoData key;

	initStringInfo(&columns);
	initStringInfo(&filled);
	initStringInfo(&order);
	initStringInfo(&key);
	appendStringInfoString(&key, "''");
	for (int i = 0; i < places->nkept; i++)
		appendStringInfo(&key, " " GS_OP("||") " COALESCE(%s, '')"
						 " " GS_OP("||") " E'\\x01'",
						 text_of(table, places->kept[i]));
	for (int i = 0; i < places->ncolumns; i++)
	{
		const char *name = quote_identifier(places->columns[i]);

		appendStringInfo(&columns, ", t.%s", name);
		appendStringInfo(&filled, "%s t.%s IS NOT NULL", i > 0 ? " AND" : "",
						 name);
		appendStringInfo(&order, ", (%s) COLLATE \"C\"",
						 text_of(table, places->columns[i]));
	}
	return psprintf("SELECT (%s) COLLATE \"C\"%s, pg_catalog.count(*) FROM %s%s AS t"
					" WHERE %s GROUP BY 1%s HAVING pg_catalog.count(*) "
					GS_OP(">=") " %d ORDER BY 1%s", key.data, columns.data,
					get_rel_relkind(table->relid) == RELKIND_RELATION ? "ONLY " : "",
					table->name, filled.data, columns.data, RARE_THRESHOLD,
					order.data);
}

/*
 * gs_places_find: looks for the places of a table that columns of it are to be
 * drawn from, in the current memory context; none if no rule asks for it.
 */
void
gs_places_find(GsMaskTable *table)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext old;
	GsPlaces   *places = begin_places(table);
	double		sum = 0;

	if (places->ncolumns == 0)
		return;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	places->n = (int) gs_run(places_query(table, places), 0, NULL, NULL, NULL,
							 true);
	old = MemoryContextSwitchTo(context);
	places->key = palloc_array(const char *, places->n + 1);
	places->upto = palloc_array(double, places->n + 1);
	places->values = palloc_array(Datum, places->n * places->ncolumns + 1);
	for (int row = 0; row < places->n; row++)
	{
		bool		isnull;

		places->key[row] = gs_result_text(row, 1, context);
		for (int i = 0; i < places->ncolumns; i++)
		{
			Form_pg_attribute attribute =
				TupleDescAttr(SPI_tuptable->tupdesc, i + 1);

			places->values[row * places->ncolumns + i] =
				datumCopy(gs_result(row, i + 2, &isnull),
						  attribute->attbyval, attribute->attlen);
		}
		sum += (double) DatumGetInt64(gs_result(row, places->ncolumns + 2,
												&isnull));
		places->upto[row] = sum;
	}
	MemoryContextSwitchTo(old);
	SPI_finish();
	table->places = places;
}

/* The first place whose key is not below one or, if after, is above it. */
static int
find_key(const GsPlaces *places, const char *key, bool after)
{
	int			low = 0;
	int			high = places->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;
		int			order = strcmp(places->key[middle], key);

		if (order < 0 || (after && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * gs_places_draw: the values of a place, one for each column; NULL if there is
 * none of the key, what a row keeps of its place.
 */
const Datum *
gs_places_draw(const GsPlaces *places, const char *key, uint64 random)
{
	int			low = find_key(places, key, false);
	int			high = find_key(places, key, true);
	double		before = low > 0 ? places->upto[low - 1] : 0;
	double		point;

	if (low == high)
		return NULL;
	point = before + (random >> 11) * 0x1p-53 *
		(places->upto[high - 1] - before);
	for (high--; low < high;)
	{
		int			middle = (low + high) / 2;

		if (places->upto[middle] > point)
			high = middle;
		else
			low = middle + 1;
	}
	return &places->values[low * places->ncolumns];
}
