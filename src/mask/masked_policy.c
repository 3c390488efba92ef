/*
 * masked_policy.c
 *	  What becomes of the columns of a relation that is read masked: as the
 *	  caller chooses, or as its labels say.
 *
 * What a policy follows from (kinds that contents look like, keys, labels) is
 * looked at once in a session, and again when the relation, or any that keys
 * tie to it, has changed: a lookup by key must not cost more than a plain one.
 * Whoever writes a label invalidates the relation (label.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "catalog/access.h"
#include "catalog/strange.h"
#include "compat.h"
#include "mask/find_pii.h"
#include "mask/grant.h"
#include "mask/label.h"
#include "mask/mask.h"
#include "mask/mask_plan.h"
#include "mask/masked.h"
#include "mask/masker.h"
#include "mask/secret.h"

#define MAX_KEPT	64			/* policies in a session */

/* A policy that the session keeps. */
typedef struct KeptPolicy
{
	MemoryContext context;
	Oid			user;
	Oid			relid;
	char	   *asked;			/* columns and rules, as text; "": the policy */
	List	   *relids;			/* what it follows from */
	GsMaskedPolicy policy;
} KeptPolicy;

static List *kept_policies = NIL;	/* of KeptPolicy, in its own context */
static uint64 changes = 0;		/* that could concern any policy */

/* Frees what follows from a relation; from any, for InvalidOid. */
static void
forget(Oid relid)
{
	ListCell   *cell;

	changes++;
	foreach(cell, kept_policies)
	{
		KeptPolicy *kept = lfirst(cell);

		if (OidIsValid(relid) && !list_member_oid(kept->relids, relid))
			continue;
		kept_policies = foreach_delete_current(kept_policies, cell);
		MemoryContextDelete(kept->context);
	}
}

static void
relation_changed(Datum arg, Oid relid)
{
	forget(relid);
}

static void
constraint_changed(Datum arg, int cache, uint32 hash)
{
	forget(InvalidOid);
}

/*
 * gs_masked_init: once in a session.
 */
void
gs_masked_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(CONSTROID, constraint_changed, (Datum) 0);
}

static List *
read_columns(ArrayType *array)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
	List	   *names = NIL;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
					  &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("columns must not contain NULL"),
					 errhint("Name columns of the relation.")));
		names = lappend(names, TextDatumGetCString(values[i]));
	}
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("columns must not be empty"),
				 errhint("Leave it out for what the labels of the relation say.")));
	return names;
}

/*
 * gs_masked_call: reads the arguments of synth_masked.
 *
 * relid: of the shape's row type.  args: [4].  In the current memory context.
 * Errors: 42809 for a row type of no relation; 22004; 22023.
 */
void
gs_masked_call(GsMaskedCall *call, Oid relid, const NullableDatum *args)
{
	char		kind = get_rel_relkind(relid);

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE &&
		kind != RELKIND_VIEW && kind != RELKIND_MATVIEW &&
		kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is the row type of no table",
						get_rel_name(relid) ? quote_identifier(get_rel_name(relid)) : "it"),
				 errhint("Pass NULL::table_name.")));
	if (args[3].isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("key must not be null"),
				 errhint("Leave it out for the key \"default\".")));
	memset(call, 0, sizeof(GsMaskedCall));
	call->relid = relid;
	call->own = !args[1].isnull || !args[2].isnull;
	if (!args[1].isnull)
		call->columns = read_columns(DatumGetArrayTypeP(args[1].value));
	if (!args[2].isnull)
		call->rules = DatumGetJsonbPCopy(args[2].value);
	call->key = TextDatumGetCString(args[3].value);
	if (!call->own && strcmp(call->key, GS_DEFAULT_KEY) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key of a policy cannot be chosen"),
				 errhint("It is the owner's key \"default\". Whoever may read the table can name columns, and a key of their own.")));
}

/* What a call asks for, as text. */
static char *
asked_text(const GsMaskedCall *call)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, call->columns)
		appendStringInfo(&text, "%s,", quote_identifier(lfirst(cell)));
	if (call->rules != NULL)
		JsonbToCString(&text, &call->rules->root, VARSIZE(call->rules));
	return text.data;
}

static GsMaskColumn *
find_column(const List *columns, const char *name)
{
	ListCell   *cell;

	foreach(cell, columns)
		if (strcmp(((GsMaskColumn *) lfirst(cell))->name, name) == 0)
			return lfirst(cell);
	return NULL;
}

static bool
is_labelled(Oid relid, const char *name)
{
	AttrNumber	attnum = get_attnum(relid, name);

	return attnum > 0 && gs_label_of(relid, attnum) != NULL;
}

