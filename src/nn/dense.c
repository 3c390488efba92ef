/*
 * dense.c
 *	  Dense layers: a GEMM each way, and what is fused around it.
 *
 * The product is added to a linear layer's bias, or to what it is added to with
 * the bias; other layers add the bias on the way to the activation.  What is
 * work of its own is done with a few rows at a time, just before their product
 * or just after it (GsRowWork).
 *
 * Plain C: no postgres.h.
 */
#include <assert.h>
#include <stdio.h>

#include "nn.h"
#include "kernel.h"

#ifdef GS_NN_DOUBLE
#include "../numeric/blas.h"
#endif

/* a layer's weights */
static GsMatrix
weights(const GsDense *dense, const gs_real *params)
{
	return gs_matrix((gs_real *) params + dense->weight, dense->in,
					 dense->out);
}

/* the same row for all rows of a matrix that is added to */
static GsMatrix
every_row(const gs_real *row, GsMatrix like)
{
	return (GsMatrix) {(gs_real *) row, like.rows, like.cols, 0};
}

/*
 * c = base; GS_NO_MATRIX: zeros.
 */
static void
copy_base(GsMatrix base, GsMatrix c)
{
	size_t		bytes = sizeof(gs_real) * (size_t) c.cols;

	for (int i = 0; base.data != c.data && i < c.rows; i++)
		if (base.data == NULL)
			memset(gs_row(c, i), 0, bytes);
		else
			memcpy(gs_row(c, i), gs_row(base, i), bytes);
}

/*
 * c = op(a) op(b) + base, with shapes as stored, and work on rows of c, or
 * NULL.  base: c, every_row(), or GS_NO_MATRIX for zeros.
 */
static void
gemm(bool transpose_a, GsMatrix a, bool transpose_b, GsMatrix b, GsMatrix base,
	 GsMatrix c, const GsRowWork *work)
{
	int			k = transpose_a ? a.rows : a.cols;
	bool		fine;

	assert(c.rows == (transpose_a ? a.cols : a.rows));
	if (c.rows == 0 || c.cols == 0)
		return;
	if (k == 0)
	{
		copy_base(base, c);
		return;
	}
#ifdef GS_NN_DOUBLE
	if (work != NULL && work->before != NULL)
		work->before(work->arg, 0, c.rows);
	copy_base(base, c);
	fine = gs_dgemm_add(transpose_a, transpose_b, c.rows, c.cols, k, 1, a.data,
						a.ld, b.data, b.ld, 1, c.data, c.ld);
	if (work != NULL && work->after != NULL)
		work->after(work->arg, 0, c.rows);
#else
	fine = gs_sgemm(&(GsProduct) {
					.transpose_a = transpose_a,.transpose_b = transpose_b,
					.m = c.rows,.n = c.cols,.k = k,
					.a = a.data,.lda = a.ld,.b = b.data,.ldb = b.ld,
					.base = base.data,.ldbase = base.ld,
					.c = c.data,.ldc = c.ld,.work = work});
#endif
	/* sizes that the seam refuses must not pass for a result */
	if (!fine)
		for (int i = 0; i < c.rows; i++)
			gs_row(c, i)[0] = NAN;
}

/*
 * gs_product
 *
 * c = a b, or a' b; with "add", c += that.  c must not overlap a or b.
 */
void
gs_product(bool transpose, GsMatrix a, GsMatrix b, bool add, GsMatrix c)
{
	assert(b.rows == (transpose ? a.rows : a.cols) && b.cols == c.cols);
	gemm(transpose, a, false, b, add ? c : GS_NO_MATRIX, c, NULL);
}

/*
 * y = base + bias in each row.
 */
GS_CLONES static void
put_bias(const gs_real *restrict bias, GsMatrix base, GsMatrix y)
{
	for (int i = 0; i < y.rows; i++)
	{
		gs_real    *to = gs_row(y, i);
		const gs_real *from = gs_row(base, i);

		IVDEP
		for (int j = 0; j < y.cols; j++)
			to[j] = from[j] + bias[j];
	}
}

/*
 * dy *= slope, if there is one, and grad[] += the columns' sums.
 */
