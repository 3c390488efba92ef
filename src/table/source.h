/*
 * source.h
 *	  The real side: what is learned from, read as the calling user.
 */
#ifndef GENSYNTH_SOURCE_H
#define GENSYNTH_SOURCE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"

typedef void (*GsRowCallback) (TupleTableSlot *slot, void *arg);

typedef struct GsSource
{
	const char *text;			/* as it is kept with the model */
	char	   *relation;		/* qualified and quoted; NULL: a query */
	Oid			relid;			/* the same; InvalidOid: a query */
	char	   *model;			/* name by default; NULL: a query */
	char	   *query;			/* what is run */
	SPIPlanPtr	plan;
	TupleDesc	desc;			/* columns of the query's result */
	List	   *relids;			/* OIDs of what is read, but for views */
	bool		bypasses_rls;
	List	   *others;			/* C strings: whose rights are used besides */
	List	   *unique;			/* C strings: columns of a query that are so */

	/*
	 * Passes a row of the query on with what else is known of it; desc is
	 * that of the rows passed on.  NULL: as it is.
	 */
	void		(*extend) (TupleTableSlot *slot, GsRowCallback row,
						   void *row_arg, void *arg);
	void	   *extend_arg;

	/*
	 * Where rows come owner by owner: which are the first of one, and columns
	 * (C strings) that are told by the row before.
	 */
	bool		ordered;
	List	   *series;
	List	   *endless;		/* of these, by regular steps */
	List	   *shared;			/* the same in all rows of an owner */
	List	   *looked_up;		/* told by another column's value ... */
	List	   *looked_up_by;	/* ... this one */
	bool	   *begins;			/* [nrows] filled while they are read */
	int64		nrows;
} GsSource;

extern bool gs_is_named(const List *names, const char *name);
extern char *gs_default_name(const char *schema, const char *relation);
extern char *gs_relation_name(Oid relid, char **model);
extern GsSource *gs_source_open(const char *text, List *columns,
								List *exclude);
extern int64 gs_source_rows(const GsSource *source);
extern char *gs_source_cursor(GsSource *source);
extern int	gs_source_fetch(const char *cursor, int n, GsRowCallback row,
							void *arg);
extern void gs_source_close(const char *cursor);
extern void gs_source_read(GsSource *source, GsRowCallback row, void *arg);
extern void gs_query_read(const char *query, GsRowCallback row, void *arg);

#endif
