/*
 * ledger.c
 *	  What private fits have spent of each table, and what may be spent.
 *
 * Both tables are written by processes of their own, which commit before a row
 * of the source is read: so what was spent stays spent, whatever becomes of
 * the fit.  One writes at a time.  That is ordered by a lock that no SQL
 * takes and that is held for some milliseconds, and a process needs no other
 * that a session may hold for long: not on the source, which is looked up by
 * the caller, who may have made or renamed it in the same transaction.
 *
 * What is spent is kept as rho of zero-concentrated privacy, which adds up,
 * and compared with a budget of epsilon and delta: see privacy/account.c.
 */
#include "postgres.h"

#include <math.h>

#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "catalog/access.h"
#include "catalog/ledger.h"
#include "catalog/ledger_account.h"
#include "catalog/relation.h"
#include "compat.h"
#include "privacy/account.h"
#include "table/source.h"
#include "worker/worker.h"

/* The object that is locked while the ledger is written. */
#define ANY_ENTRY		0

/* Arguments of both kinds of work; some may be NULL. */
enum
{
	ARG_OIDS,					/* a GsLedgerAccount */
	ARG_NAMES,
	ARG_RELID,
	ARG_NAME,
	ARG_EPSILON,
	ARG_DELTA,
	ARG_RHO,
	ARG_MODEL,
	ARG_METHOD,
	ARG_STEPS,
	ARG_UNIT,
	ARGS
};

static const Oid arg_types[ARGS] = {
	OIDARRAYOID, TEXTARRAYOID, OIDOID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
	TEXTOID, TEXTOID, JSONBOID, TEXTOID
};

/* A budget as it is kept. */
typedef struct Budget
{
	double		epsilon;
	double		delta;
	const char *unit;			/* column that says whose a row is, or NULL */
} Budget;

/* Rows of an account, whose OIDs and names are $1 and $2. */
#define OID_OF_ACCOUNT \
	"gensynth.relation_oid(relation) " GS_EQ " ANY ($1)"
#define NAME_OF_ACCOUNT \
	"gensynth.relation_name(relation) " GS_EQ " ANY ($2)"
#define OF_ACCOUNT	"(" OID_OF_ACCOUNT " OR " NAME_OF_ACCOUNT ")"

/* Whether the table of a row's OID is gone. */
#define IS_GONE \
	"NOT EXISTS (SELECT FROM pg_catalog.pg_class c" \
	" WHERE c.oid " GS_EQ " gensynth.relation_oid(relation))"

/* Rows of the table $1 whose name or OID is not $2 or $1 any more. */
#define IS_STALE \
	"(gensynth.relation_oid(relation) " GS_EQ " $1" \
	" AND gensynth.relation_name(relation) " GS_NE " $2" \
	" OR gensynth.relation_name(relation) " GS_EQ " $2" \
	" AND gensynth.relation_oid(relation) " GS_NE " $1 AND " IS_GONE ")"

/*
 * Runs a query on the rows of an account.  To be called after gs_enter().
 */
static uint64
run_of_account(const char *sql, Datum oids, Datum names, bool read_only)
{
	Oid			types[] = {OIDARRAYOID, TEXTARRAYOID};
	Datum		values[] = {oids, names};

	return gs_run(sql, lengthof(types), types, values, NULL, read_only);
}

/* What was spent: rho, and the delta of thresholds, which adds up too. */
typedef struct Spent
{
	double		rho;
	double		delta;
} Spent;

/* The delta of the thresholds among steps; NULL, which is read as 0, if none. */
#define STEPS_DELTA(steps) \
	"(SELECT pg_catalog.sum((s " GS_OP("->>") " 'delta')::pg_catalog.float8)" \
	" FROM pg_catalog.jsonb_array_elements(" steps ") AS s)"

static double
add_up(double a, double b)
{
	return a == 0 ? b : b == 0 ? a : nextafter(a + b, INFINITY);
}

