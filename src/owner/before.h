/*
 * before.h
 *	  What a row takes over from the one before it, exactly.
 */
#ifndef GENSYNTH_BEFORE_H
#define GENSYNTH_BEFORE_H

#include "owner/owners.h"

extern void gs_owners_find_before(GsOwners *owners, Oid relid,
								  const char *rows, const char *window);

#endif
