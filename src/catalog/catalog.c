/*
 * catalog.c
 *	  Models at rest: the tables of the schema gensynth.
 *
 * Nobody but their owner can read or write these tables.  What is done here
 * on a caller's behalf is done as that owner, between enter() and leave(),
 * with a search_path that nobody else can write to; the caller's own rights
 * on the model are checked first.  No source query ever runs in between.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "parser/parse_type.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "catalog/catalog.h"
#include "column/store.h"

#define MAX_ARGS 15

/* Who the caller was. */
typedef struct CatalogAccess
{
	Oid			user;
	int			context;
	int			guc_level;
} CatalogAccess;

static Oid
tables_owner(void)
{
	Oid			schema = get_namespace_oid("gensynth", false);
	Oid			relid = get_relname_relid("models", schema);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table gensynth.models does not exist"),
				 errhint("Create the extension gensynth again.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * An error in between needs no clean-up of ours: the transaction's or
 * subtransaction's abort puts back user and settings.
 */
static void
enter(CatalogAccess *access)
{
	Oid			owner = tables_owner();

	GetUserIdAndSecContext(&access->user, &access->context);
	SetUserIdAndSecContext(owner,
						   access->context | SECURITY_LOCAL_USERID_CHANGE);
	access->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

static void
leave(CatalogAccess *access)
{
	SPI_finish();
	AtEOXact_GUC(true, access->guc_level);
	SetUserIdAndSecContext(access->user, access->context);
}

/*
 * Runs a statement with parameters; nulls may be NULL.  Results are in
 * SPI_tuptable, and live until leave().
 */
static uint64
run(const char *sql, int nargs, const Oid *types, const Datum *values,
	const char *nulls, bool read_only)
{
	int			result = SPI_execute_with_args(sql, nargs,
											   unconstify(Oid *, types),
											   unconstify(Datum *, values),
											   nulls, read_only, 0);

	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

static uint64
run_text(const char *sql, const char *name, bool read_only)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);

	return run(sql, 1, &type, &value, NULL, read_only);
}

static uint64
run_version(const char *sql, const char *name, int version, bool read_only)
{
	Oid			types[] = {TEXTOID, INT4OID};
	Datum		values[2];

	values[0] = CStringGetTextDatum(name);
	values[1] = Int32GetDatum(version);
	return run(sql, 2, types, values, NULL, read_only);
}

static Datum
result(int row, int column, bool *isnull)
{
	bool		ignored;

	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 column, isnull ? isnull : &ignored);
}

/*
 * A result column's text in the given context, NULL for NULL.
 */
static char *
result_text(int row, int column, MemoryContext context)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row],
									 SPI_tuptable->tupdesc, column);

	return value ? MemoryContextStrdup(context, value) : NULL;
}

/*
 * gs_catalog_find: a model by its name; NULL if there is none.
 */
GsModelEntry *
gs_catalog_find(const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	GsModelEntry *model = NULL;
	CatalogAccess access;

	enter(&access);
	if (run_text("SELECT name, owner, source, relation, current"
				 " FROM gensynth.models WHERE name = $1", name, true) > 0)
	{
		char	   *owner = result_text(0, 2, context);

		model = MemoryContextAllocZero(context, sizeof(GsModelEntry));
		model->name = result_text(0, 1, context);
		model->owner = get_role_oid(owner, true);
		if (!OidIsValid(model->owner))
			model->owner = GetUserId();
		model->source = result_text(0, 3, context);
		model->relation = result_text(0, 4, context);
		model->current = DatumGetInt32(result(0, 5, NULL));
	}
	leave(&access);
	return model;
}

/*
 * gs_catalog_model_of: the name of the model of a relation, which is given
 * qualified and quoted; NULL if there is none.
 *
 * Of several, the one that was fitted last.
 */
char *
gs_catalog_model_of(const char *relation)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *name = NULL;
	CatalogAccess access;

	enter(&access);
	if (run_text("SELECT m.name FROM gensynth.models m"
				 " JOIN gensynth.versions v ON v.model = m.name AND v.version = m.current"
				 " WHERE m.relation = $1"
				 " ORDER BY v.fitted_at DESC, m.name LIMIT 1", relation, true) > 0)
		name = result_text(0, 1, context);
	leave(&access);
	return name;
}

