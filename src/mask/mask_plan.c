/*
 * mask_plan.c
 *	  What is to be masked: the columns that are asked for, and all that keys
 *	  tie to them.
 *
 * A pseudonym goes to all columns that a foreign key ties to its column, in
 * both directions and to any depth, and to those labelled with its group: so
 * equal stays equal.  Other rules make values that other tables do not have,
 * so they are for columns that nothing refers to.
 *
 * Partitions have their root's columns; inheritance children have those of
 * their parents' names.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_seclabel.h"
#include "catalog/pg_type.h"
#include "commands/seclabel.h"
#include "miscadmin.h"
#include "optimizer/plancat.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "mask/label.h"
#include "mask/mask_plan.h"

/* A column labelled with a group. */
typedef struct GroupMember
{
	Oid			relid;
	char	   *name;
	GsRule	   *rule;
} GroupMember;

/* While a plan is made. */
typedef struct Planner
{
	GsMaskPlan *plan;
	List	   *groups;
	GsRule	   *pseudonym;
	bool		copying;
	bool		changed;
} Planner;

/*
 * gs_mask_root: the table that a partition is one of, or the table itself.
 */
Oid
gs_mask_root(Oid relid)
{
	return get_rel_relispartition(relid) ?
		llast_oid(get_partition_ancestors(relid)) : relid;
}

/*
 * gs_mask_problem: notes a reason against masking; all are reported together.
 */
void
gs_mask_problem(GsMaskPlan *plan, int code, const char *hint,
				const char *format,...)
{
	GsMaskProblem *problem = palloc(sizeof(GsMaskProblem));
	StringInfoData message;
	ListCell   *cell;

	initStringInfo(&message);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	problem->code = code;
	problem->message = message.data;
	problem->hint = hint;
	foreach(cell, plan->problems)
		if (strcmp(((GsMaskProblem *) lfirst(cell))->message,
				   message.data) == 0)
			return;
	plan->problems = lappend(plan->problems, problem);
}

/*
 * gs_mask_table_name: the qualified and quoted name of a relation.
 */
char *
gs_mask_table_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  get_rel_name(relid));
}

/*
 * gs_mask_find_table: a table of a plan, or NULL.
 */
GsMaskTable *
gs_mask_find_table(const GsMaskPlan *plan, Oid relid)
{
	ListCell   *cell;

	foreach(cell, plan->tables)
		if (((GsMaskTable *) lfirst(cell))->relid == relid)
			return lfirst(cell);
	return NULL;
}

static GsMaskColumn *
find_column(const GsMaskPlan *plan, Oid relid, const char *name)
{
	GsMaskTable *table = gs_mask_find_table(plan, relid);
	ListCell   *cell;

	if (table == NULL)
		return NULL;
	foreach(cell, table->columns)
		if (strcmp(((GsMaskColumn *) lfirst(cell))->name, name) == 0)
			return lfirst(cell);
	return NULL;
}

static GsMaskTable *
add_table(GsMaskPlan *plan, Oid relid)
{
	GsMaskTable *table = gs_mask_find_table(plan, relid);
	ListCell   *cell;

	if (table != NULL)
		return table;
	table = palloc0(sizeof(GsMaskTable));
	table->relid = relid;
	table->name = gs_mask_table_name(relid);
	if (get_rel_relkind(relid) != RELKIND_PARTITIONED_TABLE)
		table->leaves = list_make1_oid(relid);
	else
		foreach(cell, find_all_inheritors(relid, NoLock, NULL))
		{
			Oid			part = lfirst_oid(cell);

			if (part != relid &&
				get_rel_relkind(part) == RELKIND_PARTITIONED_TABLE)
				table->inner = lappend_oid(table->inner, part);
			else if (part != relid)
				table->leaves = lappend_oid(table->leaves, part);
		}
	plan->tables = lappend(plan->tables, table);
	return table;
}

/* Whether two rules make the same of the same value. */
static bool
same_rule(const GsRule *a, const GsRule *b)
{
	return (a->action == GS_RULE_PSEUDONYM &&
			b->action == GS_RULE_PSEUDONYM) || strcmp(a->text, b->text) == 0;
}

/*
 * gs_mask_add_column: adds a column that a plan does not have yet.
 */
