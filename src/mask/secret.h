/*
 * secret.h
 *	  Keys of pseudonyms and generated values: gensynth.keys.
 */
#ifndef GENSYNTH_SECRET_H
#define GENSYNTH_SECRET_H

#include "postgres.h"

#include "mask/pseudonym.h"

#define GS_DEFAULT_KEY	"default"

extern bool gs_secret_find(const char *name, GsPseudonymKey *key);
extern void gs_secret_make(const char *name, GsPseudonymKey *key);

#endif
