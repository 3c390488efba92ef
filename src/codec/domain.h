/*
 * domain.h
 *	  A domain's constraints, tested without raising errors.
 */
#ifndef GENSYNTH_DOMAIN_H
#define GENSYNTH_DOMAIN_H

#include "postgres.h"

#include "nodes/nodes.h"

typedef struct GsDomain GsDomain;

extern bool gs_domain_has_checks(Oid type);
extern bool gs_is_interval(const Node *node);
extern bool gs_domain_is_picky(Oid type);
extern GsDomain *gs_domain_open(Oid type);
extern bool gs_domain_takes_null(Oid type);
extern bool gs_domain_accepts(GsDomain *domain, Datum value);

#endif
