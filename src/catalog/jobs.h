/*
 * jobs.h
 *	  Work in the background, as it is written down: the table gensynth.jobs.
 */
#ifndef GENSYNTH_CATALOG_JOBS_H
#define GENSYNTH_CATALOG_JOBS_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* Columns of gensynth.jobs. */
enum
{
	GS_JOB_NUMBER,
	GS_JOB_ROLE,
	GS_JOB_MODEL,
	GS_JOB_SOURCE,
	GS_JOB_METHOD,
	GS_JOB_OPTIONS,
	GS_JOB_PID,
	GS_JOB_STATE,
	GS_JOB_STARTED,
	GS_JOB_FINISHED,
	GS_JOB_VERSION,
	GS_JOB_SQLSTATE,
	GS_JOB_MESSAGE,
	GS_JOB_DETAIL,
	GS_JOB_HINT,
	GS_JOB_COLUMNS
};

/* A row, in memory of the caller's. */
typedef struct GsJob
{
	Datum		value[GS_JOB_COLUMNS];
	bool		null[GS_JOB_COLUMNS];
	Oid			role;			/* InvalidOid: a role that is gone */
	char	   *role_name;
	char	   *state;
} GsJob;

/* A job to be written. */
typedef struct GsNewJob
{
	Oid			role;
	Datum		model;			/* texts */
	Datum		source;
	Datum		method;
	Datum		options;		/* jsonb */
} GsNewJob;

/* How a job ended. */
typedef struct GsJobEnd
{
	int			number;
	const char *state;
	int			version;		/* 0: none */
	const ErrorData *error;		/* NULL: none */
} GsJobEnd;

extern int	gs_job_write(const GsNewJob *job, int max);
extern void gs_job_finish(const GsJobEnd *end);
extern List *gs_job_list(int number);
extern bool gs_job_lives(int number, int process);
extern int	gs_job_process(int number);
extern void gs_job_delete(int number);

#endif
