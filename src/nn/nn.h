/*
 * nn.h
 *	  Neural networks: parameters, layers, losses.
 *
 * A network is a set of layers, each a small struct that says where its
 * parameters are in one vector, and functions that run it forward and
 * backward over row-major matrices.  There is no graph: whoever writes a
 * network calls the layers' forward functions in order, and the backward
 * functions the other way round.
 *
 *	GsParams	the vector of all parameters, with named views
 *	GsArena		memory of one shard of a batch: no malloc within a step
 *	GsDense ...	layers: offsets into the vector
 *	GsDraw		random numbers of a batch's rows
 *
 * Everything is a pure function of its arguments, and may run in any thread.
 * Conventions of all layers:
 *
 *	- "params" is a vector of the size of GsParams.value: that one itself, or
 *	  another (such as the optimiser's averages).  "grad" is of that size too;
 *	  backward functions ADD the parameters' gradients to it.
 *	- Matrices have a row for each row of the shard.  Shapes have to fit:
 *	  that is for the author of a network to see to (assert()).  Matrices may
 *	  have no rows.
 *	- "dy" is the loss's gradient by a layer's output y; "dx" is what the
 *	  backward function makes of it, the gradient by its input x.
 *
 * The same sources compiled with -DGS_NN_DOUBLE compute in double precision:
 * gradients are tested against finite differences that way.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_NN_H
#define GENSYNTH_NN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../numeric/gemm.h"

#ifdef GS_NN_DOUBLE
typedef double gs_real;
#else
typedef float gs_real;
#endif

/* A matrix, or a block of one: element (i, j) is data[i * ld + j]. */
typedef struct GsMatrix
{
	gs_real    *data;			/* NULL: none, where one may be left out */
	int			rows;
	int			cols;
	int			ld;				/* at least cols */
} GsMatrix;

#define GS_NO_MATRIX ((GsMatrix) {NULL, 0, 0, 0})

/* a matrix over memory of the caller's, without gaps */
static inline GsMatrix
gs_matrix(gs_real *data, int rows, int cols)
{
	return (GsMatrix) {data, rows, cols, cols};
}

static inline gs_real *
gs_row(GsMatrix m, int row)
{
	return m.data + (size_t) row * m.ld;
}

/* the block of m's columns from first on */
static inline GsMatrix
gs_matrix_columns(GsMatrix m, int first, int cols)
{
	return (GsMatrix) {m.data == NULL ? NULL : m.data + first,
		m.rows, cols, m.ld};
}

/* the block of m's rows from first on */
static inline GsMatrix
gs_matrix_rows(GsMatrix m, int first, int rows)
{
	return (GsMatrix) {m.data == NULL ? NULL : gs_row(m, first),
		rows, m.cols, m.ld};
}

/*
 * An arena hands out memory by moving a pointer.  One with base NULL only
 * counts: a network lays out its buffers in one function, which is called
 * with an empty arena to learn the bytes that a shard of so many rows takes,
 * and in each step with the shard's own.
 */
typedef struct GsArena
{
	char	   *base;			/* NULL: count only; 64-byte aligned */
	size_t		used;			/* bytes; SIZE_MAX once a size overflowed */
	size_t		size;			/* bytes at base */
} GsArena;

/* params.c */
/* n elements, 64-byte aligned, not cleared; NULL if it only counts */
extern void *gs_arena_take(GsArena *arena, size_t n, size_t element);
/* data is NULL if it only counts */
extern GsMatrix gs_arena_matrix(GsArena *arena, int rows, int cols);

/* How a view's parameters begin, and whether weights decay. */
typedef enum GsInit
{
	GS_INIT_HE,					/* N(0, 2 / rows): before ReLU and its kin */
	GS_INIT_XAVIER,				/* N(0, 2 / (rows + cols)) */
	GS_INIT_NORMAL,				/* N(0, 1 / cols): rows of an embedding */
	GS_INIT_ZERO,				/* biases: no weight decay */
	GS_INIT_ZERO_WEIGHT,		/* weights that begin at zero, with decay */
	GS_INIT_ONE					/* gains: no weight decay */
} GsInit;

