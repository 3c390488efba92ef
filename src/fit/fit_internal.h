/*
 * fit_internal.h
 *	  synth_fit, between its files.
 */
#ifndef GENSYNTH_FIT_INTERNAL_H
#define GENSYNTH_FIT_INTERNAL_H

#include "postgres.h"

#include "fmgr.h"

#include "fit/options.h"
#include "key/key.h"
#include "learn/learn.h"
#include "model/family.h"
#include "table/source.h"

/* What the arguments ask for. */
typedef struct FitRequest
{
	char	   *source;
	const GsFamily *family;
	char	   *model;
	List	   *columns;
	List	   *exclude;
	int64		seed;
	GsOptions	options;
	bool		known_only;		/* rows are made given their context alone */
	List	   *links;			/* of GsConstraint: see links.h */
	Datum		options_json;
	bool		private;		/* differentially: with epsilon and delta */
	double		epsilon;
	double		delta;
} FitRequest;

/* arguments.c */
extern const GsFamily *gs_fit_family(const char *method);
extern Datum gs_options_json(Jsonb *options);
extern void gs_fit_arguments(FunctionCallInfo fcinfo, FitRequest *request);
extern void gs_fit_mark(GsSample *sample, const GsOptions *options);

/* fit_read.c */
extern void gs_fit_read(GsSample *sample, GsSource *source,
						const FitRequest *request, List **notes);

/* describe.c */
extern Datum gs_column_detail(const GsSchema *schema, const GsColumn *column);
extern void gs_note_columns(const GsSchema *schema, List **notes);

#endif
