/*
 * jobs.h
 *	  Fits in the background: what their processes write down.
 */
#ifndef GENSYNTH_WORKER_JOBS_H
#define GENSYNTH_WORKER_JOBS_H

#include "postgres.h"

#include "worker/worker.h"

/* Arguments of a job's work that every job has; its own follow. */
enum
{
	GS_JOB_ARG_MODEL,
	GS_JOB_ARG_SOURCE,
	GS_JOB_ARG_METHOD,
	GS_JOB_ARG_OPTIONS,
	GS_JOB_ARGS
};

extern int64 gs_job_begin(Oid role, const NullableDatum *args);
extern void gs_job_done(int64 number, int version);
extern void gs_job_failed(int64 number, const ErrorData *error);

#endif
