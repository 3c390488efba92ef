/*
 * find_pii.h
 *	  Personal columns of relations, as the caller may see them.
 */
#ifndef GENSYNTH_FIND_PII_H
#define GENSYNTH_FIND_PII_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "mask/pii.h"

typedef struct GsPiiFinding
{
	const char *column;
	const char *path;			/* within it: "$.contact.email", "[*]"; NULL */
	GsPiiVerdict verdict;
	const char *evidence;
} GsPiiFinding;

extern List *gs_find_pii(Oid relid);

#endif
