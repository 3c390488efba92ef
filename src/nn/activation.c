/*
 * activation.c
 *	  Functions of each element: activations with their derivatives, sums,
 *	  products, the exponential.
 *
 * Plain C: no postgres.h.
 */
#include <assert.h>

#include "nn.h"
#include "kernel.h"

/*
 * The activation's value at x; its derivative goes to *slope.
 */
static GS_ALWAYS_INLINE gs_real
activate(GsActivation activation, gs_real x, gs_real *slope)
{
	switch (activation)
	{
		case GS_LINEAR:
			*slope = 1;
			return x;
		case GS_RELU:
			*slope = x > 0 ? 1 : 0;
			return x > 0 ? x : 0;
		case GS_LEAKY_RELU:
			*slope = x > 0 ? 1 : LEAK;
			return x > 0 ? x : LEAK * x;
		case GS_SILU:
			{
				gs_real		s = 1 / (1 + real_exp(-x));
				gs_real		y = x * s;

				*slope = s + y * (1 - s);
				return y;
			}
		case GS_GELU:
			{
				/* (1 + tanh(u)) / 2 is the logistic function of 2 u */
				const gs_real a = (gs_real) 1.5957691216057308;
				const gs_real b = (gs_real) 0.0713548162726009;
				gs_real		u = x * (a + b * x * x);
				gs_real		s = 1 / (1 + real_exp(-u));
				gs_real		y = x * s;

				*slope = s + y * (1 - s) * (a + 3 * b * x * x);
				return y;
			}
	}
	return x;
}

/*
 * One row; slope and bias may be NULL, which is known where this is inlined.
 */
static GS_ALWAYS_INLINE void
activate_row(GsActivation activation, const gs_real *bias, int n,
			 const gs_real *x, gs_real *y, gs_real *slope)
{
	IVDEP
	for (int j = 0; j < n; j++)
	{
		gs_real		d;

		y[j] = activate(activation, bias != NULL ? x[j] + bias[j] : x[j], &d);
		if (slope != NULL)
			slope[j] = d;
	}
}

static GS_ALWAYS_INLINE void
activate_rows(GsActivation activation, const gs_real *bias, GsMatrix x,
			  GsMatrix y, GsMatrix slope)
{
	for (int i = 0; i < x.rows; i++)
	{
		if (bias != NULL && slope.data != NULL)
			activate_row(activation, bias, x.cols, gs_row(x, i), gs_row(y, i),
						 gs_row(slope, i));
		else if (bias != NULL)
			activate_row(activation, bias, x.cols, gs_row(x, i), gs_row(y, i),
						 NULL);
		else if (slope.data != NULL)
			activate_row(activation, NULL, x.cols, gs_row(x, i), gs_row(y, i),
						 gs_row(slope, i));
		else
			activate_row(activation, NULL, x.cols, gs_row(x, i), gs_row(y, i),
						 NULL);
	}
}

/*
 * gs_activate
 *
 * y = activation(x + bias), all [rows][cols], with bias [cols] or NULL.  y may
 * be x.  If slope isn't GS_NO_MATRIX, the derivative by x goes there, so that
 * backward is gs_multiply(dy, slope).
 *
 * SiLU: Elfwing, Uchibe and Doya, Neural Networks 107 (2018); GELU: Hendrycks
 * and Gimpel, arXiv:1606.08415.
 */
GS_CLONES void
gs_activate(GsActivation activation, const gs_real *bias, GsMatrix x,
			GsMatrix y, GsMatrix slope)
{
	assert(y.rows == x.rows && y.cols == x.cols);
	assert(slope.data == NULL ||
		   (slope.rows == x.rows && slope.cols == x.cols));
	switch (activation)
	{
		case GS_LINEAR:
			activate_rows(GS_LINEAR, bias, x, y, slope);
			break;
		case GS_RELU:
			activate_rows(GS_RELU, bias, x, y, slope);
			break;
		case GS_LEAKY_RELU:
			activate_rows(GS_LEAKY_RELU, bias, x, y, slope);
			break;
		case GS_SILU:
			activate_rows(GS_SILU, bias, x, y, slope);
			break;
		case GS_GELU:
			activate_rows(GS_GELU, bias, x, y, slope);
			break;
	}
}

/*
 * gs_multiply
 *
 * y *= x, element by element.
 */
GS_CLONES void
gs_multiply(GsMatrix y, GsMatrix x)
{
	assert(y.rows == x.rows && y.cols == x.cols);
	for (int i = 0; i < y.rows; i++)
	{
		gs_real    *restrict to = gs_row(y, i);
		const gs_real *restrict from = gs_row(x, i);

		for (int j = 0; j < y.cols; j++)
			to[j] *= from[j];
	}
}

/*
 * gs_multiply_add
 *
 * y += a b, element by element.
 */
GS_CLONES void
gs_multiply_add(GsMatrix y, GsMatrix a, GsMatrix b)
{
	assert(y.rows == a.rows && y.cols == a.cols);
	assert(y.rows == b.rows && y.cols == b.cols);
	for (int i = 0; i < y.rows; i++)
	{
		gs_real    *restrict to = gs_row(y, i);
		const gs_real *restrict from = gs_row(a, i);
		const gs_real *restrict factor = gs_row(b, i);

		for (int j = 0; j < y.cols; j++)
			to[j] += from[j] * factor[j];
	}
}

/*
 * gs_add
 *
 * y += x, element by element.
 */
GS_CLONES void
gs_add(GsMatrix y, GsMatrix x)
{
	assert(y.rows == x.rows && y.cols == x.cols);
	for (int i = 0; i < y.rows; i++)
	{
		gs_real    *restrict to = gs_row(y, i);
		const gs_real *restrict from = gs_row(x, i);

		for (int j = 0; j < y.cols; j++)
			to[j] += from[j];
	}
}

/*
 * gs_leaky_backward_add
 *
 * dx += dy, or a part of it where y, the value of leaky ReLU, isn't positive.
 */
GS_CLONES void
gs_leaky_backward_add(GsMatrix y, GsMatrix dy, GsMatrix dx)
{
	assert(y.rows == dy.rows && y.cols == dy.cols);
	assert(dx.rows == dy.rows && dx.cols == dy.cols);
	for (int i = 0; i < y.rows; i++)
	{
		const gs_real *restrict at = gs_row(y, i);
		const gs_real *restrict from = gs_row(dy, i);
		gs_real    *restrict to = gs_row(dx, i);

		for (int j = 0; j < y.cols; j++)
			to[j] += at[j] > 0 ? from[j] : LEAK * from[j];
	}
}

/*
 * gs_exp
 *
 * y[i] = exp(x[i]) for i below n, to 2 units in the last place; x is clamped
 * to [-87, 88] in single precision.  y may be x.
 */
GS_CLONES void
gs_exp(size_t n, const gs_real *x, gs_real *y)
{
	for (size_t i = 0; i < n; i++)
		y[i] = real_exp(x[i]);
}

/*
 * gs_square_sum
 *
 * The sum of the squares of n values.
 */
GS_CLONES double
gs_square_sum(size_t n, const gs_real *x)
{
	size_t		whole = n - n % LANES;
	Lanes		rest = lanes_load_part(x + whole, (int) (n - whole));
	Lanes		sum = rest * rest;

	for (size_t i = 0; i < whole; i += LANES)
	{
		Lanes		part = lanes_load(x + i);

		sum += part * part;
	}
	return lanes_sum(&sum);
}
