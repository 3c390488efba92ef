/*
 * links.c
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
#include "stream/links.h"

#define MAX_KEY_COLUMNS	32		/* INDEX_MAX_KEYS */
#define MAX_LEVELS		2048	/* of a column that is known value by value */
#define MOST_OWN		65536	/* parents kept of a table that is its own */
#define MATCH_TRIES		10000	/* parents looked at for one that matches */

/* A value of the source, and the parent that it stands for. */
typedef struct Level
{
	uint64		hash;			/* of the value */
	int64		parent;			/* -1: itself */
} Level;

typedef struct Link
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
} Link;

struct GsLinks
{
	const GsTarget *target;
	const GsSampler *sampler;
	uint64		key;
	int64		n;
	int			nlinks;
	Link	   *links;
};

static int
place_of(const GsTarget *target, const char *name)
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
read_keys(const GsTarget *target, Link *link)
{
	StringInfoData columns;
	StringInfoData order;
	ListCell   *cell;
	int64		n = 0;
	int			c = 0;

	initStringInfo(&columns);
	initStringInfo(&order);
	foreach(cell, link->constraint->parent_columns)
	{
		const char *name = quote_identifier(lfirst(cell));
		Form_pg_attribute attribute = TupleDescAttr(target->desc,
													link->at[c]);

		/* as the referring column has it */
		appendStringInfo(&columns, "%s%s::%s", c > 0 ? ", " : "", name,
						 format_type_extended(attribute->atttypid,
											  attribute->atttypmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN |
											  FORMAT_TYPE_FORCE_QUALIFY));
		appendStringInfo(&order, "%s%d", c > 0 ? ", " : "", c + 1);
		c++;
	}
	MemoryContextReset(link->context);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	gs_run(link->own ?
		   psprintf("SELECT %s FROM %s ORDER BY %s LIMIT %d", columns.data,
					link->constraint->parent, order.data, MOST_OWN) :
		   psprintf("SELECT %s FROM %s ORDER BY %s", columns.data,
					link->constraint->parent, order.data),
		   0, NULL, NULL, NULL, false);
	link->keys = MemoryContextAllocHuge(link->context, sizeof(Datum) *
										Max(SPI_processed, 1) *
										link->ncolumns);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		null = false;

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < link->ncolumns; k++)
		{
			bool		isnull;
			Datum		value = gs_result(i, k + 1, &isnull);
			MemoryContext old = MemoryContextSwitchTo(link->context);

			null |= isnull;
			if (!isnull)
				link->keys[n * link->ncolumns + k] =
					gs_datum_copy(value, link->byval[k], link->len[k]);
			MemoryContextSwitchTo(old);
		}
		/* what is referred to is unique, but may be NULL */
		n += !null;
	}
	SPI_finish();
	link->nparents = n;
}

/*
 * Gives each parent its number of children.
 */
static void
share_out(GsLinks *links, Link *link)
{
	const GsTensor *tensor = gs_tensor_find(links->sampler->model->version->tensors,
											gs_children_name(link->constraint));
	const int64 *counts;
	double		total = 0;
	int64		end = 0;

	link->ends = NULL;
	if (link->nparents == 0)
		return;
	gs_permute_init(&link->parents, link->nparents,
					gs_mix64(links->key, link - links->links));
	if (tensor == NULL || link->own)
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
	link->ends = MemoryContextAllocHuge(link->context,
										sizeof(int64) * link->nparents);
	for (int64 p = 0; p < link->nparents; p++)
	{
		double		place = (gs_permute(&link->parents, p) + 0.5) /
			link->nparents * total;
		int			i = 0;

		CHECK_FOR_INTERRUPTS();
		while (i < tensor->dims[0] - 1 && place >= counts[2 * i + 1])
			place -= counts[2 * i++ + 1];
		end += counts[2 * i];
		link->ends[p] = end;
	}
	if (end == 0)
		link->ends = NULL;
}

