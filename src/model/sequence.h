/*
 * sequence.h
 *	  Rows of an owner, each drawn given those before: between its files.
 */
#ifndef GENSYNTH_SEQUENCE_H
#define GENSYNTH_SEQUENCE_H

#include "codec/calendar.h"
#include "model/tree.h"

/* Levels of which the share among earlier rows is told. */
#define GS_SEQUENCE_SHARES	16
/* Levels of a category that are counted for each owner. */
#define GS_SEQUENCE_LEVELS	2048
/* Levels that rows are grouped by. */
#define GS_SEQUENCE_GROUPS	32
#define GS_SEQUENCE_MAX_KEYS	8

/* Of a position's row in the tensors: see sequence_load.c. */
#define GS_SEQUENCE_FIELDS	14

typedef enum GsPositionRole
{
	GS_POSITION_DRAWN,
	GS_POSITION_KNOWN,
	GS_POSITION_LOOKED_UP,		/* told by another position's value */
	GS_POSITION_ROLES
} GsPositionRole;

/* What a tree may ask for. */
typedef enum GsAskKind
{
	/* of the owner's rows as a whole */
	GS_ASK_SIBLINGS,			/* how many there are */
	GS_ASK_PLACE,				/* how many came before */
	GS_ASK_REMAINING,			/* how many are to come after */

	/* of a position in the rows before */
	GS_ASK_LAG,					/* in the last one */
	GS_ASK_FIRST,				/* in the first one */
	GS_ASK_MEAN,				/* of numbers */
	GS_ASK_DISTINCT,			/* how many levels there were */
	GS_ASK_SUCCESSOR,			/* what came after the last one's level */
	GS_ASK_SHARE,				/* of a level */
	GS_ASK_RUN,					/* how many rows it has been the same in */

	/* of a position in the row itself, that comes before */
	GS_ASK_OWN,
	GS_ASK_SAME,				/* whether it is that of the last row */
	GS_ASK_CHANGE,				/* what it adds to that */
	GS_ASK_BY,					/* in the last row of the same group */
	GS_ASK_ABOVE,				/* how far it is above its base */

	/* of a position in the last row: numbers of kinds are stored */
	GS_ASK_LAST_ABOVE,			/* how far it was above its base */
	GS_ASK_KINDS
} GsAskKind;

typedef struct GsAsk
{
	GsAskKind	kind;
	int			position;
	int			level;			/* of a share; position that groups rows */
	int			nedges;			/* of what is counted or measured */
	const double *edge;			/* [nedges] increasing */
} GsAsk;

/* What a row shows of a position. */
typedef struct GsShown
{
	uint8		code;
	int			level;			/* of a category; -1: none */
	double		value;			/* of a number; NaN: none */
} GsShown;

/*
 * A position as the memory knows it.
 */
typedef struct GsKept
{
	bool		kept;			/* drawn, neither known nor looked up */
	bool		number;
	bool		counted;		/* a category whose levels are counted */
	int			nlevels;
	uint8		missing;		/* code of what is not known */
	const uint8 *code;			/* [nlevels] */
} GsKept;

typedef struct GsMemory GsMemory;

/* sequence_memory.c */
extern GsMemory *gs_memory_create(const GsKept *kept, int n, int group,
								  int nowners);
extern void gs_memory_begin(GsMemory *memory, int owner, int64 expected);
extern void gs_memory_expect(GsMemory *memory, int owner, int64 more);
extern bool gs_memory_last(const GsMemory *memory, int owner, int p,
						   GsShown *last);
extern bool gs_memory_begun(const GsMemory *memory, int owner);
extern void gs_memory_base(GsMemory *memory, int owner, int p, double base);
extern int	gs_memory_successor(const GsMemory *memory, int owner, int p);
extern uint8 gs_memory_code(const GsMemory *memory, const GsAsk *ask,
							int owner, const GsShown *own);
extern double gs_memory_measure(const GsMemory *memory, const GsAsk *ask,
								int owner, const GsShown *own);
extern void gs_memory_add(GsMemory *memory, int owner, const GsShown *shown);

/*
 * Whether an ask is measured: its codes come from edges.
 */
static inline bool
gs_ask_is_measured(GsAskKind kind)
{
	return kind != GS_ASK_LAG && kind != GS_ASK_FIRST &&
		kind != GS_ASK_SUCCESSOR && kind != GS_ASK_OWN &&
		kind != GS_ASK_SAME && kind != GS_ASK_BY;
}

/*
 * Whether an ask is about the row itself.
 */
static inline bool
gs_ask_is_own(GsAskKind kind)
{
	return kind >= GS_ASK_OWN && kind != GS_ASK_LAST_ABOVE;
}

