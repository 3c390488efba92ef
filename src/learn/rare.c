/*
 * rare.c
 *	  Values that are too rare to be shown get those of like rows.
 *
 * A row whose value is not known to a family takes no part in what it learns
 * of the column; where such rows are alike in other columns, as a group of
 * rare names is, the group would go with them.  So each takes the level of a
 * donor: a row, drawn at random, that is its like in the columns on which the
 * column, or whether its value is rare, depends most (hot deck: Andridge and
 * Little, Int. Statistical Review 78, 2010).  A row has one donor for all its
 * rare values, so that they go together.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/hsearch.h"

#include "learn/rare.h"
#include "numeric/philox.h"

#define MAX_ALIKE		3		/* features in which a donor is like a row */
#define MAX_RANKED		8		/* among which these are chosen */
#define MAX_KINDS		16		/* of rows, by which of these are rare, too */
#define MAX_CLASSES		32
#define SAMPLE_ROWS		20000	/* for the dependence */
#define MIN_DEPENDENCE	0.002	/* in nats */
#define MAX_DONORS		8		/* to choose from */
#define ANY_TRIES		1000

/* Rows that may give their value to rows of the same key. */
typedef struct Donors
{
	uint64		key;
	int64		seen;
	int64		row[MAX_DONORS];
} Donors;

typedef struct Filling
{
	GsEncoded  *encoded;
	uint64		seed;
	int64	   *donor;			/* [nrows] -1: none yet */

	/* the feature at hand, and those on which it depends most */
	int			feature;
	int			ranked[MAX_RANKED];
	int			nranked;
	uint8	   *unknown;		/* [nrows] bits: which of these are rare, too */

	/* of rows in which the same ones are: the first ones that are not */
	int			alike[MAX_ALIKE];
	int			nalike;
} Filling;

static inline bool
is_rare(const Filling *filling, int f, int64 row)
{
	const bool *rare = filling->encoded->rare[f];

	return rare != NULL && rare[row];
}

static inline int
class_of(const GsEncoded *encoded, int f, int64 row)
{
	int			bin = encoded->bin[f][row];

	if (bin == GS_MISSING)
		return MAX_CLASSES;
	return encoded->segment[f] != NULL ?
		bin * MAX_CLASSES / Max(encoded->nbins[f], MAX_CLASSES) :
		bin % MAX_CLASSES;
}

/*
 * The mutual information of two features, to be missing being a class, less
 * what chance has of it (Miller 1955).
 */
static double
dependence(const GsEncoded *encoded, int f, int g)
{
	double		count[MAX_CLASSES + 1][MAX_CLASSES + 1] = {{0}};
	double		of_f[MAX_CLASSES + 1] = {0};
	double		of_g[MAX_CLASSES + 1] = {0};
	int64		stride = encoded->nrows / SAMPLE_ROWS + 1;
	double		n = 0;
	double		sum = 0;
	int			used_f = 0;
	int			used_g = 0;

	for (int64 row = 0; row < encoded->nrows; row += stride)
	{
		int			i = class_of(encoded, f, row);
		int			j = class_of(encoded, g, row);

		count[i][j]++;
		of_f[i]++;
		of_g[j]++;
		n++;
	}
	for (int i = 0; i <= MAX_CLASSES; i++)
	{
		used_f += of_f[i] > 0;
		used_g += of_g[i] > 0;
		for (int j = 0; j <= MAX_CLASSES; j++)
			if (count[i][j] > 0)
				sum += count[i][j] / n *
					log(count[i][j] * n / (of_f[i] * of_g[j]));
	}
	return sum - (used_f - 1.0) * (used_g - 1.0) / (2 * n);
}

/*
 * Ranks the features on which the one at hand depends most.
 */
