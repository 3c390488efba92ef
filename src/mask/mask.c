/*
 * mask.c
 *	  synth_mask, synth_mask_schema and synth_mask_plan: from arguments to
 *	  masked tables.
 *
 * A plan is made, and made again when its tables are locked: while they were
 * waited for, keys and columns may have come.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "compat.h"
#include "fit/options.h"
#include "mask/mask.h"
#include "mask/places.h"
#include "mask/rewrite.h"
#include "mask/secret.h"
#include "stream/call.h"

#define MAX_BATCH_SIZE	10000000

/* Arguments of synth_mask. */
enum
{
	MASK_TARGET,
	MASK_COLUMNS,
	MASK_RULES,
	MASK_KEY,
	MASK_INTO,
	MASK_MODE,
	MASK_BATCH_SIZE,
	MASK_DRY_RUN,
	MASK_OPTIONS
};

/* Arguments of synth_mask_schema. */
enum
{
	SCHEMA_SCHEMA,
	SCHEMA_RULES,
	SCHEMA_KEY,
	SCHEMA_EXCLUDE,
	SCHEMA_DRY_RUN,
	SCHEMA_OPTIONS
};

static void
require(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errhint("Leave it out for the default, if it has one.")));
}

/* The names of an array, as C strings; none of them NULL or twice. */
static List *
read_names(ArrayType *array, const char *argument)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
	List	   *names = NIL;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
					  &n);
	for (int i = 0; i < n; i++)
	{
		char	   *name;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not contain NULL", argument),
					 errhint("Name columns of the table.")));
		name = TextDatumGetCString(values[i]);
		for (int j = 0; j < i; j++)
			if (strcmp(list_nth(names, j), name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("column \"%s\" is named twice", name),
						 errhint("Name each column once.")));
		names = lappend(names, name);
	}
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be empty", argument),
				 errhint("Leave it out for all columns that are labelled or surely personal.")));
	return names;
}

static const GsOptionDef mask_options[] = {
	GS_OPTION_NUMBER(published, GsMaskOptions, 0, 1, 0),
	GS_OPTION_NUMBER(again, GsMaskOptions, 0, 1, 0)
};

static void
read_options(FunctionCallInfo fcinfo, int argument, GsMaskOptions *options)
{
	GsOptionSet set = {mask_options, lengthof(mask_options), options};

	gs_options_read(PG_ARGISNULL(argument) ? NULL :
					PG_GETARG_JSONB_P(argument), NULL, &set, 1);
}

/* An error unless a relation is a table that can be masked in place. */
static void
check_target(Oid relid, bool copying)
{
	char	   *name = get_rel_name(relid);
	char		kind = get_rel_relkind(relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid),
				 errhint("Name a table.")));
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", name),
				 kind == RELKIND_FOREIGN_TABLE ?
				 errhint("Rows of foreign tables are masked where they are.") :
				 errhint("Mask the tables that it shows; materialized views are refreshed after.")));
	if (get_rel_relispartition(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a partition", name),
				 errhint("Mask \"%s\", and all its partitions are.",
						 get_rel_name(gs_mask_root(relid)))));
	if (!copying && !gs_class_ownercheck(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, name);
	if (copying && pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) !=
		ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, name);
}

static char *
describe_column(const GsMaskTable *table, const GsMaskColumn *column)
{
	StringInfoData line;
	ListCell   *cell;

	initStringInfo(&line);
	appendStringInfo(&line, "%s.%s: %s", table->name,
					 quote_identifier(column->name), column->rule->text);
	appendStringInfo(&line, " (%s)", column->origin);
	if (column->unique)
		appendStringInfoString(&line, ", unique");
	foreach(cell, column->referenced_by)
		appendStringInfo(&line, "%s%s", cell == list_head(column->referenced_by) ?
						 ", referenced by " : ", ", (char *) lfirst(cell));
	return line.data;
}

static void
tell_plan(const GsMaskPlan *plan)
{
	StringInfoData lines;
	int			n = 0;
	ListCell   *cell;
	ListCell   *column;

	initStringInfo(&lines);
	foreach(cell, plan->tables)
		foreach(column, ((GsMaskTable *) lfirst(cell))->columns)
			appendStringInfo(&lines, "%s%s", n++ > 0 ? "\n" : "",
							 describe_column(lfirst(cell), lfirst(column)));
	ereport(NOTICE,
			(errmsg_plural("%d column of %d tables would be masked",
						   "%d columns of %d tables would be masked", n, n,
						   list_length(plan->tables)),
			 errdetail_internal("%s", lines.data)));
}

