/*
 * notation_codec.c
 *	  Dates and times that are kept as numbers or as texts: their codecs.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "codec/codec_internal.h"
#include "codec/notation.h"

/*
 * gs_codec_unit: what a codec's single part counts; GS_UNIT_NONE if its
 * values are no points in time.
 */
GsMomentUnit
gs_codec_unit(const GsCodec *codec)
{
	if (codec->notation != NULL)
		return gs_notation_unit(codec->notation->format);
	return codec->type == DATEOID ? GS_UNIT_DAY :
		codec->type == TIMEOID ? GS_UNIT_CLOCK :
		codec->type == TIMESTAMPOID || codec->type == TIMESTAMPTZOID ?
		GS_UNIT_TIME : GS_UNIT_NONE;
}

/*
 * gs_codec_moment: the moment of a scalar of such a codec, which is no special
 * value; that of a timestamptz in UTC.
 */
GsMoment
gs_codec_moment(const GsCodec *codec, int64 scalar)
{
	int64		day;

	if (codec->notation != NULL)
		return gs_notation_moment(codec->notation->format, scalar);
	if (codec->type == DATEOID)
		return (GsMoment) {scalar, 0};
	if (codec->type == TIMEOID)
		return (GsMoment) {0, scalar};
	day = scalar / USECS_PER_DAY - (scalar % USECS_PER_DAY < 0);
	return (GsMoment) {day, scalar - day * USECS_PER_DAY};
}

/*
 * gs_codec_moment_scalar: the scalar of a moment in such a codec.
 */
int64
gs_codec_moment_scalar(const GsCodec *codec, GsMoment moment)
{
	if (codec->notation != NULL)
		return gs_notation_scalar(codec->notation->format, moment);
	if (codec->type == DATEOID)
		return moment.day;
	return codec->type == TIMEOID ? moment.usec :
		moment.day * USECS_PER_DAY + moment.usec;
}

static GsMoment
shift(GsMoment moment, int64 usecs)
{
	moment.usec += usecs % USECS_PER_DAY;
	moment.day += usecs / USECS_PER_DAY;
	if (usecs != 0 && (moment.usec < 0 || moment.usec >= USECS_PER_DAY))
	{
		int			later = moment.usec < 0 ? -1 : 1;

		moment.day += later;
		moment.usec -= later * USECS_PER_DAY;
	}
	return moment;
}

/*
 * How far a clock is ahead at a moment.
 */
static int64
ahead_at(GsClock clock, GsMoment moment)
{
	pg_time_t	seconds;
	struct pg_tm *local;

	if (clock.zone == NULL)
		return clock.ahead;
	seconds = (moment.day + POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) *
		SECS_PER_DAY + moment.usec / USECS_PER_SEC;
	local = pg_localtime(&seconds, clock.zone);
	return local == NULL ? 0 : local->tm_gmtoff * USECS_PER_SEC;
}

/*
 * gs_notation_is_fiscal: whether a format writes years and quarters alone,
 * which may begin in any month.
 */
bool
gs_notation_is_fiscal(int format)
{
	const char *name = gs_notation_name(format);

	return strspn(name, "FYQ\" -") == strlen(name);
}

/*
 * gs_clock_show: what a clock shows at a moment.
 */
GsMoment
gs_clock_show(GsClock clock, GsMoment moment)
{
	int			year;
	int			month;
	int			day;

	if (clock.months != 0)
	{
		j2date((int) moment.day + POSTGRES_EPOCH_JDATE, &year, &month, &day);
		month += year * MONTHS_PER_YEAR - 1 + clock.months;
		moment.day = date2j(month / MONTHS_PER_YEAR,
							month % MONTHS_PER_YEAR + 1, 1) -
			POSTGRES_EPOCH_JDATE;
		return moment;
	}
	return shift(moment, ahead_at(clock, moment));
}

/*
 * gs_clock_read: a moment at which a clock shows another one, if there is one.
 */
GsMoment
gs_clock_read(GsClock clock, GsMoment shown)
{
	int64		ahead = ahead_at(clock, shown);

	return shift(shown, -ahead_at(clock, shift(shown, -ahead)));
}

/*
 * gs_notation_day: the day that a format of dates has for a day: itself, or the
 * first or last one of its month, quarter, year or week.
 */
