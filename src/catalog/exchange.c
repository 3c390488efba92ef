/*
 * exchange.c
 *	  Models as bytes, to be carried to another database: synth_export, and
 *	  what synth_import stores.
 *
 * Numbers are big-endian:
 *
 *	  "gensynth"		8 bytes
 *	  format			4 bytes, 1
 *	  digest			32 bytes, SHA-256 of all that follows
 *	  length			4 bytes, of the head
 *	  head				JSON in UTF-8: the rows of the catalog's tables as
 *						to_jsonb gives them, and where each tensor is
 *	  tensors			as gensynth.tensors.data has them, without gaps
 *
 * The head has "encoding", that of the database, since tensors hold texts in
 * it, and "models": the one that was asked for, and after it that of how many
 * rows each owner has, where its rows belong to owners.
 *
 * The digest finds accidents.  Whoever can write such bytes can make one, too,
 * so nothing is trusted for it: values go through the input functions of the
 * tables' columns, and what is stored then is loaded as any stored model is,
 * which takes the catalog as hostile.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "compat.h"
#include "catalog/access.h"
#include "catalog/catalog.h"
#include "catalog/exchange.h"
#include "owner/owners.h"

#define MAGIC			"gensynth"
#define MAGIC_BYTES		8
#define FORMAT			1
#define DIGEST_AT		(MAGIC_BYTES + 4)
#define DIGESTED_AT		(DIGEST_AT + GS_SHA256_BYTES)
#define HEAD_AT			(DIGESTED_AT + 4)
#define MAX_BYTES		(MaxAllocSize - 1024)

/* ---------------------------------------------------------------- export */

/* The rows of a table that belong to the version v, as a JSON array. */
#define ROWS(table, row, order) \
	"COALESCE((SELECT pg_catalog.jsonb_agg(" row " ORDER BY " order ")" \
	" FROM gensynth." table " r WHERE r.model " GS_EQ " v.model" \
	" AND r.version " GS_EQ " v.version), '[]')"

/* Where a tensor is, the first of this model being at $3. */
#define TENSOR_ROW \
	"pg_catalog.jsonb_build_object('name', r.name, 'type', r.type," \
	" 'shape', r.shape, 'bytes', r.bytes, 'at', $3 " GS_PLUS \
	" r.before " GS_OP("-") " r.bytes)"

#define TENSORS \
	"(SELECT t.model, t.version, t.name, t.type, t.shape," \
	" pg_catalog.octet_length(t.data) AS bytes," \
	" pg_catalog.sum(pg_catalog.octet_length(t.data))" \
	" OVER (PARTITION BY t.model, t.version ORDER BY t.name) AS before" \
	" FROM gensynth.tensors t)"

/*
 * An error for more bytes than a value can have.
 */
static void
check_size(Size bytes)
{
	if (bytes > MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("model is too large for one value of type bytea"),
				 errhint("Take it along with pg_dump.")));
}

/*
 * Appends what the head says of a version, and the bytes of its tensors.  To
 * be called after gs_enter().
 */
static void
append_version(const GsModelEntry *model, int version, StringInfo head,
			   StringInfo tensors)
{
	Oid			types[] = {TEXTOID, INT4OID, INT8OID};
	Datum		values[] = {CStringGetTextDatum(model->name),
	Int32GetDatum(version), Int64GetDatum(tensors->len)};

	gs_run("SELECT (pg_catalog.jsonb_build_object('version',"
		   " pg_catalog.to_jsonb(v), 'columns', "
		   ROWS("columns", "pg_catalog.to_jsonb(r)", "r.ordinal")
		   ", 'constraints', "
		   ROWS("constraints", "pg_catalog.to_jsonb(r)", "r.ordinal")
		   ", 'tensors', COALESCE((SELECT pg_catalog.jsonb_agg(" TENSOR_ROW
		   " ORDER BY r.name) FROM " TENSORS " r"
		   " WHERE r.model " GS_EQ " v.model"
		   " AND r.version " GS_EQ " v.version), '[]')))::pg_catalog.text"
		   " FROM gensynth.versions v WHERE v.model " GS_EQ " $1"
		   " AND v.version " GS_EQ " $2", 3, types, values, NULL, true);
	appendStringInfo(head, "%s%s", tensors->len > 0 ? ", " : "",
					 gs_result_text(0, 1, CurrentMemoryContext));
	gs_run_version("SELECT data FROM gensynth.tensors WHERE model " GS_EQ " $1"
				   " AND version " GS_EQ " $2 ORDER BY name", model->name,
				   version, true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bytea	   *data = DatumGetByteaPP(gs_result(i, 1, NULL));

		check_size((Size) tensors->len + VARSIZE_ANY_EXHDR(data));
		appendBinaryStringInfo(tensors, VARDATA_ANY(data),
							   VARSIZE_ANY_EXHDR(data));
	}
}

