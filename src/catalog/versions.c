/*
 * versions.c
 *	  Versions of models at rest, with all their parts.
 *
 * A restore that failed half-way, or somebody's DELETE, can leave a version
 * without some of its parts, which no foreign key would tell: each version
 * knows how many it has.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "catalog/access.h"
#include "catalog/catalog.h"
#include "column/store.h"

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
		values[6] = CStringGetTextDatum(column->codec.kind->name);
		values[7] = BoolGetDatum(column->nullable);
		values[8] = version->details[c];
		gs_run("INSERT INTO gensynth.columns (model, version, ordinal, name,"
			   " type, base_type, kind, nullable, detail)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
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
		values[3] = CStringGetTextDatum(gs_constraint_kind_name(constraint->kind));
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
		values[8] = CStringGetTextDatum(gs_met_name(constraint->met));
		gs_run("INSERT INTO gensynth.constraints (model, version, ordinal,"
			   " kind, name, columns, definition, expression, met)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
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
		gs_run("INSERT INTO gensynth.tensors (model, version, name, type,"
			   " shape, data)"
			   " VALUES ($1, $2, $3, $4, $5, $6)",
			   6, types, values, NULL, false);
		pfree(packed);
	}
}

static int64
stored_bytes(const List *tensors)
{
	int64		bytes = 0;
	ListCell   *cell;

	foreach(cell, tensors)
	{
		bytea	   *packed = gs_tensor_pack(lfirst(cell));

		bytes += VARSIZE_ANY_EXHDR(packed);
		pfree(packed);
	}
	return bytes;
}

static void
store_version(const char *name, const GsVersionEntry *version,
			  const char *role, int64 bytes)
{
	Oid			types[] = {TEXTOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, INT8OID,
		INT8OID, INT8OID, JSONBOID, TEXTOID, FLOAT8OID, INT8OID, TEXTARRAYOID,
	INT4OID, INT4OID, INT4OID, JSONBOID, FLOAT8OID, FLOAT8OID};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types)];
	bool		private = version->epsilon > 0;

	memset(nulls, ' ', sizeof(nulls));
	values[0] = CStringGetTextDatum(name);
	values[1] = Int32GetDatum(version->version);
	values[2] = CStringGetTextDatum(version->source);
	values[3] = version->relation ? CStringGetTextDatum(version->relation) :
		(Datum) 0;
	nulls[3] = version->relation ? ' ' : 'n';
	values[4] = CStringGetTextDatum(version->method);
	values[5] = Int64GetDatum(version->seed);
	values[6] = Int64GetDatum(version->rows);
	values[7] = Int64GetDatum(version->sampled);
	values[8] = version->options;
	values[9] = CStringGetTextDatum(role);
	values[10] = Float8GetDatum(version->seconds);
	values[11] = Int64GetDatum(bytes);
	values[12] = gs_text_array(version->notes);
	values[13] = Int32GetDatum(version->schema->ncolumns);
	values[14] = Int32GetDatum(list_length(version->constraints));
	values[15] = Int32GetDatum(list_length(version->tensors));
	values[16] = version->owners ? JsonbPGetDatum(version->owners) : (Datum) 0;
	nulls[16] = version->owners ? ' ' : 'n';
	values[17] = Float8GetDatum(version->epsilon);
	values[18] = Float8GetDatum(version->delta);
	nulls[17] = nulls[18] = private ? ' ' : 'n';
	/* neither is there a seed, nor is it told how long the rows took */
	if (private)
		nulls[5] = nulls[7] = nulls[10] = 'n';
	gs_run("INSERT INTO gensynth.versions (model, version, source, relation,"
		   " method, seed, rows, sampled, options, fitted_by, seconds, bytes,"
		   " notes, ncolumns, nconstraints, ntensors, owners, epsilon, delta,"
		   " fitted_at)"
		   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
		   " $14, $15, $16, $17, $18, $19, pg_catalog.clock_timestamp())",
		   lengthof(types), types, values, nulls, false);
}

/*
 * Runs a DELETE with the model's name as its $1 and the version as its $2, on
 * all rows that are there by now: those too that were added since the
 * transaction's snapshot was taken, as a foreign key's cascade would.
 */