void
gs_mask_add_column(GsMaskPlan *plan, Oid relid, const char *name,
				   const GsRule *rule, const char *origin, bool asked)
{
	GsMaskTable *table = add_table(plan, relid);
	GsMaskColumn *column = palloc0(sizeof(GsMaskColumn));

	column->name = pstrdup(name);
	column->rule = rule;
	column->origin = origin;
	column->asked = asked;
	table->columns = lappend(table->columns, column);
}

/*
 * Gives a column a rule.  One that was asked for stays, and is a problem
 * where another is needed; the reason says for what.
 */
static void
put_rule(Planner *planner, Oid relid, const char *name, const GsRule *rule,
		 const char *origin, bool asked)
{
	GsMaskColumn *column = find_column(planner->plan, relid, name);

	if (column != NULL && (same_rule(column->rule, rule) ||
						   (column->asked && !asked &&
							column->rule->action == GS_RULE_NULL)))
	{
		column->asked |= asked;
		return;
	}
	if (column != NULL && column->asked)
	{
		column->problems = lappend(column->problems,
								   psprintf("needs rule \"%s\": %s",
											rule->text, origin));
		gs_mask_problem(planner->plan, ERRCODE_INVALID_PARAMETER_VALUE,
						"Give both columns the same rule, such as \"pseudonym\".",
						"column \"%s\" of table %s has rule \"%s\", but needs \"%s\": %s",
						name, gs_mask_table_name(relid), column->rule->text,
						rule->text, origin);
		return;
	}
	planner->changed = true;
	if (column == NULL)
		gs_mask_add_column(planner->plan, relid, name, rule, origin, asked);
	else
	{
		column->rule = rule;
		column->origin = origin;
		column->asked = asked;
	}
}

/* All foreign keys of the database, column by column. */
static List *
read_links(void)
{
	Relation	constraints = table_open(ConstraintRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(constraints, InvalidOid, false, NULL,
										  0, NULL);
	HeapTuple	tuple;
	List	   *links = NIL;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
		int			n;
		AttrNumber	from[INDEX_MAX_KEYS];
		AttrNumber	to[INDEX_MAX_KEYS];

		/* those of partitions are their root's */
		if (form->contype != CONSTRAINT_FOREIGN ||
			OidIsValid(form->conparentid))
			continue;
		DeconstructFkConstraintRow(tuple, &n, from, to, NULL, NULL, NULL, NULL,
								   NULL);
		for (int i = 0; i < n; i++)
		{
			GsMaskLink *link = palloc(sizeof(GsMaskLink));

			link->constraint = form->oid;
			link->valid = form->convalidated;
			link->relid = gs_mask_root(form->conrelid);
			link->name = get_attname(form->conrelid, from[i], true);
			link->to_relid = gs_mask_root(form->confrelid);
			link->to_name = get_attname(form->confrelid, to[i], true);
			/* dropped at this very moment */
			if (link->name != NULL && link->to_name != NULL)
				links = lappend(links, link);
		}
	}
	systable_endscan(scan);
	table_close(constraints, AccessShareLock);
	return links;
}

/* All columns labelled with a group. */
static List *
read_groups(void)
{
	Relation	labels = table_open(SecLabelRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(labels, InvalidOid, false, NULL, 0,
										  NULL);
	HeapTuple	tuple;
	List	   *groups = NIL;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		FormData_pg_seclabel *form = (FormData_pg_seclabel *) GETSTRUCT(tuple);
		GroupMember *member;
		bool		isnull;
		char	   *provider = TextDatumGetCString(heap_getattr(tuple,
																Anum_pg_seclabel_provider,
																RelationGetDescr(labels),
																&isnull));
		char	   *name;
		GsRule	   *rule;

		if (form->classoid != RelationRelationId || form->objsubid <= 0 ||
			strcmp(provider, GS_LABEL_PROVIDER) != 0)
			continue;
		name = get_attname(form->objoid, form->objsubid, true);
		rule = name == NULL || get_rel_relispartition(form->objoid) ? NULL :
			gs_label_of(form->objoid, form->objsubid);
		if (rule == NULL || rule->group == NULL ||
			(get_rel_relkind(form->objoid) != RELKIND_RELATION &&
			 get_rel_relkind(form->objoid) != RELKIND_PARTITIONED_TABLE))
			continue;
		member = palloc(sizeof(GroupMember));
		member->relid = form->objoid;
		member->name = name;
		member->rule = rule;
		groups = lappend(groups, member);
	}
	systable_endscan(scan);
	table_close(labels, AccessShareLock);
	return groups;
}

