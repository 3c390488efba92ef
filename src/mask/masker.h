/*
 * masker.h
 *	  Rows of a table with some columns masked.
 */
#ifndef GENSYNTH_MASKER_H
#define GENSYNTH_MASKER_H

#include "postgres.h"

#include "utils/rel.h"

#include "mask/pseudonym.h"
#include "mask/rule.h"

/* A column to be masked, by name: partitions' numbers are others. */
typedef struct GsMaskedColumn
{
	const char *name;
	const GsRule *rule;
	bool		unique;			/* its values are to be distinct */
	bool		skip;			/* is not asked for: stays as it is */
	int64		most;			/* see gs_pseudonym_integer */
} GsMaskedColumn;

/* A column that stays, for generated values to fit it. */
typedef struct GsKeptColumn
{
	const char *name;
	GsKindId	kind;
} GsKeptColumn;

typedef struct GsMasker GsMasker;

extern GsMasker *gs_masker_begin(Relation relation, const char *table,
								 const List *columns, const List *kept,
								 const GsPseudonymKey *key, int digits,
								 uint64 *counter);
struct GsPlaces;

extern void gs_masker_places(GsMasker *masker, Relation relation,
							 const struct GsPlaces *places);
extern bool gs_masker_is_styled(Oid type);
extern Bitmapset *gs_masker_identity(Relation relation, const List *columns);
extern bool gs_masker_shuffles(const GsMasker *masker);
extern void gs_masker_put(GsMasker *masker, const Datum *values,
						  const bool *nulls);
extern void gs_masker_sort(GsMasker *masker);
extern bool gs_masker_row(GsMasker *masker, Datum *values, bool *nulls,
						  int attempt, bool last);
extern int	gs_masker_attempts(const GsMasker *masker);
extern void gs_masker_end(GsMasker *masker);

#endif