static void
delete_rows(const char *sql, const char *model, int version)
{
	Oid			types[] = {TEXTOID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(model),
	Int32GetDatum(version)};
	bool		fixed = IsolationUsesXactSnapshot();

	(void) gs_run_snapshot(sql, lengthof(types), types, values,
						   fixed ? GetLatestSnapshot() : InvalidSnapshot,
						   fixed ? GetTransactionSnapshot() : InvalidSnapshot);
}

#define OF_VERSION \
	" WHERE model " GS_EQ " $1 AND ($2 " GS_EQ " 0 OR version " GS_EQ " $2)"

/*
 * gs_part_name: the name of the model of rows that are made owner by owner,
 * which is a part of a model, in the current context.
 */
char *
gs_part_name(const char *model)
{
	return psprintf("%s@", model);
}

static void
delete_parts(const char *model)
{
	uint64		n = gs_run("SELECT name FROM gensynth.models WHERE part"
						   " AND name " GS_EQ " ANY (ARRAY[$1 OPERATOR(pg_catalog.||) '@',"
						   " $1 OPERATOR(pg_catalog.||) '@#'])", 1,
						   (Oid[]) {TEXTOID},
						   (Datum[]) {CStringGetTextDatum(model)}, NULL, false);
	List	   *names = NIL;
	ListCell   *cell;

	for (uint64 i = 0; i < n; i++)
		names = lappend(names, gs_result_text(i, 1, CurrentMemoryContext));
	foreach(cell, names)
		gs_catalog_delete(lfirst(cell), 0);
}

/*
 * gs_catalog_delete: deletes a version of a model with all its parts, or the
 * whole model if version is 0.  To be called after gs_enter() by whoever
 * holds the lock on the model's row.
 */
void
gs_catalog_delete(const char *model, int version)
{
	delete_rows("DELETE FROM gensynth.tensors" OF_VERSION, model, version);
	delete_rows("DELETE FROM gensynth.constraints" OF_VERSION, model, version);
	delete_rows("DELETE FROM gensynth.columns" OF_VERSION, model, version);
	delete_rows("DELETE FROM gensynth.versions" OF_VERSION, model, version);
	if (version != 0)
		return;
	delete_rows("DELETE FROM gensynth.grants WHERE model " GS_EQ " $1", model,
				version);
	delete_rows("DELETE FROM gensynth.fills WHERE model " GS_EQ " $1", model,
				version);
	delete_rows("DELETE FROM gensynth.models WHERE name " GS_EQ " $1", model,
				version);
	delete_parts(model);
}

/*
 * gs_catalog_prune: deletes all versions but the current one and so many
 * before it.  To be called as gs_catalog_delete().
 */
void
gs_catalog_prune(const char *model, int current, int keep)
{
	Oid			types[] = {TEXTOID, INT4OID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(model), Int32GetDatum(current),
	Int32GetDatum(keep)};
	int			n;
	int		   *old;

	n = gs_run("SELECT version FROM gensynth.versions WHERE model " GS_EQ " $1"
			   " AND version " GS_NE " $2 ORDER BY version DESC OFFSET $3",
			   3, types, values, NULL, false);
	old = palloc(sizeof(int) * Max(n, 1));
	for (int i = 0; i < n; i++)
		old[i] = DatumGetInt32(gs_result(i, 1, NULL));
	for (int i = 0; i < n; i++)
		gs_catalog_delete(model, old[i]);
}

/*
 * gs_catalog_store: writes a new version and makes it the current one.
 *
 * version: all but its number, which is set.  Older versions beyond
 * keep_versions are dropped.  Errors: insufficient_privilege if the model
 * exists and is another's; those of gs_check_protection().
 */
void
gs_catalog_store(const char *model, GsVersionEntry *version,
				 int keep_versions)
{
	const char *role = GetUserNameFromId(GetUserId(), false);
	int64		bytes = stored_bytes(version->tensors);
	GsAccess	access;

	gs_enter(&access);
	version->version = gs_catalog_next_version(model, role);
	gs_check_protection(model, version->epsilon > 0);
	store_version(model, version, role, bytes);
	store_columns(model, version);
	store_constraints(model, version);
	store_tensors(model, version);
	gs_catalog_prune(model, version->version, keep_versions);
	if (version->part)
		gs_run_text("UPDATE gensynth.models SET part = true"
					" WHERE name " GS_EQ " $1", model, false);
	gs_leave(&access);
}