static bool
has_grant(const char *name)
{
	CatalogAccess access;
	bool		granted = false;

	enter(&access);
	run_text("SELECT role FROM gensynth.grants WHERE model = $1", name, true);
	for (uint64 i = 0; i < SPI_processed && !granted; i++)
	{
		Oid			role = get_role_oid(result_text(i, 1, CurrentMemoryContext),
										true);

		granted = OidIsValid(role) && has_privs_of_role(access.user, role);
	}
	leave(&access);
	return granted;
}

/*
 * gs_check_owner: an error unless the caller owns the model.
 */
void
gs_check_owner(const GsModelEntry *model)
{
	if (!has_privs_of_role(GetUserId(), model->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of model \"%s\"", model->name),
				 errhint("Its owner is %s.",
						 GetUserNameFromId(model->owner, false))));
}

/*
 * The names most like one that does not exist, among those that the caller
 * may know, as a hint.
 */
static void
report_unknown(const char *name)
{
	StringInfoData near;
	CatalogAccess access;
	Oid			types[] = {TEXTOID, OIDOID};
	Datum		values[2];
	int			best = Max(3, (int) strlen(name) / 2) + 1;

	initStringInfo(&near);
	values[0] = CStringGetTextDatum(name);
	values[1] = ObjectIdGetDatum(GetUserId());
	enter(&access);
	run("SELECT m.name FROM gensynth.models m"
		" WHERE EXISTS (SELECT FROM pg_roles r WHERE r.rolname = m.owner"
		" AND pg_has_role($2, r.oid, 'USAGE')) OR EXISTS (SELECT FROM gensynth.grants g"
		" JOIN pg_roles r ON r.rolname = g.role WHERE g.model = m.name"
		" AND pg_has_role($2, r.oid, 'USAGE'))"
		" ORDER BY m.name LIMIT 1000", 2, types, values, NULL, true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *other = result_text(i, 1, CurrentMemoryContext);
		int			distance;

		if (strlen(other) > 255 || strlen(name) > 255)
			continue;
		distance = varstr_levenshtein(name, strlen(name), other,
									  strlen(other), 1, 1, 1, true);
		if (distance < best)
			resetStringInfo(&near);
		if (distance <= best && distance <= Max(3, (int) strlen(name) / 2))
		{
			appendStringInfo(&near, "%s\"%s\"", near.len ? ", " : "", other);
			best = distance;
		}
	}
	leave(&access);
	if (near.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" does not exist", name),
				 errhint("Perhaps you meant %s.", near.data)));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" does not exist", name),
			 errhint("SELECT * FROM synth_models lists the models; synth_fit makes one.")));
}

/*
 * gs_catalog_open: a model that the caller wants to sample, by its name or
 * that of its source relation.  Errors: undefined_object, or
 * insufficient_privilege unless the caller owns it or was granted it.
 */
GsModelEntry *
gs_catalog_open(const char *name)
{
	GsModelEntry *model = gs_catalog_find(name);

	if (model == NULL)
	{
		char	   *raw = pstrdup(name);
		List	   *parts;

		if (SplitIdentifierString(raw, '.', &parts) &&
			list_length(parts) == 2)
		{
			char	   *other = gs_catalog_model_of(quote_qualified_identifier(linitial(parts),
																			   lsecond(parts)));

			if (other != NULL)
				model = gs_catalog_find(other);
		}
	}
	if (model == NULL)
		report_unknown(name);
	if (!has_privs_of_role(GetUserId(), model->owner) &&
		!has_grant(model->name))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for model \"%s\"", model->name),
				 errhint("Its owner can allow it: SELECT synth_grant(%s, %s).",
						 quote_literal_cstr(model->name),
						 quote_literal_cstr(quote_identifier(GetUserNameFromId(GetUserId(), false))))));
	return model;
}

