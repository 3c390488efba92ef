/*
 * decode_document.h
 *	  JSON documents out of their layouts and members.
 */
#ifndef GENSYNTH_DECODE_DOCUMENT_H
#define GENSYNTH_DECODE_DOCUMENT_H

#include "encode/decode.h"

typedef struct GsDocumentDecoder GsDocumentDecoder;

extern GsDocumentDecoder *gs_document_decoder_create(const GsSchema *schema,
													 int column);
extern void gs_document_decoder_needs(const GsDocumentDecoder *decoder,
									  bool *needed);
extern void gs_document_draw(GsDocumentDecoder *decoder, const char *layout,
							 const GsBatch *batch, int row, int try,
							 GsRandom *random, StringInfo out);

#endif
