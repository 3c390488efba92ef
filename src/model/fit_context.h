/*
 * fit_context.h
 *	  What a fit gives to a family and to the steps around it, and what they
 *	  leave there.
 */
#ifndef GENSYNTH_FIT_CONTEXT_H
#define GENSYNTH_FIT_CONTEXT_H

#include "postgres.h"

#include "portability/instr_time.h"

#include "column/column.h"
#include "worker/progress.h"

typedef struct GsFitContext
{
	GsSchema   *schema;
	GsEncoded  *encoded;
	int			rare_threshold; /* rows that a value needs to be shown */
	uint64		key;			/* of all random numbers */
	const void *options;		/* the family's own struct */
	bool		known_only;		/* what is context is never drawn */
	const bool *begins;			/* [nrows] an owner's first row, where rows come
								 * owner by owner; else NULL */

	/*
	 * Reads the tensors of the version before; NIL if there is none.
	 */
	List	   *(*read_before) (const struct GsFitContext *context);
	const void *before;			/* what it needs */

	/* filled by the fit */
	List	   *tensors;		/* of GsTensor */
	List	   *notes;			/* of C strings, for the user */

	instr_time	told;			/* when progress was told of last */
	bool		private;		/* nobody is told by the clock, and there is a
								 * model for what has been spent */
} GsFitContext;

extern void gs_fit_note(GsFitContext *context, const char *format,...)
			pg_attribute_printf(2, 3);
extern void gs_fit_progress(GsFitContext *context, GsPhase phase,
							int64 done, int64 total);
extern bool gs_fit_tells(GsFitContext *context);

#endif
