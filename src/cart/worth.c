/*
 * worth.c
 *	  Whether a column tells more of a response than chance does.
 *
 * Plain C: no postgres.h.
 */
#include "tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * gs_tree_worth
 *
 * How much a column of codes tells of a response's classes: the likelihood
 * ratio of the rows row[n] (NULL: the first n), every stride-th of them, in
 * standard deviations beyond the mean of the chi-squared distribution that it
 * has where it tells nothing (Wilks, Annals of Mathematical Statistics 9,
 * 1938).  Many codes tell much by chance: names, numbers.
 *
 * most: how many rows the rows count as at most, since some are alike.
 * -INFINITY: it has one code or class.
 */
double
gs_tree_worth(const uint8_t *code, int ncodes, const uint8_t *class,
			  int nclasses, const uint32_t *row, uint32_t n, uint32_t stride,
			  double most)
{
	uint32_t   *count = calloc((size_t) ncodes * nclasses, sizeof(uint32_t));
	double		of_code[GS_TREE_CODES] = {0};
	double		of_class[GS_TREE_CLASSES] = {0};
	double		ratio = 0;
	double		all = 0;
	double		freedom;
	int			codes = -1;
	int			classes = -1;

	if (count == NULL)
		return INFINITY;		/* who may ask for too much loses time only */
	for (uint32_t i = 0; i < n; i += stride)
	{
		uint32_t	r = row != NULL ? row[i] : i;

		count[code[r] * nclasses + class[r]]++;
		of_code[code[r]]++;
		of_class[class[r]]++;
		all++;
	}
	for (int i = 0; i < ncodes; i++)
	{
		codes += of_code[i] > 0;
		for (int j = 0; j < nclasses; j++)
		{
			double		rows = count[i * nclasses + j];

			if (rows > 0)
				ratio += 2 * rows * log(rows * all / (of_code[i] * of_class[j]));
		}
	}
	for (int j = 0; j < nclasses; j++)
		classes += of_class[j] > 0;
	free(count);
	freedom = (double) codes * classes;
	if (freedom < 1)
		return -INFINITY;
	if (most < all)
		ratio *= most / all;
	return (ratio - freedom) / sqrt(2 * freedom);
}
