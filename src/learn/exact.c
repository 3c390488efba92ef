/*
 * exact.c
 *	  Numbers whose single values matter, since they determine other columns
 *	  or are determined by them: codes and dates, a price list's prices.
 *
 * Such a number's table gets a segment for each value that may be shown, which
 * dependencies (model/dependency_find.c) can then be found by.  So they are
 * looked for here among raw values, once more, but only roughly: of a large
 * sample, by part of a column's values, all of whose rows are looked at.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/exact.h"

#define MANY_ROWS		100000	/* looked at for each column, about */
#define MIN_COVERAGE	0.8		/* share of rows whose values may be shown */
#define MAX_EXCEPTIONS	0.05	/* see dependency_find.c */
#define MAX_UNEXPLAINED 0.1
#define MIN_EVIDENCE	30.0

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
 * Puts rows of a column in groups, and leaves out groups of fewer rows than
 * the threshold.  Returns false where too few are left.
 */
static bool
group_rows(const GsLane *lane, int64 nrows, int threshold, Groups *groups)
{
	uint64		part = nrows / MANY_ROWS + 1;
	uint64		size = 1024;
	Entry	   *table;
	int32	   *count;
	int32	   *renamed;
	int64		n = 0;
	int64		kept = 0;
	int			ngroups = 0;

	for (int64 row = 0; row < nrows; row++)
		if (!is_absent(lane, row) &&
			gs_mix64(bits_of(lane, row), 0) % part == 0)
			n++;
	while (size < 2 * (uint64) n)
		size *= 2;
	table = palloc_extended(sizeof(Entry) * size, MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < size; i++)
		table[i].group = -1;
	groups->row = palloc_extended(sizeof(uint32) * Max(n, 1), MCXT_ALLOC_HUGE);
	groups->group = palloc_extended(sizeof(int32) * Max(n, 1),
									MCXT_ALLOC_HUGE);
	count = palloc_extended(sizeof(int32) * Max(n, 1),
							MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	n = 0;
	for (int64 row = 0; row < nrows; row++)
	{
		uint64		key = bits_of(lane, row);

		if (is_absent(lane, row) || gs_mix64(key, 0) % part != 0)
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
	most = most_rows(groups, lane);
	for (int g = 0; g < groups->ngroups; g++)
	{
		present += votes[g].rows;
		exceptions += votes[g].rows - votes[g].hits;
		evidence += Max(votes[g].hits - 1, 0);
	}
	return present > 0 && exceptions <= MAX_EXCEPTIONS * present &&
		exceptions <= MAX_UNEXPLAINED * (present - most) &&
		evidence * -log((double) most / present) > MIN_EVIDENCE;
}

static bool
may_be_told(const GsColumn *column)
{
	return column->codec.nparts == 1 && !column->unique && column->base == 0;
}

/*
 * gs_exact_find: marks such columns of a sample.  Can be cancelled.
 *
 * threshold: rows that must hold a value for it to be shown
 */
void
gs_exact_find(GsSample *sample, int threshold)
{
	for (int a = 0; a < sample->ncolumns; a++)
	{
		const GsLane *from = &sample->lanes[a * GS_MAX_PARTS];
		Groups		groups;
		Vote	   *votes;

		if (!may_be_told(&sample->columns[a]))
			continue;
		CHECK_FOR_INTERRUPTS();
		if (group_rows(from, sample->nrows, threshold, &groups))
		{
			votes = palloc_extended(sizeof(Vote) * groups.ngroups,
									MCXT_ALLOC_HUGE);
			for (int b = 0; b < sample->ncolumns; b++)
			{
				const GsLane *lane = &sample->lanes[b * GS_MAX_PARTS];

				CHECK_FOR_INTERRUPTS();
				if (a == b || !may_be_told(&sample->columns[b]) ||
					(lane->type == GS_LANE_TEXT &&
					 from->type == GS_LANE_TEXT) ||
					!determines(&groups, lane, votes))
					continue;
				sample->columns[a].exact = sample->columns[b].exact = true;
			}
			pfree(votes);
		}
		pfree(groups.row);
		pfree(groups.group);
	}
}
