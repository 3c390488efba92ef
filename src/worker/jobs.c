/*
 * jobs.c
 *	  Fits in the background: what their processes write down, and the
 *	  functions by which they are watched, cancelled and waited for.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "catalog/access.h"
#include "catalog/jobs.h"
#include "compat.h"
#include "worker/jobs.h"
#include "worker/progress.h"

#define WAIT_MILLISECONDS	50	/* from one look at a job to the next */
#define DEADLOCK_LOOKS		20	/* from one look for a deadlock to the next */

/*
 * gs_job_begin: writes down the job of this process.  Returns its number.
 * See worker.c.
 */
int64
gs_job_begin(Oid role, const NullableDatum *args)
{
	GsNewJob	job = {
		.role = role,
		.model = args[GS_JOB_ARG_MODEL].value,
		.source = args[GS_JOB_ARG_SOURCE].value,
		.method = args[GS_JOB_ARG_METHOD].value,
		.options = args[GS_JOB_ARG_OPTIONS].value
	};
	int			number = gs_job_write(&job, gs_max_jobs);

	gs_progress_job(number);
	pgstat_report_activity(STATE_RUNNING,
						   psprintf("background fit: job %d, model %s", number,
									TextDatumGetCString(job.model)));
	return number;
}

/*
 * gs_job_done: writes down, in the transaction at hand, that a job has made a
 * version.
 */
void
gs_job_done(int64 number, int version)
{
	GsJobEnd	end = {.number = (int) number,.state = "done",
	.version = version};
	GsAccess	access;

	gs_worker_settle();
	gs_enter(&access);
	gs_job_finish(&end);
	gs_leave(&access);
}

static int64
finish(void *arg)
{
	gs_job_finish(arg);
	return 0;
}

/*
 * gs_job_failed: writes down why a job has made nothing.
 */
void
gs_job_failed(int64 number, const ErrorData *error)
{
	GsJobEnd	end = {.number = (int) number,.error = error,
		.state = error->sqlerrcode == ERRCODE_QUERY_CANCELED ? "cancelled" :
		"failed"
	};

	(void) gs_worker_commit(finish, &end);
}

/*
 * Whether the caller has the rights of a job's role; superusers have.
 */
static bool
is_member(const GsJob *job)
{
	return superuser() ||
		(OidIsValid(job->role) && is_member_of_role(GetUserId(), job->role));
}

static bool
may_see(const GsJob *job)
{
	return is_member(job) ||
		has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

static GsJob *
find_job(int number)
{
	List	   *jobs = number > 0 ? gs_job_list(number) : NIL;

	if (jobs == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("job %d does not exist", number),
				 errhint("SELECT * FROM synth_jobs lists the jobs.")));
	return linitial(jobs);
}

/*
 * gensynth.jobs_now(): the jobs that the caller may see, as of now.
 */
GS_FUNCTION(gensynth_jobs_now);

Datum
gensynth_jobs_now(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach(cell, gs_job_list(0))
	{
		GsJob	   *job = lfirst(cell);

		/* errors may hold values of rows */
		for (int c = GS_JOB_MESSAGE; c <= GS_JOB_HINT; c++)
			job->null[c] |= !is_member(job);
		if (may_see(job))
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
								 job->value, job->null);
	}
	return (Datum) 0;
}

/*
 * gensynth.forget_job(): the trigger that deletes from synth_jobs.  Errors:
 * insufficient_privilege unless the caller has the rights of the job's role;
 * object_in_use while it runs.
 */
GS_FUNCTION(gensynth_forget_job);

Datum
gensynth_forget_job(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	bool		isnull;
	int			number;
	List	   *jobs;
	const GsJob *job;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_INSTEAD(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		elog(ERROR, "not called by DELETE of a view");
	/* the view's first column */
	number = DatumGetInt32(heap_getattr(trigger->tg_trigtuple, 1,
										trigger->tg_relation->rd_att,
										&isnull));
	jobs = gs_job_list(number);
	if (jobs == NIL)			/* another session was first */
		return PointerGetDatum(NULL);
	job = linitial(jobs);
	if (!is_member(job))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for job %d", number),
				 errhint("It is a job of role %s.", job->role_name)));
	if (strcmp(job->state, "running") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("job %d is running", number),
				 errhint("Cancel it with synth_cancel(%d) first.", number)));
	gs_job_delete(number);
	return PointerGetDatum(trigger->tg_trigtuple);
}

