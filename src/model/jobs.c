/*
 * jobs.c
 *	  Pieces of a fit that threads do, each by itself.
 *
 * The threads touch nothing of PostgreSQL's: no palloc, no ereport, and all
 * signals are blocked in them.  The backend waits for them, and when it is
 * interrupted, tells them to stop.
 */
#include "postgres.h"

#include <pthread.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/ipc.h"

#include "model/jobs.h"
#include "model/model.h"
#include "nn/pool.h"

#define POLL_MICROSECONDS 2000

/* Those that do the jobs. */
typedef struct Threads
{
	GsJobs	   *jobs;
	pthread_t  *thread;			/* [n] */
	int			n;
} Threads;

/*
 * A thread: takes jobs, the last ones, which cost most, first.
 */
static void *
work(void *arg)
{
	GsJobs	   *jobs = arg;

	for (;;)
	{
		int			j = atomic_fetch_sub(&jobs->next, 1) - 1;

		if (j < 0 || atomic_load(&jobs->cancel))
			break;
		if (!jobs->job(jobs->arg, j))
		{
			atomic_store(&jobs->failed, true);
			atomic_store(&jobs->cancel, true);
		}
	}
	atomic_fetch_sub(&jobs->running, 1);
	return NULL;
}

static void
join_threads(const Threads *threads)
{
	for (int i = 0; i < threads->n; i++)
		pthread_join(threads->thread[i], NULL);
}

/*
 * On an error, or where the backend is told to exit: what they work on is let
 * go of next.
 */
static void
stop_threads(int code, Datum arg)
{
	Threads    *threads = (Threads *) DatumGetPointer(arg);

	atomic_store(&threads->jobs->cancel, true);
	join_threads(threads);
	threads->jobs->release(threads->jobs->arg);
}

/*
 * gs_jobs_run: does all jobs, in as many threads as max_parallel_maintenance_
 * workers allows, and waits for them.
 *
 * jobs: n to arg are set, all else is 0.  Errors: out_of_memory, and those of
 * gs_model_no_thread; what was malloced is released then.  Can be cancelled.
 */
void
gs_jobs_run(GsJobs *jobs, GsFitContext *context, GsPhase phase)
{
	int			max = Min(Min(max_parallel_maintenance_workers + 1,
							  (int) sysconf(_SC_NPROCESSORS_ONLN)), jobs->n);
	Threads		threads = {.jobs = jobs};

	threads.thread = palloc(sizeof(pthread_t) * Max(max, 1));
	gs_progress_phase(phase, 0, jobs->n);
	atomic_store(&jobs->next, jobs->n);
	for (; threads.n < max; threads.n++)
	{
		atomic_fetch_add(&jobs->running, 1);
		if (!gs_thread_start(&threads.thread[threads.n], work, jobs))
		{
			atomic_fetch_sub(&jobs->running, 1);
			break;
		}
	}
	PG_ENSURE_ERROR_CLEANUP(stop_threads, PointerGetDatum(&threads));
	{
		if (threads.n == 0 && jobs->n > 0)
			gs_model_no_thread();
		while (atomic_load(&jobs->running) > 0)
		{
			gs_fit_progress(context, phase,
							jobs->n - Max(atomic_load(&jobs->next), 0),
							jobs->n);
			pg_usleep(POLL_MICROSECONDS);
		}
	}
	PG_END_ENSURE_ERROR_CLEANUP(stop_threads, PointerGetDatum(&threads));
	join_threads(&threads);
	pfree(threads.thread);
	if (!atomic_load(&jobs->failed))
		return;
	jobs->release(jobs->arg);
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("Failed while trees were grown in threads."),
			 errhint("Learn from fewer rows, with the option \"max_rows\".")));
}
