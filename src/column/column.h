/*
 * column.h
 *	  How the columns of a table become features that a family can learn, and
 *	  how features become columns again.
 *
 * A column's codec splits a Datum into one to four parts (an interval has
 * months, days and microseconds; most types have one).  While the source is
 * read, each part fills a lane of 8-byte scalars.  Learning turns every lane
 * into a feature, and adds an indicator feature where NULL cannot be a level
 * of the feature itself:
 *
 *	 - FEATURE_CATEGORY: a code below nlevels, each level with its share.  A
 *	   level is a scalar value, a text, NULL, or "other": a value that is
 *	   generated anew, since the source's own are too rare to be shown.
 *	 - FEATURE_NUMBER: a normal score, taken to a value by a quantile table.
 *
 * A family sees features only.
 */
#ifndef GENSYNTH_COLUMN_H
#define GENSYNTH_COLUMN_H

#include "postgres.h"

#include "nodes/execnodes.h"

#include "codec/codec.h"
#include "text/format.h"
#include "compat.h"

#define GS_MAX_LEVELS		10000	/* of one category */
#define GS_MAX_LEVEL_BYTES	1024	/* longer texts are never levels */
#define GS_BINS				64		/* a number's bins for the family */
#define GS_MISSING			0xFFFF	/* bin of a row that tells nothing */

typedef enum GsFeatureKind
{
	GS_FEATURE_CATEGORY,
	GS_FEATURE_NUMBER
} GsFeatureKind;

/*
 * A monotone map from normal scores to values: nsegments intervals of the
 * normal score, segment s from edge[s] to edge[s + 1], within which the value
 * goes from low[s] to high[s]; an atom has low = high.
 */
typedef struct GsQuantile
{
	int			nsegments;
	double	   *edge;			/* [nsegments + 1], increasing */
	GsScalar   *low;		/* [nsegments] */
	GsScalar   *high;		/* [nsegments] */
} GsQuantile;

typedef struct GsFeature
{
	GsFeatureKind kind;
	int			column;			/* index of the column */
	int			part;			/* of the column; -1: the NULL indicator */
	GsLaneType	lane;			/* INT, FLOAT or TEXT */

	/* category */
	int			nlevels;
	double	   *share;			/* [nlevels], sum 1 */
	GsScalar   *level;		/* [nlevels] INT, FLOAT */
	char	  **text;			/* [nlevels] TEXT; NULL where not a text */
	int			null_level;		/* -1: none */
	int			other_level;	/* -1: none */

	/* number */
	GsQuantile	quantile;
	int64		step;			/* INT: values are multiples apart */
	struct GsEndings *endings;	/* that are favoured, or NULL */
	int			decimals;		/* FLOAT: decimal places, -1 unknown */

	/* a numeric's display scale: at least min_scale digits, at most scale */
	int			scale;
	int			min_scale;
} GsFeature;

/* What option "kinds" says of a column. */
typedef enum GsMeant
{
	GS_MEANT_ANY,				/* nothing: the fit looks at it */
	GS_MEANT_CODE,				/* values that only stand for something */
	GS_MEANT_NUMBER				/* neither that, nor a date or a list */
} GsMeant;

typedef struct GsColumn
{
	char	   *name;
	Oid			type;			/* plain: see gs_plain_type */
	int32		typmod;
	Oid			declared;		/* perhaps a domain; while it is learned */
	Oid			collation;
	char	   *type_name;		/* format_type, qualified: survives a dump */
	char	   *base_name;		/* the same of the plain type */
	GsCodec		codec;
	bool		nullable;		/* NULLs were seen, and are emitted */
	int			feature[GS_MAX_PARTS];	/* of each part; -1: a key */
	int			null_feature;	/* -1: none */
	int			base;			/* 1 + column that it is learned as the
								 * difference from; 0: none */
	int			moment;			/* 1 + column of the same moment that it is
								 * written from; 0: none */
	GsFormat   *format;		/* generates the "other" level */
	bool		context;		/* while it is learned: known for every row */
	bool		impute;			/* while it is learned: its NULLs tell nothing,
								 * and are not drawn */
	GsMeant		meant;			/* while it is learned */
	bool		leads;			/* while it is learned: others follow from it */
	bool		unique;			/* by itself, in the source */
	bool		one_null;		/* unique, and so is its NULL */
	struct GsKey *key;			/* NULL: none.  Else feature[] are all -1 */
	int32	   *lengths;		/* [GS_LENGTHS] BYTEA, BIT: quantiles */
} GsColumn;

