/*
 * foreign_keys.c
 *	  Foreign keys of rows that fill a table.
 *
 * A row refers to one of the keys that the parent table has now.  Each parent
 * is given a number of children, so that these are distributed as in the
 * source (children.c), none among them; the children are laid end to end, and
 * a row takes the place that a keyed permutation of its number leads to.  So
 * parents get their share to within a row, and no state is kept.
 *
 * Where the model knows the column value by value (a small parent), a row's
 * own value stays if the parent has it, and otherwise always becomes the same
 * one: what depends on it still does.
 *
 * A table that refers to itself is its own parent: rows refer to rows that
 * are in it, so they make a forest.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "catalog/access.h"
#include "codec/datum.h"
#include "encode/decode.h"
#include "fit/children.h"
#include "numeric/permute.h"
#include "owner/owners.h"
#include "stream/foreign_keys.h"

#define MAX_KEY_COLUMNS	32		/* INDEX_MAX_KEYS */
#define MAX_LEVELS		2048	/* of a column that is known value by value */
#define MAX_OWN		65536		/* parents kept of a table that is its own */
#define MATCH_TRIES		10000	/* parents looked at for one that matches */

/* A value of the source, and the parent that it stands for. */
typedef struct Level
{
	uint64		hash;			/* of the value */
	int64		parent;			/* -1: itself */
} Level;

typedef struct ForeignKey
{
	const GsConstraint *constraint;
	int			ncolumns;
	int			at[MAX_KEY_COLUMNS];	/* places among the filled columns */
	bool		shared[MAX_KEY_COLUMNS];	/* an earlier link fills it */
	bool		any_shared;
	int16		len[MAX_KEY_COLUMNS];
	bool		byval[MAX_KEY_COLUMNS];
	bool		own;			/* the table is its own parent */
	int			own_at[MAX_KEY_COLUMNS];	/* of the keys; -1: not filled */
	bool		nullable;
	bool		full;			/* MATCH FULL: all of it NULL, or nothing */
	bool		always;			/* the model does not know the columns */
	MemoryContext context;		/* of keys */
	int64		nparents;
	Datum	   *keys;			/* [nparents][ncolumns] */
	int64	   *ends;			/* [nparents] children up to and with it */
	GsPermutation rows;			/* of [0, n) */
	GsPermutation parents;		/* of [0, nparents) */
	int			nlevels;
	Level	   *levels;			/* [nlevels] by hash; 0: not known so */
} ForeignKey;

struct GsForeignKeys
{
	const GsTarget *target;
	const GsSampler *sampler;
	uint64		key;
	int64		n;
	int			nfks;
	ForeignKey *fks;
};

static int
position_of(const GsTarget *target, const char *name)
{
	for (int i = 0; i < target->desc->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(target->desc, i)->attname), name) == 0)
			return i;
	return -1;
}

/*
 * Whether the caller may read the parent's keys; an error if not.
 */
