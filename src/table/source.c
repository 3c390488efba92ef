/*
 * source.c
 *	  The real side: what is learned from, read as the calling user.
 *
 * A source is a relation or a query; both are run as a query through the
 * executor, so that privileges, column privileges and row-level security are
 * those of the caller.  Rows are handed on one by one as the executor makes
 * them; nothing is collected.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "compat.h"
#include "table/source.h"

/*
 * gs_default_name: what the model of a relation is called: different for all
 * relations.
 */
char *
gs_default_name(const char *schema, const char *relation)
{
	return quote_qualified_identifier(strcmp(schema, "public") == 0 ? NULL :
									  schema, relation);
}

/*
 * gs_relation_name: a relation's name, qualified and quoted, and the name of
 * its model by default, if model is not NULL.
 */
char *
gs_relation_name(Oid relid, char **model)
{
	Oid			schema = get_rel_namespace(relid);
	char	   *relation = get_rel_name(relid);
	char	   *name;

	if (relation == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid),
				 errhint("It may have been dropped a moment ago.")));
	name = get_namespace_name_or_temp(schema);
	if (model != NULL)
		*model = gs_default_name(name, relation);
	return quote_qualified_identifier(name, relation);
}

/*
 * gs_is_named: whether a name is among C strings.
 */
bool
gs_is_named(const List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	return false;
}

/*
 * An error for the first of the wanted names that is not among those there.
 */
static void
check_names(TupleDesc desc, List *names, const char *argument)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		bool		found = false;

		for (int i = 0; i < desc->natts && !found; i++)
			found = !TupleDescAttr(desc, i)->attisdropped &&
				strcmp(NameStr(TupleDescAttr(desc, i)->attname),
					   lfirst(cell)) == 0;
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" in argument %s does not exist in the source",
							(char *) lfirst(cell), argument),
					 errhint("Names are compared as they are, without folding to lower case.")));
	}
}

/*
 * SELECT of the columns wanted.
 */
static char *
build_select(TupleDesc desc, List *columns, List *exclude, const char *from)
{
	StringInfoData query;
	int			n = 0;

	check_names(desc, columns, "columns");
	check_names(desc, exclude, "exclude");
	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *name = NameStr(attribute->attname);

		if (attribute->attisdropped || gs_is_named(exclude, name) ||
			(columns != NIL && !gs_is_named(columns, name)))
			continue;
		appendStringInfo(&query, "%s%s", n++ > 0 ? ", " : "",
						 quote_identifier(name));
	}
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("source has no columns to learn from"),
				 errhint("A source needs at least one column that columns and exclude leave in.")));
	appendStringInfo(&query, " FROM %s", from);
	return query.data;
}

static void
open_relation(GsSource *source, Oid relid, List *columns, List *exclude)
{
	char		kind = get_rel_relkind(relid);
	Relation	relation;

	source->relation = gs_relation_name(relid, &source->model);
	source->relid = relid;
	source->text = source->relation;
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE &&
		kind != RELKIND_VIEW && kind != RELKIND_MATVIEW &&
		kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot learn from %s", source->relation),
				 errhint("A source is a table, a view, a materialized view, a foreign table, or a query.")));
	relation = relation_open(relid, AccessShareLock);
	source->query = build_select(RelationGetDescr(relation), columns, exclude,
								 source->relation);
	relation_close(relation, NoLock);
}

/*
 * The place of a syntax error is one in the source, and not in the statement
 * that called us.
 */
static void
parse_error(void *text)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(text);
	}
}

static List *
parse(const char *text)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = parse_error,
		.arg = unconstify(char *, text)
	};
	List	   *statements;

	error_context_stack = &callback;
	statements = raw_parser(text, RAW_PARSE_DEFAULT);
	error_context_stack = callback.previous;
	return statements;
}

/*
 * A query must be one statement that reads: SELECT, WITH, VALUES or TABLE.
 * Returns it without the semicolon that it may end with.
 */
static char *
check_query(const char *text)
{
	List	   *statements = parse(text);
	RawStmt    *statement;
	SelectStmt *select;

	if (list_length(statements) != 1 ||
		!IsA(linitial_node(RawStmt, statements)->stmt, SelectStmt))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("source is neither a relation nor a query"),
				 errhint("Pass the name of a table or view, or one SELECT, WITH, VALUES or TABLE statement.")));
	statement = linitial_node(RawStmt, statements);
	select = (SelectStmt *) statement->stmt;
	while (select->op != SETOP_NONE)
		select = select->larg;
	if (select->intoClause != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("source must not be a SELECT INTO"),
				 errhint("Leave out the INTO clause.")));
	return statement->stmt_len > 0 ?
		pnstrdup(text, statement->stmt_location + statement->stmt_len) :
		pstrdup(text);
}

static CachedPlanSource *
plan_source(SPIPlanPtr plan)
{
	List	   *sources = SPI_plan_get_plan_sources(plan);

	if (list_length(sources) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("source must be one query"),
				 errhint("Pass one SELECT, WITH, VALUES or TABLE statement.")));
	return linitial(sources);
}

