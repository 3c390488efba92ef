/*
 * exchange.h
 *	  Models as bytes, to be carried to another database.
 */
#ifndef GENSYNTH_EXCHANGE_H
#define GENSYNTH_EXCHANGE_H

#include "postgres.h"

#include "nodes/pg_list.h"

extern List *gs_exchange_store(const bytea *bytes, const char *name);

#endif
