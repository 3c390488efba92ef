/*
 * catalog.c
 *	  Models at rest: the tables of the schema gensynth.
 *
 * Between gs_enter() and gs_leave() the user is the tables' owner (see
 * access.c); who may do what is checked here, for whoever calls.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/parse_type.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "compat.h"
#include "catalog/access.h"
#include "catalog/catalog.h"
#include "column/store.h"

#define MAX_ARGS 15

/*
 * Whether role $2 owns the model m, or was granted it.  The model of a role
 * that is gone is the tables' owner's.
 */
#define OWNS_MODEL \
	"pg_has_role($2, COALESCE((SELECT r.oid FROM pg_roles r" \
	" WHERE r.rolname = m.owner), (SELECT r.oid FROM pg_roles r" \
	" WHERE r.rolname = current_user)), 'USAGE')"
#define GRANTED_MODEL \
	"EXISTS (SELECT FROM gensynth.grants g" \
	" JOIN pg_roles r ON r.rolname = g.role" \
	" WHERE g.model = m.name AND pg_has_role($2, r.oid, 'USAGE'))"

/*
 * gs_catalog_find: a model by its name; NULL if there is none.
 */
GsModelEntry *
gs_catalog_find(const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	GsModelEntry *model = NULL;
	GsAccess	access;

	gs_enter(&access);
	if (gs_run_text("SELECT name, owner, source, relation, current"
					" FROM gensynth.models WHERE name = $1", name, true) > 0)
	{
		char	   *owner = gs_result_text(0, 2, context);

		model = MemoryContextAllocZero(context, sizeof(GsModelEntry));
		model->name = gs_result_text(0, 1, context);
		model->owner = get_role_oid(owner, true);
		if (!OidIsValid(model->owner))
			model->owner = GetUserId();
		model->source = gs_result_text(0, 3, context);
		model->relation = gs_result_text(0, 4, context);
		model->current = DatumGetInt32(gs_result(0, 5, NULL));
	}
	gs_leave(&access);
	return model;
}

/*
 * gs_catalog_model_of: the name of the model of a relation, which is given
 * qualified and quoted; NULL if there is none.
 *
 * Of several, the caller's own go before those granted to the caller, and
 * both before others', lest anybody who may read a table take the place of
 * its owner's model.  Of what remains, the one that was fitted last.
 */
char *
gs_catalog_model_of(const char *relation)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *name = NULL;
	Oid			types[] = {TEXTOID, OIDOID};
	Datum		values[2];
	GsAccess	access;

	values[0] = CStringGetTextDatum(relation);
	values[1] = ObjectIdGetDatum(GetUserId());
	gs_enter(&access);
	if (gs_run("SELECT m.name FROM gensynth.models m"
			   " JOIN gensynth.versions v ON v.model = m.name AND v.version = m.current"
			   " WHERE m.relation = $1"
			   " ORDER BY " OWNS_MODEL " DESC, " GRANTED_MODEL " DESC,"
			   " v.fitted_at DESC, m.name LIMIT 1", 2, types, values, NULL,
			   true) > 0)
		name = gs_result_text(0, 1, context);
	gs_leave(&access);
	return name;
}

static bool
has_grant(const char *name)
{
	GsAccess	access;
	bool		granted = false;

	gs_enter(&access);
	gs_run_text("SELECT role FROM gensynth.grants WHERE model = $1", name, true);
	for (uint64 i = 0; i < SPI_processed && !granted; i++)
	{
		Oid			role = get_role_oid(gs_result_text(i, 1, CurrentMemoryContext),
										true);

		granted = OidIsValid(role) && has_privs_of_role(access.user, role);
	}
	gs_leave(&access);
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
 * An error for a model that does not exist.  The hint holds the names most
 * like it, among those that the caller may know.
 */
static void
report_unknown(const char *name)
{
	StringInfoData near;
	GsAccess	access;
	Oid			types[] = {TEXTOID, OIDOID};
	Datum		values[2];
	int			most = Max(2, (int) strlen(name) / 3);
	int			best = most + 1;

	initStringInfo(&near);
	values[0] = CStringGetTextDatum(name);
	values[1] = ObjectIdGetDatum(GetUserId());
	gs_enter(&access);
	gs_run("SELECT m.name FROM gensynth.models m"
		   " WHERE $1 <> '' AND (" OWNS_MODEL " OR " GRANTED_MODEL ")"
		   " ORDER BY m.name LIMIT 1000", 2, types, values, NULL, true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *other = gs_result_text(i, 1, CurrentMemoryContext);
		int			distance;

		if (strlen(other) > 255 || strlen(name) > 255)
			continue;
		distance = varstr_levenshtein(name, strlen(name), other,
									  strlen(other), 1, 1, 1, true);
		if (distance < best)
			resetStringInfo(&near);
		if (distance <= best && distance <= most)
		{
			appendStringInfo(&near, "%s\"%s\"", near.len ? ", " : "", other);
			best = distance;
		}
	}
	gs_leave(&access);
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
 * Whether a model's name is also one of a relation: schema and name, whether
 * or not there is such a relation, or the name of one that the search_path
 * leads to.
 */
static bool
names_relation(const char *name, char **schema, char **relation)
{
	List	   *parts;
	Oid			relid;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) ||
		parts == NIL || list_length(parts) > 2)
		return false;
	*schema = linitial(parts);
	*relation = llast(parts);
	if (list_length(parts) == 2)
		return true;
	relid = RelnameGetRelid(*relation);
	*schema = OidIsValid(relid) ?
		get_namespace_name_or_temp(get_rel_namespace(relid)) : NULL;
	return *schema != NULL;
}

