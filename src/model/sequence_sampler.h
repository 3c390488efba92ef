/*
 * sequence_sampler.h
 *	  The sampler of rows of an owner, between its files.
 */
#ifndef GENSYNTH_MODEL_SEQUENCE_SAMPLER_H
#define GENSYNTH_MODEL_SEQUENCE_SAMPLER_H

#include "utils/hsearch.h"

#include "model/model.h"
#include "model/sequence.h"

/* Keys that rows of the owners at hand have. */
typedef struct SeenKey
{
	uint64		hash;			/* of owner, key and values */
} SeenKey;

typedef struct SequenceSampler
{
	const SequenceModel *model;
	TreeSampler *axes;
	GsMemory   *memory;
	uint8	   *code;			/* [nasks][GS_BATCH] */
	bool		alone;			/* each row by itself: the first of its owner */
	int			n;				/* rows of a batch */
	int			owner[GS_BATCH];
	HTAB	   *seen;			/* of SeenKey; NULL: no keys */
	bool		failed[GS_BATCH];	/* rows that repeat a key */
	GsShown    *shown;			/* [positions] scratch */
	float		at[GS_BATCH];	/* scratch */
	int			row[GS_BATCH];
	int			part[GS_BATCH];
} SequenceSampler;

/* sequence.c */
extern GsShown gs_sequence_shown_at(const SequenceSampler *sampler,
									const GsBatch *batch, int p, int row);
extern void gs_sequence_look_up(SequenceSampler *sampler, int p,
								GsBatch *batch);

/* siblings.c */
extern bool gs_sequence_is_null(const SequenceSampler *sampler, int p,
								const GsShown *shown);
extern bool gs_sequence_hash_key(const SequenceSampler *sampler,
								 const GsBatch *batch, int k, int row,
								 uint64 *hash);

#endif
