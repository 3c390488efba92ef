/*
 * private_pairs.c
 *	  How the budget is split over counts, and which pairs of columns are
 *	  counted in which bins.
 *
 * What is here reads noisy numbers only.
 */
#include "postgres.h"

#include <math.h>

#include "fit/private.h"
#include "privacy/account.h"
#include "privacy/merge.h"

/* The error of a vector is its cells times sigma; see gs_private_split. */
#define SHARE_EXPONENT	(2.0 / 3.0)
/* More cells of a number get no more of it: they are going to be merged. */
#define MAX_SHARE_CELLS	48
/* All pairs of more columns would leave each too little of the budget. */
#define MAX_COLUMNS		40
/* Pairs for each of more bins of a target would drown in noise. */
#define MAX_TARGET_BINS	32

/* A column while those that vary most are chosen. */
typedef struct Varied
{
	int			column;
	double		entropy;
} Varied;

/*
 * gs_private_columns: the vectors of a table's columns, n of them.
 */
GsPrivateVector **
gs_private_columns(GsPrivateTable *table, int *n)
{
	GsPrivateVector **vectors = palloc(sizeof(GsPrivateVector *) * 2 *
									   table->ncolumns);

	*n = 0;
	for (int i = 0; i < table->ncolumns; i++)
	{
		vectors[(*n)++] = &table->column[i].vector;
		if (table->column[i].blocks.ncells > 0)
			vectors[(*n)++] = &table->column[i].blocks;
	}
	return vectors;
}

/*
 * What a vector gets of the budget, beside others.
 */
static double
part_of(const GsPrivateVector *vector)
{
	return pow(vector->number ? Min(vector->ncells, MAX_SHARE_CELLS) :
			   vector->ncells, SHARE_EXPONENT);
}

/*
 * gs_private_split: splits rho over vectors of counts.  The sum of their
 * errors, cells times sigma, is least if shares rise with cells^(2/3).  All
 * rows of a unit may be in one cell of a vector.
 *
 * Errors: invalid_parameter_value where noise would be beyond its range.
 */
void
gs_private_split(int n, GsPrivateVector *const *vectors, double rho,
				 int unit_rows)
{
	uint64		square = (uint64) unit_rows * unit_rows;
	double		all = 0;

	for (int i = 0; i < n; i++)
		all += part_of(vectors[i]);
	for (int i = 0; i < n; i++)
	{
		GsPrivateVector *vector = vectors[i];
		/* less what rounding could add up to */
		double		share = part_of(vector) / all * (1 - 1e-9);

		if (!gs_privacy_sigma(rho * share, square, &vector->num,
							  &vector->den))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("epsilon is out of range for %d counts", n),
					 errhint("Noise of a standard deviation from 0.006 to a million can be drawn.")));
		vector->sigma = sqrt((double) vector->num / vector->den);
		vector->rho = gs_privacy_cost(square, vector->num, vector->den);
	}
}

static int
compare_varied(const void *a, const void *b)
{
	const Varied *x = a;
	const Varied *y = b;

	if (x->entropy != y->entropy)
		return x->entropy > y->entropy ? -1 : 1;
	return x->column - y->column;
}

/*
 * The columns of more than one bin, those that vary most if they are many, in
 * their order.
 */
static int
choose_columns(const GsPrivateTable *table, int *chosen, List **notes)
{
	Varied	   *varied = palloc(sizeof(Varied) * table->ncolumns);
	bool	   *taken = palloc0(sizeof(bool) * table->ncolumns);
	int			n = 0;
	int			nchosen = 0;

	for (int i = 0; i < table->ncolumns; i++)
	{
		const GsPrivateCells *cells = &table->column[i];
		double	   *share;
		double	   *sum;

		if (cells->nbins < 2)
			continue;
		share = gs_private_shares_of(table, i);
		sum = palloc0(sizeof(double) * cells->nbins);
		varied[n] = (Varied) {i, 0};
		for (int k = 0; k < cells->vector.ncells; k++)
			sum[cells->bin[k]] += share[k];
		for (int b = 0; b < cells->nbins; b++)
			if (sum[b] > 0)
				varied[n].entropy -= sum[b] * log(sum[b]);
		n++;
	}
	qsort(varied, n, sizeof(Varied), compare_varied);
	if (n > MAX_COLUMNS)
		*notes = lappend(*notes,
						 psprintf("pairs are those of the %d columns that vary most, of %d",
								  MAX_COLUMNS, n));
	if (table->target >= 0 && table->column[table->target].nbins > 1)
		taken[table->target] = true;
	for (int i = 0; i < Min(n, MAX_COLUMNS); i++)
		taken[varied[i].column] = true;
	for (int i = 0; i < table->ncolumns; i++)
		if (taken[i])
			chosen[nchosen++] = i;
	return nchosen;
}

