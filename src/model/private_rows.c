/*
 * private_rows.c
 *	  Any other family, learned from rows of a mixture that was fitted to noisy
 *	  counts: what comes of those is as private as they are.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/calibrate.h"
#include "model/model.h"
#include "model/private.h"
#include "numeric/guide.h"
#include "numeric/philox.h"

#define MIN_ROWS	1000
#define MAX_ROWS	200000

/* A number's way from scores to segments and bins. */
typedef struct Number
{
	GsGuide		guide;
	uint16	   *bin_of;			/* [nsegments] */
	float	   *base;			/* [nsegments] */
	float	   *span;
} Number;

static void
init_number(Number *number, const GsFeature *feature, int *nbins)
{
	const GsQuantile *q = &feature->quantile;

	gs_guide_init(&number->guide, q->edge, q->nsegments, palloc);
	number->bin_of = palloc(sizeof(uint16) * q->nsegments);
	number->base = palloc(sizeof(float) * q->nsegments);
	number->span = palloc(sizeof(float) * q->nsegments);
	*nbins = gs_quantile_bins(feature, number->bin_of);
	for (int s = 0; s < q->nsegments; s++)
		gs_quantile_scores(feature, s, &number->base[s], &number->span[s]);
}

/*
 * Rows that are not there yet.
 */
static GsEncoded *
create_rows(const GsSchema *schema, int64 nrows, Number *number)
{
	GsEncoded  *rows = palloc0(sizeof(GsEncoded));
	int			n = Max(schema->nfeatures, 1);

	rows->nrows = nrows;
	rows->nfeatures = schema->nfeatures;
	rows->features = schema->features;
	rows->nbins = palloc0(sizeof(int) * n);
	rows->bin = palloc0(sizeof(uint16 *) * n);
	rows->segment = palloc0(sizeof(uint16 *) * n);
	rows->within = palloc0(sizeof(uint16 *) * n);
	rows->rank = palloc0(sizeof(uint16 *) * n);
	rows->predictor = palloc0(sizeof(bool) * n);
	rows->determined = palloc0(sizeof(bool) * n);
	rows->context = palloc0(sizeof(bool) * n);
	rows->rare = palloc0(sizeof(bool *) * n);
	for (int f = 0; f < schema->nfeatures; f++)
	{
		const GsFeature *feature = &schema->features[f];

		rows->bin[f] = palloc(sizeof(uint16) * nrows);
		rows->nbins[f] = feature->nlevels;
		if (feature->kind != GS_FEATURE_NUMBER)
			continue;
		rows->segment[f] = palloc(sizeof(uint16) * nrows);
		rows->within[f] = palloc(sizeof(uint16) * nrows);
		init_number(&number[f], feature, &rows->nbins[f]);
	}
	return rows;
}

/*
 * Keeps a feature of the first n rows of a batch, as rows from "at" on.
 */
static void
keep_feature(GsEncoded *rows, const GsSchema *schema, const Number *number,
			 int f, const GsBatch *batch, int64 at, int n)
{
	const GsFeature *feature = &schema->features[f];
	int			null = feature->part < 0 ? -1 :
		schema->columns[feature->column].null_feature;

	for (int i = 0; i < n; i++, at++)
	{
		bool		missing = null >= 0 && batch->code[null][i] == 1;
		int			s;
		float		part;

		if (feature->kind != GS_FEATURE_NUMBER)
		{
			rows->bin[f][at] = missing ? GS_MISSING :
				(uint16) batch->code[f][i];
			continue;
		}
		rows->bin[f][at] = rows->segment[f][at] = GS_MISSING;
		rows->within[f][at] = 0;
		if (missing)
			continue;
		s = gs_guide_find_one(&number->guide, batch->score[f][i]);
		part = number->span[s] > 0 ?
			(batch->score[f][i] - number->base[s]) / number->span[s] : 0;
		rows->bin[f][at] = number->bin_of[s];
		rows->segment[f][at] = (uint16) s;
		rows->within[f][at] = (uint16) rint(Max(0, Min(part, 1)) * 65535);
	}
}

/*
 * Draws rows of a mixture.
 */
static GsEncoded *
draw_rows(const GsSchema *schema, const List *mixture, uint64 key,
		  int64 nrows)
{
	Number	   *number = palloc0(sizeof(Number) * Max(schema->nfeatures, 1));
	GsEncoded  *rows = create_rows(schema, nrows, number);
	void	   *sampler = gs_private.begin(gs_private.load(schema, mixture),
										   NULL, NULL);
	GsBatch    *batch = gs_batch_allocate(schema);

	batch->key = key;
	batch->needed = palloc(Max(schema->nfeatures, 1));
	memset(batch->needed, true, schema->nfeatures);
	for (int64 at = 0; at < nrows; at += GS_BATCH)
	{
		CHECK_FOR_INTERRUPTS();
		batch->first = batch->row = at;
		gs_private.generate(sampler, batch);
		for (int f = 0; f < schema->nfeatures; f++)
			keep_feature(rows, schema, &number[f], f, batch, at,
						 (int) Min(nrows - at, GS_BATCH));
	}
	return rows;
}

/*
 * gs_private_rows_fit: fits a family that takes no counts to rows of a mixture
 * that is fitted to these.  Can be cancelled.
 *
 * Errors: those of both.
 */
void
gs_private_rows_fit(const GsFamily *family, GsFitContext *context,
					const GsNoisyTable *table)
{
	GsFitContext mixture = {
		.schema = context->schema,.key = context->key,
		.private = context->private
	};
	int64		nrows = (int64) Max(Min(table->rows, MAX_ROWS), MIN_ROWS);

	gs_private_fit_counts(&mixture, table);
	context->encoded = draw_rows(context->schema, mixture.tensors,
								 gs_mix64(context->key, 1), nrows);
	context->rare_threshold = Max(context->rare_threshold, 1);
	family->fit(context);
	gs_calibrate(context, family);
	gs_fit_note(context, "learned from " INT64_FORMAT " rows that a mixture fitted to noisy counts made",
				nrows);
}