/* What else may hold originals: copies that PostgreSQL knows of, and others. */
static void
tell_what_remains(const GsMaskPlan *plan)
{
	ArrayBuildState *relids = NULL;
	Datum		array;
	Oid			type = OIDARRAYOID;
	ListCell   *cell;
	uint64		n;

	foreach(cell, plan->tables)
		relids = accumArrayResult(relids,
								  ObjectIdGetDatum(((GsMaskTable *) lfirst(cell))->relid),
								  false, OIDOID, CurrentMemoryContext);
	array = makeArrayResult(relids, CurrentMemoryContext);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	n = gs_run("SELECT DISTINCT c.oid::pg_catalog.regclass::pg_catalog.text"
			   " FROM pg_catalog.pg_depend d"
			   " JOIN pg_catalog.pg_rewrite r ON r.oid " GS_EQ " d.objid"
			   " JOIN pg_catalog.pg_class c ON c.oid " GS_EQ " r.ev_class"
			   " WHERE d.classid " GS_EQ " 'pg_catalog.pg_rewrite'::pg_catalog.regclass"
			   " AND d.refclassid " GS_EQ " 'pg_catalog.pg_class'::pg_catalog.regclass"
			   " AND d.refobjid " GS_EQ " ANY ($1)"
			   " AND c.relkind " GS_EQ " 'm' ORDER BY 1", 1, &type, &array,
			   NULL, true);
	for (uint64 i = 0; i < n; i++)
		ereport(NOTICE,
				(errmsg("materialized view %s still holds what it was made of",
						gs_result_text(i, 1, CurrentMemoryContext)),
				 errhint("Refresh it with REFRESH MATERIALIZED VIEW.")));
	SPI_finish();
	ereport(NOTICE,
			(errmsg("originals may remain in WAL, archives, replicas, backups, logs and dead rows of pg_statistic"),
			 errhint("The manual says what to do about each: docs/masking.md.")));
}

static void
find_key(const char *name, GsPseudonymKey *key)
{
	if (gs_secret_find(name, key))
		return;
	if (strcmp(name, GS_DEFAULT_KEY) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("key \"%s\" does not exist", name),
				 errhint("synth_key makes one; SELECT * FROM synth_keys lists those that you may use.")));
	gs_secret_make(name, key);
	ereport(NOTICE,
			(errmsg("key \"default\" was made"),
			 errhint("synth_keys shows it; with it, pseudonyms can be taken back.")));
}

/*
 * Does something in a subtransaction that is rolled back, locks and all.
 * Returns the error that it ended in, or NULL.
 */
