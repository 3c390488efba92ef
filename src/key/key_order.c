/*
 * key_order.c
 *	  Keys that carry order.
 *
 * Where an id rises with a time stamp, rows must have the id that goes with
 * their time, and no two rows the same, though each is made without knowing of
 * others.  So a key of N rows has N ordinals, and each batch of 1,024 its own
 * part of these, one of each 1,024th of them.  The rows of a batch take them in
 * the order of the scores of one feature, the time's.  Which ordinal of a part
 * is a batch's follows from hashes, so any rows of a stream are spread over
 * all.
 *
 * Of a feature that is monotone in the key ("exact"), scores are moved to where
 * the ordinals are, by a 1,024th of the distribution at most: over all batches,
 * it is in the order of the key then, and its distribution is the even one.
 *
 * That holds for the N rows that the source has, or synth_into shall make.
 * Further ones are N more, in an order of their own.
 */
#include "postgres.h"

#include <math.h>

#include "key/key.h"
#include "learn/quantile.h"
#include "numeric/normal.h"

/* The ordinals that a batch shares with others. */
typedef struct Cycle
{
	int64		number;
	int64		nbatches;
	int64		batch;			/* among these */
	int64		first;			/* ordinal */
	int64		rows;
	int			last;			/* rows in the last batch */
} Cycle;

/*
 * The ordinals of all batches of a cycle, all of which may be full.
 */
static uint64
count_ordinals(const GsKey *key)
{
	return (((uint64) key->rows - 1) / GS_BATCH + 1) * GS_BATCH;
}

/*
 * gs_key_ordinals: how many ordinals have a number of their own in a RANGE that
 * carries order.
 */
uint64
gs_key_ordinals(const GsKey *key)
{
	return count_ordinals(key) * gs_key_width(key);
}

/*
 * gs_key_set_order: lets a key follow the order of a feature, if it can.
 *
 * order: 1 + feature, or GS_KEY_BY_ROWS; down: falling; exact: the feature
 * follows the key, too
 */
void
gs_key_set_order(GsKey *key, int order, bool down, bool exact)
{
	key->order = order;
	key->down = down;
	key->exact = exact && order > 0;
	if (key->kind == GS_KEY_RANGE && gs_key_width(key) == 0)
		key->order = 0;
}

/*
 * gs_key_width: how many numbers a RANGE that carries order has for each
 * ordinal: one for each time that they are gone through.
 */
uint64
gs_key_width(const GsKey *key)
{
	return key->space / count_ordinals(key);
}

/*
 * gs_key_spread: the number of a RANGE's ordinal.
 */
uint64
gs_key_spread(const GsKey *key, uint64 stream, uint64 ordinal)
{
	uint64		width = gs_key_width(key);
	uint64		ordinals = count_ordinals(key);
	uint64		times = ordinal / ordinals;
	uint64		at = ordinal % ordinals;

	if (key->order == GS_KEY_BY_ROWS && key->down)
		at = ordinals - 1 - at;
	return at * width + (gs_mix64(stream, at) + times) % width;
}

/*
 * The cycle of a batch; false if the key has no room for all of it.
 *
 * index: of the batch, from 0
 */
static bool
find_cycle(const GsKey *key, int64 index, Cycle *cycle)
{
	cycle->nbatches = (key->rows - 1) / GS_BATCH + 1;
	cycle->number = index / cycle->nbatches;
	cycle->batch = index % cycle->nbatches;
	cycle->first = cycle->number * cycle->nbatches * GS_BATCH;
	cycle->rows = cycle->number > 0 ? cycle->nbatches * GS_BATCH : key->rows;
	cycle->last = (int) (cycle->rows - (cycle->nbatches - 1) * GS_BATCH);
	return (uint64) cycle->first + (uint64) cycle->rows <= gs_key_room(key);
}

/*
 * The ordinal, from 0, of a batch's row of a rank.  The last batch may have
 * fewer rows than others, so it has no part in some of the 1,024ths.
 */