static SPIPlanPtr
prepare(const char *query)
{
	SPIPlanPtr	plan = SPI_prepare(query, 0, NULL);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * A query's result columns must have names that are all different.
 */
static void
check_result(TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(NameStr(TupleDescAttr(desc, i)->attname),
					   NameStr(TupleDescAttr(desc, j)->attname)) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("source has two columns named \"%s\"",
								NameStr(TupleDescAttr(desc, i)->attname)),
						 errhint("Name the columns of the query with AS.")));
}

/*
 * Whether a relation has row-level security that does not apply to the role
 * that reads it: the caller, or the owner of a view.
 */
static bool
bypasses_rls(Oid relid, Oid role)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		secured;

	if (!HeapTupleIsValid(tuple))
		return false;
	secured = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
	ReleaseSysCache(tuple);
	return secured && check_enable_rls(relid, role, true) != RLS_ENABLED;
}

/*
 * The owner of a relation; InvalidOid if it is gone.
 */
static Oid
relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

static void
add_other(GsSource *source, char *what)
{
	if (!gs_is_named(source->others, what))
		source->others = lappend(source->others, what);
}

/*
 * Notes a function that runs with its owner's rights.
 */
static bool
find_definer(Oid function, void *context)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc;

	if (!HeapTupleIsValid(tuple))
		return false;
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	if (proc->prosecdef && proc->proowner != GetUserId())
		add_other(context,
				  psprintf("the source calls function %s, which runs with the rights of role \"%s\"",
						   format_procedure_qualified(function),
						   GetUserNameFromId(proc->proowner, false)));
	ReleaseSysCache(tuple);
	return false;
}

/*
 * Notes a relation that is read with another's rights: through a view, or as
 * a materialized view was when it was refreshed.
 */
static void
find_reader(GsSource *source, Oid relid, Oid reader)
{
	const char *name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
												  get_rel_name(relid));
	Oid			owner;

	if (OidIsValid(reader) && reader != GetUserId())
		add_other(source,
				  psprintf("relation %s was read through a view with the rights of role \"%s\"",
						   name, GetUserNameFromId(reader, false)));
	owner = get_rel_relkind(relid) == RELKIND_MATVIEW ?
		relation_owner(relid) : InvalidOid;
	if (OidIsValid(owner) && owner != GetUserId())
		add_other(source,
				  psprintf("materialized view %s holds what role \"%s\" had the right to read",
						   name, GetUserNameFromId(owner, false)));
}

/*
 * Looks through a rewritten query and its subqueries, those that views became
 * included: refuses what does more than read, and finds row-level security
 * that is bypassed, and rights of others that are used.
 */
static bool
examine(Node *node, void *context)
{
	GsSource   *source = context;
	Query	   *query = (Query *) node;
	ListCell   *cell;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
	{
		(void) check_functions_in_node(node, find_definer, source);
		return expression_tree_walker(node, examine, context);
	}
	if (query->commandType != CMD_SELECT || query->hasModifyingCTE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("source must not change data"),
				 errhint("Leave INSERT, UPDATE and DELETE out of the query.")));
	if (query->rowMarks != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("source must not lock rows"),
				 errhint("Leave FOR UPDATE and FOR SHARE out of the query.")));
	foreach(cell, query->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);

		if (entry->rtekind != RTE_RELATION ||
			entry->relkind == RELKIND_VIEW)
			continue;
		source->relids = list_append_unique_oid(source->relids, entry->relid);
		source->bypasses_rls |= bypasses_rls(entry->relid,
											 gs_reading_role(query, entry));
		find_reader(source, entry->relid, gs_reading_role(query, entry));
	}
	return query_tree_walker(query, examine, context, 0);
}

/*
 * gs_source_open: finds out what a source is, and prepares its query.
 *
 * columns, exclude: C strings, NIL for none.  To be called within an SPI
 * connection; the current context stays what it is, unlike with SPI's own
 * functions.  Errors: undefined_table, syntax_error, wrong_object_type and
 * those of the query's own parse.
 */
GsSource *
gs_source_open(const char *text, List *columns, List *exclude)
{
	MemoryContext context = CurrentMemoryContext;
	GsSource   *source = palloc0(sizeof(GsSource));
	List	   *names;
	ListCell   *cell;

	if (SplitIdentifierString(pstrdup(text), '.', &names) && names != NIL)
	{
		RangeVar   *name = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(text)));
		Oid			relid = RangeVarGetRelid(name, AccessShareLock, true);

		if (!OidIsValid(relid))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("relation \"%s\" does not exist", text),
					 errhint("A source is the name of a table or view, or a query and a model name.")));
		open_relation(source, relid, columns, exclude);
	}
	else
	{
		CachedPlanSource *plan;

		source->text = text;
		source->query = check_query(text);
		plan = plan_source(prepare(source->query));
		check_result(plan->resultDesc);
		if (columns != NIL || exclude != NIL)
			source->query = build_select(plan->resultDesc, columns, exclude,
										 psprintf("(%s\n) AS source",
												  source->query));
	}
	source->plan = prepare(source->query);
	source->desc = plan_source(source->plan)->resultDesc;
	if (source->desc == NULL || source->desc->natts == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("source has no columns to learn from"),
				 errhint("A source needs at least one column.")));
	if (InLocalUserIdChange())
		add_other(source,
				  psprintf("the fit was called by a function that runs with the rights of role \"%s\"",
						   GetUserNameFromId(GetUserId(), false)));
	foreach(cell, plan_source(source->plan)->query_list)
		examine(lfirst(cell), source);
	MemoryContextSwitchTo(context);
	return source;
}

