/*
 * private_source.c
 *	  Of which table the rows of a private fit are, each of its rows at most
 *	  one.
 *
 * What is promised is about rows of a table.  So a view or a query is learned
 * only if it picks rows of one table and makes its columns of them, each row
 * by itself: a row of the table that is added then adds one at most, and moves
 * no other.  The rewritten query is walked, in which views have become
 * subqueries and row-level policies conditions; what is not known to be
 * harmless is refused.  Materialized views are looked through: what they hold is
 * what their query gave once.
 *
 * An expression that fails for some value would tell, by its error, that there
 * is one, without any noise.  So functions must be ones that cannot fail:
 * those that PostgreSQL calls leakproof, and some more.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "catalog/relation.h"
#include "compat.h"
#include "fit/private.h"

/* Immutable functions that do not fail, though they are not marked so. */
static const char *const total[] = {
	"lower", "upper", "length", "char_length", "character_length",
	"octet_length", "btrim", "ltrim", "rtrim", "left", "right", "strpos",
	"floor", "ceil", "ceiling", "numeric_eq", "numeric_ne", "numeric_lt",
	"numeric_le", "numeric_gt", "numeric_ge", "numeric_cmp", "enum_eq",
	"enum_ne",
	"date_eq_timestamp", "date_ne_timestamp", "date_lt_timestamp",
	"date_le_timestamp", "date_gt_timestamp", "date_ge_timestamp",
	"timestamp_eq_date", "timestamp_ne_date", "timestamp_lt_date",
	"timestamp_le_date", "timestamp_gt_date", "timestamp_ge_date"
};

/*
 * Those that look for a text in another, leakproof or not: before 18 they fail
 * under collations that call different texts equal.
 */
static const char *const searches[] = {
	"strpos", "starts_with", "textlike", "textnlike"
};

/* Those that do not if their second argument is a constant, but for 0, -1. */
static const char *const divisions[] = {
	"int2div", "int4div", "int8div", "int24div", "int42div", "int28div",
	"int82div", "int48div", "int84div", "int2mod", "int4mod", "int8mod"
};

/* Parts of dates and time stamps, infinity included. */
static const char *const fields[] = {
	"year", "quarter", "month", "week", "day", "dow", "isodow", "doy",
	"isoyear"
};

static bool check_node(Node *node, void *policy);
static Oid	check_query(const Query *query, List *public);

static bool
is_among(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/*
 * policy: the name of the table whose row-level policy has the part, or NULL.
 */
static void
refuse(const char *part, const char *policy)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 policy == NULL ?
			 errmsg("sources with %s cannot be learned with epsilon", part) :
			 errmsg("row-level policies of %s with %s cannot be learned with epsilon",
					policy, part),
			 errdetail("What one row of a table changes there is not bounded, or errors might tell of it."),
			 errhint("Learn a table, or a query that selects rows of one table, each by itself, with functions that cannot fail.")));
}

static const Const *
constant_at(List *args, int i)
{
	Node	   *node = list_length(args) > i ? list_nth(args, i) : NULL;

	return node != NULL && IsA(node, Const) &&
		!((Const *) node)->constisnull ? (const Const *) node : NULL;
}

/*
 * Whether a constant is a whole number that others can be divided by.
 */
static bool
divides(const Const *divisor)
{
	int64		value;

	if (divisor == NULL)
		return false;
	switch (divisor->consttype)
	{
		case INT2OID:
			value = DatumGetInt16(divisor->constvalue);
			break;
		case INT4OID:
			value = DatumGetInt32(divisor->constvalue);
			break;
		case INT8OID:
			value = DatumGetInt64(divisor->constvalue);
			break;
		default:
			return false;
	}
	return value != 0 && value != -1;
}

/*
 * LIKE fails where a pattern ends with an escape.
 */
static bool
is_pattern(const Const *pattern)
{
	return pattern != NULL && pattern->consttype == TEXTOID &&
		strchr(TextDatumGetCString(pattern->constvalue), '\\') == NULL;
}

/*
 * date_part makes a time stamp of a date first, which not all can be.
 */
static bool
is_field(const char *name, List *args)
{
	const Const *field = constant_at(args, 0);
	Oid			type = list_length(args) == 2 ? exprType(lsecond(args)) :
		InvalidOid;

	return field != NULL && field->consttype == TEXTOID &&
		(type == TIMESTAMPOID ||
		 (type == DATEOID && strcmp(name, "extract") == 0)) &&
		is_among(TextDatumGetCString(field->constvalue), fields,
				 lengthof(fields));
}

/*
 * Whether a number of up to 131,072 digits can be none with one more.
 */
static bool
is_rounded(const Node *number)
{
	return exprType(number) != NUMERICOID || exprTypmod(number) >= 0;
}

/*
 * Whether a function is in the list of those that do not fail, and not
 * another of the name.
 */
