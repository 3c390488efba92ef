/*
 * private_pairs.c
 *	  How the budget is split over counts, and which pairs of columns are
 *	  counted in which bins.
 *
 * What is here reads noisy numbers only.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "fit/private.h"
#include "privacy/account.h"
#include "privacy/merge.h"

/* The error of a vector is its cells times sigma; see gs_private_split. */
#define SHARE_EXPONENT	(2.0 / 3.0)
/* More cells of a number get no more of it: they are going to be merged. */
#define MAX_SHARE_CELLS	48
/*
 * Columns whose pairs are looked at: so many at least, more as long as the
 * noise of what is looked at is at most such a part of the rows, and no more.
 */
#define MIN_COLUMNS		40
#define MAX_COLUMNS		500
#define CHOICE_NOISE	0.05
/* Pairs for each of more bins of a target would drown in noise. */
#define MAX_TARGET_BINS	32
/* Memory for counts of all pairs. */
#define MAX_CELLS		(4 * 1024 * 1024)

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
 * Returns false where noise would be beyond its range.
 */
bool
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
			return false;
		vector->sigma = sqrt((double) vector->num / vector->den);
		vector->rho = gs_privacy_cost(square, vector->num, vector->den);
	}
	return true;
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
 * gs_private_bin_shares: the shares of a column's bins, [nbins], in the
 * current context.
 */
double *
gs_private_bin_shares(const GsPrivateTable *table, int column)
{
	const GsPrivateCells *cells = &table->column[column];
	double	   *share = gs_private_shares_of(table, column);
	double	   *sum = palloc0(sizeof(double) * cells->nbins);

	for (int k = 0; k < cells->vector.ncells; k++)
		sum[cells->bin[k]] += share[k];
	pfree(share);
	return sum;
}

/*
 * The columns of more than one bin, those that vary most if they are more than
 * so many, in their order.  varied: how many there are
 */
static int
choose_columns(const GsPrivateTable *table, int most, int *chosen,
			   int *varied)
{
	Varied	   *all = palloc(sizeof(Varied) * table->ncolumns);
	bool	   *taken = palloc0(sizeof(bool) * table->ncolumns);
	int			n = 0;
	int			nchosen = 0;

	for (int i = 0; i < table->ncolumns; i++)
	{
		const GsPrivateCells *cells = &table->column[i];
		double	   *share;

		if (cells->nbins < 2)
			continue;
		share = gs_private_bin_shares(table, i);
		all[n] = (Varied) {i, 0};
		for (int b = 0; b < cells->nbins; b++)
			if (share[b] > 0)
				all[n].entropy -= share[b] * log(share[b]);
		pfree(share);
		n++;
	}
	qsort(all, n, sizeof(Varied), compare_varied);
	if (table->target >= 0 && table->column[table->target].nbins > 1)
		taken[table->target] = true;
	for (int i = 0; i < Min(n, most); i++)
		taken[all[i].column] = true;
	for (int i = 0; i < table->ncolumns; i++)
		if (taken[i])
			chosen[nchosen++] = i;
	pfree(taken);
	pfree(all);
	*varied = n;
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

	if (cells->bin == NULL)
		cells->bin = palloc(sizeof(int32) * n);
	gs_merge_cells(share, n, cells->ordered, nullable,
				   cells->vector.sigma / rows, cell);
	cells->nbins = gs_merge_bins(share, n, cells->ordered, nullable, cell,
								 sigma / rows, cells->bin);
	pfree(share);
	pfree(cell);
}

/*
 * The cells of all pairs of columns, for each level of a target if there is
 * one.
 */
static double
count_cells(const GsPrivateTable *table, const int *chosen, int n)
{
	double		sum = 0;
	double		squares = 0;

	for (int i = 0; i < n; i++)
	{
		double		nbins = table->column[chosen[i]].nbins;

		sum += nbins;
		squares += nbins * nbins;
	}
	return (sum * sum - squares) / 2;
}

/*
 * The columns that pairs are of: those chosen, the target aside, if it has
 * bins to count them by, two others are left, and there is memory; else there
 * is no target.
 */
