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
#include "column/layout.h"
#include "mask/kinds.h"
#include "text/format.h"
#include "compat.h"

#define GS_MAX_LEVELS		60000	/* of one category */
#define GS_MAX_LEVEL_BYTES	1024	/* longer texts are never levels */
#define GS_BINS				64		/* a number's bins for the family */
#define GS_MISSING			0xFFFF	/* bin of a row that tells nothing */

/*
 * The parts of features that say where a dependency of a column does not hold,
 * and where it has another column's value.
 */
#define GS_PART_EXCEPTION	(-2)
#define GS_PART_EQUAL		(-3)

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
	int			part;			/* of the column; -1: the NULL indicator; see
								 * GS_PART_EXCEPTION */
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
	GS_MEANT_NUMBER,			/* neither that, nor a date or a list */
	GS_MEANT_FORMAT,			/* of no kind: texts of a format */
	GS_MEANT_KIND				/* of a kind of personal values */
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
	int			feature[GS_MAX_PARTS];	/* of each part; -1: a key, unless it is
										 * ordered by a number of its own */
	int			null_feature;	/* -1: none */
	GsLayout   *layout;			/* of its parts; NULL: those of the type */
	int			equal;			/* 1 + column whose value it may have; 0: none */
	int			equal_feature;	/* 1 where it has it; if equal > 0 */
	uint16	   *equal_rows;		/* while it is learned: [nrows] bins of that */
	int			anchor;			/* 1 + column near whose values' places it
								 * lies; 0: none */
	struct GsCenters *centers;	/* these places; see center.h */
	int			moment;			/* 1 + column of the same moment that it is
								 * written from; 0: none */
	GsFormat   *format;		/* generates the "other" level */
	bool		context;		/* while it is learned: known for every row */
	bool		impute;			/* while it is learned: its NULLs tell nothing,
								 * and are not drawn */
	const char *looked_up_by;	/* while it is learned: column by whose value it
								 * is looked up; NULL: not so */
	bool		is_key;			/* while it is learned: others are looked up by
								 * it */
	bool		computed;		/* while it is learned: a generated column */
	bool		equated;		/* while it is learned: a condition says what
								 * it is equal to, or a sequence */
	bool		exact;			/* while it is learned: single values matter */
	GsMeant		meant;			/* while it is learned */
	const GsKind *kind;			/* of personal values: what the "other" level
								 * is, and what other columns fit; or NULL */
	int			locale;			/* that these are made in; -1: of the row's
								 * country */
	bool		leads;			/* while it is learned: others follow from it */
	bool		refers;			/* while it is learned: a foreign key */
	bool		of_entity;		/* follows from the key of what rows are about:
								 * entity_find.c */
	bool		unique;			/* by itself, in the source */
	bool		shared;			/* while it is learned: the same in all rows of
								 * an owner, who counts once */
	bool		endless;		/* while it is learned: goes on from the row
								 * before by regular steps */
	bool		one_null;		/* unique, and so is its NULL */
	bool		partly_unique;	/* in some rows, or with other columns */
	int			leader;			/* while it is learned: 1 + column that a key
								 * rises with, or ... */
	bool		leader_down;	/* ... falls; 0: none */
	int			follows;		/* the same of another key */
	bool		follows_down;
	struct GsDocuments *offsets;	/* while it is learned: of a text of moments,
									 * the member that its suffixes are */
	struct GsKey *key;			/* NULL: none.  Else feature[] are all -1 */
	struct GsKey *spare;		/* of a column that is learned: values to go on
								 * with where rows collide; or NULL */
	int32	   *lengths;		/* [GS_LENGTHS] BYTEA, BIT: quantiles */

	/* JSON documents that are made anew, and the values in them: members.h */
	bool		document;		/* its levels are layouts */
	int			member;			/* the first of its nmembers */
	int			nmembers;
	int			owner;			/* of a member: 1 + the column of the documents */
	uint32		place;			/* of a member: where it stands in these */
} GsColumn;

/*
 * Whether a column may be told by another one, while they are learned: what is
 * known for every row only by what is so, too; what is looked up, and what it is
 * looked up by, by none.
 */
static inline bool
gs_may_follow(const GsColumn *column, const GsColumn *other)
{
	return column->looked_up_by == NULL && !column->is_key &&
		(!column->context || other->context) &&
		(!column->of_entity || other->of_entity);
}

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
 * Whether a column is learned as what it adds to another one.
 */
static inline bool
gs_column_has_base(const GsColumn *column)
{
	return column->layout != NULL && column->layout->nbases > 0;
}

/* One for each part, and NULL, exceptions and equality of each column. */
#define GS_MAX_FEATURES(ncolumns)	((ncolumns) * (GS_MAX_PARTS + 3))

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
	int			ncolumns;		/* of the table */
	int			nall;			/* these, and behind them members */
	GsColumn   *columns;		/* [nall] */
	int			nfeatures;
	GsFeature  *features;
} GsSchema;

