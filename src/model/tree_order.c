/*
 * tree_order.c
 *	  Sequential trees: the order in which features are drawn.
 *
 * The feature of the fewest values comes first, and then always the one that
 * depends most on any before it, by mutual information: the order in which
 * Prim's algorithm finds the tree of Chow and Liu ("Approximating discrete
 * probability distributions with dependence trees", IEEE Trans. Information
 * Theory 14, 1968).  So the closest are told from each other while few other
 * columns compete for the splits.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/tree_fit.h"

#define MAX_ROWS		20000	/* that dependence is measured on ... */
#define MIN_ROWS		1000
#define WORK			4e8		/* ... or so many pairs of values */

/*
 * The mutual information of two features' classes, in nats, less what chance
 * makes of it (Miller, "Note on the bias of information estimates", 1955).
 */
static double
information(const Axis *x, const Axis *y, int64 nrows, int64 stride)
{
	static uint32 count[GS_TREE_CLASSES][GS_TREE_CLASSES];
	double		of_x[GS_TREE_CLASSES] = {0};
	double		of_y[GS_TREE_CLASSES] = {0};
	double		n = 0;
	double		sum = 0;
	int			used_x = 0;
	int			used_y = 0;

	memset(count, 0, sizeof(count));
	for (int64 row = 0; row < nrows; row += stride)
		if (x->value[row] != GS_MISSING && y->value[row] != GS_MISSING)
			count[x->class[row]][y->class[row]]++;
	for (int i = 0; i < x->nclasses; i++)
		for (int j = 0; j < y->nclasses; j++)
		{
			of_x[i] += count[i][j];
			of_y[j] += count[i][j];
			n += count[i][j];
		}
	for (int i = 0; i < x->nclasses; i++)
	{
		used_x += of_x[i] > 0;
		for (int j = 0; j < y->nclasses; j++)
			if (count[i][j] > 0)
				sum += count[i][j] / n *
					log(count[i][j] * n / (of_x[i] * of_y[j]));
	}
	for (int j = 0; j < y->nclasses; j++)
		used_y += of_y[j] > 0;
	return n > 0 ? sum - (used_x - 1.0) * (used_y - 1.0) / (2 * n) : 0;
}

/*
 * The positions of the columns that the user wants first, in that order, to
 * order[].  Returns how many.
 */
static int
wanted_first(const GsSchema *schema, const List *first, const char *option,
			 const Position *position, int n, int *order, bool *done)
{
	int			nfirst = 0;
	ListCell   *cell;

	foreach(cell, first)
	{
		const char *name = lfirst(cell);
		bool		known = false;

		for (int c = 0; c < schema->ncolumns; c++)
			known |= strcmp(schema->columns[c].name, name) == 0;
		if (!known)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of option \"%s\" is not learned",
							name, option),
					 errhint("Name columns of the source.")));

		/* whether it is NULL comes before its value */
		for (int parts = 0; parts < 2; parts++)
			for (int p = 0; p < n; p++)
			{
				const GsFeature *feature =
					&schema->features[position[p].feature];

				if (done[p] || (feature->part >= 0) != (parts == 1) ||
					strcmp(schema->columns[feature->column].name, name) != 0)
					continue;
				done[p] = true;
				order[nfirst++] = p;
			}
	}
	return nfirst;
}

/*
 * Whether a feature, if it has a position, is done.
 */
static bool
is_done(const Position *position, int n, const bool *done, int f)
{
	for (int i = 0; i < n; i++)
		if (position[i].feature == f)
			return done[i];
	return true;
}

/*
 * Whether a position may come next: a number not before its NULL indicator,
 * nor before what tells whether it is a sum with another column, or equal to
 * one: values drawn beside that one's would seldom be near enough to be equal.
 */
