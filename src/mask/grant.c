/*
 * grant.c
 *	  Who may read a table through its policy: synth_mask_grant and
 *	  synth_mask_revoke.
 *
 * The readers are a label of the table ("readers: dev, \"Test team\""), as the
 * rules are labels of its columns: so grants go with the table, whatever it is
 * renamed to, and are dumped and restored.  Only its owner can write one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "commands/seclabel.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "catalog/strange.h"
#include "compat.h"
#include "mask/find_pii.h"
#include "mask/grant.h"
#include "mask/label.h"
#include "mask/mask_plan.h"
#include "mask/secret.h"

#define READERS	"readers: "

/*
 * gs_mask_readers_of: the roles that a table's label names, C strings; NIL if
 * it is no label of that kind.
 */
List *
gs_mask_readers_of(const char *label)
{
	List	   *roles;

	if (label == NULL || strncmp(label, READERS, strlen(READERS)) != 0 ||
		!SplitIdentifierString(pstrdup(label + strlen(READERS)), ',', &roles))
		return NIL;
	return roles;
}

/*
 * gs_mask_check_readers: an error unless a relation can have readers.
 *
 * Errors: 42809.
 */
void
gs_mask_check_readers(Oid relid)
{
	char		kind = get_rel_relkind(relid);

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE &&
		kind != RELKIND_VIEW && kind != RELKIND_MATVIEW &&
		kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or view", get_rel_name(relid)),
				 errhint("Tables, foreign tables and views can be read through a policy.")));
	if (get_rel_relispartition(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a partition", get_rel_name(relid)),
				 errhint("Partitions have the readers of their root: \"%s\".",
						 get_rel_name(gs_mask_root(relid)))));
}

static char *
read_label(Oid relid)
{
	ObjectAddress object;

	ObjectAddressSet(object, RelationRelationId, relid);
	return GetSecurityLabel(&object, GS_LABEL_PROVIDER);
}

/*
 * gs_mask_may_read: whether the current role may read a table, or a partition
 * of it, through its policy: its owner, and those that the owner says.
 */
bool
gs_mask_may_read(Oid relid)
{
	ListCell   *cell;

	relid = gs_mask_root(relid);
	if (has_privs_of_role(GetUserId(), gs_owner_of(relid)))
		return true;
	foreach(cell, gs_mask_readers_of(read_label(relid)))
	{
		Oid			role = get_role_oid(lfirst(cell), true);

		if (OidIsValid(role) && has_privs_of_role(GetUserId(), role))
			return true;
	}
	return false;
}

/*
 * gs_mask_check_grant: an error (42501) unless it may.
 */
void
gs_mask_check_grant(Oid relid)
{
	if (gs_mask_may_read(relid))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for masked rows of \"%s\"",
					get_rel_name(relid)),
			 errhint("Its owner grants them: SELECT synth_mask_grant('%s', '%s'). Whoever may read the table can name columns.",
					 gs_mask_table_name(gs_mask_root(relid)),
					 GetUserNameFromId(GetUserId(), false))));
}

/* Tells the owner what readers would be told. */
static void
warn_of_personal(Oid relid)
{
	ListCell   *cell;

	foreach(cell, gs_find_pii(relid))
	{
		const GsPiiFinding *finding = lfirst(cell);

		if (finding->verdict.level != GS_PII_SURE ||
			gs_label_of(relid, get_attnum(relid, finding->column)) != NULL)
			continue;
		ereport(WARNING,
				(errmsg("column \"%s\" of \"%s\" is surely personal (%s), and has no label",
						finding->column, get_rel_name(relid),
						finding->verdict.kind->name),
				 errhint("Until synth_label gives it a rule, such as 'keep', masked rows cannot be read.")));
	}
}

static void
write_readers(Oid relid, const List *roles)
{
	StringInfoData label;
	ObjectAddress object;
	ListCell   *cell;

	initStringInfo(&label);
	foreach(cell, roles)
		appendStringInfo(&label, "%s%s", label.len > 0 ? ", " : READERS,
						 quote_identifier(lfirst(cell)));
	ObjectAddressSet(object, RelationRelationId, relid);
	SetSecurityLabel(&object, GS_LABEL_PROVIDER,
					 label.len > 0 ? label.data : NULL);
	CacheInvalidateRelcacheByRelid(relid);
}

/* The owner's key, without which nothing can be read. */
static void
make_key(Oid relid)
{
	GsPseudonymKey key;

	/* a member of the owner's role acts for it, but keys are roles' own */
	if (GetUserId() != gs_owner_of(relid) ||
		gs_secret_find(GS_DEFAULT_KEY, &key))
		return;
	gs_secret_make(GS_DEFAULT_KEY, &key);
	ereport(NOTICE,
			(errmsg("key \"default\" was made"),
			 errhint("synth_keys shows it; with it, pseudonyms can be taken back.")));
}

/* What both functions do. */
static void
change_readers(FunctionCallInfo fcinfo, bool grant)
{
	Relation	relation;
	Oid			relid;
	char	   *role;
	List	   *roles;
	List	   *changed = NIL;
	bool		found = false;
	ListCell   *cell;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null",
						PG_ARGISNULL(0) ? "relation" : "role"),
				 errhint("Pass a table and a role.")));
	relid = PG_GETARG_OID(0);
	role = GetUserNameFromId(PG_GETARG_OID(1), false);
	relation = relation_open(relid, ShareUpdateExclusiveLock);
	if (!gs_class_ownercheck(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(relation->rd_rel->relkind),
					   RelationGetRelationName(relation));
	gs_mask_check_readers(relid);
	roles = gs_mask_readers_of(read_label(relid));
	foreach(cell, roles)
	{
		if (strcmp(lfirst(cell), role) == 0)
			found = true;
		/* who takes the name of a role that is gone gets nothing by it */
		else if (OidIsValid(get_role_oid(lfirst(cell), true)))
			changed = lappend(changed, lfirst(cell));
	}
	if (!grant && !found)
		ereport(NOTICE,
				(errmsg("role \"%s\" may not read masked rows of \"%s\" anyway",
						role, RelationGetRelationName(relation))));
	if (grant)
		changed = lappend(changed, role);
	write_readers(relid, changed);
	if (grant)
	{
		make_key(relid);
		warn_of_personal(relid);
	}
	relation_close(relation, NoLock);
}

/*
 * synth_mask_grant(relation regclass, role regrole): lets a role read a table
 * of one's own through its policy, with synth_masked(NULL::relation).
 */
GS_FUNCTION(synth_mask_grant);

Datum
synth_mask_grant(PG_FUNCTION_ARGS)
{
	change_readers(fcinfo, true);
	PG_RETURN_VOID();
}

/*
 * synth_mask_revoke(relation regclass, role regrole): takes it back.
 */
GS_FUNCTION(synth_mask_revoke);

Datum
synth_mask_revoke(PG_FUNCTION_ARGS)
{
	change_readers(fcinfo, false);
	PG_RETURN_VOID();
}
