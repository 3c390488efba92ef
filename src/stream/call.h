/*
 * call.h
 *	  A call of a sampling function: from arguments to rows.
 */
#ifndef GENSYNTH_CALL_H
#define GENSYNTH_CALL_H

#include "postgres.h"

#include "access/tupdesc.h"

#include "stream/stream.h"

/* The forms of one stream; each is a function of its own. */
typedef enum GsForm
{
	GS_FORM_JSON,				/* synth_sample(text, ...) */
	GS_FORM_RELATION,			/* synth_sample(regclass, ...) */
	GS_FORM_TYPED,				/* synth_sample(anyelement, ...) */
	GS_FORM_RECORD				/* synth_rows(text, ...) */
} GsForm;

#define GS_FORM_MAX_ARGS	6

/* Where a form has its arguments; -1: it has none of the kind. */
typedef struct GsFormArgs
{
	int			nargs;
	int			model;
	int			n;
	int			seed;
	int			given;
	int			start;
} GsFormArgs;

/* What a call asks for. */
typedef struct GsCall
{
	const GsModel *model;
	GsSampler  *sampler;
	int64		seed;
	int64		start;			/* from 1 */
	int64		n;
	bool		own;			/* the model of the relation that was named */
	char	   *given;			/* as JSON text, or NULL */
} GsCall;

extern bool gs_may_commit(FunctionCallInfo fcinfo);
extern TupleDesc gs_shape_desc(FunctionCallInfo fcinfo, Oid *relid);
extern const GsFormArgs *gs_form_args(GsForm form);
extern GsCall *gs_call_open(GsForm form, const NullableDatum *args, Oid relid,
							const int64 *shared_seed);

#endif