int64
gs_notation_day(int format, int64 day)
{
	const char *name = gs_notation_name(format);
	int			julian = (int) day + POSTGRES_EPOCH_JDATE;
	int			months = strncmp(name, "quarter", 7) == 0 ? 3 :
		strncmp(name, "year", 4) == 0 ? MONTHS_PER_YEAR : 1;
	int			year;
	int			month;

	if (strcmp(name, "date") == 0)
		return day;
	if (strcmp(name, "week") == 0)
		return day - (j2day(julian) + 6) % 7;
	j2date(julian, &year, &month, &julian);
	month -= (month - 1) % months;
	if (strstr(name, "end") == NULL)
		return date2j(year, month, 1) - POSTGRES_EPOCH_JDATE;
	month += months;
	return (month > MONTHS_PER_YEAR ? date2j(year + 1, 1, 1) :
			date2j(year, month, 1)) - 1 - POSTGRES_EPOCH_JDATE;
}

/*
 * gs_notation_around: the scalars whose numbers are next to one in an ordered
 * format: the last that is not above it, and the first that is not below.
 */
void
gs_notation_around(int format, int64 number, int64 *below, int64 *above)
{
	int64		low;
	int64		high;

	gs_notation_limits(format, &low, &high);
	*below = PG_INT64_MIN;
	*above = PG_INT64_MAX;
	while (low <= high)
	{
		int64		middle = low + (high - low) / 2;
		int64		written = gs_notation_write_number(format,
													   gs_notation_moment(format,
																		  middle));

		if (written <= number)
		{
			*below = middle;
			low = middle + 1;
		}
		if (written >= number)
		{
			*above = middle;
			high = middle - 1;
		}
	}
}

/*
 * gs_notation_read_offset: how far the clocks of an offset are ahead of UTC, in
 * microseconds: Z, +01, -0530 or +05:30.  Returns false if it is none.
 */
bool
gs_notation_read_offset(const char *text, int len, int64 *ahead)
{
	int			digit[4] = {0};
	int			n = 0;

	*ahead = 0;
	if (len == 1 && (text[0] == 'Z' || text[0] == 'z'))
		return true;
	if (len < 3 || len > 6 || (text[0] != '+' && text[0] != '-') ||
		(len == 6) != (text[len > 3 ? 3 : 0] == ':'))
		return false;
	for (int i = 1; i < len; i++)
	{
		if (i == 3 && text[i] == ':')
			continue;
		if (text[i] < '0' || text[i] > '9')
			return false;
		digit[n++] = text[i] - '0';
	}
	if (n == 3 || digit[0] * 10 + digit[1] > 18 || digit[2] > 5)
		return false;
	*ahead = ((digit[0] * 10 + digit[1]) * MINS_PER_HOUR + digit[2] * 10 +
			  digit[3]) * USECS_PER_MINUTE;
	if (text[0] == '-')
		*ahead = -*ahead;
	return true;
}

/*
 * gs_notation_set_offset: the suffix of the next value of a notation in which it
 * differs by row.
 */
void
gs_notation_set_offset(GsNotation *notation, const char *suffix)
{
	strlcpy(notation->suffix, suffix, sizeof(notation->suffix));
	(void) gs_notation_read_offset(suffix, strlen(suffix),
								   &notation->clock.ahead);
}

/*
 * gs_notation_read: as gs_notation_parse, of a text that ends in suffix, or, if
 * that is NULL, in any offset: then *scalar counts in UTC.
 */
bool
gs_notation_read(int format, const char *suffix, const char *text, int len,
				 int64 *scalar)
{
	int			rest = suffix != NULL ? len - (int) strlen(suffix) :
		gs_notation_length(format);
	int64		ahead;

	if (suffix == NULL)
	{
		if (rest == 0 || rest >= len ||
			!gs_notation_read_offset(text + rest, len - rest, &ahead) ||
			!gs_notation_parse(format, text, rest, scalar))
			return false;
		*scalar -= ahead / gs_notation_usecs(format);
		return true;
	}
	return rest >= 0 && memcmp(text + rest, suffix, len - rest) == 0 &&
		gs_notation_parse(format, text, rest, scalar);
}

/*
 * A number of the plain kind as its part, and back.
 */
static bool
plain_number(const GsPart *part, int64 *number)
{
	int64		above;

	*number = part->scalar.i;
	if (part->lane != GS_LANE_NUMERIC)
		return true;
	if (gs_numeric_scale(part->text) != 0)
		return false;
	gs_numeric_scaled(part->text, 0, number, &above);
	return *number == above;
}

