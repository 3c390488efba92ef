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

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "catalog/access.h"
#include "catalog/strange.h"
#include "constraint/links.h"
#include "fit/children.h"
#include "fit/fit.h"
#include "numeric/permute.h"
#include "owner/owners.h"
#include "stream/offspring.h"
#include "stream/foreign_keys.h"
#include "table/keys.h"

#define MAX_KEY_COLUMNS	32		/* INDEX_MAX_KEYS */
#define BLOCK			16384	/* rows that are numbered together */
#define MAX_ROWS		1e15	/* by default */
#define MAX_OWN			65536	/* parents kept of a table that is its own */

typedef struct ForeignKey
{
	const GsConstraint *constraint;
	TupleDesc	desc;			/* of its columns */
	int			at[MAX_KEY_COLUMNS];	/* places among the filled columns */
	bool		shared[MAX_KEY_COLUMNS];	/* an earlier key fills it */
	int			nshared;
	bool		grouped[MAX_KEY_COLUMNS];	/* see find_groups */
	int			ngrouped;
	const struct ForeignKey *leader;	/* an earlier one with these groups */
	bool		own;			/* the table is its own parent */
	int			own_at[MAX_KEY_COLUMNS];	/* of the keys; -1: not filled */
	bool		nullable;
	bool		full;			/* MATCH FULL: all of it NULL, or nothing */
	bool		always;			/* the model does not know the columns */
	bool		unique;			/* a parent has one child at most */
	bool		deferred;		/* its parents come later */
	double		share;			/* of the rows that it is about: of a link */
	uint64		key;			/* of what is drawn for it */

	/* what the model says */
	GsOffspring	offspring;
	int			nknown;
	GsKnownParent *known;		/* [nknown] by hash */
	int		   *missing;		/* [nknown] number among those not present */
	bool		typical;		/* most parents of the source are known ones */
	double		redirected;		/* share of known values that are replaced */

	/* the parents that there are */
	MemoryContext context;
	GsParents  *parents;
	int64		nparents;
	int64		present;		/* known ones, the first */
	int64		first;			/* those before it stand for known ones */
	int64		taken;			/* from there on, which share children */
	double	   *ends;			/* [groups] children, with groups before */
	int64		since;			/* rows since they were read */

	/* of rows */
	int64		nchildren;		/* that parents share */
	GsPermutation order;		/* of these */
	int64		block;
	int64		numbered;		/* rows of it */
	double		child;			/* that the last row was, of its group, ... */
	double		children;		/* ... which has so many */
} ForeignKey;

struct GsForeignKeys
{
	const GsTarget *target;
	const GsSampler *sampler;
	const GsOwners *owners;		/* whose rows these are; NULL: nobody's */
	int64		n;
	int			nfks;
	ForeignKey *fks;
};

/*
 * A number between 0 and 1, neither of them.
 */
static inline double
uniform(uint64 hash)
{
	return ((hash >> 12) + 0.5) / (UINT64CONST(1) << 52);
}

/*
 * What the model says of the parents: those that it knows by their values,
 * and how many children the others have.
 */
static void
load_offspring(const GsForeignKeys *fks, ForeignKey *fk)
{
	const GsModel *model = fks->sampler->model;
	GsOffspring *offspring = &fk->offspring;
	bool		complete = false;
	Form_pg_attribute type = TupleDescAttr(fk->desc, 0);
	bool		learned;
	double		rows;
	Datum	   *values;

	/* rows are spread evenly in a table that refers to itself */
	learned = gs_offspring_load(offspring, model,
								fk->own ? NULL : fk->constraint);
	if (!fk->own && !fk->always && !fk->unique)
		fk->nknown = gs_children_known(fk->constraint, fks->sampler->schema,
									   getBaseType(type->atttypid),
									   offspring->all_parents, &values,
									   &complete);
	fk->known = palloc0(sizeof(GsKnownParent) * Max(fk->nknown, 1));
	fk->missing = palloc(sizeof(int) * Max(fk->nknown, 1));
	for (int i = 0; i < fk->nknown; i++)
		fk->known[i].hash = gs_key_hash(0, values[i], type);
	gs_known_sort(fk->known, fk->nknown);
	if (!learned)
		offspring->all_parents = fk->nknown;
	fk->typical = fk->nknown > 0 &&
		2.0 * fk->nknown >= offspring->all_parents;
	if (complete && offspring->rows > 0)
		fk->redirected = offspring->rows /
			(offspring->known_rows + offspring->rows);
	/* known ones may be so no longer: the column has another type */
	rows = offspring->rows + (fk->nknown == 0 ? offspring->known_rows : 0);
	fk->nchildren = fks->n;
	if (!fk->always && rows < offspring->all_rows)
		fk->nchildren = Max(llround(fks->n * (rows / offspring->all_rows)), 1);
	gs_permute_init(&fk->order, fk->nchildren, fk->key);
}