static bool
may_come(const GsSchema *schema, const Position *position, int n,
		 const bool *done,
		 int p)
{
	const GsFeature *feature = &schema->features[position[p].feature];
	int			null = schema->columns[feature->column].null_feature;
	int			base_null[GS_MAX_BASES + 1];
	int			base_code[GS_MAX_BASES + 1];
	int			nbases;

	if (done[p])
		return false;
	if (feature->part < 0)
		return true;
	if (schema->columns[feature->column].equal > 0 &&
		!is_done(position, n, done,
				 schema->columns[feature->column].equal_feature))
		return false;
	nbases = gs_layout_nulls(schema, feature->column, base_null, base_code);
	for (int b = 0; b < nbases; b++)
		if (base_null[b] >= 0 && !is_done(position, n, done, base_null[b]))
			return false;
	return null < 0 || is_done(position, n, done, null);
}

/*
 * What is to come before a position that is chosen: a number that is NULL in
 * some rows waits for one that never is and that it depends on more than on
 * all that is there, so that it can be told from that one (tree_shift.c).
 */
static int
never_null_first(const GsSchema *schema, const Position *position, int n,
				 const bool *done, const float *known, const float *closest,
				 int p)
{
	const GsFeature *feature = &schema->features[position[p].feature];
	int			best = -1;

	if (!position[p].number ||
		schema->columns[feature->column].null_feature < 0)
		return p;
	for (int q = 0; q < n; q++)
	{
		float		dependence = known[(Size) p * n + q];

		feature = &schema->features[position[q].feature];
		if (position[q].number && may_come(schema, position, n, done, q) &&
			schema->columns[feature->column].null_feature < 0 &&
			position[q].source.group == position[p].source.group &&
			dependence > closest[p] &&
			(best < 0 || dependence > known[(Size) p * n + best]))
			best = q;
	}
	return best < 0 ? p : best;
}

/*
 * Moves what is known of every row before all else, each in its order.
 */
static void
put_context_first(const GsEncoded *encoded, const Position *position, int n,
				  int *order)
{
	int		   *from = palloc(sizeof(int) * Max(n, 1));
	int			at = 0;

	memcpy(from, order, sizeof(int) * n);
	for (int rest = 0; rest < 2; rest++)
		for (int p = 0; p < n; p++)
			if (encoded->context[position[from[p]].feature] == (rest == 0))
				order[at++] = from[p];
	pfree(from);
}

/*
 * gs_tree_order: the order of positions.
 *
 * first: names of the columns to begin with, of the option of that name;
 * position: [n], encoded, their indexes in the order of features.  Returns [n]
 * indexes into it, and in *dependence [n][n] the mutual information of
 * positions by these.  Errors: undefined_column.  Can be cancelled.
 */
int *
gs_tree_order(const GsSchema *schema, const GsEncoded *encoded,
			  const List *first, const char *option, const Position *position,
			  int n,
			  float **dependence)
{
	double		max = WORK * 2 / Max((double) n * n, 1);
	int64		rows = (int64) Max(MIN_ROWS, Min(MAX_ROWS, max));
	int64		stride = Max(1, encoded->nrows / rows);
	float	   *known = palloc_extended(sizeof(float) * Max((Size) n * n, 1),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	float	   *closest = palloc0(sizeof(float) * Max(n, 1));
	int		   *order = palloc(sizeof(int) * Max(n, 1));
	bool	   *done = palloc0(Max(n, 1));
	int			nfirst;

	gs_progress_phase(GS_PHASE_ORDER, 0, n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		gs_progress_done(i);
		for (int j = 0; j < i; j++)
			known[(Size) i * n + j] = known[(Size) j * n + i] = (float)
				information(&position[i].own, &position[j].own, encoded->nrows,
							stride);
	}
	nfirst = wanted_first(schema, first, option, position, n, order, done);
	for (int at = 0; at < n; at++)
	{
		int			best = -1;

		if (at >= nfirst)
		{
			for (int p = 0; p < n; p++)
			{
				if (!may_come(schema, position, n, done, p))
					continue;
				if (best < 0 || (at == 0 ?
								 position[p].own.nvalues <
								 position[best].own.nvalues :
								 closest[p] > closest[best]))
					best = p;
			}
			best = never_null_first(schema, position, n, done, known, closest,
									best);
			order[at] = best;
			done[best] = true;
		}
		for (int p = 0; p < n; p++)
			closest[p] = Max(closest[p], known[(Size) order[at] * n + p]);
	}
	pfree(closest);
	pfree(done);
	put_context_first(encoded, position, n, order);
	*dependence = known;
	return order;
}
