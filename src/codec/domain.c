/*
 * domain.c
 *	  A domain's constraints, tested without raising errors.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "compat.h"
#include "codec/domain.h"

struct GsDomain
{
	DomainConstraintRef constraints;
	ExprContext *econtext;
};

/*
 * gs_domain_has_checks: whether a type is a domain with constraints.
 */
bool
gs_domain_has_checks(Oid type)
{
	return OidIsValid(type) && get_typtype(type) == TYPTYPE_DOMAIN &&
		gs_domain_has_constraints(type);
}

/*
 * Whether an expression is a column or a domain's value, perhaps of another
 * type.
 */
static bool
is_value(const Node *node)
{
	while (node != NULL && (IsA(node, RelabelType) || IsA(node, FuncExpr)))
	{
		const FuncExpr *function = (const FuncExpr *) node;

		if (IsA(node, RelabelType))
			node = (const Node *) ((const RelabelType *) node)->arg;
		else if (function->funcformat == COERCE_IMPLICIT_CAST)
			node = linitial(function->args);
		else
			return false;
	}
	return node != NULL && (IsA(node, Var) || IsA(node, CoerceToDomainValue));
}

/*
 * gs_is_interval: whether a condition holds between any two values of a
 * column, or of a domain, for which it holds: comparisons with constants, all
 * of which must hold.
 */
bool
gs_is_interval(const Node *node)
{
	const OpExpr *op = (const OpExpr *) node;
	List	   *families;
	bool		found = false;
	ListCell   *cell;

	if (is_andclause(node))
	{
		foreach(cell, ((const BoolExpr *) node)->args)
			if (!gs_is_interval(lfirst(cell)))
				return false;
		return true;
	}
	if (!IsA(node, OpExpr) || list_length(op->args) != 2 ||
		!((is_value(linitial(op->args)) && IsA(lsecond(op->args), Const)) ||
		  (IsA(linitial(op->args), Const) && is_value(lsecond(op->args)))))
		return false;
	families = gs_comparisons(op->opno);
	foreach(cell, families)
		found |= gs_comparison(cell) >= BTLessStrategyNumber &&
			gs_comparison(cell) <= BTGreaterStrategyNumber;
	return found;
}

/*
 * gs_domain_is_picky: whether a type is a domain that takes more than ranges
 * of its values away: from those that it has, nobody can tell what others it
 * takes.
 */
bool
gs_domain_is_picky(Oid type)
{
	DomainConstraintRef *ref;
	ListCell   *cell;

	if (!gs_domain_has_checks(type))
		return false;
	/* the context's end lets go of it */
	ref = palloc(sizeof(DomainConstraintRef));
	InitDomainConstraintRef(type, ref, CurrentMemoryContext, false);
	foreach(cell, ref->constraints)
	{
		DomainConstraintState *constraint = lfirst(cell);

		if (constraint->check_expr != NULL &&
			!gs_is_interval((Node *) constraint->check_expr))
			return true;
	}
	return false;
}

/*
 * gs_domain_open: a type's constraints, in the current context; NULL if it
 * has none.  Those who ask them run its CHECKs, so the caller must have named
 * the type.
 */
GsDomain *
gs_domain_open(Oid type)
{
	GsDomain   *domain;

	if (!gs_domain_has_checks(type))
		return NULL;
	domain = palloc(sizeof(GsDomain));
	InitDomainConstraintRef(type, &domain->constraints, CurrentMemoryContext,
							true);
	domain->econtext = CreateStandaloneExprContext();
	return domain;
}

/*
 * gs_domain_accepts: whether a value, not NULL, meets all CHECK constraints;
 * domain may be NULL.
 */
bool
gs_domain_accepts(GsDomain *domain, Datum value)
{
	ListCell   *cell;
	bool		accepts = true;

	if (domain == NULL)
		return true;
	UpdateDomainConstraintRef(&domain->constraints);
	domain->econtext->domainValue_datum = value;
	domain->econtext->domainValue_isNull = false;
	foreach(cell, domain->constraints.constraints)
	{
		DomainConstraintState *constraint = lfirst(cell);

		if (constraint->constrainttype == DOM_CONSTRAINT_CHECK &&
			!ExecCheck(constraint->check_exprstate, domain->econtext))
		{
			accepts = false;
			break;
		}
	}
	ResetExprContext(domain->econtext);
	return accepts;
}

/*
 * gs_domain_takes_null: whether NULL is a value of a type, which need not be
 * a domain.
 */
bool
gs_domain_takes_null(Oid type)
{
	GsDomain   *domain = gs_domain_open(type);
	bool		takes = true;
	ListCell   *cell;

	if (domain == NULL)
		return true;
	domain->econtext->domainValue_datum = (Datum) 0;
	domain->econtext->domainValue_isNull = true;
	foreach(cell, domain->constraints.constraints)
	{
		DomainConstraintState *constraint = lfirst(cell);

		if (takes)
			takes = constraint->constrainttype == DOM_CONSTRAINT_CHECK &&
				ExecCheck(constraint->check_exprstate, domain->econtext);
	}
	return takes;
}
