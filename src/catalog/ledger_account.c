/*
 * ledger_account.c
 *	  Which tables share an account of the privacy ledger.
 *
 * A table's account is that of all tables which it shares rows with: its
 * partitions and children, and those that it is one of.  To it belongs what
 * was written for one of their OIDs, or their names: so a table that was made
 * anew under an old name, or restored, goes on with what the old one has
 * spent.  After a rename the name is brought up to date by the next fit, and
 * by a dump.
 */
#include "postgres.h"

#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "catalog/access.h"
#include "catalog/ledger_account.h"
#include "table/source.h"

/*
 * Tables that are linked by inheritance, in either direction.  To be called
 * after gs_enter().
 */
static uint64
run_tree(Oid relid)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(relid);

	return gs_run("WITH RECURSIVE tree AS (SELECT $1 AS relid UNION"
				  " SELECT e.relid FROM tree t CROSS JOIN LATERAL ("
				  "SELECT i.inhrelid FROM pg_catalog.pg_inherits i"
				  " WHERE i.inhparent " GS_EQ " t.relid UNION ALL"
				  " SELECT i.inhparent FROM pg_catalog.pg_inherits i"
				  " WHERE i.inhrelid " GS_EQ " t.relid) AS e(relid))"
				  " SELECT relid FROM tree", 1, &type, &value, NULL, true);
}

/*
 * gs_ledger_account_find: a table's account, as of now, in the current context.
 */
void
gs_ledger_account_find(Oid relid, GsLedgerAccount *account)
{
	MemoryContext context = CurrentMemoryContext;
	ArrayBuildState *oids = initArrayResult(OIDOID, context, false);
	ArrayBuildState *names = initArrayResult(TEXTOID, context, false);
	List	   *ancestors = get_rel_relispartition(relid) ?
		get_partition_ancestors(relid) : NIL;
	GsAccess	access;
	uint64		n;

	account->relid = ancestors == NIL ? relid : llast_oid(ancestors);
	account->name = gs_relation_name(account->relid, NULL);
	gs_enter(&access);
	PushActiveSnapshot(GetLatestSnapshot());
	n = run_tree(account->relid);
	for (uint64 i = 0; i < n; i++)
	{
		Datum		oid = gs_result(i, 1, NULL);
		char	   *name = gs_relation_name(DatumGetObjectId(oid), NULL);

		accumArrayResult(oids, oid, false, OIDOID, context);
		accumArrayResult(names, CStringGetTextDatum(name), false, TEXTOID,
						 context);
	}
	PopActiveSnapshot();
	gs_leave(&access);
	account->oids = makeArrayResult(oids, context);
	account->names = makeArrayResult(names, context);
}
