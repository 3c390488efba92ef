/*
 * masker_value.c
 *	  Values that follow from the key and the value before: pseudonyms,
 *	  patterns, and what is less exact.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"
#include "mask/masker_internal.h"

/*
 * gs_masker_text: a value's text, the same whatever the session's settings are
 * if they are those of gs_fix_styles or gs_masker_is_styled says no.
 *
 * Dates, of which there are many, are written here: settings would have to be
 * changed for each row.
 */
char *
gs_masker_text(GsMaskerHashed *column, Datum value)
{
	struct pg_tm tm = {0};
	fsec_t		fsec;
	char	   *text;

	switch (column->base)
	{
		case DATEOID:
			if (DATE_NOT_FINITE(DatumGetDateADT(value)))
				break;
			j2date(DatumGetDateADT(value) + POSTGRES_EPOCH_JDATE, &tm.tm_year,
				   &tm.tm_mon, &tm.tm_mday);
			text = palloc(MAXDATELEN + 1);
			EncodeDateOnly(&tm, USE_ISO_DATES, text);
			return text;
		case TIMESTAMPOID:
			if (TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)) ||
				timestamp2tm(DatumGetTimestamp(value), NULL, &tm, &fsec, NULL,
							 NULL) != 0)
				break;
			text = palloc(MAXDATELEN + 1);
			EncodeDateTime(&tm, fsec, false, 0, NULL, USE_ISO_DATES, text);
			return text;
		case INT8OID:
			text = palloc(MAXINT8LEN + 1);
			pg_lltoa(DatumGetInt64(value), text);
			return text;
		default:
			break;
	}
	return OutputFunctionCall(&column->output, value);
}

/*
 * gs_masker_hash: adds a value to a hash.
 */
void
gs_masker_hash(GsSipHash *hash, GsMaskerHashed *column, Datum value,
			   bool isnull)
{
	char	   *text;

	if (isnull)
	{
		/* a byte that no text has */
		gs_siphash_add(hash, "\377", 1);
		return;
	}
	text = gs_masker_text(column, value);
	/* with its final 0, so that 'a', 'bc' is not 'ab', 'c' */
	gs_siphash_add(hash, text, strlen(text) + 1);
}

/* Puts its pseudonym in the place of len bytes of a column's value. */
static void
give_pseudonym(const GsMasker *masker, const GsMaskerColumn *column, char *text,
			 size_t len)
{
	if (!gs_pseudonym_text(&masker->key, text, len, masker->utf8))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of table %s has values that are too short for pseudonyms",
						column->name, masker->table),
				 errdetail("A format of fewer than %d values has no pseudonyms.",
						   GS_PSEUDONYM_LEAST),
				 errhint("Choose a kind of values, shuffle, constant:... or null for it.")));
}

static Datum
pseudonym_text(const GsMasker *masker, const GsMaskerColumn *column, Datum value)
{
	/* a copy, never compressed nor short; as citext compares it */
	text	   *copy = DatumGetTextPCopy(column->folded ?
										 DirectFunctionCall1Coll(lower,
																 DEFAULT_COLLATION_OID,
																 value) :
										 value);
	char	   *data = VARDATA(copy);
	size_t		len = VARSIZE(copy) - VARHDRSZ;

	/* blanks at the end of a char(n) are no part of it */
	if (column->base == BPCHAROID)
		len = bpchartruelen(data, (int) len);
	give_pseudonym(masker, column, data, len);
	return PointerGetDatum(copy);
}

/* The same as that of the uuid's text, in lower case. */
static Datum
pseudonym_uuid(const GsMasker *masker, const GsMaskerColumn *column, Datum value)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(uuid_out, value));

	give_pseudonym(masker, column, text, strlen(text));
	return DirectFunctionCall1(uuid_in, CStringGetDatum(text));
}

/* A whole number; as that of an integer type. */
static Datum
pseudonym_numeric(const GsMasker *masker, const GsMaskerColumn *column, Datum value)
{
	int64		number;

	/* NaN is above all numbers */
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, value,
										 NumericGetDatum(int64_to_numeric(PG_INT64_MIN)))) ||
		DatumGetBool(DirectFunctionCall2(numeric_gt, value,
										 NumericGetDatum(int64_to_numeric(PG_INT64_MAX)))))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("column \"%s\" of table %s has numbers beyond those of bigint, which have no pseudonyms",
						column->name, masker->table),
				 errhint("Choose generalise:... or shuffle for it.")));
	number = DatumGetInt64(DirectFunctionCall1(numeric_int8, value));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, value,
										  NumericGetDatum(int64_to_numeric(number)))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of table %s has numbers with fractions, which have no pseudonyms",
						column->name, masker->table),
				 errhint("Choose generalise:... or shuffle for it.")));
	number = gs_pseudonym_integer(&masker->key, number, column->most);
	return DirectFunctionCall2(numeric,
							   NumericGetDatum(int64_to_numeric(number)),
							   Int32GetDatum(column->typmod));
}

/*
 * gs_masker_pseudonym: the pseudonym of a value.  Errors: 22023, 22003.
 */
