/*
 * datasets.c
 *	  Tables that were learned together: the table gensynth.dataset_tables.
 *
 * A dataset belongs to whoever owns the models of its tables.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "catalog/datasets.h"

/*
 * gs_dataset_store: writes down the tables of a dataset, in the order they are
 * made, in the place of those that it had.  The caller must have refitted all
 * of its models, so nobody else's dataset is changed.
 */
void
gs_dataset_store(const char *dataset, List *tables)
{
	Oid			types[] = {TEXTOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	TEXTOID};
	const char *role = GetUserNameFromId(GetUserId(), false);
	GsAccess	access;
	ListCell   *cell;

	gs_enter(&access);
	if (gs_run_text("SELECT owner FROM gensynth.dataset_tables"
					" WHERE dataset " GS_EQ " $1 LIMIT 1", dataset, false) > 0 &&
		strcmp(gs_result_text(0, 1, CurrentMemoryContext), role) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("dataset \"%s\" belongs to another role", dataset),
				 errhint("Choose another name with the model argument.")));
	gs_run_text("DELETE FROM gensynth.dataset_tables WHERE dataset " GS_EQ " $1",
				dataset, false);
	foreach(cell, tables)
	{
		const GsDatasetTable *table = lfirst(cell);
		char		nulls[] = "       ";
		Datum		values[7];

		values[0] = CStringGetTextDatum(dataset);
		values[1] = Int32GetDatum(foreach_current_index(cell) + 1);
		values[2] = CStringGetTextDatum(role);
		values[3] = CStringGetTextDatum(table->relation);
		values[4] = CStringGetTextDatum(table->name);
		values[5] = CStringGetTextDatum(table->role);
		values[6] = table->model ? CStringGetTextDatum(table->model) : (Datum) 0;
		nulls[6] = table->model ? ' ' : 'n';
		gs_run("INSERT INTO gensynth.dataset_tables (dataset, ordinal, owner,"
			   " relation, name, role, model)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7)", lengthof(types), types,
			   values, nulls, false);
	}
	gs_leave(&access);
}

/*
 * gs_dataset_load: the tables of a dataset, of GsDatasetTable, in the current
 * context.  What is told is names; rows are made only by those who may sample
 * the models.  Errors: undefined_object.
 */
List *
gs_dataset_load(const char *dataset)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *tables = NIL;
	GsAccess	access;
	uint64		n;

	gs_enter(&access);
	n = gs_run_text("SELECT relation, name, role, model, owner"
					" FROM gensynth.dataset_tables"
					" WHERE dataset " GS_EQ " $1 ORDER BY ordinal", dataset,
					true);
	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		GsDatasetTable *table = palloc(sizeof(GsDatasetTable));

		table->relation = gs_result_text(i, 1, context);
		table->name = gs_result_text(i, 2, context);
		table->role = gs_result_text(i, 3, context);
		table->model = gs_result_text(i, 4, context);
		table->owner = gs_result_text(i, 5, context);
		tables = lappend(tables, table);
		MemoryContextSwitchTo(old);
	}
	gs_leave(&access);
	if (tables == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("dataset \"%s\" does not exist", dataset),
				 errhint("SELECT * FROM synth_datasets lists the datasets; synth_fit_schema makes one.")));
	return tables;
}

/*
 * gs_dataset_models: the names of a dataset's models, those of numbers of rows
 * included, in the current context; NIL if there is no such dataset.
 */
List *
gs_dataset_models(const char *dataset)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *names = NIL;
	GsAccess	access;
	uint64		n;

	gs_enter(&access);
	n = gs_run_text("SELECT m.name FROM gensynth.models m"
					" JOIN gensynth.dataset_tables t ON m.name " GS_EQ " t.model"
					" OR m.name " GS_EQ " (t.model OPERATOR(pg_catalog.||) '#')"
					" WHERE t.dataset " GS_EQ " $1"
					" ORDER BY t.ordinal, m.name", dataset, true);
	for (uint64 i = 0; i < n; i++)
	{
		char	   *name = gs_result_text(i, 1, context);
		MemoryContext old = MemoryContextSwitchTo(context);

		names = lappend(names, name);
		MemoryContextSwitchTo(old);
	}
	gs_leave(&access);
	return names;
}

/*
 * gs_dataset_forget: forgets that tables were learned together, once their
 * models are dropped.
 */
void
gs_dataset_forget(const char *dataset)
{
	GsAccess	access;

	gs_enter(&access);
	gs_run_text("DELETE FROM gensynth.dataset_tables WHERE dataset " GS_EQ " $1",
				dataset, false);
	gs_leave(&access);
}
