/*
 * dependency_judge.c
 *	  Whether rows have a dependency: see dependency_find.c.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/learn.h"
#include "learn/quantile.h"
#include "model/dependency_search.h"

#define PROBABILITY_LIMIT	(-30.0)
#define MIN_MAPPED		0.8		/* share of rows whose bins tell the value */
#define MIN_PURE		0.75	/* share of a bin's rows that have it */
#define FEW_BINS		GS_FEW_LEVELS
#define MAX_MISTAKES	0.002	/* share of rows that are exceptions ... */
#define MAX_EXCEPTIONS	0.05	/* ... of a predictor of more bins */
#define MAX_UNEXPLAINED	0.1		/* of the rows without the value of most */
#define MAX_AGAINST		(1.0 / 6)	/* share of rows, however many may */
#define SAMPLE_ROWS		4096	/* looked at first */
#define MIN_OTHERS		100		/* of these, without the value of most ... */
#define MIN_TOLD		0.1		/* ... of which these are told */
#define MIN_PAIRS		4096	/* ... or these, with so many rows for each ... */
#define PAIR_ROWS		10
#define MAX_RARE		0.05	/* ... share of rows in those with too few, and
								 * of those if predictors were independent */
#define MAX_CELLS		4000000 /* bins of a predictor times values */

/*
 * The share of rows that may speak against a candidate's votes, a quarter more
 * than can: those of bins that do not tell, and for each exception one more,
 * that takes it back.
 */
static double
max_against(const Search *search, const Candidate *c)
{
	double		share = (c->npredictors == 1 ? 1 - MIN_MAPPED : MAX_RARE) +
		2 * MAX_UNEXPLAINED * search->rest[c->feature] /
		Max(search->present[c->feature], 1);

	return Min(1.25 * share, MAX_AGAINST);
}

/*
 * A vote on each bin's value (Boyer and Moore, 1981), over rows stride apart.
 * Returns false once too many rows speak against it.
 */
static bool
vote(Search *search, const Candidate *c, int64 stride)
{
	const GsEncoded *encoded = search->encoded;
	int			nbins = bins_of(c);
	double		limit = max_against(search, c);
	int64		against = 0;
	int64		seen = 0;

	memset(search->votes, 0, sizeof(int32) * nbins);
	for (int64 row = 0; row < encoded->nrows; row += stride)
	{
		int			value = value_of(search, c->feature, row, true);
		int			bin = row_bin(search, c, row);

		if (value == GS_MISSING || bin < 0)
			continue;
		if (search->votes[bin] == 0)
			search->code[bin] = value;
		if (search->code[bin] == value)
			search->votes[bin]++;
		else
		{
			search->votes[bin]--;
			against++;
		}
		if ((++seen & 255) == 0)
		{
			if (against > 32 + limit * seen)
				return false;
			CHECK_FOR_INTERRUPTS();
		}
	}
	return true;
}

/*
 * Whether votes over rows stride apart tell other values than that of most
 * rows, too.  Where nearly all rows have the same one, all bins may vote for it.
 */
static bool
tells_others(const Search *search, const Candidate *c, int64 stride)
{
	int64		others = 0;
	int64		told = 0;

	for (int64 row = 0; row < search->encoded->nrows; row += stride)
	{
		int			value = value_of(search, c->feature, row, true);
		int			bin = row_bin(search, c, row);

		if (value == GS_MISSING || bin < 0 ||
			value == search->mode[c->feature])
			continue;
		others++;
		told += search->code[bin] == value;
	}
	return others < MIN_OTHERS || told >= MIN_TOLD * others;
}

/*
 * Counts each bin's rows, and those that have its code.
 */
static void
count_rows(Search *search, Candidate *c)
{
	int			nbins = bins_of(c);
	const GsFeature *feature = &search->schema->features[c->feature];
	int			null = feature->kind == GS_FEATURE_CATEGORY ?
		feature->null_level : -1;

	memset(search->rows, 0, sizeof(int32) * nbins);
	memset(search->hits, 0, sizeof(int32) * nbins);
	c->all = c->mapped = c->exceptions = c->nulls = 0;
	for (int64 row = 0; row < search->encoded->nrows; row++)
	{
		int			value = value_of(search, c->feature, row, true);
		int			bin = row_bin(search, c, row);

		/* where the predictors are not there, they tell nothing */
		c->all += value != GS_MISSING;
		if (value == GS_MISSING || bin < 0)
			continue;
		search->rows[bin]++;
		search->hits[bin] += search->code[bin] == value;
		c->nulls += value == null && search->code[bin] != value;
	}
}