/* A text of a result, in the current context, or NULL. */
static const char *
text_of(uint64 row, int column)
{
	bool		isnull;
	Datum		value = gs_result(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * What was spent in one unit as an amount of another.  A row more of a person
 * may take the place of one that counted: to rows, such a fit is one of two
 * neighbours.  A promise of rows, or of others, is none for persons.
 */
static Spent
convert(Spent spent, const char *from, const char *to)
{
	double		factor = to == NULL ? (from == NULL ? 1 : 2) :
		from != NULL && strcmp(from, to) == 0 ? 1 : get_float8_infinity();

	return (Spent)
	{
		spent.rho * factor, spent.delta * Min(factor, 2)
	};
}

/*
 * What an account has spent, as an amount of a unit (NULL: rows); rounded up.
 */
static Spent
sum_spent(Datum oids, Datum names, const char *unit, bool read_only)
{
	uint64		n = run_of_account("SELECT rho, " STEPS_DELTA("steps")
								   ", unit FROM gensynth.privacy_ledger"
								   " WHERE rho IS NOT NULL AND " OF_ACCOUNT,
								   oids, names, read_only);
	Spent		sum = {0, 0};

	for (uint64 i = 0; i < n; i++)
	{
		Spent		spent = {DatumGetFloat8(gs_result(i, 1, NULL)),
		DatumGetFloat8(gs_result(i, 2, NULL))};

		spent = convert(spent, text_of(i, 3), unit);
		sum.rho = add_up(sum.rho, spent.rho);
		sum.delta = add_up(sum.delta, spent.delta);
	}
	return sum;
}

/*
 * What steps that are asked for cost.
 */
static Spent
cost_of(double rho, Datum steps)
{
	Oid			type = JSONBOID;

	gs_run("SELECT " STEPS_DELTA("$1"), 1, &type, &steps, NULL, false);
	return (Spent)
	{
		rho, DatumGetFloat8(gs_result(0, 1, NULL))
	};
}

/*
 * The epsilon at a delta of what was spent.
 */
static double
epsilon_of(const Spent *spent, double delta)
{
	delta -= spent->delta;
	return delta > 0 && !isinf(spent->rho) ?
		gs_privacy_epsilon(spent->rho, delta) : get_float8_infinity();
}

/*
 * Whether a budget covers what was spent.
 */
static bool
covers(const Budget *budget, const Spent *spent)
{
	return !isinf(spent->rho) && spent->delta <= budget->delta &&
		gs_privacy_delta(spent->rho, budget->epsilon) <=
		budget->delta - spent->delta;
}

/*
 * An error unless a fit keeps the promise of a budget that is about persons.
 */
static void
check_unit(const NullableDatum *args, const char *unit, const Budget *budget)
{
	if (budget->unit == NULL ||
		(unit != NULL && strcmp(unit, budget->unit) == 0))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("privacy budget of %s is for all rows of each \"%s\"",
					TextDatumGetCString(args[ARG_NAME].value), budget->unit),
			 errdetail("What is promised for %s says nothing of these.",
					   unit == NULL ? "single rows" :
					   psprintf("all rows of each \"%s\"", unit)),
			 errhint("Pass options => '{\"privacy_unit\": ...}' with this column.")));
}

/*
 * An error if a budget does not cover what is spent and what is asked for.
 */
static void
check_limit(const NullableDatum *args, const char *unit, Spent asked,
			const Budget *budget)
{
	Spent		spent = sum_spent(args[ARG_OIDS].value, args[ARG_NAMES].value,
								  budget->unit, false);
	Spent		together;

	asked = convert(asked, unit, budget->unit);
	together.rho = add_up(spent.rho, asked.rho);
	together.delta = add_up(spent.delta, asked.delta);
	if (covers(budget, &together))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("privacy budget of %s is spent",
					TextDatumGetCString(args[ARG_NAME].value)),
			 errdetail("Epsilon %.6g is spent and %.6g is asked for, which is %.6g together, and the limit is %.6g, all at delta %g.",
					   epsilon_of(&spent, budget->delta),
					   epsilon_of(&asked, budget->delta),
					   epsilon_of(&together, budget->delta),
					   budget->epsilon, budget->delta),
			 errhint("Ask for a smaller epsilon; the owner of the table may declare a larger budget with synth_budget.")));
}

/* The unit that is asked for, or NULL. */
static const char *
arg_unit(const NullableDatum *args)
{
	return args[ARG_UNIT].isnull ? NULL :
		TextDatumGetCString(args[ARG_UNIT].value);
}

/*
 * An error unless all budgets of the account allow what is asked for.
 */