static void
rank_features(Filling *filling)
{
	double		most[MAX_RANKED];

	filling->nranked = 0;
	for (int g = 0; g < filling->encoded->nfeatures; g++)
	{
		double		found;
		int			at;

		CHECK_FOR_INTERRUPTS();
		if (g == filling->feature)
			continue;
		found = dependence(filling->encoded, filling->feature, g);
		if (found < MIN_DEPENDENCE)
			continue;
		for (at = filling->nranked; at > 0 && found > most[at - 1]; at--)
			if (at < MAX_RANKED)
			{
				most[at] = most[at - 1];
				filling->ranked[at] = filling->ranked[at - 1];
			}
		if (at == MAX_RANKED)
			continue;
		most[at] = found;
		filling->ranked[at] = g;
		filling->nranked = Min(filling->nranked + 1, MAX_RANKED);
	}
}

/*
 * What a row is like in the first n of the features.
 */
static uint64
key_of(const Filling *filling, int n, int64 row)
{
	uint64		key = n;

	for (int i = 0; i < n; i++)
		key = gs_mix64(key, filling->encoded->bin[filling->alike[i]][row]);
	return key;
}

static inline bool
may_give(const Filling *filling, int f, int64 row)
{
	return row >= 0 && filling->encoded->bin[f][row] != GS_MISSING &&
		!is_rare(filling, f, row);
}

/*
 * Whether a row with a rare value has no donor yet, and the same ones of the
 * ranked features are rare in it.
 */
static inline bool
wants_donor(const Filling *filling, int64 row, int unknown)
{
	return is_rare(filling, filling->feature, row) &&
		filling->donor[row] < 0 && filling->unknown[row] == unknown;
}

/*
 * Gives such rows a donor like them in the first n features, if there is any.
 */
