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
#include "model/dependency_search.h"

#define MIN_ATOMS		0.95	/* share of rows whose values are bins */
#define NEARLY			0.9		/* as many values as a coarser feature may
								 * have, to tell a finer one but for
								 * exceptions */

static int
count_bins(const Search *search, int f)
{
	const GsFeature *feature = &search->schema->features[f];

	return search->nvalues[f] +
		(feature->kind == GS_FEATURE_NUMBER && feature->part >= 0 &&
		 search->schema->columns[feature->column].null_feature >= 0);
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
	return gs_add_flag(search->schema, encoded, column, GS_PART_EXCEPTION, 2,
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
		if (gs_dependency_pair_determines(search, &back) && untold(&back) < untold(c))
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
			!gs_dependency_determines(search, &c))
			continue;
		if (best.npredictors == 0 || untold(&c) <= untold(&best))
			best = c;
	}
	if (best.npredictors > 0 &&
		!is_told_back(search, order, n, &best) &&
		gs_dependency_determines(search, &best))
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
			if (!gs_dependency_pair_determines(search, &c))
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
			if (gs_dependency_is_told(search, f, v))
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
