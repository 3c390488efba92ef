/*
 * access.c
 *	  The way into the tables of the schema gensynth.
 *
 * Nobody but their owner can read or write these tables.  What is done here
 * on a caller's behalf is done as that owner, between gs_enter() and
 * gs_leave(), with a search_path that nobody else can write to; the caller's
 * own rights on the model are checked first.  No source query ever runs in
 * between.  Whoever owns the extension, who need not be a superuser, can drop it
 * at any time, also while a procedure of somebody else's commits, and put tables
 * of his own in the place of these: nothing is done with them, and nothing is
 * left behind that the caller would run later.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "catalog/strange.h"
#include "codec/styles.h"

/*
 * gs_is_of_extension: whether an object of a catalog belongs to the extension
 * of that name.
 */
bool
gs_is_of_extension(Oid catalog, Oid object, const char *name)
{
	Oid			extension = getExtensionOfObject(catalog, object);

	return OidIsValid(extension) &&
		extension == get_extension_oid(name, true);
}

/*
 * Whose the tables are.  Until the transaction ends, what is named gensynth.*
 * is the extension's own, for whoever drops that waits for the lock.  A table
 * that is not the extension's is refused, whoever owns it: those beside it may
 * be another's, who has renamed a schema of his own.
 */
static Oid
tables_owner(void)
{
	Oid			relid = get_relname_relid("models",
										  get_namespace_oid("gensynth", false));

	if (OidIsValid(relid))
		LockRelationOid(relid, AccessShareLock);
	if (!OidIsValid(relid) ||
		get_relname_relid("models",
						  get_namespace_oid("gensynth", false)) != relid ||
		!gs_is_of_extension(RelationRelationId, relid, "gensynth"))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table gensynth.models does not exist"),
				 errhint("Create the extension gensynth again.")));
	return gs_owner_of(relid);
}

/*
 * gs_become: becomes a role; names without a schema are those of pg_catalog.
 *
 * how: SECURITY_RESTRICTED_OPERATION to run the role's own code, as ANALYZE
 * does; SECURITY_LOCAL_USERID_CHANGE else.  An error in between needs no
 * clean-up of ours: the transaction's or subtransaction's abort puts back user
 * and settings.
 */
void
gs_become(GsAccess *access, Oid role, int how)
{
	GetUserIdAndSecContext(&access->user, &access->context);
	SetUserIdAndSecContext(role, access->context | how);
	access->settings = gs_fix_names();
}

/*
 * gs_become_caller: ends gs_become, and takes back what was set meanwhile.
 */
void
gs_become_caller(const GsAccess *access)
{
	gs_end_settings(access->settings);
	SetUserIdAndSecContext(access->user, access->context);
}

/*
 * gs_enter: becomes the tables' owner, within an SPI connection.
 */
void
gs_enter(GsAccess *access)
{
	gs_become(access, tables_owner(), SECURITY_LOCAL_USERID_CHANGE |
			  SECURITY_RESTRICTED_OPERATION);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

/*
 * gs_leave: becomes the caller again.
 */
void
gs_leave(GsAccess *access)
{
	SPI_finish();
	gs_become_caller(access);
}

/*
 * gs_run: runs a statement with parameters; nulls may be NULL.  Returns the
 * number of rows; they are in SPI_tuptable, and live until gs_leave().
 */
uint64
gs_run(const char *sql, int nargs, const Oid *types, const Datum *values,
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

/*
 * gs_run_snapshot: runs a statement that writes, on the rows that a snapshot
 * sees; it is an error (serialization_failure) if it comes upon one that
 * crosscheck does not see.  Either may be InvalidSnapshot.  Returns the number
 * of rows.
 */
uint64
gs_run_snapshot(const char *sql, int nargs, const Oid *types,
				const Datum *values, Snapshot snapshot, Snapshot crosscheck)
{
	SPIPlanPtr	plan = SPI_prepare(sql, nargs, unconstify(Oid *, types));
	int			result;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	CommandCounterIncrement();
	result = SPI_execute_snapshot(plan, unconstify(Datum *, values), NULL,
								  snapshot, crosscheck, false, true, 0);
	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * gs_run_text: what gs_run does, with a text as $1.
 */
uint64
gs_run_text(const char *sql, const char *name, bool read_only)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);

	return gs_run(sql, 1, &type, &value, NULL, read_only);
}

/*
 * gs_run_version: the same with a text as $1 and an integer as $2.
 */
uint64
gs_run_version(const char *sql, const char *name, int version, bool read_only)
{
	Oid			types[] = {TEXTOID, INT4OID};
	Datum		values[2];

	values[0] = CStringGetTextDatum(name);
	values[1] = Int32GetDatum(version);
	return gs_run(sql, 2, types, values, NULL, read_only);
}

/*
 * gs_result: a field of the result; columns count from 1.  isnull may be
 * NULL.
 */
Datum
gs_result(int row, int column, bool *isnull)
{
	bool		ignored;

	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 column, isnull ? isnull : &ignored);
}

/*
 * gs_result_text: a field's text in the given context, NULL for NULL.
 */
char *
gs_result_text(int row, int column, MemoryContext context)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row],
									 SPI_tuptable->tupdesc, column);

	return value ? MemoryContextStrdup(context, value) : NULL;
}

/*
 * gs_table_lock: the lock on a numbered object of one of our tables, which no
 * SQL takes.  Errors: undefined_table.
 */
LOCKTAG
gs_table_lock(const char *table, int number)
{
	LOCKTAG		tag;
	Oid			relid = get_relname_relid(table,
										  get_namespace_oid("gensynth", false));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table gensynth.%s does not exist", table),
				 errhint("Create the extension gensynth again.")));
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, relid, (uint32) number, 0);
	return tag;
}