/*
 * Which parents stand for known ones: those that are known ones, and others
 * for those that the table lacks.  Where most parents of the source are known
 * ones, others are as much like these as like the rest, however many they are.
 */
static void
find_stand_ins(ForeignKey *fk)
{
	int64		wanted = fk->nknown;
	int			missing = 0;

	fk->present = 0;
	for (int i = 0; i < fk->nknown; i++)
	{
		fk->missing[i] = fk->known[i].present ? -1 : missing++;
		fk->present += fk->known[i].present;
	}
	if (fk->typical)
		wanted = llround(Min(fk->nknown / fk->offspring.all_parents, 1) *
						 fk->nparents);
	fk->first = Min(Max(wanted, Max(fk->present, fk->nknown > 0)),
					fk->nparents);
	/* where all stand for known ones, there is nobody else */
	fk->taken = fk->nparents - fk->first;
	if (fk->taken == 0)
		fk->taken = fk->nparents;
}

/*
 * Where the systematic sample begins that a group's parents are.
 */
static double
shift_of(const ForeignKey *fk, int64 group)
{
	if (fk->ngrouped == 0)
		return 0.5;
	return uniform(gs_mix64(fk->key, group));
}

/*
 * The numbers of children at which groups of parents end.
 */
static void
find_ends(ForeignKey *fk)
{
	int64		ngroups = fk->ngrouped == 0 ? 1 :
		gs_parents_groups(fk->parents);
	double		end = 0;

	fk->ends = MemoryContextAllocHuge(fk->context, sizeof(double) * ngroups);
	for (int64 g = 0; g < ngroups; g++)
	{
		int64		n = fk->taken;

		CHECK_FOR_INTERRUPTS();
		if (fk->ngrouped > 0)
			(void) gs_parents_group(fk->parents, g, &n);
		end += gs_offspring_count(&fk->offspring, n, shift_of(fk, g),
								  fk->offspring.growth);
		fk->ends[g] = end;
	}
}

/*
 * Reads the parents' keys, as the caller: no more than rows can refer to.
 */
static void
read_parents(ForeignKey *fk)
{
	GsParentsRequest request = {
		.constraint = fk->constraint,
		.desc = fk->desc,
		.grouped = fk->grouped,
		.key = fk->key,
		.nknown = fk->nknown,
		.known = fk->known
	};
	MemoryContext old = MemoryContextSwitchTo(fk->context);

	if (fk->own)
		request.most = MAX_OWN;
	else if (fk->ngrouped == 0 && !fk->unique && !fk->typical)
		request.most = 2 * fk->nknown + fk->nchildren;
	MemoryContextReset(fk->context);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(fk->context);
	fk->parents = gs_parents_read(&request);
	SPI_finish();
	MemoryContextSwitchTo(old);
	fk->since = 0;
	fk->nparents = gs_parents_count(fk->parents);
	if (fk->nparents == 0)
		return;
	find_stand_ins(fk);
	fk->taken = gs_offspring_share_out(&fk->offspring,
									  fk->own ? Min(fk->taken, MAX_OWN) :
									  fk->taken, fk->nchildren,
									  fk->ngrouped == 0);
	if (fk->nshared == 0)
		find_ends(fk);
}

/*
 * By which columns the parents are grouped: by those that earlier keys fill,
 * or else by those that a later key shares, if it has others too.
 */