static void
split_notation(GsCodec *codec, Datum value, GsPart *part)
{
	const GsNotation *notation = codec->notation;
	int			format = notation->format;
	GsPart		plain = {.lane = notation->plain->part[0].lane};
	int64		number = 0;

	if (notation->plain->split != NULL)
		notation->plain->split(codec, value, &plain);
	else
		plain.scalar = notation->plain->scalar(value);
	if (gs_notation_unit(format) == GS_UNIT_NONE)
		return;
	if (plain.lane != GS_LANE_TEXT)
	{
		part->absent = !plain_number(&plain, &number);
		part->scalar.i = gs_notation_number(format, number);
		return;
	}
	if (gs_notation_read(format, notation->offset ? NULL : notation->suffix,
						 plain.text, plain.len, &part->scalar.i))
		return;
	for (int i = 0; i < notation->nothers; i++)
		if (strlen(notation->other[i]) == plain.len &&
			memcmp(notation->other[i], plain.text, plain.len) == 0)
		{
			part->scalar.i = GS_NOTATION_OTHER + i;
			return;
		}
	part->absent = true;
}

/*
 * A number or a text, as it is written, as a value of the codec's type.
 */
static Datum
join_plain(GsCodec *codec, int64 number, const char *text)
{
	const GsCodecKind *plain = codec->notation->plain;
	GsPart		part = {.lane = GS_LANE_INT,.scalar.i = number,.text = text};

	if (plain->datum != NULL)
		return plain->datum(part.scalar);
	return plain->join(codec, &part);
}

/*
 * gs_notation_join: writes a moment as a value of a codec that has a notation,
 * in the current context.
 */
Datum
gs_notation_join(GsCodec *codec, GsMoment moment)
{
	const GsNotation *notation = codec->notation;
	char		text[GS_NOTATION_SIZE + GS_NOTATION_MAX_SUFFIX];

	moment = gs_clock_show(notation->clock, moment);
	if (notation->plain->content != GS_CONTENT_TEXT)
		return join_plain(codec,
						  gs_notation_write_number(notation->format, moment),
						  NULL);
	strcpy(text + gs_notation_write(notation->format, moment, text),
		   notation->suffix);
	return join_plain(codec, 0, text);
}

static Datum
join_notation(GsCodec *codec, const GsPart *parts)
{
	const GsNotation *notation = codec->notation;
	int64		scalar = parts[0].scalar.i;

	if (codec->part[0].special && scalar >= codec->part[0].plus)
	{
		if (notation->plain->content != GS_CONTENT_TEXT)
			return join_plain(codec, scalar - GS_NOTATION_OTHER, NULL);
		scalar = Max(scalar - GS_NOTATION_OTHER, 0);
		return join_plain(codec, 0,
						  notation->other[Min(scalar, notation->nothers - 1)]);
	}
	scalar = Min(Max(scalar, codec->part[0].min), codec->part[0].max);
	return gs_notation_join(codec, gs_notation_moment(notation->format, scalar));
}

/*
 * gs_notation_set: makes a codec one of a notation; allocates in the current
 * context.
 *
 * codec: of a kind that the format fits; other: [nothers] texts that are no
 * dates, copied.  A value that is neither has no part.
 */
void
gs_notation_set(GsCodec *codec, int format, int nothers, char **other)
{
	GsNotation *notation = palloc0(sizeof(GsNotation));
	GsMomentUnit unit = gs_notation_unit(format);
	GsCodecKind *kind = &notation->kind;
	GsPartKind *part = &kind->part[0];

	notation->format = format;
	notation->plain = codec->kind;
	notation->nothers = nothers;
	notation->other = palloc(sizeof(char *) * Max(nothers, 1));
	for (int i = 0; i < nothers; i++)
		notation->other[i] = pstrdup(other[i]);
	kind->name = codec->kind->name;
	kind->nparts = 1;
	kind->content = GS_CONTENT_NUMBERS;
	kind->split = split_notation;
	kind->join = join_notation;
	part->lane = GS_LANE_INT;
	if (unit == GS_UNIT_DAY || unit == GS_UNIT_TIME)
	{
		kind->axis = GS_AXIS_TIME;
		kind->unit = gs_notation_usecs(format);
	}
	if (unit != GS_UNIT_NONE)
	{
		gs_notation_limits(format, &part->min, &part->max);
		part->special = nothers > 0 ||
			notation->plain->content != GS_CONTENT_TEXT;
		part->minus = PG_INT64_MIN;
		part->plus = GS_NOTATION_OTHER / 2;
	}
	codec->notation = notation;
	codec->kind = kind;
	codec->nparts = 1;
	codec->part[0] = *part;
}
