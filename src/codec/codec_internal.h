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

static inline uint64
gs_bytes_to_uint64(const unsigned char *bytes, int n)
{
	uint64		value = 0;

	for (int i = 0; i < n; i++)
		value = (value << 8) | bytes[i];
	return value;
}

static inline void
gs_uint64_to_bytes(uint64 value, unsigned char *bytes, int n)
{
	for (int i = n - 1; i >= 0; i--)
	{
		bytes[i] = (unsigned char) (value & 0xFF);
		value >>= 8;
	}
}

/* The kinds of each file; the last has no name. */
extern const GsCodecKind gs_number_kinds[];
extern const GsCodecKind gs_numeric_kinds[];
extern const GsCodecKind gs_parts_kinds[];
extern const GsCodecKind gs_range_kinds[];
extern const GsCodecKind gs_text_kinds[];

/* codec.c */
extern void gs_codec_set_parts(GsCodec *codec);

/* codec_range.c */
extern void gs_range_set_parts(GsCodec *codec);

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

#endif