/*
 * gs_default_name: what the model of a relation is called.
 */
char *
gs_default_name(const char *schema, const char *relation)
{
	return strcmp(schema, "public") == 0 ? pstrdup(relation) :
		psprintf("%s.%s", schema, relation);
}

/*
 * A model by its name, or by that of a relation: the model that is named
 * after it, or, if any will do, another one that was learned from it.
 */
static GsModelEntry *
find_named(const char *name, bool any)
{
	GsModelEntry *model = gs_catalog_find(name);
	char	   *schema;
	char	   *relation;

	if (model == NULL && names_relation(name, &schema, &relation))
	{
		model = gs_catalog_find(gs_default_name(schema, relation));
		if (model == NULL && any)
		{
			relation = quote_qualified_identifier(schema, relation);
			relation = gs_catalog_model_of(relation);
			model = relation ? gs_catalog_find(relation) : NULL;
		}
	}
	if (model == NULL)
		report_unknown(name);
	return model;
}

/*
 * gs_catalog_own: a model that an owner's function is called on, by its name
 * or that of the relation that it is named after.  Errors: undefined_object,
 * or insufficient_privilege unless the caller owns it.
 */
GsModelEntry *
gs_catalog_own(const char *name)
{
	GsModelEntry *model = find_named(name, false);

	gs_check_owner(model);
	return model;
}

/*
 * gs_catalog_open: a model that the caller wants to sample, by its name or
 * that of its source relation.  Errors: undefined_object, or
 * insufficient_privilege unless the caller owns it or was granted it.
 */
GsModelEntry *
gs_catalog_open(const char *name)
{
	GsModelEntry *model = find_named(name, true);

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

/*
 * gs_text_array: C strings as text[].
 */
Datum
gs_text_array(List *strings)
{
	Datum	   *texts = palloc(sizeof(Datum) * (list_length(strings) + 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, strings)
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
	gs_run("INSERT INTO gensynth.models (name, owner, source, relation, current, last_version)"
		   " VALUES ($1, $2, $3, $4, 0, 0) ON CONFLICT DO NOTHING",
		   4, types, values, nulls, false);
	if (SPI_processed == 0)
	{
		char	   *now;
		Oid			oid;

		/* it may have been made or given away since the fit began */
		gs_run_text("SELECT owner FROM gensynth.models WHERE name = $1 FOR UPDATE",
					model->name, false);
		if (SPI_processed == 0)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("model \"%s\" was dropped while it was fitted",
							model->name),
					 errhint("Fit it again.")));
		now = gs_result_text(0, 1, CurrentMemoryContext);
		oid = get_role_oid(now, true);
		if (!has_privs_of_role(get_role_oid(owner, false),
							   OidIsValid(oid) ? oid : GetUserId()))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("must be owner of model \"%s\"", model->name),
					 errhint("Choose another name with the model argument of synth_fit.")));
	}
	gs_run("UPDATE gensynth.models SET last_version = last_version + 1,"
		   " current = last_version + 1, source = $3, relation = $4"
		   " WHERE name = $1 AND $2 IS NOT NULL RETURNING current", 4, types,
		   values, nulls, false);
	return DatumGetInt32(gs_result(0, 1, NULL));
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
		gs_run("INSERT INTO gensynth.columns VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			   9, types, values, NULL, false);
	}
}

