/*
 * owned_past.c
 *	  Rows that owners have already, after which theirs go on.
 *
 * They are read in the order that a fit reads those of its source in, with
 * what they know of the rows before and of those that they refer to, encoded,
 * and remembered as if they had been made.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "catalog/access.h"
#include "codec/styles.h"
#include "column/store.h"
#include "column/tensor.h"
#include "model/siblings.h"
#include "numeric/philox.h"
#include "stream/owned_state.h"

struct GsOwnedPast
{
	char	   *query;			/* whose, its columns, what it knows; its
								 * parameters are keys of owners, each column an
								 * array */
	int			ncolumns;		/* of that */
	Oid			relid;
	SPIPlanPtr	plan;			/* NULL: not yet */
	GsEncoder  *encoder;
	GsRows	   *given;			/* [columns of the model] */
	Datum	   *values;			/* [GS_BATCH][ncolumns + what is known of
								 * owners] */
	bool	   *nulls;
	uint64		key;			/* of random numbers where there are no rows */
	MemoryContext context;		/* of the rows at hand */
};

/*
 * Where the model's columns are in what is read: place[i] of column i of it;
 * -1: the model has none.
 */
static int *
find_places(const GsOwned *owned, TupleDesc desc, List *names)
{
	const GsSchema *schema = owned->rows->sampler->schema;
	int		   *place = palloc(sizeof(int) * (desc->natts +
											  list_length(names) + 1));
	ListCell   *cell;

	for (int i = 0; i < desc->natts; i++)
	{
		int			c = owned->columns[i].c;

		place[i] = c >= 0 && schema->columns[c].key == NULL ? c : -1;
	}
	foreach(cell, names)
		place[desc->natts + foreach_current_index(cell)] =
			gs_schema_column(schema, lfirst(cell));
	return place;
}

/*
 * What rows know besides their own columns: names, in the order of the query.
 */
static List *
known_names(const GsOwners *owners)
{
	List	   *names = list_copy(owners->before_names);
	ListCell   *cell;

	foreach(cell, owners->references)
		names = list_concat(names, ((const GsOwnerStep *) lfirst(cell))->names);
	foreach(cell, owners->steps)
		names = list_concat(names, ((const GsOwnerStep *) lfirst(cell))->names);
	return names;
}

/*
 * The query: of the owners whose keys are its parameters, or of all rows.
 */