#define GS_VIEW_NAME	32		/* bytes, with the terminator */

/* One matrix of parameters, row-major, without gaps. */
typedef struct GsView
{
	char		name[GS_VIEW_NAME];
	size_t		offset;			/* of its first element, a multiple of 16 */
	int			rows;
	int			cols;
	GsInit		init;
} GsView;

/*
 * All parameters of a network.  Views are added first; gs_params_create()
 * then makes the vector.  Between views there may be up to 15 elements that
 * are always zero, so that each begins at a multiple of 64 bytes.  To store a
 * network: "size" elements from "value".  To load it: add the same views,
 * gs_params_create(), compare the size, copy.
 */
typedef struct GsParams
{
	int			nviews;
	int			room;
	GsView	   *view;			/* [room] malloced */
	size_t		size;			/* elements; SIZE_MAX: a failure, see below */
	gs_real    *value;			/* [size], aligned; NULL before create */
} GsParams;

/* The view's offset; failures (memory, sizes) show in gs_params_create. */
extern size_t gs_params_add(GsParams *params, const char *name, int rows,
							int cols, GsInit init);
/* Makes and initialises value; false if memory is out or a size was bad. */
extern bool gs_params_create(GsParams *params, uint64_t seed);
extern void gs_params_free(GsParams *params);
/* n zeros, 64-byte aligned, to be released by free(); NULL: no memory */
extern gs_real *gs_vector_create(size_t n);

/* What a dense layer does to its sums. */
typedef enum GsActivation
{
	GS_LINEAR,
	GS_RELU,
	GS_LEAKY_RELU,				/* 0.2 x below zero */
	GS_SILU,					/* x / (1 + exp(-x)) */
	GS_GELU						/* its tanh form */
} GsActivation;

/* y = activation(x W + b) */
typedef struct GsDense
{
	int			in;
	int			out;
	GsActivation activation;
	size_t		weight;			/* offset of W [in][out] */
	size_t		bias;			/* offset of b [out] */
} GsDense;

/* y = gain (x - mean) / sqrt(variance + 1e-5) + shift, by row */
typedef struct GsNorm
{
	int			width;
	size_t		gain;			/* offset of [width] */
	size_t		shift;			/* offset of [width] */
} GsNorm;

/*
 * Random numbers of a batch's rows: a function of key, step, stream, the
 * row's place in the batch and the column, never of threads or shards.
 */
typedef struct GsDraw
{
	uint64_t	key;
	uint64_t	step;
	uint32_t	stream;			/* one number for each use within a step */
	int			first_row;		/* place in the batch of a matrix's row 0 */
} GsDraw;

/* y = x + outer(inner(norm(x))): pre-activation residual block */
typedef struct GsResidual
{
	GsNorm		norm;
	GsDense		inner;			/* width to hidden, with the activation */
	GsDense		outer;			/* hidden to width, linear */
} GsResidual;

/* What a residual block keeps from forward for backward. */
typedef struct GsResidualState
{
	GsMatrix	stats;			/* [rows][2] mean, 1 / standard deviation */
	GsMatrix	normed;			/* [rows][width] */
	GsMatrix	slope;			/* [rows][hidden] */
	GsMatrix	hidden;			/* [rows][hidden] */
	double		dropout;		/* of hidden; 0: none ... */
	GsDraw		draw;			/* ... by these */
} GsResidualState;

/* y += the sum of each row's tokens' vectors */
typedef struct GsEmbedding
{
	int			ntokens;		/* of all columns together */
	int			width;
	size_t		table;			/* offset of [ntokens][width] */
} GsEmbedding;

/* dense.c */
/* c = a b, or a' b; or c += that; c overlaps neither */
extern void gs_product(bool transpose, GsMatrix a, GsMatrix b, bool add,
					   GsMatrix c);