/* Whether a column is computed from masked ones, and so follows them. */
static bool
follows_masked(Oid relid, const char *name, const List *columns)
{
	Relation	relation;
	AttrNumber	attnum = get_attnum(relid, name);
	Bitmapset  *used = NULL;
	bool		follows = false;
	ListCell   *cell;

	if (attnum <= 0 || get_attgenerated(relid, attnum) == '\0')
		return false;
	relation = table_open(relid, AccessShareLock);
	pull_varattnos(build_column_default(relation, attnum), 1, &used);
	foreach(cell, columns)
		follows |= bms_is_member(get_attnum(relid,
											((GsMaskColumn *) lfirst(cell))->name) -
								 FirstLowInvalidHeapAttributeNumber, used);
	table_close(relation, AccessShareLock);
	return follows;
}

/* An error for what is surely personal, and of which no label speaks. */
static void
check_labels(GsMaskRequest *request, Oid relid, const List *columns)
{
	ListCell   *cell;

	foreach(cell, gs_mask_find_kinds(request, relid))
	{
		const GsPiiFinding *finding = lfirst(cell);

		if (finding->verdict.level == GS_PII_SURE &&
			!is_labelled(relid, finding->column) &&
			!follows_masked(relid, finding->column, columns))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("column \"%s\" of \"%s\" is surely personal (%s), and has no label",
							finding->column, get_rel_name(relid),
							finding->verdict.kind->name),
					 errhint("The table's owner gives it a rule with synth_label, such as 'keep'.")));
	}
}

/* The name of a column that is there, or NULL. */
static char *
column_name(Oid relid, AttrNumber attnum)
{
	char	   *name = get_attname(relid, attnum, true);

	/* that of a dropped one is no column's */
	return name != NULL && get_attnum(relid, name) == attnum ? name : NULL;
}

/* Columns that a relation has had. */
static int
count_columns(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	int			n;

	if (!HeapTupleIsValid(tuple))
		return 0;
	n = ((Form_pg_class) GETSTRUCT(tuple))->relnatts;
	ReleaseSysCache(tuple);
	return n;
}

static bool
has_labels(Oid relid)
{
	bool		found = false;
	int			natts = count_columns(relid);

	for (AttrNumber i = 1; i <= natts && !found; i++)
		found = column_name(relid, i) != NULL &&
			gs_label_of(relid, i) != NULL;
	return found;
}

/* A column of a table, on the way along foreign keys. */
typedef struct Visited
{
	Oid			relid;
	const char *name;
} Visited;

static List *
visit(List *visited, Oid relid, const char *name)
{
	ListCell   *cell;
	Visited    *column;

	foreach(cell, visited)
	{
		column = lfirst(cell);
		if (column->relid == relid && strcmp(column->name, name) == 0)
			return visited;
	}
	column = palloc(sizeof(Visited));
	column->relid = relid;
	column->name = name;
	return lappend(visited, column);
}

/*
 * A column that foreign keys tie, at whatever distance, to one that is
 * labelled with a pseudonym has pseudonyms, too, as in place.
 */
static void
follow_keys(GsMaskPlan *plan, Oid relid, const char *name, List **relids)
{
	List	   *visited = visit(NIL, relid, name);
	int			n;

	for (n = 0; n < list_length(visited); n++)
	{
		const Visited *column = list_nth(visited, n);
		AttrNumber	attnum = get_attnum(column->relid, column->name);
		GsRule	   *rule = attnum > 0 ? gs_label_of(column->relid, attnum) :
			NULL;
		ListCell   *cell;

		*relids = list_append_unique_oid(*relids, column->relid);
		if (rule != NULL && rule->action == GS_RULE_PSEUDONYM)
		{
			gs_mask_add_column(plan, relid, name, rule,
							   "keys tie it to a pseudonym", false);
			return;
		}
		foreach(cell, plan->links)
		{
			const GsMaskLink *link = lfirst(cell);

			if (link->relid == column->relid &&
				strcmp(link->name, column->name) == 0)
				visited = visit(visited, link->to_relid, link->to_name);
			if (link->to_relid == column->relid &&
				strcmp(link->to_name, column->name) == 0)
				visited = visit(visited, link->relid, link->name);
		}
	}
}

/*
 * gs_mask_follow_labels: adds the columns of what is read that keys tie to
 * pseudonyms.  While it is planned: the plan has its links.
 */
