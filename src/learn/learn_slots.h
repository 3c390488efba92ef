/*
 * learn_slots.h
 *	  The places of texts that a fit looks at: see learn_slots.c.
 */
#ifndef GENSYNTH_LEARN_SLOTS_H
#define GENSYNTH_LEARN_SLOTS_H

#include "learn/learn_internal.h"
#include "text/slots.h"

/* How texts are cut into tokens, one for each of nslots slots. */
typedef struct GsSlotReader
{
	const void *form;
	int			nslots;			/* at most GS_MAX_SLOTS */
	/* token: [nslots], filled; false where the text is not of the form */
	bool		(*read) (const void *form, const char *text, int len,
						 GsToken *token);
} GsSlotReader;

/* What the tokens of a slot are. */
typedef struct GsSlotCount
{
	int64		ntokens;		/* different ones */
	int			nlevels;		/* of these, enough rows have so many */
	int64		covered;		/* their rows */
	int64		most;			/* of one of them */
} GsSlotCount;

extern int64 gs_slots_count(const GsLane *lane, int threshold,
							const GsSlotReader *reader, GsSlotCount *count);
extern bool gs_slot_tells(const GsSlotCount *count, int64 rows);
extern bool gs_slot_is_fixed(const GsSlotCount *count, int64 rows);
extern void gs_slots_fill(GsDocuments *slots, const LaneView *view,
						  const GsSlotReader *reader);

#endif
