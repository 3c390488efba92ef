/*
 * foreign_keys.c
 *	  Foreign keys of rows that fill a table.
 *
 * A row refers to one of the keys that the parent table has now.  Parents, in
 * a random order that their keys define (parents.c), are given numbers of
 * children as in the source, none among them (offspring.c); these children are
 * counted through, and a row is the one that a keyed permutation of its own
 * number leads to.  So parents get their share to within a row.  Rows are
 * numbered within blocks, without those that are no such child (NULLs, known
 * parents): so no child is missing, and yet row i is a function of i and of
 * the rows of its block.
 *
 * Parents that the model knows by their values (all of a few, or the one that
 * has a third of the children) are those that it draws: a row's own value
 * stays if the parent has it; and otherwise some other parent stands for it,
 * always the same, so that what depends on it still does.
 *
 * Keys that share columns agree: the first one's parents are grouped by what
 * they share with a later one, which takes its parents from that group.
 *
 * A table that refers to itself is its own parent: rows refer to rows that
 * are in it, so they make a forest.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/datum.h"

#include "stream/foreign_keys_state.h"

#define MAX_GROUPS_TRIED	64		/* for one that has children left */
#define BLOCK			16384	/* rows that are numbered together */

/*
 * gs_foreign_keys_deferred: those whose parent has no rows yet, a list of
 * GsConstraint, in the current context.
 */
List *
gs_foreign_keys_deferred(const GsForeignKeys *fks)
{
	List	   *deferred = NIL;

	for (int i = 0; i < fks->nfks; i++)
		if (fks->fks[i].deferred)
			deferred = lappend(deferred, (void *) fks->fks[i].constraint);
	return deferred;
}

/*
 * gs_foreign_keys_first: from which row on rows must be seen, so that the
 * given one refers to the parent that it always does.
 */
int64
gs_foreign_keys_first(const GsForeignKeys *fks, int64 row)
{
	return fks->nfks > 0 ? row - row % BLOCK : row;
}

/*
 * gs_foreign_keys_room: how many rows can be made before
 * gs_foreign_keys_refresh is called again, so that those of a table which is
 * its own parent refer to rows of all ages.
 */
int64
gs_foreign_keys_room(const GsForeignKeys *fks)
{
	int64		room = PG_INT64_MAX;

	for (int i = 0; i < fks->nfks; i++)
		if (fks->fks[i].own)
			room = Min(room, Max(fks->fks[i].nparents -
								 fks->fks[i].since, 1));
	return room;
}

/*
 * gs_foreign_keys_refresh: rows have been put into the target: looks at its
 * keys again, if it is its own parent and has grown to twice as many.
 */
void
gs_foreign_keys_refresh(GsForeignKeys *fks, int64 rows)
{
	for (int i = 0; i < fks->nfks; i++)
	{
		GsForeignKey *fk = &fks->fks[i];

		fk->since += rows;
		if (fk->own && fk->since >= fk->nparents)
			gs_foreign_key_read_parents(fk);
	}
}

/*
 * Which child a row is, of nchildren.
 */
static int64
next_child(const GsForeignKeys *fks, GsForeignKey *fk, int64 row)
{
	double		share = (double) fk->nchildren / fks->n;
	int64		block = row / BLOCK;
	int64		from = Min((int64) (block * BLOCK * share), fk->nchildren - 1);
	int64		to = Min((int64) ((block + 1) * BLOCK * share), fk->nchildren);
	int64		number;

	/* each row is a child, in whatever order they are asked for */
	if (fk->before && row < fks->n)
		return gs_permute(&fk->order, row);
	if (block != fk->block)
	{
		fk->block = block;
		fk->numbered = 0;
	}
	number = from + fk->numbered++ % Max(to - from, 1);
	/* rows in the place of others may be any */
	if (row >= fks->n)
		number = gs_mix64(fk->key, row) % fk->nchildren;
	return gs_permute(&fk->order, number);
}

