/*
 * manage.c
 *	  The functions that a model's owner manages it with, and synth_columns.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "catalog/datasets.h"

/*
 * An error if an argument that the function needs is NULL; second: the name
 * of the second one, NULL if it may be left out.
 */
static void
require_args(FunctionCallInfo fcinfo, const char *second)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("model must not be null"),
				 errhint("SELECT * FROM synth_models lists the models.")));
	if (second != NULL && PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", second),
				 errhint("Pass the %s beside the model's name.", second)));
}

/*
 * An error unless the version is there; any of its parts may be missing.
 */
static void
check_version(const GsModelEntry *model, int version)
{
	if (gs_run_version("SELECT FROM gensynth.versions"
					   " WHERE model " GS_EQ " $1 AND version " GS_EQ " $2",
					   model->name, version, false) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", model->name,
						version),
				 errhint("SELECT * FROM synth_models lists the versions.")));
}

/*
 * An error unless a version is as private as the current one is.
 */
static void
check_line(const GsModelEntry *model, int current, int version)
{
	Oid			types[] = {TEXTOID, INT4OID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(model->name),
	Int32GetDatum(current), Int32GetDatum(version)};

	gs_run("SELECT pg_catalog.count(epsilon) FROM gensynth.versions"
		   " WHERE model " GS_EQ " $1 AND version " GS_EQ " ANY (ARRAY[$2, $3])",
		   lengthof(types), types, values, NULL, false);
	if (current != version && DatumGetInt64(gs_result(0, 1, NULL)) == 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("one of versions %d and %d of model \"%s\" is differentially private, and the other is not",
						current, version, model->name),
				 errhint("Fit a model of another name.")));
}

static void
drop_version(const GsModelEntry *model, int current, int version)
{
	check_version(model, version);
	if (version == current)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %d of model \"%s\" is the current one",
						version, model->name),
				 errhint("Go to another version with synth_use first, or drop the whole model.")));
	gs_catalog_delete(model->name, version);
}

/*
 * synth_drop(model text, version int = NULL): drops a model, or all of a
 * dataset, or a version.
 */
GS_FUNCTION(synth_drop);

Datum
synth_drop(PG_FUNCTION_ARGS)
{
	char	   *name;
	bool		dataset;
	List	   *models;
	ListCell   *cell;

	require_args(fcinfo, NULL);
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	models = gs_catalog_own(name, &dataset);
	foreach(cell, models)
	{
		GsModelEntry *model = lfirst(cell);
		GsAccess	access;
		int			current;

		gs_enter(&access);
		current = gs_catalog_lock(model, true);
		if (PG_ARGISNULL(1))
			gs_catalog_delete(model->name, 0);
		else
			drop_version(model, current, PG_GETARG_INT32(1));
		gs_leave(&access);
	}
	if (dataset && PG_ARGISNULL(1))
		gs_dataset_forget(name);
	PG_RETURN_VOID();
}

/*
 * synth_use(model text, version int): makes a version of a model, or of all of
 * a dataset, the current one.
 */
GS_FUNCTION(synth_use);

Datum
synth_use(PG_FUNCTION_ARGS)
{
	bool		dataset;
	List	   *models;
	ListCell   *cell;

	require_args(fcinfo, "version");
	models = gs_catalog_own(text_to_cstring(PG_GETARG_TEXT_PP(0)), &dataset);
	foreach(cell, models)
	{
		GsModelEntry *model = lfirst(cell);
		GsAccess	access;
		int			current;

		gs_enter(&access);
		current = gs_catalog_lock(model, true);
		check_version(model, PG_GETARG_INT32(1));
		check_line(model, current, PG_GETARG_INT32(1));
		gs_run_version("UPDATE gensynth.models SET current = $2"
					   " WHERE name " GS_EQ " $1", model->name,
					   PG_GETARG_INT32(1), false);
		gs_leave(&access);
	}
	PG_RETURN_VOID();
}

/*
 * Runs a statement about a model and a role, $1 and $2 of the caller, who
 * must own the model; of a dataset, about each of its models.
 */
static void
change_role(FunctionCallInfo fcinfo, const char *sql, bool exclusive)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	bool		dataset;
	List	   *models;
	ListCell   *cell;
	Datum		values[2];

	require_args(fcinfo, "role");
	models = gs_catalog_own(text_to_cstring(PG_GETARG_TEXT_PP(0)), &dataset);
	values[1] = CStringGetTextDatum(GetUserNameFromId(PG_GETARG_OID(1),
													  false));
	foreach(cell, models)
	{
		GsModelEntry *model = lfirst(cell);
		GsAccess	access;

		values[0] = CStringGetTextDatum(model->name);
		gs_enter(&access);
		(void) gs_catalog_lock(model, exclusive);
		gs_run(sql, 2, types, values, NULL, false);
		gs_leave(&access);
	}
}

/*
 * synth_grant(model text, role regrole): lets a role sample a model, or a
 * dataset.
 */