/*
 * gs_source_rows: how many rows a table is said to have, with its partitions
 * or the tables that inherit from it; -1 if that is not known, or if it is no
 * table.
 */
int64
gs_source_rows(const GsSource *source)
{
	List	   *relids;
	double		rows = 0;
	ListCell   *cell;

	if (!OidIsValid(source->relid) ||
		get_rel_relkind(source->relid) == RELKIND_VIEW)
		return -1;
	relids = find_all_inheritors(source->relid, NoLock, NULL);
	foreach(cell, relids)
	{
		HeapTuple	tuple = SearchSysCache1(RELOID,
											ObjectIdGetDatum(lfirst_oid(cell)));
		Form_pg_class form;

		if (!HeapTupleIsValid(tuple))
			continue;
		form = (Form_pg_class) GETSTRUCT(tuple);
		/* a partitioned table's own count is that of its partitions */
		if (form->relkind != RELKIND_PARTITIONED_TABLE)
			rows = form->reltuples < 0 || rows < 0 ? -1 :
				rows + form->reltuples;
		ReleaseSysCache(tuple);
	}
	return (int64) rows;
}

typedef struct RowReceiver
{
	DestReceiver pub;
	const GsSource *source;		/* NULL: rows are passed on as they are */
	GsRowCallback row;
	void	   *arg;
} RowReceiver;

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;

	slot_getallattrs(slot);
	if (receiver->source != NULL && receiver->source->extend != NULL)
		receiver->source->extend(slot, receiver->row, receiver->arg,
								 receiver->source->extend_arg);
	else
		receiver->row(slot, receiver->arg);
	return true;
}

static void
receive_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
}

static void
receive_nothing(DestReceiver *self)
{
}

static RowReceiver
row_receiver(GsRowCallback row, void *arg)
{
	return (RowReceiver)
	{
		.pub = {receive_row, receive_startup, receive_nothing,
		receive_nothing, DestNone},
			.row = row,.arg = arg
	};
}

/*
 * gs_source_cursor: opens a cursor for the query, as the caller.  Returns its
 * name, in the current context; it lasts as long as the transaction.
 */
char *
gs_source_cursor(GsSource *source)
{
	MemoryContext context = CurrentMemoryContext;
	Portal		portal = SPI_cursor_open(NULL, source->plan, NULL, NULL, true);

	MemoryContextSwitchTo(context);
	if (portal == NULL)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(SPI_result));
	return pstrdup(portal->name);
}

/*
 * gs_source_fetch: calls row(slot, arg) on up to n further rows of a cursor.
 * Returns how many.  Errors: undefined_cursor if it was closed.
 */
int
gs_source_fetch(const char *cursor, int n, GsRowCallback row, void *arg)
{
	RowReceiver receiver = row_receiver(row, arg);
	Portal		portal = GetPortalByName(cursor);

	if (!PortalIsValid(portal))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_CURSOR),
				 errmsg("the source is not open any more"),
				 errhint("Read all rows in the transaction that began to.")));
	return (int) PortalRunFetch(portal, FETCH_FORWARD, n, &receiver.pub);
}

/*
 * gs_source_close: closes a cursor, unless the transaction has.
 */
void
gs_source_close(const char *cursor)
{
	Portal		portal = GetPortalByName(cursor);

	if (PortalIsValid(portal))
		PortalDrop(portal, false);
}

/*
 * gs_source_read: runs the query and calls row(slot, arg) on each row, all
 * columns of the slot fetched.  Can be cancelled.
 */
void
gs_source_read(GsSource *source, GsRowCallback row, void *arg)
{
	RowReceiver receiver = row_receiver(row, arg);
	SPIExecuteOptions options = {.read_only = true,.dest = &receiver.pub};
	MemoryContext context = CurrentMemoryContext;
	int			result;

	receiver.source = source;
	result = SPI_execute_plan_extended(source->plan, &options);
	MemoryContextSwitchTo(context);
	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
}

/*
 * gs_query_read: the same of any query, which sees what the transaction has
 * done before it.  To be called within an SPI connection.
 */
void
gs_query_read(const char *query, GsRowCallback row, void *arg)
{
	RowReceiver receiver = row_receiver(row, arg);
	SPIExecuteOptions options = {.dest = &receiver.pub};
	MemoryContext context = CurrentMemoryContext;
	int			result = SPI_execute_extended(query, &options);

	MemoryContextSwitchTo(context);
	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
}
