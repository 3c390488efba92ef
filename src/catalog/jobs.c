/*
 * jobs.c
 *	  Work in the background, as it is written down: the table gensynth.jobs.
 *
 * A job's process holds a lock of its session on the object (gensynth.jobs,
 * number) from before its row is committed until it is gone, however that
 * comes about.  No SQL takes such a lock.  So a row that says 'running' and has
 * no lock is of a process that died: 'lost'.  But the abort of a transaction
 * lets go of the session's locks, too: until the process has taken its own
 * again, and written how it ended, that it is there tells that it lives.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "catalog/access.h"
#include "catalog/jobs.h"

/* The object that is locked while a job is written: one is at a time. */
#define ANY_JOB		0

/*
 * The lock of a process, and the one by which others look for it, which a
 * standby can take, too.
 */
#define OWN_LOCK	AccessExclusiveLock
#define LOOK_LOCK	AccessShareLock

/* A process without its lock is looked at so often, every millisecond. */
#define LOOKS		1000

/* The job of this process; 0: none. */
static int	own_job = 0;

static LOCKTAG
job_lock(int number)
{
	return gs_table_lock("jobs", number);
}

/*
 * gs_job_lives: whether a job's process, which its row names, holds its lock, or
 * is about to.  On a standby, which knows nothing of the primary's processes,
 * it is taken for granted.
 */
bool
gs_job_lives(int number, int process)
{
	LOCKTAG		tag = job_lock(number);

	/* one's own lock is in nobody's way */
	if (number == own_job || RecoveryInProgress())
		return true;
	for (int look = 0; look < LOOKS; look++)
	{
		/* before the lock is looked at: it goes last */
		bool		there = BackendPidGetProc(process) != NULL;

		if (LockAcquire(&tag, LOOK_LOCK, false, true) == LOCKACQUIRE_NOT_AVAIL)
			return true;
		LockRelease(&tag, LOOK_LOCK, false);
		if (!there)
			return false;
		pg_usleep(1000);
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

/*
 * gs_job_process: the process that holds a job's lock; 0 if none does.
 */
int
gs_job_process(int number)
{
	LOCKTAG		tag = job_lock(number);
	LockData   *locks = GetLockStatusData();

	for (int i = 0; i < locks->nelements; i++)
		if (memcmp(&locks->locks[i].locktag, &tag, sizeof(tag)) == 0 &&
			(locks->locks[i].holdMask & LOCKBIT_ON(OWN_LOCK)) != 0)
			return locks->locks[i].pid;
	return 0;
}

/*
 * The numbers of jobs whose process died, an int4 array, and how many others
 * run.  To be called after gs_enter().
 */
static Datum
find_lost(int *running)
{
	ArrayBuildState *lost = initArrayResult(INT4OID, CurrentMemoryContext,
											false);
	uint64		n;
	int		   *number;
	int		   *process;

	n = gs_run("SELECT number, pid FROM gensynth.jobs WHERE state " GS_EQ " 'running'",
			   0, NULL, NULL, NULL, true);
	number = palloc(sizeof(int) * Max(n, 1));
	process = palloc(sizeof(int) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		number[i] = DatumGetInt32(gs_result(i, 1, NULL));
		process[i] = DatumGetInt32(gs_result(i, 2, NULL));
	}
	*running = 0;
	for (uint64 i = 0; i < n; i++)
		if (gs_job_lives(number[i], process[i]))
			++*running;
		else
			lost = accumArrayResult(lost, Int32GetDatum(number[i]), false,
									INT4OID, CurrentMemoryContext);
	return makeArrayResult(lost, CurrentMemoryContext);
}

/*
 * gs_job_write: writes a job of this process, unless so many run already, and
 * returns its number.  Finished ones of long ago are forgotten.
 *
 * To be called after gs_enter(); the lock is the session's.  Errors:
 * configuration_limit_exceeded.
 */
int
gs_job_write(const GsNewJob *job, int max)
{
	LOCKTAG		tag = job_lock(ANY_JOB);
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID,
	INT4OID};
	Datum		values[lengthof(types)];
	Oid			array = INT4ARRAYOID;
	Datum		lost;
	int			running;
	int			number;

	(void) LockAcquire(&tag, OWN_LOCK, false, false);
	PushActiveSnapshot(GetLatestSnapshot());
	lost = find_lost(&running);
	PopActiveSnapshot();
	if (running >= max)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("%d background fits are running, and gensynth.max_jobs is %d",
						running, max),
				 errhint("Wait for one with synth_wait; SELECT * FROM synth_jobs shows them.")));
	gs_run("DELETE FROM gensynth.jobs"
		   " WHERE COALESCE(finished, started) " GS_OP("<")
		   " (pg_catalog.now() " GS_OP("-") " interval '30 days')"
		   " AND (state " GS_NE " 'running' OR number " GS_EQ " ANY ($1))",
		   1, &array, &lost, NULL, false);
	values[0] = CStringGetTextDatum(GetUserNameFromId(job->role, false));
	values[1] = job->model;
	values[2] = job->source;
	values[3] = job->method;
	values[4] = job->options;
	values[5] = Int32GetDatum(MyProcPid);
	gs_run("INSERT INTO gensynth.jobs (role, model, source, method, options,"
		   " pid) VALUES ($1, $2, $3, $4, $5, $6) RETURNING number",
		   lengthof(types), types, values, NULL, false);
	number = DatumGetInt32(gs_result(0, 1, NULL));
	tag = job_lock(number);
	(void) LockAcquire(&tag, OWN_LOCK, true, false);
	own_job = number;
	return number;
}