static bool
is_total(const char *name, List *args)
{
	char		category;
	bool		preferred;

	if (!is_among(name, total, lengthof(total)) || args == NIL)
		return false;
	get_type_category_preferred(exprType(linitial(args)), &category,
								&preferred);
	/* of lines, it can overflow; of bytes in an encoding, that may be wrong */
	if (strcmp(name, "length") == 0)
		return category != TYPCATEGORY_GEOMETRIC && list_length(args) == 1;
	/* of bytes that are no letters of the locale's */
	if (strcmp(name, "lower") == 0 || strcmp(name, "upper") == 0)
		return GetDatabaseEncoding() != PG_SQL_ASCII;
	return (strcmp(name, "floor") != 0 && strcmp(name, "ceil") != 0 &&
			strcmp(name, "ceiling") != 0) || is_rounded(linitial(args));
}

/*
 * Whether a call asks for a setting, which is the same for all rows.  It is
 * asked for here: where that fails, it is before there is a row.
 */
static bool
is_setting(const char *name, List *args)
{
	const Const *setting = constant_at(args, 0);
	const Const *missing_ok = constant_at(args, 1);

	if (strcmp(name, "current_setting") != 0 || setting == NULL ||
		(list_length(args) == 2 && missing_ok == NULL))
		return false;
	(void) GetConfigOptionByName(TextDatumGetCString(setting->constvalue),
								 NULL, missing_ok != NULL &&
								 DatumGetBool(missing_ok->constvalue));
	return true;
}

/*
 * Whether a function takes arguments of many types, such as arrays and rows:
 * what it does with these is up to functions of what they are made of, or it
 * finds with the first row that there are none.
 */
static bool
is_polymorphic(Oid function)
{
	Oid		   *types;
	int			n;

	(void) get_func_signature(function, &types, &n);
	for (int i = 0; i < n; i++)
		if (get_typtype(types[i]) == TYPTYPE_PSEUDO && types[i] != ANYENUMOID)
			return true;
	return false;
}

/*
 * An error unless a function follows from its arguments alone, and does not
 * fail for any.  Those of others are not trusted to be what they say.
 */
static void
check_function(Oid function, List *args, Oid collation, const char *policy)
{
	const char *name = get_func_name(function);
	bool		ok;

	if (name == NULL)
		elog(ERROR, "cache lookup failed for function %u", function);
	if (function >= FirstGenbkiObjectId)
		refuse(psprintf("function %s, which is not PostgreSQL's own,", name),
			   policy);
	if (is_setting(name, args))
		return;
	if (func_volatile(function) != PROVOLATILE_IMMUTABLE)
		refuse(psprintf("function %s, which is not immutable,", name), policy);
	/* without a collation, texts fail as soon as there is a row */
	ok = args == NIL || OidIsValid(collation) ||
		!type_is_collatable(exprType(linitial(args)));
	if (is_polymorphic(function) ||
		(is_among(name, searches, lengthof(searches)) &&
		 OidIsValid(collation) && !get_collation_isdeterministic(collation)))
		ok = false;
	if (strcmp(name, "textlike") == 0 || strcmp(name, "textnlike") == 0)
		ok &= is_pattern(constant_at(args, 1));
	else if (strcmp(name, "extract") == 0 || strcmp(name, "date_part") == 0)
		ok = is_field(name, args);
	else if (is_among(name, divisions, lengthof(divisions)))
		ok = divides(constant_at(args, 1));
	else
		ok &= (get_func_leakproof(function) &&
			   /* there may be none of it, as of a FIPS provider */
			   strcmp(name, "md5") != 0) || is_total(name, args);
	if (!ok)
		refuse(psprintf("function %s, which can fail,", name), policy);
}

/*
 * The same of what compares values of a type, as GREATEST and ORDER BY do.
 */
static void
check_comparison(Oid type, List *args, Oid collation, const char *policy)
{
	check_function(lookup_type_cache(type, TYPECACHE_CMP_PROC)->cmp_proc,
				   args, collation, policy);
}

/*
 * Numbers and the like as texts.
 */
static void
check_as_text(CoerceViaIO *cast, const char *policy)
{
	Oid			from = getBaseType(exprType((Node *) cast->arg));

	if (cast->resulttype != TEXTOID ||
		(from != BOOLOID && from != INT2OID && from != INT4OID &&
		 from != INT8OID && from != NUMERICOID && from != UUIDOID))
		refuse(psprintf("a cast from %s to %s", format_type_be(from),
						format_type_be(cast->resulttype)), policy);
}

/*
 * Walks an expression of columns of the query's only relation.
 */
