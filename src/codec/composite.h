/*
 * composite.h
 *	  Columns of several parts whose values are few, as one category.
 */
#ifndef GENSYNTH_COMPOSITE_H
#define GENSYNTH_COMPOSITE_H

#include "learn/lane.h"

extern bool gs_composite_learn(GsColumn *column, GsLane *lanes, int64 nrows,
							   int threshold);
extern void gs_composite_set(GsCodec *codec);
extern void gs_composite_unset(GsCodec *codec);
extern char *gs_composite_pack(const GsPart *parts, int nparts);
extern bool gs_composite_unpack(const GsCodec *codec, const char *text,
								GsPart *parts);
extern Datum gs_composite_join(GsCodec *codec, const char *text);

#endif
