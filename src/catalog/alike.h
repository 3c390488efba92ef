/*
 * alike.h
 *	  Names that are like one that does not exist, for hints.
 */
#ifndef GENSYNTH_ALIKE_H
#define GENSYNTH_ALIKE_H

#include "postgres.h"

#include "lib/stringinfo.h"

typedef struct GsAlike
{
	const char *name;			/* what does not exist */
	StringInfoData list;		/* "a", "b": those at the least distance */
	int			best;
} GsAlike;

extern void gs_alike_begin(GsAlike *alike, const char *name);
extern void gs_alike_add(GsAlike *alike, const char *candidate);
extern void gs_alike_add_qualified(GsAlike *alike, const char *candidate);

#endif
