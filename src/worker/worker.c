/*
 * worker.c
 *	  Work in a background process, which commits by itself.
 *
 * A process is started for each piece of work, from this library, which need
 * not be preloaded.  What it writes stays whatever becomes of the transaction
 * that asked for it.  It sees nothing that this has not committed, and would
 * wait for ever for a lock that it holds, for whoever waits for an answer is
 * not seen by the deadlock detector.  So what stands apart of both is all that
 * can be asked for in a transaction that has written.
 *
 * Arguments go to it in a segment of shared memory, with all that makes it
 * another session of the same caller, and the answer comes back there; the
 * caller waits on its latch.  Each kind of work has two parts, of which one
 * may be missing:
 *
 * begin	a statement that the kind stands for, as the owner of the tables,
 *			committed on its own before the answer is given: what it returns
 * work		what follows, as the caller, in a transaction of its own, when
 *			nobody waits any more
 *
 * The process connects as the user who was authenticated, and becomes the
 * caller as a parallel worker does: so a role without LOGIN can be one.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "catalog/access.h"
#include "catalog/ledger.h"
#include "fit/background.h"
#include "worker/jobs.h"
#include "worker/worker.h"

#define MAGIC			0x47535731
#define MAX_ARGS		16
#define TEXT_BYTES		1024	/* of an error's texts, each */

/* How long the owner's statement waits for a lock. */
#define LOCK_TIMEOUT_TEXT	"5s"

/* See the top of the file. */
typedef struct WorkKind
{
	const char *name;			/* as processes are called */
	bool		apart;			/* needs nothing that its caller may have
								 * written, and no lock that it may hold */
	int64		(*begin) (Oid role, const NullableDatum *args);
	void		(*work) (int64 answer, const NullableDatum *args);
	void		(*failed) (int64 answer, const ErrorData *error);
} WorkKind;

static const WorkKind kinds[] = {
	[GS_WORK_FIT] = {"fit", false, gs_job_begin, gs_background_fit,
	gs_job_failed},
	[GS_WORK_DEBIT] = {.name = "debit",.apart = true,
	.begin = gs_ledger_begin_debit},
	[GS_WORK_BUDGET] = {.name = "budget",.apart = true,
	.begin = gs_ledger_begin_budget}
};

/* What an answer is. */
enum
{
	ANSWER_NONE,
	ANSWER_GIVEN,
	ANSWER_ERROR,
	ANSWER_UNWANTED				/* the caller has stopped waiting */
};

/* The segment; settings and arguments follow. */
typedef struct Request
{
	uint32		magic;
	GsWork		kind;
	PGPROC	   *caller;
	Oid			database;

	/* who the caller is */
	Oid			authenticated;
	Oid			session;
	Oid			role;			/* InvalidOid: none was SET */
	Oid			user;
	int			context;		/* SECURITY_... */

	/* the answer */
	pg_atomic_uint32 answered;
	int64		answer;
	int			sqlstate;
	char		message[TEXT_BYTES];
	char		detail[TEXT_BYTES];
	char		hint[TEXT_BYTES];

	Size		settings;		/* bytes of the settings */
	int			nargs;
	char		data[FLEXIBLE_ARRAY_MEMBER];
} Request;

int			gs_max_jobs = 2;

/* The worker was told to end, and when. */
static volatile sig_atomic_t terminated = false;
static volatile time_t terminated_at;

PGDLLEXPORT void gs_worker_main(Datum main_arg);

/*
 * gs_worker_init: the settings of this room.
 */
void
gs_worker_init(void)
{
	DefineCustomIntVariable("gensynth.max_jobs",
							"Sets how many background fits may run at a time in a database.",
							NULL, &gs_max_jobs, 2, 0, 1024, PGC_SUSET, 0,
							NULL, NULL, NULL);
}

/*
 * The caller does not wait any more, or has its answer.
 */
static void
stop_waiting(dsm_segment *segment, Datum arg)
{
	Request    *request = (Request *) DatumGetPointer(arg);
	uint32		none = ANSWER_NONE;

	(void) pg_atomic_compare_exchange_u32(&request->answered, &none,
										  ANSWER_UNWANTED);
}