/*
 * gs_dependency_is_told: whether a value comes out as it is told: a level, or a segment of one
 * value.
 */
bool
gs_dependency_is_told(const Search *search, int f, int value)
{
	const GsFeature *feature = &search->schema->features[f];

	return feature->kind == GS_FEATURE_CATEGORY ?
		value != feature->other_level :
		gs_scalar_compare(feature->quantile.low[value],
						  feature->quantile.high[value], feature->lane) == 0;
}

/*
 * Takes the code from bins that tell no value.  Returns false if what is left
 * is no dependency.
 */
static bool
judge(Search *search, Candidate *c)
{
	int			nbins = bins_of(c);
	int64	   *rows = palloc0(sizeof(int64) * search->nvalues[c->feature]);
	double		limit = MAX_MISTAKES;
	int64		most = 0;
	double		probability = 0;

	for (int k = 0; k < nbins; k++)
	{
		if (search->rows[k] < search->threshold ||
			search->hits[k] < MIN_PURE * search->rows[k] ||
			!gs_dependency_is_told(search, c->feature, search->code[k]))
		{
			search->code[k] = -1;
			continue;
		}
		c->mapped += search->rows[k];
		c->exceptions += search->rows[k] - search->hits[k];
		rows[search->code[k]] += search->hits[k];
	}
	for (int v = 0; v < search->nvalues[c->feature]; v++)
		most = Max(most, rows[v]);
	pfree(rows);
	if (c->npredictors == 1 && c->nbins[0] > FEW_BINS &&
		search->atoms[c->predictor[0]])
		limit = MAX_EXCEPTIONS;
	if (c->mapped == 0 || c->mapped < MIN_MAPPED * c->all ||
		c->exceptions - c->nulls > limit * c->mapped ||
		c->exceptions > MAX_UNEXPLAINED * (c->mapped - most))
		return false;
	/* a bound on the probability: each row after a bin's first agrees */
	for (int k = 0; k < nbins; k++)
		if (search->code[k] >= 0)
			probability += (search->hits[k] - 1) *
				log((double) most / c->mapped);
	return probability < PROBABILITY_LIMIT;
}

/*
 * gs_dependency_determines: whether a candidate is a dependency.  The codes are left in search->code,
 * -1 of bins that do not tell.
 */
bool
gs_dependency_determines(Search *search, Candidate *c)
{
	int64		stride = search->encoded->nrows / SAMPLE_ROWS;

	if (stride > 1 && (!vote(search, c, stride) ||
					   !tells_others(search, c, stride)))
		return false;
	if (!vote(search, c, 1))
		return false;
	count_rows(search, c);
	return judge(search, c);
}

/*
 * The values' rows for each bin of one predictor, from a pair's codes:
 * [bins][values].
 */
static int64 *
rows_by_bin(const Search *search, const Candidate *c, int which)
{
	int			nvalues = search->nvalues[c->feature];
	int64	   *rows = palloc0(sizeof(int64) * c->nbins[which] * nvalues);

	for (int k = 0; k < bins_of(c); k++)
		if (search->code[k] >= 0)
			rows[(Size) (which == 1 ? k % c->nbins[1] : k / c->nbins[1]) *
				 nvalues + search->code[k]] += search->hits[k];
	return rows;
}

/* ln of the probability that all pairs are pure, if one predictor told all. */
static double
pair_probability(const Search *search, const Candidate *c, int which)
{
	int			nvalues = search->nvalues[c->feature];
	int64	   *rows = rows_by_bin(search, c, which);
	double		probability = 0;

	for (int k = 0; k < bins_of(c); k++)
	{
		const int64 *own = rows +
			(Size) (which == 1 ? k % c->nbins[1] : k / c->nbins[1]) * nvalues;
		double		all = 0;
		int64		most = 0;

		if (search->code[k] < 0)
			continue;
		for (int v = 0; v < nvalues; v++)
		{
			all += own[v];
			most = Max(most, own[v]);
		}
		probability += (search->hits[k] - 1) * log(most / all);
	}
	pfree(rows);
	return probability;
}

