/*
 * strange.c
 *	  Code of others that would run as the caller: functions that a table's
 *	  owner has put into its indexes, policies, conditions, defaults.
 *
 * Whoever names a table to read or to copy it relies on its owner, as with any
 * SELECT.  Tables that nobody has named are read so that they need not: as
 * their owner, if the caller has his rights, or if there is no such function.
 * The planner computes what is constant in the expressions of indexes and
 * statistics, so to count a table's rows is enough for them to run.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "optimizer/plancat.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "catalog/strange.h"
#include "compat.h"

/*
 * $1 a table: a function that what depends on it calls, and whose owner is
 * neither the caller nor a superuser.  $2 attgenerated of the columns whose
 * defaults count; $3 classes of objects that do not.
 */
static const char strange_query[] =
"WITH RECURSIVE d AS ("
"SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS classid,"
" $1::pg_catalog.oid AS objid"
" UNION ALL SELECT p.classid, p.objid FROM pg_catalog.pg_depend p"
" WHERE p.refclassid " GS_EQ " 'pg_catalog.pg_class'::pg_catalog.regclass"
" AND p.refobjid " GS_EQ " $1 AND p.classid " GS_NE " ALL"
" ($3::pg_catalog.regclass[]::pg_catalog.oid[]) AND NOT EXISTS (SELECT"
" FROM pg_catalog.pg_attrdef f JOIN pg_catalog.pg_attribute a"
" ON a.attrelid " GS_EQ " f.adrelid AND a.attnum " GS_EQ " f.adnum"
" WHERE p.classid " GS_EQ " 'pg_catalog.pg_attrdef'::pg_catalog.regclass"
" AND f.oid " GS_EQ " p.objid AND a.attgenerated " GS_NE " ALL"
" ($2::pg_catalog.\"char\"[]))"
" UNION SELECT n.classid, n.objid FROM d, LATERAL ("
"SELECT p.refclassid AS classid, p.refobjid AS objid"
" FROM pg_catalog.pg_depend p WHERE p.classid " GS_EQ " d.classid"
" AND p.objid " GS_EQ " d.objid UNION ALL"
" SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, c.oid"
" FROM pg_catalog.pg_constraint c"
" WHERE d.classid " GS_EQ " 'pg_catalog.pg_type'::pg_catalog.regclass"
" AND c.contypid " GS_EQ " d.objid) n"
" WHERE n.classid " GS_NE " ALL ($3::pg_catalog.regclass[]::pg_catalog.oid[])"
" AND n.classid " GS_NE " 'pg_catalog.pg_class'::pg_catalog.regclass"
" AND d.classid " GS_NE " 'pg_catalog.pg_proc'::pg_catalog.regclass)"
" SELECT p.oid::pg_catalog.regprocedure::pg_catalog.text,"
" r.rolname::pg_catalog.text FROM d"
" JOIN pg_catalog.pg_proc p ON p.oid " GS_EQ " d.objid"
" JOIN pg_catalog.pg_roles r ON r.oid " GS_EQ " p.proowner"
" WHERE d.classid " GS_EQ " 'pg_catalog.pg_proc'::pg_catalog.regclass"
" AND NOT r.rolsuper AND r.rolname " GS_NE " CURRENT_USER ORDER BY 1 LIMIT 1";

/* What is in no copy, and does not run while a table is read. */
#define NEVER	"pg_catalog.pg_trigger,pg_catalog.pg_rewrite"

/*
 * gs_owner_of: the owner of a relation.  Errors: 42P01 if it is gone.
 */
Oid
gs_owner_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid),
				 errhint("It may have been dropped a moment ago.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

static bool
find_function(Oid relid, const char *generated, const char *classes,
			  GsStrange *found)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {OIDOID, TEXTOID, TEXTOID};
	Datum		values[3];
	bool		any;

	values[0] = ObjectIdGetDatum(relid);
	values[1] = CStringGetTextDatum(generated);
	values[2] = CStringGetTextDatum(classes);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	any = gs_run(strange_query, 3, types, values, NULL, true) > 0;
	if (any)
	{
		found->function = gs_result_text(0, 1, context);
		found->role = gs_result_text(0, 2, context);
	}
	SPI_finish();
	MemoryContextSwitchTo(context);
	return any;
}

