/*
 * deferred.c
 *	  Foreign keys whose parents come later in the transaction.
 *
 * Tables that refer to each other, and must, can be filled in one transaction
 * if a key is deferrable.  The first one is filled with what its model says
 * of the key, whatever the parent will have; once the parent is filled, its
 * rows are given the parents that they would have had (foreign_keys.c), by an
 * UPDATE that is run as the caller.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/queryenvironment.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "catalog/access.h"
#include "stream/call.h"
#include "stream/deferred.h"
#include "stream/insert.h"
#include "table/source.h"

/* A key of a fill of this transaction. */
typedef struct Deferred
{
	Oid			target;
	Oid			parent;
	char	   *name;
	char	   *model;
	int64		seed;
	int64		n;
	CommandId	first;			/* of the fill */
	CommandId	last;
} Deferred;

/* In TopTransactionContext, and forgotten with it. */
static List *deferred = NIL;

/* What is read of a row before its columns. */
enum
{
	ROW_TABLE,
	ROW_ID,
	ROW_XMIN,
	ROW_CMIN,
	ROW_COLUMNS
};

/* An update of the rows of a fill. */
typedef struct Update
{
	const Deferred *key;
	const GsTarget *target;
	GsForeignKeys *fks;
	List	   *columns;		/* of the key */
	TupleDesc	desc;			/* table, row, the key's columns, number */
	Tuplestorestate *store;
	int64		rows;
} Update;

static void
forget(void *arg)
{
	deferred = NIL;
}

/*
 * gs_deferred_begin: makes the keys deferred whose parents have no rows, and
 * remembers them, before the target is filled.
 */
void
gs_deferred_begin(const GsForeignKeys *fks, const GsFill *fill, Oid target)
{
	const char *schema = get_namespace_name(get_rel_namespace(target));
	const char *name;
	ListCell   *cell;

	foreach(cell, gs_foreign_keys_deferred(fks))
	{
		const GsConstraint *constraint = lfirst(cell);
		MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
		Deferred   *key = palloc0(sizeof(Deferred));

		if (deferred == NIL)
		{
			MemoryContextCallback *end = palloc0(sizeof(MemoryContextCallback));

			end->func = forget;
			MemoryContextRegisterResetCallback(TopTransactionContext, end);
		}
		key->target = target;
		key->parent = constraint->parent_oid;
		key->name = pstrdup(constraint->name);
		key->model = pstrdup(fill->model);
		key->seed = fill->seed;
		key->n = fill->n;
		key->first = GetCurrentCommandId(true);
		key->last = InvalidCommandId;	/* as long as it is not over */
		deferred = lappend(deferred, key);
		MemoryContextSwitchTo(old);
		name = quote_qualified_identifier(schema, key->name);
		(void) SPI_execute(psprintf("SET CONSTRAINTS %s DEFERRED", name),
						   false, 0);
		ereport(NOTICE,
				(errmsg("foreign key \"%s\" of %s is left open, as %s has no rows",
						key->name, fill->target, constraint->parent),
				 errhint("Fill %s in the same transaction; it is set then.",
						 constraint->parent)));
	}
}

static void
take_row(TupleTableSlot *slot, void *arg)
{
	Update	   *update = arg;
	Datum	   *values = slot->tts_values + ROW_COLUMNS;
	bool	   *nulls = slot->tts_isnull + ROW_COLUMNS;
	TransactionId xmin = DatumGetTransactionId(slot->tts_values[ROW_XMIN]);
	CommandId	cmin = DatumGetCommandId(slot->tts_values[ROW_CMIN]);
	Datum	   *row;
	bool	   *row_nulls;
	int			n = 0;
	ListCell   *cell;

	if (!TransactionIdIsCurrentTransactionId(xmin) ||
		cmin < update->key->first || cmin >= update->key->last)
		return;
	row = palloc(sizeof(Datum) * update->desc->natts);
	row_nulls = palloc0(update->desc->natts);
	(void) gs_foreign_keys_fill(update->fks, update->rows++, values, nulls);
	row[n++] = slot->tts_values[ROW_TABLE];
	row[n++] = slot->tts_values[ROW_ID];
	foreach(cell, update->columns)
	{
		int			at = gs_target_column(update->target, lfirst(cell));

		row_nulls[n] = nulls[at];
		row[n++] = values[at];
	}
	row[n] = Int64GetDatum(update->rows);
	tuplestore_putvalues(update->store, update->desc, row, row_nulls);
	pfree(row);
	pfree(row_nulls);
}

/*
 * Reads the rows of the fill, in the order in which they came, and what they
 * shall refer to.
 */