/*
 * The model of how many rows each owner has, where rows of this one belong to
 * owners; else NULL.
 */
static GsModelEntry *
counts_of(const GsModelEntry *model, int version)
{
	GsAccess	access;
	bool		owned;

	gs_enter(&access);
	gs_run_version("SELECT owners IS NOT NULL FROM gensynth.versions"
				   " WHERE model " GS_EQ " $1 AND version " GS_EQ " $2",
				   model->name, version, true);
	owned = DatumGetBool(gs_result(0, 1, NULL));
	gs_leave(&access);
	return owned ? gs_catalog_find(gs_owners_counts_model(model->name)) : NULL;
}

static void
append_uint32(StringInfo out, uint32 value)
{
	uint32		big = pg_hton32(value);

	appendBinaryStringInfo(out, (const char *) &big, sizeof(big));
}

/*
 * synth_export(model text, version int = NULL): see catalog.sql.
 */
GS_FUNCTION(synth_export);

Datum
synth_export(PG_FUNCTION_ARGS)
{
	GsModelEntry *model;
	GsModelEntry *counts;
	int			version;
	StringInfoData head;
	StringInfoData tensors;
	StringInfoData out;
	char	   *utf8;
	GsAccess	access;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("model must not be null"),
				 errhint("SELECT * FROM synth_models lists the models.")));
	model = gs_catalog_read(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	version = PG_ARGISNULL(1) ? model->current : PG_GETARG_INT32(1);
	gs_catalog_check(model, version);
	counts = counts_of(model, version);
	if (counts != NULL && version != model->current)
		counts->current = version;
	if (counts != NULL)
		gs_catalog_check(counts, counts->current);

	initStringInfo(&head);
	initStringInfo(&tensors);
	initStringInfo(&out);
	appendStringInfo(&head, "{\"gensynth\": \"%s\", \"encoding\": \"%s\","
					 " \"models\": [", GENSYNTH_VERSION, GetDatabaseEncodingName());
	gs_enter(&access);
	append_version(model, version, &head, &tensors);
	if (counts != NULL)
		append_version(counts, counts->current, &head, &tensors);
	gs_leave(&access);
	appendStringInfoString(&head, "]}");
	utf8 = pg_server_to_any(head.data, head.len, PG_UTF8);
	check_size(HEAD_AT + strlen(utf8) + (Size) tensors.len);

	appendStringInfoSpaces(&out, VARHDRSZ);
	appendBinaryStringInfo(&out, MAGIC, MAGIC_BYTES);
	append_uint32(&out, FORMAT);
	appendStringInfoSpaces(&out, GS_SHA256_BYTES);
	append_uint32(&out, strlen(utf8));
	appendStringInfoString(&out, utf8);
	appendBinaryStringInfo(&out, tensors.data, tensors.len);
	gs_sha256(out.data + VARHDRSZ + DIGESTED_AT,
			  out.len - VARHDRSZ - DIGESTED_AT,
			  (uint8 *) out.data + VARHDRSZ + DIGEST_AT);
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_BYTEA_P(out.data);
}

/* ---------------------------------------------------------------- import */

static uint32
read_uint32(const char *at)
{
	uint32		big;

	memcpy(&big, at, sizeof(big));
	return pg_ntoh32(big);
}

GS_NORETURN static void
refuse(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("these bytes are not a model that synth_export wrote"),
			 errdetail_internal("%s", detail),
			 errhint("Export the model again, and carry it over unchanged.")));
}

/*
 * A member of a JSON object, NULL if there is none or it is not of the type.
 */
static JsonbValue *
member(const Jsonb *json, const char *key, enum jbvType type)
{
	JsonbValue *value = NULL;

	if (JB_ROOT_IS_OBJECT(json))
		value = getKeyJsonValueFromContainer(unconstify(JsonbContainer *,
														&json->root), key,
											 strlen(key), NULL);
	return value != NULL && value->type == type ? value : NULL;
}

