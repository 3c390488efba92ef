/*
 * like.h
 *	  Tables made like others: with their constraints, sequences of their own,
 *	  and foreign keys among themselves.
 */
#ifndef GENSYNTH_LIKE_H
#define GENSYNTH_LIKE_H

#include "postgres.h"

/* The qualified and quoted name of what stands for a table, or NULL. */
typedef char *(*GsStandsFor) (Oid relid, const void *arg);

extern void gs_like_table(const char *target, const char *source, Oid relid,
						  bool defaults);
extern void gs_like_keys(const char *target, Oid relid,
						 GsStandsFor stands_for, const void *arg,
						 bool outside);

#endif
