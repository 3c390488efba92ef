/*
 * into_schema.c
 *	  synth_schema_into: fills tables of one schema with rows of the models of
 *	  others, in the order of their foreign keys.
 *
 * The tables are made like those of the source, with their constraints; each
 * is filled by synth_into, which commits and can be resumed.  So a call that
 * was cancelled goes on where it stopped: what is there already stays.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "catalog/access.h"
#include "catalog/datasets.h"
#include "catalog/strange.h"
#include "codec/styles.h"
#include "compat.h"
#include "model/model.h"
#include "schema/invent.h"
#include "schema/late.h"
#include "schema/like.h"
#include "schema/plan.h"
#include "stream/call.h"
#include "table/source.h"

/* A call of synth_schema_into. */
typedef struct IntoSchema
{
	const char *target;			/* schema, quoted */
	const char *functions;		/* our own schema, quoted */
	double		scale;
	int64		seed;
	List	   *tables;			/* of GsDatasetTable */
	bool		commits;
	MemoryContext context;		/* of the call */
} IntoSchema;

/* $1 the target: columns that count by a sequence of their own. */
static const char sequences_query[] =
"SELECT a.attname::pg_catalog.text, pg_catalog.pg_get_serial_sequence($2,"
" a.attname::pg_catalog.text) FROM pg_catalog.pg_attribute a"
" WHERE a.attrelid " GS_EQ " $1 AND a.attnum " GS_OP(">") " 0"
" AND NOT a.attisdropped AND pg_catalog.pg_get_serial_sequence($2,"
" a.attname::pg_catalog.text) IS NOT NULL";

static void
run(const char *sql)
{
	int			result = SPI_execute(sql, false, 0);

	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
}

/*
 * The OID of a relation by its qualified and quoted name; InvalidOid if there
 * is none.
 */
static Oid
find_relation(const char *name)
{
	return RangeVarGetRelid(makeRangeVarFromNameList(gs_name_list(name)),
							NoLock, true);
}

/*
 * The table that stands for one of the source in the target schema.
 */
static char *
target_name(const IntoSchema *call, const GsDatasetTable *table)
{
	return psprintf("%s.%s", call->target, quote_identifier(table->name));
}

static const GsDatasetTable *
find_table(const IntoSchema *call, const char *relation)
{
	ListCell   *cell;

	foreach(cell, call->tables)
		if (strcmp(((const GsDatasetTable *) lfirst(cell))->relation,
				   relation) == 0)
			return lfirst(cell);
	return NULL;
}

static Oid
source_of(const char *relation)
{
	Oid			relid = find_relation(relation);

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s, which the dataset was learned from, does not exist",
						relation),
				 errhint("Make the tables yourself, and pass create_tables => false.")));
	return relid;
}

/*
 * An error for a table that somebody without the rights of the schema's owner
 * has put there: who named the schema relies on that one alone.
 */
static void
check_owner(const char *name, Oid relid)
{
	Oid			owner = gs_owner_of(relid);
	Oid			schema = get_rel_namespace(relid);
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	bool		relies;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for namespace %u", schema);
	relies = owner == GetUserId() ||
		has_privs_of_role(owner, ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner);
	ReleaseSysCache(tuple);
	if (!relies)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s is there already, and belongs to role \"%s\"",
						name, GetUserNameFromId(owner, false)),
				 errdetail("That role would get the rows, and its triggers would run as you."),
				 errhint("Drop it, or choose another schema.")));
}

/*
 * An error unless the tables of the dataset can all stand in the target schema,
 * which must not be theirs.
 */
static void
check_target(const IntoSchema *call)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, call->tables)
	{
		const GsDatasetTable *table = lfirst(cell);
		Oid			there = get_relname_relid(table->name,
											  get_namespace_oid(call->target,
																false));

		if (OidIsValid(there))
			check_owner(table->name, there);
		if (strcmp(strVal(linitial(gs_name_list(table->relation))),
				   call->target) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("schema \"%s\" is that of the source, %s",
							call->target, table->relation),
					 errhint("Make another schema for the synthetic tables.")));
		for_each_cell(other, call->tables, lnext(call->tables, cell))
			if (strcmp(table->name,
					   ((const GsDatasetTable *) lfirst(other))->name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_TABLE),
						 errmsg("the dataset has two tables named \"%s\"",
								table->name),
						 errhint("Learn the schemas as two datasets.")));
	}
}

/* ------------------------------------------------------------- the tables */

/* The target's table that stands for one of the source. */
static char *
stands_for(Oid relid, const void *arg)
{
	const IntoSchema *call = arg;
	const GsDatasetTable *table = find_table(call,
											 gs_relation_name(relid, NULL));

	return table != NULL ? target_name(call, table) : NULL;
}

/*
 * Makes the tables that are not there yet.
 */
