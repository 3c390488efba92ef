/*
 * calibrate.c
 *	  A model's own marginals, taken to the real ones.
 *
 * A number's quantile table expects normal scores.  Where a column is NULL
 * for some rows, the scores of the others are what a family makes of them: if
 * the NULLs go with a column that the number depends on (no last visit
 * without visits), they are not normal.  So the family is sampled once, and
 * the table's edges are moved to the scores that it has at their shares.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "column/quantile.h"
#include "model/calibrate.h"
#include "model/model.h"
#include "numeric/normal.h"

/* Rows to sample: of wide tables fewer, since a row costs features squared. */
#define MAX_BATCHES		128
#define MIN_BATCHES		16
#define WORK			1e7		/* batches times features squared */
#define MEMORY_SHARE	0.25	/* of maintenance_work_mem */

/* Beyond so many scores from either end, the sample says too little. */
#define TAIL_SCORES		50

static inline bool
is_calibrated(const GsSchema *schema, int f)
{
	const GsFeature *feature = &schema->features[f];

	return feature->kind == GS_FEATURE_NUMBER && feature->part >= 0 &&
		schema->columns[feature->column].null_feature >= 0;
}

/*
 * Moves a table's edges to where the sorted scores have their shares; in the
 * tails, by the scores' mean and deviation.
 */
static void
move_edges(GsQuantile *q, const GsSlot *scores, int64 n)
{
	double		mean = 0;
	double		square = 0;
	double		deviation;
	double		last;

	for (int64 i = 0; i < n; i++)
	{
		mean += scores[i].f / n;
		square += scores[i].f * scores[i].f / n;
	}
	deviation = sqrt(Max(square - mean * mean, 1e-6));
	last = -INFINITY;
	for (int s = 0; s <= q->nsegments; s++)
	{
		double		place = gs_normal_cdf(q->edge[s]) * (n - 1);
		double		edge = mean + deviation * q->edge[s];

		if (s > 0 && s < q->nsegments && place >= TAIL_SCORES &&
			place < n - 1 - TAIL_SCORES)
		{
			int64		at = (int64) place;

			edge = scores[at].f +
				(place - at) * (scores[at + 1].f - scores[at].f);
		}
		/* a table increases, whatever the sample */
		if (!(edge > last))
			edge = nextafter(last, INFINITY);
		q->edge[s] = last = edge;
	}
}

/*
 * gs_calibrate: adapts the quantile tables of a schema to a family that was
 * fitted to it.
 *
 * tensors: the family's, and those of the determined features.  Can be
 * cancelled.
 */
void
gs_calibrate(GsSchema *schema, const GsFamily *family, const List *tensors)
{
	GsVersionEntry version = {0};
	GsModel		model = {.version = &version,.schema = schema,
	.family = family};
	double		squared = (double) Max(schema->nfeatures, 1) *
		Max(schema->nfeatures, 1);
	int			nbatches = (int) Min(MAX_BATCHES,
									 Max(MIN_BATCHES, WORK / squared));
	Size		bytes = 0;		/* of one batch's scores */
	GsSlot	  **scores = palloc0(sizeof(GsSlot *) * Max(schema->nfeatures, 1));
	int64	   *count = palloc0(sizeof(int64) * Max(schema->nfeatures, 1));
	GsBatch    *batch;

	for (int f = 0; f < schema->nfeatures; f++)
		if (is_calibrated(schema, f))
			bytes += sizeof(GsSlot) * GS_BATCH;
	if (bytes == 0)
		return;
	nbatches = (int) Max(1, Min(nbatches, (Size) maintenance_work_mem * 1024 *
								MEMORY_SHARE / bytes));
	for (int f = 0; f < schema->nfeatures; f++)
		if (is_calibrated(schema, f))
			scores[f] = palloc_extended(sizeof(GsSlot) * nbatches * GS_BATCH,
										MCXT_ALLOC_HUGE);
	model.determined = gs_determined_load(schema, tensors);
	model.state = family->load(schema, tensors);
	batch = gs_batch_create(&model, 0, NULL);
	for (int b = 0; b < nbatches; b++)
	{
		CHECK_FOR_INTERRUPTS();
		gs_batch_fill(&model, batch, b);
		for (int f = 0; f < schema->nfeatures; f++)
		{
			const int32 *null;

			if (scores[f] == NULL)
				continue;
			null = batch->code[schema->columns[schema->features[f].column].null_feature];
			for (int i = 0; i < GS_BATCH; i++)
				if (null[i] == 0)
					scores[f][count[f]++].f = batch->score[f][i];
		}
	}
	for (int f = 0; f < schema->nfeatures; f++)
	{
		if (count[f] > 4 * TAIL_SCORES)
		{
			gs_slots_sort(scores[f], count[f], GS_LANE_FLOAT);
			move_edges(&schema->features[f].quantile, scores[f], count[f]);
		}
		if (scores[f])
			pfree(scores[f]);
	}
}
