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
} GsInsert;

extern int64 gs_insert_run(GsInsert *insert, const char *statement,
						   EphemeralNamedRelation rows);
extern int64 gs_insert_row(const GsInsert *insert);

#endif