void
gs_mask_follow_labels(GsMaskPlan *plan, GsMaskRequest *request)
{
	Oid			relid = linitial_oid(request->relids);
	int			natts = count_columns(relid);

	for (AttrNumber i = 1; i <= natts; i++)
	{
		char	   *name = column_name(relid, i);
		GsMaskTable *table = gs_mask_find_table(plan, relid);

		if (name == NULL || get_attgenerated(relid, i) != '\0' ||
			is_labelled(relid, name) ||
			(table != NULL && find_column(table->columns, name) != NULL))
			continue;
		follow_keys(plan, relid, name, &request->followed);
	}
}

/*
 * The plan of a policy: found out with its owner's rights, restricted as
 * ANALYZE is, for the caller cannot look at the rows.
 */
static GsMaskPlan *
plan_of_owner(GsMaskRequest *request, Oid root, Oid owner)
{
	GsMaskPlan *volatile plan = NULL;
	char	   *name = get_rel_name(root);
	GsMaskTable *table;
	GsAccess	access;

	if (!has_labels(root))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"%s\" has no policy: none of its columns has a label",
						get_rel_name(root)),
				 errhint("Its owner says with synth_label what becomes of its columns; whoever may read the table can name columns.")));
	/* nor do functions of the owner's views find the caller's by name */
	gs_become(&access, owner, SECURITY_RESTRICTED_OPERATION);
	PG_TRY();
	{
		plan = gs_mask_plan(request);
	}
	PG_CATCH();
	{
		gs_masked_hide_error(name);
	}
	PG_END_TRY();
	gs_become_caller(&access);
	table = gs_mask_find_table(plan, root);
	check_labels(request, root, table != NULL ? table->columns : NIL);
	return plan;
}

static List *
copy_kept(const List *kept)
{
	List	   *copies = NIL;
	ListCell   *cell;

	foreach(cell, kept)
	{
		GsKeptColumn *copy = palloc(sizeof(GsKeptColumn));

		*copy = *(const GsKeptColumn *) lfirst(cell);
		copy->name = pstrdup(copy->name);
		copies = lappend(copies, copy);
	}
	return copies;
}

static GsMaskedColumn *
masked_column(const char *name, const char *rule, bool unique, int64 most)
{
	GsMaskedColumn *column = palloc0(sizeof(GsMaskedColumn));

	column->name = pstrdup(name);
	column->rule = gs_rule_parse(rule);
	column->unique = unique;
	column->most = most;
	return column;
}

/* Copies what a plan says of a table. */
static void
copy_plan(GsMaskedPolicy *policy, const GsMaskTable *table)
{
	ListCell   *cell;

	foreach(cell, table->columns)
	{
		const GsMaskColumn *column = lfirst(cell);

		policy->columns = lappend(policy->columns,
								  masked_column(column->name,
												column->rule->text,
												column->unique,
												column->most));
	}
	policy->kept = copy_kept(table->kept);
}

static GsMaskedPolicy *
copy_policy(const GsMaskedPolicy *policy)
{
	GsMaskedPolicy *copy = palloc0(sizeof(GsMaskedPolicy));
	ListCell   *cell;

	copy->reader = policy->reader;
	copy->table = pstrdup(policy->table);
	foreach(cell, policy->columns)
	{
		const GsMaskedColumn *column = lfirst(cell);

		copy->columns = lappend(copy->columns,
								masked_column(column->name,
											  column->rule->text,
											  column->unique,
											  column->most));
	}
	copy->kept = copy_kept(policy->kept);
	return copy;
}

/* Finds out what becomes of a relation's columns. */
static KeptPolicy *
make_policy(const GsMaskedCall *call, char *asked)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "gensynth policy",
												  ALLOCSET_SMALL_SIZES);
	GsMaskRequest request = {0};
	Oid			root = gs_mask_root(call->relid);
	Oid			owner = gs_owner_of(root);
	GsMaskPlan *plan;
	GsMaskTable *table;
	KeptPolicy *kept;
	MemoryContext old;

	request.relids = list_make1_oid(root);
	request.schemas = list_make1_oid(get_rel_namespace(root));
	request.columns = call->columns;
	request.named = call->columns != NIL;
	request.rules = call->rules;
	request.reading = true;
	request.by_labels = !call->own;
	request.followed = list_make2_oid(call->relid, root);
	plan = call->own ? gs_mask_plan(&request) :
		plan_of_owner(&request, root, owner);
	gs_mask_report(plan);
	table = gs_mask_find_table(plan, root);
	old = MemoryContextSwitchTo(context);
	kept = palloc0(sizeof(KeptPolicy));
	kept->context = context;
	kept->user = call->own ? GetUserId() : owner;
	kept->relid = call->relid;
	kept->asked = pstrdup(asked);
	kept->relids = list_copy(request.followed);
	kept->policy.reader = call->own ? InvalidOid : owner;
	kept->policy.table = get_rel_name(root);
	if (table != NULL)
		copy_plan(&kept->policy, table);
	MemoryContextSwitchTo(old);
	return kept;
}

