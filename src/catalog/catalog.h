/*
 * catalog.h
 *	  Models at rest: the tables of the schema gensynth.
 */
#ifndef GENSYNTH_CATALOG_H
#define GENSYNTH_CATALOG_H

#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "column/tensor.h"
#include "column/column.h"
#include "constraint/constraints.h"

/* How many versions are kept besides the current one, unless a fit says so. */
#define GS_KEEP_VERSIONS	2

/*
 * Formats of what is stored.  The first, which versions.format has by default,
 * goes up when older code cannot read what is stored; the second when what is
 * older cannot be read any more, and has to be learned again.
 */
#define GS_FORMAT			1
#define GS_OLDEST_FORMAT	1

/* Who is granted what all may do; there is no role of that name. */
#define GS_PUBLIC	"public"

/* A model as gensynth.models has it, and to whom it was granted. */
typedef struct GsModelEntry
{
	char	   *name;
	pg_uuid_t	id;				/* not that of a later one of the same name */
	Oid			owner;			/* InvalidOid: a role that is gone */
	char	   *owner_name;		/* as it is kept */
	List	   *grants;			/* names of roles */
	int			current;
} GsModelEntry;

/* What becomes of a row that cannot be made to meet a condition. */
typedef enum GsViolation
{
	GS_VIOLATION_ERROR,
	GS_VIOLATION_DROP,
	GS_VIOLATION_IGNORE
} GsViolation;

/* A version to be written, or as read. */
typedef struct GsVersionEntry
{
	int			version;
	const char *source;			/* to be written */
	const char *relation;		/* to be written; NULL: nothing to find it by */
	const char *method;
	int64		seed;
	int64		rows;
	int64		sampled;
	Datum		options;		/* jsonb; to be written */
	Jsonb	   *owners;			/* whose rows these are: see owner/owners.h; NULL */
	bool		part;			/* of another model; to be written */
	double		seconds;
	double		epsilon;		/* to be written; 0: not private */
	double		delta;
	List	   *notes;			/* of C strings */
	List	   *tensors;		/* of GsTensor */
	List	   *constraints;	/* of GsConstraint */
	GsViolation on_violation;	/* as read */
	GsSchema   *schema;			/* columns */
	Datum	   *details;		/* [ncolumns] jsonb; to be written */
} GsVersionEntry;

extern Datum gs_text_array(List *strings);
extern void gs_check_refit(const GsModelEntry *model);
extern void gs_check_protection(const char *model, bool private);
extern GsModelEntry *gs_catalog_find(const char *name);
extern List *gs_catalog_own(const char *name, bool *dataset);
extern GsModelEntry *gs_catalog_read(const char *name);
extern GsModelEntry *gs_catalog_open(const char *name);
extern GsModelEntry *gs_catalog_open_relation(const char *relation);
extern int	gs_catalog_lock(const GsModelEntry *model, bool exclusive);
extern void gs_catalog_check_name(const char *name);
extern int	gs_catalog_next_version(const char *name, const char *owner);
extern void gs_catalog_store(const char *model, GsVersionEntry *version,
							 int keep_versions);
extern void gs_catalog_check(const GsModelEntry *model, int version);
extern GsVersionEntry *gs_catalog_load(const GsModelEntry *model,
									   int version);
extern List *gs_catalog_tensors(const GsModelEntry *model, int version,
								const char *name);
extern void gs_catalog_delete(const char *model, int version);
extern char *gs_part_name(const char *model);
extern void gs_catalog_prune(const char *model, int current, int keep);

#endif
