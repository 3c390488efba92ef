/*
 * known.c
 *	  Rows that are made given columns that are known of each.
 */
#include "postgres.h"

#include "column/store.h"
#include "numeric/philox.h"
#include "stream/known.h"

/*
 * An error where the model learned a known column as what it adds to one that
 * is not known.
 */
static void
check_bases(const GsSchema *schema, const bool *known)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsColumn *column = &schema->columns[c];
		const GsLayout *layout = column->layout;
		bool		fine = column->anchor == 0 || known[column->anchor - 1];

		for (int b = 0; layout != NULL && b < layout->nbases; b++)
			fine &= known[layout->base[b]];
		if (layout != NULL && layout->since >= 0)
			fine &= known[layout->since];
		if (known[c] && !fine)
			gs_context_unfit(schema, column->feature[0]);
	}
}

/*
 * gs_known_create: a sampler of a model, which must outlive it, in the current
 * context.
 *
 * known: [ncolumns] the columns that are known of every row; it must outlive
 * the result.  Errors: those of gs_sampler_begin; feature_not_supported.
 */
GsKnown *
gs_known_create(const GsModel *model, const bool *known)
{
	GsKnown    *result = palloc0(sizeof(GsKnown));
	bool	   *filled = palloc0(Max(model->schema->nfeatures, 1));

	check_bases(model->schema, known);
	result->encoder = gs_encoder_create(gs_schema_copy(model->schema), known);
	gs_encoder_fills(result->encoder, filled);
	result->sampler = gs_sampler_begin(model, NULL, filled);
	result->given = palloc0(sizeof(GsRows) * Max(model->schema->ncolumns, 1));
	result->rules = gs_rules_open(result->sampler);
	result->n = GS_BATCH;
	return result;
}

/*
 * gs_known_begin: makes ready for batches.
 *
 * needed: [nfeatures] those that will be decoded.
 */
void
gs_known_begin(GsKnown *known, int64 seed, const bool *needed)
{
	const GsSchema *schema = known->sampler->schema;
	bool	   *all = palloc(Max(schema->nfeatures, 1));

	memcpy(all, needed, schema->nfeatures);
	if (known->rules != NULL)
		gs_rules_need(known->rules, all);
	known->batch = gs_batch_create(known->sampler, seed, all);
	known->batch->rows = known->rows;
	if (known->rules != NULL)
		gs_rules_attach(known->rules, known->batch);
	known->batch->exact = palloc0(sizeof(int64 *) * Max(schema->nall, 1));
	for (int c = 0; c < schema->nall; c++)
	{
		const GsLayout *layout = schema->columns[c].layout;

		/* days, which models see in parts */
		if (c < schema->ncolumns && known->given[c].values != NULL &&
			layout != NULL && layout->nbases == 0)
			known->batch->exact[c] = palloc(sizeof(int64) * GS_BATCH);
		for (int b = 0; layout != NULL && b < layout->nbases; b++)
		{
			int			base = layout->base[b];

			if (base < schema->ncolumns && known->given[base].values != NULL &&
				known->batch->exact[base] == NULL)
				known->batch->exact[base] = palloc(sizeof(int64) * GS_BATCH);
		}
	}
	known->position = palloc0(sizeof(float *) * Max(schema->nfeatures, 1));
	for (int f = 0; f < schema->nfeatures; f++)
		if (schema->features[f].kind == GS_FEATURE_NUMBER &&
			known->batch->context[f])
			known->position[f] = palloc(sizeof(float) * GS_BATCH);
}

/*
 * What known columns are that others are told from.
 */
static void
set_exact(GsKnown *known)
{
	const GsSchema *schema = known->sampler->schema;

	for (int c = 0; c < schema->ncolumns; c++)
	{
		int64	   *exact = known->batch->exact[c];
		GsRows		rows = known->given[c];

		for (int i = 0; exact != NULL && i < known->n; i++)
			if (rows.nulls[i * rows.stride] ||
				!gs_encode_number(schema, c, rows.values[i * rows.stride],
								  &exact[i]))
				exact[i] = PG_INT64_MIN;
	}
}

/*
 * gs_known_fill: makes the batch of that index for the values given, of which
 * the first known->n rows must be set.  Returns which rows are to be left out, or
 * NULL.
 */
const bool *
gs_known_fill(GsKnown *known, int64 index)
{
	GsBatch    *batch = known->batch;
	uint32		word[4 * GS_BATCH];

	batch->first = index * GS_BATCH;
	for (int f = 0; f < batch->nfeatures; f++)
	{
		if (known->position[f] == NULL)
			continue;
		gs_batch_words(batch, GS_STREAM_CONTEXT + f, word);
		for (int i = 0; i < known->n; i++)
			known->position[f][i] = (word[i] >> 8) * 0x1.0p-24f;
	}
	gs_encode(known->encoder, known->given, known->n, known->position, batch);
	set_exact(known);
	if (known->rules != NULL)
		gs_rules_rows(known->rules, known->n);
	gs_batch_fill(known->sampler, batch, index);
	return known->rules != NULL ? gs_rules_apply(known->rules, batch) : NULL;
}

/*
 * gs_known_know: lets conditions see what is known, once given is set.
 */
void
gs_known_know(GsKnown *known)
{
	if (known->rules == NULL)
		return;
	gs_rules_know(known->rules, known->given);
	gs_rules_settle(known->rules);
}

/*
 * Where a drawn value of a column is equal to one that is known, it is that
 * one, as it is.
 */
static void
copy_equal(const GsKnown *known, int c, int n, GsRows rows)
{
	const GsColumn *column = &known->sampler->schema->columns[c];
	const GsRows *from;
	const int32 *equal;

	if (column->equal == 0)
		return;
	from = &known->given[column->equal - 1];
	equal = known->batch->code[column->equal_feature];
	for (int row = 0; row < n && from->values != NULL; row++)
		if (equal[row] == 1 && !rows.nulls[row * rows.stride] &&
			!from->nulls[row * from->stride])
			rows.values[row * rows.stride] = from->values[row * from->stride];
}

/*
 * gs_known_decode: the first n values of column c in the batch that was filled
 * last, after gs_known_know: valid until the next one.
 *
 * decoder: the column's
 */
void
gs_known_decode(GsKnown *known, GsDecoder *decoder, int c, int n, GsRows rows)
{
	if (known->rules != NULL && gs_rules_sets(known->rules, c))
	{
		gs_rules_set(known->rules, known->batch, c, 0, n, rows);
		return;
	}
	gs_decode(decoder, known->batch, 0, n, rows);
	copy_equal(known, c, n, rows);
	if (known->rules != NULL)
		gs_rules_take_settled(known->rules, c, n, rows);
}
