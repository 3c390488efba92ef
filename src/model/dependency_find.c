/*
 * dependency_find.c
 *	  Finding the features that others determine.
 *
 * A feature determines another one where nearly all rows of each of its bins
 * have the same value of it.  How many may not: of a predictor of many values,
 * which no family could learn one by one, 1 of 20 rows; else 1 of 500, as many
 * as are mistakes.  Of the rows that have not the value most frequent of all,
 * at most 1 of 10 may be exceptions in any case: where 99 of 100 values are
 * the same, everything determines them, and nothing does.  That is all that is
 * asked of rows without a value (NULL), which are no mistakes.
 *
 * A feature that is context is not determined, but learned; what of the others
 * would determine it is found all the same (dependency_invert.c).
 *
 * What looks like a dependency must be more than accident: the probability
 * that all bins come out as pure, if the two features are independent, is below
 * e^-30; for a pair, if either predictor alone told what it can.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/learn.h"
#include "learn/quantile.h"
#include "model/dependency.h"

#define PROBABILITY_LIMIT	(-30.0)
#define MIN_MAPPED		0.8		/* share of rows whose bins tell the value */
#define MIN_ATOMS		0.95	/* share of rows whose values are bins */
#define MIN_PURE		0.75	/* share of a bin's rows that have it */
#define FEW_BINS		GS_FEW_LEVELS
#define MAX_MISTAKES	0.002	/* share of rows that are exceptions ... */
#define MAX_EXCEPTIONS	0.05	/* ... of a predictor of more bins */
#define MAX_UNEXPLAINED	0.1		/* of the rows without the value of most */
#define MAX_AGAINST		(1.0 / 6)	/* share of rows, however many may */
#define NEARLY			0.9		/* as many values as a coarser feature may
								 * have, to tell a finer one but for
								 * exceptions */
#define SAMPLE_ROWS		4096	/* looked at first */
#define MIN_OTHERS		100		/* of these, without the value of most ... */
#define MIN_TOLD		0.1		/* ... of which these are told */
#define MAX_PAIRS		65536	/* bins of two predictors ... */
#define MIN_PAIRS		4096	/* ... or these, with so many rows for each ... */
#define PAIR_ROWS		10
#define MAX_RARE		0.05	/* ... share of rows in those with too few, and
								 * of those if predictors were independent */
#define MAX_CELLS		4000000 /* bins of a predictor times values */
#define MAX_FEATURES	64		/* to look at pairs of */

/* What is looked at while rules are found. */
typedef struct Search
{
	GsSchema   *schema;
	GsEncoded  *encoded;
	bool		completes;		/* what tells known features is of use */
	int			threshold;		/* rows that a bin needs to tell */
	int		   *nvalues;		/* [nfeatures] levels or segments */
	bool	   *atoms;			/* [nfeatures] nearly all rows have a value that
								 * is a bin of its own */
	int64	   *present;		/* [nfeatures] rows that have a value */
	int		   *mode;			/* [nfeatures] the value that most have */
	int64	   *rest;			/* [nfeatures] rows that have another one */
	double	   *uncovered;		/* [MAX_FEATURES][MAX_FEATURES] rows whose pair is too
								 * rare to tell anything; -1: not counted yet */
	bool	   *locked;			/* [nfeatures] must not be determined */
	int32	   *code;			/* [PG_UINT16_MAX + 1 or MAX_PAIRS] */
	int32	   *votes;			/* of the code, less those against it */
	int32	   *rows;			/* of each bin ... */
	int32	   *hits;			/* ... that have its code */
	int			nfound;
	GsDependencyRule *found;	/* [nfeatures] */
} Search;

/* A candidate: what might determine what. */
typedef struct Candidate
{
	int			feature;
	int			npredictors;
	int			predictor[2];
	int			nbins[2];
	int64		all;			/* rows in which the feature is there ... */
	int64		mapped;			/* ... of them in bins that tell its value */
	int64		exceptions;
	int64		nulls;			/* of these */
} Candidate;

/*
 * A feature's value in a row: a level, or a segment; GS_MISSING.
 *
 * told: by others: a value too rare to be shown is the nearest one, an
 * exception (gs_learn_rare); else it tells nothing
 */
