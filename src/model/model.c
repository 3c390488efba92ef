/*
 * model.c
 *	  A model ready to be sampled, batch by batch.
 */
#include "postgres.h"

#include "model/refine.h"

/*
 * gs_model_load: reads a version of a model; 0 for the current one.
 *
 * Allocated in the current context.  Errors: see gs_catalog_load.
 */
GsModel *
gs_model_load(const GsModelEntry *entry, int version)
{
	GsModel    *model = palloc0(sizeof(GsModel));

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
