/*
 * target.c
 *	  A table that is to be filled: which of its columns, and what it says
 *	  about a row.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/acl.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "stream/drift.h"
#include "constraint/links.h"
#include "owner/owners.h"
#include "stream/target.h"
#include "table/source.h"

/*
 * Opens the target, locked as an INSERT does it until the transaction ends.
 */
static Relation
open_target(Oid relid)
{
	Relation	relation = try_relation_open(relid, RowExclusiveLock);

	if (relation == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist any more", relid),
				 errhint("It was dropped while it was filled.")));
	return relation;
}

/*
 * Whether a column's default draws a number: identity or nextval().
 */
static bool
draws_number(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, NextValueExpr) ||
		(IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == F_NEXTVAL))
		return true;
	return expression_tree_walker(node, draws_number, context);
}

static bool
is_key_of_parent(const GsTarget *target, const char *name)
{
	ListCell   *cell;

	foreach(cell, target->constraints)
	{
		const GsConstraint *constraint = lfirst(cell);
		ListCell   *column;

		if (constraint->parent == NULL)
			continue;
		foreach(column, constraint->columns)
			if (strcmp(lfirst(column), name) == 0)
				return true;
	}
	return false;
}

/*
 * Whether a column of the target is to be filled: the model has it, or it
 * refers to another table, and the target neither computes nor numbers it.
 *
 * owners: whose rows these are; NULL: nobody's
 */
static bool
is_filled(const GsTarget *target, const GsModel *model,
		  const GsOwners *owners, Relation relation,
		  Form_pg_attribute attribute)
{
	const GsSchema *schema = model->schema;
	bool		found = gs_schema_column(schema, NameStr(attribute->attname)) >= 0;

	if (attribute->attisdropped || attribute->attgenerated != '\0')
		return false;
	/* rows to come refer to it */
	if (owners != NULL && owners->ngenerations > 0 &&
		attribute->attidentity != ATTRIBUTE_IDENTITY_ALWAYS &&
		gs_is_named(((GsOwnerStep *) linitial(owners->steps))->parent_columns,
					NameStr(attribute->attname)))
		return true;
	if (owners != NULL && gs_owners_give(owners, NameStr(attribute->attname)))
		return true;
	if (!found && attribute->attnotnull)
		found = is_key_of_parent(target, NameStr(attribute->attname));
	return found && !draws_number(build_column_default(relation,
													   attribute->attnum),
								  NULL);
}

/*
 * Tells of columns that stay NULL, since the model lacks them and the target
 * has nothing to put there.
 */
static void
tell_missing(const GsTarget *target, const GsModel *model, Relation relation)
{
	TupleDesc	desc = RelationGetDescr(relation);
	List	   *missing = NIL;
	List	   *present = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		char	   *name = NameStr(attribute->attname);

		if (attribute->attisdropped)
			continue;
		present = lappend(present, name);
		if (attribute->attgenerated == '\0' && gs_drift_lacks(model, name) &&
			!is_key_of_parent(target, name) &&
			build_column_default(relation, attribute->attnum) == NULL)
			missing = lappend(missing, name);
	}
	gs_drift_tell_missing(model, missing, present);
}

static void
find_columns(GsTarget *target, const GsModel *model, Relation relation)
{
	TupleDesc	desc = RelationGetDescr(relation);
	const GsOwners *owners = model->version->owners == NULL ? NULL :
		gs_owners_load(model->version->owners);
	int			n = 0;

	target->attnum = palloc(sizeof(AttrNumber) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
		if (is_filled(target, model, owners, relation, TupleDescAttr(desc, i)))
			target->attnum[n++] = i + 1;
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("model \"%s\" has no column that could fill %s",
						model->name,
						quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												   RelationGetRelationName(relation))),
				 errhint("Columns are matched by name; identity, serial and generated columns are left to the target.")));
	target->desc = CreateTemplateTupleDesc(n);
	target->numbered = CreateTemplateTupleDesc(n + 1);
	TupleDescInitEntry(target->numbered, n + 1, "gensynth.row", INT8OID, -1,
					   0);
	target->notnull = palloc(n);
	for (int i = 0; i < n; i++)
	{
		target->notnull[i] = TupleDescAttr(desc, target->attnum[i] - 1)->attnotnull;
		TupleDescCopyEntry(target->desc, i + 1, desc, target->attnum[i]);
		/* for what is between here and the table, any value will do */
		TupleDescAttr(target->desc, i)->attnotnull = false;
		TupleDescCopyEntry(target->numbered, i + 1, target->desc, i + 1);
	}
	gs_desc_finish(target->desc);
	gs_desc_finish(target->numbered);
}

/*
 * Whether an expression is about columns that are filled, and nothing else of
 * the row.
 */
static bool
is_about_filled(const GsTarget *target, Node *expr)
{
	Bitmapset  *used = NULL;
	int			x = -1;

	pull_varattnos(expr, 1, &used);
	while ((x = bms_next_member(used, x)) >= 0)
	{
		AttrNumber	number = x + FirstLowInvalidHeapAttributeNumber;
		bool		found = false;

		for (int i = 0; i < target->desc->natts && !found; i++)
			found = target->attnum[i] == number;
		if (!found)
			return false;
	}
	return true;
}

