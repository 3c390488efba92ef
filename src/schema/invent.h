/*
 * invent.h
 *	  Rows of a table that has too few to learn from, where others need some.
 */
#ifndef GENSYNTH_INVENT_H
#define GENSYNTH_INVENT_H

#include "owner/owners.h"
#include "table/source.h"

#define GS_INVENTED_ROWS	5

extern GsSource *gs_invent_source(Oid relid);
extern GsSource *gs_invent_entities(const GsOwners *owners, Oid relid);

#endif
