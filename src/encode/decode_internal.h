/*
 * decode_internal.h
 *	  What a decoder of a column is, for the files of encode/decode*.c.
 */
#ifndef GENSYNTH_DECODE_INTERNAL_H
#define GENSYNTH_DECODE_INTERNAL_H

#include "codec/domain.h"
#include "codec/notation.h"
#include "encode/decode.h"
#include "encode/decode_document.h"
#include "encode/decode_layout.h"
#include "encode/decode_person.h"
#include "encode/number.h"
#include "key/key.h"
#include "learn/center.h"

typedef struct GsPartDecoder
{
	const GsFeature *feature;
	Datum	   *level;			/* [nlevels], one-part category */
	bool		packed;			/* see gs_decoder_is_packed */
	GsNumber	number;
} GsPartDecoder;

struct GsDecoder
{
	const GsSchema *schema;
	const GsColumn *column;
	const GsFeature *null_feature;
	int			index;			/* of the column: its random stream */
	GsCodec		codec;			/* own copy: its fmgr state is this scan's */
	GsPartDecoder part[GS_MAX_PARTS];
	MemoryContext scratch;		/* of one drawn value */
	StringInfoData text;
	GsDocumentDecoder *document;	/* of a column of documents; or NULL */
	GsDecoder **slot;			/* [nmembers of the column] of what stands in
								 * the slots of a text; NULL: none */
	int			common;			/* see gs_format_common */
	const char *paths;			/* layout of the document to generate, */
	const GsBatch *batch;		/* and its members; or NULL */
	int			row;
	int			try;			/* how many drawn before were copies */
	int			tries;			/* of a generated value */
	bool		flawed;			/* the one in text */
	char	   *spare;			/* one that isn't, or NULL */

	GsDomain   *domain;			/* NULL: the type is none */
	GsDecoder  *leader;			/* of the column that this is written from; or
								 * NULL */
	GsLayoutDecoder *scalar;	/* of a leader and of what it leads */
	GsLayoutDecoder *layout;	/* NULL: the parts are the type's */
	GsDecoder  *equal;			/* of the column whose value it has in some
								 * rows; or NULL */
	GsNear	   *near;			/* places that this adds to; or NULL */
	GsPersonDecoder *person;	/* of a column of a kind; or NULL */
	GsKeyDecoder *key;			/* NULL: none; else all else is its */
};

extern void gs_decoder_generate(GsDecoder *decoder, GsRandom *random);
extern void gs_decoder_limit_tries(GsDecoder *decoder);
extern Datum gs_decoder_repair(GsDecoder *decoder, GsRandom *random);

/*
 * Whether the column's values are made of more than its parts.
 */
static inline bool
gs_decoder_is_sum(const GsDecoder *decoder)
{
	return decoder->layout != NULL || decoder->near != NULL ||
		decoder->leader != NULL ||
		(decoder->codec.notation != NULL && decoder->codec.notation->offset);
}

#endif
