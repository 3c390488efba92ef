/*
 * relation.h
 *	  Relations as tables of ours keep them: by OID, and by name where that is
 *	  gone.
 */
#ifndef GENSYNTH_CATALOG_RELATION_H
#define GENSYNTH_CATALOG_RELATION_H

#include "postgres.h"

extern Oid	gs_relation_find(Oid relid, const char *name);
extern Oid	gs_relation_type(void);
extern Datum gs_relation_make(Oid relid, const char *name);

#endif