static ErrorData *
try_out(void (*work) (void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
	}
	PG_CATCH();
	{
		/* whoever catches it knows nothing of this subtransaction */
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

typedef struct PlanWork
{
	GsMaskRequest *request;
	GsMaskPlan *plan;
} PlanWork;

static void
make_plan(void *arg)
{
	PlanWork   *work = arg;

	work->plan = gs_mask_plan(work->request);
}

/*
 * The plan of a request.  What looks at values locks their tables, and two
 * calls that hold such locks would wait for each other.
 */
static GsMaskPlan *
plan_without_locks(GsMaskRequest *request)
{
	PlanWork	work = {request, NULL};
	ErrorData  *error = try_out(make_plan, &work);

	if (error != NULL)
		ReThrowError(error);
	return work.plan;
}

typedef struct TryWork
{
	const GsMaskTable *table;
	const GsPseudonymKey *key;
} TryWork;

static void
try_table(void *arg)
{
	const TryWork *work = arg;

	gs_mask_try(work->table, work->key);
}

/*
 * What the first rows of each table say against it: all is reported, before
 * the first table is written.
 */
static void
try_tables(GsMaskPlan *plan, const GsPseudonymKey *key)
{
	ListCell   *cell;

	foreach(cell, plan->tables)
	{
		TryWork		work = {lfirst(cell), key};
		ErrorData  *error = try_out(try_table, &work);
		int			category = error == NULL ? 0 :
			ERRCODE_TO_CATEGORY(error->sqlerrcode);

		if (error == NULL)
			continue;
		if (category != ERRCODE_DATA_EXCEPTION &&
			category != ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION)
			ReThrowError(error);
		gs_mask_problem(plan, error->sqlerrcode,
						error->hint != NULL ? error->hint :
						"Choose another rule.", "%s", error->message);
	}
	gs_mask_report(plan);
}

/* Rewrites all tables of a request, or says what it would. */
static void
mask_in_place(GsMaskRequest *request, const char *key_name, bool again,
			  bool dry_run)
{
	GsMaskPlan *plan = plan_without_locks(request);
	GsPseudonymKey key;
	ListCell   *cell;

	foreach(cell, plan->notes)
		ereport(NOTICE, (errmsg_internal("%s", (char *) lfirst(cell))));
	if (plan->tables == NIL)
	{
		ereport(NOTICE,
				(errmsg("there is nothing to mask"),
				 errhint("Name columns, label them with synth_label, or look at synth_find_pii.")));
		return;
	}
	if (dry_run)
		tell_plan(plan);
	gs_mask_report(plan);
	if (dry_run)
		return;
	PreventCommandIfReadOnly("CALL synth_mask");
	PreventCommandDuringRecovery("CALL synth_mask");
	gs_mask_lock(plan);
	AcceptInvalidationMessages();
	plan = gs_mask_plan(request);
	gs_mask_report(plan);
	if (!gs_mask_is_locked(plan))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("keys of the tables have changed meanwhile"),
				 errhint("Call it again.")));
	find_key(key_name, &key);
	foreach(cell, plan->tables)
		gs_places_find(lfirst(cell));
	try_tables(plan, &key);
	foreach(cell, plan->tables)
		gs_synthesis_fit(lfirst(cell), &key);
	foreach(cell, plan->tables)
	{
		const GsMaskTable *table = lfirst(cell);

		if (!again && gs_provenance_knows(table, key_name))
			ereport(NOTICE,
					(errmsg("table %s was masked by these rules and this key before",
							table->name),
					 errhint("Pseudonyms of pseudonyms are no longer those of other tables and databases.")));
		gs_provenance_add(table, "rewrite", key_name,
						  gs_mask_rewrite(table, &key));
	}
	gs_mask_finish(plan);
	tell_what_remains(plan);
}

/* Masks the tables of a request row by row. */
static void
mask_by_updates(GsMaskRequest *request, const char *key_name, int batch_size,
				bool again, bool commits, bool dry_run)
{
	GsMaskPlan *plan;
	GsPseudonymKey key;
	ListCell   *cell;

	/* what is made now outlives commits, in SPI's context */
	if (SPI_connect_ext(commits ? SPI_OPT_NONATOMIC : 0) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = plan_without_locks(request);
	foreach(cell, plan->notes)
		ereport(NOTICE, (errmsg_internal("%s", (char *) lfirst(cell))));
	if (plan->tables == NIL)
		ereport(NOTICE,
				(errmsg("there is nothing to mask"),
				 errhint("Name columns, label them with synth_label, or look at synth_find_pii.")));
	if (dry_run)
		tell_plan(plan);
	gs_mask_report(plan);
	if (plan->tables != NIL && !dry_run)
	{
		PreventCommandIfReadOnly("CALL synth_mask");
		PreventCommandDuringRecovery("CALL synth_mask");
		find_key(key_name, &key);
		foreach(cell, plan->tables)
		{
			const GsMaskTable *table = lfirst(cell);

			gs_provenance_add(table, "update", key_name,
							  gs_mask_update(table, &key, key_name,
											 batch_size, again, commits));
		}
		gs_mask_renew_statistics(plan);
		ereport(NOTICE,
				(errmsg("dead rows hold originals until the tables are vacuumed"),
				 errhint("VACUUM FULL leaves none in their files.")));
		tell_what_remains(plan);
	}
	SPI_finish();
}

/* Makes a masked copy of a request's table, and of what keys tie to it. */
static void
mask_into(GsMaskRequest *request, const char *into, const char *key_name,
		  bool dry_run)
{
	GsMaskPlan *plan = plan_without_locks(request);
	GsPseudonymKey key;
	ListCell   *cell;

	foreach(cell, plan->notes)
		ereport(NOTICE, (errmsg_internal("%s", (char *) lfirst(cell))));
	if (plan->tables == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is nothing to mask"),
				 errhint("Name columns, or label them with synth_label.")));
	if (dry_run)
		tell_plan(plan);
	gs_mask_report(plan);
	if (dry_run)
		return;
	PreventCommandIfReadOnly("CALL synth_mask");
	find_key(key_name, &key);
	foreach(cell, plan->tables)
		gs_places_find(lfirst(cell));
	foreach(cell, plan->tables)
		gs_synthesis_fit(lfirst(cell), &key);
	gs_mask_copy(plan, linitial_oid(request->relids), into, &key, key_name);
}