/*
 * Merges a column's cells to bins that hold more than a pair's noise.
 */
static void
merge_column(const GsPrivateTable *table, int column, double sigma)
{
	GsPrivateCells *cells = &table->column[column];
	int			n = cells->vector.ncells;
	bool		nullable = cells->null_cell >= 0;
	double		rows = Max(table->rows, 1);
	double	   *share = gs_private_shares_of(table, column);
	int32	   *cell = palloc(sizeof(int32) * n);

	cells->bin = palloc(sizeof(int32) * n);
	gs_merge_cells(share, n, cells->ordered, nullable,
				   cells->vector.sigma / rows, cell);
	cells->nbins = gs_merge_bins(share, n, cells->ordered, nullable, cell,
								 sigma / rows, cells->bin);
	pfree(share);
	pfree(cell);
}

/*
 * The columns that pairs are of: those chosen, the target aside, if it has
 * bins to count them by and two others are left; else there is no target.
 */
static int
leave_out_target(GsPrivateTable *table, int *chosen, int n, List **notes)
{
	int			nbins = table->target < 0 ? 0 :
		table->column[table->target].nbins;
	int			left = 0;

	if (table->target < 0)
		return n;
	if (nbins < 2 || nbins > MAX_TARGET_BINS || n < 3)
	{
		*notes = lappend(*notes,
						 psprintf("pairs are not counted for each value of the target, of which noise lets %d be told apart, in %d columns",
								  nbins, n));
		table->target = -1;
		return n;
	}
	for (int i = 0; i < n; i++)
		if (chosen[i] != table->target)
			chosen[left++] = chosen[i];
	return left;
}

/*
 * gs_private_bins: decides from the noisy counts of columns which pairs are
 * counted, in which bins and with what noise.
 *
 * rho: of all of them; unit_rows: that a unit has at most; notes: say what was
 * left out
 */
void
gs_private_bins(GsPrivateTable *table, double rho, int unit_rows,
				List **notes)
{
	int			most = Min(table->ncolumns, MAX_COLUMNS);
	int		   *chosen = palloc(sizeof(int) * (table->ncolumns + 1));
	int			n;
	int			levels = 1;
	GsPrivateVector **vectors;

	for (int i = 0; i < table->ncolumns; i++)
		merge_column(table, i, unit_rows * sqrt(most * (most - 1) / (4 * rho)));
	n = choose_columns(table, chosen, notes);
	n = leave_out_target(table, chosen, n, notes);
	if (table->target >= 0)
		levels = table->column[table->target].nbins;
	table->npairs = n * (n - 1) / 2;
	if (table->npairs == 0)
		return;
	table->pair = palloc0(sizeof(GsPrivatePair) * table->npairs);
	vectors = palloc(sizeof(GsPrivateVector *) * table->npairs);
	for (int i = 0, p = 0; i < n; i++)
		for (int j = i + 1; j < n; j++, p++)
		{
			GsPrivatePair *pair = &table->pair[p];

			pair->first = chosen[i];
			pair->second = chosen[j];
			pair->vector.ncells = levels * table->column[pair->first].nbins *
				table->column[pair->second].nbins;
			pair->vector.count = palloc_extended(sizeof(int64) *
												 pair->vector.ncells,
												 MCXT_ALLOC_ZERO |
												 MCXT_ALLOC_HUGE);
			vectors[p] = &pair->vector;
		}
	gs_private_split(table->npairs, vectors, rho, unit_rows);
}
