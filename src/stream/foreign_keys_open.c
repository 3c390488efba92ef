/*
 * foreign_keys_open.c
 *	  What is known of foreign keys before rows are given them: what the model
 *	  says, and the parents that there are.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "miscadmin.h"

#include "compat.h"
#include "catalog/access.h"
#include "catalog/strange.h"
#include "constraint/links.h"
#include "fit/children.h"
#include "fit/fit.h"
#include "stream/foreign_keys_state.h"
#include "table/keys.h"
#include "table/source.h"

#define MAX_ROWS		1e15	/* by default */
#define MAX_OWN			65536	/* parents kept of a table that is its own */

/*
 * What the model says of the parents: those that it knows by their values,
 * and how many children the others have.
 */
static void
load_offspring(const GsForeignKeys *fks, GsForeignKey *fk)
{
	const GsModel *model = fks->sampler->model;
	GsOffspring *offspring = &fk->offspring;
	bool		complete = false;
	Form_pg_attribute type = TupleDescAttr(fk->desc, 0);
	bool		learned;
	double		rows;
	Datum	   *values;
	double	   *shares;

	/* rows are spread evenly in a table that refers to itself */
	learned = gs_offspring_load(offspring, model,
								fk->own ? NULL : fk->constraint);
	if (!fk->own && !fk->always && !fk->unique && !fk->before)
		fk->nknown = gs_children_known(fk->constraint, fks->sampler->schema,
									   getBaseType(type->atttypid),
									   offspring->all_parents, &values,
									   &shares, &complete);
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
find_stand_ins(GsForeignKey *fk)
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
 * The numbers of children at which groups of parents end.
 */
static void
find_ends(GsForeignKey *fk)
{
	int64		ngroups = fk->ngrouped == 0 && fk->like < 0 ? 1 :
		gs_parents_groups(fk->parents);
	double		end = 0;

	fk->ends = MemoryContextAllocHuge(fk->context, sizeof(double) * ngroups);
	fk->used = MemoryContextAllocExtended(fk->context, sizeof(int64) * ngroups,
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 g = 0; g < ngroups; g++)
	{
		int64		n = fk->taken;

		CHECK_FOR_INTERRUPTS();
		if (ngroups > 1)
			(void) gs_parents_group(fk->parents, g, &n);
		end += gs_offspring_count(&fk->offspring, n, gs_foreign_key_shift(fk, g),
								  fk->offspring.growth);
		fk->ends[g] = end;
	}
}

/*
 * gs_foreign_key_read_parents: reads the parents' keys, as the caller: no more than rows can refer to.
 */
void
gs_foreign_key_read_parents(GsForeignKey *fk)
{
	GsParentsRequest request = {
		.constraint = fk->constraint,
		.desc = fk->desc,
		.columns = fk->columns,
		.grouped = fk->grouped,
		.like = fk->like,
		.key = fk->key,
		.nknown = fk->nknown,
		.known = fk->known
	};
	MemoryContext old = MemoryContextSwitchTo(fk->context);

	if (fk->own)
		request.most = MAX_OWN;
	else if (fk->ngrouped == 0 && fk->like < 0 && !fk->unique && !fk->typical)
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
find_groups(GsForeignKeys *fks, GsForeignKey *fk)
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
		const GsForeignKey *leader = &fks->fks[i];
		int			n = 0;

		for (int j = 0; j < leader->desc->natts; j++)
			for (int k = 0; k < fk->desc->natts; k++)
				n += leader->grouped[j] && fk->shared[k] &&
					leader->at[j] == fk->at[k];
		if (leader->before == fk->before &&
			leader->nshared == 0 && n == fk->nshared && n == leader->ngrouped)
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
 * What rows know of a key's parents, in the types that the model has learned.
 */
static void
describe_known(const GsForeignKeys *fks, GsForeignKey *fk)
{
	const GsSchema *schema = fks->sampler->schema;
	const GsOwnerStep *step = fks->owners == NULL ? NULL :
		gs_owners_reference(fks->owners, fk->constraint->columns);
	ListCell   *column;
	ListCell   *name;
	int			i = 0;

	fk->before = step != NULL;
	if (step == NULL)
		return;
	fk->known_at = gs_foreign_keys_known(fks->owners, step);
	if (step->known == NIL)
		return;
	fk->columns = CreateTemplateTupleDesc(list_length(step->known));
	forboth(column, step->known, name, step->names)
	{
		Oid			type = get_atttype(fk->constraint->parent_oid,
									   get_attnum(fk->constraint->parent_oid,
												  lfirst(column)));

		if (!OidIsValid(type))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("%s lacks column \"%s\", which rows of the model know of what they refer to",
							fk->constraint->parent, (char *) lfirst(column)),
					 errhint("Add the column, or fit the model again.")));
		for (int c = 0; c < schema->ncolumns; c++)
			if (strcmp(schema->columns[c].name, lfirst(name)) == 0)
				type = schema->columns[c].type;
		gs_owners_check_type(fk->constraint->parent_oid, lfirst(column),
							 type);
		TupleDescInitEntry(fk->columns, ++i, lfirst(column), type, -1, 0);
	}
	gs_desc_finish(fk->columns);
}

/*
 * What is known of a key without a look at its parents.  False if the target
 * fills some of its columns by itself: so it does the whole key.
 */
static bool
describe_key(GsForeignKeys *fks, GsForeignKey *fk,
			 const GsConstraint *constraint)
{
	const GsTarget *target = fks->target;
	ListCell   *cell;
	ListCell   *parent = list_head(constraint->parent_columns);
	int			k = 0;

	memset(fk, 0, sizeof(GsForeignKey));
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
	describe_known(fks, fk);
	return true;
}

