/*
 * softmax.c
 *	  Softmax over many heads at once: its loss, its gradient, draws from it.
 *
 * Heads may be short, and there are many: what is done with one is written out
 * for AVX-512, whose masks spare the loops over what is left of a vector.
 * Both ways give the same bits, for sums are added in lanes: element j of a
 * head to lane j % 16.
 *
 * Plain C: no postgres.h.
 */
#include <assert.h>

#include "nn.h"
#include "kernel.h"

/*
 * z = exp(z): one pass over all heads, whose own loops are short.
 */
static GS_ALWAYS_INLINE void
exp_row(gs_real *restrict z, int n)
{
	for (int j = 0; j < n; j++)
		z[j] = real_exp(z[j]);
}

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
		gs_real		max[LANES];

		memcpy(max, z, sizeof(max));
		for (j = LANES; j <= n - LANES; j += LANES)
			for (int l = 0; l < LANES; l++)
				max[l] = z[j + l] > max[l] ? z[j + l] : max[l];
		for (int l = 0; l < LANES; l++)
			top = max[l] > top ? max[l] : top;
	}
	for (; j < n; j++)
		top = z[j] > top ? z[j] : top;
	return top;
}

static GS_ALWAYS_INLINE void
lower(gs_real *restrict z, int n)
{
	gs_real		top = largest(z, n);

	for (int j = 0; j < n; j++)
		z[j] -= top;
}

static GS_ALWAYS_INLINE gs_real
total(const gs_real *z, int n)
{
	int			whole = n - n % LANES;
	Lanes		sums = {0};

	for (int j = 0; j < whole; j += LANES)
		sums += lanes_load(z + j);
	for (int j = whole; j < n; j++)
		sums[j - whole] += z[j];
	return lanes_sum(&sums);
}

static GS_ALWAYS_INLINE void
scale(gs_real *restrict z, int n, gs_real factor)
{
	for (int j = 0; j < n; j++)
		z[j] *= factor;
}

static GS_ALWAYS_INLINE gs_real
dot(const gs_real *z, const gs_real *d, int n)
{
	int			whole = n - n % LANES;
	Lanes		sums = {0};

	for (int j = 0; j < whole; j += LANES)
		sums += lanes_load(z + j) * lanes_load(d + j);
	for (int j = whole; j < n; j++)
		sums[j - whole] += z[j] * d[j];
	return lanes_sum(&sums);
}

static GS_ALWAYS_INLINE void
turn(gs_real *restrict z, const gs_real *restrict d, int n, gs_real mean,
	 gs_real factor)
{
	for (int j = 0; j < n; j++)
		z[j] *= (d[j] - mean) * factor;
}

static GS_ALWAYS_INLINE gs_real
sharpen(gs_real *restrict z, const gs_real *restrict noise, int n,
		gs_real factor)
{
	for (int j = 0; j < n; j++)
		z[j] = (z[j] + noise[j]) * factor;
	return largest(z, n);
}

static GS_ALWAYS_INLINE int
find(const gs_real *z, int n, gs_real top)
{
	int32_t		best = n;

	for (int32_t j = 0; j < n; j++)
	{
		int32_t		at = z[j] == top ? j : n;

		best = at < best ? at : best;
	}
	return best;
}

#define ROWS_NAME(name) name
#define ROWS_TARGET GS_CLONES
#include "softmax_rows.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(GS_NN_DOUBLE)
#include "../numeric/avx512.h"


/* parts of n elements: of each, its place and its lanes */
#define EACH_PART(n, j, mask) \
	for (int j = 0, mask = gs_first_lanes(n); j < (n); \
		 j += LANES, mask = gs_first_lanes((n) - j))

static GS_AVX512 GS_ALWAYS_INLINE float
largest_wide(const float *z, int n)
{
	__m512		top = _mm512_set1_ps(-INFINITY);

	EACH_PART(n, j, mask)
		top = _mm512_mask_max_ps(top, mask,
								 _mm512_maskz_loadu_ps(mask, z + j), top);
	return _mm512_reduce_max_ps(top);
}

static GS_AVX512 GS_ALWAYS_INLINE void
lower_wide(float *z, int n)
{
	__m512		top = _mm512_set1_ps(largest_wide(z, n));

	EACH_PART(n, j, mask)
		_mm512_mask_storeu_ps(z + j, mask,
							  _mm512_maskz_loadu_ps(mask, z + j) - top);
}

