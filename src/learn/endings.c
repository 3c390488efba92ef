/*
 * endings.c
 *	  Numbers that favour some endings.
 *
 * A turn is the power of ten whose endings tell most of where in their
 * segments the rows are, by likelihood and at the price of half the logarithm of the rows
 * for each ending (Schwarz, Annals of Statistics 6, 1978).
 *
 * Tensors, for W features that have endings:
 *	 endings		int8 [W, 3]	feature, turn, how many
 *	 endings/value	int8 [E]	those of all features, one after the other
 *	 endings/weight	float8 [E]
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "learn/quantile.h"
#include "learn/endings.h"

/* Turns are powers of ten up to this one. */
#define MAX_TURN		100000
/* Fewer rows say nothing of endings; nor what gains less for each row. */
#define MIN_ROWS		100
#define MIN_GAIN		0.05
#define SCALE_ROUNDS	8

/*
 * gs_endings_number: a value as a whole number, of a float that has decimals in
 * its last place.
 */
int64
gs_endings_number(const GsFeature *feature, GsScalar value)
{
	if (feature->lane == GS_LANE_FLOAT)
		return (int64) rint(value.f * pow(10, feature->decimals));
	return value.i;
}

/*
 * gs_endings_scalar: the reverse.
 */
GsScalar
gs_endings_scalar(const GsFeature *feature, int64 number)
{
	GsScalar	value = {.i = number};

	if (feature->lane == GS_LANE_FLOAT)
		value.f = (double) number / pow(10, feature->decimals);
	return value;
}

static inline int64
turns_of(const GsEndings *endings, int64 number)
{
	return number / endings->turn - (number % endings->turn < 0);
}

/*
 * The first ending that is not below one; n if there is none.
 */
