/*
 * budget.c
 *	  Fits that are not private, of tables that have a privacy budget: only
 *	  the table's owner may ask for one, by "unprotected".
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/prs2lock.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalog/ledger.h"
#include "compat.h"
#include "fit/budget.h"

static void add_relation(Oid relid, List **relids);

/*
 * Adds the relations of the query that a view is.
 */
static bool
add_relations(Node *node, void *relids)
{
	ListCell   *cell;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, add_relations, relids);
	foreach(cell, ((Query *) node)->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);

		if (entry->rtekind == RTE_RELATION)
			add_relation(entry->relid, relids);
	}
	return query_tree_walker((Query *) node, add_relations, relids, 0);
}

/*
 * Adds a relation, and those that it holds rows of, being a materialized view,
 * or shows rows of.
 */
static void
add_relation(Oid relid, List **relids)
{
	char		kind = get_rel_relkind(relid);
	Relation	view;

	check_stack_depth();
	if (list_member_oid(*relids, relid))
		return;
	*relids = lappend_oid(*relids, relid);
	if (kind != RELKIND_MATVIEW && kind != RELKIND_VIEW)
		return;
	view = relation_open(relid, AccessShareLock);
	if (view->rd_rules != NULL)
		for (int i = 0; i < view->rd_rules->numLocks; i++)
		{
			const RewriteRule *rule = view->rd_rules->rules[i];

			if (rule->event == CMD_SELECT)
				(void) add_relations((Node *) rule->actions, relids);
		}
	relation_close(view, NoLock);
}

/*
 * Whether the caller is a table's owner, and not by way of a function that
 * runs with the owner's rights: whoever calls that need not be one.
 */
static bool
is_owner(Oid relid)
{
	return gs_class_ownercheck(relid, GetUserId()) &&
		(!InLocalUserIdChange() ||
		 gs_class_ownercheck(relid, GetSessionUserId()));
}

/*
 * gs_budget_check: an error if a source reads a table that has a budget,
 * unless its owner asks for that.  Returns the OIDs of these tables, which the
 * ledger has to name; in the current context.
 *
 * What functions of the source read is not seen.  Errors:
 * object_not_in_prerequisite_state, insufficient_privilege.
 */
List *
gs_budget_check(const GsSource *source, bool unprotected)
{
	List	   *relids = NIL;
	List	   *budgeted = NIL;
	ListCell   *cell;

	foreach(cell, source->relids)
		add_relation(lfirst_oid(cell), &relids);
	foreach(cell, relids)
	{
		Oid			relid = lfirst_oid(cell);

		if (!gs_ledger_has_budget(relid))
			continue;
		if (!unprotected)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("table %s has a privacy budget",
							gs_relation_name(relid, NULL)),
					 errhint("Fit the table itself with epsilon.  Its owner may learn from it without protection: options => '{\"unprotected\": true}'.")));
		if (!is_owner(relid))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("must be owner of table %s to learn from it without protection",
							gs_relation_name(relid, NULL)),
					 errhint("It has a privacy budget: fit it with epsilon.")));
		budgeted = lappend_oid(budgeted, relid);
	}
	return budgeted;
}
