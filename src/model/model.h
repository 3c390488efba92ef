/*
 * model.h
 *	  A model ready to be sampled.
 */
#ifndef GENSYNTH_MODEL_H
#define GENSYNTH_MODEL_H

#include "catalog/catalog.h"
#include "model/determined.h"
#include "model/family.h"

typedef struct GsRefine GsRefine;

/* How rows were refined: rows / tries is the acceptance rate. */
typedef struct GsRefineStats
{
	int64		rows;
	int64		tries;
} GsRefineStats;

typedef struct GsModel
{
	GsModelEntry *entry;
	GsVersionEntry *version;
	const GsSchema *schema;
	GsDetermined *determined;
	const GsFamily *family;
	void	   *state;			/* the family's */
	GsGiven    *given;			/* NULL: no conditions */
	GsRefine   *refine;			/* NULL: rows are taken as they come */
} GsModel;

extern void gs_model_need_stack(void);
extern void gs_model_no_thread(void);
extern GsModel *gs_model_load(const GsModelEntry *entry, int version);
extern void gs_model_condition(GsModel *model, Jsonb *given);
extern GsBatch *gs_batch_create(const GsModel *model, int64 seed,
								const bool *needed);
extern void gs_batch_copy(GsBatch *to, int row, const GsBatch *from,
						  int candidate);
extern void gs_batch_fill(const GsModel *model, GsBatch *batch, int64 index);

#endif