static void
set_text(Datum *value, char *null, const char *text)
{
	*null = text == NULL ? 'n' : ' ';
	*value = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/*
 * gs_job_finish: writes how a job ended.  To be called after gs_enter(), by its
 * process, whose lock an abort may have let go of.
 */
void
gs_job_finish(const GsJobEnd *end)
{
	LOCKTAG		tag = job_lock(end->number);
	const ErrorData *error = end->error;
	Oid			types[] = {INT4OID, TEXTOID, INT4OID, TEXTOID, TEXTOID,
	TEXTOID, TEXTOID};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types)];

	(void) LockAcquire(&tag, OWN_LOCK, true, false);
	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int32GetDatum(end->number);
	values[1] = CStringGetTextDatum(end->state);
	values[2] = Int32GetDatum(end->version);
	nulls[2] = end->version == 0 ? 'n' : ' ';
	set_text(&values[3], &nulls[3], error == NULL ? NULL :
			 unpack_sql_state(error->sqlerrcode));
	set_text(&values[4], &nulls[4], error == NULL ? NULL : error->message);
	set_text(&values[5], &nulls[5], error == NULL ? NULL : error->detail);
	set_text(&values[6], &nulls[6], error == NULL ? NULL : error->hint);
	gs_run("UPDATE gensynth.jobs SET state = $2, version = $3, sqlstate = $4,"
		   " message = $5, detail = $6, hint = $7,"
		   " finished = pg_catalog.clock_timestamp()"
		   " WHERE number " GS_EQ " $1", lengthof(types), types, values, nulls,
		   false);
}

static GsJob *
read_job(int row, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	GsJob	   *job = palloc(sizeof(GsJob));

	for (int c = 0; c < GS_JOB_COLUMNS; c++)
	{
		Form_pg_attribute attribute = TupleDescAttr(SPI_tuptable->tupdesc, c);

		job->value[c] = gs_result(row, c + 1, &job->null[c]);
		if (!job->null[c])
			job->value[c] = datumCopy(job->value[c], attribute->attbyval,
									  attribute->attlen);
	}
	job->role_name = TextDatumGetCString(job->value[GS_JOB_ROLE]);
	job->role = get_role_oid(job->role_name, true);
	job->state = TextDatumGetCString(job->value[GS_JOB_STATE]);
	MemoryContextSwitchTo(old);
	return job;
}

/*
 * gs_job_list: all jobs, or the one of a number that is not 0, as GsJob in the
 * current context, as of now.
 *
 * Which processes have died is looked up before the rows are: one that ends
 * in between has written its end.
 */
List *
gs_job_list(int number)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			types[] = {INT4OID, INT4ARRAYOID};
	Datum		values[] = {Int32GetDatum(number), 0};
	List	   *jobs = NIL;
	GsAccess	access;
	int			running;

	gs_enter(&access);
	PushActiveSnapshot(GetLatestSnapshot());
	values[1] = find_lost(&running);
	PopActiveSnapshot();
	PushActiveSnapshot(GetLatestSnapshot());
	gs_run("SELECT number, role, model, source, method, options, pid,"
		   " CASE WHEN state " GS_EQ " 'running' AND number " GS_EQ " ANY ($2)"
		   " THEN 'lost' ELSE state END,"
		   " started, finished, version, sqlstate, message, detail, hint"
		   " FROM gensynth.jobs WHERE $1 " GS_EQ " 0 OR number " GS_EQ " $1"
		   " ORDER BY number", 2, types, values, NULL, true);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		GsJob	   *job = read_job(i, context);
		MemoryContext old = MemoryContextSwitchTo(context);

		jobs = lappend(jobs, job);
		MemoryContextSwitchTo(old);
	}
	PopActiveSnapshot();
	gs_leave(&access);
	return jobs;
}

/*
 * gs_job_delete: forgets a job.
 */
void
gs_job_delete(int number)
{
	Oid			type = INT4OID;
	Datum		value = Int32GetDatum(number);
	GsAccess	access;

	gs_enter(&access);
	gs_run("DELETE FROM gensynth.jobs WHERE number " GS_EQ " $1", 1, &type,
		   &value, NULL, false);
	gs_leave(&access);
}