/*
 * What a row's parents are often like, if the model says so.
 */
static void
find_like(const GsForeignKeys *fks, GsForeignKey *fk)
{
	const GsOwnerStep *step = fk->before ?
		gs_owners_reference(fks->owners, fk->constraint->columns) : NULL;

	fk->like = -1;
	if (step == NULL || step->like == NIL || fk->ngrouped > 0)
		return;
	for (int i = 0; i < list_length(step->known); i++)
		if (strcmp(list_nth(step->known, i), linitial(step->like)) == 0)
			fk->like = i;
	fk->like_name = lsecond(step->like);
	fk->like_share = strtod(lthird(step->like), NULL);
	if (!(fk->like_share >= 0 && fk->like_share <= 1))
		gs_corrupted("What references are like is impossible.");
}

static void
open_key(GsForeignKeys *fks, const GsConstraint *constraint, uint64 key,
		 bool may_defer)
{
	GsForeignKey *fk = &fks->fks[fks->nfks];
	const char *name = gs_children_name(constraint);

	if (!describe_key(fks, fk, constraint))
		return;
	gs_parents_check_access(constraint);
	find_groups(fks, fk);
	find_like(fks, fk);
	fks->nfks++;
	if (fk->before)
		fks->last = fk;
	fk->key = gs_mix64(key, hash_bytes_extended((const unsigned char *) name,
												strlen(name), 0));
	fk->context = AllocSetContextCreate(CurrentMemoryContext,
										"gensynth parents",
										ALLOCSET_DEFAULT_SIZES);
	load_offspring(fks, fk);
	gs_foreign_key_read_parents(fk);
	if (fk->nparents > 0 || fk->nullable || fk->own)
		return;
	if (gs_is_link(constraint))
	{
		fks->nfks--;
		return;
	}
	fk->deferred = may_defer && !fk->before && !fk->always && fk->ngrouped == 0 &&
		strstr(constraint->definition, " DEFERRABLE") != NULL;
	if (!fk->deferred)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s, which foreign key \"%s\" refers to, has no rows",
						constraint->parent, constraint->name),
				 errhint("Fill it first; of tables that refer to each other, fill both in one transaction, the foreign key being deferrable.")));
}

/*
 * gs_foreign_keys_known: the first place of what rows know by a reference, or
 * how many places there are (step is NULL).
 */
int
gs_foreign_keys_known(const GsOwners *owners, const GsOwnerStep *step)
{
	ListCell   *cell;
	int			n = 0;

	foreach(cell, owners->references)
	{
		if (lfirst(cell) == step)
			break;
		n += list_length(((const GsOwnerStep *) lfirst(cell))->known);
	}
	return n;
}

/*
 * An error if there is no key for something that rows must refer to.
 */
static void
check_references(const GsForeignKeys *fks)
{
	ListCell   *cell;

	foreach(cell, fks->owners == NULL ? NIL : fks->owners->references)
	{
		const GsOwnerStep *step = lfirst(cell);
		bool		found = false;

		for (int i = 0; i < fks->nfks; i++)
			found |= fks->fks[i].before &&
				gs_owners_reference(fks->owners,
									fks->fks[i].constraint->columns) == step;
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_FOREIGN_KEY),
					 errmsg("%s has no foreign key on column \"%s\" that leads to what its rows know",
							gs_relation_name(fks->target->relid, NULL),
							(char *) linitial(step->columns)),
					 errhint("Add the foreign key that the model's source has.")));
	}
}

/* A key that is to be opened. */
typedef struct Opening
{
	const GsConstraint *constraint;
	double		parents;		/* in the source */
	int			at;				/* among the target's */
} Opening;

/*
 * Those of many columns first, as they are harder to please; of as many, those
 * of most parents: a tenant's rows are as many as his users have, whatever the
 * few projects among which they are shared out.
 */
static int
by_order(const void *a, const void *b)
{
	const Opening *x = a;
	const Opening *y = b;
	int			m = list_length(x->constraint->columns);
	int			n = list_length(y->constraint->columns);

	if (m != n)
		return n - m;
	if (x->parents != y->parents && n > 1)
		return x->parents > y->parents ? -1 : 1;
	return x->at - y->at;
}

static void
open_keys(GsForeignKeys *fks, uint64 key, bool may_defer)
{
	const GsModel *model = fks->sampler->model;
	Opening    *opening = palloc(sizeof(Opening) *
								 Max(list_length(fks->target->constraints), 1));
	GsOffspring offspring;
	int			n = 0;
	ListCell   *cell;

	foreach(cell, fks->target->constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->parent == NULL ||
			gs_owners_are(model->version->owners, constraint->columns))
			continue;
		(void) gs_offspring_load(&offspring, model, constraint);
		opening[n] = (Opening)
		{
			constraint, offspring.all_parents, n
		};
		n++;
	}
	qsort(opening, n, sizeof(Opening), by_order);
	for (int i = 0; i < n; i++)
		open_key(fks, opening[i].constraint, key, may_defer);
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

	fks->target = target;
	fks->sampler = sampler;
	if (model->version->owners != NULL)
		fks->owners = gs_owners_load(model->version->owners);
	fks->n = rows;
	fks->fks = palloc0(sizeof(GsForeignKey) *
					   Max(list_length(target->constraints), 1));
	/* children of two tables must not go together */
	key = gs_mix64(key, hash_bytes_extended(name, strlen(model->name), 0));
	open_keys(fks, key, may_defer);
	check_references(fks);
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