static Datum
notes_array(List *notes)
{
	Datum	   *texts = palloc(sizeof(Datum) * (list_length(notes) + 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, notes)
		texts[n++] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(texts, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/*
 * Takes the lock on the model's row, making it if need be, and returns the
 * number of the version to be.
 */
static int
next_version(const GsModelEntry *model, const char *owner)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[4];
	char		nulls[] = "    ";

	values[0] = CStringGetTextDatum(model->name);
	values[1] = CStringGetTextDatum(owner);
	values[2] = CStringGetTextDatum(model->source);
	values[3] = (Datum) 0;
	nulls[3] = 'n';
	if (model->relation)
	{
		values[3] = CStringGetTextDatum(model->relation);
		nulls[3] = ' ';
	}
	run("INSERT INTO gensynth.models (name, owner, source, relation, current, last_version)"
		" VALUES ($1, $2, $3, $4, 0, 0) ON CONFLICT DO NOTHING",
		4, types, values, nulls, false);
	if (SPI_processed == 0)
	{
		char	   *now;
		Oid			oid;

		/* it may have been made or given away since the fit began */
		run_text("SELECT owner FROM gensynth.models WHERE name = $1 FOR UPDATE",
				 model->name, false);
		if (SPI_processed == 0)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("model \"%s\" was dropped while it was fitted",
							model->name),
					 errhint("Fit it again.")));
		now = result_text(0, 1, CurrentMemoryContext);
		oid = get_role_oid(now, true);
		if (!has_privs_of_role(get_role_oid(owner, false),
							   OidIsValid(oid) ? oid : GetUserId()))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("must be owner of model \"%s\"", model->name),
					 errhint("Choose another name with the model argument of synth_fit.")));
	}
	run("UPDATE gensynth.models SET last_version = last_version + 1,"
		" current = last_version + 1, source = $3, relation = $4"
		" WHERE name = $1 AND $2 IS NOT NULL RETURNING current", 4, types,
		values, nulls, false);
	return DatumGetInt32(result(0, 1, NULL));
}

