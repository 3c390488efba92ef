/*
 * decode_layout.h
 *	  The values of columns that are learned in other parts than their type
 *	  has.
 */
#ifndef GENSYNTH_DECODE_LAYOUT_H
#define GENSYNTH_DECODE_LAYOUT_H

#include "column/column.h"

typedef struct GsLayoutDecoder GsLayoutDecoder;

extern GsLayoutDecoder *gs_layout_decoder_create(const GsSchema *schema,
												 int column);
extern void gs_layout_decoder_needs(const GsLayoutDecoder *decoder,
									bool *needed);
extern int64 gs_layout_decode(GsLayoutDecoder *decoder, const GsBatch *batch,
							  int row);

#endif
