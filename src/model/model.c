/*
 * model.c
 *	  Samplers of a model, and the batches of rows that they make.
 */
#include "postgres.h"

#include "column/store.h"
#include "model/refine.h"

/*
 * Confines a sampler that has just begun to the rows that meet conditions.
 */
static GsGiven *
condition(GsSampler *sampler, Jsonb *given)
{
	const GsModel *model = sampler->model;
	GsGiven    *parsed = gs_given_parse(sampler->schema, given);

	if (JB_ROOT_COUNT(given) == 0)
		return NULL;
	if (!model->family->conditions)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("models of method \"%s\" cannot be sampled with given values",
						model->family->name),
				 errhint("Filter with WHERE, or fit a model with method => 'copula'.")));
	gs_determined_given(model->determined, sampler->schema, parsed);
	if (parsed->nboxes == 0)
		gs_given_impossible();
	sampler->schema = parsed->schema;
	return parsed;
}

/*
 * gs_sampler_begin: a sampler of a model, which must outlive it, in the
 * current context.
 *
 * given: NULL, or conditions: see gs_given_parse; an empty object changes
 * nothing.  What is counted while rows are made is in sampler->given->stats.
 * Errors: those of gs_given_parse, feature_not_supported, and data_exception
 * if the conditions together have probability zero.
 */
GsSampler *
gs_sampler_begin(const GsModel *model, Jsonb *given)
{
	GsSampler  *sampler = palloc0(sizeof(GsSampler));

	sampler->model = model;
	sampler->schema = gs_schema_copy(model->schema);
	if (given != NULL)
		sampler->given = condition(sampler, given);
	sampler->state = model->family->begin(model->state, sampler->given);
	if (model->refine != NULL)
		sampler->refining = gs_refine_begin(model->refine);
	return sampler;
}

/*
 * gs_batch_create: room for batches of a stream.
 *
 * needed: [nfeatures] those that will be looked at, or NULL for all.  The
 * stream's random numbers follow from the seed and the version's number: two
 * versions with the same seed do not share them.
 */
GsBatch *
gs_batch_create(const GsSampler *sampler, int64 seed, const bool *needed)
{
	const GsModel *model = sampler->model;
	GsBatch    *batch = palloc0(sizeof(GsBatch));
	int			n = model->schema->nfeatures;

	batch->key = gs_mix64((uint64) seed, (uint64) model->version->version);
	batch->nfeatures = n;
	batch->needed = palloc(Max(n, 1));
	/* conditions are about any of them */
	if (needed == NULL || sampler->given != NULL)
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
gs_batch_fill(GsSampler *sampler, GsBatch *batch, int64 index)
{
	const GsModel *model = sampler->model;

	batch->first = index * GS_BATCH;
	model->family->generate(sampler->state, batch);
	if (sampler->refining != NULL)
		gs_refine_apply(sampler, batch);
	gs_determined_fill(model->determined, batch);
}
