/*
 * entities.c
 *	  Rows that are about the same entity: a customer with a number, in whose
 *	  rows the city is always the same (learn/entity_find.c).
 *
 * A family makes each row by itself, so its city is nobody's.  The rows of a
 * batch are then sorted by the columns that follow from the entity, and each
 * few that come to stand together are made rows of one: they all take these
 * columns from one of them, and its number in the key's.  As neighbours are
 * alike, shares stay, and so does what other columns have to do with these.
 * How many rows an entity has is drawn from the quantiles of the source.
 *
 * The rows of an entity are in one batch.  So a row still follows from model,
 * seed and its number.
 */
#include "postgres.h"

#include "model/entities.h"

/* What rows are sorted by. */
typedef struct Sorting
{
	const GsBatch *batch;
	int			n;
	int			feature[GS_MAX_ENTITY_FEATURES];
} Sorting;

static int
compare_rows(const void *a, const void *b, void *arg)
{
	const Sorting *sorting = arg;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	for (int i = 0; i < sorting->n; i++)
	{
		const int32 *code = sorting->batch->code[sorting->feature[i]];
		const float *score = sorting->batch->score[sorting->feature[i]];

		if (code != NULL && code[x] != code[y])
			return code[x] < code[y] ? -1 : 1;
		/* NaN is like none, and after all */
		if (code == NULL && score[x] < score[y])
			return -1;
		if (code == NULL && score[x] > score[y])
			return 1;
	}
	return x - y;
}

static int
by_levels(const void *a, const void *b, void *arg)
{
	const GsFeature *features = arg;
	const GsFeature *x = &features[*(const int *) a];
	const GsFeature *y = &features[*(const int *) b];
	int			m = x->kind == GS_FEATURE_NUMBER ? PG_INT32_MAX : x->nlevels;
	int			n = y->kind == GS_FEATURE_NUMBER ? PG_INT32_MAX : y->nlevels;

	if (m != n)
		return m < n ? -1 : 1;
	return *(const int *) a - *(const int *) b;
}

/*
 * Gives rows that stand together the columns of one of them.
 *
 * row: [n] sorted
 */
static void
share(GsBatch *batch, const GsKey *key, const bool *told, const int *row, int n)
{
	int			next;

	for (int i = 0; i < n; i = next)
	{
		uint64		hash = gs_mix64(gs_mix64(batch->key, GS_STREAM_ENTITY),
									(uint64) batch->first + row[i]);
		int			rows = Min(key->repeats[hash % GS_KEY_REPEATS], n - i);
		int			leader = row[i + (hash >> 32) % rows];

		next = i + rows;
		for (int k = i; k < next; k++)
		{
			batch->entity[row[k]] = leader;
			for (int f = 0; f < batch->nfeatures && row[k] != leader; f++)
				if (told[f] && batch->code[f] != NULL)
					batch->code[f][row[k]] = batch->code[f][leader];
				else if (told[f])
					batch->score[f][row[k]] = batch->score[f][leader];
		}
	}
}

/*
 * gs_entities_apply: makes groups of a batch's rows those of one entity each, if
 * the model has such.
 */
void
gs_entities_apply(const GsSchema *schema, GsBatch *batch)
{
	const GsColumn *column = gs_schema_entity(schema);
	Sorting		sorting = {.batch = batch};
	bool	   *told;
	int			row[GS_BATCH];
	int			n = 0;
	int			nulls;

	if (batch->entity == NULL)
		return;
	for (int i = 0; i < GS_BATCH; i++)
		batch->entity[i] = GS_BATCH + i;
	if (column == NULL || batch->context != NULL)
		return;
	nulls = column->null_feature;
	told = palloc0(Max(schema->nfeatures, 1));
	for (int f = 0; f < schema->nfeatures; f++)
	{
		int			of = gs_visible_column(schema, schema->features[f].column);

		told[f] = schema->columns[of].of_entity && batch->needed[f];
		if (told[f] && sorting.n < GS_MAX_ENTITY_FEATURES)
			sorting.feature[sorting.n++] = f;
	}
	if (sorting.n > 0)
	{
		qsort_arg(sorting.feature, sorting.n, sizeof(int), by_levels,
				  schema->features);
		for (int part = 0; part < 2; part++)
		{
			/* those behind the source's rows by themselves */
			int			last = gs_key_last(column->key, batch);

			n = 0;
			for (int i = part == 0 ? 0 : last; i < (part == 0 ? last : GS_BATCH); i++)
				if (nulls < 0 || batch->code[nulls][i] != 1)
					row[n++] = i;
			qsort_arg(row, n, sizeof(int), compare_rows, &sorting);
			share(batch, column->key, told, row, n);
		}
	}
	pfree(told);
}
