/*
 * notation.c
 *	  Dates and times that are kept as numbers or as texts: their formats.
 *
 * These are written as to_char() has them.  A number is read as a text of
 * as many digits as its format has, zeros before it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "codec/notation_internal.h"
#include "compat.h"

static const char *const month_names[] = {
	"January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December"
};

static const char *const day_names[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
	"Saturday"
};

/* A date and a time of day by its fields. */
typedef struct Parts
{
	int			year;
	int			month;
	int			day;
	int			day_of_year;	/* 0: not known */
	int			hour;
	int			minute;
	int			second;
	int			usec;
} Parts;

static bool
has_epoch(const bool *has)
{
	return has[FIELD_EPOCH] || has[FIELD_EPOCH_ROUNDED] ||
		has[FIELD_EPOCH_MS] || has[FIELD_EPOCH_MS_ROUNDED];
}

/*
 * gs_notation_is_epoch: whether a format writes seconds or milliseconds since
 * 1970.
 */
bool
gs_notation_is_epoch(int format)
{
	return has_epoch(gs_notation_compile(format)->has);
}

static bool
is_rounded(int format)
{
	const bool *has = gs_notation_compile(format)->has;

	return has[FIELD_EPOCH_ROUNDED] || has[FIELD_EPOCH_MS_ROUNDED];
}

/*
 * gs_notation_unit: what a format's values count; GS_UNIT_NONE of one that
 * they cannot be read by.
 */
GsMomentUnit
gs_notation_unit(int format)
{
	const bool *has = gs_notation_compile(format)->has;
	bool		year = has[FIELD_YEAR] || has[FIELD_YEAR2];
	bool		month = has[FIELD_MONTH] || has[FIELD_MONTH_SHORT] ||
		has[FIELD_MONTH_NAME] || has[FIELD_MON] || has[FIELD_MON_UPPER];
	bool		day = has[FIELD_DAY] || has[FIELD_DAY_SHORT];
	bool		clock = (has[FIELD_HOUR] || has[FIELD_HOUR_SHORT]) &&
		has[FIELD_MINUTE];

	if (gs_notation_compile(format)->kinds & PLAIN)
		return gs_notation_compile(format)->kinds & DATE ? GS_UNIT_DAY :
			gs_notation_compile(format)->kinds & TIME ? GS_UNIT_CLOCK : GS_UNIT_TIME;
	if (has_epoch(has))
		return GS_UNIT_TIME;
	if (!year)
		return clock && !month && !day ? GS_UNIT_CLOCK : GS_UNIT_NONE;
	if ((month && day) || has[FIELD_DAY_OF_YEAR])
		return clock ? GS_UNIT_TIME : GS_UNIT_DAY;
	return month && !clock ? GS_UNIT_MONTH : GS_UNIT_NONE;
}

/*
 * gs_notation_usecs: microseconds of what a format with a clock, or days,
 * counts.
 */
int64
gs_notation_usecs(int format)
{
	const bool *has = gs_notation_compile(format)->has;

	if (gs_notation_compile(format)->kinds & (TIME | STAMP))
		return 1;
	if (has[FIELD_MILLI] || has[FIELD_MICRO])
		return has[FIELD_MICRO] ? 1 : 1000;
	if (has[FIELD_EPOCH_MS] || has[FIELD_EPOCH_MS_ROUNDED])
		return 1000;
	return has[FIELD_SECOND] || has_epoch(has) ? USECS_PER_SEC :
		has[FIELD_MINUTE] ? USECS_PER_MINUTE : USECS_PER_DAY;
}

/*
 * gs_notation_is_number: whether a format is one of digits alone, by chance
 * that of any number.
 */
bool
gs_notation_is_number(int format)
{
	return gs_notation_compile(format)->kinds & NUMBER;
}

/*
 * The digits of a number in a format.
 */
static int
digits_of(int format)
{
	return strlen(gs_notation_compile(format)->name) -
		(gs_notation_compile(format)->has[FIELD_HOUR] ? 2 : 0);
}

/*
 * gs_notation_scalar: what a moment is in a format's codec.
 */
int64
gs_notation_scalar(int format, GsMoment moment)
{
	int			year;
	int			month;
	int			day;
	int64		usecs = gs_notation_usecs(format);

	switch (gs_notation_unit(format))
	{
		case GS_UNIT_NONE:
			return 0;
		case GS_UNIT_CLOCK:
			return moment.usec / usecs;
		case GS_UNIT_MONTH:
			j2date((int) moment.day + POSTGRES_EPOCH_JDATE, &year, &month,
				   &day);
			return (int64) year * MONTHS_PER_YEAR + month - 1;
		default:
			return moment.day * (USECS_PER_DAY / usecs) +
				(moment.usec + (is_rounded(format) ? usecs / 2 : 0)) / usecs;
	}
}

