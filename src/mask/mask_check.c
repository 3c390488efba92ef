/*
 * mask_check.c
 *	  What is against masking a table, told before a row is written: rights,
 *	  types, unique values, partitions.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_publication.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "catalog/strange.h"
#include "compat.h"
#include "mask/mask_plan.h"

static bool
is_among(const Bitmapset *columns, AttrNumber column)
{
	return bms_is_member(column - FirstLowInvalidHeapAttributeNumber, columns);
}

/*
 * Columns of an index: its keys, and those in expressions.  These are taken
 * as they are stored: the relation's cache would simplify them, and so call
 * functions of whoever owns the table as the caller.
 */
static Bitmapset *
index_columns(Relation index, Bitmapset **keys)
{
	Form_pg_index form = index->rd_index;
	Bitmapset  *columns = NULL;
	bool		isnull;
	Datum		expressions = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
											  Anum_pg_index_indexprs, &isnull);

	*keys = NULL;
	for (int k = 0; k < form->indnkeyatts; k++)
		if (form->indkey.values[k] != 0)
			*keys = bms_add_member(*keys, form->indkey.values[k] -
								   FirstLowInvalidHeapAttributeNumber);
	if (!isnull)
		pull_varattnos(stringToNode(TextDatumGetCString(expressions)), 1,
					   &columns);
	return bms_add_members(columns, *keys);
}

/*
 * Whether a rule keeps the values of a column distinct that an index says are:
 * whatever they are beside.
 */
static bool
keeps_distinct(const GsRule *rule, Relation index, bool alone)
{
	Form_pg_index form = index->rd_index;

	switch (rule->action)
	{
		case GS_RULE_KEEP:
		case GS_RULE_PSEUDONYM:
			return true;
		case GS_RULE_KIND:
			return rule->kind->unique;
		case GS_RULE_SHUFFLE:
			return alone && heap_attisnull(index->rd_indextuple,
										   Anum_pg_index_indpred, NULL);
		case GS_RULE_NULL:
			return !form->indisprimary && !form->indnullsnotdistinct;
		default:
			return false;
	}
}

/* What one unique index asks of a column. */
static bool
settle_column(GsMaskPlan *plan, GsMaskTable *table, GsMaskColumn *column,
			  Relation relation, Relation index, bool complain)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(relation), column->name);
	Form_pg_attribute attribute;
	Bitmapset  *keys;
	Bitmapset  *columns = index_columns(index, &keys);
	bool		alone = index->rd_index->indnkeyatts == 1 &&
		is_among(keys, attnum);

	if (attnum <= 0 || !is_among(columns, attnum))
		return false;
	column->unique = true;
	if (keeps_distinct(column->rule, index, alone))
		return false;
	attribute = TupleDescAttr(RelationGetDescr(relation), attnum - 1);
	if (!column->asked &&
		gs_is_pseudonym_type(attribute->atttypid, attribute->atttypmod))
	{
		column->rule = gs_rule_parse("pseudonym");
		column->origin = "it is unique";
		plan->notes = lappend(plan->notes,
							  psprintf("column \"%s\" of table %s is masked by rule \"pseudonym\": it is unique",
									   column->name, table->name));
		return true;
	}
	if (complain)
	{
		column->problems = lappend(column->problems,
								   psprintf("unique in index \"%s\"",
											RelationGetRelationName(index)));
		gs_mask_problem(plan, ERRCODE_INVALID_PARAMETER_VALUE,
						"Rule \"pseudonym\" keeps values distinct.",
						"values of column \"%s\" of table %s are unique in index \"%s\", and rule \"%s\" makes equal ones",
						column->name, table->name,
						RelationGetRelationName(index), column->rule->text);
	}
	return false;
}

/*
 * gs_mask_settle_unique: looks at what unique indexes ask of a table's
 * columns.
 *
 * Columns whose rule nobody asked for get pseudonyms where they have to be
 * distinct: returns whether any did.  complain: the others are problems.
 */
bool
gs_mask_settle_unique(GsMaskPlan *plan, GsMaskTable *table, bool complain)
{
	List	   *relids = lcons_oid(table->relid, list_copy(table->leaves));
	bool		changed = false;
	ListCell   *cell;
	ListCell   *index_cell;
	ListCell   *column;

	foreach(cell, relids)
	{
		Relation	relation = relation_open(lfirst_oid(cell), AccessShareLock);

		foreach(index_cell, RelationGetIndexList(relation))
		{
			Relation	index = index_open(lfirst_oid(index_cell),
										   AccessShareLock);

			if (index->rd_index->indisunique)
				foreach(column, table->columns)
					changed |= settle_column(plan, table, lfirst(column),
											 relation, index, complain);
			index_close(index, AccessShareLock);
		}
		relation_close(relation, AccessShareLock);
	}
	return changed;
}