static void
check_access(const GsConstraint *constraint)
{
	ListCell   *cell;

	if (pg_class_aclcheck(constraint->parent_oid, GetUserId(),
						  ACL_SELECT) == ACLCHECK_OK)
		return;
	foreach(cell, constraint->parent_columns)
		if (pg_attribute_aclcheck(constraint->parent_oid,
								  get_attnum(constraint->parent_oid,
											 lfirst(cell)),
								  GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied for the keys of %s, which foreign key \"%s\" refers to",
							constraint->parent, constraint->name),
					 errhint("Its owner can allow it: GRANT SELECT (%s) ON %s TO %s.",
							 quote_identifier(lfirst(cell)),
							 constraint->parent,
							 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

/*
 * Reads the parent's keys, in a well-defined order, as the caller.
 */
static void
read_keys(const GsTarget *target, ForeignKey *fk)
{
	StringInfoData columns;
	StringInfoData order;
	ListCell   *cell;
	int64		n = 0;
	int			c = 0;

	initStringInfo(&columns);
	initStringInfo(&order);
	foreach(cell, fk->constraint->parent_columns)
	{
		const char *name = quote_identifier(lfirst(cell));
		Form_pg_attribute attribute = TupleDescAttr(target->desc,
													fk->at[c]);

		/* as the referring column has it */
		appendStringInfo(&columns, "%s%s::%s", c > 0 ? ", " : "", name,
						 format_type_extended(attribute->atttypid,
											  attribute->atttypmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN |
											  FORMAT_TYPE_FORCE_QUALIFY));
		appendStringInfo(&order, "%s%d", c > 0 ? ", " : "", c + 1);
		c++;
	}
	MemoryContextReset(fk->context);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	gs_run(fk->own ?
		   psprintf("SELECT %s FROM %s ORDER BY %s LIMIT %d", columns.data,
					fk->constraint->parent, order.data, MAX_OWN) :
		   psprintf("SELECT %s FROM %s ORDER BY %s", columns.data,
					fk->constraint->parent, order.data),
		   0, NULL, NULL, NULL, false);
	fk->keys = MemoryContextAllocHuge(fk->context, sizeof(Datum) *
									  Max(SPI_processed, 1) *
									  fk->ncolumns);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		null = false;

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < fk->ncolumns; k++)
		{
			bool		isnull;
			Datum		value = gs_result(i, k + 1, &isnull);
			MemoryContext old = MemoryContextSwitchTo(fk->context);

			null |= isnull;
			if (!isnull)
				fk->keys[n * fk->ncolumns + k] =
					gs_datum_copy(value, fk->byval[k], fk->len[k]);
			MemoryContextSwitchTo(old);
		}
		/* what is referred to is unique, but may be NULL */
		n += !null;
	}
	SPI_finish();
	fk->nparents = n;
}

/*
 * Gives each parent its number of children.
 */
static void
share_out(GsForeignKeys *fks, ForeignKey *fk)
{
	const GsTensor *tensor =
		gs_tensor_find(fks->sampler->model->version->tensors,
											gs_children_name(fk->constraint));
	const int64 *counts;
	double		total = 0;
	int64		end = 0;

	fk->ends = NULL;
	if (fk->nparents == 0)
		return;
	gs_permute_init(&fk->parents, fk->nparents,
					gs_mix64(fks->key, fk - fks->fks));
	if (tensor == NULL || fk->own)
		return;
	if (tensor->type != GS_I8 || tensor->ndims != 2 || tensor->dims[1] != 2)
		gs_corrupted("Tensor \"%s\" has the wrong shape.", tensor->name);
	counts = tensor->data;
	for (int i = 0; i < tensor->dims[0]; i++)
	{
		if (counts[2 * i] < 0 || counts[2 * i + 1] < 0 ||
			counts[2 * i] > INT64CONST(1) << 32)
			gs_corrupted("Tensor \"%s\" has an impossible count.",
						 tensor->name);
		total += counts[2 * i + 1];
	}
	if (total <= 0)
		return;
	fk->ends = MemoryContextAllocHuge(fk->context,
									  sizeof(int64) * fk->nparents);
	for (int64 p = 0; p < fk->nparents; p++)
	{
		double		position = (gs_permute(&fk->parents, p) + 0.5) /
			fk->nparents * total;
		int			i = 0;

		CHECK_FOR_INTERRUPTS();
		while (i < tensor->dims[0] - 1 && position >= counts[2 * i + 1])
			position -= counts[2 * i++ + 1];
		end += counts[2 * i];
		fk->ends[p] = end;
	}
	if (end == 0)
		fk->ends = NULL;
}

static uint64
hash_value(const ForeignKey *fk, Datum value)
{
	const void *bytes = DatumGetPointer(value);

	if (fk->byval[0])
		return gs_mix64(value, 0);
	if (fk->len[0] < 0)
		return hash_bytes_extended((const unsigned char *) VARDATA_ANY(bytes),
								   VARSIZE_ANY_EXHDR(bytes), 0);
	return hash_bytes_extended(bytes, fk->len[0], 0);
}

static int
by_hash(const void *a, const void *b)
{
	uint64		x = ((const Level *) a)->hash;
	uint64		y = ((const Level *) b)->hash;

	return (x > y) - (x < y);
}

/*
 * Whether the parent has a key.
 */
static bool
has_key(const ForeignKey *fk, Oid type, Datum value)
{
	return gs_run(psprintf("SELECT FROM %s WHERE %s OPERATOR(pg_catalog.=) $1 LIMIT 1",
						   fk->constraint->parent,
						   quote_identifier(linitial(fk->constraint->parent_columns))),
				  1, &type, &value, NULL, true) > 0;
}

/*
 * The values that the model knows of a column, each with the parent that it
 * stands for.
 */
static void
find_levels(GsForeignKeys *fks, ForeignKey *fk)
{
	const GsSchema *schema = fks->sampler->schema;
	Form_pg_attribute attribute = TupleDescAttr(fks->target->desc,
												fk->at[0]);
	GsDecoder  *decoder = NULL;
	Datum	   *values;
	Level	   *levels;
	int			n;

	for (int c = 0; c < schema->ncolumns; c++)
		if (strcmp(schema->columns[c].name, NameStr(attribute->attname)) == 0 &&
			gs_is_column_of(&schema->columns[c], attribute->atttypid))
			decoder = gs_decoder_create(schema, c, attribute->atttypid);
	if (decoder == NULL || !gs_decoder_is_discrete(decoder))
		return;
	n = gs_decoder_values(decoder, &values);
	if (n == 0 || n > MAX_LEVELS || fk->nparents == 0)
		return;
	levels = palloc(sizeof(Level) * n);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (int i = 0; i < n; i++)
	{
		levels[i].hash = hash_value(fk, values[i]);
		levels[i].parent = has_key(fk, attribute->atttypid, values[i]) ? -1 :
			(int64) gs_permute(&fk->parents, i % fk->nparents);
	}
	SPI_finish();
	qsort(levels, n, sizeof(Level), by_hash);
	fk->levels = levels;
	fk->nlevels = n;
}

static void
open_key(GsForeignKeys *fks, const GsConstraint *constraint)
{
	const GsTarget *target = fks->target;
	ForeignKey *fk = &fks->fks[fks->nfks];
	ListCell   *cell;
	ListCell   *parent = list_head(constraint->parent_columns);

	memset(fk, 0, sizeof(ForeignKey));
	fk->constraint = constraint;
	fk->own = constraint->parent_oid == target->relid;
	fk->nullable = true;
	fk->full = strstr(constraint->definition, " MATCH FULL") != NULL;
	foreach(cell, constraint->columns)
	{
		int			k = fk->ncolumns++;
		Form_pg_attribute attribute;
		bool		known = false;

		fk->at[k] = position_of(target, lfirst(cell));
		if (fk->at[k] < 0)
			return;				/* left to the target: so is the whole key */
		attribute = TupleDescAttr(target->desc, fk->at[k]);
		fk->len[k] = attribute->attlen;
		fk->byval[k] = attribute->attbyval;
		for (int l = 0; l < fks->nfks; l++)
			for (int j = 0; j < fks->fks[l].ncolumns; j++)
				fk->shared[k] |= fks->fks[l].at[j] == fk->at[k];
		fk->any_shared |= fk->shared[k];
		for (int c = 0; c < fks->sampler->schema->ncolumns; c++)
			known |= strcmp(fks->sampler->schema->columns[c].name,
							lfirst(cell)) == 0;
		fk->always |= !known;
		if (target->notnull[fk->at[k]])
			fk->nullable = false;
		fk->own_at[k] = position_of(target, lfirst(parent));
		parent = lnext(constraint->parent_columns, parent);
	}
	check_access(constraint);
	fk->context = AllocSetContextCreate(CurrentMemoryContext,
										"gensynth keys",
										ALLOCSET_DEFAULT_SIZES);
	fks->nfks++;
	gs_permute_init(&fk->rows, Max(fks->n, 1),
					gs_mix64(fks->key, 1000 + fks->nfks));
	read_keys(target, fk);
	share_out(fks, fk);
	if (fk->ncolumns == 1 && !fk->own)
		find_levels(fks, fk);
	if (fk->nparents == 0 && !fk->nullable && !fk->own)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s, which foreign key \"%s\" refers to, has no rows",
						constraint->parent, constraint->name),
				 errhint("Fill it first.")));
}

