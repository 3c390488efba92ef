/*
 * private_fit.c
 *	  A mixture of products, fitted to noisy counts: several, from different
 *	  beginnings, which are one mixture in the end.  What each takes from chance
 *	  alone differs, and goes away in their mean.
 */
#include "postgres.h"

#include <math.h>

#include "model/jobs.h"
#include "model/private.h"
#include "numeric/philox.h"
#include "privacy/mixture.h"

#define MEMBERS		16			/* mixtures ... */
#define COMPONENTS	48			/* ... of so many */
#define STEPS		300			/* of a cycle */
#define CYCLES		4
#define MAX_SHARES	(16 * 1024 * 1024)	/* of all components and cells */

/* What threads share. */
typedef struct Fit
{
	GsProducts *products;		/* malloced */
	int			ncells;
	int			members;
	int			components;		/* of a member */
	uint64		key;
	float	   *weight;			/* [members][components] */
	float	   *share;			/* [members][components][ncells] */
	double	   *residual;		/* [members] */
	GsJobs	   *jobs;
} Fit;

static void
release(void *arg)
{
	Fit		   *fit = arg;

	gs_products_free(fit->products);
	fit->products = NULL;
}

GS_NORETURN static void
report_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("Failed while a mixture was fitted to noisy counts."),
			 errhint("Leave columns out with the exclude argument of synth_fit.")));
}

/*
 * The positions of a table's columns: features in turn, without indicators of
 * NULLs but where there is nothing else of the column.
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
		bool		number = feature->kind == GS_FEATURE_NUMBER;
		int			nvalues = number ? feature->quantile.nsegments :
			feature->nlevels;

		if (feature->part < 0 && column->feature[0] >= 0)
			continue;
		if (n == table->ncolumns)
			elog(ERROR, "more features than columns of counts");
		position[2 * n] = f;
		position[2 * n + 1] = number ? column->null_feature : -1;
		if (table->ncells[n] != nvalues + (position[2 * n + 1] >= 0))
			elog(ERROR, "column %d has %d cells for %d values", n,
				 table->ncells[n], nvalues);
		n++;
	}
	if (n < table->ncolumns)
		elog(ERROR, "more columns of counts than features");
}

/*
 * A member: see GsJobs.
 */
static bool
fit_member(void *arg, int m)
{
	Fit		   *fit = arg;
	Size		first = (Size) m * fit->components;
	GsProductsFit setup = {
		.components = fit->components,.steps = STEPS,.cycles = CYCLES,
		.key = gs_mix64(fit->key, (uint64) m),.cancel = &fit->jobs->cancel
	};
	bool		done = gs_products_fit(fit->products, &setup,
									   fit->weight + first,
									   fit->share + first * fit->ncells);

	fit->residual[m] = setup.residual;
	return done;
}

/*
 * Fits all members; or, where there are no pairs, takes columns by themselves.
 */
static void
fit_members(GsFitContext *context, Fit *fit)
{
	bool		pairs = gs_products_pairs(fit->products);
	GsJobs		jobs = {
		.job = fit_member,.release = release,.arg = fit
	};
	Size		n;

	fit->ncells = gs_products_cells(fit->products);
	fit->members = pairs ? MEMBERS : 1;
	fit->components = pairs ? COMPONENTS : 1;
	/* wide tables take fewer */
	while (pairs && fit->members > 1 && (Size) fit->members * COMPONENTS *
		   fit->ncells > MAX_SHARES)
		fit->members--;
	while (pairs && fit->components > GS_PRODUCTS_MULTIPLE &&
		   (Size) fit->components * fit->ncells > MAX_SHARES)
		fit->components -= GS_PRODUCTS_MULTIPLE;
	n = (Size) fit->members * fit->components;
	jobs.n = fit->members;
	fit->jobs = &jobs;
	fit->key = context->key;
	fit->weight = palloc(sizeof(float) * n);
	fit->share = palloc_extended(sizeof(float) * n * Max(fit->ncells, 1),
								 MCXT_ALLOC_HUGE);
	fit->residual = palloc0(sizeof(double) * fit->members);
	if (pairs)
		gs_jobs_run(&jobs, context, GS_PHASE_NETWORK);
	else
	{
		fit->weight[0] = 1;
		memcpy(fit->share, gs_products_alone(fit->products),
			   sizeof(float) * fit->ncells);
	}
}

