/*
 * sequence_memory.c
 *	  What rows of an owner tell of those to come.
 *
 * The same code sees the real rows while a model is learned, one owner after
 * the other, and the synthetic ones while they are made, many owners at once.
 * Memory is constant for each owner.
 */
#include "postgres.h"

#include <math.h>

#include "model/sequence.h"

/* Of one position of one owner. */
typedef struct Record
{
	GsShown		last;
	uint8		first;			/* code */
	int			ndistinct;
	int			run;			/* rows that have been the same */
	int64		count;			/* of numbers, and their sum */
	double		sum;
	double		base;			/* see gs_memory_base; NaN: none */
} Record;

struct GsMemory
{
	int			n;
	const GsKept *kept;			/* [n] */
	int64	   *expected;		/* [nowners] */
	int64	   *made;			/* [nowners] */
	Record	   *record;			/* [nowners][n] */
	int			nlevels;		/* of all categories that are kept */
	int		   *from;			/* [n] the first of a position's */
	uint32	   *count;			/* [nowners][nlevels] */
	int16	   *successor;		/* [nowners][nlevels] level, -1: none */
	int			group;			/* position by whose levels rows are grouped;
								 * -1: none */
	uint8	   *by;				/* [nowners][levels of it][n] codes of the last
								 * row */
};

/*
 * gs_memory_create: remembers n positions of up to nowners owners at once, in
 * the current context.
 *
 * kept: [n], must outlive the result; group: a counted position by whose
 * levels rows are grouped, or -1
 */
