/*
 * shape.h
 *	  Rows of tokens, as every network has them: positions, each with a few
 *	  tokens, and for some of them a number beside the token.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_SHAPE_H
#define GENSYNTH_SHAPE_H

#include "nn/nn.h"

typedef struct GsNetShape
{
	int			npositions;
	int			nnumbers;
	const int  *offset;			/* [npositions + 1] of tokens among all */
	const int  *number;			/* [npositions] which of the numbers; or -1 */
	const int  *null;			/* [npositions] that tells NULL, or -1 ... */
	const int  *null_token;		/* [npositions] ... and by which token */
} GsNetShape;

/* Some rows, in an arena. */
typedef struct GsNetRows
{
	int			n;
	int32_t    *token;			/* [n][npositions]; -1: missing */
	GsMatrix	score;			/* [n][nnumbers] */
} GsNetRows;

/*
 * Room for n rows, to be filled by the caller.
 */
static inline GsNetRows
gs_net_rows(const GsNetShape *shape, GsArena *arena, int n)
{
	return (GsNetRows) {
		.n = n,
		.token = gs_arena_take(arena, (size_t) n * (size_t) shape->npositions,
							   sizeof(int32_t)),
		.score = gs_arena_matrix(arena, n, shape->nnumbers)
	};
}

/* The tokens of all positions. */
static inline int
gs_shape_tokens(const GsNetShape *shape)
{
	return shape->offset[shape->npositions];
}

/* A position's tokens. */
static inline int
gs_shape_width(const GsNetShape *shape, int p)
{
	return shape->offset[p + 1] - shape->offset[p];
}

/*
 * The vectors of an embedding: of a position's tokens, and then of its having
 * none (-1: missing, or masked), position after position.
 */
static inline int
gs_shape_vectors(const GsNetShape *shape)
{
	int			n = gs_shape_tokens(shape) + shape->npositions;

	return n > 0 ? n : 1;		/* a table of nothing but keys */
}

static inline int32_t
gs_shape_vector(const GsNetShape *shape, int p, int32_t token)
{
	return shape->offset[p] + p +
		(token >= 0 ? token : gs_shape_width(shape, p));
}

/* A position's part of the logits, or what else tokens have. */
static inline GsMatrix
gs_shape_part(const GsNetShape *shape, GsMatrix logits, int p)
{
	return gs_matrix_columns(logits, shape->offset[p],
							 gs_shape_width(shape, p));
}

#endif
