/*
 * tokens.h
 *	  Features as tokens: what the deep families read and write.
 *
 * Every feature that is not determined becomes a position with a few tokens.  A
 * token stands for one or several values (levels of a category, segments of a
 * number's quantile table), whose shares in the source choose among them when
 * the token is drawn:
 *
 *	 - category: the frequent levels have a token each, the others share some;
 *	 - number: the frequent atoms have a token each, the other segments are
 *	   grouped in order into bins of about as many rows.
 *
 * A row that tells nothing of a feature (GS_MISSING: a number that is NULL, a
 * level too rare to be shown) has token -1: that is something to know of a
 * row, but nothing to learn from or to draw.  NULLs of a number are the business of
 * its indicator, which is a position of its own.
 */
#ifndef GENSYNTH_TOKENS_H
#define GENSYNTH_TOKENS_H

#include "column/tensor.h"
#include "column/column.h"
#include "nets/shape.h"

typedef struct GsTokenPosition
{
	int			feature;
	bool		number;
	int			ntokens;
	int			first;		/* its first token among those of all positions */
	int			null;		/* position whose level 1 makes it missing; -1 */
	int			nvalues;		/* levels or segments */
	uint16	   *token;			/* [nvalues] of a value */
	float	   *share;			/* [ntokens] in the source, sum 1 */
	float	   *score;			/* [ntokens] number: mean normal score */

	/* the values of token t: begin[t] to begin[t + 1] - 1 */
	int		   *begin;			/* [ntokens + 1] */
	uint16	   *member;			/* [nvalues] value */
	float	   *below;			/* [nvalues] share up to it, within its token */
	float	   *base;			/* [nvalues] number: least score of a value ... */
	float	   *span;			/* ... and what a fraction of 1 adds */
} GsTokenPosition;

typedef struct GsTokens
{
	int			npositions;
	/* [npositions]; indicators before their numbers */
	GsTokenPosition *position;
	int			ntokens;		/* of all positions */
	int			nnumbers;		/* positions of numbers */
	int			nfeatures;
	int		   *position_of;	/* [nfeatures]; -1: determined */
} GsTokens;

/*
 * tokens_fit.c.  Threads may call the last two, which allocate and report
 * nothing.
 */
extern double gs_value_share(const GsFeature *feature, int value);
extern GsTokens *gs_tokens_learn(const GsSchema *schema,
								 const GsEncoded *encoded);
extern void gs_tokens_save(const GsTokens *tokens, List **tensors);
extern void gs_tokens_read(const GsTokens *tokens, const GsEncoded *encoded,
						   const uint32 *row, int n, int32 *token);
extern void gs_tokens_read_scores(const GsTokens *tokens,
								  const GsEncoded *encoded, const uint32 *row,
								  int n, float *score);

/* tokens.c */
extern GsTokens *gs_tokens_create(const GsSchema *schema);
extern GsTokenPosition *gs_tokens_add(GsTokens *tokens, const GsSchema *schema,
									  int f);
extern void gs_tokens_position(GsTokenPosition *position,
							   const GsFeature *feature);
extern GsTokens *gs_tokens_load(const GsSchema *schema, const List *tensors);
extern const GsNetShape *gs_tokens_shape(const GsTokens *tokens);
extern void gs_tokens_start_heads(const GsTokens *tokens, const GsDense *head,
								  float *params);
extern void gs_tokens_load_bias(const GsTokens *tokens, const List *tensors,
								const GsDense *head, float *params);
extern const float *gs_tokens_adjust(const GsTokens *tokens,
									 const GsDense *head, const float *bias,
									 const float *params, float **own,
									 Size n);
extern void gs_tokens_draw(const GsTokenPosition *position,
						   const float *probability, const uint32 *word,
						   int32 *token);
extern int	gs_tokens_member(const GsTokenPosition *position, int token,
							 float u,
							 float *within);
extern void gs_tokens_put(const GsTokens *tokens, int p, GsBatch *batch,
						  const int32 *token, const uint32 *word);
extern void gs_tokens_hide(const GsTokens *tokens, int p,
						   const GsBatch *batch, int32 *token);

#endif