static void
store_columns(const char *name, const GsVersionEntry *version)
{
	Oid			types[] = {TEXTOID, INT4OID, INT4OID, TEXTOID, TEXTOID,
	TEXTOID, TEXTOID, BOOLOID, JSONBOID};
	Datum		values[9];

	for (int c = 0; c < version->schema->ncolumns; c++)
	{
		const GsColumn *column = &version->schema->columns[c];

		values[0] = CStringGetTextDatum(name);
		values[1] = Int32GetDatum(version->version);
		values[2] = Int32GetDatum(c + 1);
		values[3] = CStringGetTextDatum(column->name);
		values[4] = CStringGetTextDatum(column->type_name);
		values[5] = CStringGetTextDatum(column->base_name);
		values[6] = CStringGetTextDatum(gs_codec_name(column->codec.kind));
		values[7] = BoolGetDatum(column->nullable);
		values[8] = version->details[c];
		run("INSERT INTO gensynth.columns VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			9, types, values, NULL, false);
	}
}

static void
store_tensors(const char *name, const GsVersionEntry *version)
{
	Oid			types[] = {TEXTOID, INT4OID, TEXTOID, TEXTOID, INT4ARRAYOID,
	BYTEAOID};
	Datum		values[6];
	ListCell   *cell;

	foreach(cell, version->tensors)
	{
		const GsTensor *tensor = lfirst(cell);
		Datum		dims[GS_TENSOR_DIMS];
		bytea	   *packed = gs_tensor_pack(tensor);

		for (int i = 0; i < tensor->ndims; i++)
			dims[i] = Int32GetDatum(tensor->dims[i]);
		values[0] = CStringGetTextDatum(name);
		values[1] = Int32GetDatum(version->version);
		values[2] = CStringGetTextDatum(tensor->name);
		values[3] = CStringGetTextDatum(gs_tensor_type_name(tensor->type));
		values[4] = PointerGetDatum(construct_array(dims, tensor->ndims,
													INT4OID, 4, true,
													TYPALIGN_INT));
		values[5] = PointerGetDatum(packed);
		run("INSERT INTO gensynth.tensors VALUES ($1, $2, $3, $4, $5, $6)",
			6, types, values, NULL, false);
		pfree(packed);
	}
}

/*
 * gs_catalog_store: writes a new version and makes it the current one.
 *
 * model: its name and source; version: all but its number, which is set.
 * Older versions beyond keep_versions are dropped.  Errors:
 * insufficient_privilege if the model exists and is another's.
 */
void
gs_catalog_store(const GsModelEntry *model, GsVersionEntry *version,
				 int keep_versions)
{
	Oid			types[MAX_ARGS] = {TEXTOID, INT4OID, TEXTOID, INT8OID,
	INT8OID, INT8OID, JSONBOID, TEXTOID, FLOAT8OID, INT8OID, TEXTARRAYOID};
	Datum		values[MAX_ARGS];
	const char *owner = GetUserNameFromId(GetUserId(), false);
	CatalogAccess access;
	int64		bytes = 0;
	ListCell   *cell;

	foreach(cell, version->tensors)
	{
		const GsTensor *tensor = lfirst(cell);
		bytea	   *packed = gs_tensor_pack(tensor);

		bytes += VARSIZE_ANY_EXHDR(packed);
		pfree(packed);
	}
	enter(&access);
	version->version = next_version(model, owner);
	values[0] = CStringGetTextDatum(model->name);
	values[1] = Int32GetDatum(version->version);
	values[2] = CStringGetTextDatum(version->method);
	values[3] = Int64GetDatum(version->seed);
	values[4] = Int64GetDatum(version->rows);
	values[5] = Int64GetDatum(version->sampled);
	values[6] = version->options;
	values[7] = CStringGetTextDatum(owner);
	values[8] = Float8GetDatum(version->seconds);
	values[9] = Int64GetDatum(bytes);
	values[10] = notes_array(version->notes);
	run("INSERT INTO gensynth.versions VALUES ($1, $2, $3, $4, $5, $6, $7,"
		" clock_timestamp(), $8, $9, $10, NULL, NULL, $11)",
		11, types, values, NULL, false);
	store_columns(model->name, version);
	store_tensors(model->name, version);
	types[1] = INT4OID;
	values[1] = Int32GetDatum(keep_versions + 1);
	run("DELETE FROM gensynth.versions WHERE model = $1 AND version <> "
		"(SELECT current FROM gensynth.models WHERE name = $1) AND version NOT IN"
		" (SELECT version FROM gensynth.versions WHERE model = $1"
		" ORDER BY version DESC LIMIT $2)", 2, types, values, NULL, false);
	leave(&access);
}

/*
 * The type that a column's stored type names stand for today: the declared
 * one, else its base type, else text for what was kept as text.
 */
static void
resolve_type(GsColumn *column, const char *kind)
{
	const char *names[] = {column->type_name, column->base_name};

	for (int i = 0; i < lengthof(names); i++)
	{
		Oid			type;
		int32		typmod;

#if PG_VERSION_NUM >= 160000
		ErrorSaveContext escontext = {T_ErrorSaveContext};

		if (!parseTypeString(names[i], &type, &typmod, (Node *) &escontext))
			continue;
#else
		parseTypeString(names[i], &type, &typmod, true);
#endif
		if (OidIsValid(type) && get_typisdefined(type) &&
			gs_codec_for_type(&column->codec, type, typmod) &&
			strcmp(gs_codec_name(column->codec.kind), kind) == 0)
		{
			column->type = type;
			column->typmod = typmod;
			return;
		}
	}
	if (strcmp(kind, gs_codec_name(GS_CODEC_ENUM)) != 0 &&
		strcmp(kind, gs_codec_name(GS_CODEC_TEXT)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type %s of column \"%s\" of the model is not there, or not what it was",
						column->type_name, column->name),
				 errhint("Create the type again, or fit the model again.")));
	column->type = TEXTOID;
	column->typmod = -1;
	gs_codec_for_type(&column->codec, TEXTOID, -1);
}

/*
 * Columns as text, since their types' functions must not be looked up while
 * the user is switched.
 */
