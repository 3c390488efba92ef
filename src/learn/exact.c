/*
 * exact.c
 *	  Numbers whose single values matter, since they determine other columns
 *	  or are determined by them: codes and dates, a price list's prices; and
 *	  those that lie near the place of another column's value (center.c).
 *
 * Such a number's table gets a segment for each value that may be shown, which
 * dependencies (model/dependency_find.c) can then be found by.  So they are
 * looked for here among raw values, once more, but only roughly: of a large
 * sample, by part of a column's values, all of whose rows are looked at.
 *
 * A number is near another column's values where less than 1/100 of its variance
 * is left among the rows of one, there are too many of these for a family to
 * learn one by one, and it has many values itself.  Near numbers, it must not be
 * as near to groups of them: what follows them smoothly, a family learns.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/center.h"
#include "learn/exact.h"
#include "learn/quantile.h"

#define MANY_ROWS		100000	/* looked at for each column, about */
#define PAIR_ROWS		4000	/* and for each pair of columns */
#define MAX_PAIRED		64		/* columns, to look at pairs of */
#define MIN_COVERAGE	0.8		/* share of rows whose values may be shown */
#define MAX_EXCEPTIONS	0.05	/* see dependency_find.c */
#define MAX_UNEXPLAINED 0.1
#define MIN_EVIDENCE	30.0
#define MIN_PLACES		65		/* values that a number is near */
#define MAX_NEAR		0.01	/* share of its variance that is left */
#define MIN_NEAR		500		/* values that it has */
#define COARSE			64		/* groups of numbers, near which ... */
#define MIN_NEARER		5.0		/* ... so many times as much is left */
#define MAX_SMOOTH		0.1		/* of a number that is told by the time */

/* A column's rows in groups of one value. */
typedef struct Groups
{
	int64		n;				/* rows */
	uint32	   *row;			/* [n] */
	int32	   *group;			/* [n] of these rows */
	int			ngroups;
} Groups;

/* The groups by value: open addressing. */
typedef struct Entry
{
	uint64		key;
	int32		group;			/* -1: empty */
} Entry;

/* The value that most rows of a group may have, and votes for it. */
typedef struct Vote
{
	uint64		value;
	int32		votes;
	int32		rows;
	int32		hits;
} Vote;

static inline bool
is_absent(const GsLane *lane, int64 row)
{
	return lane->absent != NULL && lane->absent[row];
}

static inline uint64
bits_of(const GsLane *lane, int64 row)
{
	return lane->scalar[row].hash;
}

/*
 * The group of a value, a new one if there is none yet.
 */
static int32
find_group(Entry *table, uint64 mask, uint64 key, int *ngroups)
{
	uint64		at = gs_mix64(key, 1) & mask;

	while (table[at].group >= 0 && table[at].key != key)
		at = (at + 1) & mask;
	if (table[at].group < 0)
	{
		table[at].key = key;
		table[at].group = (*ngroups)++;
	}
	return table[at].group;
}

/*
 * What a row is grouped by: its value, or those of two columns.  Returns false
 * where one is absent.
 *
 * second: NULL: there is none
 */
static inline bool
row_key(const GsLane *lane, const GsLane *second, int64 row, uint64 *key)
{
	if (is_absent(lane, row) || (second != NULL && is_absent(second, row)))
		return false;
	*key = second == NULL ? bits_of(lane, row) :
		gs_mix64(bits_of(lane, row), bits_of(second, row));
	return true;
}

/*
 * Whether a key is in the one of so many parts of all keys that is looked at.
 *
 * pair: it is a pair's, which is mixed already
 */
static inline bool
is_in_part(uint64 key, bool pair, uint64 part)
{
	return part == 1 ||
		(((pair ? key : gs_mix64(key, 0)) >> 32) * part) >> 32 == 0;
}

/*
 * Puts rows of a column, or of two, in groups, and leaves out groups of fewer
 * rows than the threshold.  Returns false where too few are left.
 */
