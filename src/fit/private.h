/*
 * private.h
 *	  Differentially private fits: see private.c.
 */
#ifndef GENSYNTH_FIT_PRIVATE_H
#define GENSYNTH_FIT_PRIVATE_H

#include "catalog/catalog.h"
#include "fit/options.h"
#include "model/family.h"
#include "privacy/counts.h"
#include "privacy/noise.h"
#include "nodes/parsenodes.h"
#include "table/source.h"
#include "utils/relcache.h"

/* Cells that the values of a number are counted in, at most. */
#define GS_PRIVATE_CELLS	1024
/* Neighbours that are counted together besides, if there are more than ... */
#define GS_PRIVATE_BLOCK	32
/* ... so many. */
#define GS_PRIVATE_FINE		128
/* Pairs of more columns than these are chosen ... */
#define GS_PRIVATE_FEW		20
/* ... so many at most: more would leave each too little of the budget. */
#define GS_PRIVATE_PAIRS	780

/* What a private fit is asked for. */
typedef struct GsPrivateRequest
{
	const char *model;
	const GsFamily *family;
	const GsOptions *options;
	double		epsilon;
	double		delta;
} GsPrivateRequest;

/* What is known of a column's values before a row is read. */
typedef enum GsPublicKind
{
	GS_PUBLIC_NOTHING,
	GS_PUBLIC_KEY,				/* different in all rows: nothing is learned */
	GS_PUBLIC_LEVELS,			/* all values */
	GS_PUBLIC_BOUNDS,			/* ends of numbers */
	GS_PUBLIC_NUMBER,			/* to be found: the ends ... */
	GS_PUBLIC_TEXT				/* ... and the values */
} GsPublicKind;

typedef struct GsPublic
{
	GsPublicKind kind;
	bool		nullable;

	/* the ends so far, of the column's base type */
	bool		has[2];			/* low, high */
	bool		open[2];		/* the end itself is no value */
	Datum		end[2];

	/* LEVELS */
	int			nlevels;
	GsScalar   *level;			/* [nlevels] */
	char	  **text;			/* [nlevels] of a TEXT lane */
	int64	   *count;			/* [nlevels + 1] if they were found: their noisy
								 * counts, and that of NULL; else NULL */
	bool		whole;			/* a value cannot be any other */

	/* LEVELS, BOUNDS: in what scalars hold them */
	GsLaneType	lane;
	int			scale;			/* of a numeric */
	int			min_scale;
} GsPublic;

/* Counts of rows in cells, of which a row is in one at most. */
typedef struct GsPrivateVector
{
	int			ncells;
	bool		number;			/* they are the cells of one */
	int64	   *count;			/* [ncells] with noise, once it is drawn */
	uint64		num;			/* of sigma^2 = num / den */
	uint64		den;
	double		sigma;
	double		rho;			/* what it costs */
} GsPrivateVector;

/* A text whose values are to be found. */
typedef struct GsPrivateText
{
	const GsColumn *column;
	GsPublic   *public;
	const GsPrivateVector *noise;	/* of each count */
} GsPrivateText;

/* A column, as it is counted. */
typedef struct GsPrivateCells
{
	int			feature;		/* a number, a category or the indicator of a
								 * key's NULLs; -1: of all rows */
	int			null_cell;		/* the last; -1: none */
	bool		ordered;
	struct GsLevels *levels;	/* of a category */
	bool		whole;			/* each row is in one of them */
	bool		released;		/* they have been counted already */
	GsPrivateVector vector;
	GsPrivateVector blocks;		/* the same rows by blocks of cells, without
								 * those of NULL; no cells: not counted */
	int			nbins;			/* that pairs are counted over */
	int32	   *bin;			/* [ncells] of each cell */
} GsPrivateCells;

typedef struct GsPrivatePair
{
	int			first;
	int			second;
	GsPrivateVector vector;		/* [bins of the target, if there is one][bins
								 * of first][bins of second] */
} GsPrivatePair;

/* What is counted of a table. */
typedef struct GsPrivateTable
{
	const GsSchema *schema;
	int			ncolumns;
	GsPrivateCells *column;
	int			npairs;
	GsPrivatePair *pair;
	int64	   *pair_count;		/* of all of them */
	int			target;			/* the column for each bin of which pairs of
								 * others are counted; -1: none */
	double		rows;			/* their noisy number */
} GsPrivateTable;

/* private_ask.c */
extern void gs_private_check(const GsPrivateRequest *request,
							 const GsSource *source, bool temporary,
							 Jsonb *options);