/* Of all that is read with a table: its partitions, what inherits from it. */
static bool
find_reading(Oid relid, GsStrange *found)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relid, NoLock, NULL))
	{
		/* policies are those of what is named, conditions those of parts */
		bool		part = lfirst_oid(cell) != relid;
		bool		policies = !part &&
			check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED;
		bool		conditions = part ||
			constraint_exclusion == CONSTRAINT_EXCLUSION_ON;

		if (find_function(lfirst_oid(cell), "{v}",
						  psprintf("{pg_catalog.pg_type,%s%s%s}", NEVER,
								   policies ? "" : ",pg_catalog.pg_policy",
								   conditions ? "" : ",pg_catalog.pg_constraint"),
						  found))
			return true;
	}
	return false;
}

/*
 * gs_strange_code: whether functions of others, who are no superusers, would
 * run as the caller; found, in the current context: the first one.
 *
 * Locks the table if it is copied, so that none is added from here on.  What
 * runs for one's own table does so anyway.
 */
bool
gs_strange_code(Oid relid, GsStrangeUse use, GsStrange *found)
{
	if (use != GS_STRANGE_READ)
		LockRelationOid(relid, ShareUpdateExclusiveLock);
	if (gs_owner_of(relid) == GetUserId())
		return false;
	if (use == GS_STRANGE_READ)
		return find_reading(relid, found);
	return find_function(relid, use == GS_STRANGE_FILL ? "{\"\",s,v}" : "{s,v}",
						 "{pg_catalog.pg_policy," NEVER "}", found);
}

/*
 * gs_may_read_as_owner: whether the caller has the rights of a table's owner,
 * and the owner sees all that the caller does.
 */
bool
gs_may_read_as_owner(Oid relid)
{
	Oid			owner = gs_owner_of(relid);
	char		kind = get_rel_relkind(relid);

	/* rights to what views and foreign tables show are others */
	return (kind == RELKIND_PARTITIONED_TABLE || RELKIND_HAS_TABLE_AM(kind)) &&
		has_privs_of_role(GetUserId(), owner) &&
		gs_namespace_aclcheck(get_rel_namespace(relid), owner, ACL_USAGE) ==
		ACLCHECK_OK &&
		pg_class_aclcheck(relid, owner, ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, owner, true) != RLS_ENABLED;
}

/*
 * gs_begin_reading: makes ready to read a relation that the caller has not
 * named, by a query of ours; gs_become_caller ends it.
 *
 * as_owner: nothing of others than its owner is in the query.  Errors: 42501
 * where functions of others would run as the caller.
 */
void
gs_begin_reading(GsAccess *access, Oid relid, bool as_owner)
{
	GsStrange	found;

	if (as_owner && gs_may_read_as_owner(relid))
	{
		gs_become(access, gs_owner_of(relid), SECURITY_RESTRICTED_OPERATION);
		return;
	}
	if (gs_strange_code(relid, GS_STRANGE_READ, &found))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("function %s of role \"%s\" would run as you when table \"%s\" is read",
						found.function, found.role, get_rel_name(relid)),
				 errhint("SET ROLE to the table's owner, or do without what calls the function: a policy, or an expression of an index or of statistics.")));
	gs_become(access, GetUserId(), 0);
}

/*
 * gs_as_text: SQL for the text of an expression, which may be NULL: what its
 * type's output function says, and not a cast of whoever made the type.
 */
char *
gs_as_text(const char *expression, Oid type)
{
	if (getBaseType(type) < FirstUnpinnedObjectId)
		return psprintf("%s::pg_catalog.text", expression);
	return psprintf("CASE WHEN pg_catalog.num_nulls(%s) " GS_EQ
					" 0 THEN pg_catalog.concat(%s) END", expression,
					expression);
}