static void
add_check(GsTarget *target, const char *name, Node *expr)
{
	if (!is_about_filled(target, expr))
		return;
	target->check_name[target->nchecks] = pstrdup(name);
	target->check[target->nchecks++] = ExecInitExpr(expression_planner((Expr *) expr),
													NULL);
}

static void
find_checks(GsTarget *target, Relation relation)
{
	TupleConstr *constr = RelationGetDescr(relation)->constr;
	int			n = constr != NULL ? constr->num_check : 0;

	target->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(relation)),
											&TTSOpsVirtual);
	ExecStoreAllNullTuple(target->slot);
	target->econtext = CreateStandaloneExprContext();
	target->econtext->ecxt_scantuple = target->slot;
	target->check = palloc(sizeof(ExprState *) * (n + 1));
	target->check_name = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		add_check(target, constr->check[i].ccname,
				  stringToNode(constr->check[i].ccbin));
	if (relation->rd_rel->relispartition)
		add_check(target, "partition",
				  (Node *) make_ands_explicit(RelationGetPartitionQual(relation)));
}

/*
 * Adds the filled columns among those of an expression to a set.  Returns
 * whether all are filled.
 *
 * numbers: of columns, less FirstLowInvalidHeapAttributeNumber
 */
static bool
add_filled(const GsTarget *target, Bitmapset *numbers, Bitmapset **columns)
{
	bool		all = true;
	int			x = -1;

	while ((x = bms_next_member(numbers, x)) >= 0)
	{
		int			at = 0;

		while (at < target->desc->natts &&
			   target->attnum[at] != x + FirstLowInvalidHeapAttributeNumber)
			at++;
		if (at < target->desc->natts)
			*columns = bms_add_member(*columns, at);
		else
			all = false;
	}
	return all;
}

static void
add_index(GsTarget *target, Relation index)
{
	GsTargetIndex *to = &target->index[target->nindexes];
	List	   *predicate = RelationGetIndexPredicate(index);
	List	   *expressions = RelationGetIndexExpressions(index);
	Bitmapset  *numbers = NULL;

	if (!index->rd_index->indisunique && !index->rd_index->indisexclusion)
		return;
	to->exclusion = index->rd_index->indisexclusion;
	for (int k = 0; k < index->rd_index->indnkeyatts; k++)
		if (index->rd_index->indkey.values[k] != 0)
			numbers = bms_add_member(numbers,
									 index->rd_index->indkey.values[k] -
									 FirstLowInvalidHeapAttributeNumber);
	pull_varattnos((Node *) expressions, 1, &numbers);
	to->plain = add_filled(target, numbers, &to->columns) &&
		expressions == NIL;
	if (predicate != NIL)
	{
		Node	   *expr = (Node *) make_ands_explicit(predicate);

		to->plain &= is_about_filled(target, expr);
		if (is_about_filled(target, expr))
			to->predicate = ExecInitExpr(expression_planner((Expr *) expr),
										 NULL);
	}
	if (to->columns != NULL)
		target->nindexes++;
}

/*
 * Looks at the indexes that may refuse a row.
 */
static void
find_indexes(GsTarget *target, Relation relation)
{
	List	   *indexes = RelationGetIndexList(relation);
	ListCell   *cell;

	target->index = palloc0(sizeof(GsTargetIndex) *
							Max(list_length(indexes), 1));
	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		add_index(target, index);
		index_close(index, AccessShareLock);
	}
}

/*
 * Whether rows that collide in the target's indexes can be skipped and others
 * put in their place: ON CONFLICT DO NOTHING works on it, and the number of
 * rows that it reports is that of those which are in.
 */
static bool
can_make_up(Relation relation)
{
	ListCell   *cell;
	bool		unique = false;
	bool		deferrable = false;

	if ((relation->rd_rel->relkind != RELKIND_RELATION &&
		 relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE) ||
		relation->rd_rules != NULL ||
		(relation->trigdesc && relation->trigdesc->trig_insert_before_row))
		return false;
	foreach(cell, RelationGetIndexList(relation))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID,
											ObjectIdGetDatum(lfirst_oid(cell)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			continue;
		index = (Form_pg_index) GETSTRUCT(tuple);
		unique |= index->indisunique || index->indisexclusion;
		deferrable |= (index->indisunique || index->indisexclusion) &&
			!index->indimmediate;
		ReleaseSysCache(tuple);
	}
	return unique && !deferrable;
}

/*
 * An error unless the caller may insert into the columns that are filled:
 * before anything else that a fill needs the right to.
 */
