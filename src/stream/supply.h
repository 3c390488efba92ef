/*
 * supply.h
 *	  Owners of rows, a batch at a time.
 */
#ifndef GENSYNTH_SUPPLY_H
#define GENSYNTH_SUPPLY_H

#include "executor/spi.h"

#include "model/model.h"
#include "owner/owners.h"
#include "stream/stream.h"

typedef struct GsSupply
{
	const GsOwners *owners;
	int			nkeys;			/* columns that rows refer to an owner by ... */
	int			nowner;			/* ... and with those that rows know besides */
	int			nowners;		/* at hand */
	Datum	   *owner;			/* [GS_BATCH][nowner] */
	bool	   *nulls;
	int64		rows[GS_BATCH]; /* that each has, where they are made */
	MemoryContext context;		/* of the owners at hand */

	/* rows of a table */
	Oid			relid;			/* that refers to it */
	Oid			key_type[INDEX_MAX_KEYS];
	SPIPlanPtr	first;			/* reads the first owners ... */
	SPIPlanPtr	after;			/* ... and those after others */

	/* made */
	bool		one;			/* there is but one */
	bool		given;			/* ... who was given out */
	GsStream   *stream;			/* of the others; NULL */
	TupleDesc	desc;			/* of their columns, and how many rows they
								 * have */
} GsSupply;

extern GsSupply *gs_supply_open(const GsOwners *owners, const GsModel *rows,
								const GsModel *counts, Oid relid,
								TupleDesc desc, int64 seed, int64 n);
extern void gs_supply_read(GsSupply *supply);
extern int	gs_supply_gives(const GsSupply *supply, const char *name);

#endif