/*
 * The head of an export; *tensors: where its tensors begin.  Errors:
 * data_corrupted, feature_not_supported.
 */
static Jsonb *
read_head(const bytea *bytes, Size *tensors)
{
	const char *at = VARDATA_ANY(bytes);
	Size		size = VARSIZE_ANY_EXHDR(bytes);
	uint8		expected[GS_SHA256_BYTES];
	uint32		length;
	char	   *text;

	if (size < MAGIC_BYTES || memcmp(at, MAGIC, MAGIC_BYTES) != 0)
		refuse("They do not begin as such bytes do.");
	if (size < HEAD_AT)
		refuse("They end too early.");
	if (read_uint32(at + MAGIC_BYTES) != FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("export is of format %u, and this version of gensynth reads format %d",
						read_uint32(at + MAGIC_BYTES), FORMAT),
				 errhint("Install the version of gensynth that wrote it, or a later one.")));
	gs_sha256(at + DIGESTED_AT, size - DIGESTED_AT, expected);
	if (memcmp(at + DIGEST_AT, expected, GS_SHA256_BYTES) != 0)
		refuse("They do not match their digest: some are missing or others.");
	length = read_uint32(at + DIGESTED_AT);
	if (length > size - HEAD_AT)
		refuse("The head is longer than all of them.");
	if (memchr(at + HEAD_AT, '\0', length) != NULL)
		refuse("The head is no text.");
	*tensors = HEAD_AT + length;
	text = pnstrdup(at + HEAD_AT, length);
	text = pg_any_to_server(text, length, PG_UTF8);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(text)));
}

/*
 * An error if texts in the tensors would be garbled here.
 */
static void
check_encoding(const Jsonb *head)
{
	JsonbValue *value = member(head, "encoding", jbvString);
	char	   *encoding;

	if (value == NULL)
		refuse("The head has no encoding.");
	encoding = pnstrdup(value->val.string.val, value->val.string.len);
	if (strcmp(encoding, GetDatabaseEncodingName()) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("model was learned in a database of encoding \"%s\", and this one has \"%s\"",
						encoding, GetDatabaseEncodingName()),
				 errhint("Import it into a database of the same encoding, or fit it here.")));
}

/* The rows of the JSON array in $1, each with what $2 says instead. */
#define INSERT_ROWS(table) \
	"INSERT INTO gensynth." table " SELECT r.*" \
	" FROM pg_catalog.jsonb_array_elements($1 " GS_OP("->") " '" table "') e," \
	" LATERAL pg_catalog.jsonb_populate_record(" \
	"CAST(NULL AS gensynth." table "), e.value " GS_OP("||") " $2) r"

/*
 * Stores a version: model: an element of "models"; bytes: the whole export,
 * whose tensors begin at the given place.  To be called after gs_enter().
 */
static void
insert_version(const char *name, int version, const char *role,
			   Datum model, const bytea *bytes, Size tensors)
{
	Oid			key_types[] = {TEXTOID, INT4OID, TEXTOID, JSONBOID};
	Datum		key_values[] = {CStringGetTextDatum(name),
		Int32GetDatum(version), CStringGetTextDatum(role),
	model};
	Oid			types[] = {JSONBOID, JSONBOID};
	Datum		values[2];
	Oid			tensor_types[] = {TEXTOID, INT4OID, JSONBOID, BYTEAOID, INT4OID};
	Datum		tensor_values[] = {CStringGetTextDatum(name),
		Int32GetDatum(version), model, PointerGetDatum(bytes),
	Int32GetDatum((int32) tensors + 1)};

	values[0] = model;
	gs_run("SELECT pg_catalog.jsonb_build_object('model', $1, 'version', $2)",
		   2, key_types, key_values, NULL, true);
	values[1] = gs_result(0, 1, NULL);
	gs_run(INSERT_ROWS("columns"), 2, types, values, NULL, false);
	gs_run(INSERT_ROWS("constraints"), 2, types, values, NULL, false);
	gs_run("INSERT INTO gensynth.tensors (model, version, name, type, shape,"
		   " data) SELECT $1, $2, r.name, r.type, r.shape,"
		   " pg_catalog.substr($4, $5 " GS_PLUS " r.at, r.bytes)"
		   " FROM pg_catalog.jsonb_to_recordset($3 " GS_OP("->") " 'tensors')"
		   " AS r(name pg_catalog.text, type pg_catalog.text,"
		   " shape pg_catalog.int4[], at pg_catalog.int4,"
		   " bytes pg_catalog.int4)",
		   5, tensor_types, tensor_values, NULL, false);
	gs_run("INSERT INTO gensynth.versions SELECT r.*"
		   " FROM pg_catalog.jsonb_populate_record(CAST(NULL AS gensynth.versions),"
		   " '{\"format\": 1}' " GS_OP("||")	/* older exports have none */
		   " ($4 " GS_OP("->") " 'version') " GS_OP("||")
		   " pg_catalog.jsonb_build_object('model', $1, 'version', $2,"
		   " 'fitted_by', $3, 'bytes', (SELECT COALESCE("
		   "pg_catalog.sum(pg_catalog.octet_length(t.data)), 0)"
		   " FROM gensynth.tensors t WHERE t.model " GS_EQ " $1"
		   " AND t.version " GS_EQ " $2))) r",
		   4, key_types, key_values, NULL, false);
}

