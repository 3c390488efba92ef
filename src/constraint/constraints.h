/*
 * constraints.h
 *	  What a table says about its rows.
 */
#ifndef GENSYNTH_CONSTRAINTS_H
#define GENSYNTH_CONSTRAINTS_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef enum GsConstraintKind
{
	GS_CONSTRAINT_PRIMARY_KEY,
	GS_CONSTRAINT_UNIQUE,
	GS_CONSTRAINT_FOREIGN_KEY,
	GS_CONSTRAINT_CHECK,
	GS_CONSTRAINT_EXCLUSION,
	GS_CONSTRAINT_PARTITION,
	GS_CONSTRAINT_NOT_NULL,
	GS_CONSTRAINT_DOMAIN,
	GS_CONSTRAINT_ENUM,
	GS_CONSTRAINT_IDENTITY,
	GS_CONSTRAINT_SERIAL,
	GS_CONSTRAINT_GENERATED,
	GS_CONSTRAINT_COLLATION,
	GS_CONSTRAINT_USER,
	GS_CONSTRAINT_FOUND,
	GS_CONSTRAINT_LINK,			/* a foreign key that nobody declared */
	GS_CONSTRAINT_KINDS
} GsConstraintKind;

/* How rows come to meet a constraint. */
typedef enum GsMet
{
	GS_MET_CONSTRUCTION,		/* none that is made fails it */
	GS_MET_REJECTION,			/* those that fail it are made again */
	GS_MET_DATABASE,			/* it is left to the table that takes the rows */
	GS_METS
} GsMet;

typedef struct GsConstraint
{
	GsConstraintKind kind;
	char	   *name;			/* NULL: it has none */
	List	   *columns;		/* C strings */
	char	   *definition;		/* for people */
	char	   *expression;		/* a condition on the row; NULL: none */
	char	   *parent;			/* that a foreign key refers to, qualified */
	Oid			parent_oid;
	List	   *parent_columns; /* C strings */
	GsMet		met;
} GsConstraint;

extern const char *gs_constraint_kind_name(GsConstraintKind kind);
extern char *gs_constraint_title(const GsConstraint *constraint);
extern GsConstraintKind gs_constraint_kind(const char *name);
extern const char *gs_met_name(GsMet met);
extern GsMet gs_met(const char *name);
extern GsConstraint *gs_constraint_result(int row);
extern List *gs_constraints_read(Oid relid);
extern List *gs_text_list(Datum array);

#endif
