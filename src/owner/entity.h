/*
 * entity.h
 *	  Whose rows those of a table are that has no parent.
 */
#ifndef GENSYNTH_ENTITY_H
#define GENSYNTH_ENTITY_H

#include "owner/owners.h"

extern void gs_owners_find_entities(GsOwners *owners, Oid relid,
									bool personal);
extern List *gs_owners_entity_columns(const GsOwners *owners);

extern void gs_owners_find_generations(GsOwners *owners, Oid relid);

#endif
