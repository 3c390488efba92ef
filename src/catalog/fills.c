/*
 * fills.c
 *	  How far the fills of synth_into have come: the table gensynth.fills.
 *
 * A fill's row is changed in the transaction that fills the target, so both
 * always tell the same.  No lock is held between batches or while rows are
 * made: whoever finds that "done" is not what it was has lost the fill to
 * another session, and undoes the batch.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "catalog/access.h"
#include "catalog/fills.h"

#define FILL_ARGS	9

/*
 * What tells one fill from another, as the parameters $1 to $9.
 */
static void
fill_args(const GsFill *fill, Datum *values, char *nulls)
{
	memset(nulls, ' ', FILL_ARGS);
	values[0] = CStringGetTextDatum(fill->target);
	values[1] = CStringGetTextDatum(fill->role);
	values[2] = CStringGetTextDatum(fill->model);
	values[3] = Int64GetDatum(fill->start);
	values[4] = Int64GetDatum(fill->n);
	values[5] = fill->given.value;
	if (fill->given.isnull)
		nulls[5] = 'n';
	values[6] = Int64GetDatum(fill->seed);
	values[7] = Int32GetDatum(fill->version);
	values[8] = UUIDPGetDatum(&fill->model_id);
}

static const Oid fill_types[FILL_ARGS] = {TEXTOID, TEXTOID, TEXTOID, INT8OID,
INT8OID, JSONBOID, INT8OID, INT4OID, UUIDOID};

/*
 * Reads where the keys of a fill began, into the given context.
 */
static void
read_keys(GsFill *fill, Datum value, MemoryContext context)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (array_contains_nulls(array))
		return;
	fill->nkeys = n;
	fill->keys = MemoryContextAlloc(context, sizeof(int64) * Max(n, 1));
	memcpy(fill->keys, ARR_DATA_PTR(array), sizeof(int64) * n);
}

/*
 * gs_fill_find: looks for an unfinished fill of the same target, role, model,
 * start, n and given values, and of the same seed and n unless any will do; the
 * last one of several.  If there is one, sets id, seed, version, n, done, drawn,
 * begun and keys from it, in the current context.
 */
bool
gs_fill_find(GsFill *fill, bool any_seed, bool any_n)
{
	Datum		values[FILL_ARGS];
	char		nulls[FILL_ARGS];
	MemoryContext context = CurrentMemoryContext;
	GsAccess	access;
	bool		found;

	fill_args(fill, values, nulls);
	if (any_seed)
		nulls[6] = 'n';
	if (any_n)
		nulls[4] = 'n';
	gs_enter(&access);
	found = gs_run("SELECT id, seed, version, done, drawn, keys, n"
				   " FROM gensynth.fills"
				   " WHERE target " GS_EQ " $1 AND role " GS_EQ " $2"
				   " AND model_id " GS_EQ " $9 AND start " GS_EQ " $4"
				   " AND ($5 IS NULL OR n " GS_EQ " $5)"
				   " AND (given " GS_EQ " $6 OR given IS NULL AND $6 IS NULL)"
				   " AND ($7 IS NULL OR seed " GS_EQ " $7) AND NOT finished"
				   " ORDER BY updated_at DESC LIMIT 1",
				   FILL_ARGS, fill_types, values, nulls, false) > 0;
	if (found)
	{
		Datum		keys;
		bool		isnull;

		fill->id = *DatumGetUUIDP(gs_result(0, 1, NULL));
		fill->seed = DatumGetInt64(gs_result(0, 2, NULL));
		fill->version = DatumGetInt32(gs_result(0, 3, NULL));
		fill->done = DatumGetInt64(gs_result(0, 4, NULL));
		fill->drawn = DatumGetInt64(gs_result(0, 5, NULL));
		fill->begun = true;
		keys = gs_result(0, 6, &isnull);
		if (!isnull)
			read_keys(fill, keys, context);
		fill->n = DatumGetInt64(gs_result(0, 7, NULL));
	}
	gs_leave(&access);
	return found;
}

static void
report_dropped(const GsFill *fill)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" was dropped while %s was filled",
					fill->model, fill->target),
			 errhint("The batches before that stay in the table.")));
}

