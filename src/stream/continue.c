/*
 * continue.c
 *	  Where keys go on that count: behind those that a target has.
 *
 * Where rows have their numbers in turn, a fill that is resumed goes on behind
 * the greatest one that is there by then.  Those of a key that carries order
 * are spread over all the rows of a fill (key_order.c): so it must begin where
 * it did when the fill began, and a row has the same number whether the fill
 * was resumed or not.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"

#include "catalog/fills.h"
#include "key/key.h"
#include "stream/continue.h"

/*
 * The greatest key that the target has; false if there is none.  Not every
 * type that counts on has a max; counters in texts grow by a digit now and
 * then.
 */
static bool
greatest_key(const GsFill *fill, const GsColumn *column, Datum *greatest)
{
	const char *name = quote_identifier(column->name);
	const char *order = name;
	bool		isnull;

	if (column->key->place > 0)
		order = psprintf("COALESCE(pg_catalog.substring(%s::pg_catalog.text,"
						 " '^(?:[^0-9]*[0-9]+){%d}[^0-9]*([0-9]{1,17})')::pg_catalog.int8, -1)",
						 name, column->key->runs);
	else if (column->codec.kind->content == GS_CONTENT_TEXT)
		order = psprintf("pg_catalog.length(%s::pg_catalog.text) DESC,"
						 " %s::pg_catalog.text COLLATE pg_catalog.\"C\"",
						 name, name);
	SPI_execute(psprintf("SELECT %s FROM %s WHERE %s IS NOT NULL"
						 " ORDER BY %s DESC LIMIT 1",
						 name, fill->target, name, order), false, 1);
	if (SPI_processed == 0)
		return false;
	*greatest = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
							  1, &isnull);
	return !isnull;
}

/*
 * Whether a column's numbers depend on how the fill began: rows have theirs out
 * of turn.
 */
static bool
is_ordered(const GsColumn *column)
{
	return column->key != NULL && gs_key_counts(column->key) &&
		(column->key->order != 0 || column->key->kind == GS_KEY_GROUPED);
}

/*
 * Writes down where keys that carry order begin, for those who resume the fill:
 * two numbers of each column.
 */
static void
save_keys(const GsSchema *schema, GsFill *fill)
{
	bool		any = false;

	fill->keys = palloc0(sizeof(int64) * 2 * Max(schema->ncolumns, 1));
	for (int c = 0; c < schema->ncolumns; c++)
	{
		if (!is_ordered(&schema->columns[c]))
			continue;
		fill->keys[2 * c] = schema->columns[c].key->min;
		fill->keys[2 * c + 1] = schema->columns[c].key->first;
		any = true;
	}
	fill->nkeys = any ? 2 * schema->ncolumns : 0;
}

/*
 * gs_target_begin_keys: tells the keys that carry order how many rows a fill
 * has, and lets those that count begin where they did when the fill was begun.
 *
 * Returns false if the fill, which has begun, does not say where that was.  To
 * be called before a stream is opened.
 */
bool
gs_target_begin_keys(const GsSampler *sampler, const GsFill *fill)
{
	const GsSchema *schema = sampler->schema;

	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsKey	   *key = schema->columns[c].key;

		if (key == NULL)
			continue;
		key->rows = Max(fill->n, 1);
		gs_key_set_order(key, key->order, key->down, key->exact);
		if (fill->begun && is_ordered(&schema->columns[c]) &&
			(fill->nkeys != 2 * schema->ncolumns ||
			 !gs_key_begin(key, fill->keys[2 * c], fill->keys[2 * c + 1])))
			return false;
	}
	return true;
}

/*
 * Keys that count on do so after the greatest one that the target has, but for
 * those that carry order where the fill is resumed.
 */
static void
continue_sequences(const GsTarget *target, const GsSchema *schema,
				   const GsFill *fill)
{
	for (int i = 0; i < target->desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(target->desc, i)->attname);
		int			c = gs_schema_column(schema, name);
		Datum		last;

		if (c < 0 || schema->columns[c].key == NULL ||
			!gs_is_column_of(&schema->columns[c],
							 TupleDescAttr(target->desc, i)->atttypid) ||
			!gs_key_counts(schema->columns[c].key) ||
			(fill->begun && is_ordered(&schema->columns[c])) ||
			!gs_target_readable(target, i))
			continue;
		if (greatest_key(fill, &schema->columns[c], &last))
			(void) gs_key_continue(&schema->columns[c], last,
								   fill->start - 1 + fill->drawn);
	}
}

/*
 * gs_target_continue_keys: lets the other keys that count go on behind those
 * that the target has; and if the fill has not begun, writes down where keys
 * that carry order begin, in the current context.
 *
 * To be called within an SPI connection, before a stream from the fill's next
 * row on is opened.  Errors: those of gs_keys_check.
 */
void
gs_target_continue_keys(const GsTarget *target, const GsSampler *sampler,
						GsFill *fill)
{
	const GsSchema *schema = sampler->schema;

	continue_sequences(target, schema, fill);
	if (!fill->begun)
		save_keys(schema, fill);
	gs_keys_check(schema, fill->start - 1 + fill->drawn,
				  fill->n - fill->done);
	/* rows in the place of others need more: what collides is seen */
	for (int c = 0; c < schema->ncolumns; c++)
		if (schema->columns[c].key != NULL)
			schema->columns[c].key->wraps = target->makes_up;
}
