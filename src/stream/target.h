/*
 * target.h
 *	  A table that is to be filled.
 */
#ifndef GENSYNTH_TARGET_H
#define GENSYNTH_TARGET_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "nodes/bitmapset.h"
#include "nodes/execnodes.h"

#include "model/model.h"

/* Its rows-to-be, as the statement that inserts them calls them. */
#define GS_TARGET_ROWS	"gensynth_rows"

/* One of its indexes that may refuse a row. */
typedef struct GsTargetIndex
{
	bool		exclusion;		/* and not uniqueness */
	Bitmapset  *columns;		/* filled ones that it is about */
	bool		plain;			/* they are all, and no expressions */
	ExprState  *predicate;		/* which rows it is about; NULL: all */
} GsTargetIndex;

typedef struct GsTarget
{
	Oid			relid;
	TupleDesc	desc;			/* the columns that are filled */
	TupleDesc	numbered;		/* these, and the row's number */
	AttrNumber *attnum;			/* [natts] their numbers in the table */
	bool	   *notnull;		/* [natts] */
	List	   *constraints;	/* of GsConstraint */
	bool		makes_up;		/* for rows that its indexes refuse */
	int			nindexes;
	GsTargetIndex *index;		/* [nindexes] */

	/* conditions of its own on a row */
	int			nchecks;
	char	  **check_name;		/* [nchecks] */
	ExprState **check;			/* [nchecks] */
	TupleTableSlot *slot;		/* a row of the table */
	ExprContext *econtext;
} GsTarget;

extern GsTarget *gs_target_open(Oid relid, const GsModel *model);
extern int	gs_target_column(const GsTarget *target, const char *name);
extern char *gs_target_statement(const GsTarget *target, bool skips,
								 bool returns);
extern bool gs_target_readable(const GsTarget *target, int at);
extern bool gs_target_holds(const GsTarget *target, int index,
							const Datum *values, const bool *nulls);
extern const char *gs_target_refuses(const GsTarget *target,
									 const Datum *values, const bool *nulls);

#endif