static void
find_groups(GsForeignKeys *fks, ForeignKey *fk)
{
	ListCell   *cell;

	if (fk->nshared > 0)
		memcpy(fk->grouped, fk->shared, sizeof(fk->grouped));
	fk->ngrouped = fk->nshared;
	foreach(cell, fks->target->constraints)
	{
		const GsConstraint *later = lfirst(cell);
		int			n = 0;
		bool		opened = later->parent == NULL;
		ListCell   *column;

		if (fk->ngrouped > 0)
			break;
		for (int i = 0; i <= fks->nfks; i++)
			opened |= fks->fks[i].constraint == later;
		if (opened)
			continue;
		foreach(column, later->columns)
			n += gs_is_named(fk->constraint->columns, lfirst(column));
		if (n == 0 || n == list_length(later->columns))
			continue;
		for (int k = 0; k < fk->desc->natts; k++)
			fk->grouped[k] = gs_is_named(later->columns,
										 list_nth(fk->constraint->columns, k));
		fk->ngrouped = n;
	}
	for (int i = 0; i < fks->nfks && fk->nshared > 0; i++)
	{
		const ForeignKey *leader = &fks->fks[i];
		int			n = 0;

		for (int j = 0; j < leader->desc->natts; j++)
			for (int k = 0; k < fk->desc->natts; k++)
				n += leader->grouped[j] && fk->shared[k] &&
					leader->at[j] == fk->at[k];
		if (leader->nshared == 0 && n == fk->nshared && n == leader->ngrouped)
			fk->leader = leader;
	}
}

/*
 * The share of the rows that refer to a parent: all, but of a link that does
 * not always hold.
 */
static double
link_share(const GsForeignKeys *fks, const GsConstraint *constraint)
{
	const GsTensor *tensor =
		gs_tensor_find(fks->sampler->model->version->tensors,
					   gs_link_tensor(linitial(constraint->columns)));

	if (!gs_is_link(constraint) || tensor == NULL)
		return 1;
	if (tensor->type != GS_F8 || tensor->ndims != 1 || tensor->dims[0] != 1 ||
		!(*(const double *) tensor->data >= 0))
		gs_corrupted("Tensor \"%s\" has the wrong shape.", tensor->name);
	return *(const double *) tensor->data;
}

/*
 * What is known of a key without a look at its parents.  False if the target
 * fills some of its columns by itself: so it does the whole key.
 */
static bool
describe_key(GsForeignKeys *fks, ForeignKey *fk,
			 const GsConstraint *constraint)
{
	const GsTarget *target = fks->target;
	ListCell   *cell;
	ListCell   *parent = list_head(constraint->parent_columns);
	int			k = 0;

	memset(fk, 0, sizeof(ForeignKey));
	fk->constraint = constraint;
	fk->desc = CreateTemplateTupleDesc(list_length(constraint->columns));
	fk->own = constraint->parent_oid == target->relid;
	fk->nullable = true;
	fk->full = strstr(constraint->definition, " MATCH FULL") != NULL;
	fk->share = link_share(fks, constraint);
	fk->unique = gs_is_unique_within(target->relid, constraint->columns);
	fk->block = -1;
	foreach(cell, constraint->columns)
	{
		bool		known = false;

		fk->at[k] = gs_target_column(target, lfirst(cell));
		if (fk->at[k] < 0)
			return false;
		TupleDescCopyEntry(fk->desc, k + 1, target->desc, fk->at[k] + 1);
		/* what the owner gives is there before */
		fk->shared[k] = fks->owners != NULL &&
			gs_owners_give(fks->owners, lfirst(cell));
		for (int i = 0; i < fks->nfks; i++)
			for (int j = 0; j < fks->fks[i].desc->natts; j++)
				fk->shared[k] |= fks->fks[i].at[j] == fk->at[k];
		fk->nshared += fk->shared[k];
		for (int c = 0; c < fks->sampler->schema->ncolumns; c++)
			known |= strcmp(fks->sampler->schema->columns[c].name,
							lfirst(cell)) == 0;
		fk->always |= !known;
		if (target->notnull[fk->at[k]])
			fk->nullable = false;
		fk->own_at[k++] = gs_target_column(target, lfirst(parent));
		parent = lnext(constraint->parent_columns, parent);
	}
	gs_desc_finish(fk->desc);
	return true;
}