/*
 * gs_notation_moment: the reverse: the first moment of what a scalar counts.
 */
GsMoment
gs_notation_moment(int format, int64 scalar)
{
	int64		usecs = gs_notation_usecs(format);
	int64		steps = USECS_PER_DAY / usecs;	/* a day */
	int64		day;

	switch (gs_notation_unit(format))
	{
		case GS_UNIT_NONE:
			return (GsMoment) {0, 0};
		case GS_UNIT_CLOCK:
			return (GsMoment) {0, scalar * usecs};
		case GS_UNIT_MONTH:
			return (GsMoment) {
				date2j((int) (scalar / MONTHS_PER_YEAR),
					   (int) (scalar % MONTHS_PER_YEAR) + 1, 1) -
					POSTGRES_EPOCH_JDATE, 0
			};
		default:
			day = scalar / steps - (scalar % steps < 0);
			return (GsMoment) {day, (scalar - day * steps) * usecs};
	}
}

/*
 * gs_notation_limits: the first and last of a format's scalars.
 */
void
gs_notation_limits(int format, int64 *min, int64 *max)
{
	bool		century = gs_notation_compile(format)->has[FIELD_YEAR2];
	int			year = century ? 1950 : 1;
	int			last = century ? 2049 : 9999;
	GsMoment	begin = {date2j(year, 1, 1) - POSTGRES_EPOCH_JDATE, 0};
	GsMoment	end = {date2j(last, 12, 31) - POSTGRES_EPOCH_JDATE,
	USECS_PER_DAY - 1};

	/* of as many digits as any */
	if (gs_notation_is_epoch(format))
	{
		begin = (GsMoment) {date2j(2001, 9, 10) - POSTGRES_EPOCH_JDATE, 0};
		end.day = date2j(2286, 11, 19) - POSTGRES_EPOCH_JDATE;
	}

	*min = gs_notation_scalar(format, begin);
	*max = gs_notation_scalar(format, end);
}

/*
 * Reads digits: n of them, or, if n is 0, one or two without a zero before.
 */
static bool
read_digits(const char **at, const char *end, int n, int *number)
{
	const char *begin = *at;
	int			most = n > 0 ? n : 2;

	*number = 0;
	while (*at < end && *at - begin < most && **at >= '0' && **at <= '9')
		*number = *number * 10 + *(*at)++ - '0';
	return n > 0 ? *at - begin == n : *at > begin && *begin != '0';
}

/*
 * Reads a month's name; length: letters of it, 0 for all.
 */
static bool
read_month(const char **at, const char *end, int length, bool upper,
		   int *month)
{
	for (int m = 0; m < MONTHS_PER_YEAR; m++)
	{
		const char *name = month_names[m];
		int			n = length > 0 ? length : strlen(name);
		bool		same = end - *at >= n;

		for (int i = 0; same && i < n; i++)
			same = (*at)[i] == (upper ? pg_ascii_toupper(name[i]) : name[i]);
		if (!same)
			continue;
		*at += n;
		*month = m + 1;
		return true;
	}
	return false;
}

/*
 * Reads units of so many microseconds since 1970, of n digits, as a date and a
 * time of day.
 */
static bool
read_epoch(const char **at, const char *end, int n, int64 unit, Parts *parts)
{
	const char *begin = *at;
	int64		usecs = 0;
	int			seconds;

	while (*at < end && **at >= '0' && **at <= '9' && *at - begin < n)
		usecs = usecs * 10 + *(*at)++ - '0';
	if (*at - begin != n || *begin == '0')
		return false;
	usecs *= unit;
	j2date((int) (usecs / USECS_PER_DAY) + UNIX_EPOCH_JDATE, &parts->year,
		   &parts->month, &parts->day);
	seconds = (int) (usecs % USECS_PER_DAY / USECS_PER_SEC);
	parts->hour = seconds / SECS_PER_HOUR;
	parts->minute = seconds / SECS_PER_MINUTE % MINS_PER_HOUR;
	parts->second = seconds % SECS_PER_MINUTE;
	parts->usec = (int) (usecs % USECS_PER_SEC);
	return true;
}