/* What the stored name of a column's plain type stands for today. */
typedef struct StoredType
{
	Oid			type;			/* InvalidOid: nothing */
	List	   *modifiers;		/* as they were written */
	char	   *kind;
} StoredType;

/*
 * Looks up a stored type name; InvalidOid if it is not there any more.  To be
 * called as the tables' owner, for whoever may sample a model need not have
 * USAGE on the schemas of its types.  So nothing of the type is run here.
 */
static void
find_type(const char *name, StoredType *stored, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	TypeName   *type = gs_type_name(name);

	stored->type = LookupTypeNameOid(NULL, type, true);
	stored->modifiers = type->typmods;
	MemoryContextSwitchTo(old);
}

/*
 * What a type's own function makes of the modifiers: to be called as the
 * caller.
 */
static int32
find_typmod(const StoredType *stored)
{
	TypeName   *type = makeTypeNameFromOid(stored->type, -1);
	Oid			oid;
	int32		typmod;

	type->typmods = stored->modifiers;
	typenameTypeIdAndMod(NULL, type, &oid, &typmod);
	return typmod;
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
		column->typmod = find_typmod(stored);
		column->type = gs_plain_type(stored->type, &column->typmod);
		if (gs_codec_for_type(&column->codec, column->type, column->typmod) &&
			strcmp(column->codec.kind->name, stored->kind) == 0)
			return;
	}
	if (!gs_kind_is_text(stored->kind))
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
				   " FROM gensynth.columns WHERE model " GS_EQ " $1"
				   " AND version " GS_EQ " $2 ORDER BY ordinal", name, version, true);
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
		find_type(column->base_name, type, context);
	}
	return schema;
}

static List *
load_constraints(const char *name, int version, MemoryContext context)
{
	List	   *constraints = NIL;

	gs_run_version("SELECT kind, name, columns, definition, expression, met"
				   " FROM gensynth.constraints"
				   " WHERE model " GS_EQ " $1 AND version " GS_EQ " $2"
				   " ORDER BY ordinal",
				   name, version, true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		GsConstraint *constraint = gs_constraint_result(i);

		constraint->met = gs_met(gs_result_text(i, 6, context));
		if (constraint->kind == GS_CONSTRAINT_KINDS || constraint->met == GS_METS)
			gs_corrupted("Constraint %d of model \"%s\" is of no kind, or met in no way.",
						 (int) i + 1, name);
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
		   " WHERE model " GS_EQ " $1 AND version " GS_EQ " $2"
		   " AND name " GS_EQ " COALESCE($3, name)"
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
 * An error for a version that is not there: the current one should be.
 */
static void
report_missing(const GsModelEntry *model, int version)
{
	if (version == model->current)
		gs_corrupted("Version %d of model \"%s\", its current one, is not there.",
					 version, model->name);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" has no version %d", model->name, version),
			 errhint("SELECT * FROM synth_models lists the versions.")));
}

#define COUNT_PARTS(of) \
	"(SELECT pg_catalog.count(*) FROM gensynth." of " p" \
	" WHERE p.model " GS_EQ " v.model AND p.version " GS_EQ " v.version)"

/*
 * An error for a version whose format is not read here.  The row at hand is
 * its own, with what it is, how it was learned and its epsilon from a column
 * on.
 */
static void
check_format(const GsModelEntry *model, int version, int column)
{
	int			format = DatumGetInt32(gs_result(0, column, NULL));
	bool		isnull;
	double		epsilon = DatumGetFloat8(gs_result(0, column + 3, &isnull));

	if (format > GS_FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("version %d of model \"%s\" is of format %d, and this version of gensynth reads formats up to %d",
						version, model->name, format, GS_FORMAT),
				 errhint("Install the version of gensynth that learned it, or a later one.")));
	if (format < GS_OLDEST_FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("version %d of model \"%s\" is of format %d, and this version of gensynth reads formats from %d on",
						version, model->name, format, GS_OLDEST_FORMAT),
				 errhint("Learn it again: SELECT synth_fit(%s, %s, model => %s%s).",
						 quote_literal_cstr(gs_result_text(0, column + 1, CurrentMemoryContext)),
						 quote_literal_cstr(gs_result_text(0, column + 2, CurrentMemoryContext)),
						 quote_literal_cstr(model->name),
						 isnull ? "" : psprintf(", epsilon => %g", epsilon))));
}

