/*
 * trial.h
 *	  Whether rows of a new model meet its conditions.
 */
#ifndef GENSYNTH_TRIAL_H
#define GENSYNTH_TRIAL_H

#include "catalog/catalog.h"

extern void gs_fit_trial(const GsVersionEntry *loaded, List **notes);

#endif