static void
check_limits(const NullableDatum *args, Spent asked)
{
	const char *unit = arg_unit(args);
	uint64		n = run_of_account("SELECT epsilon, delta, unit"
								   " FROM gensynth.privacy_budgets WHERE "
								   OF_ACCOUNT, args[ARG_OIDS].value,
								   args[ARG_NAMES].value, false);
	Budget	   *budget = palloc(sizeof(Budget) * n);

	for (uint64 i = 0; i < n; i++)
	{
		budget[i].epsilon = DatumGetFloat8(gs_result(i, 1, NULL));
		budget[i].delta = DatumGetFloat8(gs_result(i, 2, NULL));
		budget[i].unit = text_of(i, 3);
	}
	for (uint64 i = 0; i < n; i++)
	{
		check_unit(args, unit, &budget[i]);
		check_limit(args, unit, asked, &budget[i]);
	}
}

/*
 * One process writes at a time, until its transaction ends.
 */
static void
lock_ledger(void)
{
	LOCKTAG		tag = gs_table_lock("privacy_ledger", ANY_ENTRY);

	(void) LockAcquire(&tag, AccessExclusiveLock, false, false);
}

/*
 * Brings rows of the account's table up to date, but for those that a fit has
 * changed and not committed yet.
 */
static void
update_names(const NullableDatum *args)
{
	Oid			types[] = {OIDOID, TEXTOID, gs_relation_type()};
	Datum		values[] = {args[ARG_RELID].value, args[ARG_NAME].value,
	gs_relation_make(DatumGetObjectId(args[ARG_RELID].value),
					 TextDatumGetCString(args[ARG_NAME].value))};

	gs_run("UPDATE gensynth.privacy_ledger SET relation = $3"
		   " WHERE id " GS_EQ " ANY (ARRAY(SELECT id"
		   " FROM gensynth.privacy_ledger WHERE " IS_STALE
		   " FOR UPDATE SKIP LOCKED))", lengthof(types), types, values, NULL,
		   false);
	gs_run("UPDATE gensynth.privacy_budgets SET relation = $3 WHERE " IS_STALE,
		   lengthof(types), types, values, NULL, false);
}

static Datum
role_name(Oid role)
{
	return CStringGetTextDatum(GetUserNameFromId(role, false));
}

/*
 * gs_ledger_begin_debit: writes a row of the ledger, unless it costs more
 * than is left.  Returns its number.  See worker.c.
 */
int64
gs_ledger_begin_debit(Oid role, const NullableDatum *args)
{
	Oid			types[] = {gs_relation_type(), TEXTOID, TEXTOID, TEXTOID,
	TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID, JSONBOID, TEXTOID};
	const NullableDatum *numbers = &args[ARG_EPSILON];
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types)];

	lock_ledger();
	if (!args[ARG_RHO].isnull)
		check_limits(args, cost_of(DatumGetFloat8(args[ARG_RHO].value),
								   args[ARG_STEPS].value));
	update_names(args);
	memset(nulls, ' ', sizeof(nulls));
	values[0] = gs_relation_make(DatumGetObjectId(args[ARG_RELID].value),
								 TextDatumGetCString(args[ARG_NAME].value));
	values[1] = role_name(role);
	values[2] = role_name(GetSessionUserId());
	values[3] = args[ARG_MODEL].value;
	values[4] = args[ARG_METHOD].value;
	for (int i = 0; i < 3; i++)
	{
		values[5 + i] = numbers[i].value;
		nulls[5 + i] = numbers[i].isnull ? 'n' : ' ';
	}
	values[8] = args[ARG_STEPS].value;
	nulls[8] = args[ARG_STEPS].isnull ? 'n' : ' ';
	values[9] = args[ARG_UNIT].value;
	nulls[9] = args[ARG_UNIT].isnull ? 'n' : ' ';
	gs_run("INSERT INTO gensynth.privacy_ledger (id, relation, role,"
		   " session_role, model, method, epsilon, delta, rho, steps,"
		   " unit)"
		   " SELECT COALESCE(pg_catalog.max(id), 0) " GS_PLUS " 1, $1, $2, $3,"
		   " $4, $5, $6, $7, $8, $9, $10 FROM gensynth.privacy_ledger RETURNING id",
		   lengthof(types), types, values, nulls, false);
	return DatumGetInt64(gs_result(0, 1, NULL));
}