/* private.c */
extern int64 gs_private_learn(const GsPrivateRequest *request,
							  GsSource *source, GsFitContext *context,
							  GsVersionEntry *version);

/* private_public.c */
extern Oid	gs_private_table_of(const GsSource *source, List *public);
extern AttrNumber gs_private_column_of(const GsSource *source, int column);
extern List *gs_private_parents(const GsSource *source, Relation child,
								List *tables);
extern GsPublic *gs_public_read(const GsSource *source, Oid table,
								const GsOptions *options,
								GsColumn *columns);

extern void gs_public_check(const GsColumn *columns, const GsPublic *public,
							int n);
extern bool gs_public_is_number(const GsColumn *column);
extern void gs_public_move(const GsColumn *column, GsPublic *public,
						   int which, Datum value, bool open);
extern void gs_public_levels(const GsColumn *column, GsPublic *public,
							 List *values, const char *option);
extern double gs_public_most(const GsColumn *column);
extern void gs_public_close(const GsColumn *column, GsPublic *public,
							Datum low, Datum high);

/* private_join.c */
extern Oid	gs_private_public(const char *name);
extern int	gs_private_joined(const Query *query, List *public, List **quals);

/* private_check.c */
extern Node *gs_check_strip(Node *node);
extern int	gs_check_meaning(Oid operator);
extern bool gs_public_number(const GsColumn *column, char *text,
							 Datum *value, bool *between);
extern void gs_public_checks(Relation relation, const GsColumn *column,
							 AttrNumber attnum, GsPublic *public);

/* private_order.c */
extern void gs_private_orders_read(const GsSource *source, Oid table,
						   GsColumn *columns);
extern void gs_private_orders_settle(GsColumn *columns, int n, GsPublic *public);

/* private_domain.c */
extern int	gs_domain_cells(const GsColumn *column);
extern void gs_domain_ends(GsSource *source, GsColumn *columns, int ncolumns,
						   GsPublic *public, const GsPrivateVector *noise);
extern void gs_domain_texts(GsSource *source, const GsPrivateText *asked,
							int n, double delta, int unit_rows);

/* private_schema.c */
extern GsSchema *gs_private_schema(GsColumn *columns, int ncolumns,
								   const GsPublic *public);
extern double *gs_private_shares_of(const GsPrivateTable *table, int column);
extern void gs_private_shares(GsSchema *schema, const GsPrivateTable *table);

/* private_count.c */
extern void gs_private_table(const GsSchema *schema, const GsPublic *public,
							 bool rows, GsPrivateTable *table);
extern void gs_private_noise(GsPrivateTable *table,
							 const GsPrivateTable *plan);
extern void gs_private_count(GsPrivateTable *table, GsSource *source);
extern void gs_private_agree(GsPrivateCells *cells);
extern void gs_private_count_pairs(GsPrivateTable *table, GsSource *source);

/* private_pairs.c */
extern GsPrivateVector **gs_private_columns(GsPrivateTable *table, int *n);
extern bool gs_private_split(int n, GsPrivateVector *const *vectors,
							 double rho, int unit_rows);
extern double *gs_private_bin_shares(const GsPrivateTable *table, int column);
extern void gs_private_allot(GsPrivateTable *table);
extern void gs_private_bins(GsPrivateTable *table, double rho, double choice,
							int unit_rows, List **notes);
extern void gs_private_rebin(GsPrivateTable *table, double rho,
							 int unit_rows);
extern void gs_private_split_pairs(GsPrivateTable *table, double rho,
								   int unit_rows, List **notes);

/* private_choice.c */
extern void gs_private_choose(GsPrivateTable *table, GsSource *source,
							  double choice, double rho, int unit_rows,
							  List **notes);

/* private_noise.c */

/*
 * What only tests set: sees each vector of counts before and after its noise,
 * and may change the latter; each text with its count, NULL last; and the texts
 * that are told with theirs.
 */
extern void (*gs_release_hook) (const int64 *exact, int64 *noisy, int n,
								uint64 num, uint64 den);
extern void (*gs_text_hook) (int column, const char *text, int64 count);
extern void (*gs_levels_hook) (int column, const GsPrivateVector *noise,
							   int *n, char ***text, int64 **count);
typedef struct GsReleaser GsReleaser;
extern GsReleaser *gs_releaser_begin(const GsPrivateVector *vector);
extern int64 gs_release_one(GsReleaser *releaser, int64 count);
extern void gs_releaser_end(GsReleaser *releaser);
extern void gs_release(GsPrivateVector *vector);

#endif
