/*
 * condition.c
 *	  SQL conditions on the columns of a model: which of them a model may
 *	  carry, how they are stored, and how they are evaluated.
 *
 * The text is that of a CHECK constraint, or a user's.  It is read as a CHECK
 * constraint is: no subqueries, no aggregates, nothing but the row.
 *
 * Whoever samples evaluates it, with rights of their own, and it was somebody
 * else who wrote it.  So there is one rule, and nothing to be judged case by
 * case: every function, operator and cast is an immutable one that came with
 * PostgreSQL, on types that did, none of them a domain or composite (whose
 * CHECKs are code) or one that stands for an object.  Since the parser itself
 * runs input functions on literals, the names in a text are looked at before
 * it is parsed, and its functions before they are run on constants.
 *
 * A condition is stored as PostgreSQL writes it under settings that are always
 * the same, its columns as $1, $2 and so on in the order of the schema, and is
 * read under them: no setting of who samples can change what it means.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/resowner.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "codec/styles.h"
#include "constraint/condition.h"

/* What a name is looked up in. */
typedef struct Scope
{
	const char *text;			/* of the condition */
	const GsSchema *schema;
	Bitmapset  *columns;		/* that were found */
} Scope;

/*
 * An error for a condition that a model must not carry.
 */
GS_NORETURN static void
refuse(const Scope *scope, int sqlstate, const char *what)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("condition \"%s\" uses %s", scope->text, what),
			 errhint("Conditions of a model may use immutable functions, operators and casts of pg_catalog alone, on its types.  Leave others to CHECK constraints of the table that is filled.")));
}

/*
 * Whether values of a type are written as names, which are looked up, and kept
 * as the objects' numbers: regclass and all its kin, whatever their number in
 * this major, and access rights, which name roles.
 */
static bool
stands_for_object(Oid type)
{
	Oid			input;
	Oid			param;

	if (type == ACLITEMOID)
		return true;
	if (type == OIDOID || !IsBinaryCoercible(type, OIDOID))
		return false;
	getTypeInputInfo(type, &input, &param);
	return func_volatile(input) != PROVOLATILE_IMMUTABLE;
}

/*
 * Whether a type came with PostgreSQL, runs no CHECK when a value of it is
 * made, and does not stand for an object; of an array, its elements too.
 */
static bool
is_plain_type(Oid type)
{
	Oid			element = get_element_type(type);
	char		kind;

	if (OidIsValid(element))
		return is_plain_type(element);
	if (type >= FirstUnpinnedObjectId)
		return false;
	kind = get_typtype(type);
	return (kind == TYPTYPE_BASE || kind == TYPTYPE_RANGE ||
			kind == TYPTYPE_MULTIRANGE) && !stands_for_object(type);
}

/*
 * Refuses a name that can be of another schema than pg_catalog.
 */
static void
check_name(const Scope *scope, const char *kind, List *name)
{
	if (list_length(name) > 2 ||
		(list_length(name) == 2 && strcmp(strVal(linitial(name)),
										  "pg_catalog") != 0))
		refuse(scope, ERRCODE_FEATURE_NOT_SUPPORTED,
			   psprintf("%s %s", kind, NameListToString(name)));
}

/*
 * Refuses what must not even be parsed: names of other schemas, whose types'
 * input functions the parser would run, and kinds of expressions that are not
 * known here.
 */
