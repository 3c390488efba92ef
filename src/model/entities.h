/*
 * entities.h
 *	  Rows that are about the same entity: see entities.c.
 */
#ifndef GENSYNTH_ENTITIES_H
#define GENSYNTH_ENTITIES_H

#include "key/key.h"

#define GS_MAX_ENTITY_FEATURES	64	/* that rows are sorted by */

extern void gs_entities_apply(const GsSchema *schema, GsBatch *batch);

#endif