extern void gs_dense_add(GsParams *params, const char *name, int in, int out,
						 GsActivation activation, GsDense *dense);
/*
 * slope [rows][out]: the activation's derivative, for backward; may be
 * GS_NO_MATRIX if linear or if there is no backward.  forward_add: y = base +
 * x W + b, linear ones only; base may be y.  y must not overlap x.
 */
extern void gs_dense_forward(const GsDense *dense, const gs_real *params,
							 GsMatrix x, GsMatrix y, GsMatrix slope);
extern void gs_dense_forward_add(const GsDense *dense, const gs_real *params,
								 GsMatrix x, GsMatrix base, GsMatrix y);
/* work: with rows, before x's are read and after y's are complete */
extern void gs_dense_forward_work(const GsDense *dense, const gs_real *params,
								  GsMatrix x, GsMatrix y, GsMatrix slope,
								  const GsRowWork *work);
/*
 * dy is multiplied by slope in place.  dx may be GS_NO_MATRIX, and may be x
 * itself, whose contents are not needed any more.  backward_add: dx += ...,
 * and then dx must not be x.
 */
extern void gs_dense_backward(const GsDense *dense, const gs_real *params,
							  gs_real *grad, GsMatrix x, GsMatrix slope,
							  GsMatrix dy, GsMatrix dx);
extern void gs_dense_backward_add(const GsDense *dense, const gs_real *params,
								  gs_real *grad, GsMatrix x, GsMatrix slope,
								  GsMatrix dy, GsMatrix dx);
/* work: with rows, after dx's are complete; there is one */
extern void gs_dense_backward_work(const GsDense *dense,
								   const gs_real *params, gs_real *grad,
								   GsMatrix x, GsMatrix slope, GsMatrix dy,
								   GsMatrix dx, const GsRowWork *work);
/*
 * dy W', the way that gradients go, as a function of its own, such as of a
 * critic's gradient by its input (the activation's slope is for the caller
 * to multiply with); and its backward function: d is the loss's gradient by
 * dx, adds d' dy to the weights' and puts d W into ddy.
 */
extern void gs_dense_transpose(const GsDense *dense, const gs_real *params,
							   GsMatrix dy, GsMatrix dx);
extern void gs_dense_transpose_add(const GsDense *dense,
								   const gs_real *params, GsMatrix dy,
								   GsMatrix dx);
extern void gs_dense_transpose_backward(const GsDense *dense,
										const gs_real *params, gs_real *grad,
										GsMatrix dy, GsMatrix d, GsMatrix ddy);

/* activation.c */
/* y = activation(x + bias); bias [cols] or NULL; y may be x; slope as above */
extern void gs_activate(GsActivation activation, const gs_real *bias,
						GsMatrix x, GsMatrix y, GsMatrix slope);
/* y *= x, y += a b, y += x, element by element */
extern void gs_multiply(GsMatrix y, GsMatrix x);
extern void gs_multiply_add(GsMatrix y, GsMatrix a, GsMatrix b);
extern void gs_add(GsMatrix y, GsMatrix x);
/* dx += dy times the derivative of leaky ReLU where y came out */
extern void gs_leaky_backward_add(GsMatrix y, GsMatrix dy, GsMatrix dx);
extern void gs_exp(size_t n, const gs_real *x, gs_real *y);
extern double gs_square_sum(size_t n, const gs_real *x);

/* layers.c */
extern void gs_norm_add(GsParams *params, const char *name, int width,
						GsNorm *norm);
/* stats [rows][2]: mean and 1 / standard deviation, for backward */
extern void gs_norm_forward(const GsNorm *norm, const gs_real *params,
							GsMatrix x, GsMatrix y, GsMatrix stats);
/* dx += ...; dx may not be dy */
extern void gs_norm_backward_add(const GsNorm *norm, const gs_real *params,
								 gs_real *grad, GsMatrix x, GsMatrix stats,
								 GsMatrix dy, GsMatrix dx);
extern void gs_residual_add(GsParams *params, const char *name, int width,
							int hidden, GsActivation activation,
							GsResidual *block);