/*
 * An error unless a version is there with all its parts, in a format that can
 * be read.
 */
static void
check_parts(const GsModelEntry *model, int version)
{
	static const char *const parts[] = {"columns", "constraints", "tensors"};

	if (gs_run_version("SELECT v.ncolumns, v.nconstraints, v.ntensors, "
					   COUNT_PARTS("columns") ", " COUNT_PARTS("constraints")
					   ", " COUNT_PARTS("tensors")
					   /* 0.1, which may not be updated yet, has no such column */
					   ", COALESCE((pg_catalog.to_jsonb(v) " GS_OP("->>")
					   " 'format')::pg_catalog.int4, 1), v.source, v.method,"
					   " v.epsilon"
					   " FROM gensynth.versions v WHERE v.model " GS_EQ " $1"
					   " AND v.version " GS_EQ " $2", model->name, version,
					   true) == 0)
		report_missing(model, version);
	check_format(model, version, 2 * lengthof(parts) + 1);
	for (int i = 0; i < lengthof(parts); i++)
	{
		int			expected = DatumGetInt32(gs_result(0, i + 1, NULL));
		int64		there = DatumGetInt64(gs_result(0, lengthof(parts) + i + 1,
													NULL));

		if (there != expected)
			gs_corrupted("Version %d of model \"%s\" has %lld %s instead of %d.",
						 version, model->name, (long long) there, parts[i],
						 expected);
	}
}

/*
 * gs_catalog_check: an error unless a version of a model is there with all
 * its parts: undefined_object or data_corrupted.
 */
void
gs_catalog_check(const GsModelEntry *model, int version)
{
	GsAccess	access;

	gs_enter(&access);
	check_parts(model, version);
	gs_leave(&access);
}

/*
 * gs_catalog_load: reads a version of a model that gs_catalog_open allowed.
 *
 * version: 0 for the current one.  Allocated in the current context.
 * Errors: data_corrupted, undefined_object if there is no such version or a
 * column's type is gone.
 */
GsVersionEntry *
gs_catalog_load(const GsModelEntry *model, int version)
{
	MemoryContext context = CurrentMemoryContext;
	GsVersionEntry *entry = palloc0(sizeof(GsVersionEntry));
	StoredType *stored;
	Datum		violation;
	Datum		owners;
	bool		isnull;
	GsAccess	access;

	entry->version = version > 0 ? version : model->current;
	gs_enter(&access);
	check_parts(model, entry->version);
	gs_run_version("SELECT method, seed, rows, sampled,"
				   " pg_catalog.array_position(ARRAY['error', 'drop', 'ignore'],"
				   " options " GS_OP("->>") " 'on_violation'), owners"
				   " FROM gensynth.versions WHERE model " GS_EQ " $1"
				   " AND version " GS_EQ " $2", model->name, entry->version,
				   true);
	entry->method = gs_result_text(0, 1, context);
	entry->seed = DatumGetInt64(gs_result(0, 2, NULL));
	entry->rows = DatumGetInt64(gs_result(0, 3, NULL));
	entry->sampled = DatumGetInt64(gs_result(0, 4, NULL));
	violation = gs_result(0, 5, &isnull);
	entry->on_violation = isnull ? GS_VIOLATION_ERROR :
		GS_VIOLATION_ERROR + DatumGetInt32(violation) - 1;
	owners = gs_result(0, 6, &isnull);
	if (!isnull)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		entry->owners = DatumGetJsonbPCopy(owners);
		MemoryContextSwitchTo(old);
	}
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
 * one.  Errors: undefined_object, data_corrupted.
 */
List *
gs_catalog_tensors(const GsModelEntry *model, int version, const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	GsAccess	access;
	List	   *tensors;

	gs_enter(&access);
	check_parts(model, version);
	tensors = load_tensors(model->name, version, name, context);
	gs_leave(&access);
	return tensors;
}
