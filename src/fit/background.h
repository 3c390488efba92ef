/*
 * background.h
 *	  Fits in the background.
 */
#ifndef GENSYNTH_BACKGROUND_H
#define GENSYNTH_BACKGROUND_H

#include "postgres.h"

extern void gs_background_fit(int64 job, const NullableDatum *args);

#endif