/*
 * Weights of components as rows of GS_PRIVATE_ROWS: the sums of the weights up
 * to each, rounded.  weight: those of each member sum to 1.
 */
static int32 *
round_weights(const Fit *fit, const int32 *order)
{
	int			n = fit->members * fit->components;
	int32	   *rows = palloc(sizeof(int32) * n);
	double		sum = 0;
	double		all = 0;
	int			before = 0;

	for (int r = 0; r < n; r++)
		all += fit->weight[r];
	for (int r = 0; r < n; r++)
	{
		int			until;

		sum += fit->weight[order[r]];
		until = r == n - 1 ? GS_PRIVATE_ROWS :
			(int) Min(rint(sum / all * GS_PRIVATE_ROWS), GS_PRIVATE_ROWS);
		rows[r] = until - before;
		before = until;
	}
	return rows;
}

/*
 * The mixture as tensors, without components that no row has.
 */
static void
save_mixture(GsFitContext *context, const Fit *fit, const int32 *order)
{
	int			n = fit->members * fit->components;
	int32	   *rows = round_weights(fit, order);
	float	   *share = palloc_extended(sizeof(float) * n *
										(Size) Max(fit->ncells, 1),
										MCXT_ALLOC_HUGE);
	int			kept = 0;

	for (int r = 0; r < n; r++)
	{
		if (rows[r] == 0)
			continue;
		memcpy(share + (Size) kept * fit->ncells,
			   fit->share + (Size) order[r] * fit->ncells,
			   sizeof(float) * fit->ncells);
		rows[kept++] = rows[r];
	}
	gs_tensor_add(&context->tensors, "private/weight", GS_I4, 1, kept, 1,
				  rows);
	gs_tensor_add(&context->tensors, "private/share", GS_F4, 2, kept,
				  fit->ncells, share);
}

/*
 * The cells of each column's values.
 */
static void
save_cells(GsFitContext *context, const GsProducts *products,
		   const GsNoisyTable *table, const int32 *position)
{
	int32	   *cell;
	int			n = 0;

	for (int c = 0; c < table->ncolumns; c++)
		n += table->ncells[c];
	cell = palloc(sizeof(int32) * Max(n, 1));
	n = 0;
	for (int c = 0; c < table->ncolumns; c++)
	{
		int			nvalues = table->ncells[c] - (position[2 * c + 1] >= 0);

		memcpy(cell + n, gs_products_cell_of(products, c),
			   sizeof(int32) * nvalues);
		n += nvalues;
	}
	gs_tensor_add(&context->tensors, "private/position", GS_I4, 2,
				  table->ncolumns, 2, position);
	gs_tensor_add(&context->tensors, "private/cell", GS_I4, 1, n, 1, cell);
}

/*
 * gs_private_fit_counts: see family.h.
 */
void
gs_private_fit_counts(GsFitContext *context, const GsNoisyTable *table)
{
	Fit			fit = {0};
	int32	   *position = palloc(sizeof(int32) * 2 *
								  Max(table->ncolumns, 1));
	int32	   *order;

	find_positions(context->schema, table, position);
	fit.products = gs_products_create(table);
	if (fit.products == NULL)
		report_memory();
	PG_TRY();
	{
		save_cells(context, fit.products, table, position);
		fit_members(context, &fit);
		order = palloc(sizeof(int32) * fit.members * fit.components);
		if (!gs_products_order(fit.products, fit.members * fit.components,
							   fit.weight, fit.share, order))
			report_memory();
		save_mixture(context, &fit, order);
	}
	PG_FINALLY();
	{
		release(&fit);
	}
	PG_END_TRY();
}