GS_CLONES static void
backward_bias(GsMatrix dy, GsMatrix slope, gs_real *restrict grad)
{
	for (int i = 0; i < dy.rows; i++)
	{
		gs_real    *restrict row = gs_row(dy, i);

		if (slope.data != NULL)
		{
			const gs_real *restrict factor = gs_row(slope, i);

			for (int j = 0; j < dy.cols; j++)
			{
				row[j] *= factor[j];
				grad[j] += row[j];
			}
		}
		else
			for (int j = 0; j < dy.cols; j++)
				grad[j] += row[j];
	}
}

/*
 * gs_dense_add
 *
 * Adds the parameters of a layer from "in" to "out" columns: views NAME.w and
 * NAME.b.  He initialisation, or Xavier's where the layer is linear; the bias
 * is zero.  Failures show in gs_params_create.
 */
void
gs_dense_add(GsParams *params, const char *name, int in, int out,
			 GsActivation activation, GsDense *dense)
{
	char		full[GS_VIEW_NAME];

	dense->in = in;
	dense->out = out;
	dense->activation = activation;
	snprintf(full, sizeof(full), "%.24s.w", name);
	dense->weight = gs_params_add(params, full, in, out,
								  activation == GS_LINEAR ? GS_INIT_XAVIER :
								  GS_INIT_HE);
	snprintf(full, sizeof(full), "%.24s.b", name);
	dense->bias = gs_params_add(params, full, 1, out, GS_INIT_ZERO);
}

/* What is done with rows on the way forward. */
typedef struct Forward
{
	const GsDense *dense;
	const gs_real *params;
	GsMatrix	base;
	GsMatrix	y;
	GsMatrix	slope;
	GsRowWork	work;			/* of the caller */
} Forward;

static void
before_forward(void *arg, int first, int rows)
{
	const Forward *f = arg;

	if (f->work.before != NULL)
		f->work.before(f->work.arg, first, rows);
	if (f->base.data != NULL)
		put_bias(f->params + f->dense->bias,
				 gs_matrix_rows(f->base, first, rows),
				 gs_matrix_rows(f->y, first, rows));
}

static void
after_forward(void *arg, int first, int rows)
{
	const Forward *f = arg;
	GsMatrix	y = gs_matrix_rows(f->y, first, rows);

	if (f->dense->activation != GS_LINEAR)
		gs_activate(f->dense->activation, f->params + f->dense->bias, y, y,
					gs_matrix_rows(f->slope, first, rows));
	if (f->work.after != NULL)
		f->work.after(f->work.arg, first, rows);
}

static void
forward(Forward f, GsMatrix x)
{
	const GsDense *dense = f.dense;
	GsRowWork	work = {before_forward, after_forward, &f};
	GsMatrix	base = GS_NO_MATRIX;

	assert(dense->in > 0 && x.cols == dense->in && f.y.cols == dense->out);
	assert(x.rows == f.y.rows);
	if (f.base.data != NULL)
		base = f.y;
	else if (dense->activation == GS_LINEAR)
		base = every_row(f.params + dense->bias, f.y);
	gemm(false, x, false, weights(dense, f.params), base, f.y, &work);
}

/*
 * gs_dense_forward
 *
 * y [rows][out] = activation(x [rows][in] W + b).  Unless the layer is linear,
 * slope [rows][out] gets the derivative that backward needs; GS_NO_MATRIX
 * where there is no backward.  y must not overlap x.
 */
void
gs_dense_forward(const GsDense *dense, const gs_real *params, GsMatrix x,
				 GsMatrix y, GsMatrix slope)
{
	forward((Forward) {dense, params, GS_NO_MATRIX, y, slope, {0}}, x);
}

/*
 * gs_dense_forward_work
 *
 * The same with work of the caller's on rows: before x's are read, and after
 * y's are there.
 */
void
gs_dense_forward_work(const GsDense *dense, const gs_real *params, GsMatrix x,
					  GsMatrix y, GsMatrix slope, const GsRowWork *work)
{
	forward((Forward) {dense, params, GS_NO_MATRIX, y, slope, *work}, x);
}

