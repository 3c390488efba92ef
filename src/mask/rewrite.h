/*
 * rewrite.h
 *	  Tables masked in place: written anew, as CLUSTER writes them.
 */
#ifndef GENSYNTH_REWRITE_H
#define GENSYNTH_REWRITE_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

#include "mask/mask_plan.h"
#include "mask/masker.h"
#include "mask/pseudonym.h"
#include "mask/synthesize.h"

extern void gs_mask_lock(const GsMaskPlan *plan);
extern bool gs_mask_is_locked(const GsMaskPlan *plan);
extern void gs_mask_try(const GsMaskTable *table, const GsPseudonymKey *key);
extern int64 gs_mask_rewrite(const GsMaskTable *table,
							 const GsPseudonymKey *key);
extern void gs_mask_finish(const GsMaskPlan *plan);
extern void gs_mask_renew_statistics(const GsMaskPlan *plan);

/* rewrite_row.c: a row on its way from the old table to the new one */
typedef struct GsMaskRow GsMaskRow;

extern GsMaskRow *gs_mask_row_begin(Relation relation,
									const GsMaskTable *table);
extern bool gs_mask_row_runs_code(const GsMaskRow *row);
extern void gs_mask_row_make(GsMaskRow *row, GsMasker *masker,
							 TupleTableSlot *read, TupleTableSlot *made);
extern ExprContext *gs_mask_row_context(GsMaskRow *row);
extern void gs_mask_row_end(GsMaskRow *row);
extern int	gs_mask_count_digits(const GsMaskTable *table);
extern GsMasker *gs_mask_begin(Relation relation, const GsMaskTable *table,
							   const GsPseudonymKey *key, int digits,
							   uint64 *counter);
extern GsSynthesis *gs_mask_synthesis(Relation relation,
									  const GsMaskTable *table,
									  const GsPseudonymKey *key);

/* rewrite_writer.c: rows written to the new table */
typedef struct GsMaskWriter GsMaskWriter;

extern GsMaskWriter *gs_mask_writer_begin(Relation to);
extern void gs_mask_writer_put(GsMaskWriter *writer, TupleTableSlot *row);
extern void gs_mask_writer_end(GsMaskWriter *writer);

/* update.c */
extern int64 gs_mask_update(const GsMaskTable *table,
							const GsPseudonymKey *key, const char *key_name,
							int batch_size, bool again, bool commits);

/* copy.c */
extern void gs_mask_copy(const GsMaskPlan *plan, Oid target,
						 const char *into, const GsPseudonymKey *key,
						 const char *key_name);

#endif