static bool
look_at_names(Node *node, void *context)
{
	const Scope *scope = context;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_TypeName:
			{
				Oid			type = LookupTypeNameOid(NULL, (TypeName *) node,
													 false);

				if (!is_plain_type(type))
					refuse(scope, ERRCODE_FEATURE_NOT_SUPPORTED,
						   psprintf("type %s", format_type_be(type)));
				break;
			}
		case T_FuncCall:
			check_name(scope, "function", ((FuncCall *) node)->funcname);
			break;
		case T_A_Expr:
			check_name(scope, "operator", ((A_Expr *) node)->name);
			break;
		case T_CollateClause:
			check_name(scope, "collation", ((CollateClause *) node)->collname);
			break;
		case T_A_ArrayExpr:
		case T_A_Const:
		case T_A_Indices:
		case T_A_Indirection:
		case T_BoolExpr:
		case T_BooleanTest:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CoalesceExpr:
		case T_ColumnRef:
		case T_List:
		case T_MinMaxExpr:
		case T_NamedArgExpr:
		case T_NullTest:
		case T_ParamRef:
		case T_SQLValueFunction:
		case T_String:
		case T_Integer:
		case T_A_Star:
		case T_TypeCast:
			break;
		default:
			refuse(scope, ERRCODE_FEATURE_NOT_SUPPORTED,
				   "a subquery, a row, or another expression that only a table can evaluate");
	}
	return raw_expression_tree_walker(node, look_at_names, context);
}

static bool
is_not_allowed(Oid function, void *context)
{
	const Scope *scope = context;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	if (function >= FirstUnpinnedObjectId ||
		proc->pronamespace != PG_CATALOG_NAMESPACE)
		refuse(scope, ERRCODE_FEATURE_NOT_SUPPORTED,
			   psprintf("function %s", format_procedure(function)));
	if (proc->provolatile != PROVOLATILE_IMMUTABLE)
		refuse(scope, ERRCODE_INVALID_OBJECT_DEFINITION,
			   psprintf("function %s, which is not immutable",
						format_procedure(function)));
	ReleaseSysCache(tuple);
	return false;
}

/*
 * Refuses expressions that are not of the kind that a model may carry, before
 * any of them is run, on constants.
 */
static bool
look_at_functions(Node *node, void *context)
{
	const Scope *scope = context;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_List:
		case T_CaseWhen:
			return expression_tree_walker(node, look_at_functions, context);
		case T_ArrayCoerceExpr:
		case T_ArrayExpr:
		case T_BoolExpr:
		case T_BooleanTest:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_CoerceViaIO:
		case T_CollateExpr:
		case T_Const:
		case T_DistinctExpr:
		case T_FuncExpr:
		case T_MinMaxExpr:
		case T_NamedArgExpr:
		case T_NullIfExpr:
		case T_NullTest:
		case T_OpExpr:
		case T_RelabelType:
		case T_ScalarArrayOpExpr:
		case T_SubscriptingRef:
		case T_Var:
			break;
		case T_SQLValueFunction:
			refuse(scope, ERRCODE_INVALID_OBJECT_DEFINITION,
				   "the time or the role at hand, which is not immutable");
			break;
		default:
			refuse(scope, ERRCODE_FEATURE_NOT_SUPPORTED,
				   "a row, a domain, or another expression that only a table can evaluate");
	}
	if (!is_plain_type(exprType(node)))
		refuse(scope, ERRCODE_FEATURE_NOT_SUPPORTED,
			   psprintf("type %s", format_type_be(exprType(node))));
	(void) check_functions_in_node(node, is_not_allowed, context);
	return expression_tree_walker(node, look_at_functions, context);
}

/*
 * A column, from 0, as a Var.
 */
static Node *
column_var(Scope *scope, int c)
{
	const GsColumn *column = &scope->schema->columns[c];

	if (!is_plain_type(column->type))
		refuse(scope, ERRCODE_FEATURE_NOT_SUPPORTED,
			   psprintf("column \"%s\" of type %s", column->name,
						format_type_be(column->type)));
	scope->columns = bms_add_member(scope->columns, c);
	return (Node *) makeVar(1, c + 1, column->type, column->typmod,
							get_typcollation(column->type), 0);
}

/*
 * A column by its name; NULL leaves it to the parser, which will complain.
 */