static GsSchema *
load_columns(const char *name, int version, char ***kinds,
			 MemoryContext context)
{
	GsSchema   *schema = MemoryContextAllocZero(context, sizeof(GsSchema));

	run_version("SELECT ordinal, name, type, base_type, kind"
				" FROM gensynth.columns WHERE model = $1 AND version = $2"
				" ORDER BY ordinal", name, version, true);
	if (SPI_processed < 1 || SPI_processed > MaxTupleAttributeNumber)
		gs_corrupted("Version %d of model \"%s\" has an impossible number of columns.",
					 version, name);
	schema->ncolumns = (int) SPI_processed;
	schema->columns = MemoryContextAllocZero(context, sizeof(GsColumn) *
											 schema->ncolumns);
	*kinds = MemoryContextAllocZero(context,
									sizeof(char *) * schema->ncolumns);
	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];

		if (DatumGetInt32(result(c, 1, NULL)) != c + 1)
			gs_corrupted("Column %d of model \"%s\" is missing.", c + 1, name);
		column->name = result_text(c, 2, context);
		column->type_name = result_text(c, 3, context);
		column->base_name = result_text(c, 4, context);
		(*kinds)[c] = result_text(c, 5, context);
	}
	return schema;
}

static List *
load_tensors(const char *name, int version, MemoryContext context)
{
	List	   *tensors = NIL;

	run_version("SELECT name, type, shape, data FROM gensynth.tensors"
				" WHERE model = $1 AND version = $2 ORDER BY name", name,
				version, true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		ArrayType  *shape = DatumGetArrayTypeP(result(i, 3, NULL));
		char	   *tensor = result_text(i, 1, context);

		if (ARR_NDIM(shape) != 1 || ARR_HASNULL(shape) ||
			ARR_DIMS(shape)[0] > GS_TENSOR_DIMS)
			gs_corrupted("Tensor \"%s\" has an impossible shape.", tensor);
		tensors = lappend(tensors,
						  gs_tensor_unpack(tensor,
										   result_text(i, 2, context),
										   ARR_DIMS(shape)[0],
										   (int32 *) ARR_DATA_PTR(shape),
										   DatumGetByteaPP(result(i, 4, NULL))));
		MemoryContextSwitchTo(old);
	}
	return tensors;
}

/*
 * gs_catalog_load: reads a version of a model that gs_catalog_open allowed.
 *
 * version: 0 for the current one.  Allocated in the current context.
 * Errors: data_corrupted, undefined_object if a column's type is gone.
 */
GsVersionEntry *
gs_catalog_load(const GsModelEntry *model, int version)
{
	MemoryContext context = CurrentMemoryContext;
	GsVersionEntry *entry = palloc0(sizeof(GsVersionEntry));
	char	  **kinds;
	CatalogAccess access;

	entry->version = version > 0 ? version : model->current;
	enter(&access);
	if (run_version("SELECT method, seed, rows, sampled FROM gensynth.versions"
					" WHERE model = $1 AND version = $2", model->name,
					entry->version, true) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", model->name,
						entry->version),
				 errhint("SELECT * FROM synth_models lists the versions.")));
	entry->method = result_text(0, 1, context);
	entry->seed = DatumGetInt64(result(0, 2, NULL));
	entry->rows = DatumGetInt64(result(0, 3, NULL));
	entry->sampled = DatumGetInt64(result(0, 4, NULL));
	entry->schema = load_columns(model->name, entry->version, &kinds,
								 context);
	entry->tensors = load_tensors(model->name, entry->version, context);
	leave(&access);
	for (int c = 0; c < entry->schema->ncolumns; c++)
		resolve_type(&entry->schema->columns[c], kinds[c]);
	gs_schema_load(entry->schema, entry->tensors);
	return entry;
}

/*
 * The model that an owner's function is called on.
 */
static GsModelEntry *
own_model(const char *name)
{
	GsModelEntry *model = gs_catalog_find(name);

	if (model == NULL)
		report_unknown(name);
	gs_check_owner(model);
	return model;
}

