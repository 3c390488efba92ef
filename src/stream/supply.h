/*
 * supply.h
 *	  Owners of rows, a batch at a time.
 */
#ifndef GENSYNTH_SUPPLY_H
#define GENSYNTH_SUPPLY_H

#include "executor/spi.h"
#include "executor/tuptable.h"
#include "utils/tuplestore.h"

#include "model/model.h"
#include "owner/owners.h"
#include "stream/stream.h"

typedef struct GsSupply
{
	const GsOwners *owners;
	int			nkeys;			/* columns that rows refer to an owner by ... */
	int			nowner;			/* ... and with those that rows know besides */
	Oid		   *type;			/* [nowner] of these besides; others unset */
	int			nowners;		/* at hand */
	Datum	   *owner;			/* [GS_BATCH][nowner] */
	bool	   *nulls;
	int64		rows[GS_BATCH]; /* that each has, where they are made */
	MemoryContext context;		/* of the owners at hand */

	char	   *which;			/* of the owners, SQL; NULL: all */
	SPIPlanPtr	is_one;			/* whether an entity is one of these */

	/* rows of a table */
	Oid			relid;			/* that refers to it */
	Oid			key_type[INDEX_MAX_KEYS];
	SPIPlanPtr	first;			/* reads the first owners ... */
	SPIPlanPtr	after;			/* ... and those after others */

	/* rows of the table itself, a generation after the other */
	Tuplestorestate *now;		/* NULL: none */
	Tuplestorestate *next;
	TupleTableSlot *slot;
	int		   *at;				/* [nowner] among the columns asked for; -1 */
	int			generation;		/* -1: of those that belong to none */
	int64		roots;			/* of these that are left */

	/* entities that the table has rows of; NULL */
	Tuplestorestate *there;

	/* made */
	bool		one;			/* there is but one */
	bool		given;			/* ... who was given out */
	GsStream   *stream;			/* of the others; NULL */
	TupleDesc	desc;			/* of their columns, and how many rows they
								 * have */
} GsSupply;

extern GsSupply *gs_supply_open(const GsOwners *owners, const GsModel *rows,
								const GsModel *counts, Oid relid,
								TupleDesc desc, int64 seed, int64 n,
								bool after);
extern void gs_supply_choose(GsSupply *supply, char *which);
extern void gs_supply_read(GsSupply *supply);
extern void gs_supply_add(GsSupply *supply, const Datum *values,
						  const bool *nulls);
extern bool gs_supply_descend(GsSupply *supply);
extern int64 gs_supply_owners(const GsSupply *supply);
extern void gs_supply_rewind(GsSupply *supply);
extern int	gs_supply_gives(const GsSupply *supply, const char *name);

#endif
