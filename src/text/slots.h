/*
 * slots.h
 *	  The places of a text that vary: see format_slots.c.
 */
#ifndef GENSYNTH_SLOTS_H
#define GENSYNTH_SLOTS_H

#include "text/format.h"

#define GS_MAX_SLOTS	8		/* of a text whose places are looked at */

/* A token that stands in a slot. */
typedef struct GsToken
{
	const char *text;			/* NULL: to be drawn */
	int			len;
} GsToken;

extern int	gs_format_common(const GsFormat *format);
extern int	gs_format_slots(const GsFormat *format, int common);
extern bool gs_format_tokens(const GsFormat *format, int common,
							 const char *text, int len, GsToken *token);
extern void gs_format_draw_tokens(const GsFormat *format, int common,
								  const GsToken *token, GsRandom *random,
								  StringInfo out);

#endif
