/*
 * learn.h
 *	  From lanes to features: what a fit finds out about its columns.
 */
#ifndef GENSYNTH_LEARN_H
#define GENSYNTH_LEARN_H

#include "learn/lane.h"

/* The sample of a source, as read: lanes beside the columns they belong to. */
typedef struct GsSample
{
	int64		nrows;			/* of the sample */
	int64		seen;			/* of the source */
	int			ncolumns;
	GsColumn   *columns;
	GsLane	   *lanes;			/* [ncolumns][GS_MAX_PARTS] */
	const bool *begins;			/* [nrows] an owner's first row; or NULL */
	bool	   *told;			/* [ncolumns] by moments, and no number tells it;
								 * or NULL */
} GsSample;

extern void gs_sample_put(GsSample *sample, int64 row, const Datum *values,
						  const bool *nulls);
extern int	gs_add_flag(GsSchema *schema, GsEncoded *encoded, int column,
						int part, int nlevels, uint16 *bin);
extern void gs_learn_rare(const GsSchema *schema, GsEncoded *encoded);
extern GsSchema *gs_schema_learn(GsSample *sample, int threshold, uint64 salt,
								 GsEncoded **encoded);

#endif