/*
 * gs_ledger_begin_budget: writes a budget in the place of the one before.
 * See worker.c.
 */
int64
gs_ledger_begin_budget(Oid role, const NullableDatum *args)
{
	Budget		budget = {DatumGetFloat8(args[ARG_EPSILON].value),
	DatumGetFloat8(args[ARG_DELTA].value), arg_unit(args)};
	Oid			types[] = {gs_relation_type(), FLOAT8OID, FLOAT8OID, TEXTOID,
	TEXTOID};
	Datum		values[] = {
		gs_relation_make(DatumGetObjectId(args[ARG_RELID].value),
						 TextDatumGetCString(args[ARG_NAME].value)),
		args[ARG_EPSILON].value, args[ARG_DELTA].value, role_name(role),
		args[ARG_UNIT].value
	};
	char		nulls[] = {' ', ' ', ' ', ' ', budget.unit == NULL ? 'n' : ' '};
	Spent		spent;

	lock_ledger();
	spent = sum_spent(args[ARG_OIDS].value, args[ARG_NAMES].value, budget.unit,
					  false);
	if (isinf(spent.rho))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s was learned with other units than \"%s\"",
						TextDatumGetCString(args[ARG_NAME].value),
						budget.unit),
				 errdetail("What was spent for single rows, or for other units, says nothing of these."),
				 errhint("Declare the budget without unit, or with the unit of all private fits so far: see synth_ledger.")));
	if (!covers(&budget, &spent))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("budget of %s is below what is spent",
						TextDatumGetCString(args[ARG_NAME].value)),
				 errhint("At delta %g, epsilon must be at least %.3f.",
						 budget.delta,
						 ceil(epsilon_of(&spent, budget.delta) * 1000) /
						 1000)));
	update_names(args);
	/* tables that have given the name away keep a budget by their own */
	run_of_account("UPDATE gensynth.privacy_budgets SET"
				   " relation = relation::pg_catalog.text::gensynth.relation"
				   " WHERE " NAME_OF_ACCOUNT " AND NOT " OID_OF_ACCOUNT,
				   args[ARG_OIDS].value, args[ARG_NAMES].value, false);
	run_of_account("DELETE FROM gensynth.privacy_budgets WHERE "
				   OID_OF_ACCOUNT " OR " NAME_OF_ACCOUNT " AND " IS_GONE,
				   args[ARG_OIDS].value, args[ARG_NAMES].value, false);
	gs_run("INSERT INTO gensynth.privacy_budgets"
		   " (relation, epsilon, delta, role, unit)"
		   " VALUES ($1, $2, $3, $4, $5)",
		   lengthof(types), types, values, nulls, false);
	return 0;
}

/*
 * Has a process do work on a table's account; values: of arguments from
 * ARG_EPSILON on.
 */
static int64
run_work(GsWork kind, const GsLedgerAccount *account,
		 const NullableDatum *values)
{
	GsWorkArg	args[ARGS];

	for (int i = 0; i < ARGS; i++)
	{
		args[i].type = arg_types[i];
		if (i >= ARG_EPSILON)
			args[i].value = values[i - ARG_EPSILON];
		else
			args[i].value.isnull = false;
	}
	args[ARG_OIDS].value.value = account->oids;
	args[ARG_NAMES].value.value = account->names;
	args[ARG_RELID].value.value = ObjectIdGetDatum(account->relid);
	args[ARG_NAME].value.value = CStringGetTextDatum(account->name);
	return gs_worker_run(kind, args, ARGS);
}

/*
 * Steps as they are kept, a jsonb array.
 */
static Datum
steps_json(const GsLedgerStep *steps, int nsteps)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	for (int i = 0; i < nsteps; i++)
	{
		appendStringInfoString(&json, i > 0 ? ", {\"query\": " :
							   "{\"query\": ");
		escape_json(&json, steps[i].query);
		appendStringInfo(&json, ", \"cells\": " INT64_FORMAT
						 ", \"sigma\": %s, \"rho\": %s", steps[i].cells,
						 float8out_internal(steps[i].sigma),
						 float8out_internal(steps[i].rho));
		if (steps[i].delta > 0)
			appendStringInfo(&json, ", \"delta\": %s",
							 float8out_internal(steps[i].delta));
		appendStringInfoChar(&json, '}');
	}
	appendStringInfoChar(&json, ']');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/*
 * gs_ledger_debit: writes down what a private fit spends, before it reads a
 * row, and commits that.  Returns the number of the ledger's row.
 *
 * relation: the table, or a partition, which counts for its root; epsilon,
 * delta: as they were asked for; rho: what all steps cost; unit: the column
 * that says whose a row is, if the fit is about all rows of each, else NULL.
 * To be called within an SPI connection.  Errors:
 * configuration_limit_exceeded where the budget does not cover it,
 * object_not_in_prerequisite_state where it is for other units, and those of gs_worker_run(); then nothing is
 * spent, but for one who has stopped waiting.
 */
