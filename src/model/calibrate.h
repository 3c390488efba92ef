/*
 * calibrate.h
 *	  A model's own marginals, taken to the real ones.
 */
#ifndef GENSYNTH_CALIBRATE_H
#define GENSYNTH_CALIBRATE_H

#include "model/family.h"

extern void gs_calibrate(GsFitContext *context, const GsFamily *family);

#endif