/* The constraint is to be checked; its other table stays as it is. */
static void
check_later(GsMaskPlan *plan, const GsMaskLink *link)
{
	if (link->valid)
		plan->foreign_keys = list_append_unique_oid(plan->foreign_keys,
													link->constraint);
}

/*
 * What a foreign key asks of the two columns that it ties.  The referencing
 * one may be masked in ways that leave it among the values that are referred
 * to, or NULL: whether it is will be seen when all is written.
 */
static void
follow_link(Planner *planner, const GsMaskLink *link)
{
	GsMaskPlan *plan = planner->plan;
	GsMaskColumn *from = find_column(plan, link->relid, link->name);
	GsMaskColumn *to = find_column(plan, link->to_relid, link->to_name);
	GsRuleAction action;

	if (to != NULL && to->rule->action != GS_RULE_KEEP)
	{
		char	   *by = psprintf("%s.%s", gs_mask_table_name(link->relid),
								  quote_identifier(link->name));
		ListCell   *cell;
		bool		known = false;

		foreach(cell, to->referenced_by)
			known |= strcmp(lfirst(cell), by) == 0;
		if (!known)
			to->referenced_by = lappend(to->referenced_by, by);
		if (to->rule->action != GS_RULE_PSEUDONYM)
			put_rule(planner, link->to_relid, link->to_name,
					 planner->pseudonym,
					 psprintf("%s refers to it", by), false);
		put_rule(planner, link->relid, link->name, planner->pseudonym,
				 psprintf("it refers to %s.%s", gs_mask_table_name(link->to_relid),
						  quote_identifier(link->to_name)), false);
		check_later(plan, link);
	}
	if (from == NULL || from->rule->action == GS_RULE_KEEP)
		return;
	action = from->rule->action;
	check_later(plan, link);
	if (action == GS_RULE_KIND && !from->asked)
		put_rule(planner, link->relid, link->name, planner->pseudonym,
				 psprintf("it refers to %s.%s", gs_mask_table_name(link->to_relid),
						  quote_identifier(link->to_name)), false);
	else if (action == GS_RULE_KIND)
		gs_mask_problem(plan, ERRCODE_INVALID_PARAMETER_VALUE,
						"A pseudonym keeps foreign keys.",
						"column \"%s\" of table %s refers to another table, which has no values of rule \"%s\"",
						link->name, gs_mask_table_name(link->relid),
						from->rule->text);
	else if (action == GS_RULE_PSEUDONYM)
		put_rule(planner, link->to_relid, link->to_name, from->rule,
				 psprintf("%s.%s refers to it", gs_mask_table_name(link->relid),
						  quote_identifier(link->name)), false);
}

/*
 * Whether a table belongs to a group as a member of it has it.  Anybody can
 * label columns of his own: tables that the caller could not mask are left
 * out, or they would keep him from masking his.
 */
static bool
may_join(const Planner *planner, Oid relid, const GroupMember *member)
{
	HeapTuple	tuple[2];
	bool		same;

	if (relid == member->relid || gs_class_ownercheck(relid, GetUserId()))
		return true;
	if (!planner->copying ||
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return false;
	tuple[0] = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	tuple[1] = SearchSysCache1(RELOID, ObjectIdGetDatum(member->relid));
	same = HeapTupleIsValid(tuple[0]) && HeapTupleIsValid(tuple[1]) &&
		((Form_pg_class) GETSTRUCT(tuple[0]))->relowner ==
		((Form_pg_class) GETSTRUCT(tuple[1]))->relowner;
	for (int i = 0; i < 2; i++)
		if (HeapTupleIsValid(tuple[i]))
			ReleaseSysCache(tuple[i]);
	return same;
}

static void
note_once(GsMaskPlan *plan, const char *note)
{
	ListCell   *cell;

	foreach(cell, plan->notes)
		if (strcmp(lfirst(cell), note) == 0)
			return;
	plan->notes = lappend(plan->notes, pstrdup(note));
}

static void
follow_groups(Planner *planner)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, planner->groups)
	{
		const GroupMember *member = lfirst(cell);
		GsMaskColumn *column = find_column(planner->plan, member->relid,
										   member->name);

		if (column == NULL || column->rule->group == NULL ||
			strcmp(column->rule->group, member->rule->group) != 0)
			continue;
		foreach(other, planner->groups)
		{
			const GroupMember *same = lfirst(other);

			if (strcmp(same->rule->group, member->rule->group) != 0)
				continue;
			if (!may_join(planner, same->relid, member))
				note_once(planner->plan,
						  psprintf("table %s has a column of group \"%s\", and stays as it is: it is another owner's",
								   gs_mask_table_name(same->relid),
								   same->rule->group));
			else
				put_rule(planner, same->relid, same->name, same->rule,
						 psprintf("of group \"%s\"", same->rule->group), true);
		}
	}
}

