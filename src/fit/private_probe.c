/*
 * private_probe.c
 *	  What tests ask of private fits.  No SQL of the extension declares these
 *	  functions; a test does, as a superuser.
 *
 * Counts are recorded before and after their noise.  Played back, noisy ones
 * of one table stand for those of another: all that is not the same then has
 * been told past the noise, and the counts of both can be compared.  An audit
 * draws the noise of what was recorded many times, and finds a bound that the
 * account must not be below; it is none if it does not catch noise that is too
 * small.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "fit/private.h"
#include "numeric/normal.h"

#define MAX_VECTORS	2000
#define CONFIDENCE	0.025		/* of each of two error rates */

typedef struct Vector
{
	int			n;
	uint64		num;
	uint64		den;
	int64	   *exact;			/* [n] */
	int64	   *noisy;			/* [n] */
} Vector;

typedef struct Recording
{
	int			nvectors;
	Vector		vector[MAX_VECTORS];
} Recording;

/* What was recorded, and what was counted while it was played. */
static Recording recordings[2];
static int	next;				/* vector to be played */
static int	times;				/* that an audit counts each row */

static int64 *
copy_counts(const int64 *counts, int n)
{
	int64	   *copy = MemoryContextAlloc(TopMemoryContext,
										  sizeof(int64) * Max(n, 1));

	memcpy(copy, counts, sizeof(int64) * n);
	return copy;
}

static void
keep(Recording *to, const int64 *exact, const int64 *noisy, int n,
	 uint64 num, uint64 den)
{
	if (to->nvectors == MAX_VECTORS)
		elog(ERROR, "too many vectors of counts");
	to->vector[to->nvectors++] = (Vector)
	{
		n, num, den, copy_counts(exact, n), copy_counts(noisy, n)
	};
}

static void
record(const int64 *exact, int64 *noisy, int n, uint64 num, uint64 den)
{
	keep(&recordings[0], exact, noisy, n, num, den);
}

static void
play(const int64 *exact, int64 *noisy, int n, uint64 num, uint64 den)
{
	const Vector *vector = &recordings[0].vector[next];

	if (next++ == recordings[0].nvectors || vector->n != n || vector->num != num ||
		vector->den != den)
		elog(ERROR, "counts are not asked for as they were recorded");
	memcpy(noisy, vector->noisy, sizeof(int64) * n);
	keep(&recordings[1], exact, noisy, n, num, den);
}

/* All texts that there are, with how many rows have them; NULL of each column. */
typedef struct Text
{
	int			column;
	char	   *text;
	int64		count;
} Text;

static int	ntexts;
static int	texts_room;
static Text *texts;

static void
keep_text(int column, const char *text, int64 count)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	if (ntexts == texts_room)
	{
		texts_room = texts_room * 2 + 1000;
		texts = texts == NULL ? palloc(sizeof(Text) * texts_room) :
			repalloc(texts, sizeof(Text) * texts_room);
	}
	texts[ntexts++] = (Text)
	{
		column, text == NULL ? NULL : pstrdup(text), count
	};
	MemoryContextSwitchTo(old);
}

/*
 * Keeps the counts of n texts of a column and of its NULLs, as a vector.
 */
static void
keep_texts(Recording *to, int column, const GsPrivateVector *noise, int n,
		   char **text, const int64 *count)
{
	int64	   *exact = palloc0(sizeof(int64) * (n + 1));

	for (int i = 0; i <= n; i++)
		for (int j = 0; j < ntexts; j++)
			if (texts[j].column == column &&
				(i == n ? texts[j].text == NULL : texts[j].text != NULL &&
				 strcmp(texts[j].text, text[i]) == 0))
				exact[i] = texts[j].count;
	keep(to, exact, count, n + 1, noise->num, noise->den);
	pfree(exact);
}

/* Values that were told, with their counts. */
#define MAX_LISTS	100
static int	nlists;
static int	next_list;
static int	length[MAX_LISTS];
static char **list_text[MAX_LISTS];
static int64 *list_count[MAX_LISTS];

