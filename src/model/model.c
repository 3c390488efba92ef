/*
 * model.c
 *	  Samplers of a model, and the batches of rows that they make.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "column/store.h"
#include "model/entities.h"
#include "model/refine.h"
#include "numeric/stack.h"

/* Rows made again to go with what is known: how often, and as long as so many
 * of those that did not are found. */
#define MAX_INVERSE_TRIES	16
#define MIN_INVERTED		0.1

/*
 * gs_random_seed: a seed for whoever names none.  Errors: internal_error.
 */
int64
gs_random_seed(void)
{
	int64		seed;

	if (!pg_strong_random(&seed, sizeof(int64)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not draw a random seed"),
				 errhint("Pass one with the seed argument.")));
	return seed;
}

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
	gs_dependency_given(model->determined, sampler->schema, parsed);
	if (parsed->nboxes == 0)
		gs_given_impossible(&parsed->stats);
	sampler->schema = parsed->schema;
	return parsed;
}

/*
 * An error unless a model can be sampled with a context.
 */
static void
check_context(const GsModel *model)
{
	if (!model->family->contexts)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("models of method \"%s\" cannot complete rows",
						model->family->name),
				 errhint("Fit with method => 'tree', 'copula' or 'diffusion'.")));
}

/*
 * gs_context_unfit: an error for a known feature that a model learned as
 * something that follows from features which are not known.
 */
void
gs_context_unfit(const GsSchema *schema, int f)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the model was not learned to complete rows of which column \"%s\" is known",
					schema->columns[schema->features[f].column].name),
			 errhint("Fit it with the option \"context\" naming the columns that are known, or leave out the model argument.")));
}

/*
 * gs_sampler_begin: a sampler of a model, which must outlive it, in the
 * current context.
 *
 * given: NULL, or conditions: see gs_given_parse; an empty object changes
 * nothing.  What is counted while rows are made is in sampler->given->stats.
 * context: NULL, or [nfeatures] what is known of every row, which must outlive
 * the sampler; not both.  Errors: those of gs_given_parse, feature_not_supported, and data_exception
 * if the conditions together have probability zero.
 */
GsSampler *
gs_sampler_begin(const GsModel *model, Jsonb *given, const bool *context)
{
	GsSampler  *sampler = palloc0(sizeof(GsSampler));

	sampler->model = model;
	sampler->schema = gs_schema_copy(model->schema);
	if (given != NULL)
		sampler->given = condition(sampler, given);
	if (context != NULL)
	{
		check_context(model);
		sampler->inverse = gs_inverse_create(model->determined, model->schema,
											 context);
	}
	sampler->context = context;
	sampler->state = model->family->begin(model->state, sampler->given,
										  context);
	if (sampler->inverse != NULL && model->family->heed != NULL)
		model->family->heed(sampler->state, sampler->inverse);
	if (model->refine != NULL)
		sampler->refining = gs_refine_begin(model->refine);
	return sampler;
}

/*
 * gs_batch_allocate: room for codes and scores of all features, zero.
 */
GsBatch *
gs_batch_allocate(const GsSchema *schema)
{
	GsBatch    *batch = palloc0(sizeof(GsBatch));
	int			n = Max(schema->nfeatures, 1);

	batch->nfeatures = schema->nfeatures;
	if (gs_schema_entity(schema) != NULL)
	{
		batch->entity = palloc(sizeof(int32) * GS_BATCH);
		for (int row = 0; row < GS_BATCH; row++)
			batch->entity[row] = GS_BATCH + row;
	}
	batch->score = palloc0(sizeof(float *) * n);
	batch->code = palloc0(sizeof(int32 *) * n);
	for (int f = 0; f < schema->nfeatures; f++)
	{
		if (schema->features[f].kind == GS_FEATURE_NUMBER)
			batch->score[f] = palloc0(sizeof(float) * GS_BATCH);
		else
			batch->code[f] = palloc0(sizeof(int32) * GS_BATCH);
	}
	return batch;
}

