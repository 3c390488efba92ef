/*
 * catalog.h
 *	  Models at rest: the tables of the schema gensynth.
 */
#ifndef GENSYNTH_CATALOG_H
#define GENSYNTH_CATALOG_H

#include "catalog/tensor.h"
#include "column/column.h"
#include "table/constraints.h"

/* A model as gensynth.models has it. */
typedef struct GsModelEntry
{
	char	   *name;
	Oid			owner;
	char	   *source;
	char	   *relation;		/* NULL: a query */
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
	const char *method;
	int64		seed;
	int64		rows;
	int64		sampled;
	Datum		options;		/* jsonb; to be written */
	double		seconds;
	List	   *notes;			/* of C strings */
	List	   *tensors;		/* of GsTensor */
	List	   *constraints;	/* of GsConstraint */
	GsViolation on_violation;	/* as read */
	GsSchema   *schema;			/* columns */
	Datum	   *details;		/* [ncolumns] jsonb; to be written */
} GsVersionEntry;

extern Datum gs_text_array(List *strings);
extern void gs_check_owner(const GsModelEntry *model);
extern GsModelEntry *gs_catalog_find(const char *name);
extern GsModelEntry *gs_catalog_own(const char *name);
extern char *gs_default_name(const char *schema, const char *relation);
extern char *gs_catalog_model_of(const char *relation);
extern void gs_catalog_store(const GsModelEntry *model,
							 GsVersionEntry *version, int keep_versions);
extern GsModelEntry *gs_catalog_open(const char *name);
extern GsVersionEntry *gs_catalog_load(const GsModelEntry *model,
									   int version);
extern List *gs_catalog_tensors(const GsModelEntry *model, int version,
								const char *name);

#endif