/*
 * As for pg_cancel_backend: members of the role and of pg_signal_backend,
 * but only superusers for a superuser's.
 */
static void
check_cancel(const GsJob *job, int number)
{
	if (superuser() ||
		(OidIsValid(job->role) && !superuser_arg(job->role) &&
		 (is_member(job) ||
		  has_privs_of_role(GetUserId(), ROLE_PG_SIGNAL_BACKEND))))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for job %d", number),
			 errhint("It is a job of role %s, whose members may cancel it, and those of pg_signal_backend, or of a superuser, who alone may.",
					 job->role_name)));
}

/*
 * synth_cancel(job int): cancels a job.  Returns whether it was running.
 *
 * Errors: undefined_object, insufficient_privilege.
 */
GS_FUNCTION(synth_cancel);

Datum
synth_cancel(PG_FUNCTION_ARGS)
{
	int			number = PG_GETARG_INT32(0);
	const GsJob *job;
	int			process;

	PreventCommandDuringRecovery("synth_cancel()");
	job = find_job(number);
	check_cancel(job, number);
	process = gs_job_process(number);
	if (process != 0)
	{
		if (kill(process, SIGINT) == 0)
			PG_RETURN_BOOL(true);
		if (errno != ESRCH)
			ereport(ERROR,
					(errcode_for_socket_access(),
					 errmsg("could not send a signal to process %d: %m",
							process)));
	}
	ereport(NOTICE,
			(errmsg("job %d is not running: it is %s", number,
					((const GsJob *) find_job(number))->state)));
	PG_RETURN_BOOL(false);
}

/*
 * Milliseconds until a time, at most those until the next look; 0: it is past.
 */
static long
wait_for(bool limited, TimestampTz end)
{
	long		left = !limited ? WAIT_MILLISECONDS :
		TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);

	return Min(left, WAIT_MILLISECONDS);
}

/*
 * An error if a job's process is this one, or waits for a lock that this one
 * holds: as this one waits by looking again and again, the deadlock detector
 * does not see it.
 */
static void
check_deadlock(int number)
{
	int			process = gs_job_process(number);
	ArrayType  *blocking = process == 0 ? NULL :
		DatumGetArrayTypeP(DirectFunctionCall1(pg_blocking_pids,
											   Int32GetDatum(process)));
	int			n = blocking == NULL ? 0 :
		ArrayGetNItems(ARR_NDIM(blocking), ARR_DIMS(blocking));

	bool		waits = process == MyProcPid;

	for (int i = 0; i < n; i++)
		waits |= ((const int32 *) ARR_DATA_PTR(blocking))[i] == MyProcPid;
	if (waits)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_DEADLOCK_DETECTED),
				 errmsg("job %d waits for this transaction", number),
				 errhint("Commit before you wait for it.")));
}

/*
 * synth_wait(job int, timeout interval = NULL): waits until a job has ended,
 * or for so long.  Returns its state.
 *
 * Errors: undefined_object, insufficient_privilege, deadlock_detected.
 */
GS_FUNCTION(synth_wait);

Datum
synth_wait(PG_FUNCTION_ARGS)
{
	int			number;
	bool		limited = !PG_ARGISNULL(1);
	TimestampTz end = 0;
	long		left;
	int			looks = 0;
	const GsJob *job;
	MemoryContext look;
	MemoryContext old;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	number = PG_GETARG_INT32(0);
	if (limited)
		end = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
													  TimestampTzGetDatum(GetCurrentTimestamp()),
													  PG_GETARG_DATUM(1)));
	job = find_job(number);
	if (!may_see(job))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for job %d", number),
				 errhint("It is a job of role %s.", job->role_name)));
	/* locks that were looked at; a wait may be for days */
	look = AllocSetContextCreate(CurrentMemoryContext, "gensynth wait",
								 ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(look);
	while (strcmp(job->state, "running") == 0 &&
		   gs_job_lives(number, DatumGetInt32(job->value[GS_JOB_PID])) &&
		   (left = wait_for(limited, end)) > 0)
	{
		if (++looks % DEADLOCK_LOOKS == 0)
			check_deadlock(number);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT |
						 WL_EXIT_ON_PM_DEATH, left, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(look);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(look);
	job = find_job(number);
	PG_RETURN_TEXT_P(cstring_to_text(job->state));
}