/*
 * gs_dense_forward_add
 *
 * y = base + x W + b, for linear layers.  base may be y; y must not overlap x.
 */
void
gs_dense_forward_add(const GsDense *dense, const gs_real *params, GsMatrix x,
					 GsMatrix base, GsMatrix y)
{
	assert(dense->activation == GS_LINEAR);
	assert(base.cols == y.cols && base.rows == y.rows);
	forward((Forward) {dense, params, base, y, GS_NO_MATRIX, {0}}, x);
}

static void
backward(const GsDense *dense, const gs_real *params, gs_real *grad,
		 GsMatrix x, GsMatrix slope, GsMatrix dy, GsMatrix dx, bool add,
		 const GsRowWork *work)
{
	bool		linear = dense->activation == GS_LINEAR;

	assert(x.cols == dense->in && dy.cols == dense->out && x.rows == dy.rows);
	assert(linear || slope.data != NULL);
	backward_bias(dy, linear ? GS_NO_MATRIX : slope, grad + dense->bias);
	gemm(true, x, false, dy, weights(dense, grad), weights(dense, grad), NULL);
	if (dx.data == NULL)
		return;
	assert(dx.cols == dense->in && dx.rows == dy.rows);
	gemm(false, dy, true, weights(dense, params), add ? dx : GS_NO_MATRIX, dx,
		 work);
}

/*
 * gs_dense_backward
 *
 * Adds to grad, and puts the gradient by x into dx, unless that is
 * GS_NO_MATRIX.  dy is multiplied by slope in place.  dx may be x itself.
 */
void
gs_dense_backward(const GsDense *dense, const gs_real *params, gs_real *grad,
				  GsMatrix x, GsMatrix slope, GsMatrix dy, GsMatrix dx)
{
	backward(dense, params, grad, x, slope, dy, dx, false, NULL);
}

/*
 * gs_dense_backward_work
 *
 * The same with work of the caller's on rows of dx, after they are there.
 */
void
gs_dense_backward_work(const GsDense *dense, const gs_real *params,
					   gs_real *grad, GsMatrix x, GsMatrix slope, GsMatrix dy,
					   GsMatrix dx, const GsRowWork *work)
{
	assert(dx.data != NULL && work->before == NULL);
	backward(dense, params, grad, x, slope, dy, dx, false, work);
}

/*
 * gs_dense_backward_add
 *
 * The same with dx += the gradient by x; dx is not x.
 */
void
gs_dense_backward_add(const GsDense *dense, const gs_real *params,
					  gs_real *grad, GsMatrix x, GsMatrix slope, GsMatrix dy,
					  GsMatrix dx)
{
	backward(dense, params, grad, x, slope, dy, dx, true, NULL);
}

/*
 * gs_dense_transpose
 *
 * dx [rows][in] = dy [rows][out] W'; no slope, no gradients.
 */
void
gs_dense_transpose(const GsDense *dense, const gs_real *params, GsMatrix dy,
				   GsMatrix dx)
{
	assert(dx.cols == dense->in && dy.cols == dense->out);
	gemm(false, dy, true, weights(dense, params), GS_NO_MATRIX, dx, NULL);
}

/*
 * gs_dense_transpose_add
 *
 * The same with dx += dy W'.
 */
void
gs_dense_transpose_add(const GsDense *dense, const gs_real *params,
					   GsMatrix dy, GsMatrix dx)
{
	assert(dx.cols == dense->in && dy.cols == dense->out);
	gemm(false, dy, true, weights(dense, params), dx, dx, NULL);
}

/*
 * gs_dense_transpose_backward
 *
 * Of dx = dy W': from d [rows][in], the gradient by dx, to that by W, added to
 * grad, and to that by dy, ddy [rows][out] = d W.
 */
void
gs_dense_transpose_backward(const GsDense *dense, const gs_real *params,
							gs_real *grad, GsMatrix dy, GsMatrix d,
							GsMatrix ddy)
{
	assert(d.cols == dense->in && dy.cols == dense->out);
	gemm(true, d, false, dy, weights(dense, grad), weights(dense, grad), NULL);
	gemm(false, d, false, weights(dense, params), GS_NO_MATRIX, ddy, NULL);
}
