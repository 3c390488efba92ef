/*
 * deferred.h
 *	  Foreign keys whose parents come later in the transaction.
 */
#ifndef GENSYNTH_DEFERRED_H
#define GENSYNTH_DEFERRED_H

#include "catalog/fills.h"
#include "stream/foreign_keys.h"

extern void gs_deferred_begin(const GsForeignKeys *fks, const GsFill *fill,
							  Oid target);
extern void gs_deferred_finish(Oid target);

#endif
