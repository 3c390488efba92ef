/*
 * entity_find.h
 *	  Columns that say whom a row is about: see entity_find.c.
 */
#ifndef GENSYNTH_ENTITY_FIND_H
#define GENSYNTH_ENTITY_FIND_H

#include "learn/learn.h"

extern void gs_entity_find(GsSample *sample, int threshold);

#endif