static int64
find_position(const Cycle *cycle, uint64 stream, int rank)
{
	int64		others = cycle->nbatches - 1;
	int			m = cycle->last;
	int			part = rank;
	int			before;
	bool		shared;
	uint64		hash;
	int64		last;
	int64		at;

	if (cycle->batch == others)
		part = rank * GS_BATCH / m;
	before = (part * m + GS_BATCH - 1) / GS_BATCH;
	shared = ((part + 1) * m + GS_BATCH - 1) / GS_BATCH > before;
	hash = gs_mix64(stream, part);
	last = (int64) (hash % (uint64) cycle->nbatches);
	if (cycle->batch == others)
		at = last;
	else
	{
		at = (int64) (((uint64) cycle->batch + (hash >> 32)) %
					  (uint64) others);
		at += shared && at >= last;
	}
	return part * others + before + at;
}

/*
 * A row's place in the order of a score, of those of a batch.
 */
static int64
place_of(const float *score, int row)
{
	int32		bits;

	memcpy(&bits, &score[row], sizeof(bits));
	/* floats as integers in the same order */
	bits ^= (int32) ((uint32) (bits >> 31) >> 1);
	return (int64) bits * GS_BATCH + row;
}

/*
 * gs_key_order_batch: the ordinals of a batch's rows, from that of the key's
 * first row on.
 *
 * ordinal: [GS_BATCH], filled.  Returns how many of them follow the order, the
 * rest being those of rows beyond it.
 */
int
gs_key_order_batch(const GsKey *key, const GsBatch *batch, int64 *ordinal)
{
	const float *score = batch->score[key->order - 1];
	uint64		stream = gs_mix64(batch->key, GS_STREAM_KEY);
	int64		first = batch->first - key->first;
	GsScalar	rank[GS_BATCH];
	Cycle		cycle;
	int			n;

	for (int row = 0; row < GS_BATCH; row++)
		ordinal[row] = first + row;
	if (first < 0 || first % GS_BATCH != 0 ||
		!find_cycle(key, first / GS_BATCH, &cycle))
		return 0;
	n = cycle.batch == cycle.nbatches - 1 ? cycle.last : GS_BATCH;
	for (int row = 0; row < n; row++)
		rank[row].i = place_of(score, row);
	gs_scalars_sort(rank, n, GS_LANE_INT);
	for (int k = 0; k < n; k++)
	{
		int64		position = find_position(&cycle, stream, k);

		ordinal[rank[k].i & (GS_BATCH - 1)] = cycle.first +
			(key->down ? cycle.rows - 1 - position : position);
	}
	return n;
}

/*
 * gs_key_last: how many rows of a batch, from its first, are among those that
 * the source has.
 */
int
gs_key_last(const GsKey *key, const GsBatch *batch)
{
	int64		first = batch->first - key->first;
	Cycle		cycle;

	if (first < 0 || first % GS_BATCH != 0 ||
		!find_cycle(key, first / GS_BATCH, &cycle) ||
		cycle.batch < cycle.nbatches - 1)
		return GS_BATCH;
	return cycle.last;
}

/*
 * gs_schema_entity: the column whose key is of what rows are about; NULL if
 * there is none.
 */
const GsColumn *
gs_schema_entity(const GsSchema *schema)
{
	for (int c = 0; c < schema->ncolumns; c++)
		if (schema->columns[c].key != NULL &&
			schema->columns[c].key->repeats != NULL)
			return &schema->columns[c];
	return NULL;
}

/*
 * gs_entity_needs: marks the features by which rows are told to be about the same.
 */
void
gs_entity_needs(const GsSchema *schema, bool *needed)
{
	const GsColumn *key = gs_schema_entity(schema);

	if (key != NULL && key->null_feature >= 0)
		needed[key->null_feature] = true;
	for (int f = 0; f < schema->nfeatures && key != NULL; f++)
		if (schema->columns[gs_visible_column(schema, schema->features[f].column)].of_entity)
			needed[f] = true;
}

/*
 * gs_key_order_entities: ordinals of the entities of a batch's rows, which no
 * entities of two batches share, from 0 up to about as many as there are.
 *
 * ordinal: [GS_BATCH], filled
 */