static uint64
hash_value(const Link *link, Datum value)
{
	const void *bytes = DatumGetPointer(value);

	if (link->byval[0])
		return gs_mix64(value, 0);
	if (link->len[0] < 0)
		return hash_bytes_extended((const unsigned char *) VARDATA_ANY(bytes),
								   VARSIZE_ANY_EXHDR(bytes), 0);
	return hash_bytes_extended(bytes, link->len[0], 0);
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
has_key(const Link *link, Oid type, Datum value)
{
	return gs_run(psprintf("SELECT FROM %s WHERE %s OPERATOR(pg_catalog.=) $1 LIMIT 1",
						   link->constraint->parent,
						   quote_identifier(linitial(link->constraint->parent_columns))),
				  1, &type, &value, NULL, true) > 0;
}

/*
 * The values that the model knows of a column, each with the parent that it
 * stands for.
 */
static void
find_levels(GsLinks *links, Link *link)
{
	const GsSchema *schema = links->sampler->schema;
	Form_pg_attribute attribute = TupleDescAttr(links->target->desc,
												link->at[0]);
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
	if (n == 0 || n > MAX_LEVELS || link->nparents == 0)
		return;
	levels = palloc(sizeof(Level) * n);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (int i = 0; i < n; i++)
	{
		levels[i].hash = hash_value(link, values[i]);
		levels[i].parent = has_key(link, attribute->atttypid, values[i]) ? -1 :
			(int64) gs_permute(&link->parents, i % link->nparents);
	}
	SPI_finish();
	qsort(levels, n, sizeof(Level), by_hash);
	link->levels = levels;
	link->nlevels = n;
}

static void
open_link(GsLinks *links, const GsConstraint *constraint)
{
	const GsTarget *target = links->target;
	Link	   *link = &links->links[links->nlinks];
	ListCell   *cell;
	ListCell   *parent = list_head(constraint->parent_columns);

	memset(link, 0, sizeof(Link));
	link->constraint = constraint;
	link->own = constraint->parent_oid == target->relid;
	link->nullable = true;
	link->full = strstr(constraint->definition, " MATCH FULL") != NULL;
	foreach(cell, constraint->columns)
	{
		int			k = link->ncolumns++;
		Form_pg_attribute attribute;
		bool		known = false;

		link->at[k] = place_of(target, lfirst(cell));
		if (link->at[k] < 0)
			return;				/* left to the target: so is the whole key */
		attribute = TupleDescAttr(target->desc, link->at[k]);
		link->len[k] = attribute->attlen;
		link->byval[k] = attribute->attbyval;
		for (int l = 0; l < links->nlinks; l++)
			for (int j = 0; j < links->links[l].ncolumns; j++)
				link->shared[k] |= links->links[l].at[j] == link->at[k];
		link->any_shared |= link->shared[k];
		for (int c = 0; c < links->sampler->schema->ncolumns; c++)
			known |= strcmp(links->sampler->schema->columns[c].name,
							lfirst(cell)) == 0;
		link->always |= !known;
		if (target->notnull[link->at[k]])
			link->nullable = false;
		link->own_at[k] = place_of(target, lfirst(parent));
		parent = lnext(constraint->parent_columns, parent);
	}
	check_access(constraint);
	link->context = AllocSetContextCreate(CurrentMemoryContext,
										  "gensynth keys",
										  ALLOCSET_DEFAULT_SIZES);
	links->nlinks++;
	gs_permute_init(&link->rows, Max(links->n, 1),
					gs_mix64(links->key, 1000 + links->nlinks));
	read_keys(target, link);
	share_out(links, link);
	if (link->ncolumns == 1 && !link->own)
		find_levels(links, link);
	if (link->nparents == 0 && !link->nullable && !link->own)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s, which foreign key \"%s\" refers to, has no rows",
						constraint->parent, constraint->name),
				 errhint("Fill it first.")));
}

/*
 * gs_links_open: the foreign keys of a target whose columns are filled, in
 * the current context, within an SPI connection.
 *
 * rows: that there will be.  Errors: insufficient_privilege where the caller
 * may not read a parent's keys, foreign_key_violation where it has none.
 */
GsLinks *
gs_links_open(const GsTarget *target, const GsSampler *sampler, int64 seed,
			  int64 rows)
{
	GsLinks    *links = palloc0(sizeof(GsLinks));
	ListCell   *cell;

	links->target = target;
	links->sampler = sampler;
	links->key = gs_mix64(seed, sampler->model->version->version);
	links->n = rows;
	links->links = palloc0(sizeof(Link) *
						   Max(list_length(target->constraints), 1));
	/* those of many columns first, as they are harder to please */
	for (int n = MAX_KEY_COLUMNS; n > 0; n--)
		foreach(cell, target->constraints)
		{
			const GsConstraint *constraint = lfirst(cell);

			if (constraint->parent != NULL &&
				list_length(constraint->columns) == n)
				open_link(links, constraint);
		}
	return links;
}

/*
 * gs_links_refresh: looks again at the keys of a target that is its own
 * parent, after rows have been put into it.
 */
void
gs_links_refresh(GsLinks *links)
{
	for (int l = 0; l < links->nlinks; l++)
	{
		Link	   *link = &links->links[l];

		if (!link->own)
			continue;
		read_keys(links->target, link);
		share_out(links, link);
	}
}

/*
 * The parent of a row; -1 for none.
 */
