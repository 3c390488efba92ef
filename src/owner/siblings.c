/*
 * siblings.c
 *	  What a row may know of the rows of its owner that come before it.
 *
 * Of the owner: how many rows it has, which one this is, and how many are to
 * come.  Of each column: its value in the row before and in the first one; of
 * numbers their mean so far, of all others but days and times how many
 * different values there were.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "owner/siblings.h"

/* Different values that are told from each other: more are as many. */
#define MAX_DISTINCT	16

/* What is known of the rows of an owner as a whole. */
typedef enum OwnerColumn
{
	OWNER_SIBLINGS,
	OWNER_POSITION,				/* from 1 */
	OWNER_REMAINING,			/* after this one */
	OWNER_COLUMNS
} OwnerColumn;

static const char *const owner_names[OWNER_COLUMNS] = {
	"siblings", "position", "remaining"
};

typedef struct Column
{
	char	   *name;
	Oid			type;			/* as declared */
	int32		typmod;
	Oid			collation;
	Oid			base;			/* without domains */
	bool		byval;
	int16		len;
	bool		number;			/* has a mean */
	FmgrInfo   *hash;			/* its values are told apart; or NULL */
	int			third;			/* mean or distinct values: the column's place
								 * in what is known; -1: neither */
} Column;

/* Of one column of one owner. */
typedef struct Memory
{
	Datum		before;
	Datum		first;
	bool		before_null;
	bool		first_null;
	int16		ndistinct;
	int64		count;			/* of numbers, and their sum */
	double		sum;
	uint32		seen[MAX_DISTINCT];
} Memory;

struct GsSiblings
{
	int			ncolumns;
	Column	   *columns;		/* [ncolumns] */
	int			nknown;			/* columns that are known of a row */
	int64	   *expected;		/* [nowners] rows that there are to be */
	int64	   *made;			/* [nowners] rows so far */
	Memory	   *memory;			/* [nowners][ncolumns] */
	MemoryContext context;		/* of values that are not passed by value */
};

static bool
is_number(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == FLOAT4OID || type == FLOAT8OID || type == NUMERICOID;
}

static bool
is_moment(Oid type)
{
	return type == DATEOID || type == TIMEOID || type == TIMESTAMPOID ||
		type == TIMESTAMPTZOID;
}

static double
to_double(Oid type, Datum value)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		default:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
													  value));
	}
}

/*
 * gs_siblings_create: remembers the first ncolumns columns of a row type, for
 * up to nowners owners at once, in the current context.
 */
GsSiblings *
gs_siblings_create(TupleDesc desc, int ncolumns, int nowners)
{
	GsSiblings *siblings = palloc0(sizeof(GsSiblings));

	siblings->ncolumns = ncolumns;
	siblings->columns = palloc0(sizeof(Column) * Max(ncolumns, 1));
	siblings->expected = palloc0(sizeof(int64) * nowners);
	siblings->made = palloc0(sizeof(int64) * nowners);
	siblings->memory = palloc_extended(sizeof(Memory) * nowners *
									   Max(ncolumns, 1),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	siblings->context = AllocSetContextCreate(CurrentMemoryContext,
											  "gensynth siblings",
											  ALLOCSET_DEFAULT_SIZES);
	siblings->nknown = OWNER_COLUMNS + 2 * ncolumns;
	for (int c = 0; c < ncolumns; c++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, c);
		Column	   *column = &siblings->columns[c];

		column->name = pstrdup(NameStr(attribute->attname));
		column->type = attribute->atttypid;
		column->typmod = attribute->atttypmod;
		column->collation = attribute->attcollation;
		column->base = getBaseType(attribute->atttypid);
		column->byval = attribute->attbyval;
		column->len = attribute->attlen;
		column->number = is_number(column->base);
		column->third = -1;
		if (!column->number && !is_moment(column->base))
		{
			TypeCacheEntry *entry = lookup_type_cache(column->base,
													  TYPECACHE_HASH_PROC_FINFO);

			if (OidIsValid(entry->hash_proc))
				column->hash = &entry->hash_proc_finfo;
		}
		if (column->number || column->hash != NULL)
			column->third = siblings->nknown++;
	}
	return siblings;
}

/*
 * gs_siblings_count: how many columns are known of a row.
 */
int
gs_siblings_count(const GsSiblings *siblings)
{
	return siblings->nknown;
}

/*
 * gs_siblings_describe: column i, from 0, of those that are known.
 */
