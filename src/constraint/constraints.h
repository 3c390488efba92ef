/*
 * constraints.h
 *	  What a table says about its rows.
 */
#ifndef GENSYNTH_CONSTRAINTS_H
#define GENSYNTH_CONSTRAINTS_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef struct GsConstraint
{
	char	   *kind;			/* as synth_constraints shows it */
	char	   *name;			/* NULL: it has none */
	List	   *columns;		/* C strings */
	char	   *definition;		/* for people */
	char	   *expression;		/* a condition on the row; NULL: none */
	char	   *parent;			/* that a foreign key refers to, qualified */
	Oid			parent_oid;
	List	   *parent_columns; /* C strings */
	const char *met;			/* how it is met */
} GsConstraint;

extern List *gs_constraints_read(Oid relid);
extern List *gs_text_list(Datum array);

#endif