static bool
group_rows(const GsLane *lane, const GsLane *second, int64 nrows,
		   int threshold, Groups *groups)
{
	uint64		part = nrows / (second == NULL ? MANY_ROWS : PAIR_ROWS) + 1;
	uint64		key;
	uint64		size = 1024;
	int64		room = second == NULL ? 0 : Min(nrows, 2 * PAIR_ROWS);
	Entry	   *table;
	int32	   *count;
	int32	   *renamed;
	int64		n = 0;
	int64		kept = 0;
	int			ngroups = 0;

	/* of a pair, about half as many as there is room for */
	for (int64 row = 0; row < nrows && second == NULL; row++)
		if (row_key(lane, second, row, &key) && is_in_part(key, second != NULL, part))
			room++;
	while (size < 2 * (uint64) room)
		size *= 2;
	table = palloc_extended(sizeof(Entry) * size, MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < size; i++)
		table[i].group = -1;
	groups->row = palloc_extended(sizeof(uint32) * Max(room, 1),
								  MCXT_ALLOC_HUGE);
	groups->group = palloc_extended(sizeof(int32) * Max(room, 1),
									MCXT_ALLOC_HUGE);
	count = palloc_extended(sizeof(int32) * Max(room, 1),
							MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 row = 0; row < nrows && n < room; row++)
	{
		if (!row_key(lane, second, row, &key) || !is_in_part(key, second != NULL, part))
			continue;
		groups->row[n] = (uint32) row;
		groups->group[n] = find_group(table, size - 1, key, &ngroups);
		count[groups->group[n++]]++;
	}
	pfree(table);
	renamed = palloc_extended(sizeof(int32) * Max(ngroups, 1),
							  MCXT_ALLOC_HUGE);
	groups->ngroups = 0;
	for (int g = 0; g < ngroups; g++)
		renamed[g] = count[g] < threshold ? -1 : groups->ngroups++;
	for (int64 i = 0; i < n; i++)
	{
		int32		group = renamed[groups->group[i]];

		if (group < 0)
			continue;
		groups->row[kept] = groups->row[i];
		groups->group[kept++] = group;
	}
	groups->n = kept;
	pfree(count);
	pfree(renamed);
	return groups->ngroups >= 2 && kept >= MIN_COVERAGE * n;
}

/*
 * The rows of the value that most have; at least half, where there is none of
 * more.
 */
static int64
most_rows(const Groups *groups, const GsLane *lane)
{
	uint64		value = 0;
	int64		votes = 0;
	int64		present = 0;
	int64		hits = 0;

	for (int64 i = 0; i < groups->n; i++)
	{
		uint64		own = bits_of(lane, groups->row[i]);

		if (is_absent(lane, groups->row[i]))
			continue;
		if (votes == 0)
			value = own;
		votes += own == value ? 1 : -1;
		present++;
	}
	for (int64 i = 0; i < groups->n; i++)
		hits += !is_absent(lane, groups->row[i]) &&
			bits_of(lane, groups->row[i]) == value;
	return Max(hits, present / 2);
}

/*
 * A vote on each group's value of another column.  Returns false once too many
 * rows speak against it.
 */
static bool
vote(const Groups *groups, const GsLane *lane, Vote *votes)
{
	int64		against = 0;
	int64		seen = 0;

	memset(votes, 0, sizeof(Vote) * groups->ngroups);
	for (int64 i = 0; i < groups->n; i++)
	{
		Vote	   *v = &votes[groups->group[i]];
		uint64		value = bits_of(lane, groups->row[i]);

		if (is_absent(lane, groups->row[i]))
			continue;
		if (v->votes == 0)
			v->value = value;
		if (v->value == value)
			v->votes++;
		else
		{
			v->votes--;
			against++;
		}
		if ((++seen & 255) == 0 && against > 32 + seen / 6)
			return false;
	}
	return true;
}

/*
 * Whether groups of one value of a column tell another column's value.
 */
static bool
determines(const Groups *groups, const GsLane *lane, Vote *votes)
{
	int64		most;
	int64		present = 0;
	int64		exceptions = 0;
	double		evidence = 0;

	if (!vote(groups, lane, votes))
		return false;
	for (int64 i = 0; i < groups->n; i++)
	{
		Vote	   *v = &votes[groups->group[i]];

		if (is_absent(lane, groups->row[i]))
			continue;
		v->rows++;
		v->hits += v->value == bits_of(lane, groups->row[i]);
	}
	for (int g = 0; g < groups->ngroups; g++)
	{
		present += votes[g].rows;
		exceptions += votes[g].rows - votes[g].hits;
		evidence += Max(votes[g].hits - 1, 0);
	}
	if (present == 0 || exceptions > MAX_EXCEPTIONS * present)
		return false;
	most = most_rows(groups, lane);
	return exceptions <= MAX_UNEXPLAINED * (present - most) &&
		evidence * -log((double) most / present) > MIN_EVIDENCE;
}