/*
 * The parent of a row among parents that are grouped by a value, of which the
 * row's is often the one that has the hash like (0: no such value).  Each group
 * gives its children out one after the other, so that parents have theirs.
 */
static int64
find_alike(const GsForeignKeys *fks, GsForeignKey *fk, int64 row, uint64 like)
{
	int64		last = gs_parents_groups(fk->parents) - 1;
	int64		group = -1;
	int64		child;
	int64		n;
	int64		first;
	double		from;
	GsPermutation order;

	if (like != 0 &&
		gs_foreign_key_uniform(gs_mix64(fk->key + 2, row)) < fk->like_share)
		group = gs_parents_find(fk->parents, like);
	for (int try = 0;; try++)
	{
		int64		low = 0;
		int64		high = last;
		double		drawn = gs_foreign_key_uniform(gs_mix64(fk->key + 3 + try,
															row)) *
			fk->ends[last];

		if (group >= 0 && fk->used[group] < fk->ends[group] -
			(group > 0 ? fk->ends[group - 1] : 0) - 0.5)
			break;
		/* all of the group's are given out: one of another */
		while (low < high)
		{
			int64		middle = low + (high - low) / 2;

			if (fk->ends[middle] > drawn)
				high = middle;
			else
				low = middle + 1;
		}
		group = low;
		if (try == MAX_GROUPS_TRIED)
			break;
	}
	from = group > 0 ? fk->ends[group - 1] : 0;
	first = gs_parents_group(fk->parents, group, &n);
	gs_permute_init(&order, Max(llround(fk->ends[group] - from), 1),
					gs_mix64(fk->key, group));
	/* rows in the place of others may be any */
	child = row < fks->n ? fk->used[group]++ :
		(int64) (gs_mix64(fk->key, row) >> 1);
	return first + gs_offspring_find(&fk->offspring, n,
									 gs_foreign_key_shift(fk, group),
									 fk->offspring.growth,
									 (gs_permute(&order, child % order.n) +
									  0.5) / order.n *
									 (fk->ends[group] - from));
}

/*
 * The parent of a row.
 */
static int64
find_parent(const GsForeignKeys *fks, GsForeignKey *fk, int64 row)
{
	int64		low = 0;
	int64		high = fk->ngrouped == 0 ? 0 :
		gs_parents_groups(fk->parents) - 1;
	int64		kept = gs_parents_kept(fk->parents);
	int64		first = fk->first;
	int64		n = fk->taken;
	int64		parent;

	if (fk->like >= 0)
	{
		if (fk->skip == 0)
			fk->alike = find_alike(fks, fk, row, fk->like_hash);
		return (fk->alike + fk->skip) % kept;
	}
	/* so that all are found who have no child yet */
	if (row >= fks->n && fk->unique)
		return (int64) ((gs_mix64(fk->key, row) + fk->skip) % kept);
	fk->child = (next_child(fks, fk, row) + 0.5) / fk->nchildren *
		fk->ends[high];
	while (low < high)
	{
		int64		middle = low + (high - low) / 2;

		if (fk->ends[middle] > fk->child)
			high = middle;
		else
			low = middle + 1;
	}
	fk->children = fk->ends[low] - (low > 0 ? fk->ends[low - 1] : 0);
	fk->child -= low > 0 ? fk->ends[low - 1] : 0;
	if (fk->ngrouped > 0)
		first = gs_parents_group(fk->parents, low, &n);
	parent = gs_offspring_find(&fk->offspring, n,
							   gs_foreign_key_shift(fk, low),
							   fk->offspring.growth, fk->child);
	return (first + (parent + fk->skip) % n) % kept;
}

/*
 * One of the parents that have what earlier keys have put into the columns
 * that they share; -1 for none.  The children of a group by the earlier key
 * are its children by this one, in another order.
 */
