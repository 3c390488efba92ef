/*
 * access.h
 *	  The way into the tables of the schema gensynth, for this room only, but
 *	  for what runs a statement and reads its result; and to be another role.
 */
#ifndef GENSYNTH_ACCESS_H
#define GENSYNTH_ACCESS_H

#include "postgres.h"

#include "executor/spi.h"
#include "storage/lock.h"
#include "utils/snapshot.h"

/*
 * Operators in SQL that is run or written here: a plain "=" would be looked up
 * by the search_path.  IN, BETWEEN, LIKE, NULLIF, IS DISTINCT FROM and CASE x
 * WHEN look one up too, so they are written otherwise.
 */
#define GS_OP(name)	"OPERATOR(pg_catalog." name ")"
#define GS_EQ		GS_OP("=")
#define GS_NE		GS_OP("<>")
#define GS_PLUS		GS_OP("+")

/* Who the caller was. */
typedef struct GsAccess
{
	Oid			user;
	int			context;
	int			settings;		/* their level */
} GsAccess;

extern bool gs_is_of_extension(Oid catalog, Oid object, const char *name);
extern void gs_become(GsAccess *access, Oid role, int how);
extern void gs_become_caller(const GsAccess *access);
extern void gs_enter(GsAccess *access);
extern void gs_leave(GsAccess *access);
extern uint64 gs_run(const char *sql, int nargs, const Oid *types,
					 const Datum *values, const char *nulls, bool read_only);
extern uint64 gs_run_snapshot(const char *sql, int nargs, const Oid *types,
							  const Datum *values, Snapshot snapshot,
							  Snapshot crosscheck);
extern uint64 gs_run_text(const char *sql, const char *name, bool read_only);
extern uint64 gs_run_version(const char *sql, const char *name, int version,
							 bool read_only);
extern Datum gs_result(int row, int column, bool *isnull);
extern char *gs_result_text(int row, int column, MemoryContext context);
extern LOCKTAG gs_table_lock(const char *table, int number);

#endif
