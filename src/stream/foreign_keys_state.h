/*
 * foreign_keys_state.h
 *	  Foreign keys of rows that fill a table, for the files that set them.
 */
#ifndef GENSYNTH_FOREIGN_KEYS_STATE_H
#define GENSYNTH_FOREIGN_KEYS_STATE_H

#include "numeric/permute.h"
#include "numeric/philox.h"
#include "owner/owners.h"
#include "stream/foreign_keys.h"
#include "stream/offspring.h"

#define MAX_KEY_COLUMNS	32		/* INDEX_MAX_KEYS */

typedef struct GsForeignKey
{
	const GsConstraint *constraint;
	TupleDesc	desc;			/* of its columns */
	int			at[MAX_KEY_COLUMNS];	/* places among the filled columns */
	bool		shared[MAX_KEY_COLUMNS];	/* an earlier key fills it */
	int			nshared;
	bool		grouped[MAX_KEY_COLUMNS];	/* see find_groups */
	int			ngrouped;
	const struct GsForeignKey *leader;	/* an earlier one with these groups */
	bool		own;			/* the table is its own parent */
	int			own_at[MAX_KEY_COLUMNS];	/* of the keys; -1: not filled */
	bool		nullable;
	bool		full;			/* MATCH FULL: all of it NULL, or nothing */
	bool		always;			/* the model does not know the columns */
	bool		unique;			/* a parent has one child at most */
	bool		deferred;		/* its parents come later */
	double		share;			/* of the rows that it is about: of a link */
	bool		before;			/* set before rows are made, which know ... */
	TupleDesc	columns;		/* ... columns of the parents; NULL: none */
	int			known_at;		/* first place of these among all that rows know */
	int64		skip;			/* parents passed over for the row at hand */
	int			like;			/* parents are grouped by this column; -1: not */
	const char *like_name;		/* a row's is often the same as this */
	double		like_share;
	uint64		like_hash;		/* of the row at hand; 0: nothing */
	int64		alike;			/* parent of the row at hand, none passed over */
	int64	   *used;			/* [groups] children that have been given out */
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
	int64		parent;			/* of the last row; -1: none */
	double		child;			/* that the last row was, of its group, ... */
	double		children;		/* ... which has so many */
} GsForeignKey;

struct GsForeignKeys
{
	const GsTarget *target;
	const GsSampler *sampler;
	const GsOwners *owners;		/* whose rows these are; NULL: nobody's */
	int64		n;
	int			nfks;
	GsForeignKey *fks;
	GsForeignKey *last;			/* of those set before rows are made; NULL */
};

/*
 * gs_foreign_key_uniform: a number between 0 and 1, neither of them.
 */
static inline double
gs_foreign_key_uniform(uint64 hash)
{
	return ((hash >> 12) + 0.5) / (UINT64CONST(1) << 52);
}

/*
 * gs_foreign_key_shift: where the systematic sample begins that a group's
 * parents are.
 */
static inline double
gs_foreign_key_shift(const GsForeignKey *fk, int64 group)
{
	if (fk->ngrouped == 0)
		return 0.5;
	return gs_foreign_key_uniform(gs_mix64(fk->key, group));
}

extern void gs_foreign_key_read_parents(GsForeignKey *fk);

#endif