#define GS_LENGTHS		33
#define GS_MAX_LENGTH	(1 << 20)

/*
 * Whether a decoder of a column can make values of a type: the column's own,
 * or a domain over it.
 */
static inline bool
gs_is_column_of(const GsColumn *column, Oid type)
{
	int32		typmod = -1;

	return gs_plain_type(type, &typmod) == column->type;
}

/*
 * Whether a column, whose first part's feature is given, draws NULLs by itself,
 * and not only where the one that it follows from is NULL.
 */
static inline bool
gs_has_nulls(const GsColumn *column, const GsFeature *feature)
{
	return column->null_feature >= 0 || feature->null_level >= 0;
}

/* What a table was understood as: columns and their features. */
typedef struct GsSchema
{
	int			ncolumns;
	GsColumn   *columns;
	int			nfeatures;
	GsFeature  *features;
} GsSchema;

/*
 * A table as a family sees it while it fits: for every feature and row a bin.
 * A category's bins are its levels; a number's are at most GS_BINS intervals
 * of its normal score, in order.
 */
typedef struct GsEncoded
{
	int64		nrows;
	int			nfeatures;
	const GsFeature *features;
	int		   *nbins;			/* [nfeatures] */
	uint16	  **bin;			/* [nfeatures][nrows]; GS_MISSING */
	uint16	  **segment;		/* the same of a number's quantile table, which
								 * is finer; NULL for a category ... */
	uint16	  **within;			/* ... and where in it, of 65535 parts: see
								 * gs_quantile_position */
	bool	   *determined;		/* [nfeatures] not the family's business */
	bool	   *context;		/* [nfeatures] known for every row */
} GsEncoded;

/* Missing: what a row, or its value, says nothing about. */
#define GS_NO_CODE		(-1)	/* in GsBatch's code; its score is NaN */

/* One aligned batch of a stream, as a family makes it. */
#define GS_BATCH	1024

/* Where a row's own random numbers come from. */
typedef struct GsOrigin
{
	uint64		key;
	int64		row;
} GsOrigin;

typedef struct GsBatch
{
	uint64		key;			/* of the random numbers */
	int64		first;			/* row number of element 0, from 0 */
	GsOrigin   *origin;			/* [GS_BATCH] of rows made as others; or NULL */
	int			nfeatures;
	bool	   *needed;			/* [nfeatures] others need not be filled */
	const bool *context;		/* [nfeatures] filled before, with GS_NO_CODE or
								 * NaN where a row says nothing; or NULL */
	float	  **score;			/* [nfeatures][GS_BATCH], number features */
	int32	  **code;			/* [nfeatures][GS_BATCH], category features */
} GsBatch;

/*
 * The random numbers of one cell of a batch.
 */
static inline void
gs_batch_random(GsRandom *random, const GsBatch *batch, int row, uint32 column)
{
	if (batch->origin != NULL)
		gs_random_start(random, batch->origin[row].key,
						batch->origin[row].row, column);
	else
		gs_random_start(random, batch->key, batch->first + row, column);
}

/* Philox streams: columns count from 0, latent variables from here. */
#define GS_STREAM_LATENT	UINT32_C(0x40000000)
#define GS_STREAM_REFINE	UINT32_C(0x50000000)
#define GS_STREAM_GIVEN		UINT32_C(0x60000000)	/* conditioned ones */
#define GS_STREAM_CONTEXT	UINT32_C(0x68000000)	/* + feature: places in values */
#define GS_STREAM_KEY		UINT32_C(0x70000000)	/* + column: keys' orders */

#endif