static bool
read_field(Field field, const char **at, const char *end, Parts *parts)
{
	switch (field)
	{
		case FIELD_YEAR:
			return read_digits(at, end, 4, &parts->year) && parts->year > 0;
		case FIELD_YEAR2:
			if (!read_digits(at, end, 2, &parts->year))
				return false;
			parts->year += parts->year < 50 ? 2000 : 1900;
			return true;
		case FIELD_MONTH:
			return read_digits(at, end, 2, &parts->month);
		case FIELD_MONTH_SHORT:
			return read_digits(at, end, 0, &parts->month);
		case FIELD_MONTH_NAME:
			return read_month(at, end, 0, false, &parts->month);
		case FIELD_MON:
			return read_month(at, end, 3, false, &parts->month);
		case FIELD_MON_UPPER:
			return read_month(at, end, 3, true, &parts->month);
		case FIELD_DAY:
			return read_digits(at, end, 2, &parts->day);
		case FIELD_DAY_SHORT:
			return read_digits(at, end, 0, &parts->day);
		case FIELD_DAY_OF_YEAR:
			return read_digits(at, end, 3, &parts->day_of_year) &&
				parts->day_of_year > 0;
		case FIELD_HOUR:
			return read_digits(at, end, 2, &parts->hour);
		case FIELD_HOUR_SHORT:
			if (*at < end && **at == '0')
				return (*at)++ != NULL;
			return read_digits(at, end, 0, &parts->hour);
		case FIELD_MINUTE:
			return read_digits(at, end, 2, &parts->minute);
		case FIELD_SECOND:
			return read_digits(at, end, 2, &parts->second);
		case FIELD_MILLI:
		case FIELD_MICRO:
			if (!read_digits(at, end, field == FIELD_MICRO ? 6 : 3,
							 &parts->usec))
				return false;
			parts->usec *= field == FIELD_MICRO ? 1 : 1000;
			return true;
		case FIELD_EPOCH:
		case FIELD_EPOCH_ROUNDED:
			return read_epoch(at, end, 10, USECS_PER_SEC, parts);
		case FIELD_EPOCH_MS:
		case FIELD_EPOCH_MS_ROUNDED:
			return read_epoch(at, end, 13, 1000, parts);
		default:
			return false;
	}
}

/*
 * The moment that fields name; false if there is none such.
 */
static bool
moment_of_parts(const Parts *parts, GsMoment *moment)
{
	bool		leap = isleap(parts->year);

	if (parts->month < 1 || parts->month > MONTHS_PER_YEAR ||
		parts->day < 1 || parts->day > day_tab[leap][parts->month - 1] ||
		parts->day_of_year > 365 + leap || parts->hour >= HOURS_PER_DAY ||
		parts->minute >= MINS_PER_HOUR || parts->second >= SECS_PER_MINUTE)
		return false;
	moment->day = date2j(parts->year, parts->month, parts->day) -
		POSTGRES_EPOCH_JDATE + Max(parts->day_of_year - 1, 0);
	moment->usec = ((int64) (parts->hour * MINS_PER_HOUR + parts->minute) *
					SECS_PER_MINUTE + parts->second) * USECS_PER_SEC +
		parts->usec;
	return true;
}

/*
 * gs_notation_length: bytes of what a format of dates with a time of day
 * writes; 0 where they are not always as many, or it is no such format.
 */
int
gs_notation_length(int format)
{
	static const int length[FIELDS] = {
		[FIELD_YEAR] = 4,[FIELD_MONTH] = 2,[FIELD_MON] = 3,
		[FIELD_MON_UPPER] = 3,[FIELD_DAY] = 2,[FIELD_HOUR] = 2,
		[FIELD_MINUTE] = 2,[FIELD_SECOND] = 2,[FIELD_MILLI] = 3,
		[FIELD_MICRO] = 6
	};
	const Compiled *c = gs_notation_compile(format);
	int			sum = 0;

	if (gs_notation_unit(format) != GS_UNIT_TIME)
		return 0;
	for (int i = 0; i < c->n; i++)
	{
		int			n = c->token[i].field < 0 ? 1 :
			length[c->token[i].field];

		if (n == 0)
			return 0;
		sum += n;
	}
	return sum;
}

/*
 * gs_notation_parse: reads a text, which need not be terminated.  Returns
 * whether it is one that the format writes; then *scalar is what it counts.
 */
bool
gs_notation_parse(int format, const char *text, int len, int64 *scalar)
{
	const Compiled *c = gs_notation_compile(format);
	const char *end = text + len;
	Parts		parts = {.year = 2000,.month = 1,.day = 1};
	GsMoment	moment;

	for (int i = 0; i < c->n; i++)
	{
		if (c->token[i].field >= 0)
		{
			if (!read_field(c->token[i].field, &text, end, &parts))
				return false;
		}
		else if (text == end || *text++ != c->token[i].literal)
			return false;
	}
	if (text != end || !moment_of_parts(&parts, &moment))
		return false;
	*scalar = gs_notation_scalar(format, moment);
	return true;
}