/* What synth_mask and synth_mask_plan are asked for. */
static void
read_request(FunctionCallInfo fcinfo, GsMaskRequest *request, bool copying)
{
	Oid			relid;

	require(fcinfo, MASK_TARGET, "target");
	relid = PG_GETARG_OID(MASK_TARGET);
	memset(request, 0, sizeof(GsMaskRequest));
	request->copying = copying;
	check_target(relid, copying);
	request->relids = list_make1_oid(relid);
	request->schemas = list_make1_oid(get_rel_namespace(relid));
	if (!PG_ARGISNULL(MASK_COLUMNS))
	{
		request->columns = read_names(PG_GETARG_ARRAYTYPE_P(MASK_COLUMNS),
									  "columns");
		request->named = true;
	}
	if (!PG_ARGISNULL(MASK_RULES))
		request->rules = PG_GETARG_JSONB_P(MASK_RULES);
}

/*
 * synth_mask(target, columns, rules, key, into, mode, batch_size, dry_run,
 * options): masks columns of a table, and all that keys tie to them.
 */
GS_FUNCTION(synth_mask);

Datum
synth_mask(PG_FUNCTION_ARGS)
{
	GsMaskRequest request;
	GsMaskOptions options;
	char	   *mode;
	char	   *key;
	int			batch_size;
	bool		dry_run;

	read_request(fcinfo, &request, !PG_ARGISNULL(MASK_INTO));
	require(fcinfo, MASK_KEY, "key");
	require(fcinfo, MASK_MODE, "mode");
	require(fcinfo, MASK_DRY_RUN, "dry_run");
	read_options(fcinfo, MASK_OPTIONS, &options);
	request.published = options.published;
	mode = text_to_cstring(PG_GETARG_TEXT_PP(MASK_MODE));
	request.updating = strcmp(mode, "update") == 0;
	if (!request.updating && strcmp(mode, "rewrite") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode \"%s\" does not exist", mode),
				 errhint("There are \"rewrite\" and \"update\".")));
	if (request.updating && request.copying)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode \"update\" makes no copies"),
				 errhint("Leave mode out.")));
	require(fcinfo, MASK_BATCH_SIZE, "batch_size");
	batch_size = PG_GETARG_INT32(MASK_BATCH_SIZE);
	if (batch_size < 1 || batch_size > MAX_BATCH_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch_size must be between 1 and %d", MAX_BATCH_SIZE),
				 errhint("The default is 10000.")));
	key = text_to_cstring(PG_GETARG_TEXT_PP(MASK_KEY));
	dry_run = PG_GETARG_BOOL(MASK_DRY_RUN);
	if (request.copying)
		mask_into(&request,
				  text_to_cstring(PG_GETARG_TEXT_PP(MASK_INTO)), key, dry_run);
	else if (request.updating)
		mask_by_updates(&request, key, batch_size, options.again,
						gs_may_commit(fcinfo), dry_run);
	else
		mask_in_place(&request, key, options.again, dry_run);
	PG_RETURN_VOID();
}

/* All tables of the request's schemas that masking can begin with. */
static List *
tables_of_schemas(const List *schemas)
{
	List	   *relids = NIL;
	Oid			type = OIDOID;
	ListCell   *cell;
	MemoryContext context = CurrentMemoryContext;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	foreach(cell, schemas)
	{
		Datum		schema = ObjectIdGetDatum(lfirst_oid(cell));
		uint64		n = gs_run("SELECT oid FROM pg_catalog.pg_class"
							   " WHERE relnamespace " GS_EQ " $1"
							   " AND relkind " GS_EQ " ANY ('{r,p}')"
							   " AND NOT relispartition ORDER BY oid", 1,
							   &type, &schema, NULL, true);

		for (uint64 i = 0; i < n; i++)
		{
			MemoryContext old = MemoryContextSwitchTo(context);

			relids = lappend_oid(relids, DatumGetObjectId(gs_result(i, 1,
																	NULL)));
			MemoryContextSwitchTo(old);
		}
	}
	SPI_finish();
	return relids;
}

