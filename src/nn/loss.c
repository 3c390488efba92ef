/*
 * loss.c
 *	  Losses, with their gradients in place of the predictions.
 *
 * Plain C: no postgres.h.
 */
#include <assert.h>

#include "nn.h"
#include "kernel.h"

/* heads of fewer levels aren't worth vectors */
#define WIDE	32

/*
 * The largest of n values, at least 1.  NaNs may or may not count.
 */
static GS_ALWAYS_INLINE gs_real
largest(const gs_real *z, int n)
{
	gs_real		top = z[0];
	int			j = 1;

	if (n >= WIDE)
	{
		gs_real		most[LANES];

		memcpy(most, z, sizeof(most));
		for (j = LANES; j <= n - LANES; j += LANES)
			for (int l = 0; l < LANES; l++)
				most[l] = z[j + l] > most[l] ? z[j + l] : most[l];
		for (int l = 0; l < LANES; l++)
			top = most[l] > top ? most[l] : top;
	}
	for (; j < n; j++)
		top = z[j] > top ? z[j] : top;
	return top;
}

static GS_ALWAYS_INLINE gs_real
total(const gs_real *z, int n)
{
	gs_real		sum = 0;
	int			j = 0;

	if (n >= WIDE)
	{
		Lanes		sums = {0};

		for (; j <= n - LANES; j += LANES)
			sums += lanes_load(z + j);
		sum = lanes_sum(&sums);
	}
	for (; j < n; j++)
		sum += z[j];
	return sum;
}

/*
 * Subtracts the largest value, so that exponentials are at most 1.
 */
static GS_ALWAYS_INLINE void
lower(gs_real *restrict z, int n)
{
	gs_real		top = largest(z, n);

	for (int j = 0; j < n; j++)
		z[j] -= top;
}

/*
 * z = exp(z): one pass over all heads, whose own loops are short.
 */
static GS_ALWAYS_INLINE void
exp_row(gs_real *restrict z, int n)
{
	for (int j = 0; j < n; j++)
		z[j] = real_exp(z[j]);
}

/*
 * gs_softmax_loss
 *
 * Cross entropy of "nheads" categories at once.  Head h has the columns
 * offset[h] to offset[h + 1] - 1, at least one, of the logits [rows][...];
 * target [rows][nheads] counts from 0 within its head, and -1 means no loss;
 * weight [rows][nheads] is that of each, or GS_NO_MATRIX for ones.  Returns
 * the sum of -weight log(softmax(logits)[target]) over rows and heads, and
 * puts its gradient in place of the logits, in the columns of heads.
 */
GS_CLONES double
gs_softmax_loss(int nheads, const int *offset, GsMatrix logits,
				const int32_t *target, GsMatrix weight)
{
	double		loss = 0;

	assert(offset[0] >= 0 && offset[nheads] <= logits.cols);
	for (int i = 0; i < logits.rows; i++, target += nheads)
	{
		gs_real    *restrict z = gs_row(logits, i);

		for (int h = 0; h < nheads; h++)
		{
			gs_real    *restrict head = z + offset[h];
			int			n = offset[h + 1] - offset[h];
			gs_real		w = weight.data != NULL ? gs_row(weight, i)[h] : 1;

			assert(target[h] < n);
			lower(head, n);
			if (target[h] >= 0)
				loss -= (double) w * head[target[h]];
		}
		exp_row(z + offset[0], offset[nheads] - offset[0]);
		for (int h = 0; h < nheads; h++)
		{
			gs_real    *restrict head = z + offset[h];
			int			n = offset[h + 1] - offset[h];
			int			t = target[h];
			gs_real		w = weight.data != NULL ? gs_row(weight, i)[h] : 1;
			gs_real		sum = total(head, n);
			gs_real		scale = t >= 0 ? w / sum : 0;

			for (int j = 0; j < n; j++)
				head[j] *= scale;
			if (t >= 0)
			{
				head[t] -= w;
				loss += (double) w * log((double) sum);
			}
		}
	}
	return loss;
}

/*
 * gs_softmax
 *
 * The heads' probabilities in place of their logits; see gs_softmax_loss.
 */
GS_CLONES void
gs_softmax(int nheads, const int *offset, GsMatrix logits)
{
	assert(offset[0] >= 0 && offset[nheads] <= logits.cols);
	for (int i = 0; i < logits.rows; i++)
	{
		gs_real    *restrict z = gs_row(logits, i);

		for (int h = 0; h < nheads; h++)
			lower(z + offset[h], offset[h + 1] - offset[h]);
		exp_row(z + offset[0], offset[nheads] - offset[0]);
		for (int h = 0; h < nheads; h++)
		{
			gs_real    *restrict head = z + offset[h];
			int			n = offset[h + 1] - offset[h];
			gs_real		scale = 1 / total(head, n);

			for (int j = 0; j < n; j++)
				head[j] *= scale;
		}
	}
}