void
gs_key_order_entities(const GsKey *key, const GsBatch *batch, int64 *ordinal)
{
	uint64		stream = gs_mix64(batch->key, GS_STREAM_ENTITY);
	int64		first = batch->first - key->first;
	int			last = gs_key_last(key, batch);
	int			rank[2 * GS_BATCH];
	int			ranks = 0;
	Cycle		cycle;
	bool		spread = first >= 0 && first % GS_BATCH == 0 &&
		batch->entity != NULL && find_cycle(key, first / GS_BATCH, &cycle);

	for (int i = 0; i < 2 * GS_BATCH; i++)
		rank[i] = -1;
	for (int row = 0; row < GS_BATCH; row++)
	{
		int			entity = batch->entity != NULL ? batch->entity[row] : row;
		int64		span;

		if (row == last)
			ranks = 0;
		if (rank[entity] < 0)
			rank[entity] = ranks++;
		ordinal[row] = batch->row - key->first + rank[entity];
		if (!spread)
			continue;
		span = cycle.nbatches * GS_BATCH;
		ordinal[row] = row >= last ? span + rank[entity] :
			(cycle.number == 0 ? 0 : (cycle.number + 1) * span) +
			find_position(&cycle, stream, rank[entity]);
	}
}

typedef struct GroupedRow
{
	uint64		group;
	int64		place;
	int			row;
} GroupedRow;

static int
by_group_and_place(const void *a, const void *b)
{
	const GroupedRow *x = a;
	const GroupedRow *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

/*
 * gs_key_order_groups: ordinals of a batch's rows that no two rows of a group
 * share.  In each group they count from 0 up to about the rows that it has in a
 * cycle, in the order of the key's feature if it has one.
 *
 * Where batches are no equal parts of all rows (GS_KEY_BY_ROWS), it is the rows
 * that are counted, whichever group they are of.
 *
 * group: [GS_BATCH]; ordinal: [GS_BATCH], filled
 */
void
gs_key_order_groups(const GsKey *key, const GsBatch *batch,
					const uint64 *group, int64 *ordinal)
{
	const float *score = key->order > 0 ? batch->score[key->order - 1] : NULL;
	uint64		stream = gs_mix64(batch->key, GS_STREAM_KEY);
	int64		first = batch->first - key->first;
	GroupedRow	rows[GS_BATCH];
	Cycle		cycle;
	int64		span;
	int			rank = 0;
	int			n;

	for (int row = 0; row < GS_BATCH; row++)
		ordinal[row] = batch->row - key->first + row;
	if (key->order == GS_KEY_BY_ROWS || first < 0 || first % GS_BATCH != 0 ||
		!find_cycle(key, first / GS_BATCH, &cycle))
		return;
	span = cycle.nbatches * GS_BATCH;
	n = cycle.batch == cycle.nbatches - 1 ? cycle.last : GS_BATCH;
	for (int row = 0; row < GS_BATCH; row++)
	{
		int64		place = score != NULL ? place_of(score, row) : row;

		rows[row] = (GroupedRow) {group[row], key->down ? -place : place, row};
	}
	/* rows behind the source's have the numbers behind all of its own */
	qsort(rows, n, sizeof(GroupedRow), by_group_and_place);
	qsort(rows + n, GS_BATCH - n, sizeof(GroupedRow), by_group_and_place);
	for (int i = 0; i < GS_BATCH; i++)
	{
		rank = i > 0 && i != n && rows[i].group == rows[i - 1].group ?
			rank + 1 : 0;
		if (i >= n)
			ordinal[rows[i].row] = span + rank;
		else
			ordinal[rows[i].row] = (cycle.number == 0 ? 0 :
									(cycle.number + 1) * span) +
				find_position(&cycle, gs_mix64(stream, rows[i].group), rank);
	}
}

/*
 * gs_keys_respace: moves the scores of features that are monotone in a key to
 * where the key's ordinals are.
 *
 * fixed: [ncolumns] columns that must stay what they are.  Returns whether any
 * was moved.
 */
bool
gs_keys_respace(const GsSchema *schema, const bool *fixed, GsBatch *batch)
{
	int64		ordinal[GS_BATCH];
	bool		moved = false;

	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsKey *key = schema->columns[c].key;
		Cycle		cycle;
		int			n;

		if (key == NULL || !key->exact || !batch->needed[key->order - 1] ||
			fixed[schema->features[key->order - 1].column])
			continue;
		n = gs_key_order_batch(key, batch, ordinal);
		if (n == 0)
			continue;
		moved = true;
		(void) find_cycle(key, (batch->first - key->first) / GS_BATCH,
						  &cycle);
		for (int row = 0; row < n; row++)
		{
			int64		position = ordinal[row] - cycle.first;

			if (key->down)
				position = cycle.rows - 1 - position;
			batch->score[key->order - 1][row] = (float)
				gs_normal_quantile((position + 0.5) / cycle.rows);
		}
	}
	return moved;
}