/*
 * The position of the row itself that an ask is about.
 */
static inline int
gs_ask_subject(const GsAsk *ask)
{
	return ask->kind == GS_ASK_BY ? ask->level : ask->position;
}

/* Where a value comes from. */
typedef enum GsSequenceSource
{
	GS_SOURCE_LAST,				/* that of the last row */
	GS_SOURCE_SUCCESSOR,		/* see GS_ASK_SUCCESSOR */
	GS_SOURCE_OWNER,			/* that of a column of the owner */
	GS_SOURCES
} GsSequenceSource;

/* What levels, which stand for numbers, do from row to row. */
typedef enum GsRising
{
	GS_RISING_NOT,
	GS_RISING_NEVER_FALLS,
	GS_RISING_ALWAYS,
	GS_RISINGS
} GsRising;

/* The trees of a position. */
typedef enum GsSequenceTree
{
	GS_TREE_SOURCE,				/* where the value comes from */
	GS_TREE_SHIFT,				/* what it adds to that of the last row */
	GS_TREE_OWN,				/* the value, where neither tells it */
	GS_TREE_FIRST,				/* the same in an owner's first row: the value, or
								 * what it adds to its base */
	GS_SEQUENCE_TREES
} GsSequenceTree;

/*
 * What a number lies close to: a known value, in units of gs_value_scale, or
 * its year.
 */
static inline double
gs_sequence_base(double known, bool by_year)
{
	return by_year ?
		(double) gs_aspect_of(GS_ASPECT_YEAR, (int64) known, 0) : known;
}

/* Of a moment, in microseconds. */
static inline double
gs_sequence_unit(const GsColumn *column)
{
	return column->codec.kind->unit > 0 ? column->codec.kind->unit : 1;
}

/*
 * Whether a feature is the first part of a moment that is learned by the
 * calendar, and from no other column.
 */
static inline bool
gs_sequence_by_calendar(const GsSchema *schema, const GsFeature *feature)
{
	const GsLayout *layout = schema->columns[feature->column].layout;

	return feature->part == 0 && layout != NULL && layout->nbases == 0 &&
		layout->sum[1].unit != GS_CALENDAR_NONE;
}

/* What stands for the hash of a NULL, which no other value repeats. */
#define GS_HASH_NULL	UINT64_MAX

/* sequence_keys.c */
typedef struct GsNaturalKey
{
	int			n;
	int			position[4];	/* in order */
} GsNaturalKey;

typedef struct GsShownRows
{
	int			n;				/* positions */
	int64		nrows;
	const bool *begins;			/* [nrows] an owner's first row */
	const bool *candidate;		/* [n] */
	uint64		(*hash) (const void *arg, int position, int64 row);
	const void *arg;
} GsShownRows;

extern int	gs_natural_keys_find(const GsShownRows *rows, GsNaturalKey *keys);

typedef struct SequenceModel
{
	TreeModel	axes;			/* positions, without trees */
	int			nknown;
	GsKept	   *kept;			/* [n] */
	int			nasks;
	GsAsk	   *ask;			/* [nasks] */
	TreePosition  (*tree)[GS_SEQUENCE_TREES];	/* [n] */
	TreeShift  *shift;			/* [n] */
	int		   *base;			/* [n] known position that a number's first value
								 * lies close to; -1: none */
	bool	   *by_year;		/* [n] close to its year */
	int		   *moment;			/* [n] column of the base, where it is learned
								 * by the calendar; -1 */
	TreeShift  *first_shift;	/* [n] from there */
	int			(*source)[GS_SOURCES];	/* [n] of the first tree's levels */
	int16	  **of_owner;		/* [n] of the levels of ... */
	int		   *owner;			/* ... the position of the owner's column */
	int		   *lookup_key;			/* [n] position that it is looked up by; -1:
								 * none */
	float	  **lookup;			/* [n] what it is on its axis for each value of
								 * that, and without one; NaN: missing */
	GsRising   *rising;			/* [n] */
	int		   *equal;			/* [n] position whose value a number may have;
								 * -1: none */
	int		   *equal_if;		/* [n] category that says 1 where it has it */
	int			group;			/* position that GS_ASK_BY is about; -1: none */
	int			nkeys;
	GsNaturalKey key[GS_SEQUENCE_MAX_KEYS];
} SequenceModel;

/* sequence_load.c */
extern int16 *gs_sequence_match(const GsFeature *feature,
								const GsFeature *owner);
extern const void *gs_sequence_load(const GsSchema *schema,
									const List *tensors);

/* sequence_fit.c */
extern void gs_sequence_fit(GsFitContext *context);

#endif