static void
record_levels(int column, const GsPrivateVector *noise, int *n, char ***text,
			  int64 **count)
{
	if (nlists == MAX_LISTS)
		elog(ERROR, "too many lists of values");
	length[nlists] = *n;
	list_count[nlists] = copy_counts(*count, *n + 1);
	list_text[nlists] = MemoryContextAlloc(TopMemoryContext,
										   sizeof(char *) * (*n + 1));
	for (int i = 0; i < *n; i++)
		list_text[nlists][i] = MemoryContextStrdup(TopMemoryContext,
												   (*text)[i]);
	keep_texts(&recordings[0], column, noise, *n, *text, *count);
	nlists++;
}

static void
play_levels(int column, const GsPrivateVector *noise, int *n, char ***text,
			int64 **count)
{
	if (next_list == nlists)
		elog(ERROR, "values are not asked for as they were recorded");
	*n = length[next_list];
	*text = list_text[next_list];
	*count = list_count[next_list++];
	keep_texts(&recordings[1], column, noise, *n, *text, *count);
	next++;
}

/* Faults that an audit has to catch. */
static void
half(const int64 *exact, int64 *noisy, int n, uint64 num, uint64 den)
{
	for (int i = 0; i < n; i++)
		noisy[i] = exact[i] + (noisy[i] - exact[i]) / 2;
}

static void
seven_tenths(const int64 *exact, int64 *noisy, int n, uint64 num, uint64 den)
{
	for (int i = 0; i < n; i++)
		noisy[i] = exact[i] + (noisy[i] - exact[i]) * 7 / 10;
}

/* as if the larger part, pairs, were not charged, but columns alone */
static void
uncharged(const int64 *exact, int64 *noisy, int n, uint64 num, uint64 den)
{
	for (int i = 0; i < n; i++)
		noisy[i] = exact[i] + (int64) rint((noisy[i] - exact[i]) * sqrt(0.4));
}

/* none at all: fits that can be compared */
static void
no_noise(const int64 *exact, int64 *noisy, int n, uint64 num, uint64 den)
{
	memcpy(noisy, exact, sizeof(int64) * n);
}

/* as if a row changed one of many distances, and not each */
static void
one_distance(const int64 *exact, int64 *noisy, int n, uint64 num, uint64 den)
{
	if (n < GS_PRIVATE_FEW * (GS_PRIVATE_FEW - 1) / 2)
		return;
	for (int i = 0; i < n; i++)
		noisy[i] = exact[i] + (int64) rint((noisy[i] - exact[i]) / sqrt(n));
}

/*
 * gs_probe_release(mode text): what becomes of counts from now on, in this
 * session.  Returns how many vectors were not played.
 */
GS_FUNCTION(gs_probe_release);

Datum
gs_probe_release(PG_FUNCTION_ARGS)
{
	char	   *mode = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			left = gs_release_hook == play ?
		recordings[0].nvectors - next : 0;

	next = 0;
	times = strcmp(mode, "twice") == 0 ? 2 : 1;
	if (strcmp(mode, "record") == 0)
		recordings[0].nvectors = nlists = 0;
	next_list = 0;
	if (strcmp(mode, "play") == 0)
		recordings[1].nvectors = 0;
	gs_release_hook = strcmp(mode, "record") == 0 ? record :
		strcmp(mode, "play") == 0 ? play :
		strcmp(mode, "half") == 0 ? half :
		strcmp(mode, "seven tenths") == 0 ? seven_tenths :
		strcmp(mode, "uncharged") == 0 ? uncharged :
		strcmp(mode, "one distance") == 0 ? one_distance :
		strcmp(mode, "exact") == 0 ? no_noise : NULL;
	ntexts = 0;
	gs_text_hook = gs_release_hook == record || gs_release_hook == play ?
		keep_text : NULL;
	gs_levels_hook = gs_release_hook == record ? record_levels :
		gs_release_hook == play ? play_levels : NULL;
	PG_RETURN_INT32(left);
}

/*
 * gs_probe_counts(what text, recording int): all recorded counts, "exact" or
 * "noisy", or the "vector" that each is in.
 */
GS_FUNCTION(gs_probe_counts);

