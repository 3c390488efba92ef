/*
 * softmax_rows.h
 *	  The functions of softmax.c over rows of heads, for one instruction set.
 *	  Included once for each, with
 *
 *	ROWS_NAME(name)	names of the functions here, and of those of a head:
 *		lower(z, n)			z less the largest
 *		total(z, n)			the sum
 *		scale(z, n, factor)	z times that
 *		dot(z, d, n)		the sum of products
 *		turn(z, d, n, mean, factor)	z (d - mean) factor
 *		sharpen(z, noise, n, factor)	(z + noise) factor; returns the largest
 *		find(z, n, top)		the first that equals top, or n
 *	ROWS_TARGET		attribute of the functions
 *
 * Plain C: no postgres.h.
 */

static ROWS_TARGET double
ROWS_NAME(softmax_loss) (int nheads, const int *offset, GsMatrix logits,
						 const int32_t *target, GsMatrix weight)
{
	double		loss = 0;

	for (int i = 0; i < logits.rows; i++, target += nheads)
	{
		gs_real    *restrict z = gs_row(logits, i);

		for (int h = 0; h < nheads; h++)
		{
			gs_real		w = weight.data != NULL ? gs_row(weight, i)[h] : 1;

			assert(target[h] < offset[h + 1] - offset[h]);
			ROWS_NAME(lower) (z + offset[h], offset[h + 1] - offset[h]);
			if (target[h] >= 0)
				loss -= (double) w * z[offset[h] + target[h]];
		}
		exp_row(z + offset[0], offset[nheads] - offset[0]);
		for (int h = 0; h < nheads; h++)
		{
			gs_real    *head = z + offset[h];
			int			n = offset[h + 1] - offset[h];
			int			t = target[h];
			gs_real		w = weight.data != NULL ? gs_row(weight, i)[h] : 1;
			gs_real		sum = ROWS_NAME(total) (head, n);

			ROWS_NAME(scale) (head, n, t >= 0 ? w / sum : 0);
			if (t >= 0)
			{
				head[t] -= w;
				loss += (double) w * log((double) sum);
			}
		}
	}
	return loss;
}

static ROWS_TARGET void
ROWS_NAME(softmax) (int nheads, const int *offset, GsMatrix logits)
{
	for (int i = 0; i < logits.rows; i++)
	{
		gs_real    *restrict z = gs_row(logits, i);

		for (int h = 0; h < nheads; h++)
			ROWS_NAME(lower) (z + offset[h], offset[h + 1] - offset[h]);
		exp_row(z + offset[0], offset[nheads] - offset[0]);
		for (int h = 0; h < nheads; h++)
		{
			int			n = offset[h + 1] - offset[h];

			ROWS_NAME(scale) (z + offset[h], n,
							  1 / ROWS_NAME(total) (z + offset[h], n));
		}
	}
}

static ROWS_TARGET void
ROWS_NAME(softmax_backward) (GsMatrix share, GsMatrix dy, gs_real scale)
{
	int			n = share.cols;

	for (int i = 0; i < share.rows; i++)
	{
		gs_real    *s = gs_row(share, i);
		const gs_real *d = gs_row(dy, i);

		ROWS_NAME(turn) (s, d, n, ROWS_NAME(dot) (s, d, n), scale);
	}
}

static ROWS_TARGET void
ROWS_NAME(gumbel_max) (GsMatrix logits, GsMatrix noise, gs_real sharpness,
					   int32_t *token)
{
	int			n = logits.cols;

	for (int i = 0; i < logits.rows; i++)
	{
		gs_real    *z = gs_row(logits, i);
		gs_real		top = ROWS_NAME(sharpen) (z, gs_row(noise, i), n,
											  sharpness);
		int			best = ROWS_NAME(find) (z, n, top);

		token[i] = best < n ? best : 0;
	}
}

#undef ROWS_NAME
#undef ROWS_TARGET
