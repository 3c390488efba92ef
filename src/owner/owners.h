/*
 * owners.h
 *	  Whose rows a table's rows are, and what they know of them.
 */
#ifndef GENSYNTH_OWNERS_H
#define GENSYNTH_OWNERS_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "table/source.h"

#define GS_MAX_GENERATIONS	100

/* One step from a row to its owner, or from that to its own. */
typedef struct GsOwnerStep
{
	List	   *columns;		/* C strings: foreign key of the row ... */
	List	   *parent_columns;	/* ... and what it refers to */
	List	   *known;			/* columns of the owner */
	List	   *names;			/* what a row calls them */
	int			from;			/* of what is kept: the step before that leads to
								 * it; -1: the row itself */
	List	   *link;			/* the owner's table, where no foreign key leads
								 * to it: one C string, its name */
	List	   *like;			/* of a reference: C strings: a column of what is
								 * referred to; what is often the same: the name
								 * of an owner's, "" of the row before; and how
								 * much more often than by chance.  Or NIL */
} GsOwnerStep;

typedef struct GsOwners
{
	List	   *steps;			/* of GsOwnerStep, the nearest first */
	List	   *references;		/* of GsOwnerStep, each from a row to another one
								 * that it refers to, and knows columns of */
	List	   *kept;			/* of GsOwnerStep, while a fit lasts: by one column
								 * each to rows of tables that are kept as they
								 * are, or from these to others */
	List	   *columns;		/* C strings: of the row, that siblings remember */
	List	   *others;			/* that are learned besides, while a fit lasts */
	char	   *order_by;		/* column; NULL: none */

	/*
	 * Rows without an owner's table belong to whoever has the same values in
	 * some columns, or all to one: then the only step is to him.  He is made
	 * by the model of the numbers of rows.
	 */
	bool		entity;
	bool		copied;			/* those of the source, each once */
	int64		nentities;		/* that there are in the source */

	/*
	 * Rows that belong to rows of their own table: how many there are of those
	 * that belong to none, of those that belong to these, and so on.
	 */
	int			ngenerations;
	int64	   *generation;		/* [ngenerations] */

	/* columns whose value in the row before is known, and what it is called */
	List	   *before;
	List	   *before_names;
	List	   *conditions;		/* about these, while a fit lasts */
	bool		regular;		/* order_by goes on by regular steps */
} GsOwners;

/* The column of gs_owners_counts_query that counts rows. */
#define GS_OWNERS_COUNT	"number of rows"

extern Jsonb *gs_owners_save(const GsOwners *owners);
extern GsOwners *gs_owners_load(const Jsonb *json);
extern char *gs_owners_counts_model(const char *rows);
extern bool gs_owners_are(const Jsonb *json, const List *columns);
extern bool gs_owners_know(const Jsonb *json, const List *columns);
extern const GsOwnerStep *gs_owners_reference(const GsOwners *owners,
											  const List *columns);
extern bool gs_owners_are_there(const GsOwners *owners, Oid relid);
extern void gs_owners_check_type(Oid relid, const char *column, Oid type);
extern bool gs_owners_give(const GsOwners *owners, const char *name);
extern bool gs_owners_are_one(const GsOwners *owners);
extern char *gs_owners_counts_query(const GsOwners *owners, Oid relid);
extern char *gs_owners_order(const GsOwners *owners, Oid relid);
extern void gs_owners_append_match(StringInfo query, const char *child,
								   List *columns, const char *parent,
								   List *parent_columns);
extern void gs_owners_append_references(const GsOwners *owners, Oid relid,
										StringInfo columns, StringInfo from);
extern char *gs_owners_query(const GsOwners *owners, Oid relid,
							 const List *types, bool after,
							 const char *which, int limit);
extern GsSource *gs_owners_source(GsOwners *owners, Oid relid, int64 limit,
								  List **context);

#endif