static Node *
find_column(ParseState *pstate, ColumnRef *ref)
{
	Scope	   *scope = pstate->p_ref_hook_state;

	/* the parser takes for granted that a lone star is a target */
	if (IsA(linitial(ref->fields), A_Star))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a condition cannot be about all columns"),
				 errhint("Name the columns, as in \"discharge >= admission\".")));
	if (list_length(ref->fields) != 1 || !IsA(linitial(ref->fields), String))
		return NULL;
	for (int c = 0; c < scope->schema->ncolumns; c++)
		if (strcmp(scope->schema->columns[c].name,
				   strVal(linitial(ref->fields))) == 0)
			return column_var(scope, c);
	return NULL;
}

/*
 * A column of a stored condition, by its number.
 */
static Node *
find_number(ParseState *pstate, ParamRef *ref)
{
	Scope	   *scope = pstate->p_ref_hook_state;

	if (ref->number < 1 || ref->number > scope->schema->ncolumns)
		return NULL;
	return column_var(scope, ref->number - 1);
}

/*
 * The only expression of a text; an error if it is anything else.
 */
static Node *
parse_expression(const char *text)
{
	List	   *statements = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	RawStmt    *statement = list_length(statements) == 1 ?
		linitial_node(RawStmt, statements) : NULL;
	SelectStmt *select = statement ? (SelectStmt *) statement->stmt : NULL;
	SelectStmt	plain;

	if (select != NULL && IsA(select, SelectStmt) &&
		list_length(select->targetList) == 1)
	{
		/* a SELECT that has a target list and nothing else */
		plain = *makeNode(SelectStmt);
		plain.targetList = select->targetList;
		plain.limitOption = select->limitOption;
		if (equal(&plain, select) &&
			linitial_node(ResTarget, select->targetList)->name == NULL)
			return linitial_node(ResTarget, select->targetList)->val;
	}
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("\"%s\" is not one condition", text),
			 errhint("A constraint is a condition on the row's columns, such as \"discharge >= admission\".")));
	return NULL;
}

/*
 * A text as an expression over Vars, whose attribute numbers are those of the
 * schema's columns from 1; its columns by their names, or, if it was stored,
 * by their numbers.  To be called while names mean those of pg_catalog.
 */
static Node *
parse_condition(Scope *scope, bool stored)
{
	ParseState *pstate = make_parsestate(NULL);
	Node	   *raw = parse_expression(scope->text);
	Node	   *expr;

	if (stored)
		pstate->p_paramref_hook = find_number;
	else
		pstate->p_pre_columnref_hook = find_column;
	pstate->p_ref_hook_state = scope;
	(void) look_at_names(raw, scope);
	expr = transformExpr(pstate, raw, EXPR_KIND_CHECK_CONSTRAINT);
	expr = coerce_to_boolean(pstate, expr, "CHECK");
	assign_expr_collations(pstate, expr);
	free_parsestate(pstate);
	(void) look_at_functions(expr, scope);
	return expr;
}

static Node *
number_columns(Node *node, void *context)
{
	if (node != NULL && IsA(node, Var))
	{
		const Var  *var = (const Var *) node;
		Param	   *param = makeNode(Param);

		param->paramkind = PARAM_EXTERN;
		param->paramid = var->varattno;
		param->paramtype = var->vartype;
		param->paramtypmod = var->vartypmod;
		param->paramcollid = var->varcollid;
		param->location = -1;
		return (Node *) param;
	}
	return expression_tree_mutator(node, number_columns, context);
}

/*
 * gs_condition_store: a condition, whose columns go by their names, as it is
 * kept with a model: see the head of this file.  Read under the settings at
 * hand, but for names, which are those of pg_catalog.
 *
 * columns: NULL, or set to the columns (from 0) that it is about.  Errors:
 * those of the parser, feature_not_supported and invalid_object_definition
 * where a model must not carry it.
 */
char *
gs_condition_store(const char *text, const GsSchema *schema,
				   Bitmapset **columns)
{
	Scope		scope = {.text = text,.schema = schema};
	Node	   *expr;
	char	   *stored;
	int			level = gs_fix_names();

	expr = number_columns(parse_condition(&scope, false), NULL);
	gs_end_settings(level);
	level = gs_fix_settings();
	stored = deparse_expression(expr, NIL, false, false);
	gs_end_settings(level);
	if (columns != NULL)
		*columns = scope.columns;
	return stored;
}