static bool
is_published(Relation relation)
{
	Oid			relid = RelationGetRelid(relation);

	if (!is_publishable_relation(relation))
		return false;
	return gs_relation_publications(relid) != NIL ||
		GetSchemaPublications(RelationGetNamespace(relation)) != NIL ||
		gs_all_publications(relid) != NIL;
}

/* What is against writing a relation anew: it, or a partition of it. */
static void
check_relation(GsMaskPlan *plan, const GsMaskRequest *request,
			   const GsMaskTable *table, Oid relid)
{
	Relation	relation = relation_open(relid, AccessShareLock);
	char		kind = relation->rd_rel->relkind;
	GsStrange	strange;
	const char *name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												  RelationGetRelationName(relation));

	if (request->copying &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		gs_mask_problem(plan, ERRCODE_INSUFFICIENT_PRIVILEGE,
						"All tables that keys tie to what is masked are copied.",
						"permission denied for table %s", name);
	if (request->copying && !list_member_oid(request->relids, relid) &&
		gs_strange_code(relid, GS_STRANGE_READ, &strange))
		gs_mask_problem(plan, ERRCODE_INSUFFICIENT_PRIVILEGE,
						"Keys tie it to what is masked: keep the columns of the keys, or SET ROLE to the table's owner.",
						"function %s of role \"%s\" would run as you when table %s is read",
						strange.function, strange.role, name);
	if (!request->copying && !gs_class_ownercheck(relid, GetUserId()))
		gs_mask_problem(plan, ERRCODE_INSUFFICIENT_PRIVILEGE,
						"Whoever owns all of the tables can mask them.",
						"must be owner of table %s", name);
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		gs_mask_problem(plan, ERRCODE_WRONG_OBJECT_TYPE,
						"Rows of foreign tables are masked where they are.",
						"%s is not a table with rows of its own", name);
	if (relid < FirstNormalObjectId)
		gs_mask_problem(plan, ERRCODE_WRONG_OBJECT_TYPE,
						"Name a table of your own.",
						"%s is a table of the system", name);
	if (RELATION_IS_OTHER_TEMP(relation))
		gs_mask_problem(plan, ERRCODE_FEATURE_NOT_SUPPORTED,
						"Only the session that made it can read it.",
						"%s is a temporary table of another session", name);
	if (!request->copying &&
		check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		gs_mask_problem(plan, ERRCODE_INSUFFICIENT_PRIVILEGE,
						"Masking must see all rows: ALTER TABLE ... NO FORCE ROW LEVEL SECURITY, or a role with BYPASSRLS.",
						"row-level security hides rows of table %s from you",
						name);
	if (!request->published && !request->copying && is_published(relation))
		gs_mask_problem(plan, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
						"Subscribers keep what they have, for a table that is written anew is not sent to them; options => '{\"published\": 1}' masks it here all the same.",
						"table %s is in a publication", name);
	relation_close(relation, AccessShareLock);
}

/* What is against a column's rule. */
static void
check_column(GsMaskPlan *plan, GsMaskTable *table, GsMaskColumn *column,
			 Relation relation)
{
	AttrNumber	attnum = get_attnum(table->relid, column->name);
	Form_pg_attribute attribute;
	const char *reason = NULL;

	if (attnum <= 0)
	{
		gs_mask_problem(plan, ERRCODE_UNDEFINED_COLUMN,
						"Look at the tables that inherit.",
						"column \"%s\" of table %s does not exist",
						column->name, table->name);
		return;
	}
	attribute = TupleDescAttr(RelationGetDescr(relation), attnum - 1);
	if (attribute->attgenerated != '\0')
		gs_mask_problem(plan, ERRCODE_INVALID_COLUMN_REFERENCE,
						"Drop the foreign key, or keep the columns that it is computed from.",
						"column \"%s\" of table %s is generated, and a foreign key ties it to a masked one",
						column->name, table->name);
	else if (!gs_rule_fits(column->rule, attribute->atttypid,
						   attribute->atttypmod, &reason))
		gs_mask_problem(plan, ERRCODE_DATATYPE_MISMATCH,
						reason != NULL ? reason : "Choose another rule.",
						"column \"%s\" of table %s, of type %s, cannot be masked by rule \"%s\" (%s)",
						column->name, table->name,
						format_type_be(attribute->atttypid),
						column->rule->text, column->origin);
	else if (column->rule->action == GS_RULE_NULL && attribute->attnotnull)
		gs_mask_problem(plan, ERRCODE_NOT_NULL_VIOLATION,
						"Choose another rule, or drop the constraint.",
						"column \"%s\" of table %s is not null",
						column->name, table->name);
	else if (column->rule->action == GS_RULE_PSEUDONYM &&
			 OidIsValid(attribute->attcollation) &&
			 !get_collation_isdeterministic(attribute->attcollation))
		gs_mask_problem(plan, ERRCODE_FEATURE_NOT_SUPPORTED,
						"Give the column a deterministic collation.",
						"column \"%s\" of table %s takes different texts for equal, whose pseudonyms are not",
						column->name, table->name);
}

static bool
names_no_model(const GsRule *rule)
{
	return rule->action == GS_RULE_SYNTHESIZE && rule->model == NULL;
}

/* What cannot be done to rows while they are read. */
static void
check_reading(GsMaskPlan *plan, const GsMaskTable *table)
{
	ListCell   *cell;

	foreach(cell, table->columns)
	{
		const GsMaskColumn *column = lfirst(cell);

		if (column->rule->action == GS_RULE_SHUFFLE)
			gs_mask_problem(plan, ERRCODE_FEATURE_NOT_SUPPORTED,
							"Shuffling takes all rows together: mask a copy with synth_mask, or choose another rule.",
							"column \"%s\" of table %s cannot be shuffled while it is read",
							column->name, table->name);
		if (column->rule->own)
			gs_mask_problem(plan, ERRCODE_FEATURE_NOT_SUPPORTED,
							"All rows together say which places are frequent: mask a copy with synth_mask, or take from=lists.",
							"column \"%s\" of table %s cannot be drawn from the table while it is read",
							column->name, table->name);
		if (names_no_model(column->rule))
			gs_mask_problem(plan, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
							"Only synth_mask fits one by itself. Fit one to the table with the option \"context\", naming the columns that stay, and name it: synthesize(model).",
							"rule \"synthesize\" of column \"%s\" of table %s names no model",
							column->name, table->name);
	}
}

static bool
is_linked(const GsMaskPlan *plan, Oid relid, const char *name)
{
	ListCell   *cell;

	foreach(cell, plan->links)
	{
		const GsMaskLink *link = lfirst(cell);

		if ((link->relid == relid && strcmp(link->name, name) == 0) ||
			(link->to_relid == relid && strcmp(link->to_name, name) == 0))
			return true;
	}
	return false;
}

static bool
is_excluded(Relation relation, AttrNumber attnum)
{
	bool		found = false;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(relation))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		Bitmapset  *keys;

		found |= index->rd_index->indisexclusion &&
			is_among(index_columns(index, &keys), attnum);
		index_close(index, AccessShareLock);
	}
	return found;
}