static void
find_donors(Filling *filling, int n, int unknown)
{
	const GsEncoded *encoded = filling->encoded;
	int			f = filling->feature;
	HASHCTL		control = {.keysize = sizeof(uint64),
		.entrysize = sizeof(Donors),.hcxt = CurrentMemoryContext
	};
	HTAB	   *table = hash_create("gensynth donors", 256, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	for (int64 row = 0; row < encoded->nrows; row++)
	{
		uint64		key;

		if (!wants_donor(filling, row, unknown))
			continue;
		key = key_of(filling, n, row);
		((Donors *) hash_search(table, &key, HASH_ENTER, NULL))->seen = 0;
	}
	for (int64 row = 0; row < encoded->nrows &&
		 hash_get_num_entries(table) > 0; row++)
	{
		uint64		key = key_of(filling, n, row);
		Donors	   *donors;
		int64		at;

		if (!may_give(filling, f, row) ||
			(donors = hash_search(table, &key, HASH_FIND, NULL)) == NULL)
			continue;
		at = donors->seen++;
		if (at >= MAX_DONORS)
			at = gs_mix64(gs_mix64(filling->seed, f), row) % donors->seen;
		if (at < MAX_DONORS)
			donors->row[at] = row;
	}
	for (int64 row = 0; row < encoded->nrows; row++)
	{
		uint64		key;
		Donors	   *donors;

		if (!wants_donor(filling, row, unknown))
			continue;
		key = key_of(filling, n, row);
		donors = hash_search(table, &key, HASH_FIND, NULL);
		if (donors->seen > 0)
			filling->donor[row] =
				donors->row[gs_mix64(filling->seed, row) %
							Min(donors->seen, MAX_DONORS)];
	}
	hash_destroy(table);
}

/*
 * A row with a value that is not rare, whatever it is like.
 */
static int64
any_donor(const Filling *filling, int f, int64 row)
{
	const GsEncoded *encoded = filling->encoded;
	uint64		random = gs_mix64(filling->seed, row);

	for (int try = 0; try < ANY_TRIES; try++)
	{
		int64		donor = random % encoded->nrows;

		if (may_give(filling, f, donor))
			return donor;
		random = gs_mix64(random, try);
	}
	return -1;
}

static void
count_shares(const GsEncoded *encoded, GsFeature *feature, int f)
{
	int64		rows = 0;

	memset(feature->share, 0, sizeof(double) * feature->nlevels);
	for (int64 row = 0; row < encoded->nrows; row++)
		if (encoded->bin[f][row] != GS_MISSING)
		{
			feature->share[encoded->bin[f][row]]++;
			rows++;
		}
	for (int i = 0; i < feature->nlevels; i++)
		feature->share[i] /= Max(rows, 1);
}

/*
 * Whether any row may give its value in the feature at hand.
 */
static bool
has_donors(const Filling *filling)
{
	for (int64 row = 0; row < filling->encoded->nrows; row++)
		if (may_give(filling, filling->feature, row))
			return true;
	return false;
}

/*
 * Finds donors for all rows in which the feature at hand is rare.
 */
static void
find_all_donors(Filling *filling)
{
	bool		seen[1 << MAX_RANKED] = {false};
	int64		nrows = filling->encoded->nrows;

	rank_features(filling);
	for (int64 row = 0; row < nrows; row++)
	{
		if (!is_rare(filling, filling->feature, row))
			continue;
		if (!may_give(filling, filling->feature, filling->donor[row]))
			filling->donor[row] = -1;
		filling->unknown[row] = 0;
		for (int i = 0; i < filling->nranked; i++)
			filling->unknown[row] |=
				is_rare(filling, filling->ranked[i], row) << i;
		if (filling->donor[row] < 0)
			seen[filling->unknown[row]] = true;
	}
	for (int unknown = 0, nkinds = 0; unknown < 1 << MAX_RANKED; unknown++)
	{
		if (!seen[unknown] || nkinds++ >= MAX_KINDS)
			continue;
		filling->nalike = 0;
		for (int i = 0; i < filling->nranked; i++)
			if ((unknown >> i & 1) == 0 && filling->nalike < MAX_ALIKE)
				filling->alike[filling->nalike++] = filling->ranked[i];
		for (int n = filling->nalike; n > 0; n--)
			find_donors(filling, n, unknown);
	}
	for (int64 row = 0; row < nrows; row++)
		if (is_rare(filling, filling->feature, row) && filling->donor[row] < 0)
			filling->donor[row] = any_donor(filling, filling->feature, row);
}

/*
 * gs_rare_fill: gives the values that are too rare to be shown the levels of
 * other rows.
 *
 * seed: of the fit.  The levels' shares follow.  encoded->rare is let go.  Can
 * be cancelled.
 */
void
gs_rare_fill(GsSchema *schema, GsEncoded *encoded, uint64 seed)
{
	Filling		filling = {.encoded = encoded,.seed = seed};
	bool		any = false;

	for (int f = 0; f < encoded->nfeatures; f++)
		any |= encoded->rare[f] != NULL;
	if (!any)
		return;
	filling.donor = palloc_extended(sizeof(int64) * encoded->nrows,
									MCXT_ALLOC_HUGE);
	memset(filling.donor, -1, sizeof(int64) * encoded->nrows);
	filling.unknown = palloc_extended(encoded->nrows, MCXT_ALLOC_HUGE);
	for (int f = 0; f < encoded->nfeatures; f++)
	{
		if (encoded->rare[f] == NULL)
			continue;
		filling.feature = f;
		if (!has_donors(&filling))
			continue;
		find_all_donors(&filling);
		for (int64 row = 0; row < encoded->nrows; row++)
			if (is_rare(&filling, f, row) && filling.donor[row] >= 0)
				encoded->bin[f][row] = encoded->bin[f][filling.donor[row]];
		count_shares(encoded, &schema->features[f], f);
	}
	for (int f = 0; f < encoded->nfeatures; f++)
	{
		if (encoded->rare[f] != NULL)
			pfree(encoded->rare[f]);
		encoded->rare[f] = NULL;
	}
	pfree(filling.donor);
	pfree(filling.unknown);
}