static bool
may_be_told(const GsColumn *column)
{
	return column->codec.nparts == 1 && !column->unique &&
		column->layout == NULL && column->moment == 0;
}

/*
 * Whether a column is a number that two others may tell.
 */
static bool
may_be_pair_told(const GsSample *sample, int c)
{
	return may_be_told(&sample->columns[c]) &&
		sample->lanes[c * GS_MAX_PARTS].type != GS_LANE_TEXT &&
		sample->columns[c].codec.kind->axis != GS_AXIS_TIME;
}

/* What is found of pairs of columns. */
typedef struct Search
{
	GsSample   *sample;
	int			threshold;
	double	   *left;			/* [ncolumns] variance near ... */
	int		   *near;			/* ... this column; -1: none */
} Search;

/* What is found of columns before that, as they are. */
typedef struct PairSearch
{
	GsSample   *sample;
	int			threshold;
	double	   *values;			/* [ncolumns] that may be shown, about; 0: too
								 * few rows hold such */
	bool	   *told;			/* [ncolumns] by a single column */
} PairSearch;

/*
 * Whether a column's distance from something can take its place.
 */
static bool
may_be_near(const GsSample *sample, int c)
{
	const GsColumn *column = &sample->columns[c];
	const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];
	const GsPartKind *kind = &column->codec.part[0];
	const GsSchema columns = {.ncolumns = sample->ncolumns,
	.columns = sample->columns};
	GsScalar   *sorted;
	int64		n = 0;
	int			distinct = 1;

	/* a domain's conditions are not about a distance */
	if (!may_be_told(column) || lane->type == GS_LANE_TEXT ||
		column->codec.kind->axis == GS_AXIS_NONE ||
		column->declared != column->type)
		return false;
	if (gs_column_is_base(&columns, c))
		return false;
	sorted = palloc_extended(sizeof(GsScalar) * Max(sample->nrows, 1),
							 MCXT_ALLOC_HUGE);
	for (int64 row = 0; row < sample->nrows; row++)
		if (!is_absent(lane, row))
			sorted[n++] = lane->scalar[row];
	gs_scalars_sort(sorted, n, lane->type);
	for (int64 i = 1; i < n; i++)
		distinct += gs_scalar_compare(sorted[i - 1], sorted[i],
									  lane->type) != 0;
	/* special values are outermost */
	if (distinct < MIN_NEAR ||
		gs_scalar_is_special(kind, lane->type, sorted[0]) ||
		gs_scalar_is_special(kind, lane->type, sorted[n - 1]) ||
		(lane->type == GS_LANE_FLOAT ?
		 !isfinite(sorted[0].f) || !isfinite(sorted[n - 1].f) :
		 (double) sorted[n - 1].i - (double) sorted[0].i >=
		 -(double) kind->min))
		n = 0;
	pfree(sorted);
	return n > 0;
}

/*
 * The share of a number's variance that is left among the rows of a group.
 */
static double
variance_left(const Groups *groups, const GsLane *lane, int min_groups)
{
	double	   *sum = palloc0(sizeof(double) * groups->ngroups);
	int32	   *rows = palloc0(sizeof(int32) * groups->ngroups);
	double		first = 0;
	double		all = 0;
	double		square = 0;
	double		explained = 0;
	int64		n = 0;
	int			ngroups = 0;

	for (int64 i = 0; i < groups->n; i++)
	{
		GsScalar	scalar = lane->scalar[groups->row[i]];
		double		value = lane->type == GS_LANE_FLOAT ? scalar.f :
			(double) scalar.i;

		if (is_absent(lane, groups->row[i]))
			continue;
		if (n++ == 0)
			first = value;
		value -= first;
		sum[groups->group[i]] += value;
		rows[groups->group[i]]++;
		all += value;
		square += value * value;
	}
	for (int g = 0; g < groups->ngroups; g++)
		if (rows[g] > 0)
		{
			explained += sum[g] * sum[g] / rows[g];
			ngroups++;
		}
	pfree(sum);
	pfree(rows);
	if (n <= ngroups || ngroups < min_groups || square <= all * all / n)
		return 1;
	return Max(square - explained, 0) / (n - ngroups) /
		((square - all * all / n) / (n - 1));
}

