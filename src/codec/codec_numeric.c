/*
 * codec_numeric.c
 *	  Numerics to parts, and back.
 *
 * On its way in a numeric is a text, since what holds it best, an integer at
 * some scale, a double or a text, is known only when all have been seen.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "codec/codec_internal.h"

/* A scaled integer beyond it could be taken for a special value. */
#define SCALED_LIMIT	INT64CONST(9000000000000000000)

/*
 * gs_part_from_numeric: see gs_codec_split.
 */
void
gs_part_from_numeric(Datum value, GsPart *part)
{
	/* a layout of the column says what its own parts are */
	part->lane = GS_LANE_NUMERIC;
	part->text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	part->len = strlen(part->text);
}

/*
 * A double as a numeric of a scale.  Doubles are coarse: one that rounds to
 * more digits than the column's precision has gives the largest there is.
 */
static Datum
numeric_from_double(double value, int scale, int32 typmod)
{
	Datum		number = DirectFunctionCall1(float8_numeric,
											 Float8GetDatum(value));
	int			precision;
	StringInfoData max;

	if (!isfinite(value))
		return number;
	number = DirectFunctionCall2(numeric_round, number, Int32GetDatum(scale));
	if (typmod < (int32) VARHDRSZ)
		return number;
	precision = ((typmod - VARHDRSZ) >> 16) & 0xFFFF;
	if (precision < scale ||
		fabs(value) < pow(10, precision - scale) * (1 - 1e-14))
		return number;
	initStringInfo(&max);
	appendStringInfoString(&max, value < 0 ? "-0" : "0");
	for (int i = 0; i < precision; i++)
		appendStringInfoString(&max, i == precision - scale ? ".9" : "9");
	return DirectFunctionCall3(numeric_in, CStringGetDatum(max.data),
							   ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(typmod));
}

/*
 * gs_numeric_from_part: an integer at its scale, or a text, with as few zeros
 * at its end as the least display scale lets; or a double rounded to the scale.
 */
Datum
gs_numeric_from_part(const GsPart *part, int32 typmod)
{
	int64		value = part->scalar.i;
	int			scale = part->scale;

	if (part->lane == GS_LANE_TEXT)
		return DirectFunctionCall3(numeric_in,
								   CStringGetDatum(gs_numeric_padded(part->text,
																	 part->min_scale)),
								   ObjectIdGetDatum(InvalidOid),
								   Int32GetDatum(typmod));
	if (part->lane == GS_LANE_FLOAT)
		return numeric_from_double(part->scalar.f, scale, typmod);
	if (value == GS_NUMERIC_NAN || value == GS_NUMERIC_PLUS ||
		value == GS_NUMERIC_MINUS)
		return DirectFunctionCall3(numeric_in,
								   CStringGetDatum(value == GS_NUMERIC_NAN ? "NaN" :
												   value == GS_NUMERIC_PLUS ? "Infinity" :
												   "-Infinity"),
								   ObjectIdGetDatum(InvalidOid),
								   Int32GetDatum(-1));
	while (scale > part->min_scale && value % 10 == 0)
	{
		value /= 10;
		scale--;
	}
	return NumericGetDatum(int64_div_fast_to_numeric(value, scale));
}

/*
 * gs_numeric_length: the length of a numeric's text without zeros at the end
 * of its fraction: texts that are equal up to there are equal numerics.
 */
int
gs_numeric_length(const char *text, int len)
{
	if (memchr(text, '.', len) == NULL)
		return len;
	while (text[len - 1] == '0')
		len--;
	return text[len - 1] == '.' ? len - 1 : len;
}

/*
 * gs_numeric_scale: the digits of a numeric's text after the point; -1 of a
 * special value.
 */
int
gs_numeric_scale(const char *text)
{
	const char *point = strchr(text, '.');

	if (*text == 'N' || *text == 'I' || text[1] == 'I')
		return -1;
	return point == NULL ? 0 : (int) strlen(point + 1);
}

static inline int64
add_digit(int64 value, int digit)
{
	return value > (SCALED_LIMIT - digit) / 10 ? SCALED_LIMIT + 1 :
		value * 10 + digit;
}

/*
 * gs_numeric_scaled: a numeric's text in units of 10^-scale, rounded down and
 * up; of one that has no slot, the slots that it is between.
 */
void
gs_numeric_scaled(const char *text, int scale, int64 *below, int64 *above)
{
	bool		negative = *text == '-';
	int64		value = 0;
	bool		exact = true;

	if (gs_numeric_scale(text) < 0)
	{
		*below = *above = *text == 'N' ? GS_NUMERIC_NAN :
			negative ? GS_NUMERIC_MINUS : GS_NUMERIC_PLUS;
		return;
	}
	for (text += negative; *text >= '0'; text++)
		value = add_digit(value, *text - '0');
	text += *text == '.';
	for (int i = 0; i < scale; i++)
		value = add_digit(value, *text != '\0' ? *text++ - '0' : 0);
	for (; *text != '\0'; text++)
		exact &= *text == '0';
	if (value > SCALED_LIMIT)
	{
		*below = negative ? GS_NUMERIC_MINUS : GS_NUMERIC_PLUS - 1;
		*above = *below + 1;
		return;
	}
	*below = negative ? -value - !exact : value;
	*above = *below + !exact;
}

/*
 * gs_numeric_doubles: a numeric's text as a double, twice; of one beyond the
 * doubles, those that it is between.
 */
void
gs_numeric_doubles(const char *text, double *below, double *above)
{
	double		value = strtod(text, NULL);

	*below = *above = value;
	if (!isinf(value) || gs_numeric_scale(text) < 0)
		return;
	if (value > 0)
		*below = DBL_MAX;
	else
		*above = -DBL_MAX;
}

/*
 * gs_numeric_padded: a numeric's text with zeros up to a scale, in the current
 * context.
 */
char *
gs_numeric_padded(const char *text, int scale)
{
	int			has = gs_numeric_scale(text);

	if (has < 0 || has >= scale)
		return pstrdup(text);
	return psprintf("%s%s%0*d", text, has > 0 ? "" : ".", scale - has, 0);
}

static void
split_numeric(GsCodec *codec, Datum value, GsPart *parts)
{
	gs_part_from_numeric(value, &parts[0]);
}

static Datum
join_numeric(GsCodec *codec, const GsPart *parts)
{
	return gs_numeric_from_part(&parts[0], codec->typmod);
}

const GsCodecKind gs_numeric_kinds[] = {
	{
		.name = "numeric", .types = {NUMERICOID}, .nparts = 1,
		.part = {{.lane = GS_LANE_NUMERIC, .min = PG_INT64_MIN,
				.max = PG_INT64_MAX, .special = true,
				.minus = GS_NUMERIC_MINUS, .plus = GS_NUMERIC_PLUS}},
		.axis = GS_AXIS_NUMBER,
		.split = split_numeric, .join = join_numeric
	},
	{0}
};
