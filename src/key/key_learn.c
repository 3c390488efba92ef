/*
 * key_learn.c
 *	  Which kind of key a unique column is.
 *
 * Numbers that lie close together were counted, and are counted on from the
 * least of them.  Others are drawn from their range, whose ends are protected:
 * they are those of the threshold-th value, rounded outward to whole numbers
 * of digits where digits mean something.  Texts are numbers between two
 * constant strings, or of one format, or else drawn and numbered.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"

#include "codec/codec_internal.h"
#include "key/key.h"
#include "learn/quantile.h"

/* Numbers that take up less than so many times their count were counted. */
#define DENSE_SPAN		2
/* What is left out at either end while that is found out. */
#define DENSE_MARGIN	20
/* A text's number has so many more values than the source has rows ... */
#define TEXT_ROOM		1000
/* ... and at least so many. */
#define TEXT_SPACE		UINT64CONST(1000000000)
#define MAX_DIGITS		18
/* Bits of a whole number that a float has room for. */
#define FLOAT8_BITS		53
#define FLOAT4_BITS		24

static uint64
ipow(uint64 base, int exponent)
{
	uint64		power = 1;

	for (; exponent > 0; exponent--)
		power = power > PG_UINT64_MAX / base ? PG_UINT64_MAX : power * base;
	return power;
}

/* The largest power of ten that is not above value > 0. */
static uint64
decade(uint64 value)
{
	uint64		power = 1;

	while (value / power >= 10)
		power *= 10;
	return power;
}

static int64
negated(uint64 value)
{
	return value > PG_INT64_MAX ? PG_INT64_MIN : -(int64) value;
}

/*
 * The least or most number of as many digits, away from what lies within.
 */
static int64
round_out(int64 value, bool down)
{
	uint64		size = value < 0 ? -(uint64) value : (uint64) value;
	uint64		power;

	if (value == 0)
		return 0;
	power = decade(size);
	if (down == (value < 0))
	{
		size = power > PG_UINT64_MAX / 10 ? PG_UINT64_MAX : power * 10 - 1;
		return value < 0 ? negated(size) : (int64) Min(size, PG_INT64_MAX);
	}
	return value < 0 ? negated(power) : (int64) power;
}

/*
 * gs_key_limits: the least and most number of a SEQUENCE or RANGE key that
 * the column can hold.
 */
void
gs_key_limits(const GsColumn *column, const GsKey *key, int64 *min,
			  int64 *max)
{
	const GsCodec *codec = &column->codec;
	int			digits = MAX_DIGITS;
	int			bits;
	int			chars;

	switch (codec->part[0].lane)
	{
		case GS_LANE_FLOAT:
			bits = codec->kind->narrow ? FLOAT4_BITS : FLOAT8_BITS;

			/*
			 * whole numbers are all distinct, their tenths only as long as
			 * the gaps between floats are smaller than they
			 */
			*max = (INT64CONST(1) <<
					(key->decimals > 0 ? bits - 1 : bits)) - 1;
			break;
		case GS_LANE_NUMERIC:
			if (codec->typmod >= (int32) VARHDRSZ)
			{
				int32		typmod = codec->typmod - VARHDRSZ;
				int			scale = (int16) ((typmod & 0x7FF) ^ 1024) - 1024;

				digits = ((typmod >> 16) & 0xFFFF) - scale + key->scale;
			}
			*max = (int64) ipow(10, Max(Min(digits, MAX_DIGITS), 0)) - 1;
			break;
		case GS_LANE_TEXT:
			chars = gs_codec_max_chars(codec);
			if (chars > 0)
				digits = chars - (key->text_bytes - 2);
			*min = 0;
			*max = (int64) ipow(10, Max(Min(digits, MAX_DIGITS), 0)) - 1;
			return;
		case GS_LANE_INT:
			*min = codec->part[0].min;
			*max = codec->part[0].max;
			return;
	}
	*min = -*max;
}

/*
 * Whether digits tell how large a number is to those who read it.
 */
static bool
has_digits(const GsCodec *codec)
{
	const GsCodecKind *kind = codec->kind;

	return kind->content == GS_CONTENT_TEXT || kind->axis == GS_AXIS_MONEY ||
		(kind->axis == GS_AXIS_NUMBER && kind->part[0].lane != GS_LANE_FLOAT);
}

/*
 * The number of steps from the i-th to the j-th of sorted numbers, in keys.
 */