static int64
find_in_group(const GsForeignKeys *fks, GsForeignKey *fk, int64 row,
			  const Datum *values, const bool *nulls)
{
	const GsForeignKey *leader = fk->leader;
	uint64		hash = 0;
	double		drawn = gs_foreign_key_uniform(gs_mix64(fk->key, row));
	double		growth = fk->offspring.growth;
	double		children;
	int64		group;
	int64		first;
	int64		n;

	for (int k = 0; k < fk->desc->natts; k++)
	{
		if (!fk->shared[k])
			continue;
		if (nulls[fk->at[k]])
			return -1;
		hash = gs_key_hash(hash, values[fk->at[k]],
						   TupleDescAttr(fk->desc, k));
	}
	group = gs_parents_find(fk->parents, hash);
	if (group < 0)
		return -1;
	first = gs_parents_group(fk->parents, group, &n);
	if (leader != NULL && row < fks->n)
	{
		GsPermutation order;

		gs_permute_init(&order, Max(llround(leader->children), 1),
						gs_mix64(fk->key, group));
		drawn = (gs_permute(&order, (uint64) leader->child) + 0.5) / order.n;
		growth = gs_offspring_growth(&fk->offspring, n, gs_foreign_key_shift(fk, group),
									 leader->children);
	}
	children = gs_offspring_count(&fk->offspring, n, gs_foreign_key_shift(fk, group),
								  growth);
	if (children <= 0)
		return first + ((int64) (drawn * n) + fk->skip) % n;
	return first + (gs_offspring_find(&fk->offspring, n,
									  gs_foreign_key_shift(fk, group), growth,
									  drawn * children) + fk->skip) % n;
}

/*
 * The parent that stands for a known one.  Sets *stays if it is that one.
 */
static int64
stand_in(const GsForeignKey *fk, int known, int64 row, bool *stays)
{
	int64		missing = fk->nknown - fk->present;
	int64		others = fk->first - fk->present;
	int64		more = Max(others - missing - known + fk->nknown - 1, 0) /
		fk->nknown;
	int64		pick = gs_mix64(fk->key, row) % (1 + more);

	*stays = pick == 0 && fk->known[known].present;
	if (pick > 0)
		return fk->present + missing + known + (pick - 1) * fk->nknown;
	if (others >= missing)
		return fk->present + Max(fk->missing[known], 0);
	/* fewer parents than there were: some stand for several */
	return known % fk->first;
}

static void
refer_to_none(const GsForeignKey *fk, Datum *values, bool *nulls)
{
	for (int k = 0; k < fk->desc->natts; k++)
	{
		if (fk->shared[k])
			continue;
		values[fk->at[k]] = (Datum) 0;
		nulls[fk->at[k]] = true;
	}
}

/*
 * The number of a known parent whose value a row has, and keeps; -1 for none.
 */
static int
find_known(const GsForeignKey *fk, int64 row, Datum value)
{
	const GsKnownParent *known;

	if (fk->nknown == 0 ||
		gs_foreign_key_uniform(gs_mix64(~fk->key, row)) < fk->redirected)
		return -1;
	known = gs_known_find(fk->known, fk->nknown,
						  gs_key_hash(0, value, TupleDescAttr(fk->desc, 0)));
	return known != NULL ? known - fk->known : -1;
}

/*
 * Until a deferred key has parents, one that is unique should be, and should
 * be none of theirs: whole numbers are counted down from the greatest.  Other
 * types have room enough for what the model says.
 */
static void
set_apart(const GsForeignKey *fk, int64 row, Datum *values)
{
	for (int k = 0; k < fk->desc->natts; k++)
	{
		Datum	   *value = &values[fk->at[k]];

		switch (TupleDescAttr(fk->desc, k)->atttypid)
		{
			case INT2OID:
				*value = Int16GetDatum((int16) (PG_INT16_MAX - row));
				break;
			case INT4OID:
				*value = Int32GetDatum((int32) (PG_INT32_MAX - row));
				break;
			case INT8OID:
				*value = Int64GetDatum(PG_INT64_MAX - row);
				break;
			default:
				break;
		}
	}
}