/* Inheritance children have their parents' columns, by name. */
static void
follow_children(Planner *planner)
{
	ListCell   *cell;
	ListCell   *child;
	ListCell   *column;

	foreach(cell, planner->plan->tables)
	{
		GsMaskTable *table = lfirst(cell);

		if (get_rel_relkind(table->relid) != RELKIND_RELATION)
			continue;
		foreach(child, find_inheritance_children(table->relid, NoLock))
			foreach(column, table->columns)
			{
				GsMaskColumn *parent = lfirst(column);

				put_rule(planner, lfirst_oid(child), parent->name,
						 parent->rule,
						 psprintf("it is inherited from %s", table->name),
						 parent->asked);
			}
	}
}

static void
complete_closure(Planner *planner)
{
	ListCell   *cell;

	do
	{
		planner->changed = false;
		foreach(cell, planner->plan->tables)
			planner->changed |= gs_mask_settle_unique(planner->plan,
													  lfirst(cell), false);
		foreach(cell, planner->plan->links)
			follow_link(planner, lfirst(cell));
		follow_groups(planner);
		follow_children(planner);
	} while (planner->changed);
}

/* The greatest whole number of a numeric's digits; INT64_MAX of other types. */
static int64
most_of_type(Oid relid, const char *name)
{
	Oid			type;
	int32		typmod;
	Oid			collation;
	int64		most = 1;
	int			digits;

	get_atttypetypmodcoll(relid, get_attnum(relid, name), &type, &typmod,
						  &collation);
	type = getBaseTypeAndTypmod(type, &typmod);
	if (type != NUMERICOID || typmod < (int32) VARHDRSZ)
		return PG_INT64_MAX;
	digits = ((typmod - VARHDRSZ) >> 16) & 0xffff;
	if (digits > 18)
		return PG_INT64_MAX;
	while (digits-- > 0)
		most *= 10;
	return most - 1;
}

/* Gives both columns the lesser one's most; whether that changes any. */
static bool
take_least(GsMaskColumn *a, GsMaskColumn *b)
{
	bool		changed = a != NULL && b != NULL && a->most != b->most;

	if (changed)
		a->most = b->most = Min(a->most, b->most);
	return changed;
}

/* What keys tie together gets the same pseudonyms, so the narrowest type's. */
static void
find_most(Planner *planner)
{
	GsMaskPlan *plan = planner->plan;
	bool		changed;
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, plan->tables)
	{
		GsMaskTable *table = lfirst(cell);

		foreach(other, table->columns)
		{
			GsMaskColumn *column = lfirst(other);

			column->most = get_attnum(table->relid, column->name) > 0 ?
				most_of_type(table->relid, column->name) : PG_INT64_MAX;
		}
	}
	do
	{
		changed = false;
		foreach(cell, plan->links)
		{
			const GsMaskLink *link = lfirst(cell);

			changed |= take_least(find_column(plan, link->relid, link->name),
								  find_column(plan, link->to_relid,
											  link->to_name));
		}
		foreach(cell, planner->groups)
			foreach(other, planner->groups)
			{
				const GroupMember *a = lfirst(cell);
				const GroupMember *b = lfirst(other);

				if (strcmp(a->rule->group, b->rule->group) == 0)
					changed |= take_least(find_column(plan, a->relid, a->name),
										  find_column(plan, b->relid,
													  b->name));
			}
	} while (changed);
}

/* What was asked to stay is not masked after all. */
static void
drop_kept(GsMaskPlan *plan)
{
	ListCell   *cell;
	ListCell   *column;

	foreach(cell, plan->tables)
	{
		GsMaskTable *table = lfirst(cell);

		foreach(column, table->columns)
			if (((GsMaskColumn *) lfirst(column))->rule->action ==
				GS_RULE_KEEP)
				table->columns = foreach_delete_current(table->columns,
														column);
		if (table->columns == NIL)
			plan->tables = foreach_delete_current(plan->tables, cell);
	}
}