/*
 * The share of rows in pairs that do not tell, if the predictors were
 * independent.  A family may make as many, and they are told by one predictor
 * only.
 */
static double
unseen_share(const Search *search, const Candidate *c)
{
	double	   *first = palloc0(sizeof(double) * c->nbins[0]);
	double	   *second = palloc0(sizeof(double) * c->nbins[1]);
	double		all = 0;
	double		unseen = 0;

	for (int k = 0; k < bins_of(c); k++)
	{
		first[k / c->nbins[1]] += search->rows[k];
		second[k % c->nbins[1]] += search->rows[k];
		all += search->rows[k];
	}
	for (int k = 0; k < bins_of(c); k++)
		if (search->code[k] < 0)
			unseen += first[k / c->nbins[1]] * second[k % c->nbins[1]];
	pfree(first);
	pfree(second);
	return all > 0 ? unseen / all / all : 1;
}

/*
 * Counts the rows of two features whose pair of bins is too rare to tell
 * anything; those that have no bin are among them.
 */
static double
count_uncovered(Search *search, const Candidate *c)
{
	int			p = Min(c->predictor[0], c->predictor[1]);
	double	   *uncovered = &search->uncovered[p * MAX_FEATURES +
											   c->predictor[0] +
											   c->predictor[1] - p];

	if (*uncovered >= 0)
		return *uncovered;
	memset(search->rows, 0, sizeof(int32) * bins_of(c));
	*uncovered = search->encoded->nrows;
	for (int64 row = 0; row < search->encoded->nrows; row++)
	{
		int			bin = row_bin(search, c, row);

		if (bin >= 0)
			search->rows[bin]++;
	}
	for (int k = 0; k < bins_of(c); k++)
		if (search->rows[k] >= search->threshold)
			*uncovered -= search->rows[k];
	return *uncovered;
}

/*
 * Whether so many rows of two predictors are in pairs of bins that are too rare
 * to tell anything that they cannot determine a feature.
 */
static bool
are_too_fine(Search *search, const Candidate *c)
{
	int64		present = search->present[c->feature];

	return count_uncovered(search, c) -
		(search->encoded->nrows - present) > MAX_RARE * present;
}

/*
 * gs_dependency_pair_determines: whether two predictors determine a feature
 * together.  A pair that the source
 * has too seldom goes with what most rows of the first predictor's bin have.
 */
bool
gs_dependency_pair_determines(Search *search, Candidate *c)
{
	int			nvalues = search->nvalues[c->feature];
	int64	   *rows;

	if (c->nbins[0] < 2 || c->nbins[1] < 2 ||
		!search->atoms[c->predictor[0]] || !search->atoms[c->predictor[1]] ||
		(int64) c->nbins[0] * c->nbins[1] >
		Min(MAX_PAIRS, Max(MIN_PAIRS,
						   search->encoded->nrows / PAIR_ROWS)) ||
		(int64) Max(c->nbins[0], c->nbins[1]) * nvalues > MAX_CELLS ||
		are_too_fine(search, c) || !gs_dependency_determines(search, c) ||
		c->all - c->mapped > MAX_RARE * c->all ||
		unseen_share(search, c) > MAX_RARE ||
		pair_probability(search, c, 0) > PROBABILITY_LIMIT ||
		pair_probability(search, c, 1) > PROBABILITY_LIMIT)
		return false;
	rows = rows_by_bin(search, c, 0);
	for (int k = 0; k < bins_of(c); k++)
	{
		const int64 *own = rows + (Size) (k / c->nbins[1]) * nvalues;
		int			best = 0;

		if (search->code[k] >= 0)
			continue;
		for (int v = 1; v < nvalues; v++)
			if (own[v] > own[best])
				best = v;
		search->code[k] = own[best] > 0 ? best : -1;
	}
	pfree(rows);
	return true;
}