static inline int
value_of(const Search *search, int f, int64 row, bool told)
{
	const uint16 *segment = search->encoded->segment[f];
	const uint16 *within = search->encoded->within[f];

	if (segment == NULL)
		return search->encoded->bin[f][row];
	return told && segment[row] == GS_MISSING && within[row] > 0 ?
		within[row] - 1 : segment[row];
}

/*
 * The same as a bin of a predictor, which the NULL of a number is, too.
 */
static inline int
bin_of(const Search *search, int f, int64 row)
{
	const GsFeature *feature = &search->schema->features[f];
	int			value = value_of(search, f, row, false);
	int			null;

	if (value != GS_MISSING || feature->kind != GS_FEATURE_NUMBER)
		return value;
	null = search->schema->columns[feature->column].null_feature;
	return null >= 0 && search->encoded->bin[null][row] == 1 ?
		search->nvalues[f] : GS_MISSING;
}

static int
count_bins(const Search *search, int f)
{
	const GsFeature *feature = &search->schema->features[f];

	return search->nvalues[f] +
		(feature->kind == GS_FEATURE_NUMBER && feature->part >= 0 &&
		 search->schema->columns[feature->column].null_feature >= 0);
}

/*
 * The bin of a candidate's predictors in a row; -1 if they say nothing.
 */
static inline int
row_bin(const Search *search, const Candidate *c, int64 row)
{
	int			bin = bin_of(search, c->predictor[0], row);
	int			second;

	if (bin == GS_MISSING || c->npredictors == 1)
		return bin == GS_MISSING ? -1 : bin;
	second = bin_of(search, c->predictor[1], row);
	return second == GS_MISSING ? -1 : bin * c->nbins[1] + second;
}

static int
bins_of(const Candidate *c)
{
	return c->npredictors == 1 ? c->nbins[0] : c->nbins[0] * c->nbins[1];
}

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
 * Whether a value comes out as it is told: a level, or a segment of one
 * value.
 */
static bool
is_told(const Search *search, int f, int value)
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
			!is_told(search, c->feature, search->code[k]))
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
 * Whether a candidate is a dependency.  The codes are left in search->code,
 * -1 of bins that do not tell.
 */
static bool
determines(Search *search, Candidate *c)
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
 * Whether two predictors determine a feature together.  A pair that the source
 * has too seldom goes with what most rows of the first predictor's bin have.
 */