static void
create_tables(const IntoSchema *call)
{
	List	   *created = NIL;
	/* names in definitions come out qualified */
	int			level = gs_fix_names();
	ListCell   *cell;

	foreach(cell, call->tables)
	{
		const GsDatasetTable *table = lfirst(cell);

		if (OidIsValid(find_relation(target_name(call, table))))
			continue;
		gs_like_table(target_name(call, table), table->relation,
					  source_of(table->relation), true);
		created = lappend(created, lfirst(cell));
	}
	foreach(cell, created)
	{
		const GsDatasetTable *table = lfirst(cell);

		gs_like_keys(target_name(call, table), source_of(table->relation),
					 stands_for, call, true);
	}
	gs_end_settings(level);
}

/* --------------------------------------------------------------- the rows */

static bool
has_rows(const char *target)
{
	run(psprintf("SELECT FROM %s LIMIT 1", target));
	return SPI_processed > 0;
}

/*
 * An error unless a table that is taken over is one that can be read without
 * running code of others, though its dataset has named it and not the caller.
 */
static void
check_source(const GsDatasetTable *table, Relation source, Oid target)
{
	TupleDesc	desc = RelationGetDescr(source);
	char		kind = source->rd_rel->relkind;
	GsStrange	found;

	if (gs_strange_code(RelationGetRelid(source), GS_STRANGE_READ, &found))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("function %s of role \"%s\" would run as you when table %s is read",
						found.function, found.role, table->relation),
				 errhint("Fill the table that stands for it yourself.")));
	for (int i = 0; i < desc->natts && (kind == RELKIND_RELATION ||
										kind == RELKIND_PARTITIONED_TABLE); i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		AttrNumber	attnum;
		Oid			type;

		if (attribute->attisdropped)
			continue;
		type = getBaseType(attribute->atttypid);
		attnum = get_attnum(target, NameStr(attribute->attname));
		/* casts may be of who made a type */
		if (attnum > 0 && type >= FirstUnpinnedObjectId &&
			type != getBaseType(get_atttype(target, attnum)))
			kind = '\0';
	}
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is another table than the dataset was learned from",
						table->relation),
				 errhint("Fill the table that stands for it yourself.")));
}

/*
 * Takes a table over as it is.
 */
static void
copy_rows(const IntoSchema *call, const GsDatasetTable *table)
{
	char	   *target = target_name(call, table);
	StringInfoData columns;
	Relation	relation;

	if (has_rows(target))
		return;
	initStringInfo(&columns);
	relation = relation_open(source_of(table->relation), AccessShareLock);
	check_source(table, relation, find_relation(target));
	for (int i = 0; i < RelationGetDescr(relation)->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation),
													i);

		if (!attribute->attisdropped && attribute->attgenerated == '\0')
			appendStringInfo(&columns, "%s%s", columns.len > 0 ? ", " : "",
							 quote_identifier(NameStr(attribute->attname)));
	}
	relation_close(relation, NoLock);
	run(psprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE"
				 " SELECT %s FROM %s", target, columns.data, columns.data,
				 table->relation));
}

/*
 * Whether a table was filled to its end by an earlier call.
 */
static bool
is_filled(const IntoSchema *call, const char *target, const char *model)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(target),
	CStringGetTextDatum(model)};

	return gs_run(psprintf("SELECT FROM %s.synth_fills WHERE target " GS_EQ " $1"
						   " AND model " GS_EQ " $2 AND finished",
						   call->functions), 2, types, values, NULL,
				  true) > 0 && has_rows(target);
}

static void
fill_table(const IntoSchema *call, const GsDatasetTable *table)
{
	char	   *target = target_name(call, table);
	SPIExecuteOptions options = {.allow_nonatomic = call->commits};
	const char *n = "NULL";
	int			result;

	if (is_filled(call, target, table->model))
		return;
	if (strcmp(table->role, gs_table_role_name(GS_TABLE_INVENTED)) == 0)
		n = psprintf("%d", GS_INVENTED_ROWS);
	else if (strcmp(table->role, gs_table_role_name(GS_TABLE_CHILD)) != 0 &&
			 call->scale != 1)
	{
		double		rows = (double) gs_model_load(gs_catalog_open(table->model),
												  0)->version->rows;

		n = psprintf("%.0f", Max(rint(call->scale * rows), 1));
	}
	result = SPI_execute_extended(psprintf("CALL %s.synth_into(target => %s, n => %s, model => %s, seed => '" INT64_FORMAT "')",
										   call->functions,
										   quote_literal_cstr(target), n,
										   quote_literal_cstr(table->model),
										   call->seed), &options);
	if (result < 0)
		elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
}

/*
 * Sequences go on after the greatest values.
 */
static void
set_sequences(const char *target)
{
	Oid			types[] = {OIDOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(find_relation(target)),
	CStringGetTextDatum(target)};
	uint64		n = gs_run(sequences_query, 2, types, values, NULL, true);
	SPITupleTable *found = SPI_tuptable;

	for (uint64 i = 0; i < n; i++)
	{
		const char *column = quote_identifier(SPI_getvalue(found->vals[i],
														   found->tupdesc, 1));

		run(psprintf("SELECT pg_catalog.setval(%s, GREATEST(pg_catalog.max(%s), 1),"
					 " pg_catalog.max(%s) IS NOT NULL) FROM %s",
					 quote_literal_cstr(SPI_getvalue(found->vals[i],
													 found->tupdesc, 2)),
					 column, column, target));
	}
}

