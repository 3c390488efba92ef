/*
 * strange.h
 *	  Code of others that would run as the caller.
 */
#ifndef GENSYNTH_STRANGE_H
#define GENSYNTH_STRANGE_H

#include "postgres.h"

#include "catalog/access.h"

/* What is to be done with a table. */
typedef enum GsStrangeUse
{
	GS_STRANGE_COPY,			/* one like it is made, and filled as it is */
	GS_STRANGE_FILL,			/* or by defaults, too */
	GS_STRANGE_READ				/* it is read, though nobody has named it */
} GsStrangeUse;

/* A function, and who owns it. */
typedef struct GsStrange
{
	char	   *function;
	char	   *role;
} GsStrange;

extern Oid	gs_owner_of(Oid relid);
extern bool gs_strange_code(Oid relid, GsStrangeUse use, GsStrange *found);
extern bool gs_may_read_as_owner(Oid relid);
extern char *gs_as_text(const char *expression, Oid type);
extern void gs_begin_reading(GsAccess *access, Oid relid, bool as_owner);

#endif
