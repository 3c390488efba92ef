/*
 * owned_count.c
 *	  How many rows each owner has, of rows that are made owner by owner.
 */
#include "postgres.h"

#include <math.h>

#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "model/siblings.h"
#include "stream/owned_state.h"

/*
 * gs_owned_generation_rows: how many rows a generation of a table's own rows is to have.
 */
int64
gs_owned_generation_rows(const GsOwned *owned, int generation)
{
	const GsOwners *owners = owned->owners;
	double		before = 0;
	double		all = 0;

	for (int g = 0; g < owners->ngenerations; g++)
	{
		all += owners->generation[g];
		before += g < generation ? owners->generation[g] : 0;
	}
	return Max(1, llround((before + owners->generation[generation]) / all *
						  owned->n) - llround(before / all * owned->n));
}

/*
 * How many rows the owners at hand have: [GS_BATCH], filled.
 */
static void
count_rows(GsOwned *owned)
{
	GsSupply   *supply = owned->supply;
	Size		n = supply->nowner;
	Datum		counts[GS_BATCH];
	bool		nulls[GS_BATCH];

	if (owned->even || owned->counts == NULL)
	{
		for (int i = 0; i < supply->nowners; i++)
			owned->expected[i] = owned->even ? 1 : supply->rows[i];
		return;
	}
	/* batches are made whole */
	for (int i = supply->nowners; i < GS_BATCH; i++)
	{
		memcpy(supply->owner + i * n, supply->owner, sizeof(Datum) * n);
		memcpy(supply->nulls + i * n, supply->nulls, n);
	}
	(void) gs_known_fill(owned->counts, owned->batch);
	gs_decode(owned->count, owned->counts->batch, 0, GS_BATCH,
			  (GsRows) {counts, nulls, 1});
	for (int i = 0; i < supply->nowners; i++)
		owned->expected[i] = nulls[i] ? 0 : DatumGetInt64(counts[i]);
	gs_owned_count_heavy(owned);
}

/*
 * What becomes of the first rows of all owners, so many, when there are to be
 * more or fewer rows in all.
 */
static int64
scaled(const GsOwned *owned, int64 rows)
{
	return owned->total == 0 || rows >= owned->total ?
		owned->total == 0 ? rows : owned->wanted :
		(int64) ((double) rows * owned->wanted / owned->total);
}

/*
 * Goes on to owners of the next generation, which are counted first, so that
 * they get as many rows as they should.  False if there are none.
 */
static bool
next_generation(GsOwned *owned)
{
	int64		batch = owned->batch;

	if (!gs_supply_descend(owned->supply))
		return false;
	owned->total = owned->counted = 0;
	owned->even = false;
	for (;;)
	{
		gs_supply_read(owned->supply);
		if (owned->supply->nowners == 0)
			break;
		owned->batch++;
		count_rows(owned);
		for (int i = 0; i < owned->supply->nowners; i++)
			owned->total += Max(owned->expected[i], 0);
	}
	owned->batch = batch;
	/* where nobody would have any, all have as many */
	owned->even = owned->total == 0;
	if (owned->even)
		owned->total = gs_supply_owners(owned->supply);
	owned->wanted = gs_owned_generation_rows(owned, owned->supply->generation + 1);
	gs_supply_rewind(owned->supply);
	gs_supply_read(owned->supply);
	return true;
}

/*
 * What the owners at hand say of the rows that theirs refer to.
 */
static void
begin_like(GsOwned *owned)
{
	const GsSupply *supply = owned->supply;
	int			at = owned->like_at;
	FormData_pg_attribute type = {0};

	memset(owned->like, 0, sizeof(owned->like));
	if (at < 0)
		return;
	get_typlenbyval(supply->type[at], &type.attlen, &type.attbyval);
	for (int i = 0; i < supply->nowners; i++)
		if (!supply->nulls[i * supply->nowner + at])
			owned->like[i] = gs_key_hash(0, supply->owner[i * supply->nowner + at],
										 &type);
}

/*
 * gs_owned_next_owners: the next owners, and how many rows each is to have.  False after the last.
 */
bool
gs_owned_next_owners(GsOwned *owned)
{
	if (owned->ended)
		return false;
	gs_supply_read(owned->supply);
	if (owned->supply->now != NULL)
		owned->ended = owned->supply->nowners == 0 && !next_generation(owned);
	else
		owned->ended = owned->supply->nowners < GS_BATCH;
	if (owned->supply->nowners == 0 || (owned->ended && owned->supply->now != NULL))
		return false;
	owned->batch++;
	owned->round = -1;
	if (owned->seen != NULL)
		gs_owned_forget_keys(owned);
	gs_siblings_forget(owned->rows->sampler->state);
	MemoryContextReset(owned->before_context);
	memset(owned->before_nulls, true, (Size) GS_BATCH * owned->nbefore);
	count_rows(owned);
	begin_like(owned);
	for (int i = 0; i < owned->supply->nowners; i++)
	{
		int64		before = owned->counted;

		owned->counted += Max(owned->expected[i], 0);
		owned->expected[i] = Min(scaled(owned, owned->counted) -
								 scaled(owned, before),
								 (INT64CONST(1) << MAX_ROWS_BITS) - 1);
		gs_siblings_begin(owned->rows->sampler->state, i, owned->expected[i]);
	}
	return true;
}