static bool
pair_determines(Search *search, Candidate *c)
{
	int			nvalues = search->nvalues[c->feature];
	int64	   *rows;

	if (c->nbins[0] < 2 || c->nbins[1] < 2 ||
		!search->atoms[c->predictor[0]] || !search->atoms[c->predictor[1]] ||
		(int64) c->nbins[0] * c->nbins[1] >
		Min(MAX_PAIRS, Max(MIN_PAIRS,
						   search->encoded->nrows / PAIR_ROWS)) ||
		(int64) Max(c->nbins[0], c->nbins[1]) * nvalues > MAX_CELLS ||
		are_too_fine(search, c) || !determines(search, c) ||
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

/*
 * Lets the bins of a number that do not tell go with their neighbours: a value
 * between two of the source's.
 */
static void
ask_neighbours(Search *search, const Candidate *c)
{
	int			n = search->nvalues[c->predictor[0]];
	int			last = -1;
	int			next = 0;

	if (c->npredictors > 1 ||
		search->schema->features[c->predictor[0]].kind != GS_FEATURE_NUMBER)
		return;
	for (int k = 0; k < n; k++)
	{
		if (search->code[k] >= 0)
		{
			last = k;
			continue;
		}
		for (next = Max(next, k + 1); next < n && search->code[next] < 0;)
			next++;
		if (last >= 0 && (next == n || k - last <= next - k))
			search->code[k] = search->code[last];
		else if (next < n)
			search->code[k] = search->code[next];
	}
}

#define ST_SORT sort_rest
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * What the rows have that a rule does not tell: exceptions, and rows whose
 * bins have no code.  Sets rule->rest; returns how many are exceptions.
 */
static int64
count_rest(const Search *search, const Candidate *c, GsDependencyRule *rule)
{
	int64		nrows = search->encoded->nrows;
	uint64	   *rest = palloc_extended(sizeof(uint64) * nrows, MCXT_ALLOC_HUGE);
	int64		n = 0;
	int64		exceptions = 0;
	int64		next;

	for (int64 row = 0; row < nrows; row++)
	{
		int			value = value_of(search, c->feature, row, true);
		int			bin = row_bin(search, c, row);

		if (value == GS_MISSING || bin < 0 || search->code[bin] == value)
			continue;
		/* bins from 1: those of exceptions together are 0 */
		if (search->code[bin] >= 0)
		{
			exceptions++;
			bin = -1;
		}
		rest[n++] = (uint64) (bin + 1) << 32 | (uint32) value;
	}
	sort_rest(rest, n);
	for (int64 i = 0; i < n; i = next)
	{
		GsDependencyRest entry = {
			.bin = (int32) (rest[i] >> 32) - 1,.value = (int32) rest[i]
		};

		for (next = i + 1; next < n && rest[next] == rest[i];)
			next++;
		entry.rows = (int32) (next - i);
		if (entry.bin >= 0 || exceptions >= search->threshold)
			appendBinaryStringInfo(&rule->rest, (char *) &entry,
								   sizeof(entry));
	}
	pfree(rest);
	return exceptions;
}

/*
 * A feature that says which rows are exceptions, for the family to learn.
 */
static int
add_exceptions(Search *search, const Candidate *c)
{
	GsEncoded  *encoded = search->encoded;
	int			column = search->schema->features[c->feature].column;
	uint16	   *exception = palloc_extended(sizeof(uint16) * encoded->nrows,
											MCXT_ALLOC_HUGE);

	for (int64 row = 0; row < encoded->nrows; row++)
	{
		int			value = value_of(search, c->feature, row, true);
		int			bin = row_bin(search, c, row);

		exception[row] = value != GS_MISSING && bin >= 0 &&
			search->code[bin] >= 0 && search->code[bin] != value;
	}
	/* of a column that is drawn */
	for (int i = 0; i < c->npredictors; i++)
		if (encoded->context[c->feature] && !encoded->context[c->predictor[i]])
			column = search->schema->features[c->predictor[i]].column;
	return gs_add_flag(search->schema, encoded, column, GS_PART_EXCEPTION,
					   exception);
}

/* Keeps a rule whose codes are in search->code. */
static void
keep_rule(Search *search, const Candidate *c)
{
	GsDependencyRule *rule = &search->found[search->nfound++];
	int64		exceptions;

	rule->known = search->encoded->context[c->feature];
	search->encoded->determined[c->feature] = !rule->known;
	for (int i = 0; i < c->npredictors; i++)
	{
		const GsFeature *feature = &search->schema->features[c->predictor[i]];
		int			null = search->schema->columns[feature->column].null_feature;

		search->encoded->predictor[c->predictor[i]] = true;
		/* which is asked for, too */
		if (feature->kind == GS_FEATURE_NUMBER && null >= 0)
			search->locked[null] = true;
	}
	ask_neighbours(search, c);
	rule->feature = c->feature;
	rule->predictor[0] = c->predictor[0];
	rule->predictor[1] = c->npredictors == 2 ? c->predictor[1] : -1;
	rule->exception = -1;
	rule->ncodes = bins_of(c);
	rule->code = palloc(sizeof(int32) * rule->ncodes);
	memcpy(rule->code, search->code, sizeof(int32) * rule->ncodes);
	initStringInfo(&rule->rest);
	exceptions = count_rest(search, c, rule);
	if (exceptions >= search->threshold)
		rule->exception = add_exceptions(search, c);
}

/* Whether all of a candidate's predictors are known when its feature is. */
static bool
says_nothing(const Search *search, const Candidate *c)
{
	const bool *context = search->encoded->context;

	for (int i = 0; i < c->npredictors; i++)
		if (!context[c->predictor[i]])
			return false;
	return context[c->feature];
}

static bool
may_be_determined(const Search *search, int f, bool indicators)
{
	const GsEncoded *encoded = search->encoded;
	const GsFeature *feature = &search->schema->features[f];

	return (feature->part < 0) == indicators && !search->locked[f] &&
		search->nvalues[f] >= 2 && !encoded->determined[f] &&
		(search->completes || !encoded->context[f]) &&
		!search->schema->columns[feature->column].is_key &&
		search->schema->columns[feature->column].looked_up_by == NULL &&
		(feature->kind == GS_FEATURE_CATEGORY || search->atoms[f]);
}

/* Whether a feature can be a predictor of another one. */
static bool
may_determine(const Search *search, int p, int f)
{
	const GsColumn *column =
		&search->schema->columns[search->schema->features[p].column];

	/* that a number is NULL is one of its bins */
	return p != f && !search->encoded->determined[p] &&
		column->null_feature != f;
}

/* Rows that a candidate does not tell. */
static inline int64
untold(const Candidate *c)
{
	return c->exceptions + c->all - c->mapped;
}

/*
 * Whether what tells a feature, but for exceptions, is itself told by that
 * feature and another one, with fewer: a rate tells most often of which day
 * and currency it is, but these tell it always.
 */
static bool
is_told_back(Search *search, const int *order, int n, const Candidate *c)
{
	int			f = c->predictor[0];

	if (c->exceptions == 0 || n > MAX_FEATURES || search->locked[f] ||
		!search->atoms[f])
		return false;
	for (int j = 0; j < n; j++)
	{
		Candidate	back = {.feature = f,.npredictors = 2,
		.predictor = {c->feature, order[j]}};

		CHECK_FOR_INTERRUPTS();
		if (order[j] == c->feature || !may_determine(search, order[j], f))
			continue;
		back.nbins[0] = count_bins(search, c->feature);
		back.nbins[1] = count_bins(search, order[j]);
		if (pair_determines(search, &back) && untold(&back) < untold(c))
			return true;
	}
	return false;
}

/*
 * Looks for the predictor of a feature, which is the at'th in order: of those
 * that have about as many values or more, the one with the fewest exceptions,
 * and of those the coarsest, so that what it is determined by in turn agrees.
 *
 * order: [n] the coarsest first
 */
static void
find_predictor(Search *search, const int *order, int n, int at)
{
	Candidate	best = {.npredictors = 0};

	for (int j = n - 1; j >= 0; j--)
	{
		int			p = order[j];
		Candidate	c = {.feature = order[at],.npredictors = 1,
		.predictor = {p, -1}};

		CHECK_FOR_INTERRUPTS();
		/* an indicator is coarser than all, and they are looked at last */
		if (!may_determine(search, p, c.feature) ||
			(search->schema->features[order[at]].part >= 0 ?
			 j < at && search->nvalues[p] < NEARLY * search->nvalues[order[at]] :
			 search->schema->features[p].part < 0))
			continue;
		c.nbins[0] = count_bins(search, p);
		if (says_nothing(search, &c) || c.nbins[0] < 2 || c.nbins[0] > PG_UINT16_MAX ||
			!determines(search, &c))
			continue;
		if (best.npredictors == 0 || untold(&c) <= untold(&best))
			best = c;
	}
	if (best.npredictors > 0 &&
		!is_told_back(search, order, n, &best) &&
		determines(search, &best))
		keep_rule(search, &best);
}

/* Looks for two predictors of a feature. */
static void
find_pair(Search *search, const int *order, int n, int f)
{
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = i + 1; j < n; j++)
		{
			Candidate	c = {.feature = f,.npredictors = 2,
			.predictor = {order[j], order[i]}};

			if (!may_determine(search, c.predictor[0], f) ||
				!may_determine(search, c.predictor[1], f) ||
				says_nothing(search, &c))
				continue;
			c.nbins[0] = count_bins(search, c.predictor[0]);
			c.nbins[1] = count_bins(search, c.predictor[1]);
			if (!pair_determines(search, &c))
				continue;
			keep_rule(search, &c);
			return;
		}
	}
}

