/*
 * mask_plan.h
 *	  What is to be masked: columns, their rules, and all columns that keys
 *	  tie to them.
 */
#ifndef GENSYNTH_MASK_PLAN_H
#define GENSYNTH_MASK_PLAN_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "mask/rule.h"

/* What a call asks for. */
typedef struct GsMaskRequest
{
	List	   *relids;			/* tables; no partitions */
	List	   *schemas;		/* OIDs: where tables may be masked */
	List	   *exclude;		/* OIDs of tables that may not */
	List	   *columns;		/* C strings */
	bool		named;			/* columns are what is to be masked */
	Jsonb	   *rules;			/* NULL: none */
	bool		published;		/* tables may be published */
	bool		copying;		/* the tables stay as they are */
	bool		updating;		/* row by row */
	bool		reading;		/* rows are masked while they are read ... */
	bool		by_labels;		/* ... by labels, also those of tied columns */
	List	   *followed;		/* OIDs: tables whose labels were looked at */
	List	   *found;			/* of tables looked at: once in a call */
} GsMaskRequest;

typedef struct GsMaskColumn
{
	char	   *name;
	const GsRule *rule;
	const char *origin;			/* what the rule is from */
	bool		asked;			/* by a label or an argument: not to be replaced */
	bool		unique;			/* in a unique index */
	int64		most;			/* of whole numbers that it holds, and that
								 * those which keys tie to it hold */
	List	   *referenced_by;	/* C strings: columns of other tables */
	List	   *problems;		/* C strings */
} GsMaskColumn;

typedef struct GsMaskTable
{
	Oid			relid;
	char	   *name;			/* qualified and quoted */
	List	   *leaves;			/* OIDs of what has rows: itself or partitions */
	List	   *inner;			/* OIDs of other partitioned tables below it */
	List	   *columns;		/* of GsMaskColumn; none is kept as it is */
	List	   *kept;			/* of GsKeptColumn */
	double		rows;			/* estimated */
	bool		reading;		/* virtual columns are computed, too */
	const struct GsModel *fitted;	/* for columns of rule synthesize; or NULL */
	const struct GsPlaces *places;	/* of its own rows; or NULL */
} GsMaskTable;

/* Two columns that a foreign key ties together. */
typedef struct GsMaskLink
{
	Oid			constraint;
	bool		valid;			/* and so to be kept valid */
	Oid			relid;			/* roots */
	char	   *name;
	Oid			to_relid;
	char	   *to_name;
} GsMaskLink;

/* A reason against it. */
typedef struct GsMaskProblem
{
	int			code;			/* SQLSTATE */
	char	   *message;
	const char *hint;
} GsMaskProblem;

typedef struct GsMaskPlan
{
	List	   *tables;			/* of GsMaskTable */
	List	   *links;			/* of GsMaskLink: of the whole database */
	List	   *foreign_keys;	/* OIDs of constraints to be checked after */
	List	   *referenced;		/* OIDs of tables that these refer to and that
								 * stay as they are */
	List	   *notes;			/* C strings */
	List	   *problems;		/* of GsMaskProblem */
} GsMaskPlan;

extern GsMaskPlan *gs_mask_plan(GsMaskRequest *request);
extern double gs_mask_estimate_rows(Oid relid);
extern void gs_mask_report(const GsMaskPlan *plan);
extern Oid	gs_mask_root(Oid relid);

/* within the plan: mask_ask.c, mask_check.c */
extern List *gs_mask_find_kinds(GsMaskRequest *request, Oid relid);
extern void gs_mask_follow_labels(GsMaskPlan *plan, GsMaskRequest *request);
extern void gs_mask_ask(GsMaskPlan *plan, GsMaskRequest *request);
extern char *gs_mask_table_name(Oid relid);
extern GsMaskTable *gs_mask_find_table(const GsMaskPlan *plan, Oid relid);
extern void gs_mask_add_column(GsMaskPlan *plan, Oid relid, const char *name,
							   const GsRule *rule, const char *origin,
							   bool asked);
extern void gs_mask_problem(GsMaskPlan *plan, int code, const char *hint,
							const char *format,...) pg_attribute_printf(4, 5);
extern void gs_mask_check_table(GsMaskPlan *plan, const GsMaskRequest *request,
								GsMaskTable *table);
extern bool gs_mask_settle_unique(GsMaskPlan *plan, GsMaskTable *table,
								  bool complain);

#endif