static void
form_query(GsOwnedPast *past, const GsOwned *owned, TupleDesc desc)
{
	const GsOwners *owners = owned->owners;
	const GsOwnerStep *step = linitial(owners->steps);
	const GsSchema *schema = owned->rows->sampler->schema;
	const char *order = gs_owners_order(owners, past->relid);
	StringInfoData columns;
	StringInfoData own;
	StringInfoData from;
	StringInfoData keys;
	List	   *names = NIL;
	ListCell   *cell;
	ListCell   *name;

	initStringInfo(&columns);
	initStringInfo(&own);
	initStringInfo(&from);
	initStringInfo(&keys);
	for (int i = 0; i < desc->natts; i++)
		appendStringInfo(&own, ", %s%s", TupleDescAttr(desc, i)->attisdropped ?
						 "NULL" : "p.",
						 TupleDescAttr(desc, i)->attisdropped ? "" :
						 quote_identifier(NameStr(TupleDescAttr(desc, i)->attname)));
	appendStringInfoChar(&columns, ' ');
	forboth(cell, owners->before, name, owners->before_names)
	{
		int			c = gs_schema_column(schema, lfirst(name));

		if (c < 0)
			gs_corrupted("rows know column \"%s\", which the model lacks",
						 (char *) lfirst(name));
		gs_owners_check_type(past->relid, lfirst(cell),
							 schema->columns[c].type);
		appendStringInfo(&columns, "%spg_catalog.lag(c.%s) OVER w AS %s",
						 columns.len > 1 ? ", " : "",
						 quote_identifier(lfirst(cell)),
						 quote_identifier(lfirst(name)));
		names = lappend(names, lfirst(name));
	}
	appendStringInfo(&from, "%s c", gs_relation_name(past->relid, NULL));
	if (step->columns != NIL)
	{
		List	   *parts = NIL;

		foreach(cell, step->columns)
		{
			char	   *part = psprintf("k%d", foreach_current_index(cell));

			appendStringInfo(&keys, "%s$%d", keys.len > 0 ? ", " : "",
							 foreach_current_index(cell) + 1);
			parts = lappend(parts, part);
		}
		appendStringInfo(&from, " JOIN ROWS FROM (pg_catalog.unnest(%s)) WITH ORDINALITY AS g (",
						 keys.data);
		foreach(cell, parts)
			appendStringInfo(&from, "%s, ", (char *) lfirst(cell));
		appendStringInfoString(&from, "i)");
		gs_owners_append_match(&from, "c", step->columns, "g", parts);
	}
	gs_owners_append_references(owners, past->relid, &columns, &from);
	foreach(cell, owners->references)
		names = list_concat(names, ((const GsOwnerStep *) lfirst(cell))->names);
	past->ncolumns = desc->natts + list_length(names);
	initStringInfo(&keys);
	foreach(cell, names)
	{
		int			c = gs_schema_column(schema, lfirst(cell));

		appendStringInfo(&keys, ", p.%s%s", quote_identifier(lfirst(cell)),
						 c < 0 ? "" : psprintf("::%s", format_type_extended(schema->columns[c].type, -1,
																			FORMAT_TYPE_FORCE_QUALIFY)));
	}
	past->query = psprintf("SELECT p.\"owner of the past\"%s%s FROM (SELECT %s AS \"owner of the past\", c.*%s%s,"
						   " pg_catalog.row_number() OVER w AS \"row of the past\""
						   " FROM %s WINDOW w AS (%s%s%s)) p ORDER BY 1, p.\"row of the past\"",
						   own.data, keys.data,
						   step->columns != NIL ? "g.i" : "1::pg_catalog.int8",
						   columns.len > 1 ? "," : "",
						   columns.len > 1 ? columns.data : "", from.data,
						   step->columns != NIL ? "PARTITION BY g.i" : "",
						   *order == '\0' ? "" : " ORDER BY", order);
}

/*
 * gs_owned_open_past: rows are to go on after those that owners have, in the
 * current context.
 *
 * relid: the table that has them; desc: its columns that are asked for
 */
void
gs_owned_open_past(GsOwned *owned, Oid relid, TupleDesc desc)
{
	const GsSchema *schema = owned->rows->sampler->schema;
	const GsSupply *supply = owned->supply;
	GsOwnedPast *past = palloc0(sizeof(GsOwnedPast));
	bool	   *seen = palloc0(Max(schema->ncolumns, 1));
	int			level = gs_fix_names();
	int			stride;
	int		   *place;

	past->relid = relid;
	form_query(past, owned, desc);
	gs_end_settings(level);
	place = find_places(owned, desc, known_names(owned->owners));
	stride = past->ncolumns + supply->nowner - supply->nkeys;
	past->values = palloc0(sizeof(Datum) * GS_BATCH * Max(stride, 1));
	past->nulls = palloc0((Size) GS_BATCH * Max(stride, 1));
	past->given = palloc0(sizeof(GsRows) * Max(schema->ncolumns, 1));
	for (int i = 0; i < stride; i++)
		if (place[i] >= 0)
		{
			seen[place[i]] = true;
			past->given[place[i]] = (GsRows)
			{
				past->values + i, past->nulls + i, stride
			};
		}
	past->encoder = gs_encoder_create(gs_schema_copy(schema), seen);
	past->key = owned->key;
	past->context = AllocSetContextCreate(CurrentMemoryContext,
										  "gensynth past rows",
										  ALLOCSET_DEFAULT_SIZES);
	owned->past = past;
}

/*
 * The keys of the owners at hand, each column as an array.
 */