/*
 * gs_batch_fill_rest: features that a family does not make are determined by
 * others, or left to them, but must be something until then.
 *
 * position_of: [nfeatures] where a family has them; -1: nowhere
 */
void
gs_batch_fill_rest(GsBatch *batch, const int *position_of)
{
	for (int f = 0; f < batch->nfeatures; f++)
	{
		if (position_of[f] >= 0 ||
			(batch->context != NULL && batch->context[f]))
			continue;
		if (batch->code[f] != NULL)
			memset(batch->code[f], 0, sizeof(int32) * GS_BATCH);
		else
			memset(batch->score[f], 0, sizeof(float) * GS_BATCH);
	}
}

/*
 * gs_batch_create: room for batches of a stream.
 *
 * needed: [nfeatures] those that will be looked at, or NULL for all.  The
 * stream's random numbers follow from the seed and that of the fit: a fit of
 * the same rows with the same seed makes the same rows again.
 */
GsBatch *
gs_batch_create(const GsSampler *sampler, int64 seed, const bool *needed)
{
	const GsModel *model = sampler->model;
	GsBatch    *batch = gs_batch_allocate(model->schema);
	int			n = model->schema->nfeatures;

	batch->key = gs_mix64((uint64) seed, (uint64) model->version->seed);
	batch->context = sampler->context;
	batch->needed = palloc(Max(n, 1));
	/* conditions are about any of them */
	if (needed == NULL || sampler->given != NULL)
		memset(batch->needed, true, n);
	else
	{
		memcpy(batch->needed, needed, n);
		if (model->refine != NULL)
			gs_refine_need(model->refine, batch->needed);
		gs_dependency_need(model->determined, sampler->context,
						   batch->needed);
	}
	return batch;
}

/*
 * gs_batch_spare: a batch for rows to replace those of another one, which has
 * the same context.
 */
GsBatch *
gs_batch_spare(const GsSampler *sampler, const GsBatch *batch)
{
	GsBatch    *spare = gs_batch_create(sampler, 0, batch->needed);

	gs_batch_share(spare, batch);
	return spare;
}

/*
 * gs_batch_share: makes a spare batch one of another batch's.
 */
void
gs_batch_share(GsBatch *spare, const GsBatch *batch)
{
	spare->exact = batch->exact;
	memcpy(spare->needed, batch->needed, batch->nfeatures);
	for (int f = 0; f < batch->nfeatures && batch->context != NULL; f++)
		if (batch->context[f])
		{
			spare->score[f] = batch->score[f];
			spare->code[f] = batch->code[f];
		}
}

static void
copy_row(GsBatch *to, int row, const GsBatch *from, int candidate)
{
	for (int f = 0; f < to->nfeatures; f++)
	{
		if (!to->needed[f] || (to->context != NULL && to->context[f]))
			continue;
		if (to->score[f] != NULL)
			to->score[f][row] = from->score[f][candidate];
		else
			to->code[f][row] = from->code[f][candidate];
	}
	/* it has left the others */
	if (to->entity != NULL)
		to->entity[row] = GS_BATCH + row;
	if (to->origin != NULL)
		to->origin[row] = (GsOrigin)
	{
		from->key, gs_batch_row(from, candidate)
	};
}

/*
 * Puts a spare batch's rows in the place of refused ones, in order; where rows have a context, each in that of its own.
 *
 * refused: [GS_BATCH], so many left, changed; no_candidate: [GS_BATCH] rows of
 * from that must not be taken.  Returns how many are left.
 */
static int
replace_rows(GsBatch *batch, bool *refused, int left, const GsBatch *from,
			 const bool *no_candidate)
{
	int			row = 0;

	for (int i = 0; i < GS_BATCH && left > 0; i++)
	{
		if (no_candidate[i] || (batch->context != NULL && !refused[i]))
			continue;
		if (batch->context != NULL)
			row = i;
		while (!refused[row])
			row++;
		copy_row(batch, row, from, i);
		refused[row] = false;
		left--;
	}
	return left;
}

