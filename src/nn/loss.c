/*
 * loss.c
 *	  Losses, with their gradients in place of the predictions.
 *
 * Plain C: no postgres.h.
 */
#include <assert.h>

#include "nn.h"
#include "kernel.h"

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
