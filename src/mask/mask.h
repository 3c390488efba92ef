/*
 * mask.h
 *	  What the procedures of masking share.
 */
#ifndef GENSYNTH_MASK_H
#define GENSYNTH_MASK_H

#include "postgres.h"

#include "fmgr.h"

#include "mask/mask_plan.h"

/* What a call may be told in "options". */
typedef struct GsMaskOptions
{
	int64		published;		/* tables may be in publications */
	int64		again;			/* masked so before is no error */
} GsMaskOptions;

extern char *gs_mask_rules_json(const GsMaskTable *table);
extern bool gs_provenance_knows(const GsMaskTable *table, const char *key);
extern void gs_provenance_add(const GsMaskTable *table, const char *mode,
							  const char *key, int64 rows);

#endif