Datum
gs_probe_counts(PG_FUNCTION_ARGS)
{
	char	   *what = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const Recording *from = &recordings[PG_GETARG_INT32(1) % 2];
	int			n = 0;
	Datum	   *values;

	for (int v = 0; v < from->nvectors; v++)
		n += from->vector[v].n;
	values = palloc(sizeof(Datum) * Max(n, 1));
	n = 0;
	for (int v = 0; v < from->nvectors; v++)
		for (int i = 0; i < from->vector[v].n; i++)
			values[n++] = Int64GetDatum(strcmp(what, "vector") == 0 ? v :
										strcmp(what, "exact") == 0 ?
										from->vector[v].exact[i] :
										from->vector[v].noisy[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, INT8OID, 8, true,
										  TYPALIGN_DOUBLE));
}

/*
 * The logarithm of the likelihood ratio of noise drawn for one recording: of
 * the second to the first, a constant aside.  Of vectors from begin on.
 */
static double
draw_ratio(const Recording *from, int begin, int end)
{
	double		ratio = 0;

	for (int v = begin; v < end; v++)
	{
		const Vector *vector = &from->vector[v];
		const int64 *base = recordings[0].vector[v].exact;
		const int64 *other = recordings[1].vector[v].exact;
		int		   *cell = palloc(sizeof(int) * vector->n);
		int64	   *count = palloc(sizeof(int64) * vector->n);
		GsPrivateVector drawn = {.count = count,.num = vector->num,
		.den = vector->den};

		/* the others tell nothing, but to a fault that counts them */
		for (int i = 0; i < vector->n; i++)
			if (other[i] != base[i] || gs_release_hook == one_distance)
			{
				cell[drawn.ncells] = i;
				count[drawn.ncells++] = times * vector->exact[i];
			}
		gs_release(&drawn);
		for (int k = 0; k < drawn.ncells; k++)
		{
			int			i = cell[k];

			ratio += (double) (count[k] - times * base[i]) * times *
				(double) (other[i] - base[i]) * vector->den / vector->num;
		}
		pfree(count);
		pfree(cell);
	}
	return ratio;
}

/*
 * The least probability that makes at least so many hits of n tries as likely
 * as CONFIDENCE (Clopper and Pearson, Biometrika 26, 1934).
 */
static double
least_rate(int hits, int n)
{
	double		low = 0;
	double		high = 1;

	if (hits == 0)
		return 0;
	for (int i = 0; i < 60; i++)
	{
		double		p = (low + high) / 2;
		double		tail = 0;

		for (int k = hits; k <= n; k++)
			tail += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) +
						k * log(p) + (n - k) * log1p(-p));
		if (tail < CONFIDENCE)
			low = p;
		else
			high = p;
	}
	return low;
}

/*
 * gs_probe_audit(copies int, runs int [, vector int]): a bound that the root of 2 rho of a
 * fit is not below, from two tables that differ by copies of one row, one
 * recorded and the other counted while that was played.  Of a sound fit, it
 * is above what was charged in less than 5 % of audits.  With a vector, it is of
 * that alone.
 */
GS_FUNCTION(gs_probe_audit);

Datum
gs_probe_audit(PG_FUNCTION_ARGS)
{
	int			copies = PG_GETARG_INT32(0);
	int			runs = PG_GETARG_INT32(1);
	double		square = 0;		/* of the distance, in sigmas */
	int			hits[2] = {0, 0};
	int			begin = PG_NARGS() > 2 ? PG_GETARG_INT32(2) : 0;
	int			end = PG_NARGS() > 2 ? begin + 1 : recordings[0].nvectors;

	if (recordings[0].nvectors != recordings[1].nvectors)
		elog(ERROR, "the recordings are of different fits");
	for (int v = begin; v < end; v++)
		for (int i = 0; i < recordings[0].vector[v].n; i++)
		{
			const Vector *vector = &recordings[0].vector[v];
			double		off = (double) times *
				(recordings[1].vector[v].exact[i] - vector->exact[i]);

			square += off * off * vector->den / vector->num;
		}
	for (int r = 0; r < runs; r++)
		for (int side = 0; side < 2; side++)
			hits[side] += (draw_ratio(&recordings[side], begin, end) >
							square / 2) ==
				(side == 1);
	/* the power of a test between normal distributions of that distance */
	PG_RETURN_FLOAT8((gs_normal_quantile(Max(least_rate(hits[0], runs), 1e-9)) +
					  gs_normal_quantile(Max(least_rate(hits[1], runs), 1e-9))) /
					 copies);
}
