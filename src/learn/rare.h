/*
 * rare.h
 *	  Values that are too rare to be shown get those of like rows.
 */
#ifndef GENSYNTH_RARE_H
#define GENSYNTH_RARE_H

#include "column/column.h"

extern void gs_rare_fill(GsSchema *schema, GsEncoded *encoded, uint64 seed);

#endif
