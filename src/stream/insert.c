/*
 * insert.c
 *	  An INSERT of rows that were made, run so that an error can tell which
 *	  row it is about.
 *
 * SPI does not tell what it is running, so the executor is called here, as
 * CREATE EXTENSION does with its script.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "parser/parser.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "stream/insert.h"

/* Takes note of rows that a statement returns: those that went in. */
typedef struct NumberReceiver
{
	DestReceiver pub;
	GsInsert   *insert;
} NumberReceiver;

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	GsInsert   *insert = ((NumberReceiver *) self)->insert;

	*insert->inserted++ = gs_insert_row(insert);
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

static int64
run_query(GsInsert *insert, PlannedStmt *plan, QueryEnvironment *environment)
{
	NumberReceiver receiver = {
		.pub = {receive_row, receive_startup, receive_nothing,
		receive_nothing, DestNone},
		.insert = insert
	};
	QueryDesc  *query = CreateQueryDesc(plan, insert->statement,
										GetActiveSnapshot(), InvalidSnapshot,
										plan->hasReturning ? &receiver.pub :
										None_Receiver, NULL, environment, 0);
	int64		processed;

	ExecutorStart(query, 0);
	insert->query = query;
	gs_executor_run(query);
	ExecutorFinish(query);
	processed = query->estate->es_processed;
	insert->query = NULL;
	ExecutorEnd(query);
	FreeQueryDesc(query);
	return processed;
}

/*
 * gs_insert_run: runs a statement, as the caller.  A target's rules may make
 * several of it.
 *
 * rows: the named tuplestore that it reads, whose last column is an int8, the
 * row's number; inserted: NULL, or, for a statement with RETURNING, filled with
 * the numbers of the rows that went in, in order.  Returns how many rows the statement itself has inserted.
 * After an error, the insert is as it was when that happened.
 */
int64
gs_insert_run(GsInsert *insert, const char *statement,
			  EphemeralNamedRelation rows, int64 *inserted)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "gensynth insert",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	QueryEnvironment *environment = create_queryEnv();
	int64		processed = 0;
	List	   *plans;
	ListCell   *cell;

	insert->statement = statement;
	insert->inserted = inserted;
	register_ENR(environment, rows);
	plans = raw_parser(statement, RAW_PARSE_DEFAULT);
	plans = pg_analyze_and_rewrite_fixedparams(linitial_node(RawStmt, plans),
											   statement, NULL, 0,
											   environment);
	plans = pg_plan_queries(plans, statement, CURSOR_OPT_PARALLEL_OK, NULL);
	foreach(cell, plans)
	{
		PlannedStmt *plan = lfirst_node(PlannedStmt, cell);

		CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
		if (plan->utilityStmt != NULL)
			ProcessUtility(plan, statement, true, PROCESS_UTILITY_QUERY,
						   NULL, environment, None_Receiver, NULL);
		else
		{
			int64		rows_of_query = run_query(insert, plan, environment);

			if (plan->canSetTag)
				processed = rows_of_query;
		}
		PopActiveSnapshot();
	}
	CommandCounterIncrement();
	insert->statement = NULL;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return processed;
}

/*
 * The slot of the scan that reads the rows to be inserted.
 */
static bool
find_rows(PlanState *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, NamedTuplestoreScanState))
	{
		*(TupleTableSlot **) context = ((ScanState *) node)->ss_ScanTupleSlot;
		return true;
	}
	return planstate_tree_walker(node, find_rows, context);
}

/*
 * gs_insert_row: the number of the row that is being inserted; 0 if there is
 * none, as before the first, or when triggers run at the end.
 */
int64
gs_insert_row(const GsInsert *insert)
{
	TupleTableSlot *slot = NULL;
	bool		isnull;

	if (insert->query == NULL)
		return 0;
	(void) find_rows(insert->query->planstate, &slot);
	if (TupIsNull(slot))
		return 0;
	return DatumGetInt64(slot_getattr(slot,
									  slot->tts_tupleDescriptor->natts,
									  &isnull));
}
