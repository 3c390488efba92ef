/*
 * sequence_keys.c
 *	  Natural keys: columns that do not repeat among the rows of an owner.
 *
 * A player has one row for each season, team and position, whether or not the
 * table says so.  The smallest sets of positions of which hardly two rows of
 * the same owner have the same values, where every smaller one repeats, are
 * found in the source, and rows that are made keep to them.  As in SQL, a NULL
 * repeats nothing: a place is that of one racer, and many have none.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "numeric/philox.h"

#include "model/sequence.h"

#define SEARCH_ROWS		20000	/* looked at: the first owners' */
#define MIN_ROWS		200		/* that have siblings */
#define MAX_CANDIDATES	12
#define MAX_SIZE		3
#define MAX_REPEATS		0.002	/* share of the rows that repeat a key ... */
#define NARROW			8		/* rows for each value of a key by itself */
#define MIN_REPEATS		0.02	/* ... and each smaller set */

/* The values looked at. */
typedef struct Search
{
	uint32		nrows;
	uint32	   *owner;			/* [nrows] */
	uint64	   *hash[MAX_CANDIDATES];	/* [nrows] */
	uint64	   *slot;			/* [mask + 1] */
	uint32		mask;
} Search;

/*
 * The hash of a row's values in a set of candidates; 0 if one is NULL.
 */
static uint64
hash_of(const Search *search, const int *set, int n, uint32 row, uint64 start)
{
	uint64		key = start;

	for (int i = 0; i < n; i++)
	{
		if (search->hash[set[i]][row] == GS_HASH_NULL)
			return 0;
		key = gs_mix64(key, search->hash[set[i]][row]);
	}
	return key | (key == 0);
}

/*
 * The share of the rows that are not their owner's first which repeat the
 * values of an earlier one in a set of candidates; 1 if these are too few.
 */
static double
repeats(Search *search, const int *set, int n)
{
	uint32		found = 0;
	uint32		siblings = 0;
	uint32		last = UINT32_MAX;	/* owner */

	CHECK_FOR_INTERRUPTS();
	memset(search->slot, 0, sizeof(uint64) * ((Size) search->mask + 1));
	for (uint32 row = 0; row < search->nrows; row++)
	{
		uint64		key = hash_of(search, set, n, row, search->owner[row]);
		uint32		at;

		if (key == 0)
			continue;
		siblings += search->owner[row] == last;
		last = search->owner[row];
		for (at = (uint32) key & search->mask;
			 search->slot[at] != 0 && search->slot[at] != key;
			 at = (at + 1) & search->mask)
			;
		found += search->slot[at] == key;
		search->slot[at] = key;
	}
	return siblings < MIN_ROWS ? 1 : (double) found / siblings;
}

/*
 * Whether every smaller set, each without one of the members, repeats.
 */
static bool
is_minimal(Search *search, const int *set, int n)
{
	for (int out = 0; out < n; out++)
	{
		int			rest[MAX_SIZE];
		int			m = 0;

		for (int i = 0; i < n; i++)
			if (i != out)
				rest[m++] = set[i];
		if (repeats(search, rest, m) < MIN_REPEATS)
			return false;
	}
	return true;
}

/*
 * Whether a candidate has so few values that rows of an owner would repeat them
 * by chance.
 */
static bool
is_narrow(Search *search, int candidate)
{
	uint32		distinct = 0;
	uint32		nrows = 0;

	memset(search->slot, 0, sizeof(uint64) * ((Size) search->mask + 1));
	for (uint32 row = 0; row < search->nrows; row++)
	{
		uint64		key = hash_of(search, &candidate, 1, row, 0);
		uint32		at;

		if (key == 0)
			continue;
		nrows++;
		for (at = (uint32) key & search->mask;
			 search->slot[at] != 0 && search->slot[at] != key;
			 at = (at + 1) & search->mask)
			;
		distinct += search->slot[at] == 0;
		search->slot[at] = key;
	}
	return distinct <= nrows / NARROW;
}

/*
 * Goes on to the next set of n of m candidates; false after the last one.
 */
static bool
next_set(int *set, int n, int m)
{
	int			i = n - 1;

	while (i >= 0 && set[i] == m - n + i)
		i--;
	if (i < 0)
		return false;
	set[i]++;
	while (++i < n)
		set[i] = set[i - 1] + 1;
	return true;
}

/*
 * gs_natural_keys_find: natural keys of rows that come owner by owner.
 *
 * keys: [GS_SEQUENCE_MAX_KEYS], filled.  Returns how many there are.
 */
int
gs_natural_keys_find(const GsShownRows *rows, GsNaturalKey *keys)
{
	Search		search = {0};
	int			candidate[MAX_CANDIDATES];
	int			m = 0;
	int			nkeys = 0;
	uint32		owner = 0;
	uint32		siblings = 0;

	search.nrows = (uint32) Min(rows->nrows, SEARCH_ROWS);
	search.owner = palloc(sizeof(uint32) * Max(search.nrows, 1));
	for (uint32 row = 0; row < search.nrows; row++)
	{
		owner += rows->begins[row];
		siblings += !rows->begins[row];
		search.owner[row] = owner;
	}
	if (siblings < MIN_ROWS)
		return 0;
	for (int p = 0; p < rows->n && m < MAX_CANDIDATES; p++)
	{
		if (!rows->candidate[p])
			continue;
		search.hash[m] = palloc(sizeof(uint64) * search.nrows);
		for (uint32 row = 0; row < search.nrows; row++)
			search.hash[m][row] = rows->hash(rows->arg, p, row);
		candidate[m++] = p;
	}
	for (search.mask = 1; search.mask < 2 * search.nrows;)
		search.mask = 2 * search.mask + 1;
	search.slot = palloc(sizeof(uint64) * ((Size) search.mask + 1));
	for (int n = 1; n <= Min(MAX_SIZE, m); n++)
	{
		int			set[MAX_SIZE];

		for (int i = 0; i < n; i++)
			set[i] = i;
		do
		{
			if ((n == 1 && !is_narrow(&search, set[0])) ||
				repeats(&search, set, n) > MAX_REPEATS ||
				!is_minimal(&search, set, n))
				continue;
			keys[nkeys].n = n;
			for (int i = 0; i < n; i++)
				keys[nkeys].position[i] = candidate[set[i]];
			nkeys++;
		} while (nkeys < GS_SEQUENCE_MAX_KEYS && next_set(set, n, m));
		if (nkeys == GS_SEQUENCE_MAX_KEYS)
			break;
	}
	return nkeys;
}
