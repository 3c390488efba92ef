/*
 * links.h
 *	  Foreign keys of rows that fill a table.
 */
#ifndef GENSYNTH_LINKS_H
#define GENSYNTH_LINKS_H

#include "postgres.h"

#include "stream/target.h"

typedef struct GsLinks GsLinks;

extern GsLinks *gs_links_open(const GsTarget *target, const GsSampler *sampler,
							  int64 seed, int64 rows);
extern void gs_links_refresh(GsLinks *links);
extern const char *gs_links_fill(GsLinks *links, int64 row, Datum *values,
								 bool *nulls);
extern int64 gs_links_keys(const GsLinks *links, int at, const Datum **keys,
						   int *stride);
extern int64 gs_links_room(const GsLinks *links);

#endif
