/*
 * masker_internal.h
 *	  What the files of masked rows share: what is known of a table's columns.
 */
#ifndef GENSYNTH_MASKER_INTERNAL_H
#define GENSYNTH_MASKER_INTERNAL_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "fmgr.h"
#include "nodes/execnodes.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#include "mask/kind_type.h"
#include "mask/masker.h"
#include "mask/siphash.h"
#include "numeric/permute.h"

/* What is hashed first, for hashes of different uses to differ. */
enum
{
	ROW_HASH = 'r',
	PATTERN_HASH = 'p',
	SUFFIX_HASH = 's'
};

#define MAX_SUFFIX	19			/* digits */
#define LONG_SUFFIX	UINT64CONST(10000000000000000000)
#define NARROW		12			/* characters of short addresses beside it */

/* A number that only one row has. */
typedef struct GsMaskerSuffix
{
	uint64		number;
	int			digits;
	uint64		random;			/* of the row */
} GsMaskerSuffix;

/* A column whose values are hashed. */
typedef struct GsMaskerHashed
{
	int			at;
	Oid			base;
	FmgrInfo	output;
} GsMaskerHashed;

typedef struct GsMaskerColumn
{
	int			at;				/* in the table, from 0 */
	char	   *name;
	const GsRule *rule;
	bool		unique;
	int64		most;			/* of whole numbers' pseudonyms */
	Oid			type;			/* perhaps a domain */
	Oid			base;
	bool		text;			/* text, or what is stored as text */
	bool		folded;			/* case is no matter: citext */
	int32		typmod;			/* of base */
	bool		byval;
	int16		length;
	void	   *domain;			/* what domain_check keeps */
	DomainConstraintRef *conditions;	/* of the domain of values that may be
									 * others, or NULL */
	GsMaskerHashed hashed;		/* of GS_RULE_PATTERN */
	GsKindColumn kind;			/* of GS_RULE_KIND */
	int			room;			/* of that, in characters; 0: any */
	bool		narrow;			/* has no room for a suffix that follows from
								 * the row: it is by the order of rows */
	int			fake;			/* the one of its locale */
	int			turn;			/* of the generalised ones */
	int			place;			/* which of a place's values it has, or -1 */
	Datum		constant;		/* of GS_RULE_CONSTANT; the step of numbers */
	Tuplesortstate *sort;		/* of GS_RULE_SHUFFLE: values by a random key */
	TupleTableSlot *put;
	TupleTableSlot *sorted;
} GsMaskerColumn;

/* A column that stays and that generated values fit. */
typedef struct GsMaskerKept
{
	GsKindId	kind;
	GsMaskerHashed column;
} GsMaskerKept;

struct GsMasker
{
	char	   *table;			/* for messages */
	GsPseudonymKey key;
	bool		utf8;
	int			ncolumns;
	GsMaskerColumn *columns;
	int			nidentity;
	GsMaskerHashed *identity;	/* who a row is */
	bool		styled;			/* a text of these is the settings' */
	int			nkept;
	GsMaskerKept *kept;
	int			ngeneralised;
	int			nfakes;
	GsFakeSetup *setups;		/* [nfakes], one for each locale */
	GsFake	   *fakes;
	const struct GsPlaces *places;	/* of the table's own rows, or NULL */
	GsMaskerHashed *place_key;	/* what a row keeps of its place */
	uint64_t	shuffle_seed[2];
	uint64		put;			/* values that were put so far */
	int			number_at;		/* the primary key, if that is one number; -1 */
	int			number_length;	/* its bytes */
	GsPseudonymKey suffix_key;
	GsPermutation suffix;		/* of narrow columns, by the order of rows */
	uint64	   *counter;		/* rows so far, of all partitions */
	ExprContext *conditions;	/* what domains' conditions are tested in */
	MemoryContext context;		/* it lives in */
};

/* masker_value.c: values that follow from those before */
extern char *gs_masker_text(GsMaskerHashed *column, Datum value);
extern void gs_masker_hash(GsSipHash *hash, GsMaskerHashed *column,
						   Datum value, bool isnull);
extern Datum gs_masker_pseudonym(const GsMasker *masker,
								 const GsMaskerColumn *column, Datum value);
extern Datum gs_masker_pattern(GsMasker *masker, GsMaskerColumn *column,
							   Datum value);
extern Datum gs_masker_generalise(const GsMaskerColumn *column, Datum value,
								  bool up);

/* masker_kind.c: values of kinds, which fit the row */
extern GsMaskerSuffix gs_masker_begin_row(GsMasker *masker,
										  const Datum *values,
										  const bool *nulls, int attempt);
extern const Datum *gs_masker_place(GsMasker *masker, const Datum *values,
									const bool *nulls, uint64 random);
extern Datum gs_masker_kind(GsMasker *masker, GsMaskerColumn *column,
							Datum value, const GsMaskerSuffix *suffix);

#endif
