/*
 * copula.h
 *	  The Gaussian copula, between its two files.
 */
#ifndef GENSYNTH_COPULA_H
#define GENSYNTH_COPULA_H

#include "model/family.h"

extern void gs_copula_fit(const GsEncoded *encoded, List **tensors,
						  List **notes);

#endif
