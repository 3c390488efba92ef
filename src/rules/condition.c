/*
 * condition.c
 *	  SQL conditions on the columns of a model: text to expression.
 *
 * The text is that of a CHECK constraint, or a user's.  It is read as a CHECK
 * constraint is: no subqueries, no aggregates, nothing but the row.  Names
 * other than columns are those of pg_catalog, or qualified, so that they mean
 * the same whoever samples.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
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
#include "parser/parser.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "rules/condition.h"

/* What a name is looked up in. */
typedef struct Scope
{
	const GsSchema *schema;
	Bitmapset  *columns;		/* that were found */
} Scope;

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
	{
		const GsColumn *column = &scope->schema->columns[c];

		if (strcmp(column->name, strVal(linitial(ref->fields))) != 0)
			continue;
		scope->columns = bms_add_member(scope->columns, c);
		return (Node *) makeVar(1, c + 1, column->type, column->typmod,
								get_typcollation(column->type), 0);
	}
	return NULL;
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
 * Whether a function is one that a role may be made to run by others: its
 * own, a superuser's, or PostgreSQL's.
 */
static bool
is_foreign(Oid function, void *context)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc;
	bool		foreign;

	if (!HeapTupleIsValid(tuple))
		return true;
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	foreign = proc->pronamespace != PG_CATALOG_NAMESPACE &&
		proc->proowner != *(const Oid *) context &&
		!superuser_arg(proc->proowner);
	ReleaseSysCache(tuple);
	return foreign;
}

static bool
has_foreign(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_foreign, context))
		return true;
	return expression_tree_walker(node, has_foreign, context);
}

/*
 * gs_condition_parse: a condition as an expression over Vars, whose attribute
 * numbers are those of the schema's columns from 1; in the current context.
 *
 * owner: as whom it is to run.  columns: NULL, or set to the columns (from 0)
 * that it is about.  Errors: those of the parser, insufficient_privilege for
 * functions of other roles, and invalid_object_definition for volatile ones.
 */
Expr *
gs_condition_parse(const char *text, const GsSchema *schema, Oid owner,
				   Bitmapset **columns)
{
	ParseState *pstate = make_parsestate(NULL);
	Scope		scope = {.schema = schema};
	Node	   *expr;
	int			level = NewGUCNestLevel();

	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	pstate->p_pre_columnref_hook = find_column;
	pstate->p_ref_hook_state = &scope;
	expr = transformExpr(pstate, parse_expression(text),
						 EXPR_KIND_CHECK_CONSTRAINT);
	expr = coerce_to_boolean(pstate, expr, "CHECK");
	assign_expr_collations(pstate, expr);
	free_parsestate(pstate);

	/* before any of them is run, on constants */
	if (has_foreign(expr, &owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("condition \"%s\" calls a function of another role",
						text),
				 errhint("Conditions run as the model's owner, and so may call that role's functions, superusers', and PostgreSQL's own.")));
	if (contain_volatile_functions(expr))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("condition \"%s\" is volatile", text),
				 errhint("Declare its functions IMMUTABLE or STABLE, if that is what they are.")));
	expr = (Node *) expression_planner((Expr *) expr);
	AtEOXact_GUC(true, level);
	if (columns != NULL)
		*columns = scope.columns;
	return (Expr *) expr;
}

/*
 * gs_condition_value: what a condition says that a column is equal to,
 * converted to its type, in the current context; NULL if it does not say so
 * of any.
 *
 * expr: as gs_condition_parse gave it; column: set, from 0
 */
Expr *
gs_condition_value(const GsSchema *schema, Expr *expr, int *column)
{
	OpExpr	   *op = (OpExpr *) expr;

	if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
		!op_mergejoinable(op->opno, exprType(linitial(op->args))))
		return NULL;
	for (int side = 0; side < 2; side++)
	{
		Node	   *var = strip_implicit_coercions(list_nth(op->args, side));
		Node	   *value = list_nth(op->args, 1 - side);
		Bitmapset  *others = NULL;

		if (!IsA(var, Var) || IsA(value, Const))
			continue;
		*column = ((Var *) var)->varattno - 1;
		pull_varattnos(value, 1, &others);
		if (schema->columns[*column].base > 0 ||
			bms_is_member(((Var *) var)->varattno -
						  FirstLowInvalidHeapAttributeNumber, others))
			continue;
		return (Expr *) coerce_to_target_type(NULL, value, exprType(value),
											  schema->columns[*column].type,
											  schema->columns[*column].typmod,
											  COERCION_ASSIGNMENT,
											  COERCE_IMPLICIT_CAST, -1);
	}
	return NULL;
}

/*
 * gs_condition_is_sound: whether a condition can be parsed; if not, *problem
 * is the error's message.
 */
bool
gs_condition_is_sound(const char *text, const GsSchema *schema, Oid owner,
					  char **problem)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner resources = CurrentResourceOwner;
	volatile bool sound = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		(void) gs_condition_parse(text, schema, owner, NULL);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		/* a cancel is not about the text */
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
			error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN)
			ReThrowError(error);
		*problem = error->message;
		sound = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = resources;
	return sound;
}