static int
find_ending(const GsEndings *endings, int64 ending)
{
	int			low = 0;
	int			high = endings->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (endings->ending[middle] < ending)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The weight from the begin of a turn up to a number, itself excluded or
 * included.
 */
static double
weight_to(const GsEndings *endings, int64 turn, int64 number, bool included)
{
	int64		turns = turns_of(endings, number);
	int64		ending = number - turns * endings->turn;
	int			at = find_ending(endings, ending);

	if (included && at < endings->n && endings->ending[at] == ending)
		at++;
	return (double) (turns - turn) + endings->below[at];
}

/*
 * The last ending before which there is no more than a weight, from 0 to 1.
 */
static int
ending_at(const GsEndings *endings, double weight)
{
	int			low = 0;
	int			high = endings->n - 1;

	while (low < high)
	{
		int			middle = (low + high + 1) / 2;

		if (endings->below[middle] <= weight)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/*
 * gs_endings_clip: narrows a range of numbers to the first and last of them that
 * have an ending.  Returns false if there are none.
 */
bool
gs_endings_clip(const GsEndings *endings, int64 *low, int64 *high)
{
	int64		turns = turns_of(endings, *low);
	int			at = find_ending(endings, *low - turns * endings->turn);

	if (at == endings->n)
	{
		turns++;
		at = 0;
	}
	*low = turns * endings->turn + endings->ending[at];
	turns = turns_of(endings, *high);
	at = find_ending(endings, *high - turns * endings->turn + 1) - 1;
	if (at < 0)
	{
		turns--;
		at = endings->n - 1;
	}
	*high = turns * endings->turn + endings->ending[at];
	return *low <= *high;
}

/*
 * The numbers of a segment that have an ending, in weight from the turn of the
 * first.  Returns false if there are none.
 */
static bool
segment_range(const GsFeature *feature, int segment, int64 *low, int64 *high,
			  double *from, double *to)
{
	const GsEndings *endings = feature->endings;
	int64		turn;

	*low = gs_endings_number(feature, feature->quantile.low[segment]);
	*high = gs_endings_number(feature, feature->quantile.high[segment]);
	if (!gs_endings_clip(endings, low, high))
		return false;
	turn = turns_of(endings, *low);
	*from = weight_to(endings, turn, *low, false);
	*to = weight_to(endings, turn, *high, true);
	return *from < *to;
}

/*
 * gs_endings_value: the value at a fraction, 0 to 1, of a segment whose ends
 * differ; false if none of it has an ending.
 */
bool
gs_endings_value(const GsFeature *feature, int segment, double fraction,
				 GsScalar *value)
{
	const GsEndings *endings = feature->endings;
	int64		low;
	int64		high;
	int64		number;
	double		from;
	double		to;
	double		turns;

	if (!segment_range(feature, segment, &low, &high, &from, &to))
		return false;
	from += Min(Max(fraction, 0), 1) * (to - from);
	turns = floor(from);
	number = (turns_of(endings, low) + (int64) turns) * endings->turn +
		endings->ending[ending_at(endings, from - turns)];
	*value = gs_endings_scalar(feature, Min(Max(number, low), high));
	return true;
}

/*
 * gs_endings_position: the reverse: see gs_quantile_position.
 */
bool
gs_endings_position(const GsFeature *feature, int segment, GsScalar value,
					double share, double *position)
{
	const GsEndings *endings = feature->endings;
	int64		number = gs_endings_number(feature, value);
	int64		low;
	int64		high;
	int64		turn;
	double		from;
	double		to;
	double		at;

	if (!segment_range(feature, segment, &low, &high, &from, &to))
		return false;
	turn = turns_of(endings, low);
	number = Min(Max(number, low), high);
	at = weight_to(endings, turn, number, false) * (1 - share) +
		weight_to(endings, turn, number, true) * share;
	*position = Min(Max((at - from) / (to - from), 0), 1);
	return true;
}

/*
 * Whether the numbers of a feature's segments are whole, with room for a turn
 * beyond them.
 */
static bool
may_have_endings(const GsFeature *feature)
{
	const GsQuantile *q = &feature->quantile;
	bool		is_float = feature->lane == GS_LANE_FLOAT;
	double		unit = is_float ? pow(10, feature->decimals) : 1;

	if (is_float && (feature->decimals < 0 || feature->decimals > GS_MAX_DECIMALS))
		return false;
	for (int s = 0; s < q->nsegments; s++)
	{
		double		low = is_float ? q->low[s].f * unit : q->low[s].i;
		double		high = is_float ? q->high[s].f * unit : q->high[s].i;

		if (gs_scalar_compare(q->low[s], q->high[s], feature->lane) != 0 &&
			!(low > -GS_MAX_ROUNDED && high < GS_MAX_ROUNDED))
			return false;
	}
	return true;
}

/* What endings are looked for with. */
typedef struct Search
{
	const GsFeature *feature;
	const GsScalar *sorted;		/* [n] */
	int64		n;
	int64		step;			/* of the numbers */
	int64		offset;			/* of the first from a multiple of it */
	int64		rows;			/* in segments that are no atoms */
	double	   *seen;			/* [turn / step] rows of an ending ... */
	double	   *expected;		/* ... and if they were spread by ... */
	double	   *weight;			/* ... these */
} Search;

static inline int64
remainder_of(int64 number, int64 divisor)
{
	int64		rest = number % divisor;

	return rest < 0 ? rest + divisor : rest;
}

/*
 * Spreads the rows of a segment over its numbers by the weights of their
 * endings.  Returns what each unit of weight has for whole turns.
 */
static double
expect(Search *search, int64 turn, int64 low, int64 high, int64 rows)
{
	int			m = (int) (turn / search->step);
	int64		numbers = (high - low) / search->step + 1;
	int			at = (int) (remainder_of(low, turn) / search->step);
	double		all = 0;

	for (int i = 0; i < m && numbers >= m; i++)
		all += search->weight[i] * (numbers / m);
	for (int64 i = 0; i < numbers % m; i++)
		all += search->weight[(at + i) % m];
	if (!(all > 0))
		return 0;
	for (int64 i = 0; i < numbers % m; i++)
		search->expected[(at + i) % m] += search->weight[(at + i) % m] *
			(rows / all);
	return (numbers / m) * (rows / all);
}

/*
 * Counts the endings of a turn.
 */
static void
count_endings(Search *search, int64 turn)
{
	const GsFeature *feature = search->feature;
	const GsQuantile *q = &feature->quantile;
	int			m = (int) (turn / search->step);
	int64		at = 0;
	double		turns = 0;

	memset(search->seen, 0, sizeof(double) * m);
	memset(search->expected, 0, sizeof(double) * m);
	search->rows = 0;
	for (int s = 0; s < q->nsegments; s++)
	{
		int64		first = at;

		CHECK_FOR_INTERRUPTS();
		while (at < search->n &&
			   gs_scalar_compare(search->sorted[at], q->high[s],
								 feature->lane) <= 0)
			at++;
		if (at == first ||
			gs_scalar_compare(q->low[s], q->high[s], feature->lane) == 0)
			continue;
		if (search->rows == 0)
			search->offset = remainder_of(gs_endings_number(feature, q->low[s]),
										  search->step);
		turns += expect(search, turn, gs_endings_number(feature, q->low[s]),
						gs_endings_number(feature, q->high[s]), at - first);
		search->rows += at - first;
		for (int64 i = first; i < at; i++)
		{
			int64		rest = remainder_of(gs_endings_number(feature,
															  search->sorted[i]),
												turn);

			/* beyond a gap, steps may begin elsewhere */
			if (rest % search->step != search->offset)
			{
				search->rows = 0;
				return;
			}
			search->seen[rest / search->step]++;
		}
	}
	for (int i = 0; i < m; i++)
		search->expected[i] += turns * search->weight[i];
}

/*
 * Weights by which each ending has as many rows as were seen: iterative
 * scaling (Deming and Stephan, Annals of Mathematical Statistics 11, 1940).
 */
static void
scale_weights(Search *search, int64 turn)
{
	int			m = (int) (turn / search->step);

	for (int i = 0; i < m; i++)
		search->weight[i] = 1;
	for (int round = 0; round < SCALE_ROUNDS; round++)
	{
		count_endings(search, turn);
		for (int i = 0; i < m; i++)
			search->weight[i] *= search->expected[i] > 0 ?
				search->seen[i] / search->expected[i] : 0;
	}
}

/*
 * What the endings of a turn gain in likelihood, less their price.
 */
static double
gain_of(const Search *search, int m)
{
	double		gain = 0;
	int			n = 0;

	for (int i = 0; i < m; i++)
		if (search->seen[i] > 0 && search->expected[i] > 0)
		{
			gain += search->seen[i] * log(search->seen[i] /
										  search->expected[i]);
			n++;
		}
	return gain - 0.5 * log(Max(search->rows, 1)) * n;
}

/*
 * The endings that were counted.  Those that are too rare to be told share what
 * they have.
 */
static void
make_endings(GsFeature *feature, const Search *search, int64 turn,
		   int threshold)
{
	int			m = (int) (turn / search->step);
	GsEndings    *endings = palloc0(sizeof(GsEndings));
	double		rows = 0;
	double		rare = 0;
	int			nrare = 0;
	double		sum = 0;

	for (int i = 0; i < m; i++)
		if (search->seen[i] < threshold)
		{
			rows += search->seen[i];
			rare += search->weight[i];
			nrare++;
		}
	endings->turn = turn;
	endings->ending = palloc(sizeof(int64) * m);
	endings->below = palloc0(sizeof(double) * (m + 1));
	for (int i = 0; i < m; i++)
	{
		double		weight = search->seen[i] >= threshold ?
			search->weight[i] : rows >= threshold ? rare / nrare : 0;

		if (!(weight > 0))
			continue;
		endings->ending[endings->n] = i * search->step + search->offset;
		sum += weight;
		endings->below[++endings->n] = sum;
	}
	for (int i = 1; i <= endings->n; i++)
		endings->below[i] /= sum;
	if (endings->n > 0)
		feature->endings = endings;
}

/*
 * gs_endings_learn: gives a number feature, whose table is made, endings
 * where its values favour some.
 *
 * sorted: [n] the values that the table was made from; threshold: rows that
 * must have an ending for it to be told.  Can be cancelled.
 */
void
gs_endings_learn(GsFeature *feature, const GsScalar *sorted, int64 n,
			   int threshold)
{
	Search		search = {.feature = feature,.sorted = sorted,.n = n,
	.step = feature->lane == GS_LANE_INT ? feature->step : 1};
	double		best = 0;
	int64		turn = 0;

	if (n < MIN_ROWS || !may_have_endings(feature))
		return;
	search.seen = palloc(sizeof(double) * GS_MAX_ENDINGS);
	search.expected = palloc(sizeof(double) * GS_MAX_ENDINGS);
	search.weight = palloc(sizeof(double) * GS_MAX_ENDINGS);
	for (int i = 0; i < GS_MAX_ENDINGS; i++)
		search.weight[i] = 1;
	for (int64 t = 10; t <= MAX_TURN; t *= 10)
	{
		double		gain;

		if (t % search.step != 0 || t <= search.step ||
			t / search.step > GS_MAX_ENDINGS)
			continue;
		count_endings(&search, t);
		gain = gain_of(&search, (int) (t / search.step));
		if (search.rows < MIN_ROWS || gain < MIN_GAIN * search.rows ||
			gain <= best)
			continue;
		best = gain;
		turn = t;
	}
	if (turn > 0)
	{
		scale_weights(&search, turn);
		make_endings(feature, &search, turn, threshold);
	}
	pfree(search.seen);
	pfree(search.expected);
	pfree(search.weight);
}

/*
 * gs_endings_save: appends the tensors.
 */
void
gs_endings_save(const GsSchema *schema, List **tensors)
{
	StringInfoData table,
				values,
				weights;

	initStringInfo(&table);
	initStringInfo(&values);
	initStringInfo(&weights);
	for (int f = 0; f < schema->nfeatures; f++)
	{
		const GsEndings *endings = schema->features[f].endings;
		int64		fields[3] = {f};

		if (endings == NULL)
			continue;
		fields[1] = endings->turn;
		fields[2] = endings->n;
		appendBinaryStringInfo(&table, (char *) fields, sizeof(fields));
		appendBinaryStringInfo(&values, (char *) endings->ending,
							   sizeof(int64) * endings->n);
		for (int i = 0; i < endings->n; i++)
		{
			double		weight = endings->below[i + 1] - endings->below[i];

			appendBinaryStringInfo(&weights, (char *) &weight,
								   sizeof(double));
		}
	}
	gs_tensor_add(tensors, "endings", GS_I8, 2, table.len / 24, 3, table.data);
	gs_tensor_add(tensors, "endings/value", GS_I8, 1, values.len / 8, 0,
				  values.data);
	gs_tensor_add(tensors, "endings/weight", GS_F8, 1, weights.len / 8, 0,
				  weights.data);
}

/*
 * A feature's endings.  Returns how many there are; values, weights: [left].
 */
static int64
load_endings(GsFeature *feature, const int64 *fields, const int64 *values,
			 const double *weights, int64 left)
{
	GsEndings  *endings = palloc0(sizeof(GsEndings));
	double		sum = 0;

	if (feature->kind != GS_FEATURE_NUMBER || feature->endings != NULL ||
		!may_have_endings(feature) || fields[1] < 2 || fields[1] > MAX_TURN ||
		fields[2] < 1 || fields[2] > GS_MAX_ENDINGS || fields[2] > left)
		gs_corrupted("A feature has impossible endings.");
	endings->turn = fields[1];
	endings->n = (int) fields[2];
	endings->ending = palloc(sizeof(int64) * endings->n);
	endings->below = palloc0(sizeof(double) * (endings->n + 1));
	for (int i = 0; i < endings->n; i++)
	{
		if (values[i] < 0 || values[i] >= endings->turn ||
			(i > 0 && values[i] <= values[i - 1]) ||
			!(weights[i] >= 0 && weights[i] <= 1))
			gs_corrupted("A feature has impossible endings.");
		endings->ending[i] = values[i];
		sum += weights[i];
		endings->below[i + 1] = sum;
	}
	if (!(sum > 0))
		gs_corrupted("A feature has impossible endings.");
	for (int i = 1; i <= endings->n; i++)
		endings->below[i] /= sum;
	feature->endings = endings;
	return endings->n;
}

/*
 * gs_endings_load: reads them, of a schema whose features are loaded.  Errors:
 * data_corrupted.
 */
void
gs_endings_load(GsSchema *schema, const List *tensors)
{
	const GsTensor *table = gs_tensor_get(tensors, "endings", GS_I8, 2);
	int64		n = gs_tensor_get(tensors, "endings/value", GS_I8, 1)->dims[0];
	const int64 *values = gs_tensor_data(tensors, "endings/value", GS_I8, n);
	const double *weights = gs_tensor_data(tensors, "endings/weight", GS_F8,
										   n);
	int64		at = 0;

	if (table->dims[1] != 3)
		gs_corrupted("Tensor \"endings\" has the wrong shape.");
	for (int i = 0; i < table->dims[0]; i++)
	{
		const int64 *fields = (const int64 *) table->data + 3 * i;

		if (fields[0] < 0 || fields[0] >= schema->nfeatures)
			gs_corrupted("Endings are of no feature.");
		at += load_endings(&schema->features[fields[0]], fields, values + at,
						   weights + at, n - at);
	}
}
