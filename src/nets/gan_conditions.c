/*
 * gan_conditions.c
 *	  Conditions to train under, and the rows that meet them.
 */
#include "nets/gan_conditions.h"

#include <math.h>
#include <string.h>

/*
 * How many rows have each token, and how likely a condition it is.
 */
static void
count(GsConditions *c, const int32_t *token)
{
	int			ntokens = c->offset[c->npositions];

	memset(c->begin, 0, sizeof(uint32_t) * ((size_t) ntokens + 1));
	for (int i = 0; i < c->nrows; i++)
		for (int p = 0; p < c->npositions; p++, token++)
			if (*token >= 0)
				c->begin[c->offset[p] + *token + 1]++;
	c->nvaried = 0;
	for (int p = 0; p < c->npositions; p++)
	{
		double		sum = 0;
		int			n = 0;

		for (int t = c->offset[p]; t < c->offset[p + 1]; t++)
		{
			sum += log1p(c->begin[t + 1]);
			n += c->begin[t + 1] > 0;
			c->probability[t] = (float) sum;
		}
		for (int t = c->offset[p]; t < c->offset[p + 1]; t++)
			c->probability[t] /= (float) sum;
		if (n > 1)
			c->position[c->nvaried++] = p;
	}
	for (int t = 0; t < ntokens; t++)
		c->begin[t + 1] += c->begin[t];
}

/*
 * gs_conditions_learn
 *
 * conditions: the first three are set, the others are room; row: [nrows];
 * token: [nrows][npositions] of these, -1 where missing.
 */
void
gs_conditions_learn(GsConditions *c, const uint32_t *row,
					const int32_t *token)
{
	count(c, token);
	for (int i = 0; i < c->nrows; i++)
		for (int p = 0; p < c->npositions; p++, token++)
			if (*token >= 0)
				c->row[c->begin[c->offset[p] + *token]++] = row[i];
	/* each beginning is now the next one's */
	memmove(c->begin + 1, c->begin, sizeof(uint32_t) *
			(size_t) c->offset[c->npositions]);
	c->begin[0] = 0;
}

/*
 * gs_conditions_draw: a condition, and in row a row that meets it.  -1, and
 * row as it was, where nothing varies.
 */
int32_t
gs_conditions_draw(const GsConditions *c, GsRandom *random, uint32_t *row)
{
	float		u;
	int			p;
	int			t;

	if (c->nvaried == 0)
		return -1;
	p = c->position[gs_random_below(random, (uint32_t) c->nvaried)];
	u = (float) gs_random_uniform(random);
	/* the last one that has rows, if rounding leaves none */
	t = c->offset[p + 1] - 1;
	while (c->begin[t + 1] == c->begin[t])
		t--;
	for (int s = c->offset[p]; s < t; s++)
		if (u < c->probability[s] && c->begin[s + 1] > c->begin[s])
			t = s;
	*row = c->row[c->begin[t] + gs_random_below(random, c->begin[t + 1] -
												c->begin[t])];
	return t;
}
