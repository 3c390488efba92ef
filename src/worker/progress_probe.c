/*
 * progress_probe.c
 *	  What bench/jobs.sh asks of progress: how often a backend told something,
 *	  and what that costs.  No SQL of the extension declares these functions.
 */
#include "postgres.h"

#include <time.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"

#include "compat.h"
#include "worker/progress.h"

/* More than a core's caches hold. */
#define CACHE_BYTES		(16 * 1024 * 1024)

static double
seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

/*
 * cpu(): seconds of CPU time that this process and all its threads have used.
 */
GS_FUNCTION(gs_probe_cpu);

Datum
gs_probe_cpu(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(seconds(CLOCK_PROCESS_CPUTIME_ID));
}

/*
 * told(): how often this backend has changed its public status, from some time
 * on: for progress, and some few times for a statement.
 */
GS_FUNCTION(gs_probe_told);

Datum
gs_probe_told(PG_FUNCTION_ARGS)
{
	/* odd while it is changed, even again after it */
	PG_RETURN_INT64((uint32) MyBEEntry->st_changecount / 2);
}

/*
 * cost_of_telling(n int): seconds of CPU time that one change of the status
 * costs, with none of it in a cache and the clock's own cost included; the mean
 * of n calls of those that change it most often at once.
 */
GS_FUNCTION(gs_probe_cost);

Datum
gs_probe_cost(PG_FUNCTION_ARGS)
{
	int			n = Max(PG_GETARG_INT32(0), 1);
	volatile char *cache = palloc(CACHE_BYTES);
	GsProgress	outer;
	int32		before;
	int32		changes = 0;
	double		spent = 0;

	gs_progress_begin("probe", InvalidOid, &outer);
	for (int i = 0; i < n; i++)
	{
		double		start;

		CHECK_FOR_INTERRUPTS();
		for (int b = 0; b < CACHE_BYTES; b += 64)
			cache[b]++;
		before = MyBEEntry->st_changecount;
		start = seconds(CLOCK_THREAD_CPUTIME_ID);
		gs_progress_phase(i % 2 == 0 ? GS_PHASE_TREES : GS_PHASE_NETWORK, i,
						  n);
		gs_progress_network(i, n, i, i);
		spent += seconds(CLOCK_THREAD_CPUTIME_ID) - start;
		changes += (MyBEEntry->st_changecount - before) / 2;
	}
	gs_progress_end(&outer);
	PG_RETURN_FLOAT8(spent / changes);
}