static void
open_key(GsForeignKeys *fks, const GsConstraint *constraint, uint64 key,
		 bool may_defer)
{
	ForeignKey *fk = &fks->fks[fks->nfks];
	const char *name = gs_children_name(constraint);

	if (!describe_key(fks, fk, constraint))
		return;
	gs_parents_check_access(constraint);
	find_groups(fks, fk);
	fks->nfks++;
	fk->key = gs_mix64(key, hash_bytes_extended((const unsigned char *) name,
												strlen(name), 0));
	fk->context = AllocSetContextCreate(CurrentMemoryContext,
										"gensynth parents",
										ALLOCSET_DEFAULT_SIZES);
	load_offspring(fks, fk);
	read_parents(fk);
	if (fk->nparents > 0 || fk->nullable || fk->own)
		return;
	if (gs_is_link(constraint))
	{
		fks->nfks--;
		return;
	}
	fk->deferred = may_defer && !fk->always && fk->ngrouped == 0 &&
		strstr(constraint->definition, " DEFERRABLE") != NULL;
	if (!fk->deferred)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s, which foreign key \"%s\" refers to, has no rows",
						constraint->parent, constraint->name),
				 errhint("Fill it first; of tables that refer to each other, fill both in one transaction, the foreign key being deferrable.")));
}

/*
 * gs_foreign_keys_open: the foreign keys of a target whose columns are filled,
 * in the current context, within an SPI connection.
 *
 * rows: that there will be; may_defer: a deferrable key whose parent has no
 * rows is left as the model has it.  Errors: insufficient_privilege where the
 * caller may not read a parent's keys, foreign_key_violation where there are
 * none.
 */
GsForeignKeys *
gs_foreign_keys_open(const GsTarget *target, const GsSampler *sampler,
					 int64 seed, int64 rows, bool may_defer)
{
	GsForeignKeys *fks = palloc0(sizeof(GsForeignKeys));
	const GsModel *model = sampler->model;
	const unsigned char *name = (const unsigned char *) model->name;
	uint64		key = gs_mix64(seed, model->version->seed);
	ListCell   *cell;

	fks->target = target;
	fks->sampler = sampler;
	if (model->version->owners != NULL)
		fks->owners = gs_owners_load(model->version->owners);
	fks->n = rows;
	fks->fks = palloc0(sizeof(ForeignKey) *
					   Max(list_length(target->constraints), 1));
	/* children of two tables must not go together */
	key = gs_mix64(key, hash_bytes_extended(name, strlen(model->name), 0));
	/* those of many columns first, as they are harder to please */
	for (int n = MAX_KEY_COLUMNS; n > 0; n--)
		foreach(cell, target->constraints)
		{
			const GsConstraint *constraint = lfirst(cell);

			if (constraint->parent != NULL &&
				list_length(constraint->columns) == n &&
				!gs_owners_are(sampler->model->version->owners,
							   constraint->columns))
				open_key(fks, constraint, key, may_defer);
		}
	return fks;
}

/*
 * gs_foreign_keys_rows: how many rows a target gets by default: the source's,
 * or of a foreign key's parents, as many for each as they have there.  Of
 * several keys, that with most parents counts: a look-up table does not grow.
 *
 * rows: of the source.  To be called within an SPI connection.
 */
int64
gs_foreign_keys_rows(Oid target, const GsSampler *sampler, int64 rows)
{
	double		most = 0;
	double		factor = 1;
	ListCell   *cell;

	foreach(cell, gs_constraints_read(target))
	{
		const GsConstraint *constraint = lfirst(cell);
		const char *column;
		GsOffspring	offspring;
		GsAccess	access;
		int64		n;

		if (constraint->parent == NULL || constraint->parent_oid == target ||
			!gs_parents_may_read(constraint, &column))
			continue;
		if (!gs_offspring_load(&offspring, sampler->model, constraint) ||
			offspring.all_parents <= most)
			continue;
		column = quote_identifier(linitial(constraint->parent_columns));
		gs_begin_reading(&access, constraint->parent_oid, true);
		gs_run(psprintf("SELECT pg_catalog.count(%s) FROM %s", column,
						constraint->parent), 0, NULL, NULL, NULL, false);
		gs_become_caller(&access);
		n = DatumGetInt64(gs_result(0, 1, NULL));
		if (n == 0)
			continue;
		most = offspring.all_parents;
		factor = n / most;
	}
	return factor == 1 ? rows : Max(llround(Min(rows * factor, MAX_ROWS)), 1);
}

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
		ForeignKey *fk = &fks->fks[i];

		fk->since += rows;
		if (fk->own && fk->since >= fk->nparents)
			read_parents(fk);
	}
}

