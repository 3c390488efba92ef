/*
 * jobs.h
 *	  Pieces of a fit that threads do, each by itself.
 */
#ifndef GENSYNTH_JOBS_H
#define GENSYNTH_JOBS_H

#include "postgres.h"

#include <stdatomic.h>

#include "model/fit_context.h"

typedef struct GsJobs
{
	int			n;

	/*
	 * Does a job, in a thread, which must touch nothing of PostgreSQL's.
	 * Returns false if memory is out, or on cancel.
	 */
	bool		(*job) (void *arg, int j);
	void		(*release) (void *arg); /* what jobs have malloced, on an error */
	void	   *arg;
	atomic_bool cancel;			/* jobs should stop */

	/* jobs.c's own */
	atomic_int	next;			/* jobs before are not taken yet */
	atomic_int	running;		/* threads */
	atomic_bool failed;
} GsJobs;

extern void gs_jobs_run(GsJobs *jobs, GsFitContext *context, GsPhase phase);

#endif