/*
 * Sets the keys that lead to tables which are filled after their own.
 */
static void
close_cycles(const IntoSchema *call)
{
	ListCell   *cell;
	ListCell   *other;

	/* within a transaction block, the tables are of this very statement */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	foreach(cell, call->tables)
	{
		const GsDatasetTable *table = lfirst(cell);
		List	   *later = NIL;

		MemoryContextSwitchTo(call->context);
		for_each_cell(other, call->tables, lnext(call->tables, cell))
			later = lappend_oid(later, find_relation(target_name(call, lfirst(other))));
		if (table->model != NULL && later != NIL)
			gs_set_late_keys(find_relation(target_name(call, table)), later,
							 table->model, call->functions, call->seed);
	}
	PopActiveSnapshot();
}

static void
commit(const IntoSchema *call)
{
	if (!call->commits)
		return;
	SPI_commit();
	EnsurePortalSnapshotExists();
}

/*
 * An error unless the caller may sample all of the models; and to make tables,
 * it must be the very role that learned them: their conditions, defaults and
 * generated columns come from those that it chose.
 */
static void
check_rights(const IntoSchema *call, bool creates)
{
	ListCell   *cell;

	foreach(cell, call->tables)
	{
		const GsDatasetTable *table = lfirst(cell);

		if (table->model != NULL)
			(void) gs_catalog_open(table->model);
		if (creates && strcmp(table->owner,
							  GetUserNameFromId(GetUserId(), false)) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("tables of this dataset can be made by role \"%s\" alone, which learned it",
							table->owner),
					 errhint("Make the tables yourself, and pass create_tables => false.")));
	}
}

/*
 * The dataset that the caller may sample, if there is but one.
 */
static char *
only_dataset(const IntoSchema *call)
{
	if (SPI_execute(psprintf("SELECT DISTINCT dataset FROM %s.synth_datasets",
							 call->functions), true, 2) != SPI_OK_SELECT)
		elog(ERROR, "could not read synth_datasets");
	if (SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 SPI_processed == 0 ?
				 errmsg("there is no dataset that you may sample") :
				 errmsg("there are several datasets that you may sample"),
				 SPI_processed == 0 ?
				 errhint("synth_fit_schema makes one.") :
				 errhint("SELECT DISTINCT dataset FROM synth_datasets lists them: name one, as in CALL synth_schema_into('dev', 'shop').")));
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

static void
read_arguments(FunctionCallInfo fcinfo, IntoSchema *call)
{
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target_schema must not be null"),
				 errhint("For example CALL synth_schema_into('dev', 'shop').")));
	call->functions = quote_identifier(get_namespace_name(schema));
	call->target = text_to_cstring(PG_GETARG_TEXT_PP(0));
	get_namespace_oid(call->target, false);
	call->tables = gs_dataset_load(PG_ARGISNULL(1) ? only_dataset(call) :
								   text_to_cstring(PG_GETARG_TEXT_PP(1)));
	check_target(call);
	check_rights(call, PG_ARGISNULL(4) || PG_GETARG_BOOL(4));
	call->target = quote_identifier(call->target);
	call->scale = PG_ARGISNULL(2) ? 1 : PG_GETARG_FLOAT8(2);
	if (!(call->scale > 0 && call->scale <= 1e9))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale must be above 0, and at most 1e9"),
				 errhint("Tables without a parent get scale times the rows of the source, the others follow.")));
	call->seed = PG_ARGISNULL(3) ? gs_random_seed() : PG_GETARG_INT64(3);
	call->commits = gs_may_commit(fcinfo);
}

/*
 * synth_schema_into(target_schema text, model text = NULL, scale float8 = 1,
 *	seed bigint = NULL, create_tables boolean = true): a procedure; see
 * schema.sql.
 */
GS_FUNCTION(synth_schema_into);

Datum
synth_schema_into(PG_FUNCTION_ARGS)
{
	IntoSchema	call = {0};
	ListCell   *cell;

	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	call.context = CurrentMemoryContext;
	read_arguments(fcinfo, &call);
	if (PG_ARGISNULL(4) || PG_GETARG_BOOL(4))
	{
		create_tables(&call);
		commit(&call);
	}
	foreach(cell, call.tables)
	{
		const GsDatasetTable *table = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(call.context);
		if (OidIsValid(find_relation(target_name(&call, table))))
			check_owner(target_name(&call, table),
						find_relation(target_name(&call, table)));
		if (strcmp(table->role, gs_table_role_name(GS_TABLE_KEPT)) == 0)
			copy_rows(&call, table);
		else if (strcmp(table->role,
						gs_table_role_name(GS_TABLE_EMPTY)) != 0)
			fill_table(&call, table);
		set_sequences(target_name(&call, table));
		commit(&call);
	}
	close_cycles(&call);
	commit(&call);
	SPI_finish();
	PG_RETURN_VOID();
}