static void
read_rows(Update *update, const char *name)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT tableoid, ctid, xmin, cmin");
	for (int i = 0; i < update->target->desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(update->target->desc, i);

		appendStringInfo(&query, ", %s",
						 quote_identifier(NameStr(column->attname)));
	}
	appendStringInfo(&query, " FROM %s ORDER BY tableoid, ctid", name);
	gs_query_read(query.data, take_row, update);
}

/*
 * The statement that sets the key, and the rows that it reads.
 */
static char *
update_statement(Update *update, const char *name)
{
	int			natts = list_length(update->columns) + 3;
	StringInfoData set;
	int			n = 2;
	ListCell   *cell;

	update->desc = CreateTemplateTupleDesc(natts);
	TupleDescInitEntry(update->desc, 1, "gensynth.table", OIDOID, -1, 0);
	TupleDescInitEntry(update->desc, 2, "gensynth.id", TIDOID, -1, 0);
	TupleDescInitEntry(update->desc, natts, "gensynth.row", INT8OID, -1, 0);
	initStringInfo(&set);
	foreach(cell, update->columns)
	{
		const char *column = quote_identifier(lfirst(cell));

		TupleDescCopyEntry(update->desc, ++n, update->target->desc,
						   gs_target_column(update->target, lfirst(cell)) + 1);
		appendStringInfo(&set, "%s%s = r.%s", n > 3 ? ", " : "", column,
						 column);
	}
	gs_desc_finish(update->desc);
	return psprintf("UPDATE %s AS t SET %s FROM " GS_TARGET_ROWS " AS r"
					" WHERE t.tableoid " GS_EQ " r.\"gensynth.table\""
					" AND t.ctid " GS_EQ " r.\"gensynth.id\"", name, set.data);
}

/*
 * Sets a key.  False if it still has to wait.
 */
static bool
set_key(const Deferred *key)
{
	const GsFormArgs *at = gs_form_args(GS_FORM_TYPED);
	NullableDatum args[GS_FORM_MAX_ARGS] = {{0}};
	Update		update = {.key = key};
	char	   *name;
	EphemeralNamedRelationData rows = {
		.md = {.name = GS_TARGET_ROWS,.enrtype = ENR_NAMED_TUPLESTORE}
	};
	GsInsert	insert = {0};
	GsCall	   *call;
	char	   *statement;
	ListCell   *cell;

	if (get_rel_relkind(key->target) == '\0')
		return true;			/* dropped */
	name = gs_relation_name(key->target, NULL);
	for (int i = 0; i < GS_FORM_MAX_ARGS; i++)
		args[i].isnull = true;
	args[at->n] = (NullableDatum)
	{
		Float8GetDatum((double) key->n), false
	};
	args[at->model] = (NullableDatum)
	{
		CStringGetTextDatum(key->model), false
	};
	args[at->seed] = (NullableDatum)
	{
		Int64GetDatum(key->seed), false
	};
	call = gs_call_open(GS_FORM_TYPED, args, key->target, NULL);
	update.target = gs_target_open(key->target, call->model);
	update.fks = gs_foreign_keys_open(update.target, call->sampler, key->seed,
									  key->n, true);
	foreach(cell, gs_foreign_keys_deferred(update.fks))
		if (strcmp(((GsConstraint *) lfirst(cell))->name, key->name) == 0)
			return false;
	foreach(cell, update.target->constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->kind == GS_CONSTRAINT_FOREIGN_KEY &&
			strcmp(constraint->name, key->name) == 0)
			update.columns = constraint->columns;
	}
	statement = update_statement(&update, name);
	update.store = tuplestore_begin_heap(false, false, work_mem);
	read_rows(&update, name);
	rows.md.tupdesc = update.desc;
	rows.md.enrtuples = update.rows;
	rows.reldata = update.store;
	gs_insert_run(&insert, statement, &rows, NULL);
	tuplestore_end(update.store);
	return true;
}

/*
 * gs_deferred_finish: a target has been filled: sets the keys that have waited
 * for its rows.  To be called within an SPI connection.
 */
void
gs_deferred_finish(Oid target)
{
	List	   *waiting = deferred;
	ListCell   *cell;

	foreach(cell, waiting)
	{
		Deferred   *key = lfirst(cell);

		if (key->target == target && key->last == InvalidCommandId)
			key->last = GetCurrentCommandId(true);
	}
	foreach(cell, waiting)
	{
		Deferred   *key = lfirst(cell);
		ListCell   *other;

		if (key->parent != target || !set_key(key))
			continue;
		deferred = foreach_delete_current(waiting, cell);
		waiting = deferred;
		/* the same rows may wait for another parent */
		foreach(other, waiting)
			if (((Deferred *) lfirst(other))->target == key->target)
				((Deferred *) lfirst(other))->last = GetCurrentCommandId(true);
	}
}
