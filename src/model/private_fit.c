/*
 * private_fit.c
 *	  A mixture of products, fitted to noisy counts.
 */
#include "postgres.h"

#include "model/private.h"
#include "privacy/simplex.h"

/*
 * The positions of a table's columns: features in turn, without indicators of
 * NULLs, which go with the feature of the column's first part, if it has one.
 *
 * position: [ncolumns][2], filled
 */
static void
find_positions(const GsSchema *schema, const GsNoisyTable *table,
			   int32 *position)
{
	int			n = 0;

	for (int f = 0; f < schema->nfeatures; f++)
	{
		const GsFeature *feature = &schema->features[f];
		const GsColumn *column = &schema->columns[feature->column];
		int			nvalues = feature->kind == GS_FEATURE_NUMBER ?
			feature->quantile.nsegments : feature->nlevels;

		/* a key has no other feature */
		if (feature->part < 0 && column->key == NULL)
			continue;
		if (n == table->ncolumns)
			elog(ERROR, "more features than columns of counts");
		position[2 * n] = f;
		position[2 * n + 1] = feature->part == 0 ? column->null_feature : -1;
		if (table->ncells[n] != nvalues + (position[2 * n + 1] >= 0))
			elog(ERROR, "column %d has %d cells for %d values", n,
				 table->ncells[n], nvalues);
		n++;
	}
	if (n < table->ncolumns)
		elog(ERROR, "more columns of counts than features");
}

/*
 * gs_private_fit_counts: see family.h.
 */
void
gs_private_fit_counts(GsFitContext *context, const GsNoisyTable *table)
{
	int32	   *position = palloc(sizeof(int32) * 2 *
								  Max(table->ncolumns, 1));
	int		   *first = palloc(sizeof(int) * (table->ncolumns + 1));
	float	   *share;
	float		weight = 1;

	find_positions(context->schema, table, position);
	first[0] = 0;
	for (int c = 0; c < table->ncolumns; c++)
		first[c + 1] = first[c] + table->ncells[c];
	share = palloc(sizeof(float) * Max(first[table->ncolumns], 1));
	for (int m = 0; m < table->nmarginals; m++)
	{
		const GsMarginal *marginal = &table->marginals[m];
		int			c = marginal->first;
		double	   *exact;

		if (marginal->second >= 0)
			continue;
		exact = palloc(sizeof(double) * table->ncells[c]);
		if (!gs_simplex(marginal->count, table->ncells[c],
						Max(table->rows, 1), exact))
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory")));
		for (int x = 0; x < table->ncells[c]; x++)
			share[first[c] + x] = (float) exact[x];
		pfree(exact);
	}
	gs_tensor_add(&context->tensors, "private/position", GS_I4, 2,
				  table->ncolumns, 2, position);
	gs_tensor_add(&context->tensors, "private/weight", GS_F4, 1, 1, 1,
				  &weight);
	gs_tensor_add(&context->tensors, "private/share", GS_F4, 2, 1,
				  first[table->ncolumns], share);
}
