/*
 * synthesize.h
 *	  Columns of real rows drawn from a model, given the columns that stay.
 */
#ifndef GENSYNTH_SYNTHESIZE_H
#define GENSYNTH_SYNTHESIZE_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "utils/rel.h"

#include "mask/mask_plan.h"
#include "mask/masker.h"
#include "mask/pseudonym.h"

typedef struct GsSynthesis GsSynthesis;

extern void gs_synthesis_fit(GsMaskTable *table, const GsPseudonymKey *key);
extern GsSynthesis *gs_synthesis_begin(Relation relation, const char *table,
									   const List *columns,
									   const GsPseudonymKey *key, Oid reader,
									   const struct GsModel *fitted);
extern bool gs_synthesis_put(GsSynthesis *synthesis, TupleTableSlot *row);
extern void gs_synthesis_make(GsSynthesis *synthesis);
extern TupleTableSlot *gs_synthesis_get(GsSynthesis *synthesis);
extern void gs_synthesis_pass(GsSynthesis *synthesis, TupleTableSlot *read,
							  void (*row) (void *arg, TupleTableSlot *slot),
							  void *arg);
extern void gs_synthesis_reset(GsSynthesis *synthesis);

#endif