/*
 * synth_mask_schema(schema, rules, key, exclude, dry_run, options): masks all
 * tables of a schema, or of several, named as in a search_path.
 */
GS_FUNCTION(synth_mask_schema);

Datum
synth_mask_schema(PG_FUNCTION_ARGS)
{
	GsMaskRequest request = {0};
	GsMaskOptions options;
	List	   *names;
	ListCell   *cell;

	require(fcinfo, SCHEMA_SCHEMA, "schema");
	require(fcinfo, SCHEMA_KEY, "key");
	require(fcinfo, SCHEMA_DRY_RUN, "dry_run");
	read_options(fcinfo, SCHEMA_OPTIONS, &options);
	request.published = options.published;
	if (!SplitIdentifierString(text_to_cstring(PG_GETARG_TEXT_PP(SCHEMA_SCHEMA)),
							   ',', &names) || names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid list of schemas"),
				 errhint("Write names with commas between them, as in a search_path.")));
	foreach(cell, names)
		request.schemas =
			list_append_unique_oid(request.schemas,
								   LookupExplicitNamespace(lfirst(cell),
														   false));
	request.relids = tables_of_schemas(request.schemas);
	if (!PG_ARGISNULL(SCHEMA_EXCLUDE))
		foreach(cell, read_names(PG_GETARG_ARRAYTYPE_P(SCHEMA_EXCLUDE),
								 "exclude"))
		{
			Oid			relid = InvalidOid;
			ListCell   *schema;

			foreach(schema, request.schemas)
				if (!OidIsValid(relid))
					relid = get_relname_relid(lfirst(cell),
											  lfirst_oid(schema));
			if (!OidIsValid(relid))
				ereport(ERROR,
						(errcode(ERRCODE_UNDEFINED_TABLE),
						 errmsg("table \"%s\" of exclude does not exist",
								(char *) lfirst(cell)),
						 errhint("Name tables of the schema.")));
			request.exclude = lappend_oid(request.exclude, relid);
			request.relids = list_delete_oid(request.relids, relid);
		}
	if (!PG_ARGISNULL(SCHEMA_RULES))
		request.rules = PG_GETARG_JSONB_P(SCHEMA_RULES);
	mask_in_place(&request, text_to_cstring(PG_GETARG_TEXT_PP(SCHEMA_KEY)),
				  options.again, PG_GETARG_BOOL(SCHEMA_DRY_RUN));
	PG_RETURN_VOID();
}

static Datum
problems_of(const GsMaskPlan *plan, const GsMaskTable *table,
			const GsMaskColumn *column)
{
	char	   *quoted = psprintf("column \"%s\" of table %s", column->name,
								  table->name);
	List	   *found = NIL;
	ListCell   *cell;

	/* of the column, and of its table as a whole */
	foreach(cell, plan->problems)
	{
		GsMaskProblem *problem = lfirst(cell);

		if (strstr(problem->message, quoted) != NULL ||
			(strstr(problem->message, table->name) != NULL &&
			 strstr(problem->message, "column") == NULL))
			found = lappend(found, problem->message);
	}
	return gs_text_array(found);
}

/*
 * synth_mask_plan(target, columns, rules): what synth_mask would do, a row for
 * each column, with all that is against it.
 */
GS_FUNCTION(synth_mask_plan);

Datum
synth_mask_plan(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	GsMaskRequest request;
	GsMaskPlan *plan;
	ListCell   *cell;
	ListCell   *other;

	InitMaterializedSRF(fcinfo, 0);
	read_request(fcinfo, &request, false);
	plan = gs_mask_plan(&request);
	foreach(cell, plan->tables)
	{
		GsMaskTable *table = lfirst(cell);

		foreach(other, table->columns)
		{
			GsMaskColumn *column = lfirst(other);
			Datum		values[8];
			bool		nulls[8] = {false};

			values[0] = ObjectIdGetDatum(table->relid);
			values[1] = CStringGetTextDatum(column->name);
			values[2] = CStringGetTextDatum(column->rule->text);
			values[3] = CStringGetTextDatum(column->origin);
			values[4] = BoolGetDatum(column->unique);
			values[5] = gs_text_array(column->referenced_by);
			values[6] = Int64GetDatum((int64) table->rows);
			values[7] = problems_of(plan, table, column);
			tuplestore_putvalues(result->setResult, result->setDesc, values,
								 nulls);
		}
	}
	return (Datum) 0;
}