/*
 * gs_foreign_keys_open: the foreign keys of a target whose columns are filled,
 * in the current context, within an SPI connection.
 *
 * rows: that there will be.  Errors: insufficient_privilege where the caller
 * may not read a parent's keys, foreign_key_violation where it has none.
 */
GsForeignKeys *
gs_foreign_keys_open(const GsTarget *target, const GsSampler *sampler,
					 int64 seed,
					 int64 rows)
{
	GsForeignKeys    *fks = palloc0(sizeof(GsForeignKeys));
	ListCell   *cell;

	fks->target = target;
	fks->sampler = sampler;
	fks->key = gs_mix64(seed, sampler->model->version->version);
	fks->n = rows;
	fks->fks = palloc0(sizeof(ForeignKey) *
					   Max(list_length(target->constraints), 1));
	/* those of many columns first, as they are harder to please */
	for (int n = MAX_KEY_COLUMNS; n > 0; n--)
		foreach(cell, target->constraints)
		{
			const GsConstraint *constraint = lfirst(cell);

			if (constraint->parent != NULL &&
				list_length(constraint->columns) == n &&
				!gs_owners_are(sampler->model->version->owners,
							   constraint->columns))
				open_key(fks, constraint);
		}
	return fks;
}

/*
 * gs_foreign_keys_refresh: looks again at the keys of a target that is its own
 * parent, after rows have been put into it.
 */