/*
 * Values of their own, for a type's length; sets the size of all together.
 */
static void
flatten(const GsWorkArg *args, int nargs, NullableDatum *flat,
		int16 *length, bool *byval, Size *size)
{
	*size = 0;
	for (int i = 0; i < nargs; i++)
	{
		flat[i] = args[i].value;
		get_typlenbyval(args[i].type, &length[i], &byval[i]);
		if (!flat[i].isnull && length[i] == -1)
			flat[i].value = PointerGetDatum(PG_DETOAST_DATUM_COPY(flat[i].value));
		*size = add_size(*size, datumEstimateSpace(flat[i].value,
												   flat[i].isnull, byval[i],
												   length[i]));
	}
}

static dsm_segment *
make_request(GsWork kind, const GsWorkArg *args, int nargs)
{
	NullableDatum flat[MAX_ARGS];
	int16		length[MAX_ARGS];
	bool		byval[MAX_ARGS];
	Size		arguments;
	Size		settings = MAXALIGN(EstimateGUCStateSpace());
	dsm_segment *segment;
	Request    *request;
	char	   *end;

	Assert(nargs <= MAX_ARGS);
	flatten(args, nargs, flat, length, byval, &arguments);
	segment = dsm_create(add_size(add_size(sizeof(Request), settings),
								  arguments), 0);
	request = dsm_segment_address(segment);
	memset(request, 0, sizeof(Request));
	request->magic = MAGIC;
	request->kind = kind;
	request->caller = MyProc;
	request->database = MyDatabaseId;
	request->authenticated = GetAuthenticatedUserId();
	request->session = GetSessionUserId();
	request->role = GetCurrentRoleId();
	GetUserIdAndSecContext(&request->user, &request->context);
	pg_atomic_init_u32(&request->answered, ANSWER_NONE);
	request->settings = settings;
	SerializeGUCState(settings, request->data);
	request->nargs = nargs;
	end = request->data + settings;
	for (int i = 0; i < nargs; i++)
		datumSerialize(flat[i].value, flat[i].isnull, byval[i], length[i],
					   &end);
	on_dsm_detach(segment, stop_waiting, PointerGetDatum(request));
	return segment;
}

static BackgroundWorkerHandle *
start_process(GsWork kind, dsm_segment *segment)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(segment)),
		.bgw_notify_pid = MyProcPid
	};
	BackgroundWorkerHandle *handle;

	snprintf(worker.bgw_name, BGW_MAXLEN, "gensynth %s by process %d",
			 kinds[kind].name, MyProcPid);
	strlcpy(worker.bgw_type, "gensynth worker", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "gensynth", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "gs_worker_main", BGW_MAXLEN);
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("no background process is free"),
				 errhint("Increase max_worker_processes, or wait for other work in the background.")));
	return handle;
}

static void
wait_for_answer(const Request *request, BackgroundWorkerHandle *handle)
{
	for (;;)
	{
		pid_t		pid;
		/* in this order, since an answer may be given before the end */
		BgwHandleStatus status = GetBackgroundWorkerPid(handle, &pid);

		if (pg_atomic_read_u32(unconstify(pg_atomic_uint32 *,
										  &request->answered)) != ANSWER_NONE)
			break;
		if (status == BGWH_STOPPED || status == BGWH_POSTMASTER_DIED)
			ereport(ERROR,
					(errcode(ERRCODE_OPERATOR_INTERVENTION),
					 errmsg("the background process ended before it answered"),
					 errhint("The server's log may say why.")));
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, -1,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	pg_read_barrier();
}

static void
throw_error(const Request *request)
{
	ereport(ERROR,
			(errcode(request->sqlstate),
			 errmsg_internal("%s", request->message),
			 request->detail[0] == '\0' ? 0 :
			 errdetail_internal("%s", request->detail),
			 request->hint[0] == '\0' ? 0 : errhint("%s", request->hint)));
}

/*
 * gs_worker_run: starts a process for work, as the caller, and returns its
 * answer.
 *
 * Can be cancelled: what has begun by then is committed, but no work follows.
 * Errors: active_sql_transaction in a transaction that has written, unless
 * the work stands apart of it; insufficient_resources where no process is
 * free; operator_intervention where it dies; those of the work's beginning.
 */
int64
gs_worker_run(GsWork kind, const GsWorkArg *args, int nargs)
{
	dsm_segment *segment;
	Request    *request;
	int64		answer;

	if (!kinds[kind].apart && TransactionIdIsValid(GetTopTransactionIdIfAny()))
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("cannot start a background process in a transaction that has written"),
				 errdetail("It would not see what this transaction has not committed, and would wait for its locks."),
				 errhint("Commit first.")));
	segment = make_request(kind, args, nargs);
	request = dsm_segment_address(segment);
	wait_for_answer(request, start_process(kind, segment));
	if (pg_atomic_read_u32(&request->answered) == ANSWER_ERROR)
		throw_error(request);
	answer = request->answer;
	dsm_detach(segment);
	return answer;
}