/*
 * gs_batch_retry: replaces the refused rows of a batch by accepted ones of
 * further batches, which are made with keys of their own; so a row still
 * follows from model, seed and its number.
 *
 * spare: see gs_batch_spare; refused: [GS_BATCH], so many left, changed; make:
 * fills spare, whose key is set, and says which of its rows are refused.
 * first, last: which of the further batches, from 1, of GS_MAX_RETRIES.
 * Returns how many rows are left after these.  Can be cancelled.
 */
int
gs_batch_retry(GsBatch *batch, GsBatch *spare, bool *refused, int left,
			   uint64 key, int first, int last,
			   void (*make) (void *arg, GsBatch *spare, bool *refused),
			   void *arg)
{
	bool		no_candidate[GS_BATCH];

	spare->first = batch->first;
	spare->rows = batch->rows;
	for (int try = first; left > 0 && try <= last; try++)
	{
		CHECK_FOR_INTERRUPTS();
		spare->key = gs_mix64(key, try);
		make(arg, spare, no_candidate);
		left = replace_rows(batch, refused, left, spare, no_candidate);
	}
	return left;
}

static void
make_drawn(GsSampler *sampler, GsBatch *batch)
{
	const GsModel *model = sampler->model;

	model->family->generate(sampler->state, batch);
	if (sampler->refining != NULL)
		gs_refine_apply(sampler, batch);
	gs_dependency_fill(model->determined, sampler->given, batch);
}

/* What is made again, since it does not go with what is known. */
typedef struct Inverting
{
	GsSampler  *sampler;
	const GsBatch *batch;
} Inverting;

static void
make_inverse(void *arg, GsBatch *spare, bool *refused)
{
	const Inverting *inverting = arg;

	make_drawn(inverting->sampler, spare);
	gs_inverse_look(inverting->sampler->inverse, inverting->batch, spare,
					refused);
}

/*
 * Replaces the rows of a filled batch in which what is drawn does not go with
 * what is known, as long as that finds enough; what is left is settled.  Rows
 * that are known by keys do not depend on those beside them.
 */
static void
invert(GsSampler *sampler, GsBatch *batch)
{
	Inverting	inverting = {sampler, batch};
	bool		refused[GS_BATCH];
	int			left = gs_inverse_look(sampler->inverse, batch, batch, refused);
	int			before = GS_BATCH;

	if (left == 0)
		return;
	if (sampler->inverse_spare == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(sampler));

		sampler->inverse_spare = gs_batch_spare(sampler, batch);
		MemoryContextSwitchTo(old);
	}
	gs_batch_share(sampler->inverse_spare, batch);
	sampler->inverse_spare->row = batch->row;
	for (int try = 1; try <= MAX_INVERSE_TRIES && left > 0 &&
		 (batch->rows != NULL || before - left >= before * MIN_INVERTED);
		 try++)
	{
		before = left;
		left = gs_batch_retry(batch, sampler->inverse_spare, refused, left,
							  gs_mix64(batch->key, GS_STREAM_INVERSE), try,
							  try, make_inverse, &inverting);
	}
	if (left == 0)
		return;
	gs_inverse_settle(sampler->inverse, batch, refused);
	gs_dependency_fill(sampler->model->determined, sampler->given, batch);
}

/*
 * gs_batch_fill: makes the batch of rows index * GS_BATCH and on, from 0.
 */
void
gs_batch_fill(GsSampler *sampler, GsBatch *batch, int64 index)
{
	batch->first = batch->row = index * GS_BATCH;
	make_drawn(sampler, batch);
	gs_entities_apply(sampler->schema, batch);
	if (sampler->inverse != NULL)
		invert(sampler, batch);
}