/* A group with its value, to be sorted. */
typedef struct Value
{
	GsScalar	scalar;
	int32		group;
} Value;

static int
by_scalar(const void *a, const void *b, void *arg)
{
	return gs_scalar_compare(((const Value *) a)->scalar,
							 ((const Value *) b)->scalar,
							 *(const GsLaneType *) arg);
}

/*
 * The share of a number's variance that is left among the rows of neighbouring
 * groups of another number.
 */
static double
coarse_left(const Groups *groups, const GsLane *from, const GsLane *lane)
{
	Value	   *value = palloc_extended(sizeof(Value) * groups->ngroups,
										MCXT_ALLOC_HUGE);
	int32	   *coarse = palloc_extended(sizeof(int32) * groups->ngroups,
										 MCXT_ALLOC_HUGE);
	Groups		few = {.n = groups->n,.row = groups->row,.ngroups = COARSE};
	GsLaneType	type = from->type;
	double		left;

	for (int64 i = 0; i < groups->n; i++)
		value[groups->group[i]] = (Value)
	{
		from->scalar[groups->row[i]], groups->group[i]
	};
	qsort_arg(value, groups->ngroups, sizeof(Value), by_scalar, &type);
	for (int g = 0; g < groups->ngroups; g++)
		coarse[value[g].group] = (int32) ((int64) g * COARSE /
										  groups->ngroups);
	few.group = palloc_extended(sizeof(int32) * groups->n, MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < groups->n; i++)
		few.group[i] = coarse[groups->group[i]];
	left = variance_left(&few, lane, 1);
	pfree(few.group);
	pfree(value);
	pfree(coarse);
	return left;
}

/*
 * What a column's values tell of others.
 */
static void
look_from(Search *search, int a, const Groups *groups)
{
	GsSample   *sample = search->sample;
	const GsLane *from = &sample->lanes[a * GS_MAX_PARTS];
	Vote	   *votes = palloc_extended(sizeof(Vote) * groups->ngroups,
										MCXT_ALLOC_HUGE);

	for (int b = 0; b < sample->ncolumns; b++)
	{
		const GsLane *lane = &sample->lanes[b * GS_MAX_PARTS];
		double		left;

		CHECK_FOR_INTERRUPTS();
		if (a == b || !may_be_told(&sample->columns[b]))
			continue;
		if (lane->type == GS_LANE_TEXT && from->type == GS_LANE_TEXT)
			continue;
		if (determines(groups, lane, votes))
		{
			sample->columns[a].exact = sample->columns[b].exact = true;
			continue;
		}
		if (lane->type == GS_LANE_TEXT || groups->ngroups < MIN_PLACES ||
			!gs_may_follow(&sample->columns[b], &sample->columns[a]))
			continue;
		left = variance_left(groups, lane, MIN_PLACES);
		if (left > MAX_NEAR || left >= search->left[b] ||
			(from->type != GS_LANE_TEXT &&
			 coarse_left(groups, from, lane) < MIN_NEARER * left))
			continue;
		search->left[b] = left;
		search->near[b] = a;
	}
	pfree(votes);
}

/*
 * Counts what may be shown of a column, and finds the numbers that it tells
 * alone.
 */
static void
look_alone(PairSearch *search, int a)
{
	GsSample   *sample = search->sample;
	const GsLane *from = &sample->lanes[a * GS_MAX_PARTS];
	Groups		groups;
	Vote	   *votes;

	CHECK_FOR_INTERRUPTS();
	if (group_rows(from, NULL, sample->nrows, search->threshold, &groups))
	{
		search->values[a] = groups.ngroups *
			(double) (sample->nrows / MANY_ROWS + 1);
		votes = palloc_extended(sizeof(Vote) * groups.ngroups,
								MCXT_ALLOC_HUGE);
		for (int b = 0; b < sample->ncolumns; b++)
			if (a != b && !search->told[b] && may_be_pair_told(sample, b) &&
				determines(&groups, &sample->lanes[b * GS_MAX_PARTS], votes))
			{
				search->told[b] = true;
				/* what goes on in time is learned in time */
				if (sample->columns[a].codec.kind->axis == GS_AXIS_TIME &&
					coarse_left(&groups, from,
								&sample->lanes[b * GS_MAX_PARTS]) > MAX_SMOOTH)
					sample->columns[a].exact = true;
			}
		pfree(votes);
	}
	pfree(groups.row);
	pfree(groups.group);
}