int64
gs_ledger_debit(Oid relation, const char *model, const char *method,
				double epsilon, double delta, double rho,
				const GsLedgerStep *steps, int nsteps, const char *unit)
{
	NullableDatum values[] = {
		{Float8GetDatum(epsilon), false}, {Float8GetDatum(delta), false},
		{Float8GetDatum(rho), false}, {CStringGetTextDatum(model), false},
		{CStringGetTextDatum(method), false},
		{steps_json(steps, nsteps), false},
		{unit == NULL ? 0 : CStringGetTextDatum(unit), unit == NULL}
	};
	GsLedgerAccount account;

	gs_ledger_account_find(relation, &account);
	return run_work(GS_WORK_DEBIT, &account, values);
}

/*
 * gs_ledger_unprotected: writes down that a fit reads a table which has a
 * budget without spending any of it.
 */
void
gs_ledger_unprotected(Oid relation, const char *model, const char *method)
{
	NullableDatum values[] = {
		{0, true}, {0, true}, {0, true}, {CStringGetTextDatum(model), false},
		{CStringGetTextDatum(method), false}, {0, true}, {0, true}
	};
	GsLedgerAccount account;

	gs_ledger_account_find(relation, &account);
	(void) run_work(GS_WORK_DEBIT, &account, values);
}

/*
 * gs_ledger_stored: writes the version that a fit has stored into its row, in
 * the fit's own transaction: of a fit that is rolled back it says none.
 */
void
gs_ledger_stored(int64 id, const char *model, int version)
{
	Oid			types[] = {INT8OID, TEXTOID, INT4OID};
	Datum		values[] = {Int64GetDatum(id), CStringGetTextDatum(model),
	Int32GetDatum(version)};
	GsAccess	access;

	gs_enter(&access);
	/* the row is newer than this transaction's snapshot may be */
	(void) gs_run_snapshot("UPDATE gensynth.privacy_ledger SET model = $2,"
						   " version = $3 WHERE id " GS_EQ " $1",
						   lengthof(types), types, values, GetLatestSnapshot(),
						   InvalidSnapshot);
	gs_leave(&access);
}

/*
 * gs_ledger_has_budget: whether there is a budget for a table, or any that it
 * shares rows with, as of now.
 */
bool
gs_ledger_has_budget(Oid relation)
{
	GsAccess	access;
	GsLedgerAccount account;
	bool		has;

	gs_enter(&access);
	PushActiveSnapshot(GetLatestSnapshot());
	has = gs_run("SELECT FROM gensynth.privacy_budgets LIMIT 1", 0, NULL, NULL,
				 NULL, true) > 0;
	PopActiveSnapshot();
	gs_leave(&access);
	if (!has)
		return false;
	gs_ledger_account_find(relation, &account);
	gs_enter(&access);
	PushActiveSnapshot(GetLatestSnapshot());
	has = run_of_account("SELECT FROM gensynth.privacy_budgets WHERE "
						 OF_ACCOUNT, account.oids, account.names, true) > 0;
	PopActiveSnapshot();
	gs_leave(&access);
	return has;
}

/*
 * gs_ledger_check_delta: an error unless a delta is one that fits and budgets
 * have: invalid_parameter_value.
 */
void
gs_ledger_check_delta(double delta)
{
	if (!(delta >= GS_MIN_DELTA && delta <= GS_MAX_DELTA))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("delta must be from %g to %g", GS_MIN_DELTA,
						GS_MAX_DELTA),
				 errhint("It should be far below 1 in the number of rows; the default is 1e-6.")));
}