Datum
gs_masker_pseudonym(const GsMasker *masker, const GsMaskerColumn *column, Datum value)
{
	switch (column->base)
	{
		case INT2OID:
			return Int16GetDatum((int16)
								 gs_pseudonym_integer(&masker->key,
													  DatumGetInt16(value),
													  column->most));
		case INT4OID:
			return Int32GetDatum((int32)
								 gs_pseudonym_integer(&masker->key,
													  DatumGetInt32(value),
													  column->most));
		case INT8OID:
			return Int64GetDatum(gs_pseudonym_integer(&masker->key,
													  DatumGetInt64(value),
													  column->most));
		case NUMERICOID:
			return pseudonym_numeric(masker, column, value);
		case UUIDOID:
			return pseudonym_uuid(masker, column, value);
		default:
			return pseudonym_text(masker, column, value);
	}
}

/*
 * gs_masker_pattern: a text of the pattern that the value determines.
 */
Datum
gs_masker_pattern(GsMasker *masker, GsMaskerColumn *column, Datum value)
{
	char	   *text = pstrdup(column->rule->argument);
	GsSipHash	hash;
	uint64_t	seed[2];
	uint64_t	random[2];
	char		use = PATTERN_HASH;

	gs_siphash_begin(&hash, masker->key.word);
	gs_siphash_add(&hash, &use, 1);
	gs_masker_hash(&hash, &column->hashed, value, false);
	gs_siphash_end(&hash, seed);
	for (int i = 0; text[i] != '\0'; i++)
	{
		uint32		n = text[i] == '9' ? 10 : 26;

		if (text[i] != '9' && text[i] != 'A' && text[i] != 'a')
			continue;
		gs_siphash_pair(seed, PATTERN_HASH, i, random);
		text[i] = (char) ((text[i] == '9' ? '0' : text[i]) +
						  ((random[0] >> 32) * n >> 32));
	}
	if (column->base == BPCHAROID)
		return DirectFunctionCall3(bpcharin, CStringGetDatum(text),
								   ObjectIdGetDatum(InvalidOid),
								   Int32GetDatum(column->typmod));
	return CStringGetTextDatum(text);
}

static int64
generalise_integer(const GsMaskerColumn *column, int64 value, bool up)
{
	int64		step = pg_strtoint64(column->rule->argument);
	int64		rest = value % step;
	int64		made;

	rest -= rest < 0 ? -step : 0;
	if (pg_sub_s64_overflow(value, rest, &made) ||
		(up && rest != 0 && pg_add_s64_overflow(made, step, &made)) ||
		(column->base == INT4OID && made != (int32) made) ||
		(column->base == INT2OID && made != (int16) made))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a value of column \"%s\" has no multiple of %s %s it in its type",
						column->name, column->rule->argument,
						up ? "above" : "below")));
	return made;
}

static double
generalise_float(const GsMaskerColumn *column, double value, bool up)
{
	double		step = atof(column->rule->argument);

	return (up ? ceil(value / step) : floor(value / step)) * step;
}

/*
 * The beginning or the last moment of a time stamp's unit, such as its month.
 */
static Datum
generalise_moment(const GsMaskerColumn *column, Datum value, bool up)
{
	static const struct
	{
		const char *unit;
		Interval	length;
	}			units[] = {
		{"day", {.day = 1}}, {"week", {.day = 7}}, {"month", {.month = 1}},
		{"quarter", {.month = 3}}, {"year", {.month = 12}},
		{"decade", {.month = 120}}, {"century", {.month = 1200}}
	};
	bool		zoned = column->base == TIMESTAMPTZOID;
	const char *unit = column->rule->argument;

	value = DirectFunctionCall2(zoned ? timestamptz_trunc : timestamp_trunc,
								CStringGetTextDatum(unit), value);
	for (int i = 0; up && i < (int) lengthof(units); i++)
		if (strcmp(units[i].unit, unit) == 0 &&
			!TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)))
		{
			value = DirectFunctionCall2(zoned ? timestamptz_pl_interval :
										timestamp_pl_interval, value,
										IntervalPGetDatum(&units[i].length));
			return TimestampGetDatum(DatumGetTimestamp(value) - 1);
		}
	return value;
}

/*
 * gs_masker_generalise: the value, less exact: the lower end of its unit or, if
 * up, the upper one.  Errors: 22003, 22008.
 */
Datum
gs_masker_generalise(const GsMaskerColumn *column, Datum value, bool up)
{
	switch (column->base)
	{
		case DATEOID:
			value = DirectFunctionCall1(date_timestamp, value);
			value = generalise_moment(column, value, up);
			return DirectFunctionCall1(timestamp_date, value);
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return generalise_moment(column, value, up);
		case INT2OID:
			return Int16GetDatum((int16) generalise_integer(column,
															DatumGetInt16(value),
															up));
		case INT4OID:
			return Int32GetDatum((int32) generalise_integer(column,
															DatumGetInt32(value),
															up));
		case INT8OID:
			return Int64GetDatum(generalise_integer(column,
													DatumGetInt64(value), up));
		case FLOAT4OID:
			return Float4GetDatum((float4) generalise_float(column,
															DatumGetFloat4(value),
															up));
		case FLOAT8OID:
			return Float8GetDatum(generalise_float(column,
												   DatumGetFloat8(value), up));
		default:
			value = DirectFunctionCall2(numeric_div, value, column->constant);
			value = DirectFunctionCall1(up ? numeric_ceil : numeric_floor,
										value);
			value = DirectFunctionCall2(numeric_mul, value, column->constant);
			return DirectFunctionCall2(numeric, value,
									   Int32GetDatum(column->typmod));
	}
}