/* lanes_sum's order */
static GS_AVX512 GS_ALWAYS_INLINE float
add_lanes(__m512 x)
{
	__m256		half = _mm512_castps512_ps256(x) +
		_mm512_castps512_ps256(_mm512_shuffle_f32x4(x, x, 0x0E));
	__m128		quarter = _mm256_castps256_ps128(half) +
		_mm256_extractf128_ps(half, 1);

	quarter += _mm_movehl_ps(quarter, quarter);
	return quarter[0] + quarter[1];
}

static GS_AVX512 GS_ALWAYS_INLINE float
total_wide(const float *z, int n)
{
	__m512		sum = _mm512_setzero_ps();

	EACH_PART(n, j, mask)
		sum += _mm512_maskz_loadu_ps(mask, z + j);
	return add_lanes(sum);
}

static GS_AVX512 GS_ALWAYS_INLINE void
scale_wide(float *z, int n, float factor)
{
	EACH_PART(n, j, mask)
		_mm512_mask_storeu_ps(z + j, mask, _mm512_maskz_loadu_ps(mask, z + j) *
							  _mm512_set1_ps(factor));
}

static GS_AVX512 GS_ALWAYS_INLINE float
dot_wide(const float *z, const float *d, int n)
{
	__m512		sum = _mm512_setzero_ps();

	EACH_PART(n, j, mask)
		sum += _mm512_maskz_loadu_ps(mask, z + j) *
			_mm512_maskz_loadu_ps(mask, d + j);
	return add_lanes(sum);
}

static GS_AVX512 GS_ALWAYS_INLINE void
turn_wide(float *z, const float *d, int n, float mean, float factor)
{
	EACH_PART(n, j, mask)
	{
		__m512		by = (_mm512_maskz_loadu_ps(mask, d + j) -
						  _mm512_set1_ps(mean)) * _mm512_set1_ps(factor);

		_mm512_mask_storeu_ps(z + j, mask,
							  _mm512_maskz_loadu_ps(mask, z + j) * by);
	}
}

static GS_AVX512 GS_ALWAYS_INLINE float
sharpen_wide(float *z, const float *noise, int n, float factor)
{
	__m512		top = _mm512_set1_ps(-INFINITY);

	EACH_PART(n, j, mask)
	{
		__m512		sharp = (_mm512_maskz_loadu_ps(mask, z + j) +
							 _mm512_maskz_loadu_ps(mask, noise + j)) *
			_mm512_set1_ps(factor);

		_mm512_mask_storeu_ps(z + j, mask, sharp);
		top = _mm512_mask_max_ps(top, mask, sharp, top);
	}
	return _mm512_reduce_max_ps(top);
}

static GS_AVX512 GS_ALWAYS_INLINE int
find_wide(const float *z, int n, float top)
{
	EACH_PART(n, j, mask)
	{
		__mmask16	found = _mm512_mask_cmp_ps_mask(
			mask, _mm512_maskz_loadu_ps(mask, z + j), _mm512_set1_ps(top),
			_CMP_EQ_OQ);

		if (found != 0)
			return j + __builtin_ctz(found);
	}
	return n;
}

#define ROWS_NAME(name) name##_wide
#define ROWS_TARGET GS_AVX512
#include "softmax_rows.h"

#define CALL(name, ...) \
	(gs_lanes() == 16 ? name##_wide(__VA_ARGS__) : name(__VA_ARGS__))
#else
#define CALL(name, ...) name(__VA_ARGS__)
#endif

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
double
gs_softmax_loss(int nheads, const int *offset, GsMatrix logits,
				const int32_t *target, GsMatrix weight)
{
	assert(offset[0] >= 0 && offset[nheads] <= logits.cols);
	return CALL(softmax_loss, nheads, offset, logits, target, weight);
}

/*
 * gs_softmax
 *
 * The heads' probabilities in place of their logits; see gs_softmax_loss.
 */
void
gs_softmax(int nheads, const int *offset, GsMatrix logits)
{
	assert(offset[0] >= 0 && offset[nheads] <= logits.cols);
	CALL(softmax, nheads, offset, logits);
}

/*
 * gs_softmax_backward
 *
 * From dy, the gradient by probabilities, to that by their logits times
 * "scale", in place of the probabilities; one head, [rows][cols].
 */
void
gs_softmax_backward(GsMatrix share, GsMatrix dy, gs_real scale)
{
	assert(dy.rows == share.rows && dy.cols == share.cols);
	CALL(softmax_backward, share, dy, scale);
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
void
gs_gumbel_max(GsMatrix logits, GsMatrix noise, gs_real sharpness,
			  int32_t *token)
{
	assert(noise.rows == logits.rows && noise.cols == logits.cols);
	assert(logits.cols > 0);
	CALL(gumbel_max, logits, noise, sharpness, token);
}