static bool
check_node(Node *node, void *policy)
{
	if (node == NULL)
		return false;
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_Var:
			/* where a row is depends on others */
			if (((Var *) node)->varattno <= 0)
				refuse("system columns or whole rows", policy);
			if (((Var *) node)->varlevelsup > 0)
				refuse("subqueries", policy);
			break;
		case T_FuncExpr:
			check_function(((FuncExpr *) node)->funcid,
						   ((FuncExpr *) node)->args,
						   ((FuncExpr *) node)->inputcollid, policy);
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			/* all three are OpExprs */
			check_function(get_opcode(((OpExpr *) node)->opno),
						   ((OpExpr *) node)->args,
						   ((OpExpr *) node)->inputcollid, policy);
			break;
		case T_ScalarArrayOpExpr:
			check_function(get_opcode(((ScalarArrayOpExpr *) node)->opno),
						   ((ScalarArrayOpExpr *) node)->args,
						   ((ScalarArrayOpExpr *) node)->inputcollid, policy);
			break;
		case T_MinMaxExpr:
			check_comparison(((MinMaxExpr *) node)->minmaxtype,
							 ((MinMaxExpr *) node)->args,
							 ((MinMaxExpr *) node)->inputcollid, policy);
			break;
		case T_CoerceViaIO:
			check_as_text((CoerceViaIO *) node, policy);
			break;
		case T_ArrayExpr:
			/* those of different lengths do not go together */
			if (((ArrayExpr *) node)->multidims)
				refuse("arrays of arrays", policy);
			break;
		case T_SubLink:
			refuse("subqueries", policy);
			break;
		case T_List:
		case T_TargetEntry:
		case T_Const:
		case T_RelabelType:
		case T_CollateExpr:
		case T_BoolExpr:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_NullTest:
		case T_BooleanTest:
			/* the role, the day: the same for all rows */
		case T_SQLValueFunction:
			break;
		default:
			refuse("expressions of this kind", policy);
	}
	return expression_tree_walker(node, check_node, policy);
}

/*
 * The part of a query that takes several rows together, or makes several of
 * one; NULL if there is none.
 */
static const char *
find_part(const Query *query, List *public)
{
	ListCell   *cell;

	if (query->cteList != NIL)
		return "WITH";
	if (query->setOperations != NULL)
		return "UNION, INTERSECT or EXCEPT";
	if (query->hasAggs || query->groupClause != NIL ||
		query->groupingSets != NIL || query->havingQual != NULL)
		return "grouping or aggregates";
	if (query->hasWindowFuncs)
		return "window functions";
	if (query->distinctClause != NIL)
		return "DISTINCT";
	if (query->limitCount != NULL || query->limitOffset != NULL)
		return "LIMIT or OFFSET";
	if (query->hasTargetSRFs)
		return "set-returning functions";
	if (query->jointree->fromlist == NIL)
		return "no table";
	if (gs_private_joined(query, public, NULL) == 0)
		return "joins";
	foreach(cell, query->rtable)
		if (lfirst_node(RangeTblEntry, cell)->tablesample != NULL)
			return "TABLESAMPLE";
	return NULL;
}

/*
 * What a query selects from, public tables aside, as a place in its range
 * table.
 */
static int
selects_from(const Query *query)
{
	Node	   *node = linitial(query->jointree->fromlist);

	while (IsA(node, JoinExpr))
		node = ((JoinExpr *) node)->larg;
	return castNode(RangeTblRef, node)->rtindex;
}

static RangeTblEntry *
entry_at(const Query *query, int rel)
{
	return list_nth_node(RangeTblEntry, query->rtable, rel - 1);
}

/*
 * An error unless a relation is a table whose rows the ledger keeps account
 * of.
 */
static void
check_table(Oid relid)
{
	char		kind = get_rel_relkind(relid);
	char	   *name = gs_relation_name(relid, NULL);

	if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("temporary tables cannot be learned with epsilon"),
				 errdetail("No ledger can be kept of what goes away with the session."),
				 errhint("Use an ordinary table.")));
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s cannot be learned with epsilon", name),
				 errhint("Learn an ordinary table.")));
}

/*
 * The same of tables whose rows it has, too.
 */
static void
check_children(Oid relid)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relid, AccessShareLock, NULL))
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_FOREIGN_TABLE)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("%s cannot be learned with epsilon",
							gs_relation_name(lfirst_oid(cell), NULL)),
					 errdetail("Nothing is known of how rows of a foreign table come about."),
					 errhint("Learn an ordinary table.")));
}

/*
 * An error for columns that are computed when they are read, of a table or of
 * a join: that may fail.
 */