/* What cannot be done row by row. */
static void
check_update(GsMaskPlan *plan, GsMaskTable *table, Relation relation)
{
	ListCell   *cell;

	foreach(cell, table->columns)
	{
		const GsMaskColumn *column = lfirst(cell);
		const char *why = column->unique ? "is in a unique index" :
			is_linked(plan, table->relid, column->name) ?
			"is in a foreign key" :
			is_excluded(relation, get_attnum(table->relid, column->name)) ?
			"is in an exclusion constraint" :
			column->rule->action == GS_RULE_SHUFFLE ?
			"is shuffled, which takes all rows together" :
			column->rule->own ?
			"is drawn from the table, which takes all rows together" : NULL;

		/* a run that goes on would fit another one, to what is masked */
		if (names_no_model(column->rule))
			gs_mask_problem(plan, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
							"Fit one to the table with the option \"context\", naming the columns that stay, and name it: synthesize(model); or use mode \"rewrite\".",
							"rule \"synthesize\" of column \"%s\" of table %s names no model",
							column->name, table->name);
		if (why != NULL)
			gs_mask_problem(plan, ERRCODE_FEATURE_NOT_SUPPORTED,
							"Use mode \"rewrite\".",
							"column \"%s\" of table %s cannot be masked row by row: it %s",
							column->name, table->name, why);
	}
}

