/*
 * private_join.c
 *	  Joins that a private fit may read: of the table with public ones, by a
 *	  unique key of each.
 *
 * A row of the table then finds one row of a public table at most, so it is
 * one row at most of what is learned, and moves no other.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#include "fit/private.h"

/*
 * gs_private_public: the table of a name in the option "public"; it is locked.
 * Errors: undefined_table.
 */
Oid
gs_private_public(const char *name)
{
	return RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name))),
							AccessShareLock, false);
}

static bool
is_public(Oid relid, List *public)
{
	ListCell   *cell;

	foreach(cell, public)
		if (gs_private_public(lfirst(cell)) == relid)
			return true;
	return false;
}

/*
 * Whether one of a join's conditions, which are joined by AND, says that a
 * column of an index is equal to something of other relations.
 */
static bool
is_given(List *conditions, int rel, const RelationData *index, int key)
{
	AttrNumber	column = index->rd_index->indkey.values[key];
	ListCell   *cell;

	foreach(cell, conditions)
	{
		const OpExpr *op = lfirst(cell);

		if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
			op->inputcollid != index->rd_indcollation[key] ||
			get_op_opfamily_strategy(op->opno, index->rd_opfamily[key]) !=
			BTEqualStrategyNumber)
			continue;
		for (int side = 0; side < 2; side++)
		{
			const Var  *var = list_nth(op->args, side);
			Bitmapset  *others = NULL;

			pull_varattnos(list_nth(op->args, 1 - side), rel, &others);
			if (IsA(var, Var) && var->varno == rel && var->varlevelsup == 0 &&
				var->varattno == column && others == NULL)
				return true;
		}
	}
	return false;
}

/*
 * Whether conditions leave one row of an index's table at most.
 */
static bool
is_key(List *conditions, int rel, Oid indexoid)
{
	Relation	index = index_open(indexoid, AccessShareLock);
	const FormData_pg_index *form = index->rd_index;
	bool		found = form->indisunique && form->indimmediate &&
		form->indisvalid && RelationGetIndexPredicate(index) == NIL &&
		RelationGetIndexExpressions(index) == NIL;

	for (int k = 0; found && k < form->indnkeyatts; k++)
		found = is_given(conditions, rel, index, k);
	index_close(index, NoLock);
	return found;
}

/*
 * The same of a relation of a query, which has to be an ordinary table that is
 * public.
 */
static bool
is_joined_by_key(const Query *query, int rel, Node *quals, List *public)
{
	const RangeTblEntry *entry = list_nth_node(RangeTblEntry, query->rtable,
											   rel - 1);
	List	   *conditions = make_ands_implicit((Expr *) quals);
	Relation	table;
	bool		found = false;
	ListCell   *cell;

	if (entry->rtekind != RTE_RELATION ||
		get_rel_relkind(entry->relid) != RELKIND_RELATION ||
		has_subclass(entry->relid) || !is_public(entry->relid, public))
		return false;
	table = table_open(entry->relid, NoLock);
	foreach(cell, RelationGetIndexList(table))
		found |= is_key(conditions, rel, lfirst_oid(cell));
	table_close(table, NoLock);
	return found;
}

/*
 * gs_private_joined: the place in a query's range table of what it selects
 * from, public tables aside, which are joined to it; 0: it joins something
 * else.
 *
 * public: C strings, names of tables; quals: what they are joined by is added
 * to it, unless that is NULL
 */
int
gs_private_joined(const Query *query, List *public, List **quals)
{
	Node	   *node = list_length(query->jointree->fromlist) == 1 ?
		linitial(query->jointree->fromlist) : NULL;

	while (node != NULL && IsA(node, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) node;

		if ((join->jointype != JOIN_INNER && join->jointype != JOIN_LEFT) ||
			!IsA(join->rarg, RangeTblRef) ||
			!is_joined_by_key(query, ((RangeTblRef *) join->rarg)->rtindex,
							  join->quals, public))
			return 0;
		if (quals != NULL)
			*quals = lappend(*quals, join->quals);
		node = join->larg;
	}
	return node != NULL && IsA(node, RangeTblRef) ?
		((RangeTblRef *) node)->rtindex : 0;
}