/*
 * Sets the columns of one key.  False where no parent goes with what others
 * have put into columns that they share.
 */
static bool
fill_key(const GsForeignKeys *fks, GsForeignKey *fk, int64 row, Datum *values,
		 bool *nulls)
{
	bool		null = false;
	bool		stays = false;
	int			known = -1;
	int64		parent = -1;
	Datum		key[MAX_KEY_COLUMNS];

	if (fk->share < 1 && gs_foreign_key_uniform(gs_mix64(fk->key + 1, row)) >= fk->share)
		return true;
	for (int k = 0; k < fk->desc->natts; k++)
		null |= nulls[fk->at[k]] && !fk->shared[k];
	if (fk->deferred)
	{
		if (fk->unique)
			set_apart(fk, row, values);
		return !null;
	}
	if (!null)
		known = find_known(fk, row, values[fk->at[0]]);
	if ((null && fk->nullable && !fk->always && !fk->before) ||
		fk->nparents == 0)
		parent = -1;
	else if (fk->nshared > 0)
		parent = find_in_group(fks, fk, row, values, nulls);
	else if (known >= 0)
		parent = stand_in(fk, known, row, &stays);
	else
		parent = find_parent(fks, fk, row);
	fk->parent = parent;
	if (stays || (parent >= 0 && fk->nshared == fk->desc->natts))
		return true;
	if (parent < 0 && fk->nullable)
	{
		refer_to_none(fk, values, nulls);
		return !(fk->nshared > 0 && fk->full);
	}
	if (parent >= 0)
		gs_parents_get(fk->parents, parent, key);
	for (int k = 0; k < fk->desc->natts; k++)
	{
		/* the first row of a table that is its own parent is its own */
		if (parent < 0 && (!fk->own || fk->own_at[k] < 0))
			return false;
		values[fk->at[k]] = parent < 0 ? values[fk->own_at[k]] : key[k];
		nulls[fk->at[k]] = false;
	}
	return true;
}

/*
 * gs_foreign_keys_before: whether a filled column is set before rows are made.
 */
bool
gs_foreign_keys_before(const GsForeignKeys *fks, int at)
{
	for (int i = 0; i < fks->nfks; i++)
		for (int k = 0; k < fks->fks[i].desc->natts; k++)
			if (fks->fks[i].before && fks->fks[i].at[k] == at)
				return true;
	return false;
}

/*
 * The only key whose parents are often like something; NULL for none.
 */
static GsForeignKey *
find_liked(const GsForeignKeys *fks)
{
	for (int i = 0; i < fks->nfks; i++)
		if (fks->fks[i].like >= 0)
			return &fks->fks[i];
	return NULL;
}

/*
 * gs_foreign_keys_like: what parents are often like: the name of what rows know
 * of their owner, "" for a parent of the row before, NULL for nothing.
 */
const char *
gs_foreign_keys_like(const GsForeignKeys *fks)
{
	const GsForeignKey *fk = find_liked(fks);

	return fk == NULL ? NULL : fk->like_name;
}

/*
 * gs_foreign_keys_restart: rows are asked for from the first one on again.
 */
void
gs_foreign_keys_restart(GsForeignKeys *fks)
{
	const GsForeignKey *fk = find_liked(fks);

	if (fk != NULL && fk->used != NULL)
		memset(fk->used, 0, sizeof(int64) * gs_parents_groups(fk->parents));
}

/*
 * gs_foreign_keys_pick: sets the keys of a row that are known before it is
 * made, and what it knows by them.  False if there is no parent for one, or
 * none that was not passed over.
 *
 * row: its number; those in the place of others have numbers beyond all.
 * skip: how many parents to pass over of the last key; like: the hash of what
 * its parent is often like, 0 for nothing, set to that of its parent's; values, nulls: of the
 * target's filled columns, of which the owner's are set; known, known_nulls:
 * set, valid until the next call
 */