static int
leave_out_target(GsPrivateTable *table, int *chosen, int n, List **notes)
{
	int			nbins = table->target < 0 ? 0 :
		table->column[table->target].nbins;
	int			left = 0;

	if (table->target < 0)
		return n;
	if (nbins < 2 || nbins > MAX_TARGET_BINS || n < 3 ||
		nbins * count_cells(table, chosen, n) > MAX_CELLS)
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
 * Merges all columns to bins for pairs with such a noise, and chooses some, as
 * many as most.
 */
static int
merge_columns(GsPrivateTable *table, double sigma, int most, int *chosen,
			  List **notes)
{
	int			n;
	int			varied;

	for (;; sigma *= 2)
	{
		for (int i = 0; i < table->ncolumns; i++)
			merge_column(table, i, sigma);
		n = choose_columns(table, most, chosen, &varied);
		if (count_cells(table, chosen, n) <= MAX_CELLS)
			break;
		CHECK_FOR_INTERRUPTS();
	}
	if (n < varied)
		*notes = lappend(*notes,
						 psprintf("pairs are those of the %d columns that vary most, of %d",
								  n, varied));
	return n;
}

/*
 * Noise of a count of one of so many pairs.
 */
static double
pair_noise(double npairs, double rho, int unit_rows)
{
	return unit_rows * sqrt(npairs / (2 * rho));
}

/*
 * gs_private_allot: room for the counts of all pairs, zero.
 */
void
gs_private_allot(GsPrivateTable *table)
{
	int			levels = table->target < 0 ? 1 :
		table->column[table->target].nbins;
	Size		all = 0;
	int64	   *count;

	for (int p = 0; p < table->npairs; p++)
	{
		GsPrivatePair *pair = &table->pair[p];

		pair->vector.ncells = levels * table->column[pair->first].nbins *
			table->column[pair->second].nbins;
		all += pair->vector.ncells;
	}
	count = palloc_extended(sizeof(int64) * (all + 1),
							MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
	table->pair_count = count;
	for (int p = 0; p < table->npairs; p++)
	{
		table->pair[p].vector.count = count;
		count += table->pair[p].vector.ncells;
	}
}

/*
 * gs_private_bins: decides from the noisy counts of columns which pairs may be
 * counted, and in which bins.
 *
 * rho: of all of them; choice: what choosing among them costs, or 0; unit_rows:
 * that a unit has at most; notes: say what was left out
 */
void
gs_private_bins(GsPrivateTable *table, double rho, double choice,
				int unit_rows, List **notes)
{
	double		most = table->ncolumns * (table->ncolumns - 1) / 2.0;
	/* pair_noise of n^2 / 2 pairs is at most a part of the rows */
	double		told = 2 * CHOICE_NOISE * table->rows * sqrt(choice) /
		unit_rows;
	int		   *chosen = palloc(sizeof(int) * (table->ncolumns + 1));
	int			n = merge_columns(table,
								  pair_noise(Min(most, GS_PRIVATE_PAIRS), rho,
											 unit_rows),
								  (int) Max(MIN_COLUMNS,
											Min(told, MAX_COLUMNS)),
								  chosen, notes);

	if (n == 0)
		ereport(WARNING,
				(errmsg("the budget leaves no values of columns to be told apart in pairs"),
				 errdetail("A count of a pair has noise of %.0f rows; there are about %.0f.",
						   pair_noise(Min(most, GS_PRIVATE_PAIRS), rho,
									  unit_rows), table->rows),
				 errhint("Columns are learned by themselves. Raise epsilon, or leave columns out with exclude.")));
	n = leave_out_target(table, chosen, n, notes);
	table->npairs = n * (n - 1) / 2;
	if (table->npairs == 0)
		return;
	table->pair = palloc_extended(sizeof(GsPrivatePair) * table->npairs,
								  MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
	for (int i = 0, p = 0; i < n; i++)
		for (int j = i + 1; j < n; j++, p++)
		{
			table->pair[p].first = chosen[i];
			table->pair[p].second = chosen[j];
		}
	gs_private_allot(table);
}

/*
 * gs_private_rebin: makes bins as fine as the noise of the pairs that are left
 * lets them be.
 */
void
gs_private_rebin(GsPrivateTable *table, double rho, int unit_rows)
{
	double		sigma = pair_noise(table->npairs, rho, unit_rows);

	for (;; sigma *= 2)
	{
		double		cells = 0;

		for (int i = 0; i < table->ncolumns; i++)
			if (i != table->target)
				merge_column(table, i, sigma);
		for (int p = 0; p < table->npairs; p++)
			cells += (double) table->column[table->pair[p].first].nbins *
				table->column[table->pair[p].second].nbins;
		if (table->target >= 0)
			cells *= table->column[table->target].nbins;
		if (cells <= MAX_CELLS)
			break;
		CHECK_FOR_INTERRUPTS();
	}
	pfree(table->pair_count);
	gs_private_allot(table);
}

/*
 * gs_private_split_pairs: splits rho over the pairs.  There are none left where
 * their noise would be beyond its range: what was charged before must not end
 * in an error.
 */
void
gs_private_split_pairs(GsPrivateTable *table, double rho, int unit_rows,
					   List **notes)
{
	GsPrivateVector **vectors = palloc(sizeof(GsPrivateVector *) *
									   (table->npairs + 1));

	for (int p = 0; p < table->npairs; p++)
		vectors[p] = &table->pair[p].vector;
	if (!gs_private_split(table->npairs, vectors, rho, unit_rows))
	{
		*notes = lappend(*notes,
						 psprintf("no pairs are counted: epsilon is out of range for %d of them",
								  table->npairs));
		table->npairs = 0;
	}
	pfree(vectors);
}
