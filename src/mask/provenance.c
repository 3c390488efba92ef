/*
 * provenance.c
 *	  gensynth.provenance: which tables were masked, when, by whom, and how.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

#include "catalog/access.h"
#include "mask/mask.h"

/*
 * gs_mask_rules_json: {"column": "rule", ...} of a table.
 */
char *
gs_mask_rules_json(const GsMaskTable *table)
{
	StringInfoData json;
	ListCell   *cell;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	foreach(cell, table->columns)
	{
		const GsMaskColumn *column = lfirst(cell);

		if (json.len > 1)
			appendStringInfoString(&json, ", ");
		escape_json(&json, column->name);
		appendStringInfoString(&json, ": ");
		escape_json(&json, column->rule->text);
	}
	appendStringInfoChar(&json, '}');
	return json.data;
}

/*
 * gs_provenance_add: notes that a table was masked.
 *
 * key: its name.  rows: how many were written.
 */
void
gs_provenance_add(const GsMaskTable *table, const char *mode, const char *key,
				  int64 rows)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID,
	INT8OID, OIDOID};
	Datum		values[7];
	GsAccess	access;

	values[0] = CStringGetTextDatum(table->name);
	values[1] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	values[2] = CStringGetTextDatum(mode);
	values[3] = DirectFunctionCall1(jsonb_in,
									CStringGetDatum(gs_mask_rules_json(table)));
	values[4] = CStringGetTextDatum(key);
	values[5] = Int64GetDatum(rows);
	values[6] = ObjectIdGetDatum(table->relid);
	gs_enter(&access);
	gs_run("INSERT INTO gensynth.provenance"
		   " (relation, masked_by, mode, rules, key, rows, relid)"
		   " VALUES ($1, $2, $3, $4, $5, $6, $7)", 7, types, values, NULL,
		   false);
	gs_leave(&access);
}

/*
 * gs_provenance_knows: whether this very table was masked by the same rules
 * and a key of that name.
 */
bool
gs_provenance_knows(const GsMaskTable *table, const char *key)
{
	Oid			types[] = {OIDOID, TEXTOID, JSONBOID, TEXTOID};
	Datum		values[4];
	GsAccess	access;
	uint64		n;

	values[0] = ObjectIdGetDatum(table->relid);
	values[1] = CStringGetTextDatum(table->name);
	values[2] = DirectFunctionCall1(jsonb_in,
									CStringGetDatum(gs_mask_rules_json(table)));
	values[3] = CStringGetTextDatum(key);
	gs_enter(&access);
	n = gs_run("SELECT FROM gensynth.provenance WHERE relid " GS_EQ " $1"
			   " AND relation " GS_EQ " $2 AND rules " GS_EQ " $3"
			   " AND key " GS_EQ " $4 LIMIT 1", 4, types, values, NULL, true);
	gs_leave(&access);
	return n > 0;
}