static void
store_constraints(const char *name, const GsVersionEntry *version)
{
	Oid			types[] = {TEXTOID, INT4OID, INT4OID, TEXTOID, TEXTOID,
	TEXTARRAYOID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[9];
	int			ordinal = 0;
	ListCell   *cell;

	foreach(cell, version->constraints)
	{
		const GsConstraint *constraint = lfirst(cell);
		char		nulls[] = "         ";

		memset(values, 0, sizeof(values));
		values[0] = CStringGetTextDatum(name);
		values[1] = Int32GetDatum(version->version);
		values[2] = Int32GetDatum(++ordinal);
		values[3] = CStringGetTextDatum(constraint->kind);
		if (constraint->name != NULL)
			values[4] = CStringGetTextDatum(constraint->name);
		else
			nulls[4] = 'n';
		values[5] = gs_text_array(constraint->columns);
		values[6] = CStringGetTextDatum(constraint->definition);
		if (constraint->expression != NULL)
			values[7] = CStringGetTextDatum(constraint->expression);
		else
			nulls[7] = 'n';
		values[8] = CStringGetTextDatum(constraint->met);
		gs_run("INSERT INTO gensynth.constraints VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			   9, types, values, nulls, false);
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
		gs_run("INSERT INTO gensynth.tensors VALUES ($1, $2, $3, $4, $5, $6)",
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
	GsAccess	access;
	int64		bytes = 0;
	ListCell   *cell;

	foreach(cell, version->tensors)
	{
		const GsTensor *tensor = lfirst(cell);
		bytea	   *packed = gs_tensor_pack(tensor);

		bytes += VARSIZE_ANY_EXHDR(packed);
		pfree(packed);
	}
	gs_enter(&access);
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
	values[10] = gs_text_array(version->notes);
	gs_run("INSERT INTO gensynth.versions VALUES ($1, $2, $3, $4, $5, $6, $7,"
		   " clock_timestamp(), $8, $9, $10, NULL, NULL, $11)",
		   11, types, values, NULL, false);
	store_columns(model->name, version);
	store_constraints(model->name, version);
	store_tensors(model->name, version);
	types[1] = INT4OID;
	values[1] = Int32GetDatum(keep_versions + 1);
	gs_run("DELETE FROM gensynth.versions WHERE model = $1 AND version <> "
		   "(SELECT current FROM gensynth.models WHERE name = $1) AND version NOT IN"
		   " (SELECT version FROM gensynth.versions WHERE model = $1"
		   " ORDER BY version DESC LIMIT $2)", 2, types, values, NULL, false);
	gs_leave(&access);
}

/* What the stored name of a column's plain type stands for today. */
typedef struct StoredType
{
	Oid			type;			/* InvalidOid: nothing */
	int32		typmod;
	char	   *kind;
} StoredType;

/*
 * Looks up a stored type name; InvalidOid if it is not there any more.  To be
 * called as the tables' owner, for whoever may sample a model need not have
 * USAGE on the schemas of its types.
 */
static void
find_type(const char *name, Oid *type, int32 *typmod)
{
	gs_parse_type(name, type, typmod);
}

/*
 * A column's plain type, else text for what was kept as text.  What the name
 * stands for now may be a domain, which is looked through.
 */
static void
resolve_type(GsColumn *column, const StoredType *stored)
{
	if (OidIsValid(stored->type) && get_typisdefined(stored->type))
	{
		column->typmod = stored->typmod;
		column->type = gs_plain_type(stored->type, &column->typmod);
		if (gs_codec_for_type(&column->codec, column->type, column->typmod) &&
			strcmp(gs_codec_name(column->codec.kind), stored->kind) == 0)
			return;
	}
	if (strcmp(stored->kind, gs_codec_name(GS_CODEC_ENUM)) != 0 &&
		strcmp(stored->kind, gs_codec_name(GS_CODEC_TEXT)) != 0)
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
 * Columns, all but what follows from their types: those are resolved as the
 * caller, and not while the user is switched.
 */
static GsSchema *
load_columns(const char *name, int version, StoredType **stored,
			 MemoryContext context)
{
	GsSchema   *schema = MemoryContextAllocZero(context, sizeof(GsSchema));

	gs_run_version("SELECT ordinal, name, type, base_type, kind"
				   " FROM gensynth.columns WHERE model = $1 AND version = $2"
				   " ORDER BY ordinal", name, version, true);
	if (SPI_processed < 1 || SPI_processed > MaxTupleAttributeNumber)
		gs_corrupted("Version %d of model \"%s\" has an impossible number of columns.",
					 version, name);
	schema->ncolumns = (int) SPI_processed;
	schema->columns = MemoryContextAllocZero(context, sizeof(GsColumn) *
											 schema->ncolumns);
	*stored = MemoryContextAllocZero(context, sizeof(StoredType) *
									 schema->ncolumns);
	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];
		StoredType *type = &(*stored)[c];

		if (DatumGetInt32(gs_result(c, 1, NULL)) != c + 1)
			gs_corrupted("Column %d of model \"%s\" is missing.", c + 1, name);
		column->name = gs_result_text(c, 2, context);
		column->type_name = gs_result_text(c, 3, context);
		column->base_name = gs_result_text(c, 4, context);
		type->kind = gs_result_text(c, 5, context);
		find_type(column->base_name, &type->type, &type->typmod);
	}
	return schema;
}

static List *
load_constraints(const char *name, int version, MemoryContext context)
{
	List	   *constraints = NIL;

	gs_run_version("SELECT kind, name, columns, definition, expression, met"
				   " FROM gensynth.constraints"
				   " WHERE model = $1 AND version = $2 ORDER BY ordinal",
				   name, version, true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		GsConstraint *constraint = palloc0(sizeof(GsConstraint));

		constraint->kind = gs_result_text(i, 1, context);
		constraint->name = gs_result_text(i, 2, context);
		constraint->columns = gs_text_list(gs_result(i, 3, NULL));
		constraint->definition = gs_result_text(i, 4, context);
		constraint->expression = gs_result_text(i, 5, context);
		constraint->met = gs_result_text(i, 6, context);
		constraints = lappend(constraints, constraint);
		MemoryContextSwitchTo(old);
	}
	return constraints;
}

/*
 * Tensors of a version: all, or the one of a name.
 */
static List *
load_tensors(const char *model, int version, const char *name,
			 MemoryContext context)
{
	List	   *tensors = NIL;
	Oid			types[] = {TEXTOID, INT4OID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(model), Int32GetDatum(version),
	name != NULL ? CStringGetTextDatum(name) : (Datum) 0};

	gs_run("SELECT name, type, shape, data FROM gensynth.tensors"
		   " WHERE model = $1 AND version = $2 AND name = COALESCE($3, name)"
		   " ORDER BY name", 3, types, values, name != NULL ? "   " : "  n",
		   true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		ArrayType  *shape = DatumGetArrayTypeP(gs_result(i, 3, NULL));
		char	   *tensor = gs_result_text(i, 1, context);

		if (ARR_NDIM(shape) != 1 || ARR_HASNULL(shape) ||
			ARR_DIMS(shape)[0] > GS_TENSOR_DIMS)
			gs_corrupted("Tensor \"%s\" has an impossible shape.", tensor);
		tensors = lappend(tensors,
						  gs_tensor_unpack(tensor,
										   gs_result_text(i, 2, context),
										   ARR_DIMS(shape)[0],
										   (int32 *) ARR_DATA_PTR(shape),
										   DatumGetByteaPP(gs_result(i, 4, NULL))));
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
	StoredType *stored;
	Datum		violation;
	bool		isnull;
	GsAccess	access;

	entry->version = version > 0 ? version : model->current;
	gs_enter(&access);
	if (gs_run_version("SELECT method, seed, rows, sampled,"
					   " array_position(ARRAY['error', 'drop', 'ignore'],"
					   " options->>'on_violation') FROM gensynth.versions"
					   " WHERE model = $1 AND version = $2", model->name,
					   entry->version, true) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", model->name,
						entry->version),
				 errhint("SELECT * FROM synth_models lists the versions.")));
	entry->method = gs_result_text(0, 1, context);
	entry->seed = DatumGetInt64(gs_result(0, 2, NULL));
	entry->rows = DatumGetInt64(gs_result(0, 3, NULL));
	entry->sampled = DatumGetInt64(gs_result(0, 4, NULL));
	violation = gs_result(0, 5, &isnull);
	entry->on_violation = isnull ? GS_VIOLATION_ERROR :
		GS_VIOLATION_ERROR + DatumGetInt32(violation) - 1;
	entry->schema = load_columns(model->name, entry->version, &stored,
								 context);
	entry->tensors = load_tensors(model->name, entry->version, NULL,
								  context);
	entry->constraints = load_constraints(model->name, entry->version,
										  context);
	gs_leave(&access);
	for (int c = 0; c < entry->schema->ncolumns; c++)
		resolve_type(&entry->schema->columns[c], &stored[c]);
	gs_schema_load(entry->schema, entry->tensors);
	return entry;
}

/*
 * gs_catalog_tensors: tensors of a version of a model that gs_catalog_open
 * allowed, or that the caller owns: all, or the one of a name, if there is
 * one.  Errors: data_corrupted.
 */
List *
gs_catalog_tensors(const GsModelEntry *model, int version, const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	GsAccess	access;
	List	   *tensors;

	gs_enter(&access);
	tensors = load_tensors(model->name, version, name, context);
	gs_leave(&access);
	return tensors;
}
