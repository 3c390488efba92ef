/*
 * insert.h
 *	  An INSERT of rows that were made, run so that an error can tell which
 *	  row it is about.
 */
#ifndef GENSYNTH_INSERT_H
#define GENSYNTH_INSERT_H

#include "postgres.h"

#include "executor/execdesc.h"
#include "utils/queryenvironment.h"

/* All zero while none is run. */
typedef struct GsInsert
{
	const char *statement;
	QueryDesc  *query;			/* what is running of it; or NULL */
	int64	   *inserted;		/* numbers of rows, as they go in; or NULL */
} GsInsert;

extern int64 gs_insert_run(GsInsert *insert, const char *statement,
						   EphemeralNamedRelation rows, int64 *inserted);
extern int64 gs_insert_row(const GsInsert *insert);

#endif