/*
 * The same of a number.
 */
static bool
parse_number(int format, int64 number, int64 *scalar)
{
	char		text[32];
	int			digits = digits_of(format);

	*scalar = number;
	if (gs_notation_compile(format)->kinds & PLAIN)
		return true;
	return number >= 0 &&
		snprintf(text, sizeof(text), GS_PADDED_UINT64, digits,
				 (uint64) number) == digits &&
		gs_notation_parse(format, text, digits, scalar);
}

/*
 * Units of so many microseconds since 1970.
 */
static int64
epoch(const GsMoment *moment, int64 unit, bool rounded)
{
	return (moment->day + POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) *
		(USECS_PER_DAY / unit) +
		(moment->usec + (rounded ? unit / 2 : 0)) / unit;
}

static int
write_field(Field field, const Parts *parts, const GsMoment *moment,
			char *out)
{
	const char *month = month_names[parts->month - 1];
	int			julian = (int) moment->day + POSTGRES_EPOCH_JDATE;
	int			weekday = j2day(julian);	/* 0: Sunday */
	int			n;

	switch (field)
	{
		case FIELD_YEAR:
			return sprintf(out, "%04d", parts->year);
		case FIELD_YEAR2:
			return sprintf(out, "%02d", parts->year % 100);
		case FIELD_MONTH:
			return sprintf(out, "%02d", parts->month);
		case FIELD_MONTH_SHORT:
			return sprintf(out, "%d", parts->month);
		case FIELD_MONTH_NAME:
			return sprintf(out, "%s", month);
		case FIELD_MON:
			return sprintf(out, "%.3s", month);
		case FIELD_MON_UPPER:
			n = sprintf(out, "%.3s", month);
			for (int i = 0; i < n; i++)
				out[i] = pg_ascii_toupper(out[i]);
			return n;
		case FIELD_DAY:
			return sprintf(out, "%02d", parts->day);
		case FIELD_DAY_SHORT:
			return sprintf(out, "%d", parts->day);
		case FIELD_DAY_OF_YEAR:
			return sprintf(out, "%03d", julian - date2j(parts->year, 1, 1) +
						   1);
		case FIELD_HOUR:
			return sprintf(out, "%02d", parts->hour);
		case FIELD_HOUR_SHORT:
			return sprintf(out, "%d", parts->hour);
		case FIELD_MINUTE:
			return sprintf(out, "%02d", parts->minute);
		case FIELD_SECOND:
			return sprintf(out, "%02d", parts->second);
		case FIELD_MILLI:
			return sprintf(out, "%03d", parts->usec / 1000);
		case FIELD_MICRO:
			return sprintf(out, "%06d", parts->usec);
		case FIELD_QUARTER:
			return sprintf(out, "%d", (parts->month - 1) / 3 + 1);
		case FIELD_DAY_NAME:
			return sprintf(out, "%s", day_names[weekday]);
		case FIELD_DAY_ABBREVIATED:
			return sprintf(out, "%.3s", day_names[weekday]);
		case FIELD_SUNDAY_1:
			return sprintf(out, "%d", weekday + 1);
		case FIELD_MONDAY_1:
			return sprintf(out, "%d", weekday == 0 ? 7 : weekday);
		case FIELD_SUNDAY_0:
			return sprintf(out, "%d", weekday);
		case FIELD_MONDAY_0:
			return sprintf(out, "%d", (weekday + 6) % 7);
		case FIELD_WEEK:
			return sprintf(out, "%02d", date2isoweek(parts->year, parts->month,
													 parts->day));
		case FIELD_ISO_YEAR:
			return sprintf(out, "%04d", date2isoyear(parts->year, parts->month,
													 parts->day));
		case FIELD_EPOCH:
		case FIELD_EPOCH_ROUNDED:
			return sprintf(out, INT64_FORMAT, epoch(moment, USECS_PER_SEC,
													field == FIELD_EPOCH_ROUNDED));
		case FIELD_EPOCH_MS:
		case FIELD_EPOCH_MS_ROUNDED:
			return sprintf(out, INT64_FORMAT, epoch(moment, 1000,
													field == FIELD_EPOCH_MS_ROUNDED));
		case FIELD_EXCEL_DAY:
			return sprintf(out, INT64_FORMAT, moment->day + 36526);
		case FIELD_UNIX_DAY:
			return sprintf(out, INT64_FORMAT, moment->day + POSTGRES_EPOCH_JDATE -
						   UNIX_EPOCH_JDATE);
		case FIELD_JULIAN_DAY:
			return sprintf(out, "%d", julian);
		case FIELDS:
			break;
	}
	return 0;
}