/*
 * gs_worker_settle: what this transaction commits is on disk before anybody
 * is told, and it does not wait long for locks, whatever the settings.
 */
void
gs_worker_settle(void)
{
	(void) set_config_option("synchronous_commit", "on", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	(void) set_config_option("lock_timeout", LOCK_TIMEOUT_TEXT, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/*
 * gs_worker_commit: runs a statement as the owner of the tables, in a
 * transaction of its own.  Returns what that returns.
 */
int64
gs_worker_commit(int64 (*statement) (void *arg), void *arg)
{
	GsAccess	access;
	int64		result;

	StartTransactionCommand();
	XactIsoLevel = XACT_READ_COMMITTED;
	gs_worker_settle();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	PushActiveSnapshot(GetTransactionSnapshot());
	gs_enter(&access);
	result = statement(arg);
	gs_leave(&access);
	PopActiveSnapshot();
	SPI_finish();
	CommitTransactionCommand();
	return result;
}

/* What the process was asked for, once it has let go of the segment. */
typedef struct Order
{
	const WorkKind *kind;
	Request    *request;		/* a copy, but for the answer */
	NullableDatum args[MAX_ARGS];
} Order;

/*
 * SIGTERM: ends the work as a cancel does, so that it can be written down; but
 * who is told again, and is still there, goes at once.  A postmaster that stops
 * tells each process twice: itself, and as a group of processes.
 */
static void
handle_terminate(SIGNAL_ARGS)
{
	if (!terminated)
	{
		terminated = true;
		terminated_at = time(NULL);
		StatementCancelHandler(GS_SIGNAL);
	}
	else if (time(NULL) > terminated_at + 1)
		die(GS_SIGNAL);
}

/*
 * Settings of the caller's session, but for those that are about its
 * statements: a fit in the background has time.
 */
static void
take_settings(void *settings)
{
	StartTransactionCommand();
	RestoreGUCState(settings);
	SetConfigOption("default_transaction_read_only", "off", PGC_USERSET,
					PGC_S_SESSION);
#if PG_VERSION_NUM >= 170000
	SetConfigOption("transaction_timeout", "0", PGC_USERSET, PGC_S_SESSION);
#endif
	CommitTransactionCommand();
}

static void
become_session(const Request *request)
{
	StartTransactionCommand();
	SetSessionAuthorization(request->session, superuser_arg(request->session));
	SetCurrentRoleId(request->role, superuser_arg(OidIsValid(request->role) ?
												  request->role :
												  request->session));
	CommitTransactionCommand();
}

/*
 * Copies what is to be known of the segment after it is gone.
 */
static void
take_order(Order *order, Request *request)
{
	char	   *at = request->data + request->settings;
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	if (request->magic != MAGIC || request->kind < 0 ||
		request->kind >= lengthof(kinds))
		elog(ERROR, "the request is not of this version of gensynth");
	order->kind = &kinds[request->kind];
	order->request = palloc(sizeof(Request));
	memcpy(order->request, request, offsetof(Request, data));
	for (int i = 0; i < request->nargs; i++)
		order->args[i].value = datumRestore(&at, &order->args[i].isnull);
	MemoryContextSwitchTo(old);
}

static int64
begin_work(void *arg)
{
	const Order *order = arg;

	return order->kind->begin(order->request->user, order->args);
}

/*
 * Gives the answer.  Returns false if nobody wants it any more.
 */
static bool
give_answer(Request *request, uint32 what)
{
	uint32		none = ANSWER_NONE;
	bool		wanted;

	pg_write_barrier();
	wanted = pg_atomic_compare_exchange_u32(&request->answered, &none, what);
	if (wanted)
		SetLatch(&request->caller->procLatch);
	return wanted;
}

static void
copy_text(char *to, const char *from)
{
	if (from != NULL)
		strlcpy(to, from, pg_mbcliplen(from, strlen(from),
									   TEXT_BYTES - 1) + 1);
}

/*
 * The error that was caught, which lives on; it is told to the server's log.
 */
static ErrorData *
take_error(void)
{
	ErrorData  *error;

	MemoryContextSwitchTo(TopMemoryContext);
	error = CopyErrorData();
	if (terminated && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
	{
		error->sqlerrcode = ERRCODE_ADMIN_SHUTDOWN;
		error->message = "terminating background process due to administrator command";
	}
	EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	return error;
}

/*
 * The first part, and the answer.  Returns false if there is nothing more to
 * do.
 */
static bool
begin_and_answer(Order *order, Request *request, int64 *answer)
{
	const ErrorData *volatile error = NULL;

	if (pg_atomic_read_u32(&request->answered) != ANSWER_NONE)
		return false;
	PG_TRY();
	{
		take_settings(request->data);
		become_session(request);
		*answer = gs_worker_commit(begin_work, order);
	}
	PG_CATCH();
	{
		error = take_error();
	}
	PG_END_TRY();
	if (error != NULL)
	{
		request->sqlstate = error->sqlerrcode;
		copy_text(request->message, error->message);
		copy_text(request->detail, error->detail);
		copy_text(request->hint, error->hint);
		(void) give_answer(request, ANSWER_ERROR);
		return false;
	}
	request->answer = *answer;
	if (!give_answer(request, ANSWER_GIVEN))
	{
		/* as if it had been cancelled as soon as it had begun */
		InterruptPending = true;
		QueryCancelPending = true;
	}
	return order->kind->work != NULL;
}

/*
 * The second part: as the caller, and what is deferred to the commit as who
 * would commit in the session.
 */
static void
run_work(const Order *order, int64 answer)
{
	const Request *request = order->request;
	Oid			user;
	int			context;

	StartTransactionCommand();
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(request->user, request->context);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	PushActiveSnapshot(GetTransactionSnapshot());
	CHECK_FOR_INTERRUPTS();
	order->kind->work(answer, order->args);
	PopActiveSnapshot();
	SPI_finish();
	SetUserIdAndSecContext(user, context);
	CommitTransactionCommand();
}

/*
 * The session's locks go with the process, after its transaction; PostgreSQL
 * itself sees to advisory ones only.
 */
static void
release_locks(int code, Datum arg)
{
	LockReleaseAll(DEFAULT_LOCKMETHOD, true);
}

/*
 * gs_worker_main: the process.
 */
void
gs_worker_main(Datum main_arg)
{
	dsm_segment *segment;
	Request    *request;
	Order		order = {0};
	int64		answer = 0;
	bool		goes_on;

	pqsignal(SIGTERM, handle_terminate);
	BackgroundWorkerUnblockSignals();
	CurrentResourceOwner = ResourceOwnerCreate(NULL, "gensynth worker");
	segment = dsm_attach(DatumGetUInt32(main_arg));
	if (segment == NULL)		/* the caller is gone */
		return;
	dsm_pin_mapping(segment);
	request = dsm_segment_address(segment);
	BackgroundWorkerInitializeConnectionByOid(request->database,
											  request->authenticated, 0);
	on_shmem_exit(release_locks, (Datum) 0);
	take_order(&order, request);
	goes_on = begin_and_answer(&order, request, &answer);
	dsm_detach(segment);
	if (!goes_on)
		return;
	PG_TRY();
	{
		run_work(&order, answer);
	}
	PG_CATCH();
	{
		const ErrorData *error = take_error();

		/* a second cancel must not keep this from being written */
		pqsignal(SIGINT, GS_SIG_IGN);
		QueryCancelPending = false;
		order.kind->failed(answer, error);
	}
	PG_END_TRY();
}
