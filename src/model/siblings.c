/*
 * siblings.c
 *	  Rows of owners, as those who make them take them: whose a batch's rows are,
 *	  which become an owner's next ones, and the natural keys that these have.
 */
#include "postgres.h"

#include <math.h>

#include "model/sequence_sampler.h"
#include "model/siblings.h"
#include "numeric/philox.h"

/*
 * gs_sequence_is_null: whether a value is NULL, or missing.
 */
bool
gs_sequence_is_null(const SequenceSampler *sampler, int p,
					const GsShown *shown)
{
	const TreePosition *axis = &sampler->model->axes.position[p];

	return axis->number ? isnan(shown->value) : shown->level < 0 ||
		shown->level ==
		sampler->model->axes.schema->features[axis->feature].null_level;
}

/*
 * gs_sequence_hash_key: the hash of a row's natural key; false if a NULL makes it differ from all
 * others.
 */
bool
gs_sequence_hash_key(const SequenceSampler *sampler, const GsBatch *batch,
					 int k, int row, uint64 *hash)
{
	const GsNaturalKey *key = &sampler->model->key[k];

	*hash = gs_mix64(sampler->owner[row], k);
	for (int i = 0; i < key->n; i++)
	{
		GsShown		shown = gs_sequence_shown_at(sampler, batch,
												 key->position[i], row);
		uint64		bits = (uint64) shown.level;

		if (gs_sequence_is_null(sampler, key->position[i], &shown))
			return false;
		if (!isnan(shown.value))
			memcpy(&bits, &shown.value, sizeof(bits));
		*hash = gs_mix64(*hash, bits);
	}
	return true;
}

/*
 * gs_siblings_forget: other owners are at hand from now on.
 */
void
gs_siblings_forget(void *state)
{
	SequenceSampler *sampler = state;
	HASH_SEQ_STATUS status;
	SeenKey    *key;

	if (sampler->seen == NULL)
		return;
	hash_seq_init(&status, sampler->seen);
	while ((key = hash_seq_search(&status)) != NULL)
		(void) hash_search(sampler->seen, &key->hash, HASH_REMOVE, NULL);
}

/*
 * gs_siblings_begin: an owner, of GS_BATCH, is another one from now on, who is
 * to have so many rows.
 */
void
gs_siblings_begin(void *state, int owner, int64 expected)
{
	gs_memory_begin(((SequenceSampler *) state)->memory, owner, expected);
}

/*
 * gs_siblings_rows: batches that are made from now on have n rows, those of
 * owner[], each a different one.
 */
void
gs_siblings_rows(void *state, const int *owner, int n)
{
	SequenceSampler *sampler = state;

	memcpy(sampler->owner, owner, sizeof(int) * n);
	sampler->n = n;
}

/*
 * gs_siblings_see: looks at rows as they came out in the end.
 */
void
gs_siblings_see(void *state, const GsBatch *batch)
{
	SequenceSampler *sampler = state;
	const SequenceModel *model = sampler->model;

	for (int p = model->nknown; p < model->axes.n; p++)
		gs_tree_see(sampler->axes, p, batch, sampler->n);
}

/*
 * gs_siblings_recall: the same of rows that were there before: all of theirs is
 * in the batch, but for what their values tell.
 */
void
gs_siblings_recall(void *state, GsBatch *batch)
{
	SequenceSampler *sampler = state;

	for (int p = 0; p < sampler->model->axes.n; p++)
		if (sampler->model->lookup_key[p] >= 0)
			gs_sequence_look_up(sampler, p, batch);
		else
			gs_tree_see(sampler->axes, p, batch, sampler->n);
}

/*
 * gs_siblings_expect: an owner is to have so many rows more than he has.
 */
void
gs_siblings_expect(void *state, int owner, int64 more)
{
	GsMemory   *memory = ((SequenceSampler *) state)->memory;

	gs_memory_expect(memory, owner, more);
}

/*
 * gs_siblings_failed: whether a row of the last batch repeats a natural key.
 */
bool
gs_siblings_failed(const void *state, int row)
{
	return ((const SequenceSampler *) state)->failed[row];
}

/*
 * gs_siblings_add: a row of a batch that was looked at is the next one of its
 * owner.
 */
void
gs_siblings_add(void *state, const GsBatch *batch, int row)
{
	SequenceSampler *sampler = state;
	const SequenceModel *model = sampler->model;

	for (int p = model->nknown; p < model->axes.n; p++)
		sampler->shown[p] = gs_sequence_shown_at(sampler, batch, p, row);
	for (int k = 0; k < model->nkeys; k++)
	{
		uint64		hash;

		if (gs_sequence_hash_key(sampler, batch, k, row, &hash))
			(void) hash_search(sampler->seen, &hash, HASH_ENTER, NULL);
	}
	gs_memory_add(sampler->memory, sampler->owner[row], sampler->shown);
}