static void
check_computed(const Query *query, int rel)
{
	const RangeTblEntry *entry = entry_at(query, rel);
	Bitmapset  *columns = NULL;
	int			i = -1;

	pull_varattnos((Node *) query->targetList, rel, &columns);
	pull_varattnos((Node *) query->jointree, rel, &columns);
	pull_varattnos((Node *) entry->securityQuals, rel, &columns);
	if (entry->rtekind == RTE_JOIN && columns != NULL)
		refuse("columns that several tables of a join have", NULL);
	while (entry->rtekind == RTE_RELATION &&
		   (i = bms_next_member(columns, i)) >= 0)
		if (get_attgenerated(entry->relid,
							 i + FirstLowInvalidHeapAttributeNumber) ==
			GS_GENERATED_VIRTUAL)
			refuse("virtual generated columns", NULL);
}

/*
 * Rows that are put in order are compared, by who knows what function.
 */
static void
check_order(SortGroupClause *order, List *targets)
{
	Node	   *by = get_sortgroupclause_expr(order, targets);

	check_function(get_opcode(order->sortop), list_make1(by),
				   exprCollation(by), NULL);
}

/*
 * Checks the expressions of a query, but for those of queries in FROM.
 */
static void
check_expressions(const Query *query, List *public)
{
	List	   *quals = NIL;
	ListCell   *cell;

	(void) gs_private_joined(query, public, &quals);
	(void) check_node((Node *) query->targetList, NULL);
	(void) check_node(query->jointree->quals, NULL);
	(void) check_node((Node *) quals, NULL);
	foreach(cell, query->sortClause)
		check_order(lfirst(cell), query->targetList);
	for (int rel = 1; rel <= list_length(query->rtable); rel++)
	{
		const RangeTblEntry *entry = entry_at(query, rel);

		foreach(cell, entry->securityQuals)
			(void) check_node(lfirst(cell), entry->rtekind == RTE_RELATION ?
							  gs_relation_name(entry->relid, NULL) : NULL);
		check_computed(query, rel);
	}
}

/*
 * The rewritten query whose rows a materialized view holds, as its owner reads
 * them; NULL if a relation is none.
 */
static const Query *
query_of_kept(Oid relid)
{
	Query	   *query = NULL;
	Relation	view;

	if (get_rel_relkind(relid) != RELKIND_MATVIEW)
		return NULL;
	view = table_open(relid, AccessShareLock);
	for (int i = 0; view->rd_rules != NULL && i < view->rd_rules->numLocks; i++)
		if (view->rd_rules->rules[i]->event == CMD_SELECT)
			query = copyObject(linitial_node(Query,
											 view->rd_rules->rules[i]->actions));
	table_close(view, NoLock);
	if (query == NULL)
		refuse("no query", NULL);
	AcquireRewriteLocks(query, true, false);
	return linitial_node(Query, QueryRewrite(query));
}

/*
 * Finds the table of a query, or of the query that a view is.
 */
static Oid
check_query(const Query *query, List *public)
{
	const char *part = find_part(query, public);
	const RangeTblEntry *from;
	const Query *kept;

	check_stack_depth();
	if (part != NULL)
		refuse(part, NULL);
	check_expressions(query, public);
	from = entry_at(query, selects_from(query));
	if (from->rtekind == RTE_SUBQUERY)
		return check_query(from->subquery, public);
	if (from->rtekind == RTE_FUNCTION)
		refuse("functions in FROM", NULL);
	if (from->rtekind != RTE_RELATION)
		refuse("no table", NULL);
	kept = query_of_kept(from->relid);
	if (kept != NULL)
		return check_query(kept, public);
	check_table(from->relid);
	if (from->inh)
		check_children(from->relid);
	return from->relid;
}

/*
 * The rewritten query of a source.
 */
static const Query *
query_of(const GsSource *source)
{
	CachedPlanSource *plan = linitial(SPI_plan_get_plan_sources(source->plan));

	return linitial_node(Query, plan->query_list);
}

/*
 * gs_private_table_of: the table that a source shows rows of, each by itself
 * and once at most, or an error: feature_not_supported.
 *
 * public: C strings, names of tables that may be joined to it
 */
Oid
gs_private_table_of(const GsSource *source, List *public)
{
	return check_query(query_of(source), public);
}

/*
 * gs_private_column_of: the column of that table that a column of the source
 * is, from 0 on; InvalidAttrNumber if it is none of them as it stands.
 */
AttrNumber
gs_private_column_of(const GsSource *source, int column)
{
	const Query *query = query_of(source);
	AttrNumber	attnum = column + 1;
	const RangeTblEntry *from;

	for (;;)
	{
		const TargetEntry *entry = list_nth_node(TargetEntry,
												 query->targetList,
												 attnum - 1);
		int			rel = selects_from(query);

		if (!IsA(entry->expr, Var) || ((Var *) entry->expr)->varno != rel)
			return InvalidAttrNumber;
		attnum = ((Var *) entry->expr)->varattno;
		from = entry_at(query, rel);
		query = from->rtekind == RTE_RELATION ? query_of_kept(from->relid) :
			from->subquery;
		if (query == NULL)
			return attnum;
	}
}
