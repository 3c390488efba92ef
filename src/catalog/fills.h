/*
 * fills.h
 *	  How far the fills of synth_into have come: the table gensynth.fills.
 */
#ifndef GENSYNTH_FILLS_H
#define GENSYNTH_FILLS_H

#include "postgres.h"

#include "utils/uuid.h"

/* A fill of a target: rows start to start + n - 1 of (model, version, seed). */
typedef struct GsFill
{
	pg_uuid_t	id;
	const char *target;			/* qualified and quoted */
	const char *role;
	const char *model;
	pg_uuid_t	model_id;
	int			version;
	int64		seed;
	NullableDatum given;		/* jsonb */
	int64		start;			/* from 1 */
	int64		n;
	int64		done;			/* rows that are in the target */
	int64		drawn;			/* rows that were made for them */
	bool		begun;			/* it has a row in the table */
	int			nkeys;			/* 0: no keys that carry order */
	int64	   *keys;			/* [nkeys] where they began: see into.c */
} GsFill;

extern bool gs_fill_find(GsFill *fill, bool any_seed, bool any_n);
extern bool gs_fill_advance(GsFill *fill, int64 rows, int64 drawn);
extern int64 gs_fill_before(const GsFill *fill);
extern void gs_fill_forget(const GsFill *fill);
extern int	gs_fill_current_version(const GsFill *fill, bool *there);

#endif
