/*
 * national.h
 *	  National identification numbers: their form and their check digits.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_NATIONAL_H
#define GENSYNTH_NATIONAL_H

#include <stdbool.h>

#include "mask/kinds.h"

#define GS_NATIONAL_BYTES	24

extern bool gs_national_matches(GsKindId kind, const char *text, int len);
extern bool gs_national_fits(GsKindId kind, int len);
extern const char *gs_national_form(GsKindId kind);
extern bool gs_national_check(GsKindId kind, char *text);
extern GsKindId gs_national_kind(int locale);
extern int	gs_compact(const char *text, int len, char *out, int size);

#endif