/*
 * Levels or segments of each feature, whether they are single values, and how
 * many rows have them.
 */
static void
count_values(Search *search)
{
	const GsEncoded *encoded = search->encoded;

	for (int f = 0; f < encoded->nfeatures; f++)
	{
		const GsFeature *feature = &encoded->features[f];
		int			nvalues = feature->kind == GS_FEATURE_NUMBER ?
			feature->quantile.nsegments : feature->nlevels;
		int64	   *rows = palloc0(sizeof(int64) * Max(nvalues, 1));
		int			mode = 0;
		int64		told = 0;
		int64		rare = 0;

		CHECK_FOR_INTERRUPTS();
		search->nvalues[f] = nvalues;
		for (int64 row = 0; row < encoded->nrows; row++)
		{
			int			value = value_of(search, f, row, false);

			if (value != GS_MISSING)
				rows[value]++;
			else
				rare += value_of(search, f, row, true) != GS_MISSING;
		}
		for (int v = 0; v < nvalues; v++)
		{
			search->present[f] += rows[v];
			if (rows[v] > rows[mode])
				mode = v;
			if (is_told(search, f, v))
				told += rows[v];
		}
		search->atoms[f] = feature->kind == GS_FEATURE_CATEGORY ||
			told >= MIN_ATOMS * search->present[f];
		search->present[f] += rare;
		search->rest[f] = search->present[f] - rows[mode];
		search->mode[f] = mode;
		pfree(rows);
	}
}

