/*
 * codec_scaled.c
 *	  Floats that are kept as whole numbers, in units of 10^-scale.
 *
 * Sums and differences of these are exact, so a column of floats can be told
 * from another one as numerics are (layout.c), and is in the right order with
 * it.  What has no more than GS_MAX_DECIMALS digits after the point comes back
 * as it was; of all others as many digits are kept as an int64 has room for,
 * some more than the largest values of the column have themselves.
 */
#include "postgres.h"

#include "codec/codec_internal.h"

/* Whole numbers below it, and their sums, are no special values. */
#define SCALED_END	INT64CONST(500000000000000000)

/* Units of each scale: powers of ten. */
static const long double unit_of[] = {
	1e0L, 1e1L, 1e2L, 1e3L, 1e4L, 1e5L, 1e6L, 1e7L, 1e8L, 1e9L,
	1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L
};

/*
 * gs_float_scaled: a float in units of 10^-scale, rounded; what is too large is
 * the largest there is.
 */
int64
gs_float_scaled(double value, int scale)
{
	long double scaled = roundl(value * unit_of[scale]);

	if (isnan(value))
		return GS_NUMERIC_NAN;
	if (isinf(value))
		return value > 0 ? GS_NUMERIC_PLUS : GS_NUMERIC_MINUS;
	return (int64) Min(Max(scaled, -SCALED_END), SCALED_END);
}

static double
unscaled(int64 value, int scale, bool narrow)
{
	double		result;

	if (value == GS_NUMERIC_NAN)
		return NAN;
	if (value == GS_NUMERIC_PLUS || value == GS_NUMERIC_MINUS)
		return value == GS_NUMERIC_PLUS ? INFINITY : -INFINITY;
	result = (double) (value / unit_of[scale]);
	return narrow ? (float) result : result;
}

/*
 * gs_float_around: the whole numbers next to a float of such a codec: the last
 * that is not above it, and the first that is not below it.
 */
void
gs_float_around(const GsCodec *codec, Datum value, int64 *below, int64 *above)
{
	bool		narrow = codec->kind->narrow;
	double		real = narrow ? DatumGetFloat4(value) : DatumGetFloat8(value);
	double		back;

	*below = *above = gs_float_scaled(real, codec->scale);
	back = unscaled(*below, codec->scale, narrow);
	if (isnan(real) || isinf(real))
		return;
	*below -= back > real;
	*above += back < real;
}

/*
 * gs_floats_scale: the most digits after the point that numbers up to a size
 * can be kept with; -1 if they would be fewer than they may have.
 */
int
gs_floats_scale(double largest)
{
	int			scale = 0;

	if (!(largest >= 1e-4) || largest > 1e9)
		return -1;
	while (scale < 18 && largest * (double) unit_of[scale + 1] < SCALED_END)
		scale++;
	return scale;
}

static void
split_scaled(GsCodec *codec, Datum value, GsPart *parts)
{
	parts[0].scalar.i =
		gs_float_scaled(codec->kind->narrow ? DatumGetFloat4(value) :
						DatumGetFloat8(value), codec->scale);
}

static Datum
join_scaled(GsCodec *codec, const GsPart *parts)
{
	double		value = unscaled(parts[0].scalar.i, codec->scale,
								 codec->kind->narrow);

	return codec->kind->narrow ? Float4GetDatum((float4) value) :
		Float8GetDatum(value);
}

#define SCALED	.nparts = 1, .axis = GS_AXIS_NUMBER, .scaled = true, \
				.part = {{.min = -SCALED_END, .max = SCALED_END, \
						.special = true, .minus = GS_NUMERIC_MINUS, \
						.plus = GS_NUMERIC_PLUS}}, \
				.split = split_scaled, .join = join_scaled

static const GsCodecKind scaled_kinds[] = {
	{.name = "double precision", SCALED},
	{.name = "real", .narrow = true, SCALED}
};

/*
 * gs_codec_set_scaled: makes a codec of floats one of whole numbers.
 */
void
gs_codec_set_scaled(GsCodec *codec, int scale)
{
	codec->kind = &scaled_kinds[codec->kind->narrow];
	codec->part[0] = codec->kind->part[0];
	codec->scale = scale;
}