/*
 * An error unless each byte after the head belongs to one tensor: no few bytes
 * become many rows.
 */
static void
check_sizes(Datum head, Size bytes)
{
	Oid			types[] = {JSONBOID};

	gs_run("SELECT COALESCE(pg_catalog.sum(t.bytes), 0)::pg_catalog.text FROM"
		   " pg_catalog.jsonb_array_elements($1 " GS_OP("->") " 'models') m,"
		   " LATERAL pg_catalog.jsonb_to_recordset(m.value " GS_OP("->")
		   " 'tensors') AS t(bytes pg_catalog.int4)", 1, types, &head, NULL,
		   true);
	if (strcmp(gs_result_text(0, 1, CurrentMemoryContext),
			   psprintf("%zu", bytes)) != 0)
		refuse("The tensors are not as long as the head says.");
}

/*
 * gs_exchange_store: stores the models of an export as versions of models of
 * the caller, and returns their names, C strings, in the current context.
 *
 * name: what the first of them is to be called; NULL: as it was.  What was
 * stored is to be loaded, to see that it can be.  Errors: data_corrupted,
 * feature_not_supported, those of values that a table does not take, those of
 * gs_catalog_check_name and gs_check_protection, and insufficient_privilege if
 * a model of that name is another's.
 */
List *
gs_exchange_store(const bytea *bytes, const char *name)
{
	Size		tensors;
	Jsonb	   *head = read_head(bytes, &tensors);
	JsonbValue *models = member(head, "models", jbvBinary);
	const char *role = GetUserNameFromId(GetUserId(), false);
	List	   *stored = NIL;
	int			n = models != NULL &&
		JsonContainerIsArray(models->val.binary.data) ?
		JsonContainerSize(models->val.binary.data) : 0;

	if (n < 1 || n > 2)
		refuse("The head has not one or two models.");
	check_encoding(head);
	for (int i = 0; i < n; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(models->val.binary.data,
														  i);
		Jsonb	   *model = JsonbValueToJsonb(value);
		JsonbValue *version = member(model, "version", jbvBinary);
		JsonbValue *old_name = version == NULL ? NULL :
			member(JsonbValueToJsonb(version), "model", jbvString);
		int			number;
		GsAccess	access;

		if (old_name == NULL)
			refuse("A model has no name.");
		if (i > 0)
			name = gs_owners_counts_model(name);
		else if (name == NULL)
			name = pnstrdup(old_name->val.string.val,
							old_name->val.string.len);
		gs_catalog_check_name(name);
		gs_enter(&access);
		if (i == 0)
			check_sizes(JsonbPGetDatum(head),
						VARSIZE_ANY_EXHDR(bytes) - tensors);
		number = gs_catalog_next_version(name, role);
		/* what the bytes say of privacy is not to be believed */
		gs_check_protection(name, false);
		insert_version(name, number, role, JsonbPGetDatum(model), bytes,
					   tensors);
		gs_catalog_prune(name, number, GS_KEEP_VERSIONS);
		gs_leave(&access);
		stored = lappend(stored, unconstify(char *, name));
	}
	return stored;
}