static Datum *
owner_keys(const GsOwned *owned)
{
	const GsSupply *supply = owned->supply;
	Datum	   *arrays = palloc(sizeof(Datum) * Max(supply->nkeys, 1));
	Datum	   *elements = palloc(sizeof(Datum) * GS_BATCH);

	for (int k = 0; k < supply->nkeys; k++)
	{
		int16		len;
		bool		byval;
		char		align;

		for (int i = 0; i < supply->nowners; i++)
			elements[i] = supply->owner[(Size) i * supply->nowner + k];
		get_typlenbyvalalign(supply->key_type[k], &len, &byval, &align);
		arrays[k] = PointerGetDatum(construct_array(elements, supply->nowners,
													supply->key_type[k], len,
													byval, align));
	}
	return arrays;
}

static SPIPlanPtr
prepare(const GsOwned *owned)
{
	const GsSupply *supply = owned->supply;
	Oid		   *types = palloc(sizeof(Oid) * Max(supply->nkeys, 1));
	int			level = gs_fix_names();
	SPIPlanPtr	plan;

	for (int k = 0; k < supply->nkeys; k++)
		types[k] = get_array_type(supply->key_type[k]);
	plan = SPI_prepare(owned->past->query, supply->nkeys, types);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	gs_end_settings(level);
	return plan;
}

/*
 * Takes n rows in that were read.
 */
static void
recall_rows(GsOwned *owned, int n)
{
	GsOwnedPast *past = owned->past;
	const GsSupply *supply = owned->supply;
	int			known = supply->nowner - supply->nkeys;
	Size		stride = past->ncolumns + known;
	Datum	   *values = palloc(sizeof(Datum) * (stride + 1));
	bool	   *nulls = palloc(stride + 1);
	int			owner[GS_BATCH];

	for (int row = 0; row < n; row++)
	{
		Size		from;

		heap_deform_tuple(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						  values, nulls);
		owner[row] = (int) DatumGetInt64(values[0]) - 1;
		from = (Size) owner[row] * supply->nowner + supply->nkeys;
		memcpy(past->values + row * stride, values + 1,
			   sizeof(Datum) * past->ncolumns);
		memcpy(past->nulls + row * stride, nulls + 1, past->ncolumns);
		memcpy(past->values + row * stride + past->ncolumns,
			   supply->owner + from, sizeof(Datum) * known);
		memcpy(past->nulls + row * stride + past->ncolumns,
			   supply->nulls + from, known);
	}
	gs_siblings_rows(owned->rows->sampler->state, owner, n);
	gs_encode(past->encoder, past->given, n, NULL, owned->rows->batch);
	gs_siblings_recall(owned->rows->sampler->state, owned->rows->batch);
	for (int row = 0; row < n; row++)
		gs_owned_keep_row(owned, row, owner[row], past->values + row * stride,
						  past->nulls + row * stride);
}

/*
 * gs_owned_recall: the rows that the owners at hand have already are those
 * before the ones to come.
 */
void
gs_owned_recall(GsOwned *owned)
{
	GsOwnedPast *past = owned->past;
	MemoryContext old = MemoryContextSwitchTo(past->context);
	Portal		portal;
	uint64		rows = 0;

	MemoryContextReset(past->context);
	if (past->plan == NULL)
		past->plan = prepare(owned);
	portal = SPI_cursor_open(NULL, past->plan, owner_keys(owned), NULL, false);
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, GS_BATCH);
		if (SPI_processed == 0)
			break;
		rows += SPI_processed;
		MemoryContextSwitchTo(past->context);
		MemoryContextReset(past->context);
		recall_rows(owned, (int) SPI_processed);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_close(portal);
	MemoryContextSwitchTo(old);
	/* what comes after rows is not what came before them */
	owned->key = rows == 0 ? past->key : gs_mix64(past->key, rows);
	for (int i = 0; i < owned->supply->nowners; i++)
		gs_siblings_expect(owned->rows->sampler->state, i, owned->expected[i]);
}
