/*
 * continue.h
 *	  Where keys go on that count: behind those that a target has.
 */
#ifndef GENSYNTH_CONTINUE_H
#define GENSYNTH_CONTINUE_H

#include "catalog/fills.h"
#include "stream/target.h"

extern bool gs_target_begin_keys(const GsSampler *sampler,
								 const GsFill *fill);
extern void gs_target_continue_keys(const GsTarget *target,
									const GsSampler *sampler, GsFill *fill);

#endif