/*
 * gs_condition_load: a stored condition as an expression over Vars, whose
 * attribute numbers are those of the schema's columns from 1; in the current
 * context.
 *
 * columns: NULL, or set to the columns (from 0) that it is about.  Errors: as
 * gs_condition_store, since the text may have been tampered with.
 */
Expr *
gs_condition_load(const char *stored, const GsSchema *schema,
				  Bitmapset **columns)
{
	Scope		scope = {.text = stored,.schema = schema};
	int			level = gs_fix_settings();
	Expr	   *expr = expression_planner((Expr *) parse_condition(&scope,
																   true));

	gs_end_settings(level);
	if (columns != NULL)
		*columns = scope.columns;
	return expr;
}

/*
 * gs_condition_check: refuses an expression that was put together of others,
 * such as casts, if a model must not carry it.  Errors: as gs_condition_store.
 */
void
gs_condition_check(const GsSchema *schema, Node *expr)
{
	Scope		scope = {.text = "",.schema = schema};

	(void) look_at_functions(expr, &scope);
}

/*
 * gs_is_forgiven: whether an error is about the values, or the text, at hand, and not about
 * the server, the session, or a cancel.
 */
bool
gs_is_forgiven(int sqlstate)
{
	switch (ERRCODE_TO_CATEGORY(sqlstate))
	{
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_SYSTEM_ERROR:
		case ERRCODE_INTERNAL_ERROR:
			return false;
		default:
			return sqlstate != ERRCODE_STATEMENT_TOO_COMPLEX;
	}
}

/*
 * gs_condition_store_safely: the same as gs_condition_store, but NULL where
 * that is an error, and for a text that PostgreSQL has written under the
 * settings of gs_fix_settings.
 */
char *
gs_condition_store_safely(const char *text, const GsSchema *schema)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner resources = CurrentResourceOwner;
	char	   *volatile stored = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		int			level = gs_fix_settings();

		stored = gs_condition_store(text, schema, NULL);
		gs_end_settings(level);
		/* its constants are run when it is loaded */
		(void) gs_condition_load(stored, schema, NULL);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (!gs_is_forgiven(error->sqlerrcode))
			ReThrowError(error);
		FreeErrorData(error);
		stored = NULL;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = resources;
	return stored;
}

/*
 * gs_condition_try: calls work(arg), which evaluates conditions and does
 * nothing else; false if one of them has raised an error, which message is set
 * to.  work must have left what it did in a state to go on from.
 *
 * A worker of a parallel scan cannot begin a subtransaction, and none is
 * needed: immutable functions of pg_catalog change nothing, and what they
 * hold of the caches has an owner that is released here.
 */
bool
gs_condition_try(void (*work) (void *arg), void *arg, StringInfo message)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner caller = CurrentResourceOwner;
	ResourceOwner own = ResourceOwnerCreate(caller, "gensynth condition");
	uint32		interrupts = InterruptHoldoffCount;
	uint32		cancels = QueryCancelHoldoffCount;
	volatile bool met = true;

	CurrentResourceOwner = own;
	PG_TRY();
	{
		work(arg);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		CurrentResourceOwner = caller;
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (!gs_is_forgiven(error->sqlerrcode))
			PG_RE_THROW();
		FlushErrorState();
		InterruptHoldoffCount = interrupts;
		QueryCancelHoldoffCount = cancels;
		resetStringInfo(message);
		appendStringInfoString(message, error->message);
		FreeErrorData(error);
		met = false;
	}
	PG_END_TRY();
	CurrentResourceOwner = caller;
	ResourceOwnerRelease(own, RESOURCE_RELEASE_BEFORE_LOCKS, met, false);
	ResourceOwnerRelease(own, RESOURCE_RELEASE_LOCKS, met, false);
	ResourceOwnerRelease(own, RESOURCE_RELEASE_AFTER_LOCKS, met, false);
	ResourceOwnerDelete(own);
	return met;
}