static double
keys_between(const GsKey *key, const GsScalar *sorted, int64 i, int64 j)
{
	return (double) ((uint64) sorted[j].i - (uint64) sorted[i].i) /
		(double) key->step + 1;
}

/*
 * gs_key_is_dense: whether numbers were counted: most of them lie close
 * together.  A column with NULLs was counted too if it had a number for each of
 * its rows.
 *
 * sorted: [n] numbers, of all that were kept of the column
 */
bool
gs_key_is_dense(const GsKey *key, const GsScalar *sorted, int64 n, int64 all,
				const GsKeyRows *rows)
{
	int64		margin = n / DENSE_MARGIN;
	double		share = (double) (n - 2 * margin) / all;
	double		present = (double) rows->rows * rows->present / rows->sampled;
	double		span = keys_between(key, sorted, margin, n - 1 - margin);

	return span < Max(DENSE_SPAN * present, (double) rows->rows) * share;
}

/*
 * The first number of a sequence: the least, unless it lies far from others.
 */
static int64
first_of(const GsKey *key, const GsScalar *sorted, int64 n,
		 const GsKeyRows *rows)
{
	int64		margin = n / DENSE_MARGIN;
	int64		edge = Min(rows->threshold - 1, margin);
	double		present = (double) rows->rows * rows->present / rows->sampled;

	/* up to 10 times as sparse as a dense one, and as many more */
	if (keys_between(key, sorted, 0, margin) >
		10 * DENSE_SPAN * (present * margin / n + 10))
		return sorted[keys_between(key, sorted, edge, margin) >
					  10 * DENSE_SPAN * (present * margin / n + 10) ?
					  margin : edge].i;
	return sorted[0].i;
}

/*
 * How far from either end of n sorted keys those are that may be shown.
 */
static int64
protected_edge(int64 n, const GsKeyRows *rows)
{
	return Min(rows->threshold - 1, (n - 1) / 2);
}

/*
 * Sets a key's space, and lowers its first number if need be, so that each row
 * of the source would have a key: between protected ends there may be fewer.
 * The key's kind, least number and step are set.
 *
 * most: the last number if there is room enough; from, to: all that there are
 */
static void
make_room(GsKey *key, int64 max, int64 from, int64 to, const GsKeyRows *rows)
{
	uint64		step = key->step;
	uint64		needed = Max(rows->rows, 1);
	uint64		more;

	key->space = ((uint64) max - (uint64) key->min) / step;
	key->space += key->space < PG_UINT64_MAX;
	if (key->space >= needed)
		return;
	more = ((uint64) to - (uint64) key->min) / step;
	key->space = more < needed ? more + 1 : needed;
	more = Min(needed - key->space,
			   ((uint64) key->min - (uint64) from) / step);
	key->min = (int64) ((uint64) key->min - more * step);
	key->space += more;
}

/*
 * gs_key_learn_numbers: numbers as keys.
 *
 * sorted: [n], n > 0; the key's format is set, and its step.  known: drawn if
 * some of them stand for several that are not told apart.
 */
void
gs_key_learn_numbers(const GsColumn *column, GsKey *key, const GsScalar *sorted,
					 int64 n, GsNumbers known, const GsKeyRows *rows)
{
	int64		edge = protected_edge(n, rows);
	int64		low = sorted[edge].i;
	int64		high = sorted[n - 1 - edge].i;
	int64		from;
	int64		to;
	int64		min;
	int64		max;

	gs_key_limits(column, key, &from, &to);
	min = from;
	max = to;
	if (known == GS_NUMBERS_COUNTED ||
		(known == GS_NUMBERS_ANY && gs_key_is_dense(key, sorted, n, n, rows)))
	{
		key->kind = GS_KEY_SEQUENCE;
		key->min = Max(first_of(key, sorted, n, rows), min);
	}
	else
	{
		key->kind = GS_KEY_RANGE;
		/* what floats have in common is a power of two, and nothing else */
		if (key->decimals < 0 &&
			keys_between(key, sorted, edge, n - 1 - edge) < rows->rows)
			key->step = 1;
		if (has_digits(&column->codec))
		{
			min = Max(min, round_out(low, true));
			max = Min(max, round_out(high, false));
		}
		else
		{
			min = Max(min, low);
			max = Min(max, high);
		}
		key->min = low < min ? min : (int64)
			((uint64) min + ((uint64) low - (uint64) min) %
			 (uint64) key->step);
	}
	make_room(key, Max(max, key->min), from, to, rows);
}