static Datum
keys_array(const GsFill *fill)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(fill->nkeys, 1));

	for (int i = 0; i < fill->nkeys; i++)
		elements[i] = Int64GetDatum(fill->keys[i]);
	return PointerGetDatum(construct_array(elements, fill->nkeys, INT8OID,
										   sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

/*
 * Makes the row of a new fill, and keeps its model from being dropped.  The
 * role's finished fills of the target have been kept until now.
 */
static void
insert_fill(GsFill *fill, int64 rows, int64 drawn)
{
	Datum		values[FILL_ARGS + 3];
	char		nulls[FILL_ARGS + 3];
	Oid			types[FILL_ARGS + 3];

	fill_args(fill, values, nulls);
	memcpy(types, fill_types, sizeof(fill_types));
	types[FILL_ARGS] = types[FILL_ARGS + 1] = INT8OID;
	values[FILL_ARGS] = Int64GetDatum(rows);
	values[FILL_ARGS + 1] = Int64GetDatum(drawn);
	nulls[FILL_ARGS] = nulls[FILL_ARGS + 1] = nulls[FILL_ARGS + 2] = ' ';
	types[FILL_ARGS + 2] = INT8ARRAYOID;
	values[FILL_ARGS + 2] = keys_array(fill);
	if (fill->nkeys == 0)
		nulls[FILL_ARGS + 2] = 'n';
	gs_run("DELETE FROM gensynth.fills WHERE id " GS_EQ " ANY (ARRAY(SELECT id"
		   " FROM gensynth.fills WHERE target " GS_EQ " $1"
		   " AND role " GS_EQ " $2 AND finished FOR UPDATE SKIP LOCKED))", 2,
		   types, values, NULL, false);
	if (gs_run("INSERT INTO gensynth.fills (target, role, model, start, n,"
			   " given, seed, version, model_id, done, drawn, keys, finished)"
			   " SELECT $1, $2, $3, $4, $5, $6, $7, $8, m.id, $10, $11, $12,"
			   " $10 " GS_EQ " $5 FROM gensynth.models m"
			   " WHERE m.id " GS_EQ " $9 FOR KEY SHARE RETURNING id",
			   FILL_ARGS + 3, types, values, nulls, false) == 0)
		report_dropped(fill);
	fill->id = *DatumGetUUIDP(gs_result(0, 1, NULL));
	fill->begun = true;
}

static bool
update_fill(const GsFill *fill, int64 rows, int64 drawn)
{
	Oid			types[] = {UUIDOID, INT8OID, INT8OID, INT8OID};
	Datum		values[4];

	values[0] = UUIDPGetDatum(&fill->id);
	values[1] = Int64GetDatum(fill->done);
	values[2] = Int64GetDatum(rows);
	values[3] = Int64GetDatum(drawn);
	return gs_run("UPDATE gensynth.fills SET done = done " GS_PLUS " $3,"
				  " drawn = drawn " GS_PLUS " $4,"
				  " updated_at = pg_catalog.clock_timestamp(),"
				  " finished = ((done " GS_PLUS " $3) " GS_EQ " n)"
				  " WHERE id " GS_EQ " $1 AND done " GS_EQ " $2", 4, types,
				  values, NULL, false) > 0;
}

/*
 * gs_fill_advance: counts rows that have been put into the target, and those
 * that were made for them; the first ones begin the fill.  False if the fill is
 * not where it was: another session has gone on with it, or it was forgotten.
 */
bool
gs_fill_advance(GsFill *fill, int64 rows, int64 drawn)
{
	GsAccess	access;
	bool		counted = true;

	gs_enter(&access);
	if (fill->begun)
		counted = update_fill(fill, rows, drawn);
	else
		insert_fill(fill, rows, drawn);
	gs_leave(&access);
	if (counted)
	{
		fill->done += rows;
		fill->drawn += drawn;
	}
	return counted;
}

/*
 * gs_fill_before: the last row, counted from 1, of finished fills of the same
 * target, role, model, version, seed and given values that have rows in common
 * with this one; 0 if there is none.
 */
int64
gs_fill_before(const GsFill *fill)
{
	Datum		values[FILL_ARGS];
	char		nulls[FILL_ARGS];
	GsAccess	access;
	int64		last;

	fill_args(fill, values, nulls);
	gs_enter(&access);
	gs_run("SELECT COALESCE(pg_catalog.max(f.start " GS_PLUS " f.drawn "
		   GS_OP("-") " 1), 0) FROM gensynth.fills f"
		   " WHERE target " GS_EQ " $1 AND role " GS_EQ " $2"
		   " AND model_id " GS_EQ " $9 AND version " GS_EQ " $8"
		   " AND seed " GS_EQ " $7 AND f.start " GS_OP("<") " ($4 " GS_PLUS " $5)"
		   " AND (f.start " GS_PLUS " f.drawn) " GS_OP(">") " $4"
		   " AND (given " GS_EQ " $6 OR given IS NULL AND $6 IS NULL)"
		   " AND finished", FILL_ARGS, fill_types, values, nulls, false);
	last = DatumGetInt64(gs_result(0, 1, NULL));
	gs_leave(&access);
	return last;
}

/*
 * gs_fill_forget: takes the row of a fill that was found away.
 */
void
gs_fill_forget(const GsFill *fill)
{
	Oid			type = UUIDOID;
	Datum		value = UUIDPGetDatum(&fill->id);
	GsAccess	access;

	gs_enter(&access);
	gs_run("DELETE FROM gensynth.fills WHERE id " GS_EQ " $1", 1, &type, &value,
		   NULL, false);
	gs_leave(&access);
}

/*
 * gs_fill_current_version: the current version of the fill's model as of now,
 * not as of the statement's start; there: set to whether the version that the
 * fill began with still is.  Errors: undefined_object if the model is gone,
 * even if there is another one of that name.
 */
int
gs_fill_current_version(const GsFill *fill, bool *there)
{
	Oid			types[] = {UUIDOID, INT4OID};
	Datum		values[] = {UUIDPGetDatum(&fill->model_id),
	Int32GetDatum(fill->version)};
	GsAccess	access;
	int			version;

	gs_enter(&access);
	if (gs_run("SELECT m.current, EXISTS (SELECT FROM gensynth.versions v"
			   " WHERE v.model " GS_EQ " m.name AND v.version " GS_EQ " $2)"
			   " FROM gensynth.models m WHERE m.id " GS_EQ " $1", 2, types,
			   values, NULL, false) == 0)
		report_dropped(fill);
	version = DatumGetInt32(gs_result(0, 1, NULL));
	*there = DatumGetBool(gs_result(0, 2, NULL));
	gs_leave(&access);
	return version;
}
