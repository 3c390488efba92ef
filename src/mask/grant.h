/*
 * grant.h
 *	  Who may read a table through its policy.
 */
#ifndef GENSYNTH_GRANT_H
#define GENSYNTH_GRANT_H

#include "postgres.h"

#include "nodes/pg_list.h"

extern List *gs_mask_readers_of(const char *label);
extern void gs_mask_check_readers(Oid relid);
extern bool gs_mask_may_read(Oid relid);
extern void gs_mask_check_grant(Oid relid);

#endif