/* A partition key is masked only by rules that may leave a row where it is. */
static void
check_partition_key(GsMaskPlan *plan, GsMaskTable *table, Oid relid)
{
	Relation	relation = table_open(relid, AccessShareLock);
	PartitionKey key = RelationGetPartitionKey(relation);
	Bitmapset  *columns = NULL;
	ListCell   *cell;

	if (key != NULL)
	{
		for (int i = 0; i < key->partnatts; i++)
			columns = bms_add_member(columns, key->partattrs[i] -
									 FirstLowInvalidHeapAttributeNumber);
		pull_varattnos((Node *) key->partexprs, 1, &columns);
	}
	foreach(cell, table->columns)
	{
		GsMaskColumn *column = lfirst(cell);

		if (column->rule->action != GS_RULE_GENERALISE &&
			column->rule->action != GS_RULE_SHUFFLE &&
			is_among(columns, get_attnum(relid, column->name)))
			gs_mask_problem(plan, ERRCODE_FEATURE_NOT_SUPPORTED,
							"Keep it, or generalise it within the partitions' bounds.",
							"table %s is partitioned by column \"%s\"",
							table->name, column->name);
	}
	table_close(relation, AccessShareLock);
}

/* Generated columns that follow masked ones must be in no foreign key. */
static void
check_generated(GsMaskPlan *plan, GsMaskTable *table, Relation relation)
{
	TupleDesc	desc = RelationGetDescr(relation);
	Bitmapset  *masked = NULL;
	ListCell   *cell;

	foreach(cell, table->columns)
		masked = bms_add_member(masked,
								get_attnum(table->relid,
										   ((GsMaskColumn *) lfirst(cell))->name) -
								FirstLowInvalidHeapAttributeNumber);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		Bitmapset  *used = NULL;

		if (attribute->attisdropped || attribute->attgenerated == '\0')
			continue;
		pull_varattnos(build_column_default(relation, i + 1), 1, &used);
		if (bms_overlap(used, masked) &&
			is_linked(plan, table->relid, NameStr(attribute->attname)))
			gs_mask_problem(plan, ERRCODE_FEATURE_NOT_SUPPORTED,
							"Drop the foreign key, or keep the columns that it is computed from.",
							"column \"%s\" of table %s is computed from masked ones, and is in a foreign key",
							NameStr(attribute->attname), table->name);
	}
}

/* What is against writing a partitioned table's parts anew. */
static void
check_parts(GsMaskPlan *plan, const GsMaskRequest *request, GsMaskTable *table)
{
	ListCell   *cell;

	check_partition_key(plan, table, table->relid);
	foreach(cell, table->inner)
	{
		check_relation(plan, request, table, lfirst_oid(cell));
		check_partition_key(plan, table, lfirst_oid(cell));
	}
	foreach(cell, table->leaves)
		if (lfirst_oid(cell) != table->relid)
			check_relation(plan, request, table, lfirst_oid(cell));
}

/*
 * gs_mask_check_table: notes what is against masking a table of a plan.
 */
void
gs_mask_check_table(GsMaskPlan *plan, const GsMaskRequest *request,
					GsMaskTable *table)
{
	Relation	relation = table_open(table->relid, AccessShareLock);
	ListCell   *cell;

	if (request->reading)
	{
		foreach(cell, table->columns)
			check_column(plan, table, lfirst(cell), relation);
		check_reading(plan, table);
		table_close(relation, AccessShareLock);
		return;
	}
	check_relation(plan, request, table, table->relid);
	if (!request->copying)
		check_parts(plan, request, table);
	if (!request->copying && !list_member_oid(request->schemas,
											   RelationGetNamespace(relation)))
		gs_mask_problem(plan, ERRCODE_INVALID_PARAMETER_VALUE,
						"Keys tie it to what is masked: name all of the schemas in one call of synth_mask_schema.",
						"table %s is in another schema", table->name);
	if (list_member_oid(request->exclude, table->relid))
		gs_mask_problem(plan, ERRCODE_INVALID_PARAMETER_VALUE,
						"Keys tie it to what is masked: do not exclude it, or keep the columns of the keys.",
						"table %s is excluded", table->name);
	foreach(cell, table->columns)
		check_column(plan, table, lfirst(cell), relation);
	check_generated(plan, table, relation);
	if (request->updating)
		check_update(plan, table, relation);
	table_close(relation, AccessShareLock);
}
