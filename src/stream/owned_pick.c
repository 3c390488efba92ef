/*
 * owned_pick.c
 *	  What rows made owner by owner refer to: their owner, and other rows, which
 *	  are chosen before they are made.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "stream/owned_state.h"

/* How many parents are passed over whose key one of the same owner has. */
#define MAX_SKIPPED		10000

/*
 * gs_owned_open_like: what the rows are often like that rows of an owner refer
 * to.
 */
void
gs_owned_open_like(GsOwned *owned)
{
	const GsSupply *supply = owned->supply;
	const char *name = owned->fks == NULL ? NULL :
		gs_foreign_keys_like(owned->fks);
	int			i = supply->nkeys;
	ListCell   *cell;
	ListCell   *known;

	owned->like_at = -2;
	if (name == NULL)
		return;
	gs_foreign_keys_restart(owned->fks);
	if (*name == '\0')
		owned->like_at = -1;
	foreach(cell, owned->owners->steps)
		foreach(known, ((const GsOwnerStep *) lfirst(cell))->names)
		{
			if (strcmp(lfirst(known), name) == 0)
				owned->like_at = i;
			i++;
		}
}

/*
 * gs_owned_set_keys: the owners' own columns, in rows of n owners.
 */
void
gs_owned_set_keys(const GsOwned *owned, const int *owner, int n, Datum *values,
				  bool *nulls)
{
	const GsSupply *supply = owned->supply;
	int			stride = owned->ncolumns;

	for (int i = 0; i < stride; i++)
		for (int row = 0; owned->key_of[i] >= 0 && row < n; row++)
		{
			Size		from = (Size) owner[row] * supply->nowner +
				owned->key_of[i];
			Size		to = (Size) row * stride + i;

			values[to] = supply->owner[from];
			nulls[to] = supply->nulls[from];
		}
}

/*
 * gs_owned_pick_parents: chooses the rows that one refers to, and notes what it
 * knows of them.  False if there are none.
 *
 * row: in the rows at hand; number: of the row
 */
bool
gs_owned_pick_parents(GsOwned *owned, int row, int owner, int64 number,
					  Datum *values, bool *nulls)
{
	Datum	   *known = owned->reference + (Size) row * owned->nreferences;
	bool	   *known_nulls = owned->reference_nulls +
		(Size) row * owned->nreferences;

	for (int64 skip = 0; skip < MAX_SKIPPED; skip++)
	{
		uint64		like = owned->like_at >= -1 ? owned->like[owner] : 0;

		if (!gs_foreign_keys_pick(owned->fks, number, skip, &like, values,
								  nulls, known, known_nulls))
			break;
		if (gs_owned_is_taken(owned, owner, values, nulls))
			continue;
		if (owned->like_at == -1)
			owned->like[owner] = like;
		gs_foreign_keys_keep(owned->fks, values, nulls, known, known_nulls);
		return true;
	}
	memset(known_nulls, true, owned->nreferences);
	return false;
}

/*
 * gs_owned_pass_rows: chooses what the rows at hand refer to, without making
 * them: those to come may refer to what is left.
 */
void
gs_owned_pass_rows(GsOwned *owned)
{
	MemoryContext old;
	int64		most = 0;

	if (owned->like_at < -1)
		return;
	MemoryContextReset(owned->row_context);
	old = MemoryContextSwitchTo(owned->row_context);
	for (int i = 0; i < owned->supply->nowners; i++)
		most = Max(most, owned->expected[i]);
	for (int64 round = 0, number = owned->made; round < most; round++)
		for (int i = 0; i < owned->supply->nowners; i++)
		{
			if (owned->expected[i] <= round)
				continue;
			CHECK_FOR_INTERRUPTS();
			memset(owned->nulls, true, owned->ncolumns);
			gs_owned_set_keys(owned, &i, 1, owned->values, owned->nulls);
			if (gs_owned_pick_parents(owned, 0, i, number++, owned->values,
									  owned->nulls))
				gs_owned_see_key(owned, i, owned->values, owned->nulls);
		}
	MemoryContextSwitchTo(old);
}
