/*
 * model.c
 *	  A model ready to be sampled, batch by batch.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "model/model.h"
#include "model/refine.h"
#include "numeric/stack.h"

/*
 * gs_model_need_stack: an error unless the stack has, or can have, the room
 * that fits and models need, without which the process would be killed.
 *
 * Errors: out_of_memory.
 */
void
gs_model_need_stack(void)
{
	pg_stack_base_t base = set_stack_base();
	char		here;

	restore_stack_base(base);
	if (!gs_stack_prepare(base > &here ? base - &here : &here - base))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory for the stack"),
				 errdetail("%zu kB of it are needed.", GS_STACK_BYTES / 1024),
				 errhint("Raise the limits of the server's processes: that of address space (ulimit -v) or that of the stack (ulimit -s).")));
}

/*
 * gs_model_no_thread: an error for work that no thread could be started for,
 * and that cannot be cancelled in the backend's own.
 *
 * Errors: insufficient_resources.
 */
void
gs_model_no_thread(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
			 errmsg("could not start a thread"),
			 errhint("Raise the limits of the server's processes: that of address space (ulimit -v) or that of threads (ulimit -u).")));
}

/*
 * gs_model_load: reads a version of a model; 0 for the current one.
 *
 * Allocated in the current context.  Errors: see gs_catalog_load.
 */
GsModel *
gs_model_load(const GsModelEntry *entry, int version)
{
	GsModel    *model = palloc0(sizeof(GsModel));

	gs_model_need_stack();
	model->entry = unconstify(GsModelEntry *, entry);
	model->version = gs_catalog_load(entry, version);
	model->schema = model->version->schema;
	model->family = gs_family_find(model->version->method);
	if (model->family == NULL)
		gs_corrupted("Version %d of model \"%s\" is of an unknown method.",
					 model->version->version, entry->name);
	model->determined = gs_determined_load(model->schema,
										   model->version->tensors);
	model->state = model->family->load(model->schema,
									   model->version->tensors);
	model->refine = gs_refine_load(model->schema, model->version->tensors);
	return model;
}

/*
 * gs_model_condition: confines a model that was just loaded to the rows that
 * meet conditions.
 *
 * given: see gs_given_parse; an empty object changes nothing.  model->schema
 * changes too, so streams are to be opened afterwards.  What is counted while
 * rows are made is in model->given->stats.  Allocated in the current context.
 * Errors: those of gs_given_parse, feature_not_supported, and data_exception
 * if the conditions together have probability zero.
 */
void
gs_model_condition(GsModel *model, Jsonb *given)
{
	GsGiven    *parsed = gs_given_parse(model->schema, given);

	if (JB_ROOT_COUNT(given) == 0)
		return;
	if (model->family->condition == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("models of method \"%s\" cannot be sampled with given values",
						model->family->name),
				 errhint("Filter with WHERE, or fit a model with method => 'copula'.")));
	gs_determined_given(model->determined, model->schema, parsed);
	if (parsed->nboxes == 0)
		gs_given_impossible();
	model->state = model->family->condition(model->state, parsed);
	model->schema = parsed->schema;
	model->given = parsed;
}

/*
 * gs_batch_create: room for batches of a stream.
 *
 * needed: [nfeatures] those that will be looked at, or NULL for all.  The
 * stream's random numbers follow from the seed and the version's number: two
 * versions with the same seed do not share them.
 */
GsBatch *
gs_batch_create(const GsModel *model, int64 seed, const bool *needed)
{
	GsBatch    *batch = palloc0(sizeof(GsBatch));
	int			n = model->schema->nfeatures;

	batch->key = gs_mix64((uint64) seed, (uint64) model->version->version);
	batch->nfeatures = n;
	batch->needed = palloc(Max(n, 1));
	/* conditions are about any of them */
	if (needed == NULL || model->given != NULL)
		memset(batch->needed, true, n);
	else
	{
		memcpy(batch->needed, needed, n);
		if (model->refine != NULL)
			gs_refine_need(model->refine, batch->needed);
		gs_determined_need(model->determined, batch->needed);
	}
	batch->score = palloc0(sizeof(float *) * Max(n, 1));
	batch->code = palloc0(sizeof(int32 *) * Max(n, 1));
	for (int f = 0; f < n; f++)
	{
		if (model->schema->features[f].kind == GS_FEATURE_NUMBER)
			batch->score[f] = palloc0(sizeof(float) * GS_BATCH);
		else
			batch->code[f] = palloc(sizeof(int32) * GS_BATCH);
	}
	return batch;
}

/*
 * gs_batch_copy: puts a row of one batch in the place of a row of another.
 */
void
gs_batch_copy(GsBatch *to, int row, const GsBatch *from, int candidate)
{
	for (int f = 0; f < to->nfeatures; f++)
	{
		if (!to->needed[f])
			continue;
		if (to->score[f] != NULL)
			to->score[f][row] = from->score[f][candidate];
		else
			to->code[f][row] = from->code[f][candidate];
	}
}

/*
 * gs_batch_fill: makes the batch of rows index * GS_BATCH and on, from 0.
 */
void
gs_batch_fill(const GsModel *model, GsBatch *batch, int64 index)
{
	batch->first = index * GS_BATCH;
	model->family->generate(model->state, batch);
	if (model->refine != NULL)
		gs_refine_apply(model, batch);
	gs_determined_fill(model->determined, batch);
}