/*
 * Which child a row is, of nchildren.
 */
static int64
next_child(const GsForeignKeys *fks, ForeignKey *fk, int64 row)
{
	double		share = (double) fk->nchildren / fks->n;
	int64		block = row / BLOCK;
	int64		from = Min((int64) (block * BLOCK * share), fk->nchildren - 1);
	int64		to = Min((int64) ((block + 1) * BLOCK * share), fk->nchildren);
	int64		number;

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
 * The parent of a row.
 */
static int64
find_parent(const GsForeignKeys *fks, ForeignKey *fk, int64 row)
{
	int64		low = 0;
	int64		high = fk->ngrouped == 0 ? 0 :
		gs_parents_groups(fk->parents) - 1;
	int64		kept = gs_parents_kept(fk->parents);
	int64		first = fk->first;
	int64		n = fk->taken;

	/* so that all are found who have no child yet */
	if (row >= fks->n && fk->unique)
		return gs_mix64(fk->key, row) % kept;
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
	return (first + gs_offspring_find(&fk->offspring, n, shift_of(fk, low),
									  fk->offspring.growth, fk->child)) %
		kept;
}

/*
 * One of the parents that have what earlier keys have put into the columns
 * that they share; -1 for none.  The children of a group by the earlier key
 * are its children by this one, in another order.
 */
static int64
find_in_group(const GsForeignKeys *fks, ForeignKey *fk, int64 row,
			  const Datum *values, const bool *nulls)
{
	const ForeignKey *leader = fk->leader;
	uint64		hash = 0;
	double		drawn = uniform(gs_mix64(fk->key, row));
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
		growth = gs_offspring_growth(&fk->offspring, n, shift_of(fk, group),
									 leader->children);
	}
	children = gs_offspring_count(&fk->offspring, n, shift_of(fk, group),
								  growth);
	if (children <= 0)
		return first + (int64) (drawn * n);
	return first + gs_offspring_find(&fk->offspring, n, shift_of(fk, group),
									 growth, drawn * children);
}

/*
 * The parent that stands for a known one.  Sets *stays if it is that one.
 */
static int64
stand_in(const ForeignKey *fk, int known, int64 row, bool *stays)
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
refer_to_none(const ForeignKey *fk, Datum *values, bool *nulls)
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
find_known(const ForeignKey *fk, int64 row, Datum value)
{
	const GsKnownParent *known;

	if (fk->nknown == 0 ||
		uniform(gs_mix64(~fk->key, row)) < fk->redirected)
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
set_apart(const ForeignKey *fk, int64 row, Datum *values)
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
fill_key(const GsForeignKeys *fks, ForeignKey *fk, int64 row, Datum *values,
		 bool *nulls)
{
	bool		null = false;
	bool		stays = false;
	int			known = -1;
	int64		parent = -1;
	Datum		key[MAX_KEY_COLUMNS];

	if (fk->share < 1 && uniform(gs_mix64(fk->key + 1, row)) >= fk->share)
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
	if ((null && fk->nullable && !fk->always) || fk->nparents == 0)
		parent = -1;
	else if (fk->nshared > 0)
		parent = find_in_group(fks, fk, row, values, nulls);
	else if (known >= 0)
		parent = stand_in(fk, known, row, &stays);
	else
		parent = find_parent(fks, fk, row);
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
 * gs_foreign_keys_fill: sets a row's foreign keys.  Returns NULL, or the name
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
		if (!fill_key(fks, &fks->fks[i], row, values, nulls))
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
		const ForeignKey *fk = &fks->fks[i];

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
