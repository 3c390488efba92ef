/*
 * random.c
 *	  Random matrices of a batch: normal, uniform and Gumbel numbers, dropout.
 *
 * Element (row, column) of a matrix with c columns takes word column / q of
 * the Philox block row * q + column % q, q = (c + 3) / 4, of key (key, step)
 * and stream: so a block's four words go to four stretches of the row, and
 * stretches are copied as a whole.
 *
 * Plain C: no postgres.h.
 */
#include "../numeric/normal.h"
#include "../numeric/philox.h"
#include "nn.h"
#include "kernel.h"

#define BLOCKS	512				/* Philox blocks made at once */

typedef enum Kind
{
	NORMAL,
	UNIFORM,
	GUMBEL,
	DROPOUT
} Kind;

static GS_ALWAYS_INLINE float
uniform(uint32_t word)
{
	return ((float) (int32_t) (word >> 9) + 0.5f) * 0x1.0p-23f;
}

/*
 * log x of a positive normal number, to 1e-6 of it.
 *
 * x = 2^n m with m from sqrt(1/2) to sqrt(2), whose logarithm is
 * 2 atanh(s), s = (m - 1) / (m + 1), by its series up to s^9.
 */
static GS_ALWAYS_INLINE float
lane_log(float x)
{
	uint32_t	bits;
	int32_t		n;
	float		m;
	float		s;
	float		square;
	float		y;

	memcpy(&bits, &x, sizeof(bits));
	n = (int32_t) (bits - 0x3f3504f3u) >> 23;
	bits -= (uint32_t) n << 23;
	memcpy(&m, &bits, sizeof(m));
	s = (m - 1.0f) / (m + 1.0f);
	square = s * s;
	y = 2.0f / 9;
	y = y * square + 2.0f / 7;
	y = y * square + 2.0f / 5;
	y = y * square + 2.0f / 3;
	y = y * square + 2.0f;
	return y * s + (float) n * 0.693147181f;
}

/*
 * What words mean: numbers, or factors for dropout.
 */
static GS_ALWAYS_INLINE void
convert(Kind kind, double rate, const uint32_t *word, float *lane, int n)
{
	if (kind == NORMAL)
		gs_normal_lane(word, lane, n);
	else if (kind == UNIFORM)
		for (int i = 0; i < n; i++)
			lane[i] = uniform(word[i]);
	else if (kind == GUMBEL)
		for (int i = 0; i < n; i++)
			lane[i] = -lane_log(-lane_log(uniform(word[i])));
	else
	{
		uint32_t	drop = (uint32_t) (rate * 0x1.0p32);
		float		keep = (float) (1 / (1 - rate));

		for (int i = 0; i < n; i++)
			lane[i] = word[i] < drop ? 0.0f : keep;
	}
}

/*
 * Puts a stretch of numbers into x, or multiplies with it.
 */
static GS_ALWAYS_INLINE void
position(Kind kind, const float *restrict lane, gs_real *restrict x, int n)
{
	if (kind == DROPOUT)
		for (int i = 0; i < n; i++)
			x[i] *= lane[i];
	else
		for (int i = 0; i < n; i++)
			x[i] = lane[i];
}

static GS_ALWAYS_INLINE void
fill(Kind kind, GsDraw draw, double rate, GsMatrix x)
{
	uint64_t	key = gs_mix64(draw.key, draw.step);
	int			quarter = (x.cols + 3) / 4;
	uint64_t	first = (uint64_t) draw.first_row * quarter;
	uint64_t	n = (uint64_t) x.rows * quarter;
	uint32_t	word[4][BLOCKS];
	float		lane[4][BLOCKS];

	for (uint64_t done = 0; done < n; done += BLOCKS)
	{
		int			m = n - done < BLOCKS ? (int) (n - done) : BLOCKS;
		int			run;

		gs_philox_lanes(key, first + done, draw.stream, 0, m,
						word[0], word[1], word[2], word[3]);
		for (int w = 0; w < 4; w++)
			convert(kind, rate, word[w], lane[w], m);
		for (int i = 0; i < m; i += run)
		{
			gs_real    *row = gs_row(x, (int) ((done + i) / quarter));
			int			at = (int) ((done + i) % quarter);

			run = quarter - at < m - i ? quarter - at : m - i;
			for (int w = 0; w < 4; w++)
			{
				int			column = w * quarter + at;
				int			left = x.cols - column;

				position(kind, lane[w] + i, row + column,
						 left < run ? left : run);
			}
		}
	}
}

/*
 * gs_draw_normal
 *
 * Fills x with independent N(0, 1) (good to about 1e-4: gs_normal_lane).
 */
GS_CLONES void
gs_draw_normal(GsDraw draw, GsMatrix x)
{
	fill(NORMAL, draw, 0, x);
}

/*
 * gs_draw_uniform
 *
 * Fills x with independent numbers, uniform in (0, 1).
 */
GS_CLONES void
gs_draw_uniform(GsDraw draw, GsMatrix x)
{
	fill(UNIFORM, draw, 0, x);
}

/*
 * gs_draw_gumbel
 *
 * Fills x with independent numbers of Gumbel's distribution, -log(-log u):
 * the largest of logits with such noise is a draw from their softmax.
 */
GS_CLONES void
gs_draw_gumbel(GsDraw draw, GsMatrix x)
{
	fill(GUMBEL, draw, 0, x);
}

/*
 * gs_dropout
 *
 * Each element of x becomes 0 with probability "rate", in [0, 1), or else is
 * multiplied by 1 / (1 - rate).  Backward: the same call on the gradient.
 *
 * Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: a
 * simple way to prevent neural networks from overfitting", JMLR 15 (2014).
 */
GS_CLONES void
gs_dropout(GsDraw draw, double rate, GsMatrix x)
{
	if (rate > 0)
		fill(DROPOUT, draw, rate, x);
}
