/*
 * whole.h
 *	  Columns of several parts whose values are few, as one category.
 */
#ifndef GENSYNTH_WHOLE_H
#define GENSYNTH_WHOLE_H

#include "learn/lane.h"

extern bool gs_whole_learn(GsColumn *column, GsLane *lanes, int64 nrows,
						   int threshold);
extern void gs_whole_set(GsCodec *codec);
extern void gs_whole_unset(GsCodec *codec);
extern char *gs_whole_pack(const GsPart *parts, int nparts);
extern bool gs_whole_unpack(const GsCodec *codec, const char *text,
							GsPart *parts);
extern Datum gs_whole_join(GsCodec *codec, const char *text);

#endif