/*
 * gs_masked_policy: what a call makes of the columns, in the current memory
 * context.  Errors: those of gs_mask_plan; 55000 where there are no labels, or
 * too few.
 */
GsMaskedPolicy *
gs_masked_policy(const GsMaskedCall *call)
{
	char	   *asked = asked_text(call);
	Oid			user = call->own ? GetUserId() :
		gs_owner_of(gs_mask_root(call->relid));
	KeptPolicy *kept;
	MemoryContext old;
	uint64		before;
	ListCell   *cell;

	/* labels that others have committed */
	AcceptInvalidationMessages();
	foreach(cell, kept_policies)
	{
		kept = lfirst(cell);
		if (kept->relid == call->relid && kept->user == user &&
			OidIsValid(kept->policy.reader) == !call->own &&
			strcmp(kept->asked, asked) == 0)
			return copy_policy(&kept->policy);
	}
	before = changes;
	kept = make_policy(call, asked);
	/* what has changed meanwhile is looked at the next time */
	if (before != changes)
		return copy_policy(&kept->policy);
	if (list_length(kept_policies) >= MAX_KEPT)
		forget(InvalidOid);
	MemoryContextSetParent(kept->context, CacheMemoryContext);
	old = MemoryContextSwitchTo(TopMemoryContext);
	kept_policies = lappend(kept_policies, kept);
	MemoryContextSwitchTo(old);
	return copy_policy(&kept->policy);
}

/*
 * gs_masked_key: the key of a call: the owner's, for a policy.  One's own key
 * "default" is made if there is none.
 */
void
gs_masked_key(const GsMaskedCall *call, const GsMaskedPolicy *policy,
			  GsPseudonymKey *key)
{
	Oid			user;
	int			context;
	bool		found;

	GetUserIdAndSecContext(&user, &context);
	if (OidIsValid(policy->reader))
		SetUserIdAndSecContext(policy->reader,
							   context | SECURITY_LOCAL_USERID_CHANGE);
	found = gs_secret_find(call->key, key);
	SetUserIdAndSecContext(user, context);
	if (found)
		return;
	if (OidIsValid(policy->reader))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the owner of \"%s\" has no key \"%s\"",
						policy->table, call->key),
				 errhint("The owner makes one with synth_key.")));
	if (strcmp(call->key, GS_DEFAULT_KEY) != 0 || XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("key \"%s\" does not exist", call->key),
				 errhint("synth_key makes one; SELECT * FROM synth_keys lists those that you may use.")));
	gs_secret_make(call->key, key);
}

/*
 * gs_masked_columns: the columns of a relation whose values are not the
 * source's: masked, or computed from such.
 *
 * columns: of GsMaskedColumn.
 * Returns places, from 0.
 */
Bitmapset *
gs_masked_columns(const List *columns, Oid relid)
{
	Relation	relation = table_open(relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);
	Bitmapset  *masked = NULL;
	Bitmapset  *computed = NULL;
	ListCell   *cell;
	int			at = -1;

	foreach(cell, columns)
	{
		AttrNumber	attnum = get_attnum(relid,
										((GsMaskedColumn *) lfirst(cell))->name);

		if (attnum > 0)
			masked = bms_add_member(masked, attnum - 1);
	}
	for (int i = 0; i < desc->natts; i++)
	{
		Bitmapset  *used = NULL;
		bool		follows = false;

		if (TupleDescAttr(desc, i)->attisdropped ||
			TupleDescAttr(desc, i)->attgenerated == '\0')
			continue;
		pull_varattnos(build_column_default(relation, i + 1), 1, &used);
		at = -1;
		while ((at = bms_next_member(used, at)) >= 0)
			follows |= at + FirstLowInvalidHeapAttributeNumber <= 0 ||
				bms_is_member(at + FirstLowInvalidHeapAttributeNumber - 1,
							  masked);
		if (follows)
			computed = bms_add_member(computed, i);
	}
	table_close(relation, AccessShareLock);
	return bms_add_members(masked, computed);
}

/*
 * gs_masked_describe: "email: email, id: pseudonym", for EXPLAIN.
 */
char *
gs_masked_describe(const GsMaskedPolicy *policy)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, policy->columns)
	{
		const GsMaskedColumn *column = lfirst(cell);

		appendStringInfo(&text, "%s%s: %s", text.len > 0 ? ", " : "",
						 quote_identifier(column->name), column->rule->text);
	}
	return text.data;
}