/* Tables that foreign keys refer to, and that stay as they are. */
static void
note_referenced(Planner *planner)
{
	ListCell   *cell;

	foreach(cell, planner->plan->links)
	{
		const GsMaskLink *link = lfirst(cell);

		if (!list_member_oid(planner->plan->foreign_keys, link->constraint))
			continue;
		if (gs_mask_find_table(planner->plan, link->to_relid) == NULL)
			planner->plan->referenced =
				list_append_unique_oid(planner->plan->referenced,
									   link->to_relid);
		if (gs_mask_find_table(planner->plan, link->relid) == NULL)
			planner->plan->referenced =
				list_append_unique_oid(planner->plan->referenced, link->relid);
	}
}

/*
 * gs_mask_estimate_rows: how many rows a relation may have, by its size where it
 * has files, analyzed or not, as the planner does it; -1 if that is not known.
 */
double
gs_mask_estimate_rows(Oid relid)
{
	Relation	relation = try_table_open(relid, AccessShareLock);
	double		rows;
	BlockNumber pages;
	double		visible;

	if (relation == NULL)
		return -1;
	rows = relation->rd_rel->reltuples;
	if (RELKIND_HAS_TABLE_AM(relation->rd_rel->relkind))
		estimate_rel_size(relation, NULL, &pages, &rows, &visible);
	table_close(relation, AccessShareLock);
	return rows;
}

static void
estimate_rows(GsMaskTable *table)
{
	ListCell   *cell;

	foreach(cell, table->leaves)
		table->rows += Max(gs_mask_estimate_rows(lfirst_oid(cell)), 0);
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/*
 * gs_mask_plan: what is to be masked for a request, and what is against it.
 *
 * In the current memory context.  Locks nothing for longer than it looks.
 * Errors: for columns that are not there, generated, or named twice; 42704 and
 * 22023 for rules.
 */
GsMaskPlan *
gs_mask_plan(GsMaskRequest *request)
{
	Planner		planner = {0};
	ListCell   *cell;
	ListCell   *column;

	planner.plan = palloc0(sizeof(GsMaskPlan));
	planner.pseudonym = gs_rule_parse("pseudonym");
	planner.copying = request->copying;
	gs_mask_ask(planner.plan, request);
	planner.plan->links = read_links();
	planner.groups = read_groups();
	if (request->by_labels)
		gs_mask_follow_labels(planner.plan, request);
	complete_closure(&planner);
	find_most(&planner);
	drop_kept(planner.plan);
	note_referenced(&planner);
	/* nor is anything against it that other tables would make of it */
	if (request->reading)
		planner.plan->problems = NIL;
	foreach(cell, planner.plan->tables)
	{
		/* of what is read, the table itself is all that counts */
		if (request->reading && !list_member_oid(request->relids,
												 ((GsMaskTable *) lfirst(cell))->relid))
			continue;
		estimate_rows(lfirst(cell));
		foreach(column, ((GsMaskTable *) lfirst(cell))->columns)
			list_sort(((GsMaskColumn *) lfirst(column))->referenced_by,
					  compare_names);
		gs_mask_settle_unique(planner.plan, lfirst(cell), !request->reading);
		gs_mask_check_table(planner.plan, request, lfirst(cell));
	}
	return planner.plan;
}

/*
 * gs_mask_report: an error with all that is against a plan, if anything is.
 */
void
gs_mask_report(const GsMaskPlan *plan)
{
	const GsMaskProblem *first;
	StringInfoData all;
	ListCell   *cell;

	if (plan->problems == NIL)
		return;
	first = linitial(plan->problems);
	initStringInfo(&all);
	if (list_length(plan->problems) > 1)
		foreach(cell, plan->problems)
			appendStringInfo(&all, "%s%s.", all.len > 0 ? "\n" : "",
							 ((GsMaskProblem *) lfirst(cell))->message);
	ereport(ERROR,
			(errcode(first->code),
			 all.len > 0 ?
			 errmsg("there are %d reasons against masking",
					list_length(plan->problems)) :
			 errmsg_internal("%s", first->message),
			 all.len > 0 ? errdetail_internal("%s", all.data) : 0,
			 errhint("%s", first->hint)));
}
