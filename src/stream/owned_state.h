/*
 * owned_state.h
 *	  Rows that are made owner by owner, for the files that make them.
 */
#ifndef GENSYNTH_OWNED_STATE_H
#define GENSYNTH_OWNED_STATE_H

#include "utils/hsearch.h"
#include "utils/typcache.h"

#include "encode/decode.h"
#include "owner/owners.h"
#include "stream/foreign_keys.h"
#include "stream/known.h"
#include "stream/owned.h"
#include "stream/supply.h"

/* Rows of one owner: the index of a batch has room for so many. */
#define MAX_ROWS_BITS	24

/* A column that is decoded. */
typedef struct GsOwnedColumn
{
	int			c;				/* of the model */
	GsDecoder  *decoder;
	bool		set;			/* by a condition */
	bool		picked;			/* before the row is made: a key of another */
} GsOwnedColumn;

/* An owner that stands out: see owned_heavy.c. */
typedef struct GsHeavyOwner
{
	uint64		hash;			/* gs_key_hash of his key */
	double		share;			/* of what all others have together */
	bool		present;		/* the table has him */
} GsHeavyOwner;

/*
 * Columns that together with the owner's key must not repeat, of those asked
 * for.
 */
typedef struct GsOwnedKey
{
	int			n;
	int		   *column;			/* [n] */
	TypeCacheEntry **type;		/* [n] */
	Oid		   *collation;		/* [n] */
	bool		picked;			/* rows have all of it before they are made */
} GsOwnedKey;

/* Rows that owners have already. */
typedef struct GsOwnedPast GsOwnedPast;

struct GsOwned
{
	const GsOwners *owners;
	GsKnown    *rows;
	GsKnown    *counts;
	GsDecoder  *count;			/* of the number of rows */
	GsSupply   *supply;
	bool		ended;			/* there are no more owners */
	int64		batch;			/* index, from 0 */
	int64		expected[GS_BATCH]; /* rows of each owner */
	int			nheavy;			/* owners that stand out ... */
	GsHeavyOwner *heavy;		/* ... by hash: [nheavy] */
	FormData_pg_attribute key_type; /* of what they are known by */
	double		others;			/* rows of all others */
	int64		counted;		/* rows of all owners so far, ... */
	int64		total;			/* ... of all there are, 0: as they have ... */
	int64		wanted;			/* ... and what becomes of these */
	int64		n;				/* of all generations of a table's own rows */
	bool		even;			/* each owner has as many */
	bool		keeps_all;		/* rows whose key nobody declared repeats one */
	bool		pending;		/* the row given last is an owner, too */

	/* what rows know: of their owner, then of the row before */
	int			nknown;
	Datum	   *known;			/* [GS_BATCH][nknown] */
	bool	   *known_nulls;
	int			nbefore;
	int		   *before_at;		/* [nbefore] among the columns asked for; -1 */
	Datum	   *before;			/* [GS_BATCH][nbefore] of the owners' last rows */
	bool	   *before_nulls;
	MemoryContext before_context;

	/* other rows that they refer to, chosen before they are made */
	GsForeignKeys *fks;			/* NULL: none */
	int			nreferences;	/* columns that are known of these */
	Datum	   *reference;		/* [GS_BATCH][nreferences] of the rows at hand */
	bool	   *reference_nulls;
	int			like_at;		/* column of owners that references are like; -1:
								 * they are like those of the row before; -2:
								 * like nothing */
	uint64		like[GS_BATCH]; /* of each owner's last row: a hash; 0: none */

	/* columns that conditions set, as those to come see them */
	GsEncoder  *set;			/* NULL: there are none */
	GsRows	   *given;			/* [columns of the model] */
	float	  **position;		/* [nfeatures][GS_BATCH] */

	GsOwnedPast *past;			/* NULL: rows begin anew */

	/* the rows at hand */
	int64		round;			/* which rows of their owners these are, from 0 */
	int			active[GS_BATCH];	/* their owners */
	int			nactive;
	int			at;				/* the next to be given out */
	int64		made;			/* rows before these, of all owners */
	int			nunique;
	GsOwnedKey *unique;			/* [nunique] */
	HTAB	   *seen;			/* of SeenKey; NULL if nunique is 0 */
	uint64		key;			/* of the first try's random numbers */
	int			ncolumns;		/* asked for */
	GsOwnedColumn *columns;		/* [ncolumns] */
	int		   *key_of;			/* [ncolumns] the owner's that it is; -1 */
	Datum	   *values;			/* [GS_BATCH][ncolumns] */
	bool	   *nulls;
	bool		left_out[GS_BATCH];	/* those that could not be made */
	Datum	   *spare;			/* the same of another try */
	bool	   *spare_nulls;
	MemoryContext row_context;
};

/* owned.c */
extern void gs_owned_keep_row(GsOwned *owned, int row, int owner,
							  const Datum *values, const bool *nulls);

/* owned_given.c */
extern char *gs_owned_given(const GsSupply *supply, Jsonb *given);

/* owned_past.c */
extern void gs_owned_open_past(GsOwned *owned, Oid relid, TupleDesc desc);
extern void gs_owned_recall(GsOwned *owned);

/* owned_keys.c */
extern void gs_owned_open_keys(GsOwned *owned, TupleDesc desc,
							   List *constraints);
extern void gs_owned_forget_keys(GsOwned *owned);
extern bool gs_owned_is_taken(const GsOwned *owned, int owner,
							  const Datum *values, const bool *nulls);
extern bool gs_owned_is_seen(const GsOwned *owned, int owner,
							 const Datum *values, const bool *nulls);
extern void gs_owned_see_key(GsOwned *owned, int owner, const Datum *values,
							 const bool *nulls);

/* owned_pick.c */
extern void gs_owned_open_like(GsOwned *owned);
extern void gs_owned_set_keys(const GsOwned *owned, const int *owner, int n,
							  Datum *values, bool *nulls);
extern bool gs_owned_pick_parents(GsOwned *owned, int row, int owner,
								  int64 number, Datum *values, bool *nulls);
extern void gs_owned_pass_rows(GsOwned *owned);

/* owned_heavy.c */
extern void gs_owned_count_heavy(GsOwned *owned);
extern int64 gs_owned_heavy_rows(const GsOwned *owned, double others);

/* owned_count.c */
extern int64 gs_owned_generation_rows(const GsOwned *owned, int generation);
extern bool gs_owned_next_owners(GsOwned *owned);

#endif
