/*
 * given_internal.h
 *	  Conditions on a column while they are read, between their files.
 */
#ifndef GENSYNTH_GIVEN_INTERNAL_H
#define GENSYNTH_GIVEN_INTERNAL_H

#include "condition/given.h"
#include "encode/encode.h"
#include "utils/typcache.h"

/* One column's condition while it is read. */
typedef struct Reader
{
	const GsSchema *schema;
	const GsColumn *column;
	GsCodec		codec;			/* own copy: its fmgr state is ours */
	int			index;			/* of the first part's feature */
	const GsFeature *feature;	/* the same */
	TypeCacheEntry *type;
	GsEncoder  *encoder;		/* of the column; made when it is needed */
	Datum	   *level;			/* [nlevels] of a category, 0 if not a value */
	bool		null;			/* NULL is asked for */
	bool		value;			/* a value is */
	bool	   *allowed;		/* [nlevels] category */
	GsPiece    *pieces;			/* [npieces] number */
	int			npieces;
	int			room;
	GsMoments  *moments;		/* [nmoments] by the calendar */
	int			nmoments;
	struct Reader *leader;		/* of the column that this one is written
								 * from; NULL: none */
} Reader;

static inline bool
gs_is_value(const Reader *reader, int level)
{
	return level != reader->feature->null_level &&
		level != reader->feature->other_level;
}

/* given_values.c */
extern bool gs_allow_text(Reader *reader, Datum value);
extern bool gs_allow_scalars(Reader *reader, GsScalarRange range);
extern void gs_add_pieces(Reader *reader, GsScalarRange range, bool point);
extern void gs_add_moments(Reader *reader, int64 low, int64 high);
extern bool gs_follow_range(Reader *reader, GsScalarRange range);
extern void gs_bound_levels(Reader *reader, GsBound bound, Datum value);

#endif
