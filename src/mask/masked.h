/*
 * masked.h
 *	  Rows of a relation, masked while they are read: synth_masked.
 */
#ifndef GENSYNTH_MASKED_H
#define GENSYNTH_MASKED_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/snapshot.h"

#include "compat.h"
#include "mask/pseudonym.h"

/* What a call asks for. */
typedef struct GsMaskedCall
{
	Oid			relid;			/* whose row type the shape is */
	bool		own;			/* the caller chooses; else the policy does */
	List	   *columns;		/* C strings, or NIL */
	Jsonb	   *rules;			/* or NULL */
	const char *key;			/* its name */
} GsMaskedCall;

/* What becomes of the columns of a relation. */
typedef struct GsMaskedPolicy
{
	Oid			reader;			/* whose rights the source is read with:
								 * InvalidOid for the caller's */
	char	   *table;			/* the root's name, in hashes */
	List	   *columns;		/* of GsMaskedColumn */
	List	   *kept;			/* of GsKeptColumn */
} GsMaskedPolicy;

typedef struct GsMasked GsMasked;

/* masked_policy.c */
extern void gs_masked_call(GsMaskedCall *call, Oid relid,
						   const NullableDatum *args);
extern GsMaskedPolicy *gs_masked_policy(const GsMaskedCall *call);
extern void gs_masked_key(const GsMaskedCall *call,
						  const GsMaskedPolicy *policy, GsPseudonymKey *key);
extern Bitmapset *gs_masked_columns(const List *columns, Oid relid);
extern char *gs_masked_describe(const GsMaskedPolicy *policy);
extern void gs_masked_init(void);

/* masked.c */
extern void gs_masked_check(const GsMaskedCall *call);
extern GsMasked *gs_masked_open(const GsMaskedCall *call, bool whole,
								const Bitmapset *needed, List *conditions,
								Snapshot snapshot);
extern TupleTableSlot *gs_masked_next(GsMasked *masked);
extern void gs_masked_rescan(GsMasked *masked);
extern void gs_masked_close(GsMasked *masked);
GS_NORETURN extern void gs_masked_hide_error(const char *name);

#endif
