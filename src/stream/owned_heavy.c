/*
 * owned_heavy.c
 *	  Owners that stand out, of rows that are made owner by owner.
 *
 * A system account may have a third of all entries.  What others have says
 * nothing of that, and a model of counts, which protects single owners, does not
 * know it; but that of the rows by themselves does, by the key's value
 * (fit/children.c).  With a share s of all rows, where such owners have K
 * together, he gets s / (1 - K) of what all others have.
 */
#include "postgres.h"

#include <math.h>

#include "utils/lsyscache.h"

#include "fit/children.h"
#include "stream/offspring.h"
#include "stream/owned_state.h"

static int
by_hash(const void *a, const void *b)
{
	const GsHeavyOwner *x = a;
	const GsHeavyOwner *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/*
 * The foreign key that leads to the owners, of one column; NULL if there is
 * none.
 */
static const GsConstraint *
find_key(const GsOwned *owned, List *constraints)
{
	const GsOwnerStep *step = linitial(owned->owners->steps);
	ListCell   *cell;

	if (owned->supply->nkeys != 1 || owned->supply->now != NULL ||
		list_length(step->columns) != 1)
		return NULL;
	foreach(cell, constraints)
	{
		const GsConstraint *constraint = lfirst(cell);

		if (constraint->parent != NULL &&
			list_length(constraint->columns) == 1 &&
			gs_is_named(constraint->columns, linitial(step->columns)))
			return constraint;
	}
	return NULL;
}

/*
 * gs_owned_stand_out: heeds owners that stand out.  To be called before rows
 * are counted or made.
 *
 * plain: the model of the rows by themselves; constraints: of the table that
 * takes them; others: rows of all other owners together, as
 * gs_owned_count says; 0 before it is called
 */
void
gs_owned_stand_out(GsOwned *owned, const GsModel *plain, List *constraints,
				   double others)
{
	const GsConstraint *key = find_key(owned, constraints);
	FormData_pg_attribute type = {0};
	GsOffspring offspring;
	Datum	   *values;
	double	   *shares;
	double		all = 0;
	bool		complete;
	int			n;

	if (key == NULL || !gs_offspring_load(&offspring, plain, key))
		return;
	type.atttypid = get_atttype(key->parent_oid,
								get_attnum(key->parent_oid,
										   linitial(key->parent_columns)));
	get_typlenbyval(type.atttypid, &type.attlen, &type.attbyval);
	n = gs_children_known(key, plain->schema, getBaseType(type.atttypid),
						  offspring.all_parents, &values, &shares, &complete);
	if (n == 0 || complete)
		return;
	for (int i = 0; i < n; i++)
		all += shares[i];
	if (all > 1 - 1e-6)
		return;
	owned->heavy = palloc0(sizeof(GsHeavyOwner) * n);
	owned->nheavy = n;
	for (int i = 0; i < n; i++)
	{
		owned->heavy[i].hash = gs_key_hash(0, values[i], &type);
		owned->heavy[i].share = shares[i] / (1 - all);
	}
	qsort(owned->heavy, n, sizeof(GsHeavyOwner), by_hash);
	owned->others = others;
	owned->key_type = type;
}

/*
 * gs_owned_count_heavy: what those of the owners at hand that stand out have.
 */
void
gs_owned_count_heavy(GsOwned *owned)
{
	const GsSupply *supply = owned->supply;

	for (int i = 0; i < supply->nowners && owned->nheavy > 0; i++)
	{
		Size		at = (Size) i * supply->nowner;
		GsHeavyOwner wanted;
		GsHeavyOwner *found;

		if (supply->nulls[at])
			continue;
		wanted.hash = gs_key_hash(0, supply->owner[at], &owned->key_type);
		found = bsearch(&wanted, owned->heavy, owned->nheavy,
						sizeof(GsHeavyOwner), by_hash);
		if (found == NULL)
			continue;
		found->present = true;
		owned->expected[i] = llround(found->share * owned->others);
	}
}

/*
 * gs_owned_heavy_rows: how many rows those that were counted have, where all
 * others have so many.
 */
int64
gs_owned_heavy_rows(const GsOwned *owned, double others)
{
	int64		rows = 0;

	for (int i = 0; i < owned->nheavy; i++)
		if (owned->heavy[i].present)
			rows += llround(owned->heavy[i].share * others);
	return rows;
}