/*
 * Marks the numbers that two columns tell, and none alone: a country and a
 * year.
 */
static void
look_from_pair(PairSearch *search, int a, int b)
{
	GsSample   *sample = search->sample;
	Groups		groups;
	Vote	   *votes;

	CHECK_FOR_INTERRUPTS();
	if (group_rows(&sample->lanes[a * GS_MAX_PARTS],
				   &sample->lanes[b * GS_MAX_PARTS], sample->nrows,
				   search->threshold, &groups))
	{
		votes = palloc_extended(sizeof(Vote) * groups.ngroups,
								MCXT_ALLOC_HUGE);
		for (int c = 0; c < sample->ncolumns; c++)
			if (c != a && c != b && !search->told[c] &&
				may_be_pair_told(sample, c) &&
				determines(&groups, &sample->lanes[c * GS_MAX_PARTS], votes))
				sample->columns[a].exact = sample->columns[b].exact =
					sample->columns[c].exact = true;
		pfree(votes);
	}
	pfree(groups.row);
	pfree(groups.group);
}

/*
 * gs_exact_find_pairs: marks the numbers of a sample that two columns tell
 * together, these, and moments that tell a number.  They are to have no layout
 * (difference.c): a week and a day of it are no date by which a rate can be
 * looked up.  Can be cancelled.
 *
 * threshold: rows that must hold a value for it to be shown
 */
void
gs_exact_find_pairs(GsSample *sample, int threshold)
{
	int			n = sample->ncolumns;
	PairSearch	search = {.sample = sample,.threshold = threshold,
	.values = palloc0(sizeof(double) * n),.told = palloc0(n)};
	bool		any = false;

	for (int c = 0; c < n; c++)
		any |= may_be_pair_told(sample, c);
	if (n > MAX_PAIRED || !any)
		return;
	for (int c = 0; c < n; c++)
	{
		const GsLane *lane = &sample->lanes[c * GS_MAX_PARTS];

		if (may_be_told(&sample->columns[c]) &&
			!(lane->is_numeric && lane->type == GS_LANE_TEXT))
			look_alone(&search, c);
	}
	for (int a = 0; a < n; a++)
		for (int b = a + 1; b < n; b++)
			if (search.values[a] > 1 && search.values[b] > 1 &&
				search.values[a] * search.values[b] * threshold <=
				sample->nrows)
				look_from_pair(&search, a, b);
}

/*
 * gs_exact_find: marks such columns of a sample, and leaves the distances of
 * those that are near others in their lanes.  Can be cancelled.
 *
 * threshold: rows that must hold a value for it to be shown
 */
void
gs_exact_find(GsSample *sample, int threshold)
{
	Search		search = {.sample = sample,.threshold = threshold};
	int			n = sample->ncolumns;
	bool	   *is_place = palloc0(n);

	search.left = palloc(sizeof(double) * n);
	search.near = palloc(sizeof(int) * n);
	for (int c = 0; c < n; c++)
	{
		search.left[c] = 1;
		search.near[c] = -1;
	}
	for (int a = 0; a < n; a++)
	{
		const GsLane *lane = &sample->lanes[a * GS_MAX_PARTS];
		Groups		groups;

		/* texts of a numeric may become doubles */
		if (!may_be_told(&sample->columns[a]) ||
			(lane->is_numeric && lane->type == GS_LANE_TEXT))
			continue;
		CHECK_FOR_INTERRUPTS();
		if (group_rows(lane, NULL, sample->nrows, threshold, &groups))
			look_from(&search, a, &groups);
		pfree(groups.row);
		pfree(groups.group);
	}
	for (int c = 0; c < n; c++)
		if (search.near[c] >= 0 && (sample->columns[c].exact ||
									!may_be_near(sample, c)))
			search.near[c] = -1;
	for (int c = 0; c < n; c++)
		if (search.near[c] >= 0)
			is_place[search.near[c]] = true;
	for (int c = 0; c < n; c++)
	{
		/* places are those of values as they are */
		if (search.near[c] < 0 || is_place[c])
			continue;
		CHECK_FOR_INTERRUPTS();
		sample->columns[search.near[c]].exact = true;
		gs_centers_take_off(sample, c, search.near[c], threshold);
	}
}