/*
 * gs_softmax_backward
 *
 * From dy, the gradient by probabilities, to that by their logits times
 * "scale", in place of the probabilities; one head, [rows][cols].
 */
GS_CLONES void
gs_softmax_backward(GsMatrix share, GsMatrix dy, gs_real scale)
{
	int			n = share.cols;
	int			whole = n - n % LANES;

	assert(dy.rows == share.rows && dy.cols == n);
	for (int i = 0; i < share.rows; i++)
	{
		gs_real    *restrict s = gs_row(share, i);
		const gs_real *restrict d = gs_row(dy, i);
		Lanes		sums = {0};
		gs_real		mean;

		for (int j = 0; j < whole; j += LANES)
			sums += lanes_load(s + j) * lanes_load(d + j);
		for (int j = whole; j < n; j++)
			sums[j - whole] += s[j] * d[j];
		mean = lanes_sum(&sums);
		for (int j = 0; j < n; j++)
			s[j] *= (d[j] - mean) * scale;
	}
}

/*
 * gs_gumbel_max
 *
 * logits [rows][cols] = (logits + noise) sharpness, and token[rows] the column
 * of the largest, the first of equal ones: with Gumbel's noise, a draw from
 * the logits' softmax.  0 where none is, because of NaNs.
 *
 * Maddison, Tarlow and Minka, "A* sampling", NIPS 2014.
 */
GS_CLONES void
gs_gumbel_max(GsMatrix logits, GsMatrix noise, gs_real sharpness,
			  int32_t *token)
{
	int			n = logits.cols;

	assert(noise.rows == logits.rows && noise.cols == n && n > 0);
	for (int i = 0; i < logits.rows; i++)
	{
		gs_real    *restrict z = gs_row(logits, i);
		const gs_real *restrict gumbel = gs_row(noise, i);
		gs_real		top;
		int32_t		best = n;

		for (int j = 0; j < n; j++)
			z[j] = (z[j] + gumbel[j]) * sharpness;
		top = largest(z, n);
		for (int32_t j = 0; j < n; j++)
		{
			int32_t		at = z[j] == top ? j : n;

			best = at < best ? at : best;
		}
		token[i] = best < n ? best : 0;
	}
}

/*
 * gs_gaussian_loss
 *
 * The sum of weight ((x - mean)^2 exp(-2 log_sd) / 2 + log_sd), all of them
 * [rows][cols]; the gradients take the places of mean and log_sd.  log_sd is
 * clamped to [lowest, highest], and has no gradient beyond.  weight may be
 * GS_NO_MATRIX for ones; where it is 0, x may be anything but must be there.
 */
GS_CLONES double
gs_gaussian_loss(GsMatrix mean, GsMatrix log_sd, double lowest,
				 double highest, GsMatrix x, GsMatrix weight)
{
	double		loss = 0;

	assert(mean.rows == x.rows && mean.cols == x.cols);
	assert(log_sd.rows == x.rows && log_sd.cols == x.cols);
	for (int i = 0; i < x.rows; i++)
	{
		gs_real    *restrict m = gs_row(mean, i);
		gs_real    *restrict s = gs_row(log_sd, i);
		const gs_real *restrict value = gs_row(x, i);

		for (int j = 0; j < x.cols; j++)
		{
			gs_real		w = weight.data != NULL ? gs_row(weight, i)[j] : 1;
			gs_real		log = s[j] < (gs_real) lowest ? (gs_real) lowest :
				s[j] > (gs_real) highest ? (gs_real) highest : s[j];
			gs_real		precision = real_exp(-2 * log);
			gs_real		error = w == 0 ? 0 : m[j] - value[j];
			gs_real		square = error * error * precision;

			loss += w * (square / 2 + log);
			m[j] = w * error * precision;
			s[j] = log == s[j] ? w * (1 - square) : 0;
		}
	}
	return loss;
}

/*
 * gs_square_loss
 *
 * The sum of weight (y - x)^2 / 2, all of them [rows][cols]; the gradient
 * takes the place of y.  weight as in gs_gaussian_loss.
 */
GS_CLONES double
gs_square_loss(GsMatrix y, GsMatrix x, GsMatrix weight)
{
	double		loss = 0;

	assert(y.rows == x.rows && y.cols == x.cols);
	for (int i = 0; i < x.rows; i++)
	{
		gs_real    *restrict to = gs_row(y, i);
		const gs_real *restrict value = gs_row(x, i);

		for (int j = 0; j < x.cols; j++)
		{
			gs_real		w = weight.data != NULL ? gs_row(weight, i)[j] : 1;
			gs_real		error = w == 0 ? 0 : to[j] - value[j];

			loss += (double) (w * error * error / 2);
			to[j] = w * error;
		}
	}
	return loss;
}
