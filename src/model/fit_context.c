/*
 * fit_context.c
 *	  Notes and progress of a fit.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "model/fit_context.h"

#define TELL_SECONDS	10

/*
 * gs_fit_note: adds a note for the user.
 */
void
gs_fit_note(GsFitContext *context, const char *format,...)
{
	StringInfoData note;
	int			needed = 1;

	initStringInfo(&note);
	while (needed > 0)
	{
		va_list		args;

		va_start(args, format);
		needed = appendStringInfoVA(&note, format, args);
		va_end(args);
		if (needed > 0)
			enlargeStringInfo(&note, needed);
	}
	context->notes = lappend(context->notes, note.data);
}

/*
 * gs_fit_tells: whether it is time to tell the user how far the fit is.
 */
bool
gs_fit_tells(GsFitContext *context)
{
	instr_time	now;
	instr_time	since;

	if (context->private)
		return false;
	INSTR_TIME_SET_CURRENT(now);
	if (INSTR_TIME_IS_ZERO(context->told))
		context->told = now;
	since = now;
	INSTR_TIME_SUBTRACT(since, context->told);
	if (INSTR_TIME_GET_DOUBLE(since) < TELL_SECONDS)
		return false;
	context->told = now;
	return true;
}

/*
 * gs_fit_progress: to be called between pieces of work that take less than
 * 100 ms each.  Heeds cancels, and tells other sessions at once, and the user
 * now and then, that so much of the total is done.
 */
void
gs_fit_progress(GsFitContext *context, GsPhase phase, int64 done, int64 total)
{
	CHECK_FOR_INTERRUPTS();
	if (done == 0)
		gs_progress_phase(phase, 0, total);
	else
		gs_progress_done(done);
	if (gs_fit_tells(context))
		ereport(NOTICE,
				(errmsg("%s: " INT64_FORMAT " of " INT64_FORMAT,
						gs_phase_name(phase), done, total)));
}