/*
 * The table's column of a name; -1: there is none.
 */
static inline int
gs_schema_column(const GsSchema *schema, const char *name)
{
	for (int c = 0; c < schema->ncolumns; c++)
		if (strcmp(schema->columns[c].name, name) == 0)
			return c;
	return -1;
}

/* The column of the table that a column is, or is a member of. */
static inline int
gs_visible_column(const GsSchema *schema, int column)
{
	int			owner = schema->columns[column].owner;

	return owner > 0 ? owner - 1 : column;
}

/*
 * Whether other columns are learned as what they add to a column.
 */
static inline bool
gs_column_is_base(const GsSchema *schema, int column)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsLayout *layout = schema->columns[c].layout;

		for (int b = 0; layout != NULL && b < layout->nbases; b++)
			if (layout->base[b] == column)
				return true;
		if (layout != NULL && layout->since == column)
			return true;
	}
	return false;
}

/*
 * The feature whose code tells whether a column is NULL, and that code; -1 if
 * it never is.
 */
static inline int
gs_column_null(const GsSchema *schema, int c, int *code)
{
	const GsColumn *column = &schema->columns[c];
	int			first = column->feature[0];

	*code = 1;
	if (column->null_feature >= 0 || column->key != NULL)
		return column->null_feature;
	*code = schema->features[first].null_level;
	return *code >= 0 ? first : -1;
}

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
	uint16	  **rank;			/* [nfeatures] of a category's levels, alike ones
								 * next to each other; NULL: there is none */
	bool	   *predictor;		/* [nfeatures] that determines others */
	bool	   *determined;		/* [nfeatures] not the family's business */
	bool	   *context;		/* [nfeatures] known for every row */
	bool	  **rare;			/* [nfeatures][nrows] missing because the value is
								 * too rare; NULL: none is.  See rare.c */
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
	int64		first;			/* of element 0, from 0: random numbers */
	int64		row;			/* of element 0, from 0: keys; as first, but for
								 * rows that are made owner by owner */
	const uint64 *rows;			/* [GS_BATCH] in place of first and on, of rows
								 * that follow from themselves; or NULL */
	int32	   *entity;			/* [GS_BATCH] the row that it is of one entity
								 * with, or GS_BATCH + its own; or NULL: see
								 * model/entities.c */
	GsOrigin   *origin;			/* [GS_BATCH] of rows made as others; or NULL */
	int			nfeatures;
	bool	   *needed;			/* [nfeatures] others need not be filled */
	const bool *context;		/* [nfeatures] filled before, with GS_NO_CODE or
								 * NaN where a row says nothing; or NULL */
	int64	  **exact;			/* [columns] values of known columns that others
								 * add to, [GS_BATCH] as their lanes have them, or
								 * NULL; or NULL */
	float	  **score;			/* [nfeatures][GS_BATCH], number features */
	int32	  **code;			/* [nfeatures][GS_BATCH], category features */
} GsBatch;

/*
 * The number that a row's random numbers follow from.
 */
static inline uint64
gs_batch_row(const GsBatch *batch, int row)
{
	return batch->rows != NULL ? batch->rows[row] :
		(uint64) batch->first + row;
}

/*
 * Four random words for each row of a batch, of a stream: out[4 * GS_BATCH].
 */
static inline void
gs_batch_words(const GsBatch *batch, uint32 column, uint32 *out)
{
	if (batch->rows != NULL)
		gs_philox_rows(batch->key, batch->rows, column, GS_BATCH, out);
	else
		gs_philox_lanes(batch->key, (uint64) batch->first, column, 0,
						GS_BATCH, out, out + GS_BATCH, out + 2 * GS_BATCH,
						out + 3 * GS_BATCH);
}

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
		gs_random_start(random, batch->key, gs_batch_row(batch, row), column);
}

/* Philox streams: columns count from 0, latent variables from here. */
#define GS_STREAM_LATENT	UINT32_C(0x40000000)
#define GS_STREAM_REFINE	UINT32_C(0x50000000)
#define GS_STREAM_GIVEN		UINT32_C(0x60000000)	/* conditioned ones */
#define GS_STREAM_CONTEXT	UINT32_C(0x68000000)	/* + feature: places in values */
#define GS_STREAM_DEPENDENCY	UINT32_C(0x6C000000)	/* + feature: exceptions */
#define GS_STREAM_INVERSE	UINT32_C(0x6D000000)	/* + feature: predictors */
#define GS_STREAM_ENTITY	UINT32_C(0x6F000000)	/* rows of one */
#define GS_STREAM_PERSON	UINT32_C(0x6E000000)	/* what is of its kind */
#define GS_STREAM_SETTLE	UINT32_C(0x6F000000)	/* moved to meet conditions */
#define GS_STREAM_KEY		UINT32_C(0x70000000)	/* + column: keys' orders */

#endif