static int64
find_parent(const GsLinks *links, const Link *link, int64 row)
{
	double		place;
	int64		low = 0;
	int64		high = link->nparents - 1;

	if (link->nparents == 0)
		return -1;
	/* rows in the place of others may have any parent */
	if (row >= links->n)
		return (int64) (gs_mix64(links->key, row) % link->nparents);
	place = (gs_permute(&link->rows, row) + 0.5) / links->n;
	if (link->ends == NULL)
		return Min((int64) (place * link->nparents), high);
	place *= link->ends[high];
	while (low < high)
	{
		int64		middle = low + (high - low) / 2;

		if (link->ends[middle] > place)
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
match_shared(const Link *link, int64 parent, const Datum *values,
			 const bool *nulls)
{
	for (int64 try = 0; try < Min(link->nparents, MATCH_TRIES); try++)
	{
		int64		p = (parent + try) % link->nparents;
		bool		matches = true;

		for (int k = 0; k < link->ncolumns && matches; k++)
			if (link->shared[k])
				matches = !nulls[link->at[k]] &&
					datumIsEqual(values[link->at[k]],
								 link->keys[p * link->ncolumns + k],
								 link->byval[k], link->len[k]);
		if (matches)
			return p;
	}
	return -1;
}

static void
refer_to_none(const Link *link, Datum *values, bool *nulls)
{
	for (int k = 0; k < link->ncolumns; k++)
	{
		if (link->shared[k])
			continue;
		values[link->at[k]] = (Datum) 0;
		nulls[link->at[k]] = true;
	}
}

/*
 * The level that a value of the model is; NULL if it is none.
 */
static const Level *
find_level(const Link *link, Datum value)
{
	Level		wanted;

	if (link->nlevels == 0)
		return NULL;
	wanted.hash = hash_value(link, value);
	return bsearch(&wanted, link->levels, link->nlevels, sizeof(Level),
				   by_hash);
}

/*
 * Sets the columns of one key.  False where no parent goes with what others
 * have put into columns that they share.
 */
static bool
fill_link(const GsLinks *links, const Link *link, int64 row, Datum *values,
		  bool *nulls)
{
	bool		null = false;
	const Level *level = NULL;
	int64		parent;

	for (int k = 0; k < link->ncolumns; k++)
		null |= nulls[link->at[k]] && !link->shared[k];
	if (null && link->nullable && !link->always)
	{
		refer_to_none(link, values, nulls);
		return !(link->any_shared && link->full);
	}
	if (!null)
		level = find_level(link, values[link->at[0]]);
	if (level != NULL && level->parent < 0)
		return true;
	parent = level != NULL ? level->parent : find_parent(links, link, row);
	if (parent >= 0 && link->any_shared)
		parent = match_shared(link, parent, values, nulls);
	if (parent < 0 && link->nullable)
	{
		refer_to_none(link, values, nulls);
		return !(link->any_shared && link->full);
	}
	for (int k = 0; k < link->ncolumns; k++)
	{
		/* the first row of a table that is its own parent is its own */
		if (parent < 0 && (!link->own || link->own_at[k] < 0))
			return false;
		values[link->at[k]] = parent < 0 ? values[link->own_at[k]] :
			link->keys[parent * link->ncolumns + k];
		nulls[link->at[k]] = false;
	}
	return true;
}

/*
 * gs_links_fill: sets a row's foreign keys.  Returns NULL, or the name of one
 * for which there is no parent.
 *
 * row: its number in the fill, from 0; values, nulls: [natts] of the target's
 * filled columns, changed
 */
const char *
gs_links_fill(GsLinks *links, int64 row, Datum *values, bool *nulls)
{
	for (int l = 0; l < links->nlinks; l++)
		if (!fill_link(links, &links->links[l], row, values, nulls))
			return links->links[l].constraint->name;
	return NULL;
}

/*
 * gs_links_keys: the keys of the parent that a filled column refers to by
 * itself.  Sets *keys to the first, each *stride beyond the one before, and
 * returns how many; -1 if the column refers to none, or not alone.
 */
int64
gs_links_keys(const GsLinks *links, int at, const Datum **keys, int *stride)
{
	for (int l = 0; l < links->nlinks; l++)
	{
		const Link *link = &links->links[l];

		for (int k = 0; k < link->ncolumns; k++)
		{
			if (link->at[k] != at)
				continue;
			if (link->ncolumns > 1 || link->own)
				return 0;
			*keys = link->keys;
			*stride = 1;
			return link->nparents;
		}
	}
	return -1;
}

/*
 * gs_links_room: how many rows can be made before gs_links_refresh is called
 * again, so that those of a table which is its own parent refer to rows of
 * all ages.
 */
int64
gs_links_room(const GsLinks *links)
{
	int64		room = PG_INT64_MAX;

	for (int l = 0; l < links->nlinks; l++)
		if (links->links[l].own)
			room = Min(room, Max(links->links[l].nparents, 1));
	return room;
}
