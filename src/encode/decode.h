/*
 * decode.h
 *	  From features to columns: the last step of a stream.
 */
#ifndef GENSYNTH_DECODE_H
#define GENSYNTH_DECODE_H

#include "column/column.h"

typedef struct GsDecoder GsDecoder;

/* Where a column's values go: each one stride beyond the one before. */
typedef struct GsRows
{
	Datum	   *values;
	bool	   *nulls;
	int			stride;
} GsRows;

#define GS_PACKED_BYTES	32

extern bool gs_pack_levels(Datum *level, int nlevels);
extern void gs_draw_uuid(StringInfo out, GsRandom *random);
extern void gs_draw_bits(StringInfo out, GsRandom *random, int length,
						 bool bytes);
extern bool gs_pack_levels(Datum *level, int nlevels);
extern GsDecoder *gs_decoder_create(const GsSchema *schema, int column,
									Oid type);
extern void gs_decode(GsDecoder *decoder, const GsBatch *batch, int from,
					  int to, GsRows rows);
extern bool gs_decode_near(GsDecoder *decoder, const GsBatch *batch, int row,
						   int reach, GsRandom *random, Datum *value);
extern void gs_decoder_needs(const GsDecoder *decoder, bool *needed);
extern bool gs_decoder_is_number(const GsDecoder *decoder);
extern bool gs_decoder_is_discrete(const GsDecoder *decoder);
extern int	gs_decoder_values(const GsDecoder *decoder, Datum **values);
extern int	gs_decoder_atoms(const GsDecoder *decoder, double share,
							 Datum **values, double **shares);
extern bool gs_decoder_is_packed(const GsDecoder *decoder);

#endif