GS_FUNCTION(synth_grant);

Datum
synth_grant(PG_FUNCTION_ARGS)
{
	change_role(fcinfo, "INSERT INTO gensynth.grants (model, role)"
				" VALUES ($1, $2) ON CONFLICT DO NOTHING", false);
	PG_RETURN_VOID();
}

/*
 * synth_revoke(model text, role regrole): takes a grant back.
 */
GS_FUNCTION(synth_revoke);

Datum
synth_revoke(PG_FUNCTION_ARGS)
{
	change_role(fcinfo, "DELETE FROM gensynth.grants"
				" WHERE model " GS_EQ " $1 AND role " GS_EQ " $2", false);
	PG_RETURN_VOID();
}

/*
 * synth_own(model text, role regrole): gives a model to a role.  Only for
 * superusers: a model's conditions run as its owner.
 */
GS_FUNCTION(synth_own);

Datum
synth_own(PG_FUNCTION_ARGS)
{
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to give a model away"),
				 errhint("Grant it with synth_grant, or let the other role fit a model of its own.")));
	change_role(fcinfo, "UPDATE gensynth.models SET owner = $2"
				" WHERE name " GS_EQ " $1 OR part AND name " GS_EQ
				" ANY (ARRAY[$1 OPERATOR(pg_catalog.||) '@',"
				" $1 OPERATOR(pg_catalog.||) '@#'])", true);
	PG_RETURN_VOID();
}

/*
 * Rows of a table of versions for whoever may sample the model: the arguments
 * of the function are model and version, and the query's parameters too.
 */
static Datum
show_version(FunctionCallInfo fcinfo, const char *query)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	GsModelEntry *model;
	GsAccess	access;
	int			version;
	int			natts;
	Datum	   *values;
	bool	   *nulls;

	require_args(fcinfo, NULL);
	model = gs_catalog_open(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	version = PG_ARGISNULL(1) ? model->current : PG_GETARG_INT32(1);
	InitMaterializedSRF(fcinfo, 0);
	natts = rsinfo->setDesc->natts;
	values = palloc(sizeof(Datum) * natts);
	nulls = palloc(natts);
	gs_catalog_check(model, version);
	gs_enter(&access);
	check_line(model, model->current, version);
	gs_run_version(query, model->name, version, true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		for (int c = 0; c < natts; c++)
			values[c] = gs_result(i, c + 1, &nulls[c]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	gs_leave(&access);
	return (Datum) 0;
}

/*
 * synth_columns(model text, version int = NULL): how columns were understood.
 */
GS_FUNCTION(synth_columns);

Datum
synth_columns(PG_FUNCTION_ARGS)
{
	return show_version(fcinfo,
						"SELECT ordinal, name, pg_catalog.replace(type, 'pg_catalog.', ''),"
						" kind, nullable, detail FROM gensynth.columns"
						" WHERE model " GS_EQ " $1 AND version " GS_EQ " $2"
						" ORDER BY ordinal");
}

/*
 * synth_constraints(model text, version int = NULL): what the source says
 * about its rows, and how it is met.
 */
GS_FUNCTION(synth_constraints);

Datum
synth_constraints(PG_FUNCTION_ARGS)
{
	return show_version(fcinfo,
						"SELECT kind, name, columns, definition, met"
						" FROM gensynth.constraints"
						" WHERE model " GS_EQ " $1 AND version " GS_EQ " $2"
						" ORDER BY ordinal");
}

#define TRAINING_COLUMNS	6

/*
 * synth_training(model text, version int = NULL): how the training of a model
 * went; no rows for methods without any.
 */
GS_FUNCTION(synth_training);

Datum
synth_training(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	GsModelEntry *model;
	List	   *tensors;
	const GsTensor *curve;
	int			version;

	require_args(fcinfo, NULL);
	model = gs_catalog_open(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	version = PG_ARGISNULL(1) ? model->current : PG_GETARG_INT32(1);
	InitMaterializedSRF(fcinfo, 0);
	tensors = gs_catalog_tensors(model, version, "training");
	if (tensors == NIL)
		return (Datum) 0;
	curve = gs_tensor_get(tensors, "training", GS_F8, 2);
	if (curve->dims[1] != TRAINING_COLUMNS)
		gs_corrupted("The curve of the training has %d columns.",
					 curve->dims[1]);
	for (int i = 0; i < curve->dims[0]; i++)
	{
		const double *check = (const double *) curve->data +
			(Size) i * TRAINING_COLUMNS;
		Datum		values[TRAINING_COLUMNS];
		bool		nulls[TRAINING_COLUMNS] = {0};

		values[0] = Int64GetDatum(check[0] >= 0 && check[0] < 1e15 ?
								  (int64) check[0] : 0);
		for (int c = 1; c < TRAINING_COLUMNS; c++)
			values[c] = Float8GetDatum(check[c]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
