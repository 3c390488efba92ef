/*
 * model.h
 *	  Models, which nothing changes, and samplers, which make their rows.
 */
#ifndef GENSYNTH_MODEL_H
#define GENSYNTH_MODEL_H

#include "catalog/catalog.h"
#include "model/dependency.h"
#include "model/family.h"

typedef struct GsRefine GsRefine;
typedef struct GsRefining GsRefining;

/* How rows were refined: rows / tries is the acceptance rate. */
typedef struct GsRefineStats
{
	int64		rows;
	int64		tries;
} GsRefineStats;

/* A version of a model, as loaded or while it is fitted. */
typedef struct GsModel
{
	const char *name;
	pg_uuid_t	id;
	const GsVersionEntry *version;
	const GsSchema *schema;
	const GsDependency *determined;
	const GsFamily *family;
	const void *state;			/* the family's */
	const GsRefine *refine;		/* NULL: rows are taken as they come */
} GsModel;

/* All that changes while a model is sampled. */
typedef struct GsSampler
{
	const GsModel *model;
	GsSchema   *schema;			/* whose keys and numbers are this sampler's */
	void	   *state;			/* the family's sampler */
	GsGiven    *given;			/* NULL: no conditions */
	const bool *context;		/* [nfeatures] known for every row; or NULL */
	GsRefining *refining;		/* NULL: rows are taken as they come */
	GsInverse  *inverse;		/* NULL: context says nothing of predictors */
	GsBatch    *inverse_spare;	/* rows that may go with it better */
} GsSampler;

/* model.c */
extern int64 gs_random_seed(void);
extern void gs_model_need_stack(void);
GS_NORETURN extern void gs_model_no_thread(void);
extern GsSampler *gs_sampler_begin(const GsModel *model, Jsonb *given,
								   const bool *context);
extern GsBatch *gs_batch_allocate(const GsSchema *schema);
extern void gs_batch_fill_rest(GsBatch *batch, const int *position_of);
extern GsBatch *gs_batch_create(const GsSampler *sampler, int64 seed,
								const bool *needed);
extern GsBatch *gs_batch_spare(const GsSampler *sampler,
							   const GsBatch *batch);
extern void gs_batch_share(GsBatch *spare, const GsBatch *batch);
/* Batches that are made for the refused rows of one. */
#define GS_MAX_RETRIES	200

extern int	gs_batch_retry(GsBatch *batch, GsBatch *spare, bool *refused,
						   int left, uint64 key, int first, int last,
						   void (*make) (void *arg, GsBatch *spare,
										 bool *refused), void *arg);
extern void gs_batch_fill(GsSampler *sampler, GsBatch *batch, int64 index);

GS_NORETURN extern void gs_context_unfit(const GsSchema *schema, int f);

/* cache.c */
extern GsModel *gs_model_of(const GsVersionEntry *version, const char *name);
extern const GsModel *gs_model_load(const GsModelEntry *entry, int version);

#endif