void
gs_siblings_describe(const GsSiblings *siblings, int i, char **name,
					 Oid *type, int32 *typmod, Oid *collation)
{
	const Column *column;

	*typmod = -1;
	*collation = InvalidOid;
	*type = INT8OID;
	if (i < OWNER_COLUMNS)
	{
		*name = pstrdup(owner_names[i]);
		return;
	}
	i -= OWNER_COLUMNS;
	if (i < 2 * siblings->ncolumns)
	{
		column = &siblings->columns[i / 2];
		*name = psprintf("%s(%s)", i % 2 == 0 ? "previous" : "first",
						 column->name);
		*type = column->type;
		*typmod = column->typmod;
		*collation = column->collation;
		return;
	}
	column = siblings->columns;
	while (column->third != i + OWNER_COLUMNS)
		column++;
	*name = psprintf("%s(%s)", column->number ? "mean" : "distinct",
					 column->name);
	if (column->number)
		*type = FLOAT8OID;
}

/*
 * gs_siblings_begin: an owner is another one from now on, which is to have so
 * many rows.
 */
void
gs_siblings_begin(GsSiblings *siblings, int owner, int64 expected)
{
	Memory	   *memory = siblings->memory + (Size) owner * siblings->ncolumns;

	for (int c = 0; c < siblings->ncolumns && siblings->made[owner] > 0; c++)
	{
		const Column *column = &siblings->columns[c];

		if (!column->byval && !memory[c].before_null)
			pfree(DatumGetPointer(memory[c].before));
		if (!column->byval && !memory[c].first_null)
			pfree(DatumGetPointer(memory[c].first));
		memory[c] = (Memory) {0};
	}
	siblings->expected[owner] = expected;
	siblings->made[owner] = 0;
}

/*
 * gs_siblings_know: what the next row of an owner knows, [count] columns in the
 * order that they are described in.  What values point to lives until the
 * row is added.
 */
void
gs_siblings_know(const GsSiblings *siblings, int owner, Datum *values,
				 bool *nulls)
{
	const Memory *memory = siblings->memory +
		(Size) owner * siblings->ncolumns;
	int64		made = siblings->made[owner];

	memset(nulls, 0, siblings->nknown);
	values[OWNER_SIBLINGS] = Int64GetDatum(siblings->expected[owner]);
	values[OWNER_POSITION] = Int64GetDatum(made + 1);
	values[OWNER_REMAINING] = Int64GetDatum(Max(siblings->expected[owner] -
												made - 1, 0));
	for (int c = 0; c < siblings->ncolumns; c++, memory++)
	{
		const Column *column = &siblings->columns[c];
		int			at = OWNER_COLUMNS + 2 * c;

		values[at] = memory->before;
		nulls[at] = made == 0 || memory->before_null;
		values[at + 1] = memory->first;
		nulls[at + 1] = made == 0 || memory->first_null;
		if (column->third < 0)
			continue;
		if (!column->number)
			values[column->third] = Int64GetDatum(memory->ndistinct);
		else if (memory->count > 0)
			values[column->third] = Float8GetDatum(memory->sum / memory->count);
		else
			nulls[column->third] = true;
	}
}

static void
count_distinct(const Column *column, Memory *memory, Datum value)
{
	uint32		hash = DatumGetUInt32(FunctionCall1Coll(column->hash,
														column->collation,
														value));

	for (int i = 0; i < memory->ndistinct; i++)
		if (memory->seen[i] == hash)
			return;
	if (memory->ndistinct < MAX_DISTINCT)
		memory->seen[memory->ndistinct++] = hash;
}

/*
 * gs_siblings_add: the next row of an owner, [ncolumns] values, which are
 * copied.
 */
void
gs_siblings_add(GsSiblings *siblings, int owner, const Datum *values,
				const bool *nulls)
{
	Memory	   *memory = siblings->memory + (Size) owner * siblings->ncolumns;
	bool		first = siblings->made[owner]++ == 0;
	MemoryContext old = MemoryContextSwitchTo(siblings->context);

	for (int c = 0; c < siblings->ncolumns; c++, memory++)
	{
		const Column *column = &siblings->columns[c];

		if (!first && !column->byval && !memory->before_null)
			pfree(DatumGetPointer(memory->before));
		memory->before_null = nulls[c];
		if (!nulls[c])
			memory->before = datumCopy(values[c], column->byval, column->len);
		if (first)
		{
			memory->first_null = nulls[c];
			if (!nulls[c])
				memory->first = datumCopy(values[c], column->byval,
										  column->len);
		}
		if (nulls[c])
			continue;
		if (column->number)
		{
			memory->sum += to_double(column->base, values[c]);
			memory->count++;
		}
		else if (column->hash != NULL)
			count_distinct(column, memory, values[c]);
	}
	MemoryContextSwitchTo(old);
}
