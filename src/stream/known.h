/*
 * known.h
 *	  Rows that are made given columns that are known of each.
 *
 *	real values -> encoder -> context of a sampler -> a batch to be decoded
 */
#ifndef GENSYNTH_KNOWN_H
#define GENSYNTH_KNOWN_H

#include "constraint/rules.h"
#include "encode/encode.h"
#include "model/model.h"

typedef struct GsKnown
{
	GsSampler  *sampler;
	GsEncoder  *encoder;
	GsRules    *rules;			/* NULL: any row will do */
	GsBatch    *batch;
	int			n;				/* rows that are given: GS_BATCH, or fewer */
	GsRows	   *given;			/* [ncolumns] values of the columns known: to be
								 * set before gs_known_begin */
	float	  **position;		/* [nfeatures][GS_BATCH] random */
	const uint64 *rows;			/* see GsBatch; to be set before
								 * gs_known_begin */
} GsKnown;

extern GsKnown *gs_known_create(const GsModel *model, const bool *known);
extern void gs_known_begin(GsKnown *known, int64 seed, const bool *needed);
extern const bool *gs_known_fill(GsKnown *known, int64 index);
extern void gs_known_know(GsKnown *known);
extern void gs_known_decode(GsKnown *known, GsDecoder *decoder, int c, int n,
							GsRows rows);

#endif