/*
 * Floats as whole numbers of a unit: of a power of ten where all have few
 * decimals, else of the power of two that their largest has room for, but for
 * those beyond the protected ends, one of which could leave room for nothing
 * else.  In such a unit small numbers may be all the same.
 */
static bool
learn_floats(const GsColumn *column, GsKey *key, const GsScalar *sorted,
			 int64 n, const GsKeyRows *rows)
{
	bool		narrow = column->codec.kind->narrow;
	GsScalar   *whole = palloc_extended(sizeof(GsScalar) * n, MCXT_ALLOC_HUGE);
	int64		edge = protected_edge(n, rows);
	double		max = Max(fabs(sorted[edge].f), fabs(sorted[n - 1 - edge].f));
	double		end;
	bool		merged = false;
	int64		first = 0;		/* of those within the unit's range, whose */
	int64		within = 0;		/* step is looked for */
	int64		from;
	int64		to;

	key->decimals = gs_find_decimals(narrow, sorted, n);
	gs_key_limits(column, key, &from, &to);
	if (key->decimals >= 0 && rint(max * pow(10, key->decimals)) > to)
		key->decimals = -1;
	gs_key_limits(column, key, &from, &to);
	end = (double) to;
	frexp(max, &key->exponent);
	key->exponent = Max(key->exponent - (narrow ? FLOAT4_BITS : FLOAT8_BITS),
						narrow ? -149 : -1074);
	for (int64 i = 0; i < n; i++)
	{
		double		units = rint(key->decimals >= 0 ?
								 sorted[i].f * pow(10, key->decimals) :
								 ldexp(sorted[i].f, -key->exponent));

		whole[i].i = (int64) Max(Min(units, end), -end);
		if (fabs(units) > end)
			continue;
		if (within == 0)
			first = i;
		else
			merged |= whole[i].i == whole[i - 1].i;
		within++;
	}
	key->step = merged ? 1 : gs_find_step(whole + first, within);
	gs_key_learn_numbers(column, key, whole, n,
						 merged ? GS_NUMBERS_DRAWN : GS_NUMBERS_ANY, rows);
	pfree(whole);
	return true;
}

/*
 * Numbers that are no specials: those lie at the ends.
 */
