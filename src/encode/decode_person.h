/*
 * decode_person.h
 *	  Texts that are made by their kind, fitting what their row says else.
 */
#ifndef GENSYNTH_DECODE_PERSON_H
#define GENSYNTH_DECODE_PERSON_H

#include "encode/decode.h"

typedef struct GsPersonDecoder GsPersonDecoder;

extern GsPersonDecoder *gs_person_create(const GsSchema *schema, int column);
extern void gs_person_needs(const GsPersonDecoder *person, bool *needed);
extern bool gs_person_draw(GsPersonDecoder *person, const GsBatch *batch,
						   int row, int try, const char *form,
						   StringInfo out);
extern bool gs_person_number(GsPersonDecoder *person, const GsBatch *batch,
							 int row, int try, uint64 number, int digits,
							 StringInfo out);

#endif