/* takes the block's buffers from the arena, or counts them */
extern GsResidualState gs_residual_layout(const GsResidual *block,
										  GsArena *arena, int rows);
/* y must not overlap x */
extern void gs_residual_forward(const GsResidual *block,
								const gs_real *params, GsMatrix x,
								const GsResidualState *state, GsMatrix y);
/* in place: dy is the gradient by y, and then that by x; uses up state */
extern void gs_residual_backward(const GsResidual *block,
								 const gs_real *params, gs_real *grad,
								 GsMatrix x, const GsResidualState *state,
								 GsMatrix dy);
extern void gs_embedding_add(GsParams *params, const char *name, int ntokens,
							 int width, GsEmbedding *embedding);
/* token [rows][columns]: rows of the table, each once; -1 adds nothing */
extern void gs_embedding_forward_add(const GsEmbedding *embedding,
									 const gs_real *params,
									 const int32_t *token, int columns,
									 GsMatrix y);
/* x += the table's row token[i], y = leaky ReLU(x) */
extern void gs_embedding_step(const GsEmbedding *embedding,
							  const gs_real *params, const int32_t *token,
							  GsMatrix x, GsMatrix y);
/* undoes the step and adds to grad; dx += the gradient by x */
extern void gs_embedding_step_backward(const GsEmbedding *embedding,
									   const gs_real *params, gs_real *grad,
									   const int32_t *token, GsMatrix x,
									   GsMatrix y, GsMatrix dy, GsMatrix dx);
extern void gs_embedding_backward(const GsEmbedding *embedding, gs_real *grad,
								  const int32_t *token, int columns,
								  GsMatrix dy);

/* random.c */
/* N(0, 1); uniform in (0, 1) */
extern void gs_draw_normal(GsDraw draw, GsMatrix x);
extern void gs_draw_uniform(GsDraw draw, GsMatrix x);
/* -log(-log u), u as above */
extern void gs_draw_gumbel(GsDraw draw, GsMatrix x);
/*
 * In place: zero with probability rate, else times 1 / (1 - rate).  The same
 * call on the gradient is its backward function.
 */
extern void gs_dropout(GsDraw draw, double rate, GsMatrix x);

/* softmax.c */

/*
 * Cross entropy of many categories: head h has the columns offset[h] to
 * offset[h + 1] - 1 of the logits.  target [rows][nheads] counts from 0 in
 * its head; -1: no loss.  weight [rows][nheads] or GS_NO_MATRIX.  Returns the
 * sum over rows and heads, and puts its gradient IN PLACE of the logits.
 */
extern double gs_softmax_loss(int nheads, const int *offset, GsMatrix logits,
							  const int32_t *target, GsMatrix weight);
/* logits become probabilities, in place */
extern void gs_softmax(int nheads, const int *offset, GsMatrix logits);
/* of one head: share (dy - the sum of share dy) scale in place of share */
extern void gs_softmax_backward(GsMatrix share, GsMatrix dy, gs_real scale);
/* logits = (logits + noise) sharpness; token[rows]: where the largest is */
extern void gs_gumbel_max(GsMatrix logits, GsMatrix noise, gs_real sharpness,
						  int32_t *token);

/*
 * loss.c: each returns the sum of its losses over rows and columns, times
 * weights, and puts the gradients of that sum IN PLACE of the predictions.
 */

/*
 * -log density of x under N(mean, exp(log_sd)^2), without its constant.
 * log_sd is clamped to [lowest, highest], with no gradient beyond.  weight
 * [rows][cols] or GS_NO_MATRIX; where it is 0, x may be anything.
 */
extern double gs_gaussian_loss(GsMatrix mean, GsMatrix log_sd, double lowest,
							   double highest, GsMatrix x, GsMatrix weight);
/* weight (y - x)^2 / 2; the rest as above */
extern double gs_square_loss(GsMatrix y, GsMatrix x, GsMatrix weight);

#endif
