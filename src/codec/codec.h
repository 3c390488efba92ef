/*
 * codec.h
 *	  How values of a type are taken apart and put together.
 *
 * All that the extension knows of a type is one GsCodecKind, beside the
 * functions that it names: see codec.c for the list of them.  A GsCodec is
 * that of one column's type, with its modifier, labels, elements or bounds.
 */
#ifndef GENSYNTH_CODEC_H
#define GENSYNTH_CODEC_H

#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/typcache.h"

#define GS_MAX_PARTS		6

/* What the 8 bytes of a lane's scalar hold. */
typedef enum GsLaneType
{
	GS_LANE_INT,				/* int64 */
	GS_LANE_FLOAT,				/* float8 */
	GS_LANE_NUMERIC,			/* see lane.c; resolved when reading ends */
	GS_LANE_TEXT				/* 64-bit hash of the text */
} GsLaneType;

typedef union GsScalar
{
	int64		i;
	double		f;
	uint64		hash;
} GsScalar;

/*
 * One part of one value on its way in or out.  A value may lack a part, as an
 * unbounded range lacks a bound.
 */
typedef struct GsPart
{
	GsLaneType	lane;
	bool		absent;
	GsScalar	scalar;		/* INT, FLOAT */
	const char *text;			/* NUMERIC, TEXT; not terminated on its way in */
	int			len;
	bool		unbreakable;	/* TEXT: a part of it means nothing */
	int			scale;			/* of a numeric on its way out */
	int			min_scale;
} GsPart;

/* What a part may hold. */
typedef struct GsPartKind
{
	GsLaneType	lane;

	/* INT */
	int64		min;			/* but for special values */
	int64		max;
	bool		ordered;		/* unsigned: see gs_ordered */
	int			decimals;		/* it is written with, as in seconds; 0 or more */

	/* INT, and of a NUMERIC what is kept so */
	bool		special;		/* there are values with no order to interpolate
								 * in: */
	int64		minus;			/* -infinity */
	int64		plus;			/* infinity; NaN is beyond it */
} GsPartKind;

/* What values are made of where they are made anew, and not of levels. */
typedef enum GsContent
{
	GS_CONTENT_NUMBERS,			/* parts that are numbers */
	GS_CONTENT_TRUTH,
	GS_CONTENT_TEXT,			/* any text */
	GS_CONTENT_LABEL,			/* of an enum */
	GS_CONTENT_UUID,
	GS_CONTENT_BITS,			/* bits or bytes */
	GS_CONTENT_JSON,
	GS_CONTENT_ARRAY
} GsContent;

/* Numbers of one axis can be compared with, and taken off, each other. */
typedef enum GsAxis
{
	GS_AXIS_NONE,
	GS_AXIS_NUMBER,
	GS_AXIS_TIME,				/* in microseconds */
	GS_AXIS_MONEY
} GsAxis;

struct GsCodec;

typedef struct GsCodecKind
{
	const char *name;			/* as synth_columns has it */
	Oid			types[2];		/* base types; others are found in other ways */
	int			nparts;
	GsContent	content;
	GsPartKind	part[GS_MAX_PARTS];
	GsAxis		axis;			/* of a single part */
	double		unit;			/* of the axis; 0: 1, or a numeric's scale */
	bool		integer;		/* a Datum is its scalar, sign-extended, where 8
								 * bytes are passed by value */
	bool		narrow;			/* a float of 4 bytes */
	bool		scaled;			/* floats as whole numbers: codec_scaled.c */
	bool		styled;			/* its text follows the session's settings */
	int			bits;			/* BITS: of one unit of its length */

	/*
	 * A single part in an INT or FLOAT lane: to a scalar, and back in the
	 * current context.
	 */
	GsScalar		(*scalar) (Datum value);
	Datum		(*datum) (GsScalar scalar);

	/* all others: see gs_codec_split and gs_codec_join */
	void		(*split) (struct GsCodec *codec, Datum value, GsPart *parts);
	Datum		(*join) (struct GsCodec *codec, const GsPart *parts);
} GsCodecKind;

/* How values of one type are split and joined. */
typedef struct GsCodec
{
	const GsCodecKind *kind;
	int			nparts;
	GsPartKind	part[GS_MAX_PARTS];
	Oid			type;			/* base type, domains looked through */
	int32		typmod;
	int			scale;			/* of a kind that is scaled */
	const GsCodecKind *bound;	/* of a range */
	FmgrInfo	output;			/* text output of the base type */
	FmgrInfo	input;
	Oid			ioparam;
	bool		whole;			/* parts are packed in one text: composite.c */
	struct GsNotation *notation;	/* NULL: values are no dates that are written
									 * as something else */
	struct GsCodec *element;	/* of an array */
	Oid			elementtype;	/* perhaps a domain */
	struct GsDomain *domain;	/* of an array's elements, once needed */
	TypeCacheEntry *range;
	int			nlabels;		/* of an enum */
	char	  **label;			/* [nlabels] in the enum's order */
} GsCodec;

extern Oid	gs_plain_type(Oid type, int32 *typmod);
extern bool gs_codec_for_type(GsCodec *codec, Oid type, int32 typmod);
extern void gs_codec_copy(GsCodec *to, const GsCodec *from);
extern void gs_codec_split(GsCodec *codec, Datum value, GsPart *parts);
extern Datum gs_codec_join(GsCodec *codec, const GsPart *parts);
extern int	gs_codec_max_chars(const GsCodec *codec);
extern bool gs_kind_is_text(const char *name);

/* codec_scaled.c */
extern int64 gs_float_scaled(double value, int scale);
extern void gs_float_around(const GsCodec *codec, Datum value, int64 *below,
							int64 *above);
extern int	gs_floats_scale(double largest);
extern void gs_codec_set_scaled(GsCodec *codec, int scale);

/*
 * Whether a scalar of a lane, which is that of the part, or what a numeric is
 * kept in, holds a value that must not be interpolated.
 */
static inline bool
gs_scalar_is_special(const GsPartKind *part, GsLaneType lane, GsScalar scalar)
{
	if (lane == GS_LANE_FLOAT)
		return !isfinite(scalar.f);
	return lane == GS_LANE_INT && part->special &&
		(scalar.i <= part->minus || scalar.i >= part->plus);
}

/*
 * Whether what the values are is known to all: a boolean's, an enum's labels.
 */
static inline bool
gs_codec_is_public(const GsCodec *codec)
{
	return codec->kind->content == GS_CONTENT_TRUTH ||
		codec->kind->content == GS_CONTENT_LABEL;
}

#endif
