/*
 * acceptance.h
 *	  What conditions that rows are refused by do to a model's distributions.
 */
#ifndef GENSYNTH_ACCEPTANCE_H
#define GENSYNTH_ACCEPTANCE_H

#include "catalog/catalog.h"

extern void gs_note_acceptance(GsVersionEntry *version,
							   GsSchema *schema, List **notes);

#endif