static bool
learn_lane(const GsColumn *column, GsKey *key, const GsLane *lane,
		   const GsScalar *sorted, const GsKeyRows *rows)
{
	const GsPartKind *kind = &column->codec.part[0];
	int64		n = rows->present;

	while (n > 0 && gs_scalar_is_special(kind, lane->type, sorted[0]))
	{
		sorted++;
		n--;
	}
	while (n > 0 && gs_scalar_is_special(kind, lane->type, sorted[n - 1]))
		n--;
	if (n < 1)
		return false;
	if (lane->type == GS_LANE_FLOAT && !lane->is_numeric)
		return learn_floats(column, key, sorted, n, rows);
	if (lane->type != GS_LANE_INT)
		return false;
	key->scale = lane->scale;
	key->min_scale = Max(lane->min_scale, 0);
	key->step = gs_find_step(sorted, n);
	gs_key_learn_numbers(column, key, sorted, n, GS_NUMBERS_ANY, rows);
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * How many bytes all texts begin with, and end with, a number between them.
 */
static void
common_ends(char *const *texts, int n, int *before, int *after)
{
	int			len = strlen(texts[0]);

	*before = *after = len;
	for (int i = 1; i < n; i++)
	{
		int			other = strlen(texts[i]);
		int			k = 0;

		while (k < *before && texts[i][k] == texts[0][k])
			k++;
		*before = k;
		k = 0;
		while (k < Min(*after, other) &&
			   texts[i][other - 1 - k] == texts[0][len - 1 - k])
			k++;
		*after = k;
	}
	while (*before > 0 && is_digit(texts[0][*before - 1]))
		(*before)--;
	*after = Min(*after, len - *before);
	while (*after > 0 && is_digit(texts[0][len - *after]))
		(*after)--;
}

/*
 * A text's number, of which one with leading zeros is "width" digits long;
 * -1 where there is none.
 */
static int64
number_in(const char *text, int before, int after, int width)
{
	int			len = (int) strlen(text) - before - after;
	int64		value = 0;

	if (len < 1 || len > MAX_DIGITS ||
		(text[before] == '0' && len > Max(width, 1)))
		return -1;
	for (int i = before; i < before + len; i++)
	{
		if (!is_digit(text[i]))
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

/*
 * Texts that are numbers between two constant strings, which is also how
 * numbers of varying length are written.
 */
static bool
learn_numbered(const GsColumn *column, GsKey *key, char *const *texts, int n,
			   const GsKeyRows *rows)
{
	GsScalar   *numbers;
	int			before;
	int			after;
	int			min = GS_KEY_MAX_PATTERN;
	int			max = 0;

	common_ends(texts, n, &before, &after);
	for (int i = 0; i < n; i++)
	{
		int			len = (int) strlen(texts[i]) - before - after;

		min = Min(min, len);
		max = Max(max, len);
	}
	if (before + after > GS_KEY_MAX_PATTERN)
		return false;
	numbers = palloc(sizeof(GsScalar) * n);
	for (int i = 0; i < n; i++)
	{
		numbers[i].i = number_in(texts[i], before, after, min);
		if (numbers[i].i < 0)
			return false;
	}
	gs_scalars_sort(numbers, n, GS_LANE_INT);
	key->width = min;
	key->text_bytes = before + after + 2;
	key->text = palloc0(key->text_bytes);
	memcpy(key->text, texts[0], before);
	memcpy(key->text + before + 1, texts[0] + strlen(texts[0]) - after, after);
	key->step = gs_find_step(numbers, n);
	gs_key_learn_numbers(column, key, numbers, n, GS_NUMBERS_ANY, rows);
	pfree(numbers);
	/* scattered numbers of one length are a format rather than a range */
	return key->kind == GS_KEY_SEQUENCE || min < max;
}

/*
 * Texts that are drawn and numbered: the digits of the number.
 */
static void
learn_text(const GsColumn *column, GsKey *key, char *const *texts, int n,
		   const GsKeyRows *rows)
{
	int			chars = gs_codec_max_chars(&column->codec);
	double		enough = Max((double) rows->rows * TEXT_ROOM, TEXT_SPACE);

	key->kind = GS_KEY_TEXT;
	key->upper = true;
	for (int i = 0; i < n && key->upper; i++)
		for (const char *p = texts[i]; *p && key->upper; p++)
			key->upper = *p < 'a' || *p > 'z';
	key->width = 1;
	while (ipow(gs_key_base(column), key->width) < enough && key->width < GS_KEY_MAX_DIGITS &&
		   (chars == 0 || key->width < chars))
		key->width++;
	key->space = ipow(gs_key_base(column), key->width);
}

static bool
learn_texts(const GsColumn *column, GsKey *key, GsLane *lane,
			const GsKeyRows *rows)
{
	char	  **texts = palloc_extended(sizeof(char *) *
										Max(hash_get_num_entries(lane->texts), 1),
										MCXT_ALLOC_HUGE);
	HASH_SEQ_STATUS scan;
	GsText	   *entry;
	GsCheckTally checks = {0};
	bool		address = false;
	bool		mixed = column->codec.type == TEXTOID ||
		column->codec.type == VARCHAROID || column->codec.type == BPCHAROID;
	int			n = 0;

	if (OidIsValid(column->collation))
		mixed &= get_collation_isdeterministic(column->collation);
	hash_seq_init(&scan, lane->texts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		texts[n++] = entry->text;
		gs_check_count(&checks, entry->text,
					   Min(entry->len, GS_CHECK_MAX_BYTES));
		address |= strchr(entry->text, '@') != NULL;
	}
	key->check = gs_check_found(&checks);
	/*
	 * an address is somebody's: it is made anew; numbers with check digits do
	 * not count on
	 */
	if (n == 0 || address ||
		((key->check != GS_CHECK_NONE ||
		  (!learn_numbered(column, key, texts, n, rows) &&
		   !(column->unique && column->kind == NULL &&
			 gs_key_learn_slots(column, key, lane, texts, n, rows)))) &&
		 (!gs_key_learn_pattern(key, texts, n, mixed) ||
		  key->space < rows->rows)))
	{
		memset(key, 0, sizeof(GsKey));
		learn_text(column, key, texts, n, rows);
	}
	pfree(texts);
	return true;
}

/*
 * The labels of an enum, which are public.
 */
static bool
learn_labels(const GsColumn *column, GsKey *key)
{
	const GsCodec *codec = &column->codec;
	StringInfoData labels;

	initStringInfo(&labels);
	for (int i = 0; i < codec->nlabels; i++)
	{
		appendStringInfoString(&labels, codec->label[i]);
		appendStringInfoChar(&labels, '\0');
	}
	key->kind = GS_KEY_LIST;
	key->space = codec->nlabels;
	key->text = labels.data;
	key->text_bytes = labels.len;
	return key->space > 0;
}

/*
 * Bits or bytes: a length that leaves room for all rows, if any has.
 */
static bool
learn_bits(const GsColumn *column, GsKey *key, const GsKeyRows *rows)
{
	int			unit = column->codec.kind->bits;
	int			at = GS_LENGTHS / 2;

	key->kind = GS_KEY_BITS;
	do
	{
		key->width = column->lengths[at];
		if (column->codec.type == BITOID && column->codec.typmod > 0)
			key->width = column->codec.typmod;
		key->space = ipow(2, Min(key->width * unit, 64));
	} while (key->space < rows->rows && ++at < GS_LENGTHS);
	return key->width > 0;
}

/*
 * gs_key_learn: finds out which kind of key a unique column is.
 *
 * column: bytea and bit columns with their lengths; lane: its only part;
 * sorted: [rows->present] its scalars.  Returns the key, in the current
 * context, or NULL for a type of which none can be made.
 */
GsKey *
gs_key_learn(const GsColumn *column, GsLane *lane, const GsScalar *sorted,
			 const GsKeyRows *rows)
{
	GsKey	   *key = palloc0(sizeof(GsKey));
	bool		found = false;

	switch (column->codec.kind->content)
	{
		case GS_CONTENT_NUMBERS:
		case GS_CONTENT_TRUTH:
			found = learn_lane(column, key, lane, sorted, rows);
			break;
		case GS_CONTENT_TEXT:
			found = learn_texts(column, key, lane, rows);
			break;
		case GS_CONTENT_LABEL:
			found = learn_labels(column, key);
			break;
		case GS_CONTENT_UUID:
			key->kind = GS_KEY_UUID;
			key->space = PG_UINT64_MAX;
			found = true;
			break;
		case GS_CONTENT_BITS:
			found = learn_bits(column, key, rows);
			break;
		case GS_CONTENT_JSON:
		case GS_CONTENT_ARRAY:
			break;
	}
	key->rows = Max(rows->rows, 1);
	key->attempts = 1;
	return found ? key : NULL;
}

/*
 * gs_key_of_type: a key for a unique column of which nothing but its type is
 * known, in the current context; NULL for a type of which none can be made.
 *
 * Numbers count from 1, in texts too; uuids are of version 4; bits and bytes
 * have the length that the type has, or 16 bytes.
 */
GsKey *
gs_key_of_type(const GsColumn *column)
{
	GsKey	   *key = palloc0(sizeof(GsKey));
	const GsCodec *codec = &column->codec;
	int64		from;
	int64		to;

	key->rows = 1;
	switch (codec->kind->content)
	{
		case GS_CONTENT_LABEL:
			return learn_labels(column, key) ? key : NULL;
		case GS_CONTENT_UUID:
			key->kind = GS_KEY_UUID;
			key->space = PG_UINT64_MAX;
			return key;
		case GS_CONTENT_BITS:
			key->kind = GS_KEY_BITS;
			key->width = codec->typmod > 0 ? codec->typmod :
				128 / codec->kind->bits;
			key->space = ipow(2, Min(key->width * codec->kind->bits, 64));
			return key;
		case GS_CONTENT_JSON:
		case GS_CONTENT_ARRAY:
			return NULL;
		case GS_CONTENT_TEXT:
			key->text_bytes = 2;	/* nothing before the number, nor after */
			key->text = palloc0(key->text_bytes);
			key->width = 1;
			break;
		case GS_CONTENT_NUMBERS:
		case GS_CONTENT_TRUTH:
			if (codec->nparts > 1)
				return NULL;
			break;
	}
	key->kind = GS_KEY_SEQUENCE;
	key->step = 1;
	gs_key_limits(column, key, &from, &to);
	if (from > to)
		return NULL;
	key->min = Max(Min(1, to), from);
	/* a truth has but two values */
	if (to == 1)
		key->min = from;
	key->space = (uint64) to - (uint64) key->min + 1;
	return key;
}