static void
check_insert(const GsTarget *target, Relation relation)
{
	Oid			user = GetUserId();

	if (pg_class_aclcheck(target->relid, user, ACL_INSERT) == ACLCHECK_OK)
		return;
	for (int i = 0; i < target->desc->natts; i++)
		if (pg_attribute_aclcheck(target->relid, target->attnum[i], user,
								  ACL_INSERT) != ACLCHECK_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied to insert into %s",
							gs_relation_name(target->relid, NULL)),
					 errhint("Whoever owns it can allow it: GRANT INSERT ON %s TO %s.",
							 gs_relation_name(target->relid, NULL),
							 quote_identifier(GetUserNameFromId(user, false)))));
}

/*
 * gs_target_open: looks at a table that the model shall fill, in the current
 * context, within an SPI connection.  Errors: undefined_table,
 * datatype_mismatch if no column is left to fill.
 */
GsTarget *
gs_target_open(Oid relid, const GsModel *model)
{
	GsTarget   *target = palloc0(sizeof(GsTarget));
	Relation	relation = open_target(relid);

	target->relid = relid;
	target->constraints = list_concat(gs_constraints_read(relid),
									  gs_links_resolve(relid,
													   model->version->constraints));
	target->makes_up = can_make_up(relation);
	find_columns(target, model, relation);
	check_insert(target, relation);
	tell_missing(target, model, relation);
	gs_drift_tell_types(model, target->desc);
	find_checks(target, relation);
	find_indexes(target, relation);
	relation_close(relation, NoLock);
	return target;
}

/*
 * gs_target_column: the position of a column among those that are filled; -1
 * if it is not.
 */
int
gs_target_column(const GsTarget *target, const char *name)
{
	for (int i = 0; i < target->desc->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(target->desc, i)->attname), name) == 0)
			return i;
	return -1;
}

/*
 * gs_target_statement: inserts GS_TARGET_ROWS.  Made anew for each batch,
 * since the target may have been renamed or altered after a commit.
 *
 * skips: rows that collide are left out; returns: one for each that is not
 */
char *
gs_target_statement(const GsTarget *target, bool skips, bool returns)
{
	Relation	relation = open_target(target->relid);
	TupleDesc	desc = RelationGetDescr(relation);
	char	   *name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												  RelationGetRelationName(relation));
	StringInfoData columns;
	StringInfoData values;

	initStringInfo(&columns);
	initStringInfo(&values);
	for (int i = 0; i < target->desc->natts; i++)
	{
		AttrNumber	number = target->attnum[i];
		const char *comma = i > 0 ? ", " : "";

		if (number > desc->natts || TupleDescAttr(desc, number - 1)->attisdropped)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of %s was dropped while it was filled",
							NameStr(TupleDescAttr(target->desc, i)->attname),
							name),
					 errhint("Call synth_into again.")));
		appendStringInfo(&columns, "%s%s", comma,
						 quote_identifier(NameStr(TupleDescAttr(desc, number - 1)->attname)));
		appendStringInfo(&values, "%s%s", comma,
						 quote_identifier(NameStr(TupleDescAttr(target->desc, i)->attname)));
	}
	relation_close(relation, NoLock);
	return psprintf("INSERT INTO %s (%s) SELECT %s FROM " GS_TARGET_ROWS "%s%s",
					name, columns.data, values.data,
					skips ? " ON CONFLICT DO NOTHING" : "",
					returns ? " RETURNING 1" : "");
}

/*
 * gs_target_readable: whether the caller may read a filled column of the
 * target's rows.
 */
bool
gs_target_readable(const GsTarget *target, int at)
{
	return pg_class_aclcheck(target->relid, GetUserId(),
							 ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck(target->relid, target->attnum[at], GetUserId(),
							  ACL_SELECT) == ACLCHECK_OK;
}

/*
 * Shows a row to the target's expressions.
 */
static void
show_row(const GsTarget *target, const Datum *values, const bool *nulls)
{
	for (int i = 0; i < target->desc->natts; i++)
	{
		target->slot->tts_values[target->attnum[i] - 1] = values[i];
		target->slot->tts_isnull[target->attnum[i] - 1] = nulls[i];
	}
}

/*
 * gs_target_holds: whether an index is about a row.
 *
 * values, nulls: [natts] of the columns that are filled
 */
bool
gs_target_holds(const GsTarget *target, int index, const Datum *values,
				const bool *nulls)
{
	bool		isnull;
	Datum		holds;

	if (target->index[index].predicate == NULL)
		return true;
	show_row(target, values, nulls);
	holds = ExecEvalExprSwitchContext(target->index[index].predicate,
									  target->econtext, &isnull);
	ResetExprContext(target->econtext);
	return !isnull && DatumGetBool(holds);
}

/*
 * gs_target_refuses: the name of a condition that a row fails, or NULL.
 *
 * values, nulls: [natts] of the columns that are filled
 */
const char *
gs_target_refuses(const GsTarget *target, const Datum *values,
				  const bool *nulls)
{
	const char *refused = NULL;

	if (target->nchecks == 0)
		return NULL;
	show_row(target, values, nulls);
	for (int i = 0; i < target->nchecks && refused == NULL; i++)
		if (!ExecCheck(target->check[i], target->econtext))
			refused = target->check_name[i];
	ResetExprContext(target->econtext);
	return refused;
}
