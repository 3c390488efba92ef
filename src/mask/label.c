/*
 * label.c
 *	  Labels of columns: the provider of security labels, and synth_label.
 *
 * Labels are PostgreSQL's own, so that they are dropped, dumped and restored
 * with their columns.  Whoever sets one owns the relation: SECURITY LABEL
 * looks to that itself.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "commands/seclabel.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "mask/grant.h"
#include "mask/label.h"

static void
check_fits(const GsRule *rule, Form_pg_attribute column)
{
	const char *reason;

	if (!gs_rule_fits(rule, column->atttypid, column->atttypmod, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot be masked by rule \"%s\"",
						NameStr(column->attname),
						format_type_with_typemod(column->atttypid,
												 column->atttypmod),
						rule->text),
				 reason != NULL ? errhint("%s", reason) : 0));
}

/* An error unless a rule can be the label of a column. */
static void
check_column(Oid relid, AttrNumber attnum, const GsRule *rule)
{
	HeapTuple	tuple;
	Form_pg_attribute column;

	if (get_rel_relispartition(relid))
	{
		List	   *ancestors = get_partition_ancestors(relid);

		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a partition", get_rel_name(relid)),
				 errhint("Partitions have the labels of their root: label \"%s\".",
						 get_rel_name(llast_oid(ancestors)))));
	}
	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid),
							Int16GetDatum(attnum));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for column %d of relation %u",
			 attnum, relid);
	column = (Form_pg_attribute) GETSTRUCT(tuple);
	if (attnum < 0)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a system column", NameStr(column->attname)),
				 errhint("Label a column of the table's own.")));
	if (column->attgenerated != '\0' && rule->action != GS_RULE_KEEP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("column \"%s\" is a generated column",
						NameStr(column->attname)),
				 errhint("Label the columns that it is computed from.")));
	check_fits(rule, column);
	ReleaseSysCache(tuple);
}

/* The provider's hook: an error unless a label is a rule that fits. */
static void
check_label(const ObjectAddress *object, const char *label)
{
	/* sessions that keep what a table's labels say look again */
	if (object->classId == RelationRelationId)
		CacheInvalidateRelcacheByRelid(object->objectId);
	if (label == NULL)
		return;
	if (object->classId == RelationRelationId && object->objectSubId == 0 &&
		gs_mask_readers_of(label) != NIL)
	{
		gs_mask_check_readers(object->objectId);
		return;
	}
	if (object->classId != RelationRelationId || object->objectSubId == 0)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("labels of gensynth are for columns"),
				 errhint("Write SECURITY LABEL FOR gensynth ON COLUMN ..., or call synth_label; synth_mask_grant labels a table with its readers.")));
	check_column(object->objectId, (AttrNumber) object->objectSubId,
				 gs_rule_parse(label));
}

/*
 * gs_label_init: makes the provider known; once in a session.
 */
void
gs_label_init(void)
{
	register_label_provider(GS_LABEL_PROVIDER, check_label);
}

/*
 * gs_label_of: the rule that a column is labelled with, or NULL.
 *
 * A partition's column has the label of its root's.  Errors: those of
 * gs_rule_parse, for a label that was written into the catalog by hand.
 */
GsRule *
gs_label_of(Oid relid, AttrNumber column)
{
	ObjectAddress object;
	char	   *label;

	if (get_rel_relispartition(relid))
	{
		char	   *name = get_attname(relid, column, false);

		relid = llast_oid(get_partition_ancestors(relid));
		column = get_attnum(relid, name);
	}
	ObjectAddressSubSet(object, RelationRelationId, relid, column);
	label = GetSecurityLabel(&object, GS_LABEL_PROVIDER);
	return label != NULL ? gs_rule_parse(label) : NULL;
}

/*
 * synth_label(relation regclass, column name, rule text): labels a column of
 * a table of one's own; NULL takes the label away.
 */
GS_FUNCTION(synth_label);

Datum
synth_label(PG_FUNCTION_ARGS)
{
	Oid			relid;
	char	   *name;
	Relation	relation;
	char		relkind;
	ObjectAddress object;
	char	   *label = NULL;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null",
						PG_ARGISNULL(0) ? "relation" : "column"),
				 errhint("Pass a table and one of its columns.")));
	relid = PG_GETARG_OID(0);
	name = NameStr(*PG_GETARG_NAME(1));
	/* as SECURITY LABEL does */
	relation = relation_open(relid, ShareUpdateExclusiveLock);
	relkind = relation->rd_rel->relkind;
	if (!gs_class_ownercheck(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(relkind),
					   RelationGetRelationName(relation));
	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE &&
		relkind != RELKIND_VIEW && relkind != RELKIND_MATVIEW &&
		relkind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or view",
						RelationGetRelationName(relation)),
				 errhint("Columns of tables, foreign tables and views can be labelled.")));
	ObjectAddressSubSet(object, RelationRelationId, relid,
						get_attnum(relid, name));
	if (object.objectSubId == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, RelationGetRelationName(relation)),
				 errhint("Name a column of the relation.")));
	if (!PG_ARGISNULL(2))
		label = text_to_cstring(PG_GETARG_TEXT_PP(2));
	check_label(&object, label);
	SetSecurityLabel(&object, GS_LABEL_PROVIDER, label);
	relation_close(relation, NoLock);
	PG_RETURN_VOID();
}