static void
check_numbers(double epsilon, double delta)
{
	if (!(epsilon > 0) || isinf(epsilon))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("epsilon is out of range"),
				 errhint("It is a number above 0, such as 1.")));
	gs_ledger_check_delta(delta);
}

/*
 * An error unless a relation is a table that other sessions have, too.
 */
static void
check_table(Oid relid)
{
	char		kind = get_rel_relkind(relid);
	const char *name = gs_relation_name(relid, NULL);

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE &&
		kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is not a table", name),
				 errhint("Declare budgets of the tables that it reads.")));
	if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is a temporary table", name),
				 errhint("A budget outlives the session, and the table does not.")));
}

static void
check_owner(const GsLedgerAccount *account)
{
	if (!gs_class_ownercheck(account->relid, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s", account->name),
				 errhint("Its owner, or a superuser, can.")));
}

static void
require_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errhint("For example synth_budget('patients', epsilon => 3, delta => 1e-6).")));
}

/*
 * An error unless a column of a table can say whose a row is.
 */
static void
check_column(const GsLedgerAccount *account, const char *unit)
{
	AttrNumber	column = get_attnum(account->relid, unit);
	Oid			type = column > 0 ?
		getBaseType(get_atttype(account->relid, column)) : InvalidOid;

	if (column <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table %s does not exist", unit,
						account->name),
				 errhint("The unit is the column that says whose a row is.")));
	if (type == FLOAT4OID || type == FLOAT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of type %s cannot be a unit", unit,
						format_type_be(type)),
				 errhint("Name a column that identifies persons, such as a whole number or a text.")));
}

/*
 * synth_budget(relation regclass, epsilon float8, delta float8, unit text):
 * declares what all private fits of a table may spend together, and commits
 * that.
 *
 * unit: the column that says whose a row is, if the budget is about all rows
 * of each, else NULL.  Errors: null_value_not_allowed, undefined_table,
 * undefined_column, wrong_object_type, insufficient_privilege;
 * invalid_parameter_value for numbers out of range, a unit of floats, and for
 * less than what is spent; object_not_in_prerequisite_state where that was
 * spent for other units; those of gs_worker_run().
 */
GS_FUNCTION(synth_budget);

Datum
synth_budget(PG_FUNCTION_ARGS)
{
	NullableDatum values[ARGS - ARG_EPSILON] = {
		fcinfo->args[1], fcinfo->args[2], {0, true}, {0, true}, {0, true},
		{0, true}, fcinfo->args[3]
	};
	GsLedgerAccount account;

	PreventCommandIfReadOnly("synth_budget()");
	PreventCommandDuringRecovery("synth_budget()");
	require_argument(fcinfo, 0, "relation");
	require_argument(fcinfo, 1, "epsilon");
	require_argument(fcinfo, 2, "delta");
	check_numbers(PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2));
	check_table(PG_GETARG_OID(0));
	gs_ledger_account_find(PG_GETARG_OID(0), &account);
	check_owner(&account);
	if (!PG_ARGISNULL(3))
		check_column(&account, text_to_cstring(PG_GETARG_TEXT_PP(3)));
	(void) run_work(GS_WORK_BUDGET, &account, values);
	PG_RETURN_VOID();
}

/*
 * gensynth.privacy_spent(relation oid, delta float8, unit text): the epsilon
 * at a delta that private fits of a table have spent, as of now, for all rows
 * of each value of a column, or for single rows if that is NULL.
 *
 * Errors: undefined_table, insufficient_privilege, invalid_parameter_value.
 */
GS_FUNCTION(gensynth_privacy_spent);

Datum
gensynth_privacy_spent(PG_FUNCTION_ARGS)
{
	double		delta = PG_GETARG_FLOAT8(1);
	const char *unit = PG_ARGISNULL(2) ? NULL :
		text_to_cstring(PG_GETARG_TEXT_PP(2));
	GsLedgerAccount account;
	GsAccess	access;
	Spent		spent;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	check_numbers(1, delta);
	gs_ledger_account_find(PG_GETARG_OID(0), &account);
	check_owner(&account);
	gs_enter(&access);
	PushActiveSnapshot(GetLatestSnapshot());
	spent = sum_spent(account.oids, account.names, unit, true);
	PopActiveSnapshot();
	gs_leave(&access);
	PG_RETURN_FLOAT8(epsilon_of(&spent, delta));
}
