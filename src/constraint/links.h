/*
 * links.h
 *	  Columns that have values of another table's, without a foreign key.
 */
#ifndef GENSYNTH_LINKS_H
#define GENSYNTH_LINKS_H

#include "constraint/constraints.h"

extern GsConstraint *gs_link_make(const char *column, const char *relation,
								  const char *name, const char *parent_column);
extern bool gs_link_may_lead(Oid relid, const char *column, Oid parent,
							 const char *parent_column);
extern List *gs_links_resolve(Oid relid, const List *constraints);
extern bool gs_is_link(const GsConstraint *key);
extern char *gs_link_tensor(const char *column);

#endif
