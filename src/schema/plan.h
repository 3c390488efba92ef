/*
 * plan.h
 *	  In what order the tables of a schema are learned and made, and which of
 *	  them makes the rows of which.
 */
#ifndef GENSYNTH_PLAN_H
#define GENSYNTH_PLAN_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "owner/owners.h"

/* What becomes of a table. */
typedef enum GsTableRole
{
	GS_TABLE_ROOT,				/* rows by themselves */
	GS_TABLE_KEPT,				/* taken over as it is */
	GS_TABLE_EMPTY,				/* has too few rows to learn from: gets none */
	GS_TABLE_INVENTED,			/* the same, but others must refer to some */
	GS_TABLE_CHILD,				/* rows of each owner together */
	GS_TABLE_SEQUENCE,			/* rows of each value of some columns together */
	GS_TABLE_ROLES
} GsTableRole;

/* What a foreign key is to its table. */
typedef enum GsKeyUse
{
	GS_KEY_REFERENCE,			/* to a row that is made before */
	GS_KEY_OWNER,				/* whose children are made together */
	GS_KEY_KEPT,				/* to a table that is taken over */
	GS_KEY_SELF,				/* to another row of the same table */
	GS_KEY_LATE,				/* set when all rows are there: a cycle */
	GS_KEY_OUTSIDE,				/* to a table that is not planned */
	GS_KEY_USES
} GsKeyUse;

typedef struct GsPlanKey
{
	char	   *name;			/* of the constraint */
	List	   *columns;		/* C strings, as many as parent_columns */
	List	   *parent_columns;
	Oid			parent_relid;
	int			parent;			/* in the plan; -1: outside */
	bool		nullable;		/* some column is */
	bool		deferrable;
	bool		cascades;		/* rows are deleted with their parent */
	bool		primary;		/* its columns are part of the primary key */
	bool		link;			/* no foreign key, but an option says so */
	double		share;			/* of the rows, in which a link holds */
	GsKeyUse	use;
} GsPlanKey;

typedef struct GsPlanTable
{
	Oid			relid;
	char	   *name;			/* qualified and quoted */
	double		rows;
	int64		few;			/* of these, as many as a fit needs or fewer; 0
								 * of what is kept */
	bool		personal;		/* some column is named like a person's */
	bool		remake;			/* never taken over by itself */
	GsTableRole role;
	List	   *keys;			/* of GsPlanKey */
	GsPlanKey  *owner;			/* of a child */
	List	   *sequence_key;	/* C strings, of a sequence */
	char	   *order_by;		/* column that rows of one owner, or of one
								 * sequence, are in the order of; or NULL */
} GsPlanTable;

typedef struct GsSchemaPlan
{
	int			n;
	GsPlanTable *table;			/* [n] in the order they are made */
	List	   *notes;			/* C strings */
} GsSchemaPlan;

extern GsSchemaPlan *gs_schema_plan(List *schemas, List *exclude,
									const char *method, const Jsonb *options);
extern GsSchemaPlan *gs_table_plan(Oid relid, int *t);
extern void gs_plan_read_options(const GsSchemaPlan *plan, const Jsonb *json);
extern void gs_plan_find_few(const GsSchemaPlan *plan, int64 least);
extern void gs_plan_find_series(const GsSchemaPlan *plan, GsPlanTable *table,
								const char *time, MemoryContext context);
extern Jsonb *gs_plan_fit_options(const Jsonb *options);
extern List *gs_relations_argument(FunctionCallInfo fcinfo, int arg);
extern GsOwners *gs_owners_find(const GsSchemaPlan *plan, int t);
extern void gs_find_likeness(const GsSchemaPlan *plan, const GsPlanTable *table,
							 const GsOwners *owners, GsOwnerStep *step);
extern const char *gs_table_role_name(GsTableRole role);
extern const char *gs_key_use_name(GsKeyUse use);

#endif