static int
by_values(const void *a, const void *b, void *arg)
{
	const Search *search = arg;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	if (search->nvalues[x] != search->nvalues[y])
		return search->nvalues[x] - search->nvalues[y];
	return y - x;
}

/*
 * Whether something was found that determines a feature, though it is known.
 */
static bool
is_told_already(const Search *search, int f)
{
	for (int r = 0; r < search->nfound; r++)
		if (search->found[r].feature == f)
			return true;
	return false;
}

/*
 * gs_dependency_find: finds the determined features of a table, marks them in
 * encoded->determined, and appends their tensors; adds features for their
 * exceptions.  Can be cancelled.
 *
 * wanted: whether there shall be any; completes: also what tells features that
 * are known, for rows that are made again until they go with these; threshold: rows that a bin needs.
 */
void
gs_dependency_find(GsSchema *schema, GsEncoded *encoded, bool wanted,
				   bool completes, int threshold, List **tensors)
{
	int			n = encoded->nfeatures;
	Search		search = {.schema = schema,.encoded = encoded,
	.completes = completes,.threshold = threshold};
	int		   *order = palloc(sizeof(int) * Max(n, 1));

	search.nvalues = palloc0(sizeof(int) * Max(n, 1));
	search.atoms = palloc0(Max(n, 1));
	search.present = palloc0(sizeof(int64) * Max(n, 1));
	search.rest = palloc0(sizeof(int64) * Max(n, 1));
	search.mode = palloc0(sizeof(int) * Max(n, 1));
	search.uncovered = palloc(sizeof(double) * MAX_FEATURES * MAX_FEATURES);
	for (int i = 0; i < MAX_FEATURES * MAX_FEATURES; i++)
		search.uncovered[i] = -1;
	search.locked = palloc0(Max(n, 1));
	search.code = palloc0(sizeof(int32) * MAX_PAIRS);
	search.votes = palloc0(sizeof(int32) * MAX_PAIRS);
	search.rows = palloc0(sizeof(int32) * MAX_PAIRS);
	search.hits = palloc0(sizeof(int32) * MAX_PAIRS);
	search.found = palloc0(sizeof(GsDependencyRule) * Max(n, 1));
	count_values(&search);
	for (int f = 0; f < n; f++)
		order[f] = f;

	/* the coarsest first: what has fewer values is the one determined */
	qsort_arg(order, n, sizeof(int), by_values, &search);
	for (int indicators = 0; indicators < 2 && wanted; indicators++)
		for (int pairs = 0; pairs < (n > MAX_FEATURES ? 1 : 2); pairs++)
			for (int i = 0; i < n; i++)
			{
				CHECK_FOR_INTERRUPTS();
				if (!may_be_determined(&search, order[i], indicators) ||
					is_told_already(&search, order[i]))
					continue;
				if (pairs == 0)
					find_predictor(&search, order, n, i);
				else
					find_pair(&search, order, n, order[i]);
			}
	gs_dependency_rank(schema, encoded, search.found, search.nfound);
	gs_dependency_save(search.found, search.nfound, tensors);
	pfree(search.code);
	pfree(search.votes);
	pfree(search.rows);
	pfree(search.hits);
}