GsMemory *
gs_memory_create(const GsKept *kept, int n, int group, int nowners)
{
	GsMemory   *memory = palloc0(sizeof(GsMemory));

	memory->n = n;
	memory->kept = kept;
	memory->from = palloc0(sizeof(int) * Max(n, 1));
	for (int p = 0; p < n; p++)
	{
		memory->from[p] = memory->nlevels;
		if (kept[p].counted)
			memory->nlevels += kept[p].nlevels;
	}
	memory->group = group;
	if (group >= 0)
		memory->by = palloc_extended((Size) nowners * kept[group].nlevels * n,
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	memory->expected = palloc0(sizeof(int64) * nowners);
	memory->made = palloc0(sizeof(int64) * nowners);
	memory->record = palloc_extended(sizeof(Record) * nowners * Max(n, 1),
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	memory->count = palloc_extended(sizeof(uint32) * nowners *
									Max(memory->nlevels, 1),
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	memory->successor = palloc_extended(sizeof(int16) * nowners *
										Max(memory->nlevels, 1),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return memory;
}

/*
 * gs_memory_begin: an owner is another one from now on, which is to have so
 * many rows.
 */
void
gs_memory_begin(GsMemory *memory, int owner, int64 expected)
{
	Record	   *record = memory->record + (Size) owner * memory->n;
	Size		levels = (Size) owner * memory->nlevels;

	memory->expected[owner] = expected;
	memory->made[owner] = 0;
	memset(record, 0, sizeof(Record) * memory->n);
	for (int p = 0; p < memory->n; p++)
		record[p].base = NAN;
	memset(memory->count + levels, 0, sizeof(uint32) * memory->nlevels);
	memset(memory->successor + levels, -1, sizeof(int16) * memory->nlevels);
}

/*
 * gs_memory_begun: whether an owner has rows.
 */
bool
gs_memory_begun(const GsMemory *memory, int owner)
{
	return memory->made[owner] > 0;
}

/*
 * gs_memory_base: what position p of an owner's rows lies close to from now
 * on; NaN: nothing.
 */
void
gs_memory_base(GsMemory *memory, int owner, int p, double base)
{
	memory->record[(Size) owner * memory->n + p].base = base;
}

/*
 * gs_memory_expect: an owner is to have so many rows more than he has.
 */
void
gs_memory_expect(GsMemory *memory, int owner, int64 more)
{
	memory->expected[owner] = memory->made[owner] + more;
}

/*
 * gs_memory_last: what the last row showed of position p; false before the
 * first one, or where it was NULL.
 */
bool
gs_memory_last(const GsMemory *memory, int owner, int p, GsShown *last)
{
	*last = memory->record[(Size) owner * memory->n + p].last;
	return memory->made[owner] > 0 &&
		(memory->kept[p].number ? !isnan(last->value) : last->level >= 0);
}

/*
 * gs_memory_successor: the level that came after that of the last row, when
 * it was there before; -1: it was not.
 */
int
gs_memory_successor(const GsMemory *memory, int owner, int p)
{
	const Record *record = memory->record + (Size) owner * memory->n + p;

	if (memory->made[owner] == 0 || !memory->kept[p].counted ||
		record->last.level < 0)
		return -1;
	return memory->successor[(Size) owner * memory->nlevels +
							 memory->from[p] + record->last.level];
}

/*
 * gs_memory_measure: what a measured ask is answered with; NaN: nothing.
 *
 * own: what the row itself shows of the position asked for
 */
double
gs_memory_measure(const GsMemory *memory, const GsAsk *ask, int owner,
				  const GsShown *own)
{
	const Record *record = memory->record + (Size) owner * memory->n +
		ask->position;
	int64		made = memory->made[owner];

	switch (ask->kind)
	{
		case GS_ASK_SIBLINGS:
			return (double) memory->expected[owner];
		case GS_ASK_PLACE:
			return (double) made;
		case GS_ASK_REMAINING:
			return (double) Max(memory->expected[owner] - made - 1, 0);
		case GS_ASK_MEAN:
			return record->count > 0 ? record->sum / record->count : NAN;
		case GS_ASK_DISTINCT:
			return record->ndistinct;
		case GS_ASK_SHARE:
			return made == 0 ? NAN :
				memory->count[(Size) owner * memory->nlevels +
							  memory->from[ask->position] + ask->level] /
				(double) made;
		case GS_ASK_RUN:
			return made == 0 ? NAN : record->run;
		case GS_ASK_CHANGE:
			return made == 0 ? NAN : own->value - record->last.value;
		case GS_ASK_ABOVE:
			return own->value - record->base;
		case GS_ASK_LAST_ABOVE:
			return made == 0 ? NAN : record->last.value - record->base;
		default:
			return NAN;
	}
}

/*
 * gs_memory_code: the code that an ask is answered with.
 *
 * own: see gs_memory_measure
 */
uint8
gs_memory_code(const GsMemory *memory, const GsAsk *ask, int owner,
			   const GsShown *own)
{
	const GsKept *kept = &memory->kept[ask->position];
	const Record *record = memory->record + (Size) owner * memory->n +
		ask->position;
	bool		begun = memory->made[owner] > 0;
	double		value;
	int			low = 0;
	int			high;
	int			level;

	switch (ask->kind)
	{
		case GS_ASK_LAG:
			return begun ? record->last.code : kept->missing;
		case GS_ASK_FIRST:
			return begun ? record->first : kept->missing;
		case GS_ASK_SUCCESSOR:
			level = gs_memory_successor(memory, owner, ask->position);
			return level < 0 ? kept->missing : kept->code[level];
		case GS_ASK_OWN:
			return own->code;
		case GS_ASK_BY:
			return own->level < 0 ||
				memory->count[(Size) owner * memory->nlevels +
							  memory->from[ask->level] + own->level] == 0 ?
				kept->missing :
				memory->by[((Size) owner * memory->kept[ask->level].nlevels +
							own->level) * memory->n + ask->position];
		case GS_ASK_SAME:
			return !begun ? 2 : own->level == record->last.level;
		default:
			break;
	}
	value = gs_memory_measure(memory, ask, owner, own);
	if (isnan(value))
		return (uint8) (ask->nedges + 1);
	high = ask->nedges;
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (ask->edge[middle] <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint8) low;
}

static bool
is_same(const GsShown *a, const GsShown *b)
{
	return a->code == b->code && a->level == b->level &&
		(a->value == b->value || (isnan(a->value) && isnan(b->value)));
}

/*
 * gs_memory_add: the next row of an owner, [n] what it shows.
 */
void
gs_memory_add(GsMemory *memory, int owner, const GsShown *shown)
{
	Record	   *record = memory->record + (Size) owner * memory->n;
	bool		first = memory->made[owner]++ == 0;

	for (int p = 0; p < memory->n; p++, record++)
	{
		Size		levels = (Size) owner * memory->nlevels + memory->from[p];

		if (!memory->kept[p].kept)
			continue;
		if (first)
			record->first = shown[p].code;
		record->run = !first && is_same(&record->last, &shown[p]) ?
			record->run + 1 : 1;
		if (memory->kept[p].number)
		{
			if (!isnan(shown[p].value))
			{
				record->sum += shown[p].value;
				record->count++;
			}
		}
		else if (memory->kept[p].counted && shown[p].level >= 0)
		{
			record->ndistinct +=
				memory->count[levels + shown[p].level]++ == 0;
			if (!first && record->last.level >= 0)
				memory->successor[levels + record->last.level] =
					(int16) shown[p].level;
		}
		record->last = shown[p];
	}
	if (memory->group >= 0 && shown[memory->group].level >= 0)
	{
		uint8	   *by = memory->by +
			((Size) owner * memory->kept[memory->group].nlevels +
			 shown[memory->group].level) * memory->n;

		for (int p = 0; p < memory->n; p++)
			by[p] = shown[p].code;
	}
}