bool
gs_foreign_keys_pick(GsForeignKeys *fks, int64 row, int64 skip, uint64 *like,
					 Datum *values, bool *nulls, Datum *known,
					 bool *known_nulls)
{
	const GsForeignKey *liked = find_liked(fks);

	for (int i = 0; i < fks->nfks; i++)
	{
		GsForeignKey *fk = &fks->fks[i];

		if (!fk->before)
			continue;
		fk->skip = fk == fks->last ? skip : 0;
		fk->like_hash = *like;
		if (fk->skip >= Max(fk->nparents, 1) ||
			!fill_key(fks, fk, row, values, nulls))
			return false;
		if (fk->columns != NULL && fk->parent >= 0)
			gs_parents_columns(fk->parents, fk->parent, known + fk->known_at,
							   known_nulls + fk->known_at);
		else if (fk->columns != NULL)
			/* what is there is a row's before it, and gone */
			memset(known_nulls + fk->known_at, true, fk->columns->natts);
	}
	if (liked != NULL && liked->parent >= 0)
	{
		int			at = liked->known_at + liked->like;

		*like = known_nulls[at] ? 0 :
			gs_key_hash(0, known[at],
						TupleDescAttr(liked->columns, liked->like));
	}
	return true;
}

/*
 * gs_foreign_keys_keep: copies what gs_foreign_keys_pick has set, into the
 * current context.
 */
void
gs_foreign_keys_keep(const GsForeignKeys *fks, Datum *values,
					 const bool *nulls, Datum *known, const bool *known_nulls)
{
	for (int i = 0; i < fks->nfks; i++)
	{
		const GsForeignKey *fk = &fks->fks[i];

		for (int k = 0; fk->before && k < fk->desc->natts; k++)
			if (!fk->shared[k] && !nulls[fk->at[k]])
				values[fk->at[k]] = datumCopy(values[fk->at[k]],
											  TupleDescAttr(fk->desc, k)->attbyval,
											  TupleDescAttr(fk->desc, k)->attlen);
		for (int j = 0; fk->columns != NULL && j < fk->columns->natts; j++)
			if (!known_nulls[fk->known_at + j])
				known[fk->known_at + j] =
					datumCopy(known[fk->known_at + j],
							  TupleDescAttr(fk->columns, j)->attbyval,
							  TupleDescAttr(fk->columns, j)->attlen);
	}
}

/*
 * gs_foreign_keys_fill: sets a row's other foreign keys.  Returns NULL, or the name
 * of one for which there is no parent.
 *
 * row: its number in the fill, from 0; values, nulls: [natts] of the target's
 * filled columns, changed
 */
const char *
gs_foreign_keys_fill(GsForeignKeys *fks, int64 row, Datum *values,
					 bool *nulls)
{
	for (int i = 0; i < fks->nfks; i++)
		if (!fks->fks[i].before &&
			!fill_key(fks, &fks->fks[i], row, values, nulls))
			return fks->fks[i].constraint->name;
	return NULL;
}

/*
 * gs_foreign_keys_parents: the keys that a filled column refers to by itself;
 * NULL if it does not.  Sets *refers to whether it is of a foreign key at all.
 */
GsParents *
gs_foreign_keys_parents(const GsForeignKeys *fks, int at, bool *refers)
{
	*refers = false;
	for (int i = 0; i < fks->nfks; i++)
	{
		const GsForeignKey *fk = &fks->fks[i];

		for (int k = 0; k < fk->desc->natts; k++)
		{
			if (fk->at[k] != at)
				continue;
			*refers = true;
			return fk->desc->natts == 1 && !fk->own ? fk->parents : NULL;
		}
	}
	return NULL;
}