/*
 * gs_notation_write: writes a moment in a format.
 *
 * moment: of a year from 1 to 9999; out: GS_NOTATION_SIZE.  Returns the length
 * of the text.
 */
int
gs_notation_write(int format, GsMoment moment, char *out)
{
	const Compiled *c = gs_notation_compile(format);
	int			seconds = (int) (moment.usec / USECS_PER_SEC);
	Parts		parts = {.hour = seconds / SECS_PER_HOUR,
		.minute = seconds / SECS_PER_MINUTE % MINS_PER_HOUR,
	.second = seconds % SECS_PER_MINUTE,.usec = (int) (moment.usec %
														USECS_PER_SEC)};
	char	   *at = out;

	j2date((int) moment.day + POSTGRES_EPOCH_JDATE, &parts.year, &parts.month,
		   &parts.day);
	for (int i = 0; i < c->n; i++)
		if (c->token[i].field >= 0)
			at += write_field(c->token[i].field, &parts, &moment, at);
		else
			*at++ = c->token[i].literal;
	*at = '\0';
	return at - out;
}

/*
 * gs_notation_write_number: the same as a number.
 */
int64
gs_notation_write_number(int format, GsMoment moment)
{
	char		text[GS_NOTATION_SIZE];

	if (gs_notation_compile(format)->kinds & PLAIN)
		return gs_notation_compile(format)->kinds & DATE ?
			gs_notation_day(format, moment.day) :
			gs_notation_scalar(format, moment);
	gs_notation_write(format, moment, text);
	return strtoll(text, NULL, 10);
}

/*
 * gs_notation_derives: whether what a format writes follows from the values of
 * a codec.
 */
bool
gs_notation_derives(int format, const GsCodec *from)
{
	const bool *has = gs_notation_compile(format)->has;
	GsMomentUnit unit = gs_codec_unit(from);
	bool		clock = has[FIELD_HOUR] || has[FIELD_HOUR_SHORT] ||
		has[FIELD_MINUTE] || has[FIELD_SECOND] || has_epoch(has) ||
		(gs_notation_compile(format)->kinds & (TIME | STAMP)) != 0;
	bool		month = has[FIELD_YEAR] || has[FIELD_YEAR2] ||
		has[FIELD_MONTH] || has[FIELD_MONTH_SHORT] ||
		has[FIELD_MONTH_NAME] || has[FIELD_MON] || has[FIELD_MON_UPPER] ||
		has[FIELD_QUARTER];
	bool		day = has[FIELD_DAY] || has[FIELD_DAY_SHORT] ||
		has[FIELD_DAY_OF_YEAR] || has[FIELD_DAY_NAME] ||
		has[FIELD_DAY_ABBREVIATED] || has[FIELD_SUNDAY_0] ||
		has[FIELD_SUNDAY_1] || has[FIELD_MONDAY_0] || has[FIELD_MONDAY_1] ||
		has[FIELD_WEEK] || has[FIELD_ISO_YEAR] ||
		has[FIELD_EXCEL_DAY] || has[FIELD_UNIX_DAY] ||
		has[FIELD_JULIAN_DAY] || has_epoch(has) ||
		(gs_notation_compile(format)->kinds & (DATE | STAMP)) != 0;
	bool		seconds = has[FIELD_SECOND] || has_epoch(has) ||
		(gs_notation_compile(format)->kinds & STAMP) != 0;

	if (unit == GS_UNIT_NONE)
		return false;
	if (seconds && from->notation != NULL &&
		gs_notation_usecs(from->notation->format) > gs_notation_usecs(format))
		return false;
	return (!clock || unit == GS_UNIT_CLOCK || unit == GS_UNIT_TIME) &&
		(!month || unit >= GS_UNIT_MONTH) && (!day || unit >= GS_UNIT_DAY);
}

/*
 * gs_notation_number: the scalar of a number in a format: beyond
 * GS_NOTATION_OTHER / 2 if it is no date.
 */
int64
gs_notation_number(int format, int64 number)
{
	int64		scalar;

	if (parse_number(format, number, &scalar))
		return scalar;
	return GS_NOTATION_OTHER + Min(Max(number, -GS_NOTATION_OTHER / 2),
								   GS_NOTATION_OTHER / 2);
}
