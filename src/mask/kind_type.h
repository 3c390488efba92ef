/*
 * kind_type.h
 *	  Kinds and PostgreSQL: names that users write, the types of columns, and
 *	  values as datums.
 */
#ifndef GENSYNTH_KIND_TYPE_H
#define GENSYNTH_KIND_TYPE_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/execnodes.h"
#include "utils/typcache.h"

#include "mask/generate.h"

/* How values of a kind become those of a column; by gs_kind_column. */
typedef struct GsKindColumn
{
	const GsKind *kind;
	Oid			type;			/* the column's, perhaps a domain */
	int32		typmod;
	GsFakeWant	want;			/* the suffix is the caller's, per row */
	FmgrInfo	input;
	Oid			ioparam;
} GsKindColumn;

/* 42704 with the nearest names in the hint where there is none */
extern const GsKind *gs_kind_lookup(const char *name);
extern int	gs_locale_lookup(const char *name);

/* whether values of a kind can be of a type: false, and why in *reason */
extern bool gs_kind_fits_type(const GsKind *kind, Oid type, int32 typmod,
							  const char **reason);

/* as above, with an error (42804, 22001); suffix_digits: 0, or of the numbers
 * that make its values unique */
extern void gs_kind_column(GsKindColumn *column, const GsKind *kind, Oid type,
						   int32 typmod, int suffix_digits);
extern bool gs_kind_in_domain(DomainConstraintRef *domain,
							  ExprContext *context, Datum value);
extern Datum gs_kind_datum(GsKindColumn *column, GsFake *fake,
						   uint64 suffix);

/* own lists (gensynth.lists), read as the extension's owner, in the current
 * memory context; into setup */
extern void gs_kind_lists(GsFakeSetup *setup);

#endif