void
gs_foreign_keys_refresh(GsForeignKeys *fks)
{
	for (int l = 0; l < fks->nfks; l++)
	{
		ForeignKey *fk = &fks->fks[l];

		if (!fk->own)
			continue;
		read_keys(fks->target, fk);
		share_out(fks, fk);
	}
}

/*
 * The parent of a row; -1 for none.
 */
static int64
find_parent(const GsForeignKeys *fks, const ForeignKey *fk, int64 row)
{
	double		position;
	int64		low = 0;
	int64		high = fk->nparents - 1;

	if (fk->nparents == 0)
		return -1;
	/* rows in the place of others may have any parent */
	if (row >= fks->n)
		return (int64) (gs_mix64(fks->key, row) % fk->nparents);
	position = (gs_permute(&fk->rows, row) + 0.5) / fks->n;
	if (fk->ends == NULL)
		return Min((int64) (position * fk->nparents), high);
	position *= fk->ends[high];
	while (low < high)
	{
		int64		middle = low + (high - low) / 2;

		if (fk->ends[middle] > position)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/*
 * From a parent on, the next one that has what other links have put into the
 * columns that they share.
 */
static int64
match_shared(const ForeignKey *fk, int64 parent, const Datum *values,
			 const bool *nulls)
{
	for (int64 try = 0; try < Min(fk->nparents, MATCH_TRIES); try++)
	{
		int64		p = (parent + try) % fk->nparents;
		bool		matches = true;

		for (int k = 0; k < fk->ncolumns && matches; k++)
			if (fk->shared[k])
				matches = !nulls[fk->at[k]] &&
					datumIsEqual(values[fk->at[k]],
								 fk->keys[p * fk->ncolumns + k],
								 fk->byval[k], fk->len[k]);
		if (matches)
			return p;
	}
	return -1;
}

static void
refer_to_none(const ForeignKey *fk, Datum *values, bool *nulls)
{
	for (int k = 0; k < fk->ncolumns; k++)
	{
		if (fk->shared[k])
			continue;
		values[fk->at[k]] = (Datum) 0;
		nulls[fk->at[k]] = true;
	}
}

/*
 * The level that a value of the model is; NULL if it is none.
 */
static const Level *
find_level(const ForeignKey *fk, Datum value)
{
	Level		wanted;

	if (fk->nlevels == 0)
		return NULL;
	wanted.hash = hash_value(fk, value);
	return bsearch(&wanted, fk->levels, fk->nlevels, sizeof(Level),
				   by_hash);
}

/*
 * Sets the columns of one key.  False where no parent goes with what others
 * have put into columns that they share.
 */
static bool
fill_key(const GsForeignKeys *fks, const ForeignKey *fk, int64 row,
		 Datum *values,
		 bool *nulls)
{
	bool		null = false;
	const Level *level = NULL;
	int64		parent;

	for (int k = 0; k < fk->ncolumns; k++)
		null |= nulls[fk->at[k]] && !fk->shared[k];
	if (null && fk->nullable && !fk->always)
	{
		refer_to_none(fk, values, nulls);
		return !(fk->any_shared && fk->full);
	}
	if (!null)
		level = find_level(fk, values[fk->at[0]]);
	if (level != NULL && level->parent < 0)
		return true;
	parent = level != NULL ? level->parent : find_parent(fks, fk, row);
	if (parent >= 0 && fk->any_shared)
		parent = match_shared(fk, parent, values, nulls);
	if (parent < 0 && fk->nullable)
	{
		refer_to_none(fk, values, nulls);
		return !(fk->any_shared && fk->full);
	}
	for (int k = 0; k < fk->ncolumns; k++)
	{
		/* the first row of a table that is its own parent is its own */
		if (parent < 0 && (!fk->own || fk->own_at[k] < 0))
			return false;
		values[fk->at[k]] = parent < 0 ? values[fk->own_at[k]] :
			fk->keys[parent * fk->ncolumns + k];
		nulls[fk->at[k]] = false;
	}
	return true;
}

/*
 * gs_foreign_keys_fill: sets a row's foreign keys.  Returns NULL, or the name of one
 * for which there is no parent.
 *
 * row: its number in the fill, from 0; values, nulls: [natts] of the target's
 * filled columns, changed
 */
const char *
gs_foreign_keys_fill(GsForeignKeys *fks, int64 row, Datum *values, bool *nulls)
{
	for (int l = 0; l < fks->nfks; l++)
		if (!fill_key(fks, &fks->fks[l], row, values, nulls))
			return fks->fks[l].constraint->name;
	return NULL;
}

/*
 * gs_foreign_keys_of: the keys of the parent that a filled column refers to by
 * itself.  Sets *keys to the first, each *stride beyond the one before, and
 * returns how many; -1 if the column refers to none, or not alone.
 */
int64
gs_foreign_keys_of(const GsForeignKeys *fks, int at, const Datum **keys,
				   int *stride)
{
	for (int l = 0; l < fks->nfks; l++)
	{
		const ForeignKey *fk = &fks->fks[l];

		for (int k = 0; k < fk->ncolumns; k++)
		{
			if (fk->at[k] != at)
				continue;
			if (fk->ncolumns > 1 || fk->own)
				return 0;
			*keys = fk->keys;
			*stride = 1;
			return fk->nparents;
		}
	}
	return -1;
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

	for (int l = 0; l < fks->nfks; l++)
		if (fks->fks[l].own)
			room = Min(room, Max(fks->fks[l].nparents, 1));
	return room;
}