static void
require_args(FunctionCallInfo fcinfo, int n)
{
	static const char *const names[] = {"model", "second argument"};

	for (int i = 0; i < n; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i]),
					 errhint("Pass the name of a model that synth_models lists, and what the function asks for beside it.")));
}

static void
check_version(const GsModelEntry *model, int version)
{
	if (run_version("SELECT FROM gensynth.versions"
					" WHERE model = $1 AND version = $2", model->name, version,
					true) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", model->name,
						version),
				 errhint("SELECT * FROM synth_models lists the versions.")));
}

/*
 * synth_drop(model text, version int = NULL): drops a model or a version.
 */
GS_FUNCTION(synth_drop);

Datum
synth_drop(PG_FUNCTION_ARGS)
{
	GsModelEntry *model;
	CatalogAccess access;

	require_args(fcinfo, 1);
	model = own_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	enter(&access);
	if (PG_ARGISNULL(1))
		run_text("DELETE FROM gensynth.models WHERE name = $1", model->name,
				 false);
	else
	{
		int			version = PG_GETARG_INT32(1);

		check_version(model, version);
		if (version == model->current)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("version %d of model \"%s\" is the current one",
							version, model->name),
					 errhint("Go to another version with synth_use first, or drop the whole model.")));
		run_version("DELETE FROM gensynth.versions"
					" WHERE model = $1 AND version = $2", model->name, version,
					false);
	}
	leave(&access);
	PG_RETURN_VOID();
}

/*
 * synth_use(model text, version int): makes a version the current one.
 */
GS_FUNCTION(synth_use);

Datum
synth_use(PG_FUNCTION_ARGS)
{
	GsModelEntry *model;
	CatalogAccess access;

	require_args(fcinfo, 2);
	model = own_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	enter(&access);
	check_version(model, PG_GETARG_INT32(1));
	run_version("UPDATE gensynth.models SET current = $2 WHERE name = $1",
				model->name, PG_GETARG_INT32(1), false);
	leave(&access);
	PG_RETURN_VOID();
}

static void
change_grant(FunctionCallInfo fcinfo, const char *sql)
{
	GsModelEntry *model;
	CatalogAccess access;
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[2];

	require_args(fcinfo, 2);
	model = own_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	values[0] = CStringGetTextDatum(model->name);
	values[1] = CStringGetTextDatum(GetUserNameFromId(PG_GETARG_OID(1),
													  false));
	enter(&access);
	run(sql, 2, types, values, NULL, false);
	leave(&access);
}

/*
 * synth_grant(model text, role regrole): lets a role sample a model.
 */
GS_FUNCTION(synth_grant);

Datum
synth_grant(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, "INSERT INTO gensynth.grants (model, role)"
				 " VALUES ($1, $2) ON CONFLICT DO NOTHING");
	PG_RETURN_VOID();
}

/*
 * synth_revoke(model text, role regrole): takes a grant back.
 */
GS_FUNCTION(synth_revoke);

Datum
synth_revoke(PG_FUNCTION_ARGS)
{
	change_grant(fcinfo, "DELETE FROM gensynth.grants"
				 " WHERE model = $1 AND role = $2");
	PG_RETURN_VOID();
}

/*
 * synth_columns(model text, version int = NULL): how columns were understood,
 * for whoever may sample the model.
 */
GS_FUNCTION(synth_columns);

Datum
synth_columns(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	GsModelEntry *model;
	CatalogAccess access;
	int			version;

	require_args(fcinfo, 1);
	model = gs_catalog_open(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	version = PG_ARGISNULL(1) ? model->current : PG_GETARG_INT32(1);
	InitMaterializedSRF(fcinfo, 0);
	enter(&access);
	check_version(model, version);
	run_version("SELECT ordinal, name, type, kind, nullable, detail"
				" FROM gensynth.columns WHERE model = $1 AND version = $2"
				" ORDER BY ordinal", model->name, version, true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		values[6];
		bool		nulls[6];

		for (int c = 0; c < 6; c++)
			values[c] = result(i, c + 1, &nulls[c]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	leave(&access);
	return (Datum) 0;
}
