/*
 * codec_internal.h
 *	  What the files of the codecs share.
 */
#ifndef GENSYNTH_CODEC_INTERNAL_H
#define GENSYNTH_CODEC_INTERNAL_H

#include "column/column.h"

/* Slots of a numeric's special values in an INT lane. */
#define GS_NUMERIC_NAN		PG_INT64_MAX
#define GS_NUMERIC_PLUS		(PG_INT64_MAX - 1)
#define GS_NUMERIC_MINUS	PG_INT64_MIN

/* Keeps the order of an unsigned value in a signed slot. */
static inline int64
gs_ordered(uint64 value)
{
	return (int64) (value ^ (UINT64CONST(1) << 63));
}

static inline uint64
gs_unordered(int64 value)
{
	return (uint64) value ^ (UINT64CONST(1) << 63);
}

/* codec.c */
extern void gs_codec_set_parts(GsCodec *codec);
extern GsSlot gs_slot_from_datum(GsCodecKind kind, Datum value);
extern Datum gs_datum_from_slot(GsCodecKind kind, GsSlot slot);

/* codec_numeric.c */
extern void gs_part_from_numeric(Datum value, GsPart *part);
extern Datum gs_numeric_from_part(const GsPart *part, int32 typmod);
extern int	gs_numeric_length(const char *text, int len);
extern int	gs_numeric_scale(const char *text);
extern void gs_numeric_scaled(const char *text, int scale, int64 *below,
							  int64 *above);
extern void gs_numeric_doubles(const char *text, double *below,
							   double *above);
extern char *gs_numeric_padded(const char *text, int scale);

/* codec_range.c */
extern void gs_range_split(GsCodec *codec, Datum value, GsPart *parts);
extern Datum gs_range_join(GsCodec *codec, const GsPart *parts);

#endif
